// What mailboxes send by themselves goes into the queue (mailbox/outbox.h).
#include "transport/outbox.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "mailbox/outbox.h"
#include "queue/queue.h"
#include "transport/track.h"

// Whether it can only go where SMTPUTF8 is spoken: something of the header or envelope is beyond
// ASCII.
static bool needs_smtputf8(const struct mailbox_outgoing *m, const char *data, size_t len) {
    size_t header = 0;
    while (header < len && !(data[header] == '\n' && header + 1 < len &&
                             (data[header + 1] == '\n' || data[header + 1] == '\r')))
        header++;
    for (unsigned i = 0; i < m->n_recipients; i++)
        if (!text_is_ascii(m->recipients[i].address, strlen(m->recipients[i].address)))
            return true;
    return !text_is_ascii(m->sender, strlen(m->sender)) ||
           (m->recipient && !text_is_ascii(m->recipient, strlen(m->recipient))) ||
           !text_is_ascii(data, header);
}

enum ec outbox_submit(void *queue, const struct mailbox_outgoing *m) {
    static const struct {
        const char *event;
        enum track_kind kind;
    } kinds[] = {
        [OUTGOING_FORWARD] = {"transport.forwarded", TRACK_FORWARD},
        [OUTGOING_RULE] = {"transport.rule_sent", TRACK_FORWARD},
        [OUTGOING_RECEIPT] = {"transport.receipt", TRACK_RECEIPT},
        [OUTGOING_REPLY] = {"transport.replied", TRACK_FORWARD},
        [OUTGOING_SUBMIT] = {"transport.submitted", TRACK_FORWARD},
    };
    gsize len;
    const char *data = g_bytes_get_data(m->mime, &len);
    struct queue_spool *spool;
    EC_TRY(queue_spool_new(queue, &spool));
    enum ec ec = queue_spool_write(spool, data ? data : "", len);
    if (ec != EC_OK) {
        queue_spool_free(spool);
        return ec;
    }
    struct queue_recipient to = {.address = m->recipient,
                                 .notify = m->never_reports ? QUEUE_NOTIFY_NEVER : 0};
    g_autofree struct queue_recipient *many = g_new0(struct queue_recipient, m->n_recipients + 1);
    for (unsigned i = 0; i < m->n_recipients; i++)
        many[i] = (struct queue_recipient){.address = m->recipients[i].address,
                                           .notify = m->recipients[i].notify};
    bool is_submit = m->kind == OUTGOING_SUBMIT;
    struct queue_envelope envelope = {.sender = m->sender,
                                      .recipients = m->n_recipients ? many : &to,
                                      .n_recipients = m->n_recipients ? m->n_recipients : 1,
                                      .hold_until = m->hold_until,
                                      .auth = is_submit ? m->user : NULL,
                                      .scl = is_submit ? 0 : QUEUE_SCL_NONE,
                                      .is_smtputf8 = needs_smtputf8(m, data ? data : "", len),
                                      .is_8bit = true,
                                      .requires_tls = m->requires_tls};
    char id[QUEUE_ID_SIZE];
    EC_TRY(queue_submit_take(queue, &envelope, spool, id));
    const char *recipient = m->n_recipients ? m->recipients[0].address : m->recipient;
    log_event(LOG_LEVEL_INFO, kinds[m->kind].event, "queue", id, "mailbox", m->owner, "to",
              recipient, NULL);
    if (is_submit)
        return EC_OK; // tracked when it is taken from the queue
    track_event(&(struct track_event){.kind = kinds[m->kind].kind,
                                      .queue_id = id,
                                      .sender = m->sender,
                                      .recipient = recipient,
                                      .size = len,
                                      .detail = m->owner});
    return EC_OK;
}
