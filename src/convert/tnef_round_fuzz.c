// Any bytes as the TNEF of a whole message: what comes out is the same after another round.
#include "convert/law_message.h"
#include "convert/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Recomputes the checksums of the attributes as far as their lengths make sense.
static void correct(uint8_t *data, size_t size) {
    for (size_t pos = 6; pos + 11 <= size;) {
        size_t len = data[pos + 5] | (size_t)data[pos + 6] << 8 | (size_t)data[pos + 7] << 16 |
                     (size_t)data[pos + 8] << 24;
        uint16_t sum = 0;
        if (len > size - pos - 11)
            return;
        for (size_t i = 0; i < len; i++)
            sum = (uint16_t)(sum + data[pos + 9 + i]);
        data[pos + 9 + len] = (uint8_t)sum;
        data[pos + 10 + len] = (uint8_t)(sum >> 8);
        pos += len + 11;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree uint8_t *copy = g_memdup2(data, size);
    struct message_value *first = NULL, *second = NULL;
    g_autoptr(GBytes) bytes = NULL;
    correct(copy, size);
    if (convert_tnef_to_message(copy, size, &first) != EC_OK)
        return 0;
    if (convert_message_to_tnef(first, NULL, TNEF_WHOLE, &bytes) != EC_OK)
        abort();
    gsize len;
    const void *again = g_bytes_get_data(bytes, &len);
    if (convert_tnef_to_message(again, len, &second) != EC_OK ||
        second->recipients->len != first->recipients->len ||
        second->attachments->len != first->attachments->len)
        abort();
    message_value_free(first);
    message_value_free(second);
    return 0;
}
