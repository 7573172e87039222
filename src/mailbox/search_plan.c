// From a query to its plan: lists ordered by cost, needles folded, trees of words put together so
// that the index answers them as one.
#include <string.h>

#include "db/fulltext_words.h"
#include "mailbox/search_internal.h"

static int by_cost(const void *a, const void *b) {
    const struct plan *const *x = a, *const *y = b;
    return (int)(*x)->cost - (int)(*y)->cost;
}

static enum search_cost own_cost(const struct plan *p) {
    switch (p->node->kind) {
    case SEARCH_HEADER:
        return p->field == ENVELOPE_NONE ? COST_HEADER : COST_ENVELOPE;
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_SINCE:
        return COST_ENVELOPE;
    case SEARCH_EMAIL_ID:
    case SEARCH_THREAD_ID:
        return COST_ENVELOPE;
    case SEARCH_RESTRICTION:
        return COST_OBJECT;
    case SEARCH_WORDS:
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return COST_BODY;
    default:
        return COST_ROW;
    }
}

// --- Words ---

// A tree of nothing but words as a query of the index. NULL: it is none, or has a NOT where the
// index can have none.
static struct db_fulltext_node *words_query(struct arena *arena, const struct search_node *node,
                                            unsigned depth) {
    if (depth >= DB_FULLTEXT_MAX_DEPTH)
        return NULL;
    struct db_fulltext_node *q = arena_alloc0(arena, sizeof *q), **last = &q->children;
    bool has_positive = false;
    if (node->kind == SEARCH_WORDS) {
        g_autoptr(GString) words = g_string_new(NULL);
        const char *text = node->text ? node->text : "";
        db_words_append(words, text, strlen(text));
        q->kind = DB_FULLTEXT_WORDS;
        q->words = arena_strndup(arena, words->str, words->len);
        q->columns = node->parts;
        // "ab." asks for the whole word, as its author shows.
        q->is_prefix = node->is_prefix;
        return q;
    }
    if ((node->kind != SEARCH_AND && node->kind != SEARCH_OR) || !node->children)
        return NULL;
    q->kind = node->kind == SEARCH_AND ? DB_FULLTEXT_AND : DB_FULLTEXT_OR;
    for (const struct search_node *c = node->children; c; c = c->next) {
        bool is_not = c->kind == SEARCH_NOT && node->kind == SEARCH_AND;
        const struct search_node *inner = is_not ? c->children : c;
        struct db_fulltext_node *child = inner ? words_query(arena, inner, depth + 1) : NULL;
        if (!child)
            return NULL;
        has_positive |= !is_not;
        if (is_not) {
            struct db_fulltext_node *no = arena_alloc0(arena, sizeof *no);
            *no = (struct db_fulltext_node){.kind = DB_FULLTEXT_NOT, .children = child};
            child = no;
        }
        *last = child;
        last = &child->next;
    }
    return has_positive ? q : NULL;
}

static struct search_words *add_words(struct search_plan *plan,
                                      const struct db_fulltext_node *query) {
    struct search_words *w = arena_alloc0(plan->arena, sizeof *w);
    *w = (struct search_words){.next = plan->words, .query = query};
    plan->words = w;
    return w;
}

// The words among the parts of an AND become one.
static const struct search_node *join_words(struct arena *arena, const struct search_node *node) {
    struct search_node *join = arena_alloc0(arena, sizeof *join), *rest = NULL;
    struct search_node **last_word = &join->children, **last = &rest;
    unsigned n_words = 0, n_rest = 0;
    join->kind = SEARCH_AND;
    for (const struct search_node *c = node->children; c; c = c->next) {
        struct search_node *copy = arena_memdup(arena, c, sizeof *c);
        copy->next = NULL;
        bool is_words = words_query(arena, c, 1) != NULL;
        if (is_words) {
            *last_word = copy;
            last_word = &copy->next;
            n_words++;
        } else {
            *last = copy;
            last = &copy->next;
            n_rest++;
        }
    }
    if (n_words < 2 || n_rest == 0)
        return node;
    struct search_node *out = arena_alloc0(arena, sizeof *out);
    *out = *node;
    join->next = rest;
    out->children = join;
    return out;
}

// --- The tree ---

static void make_needle(struct search_plan *plan, struct plan *p) {
    const struct search_node *node = p->node;
    if (node->kind == SEARCH_HEADER) {
        p->needle = search_needle_new_squeezed(plan->arena, node->text ? node->text : "");
        p->field = envelope_field_for(node->name, p->needle);
    } else if (node->kind == SEARCH_BODY || node->kind == SEARCH_TEXT) {
        p->needle = search_needle_new(plan->arena, node->text ? node->text : "");
    }
    if (!p->needle)
        return;
    grams_needle_set(&p->grams, p->needle->folded, p->needle->len);
    // An envelope is as quickly read as a signature.
    plan->has_grams |= p->grams.n > 0 && p->field == ENVELOPE_NONE;
}

static enum ec make(struct search_plan *plan, const struct search_node *node, unsigned depth,
                    struct plan **out) {
    if (depth > SEARCH_MAX_DEPTH)
        return EC_TOO_COMPLEX;
    struct plan *p = arena_alloc0(plan->arena, sizeof *p);
    p->field = ENVELOPE_NONE;
    const struct db_fulltext_node *query = words_query(plan->arena, node, 0);
    *out = p;
    p->node = node;
    if (query) {
        p->words = add_words(plan, query);
        p->cost = COST_BODY;
        return EC_OK;
    }
    if (node->kind == SEARCH_AND)
        p->node = node = join_words(plan->arena, node);
    make_needle(plan, p);
    p->cost = own_cost(p);
    unsigned n = 0;
    for (const struct search_node *c = node->children; c; c = c->next)
        n++;
    p->children = arena_alloc0(plan->arena, (n + 1) * sizeof *p->children);
    for (const struct search_node *c = node->children; c; c = c->next) {
        struct plan *child;
        EC_TRY(make(plan, c, depth + 1, &child));
        p->children[p->n_children++] = child;
        p->cost = MAX(p->cost, child->cost);
    }
    qsort(p->children, p->n_children, sizeof *p->children, by_cost);
    return EC_OK;
}

enum ec search_plan_make(struct arena *arena, const struct search_node *query,
                         struct search_plan *out) {
    *out = (struct search_plan){.arena = arena};
    return make(out, query, 0, &out->root);
}

void search_plan_clear(struct search_plan *plan) {
    for (struct search_words *w = plan->words; w; w = w->next)
        g_clear_pointer(&w->found, g_hash_table_unref);
    g_clear_pointer(&plan->unindexed, g_hash_table_unref);
}
