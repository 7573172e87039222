// Rights over whole mailboxes: full access, send as, send on behalf; who may send as what; and the
// hint which mailboxes are shared with whom.
#include <string.h>

#include "directory/directory_internal.h"

#define KNOWN_RIGHTS                                                                               \
    (uint32_t)(DIRECTORY_FULL_ACCESS | DIRECTORY_SEND_AS | DIRECTORY_SEND_ON_BEHALF)

// --- Tables and statements ---

const char directory_schema_access[] =
    "CREATE TABLE access ("
    "  target_guid $BLOB NOT NULL, who_guid $BLOB NOT NULL, rights BIGINT NOT NULL,"
    "  PRIMARY KEY (target_guid, who_guid)) $CLUSTERED;"
    "CREATE INDEX access_who ON access (who_guid);"
    // member_guid zero: everybody.
    "CREATE TABLE share ("
    "  member_guid $BLOB NOT NULL, mailbox_guid $BLOB NOT NULL,"
    "  PRIMARY KEY (member_guid, mailbox_guid)) $CLUSTERED;"
    "CREATE INDEX share_mailbox ON share (mailbox_guid);"
    // The folder a mail-enabled public folder's address delivers to.
    "CREATE TABLE folder_target ("
    "  guid $BLOB NOT NULL PRIMARY KEY, fid BIGINT NOT NULL) $CLUSTERED;"
    "CREATE UNIQUE INDEX folder_target_fid ON folder_target (fid);";

const char sql_grant_get[] = "SELECT rights FROM access WHERE target_guid = $1 AND who_guid = $2";
const char sql_grant_set[] =
    "INSERT INTO access (target_guid, who_guid, rights) VALUES ($1, $2, $3)"
    " ON CONFLICT (target_guid, who_guid) DO UPDATE SET rights = excluded.rights";
const char sql_grant_remove[] = "DELETE FROM access WHERE target_guid = $1 AND who_guid = $2";
const char sql_grant_remove_all[] = "DELETE FROM access WHERE target_guid = $1 OR who_guid = $1";
const char sql_grants_on[] = "SELECT " OBJECT_COLUMNS ", a.rights FROM access a "
                             "JOIN object o ON o.guid = a.who_guid WHERE a.target_guid = $1 "
                             "ORDER BY o.name_key, o.address";
const char sql_grants_to[] = "SELECT " OBJECT_COLUMNS ", a.rights FROM access a "
                             "JOIN object o ON o.guid = a.target_guid WHERE a.who_guid = $1";
const char sql_share_get[] = "SELECT 1 FROM share WHERE member_guid = $1 AND mailbox_guid = $2";
const char sql_share_add[] = "INSERT INTO share (member_guid, mailbox_guid) VALUES ($1, $2)"
                             " ON CONFLICT (member_guid, mailbox_guid) DO NOTHING";
const char sql_share_remove_all[] = "DELETE FROM share WHERE member_guid = $1 OR mailbox_guid = $1";
const char sql_shares_with[] = "SELECT " OBJECT_COLUMNS " FROM share s "
                               "JOIN object o ON o.guid = s.mailbox_guid WHERE s.member_guid = $1";
const char sql_access_check[] =
    "SELECT target_guid, who_guid FROM access WHERE target_guid NOT IN (SELECT guid FROM object)"
    " OR who_guid NOT IN (SELECT guid FROM object)";
const char sql_access_check_repair_1[] =
    "DELETE FROM access WHERE target_guid NOT IN (SELECT guid FROM object)";
const char sql_access_check_repair_2[] =
    "DELETE FROM access WHERE who_guid NOT IN (SELECT guid FROM object)";

static enum ec run_on(struct db_conn *conn, const char *sql, const struct guid *a,
                      const struct guid *b) {
    struct db_stmt *q = db_query(conn, sql);
    bind_guid(q, 1, a);
    if (b != NULL)
        bind_guid(q, 2, b);
    return db_run(q, NULL);
}

// --- Giving and taking ---

