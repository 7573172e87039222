// What is done with open tables ([MS-OXCTABL] 2.2.2, 3.2.5). The store's handles (store/table.h) do
// the work; here values become rows.
#include "mailbox/mailbox.h"
#include "mapi/restriction.h"
#include "mapi/rights.h"
#include "mapi/sort_order.h"
#include "protocol/rop/rop_internal.h"

#define ASYNC 0x01
#define ROW_MAX (32 * 1024)

// --- Columns, order, filter ---

static enum ec put_status(struct rop_call *c, struct rop_table *t) {
    wire_put_u8(c->w, table_status(t->table));
    return EC_OK;
}

enum ec rop_set_columns(struct rop_call *c) {
    bool is_async = wire_u8(c->r) & ASYNC;
    struct columns columns = columns_read(c->r, c->arena);
    struct rop_table *t;
    EC_TRY(rop_table_in(c, &t));
    t->n_columns = 0;
    proptag_t *tags = arena_alloc(c->arena, (columns.n + 1) * sizeof *tags);
    if (columns.n)
        memcpy(tags, columns.tags, columns.n * sizeof *tags);
    // What a row is about, where something of it is the principal's own.
    tags[columns.n] = t->hides ? PidTagFolderId : PidTagMid;
    unsigned n = columns.n + ((t->hides || t->overlays) && columns.n > 0 ? 1 : 0);
    EC_TRY(table_set_columns(t->table, tags, n, is_async));
    t->n_columns = columns.n;
    return put_status(c, t);
}

enum ec rop_sort_table(struct rop_call *c) {
    bool is_async = wire_u8(c->r) & ASYNC;
    struct sort_order order;
    struct rop_table *t;
    enum ec parsed = sort_order_read(c->r, &order);
    EC_TRY(rop_table_in(c, &t));
    enum table_kind kind = table_kind(t->table);
    if (kind != TABLE_CONTENTS && kind != TABLE_ASSOCIATED && kind != TABLE_SOFT_DELETED &&
        kind != TABLE_CONVERSATIONS) // MS-OXCTABL_R450
        return EC_NOT_SUPPORTED;
    EC_TRY(parsed);
    EC_TRY(table_sort(t->table, &order, is_async));
    return put_status(c, t);
}

// `*out` NULL: none. The bytes live as long as the request.
static enum ec read_restriction(struct rop_call *c, const struct rop_object *o,
                                struct restriction **out) {
    struct wire_reader sub = wire_sub(c->r, wire_u16(c->r));
    struct prop_wire form = rop_form(o);
    *out = NULL;
    if (wire_left(&sub) == 0)
        return EC_OK;
    return restriction_read(&sub, &form, c->arena, out);
}

enum ec rop_restrict(struct rop_call *c) {
    bool is_async = wire_u8(c->r) & ASYNC;
    struct rop_table *t;
    struct restriction *restriction;
    EC_TRY(rop_table_in(c, &t));
    enum table_kind kind = table_kind(t->table);
    if (kind == TABLE_ATTACHMENTS || kind == TABLE_PERMISSIONS) // MS-OXCTABL_R461
        return EC_NOT_SUPPORTED;
    EC_TRY(read_restriction(c, &t->object, &restriction));
    EC_TRY(table_restrict(t->table, restriction, is_async));
    return put_status(c, t);
}

enum ec rop_get_status(struct rop_call *c) {
    struct rop_table *t;
    EC_TRY(rop_table_in(c, &t));
    return put_status(c, t);
}

enum ec rop_abort(struct rop_call *c) {
    struct rop_table *t;
    EC_TRY(rop_table_in(c, &t));
    if (table_kind(t->table) > TABLE_HIERARCHY) // MS-OXCTABL_R486
        return EC_NOT_SUPPORTED;
    EC_TRY(table_abort(t->table));
    return put_status(c, t);
}

enum ec rop_reset_table(struct rop_call *c) {
    struct rop_table *t;
    EC_TRY(rop_table_in(c, &t));
    t->n_columns = 0;
    return table_reset(t->table);
}

