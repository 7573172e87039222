// A folder's contents of one kind, brought up to date by change numbers: dead and new slots, and
// the log of them that views follow.
#include <string.h>

#include "mapi/props.h"
#include "store/flag_range.h"
#include "store/folder.h"
#include "store/view_internal.h"

#define LOG_MAX 4096  // entries kept at least, and as many as an eighth of the messages
#define DEAD_MIN 4096 // dead slots that are not worth copying the others for

struct folder_state {
    uint64_t modseq;
    uint32_t uid_validity;
    bool is_search;
    int64_t n[3]; // by enum view_kind
};

static enum ec read_state(struct mbox_tx *tx, uint64_t fid, struct folder_state *out) {
    struct db_stmt *q = db_query(tx->conn, sql_view_folder);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    bool found = db_step(q);
    if (found)
        *out = (struct folder_state){
            .modseq = (uint64_t)db_col_i64(q, 0),
            .uid_validity = (uint32_t)db_col_i64(q, 1),
            .is_search = db_col_i64(q, 2) == FOLDER_TYPE_SEARCH,
            .n = {[VIEW_CONTENTS] = db_col_i64(q, 3),
                  [VIEW_ASSOCIATED] = db_col_i64(q, 4),
                  [VIEW_SOFT_DELETED] = db_col_i64(q, 5)},
        };
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

static uint32_t n_living(const struct columns *cols) {
    return cols->n - cols->n_dead;
}

// --- Beginning ---

// Columns that cost no memory: for conditions on the entry itself.
static const proptag_t of_slots[] = {PidTagMid, PidTagInstID, PidTagMessageFlags,
                                     PidTagHasAttachments};

// The views of the columns before are made anew.
static void set_columns(struct view_set *set, struct columns *cols) {
    set->seq++;
    set->log_start = set->seq;
    g_array_set_size(set->log, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(of_slots); i++)
        if (!columns_get(cols, of_slots[i]))
            column_publish(cols, column_new(cols, of_slots[i]));
    for (unsigned i = 0; i < cols->n_columns; i++)
        cols->list[i]->since = set->seq;
    columns_unref(set->cols);
    set->cols = cols;
}

static enum ec begin(struct view_set *set, struct mbox_tx *tx, const struct folder_state *state) {
    struct columns *cols;
    uint64_t modseq = 0;
    bool is_saved = set->kind == VIEW_CONTENTS &&
                    columns_load_saved(tx, set->fid, set->kind, state->is_search,
                                       state->uid_validity, &modseq, &cols) == EC_OK;
    if (is_saved && modseq > state->modseq) {
        columns_unref(cols);
        is_saved = false;
    }
    if (!is_saved) {
        modseq = state->modseq;
        EC_TRY(columns_scan(tx, set->fid, set->kind, state->is_search, &cols));
    }
    set_columns(set, cols);
    set->loaded = set->saved = is_saved ? modseq : 0;
    g_array_set_size(set->saved_tags, 0);
    if (is_saved)
        EC_TRY(columns_saved_tags(tx, set->fid, set->saved_tags));
    set->modseq = modseq;
    set->uid_validity = state->uid_validity;
    return EC_OK;
}

// --- Following changes ---

static enum ec read_changed(struct view_set *set, struct mbox_tx *tx, GArray *gone,
                            GArray *changed) {
    EC_TRY(flag_ranges_load(tx));
    struct db_stmt *q = db_query(tx->conn, sql_view_gone);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)set->fid);
    db_bind_i64(q, 3, (int64_t)set->modseq);
    while (db_step(q)) {
        uint64_t mid = (uint64_t)db_col_i64(q, 0);
        g_array_append_val(gone, mid);
    }
    EC_TRY(db_finish(q));
    q = db_query(tx->conn, set->cols->is_search ? sql_view_links_changed : sql_view_changed);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)set->fid);
    db_bind_i64(q, 3, (int64_t)set->modseq);
    while (db_step(q)) {
        struct slot_row c = slot_row_read(tx, q);
        if (set->cols->is_search) // a link may be told later than a number already seen
            c.cn = UINT64_MAX;
        g_array_append_val(changed, c);
    }
    return db_finish(q);
}

