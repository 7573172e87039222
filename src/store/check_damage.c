// The check of what rows hold, before anything is counted: values that cannot be decoded, messages
// whose contents are gone, folders that must be there.
//
// What cannot be understood is put into the table `quarantine`. A message then gets its contents
// anew from its internet original, or, without one, just what lists show of it; so it stays
// listable and can be restored from a backup.
#include <string.h>

#include "convert/convert.h"
#include "formats/mime.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "store/check_internal.h"
#include "store/folder_internal.h"
#include "store/public_internal.h"

struct described {
    uint64_t doc, fid;
    uint32_t uid;
    char *subject, *class;
    filetime_t received;
};

static void described_free(gpointer p) {
    struct described *d = p;
    g_free(d->subject);
    g_free(d->class);
    g_free(d);
}

// --- Finding ---

static bool decodes(struct db_stmt *q, int column) {
    BAG_AUTO bag = NULL;
    return stored_bag(q, column, &bag) == EC_OK;
}

static void add_doc(GHashTable *docs, uint64_t doc) {
    if (!g_hash_table_contains(docs, &doc))
        g_hash_table_add(docs, g_memdup2(&doc, sizeof doc));
}

static bool recipients_decode(struct db_stmt *q, int column) {
    size_t n;
    const void *data = db_col_blob(q, column, &n);
    g_autoptr(GPtrArray) bags = g_ptr_array_new_with_free_func((GDestroyNotify)bag_free);
    return contents_decode_recipients(data, n, bags) == EC_OK;
}

static enum ec find_damaged(struct check *c, GHashTable *docs) {
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_docs);
    db_bind_i64(q, 1, MBX);
    while (db_step(q))
        if (!decodes(q, 1) || !recipients_decode(q, 2))
            add_doc(docs, (uint64_t)db_col_i64(q, 0));
    EC_TRY(db_finish(q));
    q = db_query(c->tx->conn, sql_damage_attachments);
    db_bind_i64(q, 1, MBX);
    while (db_step(q))
        if (!decodes(q, 1))
            add_doc(docs, (uint64_t)db_col_i64(q, 0));
    EC_TRY(db_finish(q));
    q = db_query(c->tx->conn, sql_damage_lost_docs);
    db_bind_i64(q, 1, MBX);
    while (db_step(q))
        add_doc(docs, (uint64_t)db_col_i64(q, 0));
    return db_finish(q);
}

// The messages that have these contents.
static enum ec describe(struct check *c, GHashTable *docs, GHashTable *out) {
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_messages);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t doc = (uint64_t)db_col_i64(q, 2);
        if (!g_hash_table_contains(docs, &doc) || g_hash_table_contains(out, &doc))
            continue;
        struct described *d = g_new0(struct described, 1);
        *d = (struct described){.doc = doc,
                                .fid = (uint64_t)db_col_i64(q, 0),
                                .uid = (uint32_t)db_col_i64(q, 1),
                                .subject = g_strdup(db_col_text(q, 3)),
                                .class = g_strdup(db_col_text(q, 4)),
                                .received = (filetime_t)db_col_i64(q, 5)};
        g_hash_table_insert(out, &d->doc, d);
    }
    return db_finish(q);
}

// --- Mending contents ---

enum ec check_quarantine(struct check *c, const char *what, const void *data, size_t len) {
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_keep);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)c->tx->now);
    db_bind_text(q, 3, what);
    db_bind_blob(q, 4, data ? data : "", data ? len : 0);
    return db_run(q, NULL);
}

