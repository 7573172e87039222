// The envelope of answers ([MS-OXCMAPIHTTP] 2.2.2, 2.2.3, 2.2.7): header, meta-tags and body.
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"

#define SERVER_APPLICATION "Exchange/15.01.2507.006"

// --- Answers ---

static void set_number(struct http_request *r, const char *name, uint64_t n) {
    char text[24];
    g_snprintf(text, sizeof text, "%" PRIu64, n);
    http_set_header(r, name, text);
}

static void set_echo(struct http_request *r, const char *name, const char *value) {
    if (value && header_is_plain(value))
        http_set_header(r, name, value);
}

static void add_cookies(struct exchange *x) {
    const char *path = x->endpoint == ENDPOINT_EMSMDB ? "/mapi/emsmdb" : "/mapi/nspi";
    const char *secure = http_is_tls(x->r) ? "; Secure" : "";
    http_add_header(x->r, "Set-Cookie",
                    arena_printf(x->arena, "MapiContext=%s; Path=%s; HttpOnly%s", x->context->id,
                                 path, secure));
    pthread_mutex_lock(&x->m->contexts.lock);
    const char *sequence = arena_strdup(x->arena, x->context->sequence);
    pthread_mutex_unlock(&x->m->contexts.lock);
    http_add_header(
        x->r, "Set-Cookie",
        arena_printf(x->arena, "MapiSequence=%s; Path=%s; HttpOnly%s", sequence, path, secure));
}

static void put_header(struct exchange *x, enum response_code code) {
    set_number(x->r, "X-ResponseCode", code);
    set_echo(x->r, "X-RequestType", x->envelope.request_type);
    set_echo(x->r, "X-RequestId", x->envelope.request_id);
    set_echo(x->r, "X-ClientInfo", x->envelope.client_info);
    http_set_header(x->r, "X-ServerApplication", SERVER_APPLICATION);
    http_set_header(x->r, "Cache-Control", "private");
    http_set_header(x->r, "Content-Type",
                    code == RESPONSE_SUCCESS ? "application/mapi-http" : "text/html");
    set_number(x->r, "X-PendingPeriod", (uint64_t)x->m->options.pending_seconds * 1000);
    set_number(x->r, "X-ExpirationInfo", (uint64_t)x->m->options.session_seconds * 1000);
    if (x->context)
        add_cookies(x);
}

void exchange_begin(struct exchange *x, bool is_long) {
    put_header(x, RESPONSE_SUCCESS);
    http_write_str(x->r, "PROCESSING\r\n");
    x->is_begun = true;
    if (is_long)
        http_flush(x->r);
}

void exchange_pending(struct exchange *x) {
    http_write_str(x->r, "PENDING\r\n");
}

static const char *const meanings[RESPONSE_CODES] = {
    [RESPONSE_UNKNOWN_FAILURE] = "the request failed",
    [RESPONSE_INVALID_VERB] = "only POST is understood here",
    [RESPONSE_INVALID_PATH] = "there is nothing at this path",
    [RESPONSE_INVALID_HEADER] = "a header field has a value that is not valid",
    [RESPONSE_INVALID_REQUEST_TYPE] = "the request type is not known here",
    [RESPONSE_INVALID_CONTEXT_COOKIE] = "the session's cookie is not valid",
    [RESPONSE_MISSING_HEADER] = "a header field is missing",
    [RESPONSE_ANONYMOUS_NOT_ALLOWED] = "a login is needed",
    [RESPONSE_TOO_LARGE] = "the request is too large",
    [RESPONSE_CONTEXT_NOT_FOUND] = "there is no such session",
    [RESPONSE_NO_PRIVILEGE] = "no right to this session",
    [RESPONSE_INVALID_BODY] = "the body is not valid",
    [RESPONSE_MISSING_COOKIE] = "a cookie of the session is missing",
    [RESPONSE_INVALID_SEQUENCE] = "the session's requests have to come one after the other",
    [RESPONSE_ENDPOINT_DISABLED] = "this endpoint is switched off",
    [RESPONSE_INVALID_RESPONSE] = "the answer cannot be sent",
    [RESPONSE_SHUTTING_DOWN] = "the server is shutting down",
};

static void put_diagnosis(struct exchange *x, enum response_code code) {
    const char *meaning = meanings[code] ? meanings[code] : "the request failed";
    http_write_str(x->r, arena_printf(x->arena,
                                      "<html><head><title>MAPI over HTTP</title></head>"
                                      "<body><p>%u: %s.</p></body></html>\r\n",
                                      code, meaning));
}

static const char *http_date(struct arena *arena, filetime_t time) {
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(filetime_to_unix(time));
    g_autofree char *text =
        date ? g_date_time_format(date, "%a, %d %b %Y %H:%M:%S GMT") : g_strdup("");
    return arena_strdup(arena, text);
}

// The additional headers behind DONE ([MS-OXCMAPIHTTP] 3.2.5.2).
static void put_done(struct exchange *x, enum response_code code) {
    int64_t elapsed = (g_get_monotonic_time() - x->start_us) / 1000;
    const char *failure =
        code == RESPONSE_SUCCESS
            ? ""
            : arena_printf(x->arena, "X-ResponseCode: %u\r\nContent-Type: text/html\r\n", code);
    http_write_str(x->r,
                   arena_printf(x->arena,
                                "DONE\r\n%sX-ElapsedTime: %" PRId64 "\r\nX-StartTime: %s\r\n\r\n",
                                failure, elapsed, http_date(x->arena, x->start)));
}

enum http_next exchange_finish(struct exchange *x, enum response_code code) {
    GByteArray *body = NULL;
    if (code == RESPONSE_SUCCESS) {
        body = x->out.bytes ? wire_writer_take(&x->out) : NULL;
        if (!body && x->out.failed)
            code = RESPONSE_INVALID_RESPONSE;
    }
    if (code != RESPONSE_SUCCESS)
        atomic_fetch_add(&x->m->failures, 1);
    if (x->is_begun)
        put_done(x, code);
    else
        put_header(x, code);
    if (code != RESPONSE_SUCCESS)
        put_diagnosis(x, code);
    else if (body && x->is_begun)
        http_write(x->r, body->data, body->len);
    if (body)
        g_byte_array_unref(body);
    return HTTP_DONE;
}
