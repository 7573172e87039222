// Changing flags and keywords of many messages ([MS-OXCMSG] 2.2.3.10, [RFC 3501] STORE, [RFC
// 7162]).
#include <string.h>

#include "store/flag_range.h"
#include "store/message_internal.h"
#include "store/rows.h"

#define KEYWORDS_MAX 128      // of one message
#define KEYWORDS_MAX_LEN 4096 // bytes of all of them

static gint compare_strings(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool contains(const GPtrArray *words, const char *word) {
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(words->pdata[i], word) == 0)
            return true;
    return false;
}

static void remove_word(GPtrArray *words, const char *word) {
    for (guint i = words->len; i-- > 0;)
        if (g_ascii_strcasecmp(words->pdata[i], word) == 0)
            g_ptr_array_remove_index(words, i);
}

// The keywords after the change, sorted, one space between; NULL for none. In the arena.
static enum ec change_keywords(struct arena *arena, const char *old,
                               const struct message_flags_change *change, const char **out) {
    *out = old;
    if (change->n_keywords == 0 && (change->mode != FLAGS_SET || !old))
        return EC_OK;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    if (old && *old && change->mode != FLAGS_SET) {
        char *copy = arena_strdup(arena, old), *rest;
        for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
            g_ptr_array_add(words, w);
    }
    for (unsigned i = 0; i < change->n_keywords; i++) {
        const char *word = change->keywords[i];
        if (change->mode == FLAGS_REMOVE)
            remove_word(words, word);
        else if (!contains(words, word))
            g_ptr_array_add(words, (gpointer)word);
    }
    if (words->len > KEYWORDS_MAX)
        return EC_TOO_MANY_OBJECTS;
    g_ptr_array_sort(words, compare_strings);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", (const char *)words->pdata[i]);
    if (text->len > KEYWORDS_MAX_LEN)
        return EC_TOO_MANY_OBJECTS;
    *out = text->len ? arena_strndup(arena, text->str, text->len) : NULL;
    return EC_OK;
}

static uint32_t change_flags(uint32_t old, const struct message_flags_change *change) {
    uint32_t flags = change->flags & MSG_CLIENT_FLAGS;
    switch (change->mode) {
    case FLAGS_ADD:
        return old | flags;
    case FLAGS_REMOVE:
        return old & ~flags;
    default:
        return (old & ~(uint32_t)MSG_CLIENT_FLAGS) | flags;
    }
}

// What the change reads of a row; a narrow read, since a folder may have a million.
struct flags_row {
    uint64_t fid, cn, read_cn, modseq;
    uint32_t uid, flags;
    const char *keywords;
};

static enum ec read_row(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                        struct flags_row *out) {
    struct db_stmt *q = db_query(tx->conn, sql_message_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    bool found = db_step(q);
    if (found)
        *out = (struct flags_row){
            .fid = (uint64_t)db_col_i64(q, 0),
            .uid = (uint32_t)db_col_i64(q, 1),
            .cn = (uint64_t)db_col_i64(q, 3),
            .read_cn = (uint64_t)db_col_i64(q, 4),
            .modseq = (uint64_t)db_col_i64(q, 5),
            .flags = (uint32_t)db_col_i64(q, 6),
            .keywords = arena_strdup(arena, db_col_text(q, 9)),
        };
    EC_TRY(db_finish(q));
    if (!found)
        return EC_NOT_FOUND;
    struct flag_state state = {out->uid, out->flags, out->cn, out->read_cn, out->modseq};
    EC_TRY(flag_ranges_load(tx));
    flag_ranges_overlay(tx, out->fid, &state); // write_row writes all of it
    out->flags = state.flags;
    out->cn = state.cn;
    out->read_cn = state.read_cn;
    out->modseq = state.modseq;
    return EC_OK;
}

// The read state alone changes read_cn; everything else is a change of the message
// ([MS-OXCFXICS] 3.2.5.6).
static enum ec write_row(struct mbox_tx *tx, uint64_t mid, const struct flags_row *row,
                         uint32_t flags, const char *keywords) {
    uint64_t change = mbox_next_id(tx);
    bool only_read = ((row->flags ^ flags) & ~(uint32_t)MSG_READ) == 0 &&
                     g_strcmp0(row->keywords, keywords) == 0;
    struct db_stmt *q = db_query(tx->conn, sql_message_flags_set);
    db_bind_i64(q, 1, flags);
    db_bind_text(q, 2, keywords);
    db_bind_i64(q, 3, (int64_t)(only_read ? row->cn : change));
    db_bind_i64(q, 4, (int64_t)((row->flags ^ flags) & MSG_READ ? change : row->read_cn));
    db_bind_i64(q, 5, (int64_t)change);
    db_bind_i64(q, 6, MBX);
    db_bind_i64(q, 7, (int64_t)row->fid);
    db_bind_i64(q, 8, row->uid);
    EC_TRY(db_run(q, NULL));
    struct folder_counters *c;
    EC_TRY(tx_counters(tx, row->fid, &c));
    if (((row->flags ^ flags) & MSG_READ) && !(flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED)))
        c->n_unread += flags & MSG_READ ? -1 : 1;
    c->modseq = change;
    c->is_dirty = true;
    struct message_full m = {.fid = row->fid, .mid = mid, .flags = flags, .modseq = change};
    message_publish(tx, EVENT_MODIFIED, &m, 0, 0);
    return EC_OK;
}