enum ec rop_query_columns_all(struct rop_call *c) {
    struct rop_table *t;
    EC_TRY(rop_table_in(c, &t));
    struct columns all = table_all_columns(t->table);
    columns_put(c->w, &all);
    return EC_OK;
}

// --- Rows ---

struct rows {
    struct rop_table *t;
    struct mbox_tx *tx; // where rows are hidden
    struct prop_wire form;
    struct columns columns;
    size_t room;
    GPtrArray *rows; // of GByteArray, in the order they came
    size_t bytes;
};

static enum ec rows_begin(struct rop_call *c, struct rop_table *t, size_t head, struct rows *out) {
    *out = (struct rows){.t = t, .form = rop_form(&t->object)};
    struct columns all = table_columns(t->table);
    out->columns = (struct columns){MIN(t->n_columns, all.n), all.tags};
    out->room = c->room > head ? c->room - head : 0;
    out->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    if (!(t->hides || t->overlays) || mbox_read(t->object.logon->mbox, &out->tx) == EC_OK)
        return EC_OK;
    g_ptr_array_unref(out->rows);
    return EC_DATABASE_ERROR;
}

static void rows_end(struct rows *r) {
    g_ptr_array_unref(r->rows);
    mbox_read_end(r->tx);
}

static bool is_hidden(struct rows *r, const struct prop_value *const *values) {
    const struct prop_value *v = r->t->hides ? values[r->columns.n] : NULL;
    uint32_t rights;
    if (!v)
        return r->t->hides;
    uint64_t fid = short_id_of_value(v->i8).counter;
    return mailbox_rights(r->t->object.logon->mailbox, r->tx, fid, &rights) != EC_OK ||
           !(rights & RIGHTS_VISIBLE);
}

// The values with the principal's read state in them.
static void overlay(struct rows *r, const struct prop_value *const *values,
                    const struct prop_value **out, struct prop_value own[2]) {
    const struct prop_value *mid = values[r->columns.n];
    unsigned used = 0;
    bool is_read;
    memcpy(out, values, r->columns.n * sizeof *out);
    if (!mid || PROP_TYPE(mid->tag) != PT_I8)
        return; // a header
    uint64_t id = short_id_of_value(mid->i8).counter;
    if (mailbox_is_read(r->t->object.logon->mailbox, r->tx, r->t->fid, &id, 1, &is_read) != EC_OK)
        return;
    for (unsigned i = 0; i < r->columns.n && used < 2; i++) {
        if (!out[i] || (out[i]->tag != PidTagMessageFlags && out[i]->tag != PidTagRead))
            continue;
        own[used] = *out[i];
        if (out[i]->tag == PidTagRead)
            own[used].b = is_read;
        else
            own[used].l = (own[used].l & ~1) | is_read;
        out[i] = &own[used++];
    }
}

static bool take_row(void *ctx, const struct prop_value *const *values) {
    struct rows *r = ctx;
    struct prop_value own[2];
    if (is_hidden(r, values))
        return true;
    struct wire_writer w = wire_writer(ROW_MAX);
    if (r->t->overlays) {
        g_autofree const struct prop_value **shown =
            g_new(const struct prop_value *, r->columns.n + 1);
        overlay(r, values, shown, own);
        row_put(&w, &r->form, &r->columns, shown);
    } else {
        row_put(&w, &r->form, &r->columns, values);
    }
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    if (!bytes || r->bytes + bytes->len > r->room)
        return false;
    r->bytes += bytes->len;
    g_ptr_array_add(r->rows, g_steal_pointer(&bytes));
    return true;
}

static void put_rows(struct wire_writer *w, const struct rows *r, bool is_forward) {
    for (guint i = 0; i < r->rows->len; i++) {
        const GByteArray *row = r->rows->pdata[is_forward ? i : r->rows->len - 1 - i];
        wire_put_bytes(w, row->data, row->len);
    }
}

enum { QUERY_NO_ADVANCE = 0x01, QUERY_ENABLE_PACKED_BUFFERS = 0x02 };

