// The check of messages' contents, blobs, and how often each is referenced.
#include "base/wire.h"
#include "store/blob_internal.h"
#include "store/check_internal.h"
#include "store/message.h"

#define HEX "0x%" G_GINT64_MODIFIER "x"

// --- What is there ---

static enum ec read_blobs(struct check *c) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_blobs);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct blob_seen *b = check_blob(c, (uint64_t)db_col_i64(q, 0));
        b->refs = db_col_i64(q, 1);
        b->size = db_col_i64(q, 2);
        b->exists = true;
        check_saw_id(c, b->blob);
    }
    return db_finish(q);
}

static void want_blob(struct check *c, uint64_t blob, uint64_t doc) {
    struct blob_seen *b = check_blob(c, blob);
    b->wanted++;
    b->doc = doc;
}

// Counts the blobs a bag points to; false: it cannot be decoded.
static bool count_bag(struct check *c, struct db_stmt *q, int column, const struct doc_seen *d) {
    BAG_AUTO bag = NULL;
    if (stored_bag(q, column, &bag) != EC_OK)
        return false;
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        if (v->is_external && v->external.blob && v->external.blob != d->source)
            want_blob(c, v->external.blob, d->doc);
    }
    return true;
}

static enum ec read_docs(struct check *c) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_docs);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct doc_seen *d = check_doc(c, (uint64_t)db_col_i64(q, 0));
        d->refs = db_col_i64(q, 1);
        d->source = (uint64_t)db_col_i64(q, 2);
        d->exists = true;
        check_saw_id(c, d->doc);
        if (d->source)
            want_blob(c, d->source, d->doc);
        count_bag(c, q, 3, d); // check_damage.c tells of those that cannot be decoded
    }
    EC_TRY(db_finish(q));
    q = db_query(c->tx->conn, sql_check_mimes);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct doc_seen *d = check_doc(c, (uint64_t)db_col_i64(q, 0));
        d->has_mime = true;
        want_blob(c, (uint64_t)db_col_i64(q, 1), d->doc);
    }
    return db_finish(q);
}

static enum ec read_attachments(struct check *c) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_attachments);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct doc_seen *owner = check_doc(c, (uint64_t)db_col_i64(q, 0));
        uint64_t blob = (uint64_t)db_col_i64(q, 2), embedded = (uint64_t)db_col_i64(q, 3);
        if (embedded)
            check_doc(c, embedded)->wanted++;
        else if (blob && blob != owner->source)
            want_blob(c, blob, owner->doc);
        count_bag(c, q, 4, owner);
    }
    return db_finish(q);
}

static enum ec read_messages(struct check *c) {
    struct db_stmt *q = db_query(c->tx->conn, sql_check_messages);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        uint64_t mid = (uint64_t)db_col_i64(q, 2);
        struct doc_seen *d = check_doc(c, (uint64_t)db_col_i64(q, 3));
        d->wanted++;
        check_saw_id(c, mid);
        check_saw_id(c, (uint64_t)db_col_i64(q, 6));
        if (!d->fid) {
            d->fid = (uint64_t)db_col_i64(q, 0), d->uid = (uint32_t)db_col_i64(q, 1);
            d->subject = g_strdup(db_col_text(q, 9));
        }
        bool has_mime = db_col_i64(q, 7) & MSG_HAS_MIME;
        bool is_wrong = db_col_i64(q, 6) != MAX(db_col_i64(q, 4), db_col_i64(q, 5));
        if (!is_wrong && (!has_mime || d->has_mime))
            continue;
        g_autofree char *name = check_message_name(c, (uint64_t)db_col_i64(q, 0),
                                                   (uint32_t)db_col_i64(q, 1), db_col_text(q, 9));
        if (has_mime && !d->has_mime)
            check_fault(c, check_wants_repair(c), "%s: its internet form is missing", name);
        if (is_wrong)
            check_fault(c, check_wants_repair(c), "%s: modseq is not the newest change number",
                        name);
    }
    return db_finish(q);
}

