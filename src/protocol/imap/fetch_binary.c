// BINARY[1], BINARY.PEEK[1]<0.1000>, BINARY.SIZE[1]: parts with their transfer encoding undone
// ([RFC 3516]). Sections are numbers only; the message itself and multiparts are as they stand.
#include <string.h>

#include "protocol/imap/fetch.h"
#include "protocol/imap/imap_write.h"

static bool parse_part(struct imap_parser *p, struct fetch_section *s) {
    size_t start = p->pos;
    uint32_t number;
    while (imap_ok(p) && imap_peek(p) != ']') {
        if (p->pos > start && !imap_expect(p, '.'))
            return false;
        if (!imap_number(p, &number) || number == 0)
            return imap_fail(p, "Invalid binary section");
    }
    s->part = arena_strndup(p->arena, p->data + start, p->pos - start);
    return imap_expect(p, ']');
}

bool fetch_parse_binary(struct imap_parser *p, const char *word, struct fetch_item *out) {
    *out = (struct fetch_item){.kind = FETCH_BINARY, .section.kind = SECTION_ALL};
    if (g_ascii_strcasecmp(word, "BINARY.SIZE") == 0)
        out->kind = FETCH_BINARY_SIZE;
    else if (g_ascii_strcasecmp(word, "BINARY.PEEK") == 0)
        out->section.is_peek = true;
    else if (g_ascii_strcasecmp(word, "BINARY") != 0)
        return false;
    struct fetch_section *s = &out->section;
    bool is_size = out->kind == FETCH_BINARY_SIZE;
    if (!imap_expect(p, '[') || !parse_part(p, s) || (!is_size && !fetch_parse_partial(p, s)))
        return false;
    const char *name = is_size ? "BINARY.SIZE" : "BINARY";
    s->label = s->has_partial ? arena_printf(p->arena, "%s[%s]<%" G_GUINT64_FORMAT ">", name,
                                             s->part, s->offset)
                              : arena_printf(p->arena, "%s[%s]", name, s->part);
    return true;
}

// The decoded part in *out; NULL when there is no such part. EC_FORMAT_ERROR: an unknown encoding.
static enum ec decode(struct fetch_message *m, const char *section, GBytes **out) {
    const struct mime_message *scanned;
    *out = NULL;
    EC_TRY(fetch_scan(m, &scanned));
    const struct mime_part *part = mime_find(scanned, section);
    if (!part)
        return EC_OK;
    if (part->encoding == MIME_UNKNOWN_ENCODING)
        return EC_FORMAT_ERROR;
    if (!*section)
        *out = g_bytes_ref(m->whole);
    else if (part->encoding <= MIME_BINARY || part->first_child)
        *out = g_bytes_new_from_bytes(m->whole, part->body.pos, part->body.len);
    else
        *out = mime_decode_body(scanned, part);
    return EC_OK;
}

// NUL can only stand in a literal8.
static void put(struct imap_session *s, GBytes *bytes, size_t pos, size_t len) {
    if (len && memchr((const char *)g_bytes_get_data(bytes, NULL) + pos, 0, len))
        imap_put(s, "~", 1);
    imap_put_bytes(s, bytes, pos, len);
}

enum ec fetch_put_binary(struct fetch_message *m, const struct fetch_item *item) {
    const struct fetch_section *section = &item->section;
    struct imap_session *s = m->s;
    g_autoptr(GBytes) bytes = NULL;
    enum ec ec = decode(m, section->part, &bytes);
    if (ec != EC_OK && ec != EC_FORMAT_ERROR)
        return ec;
    size_t len = bytes ? g_bytes_get_size(bytes) : 0;
    imap_puts(s, section->label);
    imap_puts(s, " ");
    if (item->kind == FETCH_BINARY_SIZE) {
        imap_printf(s, "%zu", len);
    } else if (!bytes) {
        imap_puts(s, "NIL");
    } else {
        size_t skip = section->has_partial ? (size_t)MIN(section->offset, len) : 0;
        len -= skip;
        put(s, bytes, skip, section->has_partial ? (size_t)MIN(section->length, len) : len);
    }
    return ec;
}
