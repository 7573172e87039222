// What the files of store/ share: the mailbox and transaction structures.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "mapi/bag.h"
#include "store/event.h"
#include "store/flag_range.h"
#include "store/schema_internal.h"
#include "store/store.h"
#include "store/usage.h"

struct rows_cache; // rows.c
struct view_cache; // view_cache.c
struct folder_rows;
struct named_map; // mapi/named.h
struct prop_name;
struct message_value;
struct background; // background.c
struct mbox_holds; // recoverable.h
struct message_full;

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
    int fulltext_policy; // fulltext.h
    char *fulltext_converter;
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
    filetime_t id_time;              // so does this: of the last note in id_time
    _Atomic uint64_t commits;        // grows with every commit
    _Atomic bool is_dirty;           // written to since the last checkpoint
    _Atomic bool has_search_folders; // some are kept up to date (search_update.c)

    pthread_mutex_t usage_lock;
    struct mbox_usage usage; // of the newest commit

    pthread_mutex_t watch_lock;
    GPtrArray *watches; // of struct mbox_watch

    struct rows_cache *rows;
    struct view_cache *views;

    pthread_mutex_t envelope_lock;
    GArray *envelope_wants; // what envelope_chunk.c has to do in the background, or NULL
    // fulltext.c: the mailbox has an index, or is to get one; the work has to begin one; the first
    // change that waits for it; when it last looked whether to rebuild (both monotonic; 0: none).
    _Atomic bool fulltext_wanted, fulltext_begin, fulltext_mend, fulltext_was_damaged;
    _Atomic int64_t fulltext_since, fulltext_looked;

    pthread_mutex_t named_lock;
    struct named_map *named; // NULL: not read yet
    uint64_t named_commits;  // commits it has at least
    uint64_t named_changed;  // the commit with the last name that was added
    bool is_named_settled;   // holds nothing that may yet be undone
    unsigned n_header_names; // names of PS_INTERNET_HEADERS in it
    int64_t foreign_names_day;
    unsigned foreign_names_today; // added for mail that came on that day
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
    GHashTable *counters;     // fid -> struct folder_counters; writers only
    GArray *events;           // of struct event
    GArray *event_runs;       // of struct event_run, between them
    filetime_t now;           // one time for a whole change
    GArray *flag_ranges;      // of struct flag_range (flag_range.h); NULL: not read yet
    bool wants_settling;      // some of them were made in this transaction
    struct mbox_usage usage;  // writers only: with what was done so far
    struct mbox_holds *holds; // NULL: not asked for yet
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

// usage.c
enum ec usage_load(struct db_conn *conn, struct mbox_usage *out);
void usage_count(struct mbox_tx *tx, const struct message_full *m, int sign);

// event.c
// EVENT_MODIFIED of many messages of a folder, made one by one only for those who listen: the
// messages of `rows` [first, first + n) that `range` changes.
struct event_run {
    guint at; // comes before this one of the transaction's events
    struct folder_rows *rows;
    uint32_t first, n;
    struct flag_range range;
};
GArray *event_runs_new(void);
void tx_publish_run(struct mbox_tx *tx, struct folder_rows *rows, uint32_t first, uint32_t n,
                    const struct flag_range *range);
void watches_publish(struct mbox *mbox, const GArray *events, const GArray *runs);
// store_place.c
enum ec places_open(struct store *store, const char *dir); // recovers; options are set
void places_free(struct store *store);
char *mailbox_file(struct store *store, const struct guid *guid); // where it is, or would be made
// store_replace_mailbox with a file that `make` (may be NULL) makes of the one at `path` while
// nobody can write to that.
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
struct bag *mailbox_new_store_props(const struct mbox *mbox);
struct bag *mailbox_new_finder_props(const struct mbox *mbox);
enum ec mailbox_insert_row(struct mbox_tx *tx, const struct mbox_new *spec);

// named.c: mail from outside (header fields, TNEF) may add so many names to a mailbox; those of
// header fields HEADER_NAMES_MAX in all, others up to half of what there can be.
#define HEADER_NAMES_MAX 1024
#define FOREIGN_NAMES_PER_DAY 64
#define FOREIGN_NAMES_PER_MESSAGE 16
// The id of a name. With `may_add` (needs a write) a new one is added while the
// limits allow it; EC_NOT_FOUND otherwise.
enum ec mbox_foreign_name_to_id(struct mbox_tx *tx, const struct prop_name *name, bool may_add,
                                uint16_t *out);

// value_names.c: the bag of a value with local names under the mailbox's ids; NULL when it has
// none. Properties whose names the mailbox does not take are left out.
enum ec value_resolve_names(struct mbox_tx *tx, const struct message_value *value,
                            struct bag **out);
// The same in place.
enum ec value_settle_names(struct mbox_tx *tx, struct message_value *value);

// A stored bag column as a bag (an empty one for NULL).
enum ec stored_bag(struct db_stmt *q, int column, struct bag **out);
