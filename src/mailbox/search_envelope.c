// The envelope is an IMAP list of our own making: "(" date subject from sender reply-to to cc bcc
// in-reply-to message-id ")". It is walked up to the field in question. Addresses are put together
// again as text, "Name <local@domain>, ...", so that what is found in the header's text is found
// here, with the quoting and the comments of the original left out.
#include "mailbox/search_envelope.h"

#include <string.h>

#define ENVELOPE_MAX (256 * 1024) // longer ones may lack what the header has
#define NUMBER_MAX 9              // digits of a literal's length

struct cursor {
    const char *p, *end;
};

// Text as it stands in the envelope: may be inside quotes (with backslashes) or a literal.
struct value {
    const char *data; // NULL: NIL
    size_t len;
    bool has_escapes;
};

static bool accept(struct cursor *c, char wanted) {
    if (c->p >= c->end || *c->p != wanted)
        return false;
    c->p++;
    return true;
}

static bool accept_nil(struct cursor *c) {
    if (c->end - c->p < 3 || memcmp(c->p, "NIL", 3) != 0)
        return false;
    c->p += 3;
    return true;
}

static bool read_literal(struct cursor *c, struct value *out) {
    size_t n = 0, digits = 0;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && digits++ < NUMBER_MAX)
        n = n * 10 + (size_t)(*c->p++ - '0');
    if (!accept(c, '}') || !accept(c, '\r') || !accept(c, '\n') || (size_t)(c->end - c->p) < n)
        return false;
    *out = (struct value){.data = c->p, .len = n};
    c->p += n;
    return true;
}

static bool read_value(struct cursor *c, struct value *out) {
    *out = (struct value){0};
    if (accept(c, '{'))
        return read_literal(c, out);
    if (!accept(c, '"'))
        return accept_nil(c);
    const char *start = c->p;
    while (c->p < c->end && *c->p != '"') {
        out->has_escapes |= *c->p == '\\';
        c->p += *c->p == '\\' && c->end - c->p > 1 ? 2 : 1;
    }
    if (c->p >= c->end)
        return false;
    out->data = start;
    out->len = (size_t)(c->p++ - start);
    return true;
}

struct address {
    struct value name, route, mailbox, domain;
};

static bool read_address(struct cursor *c, struct address *out) {
    return accept(c, '(') && read_value(c, &out->name) && accept(c, ' ') &&
           read_value(c, &out->route) && accept(c, ' ') && read_value(c, &out->mailbox) &&
           accept(c, ' ') && read_value(c, &out->domain) && accept(c, ')');
}

static bool is_addresses(enum envelope_field field) {
    return field >= ENVELOPE_FROM && field <= ENVELOPE_BCC;
}

static bool skip_field(struct cursor *c, enum envelope_field field) {
    struct value v;
    struct address a;
    if (!is_addresses(field))
        return read_value(c, &v);
    if (accept_nil(c))
        return true;
    if (!accept(c, '('))
        return false;
    while (!accept(c, ')'))
        if (!read_address(c, &a))
            return false;
    return true;
}

static bool find_field(struct cursor *c, enum envelope_field field) {
    if (c->end - c->p > ENVELOPE_MAX || !accept(c, '('))
        return false;
    for (enum envelope_field f = 0; f < field; f++)
        if (!skip_field(c, f) || !accept(c, ' '))
            return false;
    return true;
}

// --- Text ---

struct text {
    char *data;
    size_t len;
};

static void put(struct text *t, char c) {
    t->data[t->len++] = c;
}

static void put_value(struct text *t, const struct value *v) {
    for (size_t i = 0; i < v->len; i++) {
        if (v->has_escapes && v->data[i] == '\\' && i + 1 < v->len)
            i++;
        put(t, v->data[i]);
    }
}

// An address with a domain of NIL begins a group (its name is the mailbox) or ends it.
static void put_address(struct text *t, const struct address *a) {
    if (!a->domain.data) {
        put_value(t, &a->mailbox);
        put(t, a->mailbox.data ? ':' : ';');
        return;
    }
    if (a->name.data) {
        put_value(t, &a->name);
        put(t, ' ');
    }
    put(t, '<');
    if (a->route.data) {
        put_value(t, &a->route);
        put(t, ':');
    }
    put_value(t, &a->mailbox);
    if (a->domain.len > 0) {
        put(t, '@');
        put_value(t, &a->domain);
    }
    put(t, '>');
}

