// The bytes of BODY[...]: spans of the message as it is stored, never re-made.
//
// As little is read as will do: a range for a partial of the whole message, the first bytes for
// header fields, and for partials of parts the place that the partial before it found.
#include <string.h>

#include "protocol/imap/fetch.h"

#define HEADER_GUESS 8192 // has the whole header in most cases

struct span {
    uint64_t pos, len;
};

void fetch_message_clear(struct fetch_message *m) {
    g_clear_pointer(&m->whole, g_bytes_unref);
    m->scanned = NULL;
}

static enum ec load(struct fetch_message *m) {
    return m->whole ? EC_OK : mailbox_read_mime(m->reader, m->row->mid, &m->whole);
}

enum ec fetch_scan(struct fetch_message *m, const struct mime_message **out) {
    EC_TRY(load(m));
    if (!m->scanned) {
        gsize len;
        const void *data = g_bytes_get_data(m->whole, &len);
        m->scanned = mime_scan(m->arena, data, len);
    }
    *out = m->scanned;
    return EC_OK;
}

// The length of the header with the empty line that ends it; 0 when there is no such line.
static size_t header_length(const char *data, size_t len) {
    size_t start = 0;
    while (start < len) {
        const char *lf = memchr(data + start, '\n', len - start);
        if (!lf)
            return 0;
        size_t line = (size_t)(lf - data) - start;
        if (line == 0 || (line == 1 && data[start] == '\r'))
            return (size_t)(lf - data) + 1;
        start = (size_t)(lf - data) + 1;
    }
    return 0;
}

// The message's own header, with no more read than that takes.
static enum ec read_header(struct fetch_message *m, GBytes **out, size_t *len_out) {
    gsize len;
    const char *data;
    if (!m->whole) {
        g_autoptr(GBytes) start = NULL;
        EC_TRY(mailbox_read_mime_range(m->reader, m->row->mid, 0, HEADER_GUESS, &start));
        data = g_bytes_get_data(start, &len);
        *len_out = header_length(data, len);
        if (*len_out > 0) {
            *out = g_steal_pointer(&start);
            return EC_OK;
        }
    }
    const struct mime_message *scanned; // where the empty line is missing the scanner decides
    EC_TRY(fetch_scan(m, &scanned));
    *len_out = scanned->root->body.pos;
    *out = g_bytes_ref(m->whole);
    return EC_OK;
}

// --- Header fields ---

static bool is_wanted(const struct fetch_section *s, const char *name, size_t len) {
    for (unsigned i = 0; i < s->n_fields; i++)
        if (strlen(s->fields[i]) == len && g_ascii_strncasecmp(s->fields[i], name, len) == 0)
            return s->kind == SECTION_FIELDS;
    return s->kind == SECTION_FIELDS_NOT;
}

static GBytes *select_fields(const struct fetch_section *s, const void *data, size_t len,
                             struct mime_span header) {
    struct mime_part part = {.header = header};
    struct mime_message m = {.data = data, .len = len, .root = &part, .n_parts = 1};
    GByteArray *out = g_byte_array_new();
    size_t pos = 0;
    struct mime_header h;
    while (mime_header_next(&m, &part, &pos, &h))
        if (is_wanted(s, (const char *)m.data + h.name.pos, h.name.len))
            g_byte_array_append(out, m.data + h.whole.pos, (guint)h.whole.len);
    g_byte_array_append(out, (const guint8 *)"\r\n", 2);
    return g_byte_array_free_to_bytes(out);
}

// --- Finding sections ---

static bool is_message(const struct mime_part *part) {
    return strcmp(part->type, "message") == 0 && part->first_child;
}

// Where the section stands; false when there is none.
static bool find_span(const struct mime_message *m, const struct fetch_section *s,
                      struct mime_span *out) {
    const struct mime_part *part = mime_find(m, s->part);
    if (!part)
        return false;
    bool is_root = !*s->part;
    switch (s->kind) {
    case SECTION_ALL:
        *out = is_root ? (struct mime_span){0, m->len} : part->body;
        return true;
    case SECTION_MIME:
        *out = part->header;
        return true;
    default:
        break;
    }
    if (!is_root) {
        if (!is_message(part))
            return false;
        part = part->first_child;
    }
    *out = s->kind == SECTION_TEXT ? part->body : part->header;
    return true;
}

