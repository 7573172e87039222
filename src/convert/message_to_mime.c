// A MAPI message becomes an internet message: the entry points. Header fields are written in
// headers_out.c, the content in body_out.c and parts_out.c.
#include "convert/convert_internal.h"

static enum ec write_whole(struct writing *w) {
    GString *out = w->out;
    write_headers(w);
    EC_TRY(write_content(w));
    if (w->form != CONVERT_SUMMARY_TNEF && // whose bytes are counted
        (out->len < 2 || memcmp(out->str + out->len - 2, "\r\n", 2) != 0))
        g_string_append(out, "\r\n");
    return EC_OK;
}

enum ec write_message(const struct message_value *message, const struct convert_source *source,
                      bool with_bcc, unsigned depth, GString *out) {
    ARENA_AUTO arena = arena_new();
    struct writing w = {.arena = arena,
                        .message = message,
                        .source = source,
                        .out = out,
                        .with_bcc = with_bcc,
                        .depth = depth};
    return write_whole(&w);
}

enum ec convert_message_to_mime_as(const struct message_value *message,
                                   const struct convert_source *source, bool with_bcc,
                                   enum convert_form form, GBytes **out) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) text = g_string_new(NULL);
    struct writing w = {.arena = arena,
                        .message = message,
                        .source = source,
                        .out = text,
                        .with_bcc = with_bcc,
                        .form = form};
    EC_TRY(write_whole(&w));
    *out = g_string_free_to_bytes(g_steal_pointer(&text));
    return EC_OK;
}

// What is signed or encrypted is sent as it is.
static bool wants_tnef(const struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    return bag_bool(bag, PidLidUseTnef, false) && !(class && strstr(class, ".SMIME"));
}

enum ec convert_message_to_mime(const struct message_value *message,
                                const struct convert_source *source, bool with_bcc, GBytes **out) {
    enum convert_form form = wants_tnef(message->bag) ? CONVERT_WINMAIL : CONVERT_INTERNET;
    return convert_message_to_mime_as(message, source, with_bcc, form, out);
}
