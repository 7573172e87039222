// A user's way into a mailbox: what every protocol calls ([MS-OXCSTOR] 3, [MS-OXCPERM]).
//
// `struct mailbox` is one principal's access to one mailbox. Every function checks the principal's
// rights (mailbox/rights.c, nowhere else) and gives EC_ACCESS_DENIED, or EC_NOT_FOUND where not
// even the existence of a folder may be seen. Thread-safe; a protocol session keeps one for its
// life.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "convert/message_text.h"
#include "mapi/message_row.h"
#include "mapi/restriction.h"
#include "mapi/rights.h"
#include "mapi/special_folder.h"
#include "store/store.h"

struct mailbox_service; // the store and directory as the use cases see them
enum ec mailbox_service_new(struct store *store, struct directory *directory,
                            struct mailbox_service **out);
void mailbox_service_free(struct mailbox_service *s); // accepts NULL
struct directory *mailbox_service_directory(struct mailbox_service *s);
struct store *mailbox_service_store(struct mailbox_service *s);

struct mailbox;
// The principal's own mailbox. EC_NOT_FOUND: has none.
enum ec mailbox_open_own(struct mailbox_service *s, struct principal *who, struct mailbox **out);
// Anybody's (by its directory guid): allowed when the principal has a right on some folder there.
enum ec mailbox_open(struct mailbox_service *s, struct principal *who, const struct guid *guid,
                     struct mailbox **out);
// The mailbox that the login name named beside the user (mailbox/login.c): an address, or a name in
// the user's domain or the default one; the user's own without. Rights as mailbox_open;
// EC_NOT_FOUND also when there are none.
enum ec mailbox_open_login(struct mailbox_service *s, struct principal *who, struct mailbox **out);
void mailbox_close(struct mailbox *m); // accepts NULL
const struct principal *mailbox_principal(const struct mailbox *m);
bool mailbox_is_owner(const struct mailbox *m);
const struct guid *mailbox_guid(const struct mailbox *m);
// The directory guid of whose mailbox it is; false: nobody's (the public store).
bool mailbox_owner(const struct mailbox *m, struct guid *out);
struct mbox *mailbox_mbox(struct mailbox *m); // for other files of mailbox/ and for rop/

// --- Folders (mailbox/folders.c) ---
// Paths are display names from the IPM subtree down, separated by '/'; a '/' inside a name is
// written as U+2215 (division slash) in paths. "INBOX" (any case) is the Inbox whatever its display
// name.

struct mailbox_folder {
    uint64_t fid, parent;
    const char *path;
    const char *special_use; // "\\Sent", ...; "" none
    const char *container_class;
    uint32_t rights; // of this principal
    uint32_t n_messages, n_unread;
    uint32_t uid_validity, uid_next;
    uint64_t modseq, size;
    bool is_subscribed, has_children;
};
struct mailbox_folder_list {
    struct mailbox_folder *items; // parents before children, siblings by name
    unsigned n;
};
// Folders that mail clients may see (hidden ones and those without RIGHTS_VISIBLE left out). In the
// arena.
enum ec mailbox_list_folders(struct mailbox *m, struct arena *arena,
                             struct mailbox_folder_list *out);
// The same with hidden ones; only for the owner and the administrator.
enum ec mailbox_list_all_folders(struct mailbox *m, struct arena *arena,
                                 struct mailbox_folder_list *out);
enum ec mailbox_find_folder(struct mailbox *m, struct arena *arena, const char *path,
                            struct mailbox_folder *out);
