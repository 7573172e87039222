// winmail.dat taken apart ([MS-OXTNEF], [MS-OXCMAIL] 2.2.3.4.1.7): properties of the message and
// its attachments that MIME has no place for. What the header fields say counts more, above all who
// sent the message and to whom; what only a server may know is not believed.
//
// A whole message (tnef.h) is read by the same code, and everything in it is taken.
#include "convert/tnef_internal.h"
#include "mapi/code_page.h"

#define MAX_TNEF (64u * 1024 * 1024)
#define MAX_WHOLE_RECIPIENTS 100000
#define NOWHERE 0xFFFFFFFFu // no position in the text

// --- Which properties are taken ---

// Who sent it, got it, and is told about it: for a whole message the header fields alone say so.
static bool is_address(uint16_t id) {
    static const uint16_t ids[] = {0x003B, 0x003F, 0x0040, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045,
                                   0x0046, 0x004F, 0x0050, 0x0051, 0x0052, 0x0053, 0x0064, 0x0065,
                                   0x0075, 0x0076, 0x0077, 0x0078, 0x5D01, 0x5D02};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
        if (id == ids[i])
            return true;
    return id >= 0x0C19 && id <= 0x0C1F;
}

// Where TNEF knows better than header fields, which may have been made up for lack of any.
static bool overrides(uint16_t id) {
    static const proptag_t tags[] = {PidTagMessageClass,      PidTagConversationIndex,
                                     PidTagConversationTopic, PidTagImportance,
                                     PidTagPriority,          PidTagSensitivity,
                                     PidTagRtfInSync,         PidTagInternetCodepage};
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++)
        if (id == PROP_ID(tags[i]))
            return true;
    return false;
}

static bool is_class(const char *s) {
    size_t len = strlen(s);
    for (size_t i = 0; i < len; i++)
        if (s[i] <= ' ' || s[i] >= 0x7F)
            return false;
    return len > 0 && len <= 255;
}

static void set_message_prop(struct decoding *d, const struct prop_value *v) {
    uint16_t id = PROP_ID(v->tag);
    if (d->is_whole) {
        bag_set(d->m->bag, v);
        return;
    }
    if (tnef_is_internal(id) || (d->depth == 0 && is_address(id)))
        return;
    if (v->tag == PidTagMessageClass && !is_class(v->str))
        return;
    if (!bag_get(d->m->bag, PROP_TAG(id, PT_UNSPECIFIED)) || overrides(id))
        bag_set(d->m->bag, v);
}

static void read_message_props(struct decoding *d, struct wire_reader *list) {
    struct tnef_property p;
    for (uint32_t i = 0, n = tnef_count(list); i < n && tnef_property(list, &p); i++) {
        struct prop_value v;
        if (!tnef_read_value(d, list, &p, &v))
            continue;
        uint16_t id = tnef_id_of(d, &p);
        v.tag = PROP_TAG(id, PROP_TYPE(v.tag));
        if (id != 0)
            set_message_prop(d, &v);
    }
}

// Only messages inside need them: the others have header fields.
static void read_recipients(struct decoding *d, struct wire_reader *list) {
    uint32_t rows = wire_u32(list);
    for (uint32_t i = 0; i < rows && wire_left(list) > 0; i++) {
        struct bag *bag = bag_new();
        struct tnef_property p;
        for (uint32_t k = 0, n = tnef_count(list); k < n && tnef_property(list, &p); k++) {
            struct prop_value v;
            bool is_kept = d->is_whole || p.id == PROP_ID(PidTagRecipientType) ||
                           p.id == PROP_ID(PidTagEntryId) || p.id == PROP_ID(PidTagObjectType) ||
                           (p.id >= 0x3000 && p.id < 0x3B00);
            if (!tnef_read_value(d, list, &p, &v) || !is_kept)
                continue;
            v.tag = PROP_TAG(d->is_whole ? tnef_id_of(d, &p) : p.id, PROP_TYPE(v.tag));
            if (PROP_ID(v.tag) != 0)
                bag_set(bag, &v);
        }
        bool is_person = bag_get(bag, PidTagRecipientType) && bag_get(bag, PidTagDisplayName);
        guint max = d->is_whole ? MAX_WHOLE_RECIPIENTS : CONVERT_MAX_RECIPIENTS;
        if ((is_person || d->is_whole) && d->m->recipients->len < max)
            g_ptr_array_add(d->m->recipients, bag);
        else
            bag_free(bag);
    }
}

