// What the files of mailbox/ share.
#pragma once

#include "base/clock.h"
#include "mailbox/mailbox.h"
#include "mailbox/outbox.h"
#include "mailbox/quota_internal.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/recoverable.h"
#include "store/rows.h"

struct mailbox_service {
    struct store *store;
    struct directory *directory;
    struct quota_cache *quota; // limits, and the options they come from
    struct owner_cache *owners;
    mailbox_submit submit; // outbox.h; NULL: nothing is sent
    void *submit_ctx;
    struct sort_cache *sorting; // sort_index.h
};

struct mailbox {
    struct mailbox_service *service;
    struct principal *who;
    struct mbox *mbox;
    bool is_owner;  // the mailbox is the principal's own, or the principal is the administrator
    bool is_public; // the public store: nobody's own
    bool is_login;  // somebody else's, named in the login name: stands in the place of the own one
    bool sends_receipts; // receipt.h
    struct rights_cache *rights;
};

// --- owner_settings.c, outbox.c ---

struct owner_cache *owner_cache_new(void);
void owner_cache_free(struct owner_cache *c); // accepts NULL
enum ec outbox_send(struct mailbox_service *s, const struct mailbox_outgoing *message);

// --- service.c ---

// Without asking whether `who` has any right there.
enum ec mailbox_open_unchecked(struct mailbox_service *s, struct principal *who,
                               const struct guid *guid, struct mailbox **out);

// --- rights.c ---

struct rights_cache *rights_cache_new(void);
void rights_cache_free(struct rights_cache *c); // accepts NULL

// Whether nothing is refused: the owner, the administrator, somebody with full access.
bool rights_are_full(const struct mailbox *m);
// What the principal may do with folder `fid` (enum folder_rights; RIGHTS_ALL for the owner).
enum ec rights_of(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out);
// EC_OK when the principal has all of `needed` there; EC_NOT_FOUND when the folder may not even be
// seen, EC_ACCESS_DENIED otherwise.
enum ec rights_require(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t needed);
// The same in a transaction of its own.
enum ec rights_check(const struct mailbox *m, uint64_t fid, uint32_t needed);
// EC_OK when the principal has the right `any` there, or `own` and all of the messages are their
// own. Messages that are not in the folder do not count. EC_NOT_FOUND, EC_ACCESS_DENIED as above.
enum ec rights_require_items(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                             uint32_t any, uint32_t own, const uint64_t *mids, unsigned n);
// Whether a message created by `creator` is the principal's own.
bool rights_is_own(const struct mailbox *m, const struct guid *creator);
// The messages were put there by the principal; `copied`: of struct message_copied, may be NULL.
// Inside the write.
enum ec rights_note_creator(const struct mailbox *m, struct mbox_tx *tx, uint64_t mid);
enum ec rights_note_creators(const struct mailbox *m, struct mbox_tx *tx, const GArray *copied);

// The rights on every folder, with one statement for all of them. End it before the arena goes.
struct rights_table;
enum ec rights_table_new(const struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                         struct rights_table **out);
uint32_t rights_table_of(const struct rights_table *t, uint64_t fid);
void rights_table_end(struct rights_table *t); // accepts NULL

// The rights an entry gives, and what is stored for rights that somebody sets.
uint32_t rights_effective(const struct mailbox *m, uint64_t fid, const char *member,
                          uint32_t stored);
uint32_t rights_stored(const struct mailbox *m, uint64_t fid, uint32_t before, uint32_t rights,
                       bool with_free_busy);
// Whether the principal has a right on any folder of the mailbox.
enum ec rights_anywhere(const struct mailbox *m, struct mbox_tx *tx);

// --- rights_list.c ---

// PidTagMemberId of a user or group.
int64_t rights_member_id(const struct guid *guid);

// --- public.c ---

// Deletes everything that is too old.
enum ec public_delete_aged(struct mbox *mbox, unsigned *n_out);
// A folder of the public store was deleted: its address goes.
void public_folder_gone(struct mailbox *m, uint64_t fid);

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
// For struct convert_source; `ctx` is the transaction.
enum ec reader_read_external(void *ctx, const struct prop_external *external, GBytes **out);
const struct mailbox *reader_mailbox(const struct mailbox_reader *r);
// EC_OK for a message of this folder that the principal may read; EC_NOT_FOUND, EC_ACCESS_DENIED.
enum ec mailbox_reader_check(struct mailbox_reader *r, uint64_t mid);
