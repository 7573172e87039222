// Any bytes as RTF: its text, and the HTML in it.
#include "formats/rtf_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t len) {
    if (!g_utf8_validate(text, (gssize)len, NULL) || strlen(text) != len)
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' && !strchr("\t\r\n", text[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    size_t n;
    rtf_source(data, size);
    const char *text = rtf_to_text(arena, data, size, "\n", 1 << 16, &n);
    check_text(text, n);
    const char *html = rtf_to_html(arena, data, size, 1 << 16, &n);
    check_text(html, n);
    return 0;
}
