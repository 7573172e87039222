// The engine: threads that claim messages from the queue, and what happens to one batch of them:
// route every recipient, deliver all at once, settle each message by what became of its recipients.
#include "transport/transport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "transport/transport_internal.h"

struct transport {
    struct queue *queue;
    struct mailbox_service *mailboxes;
    struct transport_options options;
    _Atomic bool is_stopping;
    _Atomic uint64_t delivered, deferred, bounced, reports;
    struct report_limit *report_limit;
    pthread_t *threads;
    unsigned n_threads;
};

// One message of a batch.
struct job {
    struct queue_item *item;
    GBytes *original, *mime; // mime: with its Return-Path
    unsigned *pending, n_pending;
    struct outcome *outcomes; // of the pending recipients
    GArray **deliveries;      // of the pending recipients: unsigned, into batch.deliveries
};

struct batch {
    struct transport *t;
    struct arena *arena;
    GArray *deliveries; // struct mailbox_delivery
    struct job *jobs;
    unsigned n;
};

// --- Preparing ---

static GBytes *with_return_path(GBytes *original, const char *sender) {
    gsize len;
    const void *data = g_bytes_get_data(original, &len);
    g_autofree char *line = g_strdup_printf("Return-Path: <%s>\r\n", sender);
    size_t line_len = strlen(line);
    char *bytes = g_malloc(line_len + len);
    memcpy(bytes, line, line_len);
    if (len)
        memcpy(bytes + line_len, data, len);
    return g_bytes_new_take(bytes, line_len + len);
}

static bool is_looping(GBytes *original) {
    gsize len;
    const char *data = g_bytes_get_data(original, &len);
    unsigned n = 0;
    for (gsize pos = 0; pos < len && data[pos] != '\r' && data[pos] != '\n';) {
        n += len - pos > 9 && g_ascii_strncasecmp(data + pos, "Received:", 9) == 0;
        const char *end = memchr(data + pos, '\n', len - pos);
        pos = end ? (gsize)(end - data) + 1 : len;
    }
    return n > TRANSPORT_RECEIVED_MAX;
}

// A delivery of the job to a mailbox; one that is there already serves for this recipient too.
static unsigned add_delivery(struct batch *b, struct job *job, GHashTable *known,
                             const struct route_target *target) {
    char text[GUID_STRING_SIZE];
    guid_format(&target->mailbox, text);
    const char *key =
        target->folder ? arena_printf(b->arena, "%s/%" G_GINT64_MODIFIER "x", text, target->folder)
                       : text;
    gpointer index;
    if (g_hash_table_lookup_extended(known, key, NULL, &index))
        return GPOINTER_TO_UINT(index);
    struct mailbox_delivery d = {
        .mailbox = arena_memdup(b->arena, &target->mailbox, sizeof target->mailbox),
        .delivery_id = arena_printf(b->arena, "%s/%s", queue_item_id(job->item), key),
        .mime = job->mime,
        .folder_detail = target->detail,
        .folder = target->folder,
        .arrived = queue_item_arrived(job->item),
    };
    g_array_append_val(b->deliveries, d);
    unsigned at = b->deliveries->len - 1;
    g_hash_table_insert(known, arena_strdup(b->arena, key), GUINT_TO_POINTER(at));
    return at;
}

static void route_recipient(struct batch *b, struct job *job, GHashTable *known, unsigned i) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    g_autoptr(GArray) targets = g_array_new(false, false, sizeof(struct route_target));
    route_address(mailbox_service_directory(b->t->mailboxes), b->arena,
                  envelope->recipients[job->pending[i]].address, targets, &job->outcomes[i]);
    job->deliveries[i] = g_array_sized_new(false, false, sizeof(unsigned), targets->len);
    for (unsigned k = 0; k < targets->len; k++) {
        unsigned at = add_delivery(b, job, known, &g_array_index(targets, struct route_target, k));
        g_array_append_val(job->deliveries[i], at);
    }
}

