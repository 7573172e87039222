// Groups: members, opening nested and dynamic ones, and who belongs to which.
//
// A group cannot come to contain itself; that the searches here cut loops all the same is for
// databases that were damaged or written by other hands.
#include <string.h>

#include "directory/directory_internal.h"
#include "directory/filter.h"
#include "directory/limits.h"

static guint guid_hash(gconstpointer data) {
    guint32 h;
    memcpy(&h, ((const struct guid *)data)->bytes, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

// --- Opening a group ---

struct expansion {
    struct arena *arena;
    GHashTable *seen;   // guids of groups and members
    GPtrArray *members; // final ones
    GPtrArray *groups;  // still to open
    enum ec ec;
};

static bool expansion_add(void *data, struct directory_object *object) {
    struct expansion *e = data;
    if (g_hash_table_contains(e->seen, &object->guid))
        return true;
    g_hash_table_add(e->seen, &object->guid);
    if (directory_kind_is_group(object->kind)) {
        g_ptr_array_add(e->groups, object);
    } else if (e->members->len >= DIRECTORY_EXPAND_MAX) {
        e->ec = EC_TOO_MANY_RECIPIENTS;
        return false;
    } else {
        g_ptr_array_add(e->members, object);
    }
    return true;
}

static enum ec open_static(struct db_conn *conn, struct expansion *e, const struct guid *group) {
    struct db_stmt *q = db_query(conn, sql_members);
    bind_guid(q, 1, group);
    while (db_step(q) && expansion_add(e, object_from_row(e->arena, q)))
        continue;
    return db_finish(q);
}

static enum ec open_dynamic(struct db_conn *conn, struct expansion *e,
                            const struct directory_object *group) {
    const struct filter *filter;
    if (group->filter == NULL || filter_parse(e->arena, group->filter, &filter, NULL) != EC_OK)
        return EC_OK; // directory_check reports it
    return filter_scan(conn, e->arena, sql_objects_recipients, filter, expansion_add, e);
}

static enum ec expand(struct db_conn *conn, struct expansion *e, const struct guid *guid) {
    struct directory_object *group;
    EC_TRY(object_by_guid(conn, e->arena, guid, &group));
    if (!directory_kind_is_group(group->kind))
        return EC_NOT_FOUND;
    expansion_add(e, group);
    for (guint i = 0; i < e->groups->len; i++) {
        group = e->groups->pdata[i];
        if (group->kind == DIRECTORY_DYNAMIC)
            EC_TRY(open_dynamic(conn, e, group));
        else
            EC_TRY(open_static(conn, e, &group->guid));
        EC_TRY(e->ec);
    }
    return EC_OK;
}

enum ec directory_expand(struct directory *d, struct arena *arena, const struct guid *group,
                         struct directory_list *out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct expansion e = {.arena = arena, .ec = EC_OK};
    e.seen = g_hash_table_new(guid_hash, guid_same);
    e.members = g_ptr_array_new();
    e.groups = g_ptr_array_new();
    enum ec ec = expand(conn, &e, group);
    db_read_end(conn);
    g_hash_table_destroy(e.seen);
    g_ptr_array_free(e.groups, TRUE);
    if (ec == EC_OK)
        list_take(arena, e.members, out);
    else
        g_ptr_array_free(e.members, TRUE);
    return ec;
}

enum ec directory_members(struct directory *d, struct arena *arena, const struct guid *guid,
                          struct directory_list *out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct directory_object *group;
    struct expansion e = {.arena = arena, .ec = EC_OK};
    enum ec ec = object_by_guid(conn, arena, guid, &group);
    if (ec == EC_OK && !directory_kind_is_group(group->kind))
        ec = EC_NOT_FOUND;
    e.members = g_ptr_array_new();
    if (ec == EC_OK && group->kind == DIRECTORY_DYNAMIC) {
        e.seen = g_hash_table_new(guid_hash, guid_same);
        ec = open_dynamic(conn, &e, group);
        g_hash_table_destroy(e.seen);
    } else if (ec == EC_OK) {
        struct db_stmt *q = db_query(conn, sql_members);
        bind_guid(q, 1, guid);
        while (db_step(q))
            g_ptr_array_add(e.members, object_from_row(arena, q));
        ec = db_finish(q);
    }
    db_read_end(conn);
    if (ec == EC_OK)
        ec = e.ec;
    if (ec == EC_OK)
        list_take(arena, e.members, out);
    else
        g_ptr_array_free(e.members, TRUE);
    return ec;
}

// --- Belonging ---

struct ancestry {
    struct arena *arena;
    GHashTable *seen;
    GPtrArray *queue; // struct guid, whose groups are still to find
};

static void ancestry_add(struct ancestry *a, const struct guid *guid) {
    if (g_hash_table_contains(a->seen, guid))
        return;
    struct guid *copy = arena_memdup(a->arena, guid, sizeof *guid);
    g_hash_table_add(a->seen, copy);
    g_ptr_array_add(a->queue, copy);
}

// The dynamic groups `who` is in; groups are in none.
static enum ec add_dynamic(struct db_conn *conn, struct ancestry *a, const struct guid *who) {
    struct directory_object *object;
    enum ec ec = object_by_guid(conn, a->arena, who, &object);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    if (directory_kind_is_group(object->kind))
        return EC_OK;
    char **addresses;
    EC_TRY(object_addresses(conn, a->arena, who, &addresses));
    struct db_stmt *q = db_query(conn, sql_dynamic_groups);
    while (db_step(q)) {
        const struct filter *filter;
        const char *text = db_col_text(q, 1);
        struct guid group = column_guid(q, 0);
        if (text != NULL && filter_parse(a->arena, text, &filter, NULL) == EC_OK &&
            filter_matches(filter, object, addresses, a->arena))
            ancestry_add(a, &group);
    }
    return db_finish(q);
}

// All groups that hold `who`, at any depth. Upwards, because one is in few groups and a group can
// hold many.
static enum ec search_upwards(struct db_conn *conn, struct ancestry *a, const struct guid *who) {
    ancestry_add(a, who);
    EC_TRY(add_dynamic(conn, a, who));
    for (guint i = 0; i < a->queue->len; i++) {
        struct db_stmt *q = db_query(conn, sql_groups_of);
        bind_guid(q, 1, a->queue->pdata[i]);
        while (db_step(q)) {
            struct guid parent = column_guid(q, 0);
            ancestry_add(a, &parent);
        }
        EC_TRY(db_finish(q));
    }
    return EC_OK;
}

static enum ec is_member(struct db_conn *conn, const struct guid *group, const struct guid *who,
                         bool *out) {
    ARENA_AUTO arena = arena_new();
    struct ancestry a = {.arena = arena};
    a.seen = g_hash_table_new(guid_hash, guid_same);
    a.queue = g_ptr_array_new();
    enum ec ec = search_upwards(conn, &a, who);
    *out = ec == EC_OK && !guid_equal(group, who) && g_hash_table_contains(a.seen, group);
    g_hash_table_destroy(a.seen);
    g_ptr_array_free(a.queue, TRUE);
    return ec;
}

enum ec directory_groups_of(struct directory *d, struct arena *arena, const struct guid *who,
                            struct guid **out, unsigned *n_out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct ancestry a = {.arena = arena};
    a.seen = g_hash_table_new(guid_hash, guid_same);
    a.queue = g_ptr_array_new();
    enum ec ec = search_upwards(conn, &a, who);
    db_read_end(conn);
    if (ec == EC_OK) { // the first is `who`
        *n_out = a.queue->len - 1;
        *out = arena_alloc(arena, a.queue->len * sizeof **out);
        for (guint i = 1; i < a.queue->len; i++)
            (*out)[i - 1] = *(const struct guid *)a.queue->pdata[i];
    }
    g_hash_table_destroy(a.seen);
    g_ptr_array_free(a.queue, TRUE);
    return ec;
}

bool directory_is_member(struct directory *d, const struct guid *group, const struct guid *who) {
    bool result = false;
    if (cache_find_membership(d, group, who, &result))
        return result;
    uint64_t generation = directory_generation(d);
    struct db_conn *conn;
    if (db_read(d->db, &conn) != EC_OK)
        return false;
    enum ec ec = is_member(conn, group, who, &result);
    db_read_end(conn);
    if (ec != EC_OK)
        return false; // rights are denied when in doubt
    cache_add_membership(d, group, who, result, generation);
    return result;
}

// --- Changing ---

static enum ec member_add(struct db_conn *conn, struct arena *arena, const struct guid *group,
                          const struct guid *member) {
    struct directory_object *g, *m;
    EC_TRY(object_by_guid(conn, arena, group, &g));
    EC_TRY(object_by_guid(conn, arena, member, &m));
    if (g->kind != DIRECTORY_GROUP)
        return EC_INVALID_PARAMETER;
    bool closes_loop = guid_equal(group, member);
    if (!closes_loop && directory_kind_is_group(m->kind))
        EC_TRY(is_member(conn, member, group, &closes_loop));
    if (closes_loop)
        return EC_LOOP_DETECTED;
    struct db_stmt *q = db_query(conn, sql_member_add);
    bind_guid(q, 1, group);
    bind_guid(q, 2, member);
    enum ec ec = db_run(q, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
}

enum ec directory_member_add(struct directory *d, const struct guid *group,
                             const struct guid *member) {
    ARENA_AUTO arena = arena_new();
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, member_add(conn, arena, group, member));
}

enum ec directory_member_remove(struct directory *d, const struct guid *group,
                                const struct guid *member) {
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_member_remove);
    bind_guid(q, 1, group);
    bind_guid(q, 2, member);
    int64_t changed = 0;
    enum ec ec = db_run(q, &changed);
    return directory_commit(d, conn, ec == EC_OK && changed == 0 ? EC_NOT_FOUND : ec);
}
