// Autodiscover version 2: where one protocol is, for an address, without a login. The answer is the
// same for every address of our domains.
#include <string.h>

#include "protocol/autodiscover/autodiscover_internal.h"

#define PROTOCOLS "Autodiscoverv1, Ews, ActiveSync"

static void add_string(GString *out, const char *text) {
    g_string_append_c(out, '"');
    for (; *text != '\0'; text++) {
        if ((uint8_t)*text < 0x20 || *text == '"' || *text == '\\' || *text == '<')
            g_string_append_printf(out, "\\u%04x", (uint8_t)*text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static enum http_next answer(struct http_request *r, unsigned status, const char *first,
                             const char *value, const char *second, const char *text) {
    g_autoptr(GString) out = g_string_new("{");
    add_string(out, first);
    g_string_append_c(out, ':');
    add_string(out, value);
    g_string_append_c(out, ',');
    add_string(out, second);
    g_string_append_c(out, ':');
    add_string(out, text);
    g_string_append(out, "}");
    http_set_status(r, status);
    http_set_header(r, "Content-Type", "application/json; charset=utf-8");
    http_set_header(r, "Cache-Control", "private");
    http_write(r, out->str, out->len);
    return HTTP_DONE;
}

static const char *path_of(const struct autodiscover_service *s, const char **protocol) {
    static const struct {
        const char *name, *path;
    } known[] = {{"Autodiscoverv1", "/autodiscover/autodiscover.xml"},
                 {"Ews", "/EWS/Exchange.asmx"},
                 {"ActiveSync", "/Microsoft-Server-ActiveSync"}};
    for (unsigned i = 0; *protocol != NULL && i < G_N_ELEMENTS(known); i++) {
        if (g_ascii_strcasecmp(known[i].name, *protocol) != 0)
            continue;
        *protocol = known[i].name;
        return i == 2 && !s->options.has_activesync ? NULL : known[i].path;
    }
    return NULL;
}

// ".../autodiscover.json/v1.0/ADDRESS?Protocol=X" or ".../autodiscover.json?Email=ADDRESS&...".
static const char *address_of(struct http_request *r) {
    const char *email = http_argument(r, "Email");
    const char *slash = strrchr(http_path(r), '/');
    return email != NULL ? email : slash != NULL && strchr(slash, '@') ? slash + 1 : NULL;
}

enum http_next autodiscover_run_json(struct http_request *r, void *service) {
    struct autodiscover_service *s = service;
    ARENA_AUTO arena = arena_new();
    const char *address = address_of(r), *protocol = http_argument(r, "Protocol");
    if (protocol == NULL || *protocol == '\0')
        return answer(r, 400, "ErrorCode", "MandatoryParameterMissing", "ErrorMessage",
                      "A valid value must be provided for the query parameter 'Protocol'");
    const char *path = path_of(s, &protocol);
    if (path == NULL)
        return answer(r, 400, "ErrorCode", "InvalidProtocol", "ErrorMessage",
                      arena_printf(arena,
                                   "The given protocol value '%s' is invalid. Supported values are "
                                   "'" PROTOCOLS "'",
                                   protocol));
    if (address == NULL)
        return answer(r, 400, "ErrorCode", "InvalidUserId", "ErrorMessage",
                      "The given user ID is not an address.");
    if (!autodiscover_is_local(s, address))
        return answer(r, 404, "ErrorCode", "UserNotFound", "ErrorMessage",
                      "The given user is not found.");
    return answer(r, 200, "Protocol", protocol, "Url", autodiscover_url(s, arena, path));
}
