// A message becomes TNEF ([MS-OXTNEF] 2.1.3). All properties stand in attMsgProps, in Unicode; some
// attributes say the most important of them again for old readers.
#include "base/text.h"
#include "convert/loaded.h"
#include "convert/tnef_internal.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"

#define KEY 1 // numbers the attachments of a message for readers that knew no MAPI
#define CODE_PAGE CODE_PAGE_WINDOWS_1252

struct encoding {
    const struct message_value *m; // nothing in it is external
    enum tnef_purpose purpose;
    unsigned depth;
    struct wire_writer *out;
};

// --- Values ---

static void put_string(struct wire_writer *w, const char *s) {
    g_autoptr(GByteArray) units = g_byte_array_new();
    text_to_utf16(s, strlen(s), units);
    g_byte_array_append(units, (const guint8 *)"\0", 2);
    tnef_write_sized(w, units->data, units->len);
}

static void put_fixed(struct wire_writer *list, const struct prop_value *v) {
    struct wire_writer one = wire_writer(16);
    uint32_t bits32;
    uint64_t bits64;
    switch (PROP_TYPE(v->tag)) {
    case PT_I2:
        wire_put_u16(&one, (uint16_t)v->i2);
        break;
    case PT_BOOLEAN:
        wire_put_u16(&one, v->b);
        break;
    case PT_LONG:
    case PT_ERROR:
        wire_put_u32(&one, (uint32_t)v->l);
        break;
    case PT_FLOAT:
        memcpy(&bits32, &v->f, sizeof bits32);
        wire_put_u32(&one, bits32);
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        memcpy(&bits64, &v->d, sizeof bits64);
        wire_put_u64(&one, bits64);
        break;
    case PT_CLSID:
        wire_put_guid(&one, &v->guid);
        break;
    default:
        wire_put_u64(&one, (uint64_t)v->i8);
    }
    tnef_write_fixed(list, one.bytes->data, one.bytes->len);
    wire_writer_clear(&one);
}

static void put_one(struct wire_writer *list, const struct prop_value *v) {
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        put_string(list, v->str);
    else if (prop_is_bytes(PROP_TYPE(v->tag)))
        tnef_write_sized(list, v->bin.data, v->bin.len);
    else
        put_fixed(list, v);
}

// The tag, and the name of a named property; false: it has none that is known.
static bool put_tag(const struct message_value *m, struct wire_writer *list, proptag_t tag) {
    struct prop_name name = {0};
    if (!PROP_IS_NAMED(tag)) {
        tnef_write_tag(list, PROP_ID(tag), PROP_TYPE(tag));
        return true;
    }
    if (!message_value_name(m, PROP_ID(tag), &name) || name.kind == PROP_NAME_NONE)
        return false;
    tnef_write_tag(list, PROP_ID(tag), PROP_TYPE(tag));
    if (name.kind == PROP_NAME_LID) {
        tnef_write_name(list, &name.set, name.lid, NULL, 0);
        return true;
    }
    g_autoptr(GByteArray) units = g_byte_array_new();
    text_to_utf16(name.string, strlen(name.string), units);
    g_byte_array_append(units, (const guint8 *)"\0", 2);
    tnef_write_name(list, &name.set, 0, units->data, units->len);
    return true;
}

// Whether it was written.
static bool put_property(const struct message_value *m, struct wire_writer *list,
                         const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    if (v->is_external || !put_tag(m, list, v->tag))
        return false;
    if (prop_is_mv(type)) {
        wire_put_u32(list, v->mv.n);
        for (uint32_t i = 0; i < v->mv.n; i++) {
            struct prop_value one = prop_element(v, i);
            put_one(list, &one);
        }
        return true;
    }
    if (prop_fixed_size(type) == 0)
        wire_put_u32(list, 1);
    put_one(list, v);
    return true;
}

// --- Lists ---

static bool is_sent(const struct encoding *e, const struct prop_value *v) {
    if (e->purpose == TNEF_WHOLE)
        return true;
    uint16_t type = PROP_TYPE(v->tag);
    return !tnef_is_internal(PROP_ID(v->tag)) && type != PT_SVREID && type != PT_SRESTRICT &&
           type != PT_ACTIONS && type != PT_OBJECT;
}

