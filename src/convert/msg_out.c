// A message becomes a .msg file ([MS-OXMSG] 2).
#include "base/text.h"
#include "base/wire.h"
#include "convert/convert_internal.h"
#include "convert/loaded.h"
#include "convert/msg.h"
#include "convert/msg_internal.h"
#include "formats/compound.h"
#include "formats/rtf_compressed.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"

#define READABLE_WRITABLE 6u
#define UNKNOWN_SIZE 0xFFFFFFFFu
#define OBJECT_MESSAGE 1u // what a property of type object is
#define OBJECT_STORAGE 4u
#define STREAM_MAX (1024u * 1024 * 1024)
#define HASHES 0x1F // streams of names by their hashes

static const struct guid message_class = GUID_INIT(0x00020D0B, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46);

struct names {
    GHashTable *known; // key -> index + 1
    GArray *sets;      // struct guid
    struct wire_writer entries, strings;
    struct wire_writer hashes[HASHES];
    unsigned n;
};

struct msg {
    struct compound_writer *file;
    struct names names;
    unsigned code_page; // 0: Unicode
};

// --- Names ([MS-OXMSG] 2.2.3) ---

static unsigned set_index(struct names *names, const struct guid *set) {
    if (guid_equal(set, &PS_MAPI))
        return MSG_SET_MAPI;
    if (guid_equal(set, &PS_PUBLIC_STRINGS))
        return MSG_SET_PUBLIC_STRINGS;
    for (guint i = 0; i < names->sets->len; i++)
        if (guid_equal(&g_array_index(names->sets, struct guid, i), set))
            return MSG_SET_FIRST + i;
    g_array_append_val(names->sets, *set);
    return MSG_SET_FIRST + names->sets->len - 1;
}

// Where a string stands among the strings; its checksum goes to `hash_out`.
static uint32_t put_name_string(struct names *names, const char *string, uint32_t *hash_out) {
    g_autoptr(GByteArray) units = g_byte_array_new();
    text_to_utf16(string, strlen(string), units);
    uint32_t at = (uint32_t)wire_writer_len(&names->strings);
    wire_put_u32(&names->strings, units->len);
    wire_put_bytes(&names->strings, units->data, units->len);
    while (wire_writer_ok(&names->strings) && wire_writer_len(&names->strings) % 4 != 0)
        wire_put_u8(&names->strings, 0);
    *hash_out = rtf_checksum(units->data, units->len);
    return at;
}

static void add_name(struct names *names, const struct prop_name *name) {
    bool is_string = name->kind == PROP_NAME_STRING;
    uint32_t id = name->lid, hash = name->lid;
    uint16_t kind = (uint16_t)(set_index(names, &name->set) << 1 | is_string);
    if (is_string)
        id = put_name_string(names, name->string, &hash);
    wire_put_u32(&names->entries, id);
    wire_put_u16(&names->entries, kind);
    wire_put_u16(&names->entries, (uint16_t)names->n);
    struct wire_writer *w = &names->hashes[(hash ^ kind) % HASHES];
    wire_put_u32(w, hash);
    wire_put_u16(w, kind);
    wire_put_u16(w, (uint16_t)names->n);
    names->n++;
}

// The id of a property in the file; 0: its name is not known.
static uint16_t id_of(struct msg *msg, const struct message_value *m, uint16_t id) {
    struct prop_name name;
    char set[GUID_STRING_SIZE];
    if (id < MSG_FIRST_NAMED)
        return id;
    if (!message_value_name(m, id, &name) || name.kind == PROP_NAME_NONE || msg->names.n >= 0x7FFF)
        return 0;
    guid_format(&name.set, set);
    g_autofree char *key = name.kind == PROP_NAME_STRING
                               ? g_strdup_printf("%s/s%s", set, name.string)
                               : g_strdup_printf("%s/%u", set, name.lid);
    unsigned known = GPOINTER_TO_UINT(g_hash_table_lookup(msg->names.known, key));
    if (!known) {
        add_name(&msg->names, &name);
        known = msg->names.n;
        g_hash_table_insert(msg->names.known, g_steal_pointer(&key), GUINT_TO_POINTER(known));
    }
    return (uint16_t)(MSG_FIRST_NAMED + known - 1);
}

