// Any bytes as compressed ones, and any bytes survive compressing.
#include "formats/lzxpress.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > LIMIT)
        return 0;
    size_t out_len = data[0] | (size_t)data[1] << 8, packed_len;
    g_autofree uint8_t *out = g_malloc(out_len + 1);
    if (lzxpress_decode(data + 2, size - 2, out, out_len) != EC_OK) {
        out_len = size;
        g_free(out);
        out = g_memdup2(data, size);
    }
    size_t max = out_len + out_len / 8 + 16;
    g_autofree uint8_t *packed = g_malloc(max), *back = g_malloc(out_len + 1);
    if (!lzxpress_encode(out, out_len, packed, max, &packed_len) ||
        lzxpress_decode(packed, packed_len, back, out_len) != EC_OK ||
        memcmp(out, back, out_len) != 0)
        abort();
    return 0;
}