// Creates missing parents too. EC_COLLISION.
enum ec mailbox_create_folder(struct mailbox *m, const char *path, uint64_t *fid_out);
// EC_ACCESS_DENIED for special folders; a folder with children: EC_HAS_FOLDERS.
enum ec mailbox_delete_folder(struct mailbox *m, const char *path);
// Renames or moves with everything below; missing parents are created. Renaming INBOX moves its
// messages to a new folder.
enum ec mailbox_rename_folder(struct mailbox *m, const char *path, const char *new_path);
// Subscriptions to paths that do not exist are remembered too. Names (g_strfreev) go to *out.
enum ec mailbox_subscribe(struct mailbox *m, const char *path, bool subscribe);
enum ec mailbox_subscriptions(struct mailbox *m, char ***out);
// Rights 0 take the member out of the list.
enum ec mailbox_grant(struct mailbox *m, const char *path, const char *member_address,
                      uint32_t rights);

// --- Who may do what with a folder (mailbox/rights_list.c; [MS-OXCPERM] 2.2) ---
#define MEMBER_DEFAULT INT64_C(0)    // everybody without an entry
#define MEMBER_ANONYMOUS INT64_C(-1) // somebody who gave no name
struct mailbox_member {
    int64_t id;          // PidTagMemberId: the same for a user in every folder
    struct guid guid;    // of the user or group; zero for the two above
    const char *name;    // PidTagMemberName
    const char *address; // NULL: none
    uint32_t rights;
};
struct mailbox_member_list {
    struct mailbox_member *items; // default, anonymous, the others by name
    unsigned n;
};
// Needs RIGHTS_VISIBLE. Without `with_free_busy` the free/busy flags are left out.
enum ec mailbox_permissions(struct mailbox *m, struct arena *arena, uint64_t fid,
                            bool with_free_busy, struct mailbox_member_list *out);
enum mailbox_permission_op { PERMISSION_ADD = 1, PERMISSION_MODIFY = 2, PERMISSION_REMOVE = 4 };
struct mailbox_permission_change {
    enum mailbox_permission_op op;
    const struct guid *member; // ADD: a user or group; NULL: a reserved member_id
    int64_t member_id;         // MODIFY, REMOVE
    uint32_t rights;
};
enum mailbox_permissions_flags {
    PERMISSIONS_REPLACE = 1,   // all entries but the default one go first; only ADD is allowed
    PERMISSIONS_FREE_BUSY = 2, // the free/busy flags count; otherwise they stay
};
// Needs RIGHTS_OWNER. Changes of members who are not in the list are passed over. All or nothing.
// EC_NOT_FOUND: nobody with such a guid; EC_INVALID_PARAMETER: unknown flags.
enum ec mailbox_modify_permissions(struct mailbox *m, uint64_t fid, unsigned flags,
                                   const struct mailbox_permission_change *changes, unsigned n);

// --- Everything a user can open by path (mailbox/shared.c) ---
// A user's own mailbox, and below two names those of others and the public folders. Used by one
// session at a time. "Own" is the mailbox that mailbox_open_login gives.
#define MAILBOX_OTHER_USERS "Other Users" // then the address of the mailbox
#define MAILBOX_PUBLIC_FOLDERS "Public Folders"
struct mailbox_set;
enum ec mailbox_set_new(struct mailbox_service *s, struct principal *who, struct mailbox_set **out);
void mailbox_set_free(struct mailbox_set *set); // accepts NULL; closes the mailboxes
struct mailbox *mailbox_set_own(struct mailbox_set *set);
// Which mailbox a path is in, and the path there (points into `path`; "" for the mailbox itself).
// The mailbox belongs to the set. EC_NOT_FOUND: none that may be opened.
enum ec mailbox_set_locate(struct mailbox_set *set, const char *path, struct mailbox **out,
                           const char **rest_out);
// As mailbox_find_folder; out->path is the whole path.
enum ec mailbox_set_find(struct mailbox_set *set, struct arena *arena, const char *path,
                         struct mailbox **m_out, struct mailbox_folder *out);
