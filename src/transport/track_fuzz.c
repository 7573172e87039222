// Lines of the tracking log, as they may stand in a damaged file.
#include "transport/track.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct track_event e, again;
    if (!track_parse(arena, (const char *)data, size, &e))
        return 0;
    g_autoptr(GString) line = g_string_new(NULL);
    track_format(&e, line);
    if (!track_parse(arena, line->str, line->len - 1, &again) && line->len < 8000)
        g_error("a line that was written cannot be read");
    return 0;
}
