// Any bytes as a filter: read, and when they are one, evaluated.
#include "directory/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct directory_object object = {
        .kind = DIRECTORY_ROOM,
        .address = "r@example.test",
        .display_name = "Äpfel und Birnen",
        .office = "aaaaaaaaaaaaaaaaaaaaaaaaab",
        .capacity = 3,
    };
    static char *const addresses[] = {(char *)"r@example.test", (char *)"s@example.test", NULL};
    ARENA_AUTO arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data, size);
    const struct filter *filter;
    size_t at;
    if (filter_parse(arena, text, &filter, &at) == EC_OK)
        filter_matches(filter, &object, addresses, arena);
    else if (at > size)
        __builtin_trap();
    return 0;
}
