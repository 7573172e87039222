// NOTIFY ([RFC 5465]): news of folders that are not selected, and of the selected one without being
// asked.
#pragma once

#include "protocol/imap/imap_session.h"

// Tells what there is to tell now: between commands and while IDLE. The reply of a session that has
// to end is NET_CLOSE.
enum net_next imap_notify_run(struct imap_session *s);
// Remembers that there is something to tell, which a command that runs keeps from being told.
void imap_notify_later(struct imap_session *s);
// After a command: what came while it ran.
enum net_next imap_notify_after(struct imap_session *s);
void imap_notify_free(struct imap_notify *n); // accepts NULL