// --- What should be ---

static enum ec set_refs(struct check *c, const char *sql, uint64_t id, int64_t refs) {
    struct db_stmt *q = db_query(c->tx->conn, sql);
    db_bind_i64(q, 1, refs);
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)id);
    return db_run(q, NULL);
}

// Contents nobody refers to are deleted with what they refer to, so this comes before the blobs.
static enum ec settle_docs(struct check *c) {
    GHashTableIter it;
    gpointer value;
    bool mend = check_wants_repair(c);
    g_hash_table_iter_init(&it, c->docs);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct doc_seen *d = value;
        if (!d->exists || d->refs == d->wanted)
            continue;
        check_fault(c, mend,
                    "contents " HEX ": %" G_GINT64_FORMAT " references noted, %" G_GINT64_FORMAT
                    " found",
                    (guint64)d->doc, (gint64)d->refs, (gint64)d->wanted);
        if (!mend)
            continue;
        EC_TRY(set_refs(c, sql_check_doc_refs, d->doc, MAX(d->wanted, 1)));
        if (d->wanted == 0)
            EC_TRY(contents_unref(c->tx, d->doc));
    }
    return EC_OK;
}

// The message that needs a blob, or what else is known of it.
static char *name_of(struct check *c, const struct blob_seen *b) {
    const struct doc_seen *d = g_hash_table_lookup(c->docs, &b->doc);
    return d && d->fid ? check_message_name(c, d->fid, d->uid, d->subject)
                       : g_strdup_printf("contents " HEX, (guint64)b->doc);
}

static enum ec settle_blobs(struct check *c) {
    GHashTableIter it;
    gpointer value;
    bool mend = check_wants_repair(c);
    g_hash_table_iter_init(&it, c->blobs);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct blob_seen *b = value;
        if (!b->exists) {
            g_autofree char *name = name_of(c, b);
            check_fault(c, false,
                        "%s: blob " HEX " is missing, and needed by %" G_GINT64_FORMAT
                        " contents; restore the message from a backup",
                        name, (guint64)b->blob, (gint64)b->wanted);
            continue;
        }
        if (b->refs == b->wanted)
            continue;
        check_fault(c, mend,
                    "blob " HEX ": %" G_GINT64_FORMAT " references noted, %" G_GINT64_FORMAT
                    " found",
                    (guint64)b->blob, (gint64)b->refs, (gint64)b->wanted);
        // What could not be decoded may have referred to it: a second repair takes it away.
        if (!mend || (b->wanted == 0 && c->n_quarantined > 0))
            continue;
        // One reference too many, so that dropping it deletes what nobody needs.
        EC_TRY(set_refs(c, sql_check_blob_refs, b->blob, MAX(b->wanted, 1)));
        if (b->wanted == 0)
            EC_TRY(blob_unref(c->tx, b->blob));
    }
    return EC_OK;
}

// Every blob decompresses to the size noted.
static void read_every_blob(struct check *c) {
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, c->blobs);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct blob_seen *b = value;
        g_autoptr(GBytes) bytes = NULL;
        if (!b->exists || b->wanted == 0)
            continue;
        enum ec ec = blob_read(c->tx, b->blob, 0, 0, &bytes);
        if (ec == EC_OK && (int64_t)g_bytes_get_size(bytes) == b->size)
            continue;
        g_autofree char *name = name_of(c, b);
        check_fault(c, false, "%s: blob " HEX " cannot be read (%s); restore it from a backup",
                    name, (guint64)b->blob, ec_text(ec));
    }
}

enum ec check_contents(struct check *c) {
    EC_TRY(read_blobs(c));
    EC_TRY(read_docs(c));
    EC_TRY(read_attachments(c));
    EC_TRY(read_messages(c));
    EC_TRY(settle_docs(c));
    EC_TRY(settle_blobs(c));
    if (c->options->with_contents)
        read_every_blob(c);
    return check_mend_rows(c);
}
