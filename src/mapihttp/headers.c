// Which header fields a request must have, and what they may say ([MS-OXCMAPIHTTP] 2.2.3).
#include <string.h>

#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"

bool header_is_plain(const char *s) {
    size_t len = strlen(s);
    if (len == 0 || len > MAPIHTTP_MAX_HEADER)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] >= 0x7f)
            return false;
    return true;
}

// A GUID, with braces or without, a colon and a decimal counter.
static bool is_request_id(const char *s) {
    const char *colon = strrchr(s, ':');
    return header_is_plain(s) && colon && colon > s && colon[1] != '\0' &&
           strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

// "Outlook/16.0.4266.1003".
static bool parse_version(const char *s, uint16_t out[4]) {
    const char *at = strrchr(s, '/');
    if (!header_is_plain(s) || !at || at == s)
        return false;
    at++;
    for (unsigned i = 0; i < 4; i++) {
        char *end;
        if (!g_ascii_isdigit(*at))
            return false;
        uint64_t n = g_ascii_strtoull(at, &end, 10);
        if (n > UINT16_MAX || *end != (i < 3 ? '.' : '\0'))
            return false;
        out[i] = (uint16_t)n;
        at = end + 1;
    }
    return true;
}

static bool is_content_type(const char *s) {
    static const char *const types[] = {"application/mapi-http", "application/octet-stream"};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        size_t len = strlen(types[i]);
        if (g_ascii_strncasecmp(s, types[i], len) == 0 &&
            (s[len] == '\0' || s[len] == ';' || s[len] == ' '))
            return true;
    }
    return false;
}

enum response_code envelope_check(struct envelope *e) {
    if (strcmp(e->method, "POST") != 0)
        return RESPONSE_INVALID_VERB;
    if (!e->request_type || !e->request_id || !e->content_type)
        return RESPONSE_MISSING_HEADER;
    if (!header_is_plain(e->request_type) || !is_request_id(e->request_id) ||
        !is_content_type(e->content_type))
        return RESPONSE_INVALID_HEADER;
    if (e->client_info && !header_is_plain(e->client_info))
        return RESPONSE_INVALID_HEADER;
    if (e->client_application && !parse_version(e->client_application, e->client_version))
        return RESPONSE_INVALID_HEADER;
    return RESPONSE_SUCCESS;
}
