// What the files of FastTransfer and synchronization share ([MS-OXCFXICS]).
//
// A source is an object that gives a FastTransfer stream: what was asked for is kept as a plan, and
// each RopFastTransferSourceGetBuffer makes as much of the stream as its buffer takes, from a
// snapshot of its own. So a folder is never held in memory, and a slow client holds no transaction.
#pragma once

#include "convert/fasttransfer.h"
#include "mapi/idset.h"
#include "protocol/rop/rop_internal.h"
#include "store/replica.h"

#define SYNC_STATE_MAX (16u * 1024 * 1024) // bytes of one uploaded state property

// --- Sources (fast_source.c) ---

struct rop_source {
    struct rop_object object;
    struct ft_writer *w;
    // Puts the next of it, at least one element, or sets is_done.
    enum ec (*produce)(struct rop_source *s, struct mbox_tx *tx);
    bool is_done;
    uint64_t taken; // bytes given to the client
    unsigned steps, all_steps;
    enum ec ec; // an error ends it (MS-OXCFXICS_R2146, R3489)
};
// Gives a new struct its writer by SendOptions. EC_INVALID_PARAMETER: unknown options.
enum ec source_init(struct rop_source *s, uint8_t send_options);
void source_clear(struct rop_source *s);

// SendOptions (2.2.3.1.1.1.1).
enum send_options {
    SEND_UNICODE = 0x01,
    SEND_CPID = 0x02,
    SEND_RECOVER = 0x04,
    SEND_FORCE_UNICODE = 0x08,
    SEND_PARTIAL_ITEM = 0x10,
    SEND_KNOWN = 0x7F,
};

// --- Stored objects as a stream (fast_store.c) ---

// Which properties and subobjects are wanted.
struct fast_filter {
    const proptag_t *tags;
    unsigned n;
    bool is_inclusive; // only these; else all but these
};
bool fast_wants(const struct fast_filter *f, proptag_t tag);
// Reads the filter's tags from a request, into memory of its own (g_free).
enum ec fast_read_tags(struct rop_call *c, proptag_t **tags_out, unsigned *n_out);

enum fast_parts {
    FAST_RECIPIENTS = 1,
    FAST_ATTACHMENTS = 2,
    FAST_CHILDREN = 3,
    FAST_DIRECTIVES = 4, // MetaTagFXDelProp before the subobjects (3.2.5.10)
    FAST_KEEP_IDS = 8,   // identification properties too
    FAST_PUT_MID = 16,   // PidTagMid first (2.2.4.3.16)
};
// messageContent of an open message, or what is wanted of it.
enum ec fast_put_message(struct ft_writer *w, struct mbox_tx *tx, struct rop_logon *logon,
                         struct message *m, const struct fast_filter *filter, unsigned parts);
// The same of a value inside a message of the mailbox; flags are the message's.
enum ec fast_put_version(struct ft_writer *w, struct mbox_tx *tx, struct message *m,
                         const struct message_value *value, const struct fast_filter *filter);
enum ec fast_put_attachment(struct ft_writer *w, struct mbox_tx *tx, struct message *m,
                            const struct attachment_value *a, const struct fast_filter *filter,
                            bool with_embedded);
// The properties of a folder; all but a top one begin with id, name and comment (2.2.4.3.6).
enum ec fast_put_folder(struct ft_writer *w, struct mbox_tx *tx, uint64_t fid,
                        const struct fast_filter *filter, bool is_top);
// Folder properties with names resolved; `skip`: sorted out by the caller.
enum ec fast_put_folder_bag(struct ft_writer *w, struct mbox_tx *tx, const struct bag *bag,
                            const struct fast_filter *filter, bool (*skip)(proptag_t tag));

// --- Synchronization state (sync_state.c) ---

struct sync_state {
    struct idset *given, *seen, *seen_fai, *read;
    proptag_t uploading; // 0: nothing
    GByteArray *upload;
};
void state_init(struct sync_state *s);
void state_clear(struct sync_state *s);
struct sync_state state_copy(const struct sync_state *s);
// The state element's properties (2.2.4.3.25). `with_given`: downloads.
void state_put(struct ft_writer *w, const struct sync_state *s, bool is_contents, bool with_given);

// --- Contexts ---

struct rop_download {
    struct rop_source source;
    struct sync_state state; // as uploaded, then with what was downloaded
    struct sync_state final; // once it is in the stream
    bool is_contents, is_started;
    uint64_t fid;
    uint16_t flags;
    uint32_t extra;
    proptag_t *tags;
    unsigned n_tags;
    struct arena *arena; // of the restriction and the plan
    struct restriction *restriction;
    // The plan.
    GArray *items;        // of struct sync_item
    unsigned at, counted; // the next one; how many the client has wholly
    struct globset *deleted, *out_of_scope, *read, *unread;
    struct globset *read_cns; // of what is in read and unread
    uint64_t last;            // the newest change number when the plan was made
};
struct sync_item {
    uint64_t id, cn, size, end; // end: bytes of the stream up to the item's end
    filetime_t received;
    bool is_fai;
};

