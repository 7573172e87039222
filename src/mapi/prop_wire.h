// Property values as they travel in ROPs ([MS-OXCDATA] 2.11).
//
// Readers follow the sticky error of wire_reader: check wire_ok once at the end; after an error the
// values read have type PT_NULL. Values read live in the arena or borrow from the reader's bytes,
// so that the bytes must live as long. PtypString8 is read as PT_UNICODE, converted from the code
// page.
#pragma once

#include "base/wire.h"
#include "mapi/prop.h"

// Among many in one message; a reader fails past it.
#define PROP_WIRE_MAX_VALUES 65535u

// How values are written in a context.
struct prop_wire {
    // Bytes of the byte count of binaries: 2 in ROPs; 4 in extended rules and in MAPI over HTTP
    // (COUNT, [MS-OXCDATA] 2.11.1.1). PROP_WIRE_MARKED: as 4, and a byte 0xFF (or 0x00: none)
    // stands before strings, binaries and multiple values, and before each string or binary of
    // those; embedded tables are four bytes (AddressBookPropertyValue, [MS-OXCMAPIHTTP] 2.2.1.1).
    uint8_t count_size;
    unsigned code_page; // of PtypString8
};
#define PROP_WIRE_MARKED 0x84
#define PROP_WIRE_ROP ((struct prop_wire){2, 1252})
#define PROP_WIRE_EXTENDED ((struct prop_wire){4, 1252})

// A value of the tag's type; with PT_UNSPECIFIED its type comes first (TypedPropertyValue, 2.11.3).
// The reader fails on types that have no value on the wire.
struct prop_value prop_wire_value(struct wire_reader *r, const struct prop_wire *form,
                                  struct arena *arena, proptag_t tag);

// A tag and its value (TaggedPropertyValue, 2.11.4).
struct prop_value prop_wire_tagged(struct wire_reader *r, const struct prop_wire *form,
                                   struct arena *arena);

// `n` tagged values; NULL after an error. In the arena.
struct prop_value *prop_wire_tagged_array(struct wire_reader *r, const struct prop_wire *form,
                                          struct arena *arena, unsigned n);

// A flag and, by it, the value, an error code (PT_ERROR) or nothing (PT_NULL):
// FlaggedPropertyValue, FlaggedPropertyValueWithType for PT_UNSPECIFIED (2.11.5, 2.11.6).
struct prop_value prop_wire_flagged(struct wire_reader *r, const struct prop_wire *form,
                                    struct arena *arena, proptag_t tag);

// Writes the value as `type`: its own, or PT_STRING8 (PT_MV_STRING8) for strings. The writer fails
// when the type does not fit, a binary is too long for its count or the value is external.
void prop_wire_put_value(struct wire_writer *w, const struct prop_wire *form, uint16_t type,
                         const struct prop_value *v);

// With its type before it, which is the value's own or PT_STRING8.
void prop_wire_put_typed(struct wire_writer *w, const struct prop_wire *form, uint16_t type,
                         const struct prop_value *v);
void prop_wire_put_tagged(struct wire_writer *w, const struct prop_wire *form,
                          const struct prop_value *v);

// A flagged value for a column `tag`: PT_ERROR values as errors, NULL and PT_NULL as absent.
void prop_wire_put_flagged(struct wire_writer *w, const struct prop_wire *form, proptag_t tag,
                           const struct prop_value *v);

// A TypedString ([MS-OXCDATA] 2.11.7): NULL: none; ASCII goes reduced to single bytes.
void prop_wire_put_typed_string(struct wire_writer *w, const char *s);

// Null-terminated strings by themselves. On failure "" is read.
const char *prop_wire_string(struct wire_reader *r, const struct prop_wire *form,
                             struct arena *arena, bool is_unicode);
void prop_wire_put_string(struct wire_writer *w, const struct prop_wire *form, bool is_unicode,
                          const char *s);
