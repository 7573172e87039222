// Lists of entries: all of some kinds, and the named address lists.
#include <string.h>

#include "base/text.h"
#include "directory/directory_internal.h"
#include "directory/filter.h"
#include "directory/limits.h"

// The lists that are always there, by the kinds they hold.
static const struct {
    const char *name;
    uint32_t kinds; // bits 1 << kind; 0: all
} built_in[] = {
    {"Global Address List", 0},
    {"All Users", 1 << DIRECTORY_USER | 1 << DIRECTORY_SHARED},
    {"All Groups", 1 << DIRECTORY_GROUP | 1 << DIRECTORY_DYNAMIC},
    {"All Contacts", 1 << DIRECTORY_CONTACT},
    {"All Rooms", 1 << DIRECTORY_ROOM},
    {"All Equipment", 1 << DIRECTORY_EQUIPMENT},
};

static uint32_t kinds_or_all(uint32_t kinds) {
    return kinds != 0 ? kinds : UINT32_MAX;
}

// --- By kind ---

static enum ec list_kinds(struct directory *d, struct arena *arena, const char *sql, uint32_t kinds,
                          const char *prefix, unsigned offset, unsigned limit,
                          struct directory_list *out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql);
    db_bind_i64(q, 1, kinds_or_all(kinds));
    db_bind_i64(q, 2, limit);
    db_bind_i64(q, 3, offset);
    if (prefix != NULL) {
        db_bind_text(q, 4, prefix);
        db_bind_text(q, 5, arena_printf(arena, "%s\xf4\x8f\xbf\xbf", prefix));
    }
    GPtrArray *objects = g_ptr_array_new();
    while (db_step(q))
        g_ptr_array_add(objects, object_from_row(arena, q));
    enum ec ec = db_finish(q);
    db_read_end(conn);
    if (ec == EC_OK)
        list_take(arena, objects, out);
    else
        g_ptr_array_free(objects, TRUE);
    return ec;
}

enum ec directory_list(struct directory *d, struct arena *arena, uint32_t kinds, const char *prefix,
                       unsigned offset, unsigned limit, struct directory_list *out) {
    if (prefix == NULL || prefix[0] == '\0')
        return list_kinds(d, arena, sql_object_list, kinds, NULL, offset, limit, out);
    if (strlen(prefix) > DIRECTORY_TEXT_MAX || !g_utf8_validate(prefix, -1, NULL))
        return EC_INVALID_PARAMETER;
    return list_kinds(d, arena, sql_object_list_prefix, kinds, text_fold(arena, prefix), offset,
                      limit, out);
}

// --- By filter ---

static enum ec matches(struct db_conn *conn, const struct filter *filter,
                       const struct directory_object *object, struct arena *scratch, bool *out) {
    char **addresses = NULL;
    if (filter_needs_addresses(filter))
        EC_TRY(object_addresses(conn, scratch, &object->guid, &addresses));
    *out = filter_matches(filter, object, addresses, scratch);
    return EC_OK;
}

enum ec filter_scan(struct db_conn *conn, struct arena *arena, const char *sql,
                    const struct filter *filter,
                    bool (*use)(void *data, struct directory_object *object), void *data) {
    // What does not match must not pile up in the caller's memory.
    ARENA_AUTO scratch = arena_new();
    enum ec ec = EC_OK;
    bool more = true;
    struct db_stmt *q = db_query(conn, sql);
    while (ec == EC_OK && more && db_step(q)) {
        const struct directory_object *object = object_from_row(scratch, q);
        bool is_match = false;
        ec = matches(conn, filter, object, scratch, &is_match);
        if (ec == EC_OK && is_match)
            more = use(data, object_copy(arena, object));
        arena_reset(scratch);
    }
    enum ec step_ec = db_finish(q);
    return ec != EC_OK ? ec : step_ec;
}

struct window {
    unsigned offset, limit;
    GPtrArray *objects;
};

static bool window_add(void *data, struct directory_object *object) {
    struct window *w = data;
    if (w->offset > 0)
        w->offset--;
    else
        g_ptr_array_add(w->objects, object);
    return w->objects->len < w->limit;
}

static enum ec stored_filter(struct db_conn *conn, struct arena *arena, const char *name,
                             const struct filter **out) {
    struct db_stmt *q = db_query(conn, sql_list_filter);
    db_bind_text(q, 1, text_fold(arena, name));
    const char *text = db_step(q) ? arena_strdup(arena, db_col_text(q, 0)) : NULL;
    EC_TRY(db_finish(q));
    return text != NULL ? filter_parse(arena, text, out, NULL) : EC_NOT_FOUND;
}

enum ec directory_address_list_members(struct directory *d, struct arena *arena, const char *name,
                                       unsigned offset, unsigned limit,
                                       struct directory_list *out) {
    for (size_t i = 0; i < G_N_ELEMENTS(built_in); i++)
        if (text_compare_folded(built_in[i].name, name) == 0)
            return list_kinds(d, arena, sql_object_list_visible, built_in[i].kinds, NULL, offset,
                              limit, out);
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    const struct filter *filter = NULL;
    struct window w = {offset, limit, g_ptr_array_new()};
    enum ec ec = stored_filter(conn, arena, name, &filter);
    if (ec == EC_OK && limit > 0)
        ec = filter_scan(conn, arena, sql_objects_visible, filter, window_add, &w);
    db_read_end(conn);
    if (ec == EC_OK)
        list_take(arena, w.objects, out);
    else
        g_ptr_array_free(w.objects, TRUE);
    return ec;
}

// --- The lists themselves ---

enum ec directory_address_lists(struct directory *d, char ***names_out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    GStrvBuilder *names = g_strv_builder_new();
    for (size_t i = 0; i < G_N_ELEMENTS(built_in); i++)
        g_strv_builder_add(names, built_in[i].name);
    struct db_stmt *q = db_query(conn, sql_lists);
    while (db_step(q))
        g_strv_builder_add(names, db_col_text(q, 0));
    enum ec ec = db_finish(q);
    db_read_end(conn);
    char **strv = g_strv_builder_end(names);
    g_strv_builder_unref(names);
    if (ec == EC_OK)
        *names_out = strv;
    else
        g_strfreev(strv);
    return ec;
}

enum ec directory_address_list_add(struct directory *d, const char *name, const char *text) {
    ARENA_AUTO arena = arena_new();
    const struct filter *filter;
    if (name[0] == '\0' || strlen(name) > DIRECTORY_LIST_NAME_MAX ||
        !g_utf8_validate(name, -1, NULL))
        return EC_INVALID_PARAMETER;
    EC_TRY(filter_parse(arena, text, &filter, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(built_in); i++)
        if (text_compare_folded(built_in[i].name, name) == 0)
            return EC_COLLISION;
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_list_insert);
    db_bind_text(q, 1, text_fold(arena, name));
    db_bind_text(q, 2, name);
    db_bind_text(q, 3, text);
    enum ec ec = db_run(q, NULL);
    return directory_commit(d, conn, ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec);
}
