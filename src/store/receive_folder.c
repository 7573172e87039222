// Receive folders: what is stored, over what every mailbox has.
#include "store/receive_folder.h"

#include <string.h>

#include "mapi/special_folder.h"
#include "store/folder.h"
#include "store/rule_internal.h"
#include "store/store_internal.h"

static const struct {
    const char *class;
    uint64_t fid;
} initial[] = {{"", FID_INBOX}, {"IPM", FID_INBOX}, {"Report.IPM", FID_INBOX}, {"IPC", FID_ROOT}};

bool receive_folder_class_is_valid(const char *class) {
    size_t len = strlen(class);
    if (len > RECEIVE_FOLDER_CLASS_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (class[i] < 32 || class[i] > 126)
            return false;
        if (class[i] == '.' && (i == 0 || i + 1 == len || class[i + 1] == '.'))
            return false;
    }
    return true;
}

// --- Reading ---

// The stored rows; fid 0: an initial row that was taken out.
static enum ec read_stored(struct mbox_tx *tx, struct arena *arena, GArray *out) {
    struct db_stmt *q = db_query(tx->conn, sql_receive_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct receive_folder row = {arena_strdup(arena, db_col_text(q, 0)),
                                     (uint64_t)db_col_i64(q, 1), (filetime_t)db_col_i64(q, 2)};
        g_array_append_val(out, row);
    }
    return db_finish(q);
}

static struct receive_folder *find(const GArray *rows, const char *class) {
    for (guint i = 0; i < rows->len; i++) {
        struct receive_folder *row = &g_array_index(rows, struct receive_folder, i);
        if (g_ascii_strcasecmp(row->class, class) == 0)
            return row;
    }
    return NULL;
}

static enum ec read_all(struct mbox_tx *tx, struct arena *arena, GArray *out) {
    g_autoptr(GArray) stored = g_array_new(FALSE, FALSE, sizeof(struct receive_folder));
    EC_TRY(read_stored(tx, arena, stored));
    for (unsigned i = 0; i < G_N_ELEMENTS(initial); i++) {
        struct receive_folder row = {initial[i].class, initial[i].fid, tx->mbox->created};
        if (!find(stored, initial[i].class))
            g_array_append_val(out, row);
    }
    for (guint i = 0; i < stored->len; i++)
        if (g_array_index(stored, struct receive_folder, i).fid != 0)
            g_array_append_val(out, g_array_index(stored, struct receive_folder, i));
    return EC_OK;
}

// Whether the class is `above` or one of its subclasses.
static bool is_subclass(const char *class, const char *above) {
    size_t len = strlen(above);
    return len == 0 || (g_ascii_strncasecmp(class, above, len) == 0 &&
                        (class[len] == '\0' || class[len] == '.'));
}

enum ec receive_folder_get(struct mbox_tx *tx, struct arena *arena, const char *class,
                           struct receive_folder *out) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct receive_folder));
    const struct receive_folder *best = NULL;
    if (!receive_folder_class_is_valid(class))
        return EC_INVALID_PARAMETER;
    EC_TRY(read_all(tx, arena, rows));
    for (guint i = 0; i < rows->len; i++) {
        const struct receive_folder *row = &g_array_index(rows, struct receive_folder, i);
        if (is_subclass(class, row->class) && (!best || strlen(row->class) > strlen(best->class)))
            best = row;
    }
    *out = best ? *best : (struct receive_folder){"", FID_INBOX, tx->mbox->created};
    return EC_OK;
}

enum ec receive_folder_list(struct mbox_tx *tx, struct arena *arena, struct receive_folders *out) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct receive_folder));
    EC_TRY(read_all(tx, arena, rows));
    if (rows->len == 0)
        return EC_NO_RECEIVE_FOLDER;
    out->n = rows->len;
    out->items = arena_memdup(arena, rows->data, rows->len * sizeof(struct receive_folder));
    return EC_OK;
}

// --- Setting ---

static enum ec put_row(struct mbox_tx *tx, const char *class, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql_receive_set);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, class);
    db_bind_i64(q, 3, (int64_t)fid);
    db_bind_i64(q, 4, (int64_t)tx->now);
    return db_run(q, NULL);
}

static enum ec remove_row(struct mbox_tx *tx, const char *class) {
    struct db_stmt *q = db_query(tx->conn, sql_receive_remove);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, class);
    return db_run(q, NULL);
}

static bool is_initial(const char *class) {
    for (unsigned i = 0; i < G_N_ELEMENTS(initial); i++)
        if (g_ascii_strcasecmp(initial[i].class, class) == 0)
            return true;
    return false;
}

static enum ec check_set(struct mbox_tx *tx, struct arena *arena, const char *class, uint64_t fid) {
    struct folder_info folder;
    if (!receive_folder_class_is_valid(class))
        return EC_INVALID_PARAMETER;
    if (g_ascii_strcasecmp(class, "IPM") == 0 || g_ascii_strcasecmp(class, "Report.IPM") == 0)
        return EC_ACCESS_DENIED;
    if (!*class && fid == 0)
        return EC_CALL_FAILED;
    return fid == 0 ? EC_OK : folder_get(tx, arena, fid, &folder);
}

enum ec receive_folder_set(struct mbox_tx *tx, const char *class, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) stored = g_array_new(FALSE, FALSE, sizeof(struct receive_folder));
    EC_TRY(tx_check_writer(tx));
    EC_TRY(check_set(tx, arena, class, fid));
    EC_TRY(read_stored(tx, arena, stored));
    const struct receive_folder *row = find(stored, class);
    if (row)
        EC_TRY(remove_row(tx, row->class)); // in the case it had
    else if (fid != 0 && stored->len >= RECEIVE_FOLDER_MAX)
        return EC_NOT_ENOUGH_RESOURCES;
    if (fid == 0 && !is_initial(class))
        return EC_OK;
    return put_row(tx, class, fid);
}

enum ec receive_folder_drop_folder(struct mbox_tx *tx, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql_receive_drop_folder);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}
