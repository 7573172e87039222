// Entries of the directory: rows to objects and back, adding, changing, removing, aliases.
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "directory/directory_internal.h"
#include "directory/filter.h"
#include "directory/limits.h"

// The object's strings, in the order of OBJECT_COLUMNS.
#define FIELD(name) offsetof(struct directory_object, name)
static const size_t strings[] = {
    FIELD(address), FIELD(display_name), FIELD(given_name), FIELD(surname), FIELD(initials),
    FIELD(title),   FIELD(department),   FIELD(company),    FIELD(office),  FIELD(phone),
    FIELD(mobile),  FIELD(notes),        FIELD(target),     FIELD(filter),  FIELD(locale),
};
#define FIRST_STRING_COLUMN (OBJECT_COLUMN_COUNT - (int)G_N_ELEMENTS(strings))

static const char **string_of(struct directory_object *object, size_t i) {
    return (const char **)((char *)object + strings[i]);
}

static const char *const_string_of(const struct directory_object *object, size_t i) {
    return *(const char *const *)((const char *)object + strings[i]);
}

// --- Rows ---

void bind_guid(struct db_stmt *q, int i, const struct guid *guid) {
    db_bind_blob(q, i, guid->bytes, sizeof guid->bytes);
}

struct guid column_guid(struct db_stmt *q, int i) {
    struct guid guid = {0};
    size_t len;
    const void *data = db_col_blob(q, i, &len);
    if (len == sizeof guid.bytes)
        memcpy(guid.bytes, data, len);
    return guid;
}

struct directory_object *object_from_row(struct arena *arena, struct db_stmt *q) {
    struct directory_object *object = arena_alloc0(arena, sizeof *object);
    object->guid = column_guid(q, 0);
    object->kind = (enum directory_kind)db_col_i64(q, 1);
    object->protocols = (uint32_t)db_col_i64(q, 2);
    object->is_disabled = db_col_i64(q, 3) != 0;
    object->is_hidden = db_col_i64(q, 4) != 0;
    object->capacity = (uint32_t)db_col_i64(q, 5);
    object->created = (filetime_t)db_col_i64(q, 6);
    object->changed = (filetime_t)db_col_i64(q, 7);
    object->quota = (uint64_t)db_col_i64(q, 8);
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *string_of(object, i) = arena_strdup(arena, db_col_text(q, FIRST_STRING_COLUMN + (int)i));
    object->has_mailbox = directory_kind_has_mailbox(object->kind) && object->target == NULL;
    return object;
}

static void bind_object(struct db_stmt *q, const struct directory_object *object,
                        const char *name_key) {
    bind_guid(q, 1, &object->guid);
    db_bind_i64(q, 2, object->kind);
    db_bind_i64(q, 3, object->protocols & DIRECTORY_ALL_PROTOCOLS);
    db_bind_i64(q, 4, object->is_disabled);
    db_bind_i64(q, 5, object->is_hidden);
    db_bind_i64(q, 6, object->capacity);
    db_bind_i64(q, 7, (int64_t)object->created);
    db_bind_i64(q, 8, (int64_t)object->changed);
    db_bind_i64(q, 9, (int64_t)object->quota);
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        db_bind_text(q, 10 + (int)i, const_string_of(object, i));
    db_bind_text(q, 25, name_key);
}

struct directory_object *object_copy(struct arena *arena, const struct directory_object *object) {
    size_t lens[G_N_ELEMENTS(strings)], total = sizeof *object;
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        const char *s = const_string_of(object, i);
        lens[i] = s != NULL ? strlen(s) + 1 : 0;
        total += lens[i];
    }
    struct directory_object *copy = arena != NULL ? arena_alloc(arena, total) : g_malloc(total);
    *copy = *object;
    char *to = (char *)(copy + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        if (lens[i] == 0)
            continue;
        memcpy(to, const_string_of(object, i), lens[i]);
        *string_of(copy, i) = to;
        to += lens[i];
    }
    return copy;
}

