// What the files of protocol/ews/ share: a call, its request as a tree, the writer of its answer,
// ids, properties and shapes.
//
// An operation is `enum ec op_NAME(struct ews_call *call)` (ews_operations.h, operations.c). It
// reads `call->request`, and for each thing asked for writes one response message:
//
//     enum ec ec = get_one(call, node);          // EC_OK, or what went wrong
//     if (ec == EC_OK) {
//         ews_success(call);                     // <m:GetItemResponseMessage ResponseClass=...>
//         ... ews_open(w, "m:Items"); ...
//         ews_message_end(call);
//     } else {
//         ews_error(call, ec);                   // the whole message
//     }
//
// and returns EC_OK. What it returns otherwise becomes the one response message of the answer, or
// with ews_fault before, a SOAP fault. `ews_fail` says more exactly what an `enum ec` means.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "mailbox/item.h"
#include "mailbox/mailbox.h"
#include "mapi/named.h"
#include "mapi/prop.h"
#include "protocol/ews/ews.h"

struct http_request;

// --- Limits ---
#define EWS_MAX_DEPTH 100                // levels of elements in a request
#define EWS_MAX_NODES 400000             // elements and attributes of a request
#define EWS_MAX_BODY (64u * 1024 * 1024) // bytes of a request
#define EWS_MAX_ANSWER (UINT64_C(256) << 20)
#define EWS_MAX_IDS 10000 // things asked for in one request

// --- Versions ([MS-OXWSCORE] 2.2.3: RequestServerVersion) ---
enum ews_version {
    EWS_2007,
    EWS_2007_SP1,
    EWS_2010,
    EWS_2010_SP1,
    EWS_2010_SP2,
    EWS_2013,
    EWS_2013_SP1,
    EWS_2016,
    EWS_NEVER, // of elements that this server never sends
};
// "Exchange2010_SP1"; versions between ours ("Exchange2009", "V2016_10_10") are the next lower of
// ours. False: no version.
bool ews_version_parse(const char *text, enum ews_version *out);
const char *ews_version_name(enum ews_version v);

// --- The request as a tree (ews_node.c) ---
// Read-only, in an arena. Elements of other namespaces than these four are kept but never found by
// ews_child and the like.
enum ews_ns { EWS_NS_TYPES, EWS_NS_MESSAGES, EWS_NS_SOAP, EWS_NS_OTHER };
struct ews_attribute {
    const char *name, *value; // local name
    const struct ews_attribute *next;
};
struct ews_node {
    enum ews_ns ns;
    const char *name; // local name
    const char *text; // character data directly inside, "" none; white space is kept
    size_t text_len;
    const struct ews_attribute *attributes;
    struct ews_node *parent, *child, *next;
    uint32_t line;
};
// Reads a document. DTDs, processing instructions, more than the limits: EC_TOO_COMPLEX or
// EC_FORMAT_ERROR, and why in *error_out (in the arena; may be NULL).
enum ec ews_node_parse(struct arena *arena, const void *data, size_t len, struct ews_node **out,
                       const char **error_out);
// The first child of that local name in the EWS (or SOAP) namespaces; NULL: none, also for a NULL
// node. A path ("ItemShape/BaseShape") goes down.
struct ews_node *ews_child(const struct ews_node *node, const char *path);
// The next sibling of the same name.
struct ews_node *ews_next(const struct ews_node *node);
bool ews_is(const struct ews_node *node, const char *name); // false for NULL
unsigned ews_count(const struct ews_node *node);            // children
// NULL: no such attribute.
const char *ews_attribute(const struct ews_node *node, const char *name);
// The text of a child (NULL: no such child) and what it says, `def` when there is none or it says
// nothing of the kind. ews_text strips white space around.
const char *ews_text(struct arena *arena, const struct ews_node *node);
const char *ews_child_text(struct arena *arena, const struct ews_node *node, const char *path);
bool ews_node_bool(const struct ews_node *node, bool def); // "true" "1" "false" "0"
bool ews_child_bool(const struct ews_node *node, const char *path, bool def);
int64_t ews_node_int(const struct ews_node *node, int64_t def);
int64_t ews_child_int(const struct ews_node *node, const char *path, int64_t def);
bool ews_parse_bool(const char *text, bool *out);
bool ews_parse_int(const char *text, int64_t *out);
// Bytes of base64, white space allowed. EC_FORMAT_ERROR. In the arena.
enum ec ews_node_base64(struct arena *arena, const struct ews_node *node, struct prop_bin *out);

