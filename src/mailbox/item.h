// Items as MAPI objects, for the protocols that have no ROPs: EWS, ActiveSync, DAV
// ([MS-OXCMSG] 3.1.4, [MS-OXOMSG] 3.1.4).
//
// An item is opened with its mailbox's rights checked, read and changed in memory, then saved.
// Everything here is for one thread at a time; an open item holds a snapshot, so close it soon.
// Named properties have the mailbox's own ids (mailbox_name_to_id).
#pragma once

#include <glib.h>

#include "mailbox/mailbox.h"
#include "mapi/message_value.h"

// --- The mailbox's names ---
// The replica GUID of its ids and change numbers.
enum ec mailbox_replica(struct mailbox *m, struct guid *out);
// EC_NOT_FOUND: nothing in the mailbox has this property (without `create`); EC_NAMED_PROP_QUOTA.
enum ec mailbox_name_to_id(struct mailbox *m, const struct prop_name *name, bool create,
                           uint16_t *out);
// EC_NOT_FOUND. In the arena.
enum ec mailbox_id_to_name(struct mailbox *m, struct arena *arena, uint16_t id,
                           struct prop_name *out);

// --- Opening (mailbox/item.c) ---
struct item;
struct item_batch;
// EC_NOT_FOUND (also for what is in the soft-deleted contents, unless `with_deleted` and the
// principal is the owner), EC_ACCESS_DENIED.
enum ec item_open(struct mailbox *m, uint64_t mid, struct item **out);
enum ec item_open_deleted(struct mailbox *m, uint64_t mid, struct item **out);
// Many one after the other in one snapshot: item_open between begin and end is cheaper. `m` is used
// by nobody else meanwhile.
enum ec item_batch_begin(struct mailbox *m, struct item_batch **out);
enum ec item_batch_open(struct item_batch *b, uint64_t mid, struct item **out);
void item_batch_end(struct item_batch *b); // accepts NULL; after its items are closed
// The message inside an attachment (PidTagAttachMethod 5), to read. Closed before its parent.
enum ec item_open_embedded(struct item *parent, unsigned attachment, struct item **out);
// What is not stored yet, to read as an item; the value is borrowed.
struct item *item_of_value(struct mailbox *m, struct message_value *value);
void item_close(struct item *i); // accepts NULL

struct mailbox *item_mailbox(struct item *i);
uint64_t item_mid(const struct item *i); // 0: not stored, or embedded
uint64_t item_fid(const struct item *i);
uint64_t item_change(const struct item *i);      // the change number of its contents
uint32_t item_flags(const struct item *i);       // enum message_flag; the principal's read state
uint64_t item_size(const struct item *i);        // bytes
const char *item_keywords(const struct item *i); // as message_row.keywords; NULL: none
uint32_t item_rights(const struct item *i);      // of the principal in the folder
bool item_is_own(const struct item *i);          // put there by the principal
const char *item_class(struct item *i);          // PidTagMessageClass; "IPM.Note" without

// --- Reading ---
// A property, computed ones included, bodies in any format. In the arena. EC_NOT_FOUND;
// EC_MESSAGE_TOO_BIG when it is larger than `max` bytes (0: no limit).
enum ec item_get(struct item *i, struct arena *arena, proptag_t tag, size_t max,
                 struct prop_value *out);
const struct message_value *item_value(struct item *i); // bag, recipients, attachments
enum ec item_attachment_data(struct item *i, unsigned attachment, GBytes **out);
// An attachment's property; external ones are read.
enum ec item_attachment_get(struct item *i, struct arena *arena, unsigned attachment, proptag_t tag,
                            struct prop_value *out);
// The internet form: what came in, or made (and stored when it can be).
enum ec item_mime(struct item *i, GBytes **out);

// --- Changing an opened item, in memory ---
enum ec item_set(struct item *i, const struct prop_value *v); // EC_COMPUTED
void item_remove(struct item *i, proptag_t tag);
// Recipients of one kind (PidTagRecipientType 1 to 3) anew; the bags are taken.
void item_set_recipients_take(struct item *i, int32_t type, GPtrArray *bags);
void item_add_recipient_take(struct item *i, struct bag *recipient);
// At the end; EC_TOO_MANY_OBJECTS. Taken in any case.
enum ec item_add_attachment_take(struct item *i, struct attachment_value *a, unsigned *index_out);
enum ec item_remove_attachment(struct item *i, unsigned index);
enum item_save_flags {
    ITEM_SAVE_FORCE = 1, // over somebody else's change
};
// Saves what was changed and goes on with the new state. Needs the right to edit.
// EC_OBJECT_MODIFIED, EC_OBJECT_DELETED, EC_ACCESS_DENIED, EC_QUOTA_EXCEEDED.
enum ec item_save(struct item *i, unsigned flags);

