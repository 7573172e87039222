// Fuzzes rule actions: what reads must write, and read again the same.
#include <string.h>

#include "mapi/rule_actions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    ARENA_AUTO arena = arena_new();
    struct prop_wire form = {data[0] & 1 ? 4 : 2, 65001};
    struct wire_reader r = wire_reader(data + 1, size - 1);
    struct rule_actions actions, again;
    struct short_id folder;
    if (rule_actions_read(&r, &form, arena, &actions) != EC_OK)
        return 0;
    for (uint32_t i = 0; i < actions.n; i++)
        rule_action_folder(&actions.items[i], &folder);
    struct wire_writer w = wire_writer(size * 4 + 64), w2 = wire_writer(size * 4 + 64);
    rule_actions_put(&w, &form, &actions);
    if (wire_writer_ok(&w)) { // texts of one byte a letter may grow past a block's length
        struct wire_reader back = wire_reader(w.bytes->data, w.bytes->len);
        g_assert(rule_actions_read(&back, &form, arena, &again) == EC_OK);
        g_assert(wire_left(&back) == 0);
        rule_actions_put(&w2, &form, &again);
        g_assert(w2.bytes->len == w.bytes->len &&
                 memcmp(w2.bytes->data, w.bytes->data, w.bytes->len) == 0);
    }
    wire_writer_clear(&w);
    wire_writer_clear(&w2);
    return 0;
}