static uint32_t put_bag(const struct encoding *e, const struct bag *bag, struct wire_writer *list) {
    uint32_t n = 0;
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        bool is_content = PROP_ID(v->tag) == PROP_ID(PidTagAttachDataBinary); // or its object
        if (!is_content && is_sent(e, v))
            n += put_property(e->m, list, v);
    }
    return n;
}

static struct wire_writer begin_list(void) {
    struct wire_writer list = wire_writer(TNEF_MAX);
    wire_put_u32(&list, 0); // the count
    return list;
}

static void end_list(struct encoding *e, bool is_of_attachment, uint32_t id,
                     struct wire_writer *list, uint32_t n) {
    wire_patch_u32(list, 0, n);
    tnef_write_attribute_take(e->out, is_of_attachment, id, list);
}

static void put_recipients(struct encoding *e) {
    GPtrArray *recipients = e->m->recipients;
    if (recipients->len == 0 || (e->purpose == TNEF_FOR_MAIL && e->depth == 0))
        return;
    struct wire_writer list = begin_list();
    for (guint i = 0; i < recipients->len; i++) {
        size_t at = wire_writer_len(&list);
        wire_put_u32(&list, 0);
        uint32_t n = put_bag(e, recipients->pdata[i], &list);
        if (wire_writer_ok(&list))
            wire_patch_u32(&list, at, n);
    }
    end_list(e, false, TNEF_RECIPIENTS, &list, recipients->len);
}

// --- Attributes for old readers ---

static void put_text(struct encoding *e, bool is_of_attachment, uint32_t id, const char *text) {
    if (!text)
        return;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    code_page_from_utf8(CODE_PAGE, text, bytes);
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    tnef_write_attribute(e->out, is_of_attachment, id, bytes->data, bytes->len);
}

static void put_date(struct encoding *e, bool is_of_attachment, uint32_t id, const struct bag *bag,
                     proptag_t tag) {
    filetime_t t = bag_time(bag, tag);
    if (t)
        tnef_write_date(e->out, is_of_attachment, id, t);
}

static void put_u16(struct encoding *e, uint32_t id, uint16_t v) {
    uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    tnef_write_attribute(e->out, false, id, bytes, sizeof bytes);
}

static void put_key(struct encoding *e) {
    struct prop_bin key = bag_bytes(e->m->bag, PidTagSearchKey);
    if (key.len != 16)
        return;
    char hex[33];
    for (unsigned i = 0; i < 16; i++)
        g_snprintf(hex + 2 * i, 3, "%02X", key.data[i]);
    tnef_write_attribute(e->out, false, TNEF_MESSAGE_ID, hex, sizeof hex);
}

static void put_old_attributes(struct encoding *e) {
    const struct bag *bag = e->m->bag;
    const char *class = bag_str(bag, PidTagMessageClass);
    if (class)
        put_text(e, false, TNEF_MESSAGE_CLASS, tnef_old_class(class));
    int importance = bag_long(bag, PidTagImportance, -1);
    if (importance >= 0 && importance <= 2)
        put_u16(e, TNEF_PRIORITY, (uint16_t)(3 - importance));
    put_text(e, false, TNEF_SUBJECT, bag_str(bag, PidTagSubject));
    put_date(e, false, TNEF_DATE_SENT, bag, PidTagClientSubmitTime);
    put_date(e, false, TNEF_DATE_MODIFIED, bag, PidTagLastModificationTime);
    put_date(e, false, TNEF_DATE_START, bag, PidTagStartDate);
    put_date(e, false, TNEF_DATE_END, bag, PidTagEndDate);
    if (e->purpose == TNEF_WHOLE)
        put_key(e);
    const struct prop_value *owner = bag_get(bag, PidTagOwnerAppointmentId);
    if (owner) {
        struct wire_writer w = wire_writer(4);
        wire_put_u32(&w, (uint32_t)owner->l);
        tnef_write_attribute_take(e->out, false, TNEF_AID_OWNER, &w);
    }
    if (bag_get(bag, PidTagResponseRequested))
        put_u16(e, TNEF_REQUEST_RESPONSE, bag_bool(bag, PidTagResponseRequested, false));
}

// --- Attachments ---

