// The list of people of instant messaging clients, kept in the mailbox ([MS-OXWSCOS], the unified
// contact store): groups in IM Contact List, people in Quick Contacts.
//
// A group is a personal distribution list whose class says what it is; people are contacts of any
// folder. A group for a distribution group of the directory has its address and no members here.
#pragma once

#include "mailbox/contacts.h"

#define IM_GROUPS_MAX 64     // as Exchange has it
#define IM_CONTACTS_MAX 1000 // of the list

#define IM_GROUP_OWN "IPM.DistList.MOC.UserGroup"
#define IM_GROUP_DIRECTORY "IPM.DistList.MOC.DG"

struct im_group {
    uint64_t mid, cn;
    const char *name, *class;
    const char *address; // of IM_GROUP_DIRECTORY; NULL
    uint64_t *members;   // contacts
    unsigned n_members;
};
struct im_list {
    struct im_group *groups;
    unsigned n_groups;
    struct contact *contacts; // those of Quick Contacts
    unsigned n_contacts;
};
// In the arena. For the owner and those with full access, as all that follows: EC_ACCESS_DENIED.
enum ec mailbox_im_list(struct mailbox *m, struct arena *arena, struct im_list *out);

// `address` NULL: a group of the user's. EC_COLLISION: the name is taken; EC_TOO_MANY_OBJECTS.
enum ec mailbox_add_im_group(struct mailbox *m, const char *name, const char *address,
                             uint64_t *mid_out);
// EC_NOT_FOUND: no such group; EC_COLLISION.
enum ec mailbox_rename_im_group(struct mailbox *m, uint64_t group, const char *name);
enum ec mailbox_remove_im_group(struct mailbox *m, uint64_t group);

// A new contact in Quick Contacts. EC_TOO_MANY_OBJECTS.
struct im_contact {
    const char *im_address, *name, *phone; // name, phone: may be NULL
};
enum ec mailbox_add_im_contact(struct mailbox *m, const struct im_contact *contact,
                               uint64_t *mid_out);
// Puts a contact into a group or takes it out. EC_NOT_FOUND: no such group or contact, or it is not
// in the group.
enum ec mailbox_set_im_member(struct mailbox *m, uint64_t group, uint64_t contact, bool is_member);
// Out of every group, and deleted where it is in Quick Contacts. EC_NOT_FOUND.
enum ec mailbox_remove_im_contact(struct mailbox *m, uint64_t contact);
