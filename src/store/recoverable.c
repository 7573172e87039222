// Recoverable Items: origins, names of deleted folders, lists, holds.
#include "store/recoverable_internal.h"

#include <string.h>

#include "store/gone_folder.h"
#include "store/sql_retain.h"

// --- Holds ---

static enum ec load_holds(struct mbox_tx *tx, struct mbox_holds *out) {
    *out = (struct mbox_holds){0};
    struct db_stmt *q = db_query(tx->conn, sql_hold_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        if (db_col_i64(q, 0) == HOLD_LITIGATION) {
            out->has_litigation = true;
            out->litigation_since = (filetime_t)db_col_i64(q, 1);
            out->litigation_duration = (filetime_t)db_col_i64(q, 2);
        } else if (db_col_i64(q, 0) == HOLD_SINGLE_ITEM) {
            out->has_single_item = true;
            out->single_item_since = (filetime_t)db_col_i64(q, 1);
        }
    }
    return db_finish(q);
}

enum ec mbox_get_holds(struct mbox_tx *tx, struct mbox_holds *out) {
    return load_holds(tx, out);
}

// One look at the table a transaction: its changes may delete many messages.
static enum ec holds_of(struct mbox_tx *tx, const struct mbox_holds **out) {
    if (!tx->holds) {
        struct mbox_holds holds;
        EC_TRY(load_holds(tx, &holds));
        tx->holds = g_memdup2(&holds, sizeof holds);
    }
    *out = tx->holds;
    return EC_OK;
}

enum ec mbox_set_hold(struct mbox_tx *tx, enum hold_kind kind, bool is_on, filetime_t duration) {
    EC_TRY(tx_check_writer(tx));
    g_clear_pointer(&tx->holds, g_free);
    struct db_stmt *q = db_query(tx->conn, is_on ? sql_hold_set : sql_hold_remove);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, kind);
    if (is_on) {
        db_bind_i64(q, 3, (int64_t)tx->now);
        db_bind_i64(q, 4, (int64_t)MIN(duration, (filetime_t)INT64_MAX));
    }
    return db_run(q, NULL);
}

bool holds_keep(const struct mbox_holds *holds, filetime_t received, filetime_t now) {
    if (!holds->has_litigation)
        return false;
    return holds->litigation_duration == 0 || received + holds->litigation_duration > now;
}

static bool is_kept_folder(uint64_t fid) {
    return fid == FID_RECOVERABLE_PURGES || fid == FID_RECOVERABLE_VERSIONS ||
           fid == FID_RECOVERABLE_HOLDS;
}

enum ec recoverable_fate(struct mbox_tx *tx, const struct message_full *m,
                         enum recoverable_fate *out) {
    const struct mbox_holds *holds;
    *out = FATE_DELETE;
    // Associated messages hold settings, which nobody holds.
    if (m->flags & MSG_ASSOCIATED)
        return EC_OK;
    EC_TRY(holds_of(tx, &holds));
    if (!holds_keep(holds, m->received, tx->now) && !holds->has_single_item)
        return EC_OK;
    if (is_kept_folder(m->fid))
        return EC_ACCESS_DENIED;
    *out = FATE_PURGES;
    return EC_OK;
}

enum ec recoverable_may_leave(struct mbox_tx *tx, const struct message_full *m) {
    enum recoverable_fate fate;
    return is_kept_folder(m->fid) ? recoverable_fate(tx, m, &fate) : EC_OK;
}

enum ec recoverable_wants_version(struct mbox_tx *tx, const struct message_full *m, bool *out) {
    const struct mbox_holds *holds;
    *out = false;
    // A draft is written over many times before it says anything.
    if (m->flags & (MSG_ASSOCIATED | MSG_DRAFT))
        return EC_OK;
    EC_TRY(holds_of(tx, &holds));
    if (is_kept_folder(m->fid))
        return holds->has_litigation || holds->has_single_item ? EC_ACCESS_DENIED : EC_OK;
    *out = holds_keep(holds, m->received, tx->now) || holds->has_single_item;
    return EC_OK;
}

