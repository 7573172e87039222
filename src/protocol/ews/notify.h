// Subscriptions ([MS-OXWSNTIF], [MS-OXWSPSNTIF]): what clients want to be told, and the three ways
// to tell them. A subscription is a feed of events (mailbox/event_feed.h) with a name; it holds no
// thread. Push notifications of all subscriptions share one thread, which sleeps while there are
// none; streaming connections are parked requests.
#pragma once

#include <pthread.h>

#include "mailbox/event_feed.h"
#include "protocol/ews/ews_internal.h"

#define NOTIFY_PER_USER 5000  // subscriptions of one user
#define NOTIFY_MAX 200000     // of all
#define NOTIFY_STREAMS 20     // streaming connections of one user
#define NOTIFY_BATCH 100      // events of one notification
#define NOTIFY_STREAM_IDLE 30 // minutes a streaming subscription lives without a connection

enum notify_kind { NOTIFY_PULL, NOTIFY_PUSH, NOTIFY_STREAMING };

struct notify;       // all subscriptions of the service
struct subscription; // reference counted

// Where a streaming connection is told which of its subscriptions have news. Reference counted.
struct listener {
    int refs;
    pthread_mutex_t lock;
    GPtrArray *ready; // subscriptions with news, each once; referenced
    bool is_replaced; // another connection took one of its subscriptions
    struct http_waker *waker;
};

struct push {
    char *url, *caller_data;
    unsigned minutes;      // StatusFrequency
    int64_t due;           // monotonic µs: when something is to be sent without news
    int64_t failing_since; // 0: the last one was taken
    unsigned n_failures;
    bool has_news, is_sending, is_queued;
};

struct subscription {
    int refs;
    struct notify *notify;
    enum notify_kind kind;
    struct guid id;
    char name[32]; // SubscriptionId
    struct guid user;
    struct principal *who;
    enum ews_version version;
    struct ews_mailbox mailbox; // its own, open while the subscription lives
    struct mailbox_feed *feed;
    unsigned kinds; // enum mailbox_event_kind asked for
    bool wants_free_busy;
    unsigned minutes;     // pull: until it is forgotten without being asked
    pthread_mutex_t lock; // of what follows
    bool is_gone;
    int64_t expires;           // monotonic µs
    uint64_t seen;             // events up to this one were sent (push, streaming)
    struct listener *listener; // streaming: NULL without a connection
    bool is_ready;             // in listener->ready
    struct push push;
};

struct notify *notify_of(struct ews_service *s);

struct subscription_spec {
    enum notify_kind kind;
    struct ews_mailbox *mailbox;
    const uint64_t *fids; // n 0: everything
    unsigned n_fids;
    unsigned kinds;
    bool wants_free_busy;
    unsigned minutes; // pull: Timeout; push: StatusFrequency
    const char *url, *caller_data;
};
// ErrorExceededSubscriptionCount and others said by ews_fail. The caller has one reference.
enum ec subscription_new(struct ews_call *call, const struct subscription_spec *spec,
                         struct subscription **out);
struct subscription *subscription_ref(struct subscription *s);
void subscription_unref(struct subscription *s); // accepts NULL
// By its SubscriptionId; NULL: there is none (any more).
struct subscription *notify_find(struct notify *n, const char *name);
// Nobody is told any more; the feed ends.
void notify_remove(struct subscription *s);
// It was asked for: lives for another while.
void subscription_touch(struct subscription *s);
unsigned notify_count(struct notify *n);

// One more streaming connection of the user; false: too many. notify_stream_end is owed.
bool notify_stream_begin(struct notify *n, const struct guid *user);
void notify_stream_end(struct notify *n, const struct guid *user);
struct listener *listener_new(struct http_waker *waker); // takes the waker
struct listener *listener_ref(struct listener *l);
void listener_unref(struct listener *l); // accepts NULL
// The subscription's news go to this connection; one that had it before is told.
void subscription_attach(struct subscription *s, struct listener *l);
void subscription_detach(struct subscription *s, struct listener *l);

// --- Watermarks and events (notify_write.c) ---
const char *watermark_format(struct arena *arena, const struct subscription *s, uint64_t seq);
bool watermark_parse(const struct subscription *s, const char *text, uint64_t *seq_out);
// t:Notification inside `element` ("m:Notification"): what came after `after`, up to NOTIFY_BATCH
// events. `with_watermarks`: pull and push. Without news a StatusEvent. EC_OBJECT_DELETED: events
// were lost. The last one's number goes to *last_out.
enum ec notify_write(struct ews_call *call, struct subscription *s, const char *element,
                     uint64_t after, bool with_watermarks, uint64_t *last_out, bool *more_out);

// --- Push (notify_push.c) ---
struct pusher;
struct pusher *pusher_new(struct ews_service *service);
void pusher_free(struct pusher *p); // accepts NULL; ends its thread
// Something is to be sent; quick, from any thread.
void pusher_wake(struct pusher *p, struct subscription *s);
struct pusher *notify_pusher(struct notify *n); // made when first needed
