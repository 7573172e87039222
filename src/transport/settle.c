// What the end of an attempt means for a message: which of its recipients are done, who is told,
// when the rest is tried again.
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "transport/track.h"
#include "transport/transport_internal.h"

// Back-off that doubles, with jitter so that what failed together does not come back together.
static filetime_t next_attempt(const struct transport *t, unsigned attempts) {
    uint64_t seconds = t->options.retry_seconds;
    for (unsigned i = 0; i < attempts && seconds < t->options.retry_max_seconds; i++)
        seconds *= 2;
    seconds = MIN(seconds, t->options.retry_max_seconds);
    double jitter = g_random_double_range(0.75, 1.25);
    return clock_now() + (filetime_t)((double)(seconds * FILETIME_SECOND) * jitter);
}

// --- Reports ---

// Whether a report can reach the sender of a message: one of ours, or elsewhere and mail leaves.
static bool is_reachable(struct job *job, const char *sender) {
    enum directory_route route;
    struct directory_object *object;
    return directory_route(mailbox_service_directory(job->t->mailboxes), job->arena, sender, &route,
                           &object, NULL) == EC_OK &&
           route != DIRECTORY_ROUTE_UNKNOWN && (route != DIRECTORY_ROUTE_REMOTE || job->t->relay);
}

// Queues a report about some recipients. An error when it could not be: then they stay pending, so
// that nothing fails in silence.
static enum ec send_report(struct job *job, enum report_action action,
                           const struct report_recipient *recipients, unsigned n) {
    struct transport *t = job->t;
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    if (n == 0 || !*envelope->sender)
        return EC_OK;
    if (!job->original && queue_item_read(job->item, &job->original) != EC_OK)
        return EC_OK;
    if (!is_reachable(job, envelope->sender)) {
        log_event(LOG_LEVEL_WARNING, "transport.no_way_back", "queue", queue_item_id(job->item),
                  "sender", envelope->sender, NULL);
        return EC_OK;
    }
    g_autofree char *domain = directory_default_domain(mailbox_service_directory(t->mailboxes));
    struct report_about about = {.hostname = t->options.hostname,
                                 .domain = domain,
                                 .envelope = envelope,
                                 .queue_id = queue_item_id(job->item),
                                 .arrived = queue_item_arrived(job->item),
                                 .original = job->original};
    char id[QUEUE_ID_SIZE];
    EC_TRY(report_send(t->queue, t->report_limit, action, &about, recipients, n, id));
    t->reports += *id != '\0';
    track_event(&(struct track_event){.kind = *id ? TRACK_DSN : TRACK_DROP,
                                      .queue_id = queue_item_id(job->item),
                                      .message_id = job->message_id,
                                      .sender = "",
                                      .recipient = envelope->sender,
                                      .status = recipients[0].status,
                                      .detail = *id ? id : "too many reports"});
    return EC_OK;
}

static enum ec send_reports(struct job *job, enum report_action action, const GArray *list) {
    return send_report(job, action, (const struct report_recipient *)(void *)list->data, list->len);
}

static void add_report(struct job *job, GArray *list, unsigned i, const struct outcome *o) {
    const struct queue_recipient *r = &queue_item_envelope(job->item)->recipients[job->pending[i]];
    struct report_recipient about = {.address = r->address,
                                     .orcpt = r->orcpt,
                                     .status = o->status,
                                     .text = o->text,
                                     .remote = o->remote,
                                     .diagnostic = o->reply,
                                     .last_attempt = clock_now()};
    about.retry_until =
        queue_item_arrived(job->item) + job->t->options.expire_seconds * FILETIME_SECOND;
    g_array_append_val(list, about);
}

// --- The outcomes of one attempt ---

struct settling {
    struct job *job;
    bool is_expired, is_late; // late: the sender is to be told that it takes longer
    GArray *failures, *successes, *relayed, *expanded,
        *delayed;               // struct report_recipient: who is to be told of
    unsigned *failed, n_failed; // recipients of the envelope
    GString *reason;            // a line for each recipient that waits
    const char *lane;
    bool has_tried; // something that waits was tried
};

// A delay that became a failure keeps what was wrong: security ([RFC 8689] 4.2.1) or time.
static struct outcome expire(struct job *job, const struct outcome *o) {
    struct outcome failed = *o;
    failed.kind = OUTCOME_FAILED;
    failed.lane = NULL;
    failed.status = g_str_has_prefix(o->status, "4.7.")
                        ? arena_printf(job->arena, "5%s", o->status + 1)
                        : "5.4.7";
    failed.text = arena_printf(job->arena, "given up after many attempts: %s", o->text);
    return failed;
}

