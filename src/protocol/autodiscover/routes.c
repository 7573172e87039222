// Autodiscover on HTTP.
//
// A GET without TLS is answered by a redirection to where TLS is ([MS-OXDISCO] 3.1.5.4), which
// clients follow that find nothing else; it says nothing about anybody.
#include <stdlib.h>
#include <string.h>

#include "protocol/autodiscover/autodiscover_internal.h"

static enum http_next send(struct http_request *r, const char *type, GString *document) {
    http_set_header(r, "Content-Type", type);
    http_set_header(r, "Cache-Control", "private");
    http_write(r, document->str, document->len);
    g_string_free(document, TRUE);
    return HTTP_DONE;
}

static enum http_next redirect(struct http_request *r, struct autodiscover_service *s) {
    ARENA_AUTO arena = arena_new();
    http_set_header(r, "Location", autodiscover_url(s, arena, "/autodiscover/autodiscover.xml"));
    return http_fail(r, 302, "Autodiscover is at another address.");
}

static unsigned capability(const struct http_request *r) {
    const char *field = http_header(r, "X-MapiHttpCapability");
    return field != NULL ? (unsigned)g_ascii_strtoull(field, NULL, 10) : 0;
}

static enum http_next run_pox(struct http_request *r, void *service) {
    size_t len;
    const uint8_t *body = http_body(r, &len);
    bool is_post = strcmp(http_method(r), "POST") == 0;
    if (!is_post && !http_is_tls(r))
        return redirect(r, service);
    if (http_principal(r) == NULL)
        return http_challenge(r);
    GString *answer =
        autodiscover_pox(service, http_principal(r), body, is_post ? len : 0, capability(r));
    return send(r, "text/xml; charset=utf-8", answer);
}

static enum http_next run_soap(struct http_request *r, void *service) {
    size_t len;
    unsigned status;
    const uint8_t *body = http_body(r, &len);
    bool is_post = strcmp(http_method(r), "POST") == 0;
    if (!is_post && !http_is_tls(r))
        return redirect(r, service);
    if (http_principal(r) == NULL)
        return http_challenge(r);
    const char *type = http_header(r, "Content-Type");
    bool is_soap12 = type != NULL && g_str_has_prefix(type, "application/soap+xml");
    GString *answer =
        autodiscover_soap(service, http_principal(r), body, is_post ? len : 0, &status);
    http_set_status(r, status);
    return send(r, is_soap12 ? "application/soap+xml; charset=utf-8" : "text/xml; charset=utf-8",
                answer);
}

const struct http_route *autodiscover_routes(void) {
    static const struct http_route routes[] = {
        {.path = "/autodiscover/autodiscover.xml",
         .methods = "GET HEAD POST",
         .protocol = DIRECTORY_ALL_PROTOCOLS,
         .max_body = AUTODISCOVER_BODY_MAX,
         .run = run_pox},
        {.path = "/autodiscover/autodiscover.svc",
         .methods = "GET HEAD POST",
         .protocol = DIRECTORY_ALL_PROTOCOLS,
         .max_body = AUTODISCOVER_BODY_MAX,
         .run = run_soap},
        {.path = "/autodiscover/autodiscover.json/*",
         .methods = "GET HEAD",
         .protocol = DIRECTORY_ALL_PROTOCOLS,
         .run = autodiscover_run_json},
        {.path = "/mail/config-v1.1.xml",
         .methods = "GET HEAD",
         .protocol = DIRECTORY_ALL_PROTOCOLS,
         .run = autodiscover_run_autoconfig},
        {.path = "/.well-known/autoconfig/mail/config-v1.1.xml",
         .methods = "GET HEAD",
         .protocol = DIRECTORY_ALL_PROTOCOLS,
         .run = autodiscover_run_autoconfig},
        {0},
    };
    return routes;
}
