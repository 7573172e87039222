// Reads TNEF: a signature and a key, then attributes with checksums; property lists are padded to
// four bytes ([MS-OXTNEF] 2.1.3).
#include "formats/tnef.h"

#include "base/filetime.h"

#define LEVEL_MESSAGE 1
#define LEVEL_ATTACHMENT 2

enum { MULTI = 0x1000 };
enum {
    T_I2 = 0x02,
    T_LONG = 0x03,
    T_FLOAT = 0x04,
    T_DOUBLE = 0x05,
    T_CURRENCY = 0x06,
    T_APPTIME = 0x07,
    T_ERROR = 0x0A,
    T_BOOLEAN = 0x0B,
    T_OBJECT = 0x0D,
    T_I8 = 0x14,
    T_STRING8 = 0x1E,
    T_UNICODE = 0x1F,
    T_SYSTIME = 0x40,
    T_CLSID = 0x48,
    T_SERVER_ID = 0xFB, // this one and the next two between servers of ours
    T_RESTRICTION = 0xFD,
    T_ACTIONS = 0xFE,
    T_BINARY = 0x102,
};

bool tnef_open(struct wire_reader *r, const void *data, size_t len) {
    *r = wire_reader(data, len);
    bool is_tnef = wire_u32(r) == TNEF_SIGNATURE;
    wire_u16(r); // the key, which numbers the attachments of a message
    return is_tnef && wire_ok(r);
}

bool tnef_next(struct wire_reader *r, struct tnef_attribute *out) {
    uint8_t level = wire_u8(r);
    out->id = wire_u32(r);
    out->data = wire_sub(r, wire_u32(r));
    uint16_t checksum = wire_u16(r), sum = 0;
    if (!wire_ok(r) || (level != LEVEL_MESSAGE && level != LEVEL_ATTACHMENT))
        return false;
    for (size_t i = 0; i < out->data.len; i++)
        sum = (uint16_t)(sum + out->data.data[i]);
    out->is_of_attachment = level == LEVEL_ATTACHMENT;
    return sum == checksum;
}

// --- Property lists ---

static void skip_padding(struct wire_reader *r, size_t len) {
    // The last one of a list may lack its padding.
    wire_skip(r, MIN((4 - len % 4) % 4, wire_left(r)));
}

// Bytes of a fixed-size value; 0: its size stands before it; -1: no type of TNEF.
static int size_of(uint16_t type) {
    switch (type & ~MULTI) {
    case T_I2:
    case T_BOOLEAN:
        return 2;
    case T_LONG:
    case T_FLOAT:
    case T_ERROR:
        return 4;
    case T_DOUBLE:
    case T_CURRENCY:
    case T_APPTIME:
    case T_I8:
    case T_SYSTIME:
        return 8;
    case T_CLSID:
        return 16;
    case T_OBJECT:
    case T_STRING8:
    case T_UNICODE:
    case T_SERVER_ID:
    case T_RESTRICTION:
    case T_ACTIONS:
    case T_BINARY:
        return 0;
    default:
        return -1;
    }
}

uint32_t tnef_count(struct wire_reader *list) {
    return wire_u32(list);
}

static void read_name(struct wire_reader *list, struct tnef_property *out) {
    out->is_named = true;
    out->set = wire_guid(list);
    out->has_string_name = wire_u32(list) != 0;
    if (!out->has_string_name) {
        out->lid = wire_u32(list);
        return;
    }
    out->string_name_len = wire_u32(list);
    out->string_name = wire_bytes(list, out->string_name_len);
    skip_padding(list, out->string_name_len);
}

bool tnef_property(struct wire_reader *list, struct tnef_property *out) {
    *out = (struct tnef_property){.n_values = 1};
    out->type = wire_u16(list);
    out->id = wire_u16(list);
    int size = size_of(out->type);
    if (out->id >= 0x8000)
        read_name(list, out);
    out->is_single = !(out->type & MULTI);
    if (size == 0 || !out->is_single)
        out->n_values = wire_u32(list);
    if (size < 0 || (out->is_single && out->n_values > 1))
        wire_fail(list);
    return wire_ok(list);
}

bool tnef_value(struct wire_reader *list, const struct tnef_property *p, struct wire_reader *out) {
    int size = size_of(p->type);
    size_t len = size > 0 ? (size_t)size : wire_u32(list);
    *out = wire_sub(list, len);
    skip_padding(list, len);
    return wire_ok(list);
}

static bool find_in_list(struct wire_reader *list, uint16_t id, struct wire_reader *out) {
    struct tnef_property p;
    for (uint32_t i = 0, n = tnef_count(list); i < n && tnef_property(list, &p); i++) {
        struct wire_reader v;
        for (uint32_t k = 0; k < p.n_values && tnef_value(list, &p, &v); k++)
            if (p.id == id && p.type == T_BINARY) {
                *out = v;
                return true;
            }
    }
    return false;
}

bool tnef_find_binary(const void *data, size_t len, uint16_t id, struct wire_reader *out) {
    struct wire_reader r;
    struct tnef_attribute t;
    if (!tnef_open(&r, data, len))
        return false;
    while (tnef_next(&r, &t))
        if (t.id == TNEF_MESSAGE_PROPS && find_in_list(&t.data, id, out))
            return true;
    return false;
}

// --- Dates ---

uint64_t tnef_date(struct wire_reader *data) {
    int field[6]; // year, month, day, hour, minute, second; the weekday follows
    for (size_t i = 0; i < G_N_ELEMENTS(field); i++)
        field[i] = wire_u16(data);
    if (!wire_ok(data) || field[0] < 1601 || field[0] > 9999)
        return 0;
    g_autoptr(GDateTime) date =
        g_date_time_new_utc(field[0], field[1], field[2], field[3], field[4], field[5]);
    return date ? filetime_from_unix(g_date_time_to_unix(date)) : 0;
}
