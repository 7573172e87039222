// The folder of mailbox databases and the mailboxes in use.
//
// A mailbox nobody uses stays open for a while (opening costs a millisecond, its snapshots and
// statements are warm), up to store_options.max_idle_open of them.
#include "store/store.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/log.h"
#include "mapi/named.h"
#include "store/background_internal.h"
#include "store/flag_range.h"
#include "store/fulltext_internal.h"
#include "store/search_folder_internal.h"
#include "store/store_internal.h"
#include "store/view_internal.h"

#define MAX_IDLE_OPEN 64
#define IDLE_CLOSE_USEC (60 * G_USEC_PER_SEC)
#define CHECKPOINT_BYTES (4 * 1024 * 1024)
#define CACHE_KIB 4096 // of a connection: the upper levels of a large mailbox's trees

static guint guid_hash(gconstpointer key) {
    guint h;
    memcpy(&h, ((const struct guid *)key)->bytes, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

enum ec store_open(const char *dir, const struct store_options *options, struct store **out) {
    struct store *store = g_new0(struct store, 1);
    store->options = *options;
    enum ec ec = places_open(store, dir);
    if (ec != EC_OK) {
        places_free(store);
        g_free(store);
        return ec;
    }
    if (store->options.max_idle_open == 0)
        store->options.max_idle_open = MAX_IDLE_OPEN;
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->unclaimed, NULL);
    store->claimed = g_array_new(FALSE, FALSE, sizeof(struct guid));
    store->open = g_hash_table_new(guid_hash, guid_same);
    store->background = background_new(store);
    *out = store;
    return EC_OK;
}

char *store_mailbox_path(struct store *store, struct arena *arena, const struct guid *guid) {
    g_autofree char *path = mailbox_file(store, guid);
    return arena_strdup(arena, path);
}

static void mbox_free(struct mbox *mbox) {
    rows_cache_save(mbox);
    view_cache_save(mbox);
    rows_cache_free(mbox->rows);
    view_cache_free(mbox->views);
    db_close(mbox->db);
    pthread_mutex_destroy(&mbox->write_lock);
    pthread_mutex_destroy(&mbox->watch_lock);
    pthread_mutex_destroy(&mbox->named_lock);
    pthread_mutex_destroy(&mbox->envelope_lock);
    g_clear_pointer(&mbox->envelope_wants, g_array_unref);
    pthread_mutex_destroy(&mbox->usage_lock);
    named_map_free(mbox->named);
    g_ptr_array_unref(mbox->watches);
    g_free(mbox->address);
    g_free(mbox->display_name);
    g_free(mbox->locale);
    g_free(mbox);
}

void store_close(struct store *store) {
    if (!store)
        return;
    background_free(store->background);
    store->background = NULL; // what closing writes asks for nothing more
    GHashTableIter it;
    gpointer mbox;
    g_hash_table_iter_init(&it, store->open);
    while (g_hash_table_iter_next(&it, NULL, &mbox)) {
        g_warn_if_fail(((struct mbox *)mbox)->refs == 0);
        mbox_free(mbox);
    }
    g_hash_table_unref(store->open);
    g_warn_if_fail(store->claimed->len == 0);
    g_array_unref(store->claimed);
    pthread_cond_destroy(&store->unclaimed);
    pthread_mutex_destroy(&store->lock);
    places_free(store);
    g_free(store->fulltext_converter);
    g_free(store);
}

struct db_options mailbox_db_options(const struct store *store) {
    return (struct db_options){.durability = store->options.is_durable ? DB_DURABLE : DB_RELAXED,
                               .cache_kib = CACHE_KIB};
}

enum ec store_create_mailbox(struct store *store, const struct mbox_new *spec) {
    g_autofree char *path = mailbox_file(store, &spec->guid);
    // Made under another name and renamed when complete: a mailbox exists whole or not at all.
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return EC_COLLISION;
    g_unlink(temporary);
    struct db_options options = mailbox_db_options(store);
    struct db *db;
    EC_TRY(db_open(temporary, &store_schema, &options, &db));
    enum ec ec = mailbox_fill(db, spec);
    db_close(db);
    if (ec == EC_OK && g_rename(temporary, path) != 0)
        ec = errno == ENOSPC ? EC_DISK_FULL : EC_DISK_ERROR;
    if (ec != EC_OK)
        g_unlink(temporary);
    return ec;
}

static void unlink_with(const char *path, const char *suffix) {
    g_autofree char *file = g_strconcat(path, suffix, NULL);
    g_unlink(file);
}

enum ec store_delete_mailbox(struct store *store, const struct guid *guid) {
    g_autofree char *path = mailbox_file(store, guid);
    background_forget(store->background, guid);
    pthread_mutex_lock(&store->lock);
    mailbox_claim(store, guid);
    mailbox_unclaim(store, guid);
    struct mbox *mbox = g_hash_table_lookup(store->open, guid);
    enum ec ec = EC_OK;
    if (mbox && mbox->refs > 0) {
        ec = EC_BUSY;
    } else {
        if (mbox) {
            g_hash_table_remove(store->open, guid);
            mbox_free(mbox);
        }
        if (g_unlink(path) != 0)
            ec = errno == ENOENT ? EC_NOT_FOUND : EC_DISK_ERROR;
        unlink_with(path, "-wal");
        unlink_with(path, "-shm");
        unlink_with(path, ".damaged");
        unlink_with(path, ".replaced");
        db_forget_old(path);
    }
    pthread_mutex_unlock(&store->lock);
    return ec;
}

static enum ec load_mailbox(struct mbox *mbox, bool *has_flag_ranges_out) {
    struct db_conn *conn;
    EC_TRY(db_read(mbox->db, &conn));
    struct db_stmt *q = db_query(conn, sql_mailbox_get);
    db_bind_i64(q, 1, MBX);
    enum ec ec = EC_CORRUPT_DATA;
    if (db_step(q)) {
        size_t n;
        const void *replica = db_col_blob(q, 1, &n);
        if (n == sizeof mbox->replica.bytes) {
            memcpy(mbox->replica.bytes, replica, n);
            ec = EC_OK;
        }
        mbox->address = g_strdup(db_col_text(q, 2));
        mbox->display_name = g_strdup(db_col_text(q, 3));
        mbox->locale = g_strdup(db_col_text(q, 4));
        mbox->created = (filetime_t)db_col_i64(q, 5);
        mbox->next_id = mbox->saved_next_id = (uint64_t)db_col_i64(q, 6);
    }
    enum ec query = db_finish(q);
    if (query == EC_OK && ec == EC_OK) {
        q = db_query(conn, sql_search_any);
        db_bind_i64(q, 1, MBX);
        mbox->has_search_folders = db_step(q) && db_col_i64(q, 0) > 0;
        query = db_finish(q);
    }
    if (query == EC_OK && ec == EC_OK)
        query = flag_ranges_any(conn, has_flag_ranges_out);
    if (query == EC_OK && ec == EC_OK)
        ec = usage_load(conn, &mbox->usage);
    db_read_end(conn);
    return query != EC_OK ? query : ec;
}

static enum ec open_file(struct store *store, const struct guid *guid, struct mbox **out,
                         bool *has_flag_ranges_out) {
    g_autofree char *path = mailbox_file(store, guid);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return EC_NOT_FOUND;
    struct db_options options = mailbox_db_options(store);
    struct db *db;
    EC_TRY(db_open(path, &store_schema, &options, &db));
    struct mbox *mbox = g_new0(struct mbox, 1);
    mbox->store = store;
    mbox->guid = *guid;
    mbox->db = db;
    pthread_mutex_init(&mbox->write_lock, NULL);
    g_queue_init(&mbox->writers);
    pthread_mutex_init(&mbox->watch_lock, NULL);
    pthread_mutex_init(&mbox->named_lock, NULL);
    pthread_mutex_init(&mbox->envelope_lock, NULL);
    pthread_mutex_init(&mbox->usage_lock, NULL);
    mbox->watches = g_ptr_array_new();
    mbox->rows = rows_cache_new();
    mbox->views = view_cache_new();
    enum ec ec = load_mailbox(mbox, has_flag_ranges_out);
    if (ec != EC_OK) {
        log_event(LOG_LEVEL_ERROR, "store.mailbox_damaged", "file", path, "error", ec_text(ec),
                  "do", "run `bourse check --repair`, or restore the mailbox from a backup", NULL);
        mbox_free(mbox);
        return ec;
    }
    *out = mbox;
    return EC_OK;
}

// --- Who opens what ---

static int find_claim(const struct store *store, const struct guid *guid) {
    for (guint i = 0; i < store->claimed->len; i++)
        if (guid_equal(&g_array_index(store->claimed, struct guid, i), guid))
            return (int)i;
    return -1;
}

void mailbox_claim(struct store *store, const struct guid *guid) {
    while (find_claim(store, guid) >= 0)
        pthread_cond_wait(&store->unclaimed, &store->lock);
    g_array_append_val(store->claimed, *guid);
}

void mailbox_unclaim(struct store *store, const struct guid *guid) {
    g_array_remove_index_fast(store->claimed, (guint)find_claim(store, guid));
    pthread_cond_broadcast(&store->unclaimed);
}

void mailbox_forget(struct store *store, struct mbox *mbox) {
    g_hash_table_remove(store->open, &mbox->guid);
    mbox->is_forgotten = true;
    if (mbox->refs == 0)
        mbox_free(mbox);
}

enum ec store_open_mailbox(struct store *store, const struct guid *guid, struct mbox **out) {
    pthread_mutex_lock(&store->lock);
    while (find_claim(store, guid) >= 0)
        pthread_cond_wait(&store->unclaimed, &store->lock);
    struct mbox *mbox = g_hash_table_lookup(store->open, guid);
    enum ec ec = EC_OK;
    bool is_new = false;
    if (!mbox) {
        bool has_flag_ranges = false;
        // Without the lock: a migration takes its time, and concerns nobody else.
        mailbox_claim(store, guid);
        pthread_mutex_unlock(&store->lock);
        ec = open_file(store, guid, &mbox, &has_flag_ranges);
        pthread_mutex_lock(&store->lock);
        mailbox_unclaim(store, guid);
        is_new = ec == EC_OK;
        if (is_new) {
            g_hash_table_insert(store->open, &mbox->guid, mbox);
            search_folders_committed(mbox); // what a crash left undone
            if (has_flag_ranges)
                flag_ranges_want(mbox);
        }
    }
    if (ec == EC_OK) {
        mbox->refs++;
        *out = mbox;
    }
    pthread_mutex_unlock(&store->lock);
    if (is_new)
        fulltext_opened(mbox);
    return ec;
}

struct mbox *mbox_ref(struct mbox *mbox) {
    pthread_mutex_lock(&mbox->store->lock);
    mbox->refs++;
    pthread_mutex_unlock(&mbox->store->lock);
    return mbox;
}

void mbox_unref(struct mbox *mbox) {
    if (!mbox)
        return;
    struct store *store = mbox->store;
    pthread_mutex_lock(&store->lock);
    g_assert(mbox->refs > 0);
    if (--mbox->refs == 0)
        mbox->idle_since = g_get_monotonic_time();
    bool is_last = mbox->refs == 0 && mbox->is_forgotten;
    pthread_mutex_unlock(&store->lock);
    if (is_last)
        mbox_free(mbox);
}

const struct guid *mbox_guid(const struct mbox *mbox) {
    return &mbox->guid;
}

static gint by_idle_time(gconstpointer a, gconstpointer b) {
    const struct mbox *x = *(struct mbox *const *)a, *y = *(struct mbox *const *)b;
    return x->idle_since < y->idle_since ? -1 : x->idle_since > y->idle_since;
}

// Takes mailboxes idle for long, or too many of them, out of the table: they are closed afterwards.
static GPtrArray *take_idle(struct store *store) {
    g_autoptr(GPtrArray) idle = g_ptr_array_new();
    GPtrArray *closing = g_ptr_array_new();
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, store->open);
    while (g_hash_table_iter_next(&it, NULL, &value))
        if (((struct mbox *)value)->refs == 0)
            g_ptr_array_add(idle, value);
    g_ptr_array_sort(idle, by_idle_time);
    gint64 now = g_get_monotonic_time();
    for (guint i = 0; i < idle->len; i++) {
        struct mbox *mbox = idle->pdata[i];
        bool too_many = idle->len - i > store->options.max_idle_open;
        if (!too_many && now - mbox->idle_since < IDLE_CLOSE_USEC)
            break;
        g_hash_table_remove(store->open, &mbox->guid);
        g_ptr_array_add(closing, mbox);
    }
    return closing;
}

void store_maintain(struct store *store) {
    g_autoptr(GPtrArray) busy = g_ptr_array_new();
    pthread_mutex_lock(&store->lock);
    g_autoptr(GPtrArray) closing = take_idle(store);
    // Closed under the lock: another thread must not open the file while it is being closed.
    for (guint i = 0; i < closing->len; i++)
        mbox_free(closing->pdata[i]);
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, store->open);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        ((struct mbox *)value)->refs++;
        g_ptr_array_add(busy, value);
    }
    pthread_mutex_unlock(&store->lock);
    for (guint i = 0; i < busy->len; i++) {
        struct mbox *mbox = busy->pdata[i];
        if (atomic_exchange(&mbox->is_dirty, false))
            db_checkpoint(mbox->db, CHECKPOINT_BYTES);
        rows_cache_save(mbox);
        rows_cache_trim(mbox);
        view_cache_save(mbox);
        view_cache_trim(mbox);
        pthread_mutex_lock(&store->lock);
        bool is_last = --mbox->refs == 0 && mbox->is_forgotten;
        pthread_mutex_unlock(&store->lock);
        if (is_last)
            mbox_free(mbox);
    }
}
