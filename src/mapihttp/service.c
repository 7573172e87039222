// The service: routes, and the way of one request from its header to its operation.
#include <string.h>

#include "base/clock.h"
#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"
#include "net/net.h"

// --- One request ---

static void exchange_free(struct exchange *x) {
    bool is_wait = x->operation && x->operation->need == CONTEXT_WAITS;
    if (x->context)
        contexts_release(&x->m->contexts, x->context, is_wait);
    wire_writer_clear(&x->out);
    arena_free(x->arena);
    g_free(x);
}

static struct exchange *exchange_new(struct mapihttp *m, struct http_request *r,
                                     enum endpoint endpoint) {
    struct exchange *x = g_new0(struct exchange, 1);
    x->m = m;
    x->r = r;
    x->endpoint = endpoint;
    x->arena = arena_new();
    x->who = http_principal(r);
    x->out = wire_writer(MAPIHTTP_MAX_ANSWER);
    x->start_us = g_get_monotonic_time();
    x->start = clock_now();
    x->envelope = (struct envelope){
        .method = http_method(r),
        .content_type = http_header(r, "Content-Type"),
        .request_type = http_header(r, "X-RequestType"),
        .request_id = http_header(r, "X-RequestId"),
        .client_info = http_header(r, "X-ClientInfo"),
        .client_application = http_header(r, "X-ClientApplication"),
    };
    size_t len;
    const uint8_t *body = http_body(r, &len);
    x->body = wire_reader(body, len);
    return x;
}

static const struct operation *find_operation(enum endpoint endpoint, const char *name) {
    const struct operation *o = endpoint == ENDPOINT_EMSMDB ? emsmdb_operations : nspi_operations;
    for (; o->name; o++)
        if (g_ascii_strcasecmp(o->name, name) == 0)
            return o;
    return NULL;
}

// PING refreshes the idle time of the session whose cookie comes with it, if any.
static void run_ping(struct exchange *x) {
    const char *id = http_cookie(x->r, "MapiContext");
    struct context *context;
    if (id && contexts_acquire(&x->m->contexts, x->endpoint, &x->who->guid, id, NULL, true,
                               &context) == RESPONSE_SUCCESS) {
        x->context = context;
        static const struct operation ping = {"PING", CONTEXT_WAITS, NULL};
        x->operation = &ping;
    }
    exchange_begin(x, false);
}

// Reconnecting ends the session that the cookie names ([MS-OXCMAPIHTTP] 3.2.5.6).
static void end_old_context(struct exchange *x) {
    const char *id = http_cookie(x->r, "MapiContext");
    struct context *context;
    if (!id || contexts_acquire(&x->m->contexts, x->endpoint, &x->who->guid, id, NULL, true,
                                &context) != RESPONSE_SUCCESS)
        return;
    contexts_remove(&x->m->contexts, context);
    contexts_release(&x->m->contexts, context, true);
}

static enum response_code take_context(struct exchange *x) {
    const char *id = http_cookie(x->r, "MapiContext");
    const char *sequence = http_cookie(x->r, "MapiSequence");
    switch (x->operation->need) {
    case CONTEXT_NONE:
        return RESPONSE_SUCCESS;
    case CONTEXT_MAKES:
        end_old_context(x);
        return RESPONSE_SUCCESS;
    default:
        return contexts_acquire(&x->m->contexts, x->endpoint, &x->who->guid, id, sequence,
                                x->operation->need == CONTEXT_WAITS, &x->context);
    }
}

static enum response_code run_exchange(struct exchange *x) {
    enum response_code code = envelope_check(&x->envelope);
    if (code != RESPONSE_SUCCESS)
        return code;
    if (!x->who || x->who->is_anonymous)
        return RESPONSE_ANONYMOUS_NOT_ALLOWED;
    if (x->body.len > MAPIHTTP_MAX_REQUEST)
        return RESPONSE_TOO_LARGE;
    if (http_is_stopping(x->r))
        return RESPONSE_SHUTTING_DOWN;
    if (g_ascii_strcasecmp(x->envelope.request_type, "PING") == 0) {
        run_ping(x);
        return RESPONSE_SUCCESS;
    }
    x->operation = find_operation(x->endpoint, x->envelope.request_type);
    if (!x->operation)
        return RESPONSE_INVALID_REQUEST_TYPE;
    code = take_context(x);
    return code == RESPONSE_SUCCESS ? x->operation->run(x) : code;
}

