// What can be read of a damaged SQLite file, into a new one.
//
// Each table of the new schema is read in the order of its key until a damaged page ends that, then
// from the other end, then from where the next sound page begins. The keys of rows in between, when
// an index still has them, are tried one by one, and are named when their row is gone.
//
// Pages with a wrong checksum are such damaged pages at first. What could not be read for that is
// then taken as it stands, for most often it is one bit that flipped, and named as doubtful.
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/limits.h"
#include "db/page_sum.h"
#include "db/sqlite_internal.h"

#define PROBES 48         // doubling steps over a gap
#define HEAD_LOOKS 8      // pages that are asked whether there are checksums
#define HEAD_RESERVED 20  // the byte that says so
#define DOUBTFUL_TOLD 200 // messages that are named

struct salvage {
    sqlite3 *from, *to;
    sqlite3 *sound, *trusting; // the old file, with checksums compared and without
    GHashTable *doubtful;      // docs (int64_t) of which something was read without
    GPtrArray *lines;
};

struct table {
    const char *name;
    char *columns;   // "a, b, c": those both have
    GPtrArray *keys; // names of the key's columns, in order
    char *ascending, *descending;
    sqlite3_stmt *insert;
    unsigned n_columns;
    int doc_column; // -1: none
    bool is_damaged;
};

