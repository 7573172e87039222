// The limits of the database layer.
#pragma once

// Readers kept open while nobody uses them, a database; more are closed when they are given back.
#define DB_IDLE_READERS 4

// How long a statement waits for a lock that another process, or a recovery, holds (milliseconds).
#define DB_BUSY_TIMEOUT_MS 2000

// Page cache of a connection when the options don't say (KiB).
#define DB_CACHE_KIB 1024

// A page of a new database (bytes).
#define DB_PAGE_SIZE 8192

// How often a long migration says in the log how far it is.
#define DB_MIGRATION_TELL_SECONDS 10

// The WAL file is cut back to nothing when it is this many times larger than what a checkpoint was
// asked to keep it below.
#define DB_WAL_TRUNCATE_FACTOR 4

// Pages copied while writers wait, and after how many such steps a move syncs what it has.
#define DB_COPY_PAGES 128
#define DB_COPY_SYNC_STEPS 64

// Pages with a wrong checksum that are told of one by one, and how often one is read again when a
// checkpoint may be writing it.
#define LITE_SUMS_TOLD 1000
#define LITE_SUMS_TRIES 5
