// Threads ([RFC 5256] 3). Everything is arrays of numbers and loops: a chain of answers may be as
// long as a folder, and what the References of strangers say must cost no more than their length.
//
// Where the RFC links and unlinks message by message, the links that messages have of their own are
// made first; only parents that are not there get theirs from other messages' References. Nothing
// is then ever unlinked, and whether a link would make a loop is a question of union-find.
#include <stdlib.h>

#include "mailbox/mailbox_internal.h"
#include "mailbox/sort.h"
#include "mailbox/sort_index.h"

#define NONE THREAD_NONE

// Nodes: first the messages, in the order given, then parents that are not there.
struct threading {
    const struct sort_index *index;
    const uint32_t *rows; // of the messages
    uint32_t n;           // messages
    GArray *parent;       // of uint32_t, by node
    GArray *top;          // union-find over the same nodes
    uint32_t *node_of_id; // by number of a message id
    GArray *date;         // of filetime_t, by node; of a missing parent that of its first child
};

static const struct sort_row *row_of(const struct threading *t, uint32_t message) {
    return &t->index->rows[t->rows[message]];
}

static uint32_t *at(GArray *a, uint32_t i) {
    return &g_array_index(a, uint32_t, i);
}

static uint32_t new_node(struct threading *t) {
    uint32_t none = NONE, node = t->parent->len;
    filetime_t date = UINT64_MAX;
    g_array_append_val(t->parent, none);
    g_array_append_val(t->top, node);
    g_array_append_val(t->date, date);
    return node;
}

static uint32_t top_of(struct threading *t, uint32_t node) {
    while (*at(t->top, node) != node) {
        *at(t->top, node) = *at(t->top, *at(t->top, node));
        node = *at(t->top, node);
    }
    return node;
}

static uint32_t node_of(struct threading *t, uint32_t id) {
    if (t->node_of_id[id] == NONE)
        t->node_of_id[id] = new_node(t);
    return t->node_of_id[id];
}

// `child` has no parent yet. Links that would make a loop are left out.
static void link_nodes(struct threading *t, uint32_t parent, uint32_t child) {
    if (top_of(t, parent) == child)
        return;
    *at(t->parent, child) = parent;
    *at(t->top, child) = parent;
}

static uint32_t reference_at(const struct threading *t, const struct sort_row *r, uint32_t i) {
    return g_array_index(t->index->pool, uint32_t, r->first_reference + i);
}

static void link_all(struct threading *t) {
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t id = row_of(t, i)->message_id;
        // A second message with the same id is nobody's parent.
        if (id && t->node_of_id[id] == NONE)
            t->node_of_id[id] = i;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sort_row *r = row_of(t, i);
        uint32_t id = r->n_references ? reference_at(t, r, r->n_references - 1) : r->in_reply_to;
        if (id)
            link_nodes(t, node_of(t, id), i);
    }
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sort_row *r = row_of(t, i);
        for (uint32_t k = 1; k < r->n_references; k++) {
            uint32_t parent = node_of(t, reference_at(t, r, k - 1));
            uint32_t child = node_of(t, reference_at(t, r, k));
            if (child >= t->n && *at(t->parent, child) == NONE)
                link_nodes(t, parent, child);
        }
    }
}

// --- Leaving out who is not there ---

// The message above a missing parent, or the topmost missing one.
static uint32_t stand_in(struct threading *t, uint32_t node) {
    uint32_t end = node;
    while (end >= t->n && *at(t->parent, end) != NONE)
        end = *at(t->parent, end);
    while (node != end) { // so that nobody walks there again
        uint32_t above = *at(t->parent, node);
        *at(t->parent, node) = end;
        node = above;
    }
    return end;
}

// Missing parents stay where they hold several threads together at the top.
static void leave_out_missing(struct threading *t) {
    uint32_t n_nodes = t->parent->len;
    g_autofree uint32_t *n_children = g_new0(uint32_t, n_nodes + 1);
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t parent = *at(t->parent, i);
        if (parent >= t->n && parent != NONE)
            *at(t->parent, i) = parent = stand_in(t, parent);
        if (parent != NONE)
            n_children[parent]++;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t parent = *at(t->parent, i);
        if (parent != NONE && parent >= t->n && n_children[parent] == 1)
            *at(t->parent, i) = NONE;
    }
    for (uint32_t i = t->n; i < n_nodes; i++)
        *at(t->parent, i) = NONE;
}

