// Fuzz target: the stored dictionary of a user configuration, which any client may have written.
#include "protocol/ews/dictionary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ews_call call = {.arena = arena_new(), .w = ews_writer_new(1024 * 1024)};
    if (size > 0 && size <= 65536)
        dictionary_write(&call, (struct prop_bin){(uint32_t)size, data});
    ews_writer_free(call.w);
    arena_free(call.arena);
    return 0;
}
