// Subscribe, Unsubscribe, GetEvents ([MS-OXWSNTIF] 3.1.4.1, 3.1.4.3, 3.1.4.4).
#include <string.h>

#include "http/http.h"
#include "protocol/ews/ews_folders.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/notify.h"

#define MINUTES_MAX 1440
#define URL_MAX 2048
#define CALLER_DATA_MAX 4096

// --- Subscribe ---

static enum ec read_kinds(struct ews_call *call, const struct ews_node *request,
                          struct subscription_spec *spec) {
    static const struct {
        const char *name;
        unsigned kind;
    } names[] = {
        {"NewMailEvent", MAILBOX_EVENT_NEW_MAIL},
        {"CreatedEvent", MAILBOX_EVENT_CREATED},
        {"DeletedEvent", MAILBOX_EVENT_DELETED},
        {"ModifiedEvent", MAILBOX_EVENT_MODIFIED},
        {"MovedEvent", MAILBOX_EVENT_MOVED},
        {"CopiedEvent", MAILBOX_EVENT_COPIED},
        {"FreeBusyChangedEvent", 0},
    };
    const struct ews_node *types = ews_child(request, "EventTypes");
    for (const struct ews_node *n = types ? types->child : NULL; n; n = n->next) {
        const char *text = ews_text(call->arena, n);
        unsigned i = 0;
        while (i < G_N_ELEMENTS(names) && strcmp(names[i].name, text) != 0)
            i++;
        if (i == G_N_ELEMENTS(names))
            return ews_fail(call, "ErrorInvalidSubscriptionRequest", "EventType");
        spec->kinds |= names[i].kind;
        spec->wants_free_busy |= names[i].kind == 0;
    }
    if (!spec->kinds && !spec->wants_free_busy)
        return ews_fail(call, "ErrorInvalidSubscriptionRequest", "No event types are named.");
    return EC_OK;
}

static enum ec read_folders(struct ews_call *call, const struct ews_node *request,
                            struct subscription_spec *spec) {
    const char *text = ews_attribute(request, "SubscribeToAllFolders");
    const struct ews_node *ids = ews_child(request, "FolderIds");
    bool is_all = false;
    if (text && !ews_parse_bool(text, &is_all))
        return ews_fail(call, "ErrorInvalidSubscriptionRequest", NULL);
    if (is_all == (ids && ids->child))
        return ews_fail(call, "ErrorInvalidSubscriptionRequest",
                        "Either folders are named, or all are wanted.");
    if (is_all)
        return ews_own_mailbox(call, &spec->mailbox);
    if (ews_count(ids) > MAILBOX_FEED_FOLDERS)
        return ews_fail(call, "ErrorInvalidSubscriptionRequest", "Too many folders.");
    uint64_t *fids = arena_alloc(call->arena, ews_count(ids) * sizeof *fids);
    for (const struct ews_node *id = ids->child; id; id = id->next) {
        struct ews_folder_ref ref;
        EC_TRY(ews_read_folder_id(call, id, &ref));
        if (spec->mailbox && spec->mailbox != ref.mailbox)
            return ews_fail(call, "ErrorInvalidSubscriptionRequest",
                            "The folders are in more than one mailbox.");
        spec->mailbox = ref.mailbox;
        fids[spec->n_fids++] = ref.fid;
    }
    spec->fids = fids;
    return EC_OK;
}

static enum ec read_minutes(struct ews_call *call, const struct ews_node *request, const char *name,
                            struct subscription_spec *spec) {
    int64_t minutes = ews_child_int(request, name, 0);
    if (minutes < 1 || minutes > MINUTES_MAX)
        return ews_fail(call, "ErrorInvalidSubscriptionRequest", name);
    spec->minutes = (unsigned)minutes;
    return EC_OK;
}

static bool is_http_url(const char *url) {
    size_t len = strlen(url);
    const char *host = g_ascii_strncasecmp(url, "http://", 7) == 0    ? url + 7
                       : g_ascii_strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                                      : NULL;
    // No user names in URLs: what is sent there needs no login.
    return len <= URL_MAX && host && *host && *host != '/' && !strpbrk(url, " \t\r\n\"<>\\") &&
           !memchr(host, '@', strcspn(host, "/?#"));
}

static enum ec read_push(struct ews_call *call, const struct ews_node *request,
                         struct subscription_spec *spec) {
    spec->url = ews_child_text(call->arena, request, "URL");
    spec->caller_data = ews_child_text(call->arena, request, "CallerData");
    if (!ews_service_options(call->service)->allows_push)
        return ews_fail(call, "ErrorInvalidSubscriptionRequest",
                        "Push notifications are switched off on this server.");
    if (!spec->url || !is_http_url(spec->url))
        return ews_fail(call, "ErrorInvalidPushSubscriptionUrl", NULL);
    if (spec->caller_data && strlen(spec->caller_data) > CALLER_DATA_MAX)
        return ews_fail(call, "ErrorInvalidSubscriptionRequest", "CallerData");
    return read_minutes(call, request, "StatusFrequency", spec);
}

