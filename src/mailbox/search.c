// Searching a folder: rows first, then headers, then bodies, as little of each as decides.
//
// The query becomes a plan whose AND and OR lists are ordered by cost. Each row is asked first what
// it knows without its message (yes, no, perhaps); only "perhaps" reads the message, and only its
// header while that is enough.
#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mailbox/search_envelope.h"

#define HEADER_GUESS 8192      // bytes read to have the whole header in most cases
#define READER_MESSAGES 2000   // read under one snapshot before a new one is taken
#define CANCEL_CHECK_EVERY 256 // messages

enum cost { COST_ROW, COST_ENVELOPE, COST_HEADER, COST_BODY };

struct plan {
    const struct search_node *node;
    enum cost cost;
    struct plan **children;
    unsigned n_children;
    struct search_needle *needle;
    enum envelope_field field; // that decides it
};

enum answer { NO, YES, PERHAPS };

// The message being looked at, read as far as was needed.
struct subject {
    struct mailbox_reader *reader;
    struct arena *arena;
    const struct message_row *row;
    const char *envelope; // NULL: not read yet
    size_t envelope_len;
    GBytes *bytes;
    bool is_whole;
    struct mime_message *header; // what is enough to walk the header
    struct mime_message *scanned;
    enum ec ec; // of reading
};

// --- The plan ---

static int by_cost(const void *a, const void *b) {
    const struct plan *const *x = a, *const *y = b;
    return (int)(*x)->cost - (int)(*y)->cost;
}

static enum cost own_cost(const struct plan *p) {
    switch (p->node->kind) {
    case SEARCH_HEADER:
        return p->field == ENVELOPE_NONE ? COST_HEADER : COST_ENVELOPE;
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_SINCE:
        return COST_ENVELOPE;
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return COST_BODY;
    default:
        return COST_ROW;
    }
}

static enum ec make_plan(struct arena *arena, const struct search_node *node, unsigned depth,
                         struct plan **out) {
    if (depth > SEARCH_MAX_DEPTH)
        return EC_TOO_COMPLEX;
    struct plan *p = arena_alloc0(arena, sizeof *p);
    p->node = node;
    if (node->kind == SEARCH_HEADER) {
        p->needle = search_needle_new_squeezed(arena, node->text);
        p->field = envelope_field_for(node->name, p->needle);
    } else if (node->text && node->kind != SEARCH_KEYWORD) {
        p->needle = search_needle_new(arena, node->text);
    }
    p->cost = own_cost(p);
    unsigned n = 0;
    for (const struct search_node *c = node->children; c; c = c->next)
        n++;
    p->children = arena_alloc0(arena, (n + 1) * sizeof *p->children);
    for (const struct search_node *c = node->children; c; c = c->next) {
        struct plan *child;
        EC_TRY(make_plan(arena, c, depth + 1, &child));
        p->children[p->n_children++] = child;
        p->cost = MAX(p->cost, child->cost);
    }
    qsort(p->children, p->n_children, sizeof *p->children, by_cost);
    *out = p;
    return EC_OK;
}

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
    default:
        return true;
    }
}

static bool size_matches(const struct search_node *node, uint64_t size) {
    return node->kind == SEARCH_SIZE_LARGER ? size > node->number : size < node->number;
}

// --- What the message knows ---

static void load(struct subject *s, bool whole) {
    if (s->ec != EC_OK || s->is_whole || (s->bytes && !whole))
        return;
    g_clear_pointer(&s->bytes, g_bytes_unref);
    s->header = NULL;
    s->ec = whole ? mailbox_read_mime(s->reader, s->row->mid, &s->bytes)
                  : mailbox_read_mime_range(s->reader, s->row->mid, 0, HEADER_GUESS, &s->bytes);
    s->is_whole = s->ec == EC_OK && (whole || g_bytes_get_size(s->bytes) < HEADER_GUESS);
}