// --- Where messages came from ---

enum ec recoverable_set_origin(struct mbox_tx *tx, uint64_t mid, uint64_t origin) {
    struct db_stmt *q = db_query(tx->conn, sql_origin_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    db_bind_i64(q, 3, (int64_t)origin);
    return db_run(q, NULL);
}

enum ec recoverable_origin(struct mbox_tx *tx, uint64_t fid, uint64_t mid, uint64_t *out) {
    *out = fid;
    if (!folder_is_recoverable(fid))
        return EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_origin_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    if (db_step(q))
        *out = (uint64_t)db_col_i64(q, 0);
    return db_finish(q);
}

enum ec recoverable_drop_origin(struct mbox_tx *tx, uint64_t mid) {
    struct db_stmt *q = db_query(tx->conn, sql_origin_drop);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    return db_run(q, NULL);
}

// --- Deleted folders ---

static void prepend_name(GString *path, const char *name) {
    g_autofree char *escaped = NULL;
    if (strchr(name, '/')) {
        g_auto(GStrv) pieces = g_strsplit(name, "/", -1);
        escaped = g_strjoinv("\xe2\x88\x95", pieces); // U+2215, as in all paths
    }
    if (path->len > 0)
        g_string_prepend_c(path, '/');
    g_string_prepend(path, escaped ? escaped : name);
}

enum ec folder_path(struct mbox_tx *tx, struct arena *arena, uint64_t fid, const char **path_out,
                    const char **class_out) {
    g_autoptr(GString) path = g_string_new(NULL);
    struct folder_info f;
    const char *class = NULL;
    unsigned depth = 0;
    for (uint64_t at = fid; at != FID_IPM_SUBTREE && at != FID_ROOT; at = f.parent) {
        if (++depth > FOLDER_MAX_DEPTH)
            return EC_TOO_COMPLEX;
        EC_TRY(folder_get(tx, arena, at, &f));
        if (!class)
            class = f.container_class;
        prepend_name(path, at == FID_INBOX ? "INBOX" : f.name);
    }
    *path_out = arena_strndup(arena, path->str, path->len);
    if (class_out)
        *class_out = class ? class : "";
    return EC_OK;
}

enum ec recoverable_note_folder(struct mbox_tx *tx, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    const char *path, *class;
    EC_TRY(folder_path(tx, arena, fid, &path, &class));
    struct db_stmt *q = db_query(tx->conn, sql_gone_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_text(q, 3, path);
    db_bind_text(q, 4, class);
    db_bind_i64(q, 5, (int64_t)tx->now);
    return db_run(q, NULL);
}

enum ec recoverable_folder(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                           const char **path_out, const char **class_out) {
    struct db_stmt *q = db_query(tx->conn, sql_gone_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    bool found = db_step(q);
    if (found) {
        *path_out = arena_strdup(arena, db_col_text(q, 0));
        if (class_out)
            *class_out = arena_strdup(arena, db_col_text(q, 1));
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

enum ec recoverable_forget_folders(struct mbox_tx *tx, filetime_t before) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_gone_purge);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)before);
    EC_TRY(db_run(q, NULL));
    return gone_folders_purge(tx);
}

// --- Lists ---

static const char *text_or_empty(struct arena *arena, struct db_stmt *q, int column) {
    const char *text = db_col_text(q, column);
    return text ? arena_strdup(arena, text) : "";
}

static enum ec read_items(struct db_stmt *q, struct arena *arena, struct recoverable_list *out) {
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct recoverable_item));
    while (db_step(q)) {
        struct recoverable_item item = {
            .mid = (uint64_t)db_col_i64(q, 0),
            .fid = (uint64_t)db_col_i64(q, 1),
            .uid = (uint32_t)db_col_i64(q, 2),
            .flags = (uint32_t)db_col_i64(q, 3),
            .deleted = (filetime_t)db_col_i64(q, 4),
            .received = (filetime_t)db_col_i64(q, 5),
            .size = (uint64_t)db_col_i64(q, 6),
            .subject = text_or_empty(arena, q, 7),
            .sender = text_or_empty(arena, q, 8),
            .class = text_or_empty(arena, q, 9),
        };
        item.origin = db_col_is_null(q, 10) ? item.fid : (uint64_t)db_col_i64(q, 10);
        g_array_append_val(items, item);
    }
    EC_TRY(db_finish(q));
    out->n = items->len;
    out->items = arena_memdup(arena, items->data, items->len * sizeof(struct recoverable_item));
    return EC_OK;
}

