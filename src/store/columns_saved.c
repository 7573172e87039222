// The saved form of a folder's columns (table view_column): arrays of differences and dictionaries
// in order, zstd-compressed in parts.
//
// Derived data, never more than a shortcut: what changed after its modseq is read from the table
// and the tombstones, and what cannot be read is passed over. All columns of a folder are saved
// together, of one state. A dictionary is saved in its order, so that sorting by it after a start
// compares nothing.
#include <string.h>
#include <zstd.h>

#include "store/columns_internal.h"
#include "store/view_internal.h"

#define PART_SLOTS 65536u
#define PART_MAX_BYTES (64u * 1024 * 1024)
#define DICTIONARY_PART_BYTES (1024 * 1024)
#define DICTIONARY_PART (1 << 20) // the first part that holds entries
#define TAG_SLOTS 0

struct part {
    proptag_t tag;
    uint32_t part, count;
    size_t size;
    GBytes *packed;
};

struct columns_saving {
    struct columns *cols;
    uint64_t modseq;
    uint32_t uid_validity;
    uint32_t *slots, n;
    bool is_more; // beside columns that are saved already
    unsigned n_columns;
    const struct column *columns[COLUMNS_MAX];
    uint32_t n_entries[COLUMNS_MAX];
    GArray *parts; // of struct part
};

static bool has_tag(const GArray *tags, proptag_t tag) {
    for (guint i = 0; i < tags->len; i++)
        if (g_array_index(tags, proptag_t, i) == tag)
            return true;
    return false;
}

struct columns_saving *columns_saving_new(const struct columns *cols, uint64_t modseq,
                                          uint32_t uid_validity, const GArray *kept) {
    struct columns_saving *s = g_new0(struct columns_saving, 1);
    s->cols = columns_ref((struct columns *)cols);
    s->modseq = modseq;
    s->uid_validity = uid_validity;
    s->slots = columns_living(cols, &s->n);
    s->is_more = kept != NULL;
    for (unsigned i = 0; i < cols->n_columns; i++) {
        const struct column *c = cols->list[i];
        if (c->source == FROM_SLOT || (kept && has_tag(kept, c->tag)))
            continue;
        s->n_entries[s->n_columns] = c->n_entries;
        s->columns[s->n_columns++] = c;
    }
    s->parts = g_array_new(FALSE, FALSE, sizeof(struct part));
    return s;
}

void columns_saving_free(struct columns_saving *s) {
    for (guint i = 0; i < s->parts->len; i++)
        g_bytes_unref(g_array_index(s->parts, struct part, i).packed);
    g_array_unref(s->parts);
    columns_unref(s->cols);
    g_free(s->slots);
    g_free(s);
}

// --- Encoding ---

static void add_part(struct columns_saving *s, proptag_t tag, uint32_t part, uint32_t count,
                     const void *data, size_t size) {
    size_t max = ZSTD_compressBound(size);
    uint8_t *packed = g_malloc(max);
    size_t n = ZSTD_compress(packed, max, data, size, 1);
    struct part p = {tag, part, count, size, g_bytes_new_take(packed, ZSTD_isError(n) ? 0 : n)};
    g_array_append_val(s->parts, p);
}

// Differences to the value before, in the lane's width.
static uint8_t *put_lane(uint8_t *p, const struct lane *lane, const uint32_t *slots, uint32_t n) {
    uint64_t last = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t v =
            lane->width == sizeof(uint32_t) ? lane_u32(lane, slots[i]) : lane_u64(lane, slots[i]);
        uint64_t difference = v - last;
        memcpy(p, &difference, lane->width); // little-endian, as everywhere in the store
        p += lane->width;
        last = v;
    }
    return p;
}

static void encode_lanes(struct columns_saving *s, proptag_t tag, const struct lane *const *lanes,
                         unsigned n_lanes) {
    g_autofree uint8_t *bytes = g_malloc(PART_SLOTS * 2 * sizeof(uint64_t));
    for (uint32_t from = 0, part = 0; from < s->n; from += PART_SLOTS, part++) {
        uint32_t n = MIN(PART_SLOTS, s->n - from);
        uint8_t *p = bytes;
        for (unsigned i = 0; i < n_lanes; i++)
            p = put_lane(p, lanes[i], s->slots + from, n);
        add_part(s, tag, part, n, bytes, (size_t)(p - bytes));
    }
}

