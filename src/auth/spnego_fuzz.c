// The messages of SPNEGO: what is read stays within the message, and what we write is read again.
#include "auth/spnego.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(const uint8_t *part, size_t len, const uint8_t *data, size_t size) {
    return part == NULL || (part >= data && len <= size && part + len <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct spnego_message m, again;
    if (!spnego_read(data, size, &m))
        return 0;
    g_assert_true(is_inside(m.mechanisms, m.mechanisms_len, data, size));
    g_assert_true(is_inside(m.token, m.token_len, data, size));
    g_assert_true(is_inside(m.check, m.check_len, data, size));
    GByteArray *a =
        spnego_write(SPNEGO_INCOMPLETE, true, m.token, m.token_len, m.check, m.check_len);
    g_assert_true(spnego_read(a->data, a->len, &again));
    g_assert_cmpmem(again.token, again.token_len, m.token, m.token_len);
    g_assert_cmpmem(again.check, again.check_len, m.check, m.check_len);
    g_byte_array_unref(a);
    return 0;
}
