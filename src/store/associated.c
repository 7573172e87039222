// Associated messages of a folder by their class.
#include "store/associated.h"

#include <string.h>

#include "mapi/message_row.h"
#include "store/store_internal.h"

static bool is_below(const char *class, const char *prefix) {
    size_t len = strlen(prefix);
    return len == 0 || (g_ascii_strncasecmp(class, prefix, len) == 0 &&
                        (class[len] == '\0' || class[len] == '.'));
}

enum ec associated_list(struct mbox_tx *tx, struct arena *arena, uint64_t fid, const char *prefix,
                        struct associated_rows *out) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct associated_row));
    struct db_stmt *q = db_query(tx->conn, sql_associated_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        int64_t flags = db_col_i64(q, 2);
        const char *class = db_col_text(q, 3);
        if (!(flags & MSG_ASSOCIATED) || (flags & MSG_SOFT_DELETED) || !class ||
            !is_below(class, prefix))
            continue;
        struct associated_row row = {.mid = (uint64_t)db_col_i64(q, 0),
                                     .cn = (uint64_t)db_col_i64(q, 1),
                                     .class = arena_strdup(arena, class)};
        g_array_append_val(rows, row);
    }
    EC_TRY(db_finish(q));
    out->n = rows->len;
    out->items = arena_memdup(arena, rows->data, rows->len * sizeof(struct associated_row));
    return EC_OK;
}

enum ec associated_find(struct mbox_tx *tx, uint64_t fid, const char *class, uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    struct associated_rows list;
    EC_TRY(associated_list(tx, arena, fid, class, &list));
    for (unsigned i = list.n; i > 0; i--)
        if (g_ascii_strcasecmp(list.items[i - 1].class, class) == 0) {
            *mid_out = list.items[i - 1].mid;
            return EC_OK;
        }
    return EC_NOT_FOUND;
}