static char *scalar_list(sqlite3 *db, const char *sql, const char *separator) {
    GString *out = g_string_new(NULL);
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK)
        while (sqlite3_step(stmt) == SQLITE_ROW)
            g_string_append_printf(out, "%s%s", out->len ? separator : "",
                                   (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return g_string_free(out, FALSE);
}

static bool has_word(char *const *words, const char *word) {
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

// --- Tables ---

static void table_clear(struct table *t) {
    g_free(t->columns);
    g_free(t->ascending);
    g_free(t->descending);
    g_ptr_array_unref(t->keys);
    sqlite3_finalize(t->insert);
}

static char *ordered(const struct table *t, const char *direction) {
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < t->keys->len; i++)
        g_string_append_printf(out, "%s%s %s", i ? ", " : "", (char *)t->keys->pdata[i], direction);
    return g_string_free(out, FALSE);
}

// The place of a column among the columns read.
static int column_of(const struct table *t, const char *name) {
    g_auto(GStrv) columns = g_strsplit(t->columns, ", ", -1);
    for (int i = 0; columns[i]; i++)
        if (strcmp(columns[i], name) == 0)
            return i;
    return 0;
}

static bool table_describe(struct salvage *s, const char *name, struct table *t) {
    *t = (struct table){.name = name, .keys = g_ptr_array_new_with_free_func(g_free)};
    g_autofree char *here =
        g_strdup_printf("SELECT name FROM pragma_table_info('%s') ORDER BY cid", name);
    g_autofree char *key =
        g_strdup_printf("SELECT name FROM pragma_table_info('%s') WHERE pk > 0 ORDER BY pk", name);
    g_autofree char *new_columns = scalar_list(s->to, here, " ");
    g_autofree char *old_columns = scalar_list(s->from, here, " ");
    g_autofree char *keys = scalar_list(s->to, key, " ");
    g_auto(GStrv) wanted = g_strsplit(new_columns, " ", -1);
    g_auto(GStrv) found = g_strsplit(old_columns, " ", -1);
    g_auto(GStrv) key_names = g_strsplit(keys, " ", -1);
    GString *columns = g_string_new(NULL), *marks = g_string_new(NULL);
    for (char **c = wanted; *c; c++)
        if (has_word(found, *c)) {
            g_string_append_printf(columns, "%s%s", columns->len ? ", " : "", *c);
            g_string_append(marks, marks->len ? ", ?" : "?");
            t->n_columns++;
        }
    for (char **k = key_names; *k; k++)
        g_ptr_array_add(t->keys, g_strdup(*k));
    t->columns = g_string_free(columns, FALSE);
    t->doc_column = has_word(wanted, "doc") && has_word(found, "doc") ? column_of(t, "doc") : -1;
    t->ascending = ordered(t, "ASC");
    t->descending = ordered(t, "DESC");
    g_autofree char *sql =
        g_strdup_printf("INSERT OR IGNORE INTO %s (%s) VALUES (%s)", name, t->columns, marks->str);
    g_string_free(marks, TRUE);
    return t->n_columns > 0 && sqlite3_prepare_v2(s->to, sql, -1, &t->insert, NULL) == SQLITE_OK;
}

// --- Rows ---

static int insert_row(struct salvage *s, struct table *t, sqlite3_stmt *row) {
    for (unsigned i = 0; i < t->n_columns; i++)
        sqlite3_bind_value(t->insert, (int)i + 1, sqlite3_column_value(row, (int)i));
    int code = sqlite3_step(t->insert);
    sqlite3_reset(t->insert);
    if (code == SQLITE_DONE && s->from == s->trusting && t->doc_column >= 0 &&
        sqlite3_changes(s->to) > 0) {
        int64_t doc = sqlite3_column_int64(row, t->doc_column);
        g_hash_table_add(s->doubtful, g_memdup2(&doc, sizeof doc));
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

// Copies rows until the statement ends or fails; the error of the old file is *from_out, the result
// that of the new one. `last` (may be NULL) gets the value of the column `key` of the last row.
static int copy_rows(struct salvage *s, struct table *t, sqlite3_stmt *rows, int key, int64_t *last,
                     uint64_t *n_out, int *from_out) {
    int code, to = SQLITE_OK;
    *n_out = 0;
    while (to == SQLITE_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        to = insert_row(s, t, rows);
        // A row that breaks a constraint of the new one is no row to keep.
        if ((to & 0xff) == SQLITE_CONSTRAINT || to == SQLITE_MISMATCH)
            to = SQLITE_OK;
        if (last != NULL)
            *last = sqlite3_column_int64(rows, key);
        ++*n_out;
    }
    *from_out = to == SQLITE_OK ? (code == SQLITE_DONE ? SQLITE_OK : code) : SQLITE_OK;
    return to;
}

static int copy_query(struct salvage *s, struct table *t, const char *sql, int key, int64_t *last,
                      uint64_t *n_out, bool *damaged_out) {
    sqlite3_stmt *rows;
    int from, to = SQLITE_OK;
    *n_out = 0;
    *damaged_out = true;
    if (sqlite3_prepare_v2(s->from, sql, -1, &rows, NULL) == SQLITE_OK) {
        to = copy_rows(s, t, rows, key, last, n_out, &from);
        *damaged_out = from != SQLITE_OK;
    }
    sqlite3_finalize(rows);
    return to;
}

// Reads on behind damaged pages. `scope`: the conditions on the keys before the last one.
static int read_gaps(struct salvage *s, struct table *t, const char *scope, int64_t after) {
    const char *key = t->keys->pdata[t->keys->len - 1];
    int column = column_of(t, key), to = SQLITE_OK;
    int64_t step = 1;
    for (int probe = 0; probe < PROBES && to == SQLITE_OK && after < INT64_MAX - step; probe++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT %s FROM %s WHERE %s AND %s > %" G_GINT64_FORMAT " ORDER BY %s",
                            t->columns, t->name, scope, key, (gint64)(after + step), t->ascending);
        uint64_t n;
        bool damaged;
        int64_t last = after;
        to = copy_query(s, t, sql, column, &last, &n, &damaged);
        if (n == 0 && !damaged)
            break; // behind the last row
        if (n > 0) {
            if (!damaged)
                break;
            after = last, step = 1, probe = 0;
        } else {
            step *= 2;
        }
    }
    return to;
}

// For a table by mailbox, folder and something: each folder alone.
static int read_by_folder(struct salvage *s, struct table *t) {
    g_autofree char *fids = scalar_list(s->to, "SELECT fid FROM folder", " ");
    g_auto(GStrv) all = g_strsplit(fids, " ", -1);
    int to = SQLITE_OK;
    for (char **fid = all; *fid && **fid && to == SQLITE_OK; fid++) {
        g_autofree char *scope = g_strdup_printf("mbx = 1 AND fid = %s", *fid);
        g_autofree char *up = g_strdup_printf("SELECT %s FROM %s WHERE %s ORDER BY %s", t->columns,
                                              t->name, scope, t->ascending);
        g_autofree char *down = g_strdup_printf("SELECT %s FROM %s WHERE %s ORDER BY %s",
                                                t->columns, t->name, scope, t->descending);
        uint64_t n;
        bool damaged;
        int64_t last = 0;
        to = copy_query(s, t, up, column_of(t, t->keys->pdata[2]), &last, &n, &damaged);
        if (to == SQLITE_OK && damaged)
            to = copy_query(s, t, down, 0, NULL, &n, &damaged);
        if (to == SQLITE_OK && damaged)
            to = read_gaps(s, t, scope, last);
    }
    return to;
}

static int64_t count_rows(struct salvage *s, const char *name) {
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", name);
    g_autofree char *text = scalar_list(s->to, sql, "");
    return g_ascii_strtoll(text, NULL, 10);
}

static int read_damaged(struct salvage *s, struct table *t, int64_t last) {
    g_autofree char *down =
        g_strdup_printf("SELECT %s FROM %s ORDER BY %s", t->columns, t->name, t->descending);
    uint64_t n;
    bool damaged;
    int to = copy_query(s, t, down, 0, NULL, &n, &damaged);
    if (to != SQLITE_OK || !damaged)
        return to;
    if (t->keys->len == 3 && strcmp(t->keys->pdata[1], "fid") == 0)
        return read_by_folder(s, t);
    if (t->keys->len == 1)
        return read_gaps(s, t, "mbx = 1", last);
    return to;
}

// Messages that an index still knows and whose row is gone.
static void name_lost_messages(struct salvage *s) {
    sqlite3_stmt *known, *have = NULL;
    if (sqlite3_prepare_v2(s->from, "SELECT fid, uid, mid FROM message INDEXED BY message_mid", -1,
                           &known, NULL) != SQLITE_OK) {
        sqlite3_finalize(known);
        return;
    }
    if (sqlite3_prepare_v2(s->to, "SELECT 1 FROM message WHERE mbx = 1 AND fid = ? AND uid = ?", -1,
                           &have, NULL) == SQLITE_OK)
        while (sqlite3_step(known) == SQLITE_ROW) {
            sqlite3_bind_int64(have, 1, sqlite3_column_int64(known, 0));
            sqlite3_bind_int64(have, 2, sqlite3_column_int64(known, 1));
            if (sqlite3_step(have) != SQLITE_ROW)
                g_ptr_array_add(s->lines,
                                g_strdup_printf("folder 0x%" G_GINT64_MODIFIER
                                                "x: the message with uid %" G_GINT64_FORMAT
                                                " is lost; restore it from a backup",
                                                (guint64)sqlite3_column_int64(known, 0),
                                                (gint64)sqlite3_column_int64(known, 1)));
            sqlite3_reset(have);
        }
    sqlite3_finalize(have);
    sqlite3_finalize(known);
}

static int read_table(struct salvage *s, struct table *t, bool *damaged_out) {
    g_autofree char *up =
        g_strdup_printf("SELECT %s FROM %s ORDER BY %s", t->columns, t->name, t->ascending);
    uint64_t n;
    int64_t last = 0;
    int key = t->keys->len ? column_of(t, t->keys->pdata[t->keys->len - 1]) : 0;
    int to = copy_query(s, t, up, key, &last, &n, damaged_out);
    return to == SQLITE_OK && *damaged_out ? read_damaged(s, t, last) : to;
}

// What checksums kept from being read, as it stands.
static int read_doubtful(struct salvage *s, struct table *t, int64_t *n_out) {
    int64_t before = count_rows(s, t->name);
    bool is_damaged;
    s->from = s->trusting;
    int to = read_table(s, t, &is_damaged);
    s->from = s->sound;
    *n_out = count_rows(s, t->name) - before;
    return to;
}

static int salvage_table(struct salvage *s, const char *name) {
    struct table t;
    int to = SQLITE_OK;
    if (table_describe(s, name, &t)) {
        int64_t n_doubtful = 0;
        to = read_table(s, &t, &t.is_damaged);
        if (to == SQLITE_OK && t.is_damaged && s->trusting != NULL)
            to = read_doubtful(s, &t, &n_doubtful);
        if (to == SQLITE_OK && t.is_damaged)
            g_ptr_array_add(s->lines,
                            g_strdup_printf("table %s is damaged: %" G_GINT64_FORMAT
                                            " rows could be read, %" G_GINT64_FORMAT
                                            " of them from pages with a wrong checksum",
                                            name, (gint64)count_rows(s, name), (gint64)n_doubtful));
    } else {
        g_ptr_array_add(s->lines, g_strdup_printf("table %s is gone", name));
    }
    table_clear(&t);
    return to;
}

// Messages of which a part comes from a page with a wrong checksum.
static void name_doubtful_messages(struct salvage *s) {
    sqlite3_stmt *all;
    unsigned n = 0;
    if (g_hash_table_size(s->doubtful) > 0 &&
        sqlite3_prepare_v2(s->to, "SELECT doc, fid, uid, subject FROM message ORDER BY fid, uid",
                           -1, &all, NULL) == SQLITE_OK) {
        while (n < DOUBTFUL_TOLD && sqlite3_step(all) == SQLITE_ROW) {
            int64_t doc = sqlite3_column_int64(all, 0);
            if (!g_hash_table_contains(s->doubtful, &doc))
                continue;
            const char *subject = (const char *)sqlite3_column_text(all, 3);
            g_ptr_array_add(s->lines,
                            g_strdup_printf("folder 0x%" G_GINT64_MODIFIER
                                            "x: the message with uid %" G_GINT64_FORMAT
                                            " \"%s\" may be wrong in a few places; compare it "
                                            "with a backup",
                                            (guint64)sqlite3_column_int64(all, 1),
                                            (gint64)sqlite3_column_int64(all, 2),
                                            subject ? subject : ""));
            n++;
        }
        sqlite3_finalize(all);
    }
    if (n == DOUBTFUL_TOLD)
        g_ptr_array_add(s->lines, g_strdup("more messages may be wrong in a few places"));
}

// --- The file ---

static enum ec copy_bytes(const char *from, const char *to, const uint8_t *head, size_t head_len) {
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
    enum ec ec = in < 0 ? lite_errno_to_ec(errno) : EC_OK;
    if (ec == EC_OK && (out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
        ec = lite_errno_to_ec(errno);
    g_autofree uint8_t *buffer = g_malloc(1 << 16);
    ssize_t n = 1;
    while (ec == EC_OK && (n = read(in, buffer, 1 << 16)) > 0)
        if (write(out, buffer, (size_t)n) != n)
            ec = EC_DISK_FULL;
    if (ec == EC_OK && n < 0)
        ec = lite_errno_to_ec(errno);
    if (ec == EC_OK && head_len > 0 && pwrite(out, head, head_len, 0) != (ssize_t)head_len)
        ec = EC_DISK_FULL;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return ec;
}

// Makes the first page, as far as it is there, begin as in every file of ours: by that SQLite knows
// its files. Whether its pages have checksums is seen in the next ones.
static bool mend_head(const char *copy, uint8_t *page) {
    static const uint8_t head[24] = "SQLite format 3\0\x20\x00\x02\x02\x00\x40\x20\x20";
    g_autofree uint8_t *next = g_malloc(DB_PAGE_SIZE);
    bool has_sums = false;
    int fd = open(copy, O_RDONLY | O_CLOEXEC);
    bool is_whole = fd >= 0 && pread(fd, page, DB_PAGE_SIZE, 0) == DB_PAGE_SIZE;
    for (uint64_t n = 2; is_whole && !has_sums && n < 2 + HEAD_LOOKS; n++) {
        off_t pos = (off_t)(n - 1) * DB_PAGE_SIZE;
        has_sums = pread(fd, next, DB_PAGE_SIZE, pos) == DB_PAGE_SIZE &&
                   page_sum_is_right(next, DB_PAGE_SIZE, n);
    }
    if (fd >= 0)
        close(fd);
    memcpy(page, head, sizeof head);
    if (has_sums) {
        page[HEAD_RESERVED] = PAGE_SUM_SIZE;
        page_sum_seal(page, DB_PAGE_SIZE, 1);
    }
    return is_whole;
}

// The original is not opened for it when somebody has it open: that would drop SQLite's locks.
static enum ec copy_with_head(const char *path, const char *copy) {
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *copy_wal = g_strconcat(copy, "-wal", NULL);
    g_autofree uint8_t *page = g_malloc0(DB_PAGE_SIZE);
    EC_TRY(copy_bytes(path, copy, NULL, 0));
    if (!mend_head(copy, page))
        return EC_CORRUPT_DATA;
    EC_TRY(copy_bytes(path, copy, page, DB_PAGE_SIZE));
    if (access(wal, F_OK) == 0)
        return copy_bytes(wal, copy_wal, NULL, 0);
    return EC_OK;
}

static bool can_be_read(sqlite3 *db) {
    // Lets SQLite read a file that was cut off.
    sqlite3_exec(db, "PRAGMA writable_schema = ON", NULL, NULL, NULL);
    return sqlite3_exec(db, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) == SQLITE_OK;
}

static int open_old(const char *path, int flags, bool is_trusting, sqlite3 **out) {
    int code = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, LITE_VFS);
    if (code == SQLITE_OK && is_trusting)
        code = sqlite3_file_control(*out, "main", LITE_SUMS_TRUST, NULL);
    sqlite3_exec(*out, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
    if (code == SQLITE_OK && can_be_read(*out))
        return SQLITE_OK;
    sqlite3_close(*out);
    *out = NULL;
    return SQLITE_CORRUPT;
}

// A first page that is wrong may say that there are no checksums.
static bool has_bad_head(sqlite3 *handle) {
    g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(int64_t));
    return !lite_sums_are_on(handle) && lite_sums_verify(handle, bad) == SQLITE_OK && bad->len > 0;
}

static enum ec open_damaged(struct salvage *s, const char *path, const char *copy) {
    int flags = SQLITE_OPEN_READONLY;
    int code = open_old(path, flags, false, &s->sound);
    if (code == SQLITE_OK && has_bad_head(s->sound)) {
        sqlite3_close(s->sound);
        code = SQLITE_CORRUPT;
    }
    if (code != SQLITE_OK) {
        EC_TRY(copy_with_head(path, copy));
        path = copy;
        flags = SQLITE_OPEN_READWRITE;
        if (open_old(path, flags, false, &s->sound) != SQLITE_OK)
            return EC_CORRUPT_DATA;
    }
    s->from = s->sound;
    if (lite_sums_are_on(s->sound))
        (void)open_old(path, flags, true, &s->trusting); // without it less is found
    return EC_OK;
}

static enum ec salvage_all(struct salvage *s) {
    g_autofree char *names = scalar_list(
        s->to,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name <> 'schema_version' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " ORDER BY name <> 'folder', name", // folders first: others are read by them
        " ");
    g_auto(GStrv) all = g_strsplit(names, " ", -1);
    int code = sqlite3_exec(s->to, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL);
    for (char **name = all; *name && code == SQLITE_OK; name++)
        code = salvage_table(s, *name);
    if (code == SQLITE_OK)
        name_lost_messages(s);
    if (code == SQLITE_OK)
        name_doubtful_messages(s);
    if (code == SQLITE_OK)
        code = sqlite3_exec(s->to,
                            "COMMIT; PRAGMA synchronous = FULL;"
                            "PRAGMA wal_checkpoint(TRUNCATE)",
                            NULL, NULL, NULL);
    return code == SQLITE_OK ? EC_OK : lite_code_to_ec(code, sqlite3_system_errno(s->to));
}

enum ec db_salvage(const char *path, const struct db_schema *schema, const char *to_path,
                   GPtrArray *lines) {
    struct db_options options = {.durability = DB_DURABLE};
    struct salvage s = {.lines = lines};
    g_autofree char *copy = g_strconcat(to_path, ".source", NULL);
    struct db *db;
    db_file_unlink(to_path);
    EC_TRY(db_open(to_path, schema, &options, &db));
    db_close(db);
    s.doubtful = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    enum ec ec = open_damaged(&s, path, copy);
    if (ec == EC_OK && sqlite3_open_v2(to_path, &s.to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                       LITE_VFS) != SQLITE_OK)
        ec = EC_DISK_ERROR;
    if (ec == EC_OK)
        ec = salvage_all(&s);
    g_hash_table_unref(s.doubtful);
    sqlite3_close(s.sound);
    sqlite3_close(s.trusting);
    sqlite3_close(s.to);
    db_file_unlink(copy);
    if (ec != EC_OK)
        db_file_unlink(to_path);
    log_event(ec == EC_OK ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "db.salvaged", "path", path,
              "result", ec_text(ec), NULL);
    return ec;
}