static void add_stream_take(struct msg *msg, unsigned storage, const char *name,
                            struct wire_writer *w) {
    GByteArray *bytes = wire_writer_take(w);
    g_autoptr(GBytes) stream =
        bytes ? g_byte_array_free_to_bytes(bytes) : g_bytes_new_static("", 0);
    compound_add_stream(msg->file, storage, name, stream);
}

static void write_names(struct msg *msg) {
    struct names *names = &msg->names;
    unsigned storage = compound_add_storage(msg->file, COMPOUND_ROOT, MSG_NAMES, NULL);
    struct wire_writer sets = wire_writer(STREAM_MAX);
    for (guint i = 0; i < names->sets->len; i++)
        wire_put_guid(&sets, &g_array_index(names->sets, struct guid, i));
    add_stream_take(msg, storage, MSG_GUIDS, &sets);
    add_stream_take(msg, storage, MSG_ENTRIES, &names->entries);
    add_stream_take(msg, storage, MSG_STRINGS, &names->strings);
    for (unsigned i = 0; i < HASHES; i++) {
        char name[32];
        g_snprintf(name, sizeof name, MSG_STREAM "%04X0102", 0x1000 + i);
        if (wire_writer_len(&names->hashes[i]) > 0)
            add_stream_take(msg, storage, name, &names->hashes[i]);
        wire_writer_clear(&names->hashes[i]);
    }
}

// --- Values ---

static void put_fixed(struct wire_writer *w, const struct prop_value *v) {
    uint32_t bits32;
    uint64_t bits64;
    switch (PROP_TYPE(v->tag)) {
    case PT_I2:
        wire_put_u16(w, (uint16_t)v->i2);
        break;
    case PT_BOOLEAN:
        wire_put_u16(w, v->b);
        break;
    case PT_LONG:
    case PT_ERROR:
        wire_put_u32(w, (uint32_t)v->l);
        break;
    case PT_FLOAT:
        memcpy(&bits32, &v->f, sizeof bits32);
        wire_put_u32(w, bits32);
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        memcpy(&bits64, &v->d, sizeof bits64);
        wire_put_u64(w, bits64);
        break;
    case PT_CLSID:
        wire_put_guid(w, &v->guid);
        break;
    default:
        wire_put_u64(w, (uint64_t)v->i8);
    }
}

// A string without its NUL.
static void put_text(const struct msg *msg, struct wire_writer *w, const char *s) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    if (msg->code_page)
        code_page_from_utf8(msg->code_page, s, bytes);
    else
        text_to_utf16(s, strlen(s), bytes);
    wire_put_bytes(w, bytes->data, bytes->len);
}

static size_t nul_size(const struct msg *msg) {
    return msg->code_page ? 1 : 2;
}

static struct wire_writer stream_of(const struct msg *msg, const struct prop_value *v) {
    struct wire_writer w = wire_writer(STREAM_MAX);
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        put_text(msg, &w, v->str);
    else if (prop_is_bytes(PROP_TYPE(v->tag)))
        wire_put_bytes(&w, v->bin.data, v->bin.len);
    else
        put_fixed(&w, v);
    return w;
}

// Each value in a stream of its own; their lengths in `lengths`.
static void put_variable_values(struct msg *msg, unsigned storage, proptag_t tag,
                                const struct prop_value *v, struct wire_writer *lengths) {
    for (uint32_t i = 0; i < v->mv.n; i++) {
        char name[40];
        struct prop_value one = prop_element(v, i);
        struct wire_writer w = stream_of(msg, &one);
        if (PROP_TYPE(one.tag) == PT_UNICODE)
            for (size_t k = 0; k < nul_size(msg); k++)
                wire_put_u8(&w, 0);
        wire_put_u32(lengths, (uint32_t)wire_writer_len(&w));
        if (PROP_TYPE(one.tag) == PT_BINARY)
            wire_put_u32(lengths, 0);
        g_snprintf(name, sizeof name, MSG_STREAM "%08X-%08X", tag, i);
        add_stream_take(msg, storage, name, &w);
    }
}

