// A table of keys: what follows the word, and what node it makes.
#include "protocol/imap/search_parse.h"

#include <string.h>

#include "base/clock.h"
#include "mailbox/identity.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_set.h"

enum argument { ARG_NONE, ARG_FLAG, ARG_STRING, ARG_FIELD, ARG_DATE, ARG_NUMBER, ARG_SPECIAL };

struct search_key {
    const char *name;
    enum argument argument;
    enum search_kind kind;
    uint64_t mask, value; // of SEARCH_FLAGS
    const char *field;    // of SEARCH_HEADER
};

#define FLAG_KEY(name, flag, on)                                                                   \
    { name, ARG_FLAG, SEARCH_FLAGS, flag, (on) ? (flag) : 0, NULL }
#define FIELD_KEY(name, field)                                                                     \
    { name, ARG_FIELD, SEARCH_HEADER, 0, 0, field }

static const struct search_key keys[] = {
    {"ALL", ARG_NONE, SEARCH_ALL, 0, 0, NULL},
    FLAG_KEY("ANSWERED", MSG_ANSWERED, true),
    FLAG_KEY("DELETED", MSG_DELETED, true),
    FLAG_KEY("DRAFT", MSG_DRAFT, true),
    FLAG_KEY("FLAGGED", MSG_FLAGGED, true),
    FLAG_KEY("SEEN", MSG_READ, true),
    FLAG_KEY("UNANSWERED", MSG_ANSWERED, false),
    FLAG_KEY("UNDELETED", MSG_DELETED, false),
    FLAG_KEY("UNDRAFT", MSG_DRAFT, false),
    FLAG_KEY("UNFLAGGED", MSG_FLAGGED, false),
    FLAG_KEY("UNSEEN", MSG_READ, false),
    // \Recent is never set here: RECENT and NEW match nothing, OLD everything.
    {"RECENT", ARG_NONE, SEARCH_OR, 0, 0, NULL},
    {"NEW", ARG_NONE, SEARCH_OR, 0, 0, NULL},
    {"OLD", ARG_NONE, SEARCH_ALL, 0, 0, NULL},
    FIELD_KEY("BCC", "Bcc"),
    FIELD_KEY("CC", "Cc"),
    FIELD_KEY("FROM", "From"),
    FIELD_KEY("SUBJECT", "Subject"),
    FIELD_KEY("TO", "To"),
    {"BODY", ARG_STRING, SEARCH_BODY, 0, 0, NULL},
    {"TEXT", ARG_STRING, SEARCH_TEXT, 0, 0, NULL},
    {"BEFORE", ARG_DATE, SEARCH_RECEIVED_BEFORE, 0, 0, NULL},
    {"SINCE", ARG_DATE, SEARCH_RECEIVED_SINCE, 0, 0, NULL},
    {"SENTBEFORE", ARG_DATE, SEARCH_SENT_BEFORE, 0, 0, NULL},
    {"SENTSINCE", ARG_DATE, SEARCH_SENT_SINCE, 0, 0, NULL},
    {"LARGER", ARG_NUMBER, SEARCH_SIZE_LARGER, 0, 0, NULL},
    {"SMALLER", ARG_NUMBER, SEARCH_SIZE_SMALLER, 0, 0, NULL},
};

struct parse {
    struct imap_cmd *c;
    struct imap_parser *p;
    struct search_program *program;
    bool is_fuzzy;    // the key at hand is looked for by words ([RFC 6203])
    unsigned n_saved; // keys by save date: each asks the mailbox
};

static struct search_node *node_new(struct parse *s, enum search_kind kind) {
    struct search_node *n = arena_alloc0(s->c->arena, sizeof *n);
    n->kind = kind;
    return n;
}

static struct search_node *pair(struct parse *s, enum search_kind kind, struct search_node *a,
                                struct search_node *b) {
    struct search_node *n = node_new(s, kind);
    n->children = a;
    a->next = b;
    return n;
}

static struct search_node *negate(struct parse *s, struct search_node *child) {
    struct search_node *n = node_new(s, SEARCH_NOT);
    n->children = child;
    return n;
}

