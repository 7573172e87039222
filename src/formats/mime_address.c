// Address lists ([RFC 5322] 3.4, obsolete forms and [RFC 6532] included) as they really occur.
//
// The text is cut into words (atoms with their dots, quoted strings, encoded words, comments);
// what follows the words decides what they were: "<" a name, ":" a group's name, "@" a local part,
// "," an address without a domain. Nothing is refused.
#include <string.h>

#include "formats/mime_internal.h"

#define MAX_WORDS 64

struct parser {
    struct arena *arena;
    const char *p;
    const char *comment; // the last one seen in this address
    bool closed;         // a "?=" may still follow
    bool in_group;
    unsigned count;
    struct mime_address *first, **tail;
};

// The words in front of a special character. Words past MAX_WORDS are joined to the last.
struct words {
    const char *text[MAX_WORDS];
    bool is_glued[MAX_WORDS]; // no white space before it
    unsigned n;
};

static void skip(struct parser *ps) {
    ps->p = mime_skip_cfws(ps->arena, ps->p, &ps->comment);
}

static char *read_quoted(struct parser *ps) {
    const char *q = ps->p + 1;
    const char *end = q;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    char *out = arena_alloc(ps->arena, (size_t)(end - q) + 1), *w = out;
    for (; q < end; q++) {
        if (*q == '\\' && q + 1 < end)
            q++;
        *w++ = *q;
    }
    *w = 0;
    ps->p = *end ? end + 1 : end;
    return out;
}

// One word at ps->p; NULL when a special character stands there.
static char *read_word(struct parser *ps) {
    if (*ps->p == '"')
        return read_quoted(ps);
    const char *end = mime_encoded_word_end(ps->p, &ps->closed);
    if (!end) {
        end = ps->p;
        while (mime_is_atext((unsigned char)*end) || *end == '.' || *end == '\\' || *end == ']' ||
               *end == '[')
            end++;
        if (end == ps->p)
            return NULL;
    }
    char *word = arena_strndup(ps->arena, ps->p, (size_t)(end - ps->p));
    ps->p = end;
    return word;
}

static void read_words(struct parser *ps, struct words *w) {
    w->n = 0;
    for (;;) {
        const char *before = ps->p;
        skip(ps);
        bool is_glued = ps->p == before;
        char *word = read_word(ps);
        if (!word)
            return;
        if (w->n == MAX_WORDS) // a name of so many words is no name
            continue;
        w->text[w->n] = word;
        w->is_glued[w->n] = is_glued && w->n > 0;
        w->n++;
    }
}

static char *join_words(struct parser *ps, const struct words *w, unsigned from, unsigned to) {
    size_t len = 1;
    for (unsigned i = from; i < to; i++)
        len += strlen(w->text[i]) + 1;
    char *out = arena_alloc(ps->arena, len), *p = out;
    for (unsigned i = from; i < to; i++) {
        if (i > from && !w->is_glued[i])
            *p++ = ' ';
        p = stpcpy(p, w->text[i]);
    }
    *p = 0;
    return out;
}

static struct mime_address *add(struct parser *ps, const char *raw_name, const char *route,
                                const char *mailbox, const char *domain) {
    struct mime_address *a = arena_alloc0(ps->arena, sizeof *a);
    if (!raw_name || !*raw_name)
        raw_name = ps->comment;
    if (raw_name && *raw_name && domain) {
        a->raw_name = raw_name;
        a->name = mime_decode_words(ps->arena, raw_name, NULL);
    }
    a->route = route;
    a->mailbox = mailbox;
    a->domain = domain;
    *ps->tail = a;
    ps->tail = &a->next;
    ps->count++;
    ps->comment = NULL;
    return a;
}

// A domain after "@": atoms, dots, a literal in brackets; white space in it is dropped. `stop` are
// characters that end it.
static char *read_domain(struct parser *ps, const char *stop) {
    g_autoptr(GString) out = g_string_new(NULL);
    for (;;) {
        skip(ps);
        char c = *ps->p;
        if (!c || strchr(stop, c) || c == '@')
            break;
        if (c == '[') {
            size_t n = strcspn(ps->p, "]");
            n += ps->p[n] == ']';
            for (size_t i = 0; i < n; i++)
                if (!mime_is_space(ps->p[i]))
                    g_string_append_c(out, ps->p[i]);
            ps->p += n;
        } else if (mime_is_atext((unsigned char)c) || c == '.') {
            const char *end = ps->p;
            while (mime_is_atext((unsigned char)*end) || *end == '.')
                end++;
            g_string_append_len(out, ps->p, end - ps->p);
            ps->p = end;
            // A word after white space is not the domain's unless a dot joins them.
            const char *next = mime_skip_cfws(ps->arena, end, NULL);
            if (next > end && *next != '.' && out->str[out->len - 1] != '.')
                break;
        } else {
            break;
        }
    }
    return arena_strndup(ps->arena, out->str, out->len);
}

// "@a,@b:" in front of an address in angle brackets.
static char *read_route(struct parser *ps) {
    const char *end = ps->p + strcspn(ps->p, ":><");
    if (*end != ':')
        return NULL;
    size_t n = (size_t)(end - ps->p);
    char *route = arena_alloc(ps->arena, n + 1), *w = route;
    for (size_t i = 0; i < n; i++)
        if (!mime_is_space(ps->p[i]))
            *w++ = ps->p[i];
    *w = 0;
    ps->p = end + 1;
    return route;
}

