// Transport's limits and times.
#pragma once

#define TRANSPORT_WORKERS 4
#define TRANSPORT_WORKERS_MAX 64
#define TRANSPORT_CLAIM_MAX 256                  // messages taken from the queue at once
#define TRANSPORT_BATCH_BYTES (32 * 1024 * 1024) // of them in memory at once
#define TRANSPORT_CLAIM_MS 60000
#define TRANSPORT_RETRY_SECONDS 60
#define TRANSPORT_RETRY_MAX_SECONDS 3600
#define TRANSPORT_EXPIRE_SECONDS (2 * 24 * 3600)
#define TRANSPORT_DELAY_SECONDS (4 * 3600)
#define TRANSPORT_BUSY_SECONDS 20 // a destination that has no room: looked at again at the latest
#define TRANSPORT_RECEIVED_MAX 50 // Received fields; more is a loop
#define TRANSPORT_TARGETS_MAX 100000          // mailboxes of one recipient
#define TRANSPORT_FORWARDS_MAX 1000           // addresses that one recipient leads on to
#define TRANSPORT_REPORT_FULL_MAX (64 * 1024) // larger originals: only their header is returned
#define TRANSPORT_REPORT_RET_FULL_MAX (10 * 1024 * 1024) // the same when RET=FULL asks for it
#define TRANSPORT_REPORT_FIELD_MAX 900                   // bytes of a foreign value in a report
#define TRANSPORT_REPORT_WINDOW 3600                     // seconds in which reports are counted
#define TRANSPORT_REPORT_PER_WINDOW 100                  // of one sender's mail to one recipient
#define TRANSPORT_REPORT_PAIRS 10000                     // such pairs that are counted
