// The part of a message that goes to other servers: its addresses are grouped by destination and
// handed to the relay; when the last group is back, the message is settled.
//
// A recipient of ours that leads to several addresses elsewhere (a group, mostly) is not sent to
// them from its own entry, which could not remember who of them has it: it becomes an entry of its
// own with those addresses as recipients.
#include <string.h>

#include "base/log.h"
#include "transport/transport_internal.h"

// Some recipients of a job that go to one destination together.
struct part {
    struct job *job;
    struct relay_job relay;
    struct remote **remotes; // of the relay job's recipients
};

static const struct outcome no_relay = {
    OUTCOME_FAILED, "5.4.4", "this server does not send mail to other servers", NULL, NULL, NULL,
    false,          false};

// --- Reading the message, and our signature ---

// The domain that answers for the message; NULL: not one of ours.
static char *signing_domain(struct job *job) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    struct directory *directory = mailbox_service_directory(job->t->mailboxes);
    if (!*envelope->sender) // our own reports come from no client
        return envelope->peer ? NULL : directory_default_domain(directory);
    const char *at = strrchr(envelope->sender, '@');
    return at && directory_is_local_domain(directory, at + 1) ? g_strdup(at + 1) : NULL;
}

static void sign(struct job *job, GBytes *message) {
    const struct transport_options *o = &job->t->options;
    g_autofree char *domain = o->sign ? signing_domain(job) : NULL;
    if (!domain || o->sign(o->sign_ctx, domain, message, &job->signature) != EC_OK)
        job->signature = g_strdup("");
}

static enum ec read_part(struct relay_job *relay, GBytes **top_out, GBytes **message_out) {
    struct job *job = ((struct part *)relay->ctx)->job;
    const char *fields = queue_item_envelope(job->item)->fields;
    GBytes *message;
    EC_TRY(queue_item_read(job->item, &message));
    pthread_mutex_lock(&job->lock);
    if (!job->signature)
        sign(job, message);
    pthread_mutex_unlock(&job->lock);
    size_t len = strlen(job->signature) + (fields ? strlen(fields) : 0);
    *top_out = len ? g_bytes_new_take(g_strconcat(job->signature, fields, NULL), len) : NULL;
    *message_out = message;
    return EC_OK;
}

// --- Back from the relay ---

static struct outcome outcome_from_result(struct arena *arena, const struct relay_job *relay,
                                          const struct relay_result *r) {
    static const enum outcome_kind kinds[] = {OUTCOME_RELAYED, OUTCOME_FAILED, OUTCOME_DEFERRED,
                                              OUTCOME_DEFERRED};
    return (struct outcome){
        .kind = kinds[r->verdict],
        .status = r->status ? arena_strdup(arena, r->status) : "4.4.0",
        .text = r->text ? arena_strdup(arena, r->text) : "waits for its turn",
        .remote = arena_strdup(arena, r->remote),
        .reply = arena_strdup(arena, r->reply),
        .lane = r->verdict >= RELAY_DEFERRED ? arena_strdup(arena, relay->destination) : NULL,
        .is_untried = r->verdict == RELAY_BUSY,
        .sends_reports = r->sends_reports,
    };
}

static void finish(struct job *job) {
    for (unsigned i = 0; i < job->n_remotes; i++) {
        struct outcome *o = &job->outcomes[job->remotes[i].recipient];
        if (job->remotes[i].outcome.kind > o->kind)
            *o = job->remotes[i].outcome;
    }
    pthread_mutex_destroy(&job->lock);
    job_settle(job);
}

// Under the lock. What is sent is noted while other parts are still on their way: their slowness
// and a crash would send it twice.
static void note_sent(struct part *part) {
    struct job *job = part->job;
    bool is_new = false;
    for (unsigned i = 0; i < part->relay.n_recipients; i++) {
        const struct remote *remote = part->remotes[i];
        if (remote->outcome.kind == OUTCOME_RELAYED &&
            job->outcomes[remote->recipient].kind <= OUTCOME_RELAYED) {
            queue_item_recipient_done(job->item, job->pending[remote->recipient]);
            is_new = true;
        }
    }
    if (is_new)
        queue_item_note(job->item);
}

static void part_closed(struct job *job) {
    pthread_mutex_lock(&job->lock);
    bool is_last = --job->n_open == 0;
    pthread_mutex_unlock(&job->lock);
    if (is_last)
        finish(job);
}

static void part_done(struct relay_job *relay) {
    struct part *part = relay->ctx;
    struct job *job = part->job;
    struct arena *arena = relay->arena;
    pthread_mutex_lock(&job->lock);
    for (unsigned i = 0; i < relay->n_recipients; i++)
        part->remotes[i]->outcome =
            outcome_from_result(job->arena, relay, &relay->recipients[i].result);
    if (job->n_open > 1)
        note_sent(part);
    pthread_mutex_unlock(&job->lock);
    arena_free(arena); // with the part
    part_closed(job);
}

// --- To the relay ---

