// Fuzzes restrictions: what reads must write, read again the same, and evaluate.
#include "mapi/restriction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct prop_value *get(void *ctx, proptag_t tag) {
    static struct prop_value values[] = {{.tag = 0x0037001F, .str = "Größe und report"},
                                         {.tag = 0x00170003, .l = 2},
                                         {.tag = 0x300B0102, .bin = {3, (const uint8_t *)"abc"}}};
    return &values[(tag >> 16) % 3];
}

static unsigned one(void *ctx, proptag_t tag) {
    return 1;
}

static struct restriction_source itself(void *ctx, proptag_t tag, unsigned i) {
    return (struct restriction_source){get, one, itself, NULL};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    ARENA_AUTO arena = arena_new();
    struct prop_wire form = {data[0] & 1 ? 4 : 2, 65001};
    struct wire_reader r = wire_reader(data + 1, size - 1);
    struct restriction *res;
    if (restriction_read(&r, &form, arena, &res) != EC_OK)
        return 0;
    struct restriction_source source = {get, one, itself, NULL};
    restriction_matches(res, &source);
    struct wire_writer w = wire_writer(size * 4 + 64);
    restriction_put(&w, &form, res);
    g_assert(wire_writer_ok(&w));
    struct wire_reader again = wire_reader(w.bytes->data, w.bytes->len);
    struct restriction *back;
    g_assert(restriction_read(&again, &form, arena, &back) == EC_OK && wire_left(&again) == 0);
    wire_writer_clear(&w);
    return 0;
}
