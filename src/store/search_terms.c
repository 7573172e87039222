// Search folders by words: what of their criteria the full-text index can answer.
//
// A client that asks for CONTENT_INDEXED_SEARCH gets words for what it looks for in bodies: "bud"
// finds "budget", not "embud". The index gives the messages there were when the search began; what
// it does not know yet, and what changes later, is asked for its words itself, so that all are
// found by the same rule.
#include <string.h>

#include "db/fulltext_words.h"
#include "mapi/props.h"
#include "store/fulltext.h"
#include "store/message.h"
#include "store/search_folder_internal.h"

// --- Terms ---

static bool is_words(const struct restriction *res) {
    // The beginning of the body, or all of it, is no matter of words.
    return res->kind == RES_CONTENT && res->content.tag == PidTagBody &&
           res->content.fuzzy & (FUZZY_SUBSTRING | FUZZY_PREFIX_ON_ANY_WORD | FUZZY_PHRASE);
}

static struct db_fulltext_node *node_of(struct arena *arena, const struct restriction *res) {
    g_autoptr(GString) words = g_string_new(NULL);
    const char *text = res->content.value.str ? res->content.value.str : "";
    db_words_append(words, text, strlen(text));
    if (words->len == 0)
        return NULL;
    struct db_fulltext_node *node = arena_alloc0(arena, sizeof *node);
    *node = (struct db_fulltext_node){.kind = DB_FULLTEXT_WORDS,
                                      .words = arena_strndup(arena, words->str, words->len),
                                      .is_prefix = !(res->content.fuzzy & FUZZY_PHRASE),
                                      .columns = 1u << TEXT_BODY};
    return node;
}

// The words at the top of an AND; what is left stays a restriction.
static void split_list(struct arena *arena, const struct restriction *res,
                       struct search_terms *out) {
    struct db_fulltext_node *all = arena_alloc0(arena, sizeof *all), **last = &all->children;
    struct restriction *rest = arena_memdup(arena, res, sizeof *res);
    rest->list.sub = arena_alloc0(arena, (res->list.n + 1) * sizeof *rest->list.sub);
    rest->list.n = 0;
    all->kind = DB_FULLTEXT_AND;
    for (uint32_t i = 0; i < res->list.n; i++) {
        struct db_fulltext_node *node =
            is_words(res->list.sub[i]) ? node_of(arena, res->list.sub[i]) : NULL;
        if (node) {
            *last = node;
            last = &node->next;
        } else {
            rest->list.sub[rest->list.n++] = res->list.sub[i];
        }
    }
    if (all->children)
        *out = (struct search_terms){all, rest->list.n > 0 ? rest : NULL};
}

bool search_terms_of(struct arena *arena, const struct search_criteria *criteria,
                     struct search_terms *out) {
    const struct restriction *res = criteria->restriction;
    *out = (struct search_terms){0};
    if (!criteria->wants_index || !res)
        return false;
    if (is_words(res))
        out->query = node_of(arena, res);
    else if (res->kind == RES_AND)
        split_list(arena, res, out);
    return out->query != NULL;
}

enum ec search_terms_match(struct mbox_tx *tx, uint64_t mid, const struct search_terms *terms,
                           bool *out) {
    ARENA_AUTO arena = arena_new();
    struct fulltext_words words;
    EC_TRY(fulltext_words_of(tx, arena, mid, &words));
    *out = db_fulltext_matches(terms->query, words.columns);
    return EC_OK;
}

// --- From the index ---

struct taking {
    GHashTable *scope;
    GArray *hits; // of struct fulltext_hit
    uint64_t after;
    unsigned limit;
    bool is_full;
};

static bool take_hit(void *ctx, const struct fulltext_hit *hit) {
    struct taking *t = ctx;
    if (hit->doc <= t->after || !g_hash_table_contains(t->scope, &hit->fid))
        return true;
    // Messages that share contents stay together: the next slice begins behind them.
    const struct fulltext_hit *last =
        t->hits->len ? &g_array_index(t->hits, struct fulltext_hit, t->hits->len - 1) : NULL;
    t->is_full = t->hits->len >= t->limit && last->doc != hit->doc;
    if (!t->is_full)
        g_array_append_vals(t->hits, hit, 1);
    return !t->is_full;
}

enum ec search_terms_slice(struct mbox_tx *tx, const struct search_terms *terms, GHashTable *scope,
                           uint64_t after, unsigned limit, GArray *out, uint64_t *last_out,
                           bool *end_out) {
    g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(struct fulltext_hit));
    struct taking t = {scope, hits, after, limit, false};
    struct fulltext_index index;
    EC_TRY(fulltext_open(tx, &index));
    EC_TRY(fulltext_find(tx, &index, terms->query, false, take_hit, &t));
    guint n_known = hits->len;
    if (!t.is_full)
        EC_TRY(fulltext_unindexed(tx, &index, false, take_hit, &t));
    for (guint i = 0; i < hits->len; i++) {
        const struct fulltext_hit *hit = &g_array_index(hits, struct fulltext_hit, i);
        struct search_candidate candidate = {.has_words = i < n_known};
        *last_out = hit->doc;
        enum ec ec = message_by_uid(tx, hit->fid, hit->uid, &candidate.mid);
        if (ec == EC_NOT_FOUND)
            continue; // soft-deleted
        EC_TRY(ec);
        g_array_append_val(out, candidate);
    }
    *end_out = !t.is_full;
    return EC_OK;
}
