// Any bytes as a message: its words are valid text within the limits.
#include "convert/message_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ec read_original(void *ctx, const struct prop_external *e, GBytes **out) {
    const struct mime_message *mime = ctx;
    if (e->pos > mime->len || e->len > mime->len - e->pos)
        abort();
    *out = mime_decode(mime->data + e->pos, e->len, e->encoding);
    if (e->charset) {
        ARENA_AUTO arena = arena_new();
        size_t len;
        const char *text = mime_to_utf8(arena, g_bytes_get_data(*out, NULL), g_bytes_get_size(*out),
                                        e->charset, &len);
        g_bytes_unref(*out);
        *out = g_bytes_new(text, len);
    }
    return EC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *mime = mime_scan(arena, data, size);
    struct convert_source source = {read_original, mime};
    struct message_value *m;
    struct message_text text;
    if (convert_mime_to_message(mime, &m) != EC_OK ||
        message_text(m, &source, NULL, arena, &text) != EC_OK)
        abort();
    for (int i = 0; i < TEXT_PARTS; i++) {
        size_t len = strlen(text.parts[i]);
        if (len > TEXT_PART_MAX + 1 || !g_utf8_validate(text.parts[i], (gssize)len, NULL))
            abort();
        for (size_t k = 0; k < len; k++)
            if ((unsigned char)text.parts[i][k] < ' ' && !strchr("\t\n", text.parts[i][k]))
                abort();
    }
    message_value_free(m);
    return 0;
}