static enum ec rights_between(struct db_conn *conn, const struct guid *on, const struct guid *who,
                              uint32_t *out) {
    struct db_stmt *q = db_query(conn, sql_grant_get);
    bind_guid(q, 1, on);
    bind_guid(q, 2, who);
    *out = db_step(q) ? (uint32_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}

static enum ec store_rights(struct db_conn *conn, const struct guid *on, const struct guid *who,
                            uint32_t rights) {
    if (rights == 0)
        return run_on(conn, sql_grant_remove, on, who);
    struct db_stmt *q = db_query(conn, sql_grant_set);
    bind_guid(q, 1, on);
    bind_guid(q, 2, who);
    db_bind_i64(q, 3, rights);
    return db_run(q, NULL);
}

static enum ec add_rights(struct db_conn *conn, const struct guid *on, const struct guid *who,
                          uint32_t rights) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    uint32_t had;
    EC_TRY(object_by_guid(conn, arena, on, &object));
    EC_TRY(object_by_guid(conn, arena, who, &object));
    EC_TRY(rights_between(conn, on, who, &had));
    return store_rights(conn, on, who, had | rights);
}

enum ec directory_grant(struct directory *d, const struct guid *on, const struct guid *who,
                        uint32_t rights) {
    if (rights == 0 || (rights & ~KNOWN_RIGHTS) || guid_equal(on, who))
        return EC_INVALID_PARAMETER;
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, add_rights(conn, on, who, rights));
}

static enum ec take_rights(struct db_conn *conn, const struct guid *on, const struct guid *who,
                           uint32_t rights) {
    uint32_t had;
    EC_TRY(rights_between(conn, on, who, &had));
    return had & rights ? store_rights(conn, on, who, had & ~rights) : EC_NOT_FOUND;
}

enum ec directory_revoke(struct directory *d, const struct guid *on, const struct guid *who,
                         uint32_t rights) {
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, take_rights(conn, on, who, rights));
}

enum ec directory_grants(struct directory *d, struct arena *arena, const struct guid *on,
                         struct directory_grant_list *out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct directory_grant));
    struct db_stmt *q = db_query(conn, sql_grants_on);
    bind_guid(q, 1, on);
    while (db_step(q)) {
        struct directory_grant g = {object_from_row(arena, q),
                                    (uint32_t)db_col_i64(q, OBJECT_COLUMN_COUNT)};
        g_array_append_val(list, g);
    }
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    out->n = list->len;
    out->items = arena_memdup(arena, list->data, list->len * sizeof(struct directory_grant));
    return EC_OK;
}

// --- Asking ---

uint32_t directory_rights(struct directory *d, const struct guid *on, const struct guid *who) {
    ARENA_AUTO arena = arena_new();
    struct directory_grant_list list;
    uint32_t rights = 0;
    if (directory_grants(d, arena, on, &list) != EC_OK)
        return 0;
    for (unsigned i = 0; i < list.n; i++) {
        const struct directory_object *member = list.items[i].who;
        if (guid_equal(&member->guid, who) ||
            (directory_kind_is_group(member->kind) && directory_is_member(d, &member->guid, who)))
            rights |= list.items[i].rights;
    }
    return rights;
}

enum directory_sender directory_may_send(struct directory *d, const struct guid *who,
                                         const char *address) {
    ARENA_AUTO arena = arena_new();
    enum directory_route route;
    struct directory_object *object = NULL;
    const char *detail;
    if (directory_route(d, arena, address, &route, &object, &detail) != EC_OK || object == NULL)
        return DIRECTORY_SENDER_DENIED;
    // What only the catch-all takes is nobody's address.
    struct directory_object *named;
    const char *at = strrchr(address, '@'), *plus = strchr(address, '+');
    if (directory_find_address(d, arena, address, &named) != EC_OK) {
        if (detail == NULL || at == NULL || plus == NULL || plus > at)
            return DIRECTORY_SENDER_DENIED;
        const char *bare = arena_printf(arena, "%.*s%s", (int)(plus - address), address, at);
        if (directory_find_address(d, arena, bare, &named) != EC_OK)
            return DIRECTORY_SENDER_DENIED;
    }
    if (guid_equal(&named->guid, who))
        return DIRECTORY_SENDER_OWN;
    uint32_t rights = directory_rights(d, &named->guid, who);
    return rights & DIRECTORY_SEND_AS          ? DIRECTORY_SENDER_AS
           : rights & DIRECTORY_SEND_ON_BEHALF ? DIRECTORY_SENDER_ON_BEHALF
                                               : DIRECTORY_SENDER_DENIED;
}

// --- What is shared ---