// The size of the message, for the batch's limit.
static size_t prepare(struct batch *b, struct queue_item *item) {
    struct job *job = &b->jobs[b->n++];
    *job = (struct job){.item = item};
    job->n_pending = queue_item_pending(item, b->arena, &job->pending);
    job->outcomes = arena_alloc0(b->arena, job->n_pending * sizeof *job->outcomes);
    job->deliveries = arena_alloc0(b->arena, job->n_pending * sizeof *job->deliveries);
    enum ec ec = queue_item_read(item, &job->original);
    if (ec == EC_OK && is_looping(job->original))
        ec = EC_LOOP_DETECTED;
    for (unsigned i = 0; i < job->n_pending; i++)
        job->outcomes[i] = outcome_from_ec(ec);
    if (ec != EC_OK)
        return 0;
    job->mime = with_return_path(job->original, queue_item_envelope(item)->sender);
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < job->n_pending; i++)
        route_recipient(b, job, known, i);
    return g_bytes_get_size(job->mime);
}

// --- Settling ---

// Back-off that doubles, with jitter so that what failed together does not come back together.
static filetime_t next_attempt(const struct transport *t, unsigned attempts) {
    uint64_t seconds = t->options.retry_seconds;
    for (unsigned i = 0; i < attempts && seconds < t->options.retry_max_seconds; i++)
        seconds *= 2;
    seconds = MIN(seconds, t->options.retry_max_seconds);
    double jitter = g_random_double_range(0.75, 1.25);
    return clock_now() + (filetime_t)((double)(seconds * FILETIME_SECOND) * jitter);
}

// Whether a report can reach the sender of a message: its sender is one of ours.
static bool is_reachable(struct batch *b, const char *sender) {
    enum directory_route route;
    struct directory_object *object;
    return directory_route(mailbox_service_directory(b->t->mailboxes), b->arena, sender, &route,
                           &object, NULL) == EC_OK &&
           route != DIRECTORY_ROUTE_REMOTE && route != DIRECTORY_ROUTE_UNKNOWN;
}

// Queues a report about some recipients. An error when it could not be: then they stay pending, so
// that nothing fails in silence.
static enum ec send_report(struct batch *b, struct job *job, enum report_action action,
                           const struct report_recipient *recipients, unsigned n) {
    struct transport *t = b->t;
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    if (n > 0 && *envelope->sender && !is_reachable(b, envelope->sender)) {
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
    return EC_OK;
}

// What became of a recipient: the worst of its deliveries and of its route.
static struct outcome recipient_outcome(struct batch *b, const struct job *job, unsigned i) {
    struct outcome worst = job->outcomes[i];
    for (unsigned k = 0; job->deliveries[i] && k < job->deliveries[i]->len; k++) {
        unsigned at = g_array_index(job->deliveries[i], unsigned, k);
        struct outcome o =
            outcome_from_ec(g_array_index(b->deliveries, struct mailbox_delivery, at).result);
        if (o.kind > worst.kind)
            worst = o;
    }
    return worst;
}

static void log_outcome(const struct job *job, const char *recipient, const struct outcome *o) {
    static const char *const events[] = {"transport.delivered", "transport.failed",
                                         "transport.deferred"};
    log_event(o->kind == OUTCOME_DELIVERED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, events[o->kind],
              "queue", queue_item_id(job->item), "recipient", recipient, "status", o->status,
              "reason", o->kind == OUTCOME_DELIVERED ? NULL : o->text, NULL);
}

static void settle(struct batch *b, struct job *job) {
    struct transport *t = b->t;
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    bool is_expired =
        clock_now() > queue_item_arrived(job->item) + t->options.expire_seconds * FILETIME_SECOND;
    struct report_recipient *failures =
        arena_alloc(b->arena, (job->n_pending + 1) * sizeof *failures);
    unsigned *failed = arena_alloc(b->arena, (job->n_pending + 1) * sizeof *failed);
    unsigned n_failures = 0, n_reported = 0;
    const char *reason = NULL;
    for (unsigned i = 0; i < job->n_pending; i++) {
        const struct queue_recipient *r = &envelope->recipients[job->pending[i]];
        struct outcome o = recipient_outcome(b, job, i);
        if (o.kind == OUTCOME_DEFERRED && is_expired)
            o = (struct outcome){
                OUTCOME_FAILED, "5.4.7",
                arena_printf(b->arena, "given up after many attempts: %s", o.text)};
        log_outcome(job, r->address, &o);
        if (o.kind == OUTCOME_DEFERRED) {
            reason = o.text;
            t->deferred++;
        } else if (o.kind == OUTCOME_FAILED) {
            failed[n_failures++] = job->pending[i];
            if (report_is_wanted(REPORT_FAILED, r))
                failures[n_reported++] = (struct report_recipient){
                    .address = r->address, .orcpt = r->orcpt, .status = o.status, .text = o.text};
        } else {
            queue_item_recipient_done(job->item, job->pending[i]);
        }
    }
    enum ec ec = send_report(b, job, REPORT_FAILED, failures, n_reported);
    if (ec != EC_OK)
        reason = ec_text(ec);
    for (unsigned i = 0; ec == EC_OK && i < n_failures; i++) {
        queue_item_recipient_done(job->item, failed[i]);
        t->bounced++;
    }
    queue_item_release(job->item, next_attempt(t, queue_item_attempts(job->item)), reason);
}

static void job_clear(struct job *job) {
    for (unsigned i = 0; i < job->n_pending; i++)
        if (job->deliveries[i])
            g_array_unref(job->deliveries[i]);
    g_clear_pointer(&job->original, g_bytes_unref);
    g_clear_pointer(&job->mime, g_bytes_unref);
}

// --- The engine ---

// Prepares items up to the batch's bytes and delivers them; the number of items taken.
static unsigned run_batch(struct transport *t, struct queue_item **items, unsigned n) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) deliveries = g_array_new(false, false, sizeof(struct mailbox_delivery));
    struct batch b = {.t = t, .arena = arena, .deliveries = deliveries};
    b.jobs = arena_alloc(arena, n * sizeof *b.jobs);
    size_t bytes = 0;
    while (b.n < n && bytes < TRANSPORT_BATCH_BYTES)
        bytes += prepare(&b, items[b.n]);
    mailbox_deliver(t->mailboxes, (struct mailbox_delivery *)(void *)deliveries->data,
                    deliveries->len);
    for (unsigned i = 0; i < deliveries->len; i++)
        t->delivered += g_array_index(deliveries, struct mailbox_delivery, i).result == EC_OK;
    for (unsigned i = 0; i < b.n; i++) {
        settle(&b, &b.jobs[i]);
        job_clear(&b.jobs[i]);
    }
    return b.n;
}

