// Mail addresses taken apart and brought into the form they are compared in.
//
// The local part keeps its spelling and is compared folded (no server that matters tells "Alice"
// from "alice"); the domain is compared, and stored, as A-labels.
#include "directory/address.h"

#include <idn2.h>
#include <string.h>

#include "base/text.h"
#include "directory/limits.h"

static bool is_atext(unsigned char c) {
    return g_ascii_isalnum(c) || c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_string(const char *s, size_t len) {
    if (len == 0 || s[0] == '.' || s[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++)
        if (s[i] == '.' ? s[i - 1] == '.' : !is_atext((unsigned char)s[i]))
            return false;
    return true;
}

// --- Domains ---

static bool is_host_name(const char *s) {
    size_t label = 0;
    for (;; s++) {
        if (*s == '.' || *s == '\0') {
            if (label == 0 || label > ADDRESS_LABEL_MAX || s[-1] == '-')
                return false;
            if (*s == '\0')
                return true;
            label = 0;
        } else if (g_ascii_isalnum(*s) || (*s == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
}

enum ec address_domain(struct arena *arena, const char *domain, const char **out) {
    size_t len = strlen(domain);
    // An A-label can be shorter than its U-label, but not by more than this.
    if (len == 0 || len > ADDRESS_DOMAIN_MAX * 4 || !g_utf8_validate(domain, -1, NULL))
        return EC_INVALID_PARAMETER;
    char *name;
    if (text_is_ascii(domain, len)) {
        name = arena_strdup(arena, domain);
        for (char *p = name; *p != '\0'; p++)
            *p = g_ascii_tolower(*p);
    } else {
        char *ascii = NULL;
        if (idn2_to_ascii_8z(domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
            return EC_INVALID_PARAMETER;
        name = arena_strdup(arena, ascii);
        idn2_free(ascii);
    }
    if (strlen(name) > ADDRESS_DOMAIN_MAX || !is_host_name(name))
        return EC_INVALID_PARAMETER;
    *out = name;
    return EC_OK;
}

// "[192.0.2.1]", "[IPv6:2001:db8::1]": kept as they are, since they are never ours.
static enum ec parse_literal(struct arena *arena, const char *s, const char **out) {
    size_t len = strlen(s);
    if (len < 3 || len > ADDRESS_DOMAIN_MAX || s[len - 1] != ']')
        return EC_INVALID_PARAMETER;
    for (size_t i = 1; i < len - 1; i++)
        if (s[i] <= 0x20 || s[i] > 0x7e || s[i] == '[' || s[i] == ']' || s[i] == '\\')
            return EC_INVALID_PARAMETER;
    char *copy = arena_strdup(arena, s);
    for (char *p = copy; *p != '\0'; p++)
        *p = g_ascii_tolower(*p);
    *out = copy;
    return EC_OK;
}

// --- Local parts ---

static bool has_control(const char *s) {
    for (; *s != '\0'; s = g_utf8_next_char(s))
        if (g_unichar_iscntrl(g_utf8_get_char(s)))
            return true;
    return false;
}

// Reads `"quoted"` up to the closing quote; returns what follows it, NULL when it is malformed.
static const char *parse_quoted(struct arena *arena, const char *s, char **local_out) {
    char *local = arena_alloc(arena, strlen(s) + 1), *to = local;
    for (s++; *s != '"'; s++) {
        if (*s == '\\')
            s++;
        if (*s == '\0')
            return NULL;
        *to++ = *s;
    }
    *to = '\0';
    *local_out = local;
    return s + 1;
}

static const char *quote_local(struct arena *arena, const char *local) {
    if (is_dot_string(local, strlen(local)))
        return local;
    char *quoted = arena_alloc(arena, 2 * strlen(local) + 3), *to = quoted;
    *to++ = '"';
    for (; *local != '\0'; local++) {
        if (*local == '"' || *local == '\\')
            *to++ = '\\';
        *to++ = *local;
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}

const char *address_key(struct arena *arena, const char *local, size_t local_len,
                        const char *domain) {
    const char *folded = text_fold(arena, arena_strndup(arena, local, local_len));
    size_t n = strlen(folded), m = strlen(domain);
    char *key = arena_alloc(arena, n + m + 2);
    memcpy(key, folded, n);
    key[n] = '@';
    memcpy(key + n + 1, domain, m + 1);
    return key;
}

enum ec address_parse(struct arena *arena, const char *text, struct address *out) {
    if (strlen(text) > ADDRESS_LOCAL_MAX * 2 + ADDRESS_DOMAIN_MAX * 4 ||
        !g_utf8_validate(text, -1, NULL) || has_control(text))
        return EC_INVALID_PARAMETER;
    char *local;
    const char *rest;
    if (text[0] == '"') {
        rest = parse_quoted(arena, text, &local);
    } else {
        rest = strrchr(text, '@');
        size_t len = rest != NULL ? (size_t)(rest - text) : 0;
        local = arena_strndup(arena, text, len);
        if (!is_dot_string(local, len))
            rest = NULL;
    }
    if (rest == NULL || *rest != '@')
        return EC_INVALID_PARAMETER;
    size_t local_len = strlen(local);
    if (local_len == 0 || local_len > ADDRESS_LOCAL_MAX)
        return EC_INVALID_PARAMETER;
    struct address address = {.local = local};
    if (rest[1] == '[')
        EC_TRY(parse_literal(arena, rest + 1, &address.domain));
    else
        EC_TRY(address_domain(arena, rest + 1, &address.domain));
    const char *quoted = quote_local(arena, local);
    address.text = arena_printf(arena, "%s@%s", quoted, address.domain);
    address.key = address_key(arena, local, local_len, address.domain);
    if (address.key[0] == '@')
        return EC_INVALID_PARAMETER; // nothing but characters that folding drops
    *out = address;
    return EC_OK;
}
