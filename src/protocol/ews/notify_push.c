// Push notifications ([MS-OXWSPSNTIF]): SendNotification posted to the URL of a subscription, by
// one thread for all of them over curl's multi interface.
//
// One notification of a subscription is on its way at a time. What the client did not take is sent
// again, after a while that doubles; when nothing was taken for as long as StatusFrequency says (at
// least ten minutes), the subscription ends.
#include <curl/curl.h>
#include <string.h>

#include "base/log.h"
#include "protocol/ews/notify.h"

#define CONNECT_SECONDS 15L
#define SEND_SECONDS 60L
#define SENDING_MAX 64         // notifications on their way at once
#define ANSWER_MAX (64 * 1024) // bytes
#define RETRY_FIRST (5 * G_USEC_PER_SEC)
#define GIVE_UP_MIN (600 * G_USEC_PER_SEC)
#define MINUTE (60 * G_USEC_PER_SEC)
#define ENVELOPE_MAX (1024 * 1024)
#define IDLE_MS 30000 // between looks for what is due, without news

struct pusher {
    struct ews_service *service;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock; // of what follows
    bool is_ending;
    GQueue queue;            // with something to send; referenced
    GPtrArray *all;          // every push subscription seen; referenced. Only of the thread
    GPtrArray *on_their_way; // struct sending *. Only of the thread
};

// One notification on its way.
struct sending {
    struct subscription *s;
    CURL *easy;
    struct curl_slist *headers;
    GBytes *body;
    GByteArray *answer;
    uint64_t last; // the newest event in it
    bool more;
};

static void sending_free(struct sending *o) {
    curl_easy_cleanup(o->easy);
    curl_slist_free_all(o->headers);
    g_bytes_unref(o->body);
    g_byte_array_unref(o->answer);
    subscription_unref(o->s);
    g_free(o);
}

// --- What is sent ---

static const struct ews_operation send_notification = {
    .name = "SendNotification",
    .answer = EWS_ANSWER_MESSAGES,
    .response = "m:SendNotification",
    .message = "m:SendNotificationResponseMessage",
};

static enum ec write_body(struct pusher *p, struct sending *o, uint64_t seen) {
    struct ews_call call = {
        .service = p->service,
        .arena = arena_new(),
        .principal = o->s->who,
        .login = o->s->who,
        .version = o->s->version,
        .operation = &send_notification,
        .w = ews_writer_new(ENVELOPE_MAX),
    };
    ews_envelope_begin(&call);
    ews_success(&call);
    enum ec ec = notify_write(&call, o->s, "m:Notification", seen, true, &o->last, &o->more);
    ews_message_end(&call);
    ews_envelope_end(&call);
    if (ec == EC_OK && !ews_writer_ok(call.w))
        ec = EC_TOO_COMPLEX;
    o->body = ews_writer_take(call.w);
    ews_writer_free(call.w);
    arena_free(call.arena);
    return ec;
}

static size_t on_answer(char *data, size_t size, size_t n, void *ctx) {
    struct sending *o = ctx;
    if (o->answer->len + size * n > ANSWER_MAX)
        return 0; // curl gives up
    g_byte_array_append(o->answer, (const guint8 *)data, (guint)(size * n));
    return size * n;
}