// The same request for the rows that are left.
static void pack_rest(struct rop_call *c, unsigned left) {
    uint8_t *request = arena_memdup(c->arena, c->request, c->request_len);
    request[c->request_len - 2] = (uint8_t)left;
    request[c->request_len - 1] = (uint8_t)(left >> 8);
    rop_pack(c, request, c->request_len);
}

enum ec rop_query_rows(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r), forward = wire_u8(c->r);
    uint16_t max = wire_u16(c->r);
    struct rop_table *t;
    struct rows rows;
    struct table_queried done;
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(rows_begin(c, t, 3, &rows));
    unsigned how = flags & QUERY_NO_ADVANCE ? TABLE_NO_ADVANCE : 0;
    enum ec ec = table_query_rows(t->table, how, forward != 0, max, take_row, &rows, &done);
    if (ec == EC_OK && rows.rows->len == 0 && done.is_full) // MS-OXCTABL_R466, R478
        ec = EC_BUFFER_TOO_SMALL;
    if (ec == EC_OK) {
        wire_put_u8(c->w, done.origin);
        wire_put_u16(c->w, (uint16_t)rows.rows->len);
        put_rows(c->w, &rows, forward != 0);
        if (flags & QUERY_ENABLE_PACKED_BUFFERS && !how && done.is_full && done.n < max)
            pack_rest(c, max - done.n);
    }
    rows_end(&rows);
    return ec;
}

enum ec rop_expand_row(struct rop_call *c) {
    uint16_t max = wire_u16(c->r);
    uint64_t category = wire_u64(c->r);
    struct rop_table *t;
    struct rows rows;
    unsigned n;
    uint32_t count;
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(rows_begin(c, t, 6, &rows));
    enum ec ec = table_expand(t->table, category, max, take_row, &rows, &n, &count);
    if (ec == EC_OK) {
        wire_put_u32(c->w, count);
        wire_put_u16(c->w, (uint16_t)rows.rows->len);
        put_rows(c->w, &rows, true);
    }
    rows_end(&rows);
    return ec;
}

enum { FIND_BACKWARD = 0x01 };

enum ec rop_find_row(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_table *t;
    struct rows rows;
    struct restriction *restriction;
    bool is_gone = false;
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(read_restriction(c, &t->object, &restriction));
    uint8_t origin = wire_u8(c->r);
    size_t len = wire_u16(c->r);
    const uint8_t *bookmark = wire_bytes(c->r, len);
    if (flags & ~FIND_BACKWARD || origin > 3)
        return EC_INVALID_PARAMETER;
    struct table_find find = {.is_backward = flags & FIND_BACKWARD,
                              .restriction = restriction,
                              .origin = origin == 3 ? TABLE_BEGINNING : origin,
                              .bookmark = origin == 3 ? bookmark : NULL,
                              .bookmark_len = len};
    EC_TRY(rows_begin(c, t, 2, &rows));
    enum ec ec = table_find_row(t->table, &find, take_row, &rows, &is_gone);
    if (ec == EC_OK) {
        wire_put_u8(c->w, is_gone);
        wire_put_u8(c->w, rows.rows->len > 0); // MS-OXCTABL_R243, R246
        put_rows(c->w, &rows, true);
    }
    rows_end(&rows);
    return ec;
}

// --- Position ---

enum ec rop_query_position(struct rop_call *c) {
    struct rop_table *t;
    uint32_t position, count;
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(table_query_position(t->table, &position, &count));
    wire_put_u32(c->w, position);
    wire_put_u32(c->w, count);
    return EC_OK;
}

enum ec rop_seek_row(struct rop_call *c) {
    uint8_t origin = wire_u8(c->r);
    int32_t count = (int32_t)wire_u32(c->r), moved;
    struct rop_table *t;
    wire_u8(c->r);        // WantRowMovedCount: it is told always
    c->ends_batch = true; // MS-OXCTABL_R501
    EC_TRY(rop_table_in(c, &t));
    if (origin > TABLE_END)
        return EC_INVALID_PARAMETER;
    EC_TRY(table_seek(t->table, origin, count, &moved));
    wire_put_u8(c->w, moved != count);
    wire_put_u32(c->w, (uint32_t)moved);
    return EC_OK;
}