static enum ec read_subscription(struct ews_call *call, struct subscription_spec *spec,
                                 const struct ews_node **request_out) {
    const struct ews_node *request;
    if ((request = ews_child(call->request, "PullSubscriptionRequest"))) {
        spec->kind = NOTIFY_PULL;
        EC_TRY(read_minutes(call, request, "Timeout", spec));
    } else if ((request = ews_child(call->request, "PushSubscriptionRequest"))) {
        spec->kind = NOTIFY_PUSH;
        EC_TRY(read_push(call, request, spec));
    } else if ((request = ews_child(call->request, "StreamingSubscriptionRequest"))) {
        spec->kind = NOTIFY_STREAMING;
        if (call->version < EWS_2010_SP1)
            return ews_fail(call, "ErrorInvalidSubscriptionRequest", NULL);
    } else {
        return ews_fail(call, "ErrorInvalidSubscriptionRequest", NULL);
    }
    *request_out = request;
    EC_TRY(read_kinds(call, request, spec));
    return read_folders(call, request, spec);
}

// Clients that ask for it get a cookie that leads them to the same server again.
static void keep_affinity(struct ews_call *call) {
    const char *wanted = call->http ? http_header(call->http, "X-PreferServerAffinity") : NULL;
    if (!wanted || g_ascii_strcasecmp(wanted, "true") != 0)
        return;
    http_add_header(call->http, "Set-Cookie",
                    arena_printf(call->arena, "X-BackEndOverrideCookie=%s~1; path=/; HttpOnly",
                                 ews_hostname(call)));
}

enum ec op_subscribe(struct ews_call *call) {
    struct subscription_spec spec = {0};
    const struct ews_node *request = NULL;
    struct subscription *s;
    EC_TRY(read_subscription(call, &spec, &request));
    // An old watermark is of a subscription that is gone: what happened since is not known here.
    const char *watermark = ews_child_text(call->arena, request, "Watermark");
    if (watermark && *watermark)
        return ews_fail(call, "ErrorInvalidWatermark", NULL);
    EC_TRY(subscription_new(call, &spec, &s));
    ews_success(call);
    ews_element(call->w, "m:SubscriptionId", s->name);
    if (s->kind != NOTIFY_STREAMING)
        ews_element(call->w, "m:Watermark", watermark_format(call->arena, s, 0));
    ews_message_end(call);
    if (s->kind == NOTIFY_PUSH)
        pusher_wake(notify_pusher(s->notify), s); // the first one says that it works
    subscription_unref(s);
    keep_affinity(call);
    return EC_OK;
}

// --- Unsubscribe ---

// The caller's own subscription of the request.
static enum ec find_own(struct ews_call *call, struct subscription **out) {
    const char *name = ews_child_text(call->arena, call->request, "SubscriptionId");
    if (!name || !*name)
        return ews_fail(call, "ErrorMissingArgument", "SubscriptionId");
    struct subscription *s = notify_find(notify_of(call->service), name);
    if (!s)
        return ews_fail(call, "ErrorSubscriptionNotFound", NULL);
    if (!guid_equal(&s->user, &call->principal->guid)) {
        subscription_unref(s);
        return ews_fail(call, "ErrorSubscriptionAccessDenied", NULL);
    }
    *out = s;
    return EC_OK;
}

enum ec op_unsubscribe(struct ews_call *call) {
    struct subscription *s;
    EC_TRY(find_own(call, &s));
    notify_remove(s);
    subscription_unref(s);
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}

// --- GetEvents ---

static enum ec get_events(struct ews_call *call, struct subscription *s) {
    const char *text = ews_child_text(call->arena, call->request, "Watermark");
    uint64_t after, last;
    bool more;
    if (s->kind != NOTIFY_PULL)
        return ews_fail(call, "ErrorInvalidPullSubscriptionId", NULL);
    if (!text || !watermark_parse(s, text, &after))
        return ews_fail(call, "ErrorInvalidWatermark", NULL);
    subscription_touch(s);
    // Whoever names a watermark has what was before it.
    mailbox_feed_forget(s->feed, after);
    ews_success(call);
    enum ec ec = notify_write(call, s, "m:Notification", after, true, &last, &more);
    if (ec == EC_OBJECT_DELETED) { // it has to begin anew
        notify_remove(s);
        return ews_fail(call, "ErrorReadEventsFailed", "Events were lost.");
    }
    if (ec == EC_ACCESS_DENIED)
        return ews_fail(call, "ErrorSubscriptionAccessDenied", NULL);
    EC_TRY(ec);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_events(struct ews_call *call) {
    struct subscription *s;
    EC_TRY(find_own(call, &s));
    enum ec ec = get_events(call, s);
    subscription_unref(s);
    return ec;
}