// --- The writer (ews_writer.c) ---
// Names are static strings with their prefix ("t:Subject", "m:Items", "s:Body"). Text is
// escaped, and what XML does not know (control characters, half surrogates, bad UTF-8) is left out.
struct ews_writer;
struct ews_writer *ews_writer_new(uint64_t max);
void ews_writer_free(struct ews_writer *w);     // accepts NULL
bool ews_writer_ok(const struct ews_writer *w); // false: more than max was written
size_t ews_writer_len(const struct ews_writer *w);
GBytes *ews_writer_take(struct ews_writer *w); // empty afterwards
void ews_open(struct ews_writer *w, const char *name);
void ews_attr(struct ews_writer *w, const char *name, const char *value); // right after ews_open
void ews_attr_int(struct ews_writer *w, const char *name, int64_t value);
void ews_attr_bool(struct ews_writer *w, const char *name, bool value);
void ews_close(struct ews_writer *w); // the innermost open element; an empty one becomes <a/>
void ews_put_text(struct ews_writer *w, const char *text);
void ews_put_text_len(struct ews_writer *w, const char *text, size_t len);
void ews_put_base64(struct ews_writer *w, const void *data, size_t len);
void ews_put_raw(struct ews_writer *w, const char *xml, size_t len); // our own markup, as it is
// Whole elements. A NULL text writes nothing.
void ews_element(struct ews_writer *w, const char *name, const char *text);
void ews_element_int(struct ews_writer *w, const char *name, int64_t value);
void ews_element_bool(struct ews_writer *w, const char *name, bool value);
void ews_element_base64(struct ews_writer *w, const char *name, const void *data, size_t len);
void ews_element_empty(struct ews_writer *w, const char *name);
// Going back to where one was: what was written and opened since is gone.
struct ews_mark {
    uint64_t len;
    unsigned depth;
    bool is_open_tag;
};
struct ews_mark ews_mark(const struct ews_writer *w);
void ews_rewind(struct ews_writer *w, struct ews_mark mark);
unsigned ews_writer_depth(const struct ews_writer *w);

// --- Errors (ews_errors.c) ---
// A response code by its name in ResponseCodeType ("ErrorItemNotFound"), a static string.
struct ews_failure {
    const char *code;
    const char *text; // NULL: the code's own
    // MessageXml: name and value pairs (t:Value Name="..."), or a path; NULL: none
    const char *const *values;   // name, value, ..., NULL
    const struct ews_node *path; // a FieldURI, IndexedFieldURI or ExtendedFieldURI of the request
    const char *field_uri;       // or one by its name
};
const char *ews_code_of(enum ec ec);         // the general meaning
const char *ews_code_text(const char *code); // what it says to people; never NULL

// --- A call ---
struct ews_operation;
struct ews_stream;

// A mailbox that a call uses, with what its ids are made of.
struct ews_mailbox {
    struct mailbox *m;
    struct guid guid, replica;
    char moniker[GUID_STRING_SIZE]; // guid as text
    bool is_public, is_archive;
    bool is_own; // of the principal; false also for what an administrator opens
};

