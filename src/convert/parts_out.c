// Content parts: text in the encoding that fits it, attachments ([MS-OXCMAIL] 2.1.3.4). A part ends
// without a line end; what follows (a boundary, the message's end) puts it.
#include "convert/convert_internal.h"

#define MAX_PLAIN_LINE 900

struct text_shape {
    size_t high;    // octets that are not ASCII
    bool is_simple; // fit for 7bit: short lines, no NUL, no bare CR
};

static struct text_shape look_at(const uint8_t *p, size_t len) {
    struct text_shape shape = {.is_simple = true};
    size_t line = 0;
    for (size_t i = 0; i < len; i++) {
        line++;
        if (p[i] >= 0x80)
            shape.high++;
        else if (p[i] == '\n')
            line = 0;
        else if (p[i] == 0 || (p[i] == '\r' && (i + 1 == len || p[i + 1] != '\n')))
            shape.is_simple = false;
        if (line > MAX_PLAIN_LINE)
            shape.is_simple = false;
    }
    return shape;
}

// Appends with every line end as CRLF.
static void put_crlf(GString *out, const uint8_t *p, size_t len) {
    while (len > 0) {
        const uint8_t *lf = memchr(p, '\n', len);
        size_t n = lf ? (size_t)(lf - p) : len, used = lf ? n + 1 : n;
        if (lf && n > 0 && p[n - 1] == '\r')
            n--;
        g_string_append_len(out, (const char *)p, (gssize)n);
        if (lf)
            g_string_append(out, "\r\n");
        p += used;
        len -= used;
    }
}

static void put_base64(GString *out, const void *data, size_t len) {
    mime_put_base64(out, data, len);
    if (len > 0)
        g_string_truncate(out, out->len - 2);
}

static void put_encoding(struct writing *w, const char *encoding) {
    g_string_append_printf(w->out, "Content-Transfer-Encoding: %s\r\n", encoding);
}

void write_text_part(struct writing *w, const char *subtype, const char *charset, const void *data,
                     size_t len) {
    struct text_shape shape = look_at(data, len);
    g_string_append_printf(w->out, "Content-Type: text/%s", subtype);
    bool is_utf8 = g_ascii_strcasecmp(charset, "utf-8") == 0;
    mime_put_param(w->out, "charset", is_utf8 && shape.high == 0 ? "us-ascii" : charset);
    g_string_append(w->out, "\r\n");
    if (shape.high == 0 && shape.is_simple) {
        put_encoding(w, "7bit");
        g_string_append(w->out, "\r\n");
        put_crlf(w->out, data, len);
    } else if (shape.high > len / 6) {
        put_encoding(w, "base64");
        g_string_append(w->out, "\r\n");
        g_autoptr(GString) lines = g_string_sized_new(len);
        put_crlf(lines, data, len);
        put_base64(w->out, lines->str, lines->len);
    } else {
        put_encoding(w, "quoted-printable");
        g_string_append(w->out, "\r\n");
        mime_put_quoted_printable(w->out, data, len);
    }
}

// --- Attachments ---

static bool is_type_token(const char *s) {
    bool has_slash = false;
    if (!*s || *s == '/')
        return false;
    for (; *s; s++) {
        if (*s == '/' && !has_slash && s[1])
            has_slash = true;
        else if (!g_ascii_isalnum(*s) && !strchr("-+._!#$&^", *s))
            return false;
    }
    return has_slash;
}

static const char *attachment_type(const struct attachment_value *a, const char *name) {
    const char *type = bag_str(a->bag, PidTagAttachMimeTag);
    // A composite type would need parts in it.
    if (type && is_type_token(type) && g_ascii_strncasecmp(type, "multipart/", 10) != 0 &&
        g_ascii_strncasecmp(type, "message/rfc822", 14) != 0)
        return type;
    const char *dot = name ? strrchr(name, '.') : NULL;
    type = dot ? type_of_extension(dot + 1) : NULL;
    return type && g_ascii_strncasecmp(type, "message/", 8) != 0 ? type
                                                                 : "application/octet-stream";
}

