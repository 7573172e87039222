// What the codecs of property values share: the shape of each type.
#pragma once

#include "mapi/prop.h"

// Bytes of one element of a type with a fixed size (PT_MV ignored), on the wire and in the stored
// form alike; 0 for strings, binaries and what is no type.
static inline unsigned prop_fixed_size(uint16_t type) {
    switch (type & ~PT_MV) {
    case PT_BOOLEAN:
        return 1;
    case PT_I2:
        return 2;
    case PT_LONG:
    case PT_FLOAT:
    case PT_ERROR:
        return 4;
    case PT_DOUBLE:
    case PT_CURRENCY:
    case PT_APPTIME:
    case PT_I8:
    case PT_SYSTIME:
        return 8;
    case PT_CLSID:
        return 16;
    default:
        return 0;
    }
}

static inline bool prop_is_mv(uint16_t type) {
    return type & PT_MV;
}

// Single or multi-valued strings.
static inline bool prop_is_string(uint16_t type) {
    return (type & ~PT_MV) == PT_UNICODE;
}

// The address of the union's fixed-size member (i2, l, ... guid): all start at the same place.
static inline void *prop_fixed(struct prop_value *v) {
    return &v->i8;
}
static inline const void *prop_fixed_const(const struct prop_value *v) {
    return &v->i8;
}

// Types whose value stands in `bin`, when they are single-valued.
static inline bool prop_is_bytes(uint16_t type) {
    return type == PT_BINARY || type == PT_SVREID || type == PT_OBJECT || type == PT_SRESTRICT ||
           type == PT_ACTIONS;
}

// The i-th element of a multi-valued property as a value of its own; borrows from `v`.
struct prop_value prop_element(const struct prop_value *v, uint32_t i);