// The inside of angle brackets, ps->p behind the "<".
static void read_angle(struct parser *ps, const char *name) {
    const char *route = NULL;
    skip(ps);
    if (*ps->p == '@')
        route = read_route(ps);
    g_autoptr(GString) local = g_string_new(NULL);
    const char *domain = "";
    bool has_at = false;
    while (*ps->p && *ps->p != '>') {
        skip(ps);
        if (*ps->p == '@') {
            if (has_at) { // the last "@" counts
                g_string_append_c(local, '@');
                g_string_append(local, domain);
            }
            ps->p++;
            has_at = true;
            domain = read_domain(ps, ">,;<");
            continue;
        }
        if (has_at)
            break;
        char *word = read_word(ps);
        if (word)
            g_string_append(local, word);
        else if (*ps->p == ',' || *ps->p == '<')
            break; // a bracket that was not closed
        else if (*ps->p && *ps->p != '>')
            g_string_append_c(local, *ps->p++);
    }
    // What is left inside belongs to nothing, unless the bracket was not closed.
    size_t n = strcspn(ps->p, ">,<");
    if (ps->p[n] == '>')
        ps->p += n + 1;
    else if (*ps->p == '<')
        ps->p++;
    skip(ps); // a comment behind may be the name
    add(ps, name, route, arena_strndup(ps->arena, local->str, local->len), domain);
}

// "local@domain" whose words were read, ps->p at the "@". Words before the last are a name.
static void read_bare(struct parser *ps, struct words *w) {
    unsigned first = w->n ? w->n - 1 : 0;
    // "a . b@c" is one local part ([RFC 5322] 4.4); "John D. b@c" begins with a name.
    for (; first > 0; first--) {
        if (w->text[first][0] == '.' || strcmp(w->text[first - 1], ".") == 0)
            w->is_glued[first] = true;
        if (!w->is_glued[first])
            break;
    }
    const char *local = join_words(ps, w, first, w->n);
    const char *name = first > 0 ? join_words(ps, w, 0, first) : NULL;
    ps->p++;
    const char *domain = read_domain(ps, ",;:<>");
    if (*ps->p == '@') { // "a@b@c"
        g_autoptr(GString) joined = g_string_new(local);
        while (*ps->p == '@') {
            ps->p++;
            g_string_append_c(joined, '@');
            g_string_append(joined, domain);
            domain = read_domain(ps, ",;:<>");
        }
        local = arena_strndup(ps->arena, joined->str, joined->len);
    }
    skip(ps);
    if (*ps->p == '<') { // "a@b <a@b>": the first is meant as the name
        name =
            arena_printf(ps->arena, "%s%s%s@%s", name ? name : "", name ? " " : "", local, domain);
        ps->p++;
        read_angle(ps, name);
        return;
    }
    add(ps, name, NULL, local, domain);
}

static void end_group(struct parser *ps) {
    if (ps->in_group) {
        add(ps, NULL, NULL, NULL, NULL);
        ps->in_group = false;
    }
}

static void read_address(struct parser *ps) {
    struct words w;
    ps->comment = NULL;
    read_words(ps, &w);
    char c = *ps->p;
    if (c == '<') {
        ps->p++;
        read_angle(ps, join_words(ps, &w, 0, w.n));
    } else if (c == '@') {
        read_bare(ps, &w);
    } else if (c == ':' && !ps->in_group) {
        ps->p++;
        add(ps, NULL, NULL, join_words(ps, &w, 0, w.n), NULL);
        ps->in_group = true;
    } else {
        if (w.n > 0)
            add(ps, NULL, NULL, join_words(ps, &w, 0, w.n), "");
        if (c == ';')
            end_group(ps);
        if (c)
            ps->p++;
    }
}

struct mime_address *mime_parse_addresses(struct arena *arena, const char *raw) {
    struct parser ps = {.arena = arena, .p = raw, .closed = true};
    ps.tail = &ps.first;
    while (*ps.p && ps.count < MIME_MAX_ADDRESSES)
        read_address(&ps);
    end_group(&ps);
    return ps.first;
}

static bool needs_quotes(const char *local) {
    bool dot = true; // at the start, a dot is not allowed
    for (const char *p = local; *p; p++) {
        if (*p == '.') {
            if (dot)
                return true;
            dot = true;
        } else {
            if (!mime_is_atext((unsigned char)*p))
                return true;
            dot = false;
        }
    }
    return dot;
}

char *mime_address_format(struct arena *arena, const struct mime_address *a) {
    const char *local = a->mailbox ? a->mailbox : "", *domain = a->domain ? a->domain : "";
    if (needs_quotes(local) && *domain) {
        char *quoted = arena_alloc(arena, 2 * strlen(local) + 3), *w = quoted;
        *w++ = '"';
        for (const char *p = local; *p; p++) {
            if (*p == '"' || *p == '\\')
                *w++ = '\\';
            *w++ = *p;
        }
        *w++ = '"';
        *w = 0;
        local = quoted;
    }
    return *domain ? arena_printf(arena, "%s@%s", local, domain) : arena_strdup(arena, local);
}
