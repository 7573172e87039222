// A part of the message as an attachment ([MS-OXCMAIL] 2.2.3.4): names, type, content, dates. The
// content is not copied: it is a range of the original.
#include "convert/convert_internal.h"

#define MAX_NAME 255 // bytes of a file name

// A file name as it may be shown and saved: no folders, no characters that Windows refuses.
static char *clean_name(struct arena *arena, const char *name) {
    const char *base = name;
    for (const char *p = name; *p; p++)
        if ((*p == '/' || *p == '\\') && p[1])
            base = p + 1;
    size_t len = strlen(base);
    if (len > MAX_NAME) {
        len = MAX_NAME;
        while (len > 0 && ((unsigned char)base[len] & 0xC0) == 0x80)
            len--;
    }
    char *out = arena_strndup(arena, base, len);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < ' ' || strchr("/\\:*?\"<>|", *p))
            *p = '_';
    return g_strstrip(out);
}

// The name as DOS had it, which old clients look at ([MS-OXCMSG] 2.2.2.11).
static char *short_name(struct arena *arena, const char *name) {
    const char *dot = strrchr(name, '.');
    size_t base_len = dot ? (size_t)(dot - name) : strlen(name);
    char base[9], ext[4];
    size_t n = 0, kept = 0;
    bool is_changed = base_len > 8 || (dot && strlen(dot + 1) > 3);
    for (size_t i = 0; i < base_len && n < 8; i++) {
        if (g_ascii_isalnum(name[i]) || strchr("_-~$", name[i]))
            base[n++] = name[i];
        else
            is_changed = true;
    }
    for (const char *p = dot ? dot + 1 : ""; *p && kept < 3; p++)
        if (g_ascii_isalnum(*p))
            ext[kept++] = *p;
    if (is_changed)
        n = MIN(n, 6);
    return arena_printf(arena, "%.*s%s%s%.*s", (int)n, base, is_changed ? "~1" : "",
                        kept ? "." : "", (int)kept, ext);
}

void set_attachment_names(struct reading *r, struct bag *bag, const char *name,
                          const char *extension) {
    char *clean = name ? clean_name(r->arena, name) : NULL;
    if (!clean || !*clean)
        clean = arena_printf(r->arena, "ATT%05u.%s", ++r->unnamed, extension);
    const char *dot = strrchr(clean, '.');
    bag_set_str(bag, PidTagAttachLongFilename, clean);
    bag_set_str(bag, PidTagAttachFilename, short_name(r->arena, clean));
    bag_set_str(bag, PidTagAttachExtension, dot ? dot : "");
    bag_set_str(bag, PidTagDisplayName, clean);
}

static void set_embedded_names(struct reading *r, struct bag *bag, const struct mime_part *part) {
    const char *subject =
        part->first_child ? mime_header_text(r->arena, r->mime, part->first_child, "subject", NULL)
                          : NULL;
    const char *name = mime_filename(part);
    bag_set_str(bag, PidTagDisplayName,
                subject && *subject ? subject : (name ? clean_name(r->arena, name) : "Message"));
    if (name)
        bag_set_str(bag, PidTagAttachLongFilename, clean_name(r->arena, name));
}

// "<id>" without its brackets.
static const char *bare_id(struct arena *arena, const char *id) {
    id += strspn(id, "< \t");
    return arena_strndup(arena, id, strcspn(id, "> \t"));
}

static void set_dates(struct bag *bag, const struct mime_part *part) {
    static const struct {
        const char *param;
        proptag_t tag;
    } dates[] = {{"creation-date", PidTagCreationTime},
                 {"modification-date", PidTagLastModificationTime}};
    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        const char *raw =
            mime_param(part->disposition_params, part->n_disposition_params, dates[i].param);
        int64_t t;
        if (raw && mime_parse_date(raw, &t, NULL))
            bag_set_time(bag, dates[i].tag, filetime_from_unix(t));
    }
}

static size_t decoded_size(const struct mime_part *part) {
    size_t len = part->body.len;
    if (part->encoding != MIME_BASE64)
        return len;
    size_t ends = MIN(len, (size_t)part->body_lines * 2);
    return (len - ends) / 4 * 3;
}

static void set_type(struct reading *r, struct bag *bag, const struct mime_part *part) {
    g_autofree char *type = g_strconcat(part->type, "/", part->subtype, NULL);
    if (g_utf8_validate(type, -1, NULL))
        bag_set_str(bag, PidTagAttachMimeTag, type);
    const char *charset = mime_param(part->params, part->n_params, "charset");
    if (charset && part_is(part, "text", NULL))
        bag_set_str(bag, PidTagTextAttachmentCharset, charset);
    if (part->content_id)
        bag_set_str(bag, PidTagAttachContentId,
                    mime_decode_words(r->arena, bare_id(r->arena, part->content_id), NULL));
    if (part->location)
        bag_set_str(bag, PidTagAttachContentLocation,
                    mime_decode_words(r->arena, part->location, NULL));
    bag_set_str(bag, PidTagAttachContentBase,
                mime_header_text(r->arena, r->mime, part, "content-base", NULL));
}

void set_attachment_defaults(struct bag *bag, size_t size) {
    bag_set_long(bag, PidTagRenderingPosition, -1);
    bag_set_long(bag, PidTagAttachFlags, 0);
    bag_set_long(bag, PidTagAttachSize, (int32_t)MIN(size, (size_t)INT32_MAX));
}

struct attachment_value *read_attachment(struct reading *r, const struct mime_part *part) {
    if (r->message->attachments->len >= CONVERT_MAX_ATTACHMENTS)
        return NULL;
    struct attachment_value *a = attachment_value_new();
    bool is_embedded = part_is(part, "message", "rfc822") || part_is(part, "message", "global");
    bag_set_long(a->bag, PidTagAttachMethod, is_embedded ? ATTACH_EMBEDDED : ATTACH_BY_VALUE);
    if (is_embedded) {
        set_embedded_names(r, a->bag, part);
    } else {
        const char *ext = extension_of_type(part->type, part->subtype);
        set_attachment_names(r, a->bag, mime_filename(part),
                             ext                           ? ext
                             : part_is(part, "text", NULL) ? "txt"
                                                           : "dat");
    }
    set_type(r, a->bag, part);
    set_dates(a->bag, part);
    set_attachment_defaults(a->bag, decoded_size(part));
    if (part->body.len > 0)
        a->external = (struct prop_external){
            .pos = part->body.pos, .len = part->body.len, .encoding = (uint8_t)part->encoding};
    else
        a->data = g_bytes_new_static("", 0);
    g_ptr_array_add(r->message->attachments, a);
    return a;
}
