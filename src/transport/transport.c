// The engine: threads that claim messages from the queue, and what happens to one batch of them:
// route every recipient, deliver what is local at once, hand the rest to the relay (outbound.c),
// settle each message by what became of its recipients (settle.c).
#include "transport/transport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "transport/intake.h"
#include "transport/outbox.h"
#include "transport/track.h"
#include "transport/transport_internal.h"

struct batch {
    struct transport *t;
    struct arena *arena;
    GArray *deliveries; // struct mailbox_delivery
    struct job **jobs;
    unsigned n;
};

// --- Preparing ---

// As it stands in a mailbox: the sender, and what the way in found out about it, on top.
static GBytes *as_delivered(GBytes *original, const struct queue_envelope *envelope) {
    gsize len;
    const void *data = g_bytes_get_data(original, &len);
    g_autofree char *line =
        g_strconcat("Return-Path: <", envelope->sender, ">\r\n", envelope->fields, NULL);
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
        .folder_detail = target->detail,
        .folder = target->folder,
        .arrived = queue_item_arrived(job->item),
    };
    g_array_append_val(b->deliveries, d);
    unsigned at = b->deliveries->len - 1;
    g_hash_table_insert(known, arena_strdup(b->arena, key), GUINT_TO_POINTER(at));
    return at;
}

static void route_recipient(struct batch *b, struct job *job, GHashTable *known, GArray *remotes,
                            unsigned i) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    g_autoptr(GArray) targets = g_array_new(false, false, sizeof(struct route_target));
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();
    struct route route = {.targets = targets, .remotes = addresses};
    route_address(mailbox_service_directory(b->t->mailboxes), job->arena,
                  envelope->recipients[job->pending[i]].address, &route);
    job->outcomes[i] = route.problem;
    job->is_group[i] = route.is_group;
    for (unsigned k = 0; k < addresses->len; k++) {
        struct remote remote = {.recipient = i, .address = addresses->pdata[k]};
        g_array_append_val(remotes, remote);
    }
    if (targets->len == 0)
        return;
    job->deliveries[i] = g_array_sized_new(false, false, sizeof(unsigned), targets->len);
    for (unsigned k = 0; k < targets->len; k++) {
        unsigned at = add_delivery(b, job, known, &g_array_index(targets, struct route_target, k));
        g_array_append_val(job->deliveries[i], at);
    }
}

static void route_recipients(struct batch *b, struct job *job) {
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GArray) remotes = g_array_new(false, false, sizeof(struct remote));
    for (unsigned i = 0; i < job->n_pending; i++)
        route_recipient(b, job, known, remotes, i);
    job->n_remotes = remotes->len;
    if (remotes->len)
        job->remotes =
            arena_memdup(job->arena, remotes->data, remotes->len * sizeof(struct remote));
}

// Nothing is delivered of a message now.
static void put_off(struct batch *b, struct job *job, unsigned first_delivery, enum ec ec) {
    g_array_set_size(b->deliveries, first_delivery);
    job->n_remotes = 0;
    for (unsigned i = 0; i < job->n_pending; i++) {
        job->outcomes[i] = outcome_from_ec(ec);
        g_clear_pointer(&job->deliveries[i], g_array_unref);
    }
}

// The size of the message, for the batch's limit.
static size_t prepare(struct batch *b, struct queue_item *item) {
    struct arena *arena = queue_item_arena(item);
    struct job *job = b->jobs[b->n++] = arena_alloc0(arena, sizeof *job);
    job->t = b->t;
    job->item = item;
    job->arena = arena;
    job->n_pending = queue_item_pending(item, arena, &job->pending);
    job->outcomes = arena_alloc0(arena, job->n_pending * sizeof *job->outcomes);
    job->deliveries = arena_alloc0(arena, job->n_pending * sizeof *job->deliveries);
    job->is_group = arena_alloc0(arena, job->n_pending * sizeof *job->is_group);
    enum ec ec = queue_item_read(item, &job->original);
    if (ec == EC_OK && is_looping(job->original))
        ec = EC_LOOP_DETECTED;
    for (unsigned i = 0; i < job->n_pending; i++)
        job->outcomes[i] = outcome_from_ec(ec);
    if (ec != EC_OK)
        return 0;
    unsigned before = b->deliveries->len;
    route_recipients(b, job);
    unsigned after = b->deliveries->len;
    ec = intake_message(job, b->deliveries, before);
    if (ec != EC_OK) {
        put_off(b, job, before, ec);
        return 0;
    }
    if (b->deliveries->len == before)
        return 0;
    if (after > before)
        job->mime = as_delivered(job->original, queue_item_envelope(item));
    for (unsigned i = before; i < after; i++) {
        struct mailbox_delivery *d = &g_array_index(b->deliveries, struct mailbox_delivery, i);
        d->mime = job->mime;
        d->sender = queue_item_envelope(item)->sender;
        d->scl = queue_item_envelope(item)->scl;
        d->pcl = queue_item_envelope(item)->pcl;
        d->requires_tls = queue_item_envelope(item)->requires_tls;
    }
    return g_bytes_get_size(job->original);
}

// --- After the delivery ---

static void track_drop(struct job *job, unsigned i, const char *why) {
    const struct queue_envelope *e = queue_item_envelope(job->item);
    track_event(&(struct track_event){.kind = TRACK_DROP,
                                      .queue_id = queue_item_id(job->item),
                                      .message_id = job->message_id,
                                      .sender = e->sender,
                                      .recipient = e->recipients[job->pending[i]].address,
                                      .detail = why});
}

