// Writes TNEF for tests: attributes with checksums, property lists with padding ([MS-OXTNEF]).
#pragma once

#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "formats/tnef.h"
#include "mapi/prop.h"

#define TNEF_WRITER_MAX (1u << 20)

static inline GByteArray *tnef_begin(void) {
    struct wire_writer w = wire_writer(TNEF_WRITER_MAX);
    wire_put_u32(&w, TNEF_SIGNATURE);
    wire_put_u16(&w, 1);
    return wire_writer_take(&w);
}

static inline void tnef_put_attribute(GByteArray *out, int level, uint32_t id, const void *data,
                                      size_t len) {
    struct wire_writer w = wire_writer(TNEF_WRITER_MAX);
    uint16_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint16_t)(sum + ((const uint8_t *)data)[i]);
    wire_put_u8(&w, (uint8_t)level);
    wire_put_u32(&w, id);
    wire_put_u32(&w, (uint32_t)len);
    wire_put_bytes(&w, data, len);
    wire_put_u16(&w, sum);
    GByteArray *bytes = wire_writer_take(&w);
    g_byte_array_append(out, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

// A property list: its count is written at the end.
static inline struct wire_writer tnef_list(void) {
    struct wire_writer w = wire_writer(TNEF_WRITER_MAX);
    wire_put_u32(&w, 0);
    return w;
}

static inline void tnef_put_list(GByteArray *out, int level, uint32_t id, struct wire_writer *w,
                                 uint32_t n) {
    wire_patch_u32(w, 0, n);
    GByteArray *bytes = wire_writer_take(w);
    tnef_put_attribute(out, level, id, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

static inline void tnef_pad(struct wire_writer *w) {
    while (wire_writer_len(w) % 4 != 0)
        wire_put_u8(w, 0);
}

static inline void tnef_put_tag(struct wire_writer *w, proptag_t tag) {
    wire_put_u16(w, PROP_TYPE(tag));
    wire_put_u16(w, PROP_ID(tag));
}

static inline void tnef_put_bytes(struct wire_writer *w, const void *data, size_t len) {
    wire_put_u32(w, (uint32_t)len);
    wire_put_bytes(w, data, len);
    tnef_pad(w);
}

static inline void tnef_put_utf16(struct wire_writer *w, const char *s) {
    g_autoptr(GByteArray) units = g_byte_array_new();
    text_to_utf16(s, strlen(s), units);
    g_byte_array_append(units, (const uint8_t *)"\0", 2);
    tnef_put_bytes(w, units->data, units->len);
}

static inline void tnef_put_string(struct wire_writer *w, proptag_t tag, const char *s) {
    tnef_put_tag(w, tag);
    wire_put_u32(w, 1);
    if (PROP_TYPE(tag) == PT_STRING8)
        tnef_put_bytes(w, s, strlen(s) + 1);
    else
        tnef_put_utf16(w, s);
}

static inline void tnef_put_long(struct wire_writer *w, proptag_t tag, uint32_t v) {
    tnef_put_tag(w, tag);
    wire_put_u32(w, v);
}

static inline void tnef_put_binary(struct wire_writer *w, proptag_t tag, const void *data,
                                   size_t len) {
    tnef_put_tag(w, tag);
    wire_put_u32(w, 1);
    tnef_put_bytes(w, data, len);
}

// The tag and the name of a named property; its value follows.
static inline void tnef_put_named(struct wire_writer *w, uint16_t type, const struct guid *set,
                                  uint32_t lid, const char *name) {
    tnef_put_tag(w, PROP_TAG(0x8000, type));
    wire_put_guid(w, set);
    wire_put_u32(w, name != NULL);
    if (name)
        tnef_put_utf16(w, name);
    else
        wire_put_u32(w, lid);
}