enum ec rop_seek_row_bookmark(struct rop_call *c) {
    size_t len = wire_u16(c->r);
    const uint8_t *bookmark = wire_bytes(c->r, len);
    int32_t count = (int32_t)wire_u32(c->r), moved;
    struct rop_table *t;
    bool is_gone;
    wire_u8(c->r);        // WantRowMovedCount
    c->ends_batch = true; // MS-OXCTABL_R510
    EC_TRY(rop_table_in(c, &t));
    if (table_kind(t->table) > TABLE_HIERARCHY)
        return EC_NOT_SUPPORTED;
    EC_TRY(table_seek_bookmark(t->table, bookmark, len, count, &moved, &is_gone));
    wire_put_u8(c->w, is_gone);
    wire_put_u8(c->w, moved != count);
    wire_put_u32(c->w, (uint32_t)moved);
    return EC_OK;
}

enum ec rop_seek_row_fractional(struct rop_call *c) {
    uint32_t numerator = wire_u32(c->r), denominator = wire_u32(c->r);
    struct rop_table *t;
    c->ends_batch = true;
    EC_TRY(rop_table_in(c, &t));
    return table_seek_fraction(t->table, numerator, denominator);
}

static void put_bookmark(struct rop_call *c, const uint8_t bookmark[TABLE_BOOKMARK_SIZE]) {
    wire_put_u16(c->w, TABLE_BOOKMARK_SIZE);
    wire_put_bytes(c->w, bookmark, TABLE_BOOKMARK_SIZE);
}

enum ec rop_create_bookmark(struct rop_call *c) {
    struct rop_table *t;
    uint8_t bookmark[TABLE_BOOKMARK_SIZE];
    EC_TRY(rop_table_in(c, &t));
    if (table_kind(t->table) > TABLE_HIERARCHY)
        return EC_NOT_SUPPORTED;
    EC_TRY(table_create_bookmark(t->table, bookmark));
    put_bookmark(c, bookmark);
    return EC_OK;
}

enum ec rop_free_bookmark(struct rop_call *c) {
    size_t len = wire_u16(c->r);
    const uint8_t *bookmark = wire_bytes(c->r, len);
    struct rop_table *t;
    EC_TRY(rop_table_in(c, &t));
    if (table_kind(t->table) > TABLE_HIERARCHY)
        return EC_NOT_SUPPORTED;
    if (t->n_columns == 0) // MS-OXCTABL_R8264
        return EC_NULL_OBJECT;
    return table_free_bookmark(t->table, bookmark, len);
}

// --- Categories ---

enum ec rop_collapse_row(struct rop_call *c) {
    uint64_t category = wire_u64(c->r);
    struct rop_table *t;
    uint32_t count;
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(table_collapse(t->table, category, &count));
    wire_put_u32(c->w, count);
    return EC_OK;
}

enum ec rop_get_collapse_state(struct rop_call *c) {
    uint64_t row = wire_u64(c->r);
    uint32_t instance = wire_u32(c->r);
    struct rop_table *t;
    g_autoptr(GByteArray) state = NULL;
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(table_get_collapse_state(t->table, row, instance, &state));
    wire_put_u16(c->w, (uint16_t)state->len);
    wire_put_bytes(c->w, state->data, state->len);
    return EC_OK;
}

enum ec rop_set_collapse_state(struct rop_call *c) {
    size_t len = wire_u16(c->r);
    const uint8_t *state = wire_bytes(c->r, len);
    struct rop_table *t;
    uint8_t bookmark[TABLE_BOOKMARK_SIZE];
    EC_TRY(rop_table_in(c, &t));
    EC_TRY(table_set_collapse_state(t->table, state, len, bookmark));
    put_bookmark(c, bookmark);
    return EC_OK;
}
