// Fuzzes the stored form of property bags: what decodes must encode and decode again, and a view
// must agree with the decoded bag.
#include <glib.h>
#include <string.h>

#include "mapi/bag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    bag_view_get(data, size, arena, 0x6011101F, &v);
    bag_view_get(data, size, arena, 0x60100000, &v);
    BAG_AUTO bag = NULL;
    if (bag_decode(data, size, &bag) != EC_OK)
        return 0;
    for (unsigned i = 0; i < bag_count(bag); i++) {
        g_assert(bag_view_get(data, size, arena, bag_at(bag, i)->tag, &v) == EC_OK);
        g_assert(prop_equal(&v, bag_at(bag, i)));
    }
    g_autoptr(GBytes) again = bag_encode(bag);
    BAG_AUTO back = NULL;
    g_assert(bag_decode(g_bytes_get_data(again, NULL), g_bytes_get_size(again), &back) == EC_OK);
    g_assert(bag_count(back) == bag_count(bag));
    return 0;
}
