// Messages in the FastTransfer stream ([MS-OXCFXICS] 2.2.4.3.12, 2.2.4.3.16): properties,
// recipients, attachments, messages in attachments; and a message alone as bytes.
#include "base/text.h"
#include "convert/fasttransfer.h"
#include "mapi/props.h"

#define FIRST_NONTRANSMITTABLE 0x6600 // 3.2.5.11, 3.2.5.12
#define LAST_NONTRANSMITTABLE 0x67FF

// Written by their own place in the stream.
static bool has_own_place(proptag_t tag) {
    return PROP_ID(tag) == PROP_ID(PidTagRowid) || PROP_ID(tag) == PROP_ID(PidTagAttachNumber) ||
           PROP_ID(tag) == PROP_ID(PidTagMessageRecipients) ||
           PROP_ID(tag) == PROP_ID(PidTagMessageAttachments);
}

static bool find_name(const struct message_value *m, const struct ft_source *source, uint16_t id,
                      struct prop_name *out) {
    if (named_fixed_name(id, out))
        return true;
    if (source && source->name)
        return source->name(source->ctx, id, out);
    return m && message_value_name(m, id, out);
}

static enum ec put_external(struct ft_writer *w, const struct prop_value *v,
                            const struct prop_name *name, const struct ft_source *source) {
    g_autoptr(GBytes) bytes = NULL;
    struct prop_value whole = {.tag = v->tag};
    struct prop_external external = v->external;
    bool is_text = PROP_TYPE(v->tag) == PT_UNICODE;
    if (!source || !source->content)
        return EC_OK;
    if (!is_text)
        external.charset = NULL; // HTML is bytes in the charset it came in
    EC_TRY(source->content->read(source->content->ctx, &external, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    if (is_text) {
        ARENA_AUTO arena = arena_new();
        whole.str = text_clean(arena, data ? data : "", len, NULL);
        ft_put_value(w, &whole, name);
    } else {
        whole.bin = (struct prop_bin){(uint32_t)len, (const uint8_t *)data};
        ft_put_value(w, &whole, name);
    }
    return EC_OK;
}

static enum ec put_property(struct ft_writer *w, const struct message_value *m,
                            const struct prop_value *v, const struct ft_source *source) {
    struct prop_name name;
    const struct prop_name *named = NULL;
    if (PROP_IS_NAMED(v->tag)) {
        if (!find_name(m, source, PROP_ID(v->tag), &name) || name.kind == PROP_NAME_NONE)
            return EC_OK;
        named = &name;
    }
    if (v->is_external)
        return put_external(w, v, named, source);
    ft_put_value(w, v, named);
    return EC_OK;
}

enum ec ft_put_bag(struct ft_writer *w, const struct message_value *m, const struct bag *bag,
                   const struct ft_source *source, bool is_filtered) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        if (has_own_place(v->tag) ||
            (PROP_ID(v->tag) >= FIRST_NONTRANSMITTABLE && PROP_ID(v->tag) <= LAST_NONTRANSMITTABLE))
            continue;
        if (is_filtered && source && source->wants && !source->wants(source->ctx, v->tag))
            continue;
        EC_TRY(put_property(w, m, v, source));
    }
    return EC_OK;
}

enum ec ft_put_recipients(struct ft_writer *w, const struct message_value *m,
                          const struct ft_source *source) {
    for (guint i = 0; i < m->recipients->len; i++) {
        const struct bag *bag = m->recipients->pdata[i];
        ft_put_marker(w, FT_START_RECIPIENT);
        ft_put_long(w, PidTagRowid, bag_long(bag, PidTagRowid, (int32_t)i));
        EC_TRY(ft_put_bag(w, m, bag, source, false));
        ft_put_marker(w, FT_END_RECIPIENT);
    }
    return EC_OK;
}

static enum ec put_message(struct ft_writer *w, const struct message_value *m,
                           const struct ft_source *source, bool is_filtered, unsigned depth);

