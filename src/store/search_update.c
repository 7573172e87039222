// Keeping search folders up to date, in the background.
//
// One round for a search folder: from a snapshot, the messages that were there before (building, in
// slices) or that changed since the number seen are evaluated; then one write applies what was
// found and the new number. Everything is derived from the database, and applying is idempotent: a
// crash between two rounds loses nothing.
#include <string.h>

#include "base/log.h"
#include "mapi/message_row.h"
#include "store/background.h"
#include "store/change.h"
#include "store/event.h"
#include "store/fulltext.h"
#include "store/message_internal.h"
#include "store/message_match.h"
#include "store/search_folder_internal.h"

#define SLICE 500 // messages evaluated for one write

struct round {
    struct search_folder *s;
    GHashTable *scope; // fids searched, of uint64_t in the arena
    GArray *found;     // of struct found
    GHashTable *done;  // mids in `found`
    struct arena *arena;
    uint32_t flags;
    uint64_t seen, at_fid, at_uid;
    bool is_complete; // building ended with this round
    bool has_terms;
    struct search_terms terms; // words among the criteria
};

// --- Scope ---

static void add_scope(struct round *r, uint64_t fid) {
    g_hash_table_add(r->scope, arena_memdup(r->arena, &fid, sizeof fid));
}

static enum ec add_below(struct mbox_tx *tx, struct round *r, uint64_t root) {
    struct folder_list below;
    EC_TRY(folder_list(tx, r->arena, root, true, &below));
    for (unsigned i = 0; i < below.n; i++)
        if (below.items[i].type != FOLDER_TYPE_SEARCH)
            add_scope(r, below.items[i].fid);
    return EC_OK;
}

static enum ec find_scope(struct mbox_tx *tx, struct round *r) {
    const struct search_criteria *c = &r->s->criteria;
    for (unsigned i = 0; i < c->n_scope; i++) {
        struct folder_info f;
        enum ec ec = folder_get(tx, r->arena, c->scope[i], &f);
        if (ec == EC_NOT_FOUND)
            continue; // deleted since: nothing to find there
        EC_TRY(ec);
        add_scope(r, f.fid);
        if (c->is_recursive)
            EC_TRY(add_below(tx, r, f.fid));
    }
    return EC_OK;
}

static gint by_id(gconstpointer a, gconstpointer b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static GArray *sorted_scope(const struct round *r) {
    GArray *fids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GHashTableIter it;
    gpointer key;
    g_hash_table_iter_init(&it, r->scope);
    while (g_hash_table_iter_next(&it, &key, NULL))
        g_array_append_vals(fids, key, 1);
    g_array_sort(fids, by_id);
    return fids;
}

// --- Evaluating ---

static void add_found(struct round *r, const struct found *found) {
    if (!g_hash_table_add(r->done, arena_memdup(r->arena, &found->mid, sizeof found->mid)))
        return;
    g_array_append_vals(r->found, found, 1);
}

static void add_gone(struct round *r, uint64_t mid) {
    struct found gone = {.mid = mid};
    add_found(r, &gone);
}

// Words first: they decide most.
static enum ec matches(struct mbox_tx *tx, struct round *r, struct message *m, uint64_t mid,
                       bool has_words, bool *out) {
    *out = has_words || !r->has_terms;
    if (!*out)
        EC_TRY(search_terms_match(tx, mid, &r->terms, out));
    if (!*out)
        return EC_OK;
    return message_matches(tx, m, r->has_terms ? r->terms.rest : r->s->criteria.restriction, out);
}

// `has_words`: the index has said that the words among the criteria are there.
static enum ec evaluate(struct mbox_tx *tx, struct round *r, uint64_t mid, bool has_words) {
    ARENA_AUTO arena = arena_new();
    struct message_full row;
    struct message *m;
    struct found found = {.mid = mid};
    enum ec ec = message_full_get(tx, arena, mid, &row);
    if (ec == EC_NOT_FOUND) {
        add_gone(r, mid);
        return EC_OK;
    }
    EC_TRY(ec);
    found.is_unread = !(row.flags & MSG_READ);
    found.size = row.size;
    if (!(row.flags & (MSG_SOFT_DELETED | MSG_ASSOCIATED))) {
        ec = message_open(tx, mid, &m);
        if (ec == EC_OK) {
            ec = matches(tx, r, m, mid, has_words, &found.is_match);
            message_free(m);
        }
        if (ec == EC_CORRUPT_DATA) // one damaged message does not stop the search; the check tells
            found.is_match = false;
        else
            EC_TRY(ec);
    }
    add_found(r, &found);
    return EC_OK;
}

// --- Building ---

// Messages of one folder after `uid`; `*last_out`: the last one looked at.
static enum ec list_slice(struct mbox_tx *tx, uint64_t fid, uint64_t uid, unsigned limit,
                          GArray *mids, uint64_t *last_out, unsigned *n_out) {
    struct db_stmt *q = db_query(tx->conn, sql_search_scan);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)uid);
    db_bind_i64(q, 4, limit);
    *n_out = 0;
    while (db_step(q)) {
        uint64_t mid = (uint64_t)db_col_i64(q, 1);
        *last_out = (uint64_t)db_col_i64(q, 0);
        (*n_out)++;
        if (!(db_col_i64(q, 2) & (MSG_SOFT_DELETED | MSG_ASSOCIATED)))
            g_array_append_val(mids, mid);
    }
    return db_finish(q);
}

