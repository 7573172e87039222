// Results as outcomes of a delivery ([RFC 3463]): what is permanent, what is tried again.
#include "base/log.h"
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

void transport_outcome(struct job *job, unsigned recipient, const struct outcome *outcome) {
    const struct queue_envelope *envelope = queue_item_envelope(job->item);
    struct transport *t = job->t;
    if (outcome->is_untried)
        return;
    log_outcome(job, envelope->recipients[job->pending[recipient]].address, outcome);
    if (outcome->kind == OUTCOME_RELAYED)
        t->relayed++;
    else if (outcome->kind == OUTCOME_DEFERRED)
        t->deferred++;
    else if (outcome->kind == OUTCOME_FAILED)
        t->bounced++;
}
