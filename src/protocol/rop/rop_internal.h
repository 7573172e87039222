// What the files of rop/ share: sessions, objects behind handles, calls, the table of operations.
//
// HOW A ROP IS WRITTEN. A row of rop_operations.c gives its RopId, name, the layout of its handle
// indexes, the form of its request (so that a buffer can be taken apart whatever becomes of the
// ROP) and its function:
//
//     enum ec rop_get_status(struct rop_call *c) {
//         struct rop_table *t;
//         EC_TRY(rop_table_in(c, &t));                // the object; the ROP's own error else
//         wire_put_u8(c->w, table_status(t->table));  // what follows ReturnValue
//         return EC_OK;
//     }
//
// The function reads what follows the handle indexes from c->r, whose end is the request's end, and
// writes what follows ReturnValue to c->w. On an error what it wrote is dropped; rows whose
// response has fields also then say how many zero bytes stand for them, or the function calls
// rop_keep_body. A new object is handed over with rop_give.
#pragma once

#include <string.h>

#include "base/wire.h"
#include "mapi/change.h"
#include "mapi/props.h"
#include "mapi/row.h"
#include "mapi/special_folder.h"
#include "protocol/rop/limits.h"
#include "protocol/rop/rop.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/store.h"
#include "store/table.h"

// --- Objects ---

enum rop_kind {
    ROP_LOGON,
    ROP_FOLDER,
    ROP_MESSAGE, // also embedded ones
    ROP_ATTACHMENT,
    ROP_TABLE,
    ROP_STREAM,
    ROP_NOTIFICATION,
    ROP_FAST_SOURCE,
    ROP_FAST_DESTINATION,
    ROP_SYNC_DOWNLOAD,
    ROP_SYNC_UPLOAD,
    ROP_KINDS,
};
#define ROP_IS(kind) (1u << (kind)) // for masks of kinds

// The head of every object; the struct of a kind begins with it and is made with g_new0. `destroy`
// frees what the kind's struct holds, not the struct.
//
// An object goes with its owner ([MS-OXCROPS] 3.1.5.3): attachments, streams and attachment tables
// with their message, streams and embedded messages with their attachment, streams, transfer and
// synchronization contexts with what they were opened on, and everything with its logon. Folders,
// messages and tables of folders are owned by the logon: they outlive the folder they came from.
struct rop_object {
    enum rop_kind kind;
    uint32_t handle; // 0: not given to the client yet
    struct rop_session *session;
    struct rop_logon *logon;  // its own for a logon
    struct rop_object *owner; // NULL: a logon
    struct rop_object *owned, *next_owned;
    size_t memory; // what rop_account noted
    void (*destroy)(struct rop_object *o);
};

struct rop_logon {
    struct rop_object object;
    uint8_t id;
    bool is_public;
    uint32_t open_flags;
    struct mailbox *mailbox; // rights: mailbox_require and its kin
    struct mbox *mbox;       // borrowed from it
    struct guid mailbox_guid, replica;
    // Per-user information (op_per_user.c): what is being written, and what was given.
    GByteArray *per_user;
    struct gid per_user_folder;
    struct guid per_user_source;
    GHashTable *per_user_given;
};

struct rop_folder {
    struct rop_object object;
    uint64_t fid;
    enum folder_type type;
};

struct rop_message {
    struct rop_object object;
    struct message *message; // own
    uint64_t fid;
    uint64_t mid; // 0: not saved yet, or embedded
    unsigned code_page;
    bool is_writable, is_changed;
    bool is_associated;
    uint32_t next_number;             // PidTagAttachNumber of the next new attachment
    struct rop_attachment *container; // of an embedded message; NULL
    struct rop_import *import;        // being imported by synchronization (sync_message.c); NULL
};

struct rop_attachment {
    struct rop_object object;
    struct rop_message *message;
    struct attachment_value *value; // its own copy: the message gets it when it is saved
    uint32_t number;                // PidTagAttachNumber
    bool is_writable, is_new, is_changed;
};

struct rop_table {
    struct rop_object object;
    struct table *table;
    uint64_t fid;       // 0: of a message
    unsigned flags;     // TableFlags it was opened with
    unsigned n_columns; // that the client set; the table may have one more of ours
    bool hides;         // rows of folders that the principal may not see are left out
    bool overlays;      // rows show the principal's own read state
};

struct rop_stream {
    struct rop_object object;
    proptag_t tag;
    GByteArray *bytes;
    uint64_t pos;
    bool is_writable, is_changed;
    GArray *locks; // of struct rop_region; NULL: none
};

