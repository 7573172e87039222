// The newest snapshots of the folders looked at lately, and saving them.
#include "store/rows_internal.h"

#include <string.h>

#include "store/rows_saved.h"

#define CACHE_KEEP_USEC (120 * G_USEC_PER_SEC)

struct cached {
    uint64_t fid;
    struct folder_rows *rows;
    uint64_t commits; // mbox->commits when it was known to be the newest
    uint64_t saved;   // modseq of the saved snapshot, 0: none known
    gint64 used;
};

struct rows_cache {
    pthread_mutex_t lock; // held while a snapshot is made: two openers of a folder make it once
    GHashTable *folders;  // fid -> struct cached
};

// --- The cache ---

struct folder_state {
    uint64_t modseq;
    uint32_t uid_next, uid_validity, unread, count;
};

static enum ec read_state(struct mbox_tx *tx, uint64_t fid, struct folder_state *out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_state);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    bool found = db_step(q);
    if (found)
        *out = (struct folder_state){
            .modseq = (uint64_t)db_col_i64(q, 0),
            .uid_next = (uint32_t)db_col_i64(q, 1),
            .uid_validity = (uint32_t)db_col_i64(q, 2),
            .unread = (uint32_t)db_col_i64(q, 3),
            .count = (uint32_t)db_col_i64(q, 4),
        };
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

static void add_loaded(void *ctx, const struct message_row *row) {
    rows_builder_add_take(ctx, row);
}

// The saved snapshot, to be brought up to date; one that is damaged or from the future is passed
// over.
static struct folder_rows *load_saved(struct mbox_tx *tx, uint64_t fid,
                                      const struct folder_state *state) {
    g_autofree struct rows_builder *b = g_new0(struct rows_builder, 1);
    uint64_t modseq = 0;
    b->chunks = g_ptr_array_new();
    enum ec ec = rows_load(tx, fid, state->uid_validity, add_loaded, b, &modseq);
    if (ec != EC_OK || modseq > state->modseq) {
        rows_builder_drop(b);
        return NULL;
    }
    struct folder_rows *rows = rows_builder_finish(b, fid);
    rows->modseq = modseq;
    rows->uid_validity = state->uid_validity;
    return rows;
}

static enum ec renew(struct mbox_tx *tx, uint64_t fid, struct cached *cached) {
    struct folder_state state;
    struct folder_rows *rows;
    EC_TRY(read_state(tx, fid, &state));
    if (!cached->rows && (cached->rows = load_saved(tx, fid, &state)) != NULL)
        cached->saved = cached->rows->modseq;
    if (cached->rows && cached->rows->modseq == state.modseq &&
        cached->rows->uid_validity == state.uid_validity) {
        if (g_atomic_int_get(&cached->rows->refs) == 1) { // just loaded: nobody sees it yet
            cached->rows->uid_next = state.uid_next;
            cached->rows->unread = state.unread;
        }
        return EC_OK;
    }
    if (cached->rows && cached->rows->uid_validity == state.uid_validity) {
        EC_TRY(rows_follow(tx, cached->rows, &rows));
    } else {
        EC_TRY(rows_build(tx, fid, &rows));
    }
    rows->modseq = state.modseq;
    rows->uid_next = state.uid_next;
    rows->uid_validity = state.uid_validity;
    rows->unread = state.unread;
    folder_rows_unref(cached->rows);
    cached->rows = rows;
    return EC_OK;
}

static void free_cached(gpointer data) {
    struct cached *cached = data;
    folder_rows_unref(cached->rows);
    g_free(cached);
}

struct rows_cache *rows_cache_new(void) {
    struct rows_cache *cache = g_new0(struct rows_cache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    cache->folders = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_cached);
    return cache;
}

