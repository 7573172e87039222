// Any bytes as calendar or contact data: the text is valid and no longer than what it is made of.
#include "formats/content_lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/uuencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    size_t len;
    const char *text = content_lines_text(arena, data, size, NULL, 1 << 20, &len);
    if (!g_utf8_validate(text, (gssize)len, NULL) || strlen(text) != len || len > 3 * size + 1)
        abort();
    // The other reader of lines in this folder.
    struct uuencoded u;
    for (size_t pos = 0; uuencoded_find(data, size, pos, &u); pos = u.pos + u.len)
        if (u.pos < pos || u.len == 0 || u.len > size - u.pos || u.name_pos + u.name_len > size)
            abort();
    return 0;
}
