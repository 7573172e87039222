// How a message begins: the first text part of what its first bytes show.
#include <string.h>

#include "formats/html_text.h"
#include "formats/mime.h"
#include "mailbox/identity.h"
#include "mailbox/mailbox_internal.h"

#define LOOKED_AT (64 * 1024) // bytes of the message
#define TEXT_MAX (8 * 1024)   // bytes of text that are looked at
#define PARTS_MAX 100         // parts passed over

static bool is_attachment(const struct mime_part *p) {
    return p->disposition && strcmp(p->disposition, "attachment") == 0;
}

// The first text to be read, in the order of the parts; plain text goes before others of the same
// alternative because it comes first there.
static const struct mime_part *find_text(const struct mime_message *m) {
    const struct mime_part *p = m->root;
    for (unsigned n = 0; p && n < PARTS_MAX; n++) {
        bool is_text = strcmp(p->type, "text") == 0 && !is_attachment(p);
        if (is_text && (strcmp(p->subtype, "plain") == 0 || strcmp(p->subtype, "html") == 0))
            return p;
        bool goes_down = p->first_child && !is_attachment(p);
        while (!goes_down && p && !p->next)
            p = p->parent;
        p = goes_down ? p->first_child : p ? p->next : NULL;
    }
    return NULL;
}

static const char *text_of(struct arena *arena, const struct mime_message *m,
                           const struct mime_part *p) {
    g_autoptr(GBytes) body = mime_decode_body(m, p);
    gsize len;
    const void *data = g_bytes_get_data(body, &len);
    const char *charset = mime_param(p->params, p->n_params, "charset");
    if (strcmp(p->subtype, "html") == 0)
        return html_to_text(arena, data, len, charset, HTML_TEXT_WORDS, TEXT_MAX, NULL);
    return mime_to_utf8(arena, data, MIN(len, TEXT_MAX), charset, NULL);
}

// Runs of white space are one space; signs of quoting at the beginning of lines stay.
static const char *squeeze(struct arena *arena, const char *text) {
    g_autoptr(GString) out = g_string_new(NULL);
    bool wants_space = false;
    unsigned n = 0;
    for (const char *c = text; *c && n < MAILBOX_PREVIEW_MAX; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);
        if (g_unichar_isspace(u) || g_unichar_iscntrl(u)) {
            wants_space = out->len > 0;
            continue;
        }
        if (wants_space && ++n == MAILBOX_PREVIEW_MAX)
            break;
        if (wants_space)
            g_string_append_c(out, ' ');
        wants_space = false;
        g_string_append_unichar(out, u);
        n++;
    }
    return arena_strndup(arena, out->str, out->len);
}

enum ec mailbox_read_preview(struct mailbox_reader *r, uint64_t mid, struct arena *arena,
                             const char **out) {
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(mailbox_read_mime_range(r, mid, 0, LOOKED_AT, &bytes));
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    const struct mime_message *m = mime_scan(arena, data, len);
    const struct mime_part *p = find_text(m);
    *out = p ? squeeze(arena, text_of(arena, m, p)) : "";
    return EC_OK;
}
