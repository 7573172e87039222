// Steps on messages that several tests of ROPs begin with.
#pragma once

#include "mapi/recipient_row.h"
#include "protocol/rop/rop_fixture.h"

static const struct prop_wire rop_wire = PROP_WIRE_ROP;

static inline void create_message(struct rops *f, uint8_t folder, uint8_t out, uint64_t fid) {
    rop2(f, 0x06, folder, out);
    u16(f, 0x0FFF);
    id(f, fid);
    u8(f, 0);
}
static inline void open_message(struct rops *f, uint8_t folder, uint8_t out, uint64_t fid,
                                uint8_t mode, uint64_t mid) {
    rop2(f, 0x03, folder, out);
    u16(f, 0x0FFF);
    id(f, fid);
    u8(f, mode);
    id(f, mid);
}
static inline void save(struct rops *f, uint8_t message, uint8_t flags) {
    rop2(f, 0x0C, 15, message);
    u8(f, flags);
}
static inline void set_props(struct rops *f, uint8_t index, const struct prop_value *values,
                             unsigned n) {
    rop1(f, 0x0A, index);
    put_values(f, values, n);
}
// A TypedString.
static inline const char *typed_string(struct rops *f) {
    uint8_t kind = wire_u8(&f->r);
    if (kind == 0)
        return NULL;
    if (kind == 1)
        return "";
    return prop_wire_string(&f->r, &rop_wire, f->arena, kind == 4);
}

static inline void begin(struct rops *f) {
    logon(f);
    open_folder(f, 1, FID_DRAFTS);
}

static inline void put_recipient(struct rops *f, uint32_t row, uint8_t type, const char *name,
                                 const char *address) {
    struct columns none = {0, NULL};
    u32(f, row);
    u8(f, type);
    if (!name) {
        u16(f, 0);
        return;
    }
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagAddressType, "SMTP");
    bag_set_str(bag, PidTagEmailAddress, address);
    bag_set_str(bag, PidTagDisplayName, name);
    struct wire_writer w = wire_writer(10000);
    recipient_row_put(&w, &rop_wire, &none, true, bag);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    u16(f, (uint16_t)bytes->len);
    wire_put_bytes(&f->w, bytes->data, bytes->len);
}

static inline void modify(struct rops *f, uint8_t message, unsigned rows) {
    rop1(f, 0x0E, message);
    u16(f, 0); // no columns
    u16(f, (uint16_t)rows);
}
