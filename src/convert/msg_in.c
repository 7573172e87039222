// A .msg file becomes a message ([MS-OXMSG] 2): each storage has a stream of properties, whose
// larger values stand in streams of their own.
#include "base/text.h"
#include "base/wire.h"
#include "convert/convert_internal.h"
#include "convert/msg.h"
#include "convert/msg_internal.h"
#include "formats/compound.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"

#define MAX_PARTS 2048 // recipients, attachments ([MS-OXMSG] 2.2.1, 2.2.2)

struct msg {
    struct compound *file;
    struct arena *arena;
    unsigned code_page;
    GArray *names; // struct prop_name, by what MSG_FIRST_NAMED is added to
};

// --- Names ---

static GBytes *stream(struct msg *msg, unsigned storage, const char *name) {
    GBytes *bytes = NULL;
    unsigned entry = compound_find(msg->file, storage, name);
    if (entry == COMPOUND_NONE || compound_read(msg->file, entry, &bytes) != EC_OK)
        return NULL;
    return bytes;
}

static struct wire_reader reader_of(GBytes *bytes) {
    gsize len = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
    return wire_reader(data, len);
}

static bool read_set(struct wire_reader guids, unsigned index, struct guid *out) {
    if (index == MSG_SET_MAPI) {
        *out = PS_MAPI;
    } else if (index == MSG_SET_PUBLIC_STRINGS) {
        *out = PS_PUBLIC_STRINGS;
    } else if (index >= MSG_SET_FIRST) {
        wire_skip(&guids, (size_t)(index - MSG_SET_FIRST) * 16);
        *out = wire_guid(&guids);
        return wire_ok(&guids);
    } else {
        return false;
    }
    return true;
}

static struct prop_name read_name(struct msg *msg, struct wire_reader *entries,
                                  struct wire_reader guids, struct wire_reader strings) {
    struct prop_name name = {.kind = PROP_NAME_NONE};
    uint32_t id = wire_u32(entries);
    uint16_t kind = wire_u16(entries);
    wire_u16(entries); // its place, which is where it stands
    if (!read_set(guids, kind >> 1, &name.set))
        return name;
    if (!(kind & 1)) {
        name.kind = PROP_NAME_LID;
        name.lid = id;
        return name;
    }
    wire_skip(&strings, id);
    uint32_t len = wire_u32(&strings);
    const uint8_t *units = wire_bytes(&strings, len);
    if (units && len >= 2) {
        name.kind = PROP_NAME_STRING;
        name.string = text_from_utf16(msg->arena, units, len & ~1u);
    }
    return name;
}

static void read_names(struct msg *msg) {
    unsigned storage = compound_find(msg->file, COMPOUND_ROOT, MSG_NAMES);
    g_autoptr(GBytes) guids = stream(msg, storage, MSG_GUIDS);
    g_autoptr(GBytes) entries = stream(msg, storage, MSG_ENTRIES);
    g_autoptr(GBytes) strings = stream(msg, storage, MSG_STRINGS);
    struct wire_reader r = reader_of(entries);
    while (wire_left(&r) >= 8 && msg->names->len < VALUE_NAMES_MAX * 8) {
        struct prop_name name = read_name(msg, &r, reader_of(guids), reader_of(strings));
        g_array_append_val(msg->names, name);
    }
}

// The id that a property of the file has in `m`; 0: it has no name.
static uint16_t id_of(struct msg *msg, struct message_value *m, uint16_t id) {
    if (id < MSG_FIRST_NAMED)
        return id;
    unsigned i = id - MSG_FIRST_NAMED;
    if (i >= msg->names->len)
        return 0;
    const struct prop_name *name = &g_array_index(msg->names, struct prop_name, i);
    if (name->kind == PROP_NAME_NONE)
        return 0;
    uint16_t fixed = named_fixed_id(name);
    return fixed ? fixed : message_value_local_name(m, name);
}

// --- Values ---

