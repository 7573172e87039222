// Searching many folders at once, newest first.
//
// When every match must have certain words and only the first ones are wanted, the index is walked
// from its end and each message looked at until there are enough: the time does not depend on how
// many have the words. Otherwise folder after folder is searched as one is, and all that was found
// is sorted.
#include <string.h>

#include "mailbox/search_internal.h"

struct search_all {
    struct mailbox *m;
    struct search_plan plan;
    unsigned limit;
    bool (*is_cancelled)(void *ctx);
    void *ctx;
    GHashTable *fids; // set of uint64_t: what may be searched
    GArray *folders;  // the same in order
    GArray *found;
};

// --- The scope ---

static enum ec add_folder(struct search_all *s, struct mbox_tx *tx, uint64_t fid) {
    uint32_t rights;
    if (g_hash_table_contains(s->fids, &fid))
        return EC_OK;
    EC_TRY(rights_of(s->m, tx, fid, &rights));
    if (!(rights & RIGHTS_READ_ANY))
        return EC_OK;
    g_hash_table_add(s->fids, g_memdup2(&fid, sizeof fid));
    g_array_append_val(s->folders, fid);
    return EC_OK;
}

static enum ec add_below(struct search_all *s, struct mbox_tx *tx, uint64_t root) {
    ARENA_AUTO arena = arena_new();
    struct folder_list list;
    EC_TRY(folder_list(tx, arena, root, true, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (list.items[i].type == FOLDER_TYPE_GENERIC)
            EC_TRY(add_folder(s, tx, list.items[i].fid));
    return EC_OK;
}

static enum ec resolve_scope(struct search_all *s, const struct search_scope *scope) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    EC_TRY(mbox_read(s->m->mbox, &tx));
    if (!scope->fids)
        return add_below(s, tx, FID_IPM_SUBTREE);
    for (unsigned i = 0; i < scope->n_fids; i++) {
        struct folder_info info;
        EC_TRY(folder_get(tx, arena, scope->fids[i], &info));
        EC_TRY(add_folder(s, tx, scope->fids[i]));
        if (scope->is_recursive)
            EC_TRY(add_below(s, tx, scope->fids[i]));
    }
    return EC_OK;
}

// --- From the end of the index ---

struct walk {
    struct search_all *s;
    struct mailbox_reader *reader;
    struct arena *arena;
    struct search_words *words; // what is walked
    bool is_indexed;            // the message at hand has the words
    unsigned n_looked;
    enum ec ec;
};

static enum ec look_at(struct walk *w, const struct fulltext_hit *hit) {
    struct message_row row;
    uint64_t mid, fid;
    bool matches = false;
    struct mbox_tx *tx = reader_tx(w->reader);
    EC_TRY(message_by_uid(tx, hit->fid, hit->uid, &mid));
    EC_TRY(message_get_row(tx, mid, &fid, &row));
    enum ec ec = EC_OK;
    if (!(row.flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED))) {
        w->words->is_true = w->is_indexed;
        const struct search_plan *plan = &w->s->plan;
        enum search_answer a = search_decide(plan, plan->root, hit->fid, &row, NULL);
        matches = a == ANSWER_YES;
        if (a == ANSWER_PERHAPS)
            ec = search_decide_message(plan, w->reader, NULL, w->arena, hit->fid, &row, &matches);
        w->words->is_true = false;
    }
    if (ec == EC_OK && matches) {
        struct search_found f = {hit->fid, mid, row.received};
        g_array_append_val(w->s->found, f);
    }
    if (row.keywords)
        shared_text_unref(row.keywords);
    return ec;
}

static bool visit(void *ctx, const struct fulltext_hit *hit) {
    struct walk *w = ctx;
    struct search_all *s = w->s;
    if (!g_hash_table_contains(s->fids, &hit->fid))
        return true;
    if (s->is_cancelled && w->n_looked++ % SEARCH_CANCEL_CHECK_EVERY == 0 &&
        s->is_cancelled(s->ctx))
        w->ec = EC_CANCEL;
    if (w->ec == EC_OK)
        w->ec = look_at(w, hit);
    if (w->ec == EC_NOT_FOUND)
        w->ec = EC_OK;
    return w->ec == EC_OK && s->found->len < s->limit;
}

// EC_NOT_SUPPORTED: the index cannot be walked for this query.
static enum ec walk_index(struct search_all *s) {
    struct search_words *words = s->plan.root->words;
    for (unsigned i = 0;
         s->plan.root->node->kind == SEARCH_AND && !words && i < s->plan.root->n_children; i++)
        words = s->plan.root->children[i]->words;
    if (!words || s->folders->len == 0)
        return EC_NOT_SUPPORTED;
    struct walk w = {.s = s, .words = words};
    s->plan.is_walk = true;
    EC_TRY(mailbox_reader_open(s->m, g_array_index(s->folders, uint64_t, 0), &w.reader));
    w.arena = arena_new();
    struct mbox_tx *tx = reader_tx(w.reader);
    struct fulltext_index index;
    enum ec ec = fulltext_open(tx, &index) == EC_OK ? EC_OK : EC_NOT_SUPPORTED;
    if (ec == EC_OK)
        ec = fulltext_unindexed(tx, &index, true, visit, &w);
    w.is_indexed = true;
    if (ec == EC_OK && w.ec == EC_OK && s->found->len < s->limit &&
        fulltext_find(tx, &index, words->query, true, visit, &w) != EC_OK)
        ec = EC_NOT_SUPPORTED; // too complex, or damaged (logged)
    s->plan.is_walk = false;
    mailbox_reader_close(w.reader);
    arena_free(w.arena);
    return w.ec != EC_OK ? w.ec : ec;
}

