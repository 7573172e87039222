// Settings of entries and retention tags: their tables and everything on them.
#include "directory/setting.h"

#include <string.h>

#include "base/text.h"
#include "directory/directory_internal.h"
#include "directory/limits.h"
#include "directory/retention.h"

const char directory_schema_settings[] =
    "CREATE TABLE setting ("
    "  guid $BLOB NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (guid, name)) $CLUSTERED;"
    "CREATE INDEX setting_value ON setting (name, value);"
    "CREATE TABLE retention_tag ("
    "  guid $BLOB NOT NULL PRIMARY KEY, name_key TEXT NOT NULL, name TEXT NOT NULL,"
    "  action BIGINT NOT NULL, days BIGINT NOT NULL, folder BIGINT NOT NULL) $CLUSTERED;"
    "CREATE UNIQUE INDEX retention_tag_name ON retention_tag (name_key);";

static const char sql_setting_get[] = "SELECT value FROM setting WHERE guid = $1 AND name = $2";
static const char sql_setting_all[] =
    "SELECT name, value FROM setting WHERE guid = $1 ORDER BY name";
static const char sql_setting_set[] =
    "INSERT INTO setting (guid, name, value) VALUES ($1, $2, $3)"
    " ON CONFLICT (guid, name) DO UPDATE SET value = excluded.value";
static const char sql_setting_remove[] = "DELETE FROM setting WHERE guid = $1 AND name = $2";
static const char sql_setting_find[] = "SELECT guid FROM setting WHERE name = $1 AND value = $2";
const char sql_settings_drop[] = "DELETE FROM setting WHERE guid = $1";

#define TAG_COLUMNS "guid, name, action, days, folder"
static const char sql_tags[] = "SELECT " TAG_COLUMNS " FROM retention_tag ORDER BY name_key";
static const char sql_tag_find[] = "SELECT " TAG_COLUMNS " FROM retention_tag WHERE name_key = $1";
static const char sql_tag_rivals[] = "SELECT action FROM retention_tag WHERE folder = $1";
static const char sql_tag_insert[] =
    "INSERT INTO retention_tag (guid, name_key, name, action, days, folder)"
    " VALUES ($1, $2, $3, $4, $5, $6)";
static const char sql_tag_delete[] = "DELETE FROM retention_tag WHERE guid = $1";

// --- Settings ---

enum ec directory_setting(struct directory *d, struct arena *arena, const struct guid *guid,
                          const char *name, const char **out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_setting_get);
    bind_guid(q, 1, guid);
    db_bind_text(q, 2, name);
    const char *value = db_step(q) ? arena_strdup(arena, db_col_text(q, 0)) : NULL;
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    if (!value)
        return EC_NOT_FOUND;
    *out = value;
    return EC_OK;
}

enum ec directory_settings(struct directory *d, struct arena *arena, const struct guid *guid,
                           struct directory_settings *out) {
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct directory_setting));
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_setting_all);
    bind_guid(q, 1, guid);
    while (db_step(q)) {
        struct directory_setting s = {arena_strdup(arena, db_col_text(q, 0)),
                                      arena_strdup(arena, db_col_text(q, 1))};
        g_array_append_val(items, s);
    }
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    out->n = items->len;
    out->items = arena_memdup(arena, items->data, items->len * sizeof(struct directory_setting));
    return EC_OK;
}

static enum ec set_setting(struct db_conn *conn, const struct guid *guid, const char *name,
                           const char *value) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    EC_TRY(object_by_guid(conn, arena, guid, &object));
    struct db_stmt *q = db_query(conn, value ? sql_setting_set : sql_setting_remove);
    bind_guid(q, 1, guid);
    db_bind_text(q, 2, name);
    if (value)
        db_bind_text(q, 3, value);
    return db_run(q, NULL);
}

