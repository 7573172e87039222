// The list of a folder's members: reading and changing it ([MS-OXCPERM] 2.2.1, 2.2.2, 3.2.5).
#include <string.h>

#include "mailbox/mailbox_internal.h"

#define MEMBERS_MAX 2000 // of one folder

// The same for a user or group in every folder; never one of the two reserved ones.
int64_t rights_member_id(const struct guid *guid) {
    uint64_t a, b;
    memcpy(&a, guid->bytes, sizeof a);
    memcpy(&b, guid->bytes + 8, sizeof b);
    int64_t id = (int64_t)(GUINT64_FROM_LE(a) ^ GUINT64_FROM_LE(b));
    return id == MEMBER_DEFAULT || id == MEMBER_ANONYMOUS ? 1 : id;
}

static int64_t member_id(const char *member) {
    struct guid guid;
    if (strcmp(member, "anonymous") == 0)
        return MEMBER_ANONYMOUS;
    return guid_parse(member, &guid) ? rights_member_id(&guid) : MEMBER_DEFAULT;
}

// --- Reading ---

static void describe(const struct mailbox *m, struct arena *arena, struct mailbox_member *out) {
    char text[GUID_STRING_SIZE];
    struct directory_object *object;
    out->name = "";
    if (out->id == MEMBER_ANONYMOUS)
        out->name = "Anonymous";
    if (guid_is_zero(&out->guid))
        return;
    if (m->service->directory &&
        directory_find_guid(m->service->directory, arena, &out->guid, &object) == EC_OK) {
        out->name = object->display_name;
        out->address = object->address;
    } else { // somebody who is no longer there
        guid_format(&out->guid, text);
        out->name = arena_strdup(arena, text);
    }
}

static gint by_name(gconstpointer a, gconstpointer b) {
    const struct mailbox_member *x = a, *y = b;
    return strcmp(x->name, y->name);
}

enum ec mailbox_permissions(struct mailbox *m, struct arena *arena, uint64_t fid,
                            bool with_free_busy, struct mailbox_member_list *out) {
    struct folder_permissions list;
    struct folder_info info;
    {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(m->mbox, &tx));
        EC_TRY(folder_get(tx, arena, fid, &info));
        EC_TRY(rights_require(m, tx, fid, RIGHTS_VISIBLE));
        EC_TRY(folder_get_permissions(tx, arena, fid, &list));
    }
    uint32_t hidden = with_free_busy ? 0 : RIGHTS_FREE_BUSY;
    out->items = arena_alloc0(arena, (list.n + 2) * sizeof *out->items);
    out->items[0].id = MEMBER_DEFAULT;
    out->items[0].rights = rights_effective(m, fid, "default", 0) & ~hidden;
    out->items[1].id = MEMBER_ANONYMOUS;
    out->n = 2;
    for (unsigned i = 0; i < list.n; i++) {
        int64_t id = member_id(list.items[i].member);
        struct mailbox_member *member = id == MEMBER_DEFAULT     ? &out->items[0]
                                        : id == MEMBER_ANONYMOUS ? &out->items[1]
                                                                 : &out->items[out->n++];
        member->id = id;
        member->rights =
            rights_effective(m, fid, list.items[i].member, list.items[i].rights) & ~hidden;
        if (member > &out->items[1])
            guid_parse(list.items[i].member, &member->guid);
    }
    for (unsigned i = 0; i < out->n; i++)
        describe(m, arena, &out->items[i]);
    qsort(out->items + 2, out->n - 2, sizeof *out->items, by_name);
    return EC_OK;
}

// --- Changing ---

struct list_change {
    struct mailbox *m;
    struct arena *arena;
    uint64_t fid;
    const char *path; // NULL: fid
    unsigned flags;
    const struct mailbox_permission_change *changes;
    unsigned n;
    GArray *list; // struct folder_permission
};

static struct folder_permission *find(struct list_change *c, int64_t id) {
    for (guint i = 0; i < c->list->len; i++) {
        struct folder_permission *p = &g_array_index(c->list, struct folder_permission, i);
        if (member_id(p->member) == id)
            return p;
    }
    return NULL;
}

static struct folder_permission *add(struct list_change *c, const char *member) {
    struct folder_permission p = {c->fid, member, 0};
    g_array_append_val(c->list, p);
    return &g_array_index(c->list, struct folder_permission, c->list->len - 1);
}

static void set(struct list_change *c, struct folder_permission *p, uint32_t rights) {
    p->rights =
        rights_stored(c->m, c->fid, p->rights, rights, (c->flags & PERMISSIONS_FREE_BUSY) != 0);
}

static struct folder_permission *reserved(struct list_change *c, int64_t id) {
    struct folder_permission *p = find(c, id);
    return p ? p : add(c, id == MEMBER_DEFAULT ? "default" : "anonymous");
}

