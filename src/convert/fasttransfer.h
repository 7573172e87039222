// The FastTransfer stream ([MS-OXCFXICS] 2.2.4): messages and folders as a sequence of markers and
// property values. Writing with its rules for splitting, reading in pieces of any size, and whole
// messages to and from bytes.
#pragma once

#include "convert/convert.h"

#define FT_VALUE_MAX (256u * 1024 * 1024) // bytes of one value that a reader takes
#define FT_DEPTH_MAX 32                   // messages in messages

// Markers (2.2.4.1.4).
enum ft_marker {
    FT_START_TOP_FOLDER = 0x40090003,
    FT_START_SUB_FOLDER = 0x400A0003,
    FT_END_FOLDER = 0x400B0003,
    FT_START_MESSAGE = 0x400C0003,
    FT_START_FAI_MESSAGE = 0x40100003,
    FT_END_MESSAGE = 0x400D0003,
    FT_START_EMBED = 0x40010003,
    FT_END_EMBED = 0x40020003,
    FT_START_RECIPIENT = 0x40030003,
    FT_END_RECIPIENT = 0x40040003,
    FT_NEW_ATTACHMENT = 0x40000003,
    FT_END_ATTACHMENT = 0x400E0003,
    FT_CHANGE = 0x40120003,         // IncrSyncChg
    FT_CHANGE_PARTIAL = 0x407D0003, // IncrSyncChgPartial
    FT_DELETIONS = 0x40130003,      // IncrSyncDel
    FT_SYNC_END = 0x40140003,       // IncrSyncEnd
    FT_READ_STATES = 0x402F0003,    // IncrSyncRead
    FT_STATE_BEGIN = 0x403A0003,
    FT_STATE_END = 0x403B0003,
    FT_PROGRESS_TOTAL = 0x4074000B, // IncrSyncProgressMode
    FT_PROGRESS_ITEM = 0x4075000B,  // IncrSyncProgressPerMsg
    FT_SYNC_MESSAGE = 0x40150003,   // IncrSyncMessage
    FT_GROUP_INFO = 0x407B0102,     // IncrSyncGroupInfo
    FT_ERROR_INFO = 0x40180003,     // FXErrorInfo
};
bool ft_is_marker(uint32_t tag);

// Meta-properties (2.2.1.1, 2.2.1.3, 2.2.4.1.5).
#define MetaTagFXDelProp 0x40160003u
#define MetaTagEcWarning 0x400F0003u
#define MetaTagNewFXFolder 0x40110102u
#define MetaTagIncrSyncGroupId 0x407C0003u
#define MetaTagIncrementalSyncMessagePartial 0x407A0003u
#define MetaTagDnPrefix 0x4008001Eu
#define MetaTagIdsetGiven 0x40170003u // binary all the same (3.2.5.2.1)
#define MetaTagCnsetSeen 0x67960102u
#define MetaTagCnsetSeenFAI 0x67DA0102u
#define MetaTagCnsetRead 0x67D20102u
#define MetaTagIdsetDeleted 0x67E50102u
#define MetaTagIdsetNoLongerInScope 0x40210102u
#define MetaTagIdsetExpired 0x67930102u
#define MetaTagIdsetRead 0x402D0102u
#define MetaTagIdsetUnread 0x402E0102u

// --- Writing (fasttransfer_write.c) ---

// How strings are written (3.2.5.8.1.1).
enum ft_strings {
    FT_STRINGS_UNICODE,   // PtypString
    FT_STRINGS_CODE_PAGE, // PtypString8 in the connection's code page
    FT_STRINGS_TYPED,     // by code page property types: 0x84B0, Unicode
};

// A stream being made. What is put is taken in buffers of the client's size; each ends between two
// atoms or inside a variable-size value (2.2.4.1).
struct ft_writer;
struct ft_writer *ft_writer_new(enum ft_strings strings, unsigned code_page);
void ft_writer_free(struct ft_writer *w); // accepts NULL

void ft_put_marker(struct ft_writer *w, enum ft_marker marker);
// A property; `name`: of ids from 0x8000 up, else NULL. External values, errors, PT_NULL and types
// the stream has no form for are left out.
void ft_put_value(struct ft_writer *w, const struct prop_value *v, const struct prop_name *name);
void ft_put_long(struct ft_writer *w, proptag_t tag, int32_t value);
void ft_put_binary(struct ft_writer *w, proptag_t tag, const void *data, size_t len);

size_t ft_pending(const struct ft_writer *w); // bytes that were put and not taken
// Appends the next up to `max` bytes. 0 with bytes pending: not even one atom fits.
size_t ft_take(struct ft_writer *w, size_t max, GByteArray *out);
// Forgets what was put after `mark` = ft_pending at some time since the last take.
void ft_cut(struct ft_writer *w, size_t mark);

// --- Reading (fasttransfer_read.c) ---

