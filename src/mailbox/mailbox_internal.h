// What the files of mailbox/ share.
#pragma once

#include "base/clock.h"
#include "mailbox/mailbox.h"
#include "mailbox/quota_internal.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/recoverable.h"
#include "store/rows.h"

struct mailbox_service {
    struct store *store;
    struct directory *directory;
    struct quota_cache *quota; // limits, and the options they come from
};

struct mailbox {
    struct mailbox_service *service;
    struct principal *who;
    struct mbox *mbox;
    bool is_owner; // the mailbox is the principal's own, or the principal is the administrator
};

// --- service.c ---

// Without asking whether `who` has any right there.
enum ec mailbox_open_unchecked(struct mailbox_service *s, struct principal *who,
                               const struct guid *guid, struct mailbox **out);

// --- rights.c ---

// What the principal may do with folder `fid` (enum folder_rights; RIGHTS_ALL for the owner).
enum ec rights_of(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out);
// EC_OK when the principal has all of `needed` there; EC_NOT_FOUND when the folder may not even be
// seen, EC_ACCESS_DENIED otherwise.
enum ec rights_require(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t needed);
// Whether the principal has a right on any folder of the mailbox.
enum ec rights_anywhere(const struct mailbox *m, struct mbox_tx *tx);

// --- folders.c ---

// The folder that `path` names. `*canonical_out` (may be NULL) gets the path with the names as they
// are stored. EC_NOT_FOUND.
enum ec folder_of_path(const struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                       const char *path, uint64_t *fid_out, const char **canonical_out);
// Splits a path into its names (U+2215 as it stands); one '/' at the end is passed over. NULL when
// a name is empty or there are too many.
char **path_split(struct arena *arena, const char *path, unsigned *n_out);

// The folder of a path, made with everything above it where missing. No rights or limits are asked
// for: of restoring and archiving. EC_BAD_FOLDER_NAME.
enum ec folder_make(struct mbox_tx *tx, struct arena *arena, const char *path,
                    const char *container_class, uint64_t *fid_out);

// --- subscriptions.c ---

// Moves a subscription between a folder and the list of remembered names: `exists` after creating
// `path`, not after deleting it. Inside a write.
enum ec subscription_follow(struct mbox_tx *tx, const char *path, uint64_t fid, bool exists);

// --- read.c ---

// The MIME rendition, for search.c; as mailbox_read_mime but never makes one on the way: a message
// without one gives EC_NOT_FOUND too when `make` is false.
struct mbox_tx *reader_tx(struct mailbox_reader *r);
