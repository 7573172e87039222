// Body formats made from one another. Everything goes through UTF-8: HTML as bytes of the message's
// code page and RTF are made from it at the end.
#include "convert/body.h"

#include "base/text.h"
#include "convert/convert_internal.h"
#include "formats/html_text.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_text.h"
#include "formats/rtf_write.h"
#include "mapi/code_page.h"

#define ANY_HTML PROP_TAG(PROP_ID(PidTagHtml), PT_UNSPECIFIED)

enum native_body body_native(const struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    bool has_rtf = bag_get(bag, PidTagRtfCompressed);
    if (class && g_ascii_strcasecmp(class, "IPM.Note.SMIME.MultipartSigned") == 0)
        return BODY_CLEAR_SIGNED;
    if (has_rtf && bag_bool(bag, PidTagRtfInSync, false))
        return BODY_RTF;
    if (bag_get(bag, ANY_HTML))
        return BODY_HTML;
    if (has_rtf)
        return BODY_RTF;
    return bag_get(bag, PidTagBody) ? BODY_PLAIN : BODY_UNDEFINED;
}

// --- What is there ---

struct body {
    const struct bag *bag;
    const struct convert_source *source;
    struct arena *arena;
};

// UTF-8 or bytes, in the arena.
struct content {
    const char *data;
    size_t len;
};

