// Any bytes as the data of a record: the first byte is the type.
#include "base/test.h"
#include "dns/dns_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    ARENA_AUTO arena = arena_new();
    struct dns_record record;
    bool is_good = dns_rdata_parse(arena, data[0], data + 1, size - 1, &record);
    if (is_good && record.host)
        g_assert_cmpuint(strlen(record.host), <=, DNS_NAME_MAX);
    if (is_good && record.text)
        g_assert_cmpuint(strlen(record.text), <=, DNS_TEXT_MAX);
    g_autofree char *name = g_strndup((const char *)data + 1, size - 1);
    const char *ascii = dns_name_ascii(arena, name);
    g_assert_true(!ascii || strlen(ascii) <= DNS_NAME_MAX);
    return 0;
}