// What became of the local part: for each recipient the worst of its deliveries and of its route.
static void take_results(struct batch *b, struct job *job) {
    for (unsigned i = 0; i < job->n_pending; i++) {
        if (!job->deliveries[i])
            continue;
        for (unsigned k = 0; k < job->deliveries[i]->len; k++) {
            unsigned at = g_array_index(job->deliveries[i], unsigned, k);
            const struct mailbox_delivery *d =
                &g_array_index(b->deliveries, struct mailbox_delivery, at);
            struct outcome o = outcome_from_ec(d->result);
            if (d->result == EC_OK && d->became & DELIVERED_DUPLICATE)
                track_drop(job, i, "the mailbox has it already");
            else if (d->result == EC_OK && d->became == DELIVERED_DROPPED)
                track_drop(job, i, "a rule of the mailbox deletes it");
            if (o.kind > job->outcomes[i].kind)
                job->outcomes[i] = o;
        }
        g_clear_pointer(&job->deliveries[i], g_array_unref);
    }
}

// --- The engine ---

// Prepares items up to the batch's bytes and delivers them; the number of items taken.
static unsigned run_batch(struct transport *t, struct queue_item **items, unsigned n) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) deliveries = g_array_new(false, false, sizeof(struct mailbox_delivery));
    struct batch b = {.t = t, .arena = arena, .deliveries = deliveries};
    b.jobs = arena_alloc(arena, n * sizeof(struct job *));
    size_t bytes = 0;
    while (b.n < n && bytes < TRANSPORT_BATCH_BYTES)
        bytes += prepare(&b, items[b.n]);
    mailbox_deliver(t->mailboxes, (struct mailbox_delivery *)(void *)deliveries->data,
                    deliveries->len);
    for (unsigned i = 0; i < deliveries->len; i++) {
        const struct mailbox_delivery *d = &g_array_index(deliveries, struct mailbox_delivery, i);
        if (d->is_sent_copy && d->result != EC_OK)
            log_event(LOG_LEVEL_WARNING, "transport.no_sent_copy", "delivery", d->delivery_id,
                      "reason", ec_text(d->result), NULL);
        t->delivered += d->result == EC_OK && !d->is_sent_copy;
    }
    for (unsigned i = 0; i < b.n; i++) {
        take_results(&b, b.jobs[i]);
        if (b.jobs[i]->n_remotes)
            outbound_start(b.jobs[i]);
        else
            job_settle(b.jobs[i]);
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

static void has_room(void *ctx, const char *destination, unsigned n) {
    struct transport *t = ctx;
    queue_wake_lane(t->queue, destination, n);
}

static enum ec open_relay(struct transport *t, const struct relay_options *from) {
    struct relay_options options = *from;
    options.hostname = t->options.hostname;
    // A destination is tried again before the messages that wait for it are.
    options.backoff_ms = MIN(t->options.retry_seconds * 500, 60000);
    options.backoff_max_ms = MIN(t->options.retry_max_seconds, 1200) * 500;
    options.has_room = has_room;
    options.ctx = t;
    t->options.relay = NULL; // the caller's
    return relay_new(&options, &t->relay);
}

enum ec transport_new(struct queue *queue, struct mailbox_service *mailboxes,
                      const struct transport_options *options, struct transport **out) {
    struct transport *t = g_new0(struct transport, 1);
    struct transport_options *o = &t->options;
    *o = *options;
    o->hostname = g_strdup(options->hostname ? options->hostname : "localhost");
    o->journal = g_strdup(options->journal);
    o->journal_domains = g_strdup(options->journal_domains);
    if (o->workers == 0)
        o->workers = TRANSPORT_WORKERS;
    o->workers = MIN(o->workers, TRANSPORT_WORKERS_MAX);
    if (o->retry_seconds == 0)
        o->retry_seconds = TRANSPORT_RETRY_SECONDS;
    if (o->retry_max_seconds == 0)
        o->retry_max_seconds = TRANSPORT_RETRY_MAX_SECONDS;
    if (o->expire_seconds == 0)
        o->expire_seconds = TRANSPORT_EXPIRE_SECONDS;
    if (o->delay_seconds == 0)
        o->delay_seconds = TRANSPORT_DELAY_SECONDS;
    t->queue = queue;
    t->mailboxes = mailboxes;
    t->report_limit = report_limit_new();
    t->journaled = id_set_new();
    t->warned = id_set_new();
    mailbox_service_set_outbox(mailboxes, outbox_submit, queue);
    enum ec ec = options->relay ? open_relay(t, options->relay) : EC_OK;
    if (ec != EC_OK) {
        transport_free(t);
        return ec;
    }
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
    relay_free(t->relay); // settles what it has
    mailbox_service_set_outbox(t->mailboxes, NULL, NULL);
    g_free(t->threads);
    report_limit_free(t->report_limit);
    id_set_free(t->journaled);
    id_set_free(t->warned);
    g_free((char *)t->options.hostname);
    g_free((char *)t->options.journal);
    g_free((char *)t->options.journal_domains);
    g_free(t);
}

struct relay *transport_relay(struct transport *t) {
    return t->relay;
}

void transport_stats(struct transport *t, struct transport_stats *out) {
    *out = (struct transport_stats){t->delivered, t->relayed, t->deferred, t->bounced, t->reports};
}
