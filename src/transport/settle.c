// What the end of an attempt means for a message: which of its recipients are done, who is told,
// when the rest is tried again.
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
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

static bool wants_report(const struct queue_recipient *r) {
    return r->notify == 0 ||
           (r->notify & QUEUE_NOTIFY_FAILURE && !(r->notify & QUEUE_NOTIFY_NEVER));
}

// Whether a report can reach the sender of a message: one of ours, or elsewhere and mail leaves.
static bool is_reachable(struct job *job, const char *sender) {
    enum directory_route route;
    struct directory_object *object;
    return directory_route(mailbox_service_directory(job->t->mailboxes), job->arena, sender, &route,
                           &object, NULL) == EC_OK &&
           route != DIRECTORY_ROUTE_UNKNOWN && (route != DIRECTORY_ROUTE_REMOTE || job->t->relay);
}

// Queues a report about what failed for good. An error when it could not be: then the recipients
// stay pending, so that nothing fails in silence.
static enum ec send_report(struct job *job, const struct report_failure *failures, unsigned n) {
    struct transport *t = job->t;
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    // Never a report about a report ([RFC 5321] 6.1).
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
    g_autoptr(GString) text =
        report_make(t->options.hostname, domain, envelope, queue_item_id(job->item),
                    queue_item_arrived(job->item), job->original, failures, n);
    struct queue_spool *spool;
    EC_TRY(queue_spool_new(t->queue, &spool));
    enum ec ec = queue_spool_write(spool, text->str, text->len);
    if (ec != EC_OK) {
        queue_spool_free(spool);
        return ec;
    }
    struct queue_recipient to = {.address = envelope->sender};
    struct queue_envelope report = {.sender = "", .recipients = &to, .n_recipients = 1};
    char id[QUEUE_ID_SIZE];
    EC_TRY(queue_submit_take(t->queue, &report, spool, id));
    t->reports++;
    log_event(LOG_LEVEL_INFO, "transport.report", "queue", id, "about", queue_item_id(job->item),
              NULL);
    return EC_OK;
}

// --- The outcomes of one attempt ---

struct settling {
    struct job *job;
    bool is_expired;
    struct report_failure *failures; // that the sender wants to hear of
    unsigned n_failures;
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
    } else if (o.kind == OUTCOME_FAILED) {
        s->failed[s->n_failed++] = job->pending[i];
        if (wants_report(r))
            s->failures[s->n_failures++] = (struct report_failure){r->address, r->orcpt, o};
    } else {
        queue_item_recipient_done(job->item, job->pending[i]);
    }
}

void job_settle(struct job *job) {
    struct transport *t = job->t;
    g_autoptr(GString) reason = g_string_new(NULL);
    struct settling s = {.job = job, .reason = reason};
    s.is_expired =
        clock_now() > queue_item_arrived(job->item) + t->options.expire_seconds * FILETIME_SECOND;
    s.failures = arena_alloc(job->arena, (job->n_pending + 1) * sizeof *s.failures);
    s.failed = arena_alloc(job->arena, (job->n_pending + 1) * sizeof *s.failed);
    for (unsigned i = 0; i < job->n_pending; i++)
        settle_recipient(&s, i);
    enum ec ec = send_report(job, s.failures, s.n_failures);
    if (ec != EC_OK) {
        g_string_append_printf(reason, "%sreport: %s", reason->len ? "\n" : "", ec_text(ec));
        s.has_tried = true;
    }
    for (unsigned i = 0; ec == EC_OK && i < s.n_failed; i++)
        queue_item_recipient_done(job->item, s.failed[i]);
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