static void *run(void *data) {
    struct transport *t = data;
    while (!t->is_stopping) {
        struct queue_item *items[TRANSPORT_CLAIM_MAX];
        unsigned n = 0;
        if (queue_claim(t->queue, items, TRANSPORT_CLAIM_MAX, TRANSPORT_CLAIM_MS, &n) != EC_OK)
            break;
        for (unsigned done = 0; done < n;)
            done += run_batch(t, items + done, n - done);
    }
    return NULL;
}

enum ec transport_new(struct queue *queue, struct mailbox_service *mailboxes,
                      const struct transport_options *options, struct transport **out) {
    struct transport *t = g_new0(struct transport, 1);
    struct transport_options *o = &t->options;
    *o = *options;
    o->hostname = g_strdup(options->hostname ? options->hostname : "localhost");
    if (o->workers == 0)
        o->workers = TRANSPORT_WORKERS;
    o->workers = MIN(o->workers, TRANSPORT_WORKERS_MAX);
    if (o->retry_seconds == 0)
        o->retry_seconds = TRANSPORT_RETRY_SECONDS;
    if (o->retry_max_seconds == 0)
        o->retry_max_seconds = TRANSPORT_RETRY_MAX_SECONDS;
    if (o->expire_seconds == 0)
        o->expire_seconds = TRANSPORT_EXPIRE_SECONDS;
    t->queue = queue;
    t->mailboxes = mailboxes;
    t->report_limit = report_limit_new();
    t->threads = g_new0(pthread_t, o->workers);
    for (unsigned i = 0; i < o->workers; i++)
        if (pthread_create(&t->threads[t->n_threads], NULL, run, t) == 0)
            t->n_threads++;
    if (t->n_threads == 0) {
        log_event(LOG_LEVEL_ERROR, "transport.thread_failed", NULL);
        transport_free(t);
        return EC_NOT_ENOUGH_RESOURCES;
    }
    *out = t;
    return EC_OK;
}

void transport_free(struct transport *t) {
    if (!t)
        return;
    t->is_stopping = true;
    queue_wake(t->queue);
    for (unsigned i = 0; i < t->n_threads; i++)
        pthread_join(t->threads[i], NULL);
    g_free(t->threads);
    report_limit_free(t->report_limit);
    g_free((char *)t->options.hostname);
    g_free(t);
}

void transport_stats(struct transport *t, struct transport_stats *out) {
    *out = (struct transport_stats){t->delivered, t->deferred, t->bounced, t->reports};
}
