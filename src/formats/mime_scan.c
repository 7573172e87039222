// The scanner: one pass over the bytes that finds the tree of parts ([RFC 2045], [RFC 2046] 5.1).
//
// It goes line by line with memchr. The multiparts that are open at a place keep their boundaries
// on a stack of fixed depth; a line that begins with "--" is compared with them, innermost first. A
// boundary counts when white space, the line's end or "--" follows it, so that one boundary may be
// the beginning of another. An outer boundary closes everything inside it, whether or not that was
// closed. Where a part was cut off by a limit its bytes are one text part.
#include <string.h>

#include "formats/mime_internal.h"

struct open_boundary {
    const char *text;
    size_t len;
    struct mime_part *part;
};

struct scanner {
    struct arena *arena;
    struct mime_message *m;
    const uint8_t *data;
    size_t len;
    size_t pos;
    size_t lines; // LF before pos
    struct mime_part *current;
    struct open_boundary open[MIME_MAX_DEPTH];
    unsigned n_open;
    uint8_t first_chars[256]; // how many open boundaries begin with this character
};

// A line that is a boundary of open[index].
struct delimiter {
    size_t line_pos, line_lines; // where the line starts, LF before that
    unsigned index;
    bool is_close;
};

static struct mime_part *part_new(struct scanner *s, struct mime_part *parent,
                                  struct mime_part *previous) {
    struct mime_part *part = arena_alloc0(s->arena, sizeof *part);
    part->parent = parent;
    part->depth = parent ? parent->depth + 1 : 0;
    part->header.pos = s->pos;
    part->encoding = MIME_7BIT;
    part->encoding_name = "7BIT";
    if (previous)
        previous->next = part;
    else if (parent)
        parent->first_child = part;
    s->m->n_parts++;
    s->current = part;
    return part;
}

static void push_boundary(struct scanner *s, struct mime_part *part, const char *boundary) {
    struct open_boundary *b = &s->open[s->n_open++];
    *b = (struct open_boundary){.text = boundary, .len = strlen(boundary), .part = part};
    s->first_chars[(uint8_t)boundary[0]]++;
}

static void pop_boundaries(struct scanner *s, unsigned keep) {
    while (s->n_open > keep)
        s->first_chars[(uint8_t)s->open[--s->n_open].text[0]]--;
}

// Whether the line [pos, end) that begins with "--" is a boundary; fills index and is_close.
static bool match_boundary(const struct scanner *s, size_t pos, size_t end, struct delimiter *out) {
    const uint8_t *p = s->data + pos + 2;
    size_t n = end - pos - 2;
    if (n == 0 || !s->first_chars[p[0]])
        return false;
    for (unsigned i = s->n_open; i-- > 0;) {
        const struct open_boundary *b = &s->open[i];
        if (b->len > n || memcmp(p, b->text, b->len) != 0)
            continue;
        size_t rest = n - b->len;
        const uint8_t *q = p + b->len;
        bool is_close = rest >= 2 && q[0] == '-' && q[1] == '-';
        if (is_close)
            q += 2, rest -= 2;
        if (rest > 0 && !mime_is_space(q[0]))
            continue;
        out->index = i;
        out->is_close = is_close;
        return true;
    }
    return false;
}

static size_t line_end(const struct scanner *s, size_t pos, bool *has_lf) {
    const uint8_t *lf = memchr(s->data + pos, '\n', s->len - pos);
    *has_lf = lf != NULL;
    return lf ? (size_t)(lf - s->data) + 1 : s->len;
}

static bool looks_like_delimiter(const struct scanner *s, size_t pos) {
    return s->n_open > 0 && s->len - pos > 2 && s->data[pos] == '-' && s->data[pos + 1] == '-';
}

// Goes on to the line after the next delimiter; false at the end of the data.
static bool next_delimiter(struct scanner *s, struct delimiter *out) {
    while (s->pos < s->len) {
        bool has_lf;
        size_t end = line_end(s, s->pos, &has_lf);
        bool found = looks_like_delimiter(s, s->pos) && match_boundary(s, s->pos, end, out);
        if (found) {
            out->line_pos = s->pos;
            out->line_lines = s->lines;
        }
        s->pos = end;
        s->lines += has_lf;
        if (found)
            return true;
    }
    return false;
}

// --- Headers ---

struct field {
    size_t pos, colon; // colon 0: none being read
};

