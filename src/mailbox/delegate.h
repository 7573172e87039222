// Delegates of a mailbox's owner ([MS-OXODLGT]): the list, what they may do, and where meeting
// messages go. Only the owner and those with full access see and change it.
#pragma once

#include "mailbox/mailbox.h"

enum delegate_folder {
    DELEGATE_CALENDAR,
    DELEGATE_TASKS,
    DELEGATE_INBOX,
    DELEGATE_CONTACTS,
    DELEGATE_NOTES,
    DELEGATE_JOURNAL,
    DELEGATE_FOLDERS,
};

struct mailbox_delegate {
    struct guid guid;                  // a user or group of the directory
    const char *name, *address;        // filled in when read
    uint32_t rights[DELEGATE_FOLDERS]; // ROLE_NONE, ROLE_REVIEWER, ROLE_AUTHOR, ROLE_EDITOR
    bool sees_private;                 // items marked private
    bool receives_meetings;            // gets copies of the owner's meeting messages
};

// Where meeting messages of the owner go when a delegate receives them.
enum delegate_meetings {
    MEETINGS_TO_BOTH,             // delegates and the owner
    MEETINGS_TO_DELEGATES,        // delegates alone
    MEETINGS_TO_DELEGATES_INFORM, // delegates; the owner is informed of updates
};

struct mailbox_delegate_list {
    struct mailbox_delegate *items;
    unsigned n;
    enum delegate_meetings meetings;
};
// In the arena. EC_ACCESS_DENIED.
enum ec mailbox_get_delegates(struct mailbox *m, struct arena *arena,
                              struct mailbox_delegate_list *out);
// Adds or replaces one (by guid): gives the rights on the folders and the right to send on behalf.
// EC_NOT_FOUND: nobody with this guid; EC_TOO_MANY_OBJECTS.
enum ec mailbox_set_delegate(struct mailbox *m, const struct mailbox_delegate *delegate);
// Takes the rights away with it. EC_NOT_FOUND: not a delegate.
enum ec mailbox_remove_delegate(struct mailbox *m, const struct guid *guid);
enum ec mailbox_set_delegate_meetings(struct mailbox *m, enum delegate_meetings meetings);
