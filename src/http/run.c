// Running a request's route: jobs on the workers of net/, one at a time a request, and what is
// between them.
//
// The last reference of libmicrohttpd and the last job may end in either order; whoever comes
// second calls the route's `close`.
#include "base/log.h"
#include "http/http_internal.h"
#include "net/net.h"

struct http_waker {
    _Atomic int refs;
    pthread_mutex_t lock;
    struct http_request *request; // NULL: it is over
};

// --- Jobs ---

static void answer_server_error(struct http_request *r, enum ec ec) {
    log_event(LOG_LEVEL_ERROR, "http.failed", "request", log_u64(r->id), "reason", ec_name(ec),
              NULL);
    http_fail(r, ec == EC_DISK_FULL ? 507 : 500, "The request could not be taken.");
}

// False: the answer is made already.
static bool prepare(struct http_request *r) {
    if (!r->has_login && !http_login(r))
        return false;
    r->has_login = true;
    return true;
}

// What `next` means for the request. True: the route goes on at once.
static bool settle(struct http_request *r, enum http_next next) {
    bool goes_on = false;
    pthread_mutex_lock(&r->lock);
    bool is_head = g_strcmp0(r->method, "HEAD") == 0;
    if (r->is_gone) {
        r->is_aborted = true;
        r->phase = HTTP_ANSWERED;
    } else if (next == HTTP_DONE || (is_head && next != HTTP_ABORT)) {
        r->is_complete = true;
        r->phase = HTTP_ANSWERED;
    } else if (next == HTTP_ABORT || r->server->is_cutting) {
        r->is_aborted = true;
        r->phase = HTTP_ANSWERED;
    } else if (next == HTTP_MORE) {
        r->is_begun = true;
        goes_on = r->out.pending <= HTTP_OUTPUT_LOW;
        if (!goes_on)
            r->phase = HTTP_DRAINING;
    } else {
        bool is_late = r->park_until != 0 && g_get_monotonic_time() >= r->park_until;
        goes_on = r->is_woken || is_late;
        r->is_woken = false;
        r->is_begun |= r->out.pending > 0;
        if (!goes_on) {
            r->phase = HTTP_PARKED;
            r->server->figures.parked++;
            if (r->park_until != 0)
                http_clock_add(r);
        }
    }
    http_kick_locked(r);
    pthread_mutex_unlock(&r->lock);
    return goes_on;
}

static void run_route(struct http_request *r) {
    const struct http_route *route = r->route->route;
    enum http_next next;
    do {
        r->park_until = 0;
        next = r->has_run ? route->resume(r, r->route->service) : route->run(r, r->route->service);
        r->has_run = true;
        g_assert(next == HTTP_DONE || next == HTTP_ABORT || route->resume != NULL);
    } while (settle(r, next));
}

// Logs in before a large body is taken; the loop goes on with that then.
static void job_login(struct http_request *r) {
    bool may = prepare(r);
    pthread_mutex_lock(&r->lock);
    r->phase = may && !r->is_gone ? HTTP_RECEIVING : HTTP_ANSWERED;
    if (!may)
        r->is_complete = true;
    if (r->is_suspended && r->mhd != NULL) {
        r->is_suspended = false;
        MHD_resume_connection(r->mhd);
    }
    pthread_mutex_unlock(&r->lock);
}

static void job(void *data) {
    struct http_request *r = data;
    http_clock_remove(r);
    if (!r->is_received) {
        job_login(r);
    } else {
        enum ec ec = http_body_finish(&r->body);
        if (ec != EC_OK) {
            answer_server_error(r, ec);
            settle(r, HTTP_DONE);
        } else if (!prepare(r)) {
            settle(r, HTTP_DONE);
        } else {
            run_route(r);
        }
    }
    pthread_mutex_lock(&r->lock);
    bool is_over = r->mhd == NULL && r->phase == HTTP_ANSWERED;
    pthread_mutex_unlock(&r->lock);
    if (is_over)
        http_request_end(r);
    http_request_unref(r);
}

void http_start_job_locked(struct http_request *r) {
    if (r->phase == HTTP_PARKED)
        r->server->figures.parked--;
    r->phase = HTTP_RUNNING;
    net_run(r->server->net, job, http_request_ref(r));
}

void http_request_wake(struct http_request *r) {
    pthread_mutex_lock(&r->lock);
    if (r->phase == HTTP_PARKED)
        http_start_job_locked(r);
    else
        r->is_woken = true;
    pthread_mutex_unlock(&r->lock);
}

// --- The end ---

static void close_job(void *data) {
    struct http_request *r = data;
    http_clock_remove(r);
    r->route->route->close(r, r->route->service);
    http_request_unref(r);
}

void http_request_drop(struct http_request *r) {
    pthread_mutex_lock(&r->lock);
    if (r->phase == HTTP_PARKED && r->mhd != NULL) {
        r->server->figures.parked--;
        r->phase = HTTP_ANSWERED;
        r->is_gone = r->is_aborted = true;
        http_kick_locked(r); // the loop closes the connection
    }
    pthread_mutex_unlock(&r->lock);
}

void http_request_end(struct http_request *r) {
    pthread_mutex_lock(&r->lock);
    bool closes = !r->is_closed && r->has_run && r->route->route->close != NULL;
    r->is_closed = true;
    struct http_waker *waker = r->waker;
    r->waker = NULL;
    pthread_mutex_unlock(&r->lock);
    if (waker != NULL) {
        pthread_mutex_lock(&waker->lock);
        waker->request = NULL;
        pthread_mutex_unlock(&waker->lock);
        http_waker_unref(waker);
    }
    if (closes)
        net_run(r->server->net, close_job, http_request_ref(r));
    else
        http_clock_remove(r);
}

// --- Parking ---

void http_park_until(struct http_request *r, int64_t monotonic_us) {
    r->park_until = monotonic_us;
}

struct http_waker *http_waker_ref(struct http_request *r) {
    pthread_mutex_lock(&r->lock);
    if (r->waker == NULL) {
        r->waker = g_new0(struct http_waker, 1);
        r->waker->refs = 1;
        r->waker->request = r;
        pthread_mutex_init(&r->waker->lock, NULL);
    }
    struct http_waker *w = http_waker_copy(r->waker);
    pthread_mutex_unlock(&r->lock);
    return w;
}

struct http_waker *http_waker_copy(struct http_waker *w) {
    w->refs++;
    return w;
}

void http_waker_unref(struct http_waker *w) {
    if (w == NULL || --w->refs > 0)
        return;
    pthread_mutex_destroy(&w->lock);
    g_free(w);
}

void http_wake(struct http_waker *w) {
    pthread_mutex_lock(&w->lock);
    if (w->request != NULL)
        http_request_wake(w->request);
    pthread_mutex_unlock(&w->lock);
}
