// What a mailbox remembers of deliveries beyond the messages themselves, so that it takes each
// message once.
#pragma once

#include "store/store.h"

// Notes a delivery under `id`, now, unless one after `since` is noted: *was_out, and nothing
// changes. Only in a write.
enum ec mbox_note_delivered(struct mbox_tx *tx, const char *id, filetime_t since, bool *was_out);
