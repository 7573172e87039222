// Blobs: zstd where it helps, one row up to BLOB_CHUNK, chunk rows beyond, so that a range of a
// large one is read without the rest.
#include "store/blob_internal.h"

#include <sodium.h>
#include <string.h>
#include <zstd.h>

#include "store/message.h"
#include "store/store_internal.h"

#define CODEC_PLAIN 0
#define CODEC_ZSTD 1
#define CODEC_CHUNKS 2 // each chunk begins with its own codec byte
#define ZSTD_LEVEL 1
#define CHUNK_BITS 15
#define HASH_SIZE 32

static void free_cctx(gpointer ctx) {
    ZSTD_freeCCtx(ctx);
}

static void free_dctx(gpointer ctx) {
    ZSTD_freeDCtx(ctx);
}

// Compression contexts are large to make and belong to one thread at a time.
static ZSTD_CCtx *cctx(void) {
    static GPrivate key = G_PRIVATE_INIT(free_cctx);
    ZSTD_CCtx *ctx = g_private_get(&key);
    if (!ctx)
        g_private_set(&key, ctx = ZSTD_createCCtx());
    return ctx;
}

static ZSTD_DCtx *dctx(void) {
    static GPrivate key = G_PRIVATE_INIT(free_dctx);
    ZSTD_DCtx *ctx = g_private_get(&key);
    if (!ctx)
        g_private_set(&key, ctx = ZSTD_createDCtx());
    return ctx;
}

// Compresses into `out` (ZSTD_compressBound bytes); 0 when that is no gain.
static size_t squeeze(uint8_t *out, size_t max, const void *data, size_t len) {
    if (len < 64)
        return 0;
    size_t n = ZSTD_compressCCtx(cctx(), out, max, data, len, ZSTD_LEVEL);
    return ZSTD_isError(n) || n > len - len / 16 ? 0 : n;
}

static enum ec insert_row(struct mbox_tx *tx, uint64_t blob, size_t size, int codec, unsigned refs,
                          const uint8_t *hash, const void *data, size_t len) {
    struct db_stmt *q = db_query(tx->conn, sql_blob_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)blob);
    db_bind_i64(q, 3, refs);
    db_bind_i64(q, 4, (int64_t)size);
    db_bind_i64(q, 5, codec);
    db_bind_blob(q, 6, hash, hash ? HASH_SIZE : 0);
    db_bind_blob(q, 7, data, len);
    return db_run(q, NULL);
}

static enum ec insert_chunks(struct mbox_tx *tx, uint64_t blob, const uint8_t *data, size_t len) {
    size_t max = ZSTD_compressBound(BLOB_CHUNK);
    g_autofree uint8_t *buffer = g_malloc(max + 1);
    int64_t number = 0;
    for (size_t pos = 0; pos < len; pos += BLOB_CHUNK, number++) {
        size_t n = MIN(len - pos, (size_t)BLOB_CHUNK);
        size_t packed = squeeze(buffer + 1, max, data + pos, n);
        buffer[0] = packed ? CODEC_ZSTD : CODEC_PLAIN;
        if (!packed) {
            memcpy(buffer + 1, data + pos, n);
            packed = n;
        }
        struct db_stmt *q = db_query(tx->conn, sql_blob_chunk_insert);
        db_bind_i64(q, 1, MBX);
        db_bind_i64(q, 2, (int64_t)(blob << CHUNK_BITS) + number);
        db_bind_blob(q, 3, buffer, packed + 1);
        EC_TRY(db_run(q, NULL));
    }
    return EC_OK;
}

static enum ec find_shared(struct mbox_tx *tx, const uint8_t *hash, uint64_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql_blob_find);
    db_bind_i64(q, 1, MBX);
    db_bind_blob(q, 2, hash, HASH_SIZE);
    *out = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}

enum ec blob_store(struct mbox_tx *tx, const void *data, size_t len, unsigned refs, uint64_t *out) {
    uint8_t hash[HASH_SIZE];
    bool is_shared = len >= BLOB_SHARE_MIN;
    if (len > BLOB_MAX)
        return EC_MESSAGE_TOO_BIG;
    if (is_shared) {
        crypto_generichash(hash, sizeof hash, data, len, NULL, 0);
        EC_TRY(find_shared(tx, hash, out));
        if (*out)
            return blob_ref(tx, *out, refs);
    }
    uint64_t blob = *out = mbox_next_id(tx);
    if (len > BLOB_CHUNK) {
        EC_TRY(insert_row(tx, blob, len, CODEC_CHUNKS, refs, hash, NULL, 0));
        return insert_chunks(tx, blob, data, len);
    }
    size_t max = ZSTD_compressBound(len);
    g_autofree uint8_t *buffer = g_malloc(max);
    size_t packed = squeeze(buffer, max, data, len);
    return insert_row(tx, blob, len, packed ? CODEC_ZSTD : CODEC_PLAIN, refs,
                      is_shared ? hash : NULL, packed ? buffer : data, packed ? packed : len);
}

