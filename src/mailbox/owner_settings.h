// What the owner of a mailbox, or the administrator for them, has set about its mail; kept in the
// directory (directory/setting.h) and remembered here until the directory changes.
#pragma once

#include "mailbox/mailbox.h"

#define SETTING_FORWARD "forward"           // address that gets what comes in
#define SETTING_FORWARD_KEEP "forward.keep" // "yes": and the mailbox keeps it
#define SETTING_RECEIPTS "receipts"         // "always", "never"; else the protocols decide
#define SETTING_SENT_COPY "sent_copy"       // "yes": of what others send in its name
#define SETTING_JOURNAL "journal"           // address that gets journal reports

enum owner_receipts {
    RECEIPTS_BY_PROTOCOL, // where the client leaves it to the server
    RECEIPTS_ALWAYS,      // whoever marks it read
    RECEIPTS_NEVER,
};
struct owner_settings {
    const char *address, *display_name; // NULL: a mailbox that belongs to nobody
    const char *forward, *journal;      // NULL: none
    bool keeps_forwarded, has_sent_copy;
    enum owner_receipts receipts;
};
// In the arena. EC_OK also for a mailbox that is nobody's.
enum ec mailbox_owner_settings(struct mailbox_service *s, struct arena *arena,
                               const struct guid *mailbox, struct owner_settings *out);
