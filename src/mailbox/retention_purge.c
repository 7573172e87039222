// Purging what was deleted long ago, or is too much.
#include "base/log.h"
#include "mailbox/retention_internal.h"

struct purge {
    struct mailbox_pass *p;
    struct mbox_holds holds;
    struct mailbox_limits limits;
    filetime_t before; // deleted earlier than this is due
    bool is_over;      // Recoverable Items are over their quota: the oldest goes whatever its age
    bool has_more;
};

static bool is_kept_folder(uint64_t fid) {
    return fid == FID_RECOVERABLE_PURGES || fid == FID_RECOVERABLE_VERSIONS ||
           fid == FID_RECOVERABLE_HOLDS;
}

// Held messages leave the user's sight, no more.
static enum ec purge_one(struct purge *pu, struct mbox_tx *tx, const struct recoverable_item *item,
                         filetime_t now) {
    if (!holds_keep(&pu->holds, item->received, now)) {
        pu->p->state.n_purged++;
        return message_purge(tx, item->fid, &item->mid, 1);
    }
    if (is_kept_folder(item->fid) || item->deleted >= pu->before)
        return EC_OK;
    return message_retire(tx, item->fid, &item->mid, 1, FID_RECOVERABLE_PURGES);
}

static bool is_over_quota(const struct purge *pu, struct mbox_tx *tx) {
    struct mbox_usage usage;
    mbox_get_usage(tx, &usage);
    return pu->limits.recoverable && usage.recoverable_size > pu->limits.recoverable;
}

static enum ec purge_slice(struct mbox_tx *tx, void *ctx) {
    struct purge *pu = ctx;
    struct mailbox_pass *p = pu->p;
    ARENA_AUTO arena = arena_new();
    struct recoverable_list list;
    filetime_t now = clock_now();
    EC_TRY(mbox_get_holds(tx, &pu->holds));
    EC_TRY(recoverable_due(tx, arena, pu->is_over ? INT64_MAX : pu->before, p->purge_deleted,
                           p->purge_mid, SLICE, &list));
    for (unsigned i = 0; i < list.n; i++) {
        p->purge_deleted = list.items[i].deleted;
        p->purge_mid = list.items[i].mid;
        if (pu->is_over && !is_over_quota(pu, tx))
            break;
        EC_TRY(purge_one(pu, tx, &list.items[i], now));
    }
    pu->has_more = list.n == SLICE;
    if (pu->is_over)
        pu->has_more = pu->has_more && is_over_quota(pu, tx);
    if (!pu->has_more && !pu->is_over && is_over_quota(pu, tx)) {
        // Once more from the oldest on, whatever its age.
        pu->has_more = true;
        p->is_over_quota = true;
        p->purge_deleted = p->purge_mid = 0;
    }
    if (pu->has_more)
        return pass_save(p, tx);
    EC_TRY(recoverable_forget_folders(tx, pu->before));
    p->state.step = STEP_QUOTA;
    return pass_save(p, tx);
}

enum ec pass_purge_slice(struct mailbox_pass *p) {
    filetime_t now = clock_now(), keep = p->options.keep_deleted * FILETIME_SECOND;
    struct purge pu = {.p = p, .before = now > keep ? now - keep : 1, .is_over = p->is_over_quota};
    struct mbox_pass before = p->state;
    EC_TRY(mailbox_limits(p->service, mbox_guid(p->mbox), &pu.limits));
    enum ec ec = mbox_write(p->mbox, purge_slice, &pu);
    if (ec != EC_OK)
        p->state = before;
    return ec;
}
