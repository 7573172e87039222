// Properties as values: tags, types and one value of any type ([MS-OXCDATA] 2.8, 2.9, 2.11).
//
// A property tag is id << 16 | type. In the program PtypString is the only string type and is
// UTF-8; PtypString8 exists on the wire alone. Values borrow what they point to unless a function
// says that it copies.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/guid.h"
#include "base/result.h"

typedef uint32_t proptag_t;

#define PROP_TAG(id, type) ((proptag_t)(id) << 16 | (type))
#define PROP_ID(tag) ((uint16_t)((tag) >> 16))
#define PROP_TYPE(tag) ((uint16_t)((tag)&0xFFFF))
#define PROP_IS_NAMED(tag) (PROP_ID(tag) >= 0x8000)
#define PT_MV 0x1000u

enum prop_type {
    PT_UNSPECIFIED = 0x0000,
    PT_NULL = 0x0001,
    PT_I2 = 0x0002,
    PT_LONG = 0x0003,
    PT_FLOAT = 0x0004,
    PT_DOUBLE = 0x0005,
    PT_CURRENCY = 0x0006,
    PT_APPTIME = 0x0007,
    PT_ERROR = 0x000A,
    PT_BOOLEAN = 0x000B,
    PT_OBJECT = 0x000D,
    PT_I8 = 0x0014,
    PT_STRING8 = 0x001E,
    PT_UNICODE = 0x001F,
    PT_SYSTIME = 0x0040,
    PT_CLSID = 0x0048,
    PT_SVREID = 0x00FB,
    PT_SRESTRICT = 0x00FD,
    PT_ACTIONS = 0x00FE,
    PT_BINARY = 0x0102,
    PT_MV_I2 = 0x1002,
    PT_MV_LONG = 0x1003,
    PT_MV_FLOAT = 0x1004,
    PT_MV_DOUBLE = 0x1005,
    PT_MV_CURRENCY = 0x1006,
    PT_MV_APPTIME = 0x1007,
    PT_MV_I8 = 0x1014,
    PT_MV_STRING8 = 0x101E,
    PT_MV_UNICODE = 0x101F,
    PT_MV_SYSTIME = 0x1040,
    PT_MV_CLSID = 0x1048,
    PT_MV_BINARY = 0x1102,
};

struct prop_bin {
    uint32_t len;
    const uint8_t *data;
};

// A value that is not in the bag but in the mailbox's blobs: a body or attachment that points into
// the kept internet original, or a large value of its own.
struct prop_external {
    uint64_t blob;       // the store's blob id
    uint64_t pos, len;   // bytes of it
    uint8_t encoding;    // enum mime_encoding to undo; 0 none
    const char *charset; // to convert from, for strings; NULL: UTF-8 already
};

struct prop_value {
    proptag_t tag;
    bool is_external; // `external` holds instead of the value; read it through the store
    union {
        int16_t i2;
        int32_t l; // PT_LONG; PT_ERROR too
        float f;
        double d;   // PT_DOUBLE, PT_APPTIME
        int64_t i8; // PT_I8, PT_CURRENCY
        bool b;
        filetime_t time; // PT_SYSTIME
        const char *str; // PT_UNICODE: UTF-8
        struct guid guid;
        struct prop_bin
            bin; // PT_BINARY, PT_SVREID, PT_OBJECT, PT_SRESTRICT and PT_ACTIONS in wire form
        struct {
            uint32_t n;
            union {
                const int16_t *i2;
                const int32_t *l;
                const float *f;
                const double *d;
                const int64_t *i8;
                const filetime_t *time;
                const char *const *str;
                const struct guid *guid;
                const struct prop_bin *bin;
            };
        } mv;
        struct prop_external external;
    };
};

// Constructors for the common types; strings and bytes are borrowed.
static inline struct prop_value prop_str(proptag_t tag, const char *s) {
    return (struct prop_value){.tag = tag, .str = s};
}
static inline struct prop_value prop_long(proptag_t tag, int32_t v) {
    return (struct prop_value){.tag = tag, .l = v};
}
static inline struct prop_value prop_i8(proptag_t tag, int64_t v) {
    return (struct prop_value){.tag = tag, .i8 = v};
}
static inline struct prop_value prop_bool(proptag_t tag, bool v) {
    return (struct prop_value){.tag = tag, .b = v};
}
static inline struct prop_value prop_time(proptag_t tag, filetime_t v) {
    return (struct prop_value){.tag = tag, .time = v};
}
static inline struct prop_value prop_bytes(proptag_t tag, const void *data, uint32_t len) {
    return (struct prop_value){.tag = tag, .bin = {len, data}};
}

// A deep copy in the arena.
struct prop_value prop_copy(struct arena *arena, const struct prop_value *v);

// Orders two values of the same type ([MS-OXCDATA] 2.12: strings caselessly, binaries bytewise,
// shorter first when one is a prefix). Multi-valued: element by element. External values compare as
// empty.
int prop_compare(const struct prop_value *a, const struct prop_value *b);
bool prop_equal(const struct prop_value *a,
                const struct prop_value *b); // same tag, exactly the same value

// Bytes the value takes in memory beyond the struct, for sizes and limits (strings with their NUL).
size_t prop_size(const struct prop_value *v);

// Whether `type` is one of enum prop_type that can be stored.
bool prop_type_is_valid(uint16_t type);