struct ews_call {
    struct ews_service *service;
    struct arena *arena;         // of the request and everything made for the answer
    struct principal *principal; // who acts: after impersonation
    struct principal *login;     // who has logged in
    struct http_request *http;   // NULL: not over HTTP
    enum ews_version version;
    const char *version_text; // as requested; NULL: not at all
    const char *culture;      // MailboxCulture ("de-DE"); NULL: none
    const char *time_zone;    // TimeZoneContext: a Windows time zone id; NULL: UTC
    const struct ews_node *time_zone_definition; // as it stands in the request; NULL
    bool with_milliseconds;                      // DateTimePrecision
    bool is_impersonated;
    const struct ews_node *header; // s:Header; NULL: none
    const struct ews_node *management_role;
    const struct ews_operation *operation;
    const struct ews_node *request; // the operation's element
    struct ews_writer *w;
    struct ews_mark body;       // where the answer of the operation begins
    struct ews_failure failure; // of ews_fail; code NULL: none
    bool is_fault;              // of ews_fault
    unsigned n_messages;        // response messages written
    unsigned n_errors;
    GPtrArray *mailboxes;      // of struct ews_mailbox, closed at the end
    struct ews_stream *stream; // ews_take_over
};

struct mailbox_service *ews_mailboxes(struct ews_call *call);
struct directory *ews_directory(struct ews_call *call);
const char *ews_hostname(struct ews_call *call);
// What an operation's files keep in the service (subscriptions, ...): one slot a file, made by
// `make` (quickly: a lock is held) when it is first wanted, freed with the service.
enum ews_slot { EWS_SLOT_NOTIFY, EWS_SLOT_SYNC, EWS_SLOT_SETTINGS, EWS_SLOT_SCHEMA, EWS_SLOTS };
void *ews_slot(struct ews_service *s, enum ews_slot slot); // NULL: not made
void *ews_slot_make(struct ews_service *s, enum ews_slot slot, void *(*make)(struct ews_service *s),
                    void (*free)(void *));
struct mailbox_service *ews_service_mailboxes(struct ews_service *s);
const struct ews_options *ews_service_options(const struct ews_service *s);

// Says what the failure that is being returned means in EWS; gives EC_CALL_FAILED, so that
// `return ews_fail(call, "ErrorInvalidIdMalformed", NULL);` does. Texts live as long as the call.
enum ec ews_fail(struct ews_call *call, const char *code, const char *text);
// The same with MessageXml.
enum ec ews_fail_with(struct ews_call *call, const struct ews_failure *failure);
// Fails the whole call with a SOAP fault.
enum ec ews_fault(struct ews_call *call, const char *code, const char *text);
// EC_NOT_FOUND and EC_ACCESS_DENIED as they are for folders (ErrorFolderNotFound) or items
// (ErrorItemNotFound); others as they are.
enum ec ews_fail_folder(struct ews_call *call, enum ec ec);
enum ec ews_fail_item(struct ews_call *call, enum ec ec);

// --- Response messages ---
// Opens the response element, when it is the first, and one message of success, up to ResponseCode.
void ews_success(struct ews_call *call);
void ews_warning(struct ews_call *call, const char *code, const char *text);
void ews_message_end(struct ews_call *call);
// A whole message of an error: `ec`, or what ews_fail said last (which is then forgotten). The
// element that a message of this operation must have even then (m:Items) is written empty.
void ews_error(struct ews_call *call, enum ec ec);
// The same inside another element: its attribute and children alone (of elements of other types
// that extend ResponseMessageType). Between ews_open and ews_close.
void ews_put_result(struct ews_call *call, enum ec ec);

// --- Long answers ---
// An operation that goes on after its first answer (streaming notifications) takes the HTTP request
// over. What it writes after that goes out with each return.
struct ews_stream {
    // As http_route.resume: writes whole envelopes (ews_envelope_begin/_end) to call->w and gives
    // an enum http_next. Runs with the call as the only user of it.
    int (*resume)(struct ews_call *call, void *state);
    void (*close)(struct ews_call *call, void *state); // the connection is over; frees the state
    void *state;
    int next; // enum http_next to go on with after the first answer
};
// EC_NOT_SUPPORTED without HTTP. `stream` is copied; the call lives on until close.
enum ec ews_take_over(struct ews_call *call, const struct ews_stream *stream);
// s:Envelope with ServerVersionInfo and s:Body, as every answer has it.
void ews_envelope_begin(struct ews_call *call);
void ews_envelope_end(struct ews_call *call);

