// Folders: reading, finding, creating, moving ([MS-OXCFOLD] 3.2.5).
#include "store/folder.h"

#include <string.h>

#include "base/text.h"
#include "mapi/special_folder.h"
#include "store/folder_internal.h"
#include "store/public_store.h"
#include "store/store_internal.h"

static void read_folder(struct db_stmt *q, struct arena *arena, struct folder_info *f) {
    *f = (struct folder_info){
        .fid = (uint64_t)db_col_i64(q, 0),
        .parent = (uint64_t)db_col_i64(q, 1),
        .name = arena_strdup(arena, db_col_text(q, 2)),
        .container_class = arena_strdup(arena, db_col_text(q, 3)),
        .type = (enum folder_type)db_col_i64(q, 4),
        .cn = (uint64_t)db_col_i64(q, 5),
        .modseq = (uint64_t)db_col_i64(q, 6),
        .uid_validity = (uint32_t)db_col_i64(q, 7),
        .uid_next = (uint32_t)db_col_i64(q, 8),
        .n_messages = (uint32_t)db_col_i64(q, 9),
        .n_unread = (uint32_t)db_col_i64(q, 10),
        .n_associated = (uint32_t)db_col_i64(q, 11),
        .n_soft_deleted = (uint32_t)db_col_i64(q, 12),
        .size = (uint64_t)db_col_i64(q, 13),
        .created = (filetime_t)db_col_i64(q, 14),
        .changed = (filetime_t)db_col_i64(q, 15),
        .is_subscribed = db_col_i64(q, 16) != 0,
        .is_hidden = db_col_i64(q, 17) != 0,
        .n_subfolders = (uint32_t)db_col_i64(q, 18),
    };
    if (!f->name)
        f->name = "";
    if (!f->container_class)
        f->container_class = "";
}

// What a writer changed and did not write yet.
static void overlay_counters(struct mbox_tx *tx, struct folder_info *f) {
    const struct folder_counters *c =
        tx->is_writer ? g_hash_table_lookup(tx->counters, &f->fid) : NULL;
    if (!c)
        return;
    f->uid_next = c->uid_next;
    f->modseq = c->modseq;
    f->n_messages = (uint32_t)c->n_messages;
    f->n_unread = (uint32_t)c->n_unread;
    f->n_associated = (uint32_t)c->n_associated;
    f->n_soft_deleted = (uint32_t)c->n_soft;
    f->size = (uint64_t)c->size;
}

enum ec folder_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid, struct folder_info *out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    bool found = db_step(q);
    if (found)
        read_folder(q, arena, out);
    EC_TRY(db_finish(q));
    if (!found)
        return EC_NOT_FOUND;
    overlay_counters(tx, out);
    return EC_OK;
}

enum ec folder_find(struct mbox_tx *tx, uint64_t parent, const char *name, uint64_t *fid_out) {
    ARENA_AUTO arena = arena_new();
    struct db_stmt *q = db_query(tx->conn, sql_folder_find);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)parent);
    db_bind_text(q, 3, text_fold(arena, name));
    bool found = db_step(q);
    uint64_t fid = found ? (uint64_t)db_col_i64(q, 0) : 0;
    EC_TRY(db_finish(q));
    if (!found)
        return EC_NOT_FOUND;
    *fid_out = fid;
    return EC_OK;
}

// --- Lists ---

static enum ec list_children(struct mbox_tx *tx, struct arena *arena, uint64_t parent,
                             GArray *out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_children);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)parent);
    while (db_step(q)) {
        struct folder_info f;
        read_folder(q, arena, &f);
        overlay_counters(tx, &f);
        g_array_append_val(out, f);
    }
    return db_finish(q);
}

// All folders of the mailbox sorted by parent; the runs of siblings are found by binary search.
static enum ec list_all(struct mbox_tx *tx, struct arena *arena, GArray *out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_all);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct folder_info f;
        read_folder(q, arena, &f);
        overlay_counters(tx, &f);
        g_array_append_val(out, f);
    }
    return db_finish(q);
}