// Folders of the user's own mailbox, and with `levels` 1 the two names above (when there is
// anything below), 2 also the mailboxes and the public folders, 3 everything. Names that are no
// folder have fid 0. Subscriptions are the user's own everywhere. Where the server or the user
// wants only mail to be shown (SETTING_IMAP_FOLDERS) other folders are left out; they still are
// found.
#define SETTING_IMAP_FOLDERS "imap.folders" // of an entry: "all" or "mail"; not set: the default
enum ec mailbox_set_list(struct mailbox_set *set, struct arena *arena, unsigned levels,
                         struct mailbox_folder_list *out);

// --- Public folders (mailbox/public.c) ---
// The public store is a mailbox that is nobody's own. Read state there is each user's
// (mailbox/public_read.c): MSG_READ and unread counts are the principal's.
const struct guid *mailbox_public_guid(void);
enum ec mailbox_create_public(struct mailbox_service *s); // EC_COLLISION: there is one
// EC_NOT_FOUND: there is none; EC_ACCESS_DENIED: nothing in it is open to `who`.
enum ec mailbox_open_public(struct mailbox_service *s, struct principal *who, struct mailbox **out);
bool mailbox_is_public(const struct mailbox *m);
struct mailbox_folder_limits { // 0: none
    uint64_t item_size;        // bytes of a message
    uint64_t quota;            // bytes in the folder
    uint32_t age_days;         // messages that arrived longer ago are deleted
};
enum ec mailbox_get_folder_limits(struct mailbox *m, uint64_t fid,
                                  struct mailbox_folder_limits *out);
enum ec mailbox_set_folder_limits(struct mailbox *m, uint64_t fid,
                                  const struct mailbox_folder_limits *limits);
// Begins to delete what is too old, in the background. Call it now and then.
void mailbox_age_public(struct mailbox_service *s);
// Gives a folder an address (an object of the directory). EC_COLLISION: the address is taken or the
// folder has one.
enum ec mailbox_mail_enable(struct mailbox *m, const char *path, const char *address,
                            const char *display_name);
enum ec mailbox_mail_disable(struct mailbox *m, const char *path); // EC_NOT_FOUND: has none
// The principal's read state of a folder: an IDSET of change numbers ([MS-OXCFXICS] 2.2.2.4).
enum ec mailbox_get_read_state(struct mailbox *m, uint64_t fid, GBytes **out);
enum ec mailbox_set_read_state(struct mailbox *m, uint64_t fid, GBytes *bytes); // EC_FORMAT_ERROR

// --- Looking at a folder (mailbox/view.c) ---
struct folder_rows;
// A snapshot of the folder's rows (store/rows.h read through the functions below). Needs
// RIGHTS_READ_ANY.
struct mailbox_view;
enum ec mailbox_view_open(struct mailbox *m, uint64_t fid, struct mailbox_view **out);
void mailbox_view_free(struct mailbox_view *v); // accepts NULL
// The newest snapshot of the same folder; cheap when nothing changed. EC_NOT_FOUND: the folder is
// gone.
enum ec mailbox_view_refresh(struct mailbox *m, const struct mailbox_view *v,
                             struct mailbox_view **out);
uint64_t mailbox_view_fid(const struct mailbox_view *v);
uint32_t mailbox_view_rights(const struct mailbox_view *v);
uint32_t mailbox_view_count(const struct mailbox_view *v);
uint64_t mailbox_view_modseq(const struct mailbox_view *v);
uint32_t mailbox_view_uid_next(const struct mailbox_view *v);
uint32_t mailbox_view_uid_validity(const struct mailbox_view *v);
uint32_t mailbox_view_unread(const struct mailbox_view *v);
// The index of the first unread row, and of the first row from `index` on with keywords; the count
// when there is none.
uint32_t mailbox_view_first_unread(const struct mailbox_view *v);
uint32_t mailbox_view_next_keywords(const struct mailbox_view *v, uint32_t index);
const struct message_row *mailbox_view_row(const struct mailbox_view *v, uint32_t index); // 0-based
uint32_t mailbox_view_find_uid(const struct mailbox_view *v,
                               uint32_t uid); // first index with uid >= it