static bool text_of(struct cursor *c, enum envelope_field field, struct text *t, bool *is_nil) {
    struct value v;
    struct address a;
    *is_nil = false;
    if (!is_addresses(field)) {
        if (!read_value(c, &v))
            return false;
        *is_nil = v.data == NULL;
        put_value(t, &v);
        return true;
    }
    if (accept_nil(c)) {
        *is_nil = true;
        return true;
    }
    if (!accept(c, '('))
        return false;
    while (!accept(c, ')')) {
        if (!read_address(c, &a))
            return false;
        put_address(t, &a);
        put(t, ',');
        put(t, ' ');
    }
    return true;
}

// --- The questions ---

enum envelope_field envelope_field_for(const char *name, const struct search_needle *needle) {
    // Sender and Reply-To are filled from From where they are missing, so they tell nothing.
    static const struct {
        const char *name;
        enum envelope_field field;
    } fields[] = {
        {"Date", ENVELOPE_DATE},
        {"Subject", ENVELOPE_SUBJECT},
        {"From", ENVELOPE_FROM},
        {"To", ENVELOPE_TO},
        {"Cc", ENVELOPE_CC},
        {"Bcc", ENVELOPE_BCC},
        {"In-Reply-To", ENVELOPE_IN_REPLY_TO},
        {"Message-ID", ENVELOPE_MESSAGE_ID},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if (g_ascii_strcasecmp(name, fields[i].name) == 0) {
            // An empty address field is NIL like a missing one.
            bool is_part = needle->len > 0 && !strpbrk(needle->folded, "\"\\<>(),;:");
            return is_addresses(fields[i].field) && !is_part ? ENVELOPE_NONE : fields[i].field;
        }
    return ENVELOPE_NONE;
}

bool envelope_contains(struct arena *scratch, const char *envelope, size_t len,
                       enum envelope_field field, const struct search_needle *needle,
                       bool *found_out) {
    struct cursor c = {envelope, envelope + len};
    if (!find_field(&c, field))
        return false;
    // The envelope has more punctuation than the text, so this is enough.
    struct text t = {.data = arena_alloc(scratch, (size_t)(c.end - c.p) + 1)};
    bool is_nil;
    if (!text_of(&c, field, &t, &is_nil))
        return false;
    *found_out = !is_nil && search_needle_in_header(needle, scratch, t.data, t.len);
    return true;
}

bool envelope_date(struct arena *arena, const char *envelope, size_t len, const char **date_out) {
    struct cursor c = {envelope, envelope + len};
    struct value v;
    *date_out = NULL;
    if (!find_field(&c, ENVELOPE_DATE) || !read_value(&c, &v))
        return false;
    if (!v.data)
        return true;
    struct text t = {.data = arena_alloc(arena, v.len + 1)};
    put_value(&t, &v);
    t.data[t.len] = 0;
    *date_out = t.data;
    return true;
}

// --- The parts for sorting ---

static const char *plain_text(struct arena *arena, const struct value *v) {
    if (!v->data)
        return NULL;
    struct text t = {.data = arena_alloc(arena, v->len + 1)};
    put_value(&t, v);
    t.data[t.len] = 0;
    return t.data;
}

static bool read_text(struct cursor *c, struct arena *arena, const char **out) {
    struct value v;
    if (!read_value(c, &v))
        return false;
    *out = plain_text(arena, &v);
    return true;
}

// The first address; the others are passed over.
static bool read_person(struct cursor *c, struct arena *arena, struct envelope_person *out) {
    struct address a;
    bool is_first = true;
    if (accept_nil(c))
        return true;
    if (!accept(c, '('))
        return false;
    while (!accept(c, ')')) {
        if (!read_address(c, &a))
            return false;
        if (is_first)
            *out =
                (struct envelope_person){plain_text(arena, &a.name), plain_text(arena, &a.mailbox),
                                         plain_text(arena, &a.domain)};
        is_first = false;
    }
    return true;
}

bool envelope_read(struct arena *arena, const char *envelope, size_t len,
                   struct envelope_parts *out) {
    struct cursor c = {envelope, envelope + len};
    *out = (struct envelope_parts){0};
    return find_field(&c, ENVELOPE_DATE) && read_text(&c, arena, &out->date) && accept(&c, ' ') &&
           read_text(&c, arena, &out->subject) && accept(&c, ' ') &&
           read_person(&c, arena, &out->from) && accept(&c, ' ') &&
           skip_field(&c, ENVELOPE_SENDER) && accept(&c, ' ') &&
           skip_field(&c, ENVELOPE_REPLY_TO) && accept(&c, ' ') &&
           read_person(&c, arena, &out->to) && accept(&c, ' ') &&
           read_person(&c, arena, &out->cc) && accept(&c, ' ') && skip_field(&c, ENVELOPE_BCC) &&
           accept(&c, ' ') && read_text(&c, arena, &out->in_reply_to) && accept(&c, ' ') &&
           read_text(&c, arena, &out->message_id);
}
