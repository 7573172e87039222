// Any bytes as HTML: text for both purposes, RTF made of it, and the HTML found in that again.
#include "formats/html_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "formats/rtf_text.h"
#include "formats/rtf_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok)
        abort();
}

static void check_text(const char *text, size_t len) {
    require(g_utf8_validate(text, (gssize)len, NULL) && strlen(text) == len);
    for (size_t i = 0; i < len; i++)
        require((unsigned char)text[i] >= ' ' || strchr("\t\r\n", text[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    size_t len, n;
    for (int purpose = HTML_TEXT_WORDS; purpose <= HTML_TEXT_BODY; purpose++) {
        const char *text = html_to_text(arena, data, size, NULL, purpose, 1 << 16, &n);
        check_text(text, n);
    }
    const char *html = html_to_utf8(arena, data, size, NULL, &len);
    g_autoptr(GBytes) rtf = rtf_from_html(html, len);
    const void *rtf_data = g_bytes_get_data(rtf, NULL);
    size_t rtf_len = g_bytes_get_size(rtf);
    require(rtf_source(rtf_data, rtf_len) == RTF_FROM_HTML);
    const char *back = rtf_to_html(arena, rtf_data, rtf_len, 1 << 22, &n);
    check_text(back, n);
    // Line ends become CRLF and control characters are lost; all else comes back.
    for (const char *a = html, *b = back; *a || *b;) {
        bool is_control = (unsigned char)*a < ' ' || *a == 0x7F ||
                          ((unsigned char)*a == 0xC2 && (unsigned char)a[1] < 0xA0);
        if (*a && is_control && *a != '\t')
            a += (unsigned char)*a == 0xC2 ? 2 : 1;
        else if (*b == '\r' || *b == '\n')
            b++;
        else
            require(*a++ == *b++);
    }
    return 0;
}
