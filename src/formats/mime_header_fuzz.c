// Any bytes as a header's value, in every reading: words, addresses, dates, parameters, ids; what
// is written out again must read back the same and stay one field.
#include <stdlib.h>
#include <string.h>

#include "formats/mime_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok) {
    if (!ok)
        abort();
}

static void require_one_field(const GString *out) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, out->str, out->len);
    struct mime_header h;
    size_t pos = 0;
    require(mime_header_next(m, m->root, &pos, &h) && h.whole.len == out->len);
}

static void check_words(struct arena *arena, const char *raw) {
    const char *text = mime_decode_words(arena, raw, NULL);
    require(g_utf8_validate(text, -1, NULL) && !strpbrk(text, "\r\n"));
    g_autoptr(GString) out = g_string_new(NULL);
    mime_put_header(out, "X", text);
    require_one_field(out);
    struct mime_message *m = mime_scan(arena, out->str, out->len);
    const char *again = mime_header_text(arena, m, m->root, "X", NULL);
    require(strcmp(text, again) == 0 || strchr(text, '\t') || strchr(text, '\x7f'));
}

static void check_addresses(struct arena *arena, const char *raw) {
    struct mime_address *list = mime_parse_addresses(arena, raw);
    for (const struct mime_address *a = list; a; a = a->next) {
        require(!a->name || g_utf8_validate(a->name, -1, NULL));
        mime_address_format(arena, a);
    }
    g_autoptr(GString) out = g_string_new(NULL);
    mime_put_addresses(out, "To", list);
    if (list)
        require_one_field(out);
}

static void check_params(struct arena *arena, const char *raw) {
    struct mime_part part = {0};
    mime_parse_content_type(arena, raw, &part);
    mime_parse_disposition(arena, raw, &part);
    require(part.type && part.subtype);
    const char *name = mime_filename(&part);
    if (!name)
        return;
    require(g_utf8_validate(name, -1, NULL));
    g_autoptr(GString) out = g_string_new("Content-Type: a/b");
    mime_put_param(out, "name", name);
    g_string_append(out, "\r\n");
    require_one_field(out);
    struct mime_message *m = mime_scan(arena, out->str, out->len);
    const char *again = mime_filename(m->root);
    // A name that looks like an encoded word is read as one again; a very long one has more pieces
    // than are read.
    require(strstr(name, "=?") || strlen(name) > 800 || (again && strcmp(name, again) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    const char *raw = mime_unfold(arena, data, size, MIME_MAX_FIELD);
    check_words(arena, raw);
    check_addresses(arena, raw);
    check_params(arena, raw);
    int64_t t = 0;
    int zone = 0;
    g_autoptr(GString) out = g_string_new(NULL);
    if (mime_parse_date(raw, &t, &zone))
        mime_put_date(out, "Date", t, zone);
    mime_parse_ids(arena, raw);
    mime_put_raw_header(out, "X", raw);
    mime_imap_nstring(raw, out);
    mime_put_quoted_printable(out, data, size);
    return 0;
}
