// Which messages a restriction lets through: decided on columns where they are there. A condition
// on a dictionary column is decided once for each different value. What no column tells (bodies,
// recipients, attachments) is asked of the opened message.
#include "mapi/props.h"
#include "store/message_match.h"
#include "store/view_internal.h"

#define NOT_YET 0
#define IS_TRUE 1
#define IS_FALSE 2
#define PARALLEL_MIN 20000 // dictionary entries from which on two threads decide

struct node {
    const struct restriction *res;
    uint32_t n;
    struct node **sub;           // of a list, a NOT, a comment, a count
    const struct column *first;  // the leaf's columns; NULL: the message has to be asked
    const struct column *second; // of a comparison of two properties
    uint8_t *memo;               // by dictionary entry: NOT_YET, IS_TRUE, IS_FALSE
};

struct matcher {
    struct columns *cols;
    struct mbox_tx *tx;
    uint64_t seq;
    struct arena *arena, *scratch;
    struct node *root;
    bool is_bulk;
    enum ec ec;
    // The message that was opened last.
    struct message *message;
    uint32_t message_slot;
};

// --- Building ---

static const struct column *usable(const struct matcher *m, proptag_t tag) {
    const struct column *c = columns_get(m->cols, tag);
    return c && c->since <= m->seq ? c : NULL;
}

// Decides for every entry beforehand, so that half of them can be another thread's.
struct decision {
    const struct column *c;
    const struct restriction *res;
    uint8_t *memo;
    uint32_t from, to;
};

static const struct prop_value *get_value(void *ctx, proptag_t tag) {
    return ctx; // the one value the leaf is about; NULL: absent
}

static uint8_t decide(const struct column *c, const struct restriction *res, uint32_t entry,
                      struct arena *arena) {
    struct prop_value v;
    bool has = column_entry_value(c, entry, arena, &v);
    struct restriction_source source = {.get = get_value, .ctx = has ? &v : NULL};
    return restriction_matches(res, &source) ? IS_TRUE : IS_FALSE;
}

static void *decide_range(void *data) {
    struct decision *d = data;
    ARENA_AUTO arena = arena_new();
    for (uint32_t e = d->from; e < d->to; e++) {
        if (e == ENTRY_EXTERNAL)
            continue;
        if (e % 1024 == 0)
            arena_reset(arena);
        d->memo[e] = decide(d->c, d->res, e, arena);
    }
    return NULL;
}

static void decide_all(const struct column *c, const struct restriction *res, uint8_t *memo) {
    uint32_t middle = c->n_entries / 2;
    struct decision low = {c, res, memo, 0, middle}, high = {c, res, memo, middle, c->n_entries};
    pthread_t thread;
    if (c->n_entries < PARALLEL_MIN || pthread_create(&thread, NULL, decide_range, &high) != 0) {
        low.to = c->n_entries;
        decide_range(&low);
        return;
    }
    decide_range(&low);
    pthread_join(thread, NULL);
}

static void prepare_leaf(struct matcher *m, struct node *node) {
    const struct restriction *res = node->res;
    proptag_t tag;
    switch (res->kind) {
    case RES_CONTENT:
        tag = res->content.tag;
        break;
    case RES_PROPERTY:
        tag = res->property.tag;
        break;
    case RES_BITMASK:
        tag = res->bitmask.tag;
        break;
    case RES_SIZE:
        tag = res->size.tag;
        break;
    case RES_EXIST:
        tag = res->exist.tag;
        break;
    case RES_COMPARE:
        node->first = usable(m, res->compare.tag1);
        node->second = usable(m, res->compare.tag2);
        if (!node->first || !node->second)
            node->first = node->second = NULL;
        return;
    default:
        return; // sub-objects
    }
    node->first = usable(m, tag);
    if (!m->is_bulk || !node->first || node->first->form == FORM_NUMBER)
        return;
    node->memo = g_malloc0(node->first->n_entries);
    decide_all(node->first, res, node->memo);
}

static struct node *build(struct matcher *m, const struct restriction *res) {
    struct node *node = arena_alloc0(m->arena, sizeof *node);
    struct restriction *const *sub = NULL;
    node->res = res;
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        node->n = res->list.n;
        sub = res->list.sub;
        break;
    case RES_NOT:
        node->n = 1;
        sub = &res->sub;
        break;
    case RES_COMMENT:
    case RES_ANNOTATION:
        node->n = res->comment.sub != NULL;
        sub = &res->comment.sub;
        break;
    case RES_COUNT:
        node->n = 1;
        sub = &res->count.sub;
        break;
    default:
        prepare_leaf(m, node);
        return node;
    }
    node->sub = arena_alloc0(m->arena, (node->n + 1) * sizeof *node->sub);
    for (uint32_t i = 0; i < node->n; i++) // a restriction has at most RESTRICTION_MAX_DEPTH
        node->sub[i] = build(m, sub[i]);
    return node;
}

