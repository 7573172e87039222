// People in a contacts folder: finding them by name or address, as names are resolved and people
// searched ([MS-OXOCNTC] 2.2.1).
#pragma once

#include "mailbox/mailbox.h"

#define CONTACT_ADDRESSES 3
#define CONTACTS_MAX 10000 // found at once

struct contact {
    uint64_t fid, mid, cn;
    bool is_list; // a personal distribution list
    const char *name, *given_name, *middle_name, *surname, *nickname, *file_as, *company, *title,
        *department, *office, *business_phone, *home_phone, *mobile_phone, *notes; // NULL: none
    const char *addresses[CONTACT_ADDRESSES];                                      // NULL: none
    const char *shown_as[CONTACT_ADDRESSES];
};
struct contact_list {
    struct contact *items;
    unsigned n; // at most `limit`
    unsigned n_found;
};
// Contacts of a folder in which every word of `text` begins a word of a name, of the company or an
// address ("" finds all), by name. Needs RIGHTS_READ_ANY. EC_NOT_FOUND: no such folder. In the
// arena.
enum ec mailbox_find_contacts(struct mailbox *m, struct arena *arena, uint64_t fid,
                              const char *text, unsigned offset, unsigned limit,
                              struct contact_list *out);
// One of them. EC_NOT_FOUND, also for what is no contact.
enum ec mailbox_get_contact(struct mailbox *m, struct arena *arena, uint64_t mid,
                            struct contact *out);

// For files of mailbox/: whether a message is there and not soft-deleted.
bool contact_is_there(struct mbox_tx *tx, uint64_t mid);

// The members of a personal distribution list ([MS-OXOCNTC] 2.2.2.2.1). In the arena.
struct list_member {
    const char *name, *address; // address NULL: it is not known any more
    bool is_list;               // another personal list
    uint64_t fid, mid;          // the contact or list; 0: an address by itself
};
struct list_members {
    struct list_member *items;
    unsigned n;
};
enum ec mailbox_list_members(struct mailbox *m, struct arena *arena, uint64_t mid,
                             struct list_members *out);
