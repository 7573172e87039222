// Any bytes as a message, made into MAPI values, checked, written out again and read once more.
#include <stdlib.h>

#include "convert/convert_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok)
        abort();
}

static enum ec read_original(void *ctx, const struct prop_external *e, GBytes **out) {
    const struct mime_message *mime = ctx;
    require(e->blob == 0 && e->pos <= mime->len && e->len <= mime->len - e->pos);
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

// Strings are valid UTF-8, and the bag survives being stored.
static void check_bag(const struct bag *bag) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        if (!v->is_external && PROP_TYPE(v->tag) == PT_UNICODE)
            require(g_utf8_validate(v->str, -1, NULL));
    }
    g_autoptr(GBytes) bytes = bag_encode(bag);
    struct bag *back = NULL;
    require(bag_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back) == EC_OK);
    require(bag_count(back) == bag_count(bag));
    bag_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *mime = mime_scan(arena, data, size);
    struct message_value *m = NULL, *again = NULL;
    require(convert_mime_to_message(mime, &m) == EC_OK);
    check_bag(m->bag);
    for (guint i = 0; i < m->recipients->len; i++)
        check_bag(m->recipients->pdata[i]);
    for (guint i = 0; i < m->attachments->len; i++)
        check_bag(((struct attachment_value *)m->attachments->pdata[i])->bag);
    struct convert_source source = {read_original, mime};
    GBytes *out = NULL;
    require(convert_message_to_mime(m, &source, true, &out) == EC_OK);
    struct mime_message *second =
        mime_scan(arena, g_bytes_get_data(out, NULL), g_bytes_get_size(out));
    require(convert_mime_to_message(second, &again) == EC_OK);
    message_value_free(m);
    message_value_free(again);
    g_bytes_unref(out);
    return 0;
}
