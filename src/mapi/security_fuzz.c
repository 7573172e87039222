// Fuzzes security descriptors: what reads must write and read again.
#include <glib.h>

#include "mapi/security.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct security_descriptor sd, back;
    if (security_property_parse(arena, (struct prop_bin){(uint32_t)size, data}, &sd) != EC_OK)
        return 0;
    acl_rights(&sd.dacl, &SID_EVERYONE, 1);
    char text[SID_STRING_SIZE];
    sid_format(&sd.owner, text);
    struct prop_bin again = security_property_bytes(arena, &sd);
    if (again.len) { // overlapping parts may have grown past the limit
        g_assert(security_property_parse(arena, again, &back) == EC_OK);
        g_assert(back.dacl.n == sd.dacl.n && back.sacl.n == sd.sacl.n);
    }
    return 0;
}
