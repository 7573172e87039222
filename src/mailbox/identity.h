// Ids that stay what they are ([RFC 8474]), when a message was put where it is ([RFC 8514]), and
// how it begins ([RFC 8970]).
#pragma once

#include "mailbox/mailbox.h"

#define MAILBOX_ID_SIZE 72      // with the NUL
#define MAILBOX_PREVIEW_MAX 200 // characters

// MAILBOXID: of a folder, unlike those of all other mailboxes' folders.
void mailbox_folder_id(const struct mailbox *m, uint64_t fid, char out[MAILBOX_ID_SIZE]);
// EMAILID: of a message's contents, the same for its copies in the mailbox. THREADID: of its
// conversation. EC_NOT_FOUND: expunged.
enum ec mailbox_read_ids(struct mailbox_reader *r, uint64_t mid, char email_out[MAILBOX_ID_SIZE],
                         char thread_out[MAILBOX_ID_SIZE]);
// 0: it is not known (put there before such times were kept).
enum ec mailbox_read_save_date(struct mailbox_reader *r, uint64_t mid, filetime_t *out);
// Messages with ids from *first_out on were put where they are at `since` or later; nothing is
// known of those before *known_out.
enum ec mailbox_saved_since(struct mailbox *m, filetime_t since, uint64_t *first_out,
                            uint64_t *known_out);

// The first words of the text, white space made one; "" when there is no text. In the arena. Looks
// at the first 64 KiB of the message only.
enum ec mailbox_read_preview(struct mailbox_reader *r, uint64_t mid, struct arena *arena,
                             const char **out);
