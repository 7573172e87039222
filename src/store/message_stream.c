// Streams on large properties: a copy in memory, read and written at any place, put back on commit.
#include <string.h>

#include "base/text.h"
#include "mapi/props.h"
#include "store/message_object_internal.h"

#define STREAM_MAX (256 * 1024 * 1024)

struct message_stream {
    struct message *m;
    int attachment; // -1: the message itself
    proptag_t tag;
    bool is_writable, is_changed;
    GByteArray *bytes;
};

static struct attachment_value *attachment_of(struct message *m, int attachment) {
    return attachment >= 0 && (guint)attachment < m->value->attachments->len
               ? m->value->attachments->pdata[attachment]
               : NULL;
}

// An attachment's content stands beside its bag.
static bool is_content(const struct message_stream *s) {
    return s->attachment >= 0 && PROP_ID(s->tag) == PROP_ID(PidTagAttachDataBinary);
}

static enum ec load_content(struct mbox_tx *tx, struct message_stream *s) {
    struct attachment_value *a = attachment_of(s->m, s->attachment);
    g_autoptr(GBytes) bytes = NULL;
    if (a->data)
        bytes = g_bytes_ref(a->data);
    else if (a->external.len > 0)
        EC_TRY(external_read(tx, &a->external, false, &bytes));
    else
        return EC_NOT_FOUND;
    g_byte_array_append(s->bytes, g_bytes_get_data(bytes, NULL), (guint)g_bytes_get_size(bytes));
    return EC_OK;
}

static enum ec load_property(struct mbox_tx *tx, struct message_stream *s) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    if (s->attachment < 0) {
        EC_TRY(message_get_prop(tx, s->m, arena, s->tag, STREAM_MAX, &v));
    } else {
        const struct prop_value *stored = bag_get(attachment_of(s->m, s->attachment)->bag, s->tag);
        if (!stored || stored->is_external)
            return EC_NOT_FOUND;
        v = *stored;
    }
    if (PROP_TYPE(s->tag) == PT_UNICODE)
        text_to_utf16(v.str, strlen(v.str), s->bytes);
    else
        g_byte_array_append(s->bytes, v.bin.data, v.bin.len);
    return EC_OK;
}

enum ec message_stream_open(struct mbox_tx *tx, struct message *m, int attachment, uint32_t tag,
                            enum message_stream_mode mode, struct message_stream **out) {
    uint16_t type = PROP_TYPE(tag);
    if (type != PT_UNICODE && type != PT_BINARY && type != PT_OBJECT)
        return EC_NOT_SUPPORTED;
    if (attachment >= 0 && !attachment_of(m, attachment))
        return EC_NOT_FOUND;
    if (mode != STREAM_READ && attachment < 0 && message_is_computed(tag))
        return EC_ACCESS_DENIED;
    struct message_stream *s = g_new0(struct message_stream, 1);
    *s =
        (struct message_stream){m, attachment, tag, mode != STREAM_READ, false, g_byte_array_new()};
    enum ec ec = EC_OK;
    if (mode == STREAM_CREATE)
        s->is_changed = true;
    else
        ec = is_content(s) ? load_content(tx, s) : load_property(tx, s);
    if (ec == EC_OK)
        *out = s;
    else
        message_stream_free(s);
    return ec;
}

void message_stream_free(struct message_stream *s) {
    if (!s)
        return;
    g_byte_array_unref(s->bytes);
    g_free(s);
}

uint64_t message_stream_size(const struct message_stream *s) {
    return s->bytes->len;
}

enum ec message_stream_read(struct message_stream *s, uint64_t pos, void *buf, size_t len,
                            size_t *got_out) {
    uint64_t left = pos < s->bytes->len ? s->bytes->len - pos : 0;
    *got_out = MIN(left, len);
    if (*got_out)
        memcpy(buf, s->bytes->data + pos, *got_out);
    return EC_OK;
}

enum ec message_stream_set_size(struct message_stream *s, uint64_t size) {
    if (!s->is_writable)
        return EC_ACCESS_DENIED;
    if (size > STREAM_MAX)
        return EC_MESSAGE_TOO_BIG;
    guint old = s->bytes->len;
    g_byte_array_set_size(s->bytes, (guint)size);
    if (size > old)
        memset(s->bytes->data + old, 0, size - old);
    s->is_changed = true;
    return EC_OK;
}

enum ec message_stream_write(struct message_stream *s, uint64_t pos, const void *data, size_t len) {
    if (!s->is_writable)
        return EC_ACCESS_DENIED;
    if (pos > STREAM_MAX || len > STREAM_MAX - pos)
        return EC_MESSAGE_TOO_BIG;
    if (pos + len > s->bytes->len)
        EC_TRY(message_stream_set_size(s, pos + len));
    if (len)
        memcpy(s->bytes->data + pos, data, len);
    s->is_changed = true;
    return EC_OK;
}

enum ec message_stream_commit(struct message_stream *s) {
    ARENA_AUTO arena = arena_new();
    if (!s->is_writable)
        return EC_ACCESS_DENIED;
    if (!s->is_changed)
        return EC_OK;
    s->m->is_changed = true;
    if (is_content(s)) {
        struct attachment_value *a = attachment_of(s->m, s->attachment);
        g_clear_pointer(&a->data, g_bytes_unref);
        a->external = (struct prop_external){0};
        a->data = g_bytes_new(s->bytes->data, s->bytes->len);
        s->is_changed = false;
        return EC_OK;
    }
    struct prop_value v = prop_bytes(s->tag, s->bytes->data, s->bytes->len);
    if (PROP_TYPE(s->tag) == PT_UNICODE)
        v = prop_str(s->tag, text_from_utf16(arena, s->bytes->data, s->bytes->len));
    EC_TRY(s->attachment < 0 ? message_set_prop(s->m, &v)
                             : bag_set(attachment_of(s->m, s->attachment)->bag, &v));
    s->is_changed = false;
    return EC_OK;
}
