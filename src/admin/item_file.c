// Files of all formats as messages, and messages as files.
#include "admin/item_file.h"

#include <string.h>

#include "convert/body.h"
#include "convert/loaded.h"
#include "convert/msg.h"
#include "convert/tnef.h"
#include "convert/vcard.h"
#include "formats/compound.h"
#include "formats/html_text.h"
#include "formats/rtf_compressed.h"
#include "formats/tnef.h"
#include "mapi/props.h"

static const struct {
    const char *name; // also an extension; the first of a format is its name
    enum item_format format;
} names[] = {
    {"eml", ITEM_EML},   {"mime", ITEM_EML},  {"msg", ITEM_MSG},     {"tnef", ITEM_TNEF},
    {"dat", ITEM_TNEF},  {"vcf", ITEM_VCARD}, {"vcard", ITEM_VCARD}, {"rtf", ITEM_RTF},
    {"lzfu", ITEM_LZFU}, {"html", ITEM_HTML}, {"htm", ITEM_HTML},    {"txt", ITEM_TEXT},
    {"text", ITEM_TEXT},
};

enum item_format item_format_by_name(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i].name) == 0)
            return names[i].format;
    return ITEM_UNKNOWN;
}

const char *item_format_name(enum item_format format) {
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].format == format)
            return names[i].name;
    return "?";
}

enum item_format item_format_of_file(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot && !strchr(dot, '/') ? item_format_by_name(dot + 1) : ITEM_UNKNOWN;
}

static bool begins(const void *data, size_t len, const char *with) {
    return len >= strlen(with) && g_ascii_strncasecmp(data, with, strlen(with)) == 0;
}

enum item_format item_format_of_data(const void *data, size_t len) {
    struct wire_reader r;
    if (compound_looks_like(data, len))
        return ITEM_MSG;
    if (tnef_open(&r, data, len))
        return ITEM_TNEF;
    if (begins(data, len, "BEGIN:VCARD") || begins(data, len,
                                                   "\xEF\xBB\xBF"
                                                   "BEGIN:VCARD"))
        return ITEM_VCARD;
    if (begins(data, len, "{\\rtf"))
        return ITEM_RTF;
    if (len > 12 && memcmp((const char *)data + 8, "LZFu", 4) == 0)
        return ITEM_LZFU;
    if (begins(data, len, "<!DOCTYPE") || begins(data, len, "<html"))
        return ITEM_HTML;
    return ITEM_UNKNOWN;
}

bool item_vcard_version(const char *text, enum vcard_version *out) {
    static const char *const versions[] = {"2.1", "3.0", "4.0"};
    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++)
        if (strcmp(text, versions[i]) == 0) {
            *out = (enum vcard_version)i;
            return true;
        }
    return false;
}

// --- Reading ---

static struct message_value *new_note(void) {
    struct message_value *m = message_value_new();
    bag_set_str(m->bag, PidTagMessageClass, "IPM.Note");
    return m;
}

// How many cards there are; the first is the message.
static enum ec open_cards(struct item_file *f) {
    const char *p = f->data, *end = p + f->len;
    struct message_value *m;
    while (convert_vcard_next(&p, end, &m)) {
        if (f->n++ == 0)
            f->first = m;
        else
            message_value_free(m);
    }
    return f->n > 0 ? EC_OK : EC_FORMAT_ERROR;
}

static enum ec open_rtf(struct item_file *f) {
    if (f->len > BODY_MAX)
        return EC_MESSAGE_TOO_BIG;
    f->first = new_note();
    g_autoptr(GBytes) packed = rtf_compress(f->data, f->len);
    gsize len;
    const void *data = g_bytes_get_data(packed, &len);
    bag_set_bytes(f->first->bag, PidTagRtfCompressed, data, len);
    return EC_OK;
}

static enum ec open_lzfu(struct item_file *f) {
    g_autoptr(GBytes) rtf = NULL;
    EC_TRY(rtf_decompress(f->data, f->len, BODY_MAX, &rtf));
    f->first = new_note();
    bag_set_bytes(f->first->bag, PidTagRtfCompressed, f->data, f->len);
    return EC_OK;
}

