// Copies of messages with their external contents read.
#include "convert/loaded.h"

#include "base/text.h"
#include "convert/convert_internal.h"

// --- The bytes of an internet message as a source ---

static enum ec read_range(void *ctx, const struct prop_external *e, GBytes **out) {
    const struct mime_message *mime = ctx;
    if (e->blob != 0 || e->pos > mime->len || e->len > mime->len - e->pos)
        return EC_CORRUPT_DATA;
    GBytes *bytes = mime_decode(mime->data + e->pos, e->len, e->encoding);
    if (e->charset) {
        ARENA_AUTO arena = arena_new();
        gsize len;
        size_t n;
        const void *data = g_bytes_get_data(bytes, &len);
        const char *text = mime_to_utf8(arena, data ? data : "", len, e->charset, &n);
        g_bytes_unref(bytes);
        bytes = g_bytes_new(text, n);
    }
    *out = bytes;
    return EC_OK;
}

struct convert_source convert_mime_source(const struct mime_message *mime) {
    return (struct convert_source){.read = read_range, .ctx = (void *)mime};
}

// --- Copies ---

static enum ec load(const struct message_value *message, const struct convert_source *source,
                    unsigned depth, struct message_value **out);

static enum ec read_external(const struct convert_source *source, const struct prop_external *e,
                             GBytes **out) {
    return source ? source->read(source->ctx, e, out) : EC_NOT_SUPPORTED;
}

static enum ec load_prop(const struct prop_value *v, const struct convert_source *source,
                         struct bag *to) {
    if (!v->is_external)
        return bag_set(to, v);
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(read_external(source, &v->external, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    struct prop_value loaded = {.tag = v->tag};
    if (len > BAG_MAX_BYTES)
        return EC_MESSAGE_TOO_BIG;
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        loaded.str = text_clean(arena, data ? data : "", len, NULL);
    else
        loaded.bin = (struct prop_bin){(uint32_t)len, (const uint8_t *)data};
    return bag_set(to, &loaded);
}

static enum ec load_bag(const struct bag *from, const struct convert_source *source,
                        struct bag *to) {
    for (unsigned i = 0; i < bag_count(from); i++)
        EC_TRY(load_prop(bag_at(from, i), source, to));
    return EC_OK;
}

// The message in the bytes of an internet message.
static enum ec take_apart(GBytes *bytes, unsigned depth, struct message_value **out) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct mime_message *mime = mime_scan(arena, data ? data : "", len);
    struct message_value *inner;
    EC_TRY(convert_embedded(mime, &inner));
    struct convert_source source = convert_mime_source(mime);
    enum ec ec = load(inner, &source, depth, out);
    message_value_free(inner);
    return ec;
}

static enum ec load_attachment(const struct attachment_value *a,
                               const struct convert_source *source, unsigned depth,
                               struct attachment_value *to) {
    bool is_message = bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE) == ATTACH_EMBEDDED;
    EC_TRY(load_bag(a->bag, source, to->bag));
    if (a->embedded)
        return depth < CONVERT_MAX_EMBEDDED ? load(a->embedded, source, depth + 1, &to->embedded)
                                            : EC_OK;
    if (a->data)
        to->data = g_bytes_ref(a->data);
    else if (a->external.len > 0)
        EC_TRY(read_external(source, &a->external, &to->data));
    if (!is_message || !to->data || depth >= CONVERT_MAX_EMBEDDED)
        return EC_OK;
    EC_TRY(take_apart(to->data, depth + 1, &to->embedded));
    g_clear_pointer(&to->data, g_bytes_unref);
    return EC_OK;
}

static enum ec load_parts(const struct message_value *message, const struct convert_source *source,
                          unsigned depth, struct message_value *to) {
    EC_TRY(load_bag(message->bag, source, to->bag));
    for (guint i = 0; message->names && i < message->names->len; i++) {
        const struct value_name *n = message->names->pdata[i];
        message_value_note_name(to, n->id, &n->name);
    }
    to->names_are_local = message->names_are_local;
    for (guint i = 0; i < message->recipients->len; i++) {
        struct bag *bag = bag_new();
        g_ptr_array_add(to->recipients, bag);
        EC_TRY(load_bag(message->recipients->pdata[i], source, bag));
    }
    for (guint i = 0; i < message->attachments->len; i++) {
        struct attachment_value *a = attachment_value_new();
        g_ptr_array_add(to->attachments, a);
        EC_TRY(load_attachment(message->attachments->pdata[i], source, depth, a));
    }
    return EC_OK;
}

static enum ec load(const struct message_value *message, const struct convert_source *source,
                    unsigned depth, struct message_value **out) {
    struct message_value *to = message_value_new();
    enum ec ec = load_parts(message, source, depth, to);
    if (ec == EC_OK)
        *out = to;
    else
        message_value_free(to);
    return ec;
}

enum ec convert_load(const struct message_value *message, const struct convert_source *source,
                     struct message_value **out) {
    return load(message, source, 0, out);
}
