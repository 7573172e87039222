// Quotas and limits: the one place that decides how much a mailbox may hold
// ([MS-OXCSTOR] 2.2.2.1.1.3, 2.2.2.1.1.4, [RFC 9208]).
//
// The defaults are the server's (bourse.conf), an entry of the directory may have its own. What a
// mailbox holds is counted by its store (store/usage.h), so that asking costs the same however
// large it is. Recoverable Items have a quota of their own, which keeps no mail out: when it is
// exceeded the oldest are purged.
#pragma once

#include "mailbox/mailbox.h"
#include "store/usage.h"

#define MAILBOX_NEVER UINT32_MAX   // instead of a time of day
#define MAILBOX_NO_LIMIT INT64_MAX // an entry's own "none", where 0 takes the default

struct mailbox_options {
    // Bytes; 0: none.
    uint64_t quota_warn, quota_send, quota_receive, quota_recoverable, quota_archive_warn,
        quota_archive;
    uint64_t message;      // of one message
    uint32_t messages;     // of a mailbox
    uint32_t folder_items; // messages of one folder
    uint32_t folders;      // of a mailbox, the special ones included
    uint32_t subfolders;   // of one folder
    uint32_t folder_depth; // levels below the root
    // Seconds.
    uint32_t keep_deleted; // how long deleted messages can be restored; 0: 14 days
    uint32_t duplicates;   // how long a Message-ID is remembered, to drop duplicates; 0: not at all
    uint32_t junk_threshold; // SCL from which on a message is junk; 0: none is
    // Minutes after midnight, local time, at which the nightly pass begins.
    uint32_t nightly;
    // Mail clients are shown mail folders only, unless a user has SETTING_IMAP_FOLDERS.
    bool mail_folders_only;
};
// Copies. May be called again while the service is in use (SIGHUP).
void mailbox_service_configure(struct mailbox_service *s, const struct mailbox_options *options);

// What counts for one mailbox. 0: no limit.
struct mailbox_limits {
    uint64_t warn, send, receive, recoverable, message;
    uint32_t messages, folder_items, folders, subfolders, folder_depth;
    bool is_archive;
};
// A mailbox that belongs to nobody (public folders) has no quotas.
enum ec mailbox_limits(struct mailbox_service *s, const struct guid *mailbox,
                       struct mailbox_limits *out);

struct mailbox_quota {
    struct mailbox_limits limits;
    struct mbox_usage usage;
};
enum ec mailbox_get_quota(struct mailbox *m, struct mailbox_quota *out);

// Whether the owner may send: EC_QUOTA_EXCEEDED.
enum ec mailbox_may_send(struct mailbox_service *s, const struct guid *mailbox);

// Whether a message of so many bytes (0: not known) can be put into a mailbox: EC_QUOTA_EXCEEDED,
// EC_MESSAGE_TOO_BIG. What it says of the size is not exact: the delivery decides.
enum ec mailbox_may_receive(struct mailbox_service *s, const struct guid *mailbox, uint64_t size);

// The store object's properties with those on sizes and quotas filled in. *out: bag_free.
enum ec mailbox_store_props(struct mailbox *m, struct bag **out);

// Names of an entry's settings (directory/setting.h); values are bytes in decimal. The limit on
// receiving is the entry's `quota` field.
#define SETTING_QUOTA_WARN "quota.warn"
#define SETTING_QUOTA_SEND "quota.send"
#define SETTING_QUOTA_RECOVERABLE "quota.recoverable"
#define SETTING_QUOTA_ARCHIVE "quota.archive"
#define SETTING_QUOTA_ARCHIVE_WARN "quota.archive_warn"
#define SETTING_ARCHIVE "archive" // guid of the archive mailbox