static void date_nodes(struct threading *t) {
    for (uint32_t i = t->n; i < t->date->len; i++)
        g_array_index(t->date, filetime_t, i) = UINT64_MAX;
    for (uint32_t i = 0; i < t->n; i++) {
        filetime_t date = row_of(t, i)->sent;
        g_array_index(t->date, filetime_t, i) = date;
        uint32_t parent = *at(t->parent, i);
        if (parent == NONE || parent < t->n)
            continue;
        filetime_t *of_parent = &g_array_index(t->date, filetime_t, parent);
        *of_parent = MIN(*of_parent, date);
    }
}

static int by_date(const void *a, const void *b, void *ctx) {
    const struct threading *t = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    filetime_t i = g_array_index(t->date, filetime_t, x);
    filetime_t k = g_array_index(t->date, filetime_t, y);
    if (i != k)
        return i < k ? -1 : 1;
    return x < y ? -1 : x > y;
}

// All nodes that stand for something, by date (g_free).
static uint32_t *nodes_by_date(struct threading *t, uint32_t *n_out) {
    uint32_t *nodes = g_new(uint32_t, t->parent->len + 1), n = 0;
    date_nodes(t);
    for (uint32_t i = 0; i < t->parent->len; i++)
        if (i < t->n || g_array_index(t->date, filetime_t, i) != UINT64_MAX)
            nodes[n++] = i;
    qsort_r(nodes, n, sizeof *nodes, by_date, t);
    *n_out = n;
    return nodes;
}

// --- Threads of the same subject become one ---

struct gathering {
    struct threading *t;
    uint32_t *speaker;    // by node: the message whose subject a thread has
    uint32_t *of_subject; // by number of the subject: the thread
    uint32_t *same_as;    // by missing parent: the one that gets its children; NONE
};

static bool is_missing(const struct gathering *g, uint32_t node) {
    return node >= g->t->n;
}

static const struct sort_row *speaker_of(const struct gathering *g, uint32_t node) {
    return row_of(g->t, g->speaker[node]);
}

// [RFC 5256] step 5.B: which thread of a subject the others are put to.
static void choose(struct gathering *g, uint32_t node) {
    uint32_t subject = speaker_of(g, node)->subject, before;
    if (subject == 0)
        return;
    before = g->of_subject[subject];
    bool is_better = before == NONE || (is_missing(g, node) && !is_missing(g, before)) ||
                     (!is_missing(g, node) && !is_missing(g, before) &&
                      speaker_of(g, before)->is_reply && !speaker_of(g, node)->is_reply);
    if (is_better)
        g->of_subject[subject] = node;
}

// Step 5.C.
static void merge(struct gathering *g, uint32_t node) {
    struct threading *t = g->t;
    uint32_t subject = speaker_of(g, node)->subject;
    uint32_t into = subject ? g->of_subject[subject] : NONE;
    if (into == NONE || into == node)
        return;
    if (is_missing(g, into)) {
        if (is_missing(g, node))
            g->same_as[node] = into;
        else
            *at(t->parent, node) = into;
    } else if (!is_missing(g, node) && speaker_of(g, node)->is_reply &&
               !speaker_of(g, into)->is_reply) {
        *at(t->parent, node) = into;
    } else if (!is_missing(g, node)) {
        uint32_t both = new_node(t);
        *at(t->parent, into) = *at(t->parent, node) = both;
        g->of_subject[subject] = both;
    }
}