struct matcher *matcher_new(struct columns *cols, uint64_t seq, struct mbox_tx *tx,
                            const struct restriction *res, bool is_bulk) {
    struct matcher *m = g_new0(struct matcher, 1);
    m->cols = cols;
    m->seq = seq;
    m->tx = tx;
    m->is_bulk = is_bulk;
    m->arena = arena_new();
    m->scratch = arena_new();
    m->message_slot = SLOT_NONE;
    if (res)
        m->root = build(m, res);
    return m;
}

static void free_memos(struct node *node) {
    g_free(node->memo);
    for (uint32_t i = 0; i < node->n; i++)
        free_memos(node->sub[i]);
}

void matcher_free(struct matcher *m) {
    if (m->root)
        free_memos(m->root);
    message_free(m->message);
    arena_free(m->arena);
    arena_free(m->scratch);
    g_free(m);
}

enum ec matcher_result(const struct matcher *m) {
    return m->ec;
}

// --- Asking ---

// One that is damaged or gone matches nothing; other errors are kept.
static bool ask_message(struct matcher *m, const struct restriction *res, uint32_t slot) {
    bool matches = false;
    enum ec ec = EC_OK;
    if (m->message_slot != slot) {
        message_free(m->message);
        m->message = NULL;
        m->message_slot = slot;
        ec = message_open(m->tx, slot_mid(m->cols, slot), &m->message);
    }
    if (ec == EC_OK && m->message)
        ec = message_matches(m->tx, m->message, res, &matches);
    if (ec != EC_OK && ec != EC_NOT_FOUND && ec != EC_CORRUPT_DATA && m->ec == EC_OK)
        m->ec = ec;
    return ec == EC_OK && matches;
}

struct pair {
    const struct node *node;
    struct prop_value first, second;
    bool has_first, has_second;
};

static const struct prop_value *get_of_pair(void *ctx, proptag_t tag) {
    const struct pair *p = ctx;
    if (tag == p->node->first->tag)
        return p->has_first ? &p->first : NULL;
    return p->has_second ? &p->second : NULL;
}

static bool match_leaf(struct matcher *m, const struct node *node, uint32_t slot) {
    const struct column *c = node->first;
    if (!c)
        return ask_message(m, node->res, slot);
    bool is_dictionary = c->form != FORM_NUMBER;
    uint32_t entry = is_dictionary ? column_entry(c, slot) : ENTRY_ABSENT;
    if (entry == ENTRY_EXTERNAL || (node->second && node->second->form != FORM_NUMBER &&
                                    column_entry(node->second, slot) == ENTRY_EXTERNAL))
        return ask_message(m, node->res, slot);
    if (node->memo)
        return node->memo[entry] == IS_TRUE;
    arena_reset(m->scratch);
    struct pair p = {.node = node};
    p.has_first = column_value(m->cols, c, slot, m->scratch, &p.first);
    if (!node->second) {
        struct restriction_source one = {.get = get_value, .ctx = p.has_first ? &p.first : NULL};
        return restriction_matches(node->res, &one);
    }
    p.has_second = column_value(m->cols, node->second, slot, m->scratch, &p.second);
    struct restriction_source both = {.get = get_of_pair, .ctx = &p};
    return restriction_matches(node->res, &both);
}

static bool match(struct matcher *m, const struct node *node, uint32_t slot) {
    bool is_and = node->res->kind == RES_AND;
    switch (node->res->kind) {
    case RES_AND:
    case RES_OR:
        for (uint32_t i = 0; i < node->n; i++)
            if (match(m, node->sub[i], slot) != is_and)
                return !is_and;
        return is_and;
    case RES_NOT:
        return !match(m, node->sub[0], slot);
    case RES_COMMENT:
    case RES_ANNOTATION:
    case RES_COUNT:
        return node->n == 0 || match(m, node->sub[0], slot);
    default:
        return match_leaf(m, node, slot);
    }
}

bool matcher_matches(struct matcher *m, uint32_t slot) {
    return !m->root || match(m, m->root, slot);
}
