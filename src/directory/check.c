// Every invariant of the directory, looked at and, where it can be, put right.
//
// The database itself is sound; each object has exactly one primary address, the one it names;
// addresses belong to objects, are in the form they are compared in and in domains of ours; members
// and their groups exist; no group contains itself; filters can be read; the index of words is what
// it would be if it were made anew.
#include <string.h>

#include "directory/directory_internal.h"
#include "directory/filter.h"

struct check {
    struct directory *d;
    struct db_conn *conn;
    struct arena *arena;
    GPtrArray *faults;
    bool repair;
};

static void fault(struct check *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void fault(struct check *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_ptr_array_add(c->faults, g_strdup_vprintf(format, args));
    va_end(args);
}

static const char *guid_text(struct check *c, const struct guid *guid) {
    char text[GUID_STRING_SIZE];
    guid_format(guid, text);
    return arena_strdup(c->arena, text);
}

// Rows that refer to what is not there: reported, and deleted by a second statement.
static enum ec check_orphans(struct check *c, const char *sql, const char *repair_sql,
                             const char *what) {
    struct db_stmt *q = db_query(c->conn, sql);
    guint before = c->faults->len;
    while (db_step(q)) {
        const char *text = what[0] == 'a' ? arena_strdup(c->arena, db_col_text(q, 0)) : NULL;
        struct guid guid = column_guid(q, 0);
        fault(c, "%s %s refers to nothing", what, text != NULL ? text : guid_text(c, &guid));
    }
    EC_TRY(db_finish(q));
    if (c->repair && c->faults->len > before)
        return db_run(db_query(c->conn, repair_sql), NULL);
    return EC_OK;
}

// --- Addresses ---

static enum ec repair_primary(struct check *c, const struct guid *guid, const char *text) {
    struct address address;
    if (address_parse(c->arena, text, &address) != EC_OK)
        return EC_OK;
    struct db_stmt *q = db_query(c->conn, sql_address_demote);
    bind_guid(q, 1, guid);
    EC_TRY(db_run(q, NULL));
    q = db_query(c->conn, sql_check_primary_insert);
    db_bind_text(q, 1, address.key);
    bind_guid(q, 2, guid);
    db_bind_text(q, 3, address.domain);
    db_bind_text(q, 4, address.text);
    return db_run(q, NULL);
}

static enum ec check_primaries(struct check *c) {
    struct db_stmt *q = db_query(c->conn, sql_check_primaries);
    enum ec ec = EC_OK;
    while (ec == EC_OK && db_step(q)) {
        struct guid guid = column_guid(q, 0);
        const char *address = db_col_text(q, 1), *primary = db_col_text(q, 3);
        if (db_col_i64(q, 2) == 1 && g_strcmp0(address, primary) == 0)
            continue;
        fault(c, "%s is not the one primary address of its entry", address);
        if (c->repair)
            ec = repair_primary(c, &guid, arena_strdup(c->arena, address));
    }
    enum ec step_ec = db_finish(q);
    return ec != EC_OK ? ec : step_ec;
}

static enum ec check_addresses(struct check *c) {
    struct db_stmt *q = db_query(c->conn, sql_check_addresses);
    while (db_step(q)) {
        const char *key = db_col_text(q, 0), *text = db_col_text(q, 1), *domain = db_col_text(q, 2);
        struct address address;
        if (address_parse(c->arena, text, &address) != EC_OK)
            fault(c, "%s is not an address", text);
        else if (strcmp(address.key, key) != 0 || strcmp(address.domain, domain) != 0)
            fault(c, "%s is stored as %s", text, key);
        else if (db_col_i64(q, 3) != DIRECTORY_CONTACT &&
                 !domain_find(c->d, c->arena, domain, NULL))
            fault(c, "%s is in no domain of ours", text);
    }
    return db_finish(q);
}

// --- Groups ---

struct edge {
    struct guid group, member;
};

// Takes away groups that hold no further groups until none is left; what remains is loops. Each
// round costs the edges, and there are as many rounds as groups nest deep.
static void remove_leaves(GArray *edges) {
    bool changed = true;
    while (changed) {
        changed = false;
        g_autoptr(GHashTable) holders =
            g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
        for (guint i = 0; i < edges->len; i++)
            g_hash_table_add(holders, g_bytes_new(g_array_index(edges, struct edge, i).group.bytes,
                                                  sizeof(struct guid)));
        for (guint i = edges->len; i-- > 0;) {
            GBytes *member =
                g_bytes_new(g_array_index(edges, struct edge, i).member.bytes, sizeof(struct guid));
            if (!g_hash_table_contains(holders, member)) {
                g_array_remove_index_fast(edges, i);
                changed = true;
            }
            g_bytes_unref(member);
        }
    }
}

static enum ec remove_edge(struct check *c, const struct edge *edge) {
    struct db_stmt *q = db_query(c->conn, sql_member_remove);
    bind_guid(q, 1, &edge->group);
    bind_guid(q, 2, &edge->member);
    return db_run(q, NULL);
}

static enum ec check_loops(struct check *c) {
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
    struct db_stmt *q = db_query(c->conn, sql_check_edges);
    while (db_step(q)) {
        struct edge edge = {column_guid(q, 0), column_guid(q, 1)};
        g_array_append_val(edges, edge);
    }
    EC_TRY(db_finish(q));
    for (remove_leaves(edges); edges->len > 0; remove_leaves(edges)) {
        struct edge edge = g_array_index(edges, struct edge, 0);
        fault(c, "group %s is in a loop of groups through %s", guid_text(c, &edge.group),
              guid_text(c, &edge.member));
        if (c->repair)
            EC_TRY(remove_edge(c, &edge));
        g_array_remove_index_fast(edges, 0);
    }
    return EC_OK;
}

// --- Objects: filters and words ---

static enum ec words_are_right(struct check *c, const struct directory_object *object, bool *out) {
    char **addresses;
    EC_TRY(object_addresses(c->conn, c->arena, &object->guid, &addresses));
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    anr_words(c->arena, object, addresses, words);
    guint found = 0, known = 0;
    struct db_stmt *q = db_query(c->conn, sql_words);
    bind_guid(q, 1, &object->guid);
    for (; db_step(q); found++)
        for (guint i = 0; i < words->len; i++)
            known += strcmp(words->pdata[i], db_col_text(q, 0)) == 0;
    *out = found == words->len && known == found;
    return db_finish(q);
}

static enum ec check_object(struct check *c, const struct directory_object *object) {
    const struct filter *filter;
    if (object->kind == DIRECTORY_DYNAMIC &&
        (object->filter == NULL || filter_parse(c->arena, object->filter, &filter, NULL) != EC_OK))
        fault(c, "the filter of %s cannot be read", object->address);
    bool is_right;
    EC_TRY(words_are_right(c, object, &is_right));
    if (is_right)
        return EC_OK;
    fault(c, "the names of %s are not indexed rightly", object->address);
    return c->repair ? anr_index(c->conn, object) : EC_OK;
}

static enum ec check_objects(struct check *c) {
    struct db_stmt *q = db_query(c->conn, sql_objects);
    enum ec ec = EC_OK;
    while (ec == EC_OK && db_step(q)) {
        arena_reset(c->arena);
        ec = check_object(c, object_from_row(c->arena, q));
    }
    enum ec step_ec = db_finish(q);
    return ec != EC_OK ? ec : step_ec;
}

static enum ec check_all(struct check *c) {
    EC_TRY(db_verify(c->conn, c->faults));
    if (c->faults->len > 0)
        return EC_OK; // nothing that is read from it means anything
    EC_TRY(
        check_orphans(c, sql_check_address_orphans, sql_check_address_orphans_repair, "address"));
    EC_TRY(check_primaries(c));
    EC_TRY(check_addresses(c));
    EC_TRY(check_orphans(c, sql_check_members, sql_check_members_repair, "member of group"));
    EC_TRY(check_loops(c));
    EC_TRY(check_orphans(c, sql_check_word_orphans, sql_check_word_orphans_repair, "word of"));
    EC_TRY(access_check(c->conn, c->repair, c->faults));
    return check_objects(c);
}

enum ec directory_check(struct directory *d, bool repair, GPtrArray *faults) {
    ARENA_AUTO arena = arena_new();
    struct check c = {.d = d, .arena = arena, .faults = faults, .repair = repair};
    if (!repair) {
        EC_TRY(db_read(d->db, &c.conn));
        enum ec ec = check_all(&c);
        db_read_end(c.conn);
        return ec;
    }
    EC_TRY(db_write(d->db, &c.conn));
    guint before = faults->len;
    enum ec ec = check_all(&c);
    if (ec == EC_OK && faults->len == before) {
        db_rollback(c.conn);
        return EC_OK;
    }
    return directory_commit(d, c.conn, ec);
}