static enum ec run_for(struct check *c, const char *sql, uint64_t doc) {
    struct db_stmt *q = db_query(c->tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    return db_run(q, NULL);
}

// One of the columns of the damaged row.
static enum ec keep_column(struct check *c, uint64_t doc, int column, const char *name) {
    g_autoptr(GBytes) bytes = NULL;
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_raw_doc);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    if (db_step(q)) {
        size_t n;
        const void *data = db_col_blob(q, column, &n);
        bytes = g_bytes_new(data, data ? n : 0);
    }
    EC_TRY(db_finish(q));
    if (!bytes || g_bytes_get_size(bytes) == 0)
        return EC_OK;
    g_autofree char *what =
        g_strdup_printf("%s of contents 0x%" G_GINT64_MODIFIER "x", name, (guint64)doc);
    return check_quarantine(c, what, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static enum ec keep_damaged(struct check *c, uint64_t doc) {
    EC_TRY(keep_column(c, doc, 0, "properties"));
    return keep_column(c, doc, 1, "recipients");
}

// The contents as the internet original has them; NULL when there is none that can be read.
static struct message_value *value_from_mime(struct check *c, uint64_t doc, uint64_t *source_out) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) bytes = NULL;
    struct message_value *value = NULL;
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_mime);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    uint64_t blob = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    if (db_finish(q) != EC_OK || blob == 0 || blob_read(c->tx, blob, 0, 0, &bytes) != EC_OK)
        return NULL;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    const struct mime_message *mime = mime_scan(arena, data ? data : "", len);
    if (convert_mime_to_message(mime, &value) != EC_OK)
        return NULL;
    *source_out = blob;
    return value;
}

static struct message_value *value_from_row(const struct described *d) {
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, d && d->class && *d->class ? d->class : "IPM.Note");
    if (d) {
        bag_set_str(value->bag, PidTagSubject, d->subject);
        bag_set_time(value->bag, PidTagMessageDeliveryTime, d->received);
    }
    return value;
}

static enum ec mend_doc(struct check *c, uint64_t doc, const struct described *d,
                        bool *from_mime_out) {
    uint64_t source = 0, size = 0;
    EC_TRY(keep_damaged(c, doc));
    EC_TRY(run_for(c, sql_damage_drop_doc, doc));
    EC_TRY(run_for(c, sql_damage_drop_attachments, doc));
    struct message_value *value = value_from_mime(c, doc, &source);
    *from_mime_out = value != NULL;
    if (!value)
        value = value_from_row(d);
    // Every reference is counted afterwards.
    enum ec ec = contents_insert(c->tx, doc, value, source, &size);
    message_value_free(value);
    return ec;
}

static enum ec check_values(struct check *c) {
    g_autoptr(GHashTable) docs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, described_free);
    EC_TRY(find_damaged(c, docs));
    if (g_hash_table_size(docs) == 0)
        return EC_OK;
    EC_TRY(describe(c, docs, known));
    GHashTableIter it;
    gpointer key;
    g_hash_table_iter_init(&it, docs);
    while (g_hash_table_iter_next(&it, &key, NULL)) {
        uint64_t doc = *(uint64_t *)key;
        const struct described *d = g_hash_table_lookup(known, &doc);
        bool mend = check_wants_repair(c), from_mime = false;
        if (mend)
            EC_TRY(mend_doc(c, doc, d, &from_mime));
        g_autofree char *name =
            d ? check_message_name(c, d->fid, d->uid, d->subject)
              : g_strdup_printf("contents 0x%" G_GINT64_MODIFIER "x", (guint64)doc);
        check_fault(c, mend, "%s: its properties are gone or cannot be decoded%s", name,
                    !mend       ? ""
                    : from_mime ? "; made anew from the internet original"
                                : "; only what lists show is left, restore it from a backup");
        c->n_quarantined += mend && !from_mime;
    }
    return EC_OK;
}

// --- Folders and the mailbox itself ---

static enum ec check_mailbox_props(struct check *c) {
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_raw_mailbox);
    g_autoptr(GBytes) bytes = NULL;
    db_bind_i64(q, 1, MBX);
    if (db_step(q) && !decodes(q, 0)) {
        size_t n;
        const void *data = db_col_blob(q, 0, &n);
        bytes = g_bytes_new(data, n);
    }
    EC_TRY(db_finish(q));
    if (!bytes)
        return EC_OK;
    check_fault(c, check_wants_repair(c), "mailbox: its properties cannot be decoded");
    if (!check_wants_repair(c))
        return EC_OK;
    BAG_AUTO props = mailbox_new_store_props(c->tx->mbox);
    EC_TRY(check_quarantine(c, "properties of the mailbox", g_bytes_get_data(bytes, NULL),
                            g_bytes_get_size(bytes)));
    q = db_query(c->tx->conn, sql_damage_mailbox_clear);
    db_bind_i64(q, 1, MBX);
    EC_TRY(db_run(q, NULL));
    return mbox_set_props(c->tx, props, NULL, 0);
}

struct folder_damage {
    uint64_t fid;
    char *name;
    GBytes *bytes;
};