// --- Mailboxes (ews_mailboxes.c) ---
// All stay open until the call ends and are opened once. Errors are already said by ews_fail.
enum ec ews_own_mailbox(struct ews_call *call, struct ews_mailbox **out);
enum ec ews_open_mailbox(struct ews_call *call, const struct guid *guid, struct ews_mailbox **out);
enum ec ews_open_address(struct ews_call *call, const char *address, struct ews_mailbox **out);
// The mailbox that a t:Mailbox (EmailAddress, ...) names; the own one for NULL.
enum ec ews_open_named(struct ews_call *call, const struct ews_node *mailbox,
                       struct ews_mailbox **out);
enum ec ews_open_archive(struct ews_call *call, struct ews_mailbox *of, struct ews_mailbox **out);
enum ec ews_open_public(struct ews_call *call, struct ews_mailbox **out);

// --- Ids (ews_id.c; [MS-OXWSITEMID]) ---
enum ews_id_kind {
    EWS_ID_FOLDER,
    EWS_ID_ITEM,
    EWS_ID_CONVERSATION,
    EWS_ID_ATTACHMENT,
    EWS_ID_DIRECTORY, // an object of the directory
};
#define EWS_ID_MAX_LEVELS 8 // attachments in attachments
#define EWS_ATTACHMENT_ID 16
struct ews_id {
    enum ews_id_kind kind;
    struct guid mailbox; // DIRECTORY: the object
    bool is_public;
    uint64_t fid, mid;
    uint8_t conversation[16];
    unsigned n_attachments;
    uint8_t attachments[EWS_ID_MAX_LEVELS][EWS_ATTACHMENT_ID];
};
// In the arena. `replica` of the mailbox; not looked at for CONVERSATION and DIRECTORY.
const char *ews_id_format(struct arena *arena, const struct ews_id *id, const struct guid *replica);
// Why it is none: "ErrorInvalidIdMalformed", "ErrorInvalidIdEmpty", ...; NULL: *out is filled.
// `replica_out` (may be NULL): what the id says, to compare with the mailbox's.
const char *ews_id_parse(const char *text, struct ews_id *out, struct guid *replica_out);

// Change keys: the kind of object and its change number.
const char *ews_change_key_format(struct arena *arena, unsigned object_type,
                                  const struct guid *replica, uint64_t cn);
bool ews_change_key_parse(const char *text, uint64_t *cn_out);
// Object types in change keys.
enum ews_object_type {
    EWS_OBJECT_FOLDER = 1,
    EWS_OBJECT_CALENDAR_FOLDER = 2,
    EWS_OBJECT_CONTACTS_FOLDER = 3,
    EWS_OBJECT_TASKS_FOLDER = 4,
    EWS_OBJECT_SEARCH_FOLDER = 7,
    EWS_OBJECT_MESSAGE = 9,
    EWS_OBJECT_MEETING_REQUEST = 11,
    EWS_OBJECT_MEETING_RESPONSE = 12,
    EWS_OBJECT_MEETING_CANCELLATION = 13,
    EWS_OBJECT_CALENDAR_ITEM = 15,
    EWS_OBJECT_CONTACT = 17,
    EWS_OBJECT_LIST = 18,
    EWS_OBJECT_TASK = 19,
    EWS_OBJECT_POST = 22,
};

struct ews_folder_ref {
    struct ews_mailbox *mailbox;
    uint64_t fid;
    const char *distinguished; // "inbox" when it was named so; NULL
    uint64_t change;           // of the ChangeKey; 0: none given
};
struct ews_item_ref {
    struct ews_mailbox *mailbox;
    uint64_t fid, mid;
    uint64_t change;                 // 0: none given
    const struct ews_id *attachment; // the item inside an attachment; NULL
};
// Of a t:FolderId or t:DistinguishedFolderId. Whether the folder is there is not looked at.
enum ec ews_read_folder_id(struct ews_call *call, const struct ews_node *node,
                           struct ews_folder_ref *out);