static void take_content_field(struct scanner *s, struct mime_part *part, const uint8_t *name,
                               size_t name_len, const char *value) {
    if (mime_name_is(name, name_len, "content-type")) {
        if (!part->type)
            mime_parse_content_type(s->arena, value, part);
    } else if (mime_name_is(name, name_len, "content-transfer-encoding")) {
        // A comment or parameter after the token is dropped.
        const char *p = mime_skip_cfws(s->arena, value, NULL);
        size_t n = strcspn(p, " \t;(");
        if (n > 0 && n < 64) {
            char *upper = arena_strndup(s->arena, p, n);
            for (char *c = upper; *c; c++)
                *c = g_ascii_toupper(*c);
            part->encoding_name = upper;
            part->encoding = mime_encoding_parse(upper);
        }
    } else if (mime_name_is(name, name_len, "content-disposition")) {
        if (!part->disposition)
            mime_parse_disposition(s->arena, value, part);
    } else if (mime_name_is(name, name_len, "content-id")) {
        part->content_id = part->content_id ? part->content_id : value;
    } else if (mime_name_is(name, name_len, "content-description")) {
        part->description = part->description ? part->description : value;
    } else if (mime_name_is(name, name_len, "content-md5")) {
        part->md5 = part->md5 ? part->md5 : value;
    } else if (mime_name_is(name, name_len, "content-language")) {
        part->language = part->language ? part->language : value;
    } else if (mime_name_is(name, name_len, "content-location")) {
        part->location = part->location ? part->location : value;
    }
}

static void end_field(struct scanner *s, struct mime_part *part, struct field *f, size_t end) {
    if (!f->colon)
        return;
    const uint8_t *name = s->data + f->pos;
    size_t name_len = f->colon - f->pos;
    while (name_len > 0 && mime_is_wsp(name[name_len - 1]))
        name_len--;
    if (name_len > 8 && (name[0] | 0x20) == 'c' && mime_name_is(name, 8, "content-")) {
        const char *value = mime_unfold(s->arena, s->data + f->colon + 1, end - f->colon - 1,
                                        MIME_MAX_CONTENT_FIELD);
        take_content_field(s, part, name, name_len, value);
    }
    f->colon = 0;
}

// The colon of the field that this line begins, or 0.
static size_t find_colon(const struct scanner *s, size_t pos, size_t end) {
    size_t i = pos;
    while (i < end && mime_is_ftext(s->data[i]))
        i++;
    if (i == pos)
        return 0;
    while (i < end && mime_is_wsp(s->data[i]))
        i++;
    return i < end && s->data[i] == ':' ? i : 0;
}

static bool is_empty_line(const struct scanner *s, size_t pos) {
    return s->data[pos] == '\n' ||
           (s->data[pos] == '\r' && pos + 1 < s->len && s->data[pos + 1] == '\n');
}

static void set_header_end(struct mime_part *part, size_t end, size_t lines_start, size_t lines) {
    part->header.len = end - part->header.pos;
    part->header_lines = (uint32_t)(lines - lines_start);
    part->body.pos = end;
    part->body_lines = (uint32_t)lines; // becomes a difference when the part is closed
}

// Reads the header of `part`. True when a delimiter ended it, which is then in `d`.
//
// A header without its empty line ends at a delimiter or at the data's end; when lines that are no
// fields stand last in it, they are taken for a body whose empty line was forgotten.
static bool scan_header(struct scanner *s, struct mime_part *part, struct delimiter *d) {
    struct field field = {0};
    size_t lines_start = s->lines;
    size_t text_pos = 0, text_lines = 0; // where a tail of lines that are no fields begins
    bool has_text = false, has_field = false, found = false;
    while (s->pos < s->len) {
        bool has_lf;
        size_t start = s->pos, end = line_end(s, start, &has_lf);
        if (is_empty_line(s, start)) {
            end_field(s, part, &field, start);
            s->pos = end;
            s->lines++;
            set_header_end(part, end, lines_start, s->lines);
            return false;
        }
        if (looks_like_delimiter(s, start) && match_boundary(s, start, end, d)) {
            d->line_pos = start;
            d->line_lines = s->lines;
            found = true;
        }
        if (found || !mime_is_wsp(s->data[start])) {
            end_field(s, part, &field, start);
            size_t colon = found ? 0 : find_colon(s, start, end);
            if (colon) {
                field = (struct field){.pos = start, .colon = colon};
                has_field = true;
                has_text = false;
            } else if (!found && !has_text && has_field) {
                has_text = true;
                text_pos = start;
                text_lines = s->lines;
            }
        }
        s->pos = end;
        s->lines += has_lf;
        if (found)
            break;
    }
    size_t end = found ? d->line_pos : s->len, end_lines = found ? d->line_lines : s->lines;
    end_field(s, part, &field, end);
    if (has_text)
        set_header_end(part, text_pos, lines_start, text_lines);
    else
        set_header_end(part, end, lines_start, end_lines);
    return found;
}

// --- The tree ---

static void close_part(const struct scanner *s, struct mime_part *part, size_t end, size_t lines) {
    uint32_t start_lines = part->body_lines;
    // The line end before a delimiter is the delimiter's ([RFC 2046] 5.1.1).
    if (end < s->len && end > part->body.pos && s->data[end - 1] == '\n') {
        end--;
        lines--;
        if (end > part->body.pos && s->data[end - 1] == '\r')
            end--;
    }
    part->body.len = end > part->body.pos ? end - part->body.pos : 0;
    part->body_lines = part->body.len ? (uint32_t)lines - start_lines : 0;
}