static const char *text_argument(struct parse *s) {
    size_t len;
    if (!imap_space(s->p))
        return NULL;
    const char *text = imap_astring(s->p, &len);
    if (text && !g_utf8_validate_len(text, len, NULL))
        imap_fail(s->p, "Text is not in the charset");
    return text;
}

// A number that a date key compares with: days for SENT..., FILETIME for the internal date.
static uint64_t date_value(enum search_kind kind, int64_t day) {
    if (kind == SEARCH_SENT_BEFORE || kind == SEARCH_SENT_SINCE)
        return (uint64_t)day;
    return filetime_from_unix(day * 86400);
}

static struct search_node *date_node(struct parse *s, enum search_kind kind, int64_t day) {
    struct search_node *n = node_new(s, kind);
    n->number = date_value(kind, day);
    return n;
}

// FUZZY BODY, TEXT and the fields that the full-text index has: their words, the last one
// unfinished.
static void make_fuzzy(struct search_node *n) {
    static const struct {
        const char *field;
        uint32_t parts;
    } fields[] = {
        {"Subject", 1u << TEXT_SUBJECT}, {"From", 1u << TEXT_SENDER},
        {"To", 1u << TEXT_RECIPIENTS},   {"Cc", 1u << TEXT_RECIPIENTS},
        {"Bcc", 1u << TEXT_RECIPIENTS},
    };
    uint32_t parts = 1u << TEXT_BODY | 1u << TEXT_ATTACHMENTS;
    bool has_parts = n->kind != SEARCH_HEADER;
    for (unsigned i = 0; i < G_N_ELEMENTS(fields) && !has_parts; i++)
        if (g_ascii_strcasecmp(n->name, fields[i].field) == 0) {
            parts = fields[i].parts;
            has_parts = true;
        }
    if (!has_parts)
        return; // other fields have no words in the index: looked for as always
    n->parts = n->kind == SEARCH_TEXT ? 0 : parts;
    n->kind = SEARCH_WORDS;
    n->is_prefix = true;
}

static struct search_node *simple_key(struct parse *s, const struct search_key *key) {
    struct search_node *n = node_new(s, key->kind);
    int64_t day;
    switch (key->argument) {
    case ARG_FLAG:
        n->number = key->mask;
        n->number2 = key->value;
        break;
    case ARG_FIELD:
        n->name = key->field;
        n->text = text_argument(s);
        if (s->is_fuzzy)
            make_fuzzy(n);
        break;
    case ARG_STRING:
        n->text = text_argument(s);
        if (s->is_fuzzy)
            make_fuzzy(n);
        break;
    case ARG_DATE:
        if (imap_space(s->p) && imap_parse_date(s->p, &day))
            n->number = date_value(key->kind, day);
        break;
    case ARG_NUMBER:
        if (imap_space(s->p))
            imap_number64(s->p, &n->number);
        break;
    default:
        break;
    }
    return n;
}

// ON and SENTON: from the day on, and before the next.
static struct search_node *on_day(struct parse *s, enum search_kind since,
                                  enum search_kind before) {
    int64_t day = 0;
    if (imap_space(s->p))
        imap_parse_date(s->p, &day);
    return pair(s, SEARCH_AND, date_node(s, since, day), date_node(s, before, day + 1));
}

static struct search_node *keyword(struct parse *s) {
    struct search_node *n = node_new(s, SEARCH_KEYWORD);
    if (imap_space(s->p))
        n->text = imap_atom(s->p);
    return n;
}

static struct search_node *header(struct parse *s) {
    struct search_node *n = node_new(s, SEARCH_HEADER);
    if (imap_space(s->p))
        n->name = imap_astring(s->p, NULL);
    n->text = text_argument(s);
    return n;
}

// OLDER, YOUNGER: an interval in seconds before now.
static struct search_node *within(struct parse *s, enum search_kind kind) {
    struct search_node *n = node_new(s, kind);
    uint32_t seconds = 0;
    if (imap_space(s->p) && imap_number(s->p, &seconds) && seconds == 0)
        imap_fail(s->p, "Expected an interval");
    filetime_t now = clock_now(), ago = seconds * FILETIME_SECOND;
    n->number = now > ago ? now - ago : 0;
    return n;
}

