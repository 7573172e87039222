// Any bytes as vCards: each contact is written in every version, and read again.
#include <stdlib.h>
#include <string.h>

#include "convert/vcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct message_value *m, enum vcard_version version) {
    g_autoptr(GString) out = g_string_new(NULL);
    struct message_value *back = NULL;
    if (convert_message_to_vcard(m, NULL, version, out) != EC_OK ||
        !g_utf8_validate(out->str, (gssize)out->len, NULL))
        abort();
    const char *p = out->str;
    if (!convert_vcard_next(&p, out->str + out->len, &back))
        abort();
    message_value_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *p = (const char *)data, *end = p + size;
    struct message_value *m;
    for (unsigned n = 0; n < 100 && convert_vcard_next(&p, end, &m); n++) {
        for (int version = VCARD_2_1; version <= VCARD_4_0; version++)
            check(m, (enum vcard_version)version);
        message_value_free(m);
    }
    return 0;
}
