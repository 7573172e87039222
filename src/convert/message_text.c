// The words of a message, part by part; attached messages add theirs to the attachments' text.
#include "convert/message_text.h"

#include "base/text.h"
#include "convert/convert_internal.h"
#include "convert/external_converter.h"
#include "formats/content_lines.h"
#include "formats/html_text.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_text.h"
#include "mapi/catalogue.h"

#define MAX_RTF (32u * 1024 * 1024)
#define EXTERNAL_TOTAL_MS 30000 // of all attachments of a message together

struct collecting {
    GString *parts[TEXT_PARTS];
    const char *converter;
    int64_t converter_ms; // left for it
    unsigned depth;       // attached messages around this one
    const struct message_value *message;
    const struct convert_source *source;
};

static enum ec collect(struct collecting *c);

// --- Pieces ---

static GString *part_of(struct collecting *c, enum message_text_part part) {
    return c->parts[c->depth > 0 ? TEXT_ATTACHMENTS : part];
}

// How many bytes the part may still take.
static size_t room(const GString *part) {
    return part->len < TEXT_PART_MAX ? TEXT_PART_MAX - part->len : 0;
}

static size_t cut_at_character(const char *s, size_t len, size_t max) {
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)s[max] & 0xC0) == 0x80)
        max--;
    return max;
}

// A piece of valid UTF-8 without control characters, and a line end after it.
static void put_piece(GString *part, const char *s, size_t len) {
    size_t start = part->len;
    len = cut_at_character(s, len, room(part));
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= ' ' && c != 0x7F && c != 0xC2)
            g_string_append_c(part, (char)c);
        else if (c == '\n' || c == '\t')
            g_string_append_c(part, (char)c);
        else if (c == 0xC2 && i + 1 < len && (unsigned char)s[i + 1] < 0xA0)
            i++; // U+0080 to U+009F
        else if (c == 0xC2)
            g_string_append_c(part, (char)c);
        else if (c != '\r')
            g_string_append_c(part, ' ');
    }
    if (part->len > start && part->str[part->len - 1] != '\n')
        g_string_append_c(part, '\n');
}

static void put_string(GString *part, const char *s) {
    if (s && *s)
        put_piece(part, s, strlen(s));
}

// --- Values ---

static enum ec load_external(struct collecting *c, const struct prop_external *external,
                             GBytes **out) {
    if (!c->source)
        return EC_NOT_SUPPORTED;
    return c->source->read(c->source->ctx, external, out);
}

// A string's or binary property's bytes; NULL when it is not set.
static enum ec load(struct collecting *c, proptag_t tag, GBytes **out) {
    const struct prop_value *v = bag_get(c->message->bag, tag);
    *out = NULL;
    if (!v)
        return EC_OK;
    if (v->is_external)
        return load_external(c, &v->external, out);
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        *out = g_bytes_new_static(v->str, strlen(v->str));
    else if (PROP_TYPE(v->tag) == PT_BINARY)
        *out = g_bytes_new_static(v->bin.data, v->bin.len);
    return EC_OK;
}

static enum ec load_attachment(struct collecting *c, const struct attachment_value *a,
                               GBytes **out) {
    if (a->data)
        *out = g_bytes_ref(a->data);
    else if (a->external.len > 0)
        return load_external(c, &a->external, out);
    else
        *out = g_bytes_new_static("", 0);
    return EC_OK;
}

// --- Formats ---

static void put_plain(GString *part, GBytes *bytes, const char *charset) {
    ARENA_AUTO arena = arena_new();
    size_t len, n;
    const char *data = g_bytes_get_data(bytes, &len);
    // What cannot be used is not converted: no charset takes more than four bytes a character.
    len = MIN(len, (size_t)TEXT_PART_MAX * 4);
    const char *text = mime_to_utf8(arena, data, len, charset, &n);
    put_piece(part, text, n);
}

static void put_html(GString *part, GBytes *bytes, const char *charset) {
    ARENA_AUTO arena = arena_new();
    size_t len, n;
    const void *data = g_bytes_get_data(bytes, &len);
    const char *text = html_to_text(arena, data, len, charset, HTML_TEXT_WORDS, room(part), &n);
    put_piece(part, text, n);
}

static void put_rtf(GString *part, GBytes *bytes) {
    ARENA_AUTO arena = arena_new();
    size_t len, n;
    const void *data = g_bytes_get_data(bytes, &len);
    len = MIN(len, MAX_RTF);
    if (rtf_source(data, len) == RTF_FROM_HTML) {
        const char *html = rtf_to_html(arena, data, len, MAX_RTF, &n);
        const char *text = html_to_text(arena, html, n, "utf-8", HTML_TEXT_WORDS, room(part), &n);
        put_piece(part, text, n);
    } else {
        const char *text = rtf_to_text(arena, data, len, "\n", room(part), &n);
        put_piece(part, text, n);
    }
}