// Releases an object and all that it owns: their handles are free afterwards. Accepts NULL.
void rop_object_free(struct rop_object *o);
// Gives an object of a new struct its place: kind, session, logon and owner are set. EC_OK, or
// EC_TOO_MANY_OBJECTS and the object is freed.
enum ec rop_object_init(struct rop_object *o, enum rop_kind kind, struct rop_object *owner,
                        void (*destroy)(struct rop_object *o));
// Notes how many bytes an object holds now. EC_NO_MEMORY: more than the session may have; what was
// noted before stays.
enum ec rop_account(struct rop_object *o, size_t bytes);

// --- Sessions ---

struct rop_service {
    struct mailbox_service *mailboxes;
    char *hostname, *organization;
    unsigned max_handles;
    size_t max_memory;
};

struct rop_notifier; // rop_notify.c
struct rop_session {
    struct rop_service *service;
    struct principal *who;
    char *display_name, *dn, *dn_prefix;
    uint32_t code_page, lcid_string, lcid_sort;
    uint16_t client_version[4];
    GHashTable *objects; // by handle
    uint32_t next_handle;
    unsigned n_objects;
    size_t memory;
    struct rop_logon *logons[ROP_MAX_LOGONS];
    struct rop_notifier *notifier;
};

// legacyExchangeDN of a directory object: PREFIX/cn=Recipients/cn=NAME ([MS-OXOABK]). In the arena.
const char *rop_dn_of(const struct rop_session *s, struct arena *arena,
                      const struct directory_object *object);
// Whom a legacyExchangeDN or an address names. EC_NOT_FOUND.
enum ec rop_find_dn(struct rop_session *s, struct arena *arena, const char *dn,
                    struct directory_object **out);

// --- Calls ---

struct rop_call;
typedef enum ec (*rop_function)(struct rop_call *c);

// Which indexes follow RopId and LogonId, and which one the response repeats (marked *).
enum rop_indexes {
    ROP_IN,          // InputHandleIndex*
    ROP_IN_OUT,      // InputHandleIndex, OutputHandleIndex*
    ROP_OUT,         // OutputHandleIndex*
    ROP_RESPONSE_IN, // ResponseHandleIndex*, InputHandleIndex
    ROP_SOURCE_DEST, // SourceHandleIndex*, DestHandleIndex
};

struct rop_operation {
    uint8_t id;
    enum rop_indexes indexes;
    uint8_t n_failure; // zero bytes after ReturnValue in a failure response
    const char *name;
    const char *form; // what follows the indexes; see rop_frame.c
    rop_function run; // NULL: not built, EC_NOT_SUPPORTED
};
// NULL: a RopId that is reserved or that only the server sends.
const struct rop_operation *rop_operation(uint8_t id);

struct rop_call {
    struct rop_session *session;
    struct arena *arena; // lives until the call's answer is complete
    const struct rop_operation *op;
    uint8_t logon_id;
    uint8_t index1, index2;
    struct wire_reader *r;
    struct wire_writer *w;
    size_t room;         // bytes the fields after ReturnValue may take
    const uint8_t *next; // rop_pack
    size_t next_len;
    const uint8_t *request; // as it came, from its RopId on
    size_t request_len;
    bool keeps_body;            // what was written stands also with an error
    bool ends_batch;            // an error ends the processing of the buffer
    bool is_failed_destination; // the error is about the destination's handle
    struct rop_object *given;   // the new object

    // The handle table of the buffer.
    uint32_t *handles;
    unsigned n_handles;
};

// The object of InputHandleIndex (SourceHandleIndex); `kinds`: ROP_IS masks. EC_NULL_OBJECT: no
// such index or handle, or of another logon; EC_NOT_SUPPORTED: of a kind that the ROP is not for.
enum ec rop_in(struct rop_call *c, unsigned kinds, struct rop_object **out);
// That of DestHandleIndex. EC_DST_NULL_OBJECT.
enum ec rop_dest(struct rop_call *c, unsigned kinds, struct rop_object **out);
// The same of one kind.
enum ec rop_logon_in(struct rop_call *c, struct rop_logon **out);
enum ec rop_folder_in(struct rop_call *c, struct rop_folder **out);
enum ec rop_message_in(struct rop_call *c, struct rop_message **out);
enum ec rop_attachment_in(struct rop_call *c, struct rop_attachment **out);
enum ec rop_table_in(struct rop_call *c, struct rop_table **out);
enum ec rop_stream_in(struct rop_call *c, struct rop_stream **out);
// Puts a new object's handle into the table at OutputHandleIndex. It belongs to the session from
// then on; when the ROP fails all the same (or its response does not fit) it is freed.
// EC_NULL_OBJECT: no such index; the object is freed.
enum ec rop_give(struct rop_call *c, struct rop_object *o);
// Lets what was written stand though the ROP fails.
void rop_keep_body(struct rop_call *c);
// There is more: where the client allows it and there is room, another response is packed behind
// this one, to the request given (with its RopId, in the arena), or to the same one (NULL, 0)
// ([MS-OXCRPC] 3.1.4.2.1.2.2).
void rop_pack(struct rop_call *c, const uint8_t *request, size_t len);

