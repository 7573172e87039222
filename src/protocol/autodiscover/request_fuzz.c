// The requests of Autodiscover, both forms: the first byte chooses. Whatever comes in, a document
// goes out.
#include "formats/xml_reader.h"
#include "protocol/autodiscover/request_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct xml_limits limits = {.bytes = 1 << 26, .depth = 30, .nodes = 1000000};
    unsigned status = 0;
    struct xml_node *root;
    if (size == 0)
        return 0;
    if (service == NULL)
        open_service();
    GString *answer = data[0] & 1 ? autodiscover_pox(service, &who, data + 1, size - 1, 1)
                                  : autodiscover_soap(service, &who, data + 1, size - 1, &status);
    ARENA_AUTO arena = arena_new();
    g_assert_cmpint(xml_read(arena, answer->str, answer->len, &limits, &root), ==, EC_OK);
    g_string_free(answer, TRUE);
    return 0;
}
