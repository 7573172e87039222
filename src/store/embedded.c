// A message/rfc822 attachment that is still MIME, opened as a message with its own contents.
#include <string.h>

#include "convert/convert.h"
#include "formats/mime.h"
#include "store/message_object_internal.h"

// What pointed into the part's bytes becomes values, since the bytes go away.
static enum ec inline_bag(const void *data, size_t len, struct bag *bag) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        if (!v->is_external)
            continue;
        ARENA_AUTO arena = arena_new();
        const struct prop_external *e = &v->external;
        if (e->pos > len || e->len > len - e->pos)
            return EC_CORRUPT_DATA;
        g_autoptr(GBytes) decoded =
            mime_decode((const uint8_t *)data + e->pos, e->len, e->encoding);
        size_t n;
        const char *bytes = g_bytes_get_data(decoded, &n);
        struct prop_value value = prop_bytes(v->tag, bytes, (uint32_t)n);
        if (PROP_TYPE(v->tag) == PT_UNICODE)
            value = prop_str(v->tag, mime_to_utf8(arena, bytes, n, e->charset, NULL));
        EC_TRY(bag_set(bag, &value));
    }
    return EC_OK;
}

static enum ec inline_attachment(const void *data, size_t len, struct attachment_value *a) {
    EC_TRY(inline_bag(data, len, a->bag));
    if (a->external.len == 0)
        return EC_OK;
    if (a->external.pos > len || a->external.len > len - a->external.pos)
        return EC_CORRUPT_DATA;
    a->data =
        mime_decode((const uint8_t *)data + a->external.pos, a->external.len, a->external.encoding);
    a->external = (struct prop_external){0};
    return EC_OK;
}

enum ec embedded_parse(GBytes *bytes, struct message_value **out) {
    ARENA_AUTO arena = arena_new();
    size_t len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct message_value *value;
    const struct mime_message *mime = mime_scan(arena, data ? data : "", len);
    EC_TRY(convert_embedded(mime, &value));
    enum ec ec = inline_bag(data, len, value->bag);
    for (guint i = 0; ec == EC_OK && i < value->attachments->len; i++)
        ec = inline_attachment(data, len, value->attachments->pdata[i]);
    if (ec == EC_OK)
        *out = value;
    else
        message_value_free(value);
    return ec;
}