enum ec object_by_guid(struct db_conn *conn, struct arena *arena, const struct guid *guid,
                       struct directory_object **out) {
    struct db_stmt *q = db_query(conn, sql_object_by_guid);
    bind_guid(q, 1, guid);
    struct directory_object *object = db_step(q) ? object_from_row(arena, q) : NULL;
    EC_TRY(db_finish(q));
    if (object == NULL)
        return EC_NOT_FOUND;
    *out = object;
    return EC_OK;
}

enum ec object_addresses(struct db_conn *conn, struct arena *arena, const struct guid *guid,
                         char ***out) {
    GPtrArray *addresses = g_ptr_array_new();
    struct db_stmt *q = db_query(conn, sql_addresses);
    bind_guid(q, 1, guid);
    while (db_step(q))
        g_ptr_array_add(addresses, arena_strdup(arena, db_col_text(q, 0)));
    enum ec ec = db_finish(q);
    g_ptr_array_add(addresses, NULL);
    *out = arena_memdup(arena, addresses->pdata, addresses->len * sizeof(char *));
    g_ptr_array_free(addresses, TRUE);
    return ec;
}

void list_take(struct arena *arena, GPtrArray *objects, struct directory_list *out) {
    out->n = objects->len;
    out->items = arena_memdup(arena, objects->pdata, objects->len * sizeof objects->pdata[0]);
    g_ptr_array_free(objects, TRUE);
}

// --- What an entry may hold ---

static enum ec check_text(const char *s, size_t max, bool may_have_lines) {
    if (s == NULL)
        return EC_OK;
    if (strlen(s) > max)
        return EC_STRING_TOO_LONG;
    if (!g_utf8_validate(s, -1, NULL))
        return EC_INVALID_PARAMETER;
    for (const char *p = s; *p != '\0'; p = g_utf8_next_char(p)) {
        bool is_line = *p == '\n' || *p == '\r' || *p == '\t';
        // A line end in a name would end a header line.
        if (g_unichar_iscntrl(g_utf8_get_char(p)) && !(is_line && may_have_lines))
            return EC_INVALID_PARAMETER;
    }
    return EC_OK;
}

static enum ec check_target(struct arena *arena, struct directory_object *object,
                            bool is_address_ours) {
    if (object->target == NULL && object->kind == DIRECTORY_CONTACT) {
        if (is_address_ours)
            return EC_INVALID_PARAMETER;
        object->target = object->address;
    }
    if (object->target == NULL)
        return EC_OK;
    if (directory_kind_is_group(object->kind) || object->kind == DIRECTORY_PUBLIC_FOLDER)
        return EC_INVALID_PARAMETER;
    struct address target;
    EC_TRY(address_parse(arena, object->target, &target));
    object->target = target.text;
    return EC_OK;
}

static enum ec check_filter(struct arena *arena, const struct directory_object *object) {
    const struct filter *filter;
    if (object->kind != DIRECTORY_DYNAMIC)
        return object->filter == NULL ? EC_OK : EC_INVALID_PARAMETER;
    return object->filter != NULL ? filter_parse(arena, object->filter, &filter, NULL)
                                  : EC_INVALID_PARAMETER;
}

// Checks an object, brings it into its stored form, and takes its address apart.
static enum ec normalize(struct directory *d, struct arena *arena, struct directory_object *object,
                         struct address *address) {
    if (object->kind >= DIRECTORY_KINDS || object->address == NULL)
        return EC_INVALID_PARAMETER;
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        const char **s = string_of(object, i);
        if (*s != NULL && **s == '\0')
            *s = NULL;
        bool is_long = strings[i] == FIELD(notes) || strings[i] == FIELD(filter);
        EC_TRY(check_text(*s, is_long ? DIRECTORY_NOTES_MAX : DIRECTORY_TEXT_MAX, is_long));
    }
    if (object->address == NULL)
        return EC_INVALID_PARAMETER;
    EC_TRY(address_parse(arena, object->address, address));
    object->address = address->text;
    bool is_ours = domain_find(d, arena, address->domain, NULL);
    // A contact is known by its own address, elsewhere.
    if (!is_ours && object->kind != DIRECTORY_CONTACT)
        return EC_NOT_FOUND;
    if (object->display_name == NULL)
        object->display_name = address->local;
    if (object->locale == NULL)
        object->locale = "en";
    if (object->quota > INT64_MAX)
        return EC_INVALID_PARAMETER;
    EC_TRY(check_target(arena, object, is_ours));
    return check_filter(arena, object);
}