// --- A whole run of a folder at once ---

#define RANGE_MIN 64  // messages from which on a record is less work than their rows
#define RANGE_SHARE 8 // of a folder nobody looks at, at least one message in so many

// What the change does to the flags of a message without regard to keywords.
static struct flag_range record_of(const struct message_flags_change *change) {
    uint32_t flags = change->flags & MSG_CLIENT_FLAGS;
    switch (change->mode) {
    case FLAGS_ADD:
        return (struct flag_range){.kept = UINT32_MAX, .set = flags};
    case FLAGS_REMOVE:
        return (struct flag_range){.kept = ~flags};
    default:
        return (struct flag_range){.kept = ~(uint32_t)MSG_CLIENT_FLAGS, .set = flags};
    }
}

// Whether the messages are exactly the rows from `first` on, the usual case of "all", and the
// change can be told of all of them in one record.
static bool is_run(const struct folder_rows *rows, uint32_t first, const uint64_t *mids, unsigned n,
                   const struct message_flags_change *change) {
    uint32_t in_span;
    if (first >= folder_rows_count(rows) || n > folder_rows_count(rows) - first)
        return false;
    for (unsigned i = 0; i < n; i += in_span) {
        const struct message_row *span = folder_rows_span(rows, first + i, &in_span);
        for (uint32_t k = 0; k < in_span && i + k < n; k++)
            if (span[k].mid != mids[i + k] || span[k].modseq > change->unchanged_since ||
                (change->mode == FLAGS_SET && span[k].keywords))
                return false;
    }
    return true;
}

// Each message gets a change number of its own: the next free one plus its place in the range;
// numbers of messages that did not change stay unused.
static enum ec change_run(struct mbox_tx *tx, struct folder_rows *rows, uint32_t first, unsigned n,
                          struct flag_range *r) {
    struct folder_counters *c;
    bool is_changed = false;
    uint32_t in_span;
    EC_TRY(tx_counters(tx, r->fid, &c));
    r->first = folder_rows_at(rows, first)->uid;
    r->last = folder_rows_at(rows, first + n - 1)->uid;
    r->base = tx->mbox->next_id;
    for (unsigned i = 0; i < n; i += in_span) {
        const struct message_row *span = folder_rows_span(rows, first + i, &in_span);
        for (uint32_t k = 0; k < in_span && i + k < n; k++) {
            struct flag_state row = {
                .uid = span[k].uid, .flags = span[k].flags, .modseq = span[k].modseq};
            if (!flag_range_apply(r, &row))
                continue;
            is_changed = true;
            c->n_unread += (int)(span[k].flags & MSG_READ) - (int)(row.flags & MSG_READ);
            c->modseq = row.modseq;
        }
    }
    if (!is_changed)
        return EC_OK;
    c->is_dirty = true;
    tx_publish_run(tx, rows, first, n, r);
    tx->mbox->next_id += (uint64_t)(r->last - r->first) + 1;
    return flag_ranges_add(tx, r);
}

// Tries the fast way; `*is_done_out` false: message by message.
static enum ec try_run(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                       const struct message_flags_change *change, bool *is_done_out) {
    ARENA_AUTO arena = arena_new();
    struct flags_row first;
    struct folder_rows *rows;
    *is_done_out = false;
    if (n < RANGE_MIN || n > UINT32_MAX / RANGE_SHARE || change->n_keywords > 0 ||
        read_row(tx, arena, mids[0], &first) != EC_OK || first.fid != fid)
        return EC_OK;
    enum ec ec = folder_rows_in_write(tx, fid, n * RANGE_SHARE, &rows);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    uint32_t at = folder_rows_find_uid(rows, first.uid);
    if (is_run(rows, at, mids, n, change)) {
        struct flag_range r = record_of(change);
        r.fid = fid;
        *is_done_out = true;
        ec = change_run(tx, rows, at, n, &r);
    }
    folder_rows_unref(rows);
    return ec;
}

enum ec message_change_flags(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                             const struct message_flags_change *change, GArray **modified_out) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) modified = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    bool is_done;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(try_run(tx, fid, mids, n, change, &is_done));
    for (unsigned i = 0; !is_done && i < n; i++) {
        struct flags_row row;
        const char *keywords;
        arena_reset(arena);
        enum ec ec = read_row(tx, arena, mids[i], &row);
        if (ec == EC_NOT_FOUND || (ec == EC_OK && row.fid != fid))
            continue;
        EC_TRY(ec);
        if (row.modseq > change->unchanged_since) {
            g_array_append_val(modified, mids[i]);
            continue;
        }
        uint32_t flags = change_flags(row.flags, change);
        EC_TRY(change_keywords(arena, row.keywords, change, &keywords));
        if (flags != row.flags || g_strcmp0(row.keywords, keywords) != 0)
            EC_TRY(write_row(tx, mids[i], &row, flags, keywords));
    }
    if (modified_out)
        *modified_out = g_steal_pointer(&modified);
    return EC_OK;
}
