// Telling a client that its command is still being worked on ([RFC 9585]).
#pragma once

#include "protocol/imap/imap_session.h"

struct imap_progress {
    struct imap_cmd *c;
    int64_t last; // monotonic microseconds
};
// From now on, while `c` runs.
struct imap_progress imap_progress_begin(struct imap_cmd *c);
// To be called now and then: writes and sends "* OK [INPROGRESS ("tag")] ..." when the client has
// heard nothing for a while. Always false: it also is mailbox_search's question whether to stop.
bool imap_progress_tick(void *progress);
