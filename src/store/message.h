// Messages: create, open, save, copy, move, delete, flags ([MS-OXCMSG], [MS-OXCFOLD]).
#pragma once

#include "mapi/message_row.h"
#include "mapi/message_value.h"
#include "store/store.h"

// --- Creating ---
struct message_new {
    const struct message_value *value; // properties, recipients, attachments
    GBytes *mime;                      // the internet original, kept byte for byte; NULL: none
    const char *envelope;              // IMAP ENVELOPE of it; NULL without mime
    const char *structure;             // IMAP BODYSTRUCTURE
    uint32_t flags;                    // enum message_flag: client flags and MSG_ASSOCIATED
    const char *keywords;              // as in message_row; NULL: none
    filetime_t received;               // PidTagMessageDeliveryTime, IMAP INTERNALDATE
    const char
        *delivery_id; // not NULL: a delivery that must happen once; EC_DUPLICATE_OBJECT when it did
    bool is_new_mail; // publishes EVENT_NEW_MAIL too
    uint64_t mid;     // a client's id that was claimed for it (replica.h); 0: the next one
};
enum ec message_create(struct mbox_tx *tx, uint64_t fid, const struct message_new *spec,
                       uint64_t *mid_out, uint32_t *uid_out);

// --- Reading ---
// `keywords` in *out is a reference of the caller's own (shared_text_unref).
enum ec message_get_row(struct mbox_tx *tx, uint64_t mid, uint64_t *fid_out,
                        struct message_row *out); // keywords: own reference (shared_text_unref)
// The change numbers of a message and of its read state.
enum ec message_get_cn(struct mbox_tx *tx, uint64_t mid, uint64_t *out);
enum ec message_get_read_cn(struct mbox_tx *tx, uint64_t mid, uint64_t *out);
enum ec message_by_uid(struct mbox_tx *tx, uint64_t fid, uint32_t uid, uint64_t *mid_out);

// The stored internet rendition. EC_NOT_FOUND when the message has none.
struct message_mime {
    uint64_t blob, size;
    const char *envelope, *structure; // in the arena; NULL when not wanted
};
enum ec message_get_mime(struct mbox_tx *tx, struct arena *arena, uint64_t mid, bool with_envelope,
                         bool with_structure, struct message_mime *out);
// Stores a rendition made later (a message born in MAPI); its bytes never change after. Changes no
// change number.
enum ec message_set_mime(struct mbox_tx *tx, uint64_t mid, GBytes *mime, const char *envelope,
                         const char *structure);

// The renditions of a folder's messages with uids from `uid` on, in uid order; messages without one
// are left out, soft-deleted ones are not. Freed before the transaction ends; the result of reading
// comes with that.
struct message_scan;
struct message_scan_row {
    uint32_t uid;
    uint64_t mid, blob, size;
    const char *envelope, *structure; // borrowed until the next row; not ended by NUL
    size_t envelope_len, structure_len;
};
enum ec message_scan_new(struct mbox_tx *tx, uint64_t fid, uint32_t uid, struct message_scan **out);
bool message_scan_next(struct message_scan *s, struct message_scan_row *out);
enum ec message_scan_free(struct message_scan *s); // accepts NULL

// Bytes of a blob. `len` 0: to the end.
enum ec blob_read(struct mbox_tx *tx, uint64_t blob, uint64_t pos, uint64_t len, GBytes **out);

// --- A message as an object ---
// An opened message: properties (with computed ones), recipients, attachments; changed in memory,
// then saved. Belongs to one thread at a time; needs no transaction except where one is taken.
struct message;
enum ec message_open(struct mbox_tx *tx, uint64_t mid, struct message **out);
void message_free(struct message *m); // accepts NULL
uint64_t message_mid(const struct message *m);
uint64_t message_fid(const struct message *m);
// The value, to read or change in place (recipients and attachments as arrays).
struct message_value *message_value(struct message *m);
const struct message_value *message_peek(const struct message *m); // only to read

// An object around a value that is no message of the mailbox; takes the value. With `fid`, a new
// message, which message_save puts into that folder (`flags`: enum message_flag); with 0, one
// inside an attachment, which cannot be saved by itself.
struct message *message_of_value_take(struct mbox *mbox, uint64_t fid, uint32_t flags,
                                      struct message_value *value);

// Notes the names of the message's named properties in its value (message_value_name), for
// conversions.
enum ec message_load_names(struct mbox_tx *tx, struct message *m);

// A property, computed or stored, external ones read and converted. EC_NOT_FOUND. Allocated in the
// arena. EC_MESSAGE_TOO_BIG when it is larger than `max` bytes (open it as a stream instead; 0: no
// limit).
enum ec message_get_prop(struct mbox_tx *tx, struct message *m, struct arena *arena, uint32_t tag,
                         size_t max, struct prop_value *out);