// The header fields and TEXT of the message itself need no structure.
static enum ec read_own(struct fetch_message *m, const struct fetch_section *s, GBytes **bytes_out,
                        struct span *span_out) {
    size_t header;
    if (s->kind == SECTION_TEXT) {
        EC_TRY(load(m));
        EC_TRY(read_header(m, bytes_out, &header));
        *span_out = (struct span){header, g_bytes_get_size(*bytes_out) - header};
        return EC_OK;
    }
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(read_header(m, &bytes, &header));
    if (s->kind == SECTION_HEADER) {
        *bytes_out = g_steal_pointer(&bytes);
        *span_out = (struct span){0, header};
        return EC_OK;
    }
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    *bytes_out = select_fields(s, data, len, (struct mime_span){0, header});
    *span_out = (struct span){0, g_bytes_get_size(*bytes_out)};
    return EC_OK;
}

static enum ec read_whole(struct fetch_message *m, const struct fetch_section *s,
                          GBytes **bytes_out, struct span *span_out) {
    if (!*s->part && s->kind == SECTION_ALL) {
        EC_TRY(load(m));
        *bytes_out = g_bytes_ref(m->whole);
        *span_out = (struct span){0, g_bytes_get_size(m->whole)};
        return EC_OK;
    }
    if (!*s->part)
        return read_own(m, s, bytes_out, span_out);
    const struct mime_message *scanned;
    struct mime_span found;
    EC_TRY(fetch_scan(m, &scanned));
    *bytes_out = NULL;
    *span_out = (struct span){0};
    if (!find_span(scanned, s, &found))
        return EC_OK;
    if (s->kind == SECTION_FIELDS || s->kind == SECTION_FIELDS_NOT) {
        *bytes_out = select_fields(s, scanned->data, scanned->len, found);
        *span_out = (struct span){0, g_bytes_get_size(*bytes_out)};
    } else {
        *bytes_out = g_bytes_ref(m->whole);
        *span_out = (struct span){found.pos, found.len};
    }
    return EC_OK;
}

// --- Partials ---

static struct span cut(struct span span, const struct fetch_section *s) {
    if (!s->has_partial)
        return span;
    uint64_t skip = MIN(s->offset, span.len);
    return (struct span){span.pos + skip, MIN(s->length, span.len - skip)};
}

// What identifies a span of a message in the cache; NULL when the section is none.
static const char *cache_key(struct fetch_message *m, const struct fetch_section *s) {
    if (s->kind == SECTION_FIELDS || s->kind == SECTION_FIELDS_NOT || (!*s->part && !s->kind))
        return NULL;
    return arena_printf(m->arena, "%d %s", s->kind, s->part);
}

static bool cached(struct fetch_message *m, const char *key, struct span *out) {
    const struct imap_part_cache *c = m->s->part_cache;
    if (!key || !c || c->mid != m->row->mid || strcmp(c->section, key) != 0)
        return false;
    *out = (struct span){c->pos, c->len};
    return true;
}

static void remember(struct fetch_message *m, const char *key, struct span span) {
    if (!key || strlen(key) >= sizeof m->s->part_cache->section)
        return;
    if (!m->s->part_cache)
        m->s->part_cache = g_new0(struct imap_part_cache, 1);
    struct imap_part_cache *c = m->s->part_cache;
    c->mid = m->row->mid;
    c->pos = span.pos;
    c->len = span.len;
    strcpy(c->section, key);
}

static enum ec read_range(struct fetch_message *m, struct span span, GBytes **out) {
    if (span.len == 0) {
        *out = g_bytes_new(NULL, 0);
        return EC_OK;
    }
    return mailbox_read_mime_range(m->reader, m->row->mid, span.pos, span.len, out);
}

enum ec fetch_read_section(struct fetch_message *m, const struct fetch_section *s,
                           GBytes **bytes_out, size_t *pos_out, size_t *len_out) {
    struct span span;
    const char *key = s->has_partial && !m->whole ? cache_key(m, s) : NULL;
    bool is_whole_message = !*s->part && s->kind == SECTION_ALL;
    if (s->has_partial && !m->whole && (is_whole_message || cached(m, key, &span))) {
        span = is_whole_message ? (struct span){s->offset, s->length} : cut(span, s);
        EC_TRY(read_range(m, span, bytes_out));
        *pos_out = 0;
        *len_out = g_bytes_get_size(*bytes_out);
        return EC_OK;
    }
    EC_TRY(read_whole(m, s, bytes_out, &span));
    if (*bytes_out && key)
        remember(m, key, span);
    span = cut(span, s);
    *pos_out = (size_t)span.pos;
    *len_out = (size_t)span.len;
    return EC_OK;
}