enum mailbox_view_change { VIEW_REMOVED, VIEW_CHANGED, VIEW_ADDED };
// In uid order; `index` counts in `from` for VIEW_REMOVED, in `to` otherwise.
void mailbox_view_diff(const struct mailbox_view *from, const struct mailbox_view *to,
                       void (*change)(void *ctx, enum mailbox_view_change what, uint32_t index,
                                      const struct message_row *row),
                       void *ctx);

// Uids of messages that left the folder after the modseq `since` and are not in the view, ascending
// (GArray of uint32_t).
enum ec mailbox_view_vanished(struct mailbox *m, const struct mailbox_view *v, uint64_t since,
                              GArray **uids_out);

// --- Reading messages (mailbox/read.c) ---
// Holds a snapshot transaction while many messages are read; use and close within one job.
// Without RIGHTS_READ_ANY only one's own messages can be read: EC_ACCESS_DENIED for others.
struct mailbox_reader;
enum ec mailbox_reader_open(struct mailbox *m, uint64_t fid, struct mailbox_reader **out);
void mailbox_reader_close(struct mailbox_reader *r); // accepts NULL
// What is read next is about `row`: rows of the folder in uid order are then found with one
// statement for all. Only makes reading faster; the functions below take any message.
enum ec mailbox_reader_at(struct mailbox_reader *r, const struct message_row *row);
// The internet form, byte for byte what came in; made and stored first for a message that has none.
// EC_NOT_FOUND: expunged.
enum ec mailbox_read_mime(struct mailbox_reader *r, uint64_t mid, GBytes **out);
// `len` bytes from `pos` only (0: to the end): does not read the rest.
enum ec mailbox_read_mime_range(struct mailbox_reader *r, uint64_t mid, uint64_t pos, uint64_t len,
                                GBytes **out);
// The message with all its properties as TNEF (convert/tnef.h); for the administrator.
enum ec mailbox_read_item(struct mailbox_reader *r, uint64_t mid, GBytes **out);
// What was made at delivery. Borrowed until the next call or reader_close. Either out may be NULL.
enum ec mailbox_read_envelope(struct mailbox_reader *r, uint64_t mid, const char **envelope_out,
                              const char **structure_out);
// RFC822.SIZE of a message without MSG_HAS_MIME (makes the rendition).
enum ec mailbox_read_size(struct mailbox_reader *r, uint64_t mid, uint64_t *out);

// --- Adding (mailbox/append.c) ---
struct mailbox_append {
    GBytes *mime;
    uint32_t flags;       // MSG_CLIENT_FLAGS
    const char *keywords; // as in message_row
    filetime_t received;  // 0: now
};
enum ec mailbox_append(struct mailbox *m, uint64_t fid, const struct mailbox_append *message,
                       uint64_t *mid_out, uint32_t *uid_out);
// Several, in order: all or none of them. With `replaced` (may be NULL) that message of the same
// mailbox is deleted with it, as mailbox_expunge does: EC_OBJECT_DELETED when it is gone already.
// The outs (may be NULL) have room for `n`.
struct mailbox_replaced {
    uint64_t fid, mid;
};
enum ec mailbox_append_all(struct mailbox *m, uint64_t fid, const struct mailbox_append *messages,
                           unsigned n, const struct mailbox_replaced *replaced, uint64_t *mids_out,
                           uint32_t *uids_out);

