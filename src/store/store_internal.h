// What the files of store/ share: the mailbox and transaction structures.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "mapi/bag.h"
#include "store/event.h"
#include "store/schema_internal.h"
#include "store/store.h"

struct rows_cache; // rows.c
struct named_map;  // mapi/named.h
struct background; // background.c

struct store_place {
    char *name, *dir;
};

struct store {
    struct store_place *places; // the first is "default"; never empty
    unsigned n_places;
    struct store_options options;
    pthread_mutex_t lock;
    GHashTable *open; // guid (inside the mbox) -> struct mbox
    // Mailboxes whose file is being opened, moved or replaced: nobody else opens them (struct
    // guid).
    GArray *claimed;
    pthread_cond_t unclaimed; // with `lock`
    struct background *background;
};

struct mbox {
    struct store *store;
    int refs;          // under store->lock; 0: idle, kept open
    bool is_moving;    // under store->lock
    bool is_forgotten; // under store->lock: not in store->open; freed with the last reference
    gint64 idle_since;
    struct guid guid, replica;
    char *address, *display_name, *locale;
    filetime_t created;
    struct db *db;

    // Writers: a queue of waiting changes; one of their threads leads.
    pthread_mutex_t write_lock;
    GQueue writers; // of struct writer, tx.c
    bool has_leader;
    uint64_t next_id, saved_next_id; // belong to the leader
    _Atomic uint64_t commits;        // grows with every commit
    _Atomic bool is_dirty;           // written to since the last checkpoint

    pthread_mutex_t watch_lock;
    GPtrArray *watches; // of struct mbox_watch

    struct rows_cache *rows;

    pthread_mutex_t named_lock;
    struct named_map *named; // NULL: not read yet
    uint64_t named_commits;  // tx->commits it was read at
    bool is_named_settled;   // read by a reader: committed
};

// A folder's counters during a write; read when first touched, written back when the change is
// done.
struct folder_counters {
    uint64_t fid;
    uint32_t uid_next;
    uint64_t modseq;
    int64_t n_messages, n_unread, n_associated, n_soft, size, soft_size;
    int type;
    bool is_dirty;
};

struct mbox_tx {
    struct mbox *mbox;
    struct db_conn *conn;
    bool is_writer;
    GHashTable *counters; // fid -> struct folder_counters; writers only
    GArray *events;       // of struct event
    filetime_t now;       // one time for a whole change
    uint64_t
        commits; // mbox->commits before the snapshot was taken: the snapshot has at least these
};

// EC_OK inside a write transaction, else EC_ACCESS_DENIED (a bug of the caller that must not
// corrupt).
enum ec tx_check_writer(struct mbox_tx *tx);

// The folder's counters, to change (set is_dirty). EC_NOT_FOUND.
enum ec tx_counters(struct mbox_tx *tx, uint64_t fid, struct folder_counters **out);
// Drops a deleted folder's counters.
void tx_forget_counters(struct mbox_tx *tx, uint64_t fid);

void tx_publish(struct mbox_tx *tx, const struct event *event);

// store_place.c
enum ec places_open(struct store *store, const char *dir); // recovers; options are set
void places_free(struct store *store);
char *mailbox_file(struct store *store, const struct guid *guid); // where it is, or would be made
// store_replace_mailbox with a file that `make` (may be NULL) makes of the one at `path` while nobody
// can write to that.
enum ec mailbox_replace(struct store *store, const struct guid *guid, const char *file,
                        const char *keep,
                        enum ec (*make)(void *ctx, const char *path, const char *file), void *ctx);

// store.c: waits until nobody has claimed the mailbox, then claims it. The lock is held, and given
// back while waiting.
void mailbox_claim(struct store *store, const struct guid *guid);
void mailbox_unclaim(struct store *store, const struct guid *guid); // the lock is held
// Takes a mailbox out of the table: the next who wants it opens the file anew. The lock is held.
void mailbox_forget(struct store *store, struct mbox *mbox);
struct db_options mailbox_db_options(const struct store *store);

// event.c
void watches_publish(struct mbox *mbox, const struct event *events, unsigned n);
void watches_wake(struct mbox *mbox); // so that everybody looks and finds the session ended

// rows.c
struct rows_cache *rows_cache_new(void);
void rows_cache_free(struct rows_cache *cache); // accepts NULL
void rows_cache_save(struct mbox *mbox);        // keeps large folders' rows in the database
void rows_cache_trim(struct mbox *mbox);        // drops snapshots nobody uses

// mailbox_create.c: fills a new, empty database.
enum ec mailbox_fill(struct db *db, const struct mbox_new *spec);
// For the check: a special folder that is missing; the properties by which clients find folders, of
// the store object and of the root and the Inbox (bag_free); the mailbox's row, when it is gone.
enum ec mailbox_insert_special(struct mbox_tx *tx, uint64_t fid, const char *name,
                               const char *locale);
struct bag *mailbox_store_props(const struct mbox *mbox);
struct bag *mailbox_finder_props(const struct mbox *mbox);
enum ec mailbox_insert_row(struct mbox_tx *tx, const struct mbox_new *spec);

// A stored bag column as a bag (an empty one for NULL).
enum ec stored_bag(struct db_stmt *q, int column, struct bag **out);
