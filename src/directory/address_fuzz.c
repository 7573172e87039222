// Any bytes as an address: when they are one, its canonical form is one too, and the same.
#include "directory/address.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data, size);
    struct address a, again;
    if (address_parse(arena, text, &a) != EC_OK)
        return 0;
    if (address_parse(arena, a.text, &again) != EC_OK || strcmp(a.key, again.key) != 0 ||
        strcmp(a.text, again.text) != 0)
        __builtin_trap();
    return 0;
}
