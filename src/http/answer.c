// The answer: what a route writes, and how libmicrohttpd gets it.
//
// The connection is suspended while there is nothing for the loop to send. Whoever adds something
// (a worker) resumes it.
#include <string.h>

#include "http/http_internal.h"

// --- For routes ---

void http_set_status(struct http_request *r, unsigned status) {
    r->status = status;
}

static bool is_field(const char *name, const char *value) {
    return name[strcspn(name, " \t\r\n:")] == '\0' && value[strcspn(value, "\r\n")] == '\0';
}

void http_add_header(struct http_request *r, const char *name, const char *value) {
    if (!is_field(name, value))
        return;
    struct http_field f = {g_strdup(name), g_strdup(value)};
    g_array_append_val(r->out_fields, f);
}

void http_set_header(struct http_request *r, const char *name, const char *value) {
    for (unsigned i = r->out_fields->len; i-- > 0;) {
        struct http_field *f = &g_array_index(r->out_fields, struct http_field, i);
        if (g_ascii_strcasecmp(f->name, name) != 0)
            continue;
        g_free((char *)(uintptr_t)f->name);
        g_free((char *)(uintptr_t)f->value);
        g_array_remove_index(r->out_fields, i);
    }
    http_add_header(r, name, value);
}

void http_write(struct http_request *r, const void *data, size_t len) {
    pthread_mutex_lock(&r->lock);
    if (!r->is_gone)
        http_output_add(&r->out, data, len);
    pthread_mutex_unlock(&r->lock);
}

void http_write_str(struct http_request *r, const char *s) {
    http_write(r, s, strlen(s));
}

void http_write_bytes(struct http_request *r, GBytes *bytes) {
    pthread_mutex_lock(&r->lock);
    if (!r->is_gone)
        http_output_add_bytes(&r->out, bytes);
    pthread_mutex_unlock(&r->lock);
}

void http_flush(struct http_request *r) {
    pthread_mutex_lock(&r->lock);
    r->is_begun = true;
    http_kick_locked(r);
    pthread_mutex_unlock(&r->lock);
}

size_t http_output_pending(const struct http_request *r) {
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&r->lock;
    pthread_mutex_lock(lock);
    size_t pending = r->out.pending;
    pthread_mutex_unlock(lock);
    return pending;
}

bool http_is_gone(const struct http_request *r) {
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&r->lock;
    pthread_mutex_lock(lock);
    bool is_gone = r->is_gone;
    pthread_mutex_unlock(lock);
    return is_gone;
}

enum http_next http_fail(struct http_request *r, unsigned status, const char *text) {
    http_set_status(r, status);
    http_set_header(r, "Content-Type", "text/plain; charset=utf-8");
    pthread_mutex_lock(&r->lock);
    if (!r->is_begun)
        http_output_clear(&r->out);
    pthread_mutex_unlock(&r->lock);
    http_write_str(r, text);
    http_write_str(r, "\n");
    return HTTP_DONE;
}

// --- For the loop ---

void http_suspend_locked(struct http_request *r) {
    r->is_suspended = true;
    MHD_suspend_connection(r->mhd);
}

void http_kick_locked(struct http_request *r) {
    bool has_more =
        r->is_aborted || r->is_complete || (r->is_queued ? r->out.pending > 0 : r->is_begun);
    if (r->mhd == NULL || !r->is_suspended || !has_more)
        return;
    r->is_suspended = false;
    MHD_resume_connection(r->mhd);
}

static ssize_t on_read(void *data, uint64_t at, char *buffer, size_t max) {
    (void)at;
    struct http_request *r = data;
    pthread_mutex_lock(&r->lock);
    ssize_t n = (ssize_t)http_output_take(&r->out, buffer, max);
    r->sent += (uint64_t)n;
    if (r->is_aborted || r->server->is_cutting)
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    else if (n == 0 && r->is_complete)
        n = MHD_CONTENT_READER_END_OF_STREAM;
    else if (n == 0)
        http_suspend_locked(r);
    if (r->phase == HTTP_DRAINING && r->out.pending <= HTTP_OUTPUT_LOW)
        http_start_job_locked(r);
    pthread_mutex_unlock(&r->lock);
    return n;
}

static struct MHD_Response *make_response(struct http_request *r) {
    if (!r->is_complete)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_BLOCK_MAX, on_read, r,
                                                 NULL);
    size_t len = r->out.pending;
    if (len > HTTP_BLOCK_MAX)
        return MHD_create_response_from_callback(len, HTTP_BLOCK_MAX, on_read, r, NULL);
    void *block = malloc(len + 1); // freed by libmicrohttpd
    if (block == NULL)
        return NULL;
    http_output_take(&r->out, block, len);
    r->sent = len;
    return MHD_create_response_from_buffer(len, block, MHD_RESPMEM_MUST_FREE);
}

enum MHD_Result http_queue_answer_locked(struct http_request *r) {
    struct MHD_Response *response = make_response(r);
    if (response == NULL)
        return MHD_NO;
    if (r->status == 0)
        r->status = 200;
    MHD_add_response_header(response, "Server", r->server->server_name);
    for (unsigned i = 0; i < r->out_fields->len; i++) {
        const struct http_field *f = &g_array_index(r->out_fields, struct http_field, i);
        MHD_add_response_header(response, f->name, f->value);
    }
    if (r->server->is_stopping)
        MHD_add_response_header(response, "Connection", "close");
    r->is_queued = true;
    enum MHD_Result result = MHD_queue_response(r->mhd, r->status, response);
    MHD_destroy_response(response);
    return result;
}