static const char *to_text(struct msg *msg, uint16_t type, GBytes *bytes) {
    gsize len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    if (!data)
        return "";
    if ((type & ~PT_MV) == PT_UNICODE)
        return text_from_utf16(msg->arena, data, len & ~(gsize)1);
    return code_page_to_utf8(msg->arena, msg->code_page, (const char *)data, len);
}

// In the arena.
static struct prop_bin to_bytes(struct msg *msg, GBytes *bytes) {
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    return (struct prop_bin){(uint32_t)len, len ? arena_memdup(msg->arena, data, len) : NULL};
}

static bool read_fixed(struct wire_reader *r, uint16_t type, struct prop_value *out) {
    uint32_t bits32;
    uint64_t bits64;
    switch (type) {
    case PT_I2:
        out->i2 = (int16_t)wire_u16(r);
        break;
    case PT_BOOLEAN:
        out->b = wire_u16(r) != 0;
        break;
    case PT_LONG:
        out->l = (int32_t)wire_u32(r);
        break;
    case PT_FLOAT:
        bits32 = wire_u32(r);
        memcpy(&out->f, &bits32, sizeof bits32);
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        bits64 = wire_u64(r);
        memcpy(&out->d, &bits64, sizeof bits64);
        break;
    case PT_I8:
    case PT_CURRENCY:
    case PT_SYSTIME:
        out->i8 = (int64_t)wire_u64(r);
        break;
    case PT_CLSID:
        out->guid = wire_guid(r);
        break;
    default:
        return false;
    }
    return wire_ok(r);
}

// Values of a fixed size, one after the other in one stream.
static bool read_fixed_values(struct msg *msg, uint16_t type, GBytes *bytes,
                              struct prop_value *out) {
    struct wire_reader r = reader_of(bytes);
    size_t size = prop_fixed_size(type);
    uint32_t n = 0, max = (uint32_t)(wire_left(&r) / size);
    uint8_t *values = arena_alloc(msg->arena, MAX(max * size, 1));
    struct prop_value one = {0};
    while (n < max && read_fixed(&r, type, &one))
        memcpy(values + n++ * size, prop_fixed_const(&one), size);
    out->mv.n = n;
    out->mv.i8 = (const int64_t *)(void *)values;
    return true;
}

// Strings and binaries: `bytes` has their lengths, each stands in a stream of its own.
static bool read_variable_values(struct msg *msg, unsigned storage, proptag_t tag, GBytes *bytes,
                                 struct prop_value *out) {
    uint16_t type = PROP_TYPE(tag) & ~PT_MV;
    size_t entry = type == PT_BINARY ? 8 : 4;
    uint32_t max = (uint32_t)(g_bytes_get_size(bytes) / entry), n = 0;
    const char **strings = arena_alloc(msg->arena, MAX(max * sizeof *strings, 1));
    struct prop_bin *bins = arena_alloc(msg->arena, MAX(max * sizeof *bins, 1));
    for (; n < max; n++) {
        char name[40];
        g_snprintf(name, sizeof name, MSG_STREAM "%08X-%08X", tag, n);
        g_autoptr(GBytes) value = stream(msg, storage, name);
        if (!value)
            break;
        if (type == PT_BINARY)
            bins[n] = to_bytes(msg, value);
        else
            strings[n] = to_text(msg, type, value);
    }
    out->mv.n = n;
    if (type == PT_BINARY)
        out->mv.bin = bins;
    else
        out->mv.str = strings;
    return true;
}

static bool is_variable(uint16_t type) {
    return type == PT_UNICODE || type == PT_STRING8 || type == PT_BINARY;
}

