// A message's bytes on the wire: line ends, dots, and the way from 8 to 7 bits.
//
// Only CRLF ends a line in what is sent, whatever the message has: a bare LF or CR that one server
// takes for a line end and the next does not is how a message is smuggled into another ([RFC 5321]
// 2.3.8, 4.1.1.4).
#include <string.h>

#include "formats/mime.h"
#include "relay/relay_internal.h"

static void append(GByteArray *out, const void *data, size_t len) {
    g_byte_array_append(out, data, (guint)len);
}

// A line without its end; CRs within it become line ends.
static void put_line(GByteArray *out, const uint8_t *line, size_t len, bool is_start) {
    do {
        const uint8_t *cr = len ? memchr(line, '\r', len) : NULL;
        size_t n = cr ? (size_t)(cr - line) : len;
        if (is_start && n > 0 && line[0] == '.')
            append(out, ".", 1);
        append(out, line, n);
        if (!cr)
            return;
        append(out, "\r\n", 2);
        is_start = true;
        line += n + 1;
        len -= n + 1;
    } while (true);
}

void content_put(GByteArray *out, const uint8_t *data, size_t len, bool *at_start) {
    for (size_t pos = 0; pos < len;) {
        const uint8_t *end = memchr(data + pos, '\n', len - pos);
        size_t line = end ? (size_t)(end - data) - pos : len - pos;
        size_t text = end && line > 0 && data[pos + line - 1] == '\r' ? line - 1 : line;
        put_line(out, data + pos, text, *at_start);
        if (end)
            append(out, "\r\n", 2);
        *at_start = end != NULL;
        pos += line + (end ? 1 : 0);
    }
}

bool content_is_8bit(const uint8_t *data, size_t len) {
    uint64_t word;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, data + i, 8);
        if (word & 0x8080808080808080u)
            return true;
    }
    for (; i < len; i++)
        if (data[i] & 0x80)
            return true;
    return false;
}

// --- From 8 to 7 bits ([RFC 6152] 3) ---

struct conversion {
    const uint8_t *data;
    size_t len, done; // copied up to here
    GString *out;
};

static void copy_to(struct conversion *c, size_t pos) {
    if (pos > c->done)
        g_string_append_len(c->out, (const char *)c->data + c->done, (gssize)(pos - c->done));
    c->done = MAX(c->done, pos);
}

// The part's header without Content-Transfer-Encoding, then the new one.
static void put_header(struct conversion *c, const struct mime_part *part, const char *encoding) {
    size_t end = part->header.pos + part->header.len;
    bool is_dropped = false, has_blank = false;
    copy_to(c, part->header.pos);
    for (size_t pos = part->header.pos; pos < end;) {
        const uint8_t *lf = memchr(c->data + pos, '\n', end - pos);
        size_t next = lf ? (size_t)(lf - c->data) + 1 : end;
        const char *line = (const char *)c->data + pos;
        has_blank = *line == '\n' || *line == '\r';
        if (has_blank)
            break;
        if (*line != ' ' && *line != '\t')
            is_dropped =
                next - pos > 26 && g_ascii_strncasecmp(line, "Content-Transfer-Encoding:", 26) == 0;
        if (!is_dropped)
            g_string_append_len(c->out, line, (gssize)(next - pos));
        pos = next;
    }
    g_string_append_printf(c->out, "Content-Transfer-Encoding: %s\r\n\r\n", encoding);
    c->done = MAX(end, part->body.pos);
}

static bool is_signed(const struct mime_part *part) {
    return strcmp(part->type, "multipart") == 0 &&
           (strcmp(part->subtype, "signed") == 0 || strcmp(part->subtype, "encrypted") == 0);
}

static bool part_is_8bit(const struct conversion *c, struct mime_span span) {
    return span.pos <= c->len && span.len <= c->len - span.pos &&
           content_is_8bit(c->data + span.pos, span.len);
}

static void convert_leaf(struct conversion *c, const struct mime_part *part) {
    bool is_binary = part->encoding == MIME_BINARY;
    if (!part_is_8bit(c, part->body) && !is_binary)
        return;
    const uint8_t *body = c->data + part->body.pos;
    bool is_text = strcmp(part->type, "text") == 0 && !memchr(body, 0, part->body.len);
    put_header(c, part, is_text ? "quoted-printable" : "base64");
    if (is_text)
        mime_put_quoted_printable(c->out, (const char *)body, part->body.len);
    else
        mime_put_base64(c->out, body, part->body.len);
    c->done = part->body.pos + part->body.len;
}

// A container says 7bit once what it holds is; only an encoding that would be wrong is rewritten.
static void convert_container(struct conversion *c, const struct mime_part *part) {
    if (part->encoding == MIME_8BIT || part->encoding == MIME_BINARY)
        put_header(c, part, "7bit");
}

GBytes *content_to_7bit(const uint8_t *data, size_t len) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, data, len);
    struct conversion c = {.data = data, .len = len, .out = g_string_sized_new(len + len / 4)};
    bool is_possible = !part_is_8bit(&c, m->root->header);
    // In the order in which parts stand; the tree is walked without recursion.
    for (const struct mime_part *part = m->root; part && is_possible;) {
        if (is_signed(part) && part_is_8bit(&c, part->body))
            is_possible = false;
        else if (part_is_8bit(&c, part->header))
            is_possible = false;
        else if (part->first_child)
            convert_container(&c, part);
        else
            convert_leaf(&c, part);
        if (part->first_child) {
            part = part->first_child;
            continue;
        }
        while (part && !part->next)
            part = part->parent;
        part = part ? part->next : NULL;
    }
    copy_to(&c, len);
    if (!is_possible || content_is_8bit((const uint8_t *)c.out->str, c.out->len)) {
        g_string_free(c.out, TRUE);
        return NULL;
    }
    return g_string_free_to_bytes(c.out);
}
