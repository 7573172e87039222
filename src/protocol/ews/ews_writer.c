// Writing the answer: elements, text and base64 into one growing buffer with a maximum.
#include <string.h>

#include "protocol/ews/ews_internal.h"

struct ews_writer {
    GByteArray *out;
    uint64_t max;
    GPtrArray *open;  // names of open elements
    bool is_open_tag; // the innermost start tag has no '>' yet
    bool failed;
};

struct ews_writer *ews_writer_new(uint64_t max) {
    struct ews_writer *w = g_new0(struct ews_writer, 1);
    w->out = g_byte_array_new();
    w->open = g_ptr_array_new();
    w->max = MIN(max, (uint64_t)UINT32_MAX - 1);
    return w;
}

void ews_writer_free(struct ews_writer *w) {
    if (!w)
        return;
    g_byte_array_unref(w->out);
    g_ptr_array_unref(w->open);
    g_free(w);
}

bool ews_writer_ok(const struct ews_writer *w) {
    return !w->failed;
}

size_t ews_writer_len(const struct ews_writer *w) {
    return w->out->len;
}

GBytes *ews_writer_take(struct ews_writer *w) {
    GBytes *bytes = g_byte_array_free_to_bytes(w->out);
    w->out = g_byte_array_new();
    g_ptr_array_set_size(w->open, 0);
    w->is_open_tag = false;
    return bytes;
}

static void put(struct ews_writer *w, const char *s, size_t len) {
    if (w->failed || len > w->max - w->out->len) {
        w->failed = true;
        return;
    }
    g_byte_array_append(w->out, (const guint8 *)s, (guint)len);
}

static void put_str(struct ews_writer *w, const char *s) {
    put(w, s, strlen(s));
}

static void end_tag(struct ews_writer *w) {
    if (w->is_open_tag)
        put(w, ">", 1);
    w->is_open_tag = false;
}

// What stands for a byte; NULL: itself, "": nothing.
static const char *escape(unsigned char c, bool is_attribute) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return is_attribute ? "&quot;" : NULL;
    case '\r':
        return "&#xD;"; // a reader would make it a line feed
    case '\n':
        return is_attribute ? "&#xA;" : NULL;
    case '\t':
        return is_attribute ? "&#x9;" : NULL;
    default:
        return c < 0x20 ? "" : NULL;
    }
}

static void put_escaped(struct ews_writer *w, const char *s, size_t len, bool is_attribute) {
    size_t start = 0, i = 0;
    while (i < len) {
        unsigned char c = (unsigned char)s[i];
        const char *instead = NULL;
        size_t n = 1;
        if (c < 0x80) {
            instead = escape(c, is_attribute);
        } else {
            gunichar u = g_utf8_get_char_validated(s + i, (gssize)(len - i));
            bool is_known =
                u < 0xD800 || (u > 0xDFFF && u < 0xFFFE) || (u > 0xFFFF && u <= 0x10FFFF);
            if (is_known)
                n = (size_t)(g_utf8_next_char(s + i) - (s + i));
            else if (u == 0xFFFE || u == 0xFFFF)
                n = 3;
            instead = is_known ? NULL : "";
        }
        if (instead) {
            put(w, s + start, i - start);
            put_str(w, instead);
            start = i + n;
        }
        i += n;
    }
    put(w, s + start, len - start);
}

void ews_open(struct ews_writer *w, const char *name) {
    end_tag(w);
    put(w, "<", 1);
    put_str(w, name);
    g_ptr_array_add(w->open, (gpointer)name);
    w->is_open_tag = true;
}

void ews_attr(struct ews_writer *w, const char *name, const char *value) {
    g_return_if_fail(w->is_open_tag);
    put(w, " ", 1);
    put_str(w, name);
    put(w, "=\"", 2);
    put_escaped(w, value, strlen(value), true);
    put(w, "\"", 1);
}

void ews_attr_int(struct ews_writer *w, const char *name, int64_t value) {
    char text[24];
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, (gint64)value);
    ews_attr(w, name, text);
}

void ews_attr_bool(struct ews_writer *w, const char *name, bool value) {
    ews_attr(w, name, value ? "true" : "false");
}

void ews_close(struct ews_writer *w) {
    g_return_if_fail(w->open->len > 0);
    const char *name = w->open->pdata[w->open->len - 1];
    g_ptr_array_set_size(w->open, (gint)w->open->len - 1);
    if (w->is_open_tag) {
        put(w, "/>", 2);
        w->is_open_tag = false;
        return;
    }
    put(w, "</", 2);
    put_str(w, name);
    put(w, ">", 1);
}

void ews_put_text_len(struct ews_writer *w, const char *text, size_t len) {
    if (len == 0)
        return;
    end_tag(w);
    put_escaped(w, text, len, false);
}

void ews_put_text(struct ews_writer *w, const char *text) {
    ews_put_text_len(w, text, strlen(text));
}

void ews_put_base64(struct ews_writer *w, const void *data, size_t len) {
    const uint8_t *bytes = data;
    if (len == 0)
        return;
    end_tag(w);
    // By pieces, so that a large attachment is not held a third time.
    const size_t piece = 3 * 16384;
    char *text = g_malloc(piece / 3 * 4 + 8);
    for (size_t at = 0; at < len && !w->failed; at += piece) {
        gint state = 0, save = 0;
        gsize n =
            g_base64_encode_step(bytes + at, MIN(piece, len - at), FALSE, text, &state, &save);
        n += g_base64_encode_close(FALSE, text + n, &state, &save);
        put(w, text, n);
    }
    g_free(text);
}

void ews_put_raw(struct ews_writer *w, const char *xml, size_t len) {
    end_tag(w);
    put(w, xml, len);
}

void ews_element(struct ews_writer *w, const char *name, const char *text) {
    if (!text)
        return;
    ews_open(w, name);
    ews_put_text(w, text);
    ews_close(w);
}

void ews_element_int(struct ews_writer *w, const char *name, int64_t value) {
    char text[24];
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, (gint64)value);
    ews_element(w, name, text);
}

void ews_element_bool(struct ews_writer *w, const char *name, bool value) {
    ews_element(w, name, value ? "true" : "false");
}

void ews_element_base64(struct ews_writer *w, const char *name, const void *data, size_t len) {
    ews_open(w, name);
    ews_put_base64(w, data, len);
    ews_close(w);
}

void ews_element_empty(struct ews_writer *w, const char *name) {
    ews_open(w, name);
    ews_close(w);
}

struct ews_mark ews_mark(const struct ews_writer *w) {
    return (struct ews_mark){w->out->len, w->open->len, w->is_open_tag};
}

void ews_rewind(struct ews_writer *w, struct ews_mark mark) {
    g_return_if_fail(mark.len <= w->out->len && mark.depth <= w->open->len);
    g_byte_array_set_size(w->out, (guint)mark.len);
    g_ptr_array_set_size(w->open, (gint)mark.depth);
    w->is_open_tag = mark.is_open_tag;
    w->failed = false;
}

unsigned ews_writer_depth(const struct ews_writer *w) {
    return w->open->len;
}
