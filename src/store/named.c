// A mailbox's own named properties: rows in the database, a map in memory, one lock
// ([MS-OXCPRPT] 3.2.5.9).
//
// The well-known names have fixed ids and never reach the database. A new name is given its id
// inside the write that asked for it; if that write is undone, the map is read again.
#include "mapi/named.h"

#include <string.h>

#include "store/store_internal.h"

static enum ec load(struct mbox_tx *tx, struct named_map *map) {
    ARENA_AUTO arena = arena_new();
    enum ec ec = EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_named_list);
    db_bind_i64(q, 1, MBX);
    while (ec == EC_OK && db_step(q)) {
        struct prop_name name = {.kind = db_col_is_null(q, 2) ? PROP_NAME_STRING : PROP_NAME_LID};
        size_t n;
        const void *guid = db_col_blob(q, 1, &n);
        if (n != sizeof name.set.bytes)
            ec = EC_CORRUPT_DATA;
        else
            memcpy(name.set.bytes, guid, n);
        name.lid = (uint32_t)db_col_i64(q, 2);
        name.string = db_col_text(q, 3);
        if (ec == EC_OK)
            ec = named_map_load(map, (uint16_t)db_col_i64(q, 0), &name);
    }
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

// The map as this transaction sees it. Held under the lock by the caller.
static enum ec current_map(struct mbox_tx *tx, struct named_map **out) {
    struct mbox *mbox = tx->mbox;
    if (mbox->named && mbox->is_named_settled && mbox->named_commits >= tx->commits &&
        !tx->is_writer) {
        *out = mbox->named;
        return EC_OK;
    }
    struct named_map *map = named_map_new(NAMED_DEFAULT_LIMIT);
    enum ec ec = load(tx, map);
    if (ec != EC_OK) {
        named_map_free(map);
        return ec;
    }
    named_map_free(mbox->named);
    mbox->named = *out = map;
    // A writer's view may yet be undone: nobody else takes it for committed.
    mbox->named_commits = tx->commits;
    mbox->is_named_settled = !tx->is_writer;
    return EC_OK;
}

static enum ec insert(struct mbox_tx *tx, uint16_t id, const struct prop_name *name) {
    struct db_stmt *q = db_query(tx->conn, sql_named_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, id);
    db_bind_blob(q, 3, name->set.bytes, sizeof name->set.bytes);
    if (name->kind == PROP_NAME_LID)
        db_bind_i64(q, 4, name->lid);
    else
        db_bind_null(q, 4);
    db_bind_text(q, 5, name->kind == PROP_NAME_STRING ? name->string : NULL);
    return db_run(q, NULL);
}

static enum ec find_or_assign(struct mbox_tx *tx, const struct prop_name *name, bool create,
                              uint16_t *out) {
    struct named_map *map;
    bool is_new = false;
    EC_TRY(current_map(tx, &map));
    EC_TRY(named_map_id(map, name, create, out, &is_new));
    if (!is_new)
        return EC_OK;
    struct prop_name stored; // as the map holds it (strings of internet headers are lower-cased)
    EC_TRY(named_map_name(map, *out, &stored));
    return insert(tx, *out, &stored);
}

enum ec mbox_name_to_id(struct mbox_tx *tx, const struct prop_name *name, bool create,
                        uint16_t *out) {
    uint16_t id = named_fixed_id(name);
    if (id) {
        *out = id;
        return EC_OK;
    }
    if (create)
        EC_TRY(tx_check_writer(tx));
    pthread_mutex_lock(&tx->mbox->named_lock);
    enum ec ec = find_or_assign(tx, name, create, out);
    pthread_mutex_unlock(&tx->mbox->named_lock);
    return ec;
}

enum ec mbox_id_to_name(struct mbox_tx *tx, struct arena *arena, uint16_t id,
                        struct prop_name *out) {
    if (named_fixed_name(id, out))
        return EC_OK;
    struct named_map *map;
    pthread_mutex_lock(&tx->mbox->named_lock);
    enum ec ec = current_map(tx, &map);
    if (ec == EC_OK)
        ec = named_map_name(map, id, out);
    if (ec == EC_OK)
        out->string = arena_strdup(arena, out->string);
    pthread_mutex_unlock(&tx->mbox->named_lock);
    return ec;
}
