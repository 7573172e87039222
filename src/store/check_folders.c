// The check of the folder tree, the counters and the uids.
#include "mapi/special_folder.h"
#include "store/check_internal.h"
#include "store/folder_internal.h"
#include "store/public_internal.h"
#include "store/search_folder_internal.h"

struct counted {
    uint64_t fid;
    int64_t n_messages, n_unread, n_associated, n_soft, size, soft_size;
    uint32_t max_uid;
    uint64_t max_modseq;
};

// A search folder counts its links.
static enum ec count_links(struct check *c, uint64_t fid, struct counted *out) {
    struct db_stmt *q = db_query(c->tx->conn, sql_link_counts);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    if (db_step(q))
        *out = (struct counted){.fid = fid,
                                .n_messages = db_col_i64(q, 0),
                                .n_unread = db_col_i64(q, 1),
                                .size = db_col_i64(q, 2),
                                .max_modseq = (uint64_t)db_col_i64(q, 3)};
    return db_finish(q);
}

static enum ec count_messages(struct check *c, GHashTable *out) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_counts);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct counted *n = g_new0(struct counted, 1);
        *n = (struct counted){
            .fid = (uint64_t)db_col_i64(q, 0),
            .n_messages = db_col_i64(q, 1),
            .n_unread = db_col_i64(q, 2),
            .n_associated = db_col_i64(q, 3),
            .n_soft = db_col_i64(q, 4),
            .size = db_col_i64(q, 5),
            .soft_size = db_col_i64(q, 6),
            .max_uid = (uint32_t)db_col_i64(q, 7),
            .max_modseq = (uint64_t)db_col_i64(q, 8),
        };
        g_hash_table_insert(out, &n->fid, n);
    }
    return db_finish(q);
}

static void compare(struct check *c, uint64_t fid, const char *what, int64_t *stored, int64_t right,
                    bool *changed) {
    if (*stored == right)
        return;
    check_fault(c, check_wants_repair(c),
                "folder 0x%" G_GINT64_MODIFIER "x: %s is %" G_GINT64_FORMAT
                ", should be %" G_GINT64_FORMAT,
                (guint64)fid, what, (gint64)*stored, (gint64)right);
    *stored = right;
    *changed = true;
}

static enum ec check_one(struct check *c, const struct folder_info *f, const struct counted *n) {
    static const struct counted none;
    struct counted links;
    struct folder_counters *k;
    bool changed = false;
    if (f->type == FOLDER_TYPE_SEARCH) {
        EC_TRY(count_links(c, f->fid, &links));
        n = &links;
    }
    check_saw_id(c, MAX(f->fid, MAX(f->cn, f->modseq)));
    EC_TRY(tx_counters(c->tx, f->fid, &k));
    if (!n)
        n = &none;
    compare(c, f->fid, "n_messages", &k->n_messages, n->n_messages, &changed);
    compare(c, f->fid, "n_unread", &k->n_unread, n->n_unread, &changed);
    compare(c, f->fid, "n_associated", &k->n_associated, n->n_associated, &changed);
    compare(c, f->fid, "n_soft_deleted", &k->n_soft, n->n_soft, &changed);
    compare(c, f->fid, "size", &k->size, n->size, &changed);
    compare(c, f->fid, "soft-deleted size", &k->soft_size, n->soft_size, &changed);
    int64_t uid_next = k->uid_next, modseq = (int64_t)k->modseq;
    if (n->max_uid >= k->uid_next)
        compare(c, f->fid, "uid_next", &uid_next, (int64_t)n->max_uid + 1, &changed);
    if (n->max_modseq > k->modseq)
        compare(c, f->fid, "modseq", &modseq, (int64_t)n->max_modseq, &changed);
    if (!changed)
        return EC_OK;
    if (check_wants_repair(c)) {
        k->uid_next = (uint32_t)uid_next;
        k->modseq = (uint64_t)modseq;
        k->is_dirty = true;
    } else {
        tx_forget_counters(c->tx, f->fid);
    }
    return EC_OK;
}

static enum ec set_parent(struct check *c, uint64_t fid, uint64_t parent) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_folder_parent);
    db_bind_i64(q, 1, (int64_t)parent);
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)fid);
    return db_run(q, NULL);
}

