// Searching a folder: rows first, then signatures, then headers, then bodies, as little of each as
// decides.
//
// The query becomes a plan (search_plan.c) whose AND and OR lists are ordered by cost. Each row is
// asked first what it and the full-text index know without its message (yes, no, perhaps);
// "perhaps" asks the message's signatures, and only what is undecided then reads the message, its
// header while that is enough. Words that every match must have lead straight to the rows worth
// asking.
#include <string.h>

#include "mailbox/search_internal.h"

// --- What a row knows ---

static bool has_keyword(const char *keywords, const char *wanted) {
    size_t len = strlen(wanted);
    for (const char *s = keywords; s && *s;) {
        size_t n = strcspn(s, " ");
        if (n == len && g_ascii_strncasecmp(s, wanted, len) == 0)
            return true;
        s += n + (s[n] == ' ');
    }
    return false;
}

static bool in_ranges(const struct search_node *node, uint32_t uid) {
    unsigned low = 0, high = node->n_ranges;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (node->ranges[mid].high < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low < node->n_ranges && node->ranges[low].low <= uid;
}

static bool row_matches(const struct search_node *node, const struct message_row *row) {
    switch (node->kind) {
    case SEARCH_FLAGS:
        return (row->flags & node->number) == node->number2;
    case SEARCH_KEYWORD:
        return has_keyword(row->keywords, node->text);
    case SEARCH_UIDS:
        return in_ranges(node, row->uid);
    case SEARCH_RECEIVED_BEFORE:
        return row->received < node->number;
    case SEARCH_RECEIVED_SINCE:
        return row->received >= node->number;
    case SEARCH_MODSEQ:
        return row->modseq >= node->number;
    case SEARCH_MID_SINCE:
        return row->mid >= node->number;
    default:
        return true;
    }
}

// Without the message.
static enum search_answer row_answer(const struct search_plan *plan, const struct plan *p,
                                     uint64_t fid, const struct message_row *row) {
    if (p->words)
        return search_words_answer(plan, p->words, fid, row->uid);
    const struct search_node *node = p->node;
    switch (node->kind) {
    case SEARCH_SIZE_LARGER:
    case SEARCH_SIZE_SMALLER:
        if (!(row->flags & MSG_HAS_MIME))
            return ANSWER_PERHAPS;
        return (node->kind == SEARCH_SIZE_LARGER ? row->size > node->number
                                                 : row->size < node->number)
                   ? ANSWER_YES
                   : ANSWER_NO;
    case SEARCH_HEADER:
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_SINCE:
    case SEARCH_BODY:
    case SEARCH_TEXT:
    case SEARCH_RESTRICTION:
    case SEARCH_EMAIL_ID:
    case SEARCH_THREAD_ID:
        return ANSWER_PERHAPS;
    default:
        return row_matches(node, row) ? ANSWER_YES : ANSWER_NO;
    }
}

// What the signatures rule out.
static enum search_answer peek(const struct plan *p, const struct subject *s) {
    bool in_head = p->node->kind == SEARCH_HEADER || p->node->kind == SEARCH_TEXT;
    bool in_body = p->node->kind == SEARCH_BODY || p->node->kind == SEARCH_TEXT;
    if (p->words || (!in_head && !in_body))
        return ANSWER_PERHAPS;
    if (in_head && grams_may_contain(s->grams.head, s->grams.head_len, &p->grams))
        return ANSWER_PERHAPS;
    if (in_body && grams_may_contain(s->grams.body, s->grams.body_len, &p->grams))
        return ANSWER_PERHAPS;
    return ANSWER_NO;
}

static enum search_answer decide_leaf(const struct search_plan *plan, const struct plan *p,
                                      uint64_t fid, const struct message_row *row,
                                      struct subject *s) {
    enum search_answer a = row_answer(plan, p, fid, row);
    if (!s || a != ANSWER_PERHAPS)
        return a;
    if (s->is_peek)
        return peek(p, s);
    return subject_matches(p, s) ? ANSWER_YES : ANSWER_NO;
}

// Recursion is bounded by SEARCH_MAX_DEPTH.
enum search_answer search_decide(const struct search_plan *plan, const struct plan *p, uint64_t fid,
                                 const struct message_row *row, struct subject *s) {
    enum search_kind kind = p->words ? SEARCH_WORDS : p->node->kind;
    enum search_answer all = kind == SEARCH_OR ? ANSWER_NO : ANSWER_YES;
    switch (kind) {
    case SEARCH_AND:
    case SEARCH_OR: {
        enum search_answer decisive = kind == SEARCH_AND ? ANSWER_NO : ANSWER_YES;
        for (unsigned i = 0; i < p->n_children; i++) {
            enum search_answer a = search_decide(plan, p->children[i], fid, row, s);
            if (a == decisive)
                return a;
            if (a == ANSWER_PERHAPS)
                all = ANSWER_PERHAPS;
        }
        return all;
    }
    case SEARCH_NOT: {
        enum search_answer a =
            p->n_children ? search_decide(plan, p->children[0], fid, row, s) : ANSWER_NO;
        return a == ANSWER_PERHAPS ? a : a == ANSWER_YES ? ANSWER_NO : ANSWER_YES;
    }
    default:
        return decide_leaf(plan, p, fid, row, s);
    }
}

enum ec search_decide_message(const struct search_plan *plan, struct mailbox_reader *reader,
                              struct fulltext_signatures *signatures, struct arena *arena,
                              uint64_t fid, const struct message_row *row, bool *out) {
    arena_reset(arena);
    struct subject s = {.reader = reader, .arena = arena, .row = row};
    s.has_grams = signatures && fulltext_signatures_at(signatures, row->uid, &s.grams);
    if (s.has_grams) {
        s.is_peek = true;
        enum search_answer a = search_decide(plan, plan->root, fid, row, &s);
        *out = a == ANSWER_YES;
        if (a != ANSWER_PERHAPS)
            return EC_OK;
        s.is_peek = false;
    }
    if (!plan->is_walk)
        EC_TRY(mailbox_reader_at(reader, row));
    *out = search_decide(plan, plan->root, fid, row, &s) == ANSWER_YES;
    subject_clear(&s);
    if (s.ec == EC_NOT_FOUND) { // expunged since the view was made: matches nothing
        *out = false;
        return EC_OK;
    }
    return s.ec;
}

// --- A folder ---

struct search {
    struct mailbox *m;
    const struct mailbox_view *view;
    struct search_plan *plan;
    struct mailbox_reader *reader;
    struct fulltext_signatures *signatures;
    struct arena *arena; // of one message
    unsigned n_read;
    bool (*is_cancelled)(void *ctx);
    void *ctx;
    GArray *found;
};

static enum ec close_reader(struct search *s) {
    enum ec ec = fulltext_signatures_free(g_steal_pointer(&s->signatures));
    mailbox_reader_close(g_steal_pointer(&s->reader));
    return ec;
}

static enum ec open_reader(struct search *s) {
    uint64_t fid = mailbox_view_fid(s->view);
    EC_TRY(close_reader(s));
    EC_TRY(mailbox_reader_open(s->m, fid, &s->reader));
    if (s->plan->has_grams)
        s->signatures = fulltext_signatures_new(reader_tx(s->reader), fid);
    return EC_OK;
}

static enum ec look_at(struct search *s, uint32_t index) {
    const struct message_row *row = mailbox_view_row(s->view, index);
    uint64_t fid = mailbox_view_fid(s->view);
    enum search_answer a = search_decide(s->plan, s->plan->root, fid, row, NULL);
    bool matches = a == ANSWER_YES;
    if (a == ANSWER_PERHAPS) {
        if (s->is_cancelled && s->n_read % SEARCH_CANCEL_CHECK_EVERY == 0 &&
            s->is_cancelled(s->ctx))
            return EC_CANCEL;
        // A snapshot that is held for long keeps the log of changes from being cleaned up.
        if (s->n_read++ % SEARCH_READER_MESSAGES == 0)
            EC_TRY(open_reader(s));
        EC_TRY(
            search_decide_message(s->plan, s->reader, s->signatures, s->arena, fid, row, &matches));
    }
    if (matches)
        g_array_append_val(s->found, index);
    return EC_OK;
}

static enum ec look_at_rows(struct search *s) {
    uint32_t n = mailbox_view_count(s->view);
    uint64_t fid = mailbox_view_fid(s->view);
    const struct search_words *driver = search_words_driver(s->plan, fid);
    if (!driver) {
        for (uint32_t i = 0; i < n; i++)
            EC_TRY(look_at(s, i));
        return EC_OK;
    }
    g_autoptr(GArray) uids = search_words_candidates(s->plan, driver, fid);
    for (guint i = 0; i < uids->len; i++) {
        uint32_t uid = g_array_index(uids, uint32_t, i);
        uint32_t index = mailbox_view_find_uid(s->view, uid);
        if (index < n && mailbox_view_row(s->view, index)->uid == uid)
            EC_TRY(look_at(s, index));
    }
    return EC_OK;
}

enum ec search_folder(struct mailbox *m, struct search_plan *plan, const struct mailbox_view *view,
                      bool (*is_cancelled)(void *ctx), void *ctx, GArray *found) {
    struct search s = {.m = m,
                       .view = view,
                       .plan = plan,
                       .is_cancelled = is_cancelled,
                       .ctx = ctx,
                       .found = found};
    s.arena = arena_new();
    enum ec ec = look_at_rows(&s), closed = close_reader(&s);
    arena_free(s.arena);
    return ec != EC_OK ? ec : closed;
}

static enum ec ask_index(struct mailbox *m, struct search_plan *plan, uint64_t fid) {
    EC_TRY(search_words_open(m, plan));
    if (!plan->words)
        return EC_OK;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    return search_words_fill(tx, plan, fid);
}

enum ec mailbox_search(struct mailbox *m, const struct mailbox_view *view,
                       const struct search_node *query, bool (*is_cancelled)(void *ctx), void *ctx,
                       GArray **out) {
    ARENA_AUTO arena = arena_new();
    struct search_plan plan;
    EC_TRY(rights_check(m, mailbox_view_fid(view), RIGHTS_READ_ANY));
    EC_TRY(search_plan_make(arena, query, &plan));
    GArray *found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    enum ec ec = ask_index(m, &plan, mailbox_view_fid(view));
    if (ec == EC_OK)
        ec = search_folder(m, &plan, view, is_cancelled, ctx, found);
    search_plan_clear(&plan);
    if (ec != EC_OK) {
        g_array_unref(found);
        return ec;
    }
    *out = found;
    return EC_OK;
}