// --- Importing (mailbox/import.c), for admin/ ---
struct message_value;
struct mailbox_import {
    GBytes *mime; // NULL: `value` holds
    // A message that was never mail (with MSG_ASSOCIATED in `flags`: folder associated
    // information); what the store computes is left out of it.
    struct message_value *value;
    uint32_t flags;        // MSG_CLIENT_FLAGS, MSG_ASSOCIATED
    const char *keywords;  // as in message_row
    filetime_t received;   // 0: now
    const char *import_id; // added once under this id (as a delivery id); NULL: always
    enum ec result;        // out: EC_OK, EC_DUPLICATE_OBJECT (it was added before), others
};
// Adds many messages in one transaction, in order. Quotas do not count. Sets each result.
void mailbox_import(struct mailbox *m, uint64_t fid, struct mailbox_import *messages, unsigned n);
// As mailbox_create_folder, of another class than mail ("IPF.Contact").
enum ec mailbox_create_folder_of_class(struct mailbox *m, const char *path,
                                       const char *container_class, uint64_t *fid_out);

// --- Changing (mailbox/change.c) ---
enum mailbox_flags_mode { MAILBOX_FLAGS_ADD, MAILBOX_FLAGS_REMOVE, MAILBOX_FLAGS_SET };
struct mailbox_flags {
    enum mailbox_flags_mode mode;
    uint32_t flags;
    const char *const *keywords;
    unsigned n_keywords;
    uint64_t unchanged_since; // UINT64_MAX: no condition
};
enum ec mailbox_change_flags(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n,
                             const struct mailbox_flags *change, GArray **modified_out);
struct mailbox_copied {
    uint64_t old_mid, new_mid;
    uint32_t old_uid, new_uid;
};
enum ec mailbox_copy(struct mailbox *m, uint64_t from, const uint64_t *mids, unsigned n,
                     uint64_t to, GArray **out); // of struct mailbox_copied
enum ec mailbox_move(struct mailbox *m, uint64_t from, const uint64_t *mids, unsigned n,
                     uint64_t to, GArray **out);
// The same into another mailbox (mailbox/transfer.c), with all properties: all or nothing of the
// copies; what was copied is then deleted.
enum ec mailbox_copy_to(struct mailbox *from, uint64_t fid, const uint64_t *mids, unsigned n,
                        struct mailbox *to, uint64_t to_fid, GArray **out);
enum ec mailbox_move_to(struct mailbox *from, uint64_t fid, const uint64_t *mids, unsigned n,
                        struct mailbox *to, uint64_t to_fid, GArray **out);
// Expunge by IMAP/POP3 or delete from Deleted Items: into the folder's soft-deleted contents.
enum ec mailbox_expunge(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n);

// Takes those out of `mids` (of uint64_t) that the principal may not delete.
void mailbox_keep_deletable(struct mailbox *m, uint64_t fid, GArray *mids);

// --- Watching (mailbox/watch.c) ---
struct mailbox_watch;
// Calls `wake(ctx)` (quick, from any thread) after changes in the folder (fid 0: anywhere in the
// mailbox).
enum ec mailbox_watch_new(struct mailbox *m, uint64_t fid, void (*wake)(void *ctx), void *ctx,
                          struct mailbox_watch **out);
void mailbox_watch_free(struct mailbox_watch *w); // accepts NULL; afterwards wake is not running

