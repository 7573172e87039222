// The argument parser. No recursion, no allocation by a number that was not checked against the
// bytes at hand.
#include "protocol/imap/imap_parse.h"

#include <string.h>

#include "protocol/imap/limits.h"

enum {
    IS_ATOM = 1,    // ATOM-CHAR
    IS_ASTRING = 2, // ASTRING-CHAR: ']' too
    IS_LIST = 4,    // list-char: wildcards too
    IS_TAG = 8,
};

static unsigned char_class(unsigned char c) {
    if (c <= 0x20 || c >= 0x7f)
        return 0;
    switch (c) {
    case '(':
    case ')':
    case '{':
    case '"':
    case '\\':
        return 0;
    case '%':
    case '*':
        return IS_LIST;
    case ']':
        return IS_ASTRING | IS_LIST | IS_TAG;
    case '+':
        return IS_ATOM | IS_ASTRING | IS_LIST;
    default:
        return IS_ATOM | IS_ASTRING | IS_LIST | IS_TAG;
    }
}

bool imap_fail(struct imap_parser *p, const char *error) {
    if (!p->failed)
        p->error = error;
    p->failed = true;
    p->pos = p->len;
    return false;
}

int imap_peek(const struct imap_parser *p) {
    return p->pos < p->len ? (unsigned char)p->data[p->pos] : -1;
}

bool imap_accept(struct imap_parser *p, char c) {
    if (imap_peek(p) != (unsigned char)c)
        return false;
    p->pos++;
    return true;
}

bool imap_expect(struct imap_parser *p, char c) {
    if (imap_accept(p, c))
        return true;
    return imap_fail(p, c == '(' ? "Expected a parenthesis" : "Unexpected character in arguments");
}

bool imap_space(struct imap_parser *p) {
    if (!imap_accept(p, ' '))
        return imap_fail(p, "Missing arguments");
    while (imap_accept(p, ' '))
        ;
    return true;
}

bool imap_at_end(const struct imap_parser *p) {
    return p->pos == p->len;
}

bool imap_end(struct imap_parser *p) {
    if (!p->failed)
        while (imap_accept(p, ' '))
            ;
    if (!p->failed && p->pos != p->len)
        return imap_fail(p, "Too many arguments");
    return !p->failed;
}

static size_t run_length(const struct imap_parser *p, unsigned class) {
    size_t end = p->pos;
    while (end < p->len && (char_class((unsigned char)p->data[end]) & class))
        end++;
    return end - p->pos;
}

bool imap_accept_word(struct imap_parser *p, const char *word) {
    size_t len = run_length(p, IS_ATOM);
    if (len != strlen(word) || g_ascii_strncasecmp(p->data + p->pos, word, len) != 0)
        return false;
    p->pos += len;
    return true;
}

static const char *run(struct imap_parser *p, unsigned class, size_t max, const char *error) {
    size_t len = run_length(p, class);
    if (len == 0 || len > max) {
        imap_fail(p, error);
        return NULL;
    }
    const char *s = arena_strndup(p->arena, p->data + p->pos, len);
    p->pos += len;
    return s;
}

const char *imap_tag(struct imap_parser *p) {
    return run(p, IS_TAG, IMAP_TAG_MAX, "Invalid tag");
}

const char *imap_atom(struct imap_parser *p) {
    return run(p, IS_ATOM, SIZE_MAX, "Expected an atom");
}

const char *imap_fetch_word(struct imap_parser *p) {
    size_t end = p->pos;
    while (end < p->len && (g_ascii_isalnum(p->data[end]) || p->data[end] == '.'))
        end++;
    if (end == p->pos) {
        imap_fail(p, "Expected a data item");
        return NULL;
    }
    const char *s = arena_strndup(p->arena, p->data + p->pos, end - p->pos);
    p->pos = end;
    return s;
}