// [RFC 8514] 4.3: by when a message was put here. Of those that nothing is known about the internal
// date counts.
static struct search_node *saved_since(struct parse *s, int64_t day) {
    filetime_t since = filetime_from_unix(day * 86400);
    uint64_t first = UINT64_MAX, known = UINT64_MAX;
    mailbox_saved_since(s->c->s->selected, since, &first, &known);
    struct search_node *is_since = node_new(s, SEARCH_MID_SINCE);
    struct search_node *is_known = node_new(s, SEARCH_MID_SINCE);
    is_since->number = MAX(first, known);
    is_known->number = known;
    struct search_node *received = date_node(s, SEARCH_RECEIVED_SINCE, day);
    return pair(s, SEARCH_OR, is_since, pair(s, SEARCH_AND, negate(s, is_known), received));
}

static struct search_node *saved(struct parse *s, bool since, bool before) {
    int64_t day = 0;
    if (!imap_space(s->p) || !imap_parse_date(s->p, &day))
        return node_new(s, SEARCH_ALL);
    if (s->n_saved++ >= IMAP_MAX_SAVED_KEYS) {
        imap_fail(s->p, "Too many search keys about save dates");
        return node_new(s, SEARCH_ALL);
    }
    if (since && !before)
        return saved_since(s, day);
    struct search_node *end = negate(s, saved_since(s, since ? day + 1 : day));
    return since ? pair(s, SEARCH_AND, saved_since(s, day), end) : end;
}

static struct search_node *object_id(struct parse *s, enum search_kind kind) {
    struct search_node *n = node_new(s, kind);
    if (imap_space(s->p))
        n->text = imap_astring(s->p, NULL);
    return n;
}

// MODSEQ ["/flags/\Seen" all] n: we keep one modseq for everything of a message.
static struct search_node *modseq(struct parse *s) {
    struct search_node *n = node_new(s, SEARCH_MODSEQ);
    imap_space(s->p);
    if (imap_peek(s->p) == '"') {
        imap_string(s->p, NULL);
        imap_space(s->p);
        if (!imap_accept_word(s->p, "all") && !imap_accept_word(s->p, "priv") &&
            !imap_accept_word(s->p, "shared"))
            imap_fail(s->p, "Invalid MODSEQ entry type");
        imap_space(s->p);
    }
    imap_number64(s->p, &n->number);
    s->program->has_modseq = true;
    return n;
}

// A set becomes ranges of uids, whichever numbers it was given in.
static struct search_node *set_key(struct parse *s, bool by_uid) {
    struct search_node *n = node_new(s, SEARCH_UIDS);
    struct imap_set set;
    struct imap_rows rows;
    const struct mailbox_view *view = s->c->s->view;
    if (!imap_parse_set(s->p, &set))
        return n;
    if (!imap_resolve_set(s->c->arena, view, &set, by_uid, &rows)) {
        s->program->is_out_of_range = true;
        return n;
    }
    struct search_range *ranges = arena_alloc(s->c->arena, (rows.n + 1) * sizeof *ranges);
    for (unsigned i = 0; i < rows.n; i++)
        ranges[i] = (struct search_range){mailbox_view_row(view, rows.runs[i].first)->uid,
                                          mailbox_view_row(view, rows.runs[i].last)->uid};
    n->ranges = ranges;
    n->n_ranges = rows.n;
    return n;
}

static struct search_node *parse_key(struct parse *s, unsigned depth);

// Keys up to `)` or the end.
static struct search_node *parse_keys(struct parse *s, unsigned depth) {
    struct search_node *n = node_new(s, SEARCH_AND);
    struct search_node **last = &n->children;
    do {
        *last = parse_key(s, depth);
        if (!imap_ok(s->p))
            return n;
        last = &(*last)->next;
        while (imap_peek(s->p) == ' ' && s->p->pos + 1 < s->p->len &&
               s->p->data[s->p->pos + 1] == ' ')
            s->p->pos++;
    } while (imap_accept(s->p, ' ') && !imap_at_end(s->p));
    return n;
}