static bool has_header_end(const char *data, size_t len) {
    return g_strstr_len(data, (gssize)len, "\n\r\n") || g_strstr_len(data, (gssize)len, "\n\n");
}

static struct mime_message *scan_bytes(struct subject *s) {
    gsize len;
    const void *data = g_bytes_get_data(s->bytes, &len);
    return mime_scan(s->arena, data, len);
}

// The message with at least its whole header; NULL when it cannot be read.
static struct mime_message *header_of(struct subject *s) {
    if (s->scanned)
        return s->scanned;
    if (s->header)
        return s->header;
    load(s, false);
    if (s->ec == EC_OK && !s->is_whole) {
        gsize len;
        const char *data = g_bytes_get_data(s->bytes, &len);
        if (!has_header_end(data, len))
            load(s, true);
    }
    return s->ec == EC_OK ? s->header = scan_bytes(s) : NULL;
}

static struct mime_message *whole_of(struct subject *s) {
    load(s, true);
    if (s->ec == EC_OK && !s->scanned)
        s->scanned = scan_bytes(s);
    return s->scanned;
}

static bool load_envelope(struct subject *s) {
    if (!s->envelope && s->ec == EC_OK) {
        s->ec = mailbox_read_envelope(s->reader, s->row->mid, &s->envelope, NULL);
        if (s->ec == EC_OK) {
            // The reader's memory is used again when the message itself is read.
            s->envelope_len = strlen(s->envelope);
            s->envelope = arena_strndup(s->arena, s->envelope, s->envelope_len);
        }
    }
    return s->ec == EC_OK;
}

static bool header_matches(const struct plan *p, struct subject *s) {
    bool found;
    if (p->field != ENVELOPE_NONE) {
        if (!load_envelope(s))
            return false;
        if (envelope_contains(s->arena, s->envelope, s->envelope_len, p->field, p->needle, &found))
            return found;
    }
    struct mime_message *m = header_of(s);
    return m && search_needle_in_fields(p->needle, s->arena, m, p->node->name);
}

// The Date field, unfolded; NULL: none, or it could not be read.
static const char *date_of(struct subject *s) {
    const char *date;
    if (!load_envelope(s))
        return NULL;
    if (envelope_date(s->arena, s->envelope, s->envelope_len, &date))
        return date;
    struct mime_message *m = header_of(s);
    return m ? mime_header_raw(s->arena, m, m->root, "Date") : NULL;
}

static bool sent_matches(const struct plan *p, struct subject *s) {
    const char *raw = date_of(s);
    int64_t seconds;
    int zone;
    if (!raw || !mime_parse_date(raw, &seconds, &zone))
        return false;
    int64_t local = seconds + zone * 60;
    int64_t day = local / 86400 - (local % 86400 < 0);
    return p->node->kind == SEARCH_SENT_BEFORE ? day < (int64_t)p->node->number
                                               : day >= (int64_t)p->node->number;
}

static bool text_matches(const struct plan *p, struct subject *s) {
    struct mime_message *m = whole_of(s);
    if (!m)
        return false;
    if (p->node->kind == SEARCH_TEXT && search_needle_in_headers(p->needle, s->arena, m, m->root))
        return true;
    return search_needle_in_bodies(p->needle, s->arena, m);
}

// --- Deciding ---

static enum answer decide_leaf(const struct plan *p, const struct message_row *row,
                               struct subject *s) {
    switch (p->node->kind) {
    case SEARCH_SIZE_LARGER:
    case SEARCH_SIZE_SMALLER: {
        uint64_t size = row->size;
        if (!(row->flags & MSG_HAS_MIME)) {
            if (!s)
                return PERHAPS;
            s->ec = mailbox_read_size(s->reader, row->mid, &size);
        }
        return size_matches(p->node, size) ? YES : NO;
    }
    case SEARCH_HEADER:
        return !s ? PERHAPS : header_matches(p, s) ? YES : NO;
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_SINCE:
        return !s ? PERHAPS : sent_matches(p, s) ? YES : NO;
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return !s ? PERHAPS : text_matches(p, s) ? YES : NO;
    default:
        return row_matches(p->node, row) ? YES : NO;
    }
}

