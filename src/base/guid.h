// GUIDs as the 16 bytes they are on the wire ([MS-DTYP] 2.3.4.2: the first three fields
// little-endian), compared bytewise.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct guid {
    uint8_t bytes[16];
};

#define GUID_STRING_SIZE 37 // "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" and a NUL

// The textual fields of a GUID in their usual order, for tables of well-known GUIDs.
#define GUID_INIT(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                                         \
    {                                                                                              \
        {                                                                                          \
            (uint8_t)(a), (uint8_t)((a) >> 8), (uint8_t)((a) >> 16),                               \
                (uint8_t)((uint32_t)(a) >> 24), (uint8_t)(b), (uint8_t)((b) >> 8), (uint8_t)(c),   \
                (uint8_t)((c) >> 8), d0, d1, d2, d3, d4, d5, d6, d7                                \
        }                                                                                          \
    }

// A new random (version 4) GUID.
struct guid guid_new(void);

bool guid_equal(const struct guid *a, const struct guid *b);
bool guid_is_zero(const struct guid *guid);
int guid_compare(const struct guid *a, const struct guid *b);

// Lower-case text without braces into `out`.
void guid_format(const struct guid *guid, char out[GUID_STRING_SIZE]);

// Reads 36 characters with or without braces, either case. False when `text` is no GUID.
bool guid_parse(const char *text, struct guid *out);
