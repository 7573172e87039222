// `bourse track`: what became of messages, from the tracking log.
#include <string.h>

#include "admin/command_functions.h"
#include "base/clock.h"
#include "transport/track.h"

#define TRACK_LIMIT 1000
#define TRACK_LIMIT_MAX 1000000

// "2h": that long ago.
static bool parse_ago(const char *text, filetime_t *out) {
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    guint64 n = g_ascii_strtoull(text, &end, 10);
    if (end == text || !g_ascii_isdigit(*text) || strlen(end) != 1 || n > 100000000)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++)
        if (*end == units[i].unit) {
            filetime_t now = clock_now();
            *out = now - MIN(now - 1, n * units[i].seconds * FILETIME_SECOND);
            return true;
        }
    return false;
}

static bool take_time(struct command_call *call, const char *option, filetime_t *out) {
    const char *text = call_option(call, option);
    if (!text || parse_ago(text, out))
        return true;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *whole =
        strlen(text) == 10 ? g_strconcat(text, "T00:00:00Z", NULL) : g_strdup(text);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(whole, utc);
    if (time && g_date_time_get_year(time) >= 1970) {
        *out = filetime_from_unix(g_date_time_to_unix(time));
        return true;
    }
    call_fail(call, EC_INVALID_PARAMETER,
              "--%s takes a date (2026-11-24), a time (2026-11-24T10:00:00Z) or how long ago (2h)",
              option);
    return false;
}

// The newest events, as many as are wanted.
struct newest {
    GQueue events; // struct track_event, oldest first, strings owned
    uint64_t max;
};

static void event_free(gpointer data) {
    struct track_event *e = data;
    g_free((char *)e->queue_id);
    g_free((char *)e->message_id);
    g_free((char *)e->sender);
    g_free((char *)e->recipient);
    g_free((char *)e->client);
    g_free((char *)e->status);
    g_free((char *)e->detail);
    g_free((char *)e->subject);
    g_free(e);
}

static bool keep(void *ctx, const struct track_event *event) {
    struct newest *n = ctx;
    struct track_event *e = g_memdup2(event, sizeof *event);
    e->queue_id = g_strdup(event->queue_id);
    e->message_id = g_strdup(event->message_id);
    e->sender = g_strdup(event->sender);
    e->recipient = g_strdup(event->recipient);
    e->client = g_strdup(event->client);
    e->status = g_strdup(event->status);
    e->detail = g_strdup(event->detail);
    e->subject = g_strdup(event->subject);
    g_queue_push_tail(&n->events, e);
    if (n->events.length > n->max)
        event_free(g_queue_pop_head(&n->events));
    return true;
}

static void print(struct output *out, const struct track_event *e) {
    output_object_begin(out, NULL);
    output_time(out, "time", e->time);
    output_string(out, "event", track_kind_name(e->kind));
    output_string(out, "queue_id", e->queue_id);
    output_string(out, "sender", e->sender && !*e->sender ? "<>" : e->sender);
    output_string(out, "recipient", e->recipient);
    output_string(out, "status", e->status);
    output_string(out, "message_id", e->message_id);
    output_string(out, "client", e->client);
    if (e->size)
        output_number(out, "size", e->size);
    output_string(out, "subject", e->subject);
    output_string(out, "detail", e->detail);
    output_object_end(out);
}

int track_command(struct command_call *call) {
    struct track_filter filter = {.sender = call_option(call, "sender"),
                                  .recipient = call_option(call, "recipient"),
                                  .message_id = call_option(call, "message-id"),
                                  .queue_id = call_option(call, "queue-id")};
    struct newest newest = {.events = G_QUEUE_INIT, .max = TRACK_LIMIT};
    if (!take_time(call, "since", &filter.since) || !take_time(call, "until", &filter.until) ||
        !call_option_number(call, "limit", TRACK_LIMIT_MAX, &newest.max))
        return EXIT_FAILED;
    g_autofree char *dir = g_build_filename(call->services->dir, "track", NULL);
    track_flush(); // what a running server still has in memory
    enum ec ec = track_read(dir, &filter, keep, &newest);
    if (ec == EC_OK) {
        output_list_begin(call->out,
                          "time:20 event:8 queue_id:17 sender:28 recipient:28 status:6 detail");
        for (struct track_event *e; (e = g_queue_pop_head(&newest.events)); event_free(e))
            print(call->out, e);
        output_list_end(call->out);
    }
    g_queue_clear_full(&newest.events, event_free);
    return ec == EC_OK
               ? EXIT_DONE
               : call_fail(call, ec, "cannot read the tracking log in %s: %s", dir, ec_text(ec));
}
