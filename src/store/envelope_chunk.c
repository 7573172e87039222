// Chunks of envelopes: each row as differences to the one before, in variable-length numbers, then
// the two texts; zstd over the whole chunk, whose messages have much in common.
#include "store/envelope_chunk.h"

#include <string.h>
#include <zstd.h>

#include "base/wire.h"
#include "store/background.h"
#include "store/envelope_chunk_internal.h"
#include "store/folder.h"
#include "store/message_internal.h"
#include "store/store_internal.h"

#define CHUNK_ROWS 256
#define CHUNK_ROWS_MIN 64         // fewer are read as quickly from their table
#define CHUNK_BYTES (1024 * 1024) // from which on a chunk takes no further row
#define CHUNK_BYTES_MAX (64 * 1024 * 1024)
#define CHUNKS_A_WRITE 4 // other writers wait for so many
#define FOLDER_MIN 1000  // messages; smaller folders need none
#define WORK_DELAY_MS 300
#define ZSTD_LEVEL 3

static uint64_t zigzag(int64_t v) {
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v) {
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

// --- Reading ---

static enum ec unpack(struct db_stmt *q, struct envelope_chunk *out) {
    size_t n, size = (size_t)db_col_i64(q, 2);
    const void *data = db_col_blob(q, 3, &n);
    if (size > CHUNK_BYTES_MAX)
        return EC_CORRUPT_DATA;
    uint8_t *bytes = g_malloc(size + 1);
    if (ZSTD_decompress(bytes, size, data, n) != size) {
        g_free(bytes);
        return EC_CORRUPT_DATA;
    }
    out->bytes = bytes;
    out->len = size;
    return EC_OK;
}

enum ec envelope_chunk_find(struct mbox_tx *tx, uint64_t fid, uint32_t uid, bool with_rows,
                            struct envelope_chunk *out) {
    enum ec ec = EC_NOT_FOUND;
    struct db_stmt *q =
        db_query(tx->conn, with_rows ? sql_envelope_chunk_find : sql_envelope_chunk_bounds);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, uid);
    *out = (struct envelope_chunk){0};
    if (db_step(q)) {
        out->first = (uint32_t)db_col_i64(q, 0);
        out->last = (uint32_t)db_col_i64(q, 1);
        // One that begins later is only asked for its bounds.
        ec = with_rows && out->first <= uid ? unpack(q, out) : EC_OK;
    }
    enum ec query = db_finish(q);
    if (query != EC_OK)
        envelope_chunk_clear(out);
    return query != EC_OK ? query : ec;
}

static const char *read_text(struct wire_reader *r, size_t *len_out) {
    *len_out = (size_t)wire_varint(r);
    return wire_ok(r) ? (const char *)wire_bytes(r, *len_out) : NULL;
}

bool envelope_chunk_next(struct envelope_chunk *c, struct message_scan_row *out) {
    if (!c->bytes || c->pos >= c->len)
        return false;
    struct wire_reader r = wire_reader(c->bytes + c->pos, c->len - c->pos);
    struct message_scan_row row = c->row;
    uint64_t step = wire_varint(&r);
    row.uid += (uint32_t)step;
    row.mid += (uint64_t)unzigzag(wire_varint(&r));
    row.blob += (uint64_t)unzigzag(wire_varint(&r));
    row.size = wire_varint(&r);
    row.envelope = read_text(&r, &row.envelope_len);
    row.structure = read_text(&r, &row.structure_len);
    if (!wire_ok(&r) || step == 0 || step > UINT32_MAX || row.uid < c->first || row.uid > c->last) {
        c->pos = c->len;
        c->is_damaged = true;
        return false;
    }
    c->pos = c->len - wire_left(&r);
    *out = c->row = row;
    return true;
}

void envelope_chunk_clear(struct envelope_chunk *c) {
    g_free(c->bytes);
    *c = (struct envelope_chunk){0};
}

// --- Forgetting ---

enum ec envelope_chunks_forget_uid(struct mbox_tx *tx, uint64_t fid, uint32_t uid) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_envelope_chunk_forget_uid);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, uid);
    return db_run(q, NULL);
}

enum ec envelope_chunks_forget(struct mbox_tx *tx, uint64_t fid) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q =
        db_query(tx->conn, fid ? sql_envelope_chunk_forget_folder : sql_envelope_chunk_forget_all);
    db_bind_i64(q, 1, MBX);
    if (fid)
        db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

// --- Making them ---

static void put_row(struct wire_writer *w, const struct message_scan_row *last,
                    const struct message_scan_row *row) {
    wire_put_varint(w, row->uid - last->uid);
    wire_put_varint(w, zigzag((int64_t)(row->mid - last->mid)));
    wire_put_varint(w, zigzag((int64_t)(row->blob - last->blob)));
    wire_put_varint(w, row->size);
    wire_put_varint(w, row->envelope_len);
    wire_put_bytes(w, row->envelope, row->envelope_len);
    wire_put_varint(w, row->structure_len);
    wire_put_bytes(w, row->structure, row->structure_len);
}

// A range of uids without a chunk, and what was read of it.
struct gap {
    uint32_t first, last; // uids; last UINT32_MAX: to the end of the folder
    unsigned n;
    uint32_t last_uid; // of the rows read
    bool is_whole;     // all of them were
};

