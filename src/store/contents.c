// A message's contents as stored: bag, recipients, attachments, embedded messages, renditions.
#include <string.h>

#include "base/wire.h"
#include "mapi/props.h"
#include "store/blob_internal.h"
#include "store/message_internal.h"

#define RECIPIENTS_MAX_BYTES (64 * 1024 * 1024)

static enum ec insert_level(struct mbox_tx *tx, uint64_t doc, const struct message_value *value,
                            uint64_t source, unsigned depth, uint64_t *size_out);

// --- Writing ---

// The value as it is stored: what points into the original gets the original's blob, a large string
// or binary becomes a blob of its own.
static enum ec settle_value(struct mbox_tx *tx, const struct prop_value *v, uint64_t source,
                            struct prop_value *out, uint64_t *size) {
    *out = *v;
    if (v->is_external) {
        if (v->external.blob == 0)
            out->external.blob = source;
        else if (v->external.blob != source)
            EC_TRY(blob_ref(tx, v->external.blob, 1));
        return EC_OK;
    }
    size_t n = prop_size(v);
    *size += n + 8;
    uint16_t type = PROP_TYPE(v->tag);
    if (n <= PROP_INLINE_MAX || (type != PT_UNICODE && type != PT_BINARY))
        return EC_OK;
    const void *data = type == PT_UNICODE ? (const void *)v->str : v->bin.data;
    size_t len = type == PT_UNICODE ? strlen(v->str) : v->bin.len;
    out->is_external = true;
    out->external = (struct prop_external){.len = len};
    return blob_store(tx, data, len, 1, &out->external.blob);
}

static enum ec settle_bag(struct mbox_tx *tx, const struct bag *bag, uint64_t source,
                          uint64_t *size, GBytes **out) {
    BAG_AUTO settled = NULL;
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        bool is_large = !v->is_external && prop_size(v) > PROP_INLINE_MAX;
        if (!v->is_external && !is_large) {
            *size += prop_size(v) + 8;
            continue;
        }
        struct prop_value stored;
        EC_TRY(settle_value(tx, v, source, &stored, size));
        if (!settled)
            settled = bag_copy(bag);
        EC_TRY(bag_set(settled, &stored));
    }
    *out = bag_encode(settled ? settled : bag);
    return EC_OK;
}