enum ec directory_set_setting(struct directory *d, const struct guid *guid, const char *name,
                              const char *value) {
    struct db_conn *conn;
    if (value && strlen(value) > DIRECTORY_NOTES_MAX)
        return EC_STRING_TOO_LONG;
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, set_setting(conn, guid, name, value));
}

enum ec directory_find_setting(struct directory *d, const char *name, const char *value,
                               struct guid *guid_out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_setting_find);
    db_bind_text(q, 1, name);
    db_bind_text(q, 2, value);
    bool found = db_step(q);
    struct guid guid = found ? column_guid(q, 0) : (struct guid){0};
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    if (!found)
        return EC_NOT_FOUND;
    *guid_out = guid;
    return EC_OK;
}

// --- Retention tags ---

static struct retention_tag read_tag(struct arena *arena, struct db_stmt *q) {
    return (struct retention_tag){
        .guid = column_guid(q, 0),
        .name = arena_strdup(arena, db_col_text(q, 1)),
        .action = (enum retention_action)db_col_i64(q, 2),
        .days = (uint32_t)db_col_i64(q, 3),
        .folder = (uint64_t)db_col_i64(q, 4),
    };
}

enum ec directory_retention_tags(struct directory *d, struct arena *arena,
                                 struct retention_tags *out) {
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct retention_tag));
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_tags);
    while (db_step(q)) {
        struct retention_tag tag = read_tag(arena, q);
        g_array_append_val(items, tag);
    }
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    out->n = items->len;
    out->items = arena_memdup(arena, items->data, items->len * sizeof(struct retention_tag));
    return EC_OK;
}

enum ec directory_retention_find(struct directory *d, struct arena *arena, const char *name,
                                 struct retention_tag *out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_tag_find);
    db_bind_text(q, 1, text_fold(arena, name));
    bool found = db_step(q);
    if (found)
        *out = read_tag(arena, q);
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    return found ? EC_OK : EC_NOT_FOUND;
}

// Two tags for the same folder would each claim its messages.
static enum ec check_rivals(struct db_conn *conn, const struct retention_tag *tag) {
    bool has_rival = false;
    if (tag->folder == 0)
        return EC_OK;
    struct db_stmt *q = db_query(conn, sql_tag_rivals);
    db_bind_i64(q, 1, (int64_t)tag->folder);
    while (db_step(q))
        has_rival |= (db_col_i64(q, 0) == RETENTION_ARCHIVE) == (tag->action == RETENTION_ARCHIVE);
    EC_TRY(db_finish(q));
    return has_rival ? EC_COLLISION : EC_OK;
}

static enum ec add_tag(struct db_conn *conn, const struct retention_tag *tag) {
    ARENA_AUTO arena = arena_new();
    EC_TRY(check_rivals(conn, tag));
    struct db_stmt *q = db_query(conn, sql_tag_insert);
    bind_guid(q, 1, &tag->guid);
    db_bind_text(q, 2, text_fold(arena, tag->name));
    db_bind_text(q, 3, tag->name);
    db_bind_i64(q, 4, tag->action);
    db_bind_i64(q, 5, tag->days);
    db_bind_i64(q, 6, (int64_t)tag->folder);
    enum ec ec = db_run(q, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
}

enum ec directory_retention_add(struct directory *d, struct retention_tag *tag) {
    struct db_conn *conn;
    if (!tag->name || !*tag->name || strlen(tag->name) > DIRECTORY_TEXT_MAX ||
        !g_utf8_validate(tag->name, -1, NULL))
        return EC_INVALID_PARAMETER;
    tag->guid = guid_new();
    EC_TRY(db_write(d->db, &conn));
    return directory_commit(d, conn, add_tag(conn, tag));
}

enum ec directory_retention_remove(struct directory *d, const struct guid *guid) {
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_tag_delete);
    bind_guid(q, 1, guid);
    int64_t changed = 0;
    enum ec ec = db_run(q, &changed);
    return directory_commit(d, conn, ec == EC_OK && changed == 0 ? EC_NOT_FOUND : ec);
}
