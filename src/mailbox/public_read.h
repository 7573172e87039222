// Between public_read.c and the files that show or change read state in the public store.
#pragma once

#include "mailbox/mailbox_internal.h"
#include "store/per_user.h"

#define READ_STATE_MAX (1024 * 1024) // bytes of an imported set

// Sets MSG_READ in `row` as the principal sees it.
enum ec read_state_apply(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                         struct message_row *row);
enum ec read_state_unread(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out);
// Which of the messages the principal has read; those that are not there: false.
enum ec read_state_which(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                         const uint64_t *mids, unsigned n, bool *read_out);
// Sets it, by the change numbers as they are now. Inside a write.
enum ec read_state_set(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                       const uint64_t *mids, unsigned n, const bool *read);

// A folder's rows with the principal's read state; shared, immutable. `before` is given again when
// nothing changed; may be NULL.
struct read_overlay;
enum ec read_overlay_new(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                         struct folder_rows *rows, struct read_overlay *before,
                         struct read_overlay **out);
struct read_overlay *read_overlay_ref(struct read_overlay *o);
void read_overlay_unref(struct read_overlay *o); // accepts NULL
const struct message_row *read_overlay_at(const struct read_overlay *o, uint32_t i);
uint32_t read_overlay_unread(const struct read_overlay *o);
void read_overlay_diff(const struct read_overlay *from, const struct read_overlay *to,
                       void (*change)(void *ctx, enum mailbox_view_change what, uint32_t index,
                                      const struct message_row *row),
                       void *ctx);
