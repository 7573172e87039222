// NotificationWait: a request that is parked until its session has something to tell
// ([MS-OXCMAPIHTTP] 2.2.4.4, 3.2.5.5). It holds no thread; the session wakes it.
#include "mapihttp/mapihttp_internal.h"

// Makes this the request that is woken. Only one waits: the one before is told that it no longer
// does, and answers that there is nothing.
static void take_turn(struct exchange *x) {
    struct context *context = x->context;
    pthread_mutex_lock(&context->wake_lock);
    struct http_waker *old = context->waker;
    context->waker = http_waker_ref(x->r);
    x->turn = ++context->turn;
    if (old)
        http_wake(old);
    pthread_mutex_unlock(&context->wake_lock);
    http_waker_unref(old);
}

static bool has_turn(struct exchange *x) {
    pthread_mutex_lock(&x->context->wake_lock);
    bool has = x->turn == x->context->turn;
    pthread_mutex_unlock(&x->context->wake_lock);
    return has;
}

static void finish_body(struct exchange *x, bool is_pending) {
    wire_put_u32(&x->out, 0);
    wire_put_u32(&x->out, EC_OK);
    wire_put_u32(&x->out, is_pending ? 1 : 0);
    aux_put_none(&x->out);
}

static void park(struct exchange *x) {
    http_park_until(x->r, MIN(x->pending_us, x->wait_until_us));
}

enum response_code run_notification_wait(struct exchange *x) {
    struct aux_in aux;
    wire_skip(&x->body, 4); // Flags
    if (!aux_read(&x->body, x->arena, &aux) || !wire_ok(&x->body))
        return RESPONSE_INVALID_BODY;
    int64_t now = g_get_monotonic_time();
    x->wait_until_us = now + (int64_t)x->m->options.wait_seconds * G_USEC_PER_SEC;
    x->pending_us = now + (int64_t)x->m->options.pending_seconds * G_USEC_PER_SEC;
    exchange_begin(x, true);
    // First the waker, then the look: what comes between is not missed.
    take_turn(x);
    if (rop_session_has_events(x->context->rop)) {
        finish_body(x, true);
        return RESPONSE_SUCCESS;
    }
    park(x);
    return RESPONSE_WAITING;
}

enum http_next wait_resume(struct exchange *x) {
    int64_t now = g_get_monotonic_time();
    if (context_is_gone(&x->m->contexts, x->context))
        return exchange_finish(x, RESPONSE_CONTEXT_NOT_FOUND);
    bool has_events = rop_session_has_events(x->context->rop);
    if (has_events || now >= x->wait_until_us || !has_turn(x) || http_is_stopping(x->r)) {
        finish_body(x, has_events);
        return exchange_finish(x, RESPONSE_SUCCESS);
    }
    if (now >= x->pending_us) {
        exchange_pending(x);
        x->pending_us = now + (int64_t)x->m->options.pending_seconds * G_USEC_PER_SEC;
    }
    park(x);
    return HTTP_PARK;
}