static bool share_is_known(struct directory *d, const struct guid *mailbox,
                           const struct guid *member) {
    struct db_conn *conn;
    if (db_read(d->db, &conn) != EC_OK)
        return false;
    struct db_stmt *q = db_query(conn, sql_share_get);
    bind_guid(q, 1, member);
    bind_guid(q, 2, mailbox);
    bool is_known = db_step(q);
    enum ec ec = db_finish(q);
    db_read_end(conn);
    return ec == EC_OK && is_known;
}

enum ec directory_share_add(struct directory *d, const struct guid *mailbox,
                            const struct guid *member) {
    if (guid_equal(mailbox, member) || share_is_known(d, mailbox, member))
        return EC_OK;
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, run_on(conn, sql_share_add, member, mailbox));
}

struct shared {
    struct arena *arena;
    GHashTable *seen; // addresses
    GPtrArray *objects;
    const struct guid *who;
};

static enum ec shared_collect(struct db_conn *conn, struct shared *s, const char *sql,
                              const struct guid *member) {
    struct db_stmt *q = db_query(conn, sql);
    bind_guid(q, 1, member);
    while (db_step(q)) {
        struct directory_object *object = object_from_row(s->arena, q);
        if (sql == sql_grants_to && !(db_col_i64(q, OBJECT_COLUMN_COUNT) & DIRECTORY_FULL_ACCESS))
            continue;
        if (object->has_mailbox && !guid_equal(&object->guid, s->who) &&
            g_hash_table_add(s->seen, (gpointer)object->address))
            g_ptr_array_add(s->objects, object);
    }
    return db_finish(q);
}

static gint by_address(gconstpointer a, gconstpointer b) {
    const struct directory_object *x = *(const struct directory_object *const *)a,
                                  *y = *(const struct directory_object *const *)b;
    return strcmp(x->address, y->address);
}

static enum ec shared_all(struct db_conn *conn, struct shared *s, const struct guid *groups,
                          unsigned n) {
    static const struct guid everybody;
    EC_TRY(shared_collect(conn, s, sql_shares_with, &everybody));
    EC_TRY(shared_collect(conn, s, sql_shares_with, s->who));
    EC_TRY(shared_collect(conn, s, sql_grants_to, s->who));
    for (unsigned i = 0; i < n; i++) {
        EC_TRY(shared_collect(conn, s, sql_shares_with, &groups[i]));
        EC_TRY(shared_collect(conn, s, sql_grants_to, &groups[i]));
    }
    return EC_OK;
}

enum ec directory_shared_with(struct directory *d, struct arena *arena, const struct guid *who,
                              struct directory_list *out) {
    struct guid *groups;
    unsigned n;
    struct db_conn *conn;
    EC_TRY(directory_groups_of(d, arena, who, &groups, &n));
    EC_TRY(db_read(d->db, &conn));
    struct shared s = {.arena = arena, .who = who};
    s.seen = g_hash_table_new(g_str_hash, g_str_equal);
    s.objects = g_ptr_array_new();
    enum ec ec = shared_all(conn, &s, groups, n);
    db_read_end(conn);
    g_hash_table_destroy(s.seen);
    g_ptr_array_sort(s.objects, by_address);
    if (ec == EC_OK)
        list_take(arena, s.objects, out);
    else
        g_ptr_array_free(s.objects, TRUE);
    return ec;
}

// --- Upkeep ---

enum ec access_remove_object(struct db_conn *conn, const struct guid *guid) {
    EC_TRY(run_on(conn, sql_grant_remove_all, guid, NULL));
    EC_TRY(run_on(conn, sql_folder_target_remove, guid, NULL));
    return run_on(conn, sql_share_remove_all, guid, NULL);
}

enum ec access_check(struct db_conn *conn, bool repair, GPtrArray *faults) {
    guint before = faults->len;
    struct db_stmt *q = db_query(conn, sql_access_check);
    while (db_step(q)) {
        char on[GUID_STRING_SIZE], who[GUID_STRING_SIZE];
        struct guid a = column_guid(q, 0), b = column_guid(q, 1);
        guid_format(&a, on);
        guid_format(&b, who);
        g_ptr_array_add(faults, g_strdup_printf("the right of %s over %s names nobody", who, on));
    }
    EC_TRY(db_finish(q));
    if (!repair || faults->len == before)
        return EC_OK;
    EC_TRY(db_run(db_query(conn, sql_access_check_repair_1), NULL));
    return db_run(db_query(conn, sql_access_check_repair_2), NULL);
}