// An identifier in a request: its counter, or 0 when it is not of the mailbox's replica.
uint64_t rop_read_id(struct rop_call *c);
// A count of two bytes and identifiers. In the arena.
uint64_t *rop_read_ids(struct rop_call *c, unsigned *n_out);
void rop_put_id(struct wire_writer *w, uint64_t counter);
// `n` strings of one byte a character or in UTF-16. In the arena; on failure "".
const char *rop_read_string(struct rop_call *c, bool is_unicode);
// How values are written for an object: the code page of its message, or of the session.
struct prop_wire rop_form(const struct rop_object *o);

// What a response says for a result of the program.
uint32_t rop_error(enum ec ec);

// --- Buffers (rop_buffer.c) ---

// Takes one extended buffer from the front of `r`: *out is its payload, expanded and in clear, in
// the arena or borrowed. `*is_last_out`: no other follows. EC_RPC_FORMAT.
enum ec rop_buffer_read(struct wire_reader *r, struct arena *arena, struct wire_reader *out,
                        bool *is_last_out);
// Puts a payload with its header. `flags`: enum rop_execute_flags. *flags_pos_out: where its Flags
// stand, for rop_buffer_end.
void rop_buffer_put(struct wire_writer *w, unsigned flags, const uint8_t *payload, size_t len,
                    size_t *flags_pos_out);
void rop_buffer_end(struct wire_writer *w, size_t flags_pos); // marks the last one

// --- Requests (rop_frame.c) ---

// The bytes of a request's fields (rop_operation.form) at `r`, which is not moved; false: cut off
// or senseless. `is_public`: of the ROP's logon.
bool rop_frame(const char *form, const struct wire_reader *r, bool is_public, size_t *len_out);

// --- Running (rop_run.c) ---

// Runs the ROPs of one payload; the answer's payload, of at most `max` bytes, goes to *out. What is
// to be packed behind it (a payload again, in the arena) goes to *next_out; NULL: nothing.
// `with_events`: what notifications wait is put behind the responses. EC_RPC_FORMAT,
// EC_BUFFER_TOO_SMALL.
struct rop_payload {
    const uint8_t *data;
    size_t len;
    uint8_t rop;     // the RopId of the last request
    size_t last_pos; // of an answer: where the last response stands; 0: there is none
};
enum ec rop_run(struct rop_session *s, struct arena *arena, const struct rop_payload *in,
                size_t max, bool with_events, struct rop_payload *out,
                struct rop_payload *next_out);

// --- Notifications (rop_notify.c) ---

// Appends RopNotify responses for what waits, up to `room` bytes, and RopPending when not all fit.
void rop_notify_put(struct rop_session *s, struct wire_writer *w, size_t room);
// An object is released: its notification queue goes. The session ends (NULL).
void rop_notify_forget(struct rop_session *s, struct rop_object *o);

// --- Folders (op_folder.c) ---

// Opens a folder of the logon's mailbox as an object that is not given yet. EC_NOT_FOUND.
enum ec rop_folder_new(struct rop_logon *logon, uint64_t fid, struct rop_folder **out);

// --- Messages (message_object.c) ---

// OpenModeFlags of RopOpenMessage and RopOpenEmbeddedMessage.
enum rop_open_mode {
    ROP_READ_ONLY = 0,
    ROP_READ_WRITE = 1,
    ROP_OPEN_CREATE = 2, // of embedded messages
    ROP_BEST_ACCESS = 3,
    ROP_OPEN_SOFT_DELETED = 4,
};

// An object for a stored message, with the principal's rights. EC_NOT_FOUND, EC_ACCESS_DENIED.
enum ec rop_message_open(struct rop_logon *logon, uint64_t fid, uint64_t mid, uint8_t mode,
                         struct rop_message **out);
