// The check of the full-text index: its state must be one that indexing can leave behind, and the
// engine must find its words in order. A damaged index is derived data: repair drops it.
#include <string.h>

#include "store/fulltext_internal.h"

static enum ec check_docs(struct check *c, const struct fulltext_state *live, bool *damaged) {
    struct db_stmt *q = db_query(c->tx->conn, sql_fulltext_missing);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)live->watermark);
    db_bind_i64(q, 3, MSG_ASSOCIATED);
    unsigned n = 0;
    while (db_step(q))
        n++;
    EC_TRY(db_finish(q));
    if (n > 0) {
        check_fault(c, check_wants_repair(c),
                    "full-text index: %u%s messages below its mark are missing in it", n,
                    n == 100 ? " or more" : "");
        *damaged = true;
    }
    return EC_OK;
}

// A bit that is not set where it should be would hide a message from searches.
static bool is_same(struct db_stmt *q, int column, const uint8_t *want, size_t len) {
    size_t got;
    const void *data = db_col_blob(q, column, &got);
    return data && got == len && memcmp(data, want, len) == 0;
}

static enum ec check_signatures(struct check *c, bool *damaged) {
    ARENA_AUTO arena = arena_new();
    struct db_stmt *q = db_query(c->tx->conn, sql_fulltext_docs);
    db_bind_i64(q, 1, MBX);
    unsigned n = 0;
    while (db_step(q)) {
        struct grams sig;
        arena_reset(arena);
        // What cannot be read is reported elsewhere.
        if (fulltext_grams_of_doc(c->tx, arena, (uint64_t)db_col_i64(q, 0), &sig) == EC_OK)
            n += !is_same(q, 1, sig.head, sig.head_len) || !is_same(q, 2, sig.body, sig.body_len);
    }
    EC_TRY(db_finish(q));
    if (n == 0)
        return EC_OK;
    check_fault(c, check_wants_repair(c),
                "full-text index: %u signatures are not those of the messages", n);
    *damaged = true;
    return EC_OK;
}

static enum ec check_state(struct check *c, const struct fulltext_state *s, bool *damaged) {
    if (s->watermark > c->max_id && s->watermark >= c->tx->mbox->next_id) {
        check_fault(c, check_wants_repair(c),
                    "full-text index: its mark %" G_GUINT64_FORMAT " is past every message",
                    (guint64)s->watermark);
        *damaged = true;
    }
    enum ec ec = db_fulltext_verify(c->tx->conn, s->slot);
    if (ec == EC_CORRUPT_DATA) {
        check_fault(c, check_wants_repair(c), "full-text index: its words are damaged");
        *damaged = true;
        return EC_OK;
    }
    return ec;
}

enum ec check_fulltext(struct check *c) {
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    bool damaged = false;
    enum ec ec = fulltext_states(c->tx, states);
    if (ec == EC_CORRUPT_DATA) {
        check_fault(c, check_wants_repair(c), "full-text index: its state cannot be");
        damaged = true;
    } else {
        EC_TRY(ec);
    }
    for (unsigned i = 0; i < DB_FULLTEXT_SLOTS && !damaged; i++)
        if (states[i].exists) {
            EC_TRY(check_state(c, &states[i], &damaged));
            if (states[i].is_live && !damaged)
                EC_TRY(check_docs(c, &states[i], &damaged));
        }
    if (c->options->with_contents && !damaged)
        EC_TRY(check_signatures(c, &damaged));
    return damaged && check_wants_repair(c) ? fulltext_drop_all(c->tx) : EC_OK;
}