// --- Creating ---
struct item_new {
    struct message_value *value; // borrowed
    GBytes *mime;   // the internet original that the value's external parts point into; NULL
    uint32_t flags; // MSG_READ, MSG_DRAFT, MSG_ASSOCIATED, ...
    const char *keywords;
    filetime_t received; // 0: now
};
// Needs RIGHTS_CREATE. What is missing of PidTagCreationTime, PidTagMessageClass, PidTagSearchKey,
// the creator and the conversation is filled in.
enum ec item_create(struct mailbox *m, uint64_t fid, const struct item_new *spec,
                    uint64_t *mid_out);
// The value of an internet message, whose external parts point into `mime`.
enum ec item_value_of_mime(GBytes *mime, struct message_value **out);
// Makes a value self-contained: external parts become values.
enum ec item_value_inline(struct message_value *value, GBytes *mime);

// --- Sending (mailbox/item_send.c) ---
enum item_copy_to { ITEM_NO_COPY, ITEM_COPY };
struct item_send {
    bool saves_copy;
    struct mailbox *copy_mailbox; // where the copy goes; NULL: the mailbox of the item
    uint64_t copy_fid;            // 0: Sent Items
    filetime_t hold_until;        // it is not sent before; 0: at once
};
// Sends a draft that is stored: its recipients, from PidTagSentRepresentingEmailAddress (or the
// mailbox's owner), with PidTagSender* the principal. Afterwards the draft is where the copy goes,
// or gone. EC_INVALID_RECIPIENTS (none, or one that has no address), EC_SEND_AS_DENIED,
// EC_QUOTA_EXCEEDED, EC_ACCESS_DENIED, EC_TOO_MANY_RECIPIENTS, EC_NOT_INITIALIZED (no queue).
enum ec item_send_stored(struct mailbox *m, uint64_t mid, const struct item_send *how,
                         uint64_t *copy_mid_out);
// The same of a new message; the value gets what sending adds. *copy_mid_out 0: no copy.
enum ec item_send_value(struct mailbox *m, struct message_value *value, const struct item_send *how,
                        uint64_t *copy_mid_out);

// --- Deleting, moving (mailbox/item_move.c) ---
enum item_delete_mode {
    ITEM_DELETE_HARD,     // gone (holds excepted)
    ITEM_DELETE_SOFT,     // to the recoverable items
    ITEM_DELETE_TO_TRASH, // to Deleted Items; what is there already: soft
};
enum ec item_delete(struct mailbox *m, uint64_t mid, enum item_delete_mode mode,
                    uint64_t *new_mid_out);
// Into another folder, of another mailbox too. EC_NOT_FOUND.
enum ec item_move(struct mailbox *m, uint64_t mid, struct mailbox *to, uint64_t to_fid,
                  uint64_t *new_mid_out);
enum ec item_copy(struct mailbox *m, uint64_t mid, struct mailbox *to, uint64_t to_fid,
                  uint64_t *new_mid_out);
// Without a receipt when `suppress_receipt`.
enum ec item_mark_read(struct mailbox *m, uint64_t mid, bool is_read, bool suppress_receipt);
// The folder of a message. EC_NOT_FOUND.
enum ec item_folder(struct mailbox *m, uint64_t mid, uint64_t *fid_out);

// --- People in properties (mailbox/item_person.c) ---
enum item_who {
    ITEM_SENDER,                // PidTagSender*
    ITEM_FROM,                  // PidTagSentRepresenting*
    ITEM_RECEIVED_BY,           // PidTagReceivedBy*
    ITEM_RECEIVED_REPRESENTING, // PidTagReceivedRepresenting*
    ITEM_READ_RECEIPT,          // PidTagReadReceipt*
    ITEM_RECIPIENT,             // of a recipient's bag
};
struct item_person {
    const char *name;    // never NULL when read
    const char *address; // SMTP where it is known; NULL: none
    const char *type;    // "SMTP", "EX", ...; NULL: SMTP
};
// Borrowed strings; false: nobody.
bool item_person_get(const struct bag *bag, enum item_who who, struct item_person *out);
void item_person_set(struct bag *bag, enum item_who who, const struct item_person *person);
void item_person_remove(struct bag *bag, enum item_who who);
// A recipient's bag of PidTagRecipientType `type`.
struct bag *item_recipient_new(int32_t type, const struct item_person *person);
// PidTagReplyRecipientEntries and -Names. GArray of struct item_person; strings in the arena.
GArray *item_reply_to_get(struct arena *arena, const struct bag *bag);
void item_reply_to_set(struct bag *bag, const struct item_person *people, unsigned n);
