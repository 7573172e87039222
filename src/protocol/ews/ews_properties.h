// The tables of properties, for the files that read and write them.
#pragma once

#include "protocol/ews/ews_internal.h"

// Members of dictionaries (t:Entry Key="...").
struct ews_indexed {
    const char *uri, *index; // "contacts:PhoneNumber", "HomePhone"
    const char *property;    // of the dictionary: "contacts:PhoneNumbers"
    proptag_t tag;
};
const struct ews_indexed *ews_indexed_find(const char *uri, const char *index); // NULL
const struct ews_indexed *ews_indexed_all(unsigned *n_out);
// Its tag in a mailbox; 0: nothing there has it. The second
// one gives it one.
proptag_t ews_indexed_tag(struct ews_mailbox *m, const struct ews_indexed *entry);
proptag_t ews_indexed_tag_new(struct ews_mailbox *m, const struct ews_indexed *entry);

// Whether a FieldURI is one of the schema's, though we have no such property.
bool ews_uri_is_known(const char *uri);
bool ews_element_is_known(const char *element); // by its FieldURI

// --- Writing (ews_shape.c) ---
struct ews_write {
    struct ews_call *call;
    struct ews_writer *w;
    const struct ews_shape *shape;
    const struct ews_source *source;
    struct item *opened; // of a row, when a property needed it
};
// A property of what is being written; false: it has none.
bool ews_value(struct ews_write *o, proptag_t tag, struct prop_value *out);
int32_t ews_value_long(struct ews_write *o, proptag_t tag, int32_t def);
// The item itself, of a row too; NULL: it cannot be opened.
struct item *ews_write_open(struct ews_write *o);

// --- Writers of properties (ews_write_*.c) ---
#define EWS_WRITERS(X)                                                                             \
    X(mime_content)                                                                                \
    X(item_id)                                                                                     \
    X(parent_folder_id)                                                                            \
    X(item_class)                                                                                  \
    X(body)                                                                                        \
    X(text_body)                                                                                   \
    X(attachments)                                                                                 \
    X(message_flag)                                                                                \
    X(headers)                                                                                     \
    X(response_objects)                                                                            \
    X(extended)                                                                                    \
    X(culture)                                                                                     \
    X(effective_rights)                                                                            \
    X(modified_time)                                                                               \
    X(created_time)                                                                                \
    X(conversation_id)                                                                             \
    X(flag)                                                                                        \
    X(store_entry_id)                                                                              \
    X(instance_key)                                                                                \
    X(retention_tag)                                                                               \
    X(preview)                                                                                     \
    X(constant_false)                                                                              \
    X(icon_index)                                                                                  \
    X(sender)                                                                                      \
    X(recipients)                                                                                  \
    X(reply_to)                                                                                    \
    X(complete_name)                                                                               \
    X(dictionary)                                                                                  \
    X(email_addresses)                                                                             \
    X(physical_addresses)                                                                          \
    X(percent)                                                                                     \
    X(members)                                                                                     \
    X(calendar_state)                                                                              \
    X(calendar_type)                                                                               \
    X(attendees)                                                                                   \
    X(duration)                                                                                    \
    X(uid)                                                                                         \
    X(contact_source)                                                                              \
    X(task_status)
#define X(name) void ews_put_##name(struct ews_write *o, const struct ews_property *p);
EWS_WRITERS(X)
#undef X

// --- Changing (ews_update.c) ---
struct ews_update {
    struct ews_call *call;
    struct ews_mailbox *mailbox;
    struct item *item;           // opened, or of a new value
    struct message_value *value; // of a new item; NULL: of an opened one
    bool is_new;
    bool is_send_only; // nothing is stored of it
    // What is not set in the item but done afterwards.
    bool has_read, is_read;
    GBytes *mime;   // of MimeContent, which the value's external parts point into; own
    bool has_other; // something besides MimeContent that shows in it was set
    bool appends;   // t:AppendToItemField
    unsigned depth; // of item attachments
};
void ews_update_clear(struct ews_update *u);
// Sets one property; deletes one.
enum ec ews_update_set(struct ews_update *u, const struct prop_value *v);
// All elements of an item (t:Message ...) of the request.
enum ec ews_update_all(struct ews_update *u, const struct ews_node *item, enum ews_class class);
// The property of an element by the general rules (its row's type).
enum ec ews_update_element(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node);
enum ec ews_update_extended(struct ews_update *u, const struct ews_node *node);
enum ec ews_update_delete(struct ews_update *u, const struct ews_path *path);
// The person in a t:Mailbox: resolved in the directory when the address is not an SMTP one.
enum ec ews_read_mailbox(struct ews_call *call, const struct ews_node *mailbox,
                         struct item_person *out);
// The address of a contact and everything beside it.
enum ec ews_email_remove(struct ews_update *u, const char *key);
enum ec ews_fail_property(struct ews_call *call, const char *code, const struct ews_property *p);

#define EWS_SETTERS(X)                                                                             \
    X(mime_content)                                                                                \
    X(item_class)                                                                                  \
    X(body)                                                                                        \
    X(subject)                                                                                     \
    X(attachments)                                                                                 \
    X(is_read)                                                                                     \
    X(flag)                                                                                        \
    X(culture)                                                                                     \
    X(retention_tag)                                                                               \
    X(sender)                                                                                      \
    X(recipients)                                                                                  \
    X(reply_to)                                                                                    \
    X(read_receipt)                                                                                \
    X(reminder)                                                                                    \
    X(dictionary)                                                                                  \
    X(email_addresses)                                                                             \
    X(physical_addresses)                                                                          \
    X(percent)                                                                                     \
    X(task_status)                                                                                 \
    X(task_date)                                                                                   \
    X(complete_date)                                                                               \
    X(display_name)                                                                                \
    X(members)                                                                                     \
    X(calendar_time)
#define X(name)                                                                                    \
    enum ec ews_set_##name(struct ews_update *u, const struct ews_property *p,                     \
                           const struct ews_node *node);
EWS_SETTERS(X)
#undef X
#define EWS_REMOVERS(X)                                                                            \
    X(body)                                                                                        \
    X(sender)                                                                                      \
    X(recipients)                                                                                  \
    X(reply_to)                                                                                    \
    X(flag)                                                                                        \
    X(reminder)                                                                                    \
    X(members)                                                                                     \
    X(physical_addresses)
#define X(name)                                                                                    \
    enum ec ews_remove_##name(struct ews_update *u, const struct ews_property *p,                  \
                              const char *index);
EWS_REMOVERS(X)
#undef X
