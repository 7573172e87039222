// People as EWS shows them: entries of the directory and contacts, as mailboxes, contact data and
// personas.
#pragma once

#include "mailbox/contacts.h"
#include "protocol/ews/ews_internal.h"

// MailboxType of a kind of entry ("Mailbox", "PublicDL", ...). Static.
const char *ews_mailbox_type(enum directory_kind kind);
// The entry's name, or its address when it has none.
const char *ews_object_name(const struct directory_object *object);
// t:Mailbox-like elements of an entry and of a contact (with its ItemId).
void ews_write_object(struct ews_call *call, const char *element,
                      const struct directory_object *object);
void ews_write_contact_mailbox(struct ews_call *call, const char *element,
                               const struct ews_mailbox *mailbox, const struct contact *c,
                               unsigned address);
// t:Contact with what is known.
void ews_write_object_contact(struct ews_call *call, const struct directory_object *object);
void ews_write_contact(struct ews_call *call, const struct ews_mailbox *mailbox,
                       const struct contact *c);
// One of the directory or a contact.
struct ews_persona {
    const struct directory_object *object; // or
    const struct contact *contact;
    struct ews_mailbox *mailbox; // of the contact
};
// t:Persona; `is_full`: with the values that say where they come from.
void ews_write_persona(struct ews_call *call, const char *element, const struct ews_persona *p,
                       bool is_full);
void ews_write_persona_id(struct ews_call *call, const char *element, const struct ews_persona *p);
// The entry that an address of a request means, hidden ones too: its SMTP: prefix is passed over.
// EC_NOT_FOUND.
enum ec ews_find_object(struct ews_call *call, const char *address, struct directory_object **out);