// The one such child of `node` (m:ParentFolderId, t:SavedItemFolderId, m:ToFolderId);
// ErrorMissingArgument without.
enum ec ews_read_folder_child(struct ews_call *call, const struct ews_node *node,
                              struct ews_folder_ref *out);
// Of a t:ItemId (t:RecurringMasterItemId, t:OccurrenceItemId: the series).
enum ec ews_read_item_id(struct ews_call *call, const struct ews_node *node,
                         struct ews_item_ref *out);
// The folder that a distinguished name means in the mailbox. EC_NOT_FOUND: there is none here.
enum ec ews_distinguished_folder(const char *name, uint64_t *fid_out);
const char *ews_distinguished_name(uint64_t fid); // NULL: none
// Elements with Id and ChangeKey; `cn` 0: without a ChangeKey.
void ews_write_item_id(struct ews_call *call, const char *element, const struct ews_mailbox *m,
                       uint64_t fid, uint64_t mid, unsigned object_type, uint64_t cn);
void ews_write_folder_id(struct ews_call *call, const char *element, const struct ews_mailbox *m,
                         uint64_t fid, unsigned object_type, uint64_t cn);
void ews_write_conversation_id(struct ews_call *call, const char *element,
                               const struct ews_mailbox *m, const uint8_t id[16]);

// --- Properties (ews_properties.c: the table; ews_path.c: reading paths) ---
enum ews_class {       // of items, as bits
    EWS_ITEM = 1 << 0, // of no kind below
    EWS_MESSAGE = 1 << 1,
    EWS_POST = 1 << 2,
    EWS_CONTACT = 1 << 3,
    EWS_LIST = 1 << 4,
    EWS_TASK = 1 << 5,
    EWS_CALENDAR = 1 << 6,
    EWS_MEETING = 1 << 7, // messages about meetings that are none of the next three
    EWS_REQUEST = 1 << 8,
    EWS_RESPONSE = 1 << 9,
    EWS_CANCELLATION = 1 << 10,
    EWS_ANY_MEETING = EWS_MEETING | EWS_REQUEST | EWS_RESPONSE | EWS_CANCELLATION,
    EWS_ANY_MESSAGE = EWS_MESSAGE | EWS_ANY_MEETING,
    EWS_ANY_ITEM = 0x7FF,
    EWS_FOLDER = 1 << 11,
};
// What a PidTagMessageClass is (NULL: EWS_MESSAGE), its element ("t:Message") and its object type.
enum ews_class ews_class_of(const char *message_class);
const char *ews_class_element(enum ews_class c);
unsigned ews_class_object(enum ews_class c);

// Values of one item to write it from: an opened one, or a row of a table.
struct ews_source {
    struct ews_mailbox *mailbox;
    uint64_t fid, mid, cn;
    enum ews_class class;
    // The value of a property (with the mailbox's id of named ones); false: has none. Strings and
    // bytes live as long as the call or the source.
    bool (*get)(void *ctx, proptag_t tag, struct prop_value *out);
    void *ctx;
    struct item *item; // opened: bodies, recipients, attachments; NULL: a row (FindItem), which has
                       // none of these
    const struct ews_id *attachment; // an item inside an attachment; NULL
    uint32_t rights;                 // of the principal in the folder
};
// A source of an opened item.
enum ec ews_source_of_item(struct ews_call *call, struct ews_mailbox *mailbox, struct item *item,
                           struct ews_source *out);