static const char *attachment_name(const struct attachment_value *a) {
    static const proptag_t tags[] = {PidTagAttachLongFilename, PidTagAttachFilename,
                                     PidTagDisplayName};
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++) {
        const char *name = bag_str(a->bag, tags[i]);
        if (name && *name)
            return name;
    }
    return NULL;
}

static void put_date_param(struct writing *w, const char *name, filetime_t t) {
    if (!t)
        return;
    g_autoptr(GString) date = g_string_new(NULL);
    mime_put_date(date, "", filetime_to_unix(t), 0);
    if (date->len > 4) { // ": " and the line end
        g_autofree char *value = g_strndup(date->str + 2, date->len - 4);
        mime_put_param(w->out, name, value);
    }
}

static void put_disposition(struct writing *w, const struct attachment_value *a, const char *name,
                            bool is_inline) {
    g_string_append(w->out,
                    is_inline ? "Content-Disposition: inline" : "Content-Disposition: attachment");
    if (name)
        mime_put_param(w->out, "filename", name);
    put_date_param(w, "creation-date", bag_time(a->bag, PidTagCreationTime));
    put_date_param(w, "modification-date", bag_time(a->bag, PidTagLastModificationTime));
    g_string_append(w->out, "\r\n");
}

static void put_content_id(struct writing *w, const struct attachment_value *a) {
    const char *id = bag_str(a->bag, PidTagAttachContentId);
    if (id && *id)
        mime_put_raw_header(w->out, "Content-ID", arena_printf(w->arena, "<%s>", id));
    const char *location = bag_str(a->bag, PidTagAttachContentLocation);
    if (location && *location)
        mime_put_raw_header(w->out, "Content-Location", location);
    const char *base = bag_str(a->bag, PidTagAttachContentBase);
    if (base && *base)
        mime_put_raw_header(w->out, "Content-Base", base);
}

// The content by value; a NULL result: it has none.
static enum ec load_content(struct writing *w, const struct attachment_value *a, GBytes **out) {
    *out = NULL;
    if (a->data)
        *out = g_bytes_ref(a->data);
    else if (a->external.len > 0)
        return w->source ? w->source->read(w->source->ctx, &a->external, out) : EC_NOT_SUPPORTED;
    return EC_OK;
}

// A message inside: as it stands when its own bytes are kept, else written like any message. It
// must not be encoded ([RFC 2046] 5.2.1).
static enum ec write_embedded(struct writing *w, const struct attachment_value *a) {
    g_autoptr(GString) inner = g_string_new(NULL);
    if (a->embedded) {
        EC_TRY(write_message(a->embedded, w->source, true, w->depth + 1, inner));
    } else {
        g_autoptr(GBytes) bytes = NULL;
        EC_TRY(load_content(w, a, &bytes));
        gsize len = 0;
        const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
        put_crlf(inner, data, len);
    }
    struct text_shape shape = look_at((const uint8_t *)inner->str, inner->len);
    const char *name = bag_str(a->bag, PidTagAttachLongFilename);
    g_string_append(w->out, "Content-Type: message/rfc822\r\n");
    put_encoding(w, shape.high ? "8bit" : "7bit");
    put_disposition(w, a, name, false);
    put_content_id(w, a);
    g_string_append(w->out, "\r\n");
    g_string_append_len(w->out, inner->str, (gssize)inner->len);
    return EC_OK;
}

enum ec write_attachment(struct writing *w, const struct attachment_value *a, bool is_inline) {
    if (bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE) == ATTACH_EMBEDDED)
        return write_embedded(w, a);
    const char *name = attachment_name(a);
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(load_content(w, a, &bytes));
    g_string_append_printf(w->out, "Content-Type: %s", attachment_type(a, name));
    const char *charset = bag_str(a->bag, PidTagTextAttachmentCharset);
    if (charset && *charset)
        mime_put_param(w->out, "charset", charset);
    if (name)
        mime_put_param(w->out, "name", name);
    g_string_append(w->out, "\r\n");
    put_encoding(w, "base64");
    put_disposition(w, a, name, is_inline);
    put_content_id(w, a);
    g_string_append(w->out, "\r\n");
    gsize len = 0;
    const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
    put_base64(w->out, data, len);
    return EC_OK;
}
