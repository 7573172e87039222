// Values and names of properties in TNEF ([MS-OXTNEF] 2.1.3.4), and which of them are nobody's
// business.
#include "base/text.h"
#include "convert/tnef_internal.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"

#define MAX_VALUES 4096 // of one property in mail
#define MAX_NAMED 1000

const uint8_t tnef_iid_message[16] = {0x07, 0x03, 0x02, 0, 0, 0, 0, 0,
                                      0xC0, 0,    0,    0, 0, 0, 0, 0x46};
const uint8_t tnef_iid_storage[16] = {0x0B, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46};

const char *tnef_string(struct decoding *d, uint16_t type, const struct wire_reader *v) {
    if ((type & ~PT_MV) == PT_UNICODE)
        return text_from_utf16(d->r->arena, v->data, v->len & ~(size_t)1);
    return code_page_to_utf8(d->r->arena, d->code_page, (const char *)v->data, v->len);
}

static bool to_scalar(struct wire_reader v, uint16_t type, struct prop_value *out) {
    switch (type) {
    case PT_I2:
        out->i2 = (int16_t)wire_u16(&v);
        break;
    case PT_BOOLEAN:
        out->b = wire_u16(&v) != 0;
        break;
    case PT_LONG:
        out->l = (int32_t)wire_u32(&v);
        break;
    case PT_FLOAT: {
        uint32_t bits = wire_u32(&v);
        memcpy(&out->f, &bits, sizeof bits);
        break;
    }
    case PT_DOUBLE:
    case PT_APPTIME: {
        uint64_t bits = wire_u64(&v);
        memcpy(&out->d, &bits, sizeof bits);
        break;
    }
    case PT_I8:
    case PT_CURRENCY:
        out->i8 = (int64_t)wire_u64(&v);
        break;
    case PT_SYSTIME:
        out->time = wire_u64(&v);
        break;
    case PT_CLSID:
        out->guid = wire_guid(&v);
        break;
    case PT_BINARY:
        out->bin = (struct prop_bin){(uint32_t)v.len, v.data};
        break;
    default:
        return false;
    }
    return true;
}

static bool is_kept_type(uint16_t type) {
    return type == PT_UNICODE || type == PT_STRING8 || type == PT_BINARY ||
           (prop_fixed_size(type) > 0 && type != PT_BOOLEAN && type != PT_ERROR);
}

// All values of a multi-valued property.
static bool to_many(struct decoding *d, struct wire_reader *list, const struct tnef_property *p,
                    struct prop_value *out) {
    uint16_t type = p->type & ~PT_MV;
    // A value takes at least four bytes, but the last, which may lack its padding.
    uint32_t n = (uint32_t)MIN(p->n_values, (wire_left(list) + 3) / 4), kept = 0;
    size_t size = type == PT_UNICODE || type == PT_STRING8 ? sizeof(const char *)
                  : type == PT_BINARY                      ? sizeof(struct prop_bin)
                                                           : prop_fixed_size(type);
    if (!d->is_whole)
        n = MIN(n, MAX_VALUES);
    uint8_t *values = arena_alloc(d->r->arena, MAX(n * size, 1));
    struct wire_reader v;
    for (uint32_t i = 0; i < p->n_values && tnef_value(list, p, &v); i++) {
        if (kept == n || !is_kept_type(type))
            continue;
        struct prop_value one = {0};
        if (type == PT_UNICODE || type == PT_STRING8)
            one.str = tnef_string(d, type, &v);
        else
            to_scalar(v, type, &one);
        memcpy(values + kept++ * size, prop_fixed_const(&one), size);
    }
    out->mv.n = kept;
    out->mv.i8 = (const int64_t *)(void *)values;
    return is_kept_type(type) && wire_ok(list) && (kept > 0 || d->is_whole);
}

static uint16_t type_of(uint16_t type) {
    if (type == PT_STRING8)
        return PT_UNICODE;
    return type == PT_MV_STRING8 ? PT_MV_UNICODE : type;
}

bool tnef_read_value(struct decoding *d, struct wire_reader *list, const struct tnef_property *p,
                     struct prop_value *out) {
    *out = (struct prop_value){.tag = PROP_TAG(p->id, type_of(p->type))};
    if (!p->is_single)
        return to_many(d, list, p, out);
    struct wire_reader v;
    if (p->n_values == 0 || !tnef_value(list, p, &v))
        return false;
    if (p->type == PT_UNICODE || p->type == PT_STRING8) {
        out->str = tnef_string(d, p->type, &v);
        return true;
    }
    if (d->is_whole && prop_is_bytes(p->type)) {
        out->bin = (struct prop_bin){(uint32_t)v.len, v.data};
        return true;
    }
    return to_scalar(v, p->type, out);
}

uint16_t tnef_id_of(struct decoding *d, const struct tnef_property *p) {
    if (!p->is_named)
        return p->id;
    struct prop_name name = prop_name_lid(&p->set, p->lid);
    if (p->has_string_name) {
        // Mail has its header fields itself.
        if (!d->is_whole && guid_equal(&p->set, &PS_INTERNET_HEADERS))
            return 0;
        name = prop_name_string(
            &p->set, text_from_utf16(d->r->arena, p->string_name, p->string_name_len & ~(size_t)1));
    }
    uint16_t fixed = named_fixed_id(&name);
    if (fixed)
        return fixed;
    if (!d->is_whole && d->n_named++ >= MAX_NAMED)
        return 0;
    return message_value_local_name(d->m, &name);
}

bool tnef_is_internal(uint16_t id) {
    return (id >= 0x0E00 && id <= 0x0FFF && id != PROP_ID(PidTagRtfInSync)) ||
           (id >= 0x3007 && id <= 0x300B) || (id >= 0x3FE0 && id <= 0x3FFF) ||
           (id >= 0x6540 && id <= 0x67FF) || id < 0x0002 ||
           id == PROP_ID(PidTagTransportMessageHeaders);
}

static const struct {
    const char *old, *class;
} classes[] = {
    {"IPM.Microsoft Mail.Note", "IPM.Note"},
    {"IPM.Microsoft Mail.Read Receipt", "Report.IPM.Note.IPNRN"},
    {"IPM.Microsoft Mail.Non-Delivery", "Report.IPM.Note.NDR"},
    {"IPM.Microsoft Schedule.MtgReq", "IPM.Schedule.Meeting.Request"},
    {"IPM.Microsoft Schedule.MtgRespP", "IPM.Schedule.Meeting.Resp.Pos"},
    {"IPM.Microsoft Schedule.MtgRespN", "IPM.Schedule.Meeting.Resp.Neg"},
    {"IPM.Microsoft Schedule.MtgRespA", "IPM.Schedule.Meeting.Resp.Tent"},
    {"IPM.Microsoft Schedule.MtgCncl", "IPM.Schedule.Meeting.Canceled"},
};

const char *tnef_new_class(const char *class) {
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (g_ascii_strcasecmp(class, classes[i].old) == 0)
            return classes[i].class;
    return class;
}

const char *tnef_old_class(const char *class) {
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (g_ascii_strcasecmp(class, classes[i].class) == 0)
            return classes[i].old;
    return class;
}