static void put_entry(GByteArray *bytes, const struct column *c, uint32_t entry, bool is_same) {
    const uint8_t *p = *(uint8_t *const *)lane_at(&c->entries, entry);
    uint8_t same = is_same;
    uint32_t len;
    g_byte_array_append(bytes, &same, 1);
    if (c->form == FORM_TEXT) {
        g_byte_array_append(bytes, p, (guint)strlen((const char *)p) + 1);
        return;
    }
    memcpy(&len, p, sizeof len);
    g_byte_array_append(bytes, p, (guint)sizeof len + len);
}

// The used entries in order; `renumber` gets their new numbers.
static void encode_entries(struct columns_saving *s, const struct column *c, uint32_t n_entries,
                           uint32_t *renumber) {
    uint32_t n, part = DICTIONARY_PART, count = 0, number = ENTRY_FIRST, last = UINT32_MAX;
    g_autofree uint32_t *order = NULL;
    g_autofree uint32_t *ranks = column_ranks(c, n_entries, &order, &n);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (uint32_t i = 0; i < n; i++) {
        uint32_t entry = order[i];
        if (!renumber[entry])
            continue;
        renumber[entry] = number++;
        put_entry(bytes, c, entry, ranks[entry] == last);
        last = ranks[entry];
        count++;
        if (bytes->len < DICTIONARY_PART_BYTES)
            continue;
        add_part(s, c->tag, part++, count, bytes->data, bytes->len);
        g_byte_array_set_size(bytes, 0);
        count = 0;
    }
    if (count)
        add_part(s, c->tag, part, count, bytes->data, bytes->len);
}

static void encode_dictionary(struct columns_saving *s, const struct column *c,
                              uint32_t n_entries) {
    g_autofree uint32_t *renumber = g_new0(uint32_t, n_entries);
    for (uint32_t i = 0; i < s->n; i++)
        renumber[column_entry(c, s->slots[i])] = 1;
    encode_entries(s, c, n_entries, renumber);
    renumber[ENTRY_ABSENT] = ENTRY_ABSENT;
    renumber[ENTRY_EXTERNAL] = ENTRY_EXTERNAL;
    g_autofree uint32_t *numbers = g_new(uint32_t, PART_SLOTS);
    for (uint32_t from = 0, part = 0; from < s->n; from += PART_SLOTS, part++) {
        uint32_t n = MIN(PART_SLOTS, s->n - from);
        for (uint32_t i = 0; i < n; i++)
            numbers[i] = renumber[column_entry(c, s->slots[from + i])];
        add_part(s, c->tag, part, n, numbers, n * sizeof *numbers);
    }
}

void columns_saving_encode(struct columns_saving *s) {
    const struct lane *slots[] = {&s->cols->uid, &s->cols->mid, &s->cols->flags};
    if (!s->is_more)
        encode_lanes(s, TAG_SLOTS, slots, G_N_ELEMENTS(slots));
    for (unsigned i = 0; i < s->n_columns; i++) {
        const struct column *c = s->columns[i];
        const struct lane *values = &c->values;
        if (c->form == FORM_NUMBER)
            encode_lanes(s, c->tag, &values, 1);
        else
            encode_dictionary(s, c, s->n_entries[i]);
    }
}

// --- Writing ---

enum ec columns_forget(struct mbox_tx *tx, uint64_t fid) {
    const char *sql = fid ? sql_view_saved_delete_folder : sql_view_saved_delete_all;
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    if (fid)
        db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

enum ec columns_saved_tags(struct mbox_tx *tx, uint64_t fid, GArray *tags) {
    struct db_stmt *q = db_query(tx->conn, sql_view_saved_tags);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        proptag_t tag = (proptag_t)db_col_i64(q, 0);
        if (tag != TAG_SLOTS && column_is_possible(tag))
            g_array_append_val(tags, tag);
    }
    return db_finish(q);
}

enum ec columns_saving_write(struct mbox_tx *tx, void *ctx) {
    const struct columns_saving *s = ctx;
    EC_TRY(tx_check_writer(tx));
    if (!s->is_more)
        EC_TRY(columns_forget(tx, s->cols->fid));
    for (guint i = 0; i < s->parts->len; i++) {
        const struct part *p = &g_array_index(s->parts, struct part, i);
        size_t n;
        const void *data = g_bytes_get_data(p->packed, &n);
        struct db_stmt *q = db_query(tx->conn, sql_view_saved_insert);
        db_bind_i64(q, 1, MBX);
        db_bind_i64(q, 2, (int64_t)s->cols->fid);
        db_bind_i64(q, 3, p->tag);
        db_bind_i64(q, 4, p->part);
        db_bind_i64(q, 5, s->uid_validity);
        db_bind_i64(q, 6, (int64_t)s->modseq);
        db_bind_i64(q, 7, p->count);
        db_bind_i64(q, 8, (int64_t)p->size);
        db_bind_blob(q, 9, data, n);
        EC_TRY(db_run(q, NULL));
    }
    return EC_OK;
}