static enum ec open_text(struct item_file *f) {
    if (f->len > BODY_MAX)
        return EC_MESSAGE_TOO_BIG;
    f->first = new_note();
    size_t len;
    if (f->format == ITEM_HTML) {
        const char *html = html_to_utf8(f->arena, f->data, f->len, NULL, &len);
        bag_set_bytes(f->first->bag, PidTagHtml, html, len);
        bag_set_long(f->first->bag, PidTagInternetCodepage, 65001);
        return EC_OK;
    }
    bool is_utf8 = g_utf8_validate_len(f->data, f->len, NULL);
    bag_set_str(f->first->bag, PidTagBody,
                mime_to_utf8(f->arena, f->data, f->len, is_utf8 ? "utf-8" : "windows-1252", &len));
    return EC_OK;
}

static enum ec open_any(struct item_file *f) {
    switch (f->format) {
    case ITEM_EML:
        f->mime = mime_scan(f->arena, f->data, f->len);
        f->source = convert_mime_source(f->mime);
        return convert_mime_to_message(f->mime, &f->first);
    case ITEM_MSG:
        return convert_msg_to_message(f->data, f->len, &f->first);
    case ITEM_TNEF:
        return convert_tnef_to_message(f->data, f->len, &f->first);
    case ITEM_VCARD:
        return open_cards(f);
    case ITEM_RTF:
        return open_rtf(f);
    case ITEM_LZFU:
        return open_lzfu(f);
    case ITEM_HTML:
    case ITEM_TEXT:
        return open_text(f);
    case ITEM_UNKNOWN:
        break;
    }
    return EC_FORMAT_ERROR;
}

enum ec item_file_open(enum item_format format, const void *data, size_t len,
                       struct item_file *out) {
    *out = (struct item_file){.format = format, .data = data, .len = len, .arena = arena_new()};
    enum ec ec = open_any(out);
    if (ec != EC_OK)
        item_file_close(out);
    else if (out->n == 0)
        out->n = 1;
    return ec;
}

void item_file_close(struct item_file *f) {
    message_value_free(f->first);
    arena_free(f->arena);
    *f = (struct item_file){0};
}

// --- Writing ---

static const struct convert_source *source_of(const struct item_file *f) {
    return f->source.read ? &f->source : NULL;
}

static enum ec write_cards(const struct item_file *f, enum vcard_version version, GBytes **out) {
    g_autoptr(GString) text = g_string_new(NULL);
    if (f->format != ITEM_VCARD) {
        EC_TRY(convert_message_to_vcard(f->first, source_of(f), version, text));
    } else {
        const char *p = f->data, *end = p + f->len;
        struct message_value *m;
        while (convert_vcard_next(&p, end, &m)) {
            enum ec ec = convert_message_to_vcard(m, NULL, version, text);
            message_value_free(m);
            EC_TRY(ec);
        }
    }
    *out = g_string_free_to_bytes(g_steal_pointer(&text));
    return EC_OK;
}

// A body; a message without one has an empty one.
static enum ec write_body(const struct item_file *f, enum item_format format, GBytes **out) {
    ARENA_AUTO arena = arena_new();
    proptag_t tag = format == ITEM_HTML   ? PidTagBodyHtml
                    : format == ITEM_TEXT ? PidTagBody
                                          : PidTagRtfCompressed;
    struct prop_value v;
    enum ec ec = body_get(f->first->bag, source_of(f), arena, tag, &v);
    if (ec == EC_NOT_FOUND) {
        *out = g_bytes_new_static("", 0);
        return EC_OK;
    }
    EC_TRY(ec);
    if (tag != PidTagRtfCompressed)
        *out = g_bytes_new(v.str, strlen(v.str));
    else if (format == ITEM_LZFU)
        *out = g_bytes_new(v.bin.data, v.bin.len);
    else
        return rtf_decompress(v.bin.data, v.bin.len, 4u * BODY_MAX, out);
    return EC_OK;
}

enum ec item_file_write(const struct item_file *f, enum item_format format,
                        const struct item_options *options, GBytes **out) {
    if (f->n > 1 && format != ITEM_VCARD)
        return EC_TOO_MANY_OBJECTS;
    switch (format) {
    case ITEM_EML:
        return convert_message_to_mime(f->first, source_of(f), true, out);
    case ITEM_MSG:
        return convert_message_to_msg(f->first, source_of(f), 0, out);
    case ITEM_TNEF:
        return convert_message_to_tnef(f->first, source_of(f), TNEF_WHOLE, out);
    case ITEM_VCARD:
        return write_cards(f, options->vcard, out);
    default:
        return write_body(f, format, out);
    }
}