static void put_content_lines(GString *part, GBytes *bytes, const char *charset) {
    ARENA_AUTO arena = arena_new();
    size_t len, n;
    const void *data = g_bytes_get_data(bytes, &len);
    const char *text = content_lines_text(arena, data, len, charset, room(part), &n);
    put_piece(part, text, n);
}

// --- Properties ---

static const char *bag_string(const struct bag *bag, proptag_t tag) {
    return tag ? bag_str(bag, tag) : NULL;
}

// A person's name and address, once when they are the same.
static void put_person(GString *part, const struct bag *bag, const struct person_tags *tags) {
    const char *name = bag_string(bag, tags->name), *smtp = bag_string(bag, tags->smtp);
    if (!smtp)
        smtp = bag_string(bag, tags->address);
    put_string(part, name);
    if (smtp && (!name || g_ascii_strcasecmp(name, smtp) != 0))
        put_string(part, smtp);
}

static bool same_person(const struct bag *bag) {
    return g_strcmp0(bag_str(bag, PidTagSenderName), bag_str(bag, PidTagSentRepresentingName)) ==
               0 &&
           g_strcmp0(bag_str(bag, PidTagSenderSmtpAddress),
                     bag_str(bag, PidTagSentRepresentingSmtpAddress)) == 0;
}

static void collect_people(struct collecting *c) {
    ARENA_AUTO arena = arena_new();
    const struct bag *bag = c->message->bag;
    put_person(part_of(c, TEXT_SENDER), bag, &sent_representing_tags);
    if (!same_person(bag))
        put_person(part_of(c, TEXT_SENDER), bag, &sender_tags);
    for (struct mime_address *a = reply_recipients_get(arena, bag); a; a = a->next) {
        put_string(part_of(c, TEXT_SENDER), a->name);
        if (a->mailbox && a->domain)
            put_string(part_of(c, TEXT_SENDER), mime_address_format(arena, a));
    }
    for (guint i = 0; i < c->message->recipients->len; i++)
        put_person(part_of(c, TEXT_RECIPIENTS), c->message->recipients->pdata[i], &recipient_tags);
}

// Strings of contacts (ids 0x3A00 to 0x3AFF) and of the property sets of contacts, appointments and
// tasks, and the named ones below.
static bool is_worth_searching(proptag_t tag) {
    static const proptag_t others[] = {
        PidNameKeywords,   PidLidCompanies,           PidLidContacts, PidLidBilling, PidLidMileage,
        PidLidFlagRequest, PidTagInternetOrganization};
    if ((PROP_TYPE(tag) & ~PT_MV) != PT_UNICODE)
        return false;
    if (PROP_ID(tag) >= 0x3A00 && PROP_ID(tag) <= 0x3AFF)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (tag == others[i])
            return true;
    const struct catalogue_property *p = PROP_IS_NAMED(tag) ? catalogue_by_tag(tag) : NULL;
    return p && p->kind == CATALOGUE_LID &&
           (guid_equal(p->set, &PSETID_Address) || guid_equal(p->set, &PSETID_Appointment) ||
            guid_equal(p->set, &PSETID_Task)) &&
           !strstr(p->name, "AddressType") && !strstr(p->name, "TimeZone");
}

static void collect_others(struct collecting *c) {
    GString *part = part_of(c, TEXT_OTHER);
    for (unsigned i = 0; i < bag_count(c->message->bag); i++) {
        const struct prop_value *v = bag_at(c->message->bag, i);
        if (v->is_external || !is_worth_searching(v->tag))
            continue;
        if (PROP_TYPE(v->tag) == PT_UNICODE)
            put_string(part, v->str);
        for (uint32_t k = 0; PROP_TYPE(v->tag) == PT_MV_UNICODE && k < v->mv.n; k++)
            put_string(part, v->mv.str[k]);
    }
}

// --- Bodies ---

// Letters and digits alone, to see whether two renditions say the same.
static GString *squeeze(const char *s, size_t len) {
    GString *out = g_string_sized_new(len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] >= 0x80 || g_ascii_isalnum(s[i]))
            g_string_append_c(out, s[i]);
    return out;
}

