// Manifests as an attacker, or a bad disk, could write them. The checksum is made right first, or
// nothing but it would be tested.
#include <string.h>

#include "store/backup_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct backup_manifest m;
    g_autoptr(GString) text = g_string_new_len((const char *)data, (gssize)size);
    backup_manifest_parse(text->str, text->len, arena, &m);
    struct backup_hash sum;
    backup_hash_of(text->str, text->len, &sum);
    g_autofree char *hash = backup_hash_text(&sum);
    g_string_append_printf(text, "end\t%s\n", hash);
    if (backup_manifest_parse(text->str, text->len, arena, &m) != EC_OK)
        return 0;
    // What was understood is written the same.
    g_autoptr(GString) again = backup_manifest_format(&m);
    struct backup_manifest second;
    enum ec ec = backup_manifest_parse(again->str, again->len, arena, &second);
    g_assert(ec == EC_OK && second.n_files == m.n_files && strcmp(second.id, m.id) == 0);
    return 0;
}