static void note_built(struct round *r) {
    r->flags &= ~(uint32_t)STORED_BUILDING;
    if (r->flags & STORED_STATIC)
        r->flags &= ~(uint32_t)STORED_RUNNING;
}

// By the index, in the order of contents: at_fid stays 0, at_uid is where it stands. Without an
// index everything is looked at instead, from the beginning.
static enum ec build_by_index(struct mbox_tx *tx, struct round *r) {
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(struct search_candidate));
    uint64_t last = r->at_uid;
    EC_TRY(search_terms_slice(tx, &r->terms, r->scope, r->at_uid, SLICE, candidates, &last,
                              &r->is_complete));
    for (guint i = 0; i < candidates->len; i++) {
        const struct search_candidate *c = &g_array_index(candidates, struct search_candidate, i);
        EC_TRY(evaluate(tx, r, c->mid, c->has_words));
    }
    r->at_uid = last;
    if (r->is_complete)
        note_built(r);
    return EC_OK;
}

static enum ec build_slice(struct mbox_tx *tx, struct round *r) {
    g_autoptr(GArray) fids = sorted_scope(r);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    unsigned left = SLICE;
    for (guint i = 0; i < fids->len && left > 0; i++) {
        uint64_t fid = g_array_index(fids, uint64_t, i);
        unsigned n;
        if (fid < r->at_fid)
            continue;
        uint64_t uid = fid == r->at_fid ? r->at_uid : 0;
        EC_TRY(list_slice(tx, fid, uid, left, mids, &uid, &n));
        r->at_fid = fid;
        r->at_uid = uid;
        left -= n;
    }
    for (guint i = 0; i < mids->len; i++)
        EC_TRY(evaluate(tx, r, g_array_index(mids, uint64_t, i), false));
    r->is_complete = left > 0; // the last folder gave less than there was room for
    if (r->is_complete)
        note_built(r);
    return EC_OK;
}

static enum ec build(struct mbox_tx *tx, struct round *r) {
    if (r->has_terms && r->at_fid == 0) {
        enum ec ec = build_by_index(tx, r);
        if (ec == EC_CORRUPT_DATA)
            fulltext_damaged(tx->mbox);
        if (ec == EC_NOT_FOUND)
            fulltext_want(tx->mbox);
        if (ec != EC_NOT_FOUND && ec != EC_CORRUPT_DATA && ec != EC_TOO_COMPLEX)
            return ec;
        r->is_complete = false;
    }
    return build_slice(tx, r);
}

// --- Following changes ---