// Drops what was put behind `second` when the text from `first` to there contains it already.
static void drop_repetition(GString *part, size_t first, size_t second) {
    GString *a = squeeze(part->str + first, second - first);
    GString *b = squeeze(part->str + second, part->len - second);
    if (memmem(a->str, a->len, b->str, b->len))
        g_string_truncate(part, second);
    g_string_free(a, TRUE);
    g_string_free(b, TRUE);
}

static void put_html_body(struct collecting *c, GString *part, GBytes *html) {
    const struct bag *bag = c->message->bag;
    // PidTagBodyHtml is a string.
    const char *charset =
        bag_get(bag, PidTagHtml)
            ? charset_of_codepage((unsigned)bag_long(bag, PidTagInternetCodepage, 0))
            : "utf-8";
    put_html(part, html, charset);
}

// What people read; plain text beside it only when it says something else.
static enum ec collect_body(struct collecting *c) {
    g_autoptr(GBytes) html = NULL, text = NULL, rtf = NULL, unpacked = NULL;
    GString *part = part_of(c, TEXT_BODY);
    size_t first = part->len;
    EC_TRY(load(c, PROP_TAG(PROP_ID(PidTagHtml), PT_UNSPECIFIED), &html));
    EC_TRY(load(c, PidTagBody, &text));
    if (!html)
        EC_TRY(load(c, PidTagRtfCompressed, &rtf));
    if (html)
        put_html_body(c, part, html);
    gsize len;
    const void *data = rtf ? g_bytes_get_data(rtf, &len) : NULL;
    if (data && rtf_decompress(data, len, MAX_RTF, &unpacked) == EC_OK)
        put_rtf(part, unpacked);
    size_t second = part->len;
    if (text)
        put_plain(part, text, "utf-8");
    if (second > first)
        drop_repetition(part, first, second);
    return EC_OK;
}

// --- Attachments ---

enum content_kind { CONTENT_PLAIN, CONTENT_HTML, CONTENT_RTF, CONTENT_LINES, CONTENT_OTHER };

static const struct {
    const char *type; // as it begins
    enum content_kind kind;
} kinds[] = {
    {"text/html", CONTENT_HTML},         {"application/xhtml", CONTENT_HTML},
    {"text/xml", CONTENT_HTML},          {"application/xml", CONTENT_HTML},
    {"image/svg", CONTENT_HTML},         {"text/rtf", CONTENT_RTF},
    {"application/rtf", CONTENT_RTF},    {"text/calendar", CONTENT_LINES},
    {"text/vcard", CONTENT_LINES},       {"text/x-vcard", CONTENT_LINES},
    {"text/directory", CONTENT_LINES},   {"text/", CONTENT_PLAIN},
    {"application/json", CONTENT_PLAIN}, {"message/", CONTENT_PLAIN},
};

static enum content_kind kind_of_type(const char *type) {
    for (size_t i = 0; type && i < G_N_ELEMENTS(kinds); i++)
        if (g_ascii_strncasecmp(type, kinds[i].type, strlen(kinds[i].type)) == 0)
            return kinds[i].kind;
    return CONTENT_OTHER;
}

static const char *attachment_name(const struct attachment_value *a) {
    const char *name = bag_str(a->bag, PidTagAttachLongFilename);
    if (!name)
        name = bag_str(a->bag, PidTagAttachFilename);
    return name ? name : bag_str(a->bag, PidTagDisplayName);
}

// By its type, or by its name where the type says nothing.
static enum content_kind kind_of(const struct attachment_value *a, const char **type_out) {
    const char *type = bag_str(a->bag, PidTagAttachMimeTag);
    const char *name = attachment_name(a), *dot = name ? strrchr(name, '.') : NULL;
    const char *by_name = dot ? type_of_extension(dot + 1) : NULL;
    bool is_vague = !type || g_ascii_strcasecmp(type, "application/octet-stream") == 0 ||
                    (g_ascii_strcasecmp(type, "text/plain") == 0 && by_name);
    *type_out = is_vague && by_name ? by_name : (type ? type : "application/octet-stream");
    return kind_of_type(*type_out);
}

static void put_converted(struct collecting *c, GString *part, GBytes *bytes, const char *type,
                          const char *name) {
    if (!c->converter || c->converter_ms <= 0 || room(part) == 0)
        return;
    g_autoptr(GString) out = g_string_new(NULL);
    int64_t start = g_get_monotonic_time();
    enum ec ec = external_convert(c->converter, type, name, bytes,
                                  MIN(EXTERNAL_TIMEOUT_MS, c->converter_ms), room(part), out);
    c->converter_ms -= (g_get_monotonic_time() - start) / 1000;
    if (ec != EC_OK)
        return;
    ARENA_AUTO arena = arena_new();
    size_t n;
    const char *text = text_clean(arena, out->str, out->len, &n);
    put_piece(part, text, n);
}

