// Tags on folders and messages: which one applies, and doing what it says.
#include "directory/retention.h"
#include "mailbox/archive_internal.h"
#include "mailbox/retention_internal.h"
#include "mapi/props.h"

#include <string.h>

// --- Which tag ---

const struct retention_tag *pass_tag(const struct mailbox_pass *p, const struct guid *guid) {
    for (unsigned i = 0; i < p->tags.n; i++)
        if (guid_equal(&p->tags.items[i].guid, guid))
            return &p->tags.items[i];
    return NULL;
}

static bool is_kind(const struct retention_tag *tag, bool is_archive) {
    return (tag->action == RETENTION_ARCHIVE) == is_archive;
}

// The organization's tag for a special folder.
static const struct retention_tag *tag_for_folder(const struct mailbox_pass *p, uint64_t fid,
                                                  bool is_archive) {
    for (unsigned i = 0; i < p->tags.n; i++)
        if (p->tags.items[i].folder == fid && is_kind(&p->tags.items[i], is_archive))
            return &p->tags.items[i];
    return NULL;
}

static const struct retention_tag *tag_in(const struct mailbox_pass *p, const struct bag *props,
                                          proptag_t tag, bool is_archive) {
    struct prop_bin bytes = bag_bytes(props, tag);
    struct guid guid;
    if (bytes.len != sizeof guid.bytes)
        return NULL;
    memcpy(guid.bytes, bytes.data, sizeof guid.bytes);
    const struct retention_tag *found = pass_tag(p, &guid);
    return found && is_kind(found, is_archive) ? found : NULL;
}

struct walked {
    const struct retention_tag *tags[2]; // delete, archive; by the folder or one above
    bool is_default[2];                  // only because it is everybody's
};

static enum ec find_tags(const struct mailbox_pass *p, struct mbox_tx *tx, uint64_t fid,
                         const struct walked *above, struct walked *out) {
    static const proptag_t tags[] = {PidTagPolicyTag, PidTagArchiveTag};
    BAG_AUTO props = NULL;
    EC_TRY(folder_get_props(tx, fid, &props));
    for (int kind = 0; kind < 2; kind++) {
        const struct retention_tag *own = tag_in(p, props, tags[kind], kind == 1);
        if (!own)
            own = tag_for_folder(p, fid, kind == 1);
        out->tags[kind] = own ? own : above ? above->tags[kind] : NULL;
        out->is_default[kind] = own ? fid == FID_IPM_SUBTREE : above && above->is_default[kind];
    }
    return EC_OK;
}

static int compare_folders(const void *a, const void *b) {
    const struct pass_folder *x = a, *y = b;
    return x->fid < y->fid ? -1 : x->fid > y->fid;
}

// Contacts, appointments, tasks and the like do not age by themselves: what is for everything is
// not for them.
static bool is_mail(const struct folder_info *f) {
    return !*f->container_class || g_str_has_prefix(f->container_class, "IPF.Note");
}

static enum ec list_folders(struct mailbox_pass *p, struct mbox_tx *tx) {
    ARENA_AUTO arena = arena_new();
    struct folder_list all;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    uint64_t root = FID_IPM_SUBTREE;
    EC_TRY(folder_list(tx, arena, root, true, &all));
    struct walked *walked = arena_alloc0(arena, (all.n + 1) * sizeof *walked);
    EC_TRY(find_tags(p, tx, root, NULL, &walked[all.n]));
    g_hash_table_insert(seen, &root, &walked[all.n]);
    p->folders = arena_alloc0(p->arena, (all.n + 1) * sizeof *p->folders);
    p->n_folders = 0;
    for (unsigned i = 0; i < all.n; i++) { // parents come first
        const struct folder_info *f = &all.items[i];
        EC_TRY(find_tags(p, tx, f->fid, g_hash_table_lookup(seen, &f->parent), &walked[i]));
        g_hash_table_insert(seen, (gpointer)&f->fid, &walked[i]);
        if (f->type != FOLDER_TYPE_GENERIC || f->is_hidden)
            continue;
        struct pass_folder *folder = &p->folders[p->n_folders++];
        folder->fid = f->fid;
        if (is_mail(f) || !walked[i].is_default[0])
            folder->delete = walked[i].tags[0];
        if (is_mail(f) || !walked[i].is_default[1])
            folder->archive = walked[i].tags[1];
    }
    qsort(p->folders, p->n_folders, sizeof *p->folders, compare_folders);
    return EC_OK;
}

enum ec pass_list_folders(struct mailbox_pass *p) {
    MBOX_TX_AUTO tx = NULL;
    p->n_folders = 0;
    if (p->tags.n == 0)
        return EC_OK;
    EC_TRY(mbox_read(p->mbox, &tx));
    return list_folders(p, tx);
}

// --- For who reads dates ---

