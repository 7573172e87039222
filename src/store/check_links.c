// The check of rows that hang on folders and messages: permissions, rules, searches.
#include "store/check_internal.h"

static const struct {
    const char *sql, *what;
} links[] = {
    {sql_links_permission, "permissions of folders that are gone"},
    {sql_links_search_folder, "criteria of search folders that are gone"},
    {sql_links_search_link_folder, "results of search folders that are gone"},
    {sql_links_rule, "rules of folders that are gone"},
    {sql_links_receive_folder, "receive folders that are gone"},
    {sql_links_user_read, "read states of folders that are gone"},
    {sql_links_chunk, "pieces of blobs that are gone"},
};

// Deletes them, also when only looking: the transaction is undone then.
enum ec check_links(struct check *c) {
    for (unsigned i = 0; i < G_N_ELEMENTS(links); i++) {
        int64_t n;
        struct db_stmt *q = db_query(c->tx->conn, links[i].sql);
        db_bind_i64(q, 1, MBX);
        EC_TRY(db_run(q, &n));
        if (n > 0)
            check_fault(c, check_wants_repair(c), "%" G_GINT64_FORMAT " %s", (gint64)n,
                        links[i].what);
    }
    return EC_OK;
}
