// Any bytes as a tag list: a signature field, a published key, a DMARC record.
#include "base/test.h"
#include "policy/dkim.h"
#include "policy/dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    g_autofree char *text = g_strndup((const char *)data, size);
    struct dkim_key key;
    if (dkim_key_parse(arena, text, &key) == DKIM_KEY_OK)
        EVP_PKEY_free(key.key);
    struct dmarc_record record;
    if (dmarc_record_parse(arena, text, &record))
        g_assert_cmpuint(record.percent, <=, 100);
    struct mail_field field = {.bytes = (const char *)data, .len = size};
    struct dkim_signature signature;
    dkim_signature_read(arena, &field, false, &signature);
    dkim_signature_read(arena, &field, true, &signature);
    return 0;
}