// The bytes of an external value, transfer encoding undone; as UTF-8 when `is_text`.
enum ec message_read_external(struct mbox_tx *tx, const struct prop_external *external,
                              bool is_text, GBytes **out);
// Sets one; computed ones are EC_COMPUTED.
enum ec message_set_prop(struct message *m, const struct prop_value *v);
enum ec message_remove_prop(struct message *m, uint32_t tag);

// The id that a new message gets when it is saved (message_new.mid).
void message_set_id(struct message *m, uint64_t mid);

enum message_save_flags { MESSAGE_SAVE_FORCE = 1 }; // over a change of somebody else
// Saves what was changed. EC_OBJECT_MODIFIED when the message was saved by somebody else since it
// was opened, EC_OBJECT_DELETED. The rendition (mime) is dropped when contents other than flags
// changed: pass a new one, or NULL to have it made when first wanted.
enum ec message_save(struct mbox_tx *tx, struct message *m, unsigned flags);

// Who put the message into its folder (a directory object); zero: the owner of the mailbox or
// nobody. Copies and moves are set anew by whoever made them.
enum ec message_get_creator(struct mbox_tx *tx, uint64_t mid, uint64_t *fid_out,
                            struct guid *creator_out);
enum ec message_set_creator(struct mbox_tx *tx, uint64_t mid, const struct guid *creator);

// --- Streams on large properties ([MS-OXCPRPT] 2.2.14-2.2.23) ---
struct message_stream;
enum message_stream_mode { STREAM_READ, STREAM_READ_WRITE, STREAM_CREATE };
// On a message's or (attachment >= 0) an attachment's property; PT_UNICODE streams carry UTF-16LE
// as on the wire.
enum ec message_stream_open(struct mbox_tx *tx, struct message *m, int attachment, uint32_t tag,
                            enum message_stream_mode mode, struct message_stream **out);
void message_stream_free(struct message_stream *s); // accepts NULL; uncommitted writes are lost
uint64_t message_stream_size(const struct message_stream *s);
enum ec message_stream_read(struct message_stream *s, uint64_t pos, void *buf, size_t len,
                            size_t *got_out);
enum ec message_stream_write(struct message_stream *s, uint64_t pos, const void *data, size_t len);
enum ec message_stream_set_size(struct message_stream *s, uint64_t size);
enum ec message_stream_commit(struct message_stream *s); // into the message object (not saved yet)

// The message inside an attachment with method 5, as an object of its own (read; message_value to
// change, saved with the parent).
enum ec message_open_embedded(struct mbox_tx *tx, struct message *m, unsigned attachment,
                              struct message_value **out);

// --- Changing many ---
enum message_flags_mode { FLAGS_ADD, FLAGS_REMOVE, FLAGS_SET };
struct message_flags_change {
    enum message_flags_mode mode;
    uint32_t flags;              // among MSG_CLIENT_FLAGS
    const char *const *keywords; // n_keywords of them
    unsigned n_keywords;
    uint64_t unchanged_since; // leaves messages alone whose modseq is larger (CONDSTORE);
                              // UINT64_MAX: never
};
// Changes flags of messages of a folder. Ids that do not exist are passed over; those left alone
// because of unchanged_since go to `*modified_out` (array of uint64_t mids; may be NULL).
enum ec message_change_flags(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                             const struct message_flags_change *change, GArray **modified_out);

// What became of each: new ids in the order of the old ones.
struct message_copied {
    uint64_t old_mid, new_mid;
    uint32_t old_uid, new_uid;
};
// Ids that do not exist are passed over. *out: GArray of struct message_copied; may be NULL.
enum ec message_copy(struct mbox_tx *tx, uint64_t from_fid, const uint64_t *mids, unsigned n,
                     uint64_t to_fid, GArray **out);
enum ec message_move(struct mbox_tx *tx, uint64_t from_fid, const uint64_t *mids, unsigned n,
                     uint64_t to_fid, GArray **out);

// One message, which gets the client's id `new_mid` that was claimed for it (replica.h).
enum ec message_move_as(struct mbox_tx *tx, uint64_t from_fid, uint64_t mid, uint64_t to_fid,
                        uint64_t new_mid);

enum message_delete_mode { DELETE_SOFT, DELETE_HARD };
// Soft: into the folder's soft-deleted contents (restorable); hard: gone, or while a hold is on
// into Recoverable Items\\Purges (recoverable.h; EC_ACCESS_DENIED for what is there already). The
// number deleted goes to *n_out (may be NULL).
enum ec message_delete(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                       enum message_delete_mode mode, unsigned *n_out);
// Back from soft-deleted into the folder, with new uids.
enum ec message_restore(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n);
// Soft-deleted messages of a folder that were deleted before `before`. GArray of uint64_t.
enum ec message_list_soft_deleted(struct mbox_tx *tx, uint64_t fid, filetime_t before,
                                  GArray **mids_out);