static enum ec apply_one(struct list_change *c, const struct mailbox_permission_change *change) {
    bool is_reserved = !change->member && (change->member_id == MEMBER_DEFAULT ||
                                           change->member_id == MEMBER_ANONYMOUS);
    struct folder_permission *p;
    if (change->op != PERMISSION_ADD && (c->flags & PERMISSIONS_REPLACE))
        return EC_INVALID_PARAMETER; // an empty list has nothing to change or remove
    if (is_reserved) {               // always there: removing leaves no rights
        set(c, reserved(c, change->member_id),
            change->op == PERMISSION_REMOVE ? 0 : change->rights);
        return EC_OK;
    }
    if (change->op == PERMISSION_ADD) {
        if (!change->member)
            return EC_INVALID_PARAMETER;
        char text[GUID_STRING_SIZE];
        guid_format(change->member, text);
        p = find(c, member_id(text));
        if (!p && c->list->len >= MEMBERS_MAX)
            return EC_TOO_MANY_OBJECTS;
        set(c, p ? p : add(c, arena_strdup(c->arena, text)), change->rights);
        return EC_OK;
    }
    p = find(c, change->member_id);
    if (!p)
        return EC_OK; // passed over ([MS-OXCPERM] 3.2.5.2)
    if (change->op == PERMISSION_MODIFY)
        set(c, p, change->rights);
    else
        g_array_remove_index(c->list,
                             (guint)(p - &g_array_index(c->list, struct folder_permission, 0)));
    return EC_OK;
}

// From now on the free/busy flags of all entries are what they are, not what follows from others.
static void keep_free_busy(struct list_change *c) {
    reserved(c, MEMBER_DEFAULT);
    for (guint i = 0; i < c->list->len; i++) {
        struct folder_permission *p = &g_array_index(c->list, struct folder_permission, i);
        uint32_t rights = rights_effective(c->m, c->fid, p->member, p->rights);
        p->rights = rights_stored(c->m, c->fid, p->rights, rights, true);
    }
}

static enum ec change_list(struct mbox_tx *tx, void *ctx) {
    struct list_change *c = ctx;
    struct folder_permissions list;
    if (c->path)
        EC_TRY(folder_of_path(c->m, tx, c->arena, c->path, &c->fid, NULL));
    struct folder_info info;
    EC_TRY(folder_get(tx, c->arena, c->fid, &info));
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_OWNER));
    EC_TRY(folder_get_permissions(tx, c->arena, c->fid, &list));
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct folder_permission));
    c->list = entries;
    for (unsigned i = 0; i < list.n; i++)
        if (!(c->flags & PERMISSIONS_REPLACE) || strcmp(list.items[i].member, "default") == 0)
            g_array_append_val(entries, list.items[i]);
    if (c->flags & PERMISSIONS_FREE_BUSY)
        keep_free_busy(c);
    for (unsigned i = 0; i < c->n; i++)
        EC_TRY(apply_one(c, &c->changes[i]));
    list.items = (struct folder_permission *)(void *)entries->data;
    list.n = entries->len;
    return folder_set_permissions(tx, c->fid, &list);
}

// Members must exist. Whoever gets a right finds the mailbox among those shared with them; noted
// before the change, so that the note may be too much but never missing.
static enum ec prepare_members(struct list_change *c) {
    static const struct guid everybody;
    struct directory *d = c->m->service->directory;
    for (unsigned i = 0; i < c->n; i++) {
        const struct mailbox_permission_change *change = &c->changes[i];
        const struct guid *member = change->member;
        struct directory_object *object;
        if (change->op == PERMISSION_ADD && member && d)
            EC_TRY(directory_find_guid(d, c->arena, member, &object));
        if (!d || c->m->is_public || change->op == PERMISSION_REMOVE ||
            !(change->rights & ~(uint32_t)RIGHTS_FREE_BUSY))
            continue;
        if (!member && change->member_id == MEMBER_DEFAULT)
            member = &everybody;
        if (member)
            EC_TRY(directory_share_add(d, mbox_guid(c->m->mbox), member));
    }
    return EC_OK;
}

static enum ec run(struct list_change *c) {
    for (unsigned i = 0; i < c->n; i++)
        if (c->changes[i].rights & ~(uint32_t)RIGHTS_KNOWN)
            return EC_INVALID_PARAMETER;
    EC_TRY(prepare_members(c));
    return mbox_write(c->m->mbox, change_list, c);
}

enum ec mailbox_modify_permissions(struct mailbox *m, uint64_t fid, unsigned flags,
                                   const struct mailbox_permission_change *changes, unsigned n) {
    ARENA_AUTO arena = arena_new();
    EC_TRY(rights_check(m, fid, RIGHTS_OWNER));
    struct list_change c = {
        .m = m, .arena = arena, .fid = fid, .flags = flags, .changes = changes, .n = n};
    return run(&c);
}

enum ec mailbox_grant(struct mailbox *m, const char *path, const char *member_address,
                      uint32_t rights) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_permission_change change = {.op = rights ? PERMISSION_ADD : PERMISSION_REMOVE,
                                               .rights = rights};
    if (strcmp(member_address, "anonymous") == 0) {
        change.member_id = MEMBER_ANONYMOUS;
    } else if (strcmp(member_address, "default") != 0) {
        struct directory_object *object;
        EC_TRY(directory_find_address(m->service->directory, arena, member_address, &object));
        change.member = &object->guid;
        change.member_id = rights_member_id(&object->guid);
        if (!rights)
            change.member = NULL;
    }
    struct list_change c = {.m = m,
                            .arena = arena,
                            .path = path,
                            .flags = rights & RIGHTS_FREE_BUSY ? PERMISSIONS_FREE_BUSY : 0,
                            .changes = &change,
                            .n = 1};
    {
        MBOX_TX_AUTO tx = NULL;
        uint64_t fid;
        EC_TRY(mbox_read(m->mbox, &tx));
        EC_TRY(folder_of_path(m, tx, arena, path, &fid, NULL));
        EC_TRY(rights_require(m, tx, fid, RIGHTS_OWNER));
    }
    return run(&c);
}
