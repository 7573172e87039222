// Parsing of paths and parameters, in one pass over a line that is NUL-free already.
#include "protocol/smtp/path.h"

#include <string.h>

#include "protocol/smtp/limits.h"

#define PARAMS_MAX 16

static bool is_atext(char c) {
    return g_ascii_isalnum(c) || (unsigned char)c >= 0x80 ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_domain_char(char c) {
    return g_ascii_isalnum(c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

// Dot-separated atoms; the end of them, or NULL.
static const char *skip_dotted(const char *s, bool (*is_part)(char)) {
    for (;;) {
        const char *start = s;
        while (is_part(*s))
            s++;
        if (s == start)
            return NULL;
        if (*s != '.')
            return s;
        s++;
    }
}

// [192.0.2.1], [IPv6:...], [tag:...]
static const char *skip_literal(const char *s) {
    for (s++; *s != ']'; s++)
        if (!g_ascii_isgraph(*s) || *s == '[' || *s == '\\')
            return NULL;
    return s + 1;
}

static const char *skip_domain(const char *s) {
    return *s == '[' ? skip_literal(s) : skip_dotted(s, is_domain_char);
}

// A quoted local part: its meaning is appended to `out`.
static const char *read_quoted(const char *s, GString *out) {
    for (s++; *s != '"'; s++) {
        if (*s == '\\')
            s++;
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return NULL;
        g_string_append_c(out, *s);
    }
    return s + 1;
}

// The local part as it is kept: quoted only where it has to be.
static void put_local(GString *out, const char *local) {
    const char *end = skip_dotted(local, is_atext);
    if (end && *end == '\0') {
        g_string_append(out, local);
        return;
    }
    g_string_append_c(out, '"');
    for (; *local; local++) {
        if (*local == '"' || *local == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *local);
    }
    g_string_append_c(out, '"');
}

static const char *read_mailbox(const char *s, GString *out) {
    g_autoptr(GString) local = g_string_new(NULL);
    const char *end = *s == '"' ? read_quoted(s, local) : skip_dotted(s, is_atext);
    if (!end)
        return NULL;
    if (*s != '"')
        g_string_append_len(local, s, end - s);
    if (local->len > SMTP_LOCAL_MAX)
        return NULL;
    put_local(out, local->str);
    if (*end == '>' && g_ascii_strcasecmp(local->str, "postmaster") == 0)
        return end;
    if (*end != '@')
        return NULL;
    const char *domain = end + 1;
    end = skip_domain(domain);
    if (!end || end - domain > SMTP_DOMAIN_MAX)
        return NULL;
    g_string_append_c(out, '@');
    g_string_append_len(out, domain, end - domain);
    return end;
}

// "@a,@b:" before the address ([RFC 5321] appendix C): read and ignored.
static const char *skip_route(const char *s) {
    while (*s == '@') {
        s = skip_domain(s + 1);
        if (!s)
            return NULL;
        if (*s == ':')
            return s + 1;
        if (*s != ',')
            return NULL;
        s++;
    }
    return s;
}

static const char *read_params(struct arena *arena, const char *s, struct smtp_path *out) {
    struct smtp_param *params = arena_alloc0(arena, PARAMS_MAX * sizeof *params);
    out->params = params;
    while (*s) {
        if (*s != ' ')
            return "Syntax error after the address";
        s += strspn(s, " ");
        if (!*s)
            break;
        if (out->n_params == PARAMS_MAX)
            return "Too many parameters";
        size_t name = strcspn(s, " =");
        for (size_t i = 0; i < name; i++)
            if (!g_ascii_isalnum(s[i]) && s[i] != '-')
                return "Syntax error in parameters";
        if (name == 0)
            return "Syntax error in parameters";
        struct smtp_param *p = &params[out->n_params++];
        char *upper = arena_strndup(arena, s, name);
        for (char *c = upper; *c; c++)
            *c = g_ascii_toupper(*c);
        p->name = upper;
        s += name;
        if (*s != '=')
            continue;
        size_t value = strcspn(++s, " ");
        p->value = arena_strndup(arena, s, value);
        s += value;
    }
    return NULL;
}

const char *smtp_path_parse(struct arena *arena, const char *text, struct smtp_path *out) {
    memset(out, 0, sizeof *out);
    text += strspn(text, " "); // not allowed, but many clients send it
    if (*text++ != '<')
        return "The address must stand in <>";
    g_autoptr(GString) address = g_string_new(NULL);
    if (*text != '>') {
        const char *mailbox = skip_route(text);
        text = mailbox ? read_mailbox(mailbox, address) : NULL;
        if (!text || *text != '>')
            return "Syntax error in the address";
    }
    if (!g_utf8_validate(address->str, (gssize)address->len, NULL))
        return "The address is not UTF-8";
    out->address = arena_strndup(arena, address->str, address->len);
    for (const char *c = address->str; *c; c++)
        out->is_utf8 |= (unsigned char)*c >= 0x80;
    return read_params(arena, text + 1, out);
}
