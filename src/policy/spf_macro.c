// Macros of SPF records ([RFC 7208] 7). %{p} costs lookups and says nothing reliable: it is always
// "unknown", which the specification allows.
#include <glib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/spf_internal.h"

#define EXPANDED_MAX 4096 // bytes
#define DELIMITERS ".-+,/_="

// A macro between the braces.
struct macro {
    char letter;     // lower case
    bool is_escaped; // it was upper case
    unsigned keep;   // labels from the right; 0: all
    bool is_reversed;
    char delimiters[sizeof DELIMITERS];
};

// Reads "{...}" at `p` (behind the percent sign). NULL: none; else behind it.
static const char *read_macro(const char *p, bool is_exp, struct macro *out) {
    *out = (struct macro){0};
    if (*p != '{')
        return NULL;
    char letter = g_ascii_tolower(p[1]);
    if (!letter || !strchr(is_exp ? "slodiphvcrt" : "slodiphv", letter))
        return NULL;
    out->letter = letter;
    out->is_escaped = g_ascii_isupper(p[1]);
    p += 2;
    if (g_ascii_isdigit(*p)) {
        for (; g_ascii_isdigit(*p); p++)
            out->keep = MIN(out->keep * 10 + (unsigned)(*p - '0'), 1000);
        if (out->keep == 0)
            return NULL;
    }
    if (*p == 'r' || *p == 'R') {
        out->is_reversed = true;
        p++;
    }
    for (unsigned n = 0; *p && strchr(DELIMITERS, *p); p++)
        if (n < sizeof out->delimiters - 1 && !strchr(out->delimiters, *p))
            out->delimiters[n++] = *p;
    return *p == '}' ? p + 1 : NULL;
}

// A name ends in ".toplabel" (not all digits) or in a macro.
static bool ends_as_name(const char *text) {
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '}')
        return true;
    if (len > 0 && text[len - 1] == '.')
        len--;
    size_t start = len;
    bool has_letter = false;
    while (start > 0 && (g_ascii_isalnum(text[start - 1]) || text[start - 1] == '-')) {
        start--;
        has_letter = has_letter || !g_ascii_isdigit(text[start]);
    }
    return start > 0 && start < len && text[start - 1] == '.' && has_letter && text[start] != '-' &&
           text[len - 1] != '-';
}

bool spf_macro_is_valid(const char *text, bool is_domain, bool is_exp) {
    for (const char *p = text; *p;) {
        struct macro macro;
        if (*p != '%') {
            if ((*p < 0x21 || *p > 0x7e) && !(is_exp && *p == ' '))
                return false;
            p++;
        } else if (p[1] == '%' || p[1] == '_' || p[1] == '-') {
            p += 2;
        } else if (!(p = read_macro(p + 1, is_exp, &macro))) {
            return false;
        }
    }
    return !is_domain || ends_as_name(text);
}

static void put_address(GString *out, const struct spf_macro_values *v, bool is_readable) {
    const uint8_t *a = v->address;
    if (!v->is_ipv6) {
        g_string_append_printf(out, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
        return;
    }
    for (unsigned i = 0; i < 16; i++)
        if (is_readable)
            g_string_append_printf(out, "%s%02x", i && i % 2 == 0 ? ":" : "", a[i]);
        else
            g_string_append_printf(out, "%s%x.%x", i ? "." : "", a[i] >> 4, a[i] & 15);
}

static void put_value(GString *out, char letter, const struct spf_macro_values *v) {
    switch (letter) {
    case 's':
        g_string_append(out, v->sender);
        break;
    case 'l':
        g_string_append(out, v->local);
        break;
    case 'o':
        g_string_append(out, v->sender_domain);
        break;
    case 'd':
        g_string_append(out, v->domain);
        break;
    case 'i':
        put_address(out, v, false);
        break;
    case 'c':
        put_address(out, v, true);
        break;
    case 'v':
        g_string_append(out, v->is_ipv6 ? "ip6" : "in-addr");
        break;
    case 'h':
        g_string_append(out, v->helo);
        break;
    case 'r':
        g_string_append(out, v->hostname ? v->hostname : "unknown");
        break;
    case 't':
        g_string_append_printf(out, "%" G_GINT64_FORMAT, filetime_to_unix(clock_now()));
        break;
    default: // p
        g_string_append(out, "unknown");
        break;
    }
}

static void put_macro(GString *out, const struct macro *m, const struct spf_macro_values *v) {
    g_autoptr(GString) value = g_string_new(NULL);
    put_value(value, m->letter, v);
    const char *delimiters = *m->delimiters ? m->delimiters : ".";
    g_auto(GStrv) parts = g_strsplit_set(value->str, delimiters, -1);
    unsigned n = g_strv_length(parts);
    unsigned keep = m->keep && m->keep < n ? m->keep : n;
    g_autoptr(GString) made = g_string_new(NULL);
    for (unsigned i = 0; i < keep; i++) {
        unsigned at = m->is_reversed ? keep - 1 - i : n - keep + i;
        if (i > 0)
            g_string_append_c(made, '.');
        g_string_append(made, parts[at]);
    }
    if (m->is_escaped)
        g_string_append_uri_escaped(out, made->str, NULL, FALSE);
    else
        g_string_append(out, made->str);
}

const char *spf_macro_expand(struct arena *arena, const char *text,
                             const struct spf_macro_values *values, bool is_domain) {
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = text; *p && out->len < EXPANDED_MAX;) {
        struct macro macro;
        const char *next;
        if (*p == '%' && (next = read_macro(p + 1, true, &macro)) != NULL) {
            put_macro(out, &macro, values);
            p = next;
        } else if (*p == '%' && p[1]) {
            g_string_append(out, p[1] == '%' ? "%" : p[1] == '_' ? " " : "%20");
            p += 2;
        } else {
            g_string_append_c(out, *p++);
        }
    }
    const char *start = out->str;
    if (is_domain && out->len > 0 && out->str[out->len - 1] == '.')
        g_string_truncate(out, out->len - 1);
    while (is_domain && strlen(start) > DNS_NAME_MAX) {
        const char *dot = strchr(start, '.');
        start = dot ? dot + 1 : start + strlen(start);
    }
    return arena_strdup(arena, start);
}
