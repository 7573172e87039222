// What a client asked NOTIFY for: groups of mailboxes, each with its events ([RFC 5465] 3.1, 6).
#pragma once

#include "protocol/imap/imap_session.h"

enum notify_event {
    NOTIFY_MESSAGE_NEW = 1,
    NOTIFY_MESSAGE_EXPUNGE = 2,
    NOTIFY_FLAG_CHANGE = 4,
    NOTIFY_MAILBOX_NAME = 8,
    NOTIFY_SUBSCRIPTION = 16,
    NOTIFY_MESSAGES = NOTIFY_MESSAGE_NEW | NOTIFY_MESSAGE_EXPUNGE | NOTIFY_FLAG_CHANGE,
};

enum notify_filter {
    FILTER_SELECTED,
    FILTER_SELECTED_DELAYED,
    FILTER_INBOXES,
    FILTER_PERSONAL,
    FILTER_SUBSCRIBED,
    FILTER_SUBTREE,
    FILTER_MAILBOXES,
    FILTER_SUBTREE_ONE, // a folder and those right below it ([RFC 7377])
};

struct notify_group {
    enum notify_filter filter;
    char **paths; // of SUBTREE, MAILBOXES
    unsigned events;
};

struct notify_groups {
    struct notify_group items[IMAP_MAX_NOTIFY_GROUPS];
    unsigned n;
    char *fetch; // what is told of new messages in the selected folder; NULL: nothing
};

struct notify_request {
    struct notify_groups groups; // notify_groups_clear
    bool with_status;
    bool has_bad_event; // one that is not told
};
// "SUBTREE (A B)": a filter and its paths (g_strfreev). False: the parser failed, or the reply is
// set.
bool notify_parse_filter(struct imap_cmd *c, struct notify_group *out);
// Whether a folder of the user's own is among those of a group. Not for SELECTED.
bool notify_group_has(const struct notify_group *g, const char *path, bool is_subscribed);
// "[STATUS] (filter (events)) ..." after SET. False: the parser failed, or the reply is set.
bool notify_parse(struct imap_cmd *c, struct notify_request *out);
void notify_groups_clear(struct notify_groups *groups);
