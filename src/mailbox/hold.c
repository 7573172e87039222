// Switching holds on and off; they stand in the mailbox, where its transactions ask for them.
#include "mailbox/hold.h"

#include "mailbox/archive.h"
#include "mailbox/mailbox_internal.h"

struct change {
    enum hold_kind kind;
    bool is_on;
    filetime_t duration;
};

static enum ec change_hold(struct mbox_tx *tx, void *ctx) {
    const struct change *c = ctx;
    return mbox_set_hold(tx, c->kind, c->is_on, c->duration);
}

static enum ec change_one(struct mailbox_service *s, const struct guid *guid, struct change *c) {
    MBOX_AUTO mbox = NULL;
    EC_TRY(store_open_mailbox(s->store, guid, &mbox));
    return mbox_write(mbox, change_hold, c);
}

enum ec mailbox_set_hold(struct mailbox_service *s, const struct guid *owner, enum hold_kind kind,
                         bool is_on, filetime_t duration) {
    struct change c = {kind, is_on, duration};
    struct guid archive;
    EC_TRY(change_one(s, owner, &c));
    enum ec ec = mailbox_archive_of(s, owner, &archive);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    return change_one(s, &archive, &c);
}

enum ec mailbox_get_holds(struct mailbox_service *s, const struct guid *owner,
                          struct mbox_holds *out) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(store_open_mailbox(s->store, owner, &mbox));
    EC_TRY(mbox_read(mbox, &tx));
    enum ec ec = mbox_get_holds(tx, out);
    mbox_read_end(tx);
    tx = NULL;
    return ec;
}
