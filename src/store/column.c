// One column: sort keys of numbers, the dictionary of everything else, values in and out.
#include "store/columns_internal.h"
#include "store/retention_policy.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "mapi/change.h"
#include "mapi/prop_shape.h"
#include "mapi/props.h"
#include "store/message_object_internal.h"

#define BLOCK_MIN 512
#define BLOCK_MAX (256 * 1024)

// --- Sort keys of numbers ---

static uint64_t key_of_double(double d) {
    uint64_t bits;
    if (isnan(d))
        return 1; // before every number, after an absent one
    if (d == 0)
        d = 0; // -0 too
    memcpy(&bits, &d, sizeof bits);
    bits = bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
    return bits;
}

// The least value of a type shares its key with the next: the key 0 is the absent one's.
static uint64_t key_of_i64(int64_t v) {
    uint64_t key = (uint64_t)v ^ UINT64_C(1) << 63;
    return MAX(key, 1);
}

uint64_t number_of(const struct prop_value *v) {
    uint32_t key;
    switch (PROP_TYPE(v->tag)) {
    case PT_I2:
        return (uint64_t)(v->i2 + 0x8001);
    case PT_LONG:
    case PT_ERROR:
        key = (uint32_t)v->l ^ 1u << 31;
        return MAX(key, 1);
    case PT_BOOLEAN:
        return v->b + 1u;
    case PT_FLOAT:
        return key_of_double((double)v->f);
    case PT_DOUBLE:
    case PT_APPTIME:
        return key_of_double(v->d);
    case PT_SYSTIME:
        return MAX(v->time, 1);
    default:
        return key_of_i64(v->i8);
    }
}

static double double_of_key(uint64_t key) {
    double d;
    if (key == 1)
        return (double)NAN;
    key = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    memcpy(&d, &key, sizeof d);
    return d;
}

static struct prop_value value_of_number(proptag_t tag, uint64_t key) {
    struct prop_value v = {.tag = tag};
    switch (PROP_TYPE(tag)) {
    case PT_I2:
        v.i2 = (int16_t)((int64_t)key - 0x8001);
        break;
    case PT_LONG:
    case PT_ERROR:
        v.l = (int32_t)((uint32_t)key ^ 1u << 31);
        break;
    case PT_BOOLEAN:
        v.b = key == 2;
        break;
    case PT_FLOAT:
        v.f = (float)double_of_key(key);
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        v.d = double_of_key(key);
        break;
    case PT_SYSTIME:
        v.time = key;
        break;
    default:
        v.i8 = (int64_t)(key ^ UINT64_C(1) << 63);
        break;
    }
    return v;
}

// --- Columns ---

static enum column_form form_of(proptag_t tag) {
    switch (PROP_TYPE(tag)) {
    case PT_I2:
    case PT_LONG:
    case PT_FLOAT:
    case PT_DOUBLE:
    case PT_CURRENCY:
    case PT_APPTIME:
    case PT_BOOLEAN:
    case PT_I8:
    case PT_SYSTIME:
        return FORM_NUMBER;
    case PT_UNICODE:
        return FORM_TEXT;
    default:
        return FORM_BYTES;
    }
}

bool column_is_possible(proptag_t tag) {
    switch (PROP_ID(tag)) {
    case PROP_ID(PidTagBody):
    case PROP_ID(PidTagHtml):
    case PROP_ID(PidTagRtfCompressed):
    case PROP_ID(PidTagTransportMessageHeaders):
    case PROP_ID(PidTagMessageRecipients):
    case PROP_ID(PidTagMessageAttachments):
        return false;
    default:
        return prop_type_is_valid(PROP_TYPE(tag)) && PROP_TYPE(tag) != PT_OBJECT;
    }
}