// An object for a message that is not there yet. EC_ACCESS_DENIED, EC_NOT_FOUND.
enum ec rop_message_create(struct rop_logon *logon, uint64_t fid, bool is_associated,
                           struct rop_message **out);
// An object for the message in an attachment, or for a new one there.
enum ec rop_message_of_attachment(struct rop_attachment *a, bool is_new, struct rop_message **out);
// Notes how much memory the message takes now. EC_NO_MEMORY.
enum ec rop_message_account(struct rop_message *m);
// The value, to read or change (then set is_changed).
struct message_value *rop_message_value(struct rop_message *m);
// Saves it: into its folder, or into the attachment it is in. `flags`: MESSAGE_SAVE_FORCE.
enum ec rop_message_save(struct rop_message *m, unsigned flags);
// Opens or makes an attachment as an object that is not given yet. EC_NOT_FOUND,
// EC_ACCESS_DENIED, EC_TOO_MANY_ATTACHMENTS.
enum ec rop_attachment_open(struct rop_message *m, uint32_t number, bool is_writable,
                            struct rop_attachment **out);
enum ec rop_attachment_create(struct rop_message *m, struct rop_attachment **out);
// Puts what was changed into the message, which then has to be saved.
enum ec rop_attachment_save(struct rop_attachment *a);
// RopSaveChangesMessage of one that is imported by synchronization: conflicts are found and
// resolved ([MS-OXCFXICS] 3.1.5.6). `size`: about how many bytes it has.
enum ec import_save(struct rop_message *m, size_t size);
void import_free(struct rop_import *i); // accepts NULL
// The attachment with a PidTagAttachNumber; -1: none.
int rop_attachment_index(struct rop_message *m, uint32_t number);

// --- Properties of any object (props_access.c) ---

// One property. `max`: bytes above which it is EC_NO_MEMORY (to be read as a stream); 0: none.
// EC_NOT_FOUND. PT_UNSPECIFIED: whatever type it has. In the arena.
enum ec rop_get_prop(struct rop_object *o, struct mbox_tx *tx, struct arena *arena, proptag_t tag,
                     size_t max, struct prop_value *out);
// The tags an object has, computed ones included (GArray of proptag_t).
enum ec rop_list_props(struct rop_object *o, struct mbox_tx *tx, GArray *tags);
// Sets and removes; what is refused is told in `problems` (GArray of struct rop_problem). Messages
// and attachments are changed in memory, folders and the store at once.
struct rop_problem {
    uint16_t index;
    proptag_t tag;
    enum ec ec;
};
void rop_put_problems(struct wire_writer *w, const GArray *problems);
enum ec rop_set_props(struct rop_object *o, const struct prop_value *values, unsigned n,
                      GArray *problems);
enum ec rop_remove_props(struct rop_object *o, const proptag_t *tags, unsigned n, GArray *problems);

// A stream is released by the client: one of a folder keeps what was written (op_stream.c).
void rop_stream_close(struct rop_stream *s);

// --- Values (value_copy.c) ---

// Deep copies; contents are shared (GBytes) or stay external.
struct message_value *rop_value_copy(const struct message_value *from);
struct attachment_value *rop_attachment_copy(const struct attachment_value *from);
// Reads the contents that lie in the mailbox, so that the value stands by itself.
enum ec rop_value_detach(struct mbox_tx *tx, struct message_value *value);
enum ec rop_attachment_detach(struct mbox_tx *tx, struct attachment_value *a);

// --- Tables (op_table_open.c) ---

// Takes the table. `owner`: NULL: the logon.
enum ec rop_table_new(struct rop_logon *logon, struct rop_object *owner, struct table *table,
                      uint64_t fid, unsigned flags, struct rop_table **out);