static uint32_t find_living(struct view_set *set, uint64_t mid) {
    uint32_t slot = columns_find(set->cols, mid, set->cols->n);
    return slot != SLOT_NONE && !columns_is_dead(set->cols, slot) ? slot : SLOT_NONE;
}

static void note(struct view_set *set, uint32_t dead, uint32_t born) {
    struct log_entry l = {dead, born};
    if (dead != SLOT_NONE)
        columns_kill(set->cols, dead);
    g_array_append_val(set->log, l);
    set->seq++;
}

static void drop(struct view_set *set, uint64_t mid) {
    uint32_t slot = find_living(set, mid);
    if (slot != SLOT_NONE)
        note(set, slot, SLOT_NONE);
}

// A new slot with the values of `before`: only the read state changed.
static void add_copied(struct view_set *set, const struct slot_row *c, uint32_t before) {
    struct columns *cols = set->cols;
    uint32_t slot = columns_add(cols, c->mid, c->uid, c->flags);
    for (unsigned i = 0; i < cols->n_columns; i++)
        column_copy(cols->list[i], slot, before);
    note(set, before, slot);
}

static enum ec add_read(struct view_set *set, struct mbox_tx *tx, struct arena *arena,
                        const struct slot_row *c, uint32_t before) {
    struct columns *cols = set->cols;
    struct column_reader r = {.tx = tx, .arena = arena, .mid = c->mid};
    unsigned n = cols->n_columns;
    struct prop_value *values = arena_alloc(arena, (n + 1) * sizeof *values);
    bool *has = arena_alloc(arena, n + 1);
    enum ec ec = EC_OK;
    for (unsigned i = 0; i < n && ec == EC_OK; i++)
        ec = column_read(&r, cols->list[i], &values[i], &has[i]);
    if (ec == EC_OK) { // nothing is added that was not read whole
        uint32_t slot = columns_add(cols, c->mid, c->uid, c->flags);
        for (unsigned i = 0; i < n; i++)
            column_put(cols->list[i], slot, has[i] ? &values[i] : NULL);
        note(set, before, slot);
    }
    column_reader_end(&r);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

// Whether some column shows more of the flags than the slot itself.
static bool reads_flags(const struct columns *cols) {
    return columns_get(cols, PidTagFlagStatus) || columns_get(cols, PidTagMessageStatus) ||
           columns_get(cols, PidTagChangeNumber);
}

// Flag changes of uid ranges: most of their rows stand in the table as they were. Slots from `n` on
// were read just now.
static enum ec follow_ranges(struct view_set *set, struct mbox_tx *tx, uint32_t n) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GPtrArray) ranges = g_ptr_array_new();
    const struct flag_range *r;
    for (unsigned i = 0; (r = flag_ranges_reach(tx, set->fid, set->modseq, &i)) != NULL;)
        g_ptr_array_add(ranges, (gpointer)r);
    for (uint32_t s = 0; s < n && ranges->len > 0; s++) {
        uint32_t flags = slot_flags(set->cols, s);
        struct flag_state state = {.uid = lane_u32(&set->cols->uid, s), .flags = flags};
        if (columns_is_dead(set->cols, s))
            continue;
        for (guint i = 0; i < ranges->len; i++)
            flag_range_apply(ranges->pdata[i], &state);
        struct slot_row c = {slot_mid(set->cols, s), 0, state.uid, state.flags};
        arena_reset(arena);
        if (state.flags == flags)
            continue;
        if ((state.flags ^ flags) == MSG_READ || !reads_flags(set->cols))
            add_copied(set, &c, s);
        else
            EC_TRY(add_read(set, tx, arena, &c, s));
    }
    return EC_OK;
}

