// Conversation index, id and subject prefixes. Outlook and Exchange sort and group by these bytes.
#include "mapi/conversation.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"

#define PREFIX_MAX_CHARS 3
#define TOPIC_HASHED_UNITS 255

// Bytes of the prefix up to and with its colon; 0: the subject has none.
static size_t prefix_length(const char *subject) {
    const char *p = subject;
    for (unsigned chars = 0; chars < PREFIX_MAX_CHARS; chars++) {
        if (*p == 0 || *p == ':' || *p == ' ' || g_ascii_isdigit(*p))
            break;
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2)
            return 0;
        p = g_utf8_next_char(p);
    }
    // "C:\file" has no prefix: without a blank the two parts would not make up the subject again.
    return p > subject && p[0] == ':' && p[1] == ' ' ? (size_t)(p - subject) + 1 : 0;
}

struct subject_parts subject_split(struct arena *arena, const char *subject, const char *prefix) {
    if (prefix && g_str_has_prefix(subject, prefix))
        return (struct subject_parts){arena_strdup(arena, prefix),
                                      arena_strdup(arena, subject + strlen(prefix))};
    size_t len = prefix_length(subject);
    const char *rest = subject + len;
    if (len)
        rest += strspn(rest, " ");
    return (struct subject_parts){len ? arena_strndup(arena, subject, len + 1) : "",
                                  arena_strdup(arena, rest)};
}

void conversation_index_start(filetime_t now, const struct guid *guid,
                              uint8_t out[CONVERSATION_INDEX_HEADER]) {
    struct guid fresh = guid ? *guid : guid_new();
    out[0] = 1;
    for (unsigned i = 0; i < 5; i++)
        out[1 + i] = (uint8_t)(now >> (56 - 8 * i));
    memcpy(out + 6, fresh.bytes, sizeof fresh.bytes);
}

static bool is_index(struct prop_bin index) {
    return index.len >= CONVERSATION_INDEX_HEADER && index.data[0] == 1 &&
           (index.len - CONVERSATION_INDEX_HEADER) % CONVERSATION_INDEX_LEVEL == 0;
}

// The time in the header. Outlook before 2010 left out the FILETIME's highest byte, which is 1 for
// dates from 1829 to 2057, and kept two bytes of its low part in exchange.
static filetime_t header_time(const uint8_t *index) {
    struct wire_reader r = wire_reader(index, 8);
    uint64_t v = wire_be64(&r) & ~UINT64_C(0xFFFF);
    return index[1] == 1 ? (v << 8) & ~UINT64_C(0xFFFFFF) : v;
}

struct prop_bin conversation_index_reply(struct arena *arena, struct prop_bin parent,
                                         filetime_t now) {
    if (!is_index(parent)) {
        uint8_t *out = arena_alloc(arena, CONVERSATION_INDEX_HEADER);
        conversation_index_start(now, NULL, out);
        return (struct prop_bin){CONVERSATION_INDEX_HEADER, out};
    }
    uint8_t *out = arena_alloc(arena, parent.len + CONVERSATION_INDEX_LEVEL);
    memcpy(out, parent.data, parent.len);
    if (parent.len + CONVERSATION_INDEX_LEVEL > CONVERSATION_INDEX_MAX)
        return (struct prop_bin){parent.len, out};
    filetime_t start = header_time(parent.data);
    uint64_t delta = now > start ? now - start : 0;
    // Below 1.7 years in units of 26 ms, above in units of 0.8 s, which the top bit says.
    uint32_t level = delta & UINT64_C(0x00FE000000000000)
                         ? 0x80000000u | ((delta >> 23) & 0x7FFFFFFF)
                         : (delta >> 18) & 0x7FFFFFFF;
    uint8_t *p = out + parent.len;
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(level >> (24 - 8 * i));
    p[4] = (uint8_t)(g_random_int_range(0, 16) << 4);
    return (struct prop_bin){parent.len + CONVERSATION_INDEX_LEVEL, out};
}

bool conversation_index_parse(struct prop_bin index, struct conversation_index *out) {
    if (!is_index(index))
        return false;
    memcpy(out->guid.bytes, index.data + 6, sizeof out->guid.bytes);
    out->started = out->last = header_time(index.data);
    out->n_levels = (index.len - CONVERSATION_INDEX_HEADER) / CONVERSATION_INDEX_LEVEL;
    if (out->n_levels) {
        struct wire_reader r = wire_reader(index.data + index.len - CONVERSATION_INDEX_LEVEL,
                                           CONVERSATION_INDEX_LEVEL);
        uint64_t level = wire_be32(&r);
        out->last += level & 0x80000000u ? (level & 0x7FFFFFFF) << 23 : level << 18;
    }
    return true;
}

// The text's UTF-16LE form in upper case, one unit for one as Windows does, up to 255 units.
static GByteArray *hashed_topic(const char *topic) {
    GByteArray *units = g_byte_array_new();
    for (const char *p = topic; *p && units->len < TOPIC_HASHED_UNITS * 2;) {
        gunichar c = g_utf8_get_char_validated(p, -1);
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        char upper[6];
        int len = g_unichar_to_utf8(valid ? g_unichar_toupper(c) : 0xFFFD, upper);
        text_to_utf16(upper, (size_t)len, units);
        p = valid ? g_utf8_next_char(p) : p + 1;
    }
    if (units->len > TOPIC_HASHED_UNITS * 2) // the last character took two units
        g_byte_array_set_size(units, TOPIC_HASHED_UNITS * 2);
    return units;
}

bool conversation_id(bool is_tracked, struct prop_bin index, const char *topic, uint8_t out[16]) {
    if (is_tracked && index.len >= CONVERSATION_INDEX_HEADER && index.data[0] == 1) {
        memcpy(out, index.data + 6, 16);
        return true;
    }
    if (!topic || !*topic)
        return false;
    g_autoptr(GByteArray) units = hashed_topic(topic);
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(md5, units->data, units->len);
    gsize len = 16;
    g_checksum_get_digest(md5, out, &len);
    return true;
}