static proptag_t file_tag(const struct msg *msg, uint16_t id, uint16_t type) {
    if (msg->code_page && prop_is_string(type))
        type = (uint16_t)(PT_STRING8 | (type & PT_MV));
    return PROP_TAG(id, type);
}

static void put_entry(struct wire_writer *props, proptag_t tag, uint32_t size, uint32_t reserved) {
    wire_put_u32(props, tag);
    wire_put_u32(props, READABLE_WRITABLE);
    wire_put_u32(props, size);
    wire_put_u32(props, reserved);
}

static void put_property(struct msg *msg, unsigned storage, const struct message_value *m,
                         const struct prop_value *v, struct wire_writer *props) {
    uint16_t type = PROP_TYPE(v->tag), id = id_of(msg, m, PROP_ID(v->tag));
    proptag_t tag = file_tag(msg, id, type);
    char name[32];
    if (id == 0 || v->is_external)
        return;
    if (!prop_is_mv(type) && prop_fixed_size(type) > 0 && type != PT_CLSID) {
        wire_put_u32(props, tag);
        wire_put_u32(props, READABLE_WRITABLE);
        size_t start = wire_writer_len(props);
        put_fixed(props, v);
        while (wire_writer_ok(props) && wire_writer_len(props) < start + 8)
            wire_put_u8(props, 0);
        return;
    }
    struct wire_writer w = wire_writer(STREAM_MAX);
    if (prop_is_mv(type) && (prop_is_string(type) || type == PT_MV_BINARY)) {
        put_variable_values(msg, storage, tag, v, &w);
    } else if (prop_is_mv(type)) {
        for (uint32_t i = 0; i < v->mv.n; i++) {
            struct prop_value one = prop_element(v, i);
            put_fixed(&w, &one);
        }
    } else {
        wire_writer_clear(&w);
        w = stream_of(msg, v);
    }
    size_t nul = type == PT_UNICODE ? nul_size(msg) : 0;
    put_entry(props, tag, (uint32_t)(wire_writer_len(&w) + nul), 0);
    g_snprintf(name, sizeof name, MSG_STREAM "%08X", tag);
    add_stream_take(msg, storage, name, &w);
}

static void put_bag(struct msg *msg, unsigned storage, const struct message_value *m,
                    const struct bag *bag, struct wire_writer *props) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        bool is_content = PROP_ID(v->tag) == PROP_ID(PidTagAttachDataBinary);
        if (!is_content && v->tag != PidTagStoreSupportMask)
            put_property(msg, storage, m, v, props);
    }
}

// A number that readers of the file want, unless the bag has it.
static void put_number(struct msg *msg, unsigned storage, const struct message_value *m,
                       const struct bag *bag, proptag_t tag, uint32_t number,
                       struct wire_writer *props) {
    struct prop_value v = prop_long(tag, (int32_t)number);
    if (!bag_get(bag, tag))
        put_property(msg, storage, m, &v, props);
}

// --- Messages ---

static void put_message(struct msg *msg, unsigned storage, const struct message_value *m,
                        unsigned depth);

static void put_recipient(struct msg *msg, unsigned parent, const struct message_value *m,
                          unsigned number) {
    char name[40];
    const struct bag *bag = m->recipients->pdata[number];
    struct wire_writer props = wire_writer(STREAM_MAX);
    g_snprintf(name, sizeof name, MSG_RECIPIENT "%08X", number);
    unsigned storage = compound_add_storage(msg->file, parent, name, NULL);
    wire_put_u64(&props, 0);
    put_bag(msg, storage, m, bag, &props);
    put_number(msg, storage, m, bag, PidTagRowid, number, &props);
    add_stream_take(msg, storage, MSG_PROPERTIES, &props);
}

