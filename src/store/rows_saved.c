// The saved form of a snapshot: parts of up to PART_ROWS rows, each row as differences to the one
// before, in variable-length numbers, zstd-compressed.
//
// A saved snapshot is never more than a shortcut: what changed after its modseq is read from the
// table and the tombstones (which therefore may only be purged together with older snapshots), and
// one that cannot be read is passed over.
#include "store/rows_saved.h"

#include <string.h>
#include <zstd.h>

#include "base/wire.h"
#include "store/store_internal.h"

#define PART_ROWS 16384
#define PART_MAX_BYTES (64 * 1024 * 1024)
#define KEYWORDS_MAX 8192

static uint64_t zigzag(int64_t v) {
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v) {
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void put_row(struct wire_writer *w, const struct message_row *last,
                    const struct message_row *row) {
    size_t keywords = row->keywords ? strlen(row->keywords) : 0;
    wire_put_varint(w, row->uid - last->uid);
    wire_put_varint(w, zigzag((int64_t)(row->mid - last->mid)));
    wire_put_varint(w, zigzag((int64_t)(row->modseq - last->modseq)));
    wire_put_varint(w, zigzag((int64_t)(row->received - last->received)));
    wire_put_varint(w, row->size);
    wire_put_varint(w, row->flags);
    wire_put_varint(w, keywords);
    wire_put_bytes(w, row->keywords, keywords);
}

static struct message_row read_row(struct wire_reader *r, const struct message_row *last) {
    struct message_row row = {0};
    row.uid = last->uid + (uint32_t)wire_varint(r);
    row.mid = last->mid + (uint64_t)unzigzag(wire_varint(r));
    row.modseq = last->modseq + (uint64_t)unzigzag(wire_varint(r));
    row.received = last->received + (uint64_t)unzigzag(wire_varint(r));
    row.size = wire_varint(r);
    row.flags = (uint32_t)wire_varint(r);
    size_t keywords = wire_varint(r);
    if (keywords > KEYWORDS_MAX)
        wire_fail(r);
    const uint8_t *text = keywords && wire_ok(r) ? wire_bytes(r, keywords) : NULL;
    if (text) {
        g_autofree char *copy = g_strndup((const char *)text, keywords);
        row.keywords = shared_text_new(copy);
    }
    return row;
}

enum ec rows_forget(struct mbox_tx *tx, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, fid ? sql_snapshot_delete : sql_snapshot_delete_all);
    db_bind_i64(q, 1, MBX);
    if (fid)
        db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

static enum ec insert_part(struct mbox_tx *tx, uint64_t fid, const struct folder_rows *rows,
                           int64_t part, GByteArray *bytes) {
    size_t max = ZSTD_compressBound(bytes->len);
    g_autofree uint8_t *packed = g_malloc(max);
    size_t n = ZSTD_compress(packed, max, bytes->data, bytes->len, 1);
    if (ZSTD_isError(n))
        return EC_NO_MEMORY;
    struct db_stmt *q = db_query(tx->conn, sql_snapshot_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, part);
    db_bind_i64(q, 4, folder_rows_uid_validity(rows));
    db_bind_i64(q, 5, (int64_t)folder_rows_modseq(rows));
    db_bind_i64(q, 6, bytes->len);
    db_bind_blob(q, 7, packed, n);
    return db_run(q, NULL);
}

enum ec rows_save(struct mbox_tx *tx, uint64_t fid, const struct folder_rows *rows) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(rows_forget(tx, fid));
    uint32_t count = folder_rows_count(rows);
    for (uint32_t start = 0, part = 0; start < count; start += PART_ROWS, part++) {
        struct wire_writer w = wire_writer(PART_MAX_BYTES);
        struct message_row last = {0};
        for (uint32_t i = start; i < MIN(start + PART_ROWS, count); i++) {
            const struct message_row *row = folder_rows_at(rows, i);
            put_row(&w, &last, row);
            last = *row;
        }
        g_autoptr(GByteArray) bytes = wire_writer_take(&w);
        wire_writer_clear(&w);
        if (!bytes)
            return EC_MESSAGE_TOO_BIG;
        EC_TRY(insert_part(tx, fid, rows, part, bytes));
    }
    return EC_OK;
}

static enum ec unpack(struct db_stmt *q, void (*add)(void *ctx, const struct message_row *row),
                      void *ctx) {
    size_t n, size = (size_t)db_col_i64(q, 2);
    const void *data = db_col_blob(q, 3, &n);
    if (size > PART_MAX_BYTES)
        return EC_CORRUPT_DATA;
    g_autofree uint8_t *bytes = g_malloc(size + 1);
    if (ZSTD_decompress(bytes, size, data, n) != size)
        return EC_CORRUPT_DATA;
    struct wire_reader r = wire_reader(bytes, size);
    struct message_row last = {0};
    while (wire_left(&r) > 0) {
        struct message_row row = read_row(&r, &last);
        if (!wire_ok(&r) || row.uid <= last.uid) {
            if (row.keywords)
                shared_text_unref(row.keywords);
            return EC_CORRUPT_DATA;
        }
        add(ctx, &row);
        last = row;
    }
    return wire_ok(&r) ? EC_OK : EC_CORRUPT_DATA;
}

enum ec rows_load(struct mbox_tx *tx, uint64_t fid, uint32_t uid_validity,
                  void (*add)(void *ctx, const struct message_row *row), void *ctx,
                  uint64_t *modseq_out) {
    enum ec ec = EC_NOT_FOUND;
    struct db_stmt *q = db_query(tx->conn, sql_snapshot_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while ((ec == EC_OK || ec == EC_NOT_FOUND) && db_step(q)) {
        if ((uint32_t)db_col_i64(q, 0) != uid_validity)
            break;
        *modseq_out = (uint64_t)db_col_i64(q, 1);
        ec = unpack(q, add, ctx);
    }
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}
