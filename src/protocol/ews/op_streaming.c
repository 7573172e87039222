// GetStreamingEvents ([MS-OXWSNTIF] 3.1.4.2): one connection for the news of many subscriptions.
// The request is parked, and woken with a list of the subscriptions that have news; each answer is
// a whole envelope.
#include <string.h>

#include "http/http.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/notify.h"

#define TIMEOUT_MAX 30                  // minutes
#define SUBSCRIPTIONS_MAX 5000          // of one connection
#define HEARTBEAT (45 * G_USEC_PER_SEC) // of a connection without news
#define ENVELOPE_NOTIFICATIONS 200      // subscriptions in one envelope

struct stream {
    struct notify *notify;
    struct guid user;
    struct listener *listener;
    GPtrArray *subscriptions; // referenced
    GQueue left;              // with news that did not go out yet; referenced
    struct arena *scratch;
    int64_t deadline, heartbeat; // monotonic µs
};

static void stream_free(struct stream *s) {
    if (!s)
        return;
    for (guint i = 0; s->listener && i < s->subscriptions->len; i++)
        subscription_detach(s->subscriptions->pdata[i], s->listener);
    if (s->listener)
        notify_stream_end(s->notify, &s->user);
    g_queue_clear_full(&s->left, (GDestroyNotify)subscription_unref);
    g_ptr_array_unref(s->subscriptions);
    listener_unref(s->listener);
    arena_free(s->scratch);
    g_free(s);
}

// --- Envelopes ---

static void beat(struct stream *s) {
    s->heartbeat = g_get_monotonic_time() + HEARTBEAT;
}

static void put_status(struct ews_call *call, bool is_closed) {
    ews_envelope_begin(call);
    ews_success(call);
    ews_element(call->w, "m:ConnectionStatus", is_closed ? "Closed" : "OK");
    ews_message_end(call);
    ews_envelope_end(call);
}

// An error about one subscription, or (NULL) about the connection.
static void put_error(struct ews_call *call, const char *code, const struct subscription *s) {
    struct ews_writer *w = call->w;
    ews_envelope_begin(call);
    ews_open(w, "m:GetStreamingEventsResponse");
    ews_open(w, "m:ResponseMessages");
    ews_open(w, "m:GetStreamingEventsResponseMessage");
    ews_put_result(call, ews_fail(call, code, NULL));
    if (s) {
        ews_open(w, "m:ErrorSubscriptionIds");
        ews_element(w, "t:SubscriptionId", s->name);
        ews_close(w);
    } else {
        ews_element(w, "m:ConnectionStatus", "Closed");
    }
    ews_envelope_end(call);
}

// The news of one subscription into the open envelope; false: it has to end.
static const char *put_news(struct ews_call *call, struct stream *stream, struct subscription *s) {
    uint64_t last;
    bool more;
    pthread_mutex_lock(&s->lock);
    uint64_t seen = s->seen;
    s->is_ready = false; // news from here on are told anew
    bool is_gone = s->is_gone;
    pthread_mutex_unlock(&s->lock);
    if (is_gone)
        return "ErrorSubscriptionUnsubscribed";
    if (mailbox_feed_last(s->feed) == seen)
        return NULL;
    enum ec ec = notify_write(call, s, "t:Notification", seen, false, &last, &more);
    if (ec == EC_OBJECT_DELETED)
        return "ErrorMissedNotificationEvents";
    if (ec != EC_OK)
        return "ErrorSubscriptionAccessDenied";
    mailbox_feed_forget(s->feed, last);
    pthread_mutex_lock(&s->lock);
    s->seen = last;
    pthread_mutex_unlock(&s->lock);
    if (more)
        g_queue_push_tail(&stream->left, subscription_ref(s));
    return NULL;
}

static void end_one(struct ews_call *call, struct stream *stream, struct subscription *s,
                    const char *code) {
    put_error(call, code, s);
    subscription_detach(s, stream->listener);
    if (strcmp(code, "ErrorSubscriptionUnsubscribed") != 0)
        notify_remove(s);
    g_ptr_array_remove_fast(stream->subscriptions, s);
}

