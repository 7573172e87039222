// Archive mailboxes: whose they are stands in the directory, as settings of the owner.
#include "mailbox/archive_internal.h"

#include "directory/directory.h"
#include "directory/setting.h"
#include "mailbox/mailbox_internal.h"
#include "store/message_portable.h"

#define SETTING_ARCHIVE_OFF "archive.off" // guid of one that was switched off

static enum ec setting_guid(struct directory *d, const struct guid *owner, const char *name,
                            struct guid *out) {
    ARENA_AUTO arena = arena_new();
    const char *text;
    EC_TRY(directory_setting(d, arena, owner, name, &text));
    return guid_parse(text, out) ? EC_OK : EC_CORRUPT_DATA;
}

enum ec mailbox_archive_of(struct mailbox_service *s, const struct guid *owner,
                           struct guid *archive_out) {
    if (!s->directory)
        return EC_NOT_FOUND;
    return setting_guid(s->directory, owner, SETTING_ARCHIVE, archive_out);
}

enum ec mailbox_archive_owner(struct mailbox_service *s, const struct guid *archive,
                              struct guid *owner_out) {
    char text[GUID_STRING_SIZE];
    if (!s->directory)
        return EC_NOT_FOUND;
    guid_format(archive, text);
    enum ec ec = directory_find_setting(s->directory, SETTING_ARCHIVE, text, owner_out);
    if (ec == EC_NOT_FOUND)
        ec = directory_find_setting(s->directory, SETTING_ARCHIVE_OFF, text, owner_out);
    return ec;
}

// --- On and off ---

static enum ec make(struct mailbox_service *s, const struct directory_object *owner,
                    struct guid *archive_out) {
    ARENA_AUTO arena = arena_new();
    struct mbox_new spec = {
        .guid = guid_new(),
        .address = owner->address,
        .display_name = arena_printf(arena, "%s (archive)", owner->display_name),
        .locale = owner->locale ? owner->locale : "en",
    };
    EC_TRY(store_create_mailbox(s->store, &spec));
    *archive_out = spec.guid;
    return EC_OK;
}

static enum ec set_holds(struct mbox_tx *tx, void *ctx) {
    const struct mbox_holds *h = ctx;
    EC_TRY(mbox_set_hold(tx, HOLD_LITIGATION, h->has_litigation, h->litigation_duration));
    return mbox_set_hold(tx, HOLD_SINGLE_ITEM, h->has_single_item, 0);
}

// What is on hold stays so when it moves there.
static enum ec copy_holds(struct mailbox_service *s, const struct guid *owner,
                          const struct guid *archive) {
    MBOX_AUTO from = NULL;
    MBOX_AUTO to = NULL;
    struct mbox_tx *tx;
    struct mbox_holds holds;
    EC_TRY(store_open_mailbox(s->store, owner, &from));
    EC_TRY(store_open_mailbox(s->store, archive, &to));
    EC_TRY(mbox_read(from, &tx));
    enum ec ec = mbox_get_holds(tx, &holds);
    mbox_read_end(tx);
    EC_TRY(ec);
    return mbox_write(to, set_holds, &holds);
}

enum ec mailbox_archive_enable(struct mailbox_service *s, const struct guid *owner) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    struct guid archive;
    char text[GUID_STRING_SIZE];
    EC_TRY(directory_find_guid(s->directory, arena, owner, &object));
    if (!object->has_mailbox)
        return EC_NOT_FOUND;
    enum ec ec = mailbox_archive_of(s, owner, &archive);
    if (ec != EC_NOT_FOUND)
        return ec == EC_OK ? EC_COLLISION : ec;
    ec = setting_guid(s->directory, owner, SETTING_ARCHIVE_OFF, &archive);
    bool is_new = ec == EC_NOT_FOUND;
    if (is_new)
        ec = make(s, object, &archive);
    EC_TRY(ec);
    guid_format(&archive, text);
    ec = copy_holds(s, owner, &archive);
    if (ec == EC_OK)
        ec = directory_set_setting(s->directory, owner, SETTING_ARCHIVE, text);
    if (ec != EC_OK && is_new)
        store_delete_mailbox(s->store, &archive);
    EC_TRY(ec);
    return is_new ? EC_OK : directory_set_setting(s->directory, owner, SETTING_ARCHIVE_OFF, NULL);
}

