// Reading and writing the annotation table.
#include "store/annotation.h"

#include "store/sql_imap.h"
#include "store/store_internal.h"

static void add(struct arena *arena, GArray *list, struct db_stmt *q, int column) {
    struct annotation a = {0};
    const void *value = db_col_blob(q, column + 2, &a.len);
    const char *member = db_col_text(q, column), *entry = db_col_text(q, column + 1);
    a.member = arena_strdup(arena, member ? member : "");
    a.entry = arena_strdup(arena, entry ? entry : "");
    a.value = arena_memdup(arena, value ? value : "", a.len);
    g_array_append_val(list, a);
}

static void take(struct arena *arena, GArray *list, struct annotation_list *out) {
    out->n = list->len;
    out->items = arena_memdup(arena, list->len ? (const void *)list->data : "",
                              list->len * sizeof *out->items);
}

enum ec annotations_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid, const char *member,
                        struct annotation_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct annotation));
    struct db_stmt *q = db_query(tx->conn, sql_annotation_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_text(q, 3, member);
    while (db_step(q))
        add(arena, list, q, 0);
    EC_TRY(db_finish(q));
    take(arena, list, out);
    return EC_OK;
}

enum ec annotations_get_uses(struct mbox_tx *tx, struct arena *arena, uint64_t **fids_out,
                             struct annotation_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct annotation));
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct db_stmt *q = db_query(tx->conn, sql_annotation_uses);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t fid = (uint64_t)db_col_i64(q, 0);
        g_array_append_val(fids, fid);
        add(arena, list, q, 1);
    }
    EC_TRY(db_finish(q));
    take(arena, list, out);
    *fids_out = arena_memdup(arena, fids->len ? (const void *)fids->data : "",
                             fids->len * sizeof(uint64_t));
    return EC_OK;
}

enum ec annotation_set(struct mbox_tx *tx, uint64_t fid, const struct annotation *annotation) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q =
        db_query(tx->conn, annotation->value ? sql_annotation_set : sql_annotation_remove);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_text(q, 3, annotation->member);
    db_bind_text(q, 4, annotation->entry);
    if (annotation->value)
        db_bind_blob(q, 5, annotation->value, annotation->len);
    return db_run(q, NULL);
}

enum ec annotations_drop_folder(struct mbox_tx *tx, uint64_t fid) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_annotation_drop_folder);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}