enum ft_kind { FT_MORE, FT_MARKER, FT_VALUE };
struct ft_element {
    enum ft_kind kind;
    enum ft_marker marker;
    struct prop_value value; // strings as PT_UNICODE; MetaTagIdsetGiven has type PT_BINARY
    bool has_name;
    struct prop_name name; // of ids from 0x8000 up, which are the writer's own
};
// `code_page`: of PtypString8 values. `max`: bytes of a value, at most FT_VALUE_MAX.
struct ft_reader;
struct ft_reader *ft_reader_new(unsigned code_page, size_t max);
void ft_reader_free(struct ft_reader *r); // accepts NULL
void ft_reader_put(struct ft_reader *r, const void *data, size_t len);
// The next element, in the arena; FT_MORE: what was put ends inside one. EC_FORMAT_ERROR,
// EC_MESSAGE_TOO_BIG; the reader cannot go on after an error.
enum ec ft_reader_next(struct ft_reader *r, struct arena *arena, struct ft_element *out);
bool ft_reader_is_empty(const struct ft_reader *r); // nothing of an element is left over

// --- Messages (fasttransfer_message.c) ---

// What writing a message asks for.
struct ft_source {
    // Reads external values; NULL: there are none (they are left out).
    const struct convert_source *content;
    // The name of a property id from 0x8000 up; NULL: message_value_name of the message (or of the
    // message that a recipient or attachment belongs to). False: the property is left out.
    bool (*name)(void *ctx, uint16_t id, struct prop_name *out);
    // Whether the property of the outermost message is wanted; NULL: all.
    bool (*wants)(void *ctx, proptag_t tag);
    void *ctx;
};
// Properties of `bag`, those of 0x6600-0x67FF left out (3.2.5.12). `m`: whose names count.
enum ec ft_put_bag(struct ft_writer *w, const struct message_value *m, const struct bag *bag,
                   const struct ft_source *source, bool is_filtered);
enum ec ft_put_recipients(struct ft_writer *w, const struct message_value *m,
                          const struct ft_source *source);
enum ec ft_put_attachments(struct ft_writer *w, const struct message_value *m,
                           const struct ft_source *source);
// attachmentContent without PidTagAttachNumber: properties, content, embedded message.
enum ec ft_put_attachment(struct ft_writer *w, const struct message_value *m,
                          const struct attachment_value *a, const struct ft_source *source,
                          bool is_filtered);
// messageContent: all of the three. EC_TOO_COMPLEX: deeper than FT_DEPTH_MAX. Embedded messages
// that are external (inside an internet original) have to be opened before; else they are left out.
enum ec ft_put_message(struct ft_writer *w, const struct message_value *m,
                       const struct ft_source *source);

// A message alone, as bytes: messageContent with Unicode strings. `source` may be NULL.
enum ec ft_message_encode(const struct message_value *m, const struct ft_source *source,
                          GBytes **out);
// Back; names are local to the values (message_value_local_name). EC_FORMAT_ERROR, EC_TOO_COMPLEX,
// EC_TOO_MANY_OBJECTS.
enum ec ft_message_decode(const void *data, size_t len, struct message_value **out);

// --- Taking a stream apart (fasttransfer_parse.c) ---

// Roots of uploads (2.2.4.4).
enum ft_root {
    FT_ROOT_MESSAGE,    // messageContent
    FT_ROOT_ATTACHMENT, // attachmentContent
    FT_ROOT_FOLDER,     // folderContent
    FT_ROOT_MESSAGES,   // messageList
    FT_ROOT_TOP_FOLDER, // topFolder
};
// Who takes what is read, in the order of the stream. All functions but `id` may be NULL: left out.
struct ft_sink {
    // The id of a name; 0: the property is left out. `m` is the message that it belongs to, NULL at
    // the root. NULL: local ids inside messages (message_value_local_name), nothing at the root.
    uint16_t (*id)(void *ctx, struct message_value *m, const struct prop_name *name);
    enum ec (*prop)(void *ctx, const struct prop_value *v); // of the root or the current folder
    enum ec (*recipient)(void *ctx, struct bag *take);      // of the root message
    enum ec (*attachment)(void *ctx, struct attachment_value *take); // of the root message
    enum ec (*embedded)(void *ctx, struct message_value *take);      // of the root attachment
    enum ec (*message)(void *ctx, struct message_value *take, bool is_associated); // of the folder
    enum ec (*folder_begin)(void *ctx); // a folder below the current one becomes current
    enum ec (*folder_end)(void *ctx);
    // MetaTagFXDelProp: subobjects of this kind are replaced by those that follow.
    enum ec (*delete_children)(void *ctx, proptag_t kind);
    void *ctx;
};
struct ft_parser;
struct ft_parser *ft_parser_new(enum ft_root root, unsigned code_page, const struct ft_sink *sink);
void ft_parser_free(struct ft_parser *p); // accepts NULL
// EC_FORMAT_ERROR, EC_TOO_COMPLEX, EC_MESSAGE_TOO_BIG, what the sink says; ever after the same.
enum ec ft_parser_put(struct ft_parser *p, const void *data, size_t len);
// Whether the stream may end here.
bool ft_parser_is_complete(const struct ft_parser *p);