// --- Folder by folder ---

static gint by_received(gconstpointer a, gconstpointer b) {
    const struct search_found *x = a, *y = b;
    if (x->received != y->received)
        return x->received > y->received ? -1 : 1;
    return x->mid > y->mid ? -1 : x->mid < y->mid;
}

// As the index is walked.
struct arrival {
    struct search_found found; // first
    uint64_t doc;
    uint32_t uid;
};

static gint by_arrival(gconstpointer a, gconstpointer b) {
    const struct arrival *x = a, *y = b;
    if (x->doc != y->doc)
        return x->doc > y->doc ? -1 : 1;
    if (x->found.fid != y->found.fid)
        return x->found.fid > y->found.fid ? -1 : 1;
    return x->uid > y->uid ? -1 : x->uid < y->uid;
}

static enum ec sort_by_arrival(struct search_all *s) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(s->m->mbox, &tx));
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct arrival));
    for (guint i = 0; i < s->found->len; i++) {
        struct arrival a = {.found = g_array_index(s->found, struct search_found, i)};
        enum ec ec = fulltext_place_of(tx, a.found.mid, &a.doc, &a.uid);
        if (ec == EC_NOT_FOUND) // gone meanwhile
            continue;
        EC_TRY(ec);
        g_array_append_val(list, a);
    }
    g_array_sort(list, by_arrival);
    g_array_set_size(s->found, 0);
    for (guint i = 0; i < list->len; i++)
        g_array_append_val(s->found, g_array_index(list, struct arrival, i).found);
    return EC_OK;
}

static enum ec search_one(struct search_all *s, uint64_t fid) {
    struct mailbox_view *view;
    enum ec ec = mailbox_view_open(s->m, fid, &view);
    if (ec == EC_NOT_FOUND || ec == EC_ACCESS_DENIED) // deleted, or taken away, just now
        return EC_OK;
    EC_TRY(ec);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    ec = search_folder(s->m, &s->plan, view, s->is_cancelled, s->ctx, found);
    for (guint i = 0; ec == EC_OK && i < found->len; i++) {
        const struct message_row *row = mailbox_view_row(view, g_array_index(found, uint32_t, i));
        struct search_found f = {fid, row->mid, row->received};
        g_array_append_val(s->found, f);
    }
    mailbox_view_free(view);
    return ec;
}

static enum ec search_each(struct search_all *s, enum search_order order) {
    if (s->plan.words) {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(s->m->mbox, &tx));
        EC_TRY(search_words_fill(
            tx, &s->plan, s->folders->len == 1 ? g_array_index(s->folders, uint64_t, 0) : 0));
    }
    g_array_set_size(s->found, 0);
    for (guint i = 0; i < s->folders->len; i++)
        EC_TRY(search_one(s, g_array_index(s->folders, uint64_t, i)));
    if (order == SEARCH_NEWEST_RECEIVED)
        g_array_sort(s->found, by_received);
    else
        EC_TRY(sort_by_arrival(s));
    if (s->limit && s->found->len > s->limit)
        g_array_set_size(s->found, s->limit);
    return EC_OK;
}

static enum ec run(struct search_all *s, const struct search_scope *scope,
                   enum search_order order) {
    EC_TRY(resolve_scope(s, scope));
    EC_TRY(search_words_open(s->m, &s->plan));
    if (order == SEARCH_NEWEST_ARRIVED && s->limit && s->plan.has_index) {
        enum ec ec = walk_index(s);
        if (ec != EC_NOT_SUPPORTED)
            return ec;
    }
    return search_each(s, order);
}

enum ec mailbox_search_all(struct mailbox *m, const struct search_scope *scope,
                           const struct search_node *query, enum search_order order, unsigned limit,
                           bool (*is_cancelled)(void *ctx), void *ctx, GArray **out) {
    ARENA_AUTO arena = arena_new();
    struct search_all s = {.m = m, .limit = limit, .is_cancelled = is_cancelled, .ctx = ctx};
    EC_TRY(search_plan_make(arena, query, &s.plan));
    s.fids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    s.folders = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    s.found = g_array_new(FALSE, FALSE, sizeof(struct search_found));
    enum ec ec = run(&s, scope, order);
    search_plan_clear(&s.plan);
    g_hash_table_unref(s.fids);
    g_array_unref(s.folders);
    if (ec != EC_OK) {
        g_array_unref(s.found);
        return ec;
    }
    *out = s.found;
    return EC_OK;
}