static enum ec collect_content(struct collecting *c, const struct attachment_value *a) {
    g_autoptr(GBytes) bytes = NULL;
    GString *part = part_of(c, TEXT_ATTACHMENTS);
    const char *charset = bag_str(a->bag, PidTagTextAttachmentCharset), *type;
    enum content_kind kind = kind_of(a, &type);
    if (kind == CONTENT_OTHER && (!c->converter || c->converter_ms <= 0))
        return EC_OK;
    EC_TRY(load_attachment(c, a, &bytes));
    switch (kind) {
    case CONTENT_PLAIN:
        put_plain(part, bytes, charset);
        break;
    case CONTENT_HTML:
        put_html(part, bytes, charset);
        break;
    case CONTENT_RTF:
        put_rtf(part, bytes);
        break;
    case CONTENT_LINES:
        put_content_lines(part, bytes, charset ? charset : "utf-8");
        break;
    case CONTENT_OTHER:
        put_converted(c, part, bytes, type, attachment_name(a));
        break;
    }
    return EC_OK;
}

// External values of a message that was just parsed point into it.
static enum ec read_parsed(void *ctx, const struct prop_external *e, GBytes **out) {
    const struct mime_message *mime = ctx;
    if (e->pos > mime->len || e->len > mime->len - e->pos)
        return EC_CORRUPT_DATA;
    *out = mime_decode(mime->data + e->pos, e->len, e->encoding);
    if (!e->charset)
        return EC_OK;
    ARENA_AUTO arena = arena_new();
    size_t len;
    const char *text =
        mime_to_utf8(arena, g_bytes_get_data(*out, NULL), g_bytes_get_size(*out), e->charset, &len);
    g_bytes_unref(*out);
    *out = g_bytes_new(text, len);
    return EC_OK;
}

static enum ec collect_inner(struct collecting *c, const struct message_value *message,
                             const struct convert_source *source) {
    struct collecting inner = *c;
    inner.message = message;
    inner.source = source;
    inner.depth++;
    enum ec ec = collect(&inner);
    c->converter_ms = inner.converter_ms;
    return ec;
}

static enum ec collect_embedded(struct collecting *c, const struct attachment_value *a) {
    if (c->depth >= TEXT_NESTING_MAX || room(c->parts[TEXT_ATTACHMENTS]) == 0)
        return EC_OK;
    if (a->embedded)
        return collect_inner(c, a->embedded, c->source);
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(load_attachment(c, a, &bytes));
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct mime_message *mime = mime_scan(arena, data ? data : "", len);
    struct message_value *message;
    EC_TRY(convert_embedded(mime, &message));
    struct convert_source source = {read_parsed, mime};
    enum ec ec = collect_inner(c, message, &source);
    message_value_free(message);
    return ec;
}

static enum ec collect_attachment(struct collecting *c, const struct attachment_value *a) {
    put_string(part_of(c, TEXT_ATTACHMENT_NAMES), attachment_name(a));
    switch (bag_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE)) {
    case ATTACH_BY_VALUE:
        return collect_content(c, a);
    case ATTACH_EMBEDDED:
        return collect_embedded(c, a);
    default:
        return EC_OK;
    }
}

// --- The whole ---

static enum ec collect(struct collecting *c) {
    put_string(part_of(c, TEXT_SUBJECT), bag_str(c->message->bag, PidTagSubject));
    collect_people(c);
    collect_others(c);
    EC_TRY(collect_body(c));
    for (guint i = 0; i < c->message->attachments->len; i++)
        EC_TRY(collect_attachment(c, c->message->attachments->pdata[i]));
    return EC_OK;
}

enum ec message_text(const struct message_value *message, const struct convert_source *source,
                     const char *external_converter, struct arena *arena,
                     struct message_text *out) {
    struct collecting c = {.converter = external_converter,
                           .converter_ms = EXTERNAL_TOTAL_MS,
                           .message = message,
                           .source = source};
    for (int i = 0; i < TEXT_PARTS; i++)
        c.parts[i] = g_string_new(NULL);
    enum ec ec = collect(&c);
    for (int i = 0; i < TEXT_PARTS; i++) {
        if (ec == EC_OK)
            out->parts[i] = arena_strndup(arena, c.parts[i]->str, c.parts[i]->len);
        g_string_free(c.parts[i], TRUE);
    }
    return ec;
}
