// The mailbox's own row: identity, totals, properties, subscriptions, delivery ids.
#include "mapi/bag.h"
#include "store/store_internal.h"

enum ec mbox_get_info(struct mbox_tx *tx, struct arena *arena, struct mbox_info *out) {
    struct mbox *mbox = tx->mbox;
    *out = (struct mbox_info){
        .guid = mbox->guid,
        .replica = mbox->replica,
        .address = arena_strdup(arena, mbox->address),
        .display_name = arena_strdup(arena, mbox->display_name),
        .locale = arena_strdup(arena, mbox->locale),
        .created = mbox->created,
    };
    struct db_stmt *q = db_query(tx->conn, sql_mailbox_get);
    db_bind_i64(q, 1, MBX);
    if (db_step(q))
        out->last_change = (uint64_t)db_col_i64(q, 6) - 1;
    struct mbox_usage usage;
    mbox_get_usage(tx, &usage);
    out->size = usage.size + usage.recoverable_size;
    out->n_messages = usage.n_messages + usage.n_recoverable;
    return db_finish(q);
}

enum ec mbox_get_props(struct mbox_tx *tx, struct bag **out) {
    struct db_stmt *q = db_query(tx->conn, sql_mailbox_props_get);
    db_bind_i64(q, 1, MBX);
    enum ec ec = db_step(q) ? stored_bag(q, 0, out) : EC_CORRUPT_DATA;
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

enum ec mbox_set_props(struct mbox_tx *tx, const struct bag *set, const uint32_t *remove,
                       unsigned n_remove) {
    BAG_AUTO props = NULL;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(mbox_get_props(tx, &props));
    for (unsigned i = 0; i < n_remove; i++)
        bag_remove(props, remove[i]);
    if (set)
        EC_TRY(bag_merge(props, set));
    g_autoptr(GBytes) bytes = bag_encode(props);
    struct db_stmt *q = db_query(tx->conn, sql_mailbox_props_set);
    db_bind_blob(q, 1, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    db_bind_i64(q, 2, MBX);
    return db_run(q, NULL);
}

enum ec mbox_get_subscriptions(struct mbox_tx *tx, char ***out) {
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    struct db_stmt *q = db_query(tx->conn, sql_subscription_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q))
        g_ptr_array_add(paths, g_strdup(db_col_text(q, 0)));
    EC_TRY(db_finish(q));
    g_ptr_array_add(paths, NULL);
    *out = (char **)g_ptr_array_free(g_steal_pointer(&paths), FALSE);
    return EC_OK;
}

enum ec mbox_set_subscription(struct mbox_tx *tx, const char *path, bool is_subscribed) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q =
        db_query(tx->conn, is_subscribed ? sql_subscription_insert : sql_subscription_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, path);
    return db_run(q, NULL);
}

enum ec mbox_purge_delivered(struct mbox_tx *tx, filetime_t before) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_delivered_purge);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)before);
    return db_run(q, NULL);
}
