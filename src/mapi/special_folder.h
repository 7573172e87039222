// The folders every mailbox has, with the same ids in each ([MS-OXOSFLD], [MS-OXCSTOR] 2.2.1.1.3).
//
// Ids below FID_FIRST_FREE are reserved for them; the counter for everything else starts there.
#pragma once

#include <stdint.h>

//     name, id, parent, display name (English), container class, IMAP special use
#define SPECIAL_FOLDERS(X)                                                                         \
    X(ROOT, 1, 0, "Root", "", "")                                                                  \
    X(DEFERRED_ACTION, 2, 1, "Deferred Action", "", "")                                            \
    X(SPOOLER_QUEUE, 3, 1, "Spooler Queue", "", "")                                                \
    X(IPM_SUBTREE, 4, 1, "Top of Information Store", "", "")                                       \
    X(INBOX, 5, 4, "Inbox", "IPF.Note", "\\Inbox")                                                 \
    X(OUTBOX, 6, 4, "Outbox", "IPF.Note", "")                                                      \
    X(SENT_ITEMS, 7, 4, "Sent Items", "IPF.Note", "\\Sent")                                        \
    X(DELETED_ITEMS, 8, 4, "Deleted Items", "IPF.Note", "\\Trash")                                 \
    X(COMMON_VIEWS, 9, 1, "Common Views", "", "")                                                  \
    X(SCHEDULE, 10, 1, "Schedule", "", "")                                                         \
    X(FINDER, 11, 1, "Finder", "", "")                                                             \
    X(VIEWS, 12, 1, "Views", "", "")                                                               \
    X(SHORTCUTS, 13, 1, "Shortcuts", "", "")                                                       \
    X(CALENDAR, 14, 4, "Calendar", "IPF.Appointment", "")                                          \
    X(CONTACTS, 15, 4, "Contacts", "IPF.Contact", "")                                              \
    X(DRAFTS, 16, 4, "Drafts", "IPF.Note", "\\Drafts")                                             \
    X(JOURNAL, 17, 4, "Journal", "IPF.Journal", "")                                                \
    X(NOTES, 18, 4, "Notes", "IPF.StickyNote", "")                                                 \
    X(TASKS, 19, 4, "Tasks", "IPF.Task", "")                                                       \
    X(JUNK, 20, 4, "Junk Email", "IPF.Note", "\\Junk")                                             \
    X(SYNC_ISSUES, 21, 4, "Sync Issues", "IPF.Note", "")                                           \
    X(CONFLICTS, 22, 21, "Conflicts", "IPF.Note", "")                                              \
    X(LOCAL_FAILURES, 23, 21, "Local Failures", "IPF.Note", "")                                    \
    X(SERVER_FAILURES, 24, 21, "Server Failures", "IPF.Note", "")                                  \
    X(CONVERSATION_ACTIONS, 25, 4, "Conversation Action Settings", "IPF.Configuration", "")        \
    X(RSS_FEEDS, 26, 4, "RSS Feeds", "IPF.Note.OutlookHomepage", "")                               \
    X(QUICK_STEPS, 27, 4, "Quick Step Settings", "IPF.Configuration", "")                          \
    X(SUGGESTED_CONTACTS, 28, 4, "Suggested Contacts", "IPF.Contact", "")                          \
    X(QUICK_CONTACTS, 29, 15, "Quick Contacts", "IPF.Contact.MOC.QuickContacts", "")               \
    X(IM_CONTACT_LIST, 30, 15, "IM Contact List", "IPF.Contact.MOC.ImContactList", "")             \
    X(GAL_CONTACTS, 31, 15, "GAL Contacts", "IPF.Contact.GalContacts", "")                         \
    X(ARCHIVE, 32, 4, "Archive", "IPF.Note", "\\Archive")                                          \
    X(REMINDERS, 33, 1, "Reminders", "Outlook.Reminder", "")                                       \
    X(TODO_SEARCH, 34, 1, "To-Do Search", "IPF.Task", "")                                          \
    X(TRACKED_MAIL, 35, 1, "Tracked Mail Processing", "", "")                                      \
    X(FREEBUSY_DATA, 36, 1, "Freebusy Data", "", "")                                               \
    X(RECOVERABLE_ITEMS, 37, 1, "Recoverable Items", "", "")                                       \
    X(RECOVERABLE_DELETIONS, 38, 37, "Deletions", "", "")                                          \
    X(RECOVERABLE_VERSIONS, 39, 37, "Versions", "", "")                                            \
    X(RECOVERABLE_PURGES, 40, 37, "Purges", "", "")                                                \
    X(RECOVERABLE_HOLDS, 41, 37, "DiscoveryHolds", "", "")                                         \
    X(RECOVERABLE_CALENDAR_LOGGING, 42, 37, "Calendar Logging", "", "")                            \
    X(RECOVERABLE_AUDITS, 43, 37, "Audits", "", "")                                                \
    X(DOCUMENT_LIBRARIES, 44, 1, "Document Libraries", "IPF.ShortcutFolder", "")                   \
    X(WORKING_SET, 45, 1, "Working Set", "", "")                                                   \
    X(ALL_ITEMS, 46, 1, "AllItems", "IPF", "")                                                     \
    X(PEOPLE_CONNECT, 47, 1, "PeopleConnect", "", "")                                              \
    X(MY_CONTACTS, 48, 1, "MyContacts", "IPF.Contact", "")

enum special_folder {
#define X(name, id, parent, display, container_class, special_use) FID_##name = id,
    SPECIAL_FOLDERS(X)
#undef X
        FID_FIRST_FREE = 0x100,
};

struct special_folder_info {
    uint64_t fid, parent;
    const char *name;            // English display name
    const char *container_class; // "" for none
    const char *special_use;     // IMAP attribute (RFC 6154), "" for none; "\\Inbox" marks INBOX
};

// The table, in an order in which parents come first. `*n_out` rows.
const struct special_folder_info *special_folders(unsigned *n_out);
const struct special_folder_info *special_folder(uint64_t fid); // NULL: not a special folder

// The display name in a locale ("de", "de-AT", ...), English when there is none.
const char *special_folder_name(uint64_t fid, const char *locale);
