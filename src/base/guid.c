// GUIDs: making, comparing, text form.
#include "base/guid.h"

#include <glib.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

// Where the hex digit pairs of the text form stand in the wire bytes.
static const uint8_t text_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

struct guid guid_new(void) {
    struct guid guid;
    randombytes_buf(guid.bytes, sizeof guid.bytes);
    guid.bytes[7] = (guid.bytes[7] & 0x0f) | 0x40;
    guid.bytes[8] = (guid.bytes[8] & 0x3f) | 0x80;
    return guid;
}

int guid_compare(const struct guid *a, const struct guid *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool guid_equal(const struct guid *a, const struct guid *b) {
    return guid_compare(a, b) == 0;
}

bool guid_is_zero(const struct guid *guid) {
    static const struct guid zero;
    return guid_equal(guid, &zero);
}

static bool dash_before(unsigned i) {
    return i == 4 || i == 6 || i == 8 || i == 10;
}

void guid_format(const struct guid *guid, char out[GUID_STRING_SIZE]) {
    char *p = out;
    for (unsigned i = 0; i < 16; i++) {
        if (dash_before(i))
            *p++ = '-';
        p += sprintf(p, "%02x", guid->bytes[text_order[i]]);
    }
}

bool guid_parse(const char *text, struct guid *out) {
    struct guid guid;
    bool braces = *text == '{';
    const char *p = text + braces;
    for (unsigned i = 0; i < 16; i++) {
        if (dash_before(i) && *p++ != '-')
            return false;
        int high = g_ascii_xdigit_value(p[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(p[1]);
        if (low < 0)
            return false;
        guid.bytes[text_order[i]] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    if (braces && *p++ != '}')
        return false;
    if (*p)
        return false;
    *out = guid;
    return true;
}
