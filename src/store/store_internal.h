// What the files of store/ share: the mailbox and transaction structures.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "mapi/bag.h"
#include "store/event.h"
#include "store/schema_internal.h"
#include "store/store.h"

struct rows_cache; // rows.c
struct view_cache; // view_cache.c
struct named_map;  // mapi/named.h
struct background; // background.c

struct store {
    char *dir;
    struct store_options options;
    pthread_mutex_t lock;
    GHashTable *open; // guid (inside the mbox) -> struct mbox
    struct background *background;
};

struct mbox {
    struct store *store;
    int refs; // under store->lock; 0: idle, kept open
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
    _Atomic bool has_search_folders; // some are kept up to date (search_update.c)

    pthread_mutex_t watch_lock;
    GPtrArray *watches; // of struct mbox_watch

    struct rows_cache *rows;
    struct view_cache *views;

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

// event.c
void watches_publish(struct mbox *mbox, const struct event *events, unsigned n);

// rows.c
struct rows_cache *rows_cache_new(void);
void rows_cache_free(struct rows_cache *cache); // accepts NULL
void rows_cache_save(struct mbox *mbox);        // keeps large folders' rows in the database
void rows_cache_trim(struct mbox *mbox);        // drops snapshots nobody uses

// mailbox_create.c: fills a new, empty database.
enum ec mailbox_fill(struct db *db, const struct mbox_new *spec);

// A stored bag column as a bag (an empty one for NULL).
enum ec stored_bag(struct db_stmt *q, int column, struct bag **out);