// `s` NULL: from the row alone. Recursion is bounded by SEARCH_MAX_DEPTH.
static enum answer decide(const struct plan *p, const struct message_row *row, struct subject *s) {
    enum answer all = p->node->kind == SEARCH_OR ? NO : YES;
    switch (p->node->kind) {
    case SEARCH_AND:
    case SEARCH_OR: {
        enum answer decisive = p->node->kind == SEARCH_AND ? NO : YES;
        for (unsigned i = 0; i < p->n_children; i++) {
            enum answer a = decide(p->children[i], row, s);
            if (a == decisive)
                return a;
            if (a == PERHAPS)
                all = PERHAPS;
        }
        return all;
    }
    case SEARCH_NOT: {
        enum answer a = p->n_children ? decide(p->children[0], row, s) : NO;
        return a == PERHAPS ? PERHAPS : a == YES ? NO : YES;
    }
    default:
        return decide_leaf(p, row, s);
    }
}

static enum ec decide_message(const struct plan *p, struct mailbox_reader *reader,
                              struct arena *arena, const struct message_row *row, bool *out) {
    arena_reset(arena);
    struct subject s = {.reader = reader, .arena = arena, .row = row};
    EC_TRY(mailbox_reader_at(reader, row));
    *out = decide(p, row, &s) == YES;
    g_clear_pointer(&s.bytes, g_bytes_unref);
    if (s.ec == EC_NOT_FOUND) { // expunged since the view was made: matches nothing
        *out = false;
        return EC_OK;
    }
    return s.ec;
}

struct search {
    struct mailbox *m;
    const struct mailbox_view *view;
    const struct plan *plan;
    struct mailbox_reader *reader;
    struct arena *arena; // of one message
    unsigned n_read;
};

static enum ec read_and_decide(struct search *s, const struct message_row *row, bool *out) {
    // A snapshot that is held for long keeps the log of changes from being cleaned up.
    if (s->n_read++ % READER_MESSAGES == 0) {
        mailbox_reader_close(s->reader);
        s->reader = NULL;
        EC_TRY(mailbox_reader_open(s->m, mailbox_view_fid(s->view), &s->reader));
    }
    return decide_message(s->plan, s->reader, s->arena, row, out);
}

enum ec mailbox_search(struct mailbox *m, const struct mailbox_view *view,
                       const struct search_node *query, bool (*is_cancelled)(void *ctx), void *ctx,
                       GArray **out) {
    ARENA_AUTO arena = arena_new();
    struct search s = {.m = m, .view = view};
    struct plan *plan;
    EC_TRY(rights_check(m, mailbox_view_fid(view), RIGHTS_READ_ANY));
    EC_TRY(make_plan(arena, query, 0, &plan));
    s.plan = plan;
    s.arena = arena_new();
    GArray *found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    enum ec ec = EC_OK;
    uint32_t n = mailbox_view_count(view);
    for (uint32_t i = 0; i < n && ec == EC_OK; i++) {
        const struct message_row *row = mailbox_view_row(view, i);
        enum answer a = decide(plan, row, NULL);
        bool matches = a == YES;
        if (a == PERHAPS) {
            if (is_cancelled && s.n_read % CANCEL_CHECK_EVERY == 0 && is_cancelled(ctx))
                ec = EC_CANCEL;
            else
                ec = read_and_decide(&s, row, &matches);
        }
        if (matches && ec == EC_OK)
            g_array_append_val(found, i);
    }
    mailbox_reader_close(s.reader);
    arena_free(s.arena);
    if (ec != EC_OK) {
        g_array_unref(found);
        return ec;
    }
    *out = found;
    return EC_OK;
}
