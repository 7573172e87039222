// Fuzzes entry ids and server ids: what reads must write and read again equal.
#include "mapi/entry_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct prop_bin bytes = {(uint32_t)size, data};
    struct entry_id id, back;
    struct server_id server, server_back;
    if (server_id_parse(bytes, &server))
        g_assert(server_id_parse(server_id_bytes(arena, &server), &server_back));
    entry_id_equal(bytes, bytes);
    if (entry_id_parse(arena, bytes, &id) != EC_OK || id.kind == ENTRY_ID_UNKNOWN)
        return 0;
    struct prop_bin again = entry_id_bytes(arena, &id);
    if (again.len <= ENTRY_ID_MAX) { // invalid characters may have grown
        g_assert(entry_id_parse(arena, again, &back) == EC_OK);
        g_assert(back.kind == id.kind);
        g_assert(entry_id_equal(again, again));
    }
    return 0;
}