static const char *quoted(struct imap_parser *p, size_t *len_out) {
    size_t start = ++p->pos, end = start, n_escapes = 0;
    for (;; end++) {
        if (end >= p->len || p->data[end] == '\r' || p->data[end] == '\n' || p->data[end] == 0) {
            imap_fail(p, "Unterminated quoted string");
            return NULL;
        }
        if (p->data[end] == '"')
            break;
        if (p->data[end] == '\\') {
            if (end + 1 >= p->len || (p->data[end + 1] != '"' && p->data[end + 1] != '\\')) {
                imap_fail(p, "Invalid escape in quoted string");
                return NULL;
            }
            end++, n_escapes++;
        }
    }
    char *s = arena_alloc(p->arena, end - start - n_escapes + 1);
    size_t n = 0;
    for (size_t i = start; i < end; i++) {
        if (p->data[i] == '\\')
            i++;
        s[n++] = p->data[i];
    }
    s[n] = 0;
    p->pos = end + 1;
    if (len_out)
        *len_out = n;
    return s;
}

// Skips a literal's header; its size goes to *size_out.
static bool literal_header(struct imap_parser *p, uint64_t *size_out) {
    size_t i = p->pos + 1;
    uint64_t n = 0;
    if (i >= p->len || !g_ascii_isdigit(p->data[i]))
        return imap_fail(p, "Invalid literal");
    for (; i < p->len && g_ascii_isdigit(p->data[i]); i++) {
        if (n > (UINT64_MAX - 9) / 10)
            return imap_fail(p, "Literal too large");
        n = n * 10 + (uint64_t)(p->data[i] - '0');
    }
    if (i < p->len && p->data[i] == '+')
        i++;
    if (i >= p->len || p->data[i++] != '}')
        return imap_fail(p, "Invalid literal");
    if (i < p->len && p->data[i] == '\r')
        i++;
    if (i >= p->len || p->data[i++] != '\n')
        return imap_fail(p, "Invalid literal");
    p->pos = i;
    *size_out = n;
    return true;
}

static GBytes *spooled_at(const struct imap_parser *p, size_t pos) {
    for (unsigned i = 0; i < p->n_spooled; i++)
        if (p->spooled[i].pos == pos)
            return p->spooled[i].bytes;
    return NULL;
}

static const char *literal(struct imap_parser *p, size_t *len_out) {
    uint64_t size;
    if (!literal_header(p, &size))
        return NULL;
    if (spooled_at(p, p->pos) || size > p->len - p->pos) {
        imap_fail(p, "Literal too large");
        return NULL;
    }
    if (memchr(p->data + p->pos, 0, (size_t)size)) {
        imap_fail(p, "NUL in a literal");
        return NULL;
    }
    const char *s = arena_strndup(p->arena, p->data + p->pos, (size_t)size);
    p->pos += (size_t)size;
    if (len_out)
        *len_out = (size_t)size;
    return s;
}

GBytes *imap_literal_bytes(struct imap_parser *p) {
    uint64_t size;
    imap_accept(p, '~'); // literal8 ([RFC 3516])
    if (imap_peek(p) != '{') {
        imap_fail(p, "Expected a literal");
        return NULL;
    }
    if (!literal_header(p, &size))
        return NULL;
    GBytes *spooled = spooled_at(p, p->pos);
    if (spooled)
        return g_bytes_ref(spooled);
    if (size > p->len - p->pos) {
        imap_fail(p, "Invalid literal");
        return NULL;
    }
    GBytes *bytes = g_bytes_new(p->data + p->pos, (size_t)size);
    p->pos += (size_t)size;
    return bytes;
}

const char *imap_string(struct imap_parser *p, size_t *len_out) {
    switch (imap_peek(p)) {
    case '"':
        return quoted(p, len_out);
    case '{':
        return literal(p, len_out);
    default:
        imap_fail(p, "Expected a string");
        return NULL;
    }
}