// --- Searching (mailbox/search.c) ---
// One query model for every protocol's search: a tree over message texts, rows and properties. IMAP
// SEARCH fills it, mailbox/aqs.h from what people type. The full-text index makes it quick where
// there is one (store/fulltext.h); what is found is the same without.
enum search_kind {
    SEARCH_ALL,
    SEARCH_AND,
    SEARCH_OR,
    SEARCH_NOT,
    SEARCH_FLAGS,   // (flags & number) == number2
    SEARCH_KEYWORD, // text
    SEARCH_UIDS,    // ranges, sorted
    SEARCH_SIZE_LARGER,
    SEARCH_SIZE_SMALLER, // number
    SEARCH_RECEIVED_BEFORE,
    SEARCH_RECEIVED_SINCE, // number: FILETIME (date boundaries made by the protocol)
    SEARCH_SENT_BEFORE,
    SEARCH_SENT_SINCE, // of the Date header, its own zone's day; number: unix day
    SEARCH_MODSEQ,     // number: >=
    SEARCH_HEADER, // name (header field), text: substring, caseless, decoded; "" just the field's
                   // presence
    SEARCH_BODY,   // text in the decoded text parts
    SEARCH_TEXT,   // text in headers or body
    // The words of text, one after the other and in any inflection of case and accents, in the
    // parts of the message (convert/message_text.h); attachments count. A text without a word
    // matches nothing.
    SEARCH_WORDS,
    SEARCH_RESTRICTION, // of the message's properties, recipients and attachments
    SEARCH_MID_SINCE,   // number: ids from this one on (mailbox_saved_since)
    SEARCH_EMAIL_ID,    // text: mailbox_read_ids
    SEARCH_THREAD_ID,
};
struct search_range {
    uint32_t low, high;
};
struct search_node {
    enum search_kind kind;
    struct search_node *children, *next; // AND, OR: list of children; NOT: one
    const char *name, *text;
    uint64_t number, number2;
    const struct search_range *ranges;
    unsigned n_ranges;
    // SEARCH_WORDS: 1 << TEXT_SUBJECT and so on, 0: all; whether the last word may go on.
    uint32_t parts;
    bool is_prefix;
    const struct restriction *restriction; // SEARCH_RESTRICTION; lives as long as the query
};
#define SEARCH_MAX_DEPTH 100
// Indexes into `view` of the rows that match, ascending (GArray of uint32_t). Rows are decided
// without reading the message where possible. `is_cancelled` (may be NULL) is asked now and then.
enum ec mailbox_search(struct mailbox *m, const struct mailbox_view *view,
                       const struct search_node *query, bool (*is_cancelled)(void *ctx), void *ctx,
                       GArray **out);

struct search_scope {
    const uint64_t *fids; // NULL: the whole mailbox (the IPM subtree)
    unsigned n_fids;
    bool is_recursive; // and the folders below
};
enum search_order {
    SEARCH_NEWEST_ARRIVED,  // by when its contents came into the mailbox: the first are found at
                            // once
    SEARCH_NEWEST_RECEIVED, // by PidTagMessageDeliveryTime: all are found before they are sorted
};
struct search_found {
    uint64_t fid, mid;
    filetime_t received;
};
// Searches many folders; those that the principal may not read are passed over, one that is not
// there is EC_NOT_FOUND. The first `limit` (0: all) go to *out (GArray of struct search_found).
// SEARCH_UIDS makes no sense here.
enum ec mailbox_search_all(struct mailbox *m, const struct search_scope *scope,
                           const struct search_node *query, enum search_order order, unsigned limit,
                           bool (*is_cancelled)(void *ctx), void *ctx, GArray **out);

// --- Delivering (mailbox/deliver.c), for transport/ ---
struct mailbox_delivery {
    const struct guid *mailbox;
    const char *delivery_id;   // queue id and recipient: delivered once
    GBytes *mime;              // complete, with Return-Path and Received fields on top
    const char *folder_detail; // plus-address detail: a folder's name to deliver to when it exists;
                               // NULL: none
    uint64_t folder;           // of the public store; 0: as above
    filetime_t arrived;
    const char *sender; // envelope; "" the null sender, NULL: not known
    int scl, pcl; // queue_envelope.scl and .pcl: stored with the message, decide on Junk E-mail
    bool requires_tls; // so does what is sent on of it ([RFC 8689] 4.3)
    bool is_sent_copy; // into Sent Items, read; no hook is asked
    enum ec result;    // out
    unsigned became;   // out, when EC_OK: enum mailbox_delivered
};
enum mailbox_delivered {
    DELIVERED_STORED = 1,
    DELIVERED_DUPLICATE = 2, // the mailbox has had a message of this Message-ID
    DELIVERED_SENT_ON = 4,   // forwarded, by the owner's setting or a rule
    DELIVERED_DROPPED = 8,   // not kept: a rule deletes it or it is forwarded only
};
// Delivers many at once: those to the same mailbox in one transaction. Forwards and rules are
// carried out (deliver_hooks.h). Sets each result: EC_OK (also when it was delivered before),
// EC_QUOTA_EXCEEDED, EC_NOT_FOUND (no such mailbox), EC_ACCESS_DENIED, EC_MESSAGE_TOO_BIG,
// EC_NOT_SUPPORTED (a rule refuses it), EC_DISK_FULL...
void mailbox_deliver(struct mailbox_service *s, struct mailbox_delivery *deliveries, unsigned n);