enum ec blob_ref(struct mbox_tx *tx, uint64_t blob, unsigned refs) {
    struct db_stmt *q = db_query(tx->conn, sql_blob_ref);
    db_bind_i64(q, 1, refs);
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)blob);
    return db_run(q, NULL);
}

enum ec blob_unref(struct mbox_tx *tx, uint64_t blob) {
    if (blob == 0)
        return EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_blob_unref);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)blob);
    int64_t refs = 1, size = 0;
    if (db_step(q)) {
        refs = db_col_i64(q, 0);
        size = db_col_i64(q, 1);
    }
    EC_TRY(db_finish(q));
    if (refs > 0)
        return EC_OK;
    q = db_query(tx->conn, sql_blob_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)blob);
    EC_TRY(db_run(q, NULL));
    if (size <= BLOB_CHUNK)
        return EC_OK;
    q = db_query(tx->conn, sql_blob_chunk_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)(blob << CHUNK_BITS));
    db_bind_i64(q, 3, (int64_t)((blob + 1) << CHUNK_BITS));
    return db_run(q, NULL);
}

// Undoes a codec into exactly `len` bytes.
static enum ec unpack(int codec, const void *data, size_t data_len, uint8_t *out, size_t len) {
    if (codec == CODEC_PLAIN) {
        if (data_len != len)
            return EC_CORRUPT_DATA;
        if (len)
            memcpy(out, data, len);
        return EC_OK;
    }
    if (codec != CODEC_ZSTD || ZSTD_decompressDCtx(dctx(), out, len, data, data_len) != len)
        return EC_CORRUPT_DATA;
    return EC_OK;
}

static enum ec read_chunk(struct mbox_tx *tx, uint64_t blob, uint64_t number, uint8_t *out,
                          size_t len) {
    struct db_stmt *q = db_query(tx->conn, sql_blob_chunk_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)((blob << CHUNK_BITS) + number));
    enum ec ec = EC_CORRUPT_DATA;
    if (db_step(q)) {
        size_t n;
        const uint8_t *data = db_col_blob(q, 0, &n);
        if (n > 0)
            ec = unpack(data[0], data + 1, n - 1, out, len);
    }
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

// The chunks that cover the range, then the range of them.
static enum ec read_chunks(struct mbox_tx *tx, uint64_t blob, uint64_t size, uint64_t pos,
                           uint64_t len, GBytes **out) {
    uint64_t first = pos / BLOB_CHUNK, end = (pos + len + BLOB_CHUNK - 1) / BLOB_CHUNK;
    uint64_t start = first * BLOB_CHUNK, stop = MIN(end * BLOB_CHUNK, size);
    g_autofree uint8_t *buffer = g_malloc(stop - start + 1);
    for (uint64_t i = first; i < end; i++) {
        size_t n = MIN((uint64_t)BLOB_CHUNK, size - i * BLOB_CHUNK);
        EC_TRY(read_chunk(tx, blob, i, buffer + (i - first) * BLOB_CHUNK, n));
    }
    g_autoptr(GBytes) whole = g_bytes_new_take(g_steal_pointer(&buffer), stop - start);
    *out = g_bytes_new_from_bytes(whole, pos - start, len);
    return EC_OK;
}

static enum ec read_inline(struct db_stmt *q, uint64_t size, uint64_t pos, uint64_t len,
                           GBytes **out) {
    size_t n;
    const void *data = db_col_blob(q, 2, &n);
    g_autofree uint8_t *buffer = g_malloc(size + 1);
    EC_TRY(unpack((int)db_col_i64(q, 1), data, n, buffer, size));
    g_autoptr(GBytes) whole = g_bytes_new_take(g_steal_pointer(&buffer), size);
    *out = g_bytes_new_from_bytes(whole, pos, len);
    return EC_OK;
}

enum ec blob_read(struct mbox_tx *tx, uint64_t blob, uint64_t pos, uint64_t len, GBytes **out) {
    struct db_stmt *q = db_query(tx->conn, sql_blob_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)blob);
    enum ec ec = EC_NOT_FOUND;
    bool in_chunks = false;
    uint64_t size = 0;
    if (db_step(q)) {
        size = (uint64_t)db_col_i64(q, 0);
        in_chunks = db_col_i64(q, 1) == CODEC_CHUNKS;
        pos = MIN(pos, size);
        if (len == 0 || len > size - pos)
            len = size - pos;
        if (size > BLOB_MAX)
            ec = EC_CORRUPT_DATA;
        else
            ec = in_chunks ? EC_OK : read_inline(q, size, pos, len, out);
    }
    enum ec query = db_finish(q);
    if (query != EC_OK || ec != EC_OK || !in_chunks)
        return query != EC_OK ? query : ec;
    return read_chunks(tx, blob, size, pos, len, out);
}

enum ec blob_size(struct mbox_tx *tx, uint64_t blob, uint64_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql_blob_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)blob);
    bool found = db_step(q);
    if (found)
        *out = (uint64_t)db_col_i64(q, 0);
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}
