// `bourse check` of Recoverable Items: where messages came from is noted of those there alone.
#include "store/check_internal.h"
#include "store/recoverable.h"
#include "store/sql_retain.h"

static struct db_stmt *query(struct check *c, const char *sql) {
    struct db_stmt *q = db_query(c->tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, FID_RECOVERABLE_ITEMS);
    db_bind_i64(q, 3, FID_RECOVERABLE_AUDITS);
    return q;
}

enum ec check_recoverable(struct check *c) {
    unsigned n = 0;
    struct db_stmt *q = query(c, sql_origin_lost);
    while (db_step(q)) {
        check_fault(c, check_wants_repair(c),
                    "message %" G_GUINT64_FORMAT ": its origin is noted, but it is not in "
                    "Recoverable Items",
                    (guint64)db_col_i64(q, 0));
        n++;
    }
    EC_TRY(db_finish(q));
    return n > 0 && check_wants_repair(c) ? db_run(query(c, sql_origin_lost_drop), NULL) : EC_OK;
}