// --- Loading ---

// One part, unpacked. g_free.
static enum ec unpack(struct db_stmt *q, size_t *size_out, uint32_t *count_out, uint8_t **out) {
    size_t n, size = (size_t)db_col_i64(q, 3);
    int64_t count = db_col_i64(q, 2);
    const void *data = db_col_blob(q, 4, &n);
    if (size > PART_MAX_BYTES || count < 0 || count > (int64_t)size)
        return EC_CORRUPT_DATA;
    // No more than zstd can have packed into what is there.
    if (!data || ZSTD_getFrameContentSize(data, n) != size)
        return EC_CORRUPT_DATA;
    uint8_t *bytes = g_malloc(size + 1);
    if (ZSTD_decompress(bytes, size, data, n) != size) {
        g_free(bytes);
        return EC_CORRUPT_DATA;
    }
    bytes[size] = 0; // ends a text that was cut
    *size_out = size;
    *count_out = (uint32_t)count;
    *out = bytes;
    return EC_OK;
}

static struct db_stmt *saved(struct mbox_tx *tx, uint64_t fid, proptag_t tag) {
    struct db_stmt *q = db_query(tx->conn, sql_view_saved_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, tag);
    return q;
}

struct loaded_slots {
    GArray *uids, *mids, *flags;
};

static enum ec add_slots(struct loaded_slots *l, const uint8_t *bytes, size_t size, uint32_t n) {
    uint32_t uid = 0, flags = 0, d;
    uint64_t mid = 0, wide;
    guint at = l->uids->len;
    if (size != (size_t)n * (sizeof uid + sizeof mid + sizeof flags))
        return EC_CORRUPT_DATA;
    const uint8_t *uids = bytes, *mids = uids + n * sizeof uid, *all_flags = mids + n * sizeof mid;
    g_array_set_size(l->uids, at + n);
    g_array_set_size(l->mids, at + n);
    g_array_set_size(l->flags, at + n);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(&d, uids + i * sizeof d, sizeof d);
        g_array_index(l->uids, uint32_t, at + i) = uid += d;
        memcpy(&wide, mids + i * sizeof wide, sizeof wide);
        g_array_index(l->mids, uint64_t, at + i) = mid += wide;
        memcpy(&d, all_flags + i * sizeof d, sizeof d);
        g_array_index(l->flags, uint32_t, at + i) = flags += d;
    }
    return EC_OK;
}

static enum ec read_slots(struct mbox_tx *tx, uint64_t fid, uint32_t uid_validity,
                          uint64_t *modseq_out, struct loaded_slots *l) {
    enum ec ec = EC_NOT_FOUND;
    struct db_stmt *q = saved(tx, fid, TAG_SLOTS);
    while ((ec == EC_OK || ec == EC_NOT_FOUND) && db_step(q)) {
        size_t size;
        uint32_t n;
        uint8_t *bytes;
        if ((uint32_t)db_col_i64(q, 0) != uid_validity)
            break;
        *modseq_out = (uint64_t)db_col_i64(q, 1);
        ec = unpack(q, &size, &n, &bytes);
        if (ec != EC_OK)
            break;
        ec = add_slots(l, bytes, size, n);
        g_free(bytes);
    }
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

enum ec columns_load_saved(struct mbox_tx *tx, uint64_t fid, enum view_kind kind, bool is_search,
                           uint32_t uid_validity, uint64_t *modseq_out, struct columns **out) {
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) flags = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    struct loaded_slots l = {uids, mids, flags};
    EC_TRY(read_slots(tx, fid, uid_validity, modseq_out, &l));
    struct columns *cols = columns_new(fid, kind, is_search, uids->len);
    bool is_good = true;
    for (guint i = 0; i < uids->len && is_good; i++) {
        uint32_t slot =
            columns_add(cols, g_array_index(mids, uint64_t, i), g_array_index(uids, uint32_t, i),
                        g_array_index(flags, uint32_t, i));
        is_good = slot == 0 || columns_compare_tie(cols, slot - 1, slot) < 0;
    }
    if (!is_good) {
        columns_unref(cols);
        return EC_CORRUPT_DATA;
    }
    *out = cols;
    return EC_OK;
}