// --- Attachments ---

static bool decode(struct decoding *d, const void *data, size_t len);

static void begin_attachment(struct decoding *d, struct wire_reader *data) {
    d->attachment = NULL;
    if (d->m->attachments->len >= CONVERT_MAX_ATTACHMENTS)
        return;
    struct attachment_value *a = d->attachment = attachment_value_new();
    g_ptr_array_add(d->m->attachments, a);
    uint16_t type = wire_u16(data); // 1: a file, 2: OLE
    uint32_t position = wire_u32(data);
    if (!d->is_whole) {
        set_attachment_defaults(a->bag, 0);
        bag_set_long(a->bag, PidTagAttachMethod, type == 2 ? ATTACH_OLE : ATTACH_BY_VALUE);
    }
    // A whole one has its properties, these among them; nowhere is what they are without any.
    if (wire_ok(data) && (!d->is_whole || position != NOWHERE))
        bag_set_long(a->bag, PidTagRenderingPosition, (int32_t)position);
}

static void set_content(struct attachment_value *a, const void *data, size_t len) {
    g_clear_pointer(&a->data, g_bytes_unref);
    a->data = g_bytes_new(data, len);
}

// PidTagAttachDataObject: an interface id, and a message as TNEF or a storage.
static void read_object(struct decoding *d, struct wire_reader v) {
    const uint8_t *iid = wire_bytes(&v, sizeof tnef_iid_message);
    const uint8_t *data = wire_bytes(&v, wire_left(&v));
    size_t len = v.len - MIN(v.len, sizeof tnef_iid_message);
    struct attachment_value *a = d->attachment;
    if (!iid)
        return;
    if (memcmp(iid, tnef_iid_message, sizeof tnef_iid_message) != 0) {
        bag_set_long(a->bag, PidTagAttachMethod, ATTACH_OLE);
        set_content(a, data, len);
        return;
    }
    struct decoding inner = {
        .r = d->r, .m = message_value_new(), .depth = d->depth + 1, .is_whole = d->is_whole};
    if (a->embedded || d->depth >= TNEF_DEPTH_MAX || !decode(&inner, data, len)) {
        message_value_free(inner.m);
        return;
    }
    bag_set_long(a->bag, PidTagAttachMethod, ATTACH_EMBEDDED);
    a->embedded = inner.m;
}

static void read_attachment_props(struct decoding *d, struct wire_reader *list) {
    struct bag *bag = d->attachment->bag;
    struct tnef_property p;
    for (uint32_t i = 0, n = tnef_count(list); i < n && tnef_property(list, &p); i++) {
        struct prop_value v;
        if (p.type == PT_OBJECT && p.n_values == 1) {
            struct wire_reader object;
            if (tnef_value(list, &p, &object) && p.id == PROP_ID(PidTagAttachDataObject))
                read_object(d, object);
            continue;
        }
        bool is_date =
            p.id == PROP_ID(PidTagCreationTime) || p.id == PROP_ID(PidTagLastModificationTime);
        if (!tnef_read_value(d, list, &p, &v))
            continue;
        if (!d->is_whole && (p.is_named || (tnef_is_internal(p.id) && !is_date)))
            continue;
        v.tag = PROP_TAG(d->is_whole ? tnef_id_of(d, &p) : p.id, PROP_TYPE(v.tag));
        if (v.tag == PidTagAttachDataBinary)
            set_content(d->attachment, v.bin.data, v.bin.len);
        else if (PROP_ID(v.tag) != 0)
            bag_set(bag, &v);
    }
}

