// When messages expire and are archived, as clients read it ([MS-OXCMSG] 2.2.1.60).
//
// What applies to a folder and how long each tag of the organization keeps is decided above the
// store and noted here. PidTagRetentionDate and PidTagArchiveDate of a message are computed from it
// when they are read, unless the message carries its own: a tag that is set or a message that is
// moved shows at once, and nothing of a message is written for it.
#pragma once

#include "mapi/bag.h"
#include "store/recoverable.h"

enum retention_kind { RETENTION_KIND_DELETE = 0, RETENTION_KIND_ARCHIVE = 1 };
struct retention_policy {
    uint64_t fid; // 0: the tag itself, whatever folder
    enum retention_kind kind;
    struct guid tag;
    uint32_t days; // 0: never
};
// Replaces all when they differ; `*changed_out` (may be NULL) says so. In a write.
enum ec retention_policies_set(struct mbox_tx *tx, const struct retention_policy *list, unsigned n,
                               bool *changed_out);
// GArray of struct retention_policy.
enum ec retention_policies_get(struct mbox_tx *tx, GArray **out);

// The date of a message with these properties; `tag` PidTagRetentionDate or PidTagArchiveDate.
// EC_NOT_FOUND: never.
enum ec retention_date_of(struct mbox_tx *tx, const struct bag *props, uint64_t fid,
                          filetime_t received, proptag_t tag, filetime_t *out);
bool retention_is_date(proptag_t tag);

// Flags of PidTagRetentionFlags that are heeded.
#define RETENTION_KEEP_IN_PLACE 0x20
#define RETENTION_SYSTEM_DATA 0x40

// When it is expired or archived, by its own properties or else `days` of the tag that applies;
// 0: never.
filetime_t retention_expires(const struct slice_row *m, uint32_t days);
filetime_t retention_archives(const struct slice_row *m, uint32_t days);

extern const char sql_policy_list[], sql_policy_clear[], sql_policy_insert[], sql_policy_folder[],
    sql_policy_tag[];
