// Fuzz target: ids in every form; what is one survives being written in every form.
#include "protocol/ews/convert_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    ARENA_AUTO arena = arena_new();
    enum id_format from = (enum id_format)(data[0] % (ID_OWA + 1));
    const char *text = arena_strndup(arena, (const char *)data + 1, size - 1);
    struct ews_id id, again;
    struct guid replica = {0}, same = {0};
    if (id_read(arena, from, text, &id, &replica))
        return 0;
    for (unsigned to = ID_EWS_LEGACY; to <= ID_OWA; to++) {
        const char *out = id_write(arena, (enum id_format)to, &id, &replica);
        if (!out)
            continue;
        g_assert_null(id_read(arena, (enum id_format)to, out, &again, &same));
        g_assert_cmpuint(again.fid, ==, id.fid);
        g_assert_cmpuint(again.mid, ==, id.mid);
    }
    return 0;
}
