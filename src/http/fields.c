// What a request says of itself: target, header fields, cookies, arguments.
#include <string.h>

#include "http/http_internal.h"

char *http_percent_decode(struct arena *arena, const char *text, size_t len, bool plus_is_blank) {
    char *out = arena_alloc(arena, len + 1), *at = out;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            if (len - i < 3 || !g_ascii_isxdigit(text[i + 1]) || !g_ascii_isxdigit(text[i + 2]))
                return NULL;
            c = (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c == '\0')
            return NULL;
        *at++ = c;
    }
    *at = '\0';
    return g_utf8_validate(out, at - out, NULL) ? out : NULL;
}

// "/path?query", "http://host/path?query" (of those who talk to proxies), "*".
bool http_read_target(struct http_request *r) {
    const char *path = r->target;
    if (g_ascii_strncasecmp(path, "http://", 7) == 0 ||
        g_ascii_strncasecmp(path, "https://", 8) == 0) {
        path = strchr(strchr(path, ':') + 3, '/');
        if (path == NULL)
            path = "/";
    }
    size_t len = strcspn(path, "?#");
    if (path[0] != '/' && strcmp(path, "*") != 0)
        return false;
    r->path = http_percent_decode(r->arena, path, len, false);
    if (path[len] == '?') {
        const char *query = path + len + 1;
        r->query = arena_strndup(r->arena, query, strcspn(query, "#"));
    }
    return r->path != NULL;
}

const char *http_method(const struct http_request *r) {
    return r->method;
}

const char *http_path(const struct http_request *r) {
    return r->path;
}

const char *http_query(const struct http_request *r) {
    return r->query;
}

// The value in "a=1;b=2" with separators of one kind; not decoded. NULL: not there.
static const char *find_pair(const char *text, char separator, const char *name, size_t *len_out) {
    size_t name_len = strlen(name);
    while (text != NULL) {
        text += strspn(text, " ");
        const char *end = strchrnul(text, separator);
        if (g_ascii_strncasecmp(text, name, name_len) == 0 && text[name_len] == '=') {
            *len_out = (size_t)(end - text) - name_len - 1;
            return text + name_len + 1;
        }
        text = *end == separator ? end + 1 : NULL;
    }
    return NULL;
}

const char *http_argument(const struct http_request *r, const char *name) {
    size_t len;
    const char *value = find_pair(r->query, '&', name, &len);
    return value != NULL ? http_percent_decode(r->arena, value, len, true) : NULL;
}

const char *http_header(const struct http_request *r, const char *name) {
    for (unsigned i = 0; i < r->n_fields; i++)
        if (g_ascii_strcasecmp(r->fields[i].name, name) == 0)
            return r->fields[i].value;
    return NULL;
}

const char *http_cookie(const struct http_request *r, const char *name) {
    for (unsigned i = 0; i < r->n_fields; i++) {
        size_t len;
        if (g_ascii_strcasecmp(r->fields[i].name, "Cookie") != 0)
            continue;
        const char *value = find_pair(r->fields[i].value, ';', name, &len);
        if (value == NULL)
            continue;
        if (len >= 2 && value[0] == '"' && value[len - 1] == '"')
            return arena_strndup(r->arena, value + 1, len - 2);
        return arena_strndup(r->arena, value, len);
    }
    return NULL;
}

struct principal *http_principal(const struct http_request *r) {
    return r->who;
}

const char *http_peer(const struct http_request *r) {
    return r->conn->peer;
}

bool http_is_tls(const struct http_request *r) {
    return r->conn->is_tls;
}

bool http_is_loopback(const struct http_request *r) {
    return r->conn->is_loopback;
}

uint64_t http_request_id(const struct http_request *r) {
    return r->id;
}

bool http_is_stopping(const struct http_request *r) {
    return r->server->is_stopping;
}

void http_set_state(struct http_request *r, void *state) {
    r->state = state;
}

void *http_state(const struct http_request *r) {
    return r->state;
}