static enum ec read_gap(struct mbox_tx *tx, uint64_t fid, struct gap *g, struct wire_writer *w) {
    struct message_scan *scan;
    struct message_scan_row row, last = {0};
    size_t bytes = 0;
    EC_TRY(message_scan_table(tx, fid, g->first, g->last, &scan));
    g->is_whole = true;
    while (message_scan_next(scan, &row)) {
        if (g->n == CHUNK_ROWS || bytes >= CHUNK_BYTES) {
            g->is_whole = false;
            break;
        }
        put_row(w, &last, &row);
        bytes += row.envelope_len + row.structure_len;
        last = (struct message_scan_row){.uid = row.uid, .mid = row.mid, .blob = row.blob};
        g->last_uid = row.uid;
        g->n++;
    }
    return message_scan_free(scan);
}

static enum ec insert_chunk(struct mbox_tx *tx, uint64_t fid, uint32_t first, uint32_t last,
                            const GByteArray *bytes) {
    size_t max = ZSTD_compressBound(bytes->len);
    g_autofree uint8_t *packed = g_malloc(max);
    size_t n = ZSTD_compress(packed, max, bytes->data, bytes->len, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return EC_NO_MEMORY;
    struct db_stmt *q = db_query(tx->conn, sql_envelope_chunk_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, last);
    db_bind_i64(q, 4, first);
    db_bind_i64(q, 5, bytes->len);
    db_bind_blob(q, 6, packed, n);
    return db_run(q, NULL);
}

// Makes a chunk at the beginning of the gap, or passes over it. *uid: where to go on, 0: the end.
static enum ec fill_gap(struct mbox_tx *tx, uint64_t fid, struct gap *g, uint32_t *uid) {
    struct wire_writer w = wire_writer(CHUNK_BYTES_MAX);
    enum ec ec = read_gap(tx, fid, g, &w);
    g_autoptr(GByteArray) bytes = ec == EC_OK ? wire_writer_take(&w) : NULL;
    wire_writer_clear(&w);
    EC_TRY(ec);
    *uid = g->last + 1; // 0 after UINT32_MAX
    if (!bytes || (g->is_whole && g->n < CHUNK_ROWS_MIN))
        return EC_OK;
    bool ends_folder = g->last == UINT32_MAX;
    uint32_t last = g->is_whole && !ends_folder ? g->last : g->last_uid;
    if (!g->is_whole)
        *uid = last + 1;
    return insert_chunk(tx, fid, g->first, last, bytes);
}

struct fill {
    uint64_t fid;
    uint32_t uid;     // where to go on, 0: everything is done
    uint32_t damaged; // the last uid of a chunk to be made anew, 0: none
};

static enum ec change_fill(struct mbox_tx *tx, void *ctx) {
    struct fill *f = ctx;
    if (f->damaged)
        EC_TRY(envelope_chunks_forget_uid(tx, f->fid, f->damaged));
    f->damaged = 0;
    for (unsigned made = 0; f->uid && made < CHUNKS_A_WRITE;) {
        struct envelope_chunk next;
        enum ec ec = envelope_chunk_find(tx, f->fid, f->uid, false, &next);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
        if (ec == EC_OK && next.first <= f->uid) {
            f->uid = next.last + 1;
            continue;
        }
        struct gap g = {.first = f->uid, .last = ec == EC_OK ? next.first - 1 : UINT32_MAX};
        EC_TRY(fill_gap(tx, f->fid, &g, &f->uid));
        made++;
    }
    return EC_OK;
}

static bool is_large(struct mbox *mbox, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    return mbox_read(mbox, &tx) == EC_OK && folder_get(tx, arena, fid, &info) == EC_OK &&
           info.n_messages >= FOLDER_MIN;
}

static void work(struct mbox *mbox) {
    for (;;) {
        struct fill f = {0};
        pthread_mutex_lock(&mbox->envelope_lock);
        if (mbox->envelope_wants && mbox->envelope_wants->len > 0) {
            f = g_array_index(mbox->envelope_wants, struct fill, 0);
            g_array_remove_index(mbox->envelope_wants, 0);
        }
        pthread_mutex_unlock(&mbox->envelope_lock);
        if (!f.fid)
            return;
        bool goes_on = f.damaged || is_large(mbox, f.fid);
        while (goes_on && f.uid && !background_is_stopping(mbox)) // a failure costs only time
            goes_on = mbox_write(mbox, change_fill, &f) == EC_OK;
    }
}

static void want(struct mbox *mbox, const struct fill *f) {
    bool is_known = false;
    pthread_mutex_lock(&mbox->envelope_lock);
    if (!mbox->envelope_wants)
        mbox->envelope_wants = g_array_new(FALSE, FALSE, sizeof(struct fill));
    for (guint i = 0; i < mbox->envelope_wants->len && !is_known; i++) {
        const struct fill *other = &g_array_index(mbox->envelope_wants, struct fill, i);
        is_known = other->fid == f->fid && other->damaged == f->damaged;
    }
    if (!is_known)
        g_array_append_vals(mbox->envelope_wants, f, 1);
    pthread_mutex_unlock(&mbox->envelope_lock);
    if (!is_known)
        background_want(mbox, work, WORK_DELAY_MS, false);
}

void envelope_chunks_want(struct mbox *mbox, uint64_t fid) {
    struct fill f = {.fid = fid, .uid = 1};
    want(mbox, &f);
}

void envelope_chunks_replace(struct mbox *mbox, uint64_t fid, uint32_t last) {
    struct fill f = {.fid = fid, .uid = 1, .damaged = last};
    want(mbox, &f);
}
