// Uuencoded files in the text of a body become attachments ([MS-OXCMAIL] 2.2.3.4.1.5). They stay
// ranges of the original; so does the text when it is all before them.
#include "convert/convert_internal.h"
#include "formats/uuencode.h"

#define MAX_REST (1024u * 1024) // text between and behind the files that is copied

static bool is_blank(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isspace(text[i]))
            return false;
    return true;
}

static void add_file(struct reading *r, const struct mime_part *part, const char *charset,
                     const struct uuencoded *u) {
    const char *text = (const char *)r->mime->data + part->body.pos;
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    const char *name = mime_to_utf8(r->arena, text + u->name_pos, u->name_len, charset, NULL);
    set_attachment_names(r, a->bag, name, "dat");
    const char *dot = strrchr(name, '.');
    const char *type = dot ? type_of_extension(dot + 1) : NULL;
    bag_set_str(a->bag, PidTagAttachMimeTag, type ? type : "application/octet-stream");
    set_attachment_defaults(a->bag, u->size);
    a->external = (struct prop_external){
        .pos = part->body.pos + u->pos, .len = u->len, .encoding = MIME_UUENCODE};
    g_ptr_array_add(r->message->attachments, a);
}

// The text without the files: a range of the original, or a copy.
static void set_text(struct reading *r, const struct mime_part *part, const char *charset,
                     size_t first, const GString *rest) {
    if (rest->len == 0) {
        struct prop_value v = {
            .tag = PidTagBody,
            .is_external = true,
            .external = {.pos = part->body.pos, .len = first, .charset = charset}};
        bag_set(r->message->bag, &v);
        return;
    }
    const char *text = (const char *)r->mime->data + part->body.pos;
    g_autoptr(GString) all = g_string_new_len(text, (gssize)first);
    g_string_append_len(all, rest->str, (gssize)rest->len);
    bag_set_str(r->message->bag, PidTagBody,
                mime_to_utf8(r->arena, all->str, all->len, charset, NULL));
}

bool read_uuencoded(struct reading *r, const struct mime_part *part, const char *charset) {
    const char *text = (const char *)r->mime->data + part->body.pos;
    size_t len = part->body.len, pos = 0, first = 0, total = 0;
    struct uuencoded u;
    // Inside another encoding nobody does it, and looking would mean to decode.
    if (part->encoding == MIME_BASE64 || part->encoding == MIME_QUOTED_PRINTABLE ||
        !uuencoded_find(text, len, 0, &u))
        return false;
    first = u.pos;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof u);
    g_autoptr(GString) rest = g_string_new(NULL);
    while (uuencoded_find(text, len, pos, &u) &&
           r->message->attachments->len + found->len < CONVERT_MAX_ATTACHMENTS) {
        if (found->len > 0 && !is_blank(text + pos, u.pos - pos))
            g_string_append_len(rest, text + pos, (gssize)(u.pos - pos));
        g_array_append_val(found, u);
        pos = u.pos + u.len;
        total += u.len;
    }
    if (!is_blank(text + pos, len - pos))
        g_string_append_len(rest, text + pos, (gssize)(len - pos));
    // Copying much text would cost what ranges save.
    if (rest->len > 0 && len - total > MAX_REST)
        return false;
    for (guint i = 0; i < found->len; i++)
        add_file(r, part, charset, &g_array_index(found, struct uuencoded, i));
    if (first == 0 && rest->len == 0)
        bag_set_str(r->message->bag, PidTagBody, "");
    else
        set_text(r, part, charset, first, rest);
    return true;
}