// Folders that cannot be reached from the root (no parent, or a circle) go below the IPM subtree.
static enum ec check_tree(struct check *c, const GArray *all) {
    for (guint i = 0; i < all->len; i++) {
        const struct folder_info *f = &g_array_index(all, struct folder_info, i);
        unsigned depth;
        bool through;
        if (f->fid == FID_ROOT || folder_depth(c->tx, f->fid, 0, &depth, &through) == EC_OK)
            continue;
        bool mend = check_wants_repair(c);
        check_fault(c, mend,
                    "folder 0x%" G_GINT64_MODIFIER "x \"%s\": cannot be reached from the root",
                    (guint64)f->fid, f->name);
        if (mend)
            EC_TRY(set_parent(c, f->fid, FID_IPM_SUBTREE));
    }
    return EC_OK;
}

static enum ec all_folders(struct check *c, struct arena *arena, GArray *out) {
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct db_stmt *q = db_query(c->tx->conn, sql_folder_all);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t fid = (uint64_t)db_col_i64(q, 0);
        g_array_append_val(fids, fid);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; i < fids->len; i++) {
        struct folder_info f;
        EC_TRY(folder_get(c->tx, arena, g_array_index(fids, uint64_t, i), &f));
        g_array_append_val(out, f);
    }
    return EC_OK;
}

// Messages whose folder is gone are put into the Inbox's neighbourhood: Recoverable
// Items\Deletions.
static enum ec check_ghosts(struct check *c) {
    g_autoptr(GArray) ghosts = g_array_new(FALSE, FALSE, 2 * sizeof(uint64_t));
    struct db_stmt *q = db_query(c->tx->conn, sql_check_ghosts);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t ghost[2] = {(uint64_t)db_col_i64(q, 0), (uint64_t)db_col_i64(q, 1)};
        check_fault(c, check_wants_repair(c),
                    "message 0x%" G_GINT64_MODIFIER "x: its folder 0x%" G_GINT64_MODIFIER
                    "x is gone",
                    (guint64)db_col_i64(q, 2), (guint64)ghost[0]);
        g_array_append_val(ghosts, ghost);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; check_wants_repair(c) && i < ghosts->len; i++) {
        const uint64_t *ghost = (const uint64_t *)(void *)(ghosts->data + i * 2 * sizeof(uint64_t));
        struct folder_counters *k;
        uint64_t cn = mbox_next_id(c->tx);
        EC_TRY(tx_counters(c->tx, FID_RECOVERABLE_DELETIONS, &k));
        q = db_query(c->tx->conn, sql_check_message_move);
        db_bind_i64(q, 1, FID_RECOVERABLE_DELETIONS);
        db_bind_i64(q, 2, k->uid_next++);
        db_bind_i64(q, 3, (int64_t)cn);
        db_bind_i64(q, 4, (int64_t)cn);
        db_bind_i64(q, 5, MBX);
        db_bind_i64(q, 6, (int64_t)ghost[0]);
        db_bind_i64(q, 7, (int64_t)ghost[1]);
        k->is_dirty = true;
        EC_TRY(db_run(q, NULL));
    }
    return EC_OK;
}

// A tombstone says that its uid is gone for good.
static enum ec check_tombstones(struct check *c) {
    g_autoptr(GArray) wrong = g_array_new(FALSE, FALSE, 2 * sizeof(int64_t));
    struct db_stmt *q = db_query(c->tx->conn, sql_check_tombstones);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        int64_t key[2] = {db_col_i64(q, 0), db_col_i64(q, 1)};
        check_fault(c, check_wants_repair(c),
                    "folder 0x%" G_GINT64_MODIFIER "x: uid %" G_GINT64_FORMAT
                    " has a tombstone but is there",
                    (guint64)key[0], (gint64)db_col_i64(q, 2));
        g_array_append_val(wrong, key);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; check_wants_repair(c) && i < wrong->len; i++) {
        const int64_t *key = (const int64_t *)(void *)(wrong->data + i * 2 * sizeof(int64_t));
        q = db_query(c->tx->conn, sql_check_tombstone_drop);
        db_bind_i64(q, 1, MBX);
        db_bind_i64(q, 2, key[0]);
        db_bind_i64(q, 3, key[1]);
        EC_TRY(db_run(q, NULL));
    }
    return EC_OK;
}

enum ec check_folders(struct check *c) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct folder_info));
    EC_TRY(check_ghosts(c));
    EC_TRY(all_folders(c, arena, all));
    EC_TRY(check_tree(c, all));
    EC_TRY(count_messages(c, counts));
    for (guint i = 0; i < all->len; i++) {
        const struct folder_info *f = &g_array_index(all, struct folder_info, i);
        EC_TRY(check_one(c, f, g_hash_table_lookup(counts, &f->fid)));
    }
    return check_tombstones(c);
}
