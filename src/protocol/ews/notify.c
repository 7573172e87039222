// The subscriptions of the service: a table by name, how long each lives, who is told.
#include "protocol/ews/notify.h"

#include <string.h>

#include "http/http.h"
#include "mailbox/archive.h"

#define SWEEP_EVERY (30 * G_USEC_PER_SEC)
#define MINUTE (60 * G_USEC_PER_SEC)

struct notify {
    struct ews_service *service;
    pthread_mutex_t lock; // of what follows
    GHashTable *by_name;  // name -> subscription, referenced
    GHashTable *by_user;  // guid -> how many subscriptions
    GHashTable *streams;  // guid -> how many connections
    int64_t swept;
    struct pusher *pusher;
};

static guint guid_hash(gconstpointer data) {
    guint32 h;
    memcpy(&h, ((const struct guid *)data)->bytes, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

static GHashTable *counters_new(void) {
    return g_hash_table_new_full(guid_hash, guid_same, g_free, NULL);
}

static unsigned counter_get(GHashTable *t, const struct guid *user) {
    return GPOINTER_TO_UINT(g_hash_table_lookup(t, user));
}

static void counter_add(GHashTable *t, const struct guid *user, int by) {
    unsigned n = (unsigned)((int)counter_get(t, user) + by);
    if (n == 0)
        g_hash_table_remove(t, user);
    else
        g_hash_table_replace(t, g_memdup2(user, sizeof *user), GUINT_TO_POINTER(n));
}

// --- The service's part ---

static void *notify_make(struct ews_service *s) {
    struct notify *n = g_new0(struct notify, 1);
    n->service = s;
    pthread_mutex_init(&n->lock, NULL);
    n->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    n->by_user = counters_new();
    n->streams = counters_new();
    return n;
}

static void notify_free(void *value) {
    struct notify *n = value;
    for (;;) { // afterwards nobody wakes the pusher

        GHashTableIter iter;
        gpointer s = NULL;
        pthread_mutex_lock(&n->lock);
        g_hash_table_iter_init(&iter, n->by_name);
        bool any = g_hash_table_iter_next(&iter, NULL, &s);
        if (any)
            subscription_ref(s);
        pthread_mutex_unlock(&n->lock);
        if (!any)
            break;
        notify_remove(s);
        subscription_unref(s);
    }
    pusher_free(n->pusher);
    g_hash_table_unref(n->by_name);
    g_hash_table_unref(n->by_user);
    g_hash_table_unref(n->streams);
    pthread_mutex_destroy(&n->lock);
    g_free(n);
}

struct notify *notify_of(struct ews_service *s) {
    return ews_slot_make(s, EWS_SLOT_NOTIFY, notify_make, notify_free);
}

struct pusher *notify_pusher(struct notify *n) {
    pthread_mutex_lock(&n->lock);
    if (!n->pusher)
        n->pusher = pusher_new(n->service);
    struct pusher *p = n->pusher;
    pthread_mutex_unlock(&n->lock);
    return p;
}

unsigned notify_count(struct notify *n) {
    pthread_mutex_lock(&n->lock);
    unsigned count = g_hash_table_size(n->by_name);
    pthread_mutex_unlock(&n->lock);
    return count;
}

// --- News, on the committing thread ---

static void on_news(void *ctx) {
    struct subscription *s = ctx;
    struct listener *l = NULL;
    if (s->kind == NOTIFY_PUSH) {
        pusher_wake(notify_pusher(s->notify), s);
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (s->listener && !s->is_ready) {
        s->is_ready = true;
        l = listener_ref(s->listener);
    }
    pthread_mutex_unlock(&s->lock);
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    g_ptr_array_add(l->ready, subscription_ref(s));
    pthread_mutex_unlock(&l->lock);
    http_wake(l->waker);
    listener_unref(l);
}

// --- A subscription ---

struct subscription *subscription_ref(struct subscription *s) {
    g_atomic_int_inc(&s->refs);
    return s;
}

// The last reference may be let go on a committing thread, with watches locked; so the feed's watch
// has ended before (notify_remove).
void subscription_unref(struct subscription *s) {
    if (!s || !g_atomic_int_dec_and_test(&s->refs))
        return;
    mailbox_feed_free(s->feed);
    g_free(s->push.url);
    g_free(s->push.caller_data);
    mailbox_close(s->mailbox.m);
    principal_unref(s->who);
    pthread_mutex_destroy(&s->lock);
    g_free(s);
}

static enum ec open_mailbox(struct subscription *s, struct mailbox_service *service) {
    struct guid owner;
    if (s->mailbox.is_public)
        return mailbox_open_public(service, s->who, &s->mailbox.m);
    if (s->mailbox.is_archive) {
        EC_TRY(mailbox_archive_owner(service, &s->mailbox.guid, &owner));
        return mailbox_open_archive(service, s->who, &owner, &s->mailbox.m);
    }
    return mailbox_open(service, s->who, &s->mailbox.guid, &s->mailbox.m);
}

static void make_name(struct subscription *s) {
    s->id = guid_new();
    g_autofree char *text = g_base64_encode(s->id.bytes, sizeof s->id.bytes);
    g_strlcpy(s->name, text, sizeof s->name);
}

static int64_t lifetime(const struct subscription *s) {
    unsigned minutes = s->kind == NOTIFY_PULL        ? s->minutes
                       : s->kind == NOTIFY_STREAMING ? NOTIFY_STREAM_IDLE
                                                     : 0;
    return minutes ? g_get_monotonic_time() + minutes * MINUTE : INT64_MAX;
}

void subscription_touch(struct subscription *s) {
    pthread_mutex_lock(&s->lock);
    s->expires = lifetime(s);
    pthread_mutex_unlock(&s->lock);
}

static bool is_expired(struct subscription *s, int64_t now) {
    pthread_mutex_lock(&s->lock);
    bool expired = s->expires < now && !s->listener;
    pthread_mutex_unlock(&s->lock);
    return expired;
}

// Those that nobody asked for in their time go.
static void sweep(struct notify *n) {
    g_autoptr(GPtrArray) old = g_ptr_array_new();
    GHashTableIter iter;
    gpointer s;
    int64_t now = g_get_monotonic_time();
    pthread_mutex_lock(&n->lock);
    if (now - n->swept > SWEEP_EVERY) {
        n->swept = now;
        g_hash_table_iter_init(&iter, n->by_name);
        while (g_hash_table_iter_next(&iter, NULL, &s))
            if (is_expired(s, now))
                g_ptr_array_add(old, subscription_ref(s));
    }
    pthread_mutex_unlock(&n->lock);
    for (guint i = 0; i < old->len; i++) {
        notify_remove(old->pdata[i]);
        subscription_unref(old->pdata[i]);
    }
}

static bool enlist(struct notify *n, struct subscription *s) {
    pthread_mutex_lock(&n->lock);
    bool has_room = counter_get(n->by_user, &s->user) < NOTIFY_PER_USER &&
                    g_hash_table_size(n->by_name) < NOTIFY_MAX;
    if (has_room) {
        g_hash_table_insert(n->by_name, s->name, subscription_ref(s));
        counter_add(n->by_user, &s->user, 1);
    }
    pthread_mutex_unlock(&n->lock);
    return has_room;
}

static enum ec start(struct ews_call *call, struct subscription *s,
                     const struct subscription_spec *spec) {
    // Free/busy changes are changes of appointments.
    unsigned kinds =
        spec->kinds | (spec->wants_free_busy ? MAILBOX_EVENT_CREATED | MAILBOX_EVENT_DELETED |
                                                   MAILBOX_EVENT_MODIFIED | MAILBOX_EVENT_MOVED
                                             : 0u);
    struct mailbox_feed_spec feed = {.fids = spec->fids,
                                     .n_fids = spec->n_fids,
                                     .kinds = kinds,
                                     .wake = s->kind == NOTIFY_PULL ? NULL : on_news,
                                     .ctx = s};
    EC_TRY(ews_fail_folder(call, open_mailbox(s, ews_mailboxes(call))));
    enum ec ec = mailbox_feed_new(s->mailbox.m, &feed, &s->feed);
    if (ec == EC_ACCESS_DENIED)
        return ews_fail(call, "ErrorSubscriptionAccessDenied", NULL);
    EC_TRY(ews_fail_folder(call, ec));
    return enlist(s->notify, s) ? EC_OK : ews_fail(call, "ErrorExceededSubscriptionCount", NULL);
}

enum ec subscription_new(struct ews_call *call, const struct subscription_spec *spec,
                         struct subscription **out) {
    struct subscription *s = g_new0(struct subscription, 1);
    s->refs = 1;
    s->notify = notify_of(call->service);
    s->kind = spec->kind;
    s->who = principal_ref(call->principal);
    s->user = call->principal->guid;
    s->version = call->version;
    s->mailbox = *spec->mailbox;
    s->mailbox.m = NULL;
    s->kinds = spec->kinds;
    s->wants_free_busy = spec->wants_free_busy;
    s->minutes = spec->minutes;
    s->push.url = g_strdup(spec->url);
    s->push.caller_data = g_strdup(spec->caller_data);
    s->push.minutes = spec->minutes;
    pthread_mutex_init(&s->lock, NULL);
    make_name(s);
    s->expires = lifetime(s);
    sweep(s->notify);
    enum ec ec = start(call, s, spec);
    if (ec != EC_OK) {
        subscription_unref(s);
        return ec;
    }
    *out = s;
    return EC_OK;
}

struct subscription *notify_find(struct notify *n, const char *name) {
    sweep(n);
    pthread_mutex_lock(&n->lock);
    struct subscription *s = g_hash_table_lookup(n->by_name, name);
    if (s)
        subscription_ref(s);
    pthread_mutex_unlock(&n->lock);
    if (s && is_expired(s, g_get_monotonic_time())) {
        notify_remove(s);
        subscription_unref(s);
        return NULL;
    }
    return s;
}

void notify_remove(struct subscription *s) {
    struct notify *n = s->notify;
    pthread_mutex_lock(&n->lock);
    bool was_there = g_hash_table_remove(n->by_name, s->name);
    if (was_there)
        counter_add(n->by_user, &s->user, -1);
    pthread_mutex_unlock(&n->lock);
    if (!was_there)
        return;
    pthread_mutex_lock(&s->lock);
    s->is_gone = true;
    struct listener *l = s->listener ? listener_ref(s->listener) : NULL;
    pthread_mutex_unlock(&s->lock);
    // What it holds stays readable for whoever is reading.
    mailbox_feed_stop(s->feed);
    if (l) {
        pthread_mutex_lock(&l->lock);
        g_ptr_array_add(l->ready, subscription_ref(s));
        pthread_mutex_unlock(&l->lock);
        http_wake(l->waker);
        listener_unref(l);
    }
    subscription_unref(s);
}

// --- Streaming connections ---

bool notify_stream_begin(struct notify *n, const struct guid *user) {
    pthread_mutex_lock(&n->lock);
    bool has_room = counter_get(n->streams, user) < NOTIFY_STREAMS;
    if (has_room)
        counter_add(n->streams, user, 1);
    pthread_mutex_unlock(&n->lock);
    return has_room;
}

void notify_stream_end(struct notify *n, const struct guid *user) {
    pthread_mutex_lock(&n->lock);
    counter_add(n->streams, user, -1);
    pthread_mutex_unlock(&n->lock);
}

struct listener *listener_new(struct http_waker *waker) {
    struct listener *l = g_new0(struct listener, 1);
    l->refs = 1;
    pthread_mutex_init(&l->lock, NULL);
    l->ready = g_ptr_array_new_with_free_func((GDestroyNotify)subscription_unref);
    l->waker = waker;
    return l;
}

struct listener *listener_ref(struct listener *l) {
    g_atomic_int_inc(&l->refs);
    return l;
}

void listener_unref(struct listener *l) {
    if (!l || !g_atomic_int_dec_and_test(&l->refs))
        return;
    g_ptr_array_unref(l->ready);
    http_waker_unref(l->waker);
    pthread_mutex_destroy(&l->lock);
    g_free(l);
}

void subscription_attach(struct subscription *s, struct listener *l) {
    pthread_mutex_lock(&s->lock);
    struct listener *old = s->listener;
    s->listener = listener_ref(l);
    s->is_ready = false;
    pthread_mutex_unlock(&s->lock);
    if (old && old != l) {
        pthread_mutex_lock(&old->lock);
        old->is_replaced = true;
        pthread_mutex_unlock(&old->lock);
        http_wake(old->waker);
    }
    listener_unref(old);
    on_news(s); // what came before the connection
}

void subscription_detach(struct subscription *s, struct listener *l) {
    pthread_mutex_lock(&s->lock);
    bool is_ours = s->listener == l;
    if (is_ours) {
        s->listener = NULL;
        s->is_ready = false;
        s->expires = lifetime(s);
    }
    pthread_mutex_unlock(&s->lock);
    if (is_ours)
        listener_unref(l);
}