static void add_policy(GArray *list, uint64_t fid, const struct retention_tag *tag) {
    struct retention_policy p = {.fid = fid,
                                 .kind = tag->action == RETENTION_ARCHIVE ? RETENTION_KIND_ARCHIVE
                                                                          : RETENTION_KIND_DELETE,
                                 .tag = tag->guid,
                                 .days = tag->days};
    g_array_append_val(list, p);
}

struct note {
    GArray *list;
    bool is_changed;
};

static enum ec change_policies(struct mbox_tx *tx, void *ctx) {
    struct note *n = ctx;
    EC_TRY(retention_policies_set(tx, (const struct retention_policy *)(void *)n->list->data,
                                  n->list->len, &n->is_changed));
    return n->is_changed ? EC_OK : EC_CANCEL;
}

enum ec pass_note_policies(struct mailbox_pass *p, bool *changed_out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct retention_policy));
    struct note n = {.list = list};
    for (unsigned i = 0; i < p->tags.n; i++)
        add_policy(list, 0, &p->tags.items[i]);
    for (unsigned i = 0; i < p->n_folders; i++) {
        if (p->folders[i].delete)
            add_policy(list, p->folders[i].fid, p->folders[i].delete);
        if (p->folders[i].archive)
            add_policy(list, p->folders[i].fid, p->folders[i].archive);
    }
    enum ec ec = mbox_write(p->mbox, change_policies, &n);
    if (changed_out)
        *changed_out = n.is_changed;
    return ec == EC_CANCEL ? EC_OK : ec;
}

enum ec mailbox_note_policies(struct mailbox_service *s, struct mbox *mbox, bool *changed_out) {
    struct mailbox_pass p = {.service = s, .mbox = mbox, .arena = arena_new()};
    enum ec ec = EC_OK;
    if (s->directory)
        ec = directory_retention_tags(s->directory, p.arena, &p.tags);
    if (ec == EC_OK)
        ec = pass_list_folders(&p);
    if (ec == EC_OK)
        ec = pass_note_policies(&p, changed_out);
    arena_free(p.arena);
    return ec;
}

// --- What to do with a message ---

enum fate { STAYS, IS_DELETED, IS_PURGED, IS_ARCHIVED };

static bool is_due(filetime_t when, filetime_t now) {
    return when != 0 && when <= now;
}

static enum fate fate_of(const struct mailbox_pass *p, const struct pass_folder *folder,
                         const struct slice_row *row, filetime_t now) {
    const struct retention_tag *tag = folder->delete, *archive = folder->archive;
    bool may_expire = true, may_archive = p->archive != NULL && !p->is_archive_full;
    if (!guid_is_zero(&row->policy.policy_tag)) {
        tag = pass_tag(p, &row->policy.policy_tag);
        may_expire = tag != NULL; // a tag that is no more
    }
    if (!guid_is_zero(&row->policy.archive_tag)) {
        archive = pass_tag(p, &row->policy.archive_tag);
        may_archive = may_archive && archive != NULL;
    }
    if (may_expire && is_due(retention_expires(row, tag ? tag->days : 0), now))
        return tag && tag->action == RETENTION_PURGE ? IS_PURGED : IS_DELETED;
    if (may_archive && is_due(retention_archives(row, archive ? archive->days : 0), now))
        return IS_ARCHIVED;
    return STAYS;
}

// --- One slice ---

struct batch {
    uint64_t fid;
    GArray *fates[4]; // mids, by enum fate
};

static void batch_free(struct batch *b) {
    for (int i = 0; i < 4; i++)
        g_array_unref(b->fates[i]);
    g_free(b);
}

static struct batch *batch_new(uint64_t fid) {
    struct batch *b = g_new0(struct batch, 1);
    b->fid = fid;
    for (int i = 0; i < 4; i++)
        b->fates[i] = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return b;
}

static const uint64_t *mids_of(const struct batch *b, enum fate fate) {
    return (const uint64_t *)(void *)b->fates[fate]->data;
}

// Reads on from where the state stands until a slice is full or the folders are through.
static enum ec read_slice(struct mailbox_pass *p, struct mbox_tx *tx, GPtrArray *batches) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct slice_row));
    filetime_t now = clock_now();
    unsigned n = 0, i = 0;
    while (i < p->n_folders && p->folders[i].fid < p->state.fid)
        i++;
    for (; i < p->n_folders && n < SLICE; i++) {
        const struct pass_folder *folder = &p->folders[i];
        uint32_t from = folder->fid == p->state.fid ? p->state.uid : 0, last;
        g_array_set_size(rows, 0);
        EC_TRY(message_slice(tx, folder->fid, from, SLICE - n, rows, &last));
        struct batch *b = batch_new(folder->fid);
        g_ptr_array_add(batches, b);
        for (guint k = 0; k < rows->len; k++) {
            const struct slice_row *row = &g_array_index(rows, struct slice_row, k);
            g_array_append_val(b->fates[fate_of(p, folder, row, now)], row->mid);
        }
        p->state.n_seen += rows->len;
        n += MAX(rows->len, 1);
        p->state.fid = last ? folder->fid : folder->fid + 1;
        p->state.uid = last;
        if (last)
            return EC_OK;
    }
    if (i == p->n_folders) {
        p->state.step = STEP_PURGE;
        p->state.fid = p->state.uid = 0;
    }
    return EC_OK;
}

