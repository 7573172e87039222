// The content of a message: mixed(related(alternative(text, html), inline...), attachments...), of
// which only the layers that are needed are written ([MS-OXCMAIL] 2.1.3).
#include "convert/body.h"
#include "convert/convert_internal.h"
#include "convert/item_text.h"

struct content {
    GBytes *text, *html; // NULL: none
    const char *html_charset;
    const struct attachment_value **inlines, **attachments;
    unsigned n_inlines, n_attachments;
};

static void content_clear(struct content *c) {
    g_clear_pointer(&c->text, g_bytes_unref);
    g_clear_pointer(&c->html, g_bytes_unref);
}

// A body that is computed from another; NULL when there is none, or none that can be read.
static enum ec compute(struct writing *w, proptag_t tag, GBytes **out) {
    struct prop_value v;
    enum ec ec = body_get(w->message->bag, w->source, w->arena, tag, &v);
    if (ec == EC_OK && PROP_TYPE(v.tag) == PT_UNICODE)
        *out = g_bytes_new_static(v.str, strlen(v.str)); // lives in the arena
    return ec == EC_NOT_FOUND || ec == EC_CORRUPT_DATA || ec == EC_MESSAGE_TOO_BIG ? EC_OK : ec;
}

// A string or binary property's bytes, wherever they are; NULL when it is not set.
static enum ec load(struct writing *w, proptag_t tag, GBytes **out) {
    const struct prop_value *v = bag_get(w->message->bag, tag);
    *out = NULL;
    if (!v)
        return EC_OK;
    if (v->is_external)
        return w->source ? w->source->read(w->source->ctx, &v->external, out) : EC_NOT_SUPPORTED;
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        *out = g_bytes_new_static(v->str, strlen(v->str));
    else if (PROP_TYPE(v->tag) == PT_BINARY)
        *out = g_bytes_new_static(v->bin.data, v->bin.len);
    return EC_OK;
}

static enum ec load_bodies(struct writing *w, struct content *c) {
    const struct bag *bag = w->message->bag;
    EC_TRY(load(w, PidTagBody, &c->text));
    EC_TRY(load(w, PROP_TAG(PROP_ID(PidTagHtml), PT_UNSPECIFIED), &c->html));
    // RTF is written as HTML; HTML has plain text beside it for readers without HTML.
    if (!c->html && body_native(bag) == BODY_RTF)
        EC_TRY(compute(w, PidTagBodyHtml, &c->html));
    if (!c->html)
        return EC_OK;
    if (!c->text)
        EC_TRY(compute(w, PidTagBody, &c->text));
    const char *charset =
        bag_get(bag, PidTagHtml)
            ? charset_of_codepage((unsigned)bag_long(bag, PidTagInternetCodepage, 0))
            : "utf-8"; // PidTagBodyHtml is a string
    gsize len;
    const char *html = g_bytes_get_data(c->html, &len);
    bool is_utf8 = g_utf8_validate_len(html, len, NULL);
    // A code page that the bytes show to be wrong.
    if (!charset ||
        (!is_utf8 && (strcmp(charset, "utf-8") == 0 || strcmp(charset, "us-ascii") == 0)))
        charset = is_utf8 ? "utf-8" : "windows-1252";
    c->html_charset = charset;
    return EC_OK;
}

// What is no mail says in its text what it is.
static void add_item_text(struct writing *w, struct content *c) {
    GString *text = item_text(w->message->bag);
    if (!text)
        return;
    if (c->html) {
        GBytes *html = item_text_into_html(text, c->html);
        g_bytes_unref(c->html);
        c->html = html;
    }
    gsize len = 0;
    const char *body = c->text ? g_bytes_get_data(c->text, &len) : NULL;
    if (len) {
        g_string_append(text, "\r\n");
        g_string_append_len(text, body, (gssize)len);
    }
    g_clear_pointer(&c->text, g_bytes_unref);
    c->text = g_string_free_to_bytes(text);
}

static bool is_writable(const struct writing *w, const struct attachment_value *a) {
    int method = bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    if (method == ATTACH_EMBEDDED)
        return a->embedded ? w->depth + 1 < CONVERT_MAX_EMBEDDED : a->data || a->external.len > 0;
    return method == ATTACH_BY_VALUE || (method == ATTACH_OLE && (a->data || a->external.len > 0));
}

static bool is_inline(const struct attachment_value *a) {
    const char *id = bag_str(a->bag, PidTagAttachContentId);
    const char *location = bag_str(a->bag, PidTagAttachContentLocation);
    return bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE) == ATTACH_BY_VALUE &&
           (bag_long(a->bag, PidTagAttachFlags, 0) & ATTACH_FLAG_RENDERED) &&
           ((id && *id) || (location && *location));
}

static void sort_attachments(struct writing *w, struct content *c) {
    guint n = w->message->attachments->len;
    c->inlines = arena_alloc(w->arena, n * sizeof *c->inlines);
    c->attachments = arena_alloc(w->arena, n * sizeof *c->attachments);
    for (guint i = 0; i < n; i++) {
        const struct attachment_value *a = w->message->attachments->pdata[i];
        if (!is_writable(w, a))
            continue;
        if (c->html && is_inline(a))
            c->inlines[c->n_inlines++] = a;
        else
            c->attachments[c->n_attachments++] = a;
    }
}

// --- The layers ---