// A value that stands outside of the property stream.
static bool read_stream_value(struct msg *msg, unsigned storage, proptag_t tag,
                              struct prop_value *out) {
    char name[32];
    uint16_t type = PROP_TYPE(tag), single = type & ~PT_MV;
    g_snprintf(name, sizeof name, MSG_STREAM "%08X", tag);
    g_autoptr(GBytes) bytes = stream(msg, storage, name);
    if (!bytes)
        return false;
    if (prop_is_mv(type) && is_variable(single))
        return read_variable_values(msg, storage, tag, bytes, out);
    if (prop_is_mv(type))
        return prop_fixed_size(single) > 0 && single != PT_BOOLEAN && single != PT_ERROR &&
               read_fixed_values(msg, single, bytes, out);
    if (type == PT_UNICODE || type == PT_STRING8) {
        out->str = to_text(msg, type, bytes);
        return true;
    }
    if (prop_is_bytes(type)) {
        out->bin = to_bytes(msg, bytes);
        return true;
    }
    struct wire_reader r = reader_of(bytes);
    return type == PT_CLSID && read_fixed(&r, type, out);
}

static bool read_value(struct msg *msg, unsigned storage, proptag_t tag, struct wire_reader value,
                       struct prop_value *out) {
    uint16_t type = PROP_TYPE(tag);
    if (prop_is_mv(type) || prop_fixed_size(type) == 0 || type == PT_CLSID)
        return read_stream_value(msg, storage, tag, out);
    return read_fixed(&value, type, out);
}

static proptag_t own_tag(uint16_t id, uint16_t type) {
    if (type == PT_STRING8)
        type = PT_UNICODE;
    return PROP_TAG(id, type == PT_MV_STRING8 ? PT_MV_UNICODE : type);
}

// What writers add for readers of the file and no message has.
static bool is_of_file(proptag_t tag, const struct prop_value *v, unsigned number) {
    return tag == PidTagStoreSupportMask ||
           ((tag == PidTagRowid || tag == PidTagAttachNumber) && (uint32_t)v->l == number);
}

// `number` of the recipient or attachment; the content of an attachment is left out.
static void read_bag(struct msg *msg, unsigned storage, size_t header, unsigned number,
                     struct message_value *m, struct bag *bag) {
    g_autoptr(GBytes) bytes = stream(msg, storage, MSG_PROPERTIES);
    struct wire_reader r = reader_of(bytes);
    wire_skip(&r, header);
    while (wire_left(&r) >= 16) {
        proptag_t tag = wire_u32(&r);
        wire_u32(&r); // flags
        struct wire_reader value = wire_sub(&r, 8);
        if (PROP_ID(tag) == PROP_ID(PidTagAttachDataBinary))
            continue;
        struct prop_value v = {0};
        if (!read_value(msg, storage, tag, value, &v) || is_of_file(tag, &v, number))
            continue;
        v.tag = own_tag(id_of(msg, m, PROP_ID(tag)), PROP_TYPE(tag));
        if (PROP_ID(v.tag) != 0)
            bag_set(bag, &v);
    }
}

// --- Recipients, attachments, messages ---

static struct message_value *read_message(struct msg *msg, unsigned storage, size_t header,
                                          unsigned depth);

// Storages called `prefix` and a number in hexadecimal, in the order of the numbers.
struct part {
    unsigned number, entry;
};

static int compare_parts(gconstpointer a, gconstpointer b) {
    const struct part *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static GArray *parts_of(struct msg *msg, unsigned storage, const char *prefix) {
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(struct part));
    size_t len = strlen(prefix);
    for (unsigned e = compound_first(msg->file, storage); e != COMPOUND_NONE;
         e = compound_next(msg->file, e)) {
        const char *name = compound_name(msg->file, e);
        if (g_ascii_strncasecmp(name, prefix, len) != 0 || !compound_is_storage(msg->file, e))
            continue;
        struct part part = {(unsigned)g_ascii_strtoull(name + len, NULL, 16), e};
        g_array_append_val(parts, part);
    }
    g_array_sort(parts, compare_parts);
    if (parts->len > MAX_PARTS)
        g_array_set_size(parts, MAX_PARTS);
    return parts;
}

// A storage as a compound file of its own.
static GBytes *read_object(struct msg *msg, unsigned storage) {
    struct guid class = compound_class(msg->file, storage);
    struct compound_writer *w = compound_writer_new(&class);
    GBytes *bytes = NULL;
    if (compound_copy(w, COMPOUND_ROOT, msg->file, storage) != EC_OK ||
        compound_write(w, &bytes) != EC_OK)
        bytes = NULL;
    compound_writer_free(w);
    return bytes;
}

