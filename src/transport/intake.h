// What happens to a message besides its delivery when it is first taken from the queue: it is
// tracked, journaled ([MS-XJRNL]), and a copy of what somebody sends in another's name is kept
// there.
#pragma once

#include "transport/transport_internal.h"

// Before the message is delivered, once its recipients are routed. An error: the message has to
// wait, since what must come first could not be done. Deliveries of its own are appended to
// `deliveries`.
enum ec intake_message(struct job *job, GArray *deliveries, unsigned first_delivery);
