// Asking the index: from the words to contents, and from contents to the messages that have them.
#include "store/fulltext_internal.h"

#define ROW_STEPS 8 // rows passed over before the walk begins anew further on

// Walks the messages by contents beside the documents that the index gives.
struct rows {
    struct mbox_tx *tx;
    bool is_down;
    struct db_stmt *q; // NULL: not begun
    struct fulltext_hit at;
    bool is_end;
    unsigned patience; // rows to pass over: fewer while the documents are far apart
};

static void rows_step(struct rows *r) {
    r->is_end = !db_step(r->q);
    if (!r->is_end)
        r->at = (struct fulltext_hit){.doc = (uint64_t)db_col_i64(r->q, 0),
                                      .fid = (uint64_t)db_col_i64(r->q, 1),
                                      .uid = (uint32_t)db_col_i64(r->q, 2)};
}

static enum ec rows_begin(struct rows *r, uint64_t doc) {
    struct db_stmt *old = r->q;
    r->q = NULL;
    if (old)
        EC_TRY(db_finish(old));
    r->q = db_query(r->tx->conn, r->is_down ? sql_fulltext_rows_down : sql_fulltext_rows_up);
    db_bind_i64(r->q, 1, MBX);
    db_bind_i64(r->q, 2, (int64_t)doc);
    rows_step(r);
    return EC_OK;
}

static bool is_before(const struct rows *r, uint64_t doc) {
    return r->is_down ? r->at.doc > doc : r->at.doc < doc;
}

// To the first row of `doc`, or past where it would be.
static enum ec rows_at(struct rows *r, uint64_t doc) {
    if (!r->q)
        return rows_begin(r, doc);
    for (unsigned i = 0; !r->is_end && is_before(r, doc); i++) {
        if (i >= r->patience) {
            r->patience /= 2;
            return rows_begin(r, doc);
        }
        rows_step(r);
    }
    r->patience = MIN(r->patience + 1, ROW_STEPS);
    return EC_OK;
}

static enum ec rows_end(struct rows *r) {
    return r->q ? db_finish(r->q) : EC_OK;
}

enum ec fulltext_find(struct mbox_tx *tx, const struct fulltext_index *index,
                      const struct db_fulltext_node *query, bool newest_first, fulltext_visit visit,
                      void *ctx) {
    struct db_fulltext_cursor *c;
    struct rows r = {.tx = tx, .is_down = newest_first, .patience = ROW_STEPS};
    uint64_t doc;
    bool go_on = true;
    enum ec ec = EC_OK;
    EC_TRY(db_fulltext_query(tx->conn, index->slot, query, newest_first, &c));
    while (ec == EC_OK && go_on && db_fulltext_next(c, &doc)) {
        ec = rows_at(&r, doc);
        // All messages that share the contents.
        while (ec == EC_OK && go_on && !r.is_end && r.at.doc == doc) {
            go_on = visit(ctx, &r.at);
            rows_step(&r);
        }
    }
    enum ec rows_ec = rows_end(&r), words_ec = db_fulltext_end(c);
    return ec != EC_OK ? ec : rows_ec != EC_OK ? rows_ec : words_ec;
}

enum ec fulltext_unindexed(struct mbox_tx *tx, const struct fulltext_index *index,
                           bool newest_first, fulltext_visit visit, void *ctx) {
    struct rows r = {.tx = tx, .is_down = newest_first, .patience = ROW_STEPS};
    EC_TRY(rows_begin(&r, newest_first ? INT64_MAX : index->watermark + 1));
    while (!r.is_end && r.at.doc > index->watermark && visit(ctx, &r.at))
        rows_step(&r);
    return rows_end(&r);
}

// --- Signatures ---

struct fulltext_signatures {
    struct mbox_tx *tx;
    uint64_t fid;
    struct db_stmt *q;
    uint32_t uid, from; // of the row at hand, the next uid it answers for
    bool is_end;
    enum ec ec;
};

struct fulltext_signatures *fulltext_signatures_new(struct mbox_tx *tx, uint64_t fid) {
    struct fulltext_signatures *s = g_new0(struct fulltext_signatures, 1);
    s->tx = tx;
    s->fid = fid;
    return s;
}

static void signatures_step(struct fulltext_signatures *s) {
    s->is_end = !db_step(s->q);
    if (!s->is_end)
        s->uid = (uint32_t)db_col_i64(s->q, 0);
}

static void signatures_begin(struct fulltext_signatures *s, uint32_t uid) {
    if (s->q && s->ec == EC_OK)
        s->ec = db_finish(s->q);
    s->q = db_query(s->tx->conn, sql_fulltext_signatures);
    db_bind_i64(s->q, 1, MBX);
    db_bind_i64(s->q, 2, (int64_t)s->fid);
    db_bind_i64(s->q, 3, uid);
    s->from = uid;
    signatures_step(s);
}

bool fulltext_signatures_at(struct fulltext_signatures *s, uint32_t uid, struct grams *out) {
    if (!s->q || uid < s->from)
        signatures_begin(s, uid);
    for (unsigned i = 0; !s->is_end && s->uid < uid; i++) {
        if (i == ROW_STEPS) {
            signatures_begin(s, uid);
            break;
        }
        s->from = s->uid + 1;
        signatures_step(s);
    }
    if (s->is_end || s->uid != uid)
        return false;
    out->head = db_col_blob(s->q, 1, &out->head_len);
    out->body = db_col_blob(s->q, 2, &out->body_len);
    return out->head && out->body;
}

enum ec fulltext_signatures_free(struct fulltext_signatures *s) {
    if (!s)
        return EC_OK;
    enum ec ec = s->q ? db_finish(s->q) : EC_OK;
    ec = s->ec != EC_OK ? s->ec : ec;
    g_free(s);
    return ec;
}
