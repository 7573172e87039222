// FindMessageTrackingReport and GetMessageTrackingReport ([MS-OXWSMTRK] 3.1.4), from the tracking
// log (transport/track.h).
//
// A user sees what they sent and what was sent to them; the administrator sees everything.
#include <string.h>

#include "base/text.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"
#include "transport/track.h"

#define MESSAGES_MAX 100
#define EVENTS_MAX 1000

// Those of one message, as far as the log tells.
struct tracked {
    const char *message_id, *sender, *subject;
    filetime_t submitted;
    GPtrArray *recipients; // each once
};

struct reading {
    struct ews_call *call;
    const char *subject; // part of it; NULL: any
    GPtrArray *messages; // of struct tracked
    GHashTable *by_id;
    bool is_full;
};

static void tracked_free(void *data) {
    g_ptr_array_unref(((struct tracked *)data)->recipients);
}

static void add_recipient(struct arena *arena, struct tracked *t, const char *address) {
    for (guint i = 0; i < t->recipients->len; i++)
        if (text_compare_folded(t->recipients->pdata[i], address) == 0)
            return;
    if (t->recipients->len < EVENTS_MAX)
        g_ptr_array_add(t->recipients, arena_strdup(arena, address));
}

static bool note(void *ctx, const struct track_event *e) {
    struct reading *r = ctx;
    struct arena *arena = r->call->arena;
    if (!e->message_id || !*e->message_id ||
        (r->subject && e->subject && !text_contains_folded(e->subject, r->subject)))
        return true;
    struct tracked *t = g_hash_table_lookup(r->by_id, e->message_id);
    if (!t) {
        if (r->messages->len == MESSAGES_MAX) {
            r->is_full = true;
            return false;
        }
        t = arena_alloc0(arena, sizeof *t);
        t->message_id = arena_strdup(arena, e->message_id);
        t->submitted = e->time;
        t->recipients = g_ptr_array_new();
        g_hash_table_insert(r->by_id, (char *)t->message_id, t);
        g_ptr_array_add(r->messages, t);
    }
    if (!t->sender && e->sender)
        t->sender = arena_strdup(arena, e->sender);
    if (!t->subject && e->subject)
        t->subject = arena_strdup(arena, e->subject);
    if (e->recipient)
        add_recipient(arena, t, e->recipient);
    return true;
}

static void write_person(struct ews_call *call, const char *element, const char *address) {
    struct directory_object *object;
    bool is_known = address && ews_find_object(call, address, &object) == EC_OK;
    ews_open(call->w, element);
    ews_element(call->w, "t:Name", is_known ? ews_object_name(object) : address ? address : "");
    if (address && *address) {
        ews_element(call->w, "t:EmailAddress", address);
        ews_element(call->w, "t:RoutingType", "SMTP");
    }
    ews_close(call->w);
}

static const char *log_folder(struct ews_call *call) {
    return ews_service_options(call->service)->track_dir;
}

// Whether the principal may see it: an address of theirs is the sender or a recipient.
static bool is_own(struct ews_call *call, const char *address) {
    struct directory_object *object;
    return address && ews_find_object(call, address, &object) == EC_OK &&
           guid_equal(&object->guid, &call->principal->guid);
}

static bool may_see(struct ews_call *call, const struct tracked *t) {
    bool is_theirs = call->principal->is_admin || is_own(call, t->sender);
    for (guint i = 0; !is_theirs && i < t->recipients->len; i++)
        is_theirs = is_own(call, t->recipients->pdata[i]);
    return is_theirs;
}

static void write_found(struct ews_call *call, const struct tracked *t) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:MessageTrackingSearchResult");
    ews_element(w, "t:Subject", t->subject ? t->subject : "");
    write_person(call, "t:Sender", t->sender);
    ews_open(w, "t:Recipients");
    for (guint i = 0; i < t->recipients->len; i++)
        write_person(call, "t:Mailbox", t->recipients->pdata[i]);
    ews_close(w);
    ews_element_time(call, "t:SubmittedTime", t->submitted);
    ews_element(w, "t:MessageTrackingReportId",
                arena_printf(call->arena, "MessageId=%s,Server=%s,Sender=%s", t->message_id,
                             ews_hostname(call), t->sender ? t->sender : ""));
    ews_close(w);
}

static enum ec read_filter(struct ews_call *call, struct track_filter *f) {
    const struct ews_node *q = call->request;
    const char *domain = ews_child_text(call->arena, q, "Domain");
    const char *from = ews_child_text(call->arena, q, "StartDateTime");
    const char *to = ews_child_text(call->arena, q, "EndDateTime");
    if (!domain || !directory_is_local_domain(ews_directory(call), domain))
        return ews_fail(call, "ErrorMessageTrackingNoSuchDomain", NULL);
    *f = (struct track_filter){
        .sender = ews_child_text(call->arena, q, "Sender/EmailAddress"),
        .recipient = ews_child_text(call->arena, q, "Recipient/EmailAddress"),
        .message_id = ews_child_text(call->arena, q, "MessageId"),
    };
    if ((from && !ews_date_parse(call, from, &f->since)) ||
        (to && !ews_date_parse(call, to, &f->until)))
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    return EC_OK;
}

static enum ec read_log(struct reading *r, const struct track_filter *filter) {
    if (!log_folder(r->call))
        return ews_fail(r->call, "ErrorMessageTrackingPermanentError",
                        "Messages are not tracked on this server.");
    track_flush();
    return track_read(log_folder(r->call), filter, note, r) == EC_OK
               ? EC_OK
               : ews_fail(r->call, "ErrorMessageTrackingTransientError", NULL);
}