// --- The ROPs (rop_operations.c) ---
#define ROP_FUNCTION(name) enum ec name(struct rop_call *c)
ROP_FUNCTION(rop_release);
ROP_FUNCTION(rop_open_folder);
ROP_FUNCTION(rop_open_message);
ROP_FUNCTION(rop_get_hierarchy_table);
ROP_FUNCTION(rop_get_contents_table);
ROP_FUNCTION(rop_create_message);
ROP_FUNCTION(rop_get_properties_specific);
ROP_FUNCTION(rop_get_properties_all);
ROP_FUNCTION(rop_get_properties_list);
ROP_FUNCTION(rop_set_properties);
ROP_FUNCTION(rop_delete_properties);
ROP_FUNCTION(rop_save_changes_message);
ROP_FUNCTION(rop_remove_all_recipients);
ROP_FUNCTION(rop_modify_recipients);
ROP_FUNCTION(rop_read_recipients);
ROP_FUNCTION(rop_reload_cached_information);
ROP_FUNCTION(rop_set_message_read_flag);
ROP_FUNCTION(rop_set_columns);
ROP_FUNCTION(rop_sort_table);
ROP_FUNCTION(rop_restrict);
ROP_FUNCTION(rop_query_rows);
ROP_FUNCTION(rop_get_status);
ROP_FUNCTION(rop_query_position);
ROP_FUNCTION(rop_seek_row);
ROP_FUNCTION(rop_seek_row_bookmark);
ROP_FUNCTION(rop_seek_row_fractional);
ROP_FUNCTION(rop_create_bookmark);
ROP_FUNCTION(rop_create_folder);
ROP_FUNCTION(rop_delete_folder);
ROP_FUNCTION(rop_delete_messages);
ROP_FUNCTION(rop_get_message_status);
ROP_FUNCTION(rop_set_message_status);
ROP_FUNCTION(rop_get_attachment_table);
ROP_FUNCTION(rop_open_attachment);
ROP_FUNCTION(rop_create_attachment);
ROP_FUNCTION(rop_delete_attachment);
ROP_FUNCTION(rop_save_changes_attachment);
ROP_FUNCTION(rop_set_receive_folder);
ROP_FUNCTION(rop_get_receive_folder);
ROP_FUNCTION(rop_open_stream);
ROP_FUNCTION(rop_read_stream);
ROP_FUNCTION(rop_write_stream);
ROP_FUNCTION(rop_seek_stream);
ROP_FUNCTION(rop_set_stream_size);
ROP_FUNCTION(rop_set_search_criteria);
ROP_FUNCTION(rop_get_search_criteria);
ROP_FUNCTION(rop_submit_message);
ROP_FUNCTION(rop_move_copy_messages);
ROP_FUNCTION(rop_abort_submit);
ROP_FUNCTION(rop_move_folder);
ROP_FUNCTION(rop_copy_folder);
ROP_FUNCTION(rop_query_columns_all);
ROP_FUNCTION(rop_abort);
ROP_FUNCTION(rop_copy_to);
ROP_FUNCTION(rop_copy_to_stream);
ROP_FUNCTION(rop_clone_stream);
ROP_FUNCTION(rop_get_owning_servers);
ROP_FUNCTION(rop_long_term_id_from_id);
ROP_FUNCTION(rop_id_from_long_term_id);
ROP_FUNCTION(rop_public_folder_is_ghosted);
ROP_FUNCTION(rop_open_embedded_message);
ROP_FUNCTION(rop_set_spooler);
ROP_FUNCTION(rop_spooler_lock_message);
ROP_FUNCTION(rop_get_address_types);
ROP_FUNCTION(rop_transport_send);
ROP_FUNCTION(rop_find_row);
ROP_FUNCTION(rop_progress);
ROP_FUNCTION(rop_transport_new_mail);
ROP_FUNCTION(rop_get_valid_attachments);
ROP_FUNCTION(rop_get_names_from_property_ids);
ROP_FUNCTION(rop_get_property_ids_from_names);
ROP_FUNCTION(rop_empty_folder);
ROP_FUNCTION(rop_expand_row);
ROP_FUNCTION(rop_collapse_row);
ROP_FUNCTION(rop_lock_region_stream);
ROP_FUNCTION(rop_unlock_region_stream);
ROP_FUNCTION(rop_commit_stream);
ROP_FUNCTION(rop_get_stream_size);
ROP_FUNCTION(rop_query_named_properties);
ROP_FUNCTION(rop_set_read_flags);
ROP_FUNCTION(rop_copy_properties);
ROP_FUNCTION(rop_get_receive_folder_table);
ROP_FUNCTION(rop_get_collapse_state);
ROP_FUNCTION(rop_set_collapse_state);
ROP_FUNCTION(rop_get_transport_folder);
ROP_FUNCTION(rop_options_data);
ROP_FUNCTION(rop_get_store_state);
ROP_FUNCTION(rop_reset_table);
ROP_FUNCTION(rop_free_bookmark);
ROP_FUNCTION(rop_write_and_commit_stream);
ROP_FUNCTION(rop_hard_delete_messages);
ROP_FUNCTION(rop_hard_delete_messages_and_subfolders);
ROP_FUNCTION(rop_write_stream_extended);
ROP_FUNCTION(rop_logon);