static bool prepare(struct sending *o) {
    gsize len;
    const void *data = g_bytes_get_data(o->body, &len);
    o->easy = curl_easy_init();
    if (!o->easy)
        return false;
    o->headers = curl_slist_append(NULL, "Content-Type: text/xml; charset=utf-8");
    o->headers = curl_slist_append(
        o->headers, "SOAPAction: \"http://schemas.microsoft.com/exchange/services/2006/messages/"
                    "SendNotification\"");
    o->headers = curl_slist_append(o->headers, "Expect:");
    curl_easy_setopt(o->easy, CURLOPT_URL, o->s->push.url);
    curl_easy_setopt(o->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(o->easy, CURLOPT_FOLLOWLOCATION, 0L); // nobody sends us anywhere else
    curl_easy_setopt(o->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(o->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(o->easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(o->easy, CURLOPT_TIMEOUT, SEND_SECONDS);
    curl_easy_setopt(o->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(o->easy, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(o->easy, CURLOPT_POSTFIELDS, data);
    curl_easy_setopt(o->easy, CURLOPT_HTTPHEADER, o->headers);
    curl_easy_setopt(o->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(o->easy, CURLOPT_WRITEDATA, o);
    curl_easy_setopt(o->easy, CURLOPT_PRIVATE, o);
    return true;
}

// --- What the client says ---

// "OK", "Unsubscribe" or NULL: no answer that makes sense.
static const char *read_status(struct arena *arena, const struct sending *o) {
    struct ews_node *root;
    if (ews_node_parse(arena, o->answer->data, o->answer->len, &root, NULL) != EC_OK ||
        !ews_is(root, "Envelope"))
        return NULL;
    return ews_child_text(arena, root, "Body/SendNotificationResult/SubscriptionStatus");
}

static void on_taken(struct sending *o) {
    struct subscription *s = o->s;
    mailbox_feed_forget(s->feed, o->last);
    pthread_mutex_lock(&s->lock);
    s->seen = o->last;
    s->push.n_failures = 0;
    s->push.failing_since = 0;
    s->push.due = o->more ? 0 : g_get_monotonic_time() + s->push.minutes * MINUTE;
    pthread_mutex_unlock(&s->lock);
}

// False: for too long.
static bool on_failed(struct sending *o) {
    struct subscription *s = o->s;
    int64_t now = g_get_monotonic_time();
    pthread_mutex_lock(&s->lock);
    int64_t limit = MAX(s->push.minutes * MINUTE, GIVE_UP_MIN);
    if (!s->push.failing_since)
        s->push.failing_since = now;
    int64_t wait = RETRY_FIRST << MIN(s->push.n_failures, 12u);
    s->push.n_failures++;
    s->push.due = now + MIN(wait, limit);
    s->push.has_news = false; // it waits for `due`
    bool goes_on = now - s->push.failing_since < limit;
    pthread_mutex_unlock(&s->lock);
    return goes_on;
}

static void end(struct subscription *s, const char *why) {
    log_event(LOG_LEVEL_INFO, "ews.push.end", "user", s->who->address, "why", why, NULL);
    notify_remove(s);
}

static void drop(struct pusher *p, struct sending *o) {
    g_ptr_array_remove_fast(p->on_their_way, o);
    curl_multi_remove_handle(p->multi, o->easy);
    sending_free(o);
}

static void finish(struct pusher *p, struct sending *o, CURLcode result) {
    ARENA_AUTO arena = arena_new();
    long status = 0;
    curl_easy_getinfo(o->easy, CURLINFO_RESPONSE_CODE, &status);
    const char *said = result == CURLE_OK && status == 200 ? read_status(arena, o) : NULL;
    if (said && strcmp(said, "OK") == 0)
        on_taken(o);
    else if (said && strcmp(said, "Unsubscribe") == 0)
        end(o->s, "unsubscribed");
    else if (!on_failed(o))
        end(o->s, "unreachable");
    pthread_mutex_lock(&o->s->lock);
    o->s->push.is_sending = false;
    pthread_mutex_unlock(&o->s->lock);
    drop(p, o);
}

// --- The thread ---

static void send_one(struct pusher *p, struct subscription *s) {
    struct sending *o = g_new0(struct sending, 1);
    pthread_mutex_lock(&s->lock);
    uint64_t seen = s->seen;
    s->push.has_news = false;
    s->push.is_sending = true;
    pthread_mutex_unlock(&s->lock);
    o->s = subscription_ref(s);
    o->answer = g_byte_array_new();
    enum ec ec = write_body(p, o, seen);
    if (ec == EC_OK && prepare(o) && curl_multi_add_handle(p->multi, o->easy) == CURLM_OK) {
        g_ptr_array_add(p->on_their_way, o);
        return;
    }
    // Events were lost, or may not be seen any more: a client that hears nothing asks again.
    end(s, ec == EC_OK ? "no memory" : ec_text(ec));
    sending_free(o);
}

// Whether something is to be sent now; otherwise when.
static bool is_due(struct subscription *s, int64_t now, int64_t *next) {
    pthread_mutex_lock(&s->lock);
    bool has_failed = s->push.failing_since != 0;
    bool due = !s->push.is_sending && ((s->push.has_news && !has_failed) || s->push.due <= now);
    if (!s->push.is_sending)
        *next = MIN(*next, s->push.due);
    pthread_mutex_unlock(&s->lock);
    return due;
}

static void take_queue(struct pusher *p) {
    struct subscription *s;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        s = g_queue_pop_head(&p->queue);
        pthread_mutex_unlock(&p->lock);
        if (!s)
            return;
        pthread_mutex_lock(&s->lock);
        s->push.is_queued = false;
        pthread_mutex_unlock(&s->lock);
        if (!g_ptr_array_find(p->all, s, NULL))
            g_ptr_array_add(p->all, subscription_ref(s));
        subscription_unref(s);
    }
}

// Sends what is due; gives the milliseconds until more is.
static int send_due(struct pusher *p) {
    int64_t now = g_get_monotonic_time(), next = now + (int64_t)IDLE_MS * 1000;
    for (guint i = 0; i < p->all->len;) {
        struct subscription *s = p->all->pdata[i];
        pthread_mutex_lock(&s->lock);
        bool is_over = s->is_gone && !s->push.is_sending;
        pthread_mutex_unlock(&s->lock);
        if (is_over) {
            g_ptr_array_remove_index_fast(p->all, i);
            continue;
        }
        if (is_due(s, now, &next) && p->on_their_way->len < SENDING_MAX)
            send_one(p, s);
        i++;
    }
    return (int)CLAMP((next - now) / 1000, 10, IDLE_MS);
}

static void collect(struct pusher *p) {
    int n, running;
    CURLMsg *m;
    curl_multi_perform(p->multi, &running);
    while ((m = curl_multi_info_read(p->multi, &n))) {
        struct sending *o = NULL;
        CURLcode result = m->data.result;
        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &o) == CURLE_OK && o)
            finish(p, o, result);
    }
}

static void *run(void *ctx) {
    struct pusher *p = ctx;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        bool is_ending = p->is_ending;
        pthread_mutex_unlock(&p->lock);
        if (is_ending)
            return NULL;
        take_queue(p);
        collect(p);
        int wait = send_due(p);
        collect(p);
        curl_multi_poll(p->multi, NULL, 0, wait, NULL);
    }
}

struct pusher *pusher_new(struct ews_service *service) {
    struct pusher *p = g_new0(struct pusher, 1);
    p->service = service;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    p->multi = curl_multi_init();
    p->on_their_way = g_ptr_array_new();
    p->all = g_ptr_array_new_with_free_func((GDestroyNotify)subscription_unref);
    pthread_mutex_init(&p->lock, NULL);
    pthread_create(&p->thread, NULL, run, p);
    return p;
}

void pusher_free(struct pusher *p) {
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    pthread_mutex_unlock(&p->lock);
    curl_multi_wakeup(p->multi);
    pthread_join(p->thread, NULL);
    while (p->on_their_way->len > 0)
        drop(p, p->on_their_way->pdata[0]);
    g_ptr_array_unref(p->on_their_way);
    g_queue_clear_full(&p->queue, (GDestroyNotify)subscription_unref);
    g_ptr_array_unref(p->all);
    curl_multi_cleanup(p->multi);
    pthread_mutex_destroy(&p->lock);
    g_free(p);
}

void pusher_wake(struct pusher *p, struct subscription *s) {
    pthread_mutex_lock(&s->lock);
    s->push.has_news = true;
    bool is_new = !s->push.is_queued;
    s->push.is_queued = true;
    pthread_mutex_unlock(&s->lock);
    if (!is_new)
        return;
    pthread_mutex_lock(&p->lock);
    g_queue_push_tail(&p->queue, subscription_ref(s));
    pthread_mutex_unlock(&p->lock);
    curl_multi_wakeup(p->multi);
}