static void defer(struct settling *s, const struct queue_recipient *r, const struct outcome *o) {
    if (s->reason->len)
        g_string_append_c(s->reason, '\n');
    g_string_append_printf(s->reason, "%s: %s", r->address, o->text);
    s->has_tried |= !o->is_untried;
    if (o->lane)
        s->lane = o->lane;
}

static void settle_recipient(struct settling *s, unsigned i) {
    struct job *job = s->job;
    const struct queue_recipient *r = &queue_item_envelope(job->item)->recipients[job->pending[i]];
    struct outcome o = job->outcomes[i];
    if (o.kind == OUTCOME_DEFERRED && s->is_expired && !o.is_untried)
        o = expire(job, &o);
    transport_outcome(job, i, &o);
    if (o.kind == OUTCOME_DEFERRED) {
        defer(s, r, &o);
        if (s->is_late && !o.is_untried && report_is_wanted(REPORT_DELAYED, r))
            add_report(job, s->delayed, i, &o);
    } else if (o.kind == OUTCOME_FAILED) {
        s->failed[s->n_failed++] = job->pending[i];
        if (report_is_wanted(REPORT_FAILED, r))
            add_report(job, s->failures, i, &o);
    } else {
        // A server that tells of success itself needs no help.
        if (report_is_wanted(REPORT_DELIVERED, r) && !o.sends_reports)
            add_report(job,
                       o.kind == OUTCOME_RELAYED ? s->relayed
                       : job->is_group[i]        ? s->expanded
                                                 : s->successes,
                       i, &o);
        queue_item_recipient_done(job->item, job->pending[i]);
    }
}

void job_settle(struct job *job) {
    struct transport *t = job->t;
    g_autoptr(GString) reason = g_string_new(NULL);
    struct settling s = {.job = job, .reason = reason};
    s.is_expired =
        clock_now() > queue_item_arrived(job->item) + t->options.expire_seconds * FILETIME_SECOND;
    g_autoptr(GArray) failures = g_array_new(FALSE, FALSE, sizeof(struct report_recipient));
    g_autoptr(GArray) successes = g_array_new(FALSE, FALSE, sizeof(struct report_recipient));
    g_autoptr(GArray) relayed = g_array_new(FALSE, FALSE, sizeof(struct report_recipient));
    s.failures = failures;
    s.successes = successes;
    s.relayed = relayed;
    g_autoptr(GArray) expanded = g_array_new(FALSE, FALSE, sizeof(struct report_recipient));
    s.expanded = expanded;
    g_autoptr(GArray) delayed = g_array_new(FALSE, FALSE, sizeof(struct report_recipient));
    s.delayed = delayed;
    s.is_late =
        clock_now() > queue_item_arrived(job->item) + t->options.delay_seconds * FILETIME_SECOND &&
        !id_set_has(t->warned, queue_item_id(job->item));
    s.failed = arena_alloc(job->arena, (job->n_pending + 1) * sizeof *s.failed);
    for (unsigned i = 0; i < job->n_pending; i++)
        settle_recipient(&s, i);
    enum ec ec = send_reports(job, REPORT_FAILED, failures);
    // Of success nobody is told twice, but perhaps never: the message is there.
    send_reports(job, REPORT_DELIVERED, successes);
    send_reports(job, REPORT_RELAYED, relayed);
    send_reports(job, REPORT_EXPANDED, expanded);
    if (delayed->len > 0 && send_reports(job, REPORT_DELAYED, delayed) == EC_OK)
        id_set_add(t->warned, queue_item_id(job->item));
    if (ec != EC_OK) {
        g_string_append_printf(reason, "%sreport: %s", reason->len ? "\n" : "", ec_text(ec));
        s.has_tried = true;
    }
    for (unsigned i = 0; ec == EC_OK && i < s.n_failed; i++)
        queue_item_recipient_done(job->item, s.failed[i]);
    if (!s.reason->len) {
        id_set_remove(t->journaled, queue_item_id(job->item));
        id_set_remove(t->warned, queue_item_id(job->item));
    }
    g_clear_pointer(&job->original, g_bytes_unref);
    g_clear_pointer(&job->mime, g_bytes_unref);
    g_clear_pointer(&job->signature, g_free);
    if (s.has_tried || !s.reason->len)
        queue_item_release(job->item, next_attempt(t, queue_item_attempts(job->item)),
                           reason->len ? reason->str : NULL, s.lane);
    else // in vain, and not counted
        queue_item_put_back(job->item, clock_now() + TRANSPORT_BUSY_SECONDS * FILETIME_SECOND,
                            s.lane);
}