static const char *string_or_run(struct imap_parser *p, unsigned class, size_t *len_out) {
    int c = imap_peek(p);
    if (c == '"' || c == '{')
        return imap_string(p, len_out);
    const char *s = run(p, class, SIZE_MAX, "Expected a string");
    if (s && len_out)
        *len_out = strlen(s);
    return s;
}

const char *imap_astring(struct imap_parser *p, size_t *len_out) {
    return string_or_run(p, IS_ASTRING, len_out);
}

const char *imap_nstring(struct imap_parser *p) {
    if (imap_accept_word(p, "NIL"))
        return "";
    return imap_string(p, NULL);
}

const char *imap_list_pattern(struct imap_parser *p) {
    return string_or_run(p, IS_LIST, NULL);
}

bool imap_number64(struct imap_parser *p, uint64_t *out) {
    uint64_t n = 0;
    if (!g_ascii_isdigit((char)MAX(imap_peek(p), 0)))
        return imap_fail(p, "Expected a number");
    while (p->pos < p->len && g_ascii_isdigit(p->data[p->pos])) {
        if (n > ((uint64_t)INT64_MAX - 9) / 10)
            return imap_fail(p, "Number too large");
        n = n * 10 + (uint64_t)(p->data[p->pos++] - '0');
    }
    *out = n;
    return true;
}

bool imap_number(struct imap_parser *p, uint32_t *out) {
    uint64_t n;
    if (!imap_number64(p, &n))
        return false;
    if (n > UINT32_MAX)
        return imap_fail(p, "Number too large");
    *out = (uint32_t)n;
    return true;
}

static bool set_number(struct imap_parser *p, uint32_t *out) {
    if (imap_accept(p, '*')) {
        *out = UINT32_MAX;
        return true;
    }
    if (!imap_number(p, out))
        return imap_fail(p, "Invalid message set");
    return *out != 0 || imap_fail(p, "Invalid message set");
}

bool imap_parse_set(struct imap_parser *p, struct imap_set *out) {
    if (imap_accept(p, '$')) {
        unsigned n_saved = p->saved ? p->saved->len : 0;
        *out = (struct imap_set){.n = n_saved, .is_uids = true};
        out->ranges =
            arena_memdup(p->arena, n_saved ? p->saved->data : "", n_saved * sizeof *out->ranges);
        return true;
    }
    // A range takes two bytes at least ("1,"), which bounds what is allocated.
    size_t end = p->pos;
    unsigned n_commas = 0;
    while (end < p->len && p->data[end] != ' ' && p->data[end] != ')')
        n_commas += p->data[end++] == ',';
    struct search_range *ranges = arena_alloc(p->arena, (n_commas + 1) * sizeof *ranges);
    unsigned n = 0;
    do {
        struct search_range *r = &ranges[n];
        if (n++ > n_commas || !set_number(p, &r->low))
            return imap_fail(p, "Invalid message set");
        r->high = r->low;
        if (imap_accept(p, ':') && !set_number(p, &r->high))
            return false;
    } while (imap_accept(p, ','));
    *out = (struct imap_set){.ranges = ranges, .n = n};
    return true;
}

bool imap_ends_with_literal(const char *line, size_t len, uint64_t *size_out, bool *is_sync_out) {
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len < 3 || line[len - 1] != '}')
        return false;
    size_t end = len - 1;
    *is_sync_out = line[end - 1] != '+';
    if (!*is_sync_out)
        end--;
    size_t start = end;
    while (start > 0 && g_ascii_isdigit(line[start - 1]))
        start--;
    if (start == end || start == 0 || line[start - 1] != '{')
        return false;
    uint64_t n = 0;
    for (size_t i = start; i < end; i++) {
        if (n > (UINT64_MAX - 9) / 10) {
            n = UINT64_MAX;
            break;
        }
        n = n * 10 + (uint64_t)(line[i] - '0');
    }
    *size_out = n;
    return true;
}