static enum ec load(struct body *b, const struct prop_value *v, struct content *out) {
    if (!v->is_external) {
        *out = PROP_TYPE(v->tag) == PT_UNICODE
                   ? (struct content){v->str, strlen(v->str)}
                   : (struct content){(const char *)v->bin.data, v->bin.len};
        return EC_OK;
    }
    g_autoptr(GBytes) bytes = NULL;
    if (v->external.len > BODY_MAX)
        return EC_MESSAGE_TOO_BIG;
    if (!b->source)
        return EC_NOT_SUPPORTED;
    EC_TRY(b->source->read(b->source->ctx, &v->external, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    out->data = PROP_TYPE(v->tag) == PT_UNICODE ? text_clean(b->arena, data ? data : "", len, &len)
                                                : arena_memdup(b->arena, data ? data : "", len);
    out->len = len;
    return EC_OK;
}

static unsigned code_page_of(const struct bag *bag) {
    unsigned page = (unsigned)bag_long(bag, PidTagInternetCodepage, 0);
    return code_page_charset(page) ? page : CODE_PAGE_UTF8;
}

// The stored HTML as UTF-8. EC_NOT_FOUND.
static enum ec load_html(struct body *b, struct content *out) {
    const struct prop_value *v = bag_get(b->bag, ANY_HTML);
    if (!v || (v->tag != PidTagHtml && v->tag != PidTagBodyHtml))
        return EC_NOT_FOUND;
    EC_TRY(load(b, v, out));
    if (v->tag == PidTagHtml) {
        const char *charset =
            code_page_charset((unsigned)bag_long(b->bag, PidTagInternetCodepage, 0));
        out->data = html_to_utf8(b->arena, out->data, out->len, charset, &out->len);
    }
    return EC_OK;
}

static enum ec load_rtf(struct body *b, GBytes **out) {
    const struct prop_value *v = bag_get(b->bag, PidTagRtfCompressed);
    struct content packed;
    if (!v)
        return EC_NOT_FOUND;
    EC_TRY(load(b, v, &packed));
    return rtf_decompress(packed.data, packed.len, BODY_MAX, out);
}

// --- One from another ---

static void html_from_text(struct body *b, const struct content *text, struct content *out) {
    g_autoptr(GString) html = g_string_sized_new(text->len + 256);
    g_string_append(html, "<html><head>\r\n<meta name=\"Generator\" content=\"Bourse\">\r\n</head>"
                          "<body>\r\n");
    for (const char *p = text->data, *end = p + text->len; p < end; p++) {
        if (*p == '<')
            g_string_append(html, "&lt;");
        else if (*p == '>')
            g_string_append(html, "&gt;");
        else if (*p == '&')
            g_string_append(html, "&amp;");
        else if (*p == '\n')
            g_string_append(html, "<br>\r\n");
        else if (*p == ' ' && p + 1 < end && p[1] == ' ')
            g_string_append(html, "&nbsp;");
        else if (*p != '\r')
            g_string_append_c(html, *p);
    }
    g_string_append(html, "</body></html>\r\n");
    out->data = arena_strndup(b->arena, html->str, html->len);
    out->len = html->len;
}

static void text_from_html(struct body *b, const struct content *html, struct content *out) {
    out->data =
        html_to_text(b->arena, html->data, html->len, "utf-8", HTML_TEXT_BODY, BODY_MAX, &out->len);
}

// HTML that the RTF was made from, or HTML made of it.
static void html_from_rtf(struct body *b, GBytes *rtf, struct content *out) {
    gsize len;
    const void *data = g_bytes_get_data(rtf, &len);
    if (rtf_source(data, len) != RTF_FROM_TEXT) {
        out->data = rtf_to_html(b->arena, data, len, BODY_MAX, &out->len);
        return;
    }
    struct content text;
    text.data = rtf_to_text(b->arena, data, len, "\r\n", BODY_MAX, &text.len);
    html_from_text(b, &text, out);
}

static void text_from_rtf(struct body *b, GBytes *rtf, struct content *out) {
    gsize len;
    const void *data = g_bytes_get_data(rtf, &len);
    if (rtf_source(data, len) == RTF_FROM_HTML) {
        struct content html;
        html.data = rtf_to_html(b->arena, data, len, BODY_MAX, &html.len);
        text_from_html(b, &html, out);
    } else {
        out->data = rtf_to_text(b->arena, data, len, "\r\n", BODY_MAX, &out->len);
    }
}

// --- As asked for ---

static enum ec get_text(struct body *b, struct content *out) {
    const struct prop_value *v = bag_get(b->bag, PidTagBody);
    if (v)
        return load(b, v, out);
    g_autoptr(GBytes) rtf = NULL;
    struct content html;
    enum ec ec = load_html(b, &html);
    if (ec == EC_OK)
        text_from_html(b, &html, out);
    if (ec != EC_NOT_FOUND)
        return ec;
    EC_TRY(load_rtf(b, &rtf));
    text_from_rtf(b, rtf, out);
    return EC_OK;
}

// As UTF-8.
static enum ec get_html(struct body *b, struct content *out) {
    g_autoptr(GBytes) rtf = NULL;
    enum ec ec = load_html(b, out);
    if (ec != EC_NOT_FOUND)
        return ec;
    ec = load_rtf(b, &rtf);
    if (ec == EC_OK)
        html_from_rtf(b, rtf, out);
    if (ec != EC_NOT_FOUND)
        return ec;
    const struct prop_value *v = bag_get(b->bag, PidTagBody);
    struct content text;
    if (!v)
        return EC_NOT_FOUND;
    EC_TRY(load(b, v, &text));
    html_from_text(b, &text, out);
    return EC_OK;
}

// HTML that is right in every code page: it may be one that lacks the characters.
static void make_ascii(struct body *b, struct content *html) {
    if (text_is_ascii(html->data, html->len))
        return;
    g_autoptr(GString) out = g_string_sized_new(html->len * 2);
    for (const char *p = html->data, *end = p + html->len; p < end; p = g_utf8_next_char(p)) {
        if ((unsigned char)*p < 0x80)
            g_string_append_c(out, *p);
        else
            g_string_append_printf(out, "&#%u;", g_utf8_get_char(p));
    }
    html->data = arena_strndup(b->arena, out->str, out->len);
    html->len = out->len;
}

static enum ec get_html_bytes(struct body *b, struct prop_value *out) {
    const struct prop_value *v = bag_get(b->bag, PidTagHtml);
    struct content html;
    EC_TRY(v ? load(b, v, &html) : get_html(b, &html));
    if (!v && code_page_of(b->bag) != CODE_PAGE_UTF8)
        make_ascii(b, &html);
    *out = prop_bytes(PidTagHtml, html.data, (uint32_t)html.len);
    return EC_OK;
}

static enum ec get_rtf(struct body *b, struct prop_value *out) {
    const struct prop_value *v = bag_get(b->bag, PidTagRtfCompressed);
    struct content source;
    g_autoptr(GBytes) rtf = NULL;
    if (v) {
        EC_TRY(load(b, v, &source));
        *out = prop_bytes(v->tag, source.data, (uint32_t)source.len);
        return EC_OK;
    }
    enum ec ec = load_html(b, &source);
    if (ec == EC_OK) {
        rtf = rtf_from_html(source.data, source.len);
    } else if (ec == EC_NOT_FOUND) {
        EC_TRY(get_text(b, &source));
        rtf = rtf_from_text(source.data, source.len);
    } else {
        return ec;
    }
    g_autoptr(GBytes) packed = rtf_compress(g_bytes_get_data(rtf, NULL), g_bytes_get_size(rtf));
    gsize len;
    const void *data = g_bytes_get_data(packed, &len);
    *out = prop_bytes(PidTagRtfCompressed, arena_memdup(b->arena, data, len), (uint32_t)len);
    return EC_OK;
}

static enum ec get_string(enum ec ec, proptag_t tag, const struct content *text,
                          struct arena *arena, struct prop_value *out) {
    EC_TRY(ec);
    *out = prop_str(tag, arena_strndup(arena, text->data, text->len));
    return EC_OK;
}

static enum ec get_code_page(struct body *b, struct prop_value *out) {
    const struct prop_value *v = bag_get(b->bag, PidTagInternetCodepage);
    if (!v && body_native(b->bag) == BODY_UNDEFINED)
        return EC_NOT_FOUND;
    *out = prop_long(PidTagInternetCodepage, v ? v->l : (int32_t)CODE_PAGE_UTF8);
    return EC_OK;
}

static enum ec get_in_sync(struct body *b, struct prop_value *out) {
    enum native_body native = body_native(b->bag);
    if (native == BODY_UNDEFINED)
        return EC_NOT_FOUND;
    bool has_text = bag_get(b->bag, PidTagBody);
    // RTF alone agrees with the text that is made from it. Where the RTF is made from another
    // format, that one is the best ([MS-OXBBODY] 2.1.3.1).
    *out = prop_bool(PidTagRtfInSync,
                     native == BODY_RTF && bag_bool(b->bag, PidTagRtfInSync, !has_text));
    return EC_OK;
}

static const proptag_t tags[] = {
    PidTagBody,       PidTagHtml,      PidTagBodyHtml,        PidTagRtfCompressed,
    PidTagNativeBody, PidTagRtfInSync, PidTagInternetCodepage};

// The tag with its type; 0: none of ours.
static proptag_t whole_tag(proptag_t tag) {
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++)
        if (tag == tags[i] ||
            (PROP_TYPE(tag) == PT_UNSPECIFIED && PROP_ID(tag) == PROP_ID(tags[i])))
            return tags[i];
    return 0;
}

bool body_has(proptag_t tag) {
    return whole_tag(tag) != 0;
}

enum ec body_get(const struct bag *bag, const struct convert_source *source, struct arena *arena,
                 proptag_t tag, struct prop_value *out) {
    struct body b = {bag, source, arena};
    struct content text = {0};
    switch (whole_tag(tag)) {
    case PidTagBody:
        return get_string(get_text(&b, &text), PidTagBody, &text, arena, out);
    case PidTagBodyHtml:
        return get_string(get_html(&b, &text), PidTagBodyHtml, &text, arena, out);
    case PidTagHtml:
        return get_html_bytes(&b, out);
    case PidTagRtfCompressed:
        return get_rtf(&b, out);
    case PidTagNativeBody:
        *out = prop_long(PidTagNativeBody, (int32_t)body_native(bag));
        return EC_OK;
    case PidTagRtfInSync:
        return get_in_sync(&b, out);
    case PidTagInternetCodepage:
        return get_code_page(&b, out);
    default:
        return EC_NOT_FOUND;
    }
}

void body_replaced(struct bag *bag, proptag_t tag, unsigned *set) {
    static const proptag_t bodies[] = {PidTagBody, PidTagRtfCompressed, ANY_HTML};
    unsigned this_one = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++)
        if (PROP_ID(tag) == PROP_ID(bodies[i]))
            this_one = 1u << i;
    if (this_one == 0)
        return;
    *set |= this_one;
    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++)
        if (!(*set & 1u << i))
            bag_remove(bag, bodies[i]);
}