static void read_title(struct decoding *d, struct wire_reader *data) {
    const char *title =
        code_page_to_utf8(d->r->arena, d->code_page, (const char *)data->data, data->len);
    if (!bag_get(d->attachment->bag, PidTagDisplayName))
        bag_set_str(d->attachment->bag, PidTagDisplayName, title);
}

// What every attachment needs; methods by reference and the like, which name files of the sender's,
// are files without contents.
static void finish_attachment(struct decoding *d, struct attachment_value *a) {
    if (d->is_whole && bag_get(a->bag, PidTagAttachMethod))
        return;
    if (!bag_get(a->bag, PidTagRenderingPosition))
        bag_set_long(a->bag, PidTagRenderingPosition, -1);
    int method = bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    if (method == ATTACH_EMBEDDED && !a->embedded)
        method = ATTACH_BY_VALUE;
    if (method != ATTACH_EMBEDDED && method != ATTACH_OLE)
        method = ATTACH_BY_VALUE;
    if (method != ATTACH_EMBEDDED && a->embedded)
        g_clear_pointer(&a->embedded, message_value_free);
    bag_set_long(a->bag, PidTagAttachMethod, method);
    if (a->embedded) {
        g_clear_pointer(&a->data, g_bytes_unref);
        if (!bag_get(a->bag, PidTagDisplayName))
            bag_set_str(a->bag, PidTagDisplayName, bag_str(a->embedded->bag, PidTagSubject));
        return;
    }
    if (!a->data)
        a->data = g_bytes_new_static("", 0);
    static const proptag_t names[] = {PidTagAttachLongFilename, PidTagAttachTransportName,
                                      PidTagAttachFilename, PidTagDisplayName};
    const char *name = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(names) && (!name || !*name); i++)
        name = bag_str(a->bag, names[i]);
    set_attachment_names(d->r, a->bag, name ? arena_strdup(d->r->arena, name) : NULL, "dat");
    bag_set_long(a->bag, PidTagAttachSize,
                 (int32_t)MIN(g_bytes_get_size(a->data), (gsize)INT32_MAX));
}

static void read_attachment_attribute(struct decoding *d, struct tnef_attribute *t) {
    if (t->id == TNEF_ATTACH_RENDDATA) {
        begin_attachment(d, &t->data);
        return;
    }
    if (!d->attachment)
        return;
    switch (t->id) {
    case TNEF_ATTACH_PROPS:
        read_attachment_props(d, &t->data);
        break;
    case TNEF_ATTACH_DATA:
        set_content(d->attachment, t->data.data, t->data.len);
        break;
    case TNEF_ATTACH_TITLE:
        read_title(d, &t->data);
        break;
    case TNEF_ATTACH_METAFILE:
        bag_set_bytes(d->attachment->bag, PidTagAttachRendering, t->data.data, t->data.len);
        break;
    case TNEF_ATTACH_CREATED:
    case TNEF_ATTACH_MODIFIED: {
        filetime_t time = tnef_date(&t->data);
        if (time)
            bag_set_time(d->attachment->bag,
                         t->id == TNEF_ATTACH_CREATED ? PidTagCreationTime
                                                      : PidTagLastModificationTime,
                         time);
        break;
    }
    }
}

// --- The message ---

static void set_string(struct decoding *d, proptag_t tag, const struct wire_reader *data) {
    struct prop_value v = prop_str(
        tag, code_page_to_utf8(d->r->arena, d->code_page, (const char *)data->data, data->len));
    if (tag == PidTagMessageClass)
        v.str = tnef_new_class(v.str);
    set_message_prop(d, &v);
}

static void set_date(struct decoding *d, proptag_t tag, struct wire_reader *data) {
    struct prop_value v = prop_time(tag, tnef_date(data));
    if (v.time)
        set_message_prop(d, &v);
}

