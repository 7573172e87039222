// A request as libmicrohttpd hands it over: its head, its body piece by piece, its end.
//
// Nothing here blocks: these functions run on the loop. An error that is known at the head is
// answered at once when the client waits with its body or the body is large, and the connection
// closes then; otherwise the body is read to its end first, because a connection that closes
// takes an NTLM login in progress with it.
#include <stdatomic.h>
#include <string.h>

#include "auth/auth.h"
#include "http/http_internal.h"

// --- Life ---

static struct http_request *request_new(struct http_server *s, struct http_conn *conn,
                                        const char *target) {
    struct http_request *r = g_new0(struct http_request, 1);
    r->refs = 1;
    r->server = s;
    r->conn = http_conn_ref(conn);
    r->id = ++s->next_id;
    r->started = g_get_monotonic_time();
    r->link.data = r;
    r->arena = arena_new();
    r->target = arena_strdup(r->arena, target);
    r->method = r->path = "";
    r->body.fd = -1;
    r->out_fields = g_array_new(FALSE, FALSE, sizeof(struct http_field));
    pthread_mutex_init(&r->lock, NULL);
    s->figures.requests++;
    pthread_mutex_lock(&s->lock);
    g_queue_push_tail_link(&s->requests, &r->link);
    pthread_mutex_unlock(&s->lock);
    return r;
}

struct http_request *http_request_ref(struct http_request *r) {
    r->refs++;
    return r;
}

bool http_request_try_ref(struct http_request *r) {
    int refs = r->refs;
    while (refs > 0)
        if (atomic_compare_exchange_weak(&r->refs, &refs, refs + 1))
            return true;
    return false;
}

void http_request_unref(struct http_request *r) {
    if (--r->refs > 0)
        return;
    struct http_server *s = r->server;
    http_body_clear(&r->body);
    http_output_clear(&r->out);
    for (unsigned i = 0; i < r->out_fields->len; i++) {
        struct http_field *f = &g_array_index(r->out_fields, struct http_field, i);
        g_free((char *)(uintptr_t)f->name);
        g_free((char *)(uintptr_t)f->value);
    }
    g_array_unref(r->out_fields);
    principal_unref(r->who);
    http_conn_unref(r->conn);
    arena_free(r->arena);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_lock(&s->lock);
    g_queue_unlink(&s->requests, &r->link);
    if (s->requests.length == 0)
        pthread_cond_broadcast(&s->request_ended);
    pthread_mutex_unlock(&s->lock);
    g_free(r);
}

void *http_on_target(void *server, const char *target, struct MHD_Connection *c) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_conn *conn = info != NULL ? info->socket_context : NULL;
    if (conn == NULL)
        return NULL;
    http_conn_allow(conn, HTTP_HEAD_SECONDS);
    struct http_request *r = request_new(server, conn, target);
    r->mhd = c;
    return r;
}

// --- The head ---

struct field_copy {
    struct http_request *r;
    GArray *fields;
};

static enum MHD_Result copy_field(void *data, enum MHD_ValueKind kind, const char *name,
                                  const char *value) {
    (void)kind;
    struct field_copy *copy = data;
    struct http_field f = {arena_strdup(copy->r->arena, name),
                           arena_strdup(copy->r->arena, value != NULL ? value : "")};
    g_array_append_val(copy->fields, f);
    return copy->fields->len < HTTP_FIELDS_MAX ? MHD_YES : MHD_NO;
}

static void copy_fields(struct http_request *r, struct MHD_Connection *c) {
    struct field_copy copy = {r, g_array_new(FALSE, FALSE, sizeof(struct http_field))};
    MHD_get_connection_values(c, MHD_HEADER_KIND, copy_field, &copy);
    r->n_fields = copy.fields->len;
    r->fields = arena_memdup(r->arena, copy.fields->data, r->n_fields * sizeof(struct http_field));
    g_array_unref(copy.fields);
}

// Whoever reads the length of a body in another way than a proxy before us takes one request for
// two. False: it can be read in two ways.
static bool read_length(struct http_request *r) {
    const char *length = NULL, *coding = NULL;
    for (unsigned i = 0; i < r->n_fields; i++) {
        const char **which = g_ascii_strcasecmp(r->fields[i].name, "Content-Length") == 0 ? &length
                             : g_ascii_strcasecmp(r->fields[i].name, "Transfer-Encoding") == 0
                                 ? &coding
                                 : NULL;
        if (which != NULL && *which != NULL)
            return false;
        if (which != NULL)
            *which = r->fields[i].value;
    }
    if (length != NULL && coding != NULL)
        return false;
    if (coding != NULL) {
        r->content_length = UINT64_MAX;
        return g_ascii_strcasecmp(coding, "chunked") == 0;
    }
    return length == NULL ||
           g_ascii_string_to_unsigned(length, 10, 0, G_MAXINT64, &r->content_length, NULL);
}