static const char *open_multipart(struct writing *w, const char *subtype, const char *type) {
    const char *boundary = mime_new_boundary(w->arena);
    g_string_append_printf(w->out, "Content-Type: multipart/%s", subtype);
    if (type)
        mime_put_param(w->out, "type", type);
    mime_put_param(w->out, "boundary", boundary);
    g_string_append_printf(w->out, "\r\n\r\n--%s\r\n", boundary);
    return boundary;
}

static void next_part(struct writing *w, const char *boundary) {
    g_string_append_printf(w->out, "\r\n--%s\r\n", boundary);
}

static void close_multipart(struct writing *w, const char *boundary) {
    g_string_append_printf(w->out, "\r\n--%s--", boundary);
}

static void write_text(struct writing *w, const struct content *c) {
    gsize len = 0;
    const void *data = c->text ? g_bytes_get_data(c->text, &len) : "";
    write_text_part(w, "plain", "utf-8", data ? data : "", len);
}

static void write_html(struct writing *w, const struct content *c) {
    gsize len;
    const void *data = g_bytes_get_data(c->html, &len);
    write_text_part(w, "html", c->html_charset, data ? data : "", len);
}

static void write_alternative(struct writing *w, const struct content *c) {
    if (!c->html) {
        write_text(w, c);
    } else if (!c->text) {
        write_html(w, c);
    } else {
        const char *boundary = open_multipart(w, "alternative", NULL);
        write_text(w, c);
        next_part(w, boundary);
        write_html(w, c);
        close_multipart(w, boundary);
    }
}

static enum ec write_related(struct writing *w, const struct content *c) {
    if (c->n_inlines == 0) {
        write_alternative(w, c);
        return EC_OK;
    }
    const char *boundary =
        open_multipart(w, "related", c->text ? "multipart/alternative" : "text/html");
    write_alternative(w, c);
    for (unsigned i = 0; i < c->n_inlines; i++) {
        next_part(w, boundary);
        EC_TRY(write_attachment(w, c->inlines[i], true));
    }
    close_multipart(w, boundary);
    return EC_OK;
}

static enum ec write_mixed(struct writing *w, const struct content *c) {
    if (c->n_attachments == 0)
        return write_related(w, c);
    const char *boundary = open_multipart(w, "mixed", NULL);
    EC_TRY(write_related(w, c));
    for (unsigned i = 0; i < c->n_attachments; i++) {
        next_part(w, boundary);
        EC_TRY(write_attachment(w, c->attachments[i], false));
    }
    close_multipart(w, boundary);
    return EC_OK;
}

// --- S/MIME ([MS-OXOSMIME] 2.1) ---

// The one attachment of a signed or encrypted message, which is its content; NULL: it is none.
static const struct attachment_value *smime_content(const struct writing *w) {
    const char *class = bag_str(w->message->bag, PidTagMessageClass);
    if (!class || w->message->attachments->len != 1 ||
        (!g_str_has_suffix(class, ".SMIME") && !g_str_has_suffix(class, ".SMIME.MultipartSigned")))
        return NULL;
    const struct attachment_value *a = w->message->attachments->pdata[0];
    return a->data || a->external.len > 0 ? a : NULL;
}

static enum ec write_smime(struct writing *w, const struct attachment_value *a) {
    const char *type = bag_str(a->bag, PidTagAttachMimeTag);
    if (!type || g_ascii_strcasecmp(type, "multipart/signed") != 0)
        return write_attachment(w, a, false);
    // The whole entity, its Content-Type first.
    g_autoptr(GBytes) bytes = a->data ? g_bytes_ref(a->data) : NULL;
    if (!bytes) {
        if (!w->source)
            return EC_NOT_SUPPORTED;
        EC_TRY(w->source->read(w->source->ctx, &a->external, &bytes));
    }
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_string_append_len(w->out, data, (gssize)len);
    return EC_OK;
}

// Text, machine's part, and what else there is, most likely the message it is about.
static enum ec write_whole_report(struct writing *w, const struct content *c,
                                  enum report_kind kind) {
    const char *boundary = mime_new_boundary(w->arena);
    g_string_append(w->out, "Content-Type: multipart/report");
    mime_put_param(w->out, "report-type", report_type(kind));
    mime_put_param(w->out, "boundary", boundary);
    g_string_append_printf(w->out, "\r\n\r\n--%s\r\n", boundary);
    EC_TRY(write_related(w, c));
    next_part(w, boundary);
    write_report_part(w, kind);
    for (unsigned i = 0; i < c->n_attachments; i++) {
        next_part(w, boundary);
        EC_TRY(write_attachment(w, c->attachments[i], false));
    }
    close_multipart(w, boundary);
    return EC_OK;
}

enum ec write_content(struct writing *w) {
    g_string_append(w->out, "MIME-Version: 1.0\r\n");
    if (w->form != CONVERT_INTERNET)
        return write_tnef_content(w);
    const struct attachment_value *smime = smime_content(w);
    if (smime)
        return write_smime(w, smime);
    struct content c = {0};
    enum ec ec = load_bodies(w, &c);
    if (ec == EC_OK) {
        add_item_text(w, &c);
        sort_attachments(w, &c);
        enum report_kind kind = report_kind(w->message->bag);
        ec = kind == REPORT_NONE ? write_mixed(w, &c) : write_whole_report(w, &c, kind);
    }
    content_clear(&c);
    return ec;
}