static void folder_damage_clear(gpointer p) {
    struct folder_damage *d = p;
    g_free(d->name);
    g_bytes_unref(d->bytes);
}

static enum ec mend_folder_props(struct check *c, const struct folder_damage *d) {
    bool is_finder = d->fid == FID_ROOT || d->fid == FID_INBOX;
    BAG_AUTO props = is_finder ? mailbox_new_finder_props(c->tx->mbox) : bag_new();
    g_autoptr(GBytes) encoded = bag_encode(props);
    g_autofree char *what =
        g_strdup_printf("properties of folder 0x%" G_GINT64_MODIFIER "x", (guint64)d->fid);
    EC_TRY(check_quarantine(c, what, g_bytes_get_data(d->bytes, NULL), g_bytes_get_size(d->bytes)));
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_folder_set);
    db_bind_blob(q, 1, g_bytes_get_data(encoded, NULL), g_bytes_get_size(encoded));
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)d->fid);
    return db_run(q, NULL);
}

// Also notes the folders' names, for what is reported later.
static enum ec check_folder_props(struct check *c) {
    g_autoptr(GArray) damaged = g_array_new(FALSE, FALSE, sizeof(struct folder_damage));
    g_array_set_clear_func(damaged, folder_damage_clear);
    struct db_stmt *q = db_query(c->tx->conn, sql_damage_folders);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t fid = (uint64_t)db_col_i64(q, 0);
        g_hash_table_insert(c->folder_names, g_memdup2(&fid, sizeof fid),
                            g_strdup(db_col_text(q, 1)));
        if (decodes(q, 2))
            continue;
        size_t n;
        const void *data = db_col_blob(q, 2, &n);
        struct folder_damage d = {fid, g_strdup(db_col_text(q, 1)), g_bytes_new(data, n)};
        g_array_append_val(damaged, d);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; i < damaged->len; i++) {
        const struct folder_damage *d = &g_array_index(damaged, struct folder_damage, i);
        check_fault(c, check_wants_repair(c), "folder \"%s\": its properties cannot be decoded",
                    d->name);
        if (check_wants_repair(c))
            EC_TRY(mend_folder_props(c, d));
    }
    return EC_OK;
}

static enum ec make_special(struct check *c, const struct special_folder_info *info) {
    uint64_t other;
    const char *name = special_folder_name(info->fid, c->tx->mbox->locale);
    // A user's folder may have taken the name.
    g_autofree char *second = g_strdup_printf("%s (2)", name);
    if (folder_find(c->tx, info->parent, name, &other) == EC_OK)
        name = second;
    EC_TRY(mailbox_insert_special(c->tx, info->fid, name, c->tx->mbox->locale));
    g_hash_table_insert(c->folder_names, g_memdup2(&info->fid, sizeof info->fid), g_strdup(name));
    return EC_OK;
}

static enum ec check_public(struct check *c) {
    uint64_t fid;
    const char *name;
    for (unsigned i = 0; public_folder_at(i, &fid, &name); i++)
        if (!g_hash_table_contains(c->folder_names, &fid))
            check_fault(c, false, "public folder \"%s\" is missing", name);
    return EC_OK;
}

static enum ec check_special(struct check *c) {
    if (mbox_is_public(c->tx->mbox))
        return check_public(c);
    unsigned n;
    const struct special_folder_info *all = special_folders(&n);
    for (unsigned i = 0; i < n; i++) {
        if (g_hash_table_contains(c->folder_names, &all[i].fid))
            continue;
        check_fault(c, check_wants_repair(c), "special folder \"%s\" is missing", all[i].name);
        if (check_wants_repair(c))
            EC_TRY(make_special(c, &all[i]));
    }
    return EC_OK;
}

static enum ec mend_by(struct check *c, const char *sql) {
    struct db_stmt *q = db_query(c->tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    return db_run(q, NULL);
}

enum ec check_damage(struct check *c) {
    // New ids must be past what is in use, whatever the counter says.
    EC_TRY(check_mailbox_props(c));
    EC_TRY(check_folder_props(c));
    EC_TRY(check_special(c));
    return check_values(c);
}

enum ec check_mend_rows(struct check *c) {
    if (!check_wants_repair(c))
        return EC_OK;
    EC_TRY(mend_by(c, sql_damage_modseq));
    return mend_by(c, sql_damage_mime_flag);
}
