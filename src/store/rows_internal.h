// What the files on folders' rows share: chunks and snapshots (rows.c), making them (rows_build.c),
// keeping the newest (rows_cache.c).
#pragma once

#include "store/flag_range.h"
#include "store/rows.h"
#include "store/store_internal.h"

#define CHUNK_ROWS 512

struct chunk {
    int refs; // atomic
    uint32_t n;
    uint32_t first_unread; // index in `rows`; n: none
    bool has_keywords;
    struct message_row rows[];
};

struct folder_rows {
    int refs; // atomic
    uint64_t fid, modseq;
    uint32_t uid_next, uid_validity, unread, count, n_chunks;
    struct chunk **chunks;
    uint32_t *starts; // index of each chunk's first row
};

extern _Atomic size_t rows_memory; // bytes of all chunks and snapshots

void rows_chunk_unref(struct chunk *c);

// The chunks of a snapshot being made. Rows are added in uid order.
struct rows_builder {
    GPtrArray *chunks;
    struct message_row pending[CHUNK_ROWS];
    uint32_t n_pending;
};

void rows_builder_add_take(struct rows_builder *b, const struct message_row *row);
void rows_builder_drop(struct rows_builder *b);
struct folder_rows *rows_builder_finish(struct rows_builder *b, uint64_t fid);

// A snapshot from the database alone; one that is newer than `old`, sharing what did not change.
// The caller fills in what the folder says.
enum ec rows_build(struct mbox_tx *tx, uint64_t fid, struct folder_rows **out);
enum ec rows_follow(struct mbox_tx *tx, const struct folder_rows *old, struct folder_rows **out);
