// Any bytes as TNEF inside a message: what comes out can be stored. Checksums are made right, or
// nothing would ever be read.
#include <stdlib.h>

#include "convert/convert_internal.h"
#include "formats/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bag(const struct bag *bag) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        if (!v->is_external && PROP_TYPE(v->tag) == PT_UNICODE &&
            !g_utf8_validate(v->str, -1, NULL))
            abort();
    }
    g_autoptr(GBytes) bytes = bag_encode(bag);
    struct bag *back = NULL;
    if (bag_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back) != EC_OK)
        abort();
    bag_free(back);
}

static void check_message(const struct message_value *m, unsigned depth) {
    if (depth > 20)
        abort();
    check_bag(m->bag);
    for (guint i = 0; i < m->recipients->len; i++)
        check_bag(m->recipients->pdata[i]);
    for (guint i = 0; i < m->attachments->len; i++) {
        const struct attachment_value *a = m->attachments->pdata[i];
        check_bag(a->bag);
        if (a->embedded)
            check_message(a->embedded, depth + 1);
    }
}

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
    static const char header[] =
        "Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    ARENA_AUTO arena = arena_new();
    g_autoptr(GByteArray) raw = g_byte_array_new();
    g_byte_array_append(raw, (const uint8_t *)header, sizeof header - 1);
    g_byte_array_append(raw, data, (guint)size);
    correct(raw->data + sizeof header - 1, size);
    struct message_value *m;
    if (convert_mime_to_message(mime_scan(arena, raw->data, raw->len), &m) != EC_OK)
        abort();
    check_message(m, 0);
    message_value_free(m);
    return 0;
}
