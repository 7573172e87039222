// XML from strangers: reads it, writes it, and reads that again.
#include "formats/xml_reader.h"

#include <stdint.h>

static void write_node(GString *out, const struct xml_node *node) {
    for (; node != NULL; node = node->next) {
        g_string_append(out, "<n>");
        xml_add_text(out, node->text);
        xml_add_element(out, "u", node->uri);
        write_node(out, node->child);
        g_string_append(out, "</n>");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct xml_limits limits = {.bytes = 1 << 16, .depth = 20, .nodes = 500},
                                   wide = {.bytes = 1 << 24, .depth = 40, .nodes = 5000};
    ARENA_AUTO arena = arena_new();
    struct xml_node *root, *again;
    if (xml_read(arena, data, size, &limits, &root) != EC_OK)
        return 0;
    g_autoptr(GString) out = g_string_new(NULL);
    write_node(out, root);
    g_assert_cmpint(xml_read(arena, out->str, out->len, &wide, &again), ==, EC_OK);
    return 0;
}