enum ec recoverable_list(struct mbox_tx *tx, struct arena *arena, filetime_t deleted, uint64_t mid,
                         unsigned limit, struct recoverable_list *out) {
    struct db_stmt *q = db_query(tx->conn, sql_deleted_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)MIN(deleted, (filetime_t)INT64_MAX));
    db_bind_i64(q, 3, (int64_t)mid);
    db_bind_i64(q, 4, limit);
    return read_items(q, arena, out);
}

enum ec recoverable_due(struct mbox_tx *tx, struct arena *arena, filetime_t before,
                        filetime_t deleted, uint64_t mid, unsigned limit,
                        struct recoverable_list *out) {
    struct db_stmt *q = db_query(tx->conn, sql_deleted_due);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)MIN(before, (filetime_t)INT64_MAX));
    db_bind_i64(q, 3, (int64_t)MIN(deleted, (filetime_t)INT64_MAX));
    db_bind_i64(q, 4, (int64_t)mid);
    db_bind_i64(q, 5, limit);
    return read_items(q, arena, out);
}

// --- Passes ---

enum ec mbox_get_pass(struct mbox_tx *tx, unsigned kind, struct mbox_pass *out) {
    *out = (struct mbox_pass){0};
    struct db_stmt *q = db_query(tx->conn, sql_pass_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, kind);
    if (db_step(q))
        *out = (struct mbox_pass){
            .started = (filetime_t)db_col_i64(q, 0),
            .finished = (filetime_t)db_col_i64(q, 1),
            .step = (uint32_t)db_col_i64(q, 2),
            .fid = (uint64_t)db_col_i64(q, 3),
            .uid = (uint32_t)db_col_i64(q, 4),
            .n_seen = (uint64_t)db_col_i64(q, 5),
            .n_deleted = (uint64_t)db_col_i64(q, 6),
            .n_purged = (uint64_t)db_col_i64(q, 7),
            .n_archived = (uint64_t)db_col_i64(q, 8),
            .warned = (filetime_t)db_col_i64(q, 9),
        };
    return db_finish(q);
}

enum ec mbox_set_pass(struct mbox_tx *tx, unsigned kind, const struct mbox_pass *pass) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_pass_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, kind);
    db_bind_i64(q, 3, (int64_t)pass->started);
    db_bind_i64(q, 4, (int64_t)pass->finished);
    db_bind_i64(q, 5, pass->step);
    db_bind_i64(q, 6, (int64_t)pass->fid);
    db_bind_i64(q, 7, pass->uid);
    db_bind_i64(q, 8, (int64_t)pass->n_seen);
    db_bind_i64(q, 9, (int64_t)pass->n_deleted);
    db_bind_i64(q, 10, (int64_t)pass->n_purged);
    db_bind_i64(q, 11, (int64_t)pass->n_archived);
    db_bind_i64(q, 12, (int64_t)pass->warned);
    return db_run(q, NULL);
}

enum ec mbox_was_delivered(struct mbox_tx *tx, const char *delivery_id, bool *out) {
    struct db_stmt *q = db_query(tx->conn, sql_delivered_find);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, delivery_id);
    *out = db_step(q);
    return db_finish(q);
}

enum ec mbox_count_folders(struct mbox_tx *tx, uint64_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_total);
    db_bind_i64(q, 1, MBX);
    *out = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}