static struct part *part_new(struct job *job, const char *destination) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    struct arena *arena = arena_new();
    struct part *part = arena_alloc0(arena, sizeof *part);
    part->job = job;
    part->remotes = arena_alloc(arena, RELAY_RECIPIENTS_MAX * sizeof *part->remotes);
    part->relay = (struct relay_job){
        .arena = arena,
        .destination = arena_strdup(arena, destination),
        .id = queue_item_id(job->item),
        .sender = envelope->sender,
        .envid = envelope->envid,
        .ret = envelope->ret,
        .auth = envelope->auth,
        .is_smtputf8 = envelope->is_smtputf8,
        .is_8bit = envelope->is_8bit,
        .is_binary = envelope->is_binary,
        .requires_tls = envelope->requires_tls,
        .size = job->original ? g_bytes_get_size(job->original) : 0,
        .read = read_part,
        .done = part_done,
        .ctx = part,
        .recipients = arena_alloc0(arena, RELAY_RECIPIENTS_MAX * sizeof *part->relay.recipients),
    };
    return part;
}

static void part_add(struct part *part, struct remote *remote) {
    struct job *job = part->job;
    const struct queue_recipient *r =
        &queue_item_envelope(job->item)->recipients[job->pending[remote->recipient]];
    unsigned at = part->relay.n_recipients++;
    part->remotes[at] = remote;
    part->relay.recipients[at] = (struct relay_recipient){
        .address = remote->address, .orcpt = r->orcpt, .notify = r->notify};
}

static GPtrArray *group_by_destination(struct job *job) {
    GPtrArray *parts = g_ptr_array_new();
    g_autoptr(GHashTable) open = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < job->n_remotes; i++) {
        struct remote *remote = &job->remotes[i];
        if (!remote->address) // expanded
            continue;
        const char *destination = relay_destination(job->t->relay, job->arena, remote->address);
        if (!destination) {
            remote->outcome =
                (struct outcome){OUTCOME_FAILED, "5.1.3", "the recipient's address is not one"};
            continue;
        }
        struct part *part = g_hash_table_lookup(open, destination);
        if (!part || part->relay.n_recipients == RELAY_RECIPIENTS_MAX) {
            part = part_new(job, destination);
            g_ptr_array_add(parts, part);
            g_hash_table_insert(open, (gpointer)part->relay.destination, part);
        }
        part_add(part, remote);
    }
    return parts;
}

// --- Recipients with several addresses elsewhere ---

// A failure among the members is told to the sender, as it would be from the entry itself; success
// is not ([RFC 3461] 5.2.7.1).
static enum ec submit_members(struct job *job, unsigned recipient, unsigned first, unsigned n) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    const struct queue_recipient *group = &envelope->recipients[job->pending[recipient]];
    struct queue_recipient *members = arena_alloc0(job->arena, n * sizeof *members);
    for (unsigned i = 0; i < n; i++)
        members[i] = (struct queue_recipient){
            .address = job->remotes[first + i].address,
            .orcpt = group->orcpt,
            .notify = group->notify & ~(uint32_t)QUEUE_NOTIFY_SUCCESS,
        };
    struct queue_envelope expanded = *envelope;
    expanded.recipients = members;
    expanded.n_recipients = n;
    gsize len;
    const void *data = g_bytes_get_data(job->original, &len);
    struct queue_spool *spool;
    EC_TRY(queue_spool_new(job->t->queue, &spool));
    enum ec ec = queue_spool_write(spool, data, len);
    if (ec != EC_OK) {
        queue_spool_free(spool);
        return ec;
    }
    char id[QUEUE_ID_SIZE];
    EC_TRY(queue_submit_take(job->t->queue, &expanded, spool, id));
    log_event(LOG_LEVEL_INFO, "transport.expanded", "queue", queue_item_id(job->item), "recipient",
              group->address, "as", id, NULL);
    return EC_OK;
}

static void expand_many(struct job *job) {
    for (unsigned first = 0, n; first < job->n_remotes; first += n) {
        unsigned recipient = job->remotes[first].recipient;
        for (n = 1; first + n < job->n_remotes && job->remotes[first + n].recipient == recipient;)
            n++;
        if (n == 1)
            continue;
        struct outcome o = job->outcomes[recipient].kind == OUTCOME_DEFERRED
                               ? job->outcomes[recipient] // else it would be done again
                               : outcome_from_ec(submit_members(job, recipient, first, n));
        for (unsigned i = 0; i < n; i++) {
            job->remotes[first + i].outcome = o;
            job->remotes[first + i].address = NULL;
        }
    }
}

void outbound_start(struct job *job) {
    pthread_mutex_init(&job->lock, NULL);
    job->n_open = 1; // ours, until all parts are on their way
    if (!job->t->relay) {
        for (unsigned i = 0; i < job->n_remotes; i++)
            job->remotes[i].outcome = no_relay;
        finish(job);
        return;
    }
    expand_many(job);
    g_autoptr(GPtrArray) parts = group_by_destination(job);
    g_clear_pointer(&job->original, g_bytes_unref); // read again when its turn has come
    job->n_open += parts->len;
    for (unsigned i = 0; i < parts->len; i++)
        relay_send(job->t->relay, &((struct part *)parts->pdata[i])->relay);
    part_closed(job);
}
