// Fuzzes property values: the first byte chooses the form; what reads must write and read again.
#include "mapi/named.h"
#include "mapi/prop_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    ARENA_AUTO arena = arena_new();
    struct prop_wire form = {data[0] & 1 ? 4 : 2, data[0] & 2 ? 932 : 65001};
    struct wire_reader r = wire_reader(data + 1, size - 1);
    if (data[0] & 4) {
        prop_name_read(&r, arena);
        prop_wire_flagged(&r, &form, arena, 0x30010000);
        prop_wire_flagged(&r, &form, arena, 0x3001001F);
    }
    while (wire_left(&r)) {
        struct prop_value v = prop_wire_tagged(&r, &form, arena);
        if (!wire_ok(&r))
            break;
        struct wire_writer w = wire_writer(size * 4 + 64);
        prop_wire_put_tagged(&w, &form, &v);
        g_assert(wire_writer_ok(&w));
        struct wire_reader again = wire_reader(w.bytes->data, w.bytes->len);
        struct prop_value back = prop_wire_tagged(&again, &form, arena);
        g_assert(wire_ok(&again) && wire_left(&again) == 0);
        g_assert(prop_equal(&v, &back));
        wire_writer_clear(&w);
    }
    return 0;
}
