// Whatever the message: no NUL is left, or nothing is given.
#include "formats/mime_binary.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GBytes) out = mime_encode_binary(data, size);
    if (out && memchr(g_bytes_get_data(out, NULL), 0, g_bytes_get_size(out)))
        abort();
    return 0;
}