static enum ec read_number(struct mbox_tx *tx, const char *sql, uint64_t since, uint64_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    if (since)
        db_bind_i64(q, 2, (int64_t)since);
    *out = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}

static enum ec read_ids(struct mbox_tx *tx, const char *sql, uint64_t a, uint64_t b, GArray *ids) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)a);
    if (b)
        db_bind_i64(q, 3, (int64_t)b);
    while (db_step(q)) {
        uint64_t id = (uint64_t)db_col_i64(q, 0);
        g_array_append_val(ids, id);
    }
    return db_finish(q);
}

static enum ec follow_contents(struct mbox_tx *tx, struct round *r, uint64_t fid, uint64_t since) {
    ARENA_AUTO arena = arena_new();
    struct change_list changes;
    EC_TRY(changes_of_folder(tx, arena, fid, since, 0, &changes));
    for (unsigned i = 0; i < changes.n; i++) {
        const struct change *c = &changes.items[i];
        if (c->kind == CHANGE_DELETED)
            add_gone(r, c->id);
        else if (!c->is_associated)
            EC_TRY(evaluate(tx, r, c->id, false));
    }
    return EC_OK;
}

// A folder object that changed may have been moved into the scope or out of it, with all below it.
static enum ec follow_folder(struct mbox_tx *tx, struct round *r, uint64_t fid) {
    if (g_hash_table_contains(r->scope, &fid))
        return follow_contents(tx, r, fid, 0);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(read_ids(tx, sql_link_of_folder, r->s->fid, fid, mids));
    for (guint i = 0; i < mids->len; i++)
        add_gone(r, g_array_index(mids, uint64_t, i));
    return EC_OK;
}

static enum ec follow_hierarchy(struct mbox_tx *tx, struct round *r, uint64_t since) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(read_ids(tx, sql_folder_since_ids, since, 0, changed));
    for (guint i = 0; i < changed->len; i++) {
        uint64_t fid = g_array_index(changed, uint64_t, i);
        struct folder_list below;
        if (fid == r->s->fid)
            continue;
        EC_TRY(follow_folder(tx, r, fid));
        EC_TRY(folder_list(tx, arena, fid, true, &below));
        for (unsigned k = 0; k < below.n; k++)
            EC_TRY(follow_folder(tx, r, below.items[k].fid));
    }
    // Messages that left, or went with, a folder that is no longer in the scope have no tombstone
    // there that would be read.
    uint64_t n_gone;
    EC_TRY(read_number(tx, sql_search_gone_folders, since, &n_gone));
    if (n_gone == 0 && changed->len == 0)
        return EC_OK;
    g_autoptr(GArray) dangling = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(read_ids(tx, sql_link_dangling, r->s->fid, 0, dangling));
    for (guint i = 0; i < dangling->len; i++)
        add_gone(r, g_array_index(dangling, uint64_t, i));
    return EC_OK;
}

static enum ec follow(struct mbox_tx *tx, struct round *r) {
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t next_id, since = r->s->seen;
    EC_TRY(read_number(tx, sql_search_next_id, 0, &next_id));
    EC_TRY(follow_hierarchy(tx, r, since));
    EC_TRY(read_ids(tx, sql_search_changed_folders, since, 0, changed));
    for (guint i = 0; i < changed->len; i++) {
        uint64_t fid = g_array_index(changed, uint64_t, i);
        if (g_hash_table_contains(r->scope, &fid))
            EC_TRY(follow_contents(tx, r, fid, since));
    }
    r->seen = next_id - 1;
    return EC_OK;
}

// --- A round ---