static enum ec encode_recipients(const GPtrArray *recipients, uint64_t *size, GByteArray **out) {
    *out = NULL;
    if (recipients->len == 0)
        return EC_OK;
    struct wire_writer w = wire_writer(RECIPIENTS_MAX_BYTES);
    wire_put_varint(&w, recipients->len);
    for (guint i = 0; i < recipients->len; i++) {
        g_autoptr(GBytes) bytes = bag_encode(recipients->pdata[i]);
        wire_put_varint(&w, g_bytes_get_size(bytes));
        wire_put_bytes(&w, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    }
    *out = wire_writer_take(&w);
    wire_writer_clear(&w);
    if (!*out)
        return EC_TOO_MANY_RECIPIENTS;
    *size += (*out)->len;
    return EC_OK;
}

static enum ec insert_data(struct mbox_tx *tx, uint64_t doc, const struct message_value *value,
                           uint64_t source, uint64_t *size) {
    g_autoptr(GBytes) props = NULL;
    g_autoptr(GByteArray) recipients = NULL;
    BAG_AUTO resolved = NULL;
    EC_TRY(value_resolve_names(tx, value, &resolved));
    EC_TRY(settle_bag(tx, resolved ? resolved : value->bag, source, size, &props));
    EC_TRY(encode_recipients(value->recipients, size, &recipients));
    struct db_stmt *q = db_query(tx->conn, sql_data_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    db_bind_i64(q, 3, (int64_t)source);
    db_bind_blob(q, 4, g_bytes_get_data(props, NULL), g_bytes_get_size(props));
    db_bind_blob(q, 5, recipients ? recipients->data : NULL, recipients ? recipients->len : 0);
    return db_run(q, NULL);
}

static enum ec insert_attachment(struct mbox_tx *tx, uint64_t doc, unsigned num,
                                 const struct attachment_value *a, uint64_t source, unsigned depth,
                                 uint64_t *size) {
    struct prop_external content = a->external;
    uint64_t embedded = 0;
    g_autoptr(GBytes) props = NULL;
    if (a->embedded) {
        embedded = mbox_next_id(tx);
        EC_TRY(insert_level(tx, embedded, a->embedded, source, depth + 1, size));
    } else if (a->data) {
        size_t len;
        const void *data = g_bytes_get_data(a->data, &len);
        content = (struct prop_external){.len = len};
        EC_TRY(blob_store(tx, data ? data : "", len, 1, &content.blob));
        *size += len;
    } else if (content.len > 0 && content.blob == 0) {
        content.blob = source;
    } else if (content.blob != 0 && content.blob != source) {
        EC_TRY(blob_ref(tx, content.blob, 1));
        *size += content.len;
    }
    EC_TRY(settle_bag(tx, a->bag, source, size, &props));
    struct db_stmt *q = db_query(tx->conn, sql_attachment_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    db_bind_i64(q, 3, num);
    db_bind_blob(q, 4, g_bytes_get_data(props, NULL), g_bytes_get_size(props));
    db_bind_i64(q, 5, (int64_t)content.blob);
    db_bind_i64(q, 6, (int64_t)content.pos);
    db_bind_i64(q, 7, (int64_t)content.len);
    db_bind_i64(q, 8, content.encoding);
    db_bind_i64(q, 9, (int64_t)embedded);
    return db_run(q, NULL);
}

static enum ec insert_level(struct mbox_tx *tx, uint64_t doc, const struct message_value *value,
                            uint64_t source, unsigned depth, uint64_t *size) {
    if (depth > EMBEDDED_MAX_DEPTH)
        return EC_TOO_COMPLEX;
    if (source)
        EC_TRY(blob_ref(tx, source, 1));
    EC_TRY(insert_data(tx, doc, value, source, size));
    for (guint i = 0; i < value->attachments->len; i++)
        EC_TRY(insert_attachment(tx, doc, i, value->attachments->pdata[i], source, depth, size));
    return EC_OK;
}

enum ec contents_insert(struct mbox_tx *tx, uint64_t doc, const struct message_value *value,
                        uint64_t source, uint64_t *size_out) {
    *size_out = 0;
    return insert_level(tx, doc, value, source, 0, size_out);
}

enum ec contents_set_mime(struct mbox_tx *tx, uint64_t doc, uint64_t blob, const char *envelope,
                          const char *structure) {
    struct db_stmt *q = db_query(tx->conn, sql_mime_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    db_bind_i64(q, 3, (int64_t)blob);
    // Blobs: they may hold bytes of headers in any charset.
    db_bind_blob(q, 4, envelope ? envelope : "", envelope ? strlen(envelope) : 0);
    db_bind_blob(q, 5, structure ? structure : "", structure ? strlen(structure) : 0);
    return db_run(q, NULL);
}

// --- Loading ---

enum ec stored_bag(struct db_stmt *q, int column, struct bag **out) {
    size_t n;
    const void *data = db_col_blob(q, column, &n);
    if (!data) {
        *out = bag_new();
        return EC_OK;
    }
    return bag_decode(data, n, out);
}

enum ec contents_decode_recipients(const void *data, size_t len, GPtrArray *out) {
    if (!data)
        return EC_OK;
    struct wire_reader r = wire_reader(data, len);
    uint64_t n = wire_varint(&r);
    for (uint64_t i = 0; i < n && wire_ok(&r); i++) {
        size_t size = wire_varint(&r);
        const uint8_t *bytes = wire_bytes(&r, size);
        struct bag *bag;
        if (!bytes || bag_decode(bytes, size, &bag) != EC_OK)
            return EC_CORRUPT_DATA;
        g_ptr_array_add(out, bag);
    }
    return wire_ok(&r) ? EC_OK : EC_CORRUPT_DATA;
}

static enum ec load_level(struct mbox_tx *tx, uint64_t doc, unsigned depth,
                          struct message_value **out, uint64_t *source_out);

static enum ec load_attachments(struct mbox_tx *tx, uint64_t doc, unsigned depth, GPtrArray *out) {
    g_autoptr(GArray) embedded = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    enum ec ec = EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_attachment_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    while (ec == EC_OK && db_step(q)) {
        struct attachment_value *a = attachment_value_new();
        g_ptr_array_add(out, a);
        bag_free(a->bag);
        a->bag = NULL;
        ec = stored_bag(q, 1, &a->bag);
        a->external = (struct prop_external){.blob = (uint64_t)db_col_i64(q, 2),
                                             .pos = (uint64_t)db_col_i64(q, 3),
                                             .len = (uint64_t)db_col_i64(q, 4),
                                             .encoding = (uint8_t)db_col_i64(q, 5)};
        uint64_t id = (uint64_t)db_col_i64(q, 6);
        g_array_append_val(embedded, id);
    }
    enum ec query = db_finish(q);
    if (query != EC_OK || ec != EC_OK)
        return query != EC_OK ? query : ec;
    for (guint i = 0; i < out->len; i++) {
        uint64_t id = g_array_index(embedded, uint64_t, i);
        if (id)
            EC_TRY(load_level(tx, id, depth + 1,
                              &((struct attachment_value *)out->pdata[i])->embedded, NULL));
    }
    return EC_OK;
}

static enum ec load_level(struct mbox_tx *tx, uint64_t doc, unsigned depth,
                          struct message_value **out, uint64_t *source_out) {
    if (depth > EMBEDDED_MAX_DEPTH)
        return EC_CORRUPT_DATA;
    struct message_value *value = message_value_new();
    enum ec ec = EC_NOT_FOUND;
    struct db_stmt *q = db_query(tx->conn, sql_data_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    if (db_step(q)) {
        size_t n;
        if (source_out)
            *source_out = (uint64_t)db_col_i64(q, 1);
        bag_free(value->bag);
        value->bag = NULL;
        ec = stored_bag(q, 2, &value->bag);
        const void *recipients = db_col_blob(q, 3, &n);
        if (ec == EC_OK)
            ec = contents_decode_recipients(recipients, n, value->recipients);
    }
    enum ec query = db_finish(q);
    if (query == EC_OK && ec == EC_OK)
        query = load_attachments(tx, doc, depth, value->attachments);
    if (query != EC_OK || ec != EC_OK) {
        message_value_free(value);
        return query != EC_OK ? query : ec;
    }
    *out = value;
    return EC_OK;
}

enum ec contents_load(struct mbox_tx *tx, uint64_t doc, struct message_value **out,
                      uint64_t *source_out) {
    return load_level(tx, doc, 0, out, source_out);
}

// --- References ---

enum ec contents_ref(struct mbox_tx *tx, uint64_t doc) {
    struct db_stmt *q = db_query(tx->conn, sql_data_ref);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    return db_run(q, NULL);
}

static enum ec delete_by_doc(struct mbox_tx *tx, const char *sql, uint64_t doc) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    return db_run(q, NULL);
}

static enum ec unref_externals(struct mbox_tx *tx, const struct bag *bag, uint64_t source) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        if (v->is_external && v->external.blob != source)
            EC_TRY(blob_unref(tx, v->external.blob));
    }
    return EC_OK;
}

static enum ec delete_mime(struct mbox_tx *tx, uint64_t doc) {
    struct db_stmt *q = db_query(tx->conn, sql_mime_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    uint64_t blob = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    EC_TRY(db_finish(q));
    if (blob == 0)
        return EC_OK;
    EC_TRY(blob_unref(tx, blob));
    return delete_by_doc(tx, sql_mime_delete, doc);
}

static enum ec delete_level(struct mbox_tx *tx, uint64_t doc, unsigned depth);

static enum ec delete_attachments(struct mbox_tx *tx, uint64_t doc, uint64_t source,
                                  unsigned depth) {
    g_autoptr(GArray) blobs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) docs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GPtrArray) bags = g_ptr_array_new_with_free_func((GDestroyNotify)bag_free);
    enum ec ec = EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_attachment_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    while (ec == EC_OK && db_step(q)) {
        uint64_t blob = (uint64_t)db_col_i64(q, 2), embedded = (uint64_t)db_col_i64(q, 6);
        struct bag *bag = NULL;
        ec = stored_bag(q, 1, &bag);
        if (bag)
            g_ptr_array_add(bags, bag);
        if (embedded)
            g_array_append_val(docs, embedded);
        else if (blob && blob != source)
            g_array_append_val(blobs, blob);
    }
    enum ec query = db_finish(q);
    if (query != EC_OK || ec != EC_OK)
        return query != EC_OK ? query : ec;
    if (bags->len == 0)
        return EC_OK;
    for (guint i = 0; i < bags->len; i++)
        EC_TRY(unref_externals(tx, bags->pdata[i], source));
    for (guint i = 0; i < blobs->len; i++)
        EC_TRY(blob_unref(tx, g_array_index(blobs, uint64_t, i)));
    for (guint i = 0; i < docs->len; i++)
        EC_TRY(delete_level(tx, g_array_index(docs, uint64_t, i), depth + 1));
    return delete_by_doc(tx, sql_attachment_delete, doc);
}

static enum ec delete_level(struct mbox_tx *tx, uint64_t doc, unsigned depth) {
    if (depth > EMBEDDED_MAX_DEPTH)
        return EC_CORRUPT_DATA;
    BAG_AUTO bag = NULL;
    uint64_t source = 0;
    enum ec ec = EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_data_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    if (db_step(q)) {
        source = (uint64_t)db_col_i64(q, 1);
        ec = stored_bag(q, 2, &bag);
    }
    EC_TRY(db_finish(q));
    // A damaged bag must not keep its message from being deleted; `bourse check` finds its blobs.
    if (ec == EC_OK && bag)
        EC_TRY(unref_externals(tx, bag, source));
    EC_TRY(delete_attachments(tx, doc, source, depth));
    EC_TRY(delete_mime(tx, doc));
    EC_TRY(blob_unref(tx, source));
    return delete_by_doc(tx, sql_data_delete, doc);
}

enum ec contents_unref(struct mbox_tx *tx, uint64_t doc) {
    struct db_stmt *q = db_query(tx->conn, sql_data_unref);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    int64_t changed;
    EC_TRY(db_run(q, &changed));
    return changed ? EC_OK : delete_level(tx, doc, 0);
}