enum ec op_find_message_tracking_report(struct ews_call *call) {
    struct track_filter filter;
    EC_TRY(read_filter(call, &filter));
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(tracked_free);
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
    struct reading r = {.call = call,
                        .subject = ews_child_text(call->arena, call->request, "Subject"),
                        .messages = messages,
                        .by_id = by_id};
    EC_TRY(read_log(&r, &filter));
    ews_success(call);
    ews_open(call->w, "m:MessageTrackingSearchResults");
    for (guint i = 0; i < messages->len; i++)
        if (may_see(call, messages->pdata[i]))
            write_found(call, messages->pdata[i]);
    ews_close(call->w);
    ews_element(call->w, "m:ExecutedSearchScope", "Organization");
    ews_message_end(call);
    return EC_OK;
}

// --- The report of one message ---

struct reporting {
    struct ews_call *call;
    const char *recipient; // NULL: all
    GArray *events;        // of struct track_event, strings in the arena
    struct reading about;
};

static bool keep_event(void *ctx, const struct track_event *e) {
    struct reporting *r = ctx;
    struct arena *arena = r->call->arena;
    note(&r->about, e);
    if (!e->recipient || r->events->len >= EVENTS_MAX ||
        (r->recipient && text_compare_folded(r->recipient, e->recipient) != 0))
        return true;
    struct track_event copy = {.kind = e->kind, .time = e->time};
    copy.recipient = arena_strdup(arena, e->recipient);
    copy.detail = arena_strdup(arena, e->detail);
    g_array_append_val(r->events, copy);
    return true;
}

// DeliveryStatus and EventDescription of an event.
static void status_of(enum track_kind kind, const char **status, const char **event) {
    static const struct {
        const char *status, *event;
    } words[TRACK_KINDS] = {
        [TRACK_RECEIVE] = {"Pending", "SmtpReceive"},
        [TRACK_DELIVER] = {"Delivered", "Delivered"},
        [TRACK_RELAY] = {"Transferred", "SmtpSendCrossSite"},
        [TRACK_DEFER] = {"Pending", "DelayedAfterTransferToPartnerOrg"},
        [TRACK_FAIL] = {"Unsuccessful", "FailedGeneral"},
        [TRACK_EXPAND] = {"Transferred", "Expanded"},
        [TRACK_FORWARD] = {"Delivered", "Forwarded"},
        [TRACK_DROP] = {"Delivered", "Delivered"},
        [TRACK_POLICY] = {"Unsuccessful", "FailedTransportRules"},
    };
    bool is_known = (unsigned)kind < TRACK_KINDS && words[kind].status;
    *status = is_known ? words[kind].status : "Pending";
    *event = is_known ? words[kind].event : "Submit";
}

static void write_event(struct ews_call *call, const struct track_event *e, unsigned number) {
    struct ews_writer *w = call->w;
    const char *status, *event;
    status_of(e->kind, &status, &event);
    ews_open(w, "t:RecipientTrackingEvent");
    ews_element_time(call, "t:Date", e->time);
    write_person(call, "t:Recipient", e->recipient);
    ews_element(w, "t:DeliveryStatus", status);
    ews_element(w, "t:EventDescription", event);
    if (e->detail && *e->detail) {
        ews_open(w, "t:EventData");
        ews_element(w, "t:String", e->detail);
        ews_close(w);
    }
    ews_element(w, "t:Server", ews_hostname(call));
    ews_element_int(w, "t:InternalId", number);
    ews_close(w);
}

static void write_report(struct reporting *r, const struct tracked *t) {
    struct ews_call *call = r->call;
    struct ews_writer *w = call->w;
    ews_success(call);
    ews_open(w, "m:MessageTrackingReport");
    write_person(call, "t:Sender", t->sender);
    ews_element(w, "t:Subject", t->subject ? t->subject : "");
    ews_element_time(call, "t:SubmitTime", t->submitted);
    ews_open(w, "t:OriginalRecipients");
    for (guint i = 0; i < t->recipients->len; i++)
        write_person(call, "t:Address", t->recipients->pdata[i]);
    ews_close(w);
    ews_open(w, "t:RecipientTrackingEvents");
    for (guint i = 0; i < r->events->len; i++)
        write_event(call, &g_array_index(r->events, struct track_event, i), i);
    ews_close(w);
    ews_close(w);
    ews_message_end(call);
}

enum ec op_get_message_tracking_report(struct ews_call *call) {
    const char *id = ews_child_text(call->arena, call->request, "MessageTrackingReportId");
    if (!id || !g_str_has_prefix(id, "MessageId="))
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    const char *comma = strstr(id, ",Server=");
    if (!log_folder(call))
        return ews_fail(call, "ErrorMessageTrackingPermanentError",
                        "Messages are not tracked on this server.");
    struct track_filter filter = {
        .message_id =
            comma ? arena_strndup(call->arena, id + 10, (size_t)(comma - id - 10)) : id + 10};
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(tracked_free);
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GArray) events = g_array_new(FALSE, TRUE, sizeof(struct track_event));
    struct reporting r = {
        .call = call,
        .recipient = ews_child_text(call->arena, call->request, "RecipientFilter/EmailAddress"),
        .events = events,
        .about = {.call = call, .messages = messages, .by_id = by_id}};
    track_flush();
    if (track_read(log_folder(call), &filter, keep_event, &r) != EC_OK)
        return ews_fail(call, "ErrorMessageTrackingTransientError", NULL);
    if (messages->len == 0 || !may_see(call, messages->pdata[0]))
        return ews_fail(call, "ErrorMessageTrackingPermanentError",
                        "There is no report of this message.");
    write_report(&r, messages->pdata[0]);
    return EC_OK;
}