static enum ec apply(struct mbox_tx *tx, void *ctx) {
    const struct round *r = ctx;
    struct search_folder *now;
    unsigned n;
    // Criteria set anew since the snapshot: what was evaluated counts no more.
    EC_TRY(search_folders_load(tx, r->arena, r->s->fid, &now, &n));
    if (n == 0 || now->flags != r->s->flags || now->seen != r->s->seen ||
        now->at_fid != r->s->at_fid || now->at_uid != r->s->at_uid)
        return EC_OBJECT_MODIFIED;
    for (guint i = 0; i < r->found->len; i++)
        EC_TRY(search_link_apply(tx, r->s->fid, &g_array_index(r->found, struct found, i)));
    struct db_stmt *q = db_query(tx->conn, sql_search_seen);
    db_bind_i64(q, 1, r->flags);
    db_bind_i64(q, 2, (int64_t)r->seen);
    db_bind_i64(q, 3, (int64_t)r->at_fid);
    db_bind_i64(q, 4, (int64_t)r->at_uid);
    db_bind_i64(q, 5, MBX);
    db_bind_i64(q, 6, (int64_t)r->s->fid);
    EC_TRY(db_run(q, NULL));
    if (r->is_complete) {
        struct event e = {.kind = EVENT_SEARCH_COMPLETE, .is_folder = true, .fid = r->s->fid};
        tx_publish(tx, &e);
    }
    return EC_OK;
}

static enum ec evaluate_round(struct mbox_tx *tx, struct round *r) {
    r->flags = r->s->flags;
    r->seen = r->s->seen;
    r->at_fid = r->s->at_fid;
    r->at_uid = r->s->at_uid;
    r->has_terms = search_terms_of(r->arena, &r->s->criteria, &r->terms);
    EC_TRY(find_scope(tx, r));
    return r->flags & STORED_BUILDING ? build(tx, r) : follow(tx, r);
}

static void round_free(struct round *r) {
    g_hash_table_unref(r->scope);
    g_hash_table_unref(r->done);
    g_array_unref(r->found);
}

// `*again_out`: there is more to do. What follows changes writes only when it found some.
static enum ec run_round(struct mbox *mbox, struct arena *arena, struct search_folder *s,
                         bool *again_out) {
    struct round r = {
        .s = s,
        .arena = arena,
        .scope = g_hash_table_new(g_int64_hash, g_int64_equal),
        .done = g_hash_table_new(g_int64_hash, g_int64_equal),
        .found = g_array_new(FALSE, FALSE, sizeof(struct found)),
    };
    struct mbox_tx *tx;
    enum ec ec = mbox_read(mbox, &tx);
    if (ec == EC_OK) {
        ec = evaluate_round(tx, &r);
        mbox_read_end(tx);
    }
    bool was_building = s->flags & STORED_BUILDING;
    if (ec == EC_OK && (was_building || r.found->len > 0))
        ec = mbox_write(mbox, apply, &r);
    *again_out = ec == EC_OK && was_building && (r.flags & STORED_RUNNING);
    round_free(&r);
    return ec == EC_OBJECT_MODIFIED ? EC_OK : ec;
}

// Loads the running folders of a fresh snapshot.
static enum ec load_running(struct mbox *mbox, struct arena *arena, struct search_folder **list,
                            unsigned *n) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(mbox, &tx));
    return search_folders_load(tx, arena, 0, list, n);
}

void search_folders_update(struct mbox *mbox) {
    bool again = true;
    while (again && !background_is_stopping(mbox)) {
        ARENA_AUTO arena = arena_new();
        struct search_folder *list;
        unsigned n;
        again = false;
        enum ec ec = load_running(mbox, arena, &list, &n);
        if (ec == EC_OK && n == 0)
            atomic_store(&mbox->has_search_folders, false);
        for (unsigned i = 0; ec == EC_OK && i < n && !background_is_stopping(mbox); i++) {
            bool more;
            ec = run_round(mbox, arena, &list[i], &more);
            again |= more;
        }
        if (ec != EC_OK) {
            log_event(LOG_LEVEL_ERROR, "store.search_folder_failed", "mailbox", mbox->address,
                      "error", ec_text(ec), NULL);
            return; // the next commit tries again
        }
    }
}

void search_folders_committed(struct mbox *mbox) {
    if (atomic_load(&mbox->has_search_folders))
        background_want(mbox, search_folders_update, 0, false);
}