// How an element's value is read and written when the row has no functions of its own.
enum ews_type {
    EWS_STRING,
    EWS_BOOL,
    EWS_INT,
    EWS_LONG64,
    EWS_DOUBLE,
    EWS_TIME,
    EWS_BASE64,
    EWS_STRINGS, // PT_MV_UNICODE as t:String elements
    EWS_ENUM,    // `names`
    EWS_OWN,     // by its functions
};
struct ews_enum_name {
    int32_t value;
    const char *name; // ends with NULL
};
struct ews_write;  // an item being written, ews_shape.c
struct ews_update; // an item being changed, ews_update.c
struct ews_property {
    const char *uri;     // "item:Subject"
    const char *element; // "t:Subject"
    uint32_t classes;    // enum ews_class bits of items that have it
    uint32_t defaults;   // classes whose Default shape has it
    enum ews_version since;
    enum ews_type type;
    proptag_t tag; // 0: several, or none; what restrictions and sorting go by
    const struct ews_enum_name *names;
    void (*write)(struct ews_write *o, const struct ews_property *p);
    // From an element (node) of a new or changed item. NULL with type EWS_OWN: read-only.
    enum ec (*set)(struct ews_update *u, const struct ews_property *p, const struct ews_node *node);
    enum ec (*remove)(struct ews_update *u, const struct ews_property *p, const char *index);
    proptag_t needs[4]; // further properties that `write` reads
    bool is_read_only;
    bool is_only_get;   // not of rows (FindItem)
    bool is_only_asked; // not among AllProperties
};
// The rows in the schema's order; those of one item are the rows of its class, in this order.
const struct ews_property *ews_properties(unsigned *n_out);
// The rows of a FieldURI (several for those in more than one place); NULL: there is none.
const struct ews_property *ews_property_find(const char *uri, uint32_t classes);
const struct ews_property *ews_property_by_element(const char *element, uint32_t classes);

// A FieldURI, IndexedFieldURI or ExtendedFieldURI.
enum ews_path_kind { EWS_PATH_FIELD, EWS_PATH_INDEXED, EWS_PATH_EXTENDED };
struct ews_path {
    enum ews_path_kind kind;
    const char *uri;                     // FIELD, INDEXED: of the request
    const char *index;                   // INDEXED: FieldIndex
    const struct ews_property *property; // FIELD, INDEXED: the first row; NULL: of a folder, or
                                         // known but not kept by this server
    struct prop_name name;               // EXTENDED by name; kind PROP_NAME_NONE: by tag
    proptag_t tag;                       // EXTENDED by tag; by name: only the type
    const struct ews_node *node;
};
// Of the node itself. ErrorInvalidPropertyRequest, ErrorInvalidExtendedProperty.
enum ec ews_read_path(struct ews_call *call, const struct ews_node *node, struct ews_path *out);
bool ews_is_path(const struct ews_node *node); // FieldURI, IndexedFieldURI, ExtendedFieldURI
// The one such child. ErrorMissingArgument.
enum ec ews_read_path_child(struct ews_call *call, const struct ews_node *node,
                            struct ews_path *out);
// The property that restrictions and sorting compare; EC_NOT_FOUND: a name that the mailbox does
// not know (nothing has it); ErrorUnsupportedPathForQuery.
enum ec ews_path_tag(struct ews_call *call, struct ews_mailbox *m, const struct ews_path *path,
                     proptag_t *out);
// MAPI types of extended properties ("StringArray"). 0: unknown.
uint16_t ews_mapi_type(const char *name);
const char *ews_mapi_type_name(uint16_t type); // NULL: EWS has no name for it
// t:ExtendedFieldURI as it is written, and t:ExtendedProperty with a value.
void ews_write_extended_uri(struct ews_call *call, const struct ews_path *path);
void ews_write_extended(struct ews_call *call, const struct ews_path *path,
                        const struct prop_value *v);
// A value of an extended property (t:Value or t:Values). ErrorInvalidExtendedPropertyValue.
enum ec ews_read_extended_value(struct ews_call *call, const struct ews_node *property,
                                const struct ews_path *path, struct prop_value *out);
