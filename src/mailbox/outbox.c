// Handing over what a mailbox sends by itself.
#include "mailbox/outbox.h"

#include "mailbox/mailbox_internal.h"

void mailbox_service_set_outbox(struct mailbox_service *s, mailbox_submit submit, void *ctx) {
    s->submit = submit;
    s->submit_ctx = ctx;
}

enum ec outbox_send(struct mailbox_service *s, const struct mailbox_outgoing *message) {
    return s->submit ? s->submit(s->submit_ctx, message) : EC_NOT_INITIALIZED;
}
