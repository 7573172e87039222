// Words and the full-text index: what it knows about a folder's messages, and which it does not
// know yet.
//
// The index is derived: when it is missing, damaged or cannot take the query, nothing is known and
// every message is read.
#include <string.h>

#include "mailbox/search_internal.h"

static void free_uids(gpointer data) {
    struct search_uids *u = data;
    g_array_unref(u->uids);
    g_free(u);
}

static GHashTable *new_table(void) {
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_uids);
}

struct collect {
    uint64_t fid; // 0: all
    GHashTable *table;
    struct search_uids *last;
};

static bool collect_hit(void *ctx, const struct fulltext_hit *hit) {
    struct collect *c = ctx;
    if (c->fid && hit->fid != c->fid)
        return true;
    if (!c->last || c->last->fid != hit->fid) {
        c->last = g_hash_table_lookup(c->table, &hit->fid);
        if (!c->last) {
            c->last = g_new0(struct search_uids, 1);
            c->last->fid = hit->fid;
            c->last->uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            g_hash_table_insert(c->table, &c->last->fid, c->last);
        }
    }
    g_array_append_val(c->last->uids, hit->uid);
    return true;
}

static gint by_uid(gconstpointer a, gconstpointer b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_table(GHashTable *table) {
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, table);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        GArray *uids = ((struct search_uids *)value)->uids;
        bool is_sorted = true;
        for (guint i = 1; i < uids->len && is_sorted; i++)
            is_sorted = g_array_index(uids, uint32_t, i - 1) < g_array_index(uids, uint32_t, i);
        if (!is_sorted)
            g_array_sort(uids, by_uid);
    }
}

enum ec search_words_open(struct mailbox *m, struct search_plan *plan) {
    plan->has_index = false;
    plan->mbox = m->mbox;
    if (!plan->words && !plan->has_grams)
        return EC_OK;
    fulltext_want(m->mbox);
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    plan->has_index = fulltext_open(tx, &plan->index) == EC_OK;
    return EC_OK;
}

enum ec search_words_fill(struct mbox_tx *tx, struct search_plan *plan, uint64_t fid) {
    // Opened once more: the watermark has to be the snapshot's own.
    plan->has_index = plan->words && fulltext_open(tx, &plan->index) == EC_OK;
    if (!plan->has_index)
        return EC_OK;
    plan->unindexed = new_table();
    struct collect c = {.fid = fid, .table = plan->unindexed};
    EC_TRY(fulltext_unindexed(tx, &plan->index, false, collect_hit, &c));
    sort_table(plan->unindexed);
    for (struct search_words *w = plan->words; w; w = w->next) {
        w->found = new_table();
        c = (struct collect){.fid = fid, .table = w->found};
        enum ec ec = fulltext_find(tx, &plan->index, w->query, false, collect_hit, &c);
        if (ec == EC_OK)
            sort_table(w->found);
        else
            g_clear_pointer(&w->found, g_hash_table_unref); // too complex, or damaged (logged)
        if (ec == EC_CORRUPT_DATA)
            fulltext_damaged(plan->mbox);
    }
    return EC_OK;
}

static bool has_uid(GHashTable *table, uint64_t fid, uint32_t uid) {
    struct search_uids *u = table ? g_hash_table_lookup(table, &fid) : NULL;
    if (!u)
        return false;
    const uint32_t *uids = (const uint32_t *)(void *)u->uids->data;
    guint n = u->uids->len;
    // Rows come in order: the next is where the last was, or just after it.
    for (guint i = 0; i < 4 && u->at < n && uids[u->at] < uid; i++)
        u->at++;
    if (u->at < n && uids[u->at] == uid)
        return true;
    if (u->at < n && uids[u->at] > uid && (u->at == 0 || uids[u->at - 1] < uid))
        return false;
    guint low = 0, high = n;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (uids[middle] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    u->at = low;
    return low < n && uids[low] == uid;
}

enum search_answer search_words_answer(const struct search_plan *plan, struct search_words *words,
                                       uint64_t fid, uint32_t uid) {
    if (words->is_true)
        return ANSWER_YES;
    if (!words->found)
        return ANSWER_PERHAPS;
    if (has_uid(words->found, fid, uid))
        return ANSWER_YES;
    return has_uid(plan->unindexed, fid, uid) ? ANSWER_PERHAPS : ANSWER_NO;
}

static guint count_of(GHashTable *table, uint64_t fid) {
    struct search_uids *u = table ? g_hash_table_lookup(table, &fid) : NULL;
    return u ? u->uids->len : 0;
}

struct search_words *search_words_driver(const struct search_plan *plan, uint64_t fid) {
    const struct plan *root = plan->root;
    if (root->words)
        return root->words->found ? root->words : NULL;
    struct search_words *best = NULL;
    for (unsigned i = 0; root->node->kind == SEARCH_AND && i < root->n_children; i++) {
        struct search_words *w = root->children[i]->words;
        if (w && w->found && (!best || count_of(w->found, fid) < count_of(best->found, fid)))
            best = w;
    }
    return best;
}

static void append_uids(GArray *out, GHashTable *table, uint64_t fid) {
    struct search_uids *u = table ? g_hash_table_lookup(table, &fid) : NULL;
    if (u)
        g_array_append_vals(out, u->uids->data, u->uids->len);
}

GArray *search_words_candidates(const struct search_plan *plan, const struct search_words *words,
                                uint64_t fid) {
    GArray *out = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    append_uids(out, words->found, fid);
    guint n_found = out->len;
    append_uids(out, plan->unindexed, fid);
    if (n_found > 0 && out->len > n_found)
        g_array_sort(out, by_uid);
    return out;
}