static enum http_next run(struct http_request *r, struct mapihttp *m, enum endpoint endpoint) {
    struct exchange *x = exchange_new(m, r, endpoint);
    http_set_state(r, x);
    atomic_fetch_add(&m->requests, 1);
    // A page below the path is none of ours.
    const char *slash = strrchr(http_path(r), '/');
    bool is_below = slash && slash[1] != '\0' && g_ascii_strcasecmp(slash, "/emsmdb") != 0 &&
                    g_ascii_strcasecmp(slash, "/nspi") != 0;
    enum response_code code = is_below ? RESPONSE_INVALID_PATH : run_exchange(x);
    return code == RESPONSE_WAITING ? HTTP_PARK : exchange_finish(x, code);
}

static enum http_next run_emsmdb(struct http_request *r, void *service) {
    return run(r, service, ENDPOINT_EMSMDB);
}

static enum http_next run_nspi(struct http_request *r, void *service) {
    return run(r, service, ENDPOINT_NSPI);
}

static enum http_next resume(struct http_request *r, void *service) {
    (void)service;
    return wait_resume(http_state(r));
}

static void close_request(struct http_request *r, void *service) {
    (void)service;
    struct exchange *x = http_state(r);
    if (x)
        exchange_free(x);
    http_set_state(r, NULL);
}

// --- The service ---

static const struct http_route routes[] = {
    {"/mapi/emsmdb/*", NULL, HTTP_USER, DIRECTORY_MAPI, MAPIHTTP_MAX_BODY, run_emsmdb, resume,
     close_request},
    {"/mapi/nspi/*", NULL, HTTP_USER, DIRECTORY_MAPI, MAPIHTTP_MAX_BODY, run_nspi, resume,
     close_request},
    {0},
};

void mapihttp_expire(struct mapihttp *m) {
    contexts_expire(&m->contexts);
}

static void expire(void *data) {
    mapihttp_expire(data);
}

enum ec mapihttp_new(const struct mapihttp_options *options, struct mapihttp **out) {
    struct mapihttp *m = g_new0(struct mapihttp, 1);
    m->options = *options;
    m->hostname = g_strdup(options->hostname);
    m->options.hostname = m->hostname;
    if (!m->options.session_seconds)
        m->options.session_seconds = MAPIHTTP_SESSION_SECONDS;
    if (!m->options.pending_seconds)
        m->options.pending_seconds = MAPIHTTP_PENDING_SECONDS;
    if (!m->options.wait_seconds)
        m->options.wait_seconds = MAPIHTTP_WAIT_SECONDS;
    contexts_init(
        &m->contexts, options->max_sessions ? options->max_sessions : MAPIHTTP_MAX_SESSIONS,
        options->max_user_sessions ? options->max_user_sessions : MAPIHTTP_MAX_USER_SESSIONS,
        m->options.session_seconds);
    if (options->net)
        m->timer = net_timer_new(options->net, MAPIHTTP_EXPIRE_MS, expire, m);
    *out = m;
    return EC_OK;
}

void mapihttp_add(struct mapihttp *m, struct http_server *server) {
    http_server_add(server, routes, m);
}

void mapihttp_free(struct mapihttp *m) {
    if (!m)
        return;
    net_timer_free(m->timer);
    contexts_clear(&m->contexts);
    g_free(m->hostname);
    g_free(m);
}

void mapihttp_stats(struct mapihttp *m, struct mapihttp_stats *out) {
    *out = (struct mapihttp_stats){
        .sessions = contexts_count(&m->contexts),
        .requests = atomic_load(&m->requests),
        .failures = atomic_load(&m->failures),
    };
}