static guint first_child(const GArray *all, uint64_t parent) {
    guint low = 0, high = all->len;
    while (low < high) {
        guint mid = (low + high) / 2;
        if (g_array_index(all, struct folder_info, mid).parent < parent)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

// Depth first with a stack of positions in `all`, so that no depth of folders uses the C stack.
static void walk_tree(const GArray *all, uint64_t root, GArray *out) {
    g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(guint));
    guint start = first_child(all, root);
    g_array_append_val(stack, start);
    while (stack->len > 0) {
        guint *top = &g_array_index(stack, guint, stack->len - 1);
        guint i = (*top)++; // NOLINT(clang-analyzer-core.NullDereference): not empty
        uint64_t parent = root;
        if (stack->len > 1) {
            guint above = g_array_index(stack, guint, stack->len - 2) - 1;
            parent = g_array_index(all, struct folder_info, above).fid;
        }
        const struct folder_info *f =
            i < all->len ? &g_array_index(all, struct folder_info, i) : NULL;
        if (!f || f->parent != parent || stack->len > FOLDER_MAX_DEPTH + 2) {
            g_array_set_size(stack, stack->len - 1);
            continue;
        }
        if (f->fid == f->parent)
            continue;
        g_array_append_vals(out, f, 1);
        guint child = first_child(all, f->fid);
        g_array_append_val(stack, child);
    }
}

enum ec folder_list(struct mbox_tx *tx, struct arena *arena, uint64_t root, bool is_deep,
                    struct folder_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct folder_info));
    if (is_deep) {
        g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct folder_info));
        EC_TRY(list_all(tx, arena, all));
        walk_tree(all, root, list);
    } else {
        EC_TRY(list_children(tx, arena, root, list));
    }
    out->n = list->len;
    out->items = arena_memdup(arena, list->data, list->len * sizeof(struct folder_info));
    return EC_OK;
}

// --- Creating ---

enum ec folder_check_name(const char *name) {
    if (!*name || !g_utf8_validate(name, -1, NULL) || g_utf8_strlen(name, -1) > FOLDER_NAME_MAX)
        return EC_BAD_FOLDER_NAME;
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return EC_BAD_FOLDER_NAME;
    return EC_OK;
}

enum ec folder_depth(struct mbox_tx *tx, uint64_t fid, uint64_t through, unsigned *depth_out,
                     bool *through_out) {
    unsigned depth = 0;
    *through_out = false;
    while (fid != FID_ROOT) {
        ARENA_AUTO arena = arena_new();
        struct folder_info f;
        if (fid == through)
            *through_out = true;
        EC_TRY(folder_get(tx, arena, fid, &f));
        if (++depth > FOLDER_MAX_DEPTH)
            return EC_TOO_COMPLEX;
        fid = f.parent;
    }
    *depth_out = depth;
    return EC_OK;
}

enum ec folder_insert(struct mbox_tx *tx, const struct folder_info *f, const struct bag *props) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) bytes = props ? bag_encode(props) : NULL;
    struct db_stmt *q = db_query(tx->conn, sql_folder_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)f->fid);
    db_bind_i64(q, 3, (int64_t)f->parent);
    db_bind_text(q, 4, f->name);
    db_bind_text(q, 5, text_fold(arena, f->name));
    db_bind_text(q, 6, f->container_class);
    db_bind_i64(q, 7, f->type);
    db_bind_i64(q, 8, (int64_t)f->cn);
    db_bind_i64(q, 9, (int64_t)f->modseq);
    db_bind_i64(q, 10, f->uid_validity);
    db_bind_i64(q, 11, (int64_t)f->created);
    db_bind_i64(q, 12, (int64_t)f->changed);
    db_bind_i64(q, 13, f->is_subscribed);
    db_bind_i64(q, 14, f->is_hidden);
    db_bind_blob(q, 15, bytes ? g_bytes_get_data(bytes, NULL) : NULL,
                 bytes ? g_bytes_get_size(bytes) : 0);
    enum ec ec = db_run(q, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
}

static enum ec next_uid_validity(struct mbox_tx *tx, uint32_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql_mailbox_uid_validity);
    db_bind_i64(q, 1, MBX);
    if (db_step(q))
        *out = (uint32_t)db_col_i64(q, 0);
    return db_finish(q);
}

static void publish(struct mbox_tx *tx, enum event_kind kind, uint64_t fid, uint64_t parent,
                    uint64_t old_parent, uint64_t cn) {
    struct event e = {.kind = kind,
                      .is_folder = true,
                      .fid = fid,
                      .parent = parent,
                      .old_parent = old_parent,
                      .cn = cn};
    tx_publish(tx, &e);
}