struct apply {
    struct mailbox_pass *p;
    GPtrArray *batches;
};

static enum ec apply_slice(struct mbox_tx *tx, void *ctx) {
    struct apply *a = ctx;
    struct mbox_pass before = a->p->state;
    enum ec ec = EC_OK;
    for (guint i = 0; ec == EC_OK && i < a->batches->len; i++) {
        const struct batch *b = a->batches->pdata[i];
        unsigned deleted = 0, purged = 0;
        ec = message_delete(tx, b->fid, mids_of(b, IS_DELETED), b->fates[IS_DELETED]->len,
                            DELETE_SOFT, &deleted);
        if (ec == EC_OK)
            ec = message_delete(tx, b->fid, mids_of(b, IS_PURGED), b->fates[IS_PURGED]->len,
                                DELETE_HARD, &purged);
        a->p->state.n_deleted += deleted;
        a->p->state.n_purged += purged;
    }
    if (ec == EC_OK)
        ec = pass_save(a->p, tx);
    if (ec != EC_OK)
        a->p->state = before;
    return ec;
}

// Full is no failure of the pass: what does not fit stays where it is.
static enum ec archive_batches(struct mailbox_pass *p, GPtrArray *batches) {
    for (guint i = 0; p->archive && i < batches->len; i++) {
        const struct batch *b = batches->pdata[i];
        unsigned n = 0;
        enum ec ec = archive_move(p->service, p->mbox, p->archive, b->fid, mids_of(b, IS_ARCHIVED),
                                  b->fates[IS_ARCHIVED]->len, &n);
        p->state.n_archived += n;
        if (ec == EC_QUOTA_EXCEEDED) {
            p->is_archive_full = true;
            return EC_OK;
        }
        EC_TRY(ec);
    }
    return EC_OK;
}

enum ec pass_retention_slice(struct mailbox_pass *p) {
    g_autoptr(GPtrArray) batches = g_ptr_array_new_with_free_func((GDestroyNotify)batch_free);
    struct mbox_pass before = p->state;
    struct mbox_tx *tx;
    EC_TRY(mbox_read(p->mbox, &tx));
    enum ec ec = read_slice(p, tx, batches);
    mbox_read_end(tx);
    if (ec == EC_OK)
        ec = archive_batches(p, batches);
    struct apply a = {p, batches};
    if (ec == EC_OK)
        ec = mbox_write(p->mbox, apply_slice, &a);
    if (ec != EC_OK)
        p->state = before;
    return ec;
}

// --- Assigning to folders ---

struct assign {
    struct mailbox *m;
    const char *path;
    const struct retention_tag *tag;
    bool is_archive;
};

static enum ec change_assign(struct mbox_tx *tx, void *ctx) {
    struct assign *a = ctx;
    ARENA_AUTO arena = arena_new();
    BAG_AUTO set = bag_new();
    BAG_AUTO old = NULL;
    uint64_t fid = FID_IPM_SUBTREE;
    proptag_t tag = a->is_archive ? PidTagArchiveTag : PidTagPolicyTag;
    proptag_t period = a->is_archive ? PidTagArchivePeriod : PidTagRetentionPeriod;
    int32_t explicit = a->is_archive ? 0x10 : 0x01; // ExplicitArchiveTag, ExplicitTag
    if (*a->path)
        EC_TRY(folder_of_path(a->m, tx, arena, a->path, &fid, NULL));
    EC_TRY(rights_require(a->m, tx, fid, RIGHTS_OWNER));
    EC_TRY(folder_get_props(tx, fid, &old));
    int32_t flags = bag_long(old, PidTagRetentionFlags, 0);
    bag_set_long(set, PidTagRetentionFlags, a->tag ? flags | explicit : flags & ~explicit);
    if (!a->tag) {
        const uint32_t gone[] = {tag, period};
        return folder_set_props(tx, fid, set, gone, 2);
    }
    bag_set_bytes(set, tag, a->tag->guid.bytes, sizeof a->tag->guid.bytes);
    bag_set_long(set, period, (int32_t)MIN(a->tag->days, (uint32_t)INT32_MAX));
    return folder_set_props(tx, fid, set, NULL, 0);
}

enum ec mailbox_assign_retention(struct mailbox *m, const char *path,
                                 const struct retention_tag *tag, bool is_archive) {
    struct assign a = {m, path, tag, is_archive};
    EC_TRY(mbox_write(m->mbox, change_assign, &a));
    return mailbox_note_policies(m->service, m->mbox, NULL);
}
