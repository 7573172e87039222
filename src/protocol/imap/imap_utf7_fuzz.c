// Names that are accepted come back the same; any text survives encoding.
#include "protocol/imap/imap_utf7.h"

#include <string.h>

#include "base/text.h"
#include "protocol/imap/list_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    const char *name = arena_strndup(arena, (const char *)data, size);
    const char *text = imap_utf7_decode(arena, name);
    if (text && strcmp(imap_utf7_encode(arena, text), name) != 0)
        g_error("%s was accepted but is not how %s is written", name, text);
    text = text_clean(arena, (const char *)data, size, NULL);
    const char *back = imap_utf7_decode(arena, imap_utf7_encode(arena, text));
    if (g_strcmp0(back, text) != 0)
        g_error("%s does not survive", text);
    imap_list_match(name, text);
    return 0;
}