enum ec folder_touch(struct mbox_tx *tx, uint64_t fid) {
    uint64_t cn = mbox_next_id(tx);
    struct db_stmt *q = db_query(tx->conn, sql_folder_touch);
    db_bind_i64(q, 1, (int64_t)cn);
    db_bind_i64(q, 2, (int64_t)tx->now);
    db_bind_i64(q, 3, MBX);
    db_bind_i64(q, 4, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    publish(tx, EVENT_MODIFIED, fid, 0, 0, cn);
    return EC_OK;
}

// `fid` 0: the next id.
static enum ec create(struct mbox_tx *tx, uint64_t fid, uint64_t parent, const char *name,
                      enum folder_type type, const char *container_class, uint64_t *fid_out) {
    ARENA_AUTO arena = arena_new();
    struct folder_info above, f = {.parent = parent, .name = name, .type = type};
    unsigned depth;
    bool through;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_check_name(name));
    EC_TRY(folder_get(tx, arena, parent, &above));
    if (above.type == FOLDER_TYPE_SEARCH)
        return EC_SEARCH_FOLDER;
    if (type == FOLDER_TYPE_SEARCH && mbox_is_public(tx->mbox))
        return EC_NOT_SUPPORTED; // [MS-OXCFOLD] 3.2.5.2
    EC_TRY(folder_depth(tx, parent, 0, &depth, &through));
    if (depth >= FOLDER_MAX_DEPTH)
        return EC_TOO_COMPLEX;
    f.container_class = container_class ? container_class : above.container_class;
    f.fid = fid ? fid : mbox_next_id(tx);
    f.cn = f.modseq = mbox_next_id(tx);
    f.created = f.changed = tx->now;
    EC_TRY(next_uid_validity(tx, &f.uid_validity));
    EC_TRY(folder_insert(tx, &f, NULL));
    struct folder_permissions inherited;
    EC_TRY(folder_get_permissions(tx, arena, parent, &inherited));
    for (unsigned i = 0; i < inherited.n; i++)
        EC_TRY(folder_set_permission(tx, f.fid, inherited.items[i].member,
                                     inherited.items[i].rights, false));
    publish(tx, EVENT_CREATED, f.fid, parent, 0, f.cn);
    *fid_out = f.fid;
    return EC_OK;
}

enum ec folder_create(struct mbox_tx *tx, uint64_t parent, const char *name, enum folder_type type,
                      const char *container_class, uint64_t *fid_out) {
    return create(tx, 0, parent, name, type, container_class, fid_out);
}

enum ec folder_create_as(struct mbox_tx *tx, uint64_t fid, uint64_t parent, const char *name,
                         const char *container_class) {
    return create(tx, fid, parent, name, FOLDER_TYPE_GENERIC, container_class, &fid);
}

enum ec folder_open_or_create(struct mbox_tx *tx, uint64_t parent, const char *name,
                              enum folder_type type, const char *container_class, uint64_t *fid_out,
                              bool *is_existing_out) {
    enum ec ec = folder_find(tx, parent, name, fid_out);
    *is_existing_out = ec == EC_OK;
    if (ec != EC_NOT_FOUND)
        return ec;
    return folder_create(tx, parent, name, type, container_class, fid_out);
}

// --- Moving ---

enum ec folder_move(struct mbox_tx *tx, uint64_t fid, uint64_t new_parent, const char *new_name) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f, above;
    unsigned depth;
    bool is_below_itself;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &f));
    EC_TRY(folder_get(tx, arena, new_parent, &above));
    if (fid == FID_ROOT || (fid < FID_FIRST_FREE && new_parent != f.parent))
        return EC_ACCESS_DENIED;
    const char *name = new_name ? new_name : f.name;
    EC_TRY(folder_check_name(name));
    if (above.type == FOLDER_TYPE_SEARCH)
        return EC_SEARCH_FOLDER;
    EC_TRY(folder_depth(tx, new_parent, fid, &depth, &is_below_itself));
    if (is_below_itself)
        return EC_FOLDER_CYCLE;
    uint64_t cn = mbox_next_id(tx);
    struct db_stmt *q = db_query(tx->conn, sql_folder_move);
    db_bind_i64(q, 1, (int64_t)new_parent);
    db_bind_text(q, 2, name);
    db_bind_text(q, 3, text_fold(arena, name));
    db_bind_i64(q, 4, (int64_t)cn);
    db_bind_i64(q, 5, (int64_t)tx->now);
    db_bind_i64(q, 6, MBX);
    db_bind_i64(q, 7, (int64_t)fid);
    enum ec ec = db_run(q, NULL);
    if (ec != EC_OK)
        return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
    if (new_parent == f.parent)
        publish(tx, EVENT_MODIFIED, fid, new_parent, 0, cn);
    else
        publish(tx, EVENT_MOVED, fid, new_parent, f.parent, cn);
    return EC_OK;
}

enum ec folder_set_subscribed(struct mbox_tx *tx, uint64_t fid, bool is_subscribed) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_folder_subscribe);
    db_bind_i64(q, 1, is_subscribed);
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)fid);
    int64_t changed;
    EC_TRY(db_run(q, &changed));
    return changed ? EC_OK : EC_NOT_FOUND;
}