// Closes the current part and those around it up to, not including, `until`.
static void close_parts(struct scanner *s, const struct mime_part *until, size_t end,
                        size_t lines) {
    while (s->current != until) {
        close_part(s, s->current, end, lines);
        s->current = s->current->parent;
    }
}

// Acts on a delimiter: closes what it ends and opens the next part, whose header stands at s->pos.
// After a closing delimiter goes on to the next one. NULL at the end of the data.
static struct mime_part *after_delimiter(struct scanner *s, struct delimiter *d) {
    for (;;) {
        if (s->m->n_parts >= MIME_MAX_PARTS && !d->is_close) {
            s->current->is_truncated = true;
            s->pos = s->len;
            return NULL;
        }
        struct mime_part *multipart = s->open[d->index].part;
        struct mime_part *inner = s->current;
        while (inner->parent != multipart && inner != multipart)
            inner = inner->parent;
        close_parts(s, multipart, d->line_pos, d->line_lines);
        pop_boundaries(s, d->is_close ? d->index : d->index + 1);
        if (!d->is_close)
            return part_new(s, multipart, inner == multipart ? NULL : inner);
        if (!next_delimiter(s, d))
            return NULL;
    }
}

static void set_default_type(struct mime_part *part) {
    const struct mime_part *parent = part->parent;
    bool in_digest = parent && g_strcmp0(parent->type, "multipart") == 0 &&
                     g_strcmp0(parent->subtype, "digest") == 0;
    part->type = in_digest ? "message" : "text";
    part->subtype = in_digest ? "rfc822" : "plain";
    if (!in_digest) {
        static struct mime_param ascii = {
            .name = "charset", .value = "us-ascii", .raw = "us-ascii"};
        part->params = &ascii;
        part->n_params = 1;
    }
}

static bool is_message(const struct mime_part *part) {
    return strcmp(part->type, "message") == 0 &&
           (strcmp(part->subtype, "rfc822") == 0 || strcmp(part->subtype, "global") == 0);
}

static bool is_encoded(const struct mime_part *part) {
    return part->encoding == MIME_BASE64 || part->encoding == MIME_QUOTED_PRINTABLE ||
           part->encoding == MIME_UUENCODE;
}

static void become_text(struct mime_part *part) {
    part->type = "text";
    part->subtype = "plain";
}

// Scans one part from its header on; the next part to scan, or NULL at the end.
static struct mime_part *scan_part(struct scanner *s, struct mime_part *part) {
    struct delimiter d;
    bool ended = scan_header(s, part, &d);
    if (!part->type)
        set_default_type(part);
    bool has_room = part->depth + 1 < MIME_MAX_DEPTH && s->m->n_parts < MIME_MAX_PARTS;
    if (strcmp(part->type, "multipart") == 0) {
        const char *boundary = mime_param(part->params, part->n_params, "boundary");
        if (!boundary || !*boundary) {
            become_text(part);
        } else if (!has_room) {
            part->is_truncated = true;
            become_text(part);
        } else if (!ended) {
            push_boundary(s, part, boundary);
        }
    } else if (is_message(part) && !is_encoded(part)) {
        if (!has_room) {
            part->is_truncated = true;
            become_text(part);
        } else if (!ended) {
            return part_new(s, part, NULL);
        }
    }
    if (!ended && !next_delimiter(s, &d))
        return NULL;
    return after_delimiter(s, &d);
}

struct mime_message *mime_scan(struct arena *arena, const void *data, size_t len) {
    struct mime_message *m = arena_alloc0(arena, sizeof *m);
    m->data = len ? data : (const void *)"";
    m->len = len;
    struct scanner s = {.arena = arena, .m = m, .data = m->data, .len = len};
    m->root = part_new(&s, NULL, NULL);
    for (struct mime_part *part = m->root; part;)
        part = scan_part(&s, part);
    s.pos = len;
    close_parts(&s, NULL, len, s.lines);
    return m;
}

const struct mime_part *mime_find(const struct mime_message *m, const char *section) {
    const struct mime_part *part = m->root;
    bool is_container = true; // `part` is what the next number counts in
    while (*section) {
        if (!g_ascii_isdigit(*section))
            return NULL;
        unsigned n = 0;
        while (g_ascii_isdigit(*section) && n <= MIME_MAX_PARTS)
            n = n * 10 + (unsigned)(*section++ - '0');
        if (*section == '.' && section[1])
            section++;
        else if (*section)
            return NULL;
        if (!is_container)
            return NULL;
        bool is_multipart = strcmp(part->type, "multipart") == 0;
        if (is_multipart) {
            part = part->first_child;
            for (unsigned i = 1; part && i < n; i++)
                part = part->next;
        }
        if (!part || n == 0 || (!is_multipart && n != 1))
            return NULL;
        if (!*section)
            return part;
        if (part->first_child && strcmp(part->type, "multipart") != 0)
            part = part->first_child;
        else
            is_container = part->first_child != NULL;
    }
    return part;
}
