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

static unsigned count_header_names(const struct named_map *map) {
    struct prop_name name;
    uint16_t id;
    unsigned n = 0;
    for (unsigned i = 0; named_map_at(map, i, &id, &name); i++)
        n += guid_equal(&name.set, &PS_INTERNET_HEADERS);
    return n;
}

// The map as this transaction sees it, or newer: names are only added. Held under the lock by the
// caller.
static enum ec current_map(struct mbox_tx *tx, struct named_map **out) {
    struct mbox *mbox = tx->mbox;
    if (mbox->named && mbox->is_named_settled && mbox->named_commits >= mbox->named_changed) {
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
    mbox->n_header_names = count_header_names(map);
    // What a writer sees may yet be undone when it holds a name that was added in this transaction.
    mbox->named_commits = tx->is_writer ? atomic_load(&mbox->commits) : tx->commits;
    mbox->is_named_settled = !tx->is_writer || mbox->named_changed <= mbox->named_commits;
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
    struct mbox *mbox = tx->mbox;
    mbox->named_changed = atomic_load(&mbox->commits) + 1; // with the commit to come
    mbox->is_named_settled = false;
    mbox->n_header_names += guid_equal(&name->set, &PS_INTERNET_HEADERS);
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

// --- Names in mail from strangers ---

// A stranger must not fill the map: what clients name has no such limits, and one property more or
// less hurts nobody. Header fields are all in PidTagTransportMessageHeaders.
static bool may_add_foreign_name(struct mbox_tx *tx, const struct guid *set) {
    struct mbox *mbox = tx->mbox;
    int64_t day = (int64_t)(tx->now / (24 * 3600 * FILETIME_SECOND));
    if (mbox->foreign_names_day != day) {
        mbox->foreign_names_day = day;
        mbox->foreign_names_today = 0;
    }
    bool is_header = guid_equal(set, &PS_INTERNET_HEADERS);
    return (is_header ? mbox->n_header_names < HEADER_NAMES_MAX
                      : named_map_count(mbox->named) < NAMED_DEFAULT_LIMIT / 2) &&
           mbox->foreign_names_today < FOREIGN_NAMES_PER_DAY;
}

static enum ec find_foreign_name(struct mbox_tx *tx, const struct prop_name *name, bool *may_add,
                                 uint16_t *out) {
    struct named_map *map;
    EC_TRY(current_map(tx, &map));
    enum ec ec = named_map_id(map, name, false, out, NULL);
    if (ec != EC_NOT_FOUND || !*may_add)
        return ec;
    *may_add = may_add_foreign_name(tx, &name->set);
    if (!*may_add)
        return EC_NOT_FOUND;
    ec = find_or_assign(tx, name, true, out);
    tx->mbox->foreign_names_today += ec == EC_OK;
    return ec;
}

enum ec mbox_foreign_name_to_id(struct mbox_tx *tx, const struct prop_name *name, bool may_add,
                                uint16_t *out) {
    *out = named_fixed_id(name);
    if (*out)
        return EC_OK;
    pthread_mutex_lock(&tx->mbox->named_lock);
    enum ec ec = find_foreign_name(tx, name, &may_add, out);
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