static struct search_node *parse_or(struct parse *s, unsigned depth) {
    imap_space(s->p);
    struct search_node *a = parse_key(s, depth);
    imap_space(s->p);
    struct search_node *b = parse_key(s, depth);
    return pair(s, SEARCH_OR, a, b);
}

static struct search_node *parse_word(struct parse *s, unsigned depth) {
    struct imap_parser *p = s->p;
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        if (imap_accept_word(p, keys[i].name))
            return simple_key(s, &keys[i]);
    if (imap_accept_word(p, "NOT"))
        return imap_space(p) ? negate(s, parse_key(s, depth)) : node_new(s, SEARCH_ALL);
    if (imap_accept_word(p, "OR"))
        return parse_or(s, depth);
    if (imap_accept_word(p, "FUZZY")) {
        bool outer = s->is_fuzzy;
        s->is_fuzzy = true;
        struct search_node *n = imap_space(p) ? parse_key(s, depth) : node_new(s, SEARCH_ALL);
        s->is_fuzzy = outer;
        return n;
    }
    if (imap_accept_word(p, "UID")) {
        imap_space(p);
        return set_key(s, true);
    }
    if (imap_accept_word(p, "ON"))
        return on_day(s, SEARCH_RECEIVED_SINCE, SEARCH_RECEIVED_BEFORE);
    if (imap_accept_word(p, "SENTON"))
        return on_day(s, SEARCH_SENT_SINCE, SEARCH_SENT_BEFORE);
    if (imap_accept_word(p, "KEYWORD"))
        return keyword(s);
    if (imap_accept_word(p, "UNKEYWORD"))
        return negate(s, keyword(s));
    if (imap_accept_word(p, "HEADER"))
        return header(s);
    if (imap_accept_word(p, "OLDER"))
        return within(s, SEARCH_RECEIVED_BEFORE);
    if (imap_accept_word(p, "YOUNGER"))
        return within(s, SEARCH_RECEIVED_SINCE);
    if (imap_accept_word(p, "MODSEQ"))
        return modseq(s);
    if (imap_accept_word(p, "SAVEDBEFORE"))
        return saved(s, false, true);
    if (imap_accept_word(p, "SAVEDON"))
        return saved(s, true, true);
    if (imap_accept_word(p, "SAVEDSINCE"))
        return saved(s, true, false);
    if (imap_accept_word(p, "SAVEDATESUPPORTED"))
        return node_new(s, SEARCH_ALL);
    if (imap_accept_word(p, "EMAILID"))
        return object_id(s, SEARCH_EMAIL_ID);
    if (imap_accept_word(p, "THREADID"))
        return object_id(s, SEARCH_THREAD_ID);
    imap_fail(p, "Unknown search key");
    return node_new(s, SEARCH_ALL);
}

// Always gives a node; the parser says whether it counts.
static struct search_node *parse_key(struct parse *s, unsigned depth) {
    struct imap_parser *p = s->p;
    if (depth >= IMAP_MAX_NESTING) {
        imap_fail(p, "Search nested too deeply");
        return node_new(s, SEARCH_ALL);
    }
    if (imap_accept(p, '(')) {
        struct search_node *n = parse_keys(s, depth + 1);
        imap_expect(p, ')');
        return n;
    }
    int c = imap_peek(p);
    if (c == '*' || c == '$' || (c >= '0' && c <= '9')) {
        if (s->c->s->is_uid_only && c != '$')
            imap_fail(p, "[UIDREQUIRED] Message numbers are off");
        return set_key(s, false);
    }
    return parse_word(s, depth + 1);
}

bool search_parse(struct imap_cmd *c, struct search_program *out) {
    *out = (struct search_program){0};
    struct parse s = {.c = c, .p = &c->args, .program = out};
    out->root = parse_keys(&s, 0);
    return imap_end(&c->args);
}
