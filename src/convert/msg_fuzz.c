// Any bytes as a .msg file: what comes out can be stored, and is a file again.
#include <stdlib.h>

#include "convert/convert_internal.h"
#include "convert/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct message_value *m, unsigned depth) {
    if (depth > 20)
        abort();
    for (unsigned i = 0; i < bag_count(m->bag); i++) {
        const struct prop_value *v = bag_at(m->bag, i);
        if (PROP_TYPE(v->tag) == PT_UNICODE && !g_utf8_validate(v->str, -1, NULL))
            abort();
    }
    g_autoptr(GBytes) bytes = bag_encode(m->bag);
    struct bag *back = NULL;
    if (bag_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back) != EC_OK)
        abort();
    bag_free(back);
    for (guint i = 0; i < m->attachments->len; i++) {
        const struct attachment_value *a = m->attachments->pdata[i];
        if (a->embedded)
            check(a->embedded, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct message_value *m = NULL, *again = NULL;
    g_autoptr(GBytes) bytes = NULL;
    if (convert_msg_to_message(data, size, &m) != EC_OK)
        return 0;
    check(m, 0);
    if (convert_message_to_msg(m, NULL, 0, &bytes) != EC_OK)
        abort();
    gsize len;
    const void *file = g_bytes_get_data(bytes, &len);
    if (convert_msg_to_message(file, len, &again) != EC_OK ||
        again->recipients->len != m->recipients->len ||
        again->attachments->len != m->attachments->len)
        abort();
    message_value_free(m);
    message_value_free(again);
    return 0;
}
