// Large values of a mailbox: compressed, chunked, shared by content, reference-counted. Internal to
// store/.
#pragma once

#include <glib.h>

#include "store/store.h"

// Stores bytes with `refs` references (or adds them to an equal blob). EC_MESSAGE_TOO_BIG past
// BLOB_MAX.
enum ec blob_store(struct mbox_tx *tx, const void *data, size_t len, unsigned refs, uint64_t *out);
enum ec blob_ref(struct mbox_tx *tx, uint64_t blob, unsigned refs);
// Drops one reference; the last one deletes it. Blob 0 is nothing.
enum ec blob_unref(struct mbox_tx *tx, uint64_t blob);
enum ec blob_size(struct mbox_tx *tx, uint64_t blob, uint64_t *out);