void rows_cache_free(struct rows_cache *cache) {
    if (!cache)
        return;
    g_hash_table_unref(cache->folders);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

// --- Saving ---

struct save {
    uint64_t fid;
    struct folder_rows *rows;
};

static enum ec do_save(struct mbox_tx *tx, void *ctx) {
    const struct save *s = ctx;
    return rows_save(tx, s->fid, s->rows);
}

// Saved again when about a tenth has changed since: each delivery takes about three numbers of the
// counter.
static bool wants_saving(const struct cached *c) {
    return c->rows && c->rows->count >= ROWS_SAVE_MIN &&
           (c->saved == 0 || c->rows->modseq - c->saved > c->rows->count * 3 / 10);
}

void rows_cache_save(struct mbox *mbox) {
    struct rows_cache *cache = mbox->rows;
    g_autoptr(GArray) saves = g_array_new(FALSE, FALSE, sizeof(struct save));
    GHashTableIter it;
    gpointer value;
    pthread_mutex_lock(&cache->lock);
    g_hash_table_iter_init(&it, cache->folders);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct cached *c = value;
        if (!wants_saving(c))
            continue;
        struct save s = {c->fid, folder_rows_ref(c->rows)};
        c->saved = c->rows->modseq;
        g_array_append_val(saves, s);
    }
    pthread_mutex_unlock(&cache->lock);
    for (guint i = 0; i < saves->len; i++) {
        struct save *s = &g_array_index(saves, struct save, i);
        mbox_write(mbox, do_save, s); // a failure costs only time at the next start
        folder_rows_unref(s->rows);
    }
}

static gboolean is_unused(gpointer key, gpointer value, gpointer data) {
    const struct cached *cached = value;
    bool is_held = cached->rows && g_atomic_int_get(&cached->rows->refs) > 1;
    return !is_held && *(gint64 *)data - cached->used > CACHE_KEEP_USEC;
}

void rows_cache_trim(struct mbox *mbox) {
    gint64 now = g_get_monotonic_time();
    pthread_mutex_lock(&mbox->rows->lock);
    g_hash_table_foreach_remove(mbox->rows->folders, is_unused, &now);
    pthread_mutex_unlock(&mbox->rows->lock);
}

static enum ec refresh(struct mbox *mbox, struct cached *cached) {
    // Read before the snapshot is taken: what commits in between is seen again the next time.
    uint64_t commits = atomic_load(&mbox->commits);
    if (cached->rows && cached->commits == commits)
        return EC_OK;
    struct mbox_tx *tx;
    EC_TRY(mbox_read(mbox, &tx));
    enum ec ec = renew(tx, cached->fid, cached);
    mbox_read_end(tx);
    cached->commits = commits;
    return ec;
}

enum ec folder_rows_get(struct mbox *mbox, uint64_t fid, struct folder_rows **out) {
    struct rows_cache *cache = mbox->rows;
    pthread_mutex_lock(&cache->lock);
    struct cached *cached = g_hash_table_lookup(cache->folders, &fid);
    if (!cached) {
        cached = g_new0(struct cached, 1);
        cached->fid = fid;
        g_hash_table_insert(cache->folders, &cached->fid, cached);
    }
    cached->used = g_get_monotonic_time();
    enum ec ec = refresh(mbox, cached);
    if (ec == EC_OK)
        *out = folder_rows_ref(cached->rows);
    else
        g_hash_table_remove(cache->folders, &fid);
    pthread_mutex_unlock(&cache->lock);
    return ec;
}

enum ec folder_rows_in_write(struct mbox_tx *tx, uint64_t fid, uint32_t max_rows,
                             struct folder_rows **out) {
    struct rows_cache *cache = tx->mbox->rows;
    struct folder_rows *known = NULL;
    struct folder_state state;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(read_state(tx, fid, &state));
    // A reader may be making a snapshot under the lock, which can take long.
    if (pthread_mutex_trylock(&cache->lock) == 0) {
        const struct cached *cached = g_hash_table_lookup(cache->folders, &fid);
        if (cached && cached->rows && cached->rows->uid_validity == state.uid_validity)
            known = folder_rows_ref(cached->rows);
        pthread_mutex_unlock(&cache->lock);
    }
    enum ec ec = EC_NOT_FOUND;
    if (known)
        ec = rows_follow(tx, known, out);
    else if (state.count <= max_rows)
        ec = rows_build(tx, fid, out);
    folder_rows_unref(known);
    return ec;
}