static bool has_word(const char *words, const char *word) {
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static void answer(struct http_request *r, unsigned status, const char *text) {
    http_fail(r, status, text);
    pthread_mutex_lock(&r->lock);
    r->is_complete = true;
    r->phase = HTTP_ANSWERED;
    pthread_mutex_unlock(&r->lock);
}

// Finds what is wrong with the request before its body; it is answered then.
static void judge(struct http_request *r) {
    const struct http_route *route;
    if (r->n_fields >= HTTP_FIELDS_MAX)
        return answer(r, 431, "Too many header fields.");
    if (!read_length(r))
        return answer(r, 400, "The length of the body is not clear.");
    if (!http_read_target(r))
        return answer(r, 400, "The address is not well-formed.");
    if (r->server->is_stopping)
        return answer(r, 503, "The server is stopping.");
    r->route = http_route_find(r->server, r->path);
    if (r->route == NULL)
        return answer(r, 404, "There is nothing here.");
    route = r->route->route;
    if (route->methods != NULL && !has_word(route->methods, r->method)) {
        g_auto(GStrv) methods = g_strsplit(route->methods, " ", -1);
        g_autofree char *allow = g_strjoinv(", ", methods);
        answer(r, 405, "This method is not for this address.");
        http_set_header(r, "Allow", allow);
        return;
    }
    if (r->content_length != UINT64_MAX && r->content_length > route->max_body)
        return answer(r, 413, "The body is too large.");
}

static bool waits_to_send(const struct http_request *r) {
    const char *expect = http_header(r, "Expect");
    return expect != NULL && g_ascii_strcasecmp(expect, "100-continue") == 0;
}

static bool has_large_body(const struct http_request *r) {
    return r->content_length > 0 && (waits_to_send(r) || (r->content_length != UINT64_MAX &&
                                                          r->content_length > HTTP_DRAIN_MAX));
}

static enum MHD_Result take_head(struct http_request *r, struct MHD_Connection *c,
                                 const char *method) {
    enum MHD_Result result = MHD_YES;
    r->method = arena_strdup(r->arena, method);
    copy_fields(r, c);
    judge(r);
    http_conn_allow(r->conn, r->content_length > 0 ? HTTP_BODY_SECONDS : 0);
    if (r->phase == HTTP_RECEIVING && has_large_body(r) && http_login_is_missing(r)) {
        http_ask_for_login(r);
        r->is_complete = true;
        r->phase = HTTP_ANSWERED;
    }
    pthread_mutex_lock(&r->lock);
    if (r->phase == HTTP_ANSWERED && has_large_body(r))
        result = http_queue_answer_locked(r);
    pthread_mutex_unlock(&r->lock);
    return result;
}

// --- The body ---

static uint64_t drain_max(const struct http_request *r) {
    // The next step of the login comes on this connection or not at all.
    return r->conn->exchange != NULL && r->route != NULL
               ? MAX(r->route->route->max_body, HTTP_DRAIN_MAX)
               : HTTP_DRAIN_MAX;
}

static void take_piece(struct http_request *r, const char *data, size_t len) {
    if (r->body.len + len > r->route->route->max_body)
        return answer(r, 413, "The body is too large.");
    switch (http_body_add(&r->body, r->server->spool_dir, data, len)) {
    case EC_OK:
        break;
    case EC_DISK_FULL:
        answer(r, 507, "There is no room for the body.");
        break;
    default:
        answer(r, 500, "The body could not be kept.");
    }
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t *len) {
    pthread_mutex_lock(&r->lock);
    bool is_answered = r->phase == HTTP_ANSWERED;
    bool logs_in = !is_answered && !r->has_login && r->body.len + *len > HTTP_BODY_IN_MEMORY;
    if (logs_in) { // before a stranger fills the disk
        http_suspend_locked(r);
        http_start_job_locked(r);
    }
    pthread_mutex_unlock(&r->lock);
    if (logs_in)
        return MHD_YES;
    r->server->figures.bytes_in += *len;
    if (is_answered) {
        http_body_drop(&r->body);
        r->drained += *len;
        if (r->drained > drain_max(r))
            return MHD_NO;
    } else {
        take_piece(r, data, *len);
    }
    int64_t spent = (g_get_monotonic_time() - r->started) / G_USEC_PER_SEC;
    int64_t given = HTTP_BODY_SECONDS + (int64_t)((r->body.len + r->drained) / HTTP_BODY_RATE);
    http_conn_allow(r->conn, (unsigned)MAX(given - spent, 1));
    *len = 0;
    return MHD_YES;
}

static enum MHD_Result take_end(struct http_request *r) {
    enum MHD_Result result = MHD_YES;
    http_conn_allow(r->conn, 0);
    pthread_mutex_lock(&r->lock);
    if (r->is_aborted)
        result = MHD_NO;
    else if (r->is_queued)
        result = MHD_YES;
    else if (r->is_begun || r->is_complete)
        result = http_queue_answer_locked(r);
    else {
        http_suspend_locked(r);
        if (r->phase == HTTP_RECEIVING) {
            r->is_received = true;
            http_start_job_locked(r);
        }
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

enum MHD_Result http_on_request(void *server, struct MHD_Connection *c, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *len, void **request) {
    (void)server, (void)url, (void)version;
    struct http_request *r = *request;
    if (r == NULL)
        return MHD_NO;
    if (!r->has_head) {
        r->has_head = true;
        return take_head(r, c, method);
    }
    return *len > 0 ? take_body(r, data, len) : take_end(r);
}

// --- The end ---

void http_on_completed(void *server, struct MHD_Connection *c, void **request,
                       enum MHD_RequestTerminationCode why) {
    (void)c, (void)why;
    struct http_server *s = server;
    struct http_request *r = *request;
    if (r == NULL)
        return;
    *request = NULL;
    pthread_mutex_lock(&r->lock);
    r->mhd = NULL;
    r->is_gone = true;
    r->is_suspended = false;
    if (r->phase == HTTP_PARKED)
        s->figures.parked--;
    if (r->phase != HTTP_RUNNING)
        r->phase = HTTP_ANSWERED;
    bool is_over = r->phase == HTTP_ANSWERED;
    bool was_answered = r->is_queued;
    http_output_clear(&r->out);
    pthread_mutex_unlock(&r->lock);
    s->figures.bytes_out += r->sent;
    if (was_answered) {
        s->figures.by_status[MIN(r->status / 100, 5)]++;
        access_log_add(s->access_log, r);
    }
    http_conn_allow(r->conn, s->idle_seconds);
    if (is_over)
        http_request_end(r);
    http_request_unref(r);
}
