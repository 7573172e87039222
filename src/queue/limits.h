// The spool's limits and measures.
#pragma once

// A segment takes records until it has this size.
#define QUEUE_SEGMENT_SIZE (32u * 1024 * 1024)
// One without live entries is given up from this size on, so that an idle spool stays small.
#define QUEUE_SEGMENT_REUSE (8u * 1024 * 1024)
// More segments than this: what lives in the oldest is moved on, so that one message that waits
// does not hold the disk space of all that came after it.
#define QUEUE_SEGMENTS_MAX 8
// Messages kept in memory between submission and delivery, all together.
#define QUEUE_CACHE_MAX (64u * 1024 * 1024)
// A batch takes no more than this at once, in bytes and in records (IOV_MAX is 1024).
#define QUEUE_BATCH_BYTES (32u * 1024 * 1024)
#define QUEUE_BATCH_RECORDS 500
// How long records that need no sync may wait for company.
#define QUEUE_LAZY_MS 20
// How long the committer waits for as many submissions as the last time.
#define QUEUE_GATHER_US 300
// The free disk space is looked at no more often.
#define QUEUE_FREE_CHECK_US 200000
#define QUEUE_REASON_MAX 2000
