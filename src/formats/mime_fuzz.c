// Any bytes as a message: the scan, and everything that is made of it, at the cost of asserting
// what the header promises (spans inside the data, linear memory, limits).
#include <stdlib.h>
#include <string.h>

#include "formats/mime_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok)
        abort();
}

static void walk(struct arena *arena, const struct mime_message *m, const struct mime_part *part) {
    require(part->depth < MIME_MAX_DEPTH);
    require(part->header.pos + part->header.len <= part->body.pos);
    require(part->body.pos + part->body.len <= m->len);
    // An outer delimiter right behind a part's header: the empty line is the header's, and is the
    // delimiter's line end too.
    if (part->parent)
        require(part->header.pos >= part->parent->body.pos &&
                part->body.pos + part->body.len <=
                    part->parent->body.pos + part->parent->body.len + 2);
    g_autoptr(GBytes) body = mime_decode_body(m, part);
    require(g_bytes_get_size(body) <= part->body.len);
    const char *charset = mime_param(part->params, part->n_params, "charset");
    size_t len;
    const char *text =
        mime_to_utf8(arena, g_bytes_get_data(body, NULL), g_bytes_get_size(body), charset, &len);
    require(g_utf8_validate(text, (gssize)len, NULL) && text[len] == 0);
    const char *name = mime_filename(part);
    require(!name || g_utf8_validate(name, -1, NULL));
    struct mime_header h;
    for (size_t pos = 0; mime_header_next(m, part, &pos, &h);) {
        require(h.whole.pos >= part->header.pos &&
                h.whole.pos + h.whole.len <= part->header.pos + part->header.len);
        require(h.value.pos + h.value.len <= h.whole.pos + h.whole.len);
    }
    const char *subject = mime_header_text(arena, m, part, "subject", NULL);
    require(!subject || g_utf8_validate(subject, -1, NULL));
    for (const struct mime_part *c = part->first_child; c; c = c->next)
        walk(arena, m, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, data, size);
    require(m->n_parts <= MIME_MAX_PARTS);
    walk(arena, m, m->root);
    g_autoptr(GString) out = g_string_new(NULL);
    mime_imap_envelope(m, m->root, out);
    mime_imap_bodystructure(m, false, out);
    mime_imap_bodystructure(m, true, out);
    mime_find(m, "1.2.1");
    return 0;
}