static enum ec follow(struct view_set *set, struct mbox_tx *tx, const struct folder_state *state) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(struct slot_row));
    uint32_t n = set->cols->n;
    EC_TRY(read_changed(set, tx, gone, changed));
    for (guint i = 0; i < gone->len; i++)
        drop(set, g_array_index(gone, uint64_t, i));
    for (guint i = 0; i < changed->len; i++) {
        const struct slot_row *c = &g_array_index(changed, struct slot_row, i);
        uint32_t before = find_living(set, c->mid);
        arena_reset(arena);
        if (!kind_has(set->kind, c->flags))
            drop(set, c->mid);
        else if (before != SLOT_NONE && c->cn <= set->modseq)
            add_copied(set, c, before);
        else
            EC_TRY(add_read(set, tx, arena, c, before));
    }
    if (!set->cols->is_search)
        EC_TRY(follow_ranges(set, tx, n));
    set->modseq = state->modseq;
    return EC_OK;
}

// --- Staying small ---

static void trim_log(struct view_set *set) {
    guint keep = MAX(LOG_MAX, n_living(set->cols) / 8);
    if (set->log->len <= keep * 2)
        return;
    guint dropped = set->log->len - keep;
    g_array_remove_range(set->log, 0, dropped);
    set->log_start += dropped;
}

static void copy_column(const struct columns *from, const struct column *c, const uint32_t *slots,
                        uint32_t n, struct columns *to) {
    ARENA_AUTO arena = arena_new();
    struct column *copy = column_new(to, c->tag);
    for (uint32_t i = 0; i < n && c->source != FROM_SLOT; i++) {
        struct prop_value v;
        arena_reset(arena);
        bool has = column_value(from, c, slots[i], arena, &v);
        column_put(copy, i, has ? &v : NULL);
    }
    column_publish(to, copy);
}

static void compact(struct view_set *set) {
    const struct columns *old = set->cols;
    uint32_t n;
    if (old->n_dead <= DEAD_MIN + n_living(old) / 2)
        return;
    g_autofree uint32_t *slots = columns_living(old, &n);
    struct columns *cols = columns_new(old->fid, old->kind, old->is_search, n);
    for (uint32_t i = 0; i < n; i++)
        columns_add(cols, slot_mid(old, slots[i]), lane_u32(&old->uid, slots[i]),
                    slot_flags(old, slots[i]));
    for (unsigned i = 0; i < old->n_columns; i++)
        copy_column(old, old->list[i], slots, n, cols);
    set->loaded = 0; // the base is no saved one any more
    set_columns(set, cols);
}

enum ec set_refresh(struct view_set *set, struct mbox_tx *tx) {
    struct folder_state state;
    EC_TRY(read_state(tx, set->fid, &state));
    if (!set->cols || set->uid_validity != state.uid_validity)
        EC_TRY(begin(set, tx, &state));
    if (set->modseq == state.modseq)
        return EC_OK;
    EC_TRY(follow(set, tx, &state));
    // Soft-deleted messages that are purged leave no second tombstone.
    if (set->kind != VIEW_CONTENTS && (int64_t)n_living(set->cols) != state.n[set->kind])
        EC_TRY(begin(set, tx, &state));
    trim_log(set);
    compact(set);
    return EC_OK;
}

// --- Columns ---

enum ec set_need_column(struct view_set *set, struct mbox_tx *tx, proptag_t tag) {
    struct columns *cols = set->cols;
    if (columns_get(cols, tag))
        return EC_OK;
    struct column *c = column_is_possible(tag) ? column_new(cols, tag) : NULL;
    if (!c)
        return EC_TOO_COMPLEX;
    uint32_t from = 0;
    if (set->loaded && c->source != FROM_SLOT) {
        if (column_load_saved(tx, cols, c, set->loaded) == EC_OK) {
            from = cols->n_base;
        } else {
            column_free(c);
            c = column_new(cols, tag);
        }
    }
    enum ec ec = column_load(tx, cols, c, from);
    if (ec != EC_OK) {
        column_free(c);
        return ec;
    }
    c->since = set->seq;
    column_publish(cols, c);
    return EC_OK;
}