static enum column_source source_of(const struct columns *cols, proptag_t tag) {
    switch (tag) {
    case PidTagMid:
    case PidTagInstID:
    case PidTagMessageFlags:
    case PidTagHasAttachments:
        return FROM_SLOT;
    case PidTagFolderId:
    case PidTagParentFolderId:
        return cols->is_search ? FROM_ROW : FROM_SLOT;
    case PidTagMessageDeliveryTime:
    case PidTagClientSubmitTime:
    case PidTagMessageSize:
    case PidTagMessageSizeExtended:
    case PidTagMessageClass:
    case PidTagSubject:
    case PidTagConversationId:
    case PidTagChangeNumber:
        return FROM_ROW;
    case PidTagFlagStatus:
    case PidTagMessageStatus:
        return FROM_BAG; // and flags
    default:
        return message_is_computed(tag) || retention_is_date(tag) ? FROM_MESSAGE : FROM_BAG;
    }
}

static uint32_t number_width(proptag_t tag) {
    switch (PROP_TYPE(tag)) {
    case PT_I2:
    case PT_LONG:
    case PT_BOOLEAN:
        return sizeof(uint32_t);
    default:
        return sizeof(uint64_t);
    }
}

struct column *columns_get(const struct columns *cols, proptag_t tag) {
    unsigned n = atomic_load_explicit(&cols->n_columns, memory_order_acquire);
    for (unsigned i = 0; i < n; i++)
        if (cols->list[i]->tag == tag)
            return cols->list[i];
    return NULL;
}

struct column *column_new(struct columns *cols, proptag_t tag) {
    if (cols->n_columns == COLUMNS_MAX)
        return NULL;
    struct column *c = g_new0(struct column, 1);
    c->tag = tag;
    c->source = source_of(cols, tag);
    c->form = form_of(tag);
    bool is_number = c->form == FORM_NUMBER;
    if (c->source != FROM_SLOT)
        lane_init(&c->values, is_number ? number_width(tag) : sizeof(uint32_t), cols->n);
    if (!is_number) {
        c->n_entries = c->n_sorted = ENTRY_FIRST;
        c->blocks = g_ptr_array_new_with_free_func(g_free);
    }
    view_memory_add(sizeof *c);
    return c;
}

void column_publish(struct columns *cols, struct column *c) {
    if (c->known)
        g_hash_table_unref(c->known);
    c->known = NULL; // what comes later is little: a value may stand there twice
    cols->list[cols->n_columns] = c;
    atomic_fetch_add_explicit(&cols->n_columns, 1, memory_order_release);
}

static size_t block_bytes(guint i) {
    return i >= 9 ? BLOCK_MAX : MIN((size_t)BLOCK_MIN << i, BLOCK_MAX);
}

void column_forget_ranks(struct column *c) {
    if (c->ranks)
        view_memory_add(-(ssize_t)(c->n_ranked + 1) * (ssize_t)sizeof *c->ranks);
    g_clear_pointer(&c->ranks, g_free);
    c->n_ranked = 0;
}

void column_free(struct column *c) {
    if (!c)
        return;
    lane_clear(&c->values);
    lane_clear(&c->entries);
    if (c->known)
        g_hash_table_unref(c->known);
    if (c->blocks) {
        view_memory_add(-(ssize_t)c->block_size);
        g_ptr_array_unref(c->blocks);
    }
    if (c->same)
        view_memory_add(-(ssize_t)(c->n_sorted / 8 + 1));
    g_free(c->same);
    column_forget_ranks(c);
    view_memory_add(-(ssize_t)sizeof *c);
    g_free(c);
}

// --- Dictionaries ---

// Room in the blocks; texts lie close together, lengths are aligned.
static uint8_t *block_room(struct column *c, size_t size, bool is_aligned) {
    guint last = c->blocks->len;
    size_t used = is_aligned ? (c->block_used + 3) & ~(size_t)3 : c->block_used;
    size_t room = last ? block_bytes(last - 1) : 0;
    if (last == 0 || used + size > room) {
        size_t bytes = MAX(block_bytes(last), size);
        g_ptr_array_add(c->blocks, g_malloc(bytes));
        c->block_size += bytes;
        view_memory_add((ssize_t)bytes);
        // A value larger than a block has one of its own, which counts as full.
        c->block_used = size > block_bytes(last) ? block_bytes(last) : size;
        return c->blocks->pdata[last];
    }
    c->block_used = used + size;
    return (uint8_t *)c->blocks->pdata[last - 1] + used;
}