static void gather_subjects(struct threading *t) {
    uint32_t n, n_nodes = t->parent->len, n_subjects = sort_texts_count(t->index->texts);
    g_autofree uint32_t *nodes = nodes_by_date(t, &n);
    struct gathering g = {.t = t};
    // Merging adds at most a node for each.
    g.speaker = g_new(uint32_t, 2 * n_nodes + 1);
    g.same_as = g_new(uint32_t, 2 * n_nodes + 1);
    g.of_subject = g_new(uint32_t, n_subjects + 1);
    for (uint32_t i = 0; i < 2 * n_nodes + 1; i++)
        g.speaker[i] = g.same_as[i] = NONE;
    for (uint32_t i = 0; i <= n_subjects; i++)
        g.of_subject[i] = NONE;
    for (uint32_t i = 0; i < n; i++) { // by date: the first child speaks for a missing parent
        uint32_t node = nodes[i], parent = *at(t->parent, node);
        if (node < t->n)
            g.speaker[node] = node;
        if (node < t->n && parent != NONE && parent >= t->n && g.speaker[parent] == NONE)
            g.speaker[parent] = node;
    }
    for (uint32_t i = 0; i < n; i++)
        if (*at(t->parent, nodes[i]) == NONE && g.speaker[nodes[i]] != NONE)
            choose(&g, nodes[i]);
    for (uint32_t i = 0; i < n; i++)
        if (*at(t->parent, nodes[i]) == NONE && g.speaker[nodes[i]] != NONE)
            merge(&g, nodes[i]);
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t parent = *at(t->parent, i);
        if (parent != NONE && g.same_as[parent] != NONE)
            *at(t->parent, i) = g.same_as[parent];
    }
    g_free(g.speaker);
    g_free(g.same_as);
    g_free(g.of_subject);
}

// --- The result ---

static void put_nodes(struct threading *t, struct arena *arena, struct mailbox_threads *out) {
    uint32_t n, n_nodes = t->parent->len;
    g_autofree uint32_t *nodes = nodes_by_date(t, &n);
    out->nodes = arena_alloc(arena, (n_nodes + 1) * sizeof *out->nodes);
    for (uint32_t i = 0; i < n_nodes; i++)
        out->nodes[i] = (struct mailbox_thread_node){i < t->n ? t->rows[i] : NONE, NONE, NONE};
    out->first = NONE;
    for (uint32_t i = n; i > 0; i--) { // each before those that are already there
        uint32_t node = nodes[i - 1], parent = *at(t->parent, node);
        uint32_t *head = parent == NONE ? &out->first : &out->nodes[parent].first_child;
        out->nodes[node].next = *head;
        *head = node;
    }
}

static void thread_references(struct threading *t) {
    uint32_t n_ids = sort_texts_count(t->index->ids);
    t->node_of_id = g_new(uint32_t, n_ids + 1);
    for (uint32_t i = 0; i <= n_ids; i++)
        t->node_of_id[i] = NONE;
    link_all(t);
    g_free(t->node_of_id);
    leave_out_missing(t);
    gather_subjects(t);
}

// The first message of a subject is the parent of all others.
static void thread_subjects(struct threading *t) {
    uint32_t n, n_subjects = sort_texts_count(t->index->texts);
    g_autofree uint32_t *nodes = nodes_by_date(t, &n);
    g_autofree uint32_t *first = g_new(uint32_t, n_subjects + 1);
    for (uint32_t i = 0; i <= n_subjects; i++)
        first[i] = NONE;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t subject = row_of(t, nodes[i])->subject;
        if (first[subject] == NONE)
            first[subject] = nodes[i];
        else
            *at(t->parent, nodes[i]) = first[subject];
    }
}

enum ec mailbox_thread(struct mailbox *m, const struct mailbox_view *view,
                       enum mailbox_thread_algorithm algorithm, const uint32_t *indexes,
                       uint32_t n_indexes, struct arena *arena, struct mailbox_threads *out) {
    struct sort_index *index;
    EC_TRY(rights_check(m, mailbox_view_fid(view), RIGHTS_READ_ANY));
    EC_TRY(sort_index_get(m, view, algorithm == THREAD_REFERENCES, &index));
    struct threading t = {.index = index, .rows = indexes, .n = n_indexes};
    t.parent = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), n_indexes);
    t.top = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), n_indexes);
    t.date = g_array_sized_new(FALSE, FALSE, sizeof(filetime_t), n_indexes);
    for (uint32_t i = 0; i < n_indexes; i++)
        new_node(&t);
    if (algorithm == THREAD_REFERENCES)
        thread_references(&t);
    else
        thread_subjects(&t);
    put_nodes(&t, arena, out);
    g_array_unref(t.parent);
    g_array_unref(t.top);
    g_array_unref(t.date);
    sort_index_unref(index);
    return EC_OK;
}