static void encode(struct encoding *e);

static void put_object(struct wire_writer *list, const uint8_t iid[16], const void *data,
                       size_t len) {
    struct wire_writer object = wire_writer(TNEF_MAX);
    wire_put_bytes(&object, iid, 16);
    if (len > 0)
        wire_put_bytes(&object, data, len);
    GByteArray *bytes = wire_writer_take(&object);
    if (!bytes) {
        list->failed = true;
        return;
    }
    tnef_write_tag(list, PROP_ID(PidTagAttachDataObject), PT_OBJECT);
    wire_put_u32(list, 1);
    tnef_write_sized(list, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

// A message or an OLE object, as a property; how many were written.
static uint32_t put_attached_object(struct encoding *e, const struct attachment_value *a,
                                    bool is_ole, struct wire_writer *list) {
    if (a->embedded && e->depth < TNEF_DEPTH_MAX) {
        struct wire_writer inner = wire_writer(TNEF_MAX);
        struct encoding deeper = {a->embedded, e->purpose, e->depth + 1, &inner};
        encode(&deeper);
        GByteArray *bytes = wire_writer_take(&inner);
        if (bytes)
            put_object(list, tnef_iid_message, bytes->data, bytes->len);
        else
            list->failed = true;
        g_clear_pointer(&bytes, g_byte_array_unref);
        return 1;
    }
    if (!is_ole || !a->data)
        return 0;
    gsize len;
    const void *data = g_bytes_get_data(a->data, &len);
    put_object(list, tnef_iid_storage, data, len);
    return 1;
}

static void put_attachment(struct encoding *e, const struct attachment_value *a) {
    int method = bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    struct wire_writer rendering = wire_writer(14), list = begin_list();
    wire_put_u16(&rendering, method == ATTACH_OLE ? 2 : 1);
    wire_put_u32(&rendering, (uint32_t)bag_long(a->bag, PidTagRenderingPosition, -1));
    wire_put_u32(&rendering, 0xFFFFFFFF); // width and height
    wire_put_u32(&rendering, 0);
    tnef_write_attribute_take(e->out, true, TNEF_ATTACH_RENDDATA, &rendering);
    if (a->data && method != ATTACH_OLE) {
        gsize len;
        const void *data = g_bytes_get_data(a->data, &len);
        tnef_write_attribute(e->out, true, TNEF_ATTACH_DATA, data, len);
    }
    // Readers take the title for a name where there is none.
    if (e->purpose == TNEF_FOR_MAIL || bag_get(a->bag, PidTagDisplayName))
        put_text(e, true, TNEF_ATTACH_TITLE, bag_str(a->bag, PidTagAttachFilename));
    put_date(e, true, TNEF_ATTACH_CREATED, a->bag, PidTagCreationTime);
    put_date(e, true, TNEF_ATTACH_MODIFIED, a->bag, PidTagLastModificationTime);
    uint32_t n = put_attached_object(e, a, method == ATTACH_OLE, &list);
    n += put_bag(e, a->bag, &list);
    end_list(e, true, TNEF_ATTACH_PROPS, &list, n);
}

static void encode(struct encoding *e) {
    tnef_write_start(e->out, KEY, CODE_PAGE);
    put_old_attributes(e);
    put_recipients(e);
    struct wire_writer list = begin_list();
    uint32_t n = put_bag(e, e->m->bag, &list);
    end_list(e, false, TNEF_MESSAGE_PROPS, &list, n);
    for (guint i = 0; i < e->m->attachments->len; i++)
        put_attachment(e, e->m->attachments->pdata[i]);
}

enum ec convert_message_to_tnef(const struct message_value *message,
                                const struct convert_source *source, enum tnef_purpose purpose,
                                GBytes **out) {
    struct message_value *loaded;
    EC_TRY(convert_load(message, source, &loaded));
    struct wire_writer w = wire_writer(TNEF_MAX);
    struct encoding e = {loaded, purpose, 0, &w};
    encode(&e);
    message_value_free(loaded);
    GByteArray *bytes = wire_writer_take(&w);
    if (!bytes)
        return EC_MESSAGE_TOO_BIG;
    *out = g_byte_array_free_to_bytes(bytes);
    return EC_OK;
}