static enum ec put_attachment(struct ft_writer *w, const struct message_value *m,
                              const struct attachment_value *a, const struct ft_source *source,
                              bool is_filtered, unsigned depth) {
    EC_TRY(ft_put_bag(w, m, a->bag, source, is_filtered));
    bool is_wanted = !is_filtered || !source || !source->wants ||
                     source->wants(source->ctx, PidTagAttachDataObject);
    if (!is_wanted)
        return EC_OK;
    if (a->embedded) {
        ft_put_marker(w, FT_START_EMBED);
        EC_TRY(put_message(w, a->embedded, source, false, depth + 1));
        ft_put_marker(w, FT_END_EMBED);
        return EC_OK;
    }
    if (bag_long(a->bag, PidTagAttachMethod, 0) == 5)
        return EC_OK; // an external one that was not opened
    struct prop_value content = {.tag = PidTagAttachDataBinary};
    if (a->external.len > 0) {
        content.is_external = true;
        content.external = a->external;
        return put_property(w, m, &content, source);
    }
    if (a->data) {
        gsize len;
        content.bin.data = g_bytes_get_data(a->data, &len);
        content.bin.len = (uint32_t)len;
        ft_put_value(w, &content, NULL);
    }
    return EC_OK;
}

enum ec ft_put_attachment(struct ft_writer *w, const struct message_value *m,
                          const struct attachment_value *a, const struct ft_source *source,
                          bool is_filtered) {
    return put_attachment(w, m, a, source, is_filtered, 0);
}

static enum ec put_attachments(struct ft_writer *w, const struct message_value *m,
                               const struct ft_source *source, unsigned depth) {
    for (guint i = 0; i < m->attachments->len; i++) {
        ft_put_marker(w, FT_NEW_ATTACHMENT);
        ft_put_long(w, PidTagAttachNumber, (int32_t)i);
        EC_TRY(put_attachment(w, m, m->attachments->pdata[i], source, false, depth));
        ft_put_marker(w, FT_END_ATTACHMENT);
    }
    return EC_OK;
}

enum ec ft_put_attachments(struct ft_writer *w, const struct message_value *m,
                           const struct ft_source *source) {
    return put_attachments(w, m, source, 0);
}

static enum ec put_message(struct ft_writer *w, const struct message_value *m,
                           const struct ft_source *source, bool is_filtered, unsigned depth) {
    if (depth > FT_DEPTH_MAX)
        return EC_TOO_COMPLEX;
    EC_TRY(ft_put_bag(w, m, m->bag, source, is_filtered));
    EC_TRY(ft_put_recipients(w, m, source));
    return put_attachments(w, m, source, depth);
}

enum ec ft_put_message(struct ft_writer *w, const struct message_value *m,
                       const struct ft_source *source) {
    return put_message(w, m, source, true, 0);
}

// --- A message alone ---

enum ec ft_message_encode(const struct message_value *m, const struct ft_source *source,
                          GBytes **out) {
    struct ft_writer *w = ft_writer_new(FT_STRINGS_UNICODE, 0);
    enum ec ec = ft_put_message(w, m, source);
    if (ec == EC_OK) {
        GByteArray *bytes = g_byte_array_new();
        ft_take(w, ft_pending(w), bytes);
        *out = g_byte_array_free_to_bytes(bytes);
    }
    ft_writer_free(w);
    return ec;
}

static uint16_t local_id(void *ctx, struct message_value *m, const struct prop_name *name) {
    uint16_t fixed = named_fixed_id(name);
    return fixed ? fixed : message_value_local_name(m ? m : ctx, name);
}

static enum ec take_prop(void *ctx, const struct prop_value *v) {
    struct message_value *m = ctx;
    return bag_set(m->bag, v);
}

static enum ec take_recipient(void *ctx, struct bag *take) {
    struct message_value *m = ctx;
    g_ptr_array_add(m->recipients, take);
    return EC_OK;
}

static enum ec take_attachment(void *ctx, struct attachment_value *take) {
    struct message_value *m = ctx;
    g_ptr_array_add(m->attachments, take);
    return EC_OK;
}

enum ec ft_message_decode(const void *data, size_t len, struct message_value **out) {
    struct message_value *m = message_value_new();
    struct ft_sink sink = {.id = local_id,
                           .prop = take_prop,
                           .recipient = take_recipient,
                           .attachment = take_attachment,
                           .ctx = m};
    m->names_are_local = true;
    struct ft_parser *p = ft_parser_new(FT_ROOT_MESSAGE, 0, &sink);
    enum ec ec = ft_parser_put(p, data, len);
    if (ec == EC_OK && !ft_parser_is_complete(p))
        ec = EC_FORMAT_ERROR;
    ft_parser_free(p);
    if (ec == EC_OK)
        *out = m;
    else
        message_value_free(m);
    return ec;
}