static guint hash_bytes(gconstpointer key) {
    uint32_t len;
    memcpy(&len, key, sizeof len);
    const uint8_t *p = (const uint8_t *)key + sizeof len;
    guint h = len;
    for (uint32_t i = 0; i < len; i++)
        h = h * 31 + p[i];
    return h;
}

static gboolean same_bytes(gconstpointer a, gconstpointer b) {
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y && memcmp((const uint8_t *)a + sizeof x, (const uint8_t *)b + sizeof y, x) == 0;
}

static guint hash_text(gconstpointer key) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const uint8_t *p = key; *p; p++)
        h = (h ^ *p) * UINT64_C(0x100000001b3);
    return (guint)(h ^ h >> 32);
}

uint32_t column_intern(struct column *c, const void *data, size_t len, bool is_new) {
    bool is_text = c->form == FORM_TEXT;
    uint8_t *room = block_room(c, is_text ? len + 1 : len + sizeof(uint32_t), !is_text);
    if (is_text) {
        memcpy(room, data, len);
        room[len] = 0;
    } else {
        uint32_t n = (uint32_t)len;
        memcpy(room, &n, sizeof n);
        if (len)
            memcpy(room + sizeof n, data, len);
    }
    if (!is_new) {
        if (!c->known)
            c->known = g_hash_table_new(is_text ? hash_text : hash_bytes,
                                        is_text ? g_str_equal : same_bytes);
        gpointer known = g_hash_table_lookup(c->known, room);
        if (known) {
            // Takes the room back unless it is a block of its own.
            size_t size = is_text ? len + 1 : len + sizeof(uint32_t);
            if (c->block_used >= size &&
                room + size == (uint8_t *)c->blocks->pdata[c->blocks->len - 1] + c->block_used)
                c->block_used -= size;
            return GPOINTER_TO_UINT(known);
        }
    }
    if (c->entries.width == 0)
        lane_init(&c->entries, sizeof(uint8_t *), 0);
    uint32_t entry = c->n_entries++;
    *(uint8_t **)lane_grow(&c->entries, entry) = room;
    if (!is_new)
        g_hash_table_insert(c->known, room, GUINT_TO_POINTER(entry));
    return entry;
}

// Anything but a text as bytes: a value of a type with bytes as it is, others as a bag of one.
static uint32_t intern_value(struct column *c, const struct prop_value *v, bool is_new) {
    if (v->is_external)
        return ENTRY_EXTERNAL;
    uint16_t type = PROP_TYPE(v->tag);
    if (type == PT_UNICODE)
        return column_intern(c, v->str, strlen(v->str), is_new);
    if (prop_is_bytes(type))
        return column_intern(c, v->bin.data, v->bin.len, is_new);
    if (type == PT_CLSID)
        return column_intern(c, v->guid.bytes, sizeof v->guid.bytes, is_new);
    BAG_AUTO bag = bag_new();
    if (bag_set(bag, v) != EC_OK)
        return ENTRY_ABSENT;
    g_autoptr(GBytes) bytes = bag_encode(bag);
    return column_intern(c, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), is_new);
}

bool column_entry_value(const struct column *c, uint32_t entry, struct arena *arena,
                        struct prop_value *out) {
    uint32_t len;
    uint16_t type = PROP_TYPE(c->tag);
    *out = (struct prop_value){.tag = c->tag};
    if (entry == ENTRY_ABSENT)
        return false;
    if (entry == ENTRY_EXTERNAL) {
        out->is_external = true;
        return true;
    }
    const uint8_t *p = *(uint8_t *const *)lane_at(&c->entries, entry);
    if (c->form == FORM_TEXT) {
        out->str = (const char *)p;
        return true;
    }
    memcpy(&len, p, sizeof len);
    p += sizeof len;
    if (prop_is_bytes(type))
        out->bin = (struct prop_bin){len, p};
    else if (type == PT_CLSID)
        memcpy(out->guid.bytes, p, MIN(len, sizeof out->guid.bytes));
    else
        return bag_view_get(p, len, arena, c->tag, out) == EC_OK;
    return true;
}

