// The grammar of SPF records ([RFC 7208] 12). A record is read as a whole before any of it is used.
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "policy/limits.h"
#include "policy/spf_internal.h"

bool spf_is_record(const char *text) {
    return g_ascii_strncasecmp(text, "v=spf1", 6) == 0 && (text[6] == 0 || text[6] == ' ');
}

// "/24", without zeros in front. False: no such number, or more than `max`.
static bool read_prefix(const char *text, size_t len, unsigned max, unsigned *out) {
    unsigned value = 0;
    if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return value <= max;
}

// Cuts "/24//64" off the end of `text`. A slash within a macro is none.
static bool cut_prefixes(char *text, struct spf_term *term) {
    char *slash = NULL;
    bool in_macro = false;
    for (char *p = text; *p && !slash; p++) {
        if (*p == '{' || *p == '}')
            in_macro = *p == '{';
        // Only digits and slashes may follow; anything else belongs to the name.
        if (*p == '/' && !in_macro && strspn(p, "/0123456789") == strlen(p))
            slash = p;
    }
    if (!slash)
        return true;
    char *second = strstr(slash, "//");
    if (second && !read_prefix(second + 2, strlen(second + 2), 128, &term->prefix6))
        return false;
    if (second != slash) {
        size_t len = second ? (size_t)(second - slash) - 1 : strlen(slash + 1);
        if (!read_prefix(slash + 1, len, 32, &term->prefix4))
            return false;
    }
    *slash = 0;
    return true;
}

static bool read_network(char *value, struct spf_term *term) {
    bool is_v6 = term->mechanism == SPF_IP6;
    char *slash = strchr(value, '/');
    if (slash) {
        *slash = 0;
        if (!read_prefix(slash + 1, strlen(slash + 1), is_v6 ? 128 : 32,
                         is_v6 ? &term->prefix6 : &term->prefix4))
            return false;
    }
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, value, term->network) == 1;
}

// `rest` is what follows the mechanism's name: "", ":value", "/24".
static bool read_arguments(struct arena *arena, char *rest, struct spf_term *term) {
    bool has_value = *rest == ':';
    char *value = rest + has_value;
    term->prefix4 = 32;
    term->prefix6 = 128;
    switch (term->mechanism) {
    case SPF_ALL:
        return *rest == 0;
    case SPF_IP4:
    case SPF_IP6:
        return has_value && read_network(value, term);
    case SPF_A:
    case SPF_MX:
        if (!cut_prefixes(value, term))
            return false;
        break;
    default:
        break;
    }
    if (!has_value)
        return *value == 0 && (term->mechanism == SPF_A || term->mechanism == SPF_MX ||
                               term->mechanism == SPF_PTR);
    term->domain = arena_strdup(arena, value);
    return spf_macro_is_valid(value, true, false);
}

static bool read_mechanism(struct arena *arena, char *word, struct spf_term *term) {
    static const char *const names[] = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"};
    static const char qualifiers[] = "+-~?";
    static const enum spf_result results[] = {SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL};
    *term = (struct spf_term){.result = SPF_PASS};
    const char *qualifier = strchr(qualifiers, *word);
    if (qualifier) {
        term->result = results[qualifier - qualifiers];
        word++;
    }
    size_t len = strcspn(word, ":/");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (len == strlen(names[i]) && g_ascii_strncasecmp(word, names[i], len) == 0) {
            term->mechanism = (enum spf_mechanism)i;
            return read_arguments(arena, word + len, term);
        }
    return false;
}

// A modifier: name=value. False: an error.
static bool read_modifier(struct arena *arena, const char *word, const char *equals,
                          struct spf_record *out) {
    size_t len = (size_t)(equals - word);
    const char *value = equals + 1;
    if (!g_ascii_isalpha(*word))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isalnum(word[i]) && !strchr("-_.", word[i]))
            return false;
    bool is_redirect = len == 8 && g_ascii_strncasecmp(word, "redirect", 8) == 0;
    bool is_exp = len == 3 && g_ascii_strncasecmp(word, "exp", 3) == 0;
    if (!is_redirect && !is_exp) // unknown ones are passed over
        return spf_macro_is_valid(value, false, false);
    const char **to = is_redirect ? &out->redirect : &out->exp;
    if (*to || !spf_macro_is_valid(value, true, false))
        return false;
    *to = arena_strdup(arena, value);
    return true;
}

bool spf_record_parse(struct arena *arena, const char *text, struct spf_record *out) {
    *out = (struct spf_record){.terms = arena_alloc(arena, SPF_TERMS_MAX * sizeof *out->terms)};
    if (!spf_is_record(text))
        return false;
    g_auto(GStrv) words = g_strsplit(text + 6, " ", -1);
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        size_t name = strcspn(*word, "=:/%");
        if ((*word)[name] == '=') {
            if (!read_modifier(arena, *word, *word + name, out))
                return false;
            continue;
        }
        if (out->n == SPF_TERMS_MAX || !read_mechanism(arena, *word, &out->terms[out->n]))
            return false;
        out->n++;
    }
    return true;
}
