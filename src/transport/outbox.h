// The way into the queue for what mailboxes send by themselves; transport_new sets it.
#pragma once

#include "mailbox/outbox.h"

enum ec outbox_submit(void *queue, const struct mailbox_outgoing *message);