static void take_narrow(struct column *c, uint32_t from, const uint8_t *bytes, uint32_t n) {
    uint32_t last = 0, d, keep = c->form == FORM_NUMBER ? UINT32_MAX : 0;
    uint32_t *to = lane_at(&c->values, from); // base slots lie in one segment
    for (uint32_t i = 0; i < n; i++) {
        memcpy(&d, bytes + (size_t)i * sizeof d, sizeof d);
        to[i] = last = (last & keep) + d;
    }
}

static void take_wide(struct column *c, uint32_t from, const uint8_t *bytes, uint32_t n) {
    uint64_t last = 0, d;
    uint64_t *to = lane_at(&c->values, from);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(&d, bytes + (size_t)i * sizeof d, sizeof d);
        to[i] = last += d;
    }
}

// Differences of numbers, or dictionary entries as they are.
static enum ec take_numbers(struct column *c, uint32_t from, const uint8_t *bytes, size_t size,
                            uint32_t n) {
    if (size != (size_t)n * c->values.width)
        return EC_CORRUPT_DATA;
    if (c->values.width == sizeof(uint32_t))
        take_narrow(c, from, bytes, n);
    else
        take_wide(c, from, bytes, n);
    return EC_OK;
}

// The dictionary's entries stay where they were unpacked. Takes over `bytes`.
static enum ec take_entries(struct column *c, uint8_t *bytes, size_t size, uint32_t n) {
    g_ptr_array_add(c->blocks, bytes);
    c->block_size += size;
    view_memory_add((ssize_t)size);
    c->block_used = SIZE_MAX / 2; // full
    size_t pos = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len;
        if (size - pos < 2)
            return EC_CORRUPT_DATA;
        bool is_same = bytes[pos++];
        uint32_t entry = c->n_entries++;
        *(uint8_t **)lane_grow(&c->entries, entry) = bytes + pos;
        if (is_same)
            c->same[entry / 8] |= (uint8_t)(1 << entry % 8);
        if (c->form == FORM_TEXT) {
            pos += strlen((const char *)bytes + pos) + 1;
        } else {
            if (size - pos < sizeof len)
                return EC_CORRUPT_DATA;
            memcpy(&len, bytes + pos, sizeof len);
            pos += sizeof len;
            if (len > size - pos)
                return EC_CORRUPT_DATA;
            pos += len;
        }
        if (pos > size)
            return EC_CORRUPT_DATA;
    }
    return EC_OK;
}

static enum ec take_part(struct column *c, struct db_stmt *q, uint32_t n_base, uint32_t *at) {
    size_t size;
    uint32_t n;
    uint8_t *bytes;
    EC_TRY(unpack(q, &size, &n, &bytes));
    if (*at < n_base) {
        enum ec ec =
            n > 0 && n <= n_base - *at ? take_numbers(c, *at, bytes, size, n) : EC_CORRUPT_DATA;
        g_free(bytes);
        *at += n;
        return ec;
    }
    if (c->form == FORM_NUMBER || n > n_base) {
        g_free(bytes);
        return EC_CORRUPT_DATA;
    }
    if (!c->same) {
        // No more entries than slots.
        c->same = g_malloc0(((size_t)n_base + ENTRY_FIRST) / 8 + 1);
        lane_init(&c->entries, sizeof(uint8_t *), 0);
    }
    if (c->n_entries + (uint64_t)n > (uint64_t)n_base + ENTRY_FIRST) {
        g_free(bytes);
        return EC_CORRUPT_DATA;
    }
    return take_entries(c, bytes, size, n);
}

enum ec column_load_saved(struct mbox_tx *tx, const struct columns *cols, struct column *c,
                          uint64_t modseq) {
    uint32_t at = 0;
    enum ec ec = EC_OK;
    struct db_stmt *q = saved(tx, cols->fid, c->tag);
    while (ec == EC_OK && db_step(q)) {
        if ((uint64_t)db_col_i64(q, 1) != modseq)
            break;
        ec = take_part(c, q, cols->n_base, &at);
    }
    enum ec query = db_finish(q);
    if (ec == EC_OK && query == EC_OK && at < cols->n_base)
        ec = EC_NOT_FOUND;
    for (uint32_t i = 0; ec == EC_OK && c->form != FORM_NUMBER && i < cols->n_base; i++)
        if (column_entry(c, i) >= c->n_entries)
            ec = EC_CORRUPT_DATA;
    c->n_sorted = c->n_entries;
    if (c->same) {
        c->same = g_realloc(c->same, c->n_sorted / 8 + 1);
        view_memory_add((ssize_t)(c->n_sorted / 8 + 1));
    }
    return query != EC_OK ? query : ec;
}