static void read_message_attribute(struct decoding *d, struct tnef_attribute *t) {
    struct prop_value v;
    switch (t->id) {
    case TNEF_OEM_CODE_PAGE:
        d->code_page = wire_u32(&t->data);
        break;
    case TNEF_MESSAGE_CLASS:
        set_string(d, PidTagMessageClass, &t->data);
        break;
    case TNEF_SUBJECT:
        set_string(d, PidTagSubject, &t->data);
        break;
    case TNEF_BODY:
        set_string(d, PidTagBody, &t->data);
        break;
    case TNEF_DATE_START:
        set_date(d, PidTagStartDate, &t->data);
        break;
    case TNEF_DATE_END:
        set_date(d, PidTagEndDate, &t->data);
        break;
    case TNEF_AID_OWNER:
        v = prop_long(PidTagOwnerAppointmentId, (int32_t)wire_u32(&t->data));
        if (wire_ok(&t->data))
            set_message_prop(d, &v);
        break;
    case TNEF_REQUEST_RESPONSE:
        v = prop_bool(PidTagResponseRequested, wire_u16(&t->data) != 0);
        if (wire_ok(&t->data))
            set_message_prop(d, &v);
        break;
    case TNEF_MESSAGE_PROPS:
        read_message_props(d, &t->data);
        break;
    case TNEF_RECIPIENTS:
        if (d->depth > 0 || d->is_whole)
            read_recipients(d, &t->data);
        break;
    default:
        if (d->is_whole)
            tnef_read_legacy(d, t);
    }
}

// False: it is no TNEF.
static bool decode(struct decoding *d, const void *data, size_t len) {
    struct wire_reader r;
    struct tnef_attribute t;
    if (!tnef_open(&r, data, len))
        return false;
    d->code_page = CODE_PAGE_WINDOWS_1252;
    guint first = d->m->attachments->len;
    while (tnef_next(&r, &t)) {
        if (t.is_of_attachment)
            read_attachment_attribute(d, &t);
        else
            read_message_attribute(d, &t);
    }
    for (guint i = first; i < d->m->attachments->len; i++)
        finish_attachment(d, d->m->attachments->pdata[i]);
    return true;
}

// A part that some gateway left from another message says so: its key is not the one that the
// header has ([MS-OXCMAIL] 2.2.3.4.1.7).
static bool is_of_another(struct reading *r, const void *data, size_t len) {
    const char *header = mime_header_raw(r->arena, r->mime, r->mime->root, "x-ms-tnef-correlator");
    struct wire_reader key;
    if (!header || !*header ||
        !tnef_find_binary(data, len, PROP_ID(PidTagTnefCorrelationKey), &key))
        return false;
    while (key.len > 0 && key.data[key.len - 1] == 0)
        key.len--;
    return key.len != strlen(header) || memcmp(key.data, header, key.len) != 0;
}

bool read_tnef(struct reading *r, const struct mime_part *part) {
    const char *name = mime_filename(part);
    bool may_be = part_is(part, "application", "ms-tnef") ||
                  part_is(part, "application", "vnd.ms-tnef") ||
                  (part_is(part, "application", "octet-stream") && name &&
                   g_ascii_strcasecmp(name, "winmail.dat") == 0);
    if (!may_be || part->body.len > MAX_TNEF)
        return false;
    g_autoptr(GBytes) bytes = mime_decode_body(r->mime, part);
    struct decoding d = {.r = r, .m = r->message};
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    return !is_of_another(r, data, len) && decode(&d, data, len);
}

enum ec convert_tnef_to_message(const void *data, size_t len, struct message_value **out) {
    ARENA_AUTO arena = arena_new();
    struct reading r = {.arena = arena, .message = message_value_new()};
    struct decoding d = {.r = &r, .m = r.message, .is_whole = true};
    if (!decode(&d, data, len)) {
        message_value_free(r.message);
        return EC_FORMAT_ERROR;
    }
    *out = r.message;
    return EC_OK;
}