static void put_content(struct msg *msg, unsigned storage, const struct attachment_value *a,
                        unsigned depth, struct wire_writer *props) {
    proptag_t object_tag = PROP_TAG(PROP_ID(PidTagAttachDataBinary), PT_OBJECT);
    if (a->embedded && depth < MSG_DEPTH_MAX) {
        put_entry(props, object_tag, UNKNOWN_SIZE, OBJECT_MESSAGE);
        unsigned inner =
            compound_add_storage(msg->file, storage, MSG_STREAM "3701000D", &message_class);
        put_message(msg, inner, a->embedded, depth + 1);
    }
    if (!a->data)
        return;
    gsize len;
    const void *data = g_bytes_get_data(a->data, &len);
    struct compound *object = NULL;
    if (bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE) == ATTACH_OLE &&
        compound_open(data, len, &object) == EC_OK) {
        struct guid class = compound_class(object, COMPOUND_ROOT);
        put_entry(props, object_tag, UNKNOWN_SIZE, OBJECT_STORAGE);
        unsigned inner = compound_add_storage(msg->file, storage, MSG_STREAM "3701000D", &class);
        compound_copy(msg->file, inner, object, COMPOUND_ROOT);
        compound_free(object);
        return;
    }
    put_entry(props, PidTagAttachDataBinary, (uint32_t)len, 0);
    compound_add_stream(msg->file, storage, MSG_STREAM "37010102", a->data);
}

static void put_attachment(struct msg *msg, unsigned parent, const struct message_value *m,
                           unsigned number, unsigned depth) {
    char name[40];
    const struct attachment_value *a = m->attachments->pdata[number];
    struct wire_writer props = wire_writer(STREAM_MAX);
    g_snprintf(name, sizeof name, MSG_ATTACHMENT "%08X", number);
    unsigned storage = compound_add_storage(msg->file, parent, name, NULL);
    wire_put_u64(&props, 0);
    put_bag(msg, storage, m, a->bag, &props);
    put_number(msg, storage, m, a->bag, PidTagAttachNumber, number, &props);
    put_content(msg, storage, a, depth, &props);
    add_stream_take(msg, storage, MSG_PROPERTIES, &props);
}

static void put_message(struct msg *msg, unsigned storage, const struct message_value *m,
                        unsigned depth) {
    struct wire_writer props = wire_writer(STREAM_MAX);
    wire_put_u64(&props, 0);
    wire_put_u32(&props, m->recipients->len); // the next numbers
    wire_put_u32(&props, m->attachments->len);
    wire_put_u32(&props, m->recipients->len);
    wire_put_u32(&props, m->attachments->len);
    if (depth == 0)
        wire_put_u64(&props, 0);
    put_bag(msg, storage, m, m->bag, &props);
    if (!msg->code_page) {
        struct prop_value mask = prop_long(PidTagStoreSupportMask, MSG_UNICODE_OK);
        put_property(msg, storage, m, &mask, &props);
    } else if (!bag_get(m->bag, PidTagMessageCodepage)) {
        struct prop_value page = prop_long(PidTagMessageCodepage, (int32_t)msg->code_page);
        put_property(msg, storage, m, &page, &props);
    }
    for (guint i = 0; i < m->recipients->len; i++)
        put_recipient(msg, storage, m, i);
    for (guint i = 0; i < m->attachments->len; i++)
        put_attachment(msg, storage, m, i, depth);
    add_stream_take(msg, storage, MSG_PROPERTIES, &props);
}

enum ec convert_message_to_msg(const struct message_value *message,
                               const struct convert_source *source, unsigned code_page,
                               GBytes **out) {
    struct message_value *loaded;
    EC_TRY(convert_load(message, source, &loaded));
    struct msg msg = {.file = compound_writer_new(&message_class), .code_page = code_page};
    struct names *names = &msg.names;
    names->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    names->sets = g_array_new(FALSE, FALSE, sizeof(struct guid));
    names->entries = wire_writer(STREAM_MAX);
    names->strings = wire_writer(STREAM_MAX);
    for (unsigned i = 0; i < HASHES; i++)
        names->hashes[i] = wire_writer(STREAM_MAX);
    put_message(&msg, COMPOUND_ROOT, loaded, 0);
    write_names(&msg);
    enum ec ec = compound_write(msg.file, out);
    g_hash_table_unref(names->known);
    g_array_unref(names->sets);
    compound_writer_free(msg.file);
    message_value_free(loaded);
    return ec;
}