// --- Adding, changing, removing ---

static enum ec address_insert(struct db_conn *conn, const struct guid *guid,
                              const struct address *address, bool is_primary) {
    struct db_stmt *q = db_query(conn, sql_address_insert);
    db_bind_text(q, 1, address->key);
    bind_guid(q, 2, guid);
    db_bind_text(q, 3, address->domain);
    db_bind_text(q, 4, address->text);
    db_bind_i64(q, 5, is_primary);
    enum ec ec = db_run(q, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
}

static enum ec object_write(struct db_conn *conn, struct arena *arena, const char *sql,
                            const struct directory_object *object) {
    struct db_stmt *q = db_query(conn, sql);
    bind_object(q, object, text_fold(arena, object->display_name));
    enum ec ec = db_run(q, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
}

// `fid`: the folder of a DIRECTORY_PUBLIC_FOLDER; 0: none.
static enum ec add(struct directory *d, struct directory_object *object, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct directory_object stored = *object;
    struct address address;
    EC_TRY(normalize(d, arena, &stored, &address));
    if (guid_is_zero(&stored.guid))
        stored.guid = guid_new();
    stored.created = stored.changed = clock_now();
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    enum ec ec = object_write(conn, arena, sql_object_insert, &stored);
    if (ec == EC_OK)
        ec = address_insert(conn, &stored.guid, &address, true);
    if (ec == EC_OK)
        ec = anr_index(conn, &stored);
    if (ec == EC_OK && fid != 0)
        ec = folder_target_set(conn, &stored.guid, fid);
    EC_TRY(directory_commit(d, conn, ec));
    object->guid = stored.guid;
    object->created = stored.created;
    object->changed = stored.changed;
    object->has_mailbox = directory_kind_has_mailbox(stored.kind) && stored.target == NULL;
    return EC_OK;
}

enum ec directory_add(struct directory *d, struct directory_object *object) {
    return object->kind == DIRECTORY_PUBLIC_FOLDER ? EC_INVALID_PARAMETER : add(d, object, 0);
}

enum ec directory_add_folder(struct directory *d, struct directory_object *object, uint64_t fid) {
    object->kind = DIRECTORY_PUBLIC_FOLDER;
    return fid == 0 || fid > INT64_MAX ? EC_INVALID_PARAMETER : add(d, object, fid);
}

static enum ec address_owner(struct db_conn *conn, const char *key, struct guid *guid_out,
                             bool *is_primary_out) {
    struct db_stmt *q = db_query(conn, sql_address_owner);
    db_bind_text(q, 1, key);
    bool found = db_step(q);
    if (found) {
        *guid_out = column_guid(q, 0);
        *is_primary_out = db_col_i64(q, 1) != 0;
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

// Makes `address` the primary one; the one before stays as an alias.
static enum ec change_primary(struct db_conn *conn, const struct guid *guid,
                              const struct address *address) {
    struct guid owner;
    bool is_primary;
    enum ec ec = address_owner(conn, address->key, &owner, &is_primary);
    if (ec == EC_OK && !guid_equal(&owner, guid))
        return EC_COLLISION;
    if (ec != EC_OK && ec != EC_NOT_FOUND)
        return ec;
    struct db_stmt *q = db_query(conn, sql_address_demote);
    bind_guid(q, 1, guid);
    EC_TRY(db_run(q, NULL));
    if (ec == EC_NOT_FOUND)
        return address_insert(conn, guid, address, true);
    q = db_query(conn, sql_address_promote);
    db_bind_text(q, 1, address->key);
    db_bind_text(q, 2, address->text);
    return db_run(q, NULL);
}

static enum ec update(struct db_conn *conn, struct arena *arena, struct directory_object *object,
                      const struct address *address) {
    struct directory_object *old;
    EC_TRY(object_by_guid(conn, arena, &object->guid, &old));
    // A group's members would be left behind.
    if ((old->kind == DIRECTORY_GROUP) != (object->kind == DIRECTORY_GROUP))
        return EC_INVALID_PARAMETER;
    object->created = old->created;
    object->changed = clock_now();
    EC_TRY(object_write(conn, arena, sql_object_update, object));
    EC_TRY(change_primary(conn, &object->guid, address));
    return anr_index(conn, object);
}

enum ec directory_update(struct directory *d, const struct directory_object *object) {
    ARENA_AUTO arena = arena_new();
    struct directory_object stored = *object;
    struct address address;
    EC_TRY(normalize(d, arena, &stored, &address));
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, update(conn, arena, &stored, &address));
}

static enum ec run_on_guid(struct db_conn *conn, const char *sql, const struct guid *guid) {
    struct db_stmt *q = db_query(conn, sql);
    bind_guid(q, 1, guid);
    return db_run(q, NULL);
}

static enum ec remove_object(struct db_conn *conn, struct arena *arena, const struct guid *guid) {
    struct directory_object *object;
    EC_TRY(object_by_guid(conn, arena, guid, &object));
    EC_TRY(run_on_guid(conn, sql_domain_catchall_clear_object, guid));
    EC_TRY(run_on_guid(conn, sql_address_delete_all, guid));
    EC_TRY(run_on_guid(conn, sql_word_delete_all, guid));
    EC_TRY(run_on_guid(conn, sql_settings_drop, guid));
    EC_TRY(run_on_guid(conn, sql_member_remove_all, guid));
    EC_TRY(access_remove_object(conn, guid));
    return run_on_guid(conn, sql_object_delete, guid);
}

enum ec directory_remove(struct directory *d, const struct guid *guid) {
    ARENA_AUTO arena = arena_new();
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, remove_object(conn, arena, guid));
}

// --- Aliases ---

enum ec directory_alias_add(struct directory *d, const struct guid *guid, const char *alias) {
    ARENA_AUTO arena = arena_new();
    struct address address;
    EC_TRY(address_parse(arena, alias, &address));
    if (!domain_find(d, arena, address.domain, NULL))
        return EC_NOT_FOUND;
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct directory_object *object;
    enum ec ec = object_by_guid(conn, arena, guid, &object);
    if (ec == EC_OK)
        ec = address_insert(conn, guid, &address, false);
    if (ec == EC_OK)
        ec = anr_index(conn, object);
    return directory_commit(d, conn, ec);
}

static enum ec alias_remove(struct db_conn *conn, struct arena *arena,
                            const struct address *address) {
    struct guid owner;
    bool is_primary;
    EC_TRY(address_owner(conn, address->key, &owner, &is_primary));
    if (is_primary)
        return EC_INVALID_PARAMETER;
    struct db_stmt *q = db_query(conn, sql_address_delete);
    db_bind_text(q, 1, address->key);
    EC_TRY(db_run(q, NULL));
    q = db_query(conn, sql_domain_catchall_clear);
    db_bind_text(q, 1, address->key);
    EC_TRY(db_run(q, NULL));
    struct directory_object *object;
    EC_TRY(object_by_guid(conn, arena, &owner, &object));
    return anr_index(conn, object);
}

enum ec directory_alias_remove(struct directory *d, const char *alias) {
    ARENA_AUTO arena = arena_new();
    struct address address;
    EC_TRY(address_parse(arena, alias, &address));
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, alias_remove(conn, arena, &address));
}

enum ec directory_aliases(struct directory *d, const struct guid *guid, char ***out) {
    ARENA_AUTO arena = arena_new();
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct directory_object *object;
    char **addresses = NULL;
    enum ec ec = object_by_guid(conn, arena, guid, &object);
    if (ec == EC_OK)
        ec = object_addresses(conn, arena, guid, &addresses);
    db_read_end(conn);
    EC_TRY(ec);
    // The primary address comes first and is no alias.
    *out = g_strdupv(addresses[0] != NULL ? addresses + 1 : addresses);
    return EC_OK;
}