// --- Values ---

void column_put(struct column *c, uint32_t slot, const struct prop_value *v) {
    bool is_bulk = c->known || c->n_entries <= ENTRY_FIRST;
    if (c->source == FROM_SLOT)
        return;
    if (c->form != FORM_NUMBER)
        *(uint32_t *)lane_grow(&c->values, slot) = v ? intern_value(c, v, !is_bulk) : ENTRY_ABSENT;
    else if (c->values.width == sizeof(uint32_t))
        *(uint32_t *)lane_grow(&c->values, slot) =
            v && !v->is_external ? (uint32_t)number_of(v) : 0;
    else
        *(uint64_t *)lane_grow(&c->values, slot) = v && !v->is_external ? number_of(v) : 0;
}

void column_copy(struct column *c, uint32_t to, uint32_t from) {
    if (c->source != FROM_SLOT)
        memcpy(lane_grow(&c->values, to), lane_at(&c->values, from), c->values.width);
}

static int64_t wire_id(uint64_t id) {
    return short_id_value((struct short_id){REPLID_OWN, id});
}

static uint64_t number_of_slot(const struct columns *cols, proptag_t tag, uint32_t slot) {
    uint32_t flags = slot_flags(cols, slot);
    struct prop_value v = {.tag = tag};
    switch (tag) {
    case PidTagMessageFlags: // as message_computed.c has it
        v.l = (flags & MSG_READ ? 1 : 0) | (flags & MSG_DRAFT ? 8 : 2) |
              (flags & MSG_HAS_ATTACHMENTS ? 0x10 : 0) | (flags & MSG_ASSOCIATED ? 0x40 : 0);
        break;
    case PidTagHasAttachments:
        v.b = flags & MSG_HAS_ATTACHMENTS;
        break;
    case PidTagFolderId:
    case PidTagParentFolderId:
        v.i8 = wire_id(cols->fid);
        break;
    default:
        v.i8 = wire_id(slot_mid(cols, slot));
        break;
    }
    return number_of(&v);
}

uint64_t column_number(const struct columns *cols, const struct column *c, uint32_t slot) {
    if (c->source == FROM_SLOT)
        return number_of_slot(cols, c->tag, slot);
    return c->values.width == sizeof(uint32_t) ? lane_u32(&c->values, slot)
                                               : lane_u64(&c->values, slot);
}

bool column_value(const struct columns *cols, const struct column *c, uint32_t slot,
                  struct arena *arena, struct prop_value *out) {
    if (c->form != FORM_NUMBER)
        return column_entry_value(c, column_entry(c, slot), arena, out);
    uint64_t key = column_number(cols, c, slot);
    *out = value_of_number(c->tag, key);
    return key != 0;
}

int column_compare(const struct columns *cols, const struct column *c, uint32_t a, uint32_t b) {
    if (c->form == FORM_NUMBER) {
        uint64_t x = column_number(cols, c, a), y = column_number(cols, c, b);
        return x < y ? -1 : x > y;
    }
    uint32_t x = column_entry(c, a), y = column_entry(c, b);
    if (x == y)
        return 0;
    if (x == ENTRY_ABSENT || y == ENTRY_ABSENT)
        return x == ENTRY_ABSENT ? -1 : 1;
    struct prop_value u, v;
    if (c->form == FORM_TEXT) {
        column_entry_value(c, x, NULL, &u);
        column_entry_value(c, y, NULL, &v);
        return prop_compare(&u, &v);
    }
    ARENA_AUTO arena = arena_new();
    column_entry_value(c, x, arena, &u);
    column_entry_value(c, y, arena, &v);
    return prop_compare(&u, &v);
}