struct rop_upload {
    struct rop_object object;
    struct sync_state state;
    bool is_contents;
    uint64_t fid;
};
enum ec upload_in(struct rop_call *c, bool is_contents, struct rop_upload **out);

// SynchronizationFlags and SynchronizationExtraFlags (2.2.3.2.1.1.1).
enum sync_flags {
    SYNC_UNICODE = 0x0001,
    SYNC_NO_DELETIONS = 0x0002,
    SYNC_IGNORE_NO_LONGER_IN_SCOPE = 0x0004,
    SYNC_READ_STATE = 0x0008,
    SYNC_FAI = 0x0010,
    SYNC_NORMAL = 0x0020,
    SYNC_ONLY_SPECIFIED = 0x0080,
    SYNC_NO_FOREIGN_IDS = 0x0100,
    SYNC_RESERVED = 0x1000,
    SYNC_BEST_BODY = 0x2000,
    SYNC_IGNORE_SPECIFIED_ON_FAI = 0x4000,
    SYNC_PROGRESS = 0x8000,
    SYNC_KNOWN = 0xE1BF,
};
enum sync_extra {
    EXTRA_EID = 0x1,
    EXTRA_MESSAGE_SIZE = 0x2,
    EXTRA_CN = 0x4,
    EXTRA_BY_DELIVERY_TIME = 0x8,
};

// Brings the state up to what the client has wholly got, so that an interrupted download goes on
// where it was (2.2.3.2.3.1, 3.3.5.6).
void download_checkpoint(struct rop_download *d);
// Making and writing a plan (sync_contents.c, sync_hierarchy.c).
enum ec contents_plan(struct rop_download *d, struct mbox_tx *tx);
enum ec contents_put(struct rop_download *d, struct mbox_tx *tx, struct sync_item *item);
enum ec hierarchy_plan(struct rop_download *d, struct mbox_tx *tx);
enum ec hierarchy_put(struct rop_download *d, struct mbox_tx *tx, struct sync_item *item);
// A change number from which on a set may lack some: all up to it are in the set.
uint64_t sync_low_water(const struct globset *set);
// What is given and not wanted away: an IDSET by replica id of the counters.
void sync_put_ids(struct ft_writer *w, proptag_t tag, const struct globset *set);
void sync_put_key(struct ft_writer *w, proptag_t tag, const struct guid *replica, uint64_t counter);
void sync_put_change(struct ft_writer *w, struct arena *arena, const struct replica_change *change);

// --- Imports (sync_message.c) ---

#define IN_CONFLICT 0x800 // msInConflict of PidTagMessageStatus
// A message that is being imported, until it is saved.
struct rop_import {
    uint32_t upload; // its context's handle
    uint64_t mid;
    bool is_new, fails_on_conflict;
    struct replica_change change; // the client's; in the arena
    filetime_t modified;
    struct arena *arena;
};
// The counter of a source key (a GID) of the mailbox. EC_INVALID_PARAMETER: of another one.
enum ec import_counter(const struct rop_logon *logon, struct prop_bin gid, uint64_t *out);

// --- Their ROPs ---
ROP_FUNCTION(rop_fast_transfer_source_copy_messages);
ROP_FUNCTION(rop_fast_transfer_source_copy_folder);
ROP_FUNCTION(rop_fast_transfer_source_copy_to);
ROP_FUNCTION(rop_fast_transfer_source_copy_properties);
ROP_FUNCTION(rop_fast_transfer_source_get_buffer);
ROP_FUNCTION(rop_fast_transfer_destination_configure);
ROP_FUNCTION(rop_fast_transfer_destination_put_buffer);
ROP_FUNCTION(rop_fast_transfer_destination_put_buffer_extended);
ROP_FUNCTION(rop_tell_version);
ROP_FUNCTION(rop_synchronization_configure);
ROP_FUNCTION(rop_synchronization_open_collector);
ROP_FUNCTION(rop_synchronization_upload_state_stream_begin);
ROP_FUNCTION(rop_synchronization_upload_state_stream_continue);
ROP_FUNCTION(rop_synchronization_upload_state_stream_end);
ROP_FUNCTION(rop_synchronization_get_transfer_state);
ROP_FUNCTION(rop_synchronization_import_message_change);
ROP_FUNCTION(rop_synchronization_import_message_move);
ROP_FUNCTION(rop_synchronization_import_deletes);
ROP_FUNCTION(rop_synchronization_import_read_state_changes);
ROP_FUNCTION(rop_synchronization_import_hierarchy_change);
ROP_FUNCTION(rop_get_local_replica_ids);
ROP_FUNCTION(rop_set_local_replica_midset_deleted);
ROP_FUNCTION(rop_register_notification);
ROP_FUNCTION(rop_get_permissions_table);
ROP_FUNCTION(rop_modify_permissions);
ROP_FUNCTION(rop_get_rules_table);
ROP_FUNCTION(rop_modify_rules);
ROP_FUNCTION(rop_update_deferred_action_messages);
ROP_FUNCTION(rop_read_per_user_information);
ROP_FUNCTION(rop_write_per_user_information);
ROP_FUNCTION(rop_get_per_user_long_term_ids);
ROP_FUNCTION(rop_get_per_user_guid);
