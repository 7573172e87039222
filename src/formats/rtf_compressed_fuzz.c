// Any bytes as compressed RTF; what can be unpacked, and the bytes themselves, survive packing.
#include "formats/rtf_compressed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

#define LIMIT (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const void *data, size_t len) {
    g_autoptr(GBytes) packed = rtf_compress(data, len), back = NULL;
    if (rtf_decompress(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), len, &back) !=
            EC_OK ||
        g_bytes_get_size(back) != len ||
        (len > 0 && memcmp(g_bytes_get_data(back, NULL), data, len) != 0))
        abort();
}

// The same with the checksum made right, or nothing would ever be unpacked.
static void unpack_as_if_right(const uint8_t *data, size_t size) {
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autoptr(GBytes) out = NULL;
    struct wire_writer w = wire_writer(RTF_COMPRESSED_HEADER);
    wire_put_u32(&w, (uint32_t)size - 4);
    wire_put_u32(&w, (uint32_t)(copy[4] | copy[5] << 8));
    wire_put_u32(&w, 0x75465A4C);
    wire_put_u32(&w, rtf_checksum(copy + RTF_COMPRESSED_HEADER, size - RTF_COMPRESSED_HEADER));
    GByteArray *header = wire_writer_take(&w);
    memcpy(copy, header->data, header->len);
    g_byte_array_unref(header);
    if (rtf_decompress(copy, size, LIMIT, &out) == EC_OK)
        check_round(g_bytes_get_data(out, NULL), g_bytes_get_size(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GBytes) out = NULL;
    if (rtf_decompress(data, size, LIMIT, &out) == EC_OK && g_bytes_get_size(out) > LIMIT)
        abort();
    if (size >= RTF_COMPRESSED_HEADER)
        unpack_as_if_right(data, size);
    check_round(data, size);
    return 0;
}
