// A MAPI message becomes an internet message: the entry points. Header fields are written in
// headers_out.c, the content in body_out.c and parts_out.c.
#include "convert/convert_internal.h"

enum ec write_message(const struct message_value *message, const struct convert_source *source,
                      bool with_bcc, unsigned depth, GString *out) {
    ARENA_AUTO arena = arena_new();
    struct writing w = {.arena = arena,
                        .message = message,
                        .source = source,
                        .out = out,
                        .with_bcc = with_bcc,
                        .depth = depth};
    write_headers(&w);
    EC_TRY(write_content(&w));
    if (out->len < 2 || memcmp(out->str + out->len - 2, "\r\n", 2) != 0)
        g_string_append(out, "\r\n");
    return EC_OK;
}

enum ec convert_message_to_mime(const struct message_value *message,
                                const struct convert_source *source, bool with_bcc, GBytes **out) {
    g_autoptr(GString) text = g_string_new(NULL);
    EC_TRY(write_message(message, source, with_bcc, 0, text));
    *out = g_string_free_to_bytes(g_steal_pointer(&text));
    return EC_OK;
}
