// Junk mail as the owner of a mailbox wants it: who is trusted, who is not, from which level on a
// message goes to Junk E-mail ([MS-OXCSPAM] 2.2.2, 3.1.4).
//
// The lists hold addresses ("a@example.com") and domains ("@example.com" or "example.com"), in
// lower case. They are properties of the mailbox, in the form that Outlook has for them (texts
// separated by semicolons), beside the options of [MS-OXCSPAM] 2.2.2.
#pragma once

#include "mailbox/mailbox.h"

#define JUNK_ENTRIES_MAX 1024 // of one list
#define JUNK_ENTRY_MAX 320    // characters

enum junk_list { JUNK_SAFE_SENDERS, JUNK_BLOCKED_SENDERS, JUNK_SAFE_RECIPIENTS, JUNK_LISTS };

// PidTagJunkThreshold: the SCL from which on a message is junk, or one of these.
#define JUNK_THRESHOLD_NONE (-1)              // only blocked senders are junk
#define JUNK_THRESHOLD_TRUSTED_ONLY INT32_MIN // everything is but what comes from those trusted
#define JUNK_THRESHOLD_DEFAULT 0              // not set: that of the server

struct junk_settings {
    char **lists[JUNK_LISTS]; // each ended by NULL
    int threshold;
    // The other options: kept for clients, not acted on by the server.
    bool trusts_contacts, trusts_addressees, deletes, shows_links;
};
// In the arena. Only the owner and those with full access: EC_ACCESS_DENIED.
enum ec mailbox_get_junk(struct mailbox *m, struct arena *arena, struct junk_settings *out);
// An entry of one list of senders leaves the other. Nothing happens when it is there.
// EC_INVALID_PARAMETER: neither an address nor a domain; EC_TOO_MANY_OBJECTS.
enum ec mailbox_add_junk(struct mailbox *m, enum junk_list list, const char *entry);
enum ec mailbox_remove_junk(struct mailbox *m, enum junk_list list,
                            const char *entry); // EC_NOT_FOUND
// EC_INVALID_PARAMETER: none of the above, nor 1 to 9.
enum ec mailbox_set_junk_threshold(struct mailbox *m, int threshold);
