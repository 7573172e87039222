// Results as outcomes of a delivery ([RFC 3463]): what is permanent, what is tried again.
#include "base/log.h"
#include "transport/track.h"
#include "transport/transport_internal.h"

static const struct {
    enum ec ec;
    struct outcome outcome;
} outcomes[] = {
    {EC_OK, {OUTCOME_DELIVERED, "2.0.0", "delivered"}},
    {EC_UNKNOWN_USER, {OUTCOME_FAILED, "5.1.1", "there is no such recipient"}},
    {EC_NOT_FOUND, {OUTCOME_FAILED, "5.1.1", "the recipient has no mailbox"}},
    {EC_QUOTA_EXCEEDED, {OUTCOME_FAILED, "5.2.2", "the recipient's mailbox is full"}},
    {EC_MESSAGE_TOO_BIG, {OUTCOME_FAILED, "5.3.4", "the message is too large for the recipient"}},
    {EC_ACCESS_DENIED, {OUTCOME_FAILED, "5.7.1", "the recipient does not take this message"}},
    {EC_NOT_SUPPORTED, {OUTCOME_FAILED, "5.6.1", "the recipient cannot display this message"}},
    {EC_LOOP_DETECTED, {OUTCOME_FAILED, "5.4.6", "the message goes round in a loop"}},
    {EC_DISK_FULL, {OUTCOME_DEFERRED, "4.3.1", "the disk is full"}},
    {EC_NOT_ENOUGH_DISK, {OUTCOME_DEFERRED, "4.3.1", "the disk is full"}},
};

struct outcome outcome_from_ec(enum ec ec) {
    for (unsigned i = 0; i < G_N_ELEMENTS(outcomes); i++)
        if (outcomes[i].ec == ec)
            return outcomes[i].outcome;
    return (struct outcome){OUTCOME_DEFERRED, "4.3.0", ec_text(ec)};
}

static void log_outcome(const struct job *job, const char *recipient, const struct outcome *o) {
    static const char *const events[] = {"transport.delivered", "transport.relayed",
                                         "transport.failed", "transport.deferred"};
    bool is_good = o->kind == OUTCOME_DELIVERED || o->kind == OUTCOME_RELAYED;
    log_event(is_good ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, events[o->kind], "queue",
              queue_item_id(job->item), "recipient", recipient, "status", o->status, "remote",
              o->remote, "reply", o->reply, "reason", is_good ? NULL : o->text, NULL);
}

static void track_outcome(const struct job *job, unsigned recipient, const struct outcome *o) {
    static const enum track_kind kinds[] = {TRACK_DELIVER, TRACK_RELAY, TRACK_FAIL, TRACK_DEFER};
    const struct queue_envelope *e = queue_item_envelope(job->item);
    bool is_expanded = job->is_group[recipient] && o->kind == OUTCOME_DELIVERED;
    track_event(&(struct track_event){
        .kind = is_expanded ? TRACK_EXPAND : kinds[o->kind],
        .queue_id = queue_item_id(job->item),
        .message_id = job->message_id,
        .sender = e->sender,
        .recipient = e->recipients[job->pending[recipient]].address,
        .client = e->peer,
        .status = o->status,
        .detail = o->kind == OUTCOME_RELAYED     ? o->remote
                  : o->kind == OUTCOME_DELIVERED ? NULL
                                                 : o->text,
    });
}

void transport_outcome(struct job *job, unsigned recipient, const struct outcome *outcome) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    struct transport *t = job->t;
    if (outcome->is_untried)
        return;
    log_outcome(job, envelope->recipients[job->pending[recipient]].address, outcome);
    track_outcome(job, recipient, outcome);
    if (outcome->kind == OUTCOME_RELAYED)
        t->relayed++;
    else if (outcome->kind == OUTCOME_DEFERRED)
        t->deferred++;
    else if (outcome->kind == OUTCOME_FAILED)
        t->bounced++;
}
