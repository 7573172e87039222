// Rewriting parts: the message is copied once, with other bytes for some labels and bodies.
#include "formats/mime_binary.h"

#include <string.h>

#include "formats/mime.h"

#define LABEL "Content-Transfer-Encoding"

struct rewrite {
    const struct mime_message *m;
    GString *out;
    size_t done; // of the original
};

static void copy_to(struct rewrite *w, size_t pos) {
    if (pos <= w->done)
        return;
    g_string_append_len(w->out, (const char *)w->m->data + w->done, (gssize)(pos - w->done));
    w->done = pos;
}

static void relabel(struct rewrite *w, const struct mime_part *part, const char *encoding) {
    struct mime_header h;
    size_t pos = 0;
    while (mime_header_next(w->m, part, &pos, &h)) {
        if (h.name.len != strlen(LABEL) ||
            g_ascii_strncasecmp((const char *)w->m->data + h.name.pos, LABEL, h.name.len) != 0)
            continue;
        copy_to(w, h.whole.pos);
        g_string_append_printf(w->out, LABEL ": %s\r\n", encoding);
        w->done = MAX(w->done, h.whole.pos + h.whole.len);
        return;
    }
}

static void encode_body(struct rewrite *w, const struct mime_part *part) {
    copy_to(w, part->body.pos);
    mime_put_base64(w->out, w->m->data + part->body.pos, part->body.len);
    w->done = MAX(w->done, part->body.pos + part->body.len);
}

static void visit(struct rewrite *w, const struct mime_part *part) {
    if (part->encoding != MIME_BINARY)
        return;
    if (part->first_child) {
        relabel(w, part, "8bit");
    } else if (part->body.len && memchr(w->m->data + part->body.pos, 0, part->body.len)) {
        relabel(w, part, "base64");
        encode_body(w, part);
    }
}

// Parts as they stand in the bytes.
static const struct mime_part *next_part(const struct mime_part *part) {
    if (part->first_child)
        return part->first_child;
    while (part && !part->next)
        part = part->parent;
    return part ? part->next : NULL;
}

GBytes *mime_encode_binary(const void *data, size_t len) {
    ARENA_AUTO arena = arena_new();
    struct rewrite w = {.m = mime_scan(arena, data, len), .out = g_string_sized_new(len + len / 2)};
    for (const struct mime_part *part = w.m->root; part; part = next_part(part))
        visit(&w, part);
    copy_to(&w, len);
    if (memchr(w.out->str, 0, w.out->len)) {
        g_string_free(w.out, TRUE);
        return NULL;
    }
    return g_string_free_to_bytes(w.out);
}