// One envelope of what is waiting.
static void put_envelope(struct ews_call *call, struct stream *stream) {
    g_autoptr(GPtrArray) ended = g_ptr_array_new_with_free_func((GDestroyNotify)subscription_unref);
    g_autoptr(GPtrArray) codes = g_ptr_array_new();
    struct ews_mark before = ews_mark(call->w);
    ews_envelope_begin(call);
    ews_success(call);
    ews_open(call->w, "m:Notifications");
    struct ews_mark empty = ews_mark(call->w);
    unsigned n = MIN(g_queue_get_length(&stream->left), ENVELOPE_NOTIFICATIONS);
    for (unsigned i = 0; i < n; i++) {
        struct subscription *s = g_queue_pop_head(&stream->left);
        struct ews_mark one = ews_mark(call->w);
        const char *code = put_news(call, stream, s);
        if (code) {
            ews_rewind(call->w, one);
            g_ptr_array_add(ended, subscription_ref(s));
            g_ptr_array_add(codes, (gpointer)code);
        }
        subscription_unref(s);
    }
    bool has_any = ews_mark(call->w).len != empty.len;
    ews_close(call->w);
    ews_message_end(call);
    ews_envelope_end(call);
    if (!has_any)
        ews_rewind(call->w, before);
    for (guint i = 0; i < ended->len; i++)
        end_one(call, stream, ended->pdata[i], codes->pdata[i]);
    beat(stream);
}

// --- The connection ---

static bool take_ready(struct stream *stream) {
    struct listener *l = stream->listener;
    pthread_mutex_lock(&l->lock);
    for (guint i = 0; i < l->ready->len; i++)
        g_queue_push_tail(&stream->left, subscription_ref(l->ready->pdata[i]));
    g_ptr_array_set_size(l->ready, 0);
    bool is_replaced = l->is_replaced;
    pthread_mutex_unlock(&l->lock);
    return !is_replaced;
}

static int go_on(struct ews_call *call, struct stream *stream) {
    int64_t now = g_get_monotonic_time();
    if (!take_ready(stream)) {
        put_error(call, "ErrorNewEventStreamConnectionOpened", NULL);
        return HTTP_DONE;
    }
    // A client that does not read is not written to: its events wait in the feed, and are lost when
    // they are too many.
    bool is_full = http_output_pending(call->http) > HTTP_OUTPUT_LOW;
    if (!is_full && g_queue_get_length(&stream->left) > 0)
        put_envelope(call, stream);
    if (now >= stream->deadline || stream->subscriptions->len == 0 ||
        http_is_stopping(call->http)) {
        put_status(call, true);
        return HTTP_DONE;
    }
    if (now >= stream->heartbeat) {
        put_status(call, false);
        beat(stream);
    }
    http_park_until(call->http, MIN(stream->deadline, stream->heartbeat));
    return is_full || g_queue_get_length(&stream->left) > 0 ? HTTP_MORE : HTTP_PARK;
}

// What is allocated for one answer must not stay until the connection ends.
static int resume(struct ews_call *call, void *state) {
    struct stream *stream = state;
    struct arena *kept = call->arena;
    call->arena = stream->scratch;
    int next = go_on(call, stream);
    call->arena = kept;
    call->failure = (struct ews_failure){0};
    arena_reset(stream->scratch);
    return next;
}

static void close_stream(struct ews_call *call, void *state) {
    (void)call;
    stream_free(state);
}

// --- The request ---