static void read_content(struct msg *msg, unsigned storage, unsigned depth,
                         struct attachment_value *a) {
    int method = bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    unsigned object = compound_find(msg->file, storage, MSG_STREAM "3701000D");
    if (object != COMPOUND_NONE && compound_is_storage(msg->file, object)) {
        if (method != ATTACH_EMBEDDED)
            a->data = read_object(msg, object);
        else if (depth < MSG_DEPTH_MAX)
            a->embedded = read_message(msg, object, MSG_HEADER_EMBEDDED, depth + 1);
        return;
    }
    a->data = stream(msg, storage, MSG_STREAM "37010102");
    if (!a->data)
        a->data = stream(msg, storage, MSG_STREAM "3701000D");
}

static void read_parts(struct msg *msg, unsigned storage, unsigned depth, struct message_value *m) {
    g_autoptr(GArray) recipients = parts_of(msg, storage, MSG_RECIPIENT);
    g_autoptr(GArray) attachments = parts_of(msg, storage, MSG_ATTACHMENT);
    for (guint i = 0; i < recipients->len; i++) {
        const struct part *part = &g_array_index(recipients, struct part, i);
        struct bag *bag = bag_new();
        read_bag(msg, part->entry, MSG_HEADER_PART, i, m, bag);
        g_ptr_array_add(m->recipients, bag);
    }
    for (guint i = 0; i < attachments->len; i++) {
        const struct part *part = &g_array_index(attachments, struct part, i);
        struct attachment_value *a = attachment_value_new();
        read_bag(msg, part->entry, MSG_HEADER_PART, i, m, a->bag);
        read_content(msg, part->entry, depth, a);
        if (!bag_get(a->bag, PidTagAttachMethod))
            bag_set_long(a->bag, PidTagAttachMethod,
                         a->embedded ? ATTACH_EMBEDDED : ATTACH_BY_VALUE);
        g_ptr_array_add(m->attachments, a);
    }
}

static struct message_value *read_message(struct msg *msg, unsigned storage, size_t header,
                                          unsigned depth) {
    struct message_value *m = message_value_new();
    read_bag(msg, storage, header, UINT32_MAX, m, m->bag);
    read_parts(msg, storage, depth, m);
    return m;
}

// The code page of strings that are not in Unicode, which stands among the properties.
static void find_code_page(struct msg *msg) {
    g_autoptr(GBytes) bytes = stream(msg, COMPOUND_ROOT, MSG_PROPERTIES);
    struct wire_reader r = reader_of(bytes);
    uint32_t message = 0, internet = 0;
    wire_skip(&r, MSG_HEADER_TOP);
    while (wire_left(&r) >= 16) {
        proptag_t tag = wire_u32(&r);
        wire_u32(&r);
        uint32_t value = wire_u32(&r);
        wire_u32(&r);
        if (tag == PidTagMessageCodepage)
            message = value;
        else if (tag == PidTagInternetCodepage)
            internet = value;
    }
    msg->code_page = message ? message : internet ? internet : CODE_PAGE_WINDOWS_1252;
}

enum ec convert_msg_to_message(const void *data, size_t len, struct message_value **out) {
    struct msg msg = {0};
    EC_TRY(compound_open(data, len, &msg.file));
    if (compound_find(msg.file, COMPOUND_ROOT, MSG_PROPERTIES) == COMPOUND_NONE) {
        compound_free(msg.file);
        return EC_FORMAT_ERROR;
    }
    msg.arena = arena_new();
    msg.names = g_array_new(FALSE, FALSE, sizeof(struct prop_name));
    read_names(&msg);
    find_code_page(&msg);
    *out = read_message(&msg, COMPOUND_ROOT, MSG_HEADER_TOP, 0);
    g_array_unref(msg.names);
    arena_free(msg.arena);
    compound_free(msg.file);
    return EC_OK;
}