enum ec mailbox_archive_disable(struct mailbox_service *s, const struct guid *owner) {
    struct guid archive;
    char text[GUID_STRING_SIZE];
    EC_TRY(mailbox_archive_of(s, owner, &archive));
    guid_format(&archive, text);
    EC_TRY(directory_set_setting(s->directory, owner, SETTING_ARCHIVE_OFF, text));
    return directory_set_setting(s->directory, owner, SETTING_ARCHIVE, NULL);
}

enum ec mailbox_archive_delete(struct mailbox_service *s, const struct guid *owner) {
    static const char *const names[] = {SETTING_ARCHIVE, SETTING_ARCHIVE_OFF};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        struct guid archive;
        enum ec ec = setting_guid(s->directory, owner, names[i], &archive);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        ec = store_delete_mailbox(s->store, &archive);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
        EC_TRY(directory_set_setting(s->directory, owner, names[i], NULL));
    }
    return EC_OK;
}

enum ec mailbox_open_archive(struct mailbox_service *s, struct principal *who,
                             const struct guid *owner, struct mailbox **out) {
    struct guid archive;
    if (!who->is_admin && !guid_equal(&who->guid, owner))
        return EC_ACCESS_DENIED;
    EC_TRY(mailbox_archive_of(s, owner, &archive));
    EC_TRY(mailbox_open_unchecked(s, who, &archive, out));
    (*out)->is_owner = true;
    return EC_OK;
}

// --- Moving ---

struct put {
    const struct mailbox_limits *limits;
    struct message_portable *message;
    const char *once, *path, *container_class;
    uint64_t fid; // special folder, or 0: by path
};

static enum ec put_one(struct mbox_tx *tx, void *ctx) {
    struct put *p = ctx;
    ARENA_AUTO arena = arena_new();
    struct mbox_usage before;
    uint64_t fid = p->fid, mid;
    mbox_get_usage(tx, &before);
    if (!fid)
        EC_TRY(folder_make(tx, arena, p->path, p->container_class, &fid));
    EC_TRY(message_put(tx, fid, p->message, p->once, &mid));
    return quota_settled(p->limits, tx, &before);
}

struct drop {
    uint64_t fid, mid;
};

// What is in the archive now is held there; here it leaves nothing behind.
static enum ec drop_one(struct mbox_tx *tx, void *ctx) {
    struct drop *d = ctx;
    return message_purge(tx, d->fid, &d->mid, 1);
}

static enum ec take_one(struct mbox *from, uint64_t fid, uint64_t mid, struct arena *arena,
                        struct message_portable *message, struct put *put) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(from, &tx));
    if (fid >= FID_FIRST_FREE)
        EC_TRY(folder_path(tx, arena, fid, &put->path, &put->container_class));
    else
        put->fid = fid;
    return message_take(tx, mid, message);
}

static enum ec move_one(struct mailbox_service *s, struct mbox *from, struct mbox *archive,
                        uint64_t fid, uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    struct message_portable message = {0};
    struct mailbox_limits limits;
    char guid[GUID_STRING_SIZE];
    guid_format(mbox_guid(from), guid);
    struct put put = {
        .limits = &limits,
        .message = &message,
        .once = arena_printf(arena, "archive/%s/%" G_GUINT64_FORMAT, guid, (guint64)mid),
    };
    EC_TRY(mailbox_limits(s, mbox_guid(archive), &limits));
    EC_TRY(take_one(from, fid, mid, arena, &message, &put));
    enum ec ec = mbox_write(archive, put_one, &put);
    message_portable_clear(&message);
    // There already: a crash came between the two halves.
    if (ec != EC_OK && ec != EC_DUPLICATE_OBJECT)
        return ec;
    struct drop drop = {fid, mid};
    return mbox_write(from, drop_one, &drop);
}

enum ec archive_move(struct mailbox_service *s, struct mbox *from, struct mbox *archive,
                     uint64_t fid, const uint64_t *mids, unsigned n, unsigned *n_out) {
    *n_out = 0;
    for (unsigned i = 0; i < n; i++) {
        enum ec ec = move_one(s, from, archive, fid, mids[i]);
        if (ec == EC_NOT_FOUND)
            continue; // deleted meanwhile
        EC_TRY(ec);
        ++*n_out;
    }
    return EC_OK;
}