static enum ec add_subscription(struct ews_call *call, struct stream *stream,
                                const struct ews_node *id, GPtrArray *bad) {
    const char *name = ews_text(call->arena, id);
    struct subscription *s = notify_find(stream->notify, name);
    if (!s || s->kind != NOTIFY_STREAMING || !guid_equal(&s->user, &call->principal->guid)) {
        g_ptr_array_add(bad, (gpointer)name);
        enum ec ec = ews_fail(call,
                              !s                            ? "ErrorSubscriptionNotFound"
                              : s->kind != NOTIFY_STREAMING ? "ErrorInvalidSubscription"
                                                            : "ErrorSubscriptionAccessDenied",
                              NULL);
        subscription_unref(s);
        return ec;
    }
    g_ptr_array_add(stream->subscriptions, s);
    return EC_OK;
}

static enum ec read_request(struct ews_call *call, struct stream *stream, GPtrArray *bad) {
    const struct ews_node *ids = ews_child(call->request, "SubscriptionIds");
    int64_t minutes = ews_child_int(call->request, "ConnectionTimeout", 0);
    enum ec ec = EC_OK;
    if (minutes < 1 || minutes > TIMEOUT_MAX)
        return ews_fail(call, "ErrorInvalidRequest", "ConnectionTimeout");
    if (!ids || !ids->child || ews_count(ids) > SUBSCRIPTIONS_MAX)
        return ews_fail(call, "ErrorInvalidRequest", "SubscriptionIds");
    stream->deadline = g_get_monotonic_time() + minutes * 60 * G_USEC_PER_SEC;
    for (const struct ews_node *id = ids->child; id; id = id->next) {
        enum ec one = add_subscription(call, stream, id, bad);
        ec = ec == EC_OK ? one : ec;
    }
    return ec;
}

// One wrong subscription ends all; the answer names those that are wrong.
static void refuse(struct ews_call *call, enum ec ec, const GPtrArray *bad) {
    struct ews_writer *w = call->w;
    ews_open(w, "m:GetStreamingEventsResponse");
    ews_open(w, "m:ResponseMessages");
    ews_open(w, "m:GetStreamingEventsResponseMessage");
    ews_put_result(call, ec);
    if (bad->len > 0) {
        ews_open(w, "m:ErrorSubscriptionIds");
        for (guint i = 0; i < bad->len; i++)
            ews_element(w, "t:SubscriptionId", bad->pdata[i]);
        ews_close(w);
    }
    ews_element(w, "m:ConnectionStatus", "Closed");
    ews_close(w);
    ews_close(w);
    ews_close(w);
    call->n_messages++;
    call->n_errors++;
}

static enum ec begin(struct ews_call *call, struct stream *stream) {
    struct ews_stream over = {
        .resume = resume, .close = close_stream, .state = stream, .next = HTTP_PARK};
    if (!call->http)
        return ews_fail(call, "ErrorInvalidOperation", "Streaming needs a connection.");
    if (!notify_stream_begin(stream->notify, &stream->user))
        return ews_fail(call, "ErrorExceededConnectionCount", NULL);
    stream->listener = listener_new(http_waker_ref(call->http));
    EC_TRY(ews_take_over(call, &over));
    for (guint i = 0; i < stream->subscriptions->len; i++)
        subscription_attach(stream->subscriptions->pdata[i], stream->listener);
    ews_success(call);
    ews_element(call->w, "m:ConnectionStatus", "OK");
    ews_message_end(call);
    beat(stream);
    http_park_until(call->http, MIN(stream->deadline, stream->heartbeat));
    return EC_OK;
}

enum ec op_get_streaming_events(struct ews_call *call) {
    g_autoptr(GPtrArray) bad = g_ptr_array_new();
    struct stream *stream = g_new0(struct stream, 1);
    stream->notify = notify_of(call->service);
    stream->user = call->principal->guid;
    stream->subscriptions = g_ptr_array_new_with_free_func((GDestroyNotify)subscription_unref);
    stream->scratch = arena_new();
    enum ec ec = read_request(call, stream, bad);
    if (ec == EC_OK)
        ec = begin(call, stream);
    if (ec == EC_OK)
        return EC_OK;
    // Taken over, the call frees it.
    if (!call->stream)
        stream_free(stream);
    if (bad->len == 0)
        return ec;
    refuse(call, ec, bad);
    return EC_OK;
}
