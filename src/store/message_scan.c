// Renditions of a folder's messages in uid order: what lists and searches of mail clients are made
// of. Read from the chunks that keep them together (envelope_chunk.h), and where there is none with
// one statement for all of them.
#include "store/envelope_chunk.h"
#include "store/message_internal.h"

#define SINGLE_ROWS 2         // so many may be all that is wanted: no chunk is unpacked for them
#define ROWS_WITHOUT_CHUNK 64 // read one by one: worth to be kept together

struct message_scan {
    struct mbox_tx *tx;
    uint64_t fid;
    struct db_stmt *q;    // reads up to uid `q_last`, or NULL
    uint32_t uid, q_last; // uid: the next to be answered for
    bool is_done, only_table;
    unsigned n_rows, n_without;  // read from the table; those of them that no chunk has
    struct envelope_chunk chunk; // bytes NULL: none
    enum ec ec;
};

static void read_table(struct message_scan *s, uint32_t last) {
    s->q = db_query(s->tx->conn, sql_mime_scan);
    s->q_last = last;
    db_bind_i64(s->q, 1, MBX);
    db_bind_i64(s->q, 2, (int64_t)s->fid);
    db_bind_i64(s->q, 3, s->uid);
    db_bind_i64(s->q, 4, last);
}

// Goes on at s->uid: from the chunk that has it, or from the table up to the next chunk.
static void locate(struct message_scan *s) {
    enum ec ec = envelope_chunk_find(s->tx, s->fid, s->uid, true, &s->chunk);
    if (ec == EC_OK && s->chunk.bytes)
        return;
    if (ec == EC_OK) {
        read_table(s, s->chunk.first - 1);
    } else if (ec == EC_CORRUPT_DATA) {
        envelope_chunks_replace(tx_mbox(s->tx), s->fid, s->chunk.last);
        read_table(s, s->chunk.last);
    } else {
        read_table(s, UINT32_MAX);
        if (ec != EC_NOT_FOUND)
            s->ec = ec;
    }
}

static void advance(struct message_scan *s, uint32_t answered) {
    s->is_done = answered == UINT32_MAX;
    s->uid = answered + 1;
}

static bool next_of_chunk(struct message_scan *s, struct message_scan_row *out) {
    while (envelope_chunk_next(&s->chunk, out))
        if (out->uid >= s->uid) {
            advance(s, out->uid);
            return true;
        }
    uint32_t last = s->chunk.last;
    if (s->chunk.is_damaged) {
        envelope_chunks_replace(tx_mbox(s->tx), s->fid, last);
        read_table(s, last);
    } else {
        advance(s, last);
    }
    envelope_chunk_clear(&s->chunk);
    return false;
}

static bool next_of_table(struct message_scan *s, struct message_scan_row *out) {
    if (!db_step(s->q)) {
        enum ec ec = db_finish(g_steal_pointer(&s->q));
        s->ec = s->ec == EC_OK ? ec : s->ec;
        advance(s, s->q_last);
        return false;
    }
    *out = (struct message_scan_row){
        .uid = (uint32_t)db_col_i64(s->q, 0),
        .mid = (uint64_t)db_col_i64(s->q, 1),
        .size = (uint64_t)db_col_i64(s->q, 2),
        .blob = (uint64_t)db_col_i64(s->q, 3),
    };
    out->envelope = db_col_blob(s->q, 4, &out->envelope_len);
    out->structure = db_col_blob(s->q, 5, &out->structure_len);
    advance(s, out->uid);
    s->n_rows++;
    if (s->n_rows > SINGLE_ROWS)
        s->n_without++;
    return true;
}

enum ec message_scan_table(struct mbox_tx *tx, uint64_t fid, uint32_t first, uint32_t last,
                           struct message_scan **out) {
    struct message_scan *s = g_new0(struct message_scan, 1);
    s->tx = tx;
    s->fid = fid;
    s->uid = first;
    s->only_table = true;
    read_table(s, last);
    *out = s;
    return EC_OK;
}

enum ec message_scan_new(struct mbox_tx *tx, uint64_t fid, uint32_t uid,
                         struct message_scan **out) {
    struct message_scan *s = g_new0(struct message_scan, 1);
    s->tx = tx;
    s->fid = fid;
    s->uid = uid;
    read_table(s, UINT32_MAX);
    *out = s;
    return EC_OK;
}

bool message_scan_next(struct message_scan *s, struct message_scan_row *out) {
    while (!s->is_done && s->ec == EC_OK) {
        if (s->only_table) {
            if (next_of_table(s, out))
                return true;
            s->is_done = true;
            return false;
        }
        if (s->q && s->n_rows == SINGLE_ROWS) { // more is wanted: look for chunks
            s->n_rows++;
            s->ec = db_finish(g_steal_pointer(&s->q));
            continue;
        }
        if (s->chunk.bytes ? next_of_chunk(s, out) : s->q && next_of_table(s, out))
            return true;
        if (!s->is_done && s->ec == EC_OK && !s->q)
            locate(s);
    }
    return false;
}

enum ec message_scan_free(struct message_scan *s) {
    if (!s)
        return EC_OK;
    enum ec ec = s->q ? db_finish(s->q) : EC_OK;
    if (s->ec == EC_OK)
        s->ec = ec;
    ec = s->ec;
    if (s->n_without >= ROWS_WITHOUT_CHUNK && !s->only_table)
        envelope_chunks_want(tx_mbox(s->tx), s->fid);
    envelope_chunk_clear(&s->chunk);
    g_free(s);
    return ec;
}
