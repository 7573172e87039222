// Fuzzes IDSETs and predecessor change lists: what reads must write and read again the same.
#include "mapi/idset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pcl(struct prop_bin bytes) {
    ARENA_AUTO arena = arena_new();
    struct pcl pcl, back;
    if (pcl_parse(arena, bytes, &pcl) != EC_OK)
        return;
    g_assert(pcl_parse(arena, pcl_bytes(arena, &pcl), &back) == EC_OK);
    g_assert(pcl_compare(&pcl, &back) == PCL_EQUAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct prop_bin bytes = {(uint32_t)size - 1, data + 1};
    if (data[0] & 2) {
        check_pcl(bytes);
        return 0;
    }
    enum idset_form form = data[0] & 1 ? IDSET_REPLID : IDSET_REPLGUID;
    struct idset *set, *back;
    if (idset_parse(bytes, form, &set) != EC_OK)
        return 0;
    struct wire_writer w = wire_writer(size * 64 + 1000), again = wire_writer(size * 64 + 1000);
    idset_put(&w, form, set);
    g_assert(wire_writer_ok(&w));
    g_assert(idset_parse((struct prop_bin){w.bytes->len, w.bytes->data}, form, &back) == EC_OK);
    idset_put(&again, form, back);
    g_assert(w.bytes->len == again.bytes->len);
    idset_free(set);
    idset_free(back);
    wire_writer_clear(&w);
    wire_writer_clear(&again);
    return 0;
}