// The text of a value as in t:Value, and back. In the arena; NULL: not possible.
const char *ews_value_text(struct ews_call *call, const struct prop_value *v);
bool ews_value_parse(struct ews_call *call, proptag_t tag, const char *text,
                     struct prop_value *out);

// --- Shapes (ews_shape.c) ---
enum ews_body { EWS_BODY_BEST, EWS_BODY_HTML, EWS_BODY_TEXT };
struct ews_shape {
    enum { EWS_ID_ONLY, EWS_DEFAULT, EWS_ALL_PROPERTIES } base;
    bool is_for_rows; // FindItem: without what rows do not have
    bool with_mime;   // IncludeMimeContent
    enum ews_body body;
    bool filters_html;        // FilterHtmlContent
    bool utf8;                // ConvertHtmlCodePageToUTF8
    bool blocks_images;       // BlockExternalImages
    bool adds_blank;          // AddBlankTargetToLinks
    const char *cid_template; // InlineImageUrlTemplate; NULL
    int64_t max_body;         // MaximumBodySize; 0: none
    uint64_t *selected;       // a bit for each row of ews_properties
    GPtrArray *extended;      // of struct ews_path, in the call's arena
    GPtrArray *indexed;       // of struct ews_path
};
// A t:/m:ItemShape; NULL: IdOnly. ErrorInvalidPropertyRequest and others.
enum ec ews_read_shape(struct ews_call *call, const struct ews_node *node, bool is_for_rows,
                       struct ews_shape *out);
void ews_shape_clear(struct ews_shape *shape);
// The MAPI properties that writing items of any class in this shape reads, each once (GArray of
// proptag_t); named ones with the mailbox's id, those it does not know left out.
enum ec ews_shape_tags(struct ews_call *call, struct ews_mailbox *m, const struct ews_shape *shape,
                       GArray *tags);
// The whole element (t:Message ...).
enum ec ews_write_item(struct ews_call *call, const struct ews_shape *shape,
                       const struct ews_source *source);

// --- People and dates ---
// t:Mailbox with Name, EmailAddress, RoutingType, MailboxType; `element` around it (t:From) or
// NULL.
void ews_write_mailbox(struct ews_call *call, const char *element, const char *name,
                       const char *address, const char *type, const char *mailbox_type);
// A user of the directory by address; EC_NOT_FOUND. In the call's arena.
enum ec ews_find_user(struct ews_call *call, const char *address, struct directory_object **out);
// "2026-11-24T16:40:33Z". In the arena. 0 is NULL.
const char *ews_date_format(struct ews_call *call, filetime_t t);
void ews_element_time(struct ews_call *call, const char *name, filetime_t t); // nothing for 0
// xs:dateTime or xs:date; without a zone it is in the call's time zone, else UTC.
bool ews_date_parse(struct ews_call *call, const char *text, filetime_t *out);
// t:EffectiveRights of what is in a folder, or of the folder itself.
void ews_write_effective_rights(struct ews_call *call, uint32_t rights, bool is_folder,
                                bool is_own_item);

// --- The table of operations (operations.c) ---
enum ews_answer {
    EWS_ANSWER_MESSAGES, // m:XResponse / m:ResponseMessages / m:XResponseMessage
    EWS_ANSWER_SINGLE,   // m:XResponse is the one response message itself
    EWS_ANSWER_NESTED,   // m:XResponse / m:ResponseMessage, what follows beside it
    EWS_ANSWER_OWN,      // the function writes its element whole; errors become faults
};
struct ews_operation {
    const char *name;                      // the request's element and the SOAPAction's end
    enum ec (*run)(struct ews_call *call); // NULL: not built
    enum ews_version since;
    enum ews_answer answer;
    const char *response; // "m:GetItemResponse"
    const char *message;  // "m:GetItemResponseMessage"; NULL: SINGLE, OWN
    const char *empty;    // "m:Items": what messages of errors have too; NULL: nothing
};
const struct ews_operation *ews_operations(unsigned *n_out);
const struct ews_operation *ews_operation_find(const char *name); // NULL: unknown
