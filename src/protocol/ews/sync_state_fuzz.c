// Fuzz target: sync states as clients send them; what is one survives being written again.
#include <string.h>

#include "protocol/ews/sync_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *)data, size);
    struct sync_state s, again;
    if (!sync_state_parse(text, &s))
        return 0;
    ARENA_AUTO arena = arena_new();
    const char *written = sync_state_format(arena, &s);
    g_assert(sync_state_parse(written, &again));
    g_assert(again.fid == s.fid && again.at.at == s.at.at && again.kind == s.kind);
    return 0;
}
