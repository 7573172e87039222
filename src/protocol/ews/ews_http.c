// EWS on HTTP: the one route, and requests that go on (streaming notifications).
#include "http/http.h"
#include "protocol/ews/ews_documents.h"
#include "protocol/ews/ews_service.h"

static void send(struct http_request *r, struct ews_call *call) {
    if (ews_writer_len(call->w) == 0)
        return;
    GBytes *bytes = ews_writer_take(call->w);
    http_write_bytes(r, bytes);
    g_bytes_unref(bytes);
}

static enum http_next run_soap(struct http_request *r, void *service) {
    size_t len;
    const uint8_t *body = http_body(r, &len);
    struct ews_call *call = ews_call_new(service, http_principal(r), r);
    unsigned status = ews_call_run(call, body, len);
    http_set_status(r, status);
    http_set_header(r, "Content-Type", "text/xml; charset=utf-8");
    http_set_header(r, "Cache-Control", "private");
    send(r, call);
    if (!call->stream) {
        ews_call_free(call);
        return HTTP_DONE;
    }
    http_set_state(r, call);
    return call->stream->next;
}

// A GET is a browser or a client that looks whether the path is there.
static enum http_next run_get(struct http_request *r, void *service) {
    (void)service;
    http_set_header(r, "Location", "/ews/services.wsdl");
    return http_fail(r, 302, "The service is described at /ews/services.wsdl.");
}

static enum http_next run(struct http_request *r, void *service) {
    return g_str_equal(http_method(r), "POST") ? run_soap(r, service) : run_get(r, service);
}

static enum http_next resume(struct http_request *r, void *service) {
    struct ews_call *call = http_state(r);
    (void)service;
    if (!call || !call->stream)
        return HTTP_ABORT;
    int next = call->stream->resume(call, call->stream->state);
    send(r, call);
    return next;
}

static void close_call(struct http_request *r, void *service) {
    (void)service;
    ews_call_free(http_state(r));
    http_set_state(r, NULL);
}

const struct http_route *ews_routes(void) {
    static const struct http_route routes[] = {
        {"/ews/exchange.asmx", "GET HEAD POST", HTTP_USER, DIRECTORY_EWS, EWS_MAX_BODY, run, resume,
         close_call},
        {"/ews/services.wsdl", "GET HEAD", HTTP_USER, DIRECTORY_EWS, 0, ews_serve_wsdl, NULL, NULL},
        {"/ews/messages.xsd", "GET HEAD", HTTP_USER, DIRECTORY_EWS, 0, ews_serve_messages, NULL,
         NULL},
        {"/ews/types.xsd", "GET HEAD", HTTP_USER, DIRECTORY_EWS, 0, ews_serve_types, NULL, NULL},
        {"/ews/exchange.asmx/s/getuserphoto", "GET HEAD", HTTP_USER, DIRECTORY_EWS, 0,
         ews_serve_photo, NULL, NULL},
        {0},
    };
    return routes;
}
