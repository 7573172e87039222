// The spool's inside, shared by the files of queue/.
//
// One mutex guards everything in `struct queue` and its entries; the disk is never waited for under
// it. One thread, the committer (commit.c), writes the segments: submissions and state records wait
// in `pending` until it takes all of them at once. POSIX mutexes rather than GLib's, so that
// ThreadSanitizer sees them.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "queue/limits.h"
#include "queue/queue.h"
#include "queue/record.h"

struct segment {
    uint64_t number;
    uint32_t magic;
    int fd;
    char *path;
    uint64_t size;       // bytes written
    uint64_t live_bytes; // records of the entries that are not finished
    unsigned n_live;
    int refs; // atomic: one of the queue's list, one of each reader
};

enum entry_state { ENTRY_READY, ENTRY_WAITING, ENTRY_CLAIMED };

struct entry {
    uint64_t id;
    filetime_t arrived;
    uint64_t size;
    uint8_t *envelope; // encoded
    uint32_t envelope_len;
    uint32_t n_recipients, n_pending;
    uint8_t *done; // bits of recipients that are done; NULL: none yet
    char *reason;  // of the last failure
    filetime_t next;
    uint32_t attempts;
    enum entry_state state;
    bool is_large;
    struct segment *segment; // where its record stands
    uint64_t data_pos, record_len;
    GBytes *bytes;     // the message, kept in memory while there is room; else NULL
    GList link;        // in `ready`, or in its lane
    unsigned index;    // in `waiting`
    struct lane *lane; // ENTRY_WAITING: NULL: none
    bool is_delay_reported;
};

// `next` of an entry that is held.
#define QUEUE_HELD ((filetime_t)INT64_MAX)
// Bit of the attempts as they are written: the sender knows of the delay.
#define ATTEMPTS_DELAY_REPORTED (1u << 31)

// Those who wait for one destination, in memory only.
struct lane {
    char *name;
    GQueue entries;
};

// A record on its way to the disk.
struct commit {
    enum record_type type;
    GByteArray *head;    // record_encode
    GBytes *data;        // the message after it; NULL: none
    struct entry *entry; // a new one: becomes claimable when written
    uint64_t moved;      // the id of an entry that is moved to a newer segment; 0: none
    char *unlink;        // a file to delete once this is written; NULL: none
    bool wants_sync;
    void (*done)(void *ctx, enum ec result); // RECORD_SUBMIT
    void *ctx;
    uint64_t pos; // in the segment, once written
    unsigned len;
};

struct queue {
    char *dir;
    int dir_fd, lock_fd;
    uint64_t min_free;
    _Atomic int64_t free_checked; // monotonic us of the last look
    _Atomic bool is_low;
    _Atomic uint64_t next_id;

    pthread_mutex_t lock;
    pthread_cond_t claimable, committable;
    GHashTable *entries; // &id -> struct entry
    GQueue ready;        // due, in the order in which they became so
    GPtrArray *waiting;  // heap by `next`
    GHashTable *lanes;   // name -> struct lane, those with entries
    unsigned n_claimers;
    unsigned wakes; // counts queue_wake
    uint64_t cached;

    GPtrArray *pending; // struct commit
    unsigned n_pending_sync;
    unsigned wake_at;       // the committer sleeps until so many want a sync
    bool is_failing;        // the last batch failed (logged once)
    GQueue segments;        // oldest first; touched by the committer only, once opened
    struct segment *active; // the last one, while it takes records
    bool is_closing;
    pthread_t committer;
};

// --- queue.c ---
void queue_id_format(uint64_t id, char out[QUEUE_ID_SIZE]);
bool queue_id_parse(const char *text, uint64_t *out);
GPtrArray *queue_entries_sorted(struct queue *q); // by id; under the lock
char *queue_large_path(struct queue *q, uint64_t id);
void entry_free(struct queue *q, struct entry *e); // the caller holds the lock or is alone

// --- segment.c ---
enum ec segment_create(struct queue *q, uint64_t number, struct segment **out);
struct segment *segment_ref(struct segment *s);
void segment_unref(struct segment *s); // accepts NULL
void segment_delete(struct segment *s);
// Reads what the folder holds into entries; called once, before the committer runs.
enum ec segments_load(struct queue *q);
enum ec ec_from_errno(int error);

// --- schedule.c (all under the lock) ---
void schedule_ready(struct queue *q, struct entry *e);
void schedule_wait(struct queue *q, struct entry *e, const char *lane);
void lane_free(void *lane);
void schedule_remove(struct queue *q, struct entry *e);
// Moves entries whose time has come to `ready`.
void schedule_advance(struct queue *q, filetime_t now);

// --- commit.c ---
void *commit_run(void *queue);
// Hands a record to the committer; takes it. Under the lock.
void commit_add_take(struct queue *q, struct commit *c);
// The entry is done: takes it out, notes it (not synced), frees it. Under the lock.
void commit_finish(struct queue *q, struct entry *e, bool wants_sync);
void commit_retry(struct queue *q, struct entry *e);