// --- Objects of the store (mailbox/object.c), for rop/ ---
// ROPs read and change the store's own objects inside transactions; what they may is asked here.

// What the principal may do with a folder (enum folder_rights).
enum ec mailbox_rights(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out);
// EC_OK when the principal has all of `needed` there; EC_NOT_FOUND when the folder may not even be
// seen, EC_ACCESS_DENIED otherwise.
enum ec mailbox_require(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t needed);
// The same with the right `any`, or `own` when all of the messages are the principal's own.
enum ec mailbox_require_items(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t any,
                              uint32_t own, const uint64_t *mids, unsigned n);

// Whether the principal has read messages: of their row's flags, or in the public store by their
// own read state.
enum ec mailbox_is_read(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, const uint64_t *mids,
                        unsigned n, bool *out);
// Unread messages of a folder as the principal sees it. EC_NOT_FOUND.
enum ec mailbox_unread(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out);

// Runs `put` in a write; it puts one message into folder `fid` and gives its id. RIGHTS_CREATE, the
// quotas and the limits of the folder are asked, and the principal is noted as who made it.
typedef enum ec (*mailbox_put)(struct mbox_tx *tx, void *ctx, uint64_t *mid_out);
enum ec mailbox_put_message(struct mailbox *m, uint64_t fid, uint64_t size, mailbox_put put,
                            void *ctx);
// Runs `change` in a write that changes a message which is there: RIGHTS_EDIT_ANY, or
// RIGHTS_EDIT_OWNED of one's own.
enum ec mailbox_edit_message(struct mailbox *m, uint64_t fid, uint64_t mid, mbox_change change,
                             void *ctx);

// Whether the principal has read a message of the public store.
enum ec mailbox_has_read(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint64_t mid,
                         bool *out);

// Deletes messages, those that the principal may: `*n_out` of them; EC_PARTIAL_COMPLETION: not all.
// Who asked to be told hears that they were not read when `notifies`.
enum ec mailbox_delete_messages(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n,
                                bool is_hard, bool notifies, unsigned *n_out);

// Folders by id. `type` and `is_existing_out` as in folder_open_or_create; EC_COLLISION unless
// `may_exist`.
enum ec mailbox_add_folder(struct mailbox *m, uint64_t parent, const char *name, bool is_search,
                           bool may_exist, const char *comment, uint64_t *fid_out,
                           bool *is_existing_out);
// `flags`: enum folder_delete_flags. EC_ACCESS_DENIED for special folders.
enum ec mailbox_remove_folder(struct mailbox *m, uint64_t parent, uint64_t fid, unsigned flags);
enum ec mailbox_move_folder(struct mailbox *m, uint64_t fid, uint64_t new_parent, const char *name);
enum ec mailbox_copy_folder(struct mailbox *m, uint64_t fid, uint64_t new_parent, const char *name,
                            bool is_deep, uint64_t *fid_out);
// Whoever makes a folder in somebody else's mailbox owns it. Inside a write.
enum ec mailbox_own_folder(struct mailbox *m, struct mbox_tx *tx, uint64_t fid);
// As folder_empty.
enum ec mailbox_empty_folder(struct mailbox *m, uint64_t fid, bool is_hard, bool with_folders,
                             bool with_associated);
