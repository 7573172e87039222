// Which parts are the message's bodies and which its attachments ([MS-OXCMAIL] 2.2.3.3.2, 2.2.3.4),
// and the message class that its structure gives ([MS-OXCMAIL] 2.2.2, [MS-OXOSMIME] 2.1).
#include "convert/convert_internal.h"

#define MAX_FLOWED (1024u * 1024)         // flowed text is made into lines up to this size
#define MAX_LOCATIONS 50                  // Content-Locations looked for in the HTML
#define MAX_CONVERTED (16u * 1024 * 1024) // HTML whose charset has no code page

struct bodies {
    const struct mime_part *text, *html;
};

static bool is_attachment(const struct mime_part *part) {
    return part->disposition && strcmp(part->disposition, "attachment") == 0;
}

// The part of a multipart/related that the others belong to.
static const struct mime_part *related_root(const struct mime_part *part) {
    const char *start = mime_param(part->params, part->n_params, "start");
    for (const struct mime_part *c = start ? part->first_child : NULL; c; c = c->next)
        if (c->content_id && strcmp(c->content_id, start) == 0)
            return c;
    return part->first_child;
}

// The first part, in reading order, that qualifies; an alternative gives both.
static void find_bodies(const struct mime_part *part, struct bodies *b) {
    if (part_is(part, "multipart", "related")) {
        const struct mime_part *root = related_root(part);
        if (root)
            find_bodies(root, b);
    } else if (part_is(part, "multipart", "alternative")) {
        for (const struct mime_part *c = part->first_child; c; c = c->next) {
            struct bodies one = {0};
            find_bodies(c, &one);
            b->text = b->text ? b->text : one.text;
            b->html = b->html ? b->html : one.html;
        }
    } else if (part_is(part, "multipart", NULL)) {
        for (const struct mime_part *c = part->first_child; c && !b->text && !b->html; c = c->next)
            find_bodies(c, b);
    } else if (is_attachment(part)) {
        return;
    } else if (part_is(part, "text", "plain")) {
        b->text = part;
    } else if (part_is(part, "text", "html")) {
        b->html = part;
    }
}

// --- Text ---

// Joins the lines of flowed text ([RFC 3676] 4.1, 4.2).
static char *unflow(struct arena *arena, const char *s, bool del_sp) {
    g_autoptr(GString) out = g_string_sized_new(strlen(s));
    bool is_open = false; // the last line flows on
    size_t open_depth = 0;
    while (*s) {
        size_t len = strcspn(s, "\n"), depth = 0;
        const char *next = s + len + (s[len] != 0);
        if (len > 0 && s[len - 1] == '\r')
            len--;
        while (depth < len && s[depth] == '>')
            depth++;
        const char *text = s + depth;
        size_t n = len - depth;
        if (n > 0 && *text == ' ') // space-stuffed
            text++, n--;
        bool is_signature = n == 3 && memcmp(text, "-- ", 3) == 0;
        bool flows = n > 0 && text[n - 1] == ' ' && !is_signature;
        if (is_open && (depth != open_depth || is_signature)) {
            g_string_append(out, "\r\n");
            is_open = false;
        }
        if (!is_open) {
            for (size_t i = 0; i < depth; i++)
                g_string_append_c(out, '>');
            if (depth > 0)
                g_string_append_c(out, ' ');
        }
        g_string_append_len(out, text, (gssize)(flows && del_sp ? n - 1 : n));
        is_open = flows;
        open_depth = depth;
        if (!flows)
            g_string_append(out, "\r\n");
        s = next;
    }
    return arena_strndup(arena, out->str, out->len);
}

static const char *part_charset(const struct mime_part *part) {
    const char *charset = mime_param(part->params, part->n_params, "charset");
    return charset && *charset ? charset : "us-ascii";
}

static void set_external(struct bag *bag, proptag_t tag, const struct mime_part *part,
                         const char *charset) {
    struct prop_value v = {.tag = tag,
                           .is_external = true,
                           .external = {.pos = part->body.pos,
                                        .len = part->body.len,
                                        .encoding = (uint8_t)part->encoding,
                                        .charset = charset}};
    bag_set(bag, &v);
}

static void set_text_body(struct reading *r, const struct mime_part *part) {
    struct bag *bag = r->message->bag;
    const char *format = mime_param(part->params, part->n_params, "format");
    if (part->body.len == 0) {
        bag_set_str(bag, PidTagBody, "");
    } else if (read_uuencoded(r, part, part_charset(part))) {
        return;
    } else if (format && g_ascii_strcasecmp(format, "flowed") == 0 &&
               part->body.len <= MAX_FLOWED) {
        const char *delsp = mime_param(part->params, part->n_params, "delsp");
        g_autoptr(GBytes) bytes = mime_decode_body(r->mime, part);
        const char *text = mime_to_utf8(r->arena, g_bytes_get_data(bytes, NULL),
                                        g_bytes_get_size(bytes), part_charset(part), NULL);
        bag_set_str(bag, PidTagBody,
                    unflow(r->arena, text, delsp && g_ascii_strcasecmp(delsp, "yes") == 0));
    } else {
        set_external(bag, PidTagBody, part, part_charset(part));
    }
}

// --- HTML ---

// The charset that HTML says itself, of the first bytes; NULL: none.
static char *meta_charset(struct arena *arena, const char *html, size_t len) {
    len = MIN(len, 2048);
    for (size_t i = 0; i + 8 < len; i++) {
        if ((html[i] | 0x20) != 'c' || g_ascii_strncasecmp(html + i, "charset=", 8) != 0)
            continue;
        i += 8;
        while (i < len && strchr("\"' ", html[i]) && html[i])
            i++;
        size_t n = 0;
        while (i + n < len && n < 40 &&
               (g_ascii_isalnum(html[i + n]) || strchr("-_.:", html[i + n])) && html[i + n])
            n++;
        return n ? arena_strndup(arena, html + i, n) : NULL;
    }
    return NULL;
}

// HTML stays in its charset, which its code page tells. Where the header says no charset the HTML
// itself is asked; one without a code page is made UTF-8.
static void set_html_body(struct reading *r, const struct mime_part *part) {
    struct bag *bag = r->message->bag;
    const char *charset = part_charset(part);
    unsigned codepage = codepage_of_charset(charset);
    bool is_ascii = codepage == 20127;
    bool is_wide = codepage == 0 && part->body.len <= MAX_CONVERTED;
    if (part->body.len > 0 && (is_ascii || is_wide)) {
        g_autoptr(GBytes) bytes = mime_decode_body(r->mime, part);
        gsize len;
        const char *html = g_bytes_get_data(bytes, &len);
        if (is_ascii) {
            bool is_utf8 = g_utf8_validate_len(html, len, NULL);
            codepage = is_utf8 ? 0 : codepage_of_charset(meta_charset(r->arena, html, len));
            if (codepage == 0)
                codepage = is_utf8 ? 65001 : 1252;
        } else {
            size_t n;
            const char *text = mime_to_utf8(r->arena, html, len, charset, &n);
            bag_set_bytes(bag, PidTagHtml, text, n);
            bag_set_long(bag, PidTagInternetCodepage, 65001);
            return;
        }
    }
    if (part->body.len == 0)
        bag_set_bytes(bag, PidTagHtml, "", 0);
    else
        set_external(bag, PidTagHtml, part, NULL);
    bag_set_long(bag, PidTagInternetCodepage, (int32_t)(codepage ? codepage : 65001));
}

// Where the body's own part says what it is called ([MS-OXCMSG] 2.2.1.58.7, 2.2.1.58.8).
static void set_body_names(struct reading *r, const struct mime_part *body) {
    if (body->content_id) {
        const char *id = body->content_id + strspn(body->content_id, "< ");
        bag_set_str(
            r->message->bag, PidTagBodyContentId,
            mime_decode_words(r->arena, arena_strndup(r->arena, id, strcspn(id, "> ")), NULL));
    }
    if (body->location)
        bag_set_str(r->message->bag, PidTagBodyContentLocation,
                    mime_decode_words(r->arena, body->location, NULL));
}

static void set_bodies(struct reading *r, const struct bodies *b) {
    if (b->html)
        set_html_body(r, b->html);
    if (b->text)
        set_text_body(r, b->text);
    if (b->text && !b->html) {
        unsigned codepage = codepage_of_charset(part_charset(b->text));
        bag_set_long(r->message->bag, PidTagInternetCodepage,
                     (int32_t)(codepage ? codepage : 65001));
    }
    bag_set_long(r->message->bag, PidTagNativeBody, b->html ? 3 : b->text ? 1 : 0);
    if (b->html || b->text)
        set_body_names(r, b->html ? b->html : b->text);
    if (b->html || b->text)
        bag_set_bool(r->message->bag, PidTagRtfInSync, false);
}

// --- Attachments ---

struct inline_candidates {
    struct attachment_value *items[CONVERT_MAX_ATTACHMENTS];
    unsigned n;
};

static void collect_attachments(struct reading *r, const struct mime_part *part,
                                const struct bodies *b, struct inline_candidates *inlines) {
    if (part == b->text || part == b->html || part == r->report)
        return;
    if (part_is(part, "multipart", NULL)) {
        for (const struct mime_part *c = part->first_child; c; c = c->next)
            collect_attachments(r, c, b, inlines);
        return;
    }
    const struct mime_part *parent = part->parent;
    bool has_body = b->text || b->html;
    // Further renditions of the same text, and empty texts that lists and scanners leave, are not
    // shown as attachments.
    if (parent && part_is(parent, "multipart", "alternative") && part_is(part, "text", NULL) &&
        !part_is(part, "text", "calendar") && !is_attachment(part) && has_body)
        return;
    if (part_is(part, "text", NULL) && part->body.len == 0 && !mime_filename(part) && has_body)
        return;
    if (read_tnef(r, part))
        return;
    struct attachment_value *a = read_attachment(r, part);
    if (a && parent && b->html && (part->content_id || part->location) &&
        (part_is(parent, "multipart", "related") ||
         (part_is(part, "image", NULL) && !is_attachment(part))))
        inlines->items[inlines->n++] = a;
}

// The ids of all "cid:" addresses in the HTML, as keys of a set; one pass, however many there are.
static GHashTable *shown_ids(const char *html, size_t len) {
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const char *p = html, *end = html + len;
         p && (p = memmem(p, (size_t)(end - p), "cid:", 4));) {
        const char *start = p += 4;
        while (p < end && !strchr("\"'<>() \t\r\n", *p)) // NUL too
            p++;
        char *id = g_uri_unescape_segment(start, p, NULL);
        g_hash_table_add(ids, id ? id : g_strndup(start, (size_t)(p - start)));
    }
    return ids;
}

// A relative Content-Location with the Content-Base it stands on; NULL: it has none ([RFC 2110]
// 4.2).
static const char *whole_location(struct reading *r, const struct bag *bag, const char *location) {
    const char *base = bag_str(bag, PidTagAttachContentBase);
    if (!base)
        base = bag_str(r->message->bag, PidNameContentBase);
    return base && !strstr(location, "://") ? arena_printf(r->arena, "%s%s", base, location) : NULL;
}

static bool is_in(const char *html, size_t len, const char *s) {
    return s && *s && memmem(html, len, s, strlen(s)) != NULL;
}

// Marks those that the HTML shows, which are then no attachments to the eye ([MS-OXCMAIL]
// 2.2.3.4.1.4.1).
static void mark_inline(struct reading *r, const struct bodies *b,
                        const struct inline_candidates *inlines) {
    if (inlines->n == 0)
        return;
    g_autoptr(GBytes) bytes = mime_decode_body(r->mime, b->html);
    gsize len = MIN(g_bytes_get_size(bytes), CONVERT_MAX_HTML_LOOK);
    const char *html = len ? g_bytes_get_data(bytes, NULL) : "";
    g_autoptr(GHashTable) ids = shown_ids(html, len);
    unsigned hidden = 0, looked = 0;
    for (unsigned i = 0; i < inlines->n; i++) {
        struct bag *bag = inlines->items[i]->bag;
        const char *id = bag_str(bag, PidTagAttachContentId);
        const char *location = bag_str(bag, PidTagAttachContentLocation);
        bool is_shown = id && *id && g_hash_table_contains(ids, id);
        if (!is_shown && location && *location && looked++ < MAX_LOCATIONS)
            is_shown =
                is_in(html, len, location) || is_in(html, len, whole_location(r, bag, location));
        if (!is_shown)
            continue;
        bag_set_long(bag, PidTagAttachFlags, ATTACH_FLAG_RENDERED);
        bag_set_bool(bag, PidTagAttachmentHidden, true);
        hidden++;
    }
    if (hidden > 0 && hidden == r->message->attachments->len)
        bag_set_bool(r->message->bag, PidLidSmartNoAttach, true);
}

// --- Message classes ---

static bool has_extension(const char *name, const char *extension) {
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot && g_ascii_strcasecmp(dot + 1, extension) == 0;
}

static bool is_opaque_smime(const struct mime_part *root) {
    return part_is(root, "application", "pkcs7-mime") ||
           part_is(root, "application", "x-pkcs7-mime") ||
           (part_is(root, "application", "octet-stream") &&
            has_extension(mime_filename(root), "p7m"));
}

static bool is_clear_signed(const struct mime_part *root) {
    const char *protocol = mime_param(root->params, root->n_params, "protocol");
    return part_is(root, "multipart", "signed") && protocol &&
           strcasestr(protocol, "pkcs7-signature") && root->first_child;
}

// A clear-signed message keeps its whole entity as the one attachment, so that the signature can be
// checked; its content type is the only header field the entity needs.
static void attach_signed_entity(struct reading *r) {
    const struct mime_part *root = r->mime->root;
    g_autoptr(GString) entity = g_string_new(NULL);
    const char *type = mime_header_raw(r->arena, r->mime, root, "content-type");
    mime_put_raw_header(entity, "Content-Type", type);
    g_string_append(entity, "\r\n");
    g_string_append_len(entity, (const char *)r->mime->data + root->body.pos,
                        (gssize)root->body.len);
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    bag_set_str(a->bag, PidTagAttachMimeTag, "multipart/signed");
    bag_set_str(a->bag, PidTagAttachLongFilename, "SMIME.p7m");
    bag_set_str(a->bag, PidTagAttachFilename, "SMIME.p7m");
    bag_set_str(a->bag, PidTagAttachExtension, ".p7m");
    bag_set_str(a->bag, PidTagDisplayName, "SMIME.p7m");
    bag_set_long(a->bag, PidTagRenderingPosition, -1);
    bag_set_long(a->bag, PidTagAttachFlags, 0);
    bag_set_long(a->bag, PidTagAttachSize, (int32_t)MIN(entity->len, (size_t)INT32_MAX));
    a->data = g_string_free_to_bytes(g_steal_pointer(&entity));
    g_ptr_array_add(r->message->attachments, a);
}

// What the field Content-Class says the message is ([MS-OXCMAIL] 2.2.3.2.1).
static const char *class_of_content(struct reading *r) {
    static const struct {
        const char *content, *class;
    } classes[] = {
        {"fax", "IPM.Note.Microsoft.Fax"},
        {"fax-ca", "IPM.Note.Microsoft.Fax.CA"},
        {"missedcall", "IPM.Note.Microsoft.Missed.Voice"},
        {"voice-uc", "IPM.Note.Microsoft.Conversation.Voice"},
        {"voice-ca", "IPM.Note.Microsoft.Voicemail.UM.CA"},
        {"voice", "IPM.Note.Microsoft.Voicemail.UM"},
        {"ms-oms-sms", "IPM.Note.Mobile.SMS"},
        {"ms-oms-mms", "IPM.Note.Mobile.MMS"},
    };
    static const char custom[] = "urn:content-class:custom.";
    const char *content = r->content_class;
    if (!content)
        return "IPM.Note";
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (g_ascii_strcasecmp(content, classes[i].content) == 0)
            return classes[i].class;
    if (g_ascii_strncasecmp(content, custom, sizeof custom - 1) == 0) {
        const char *own = content + sizeof custom - 1;
        size_t n = 0;
        while (own[n] > ' ' && own[n] < 0x7F)
            n++;
        if (n > 0 && n < 200 && own[n] == 0)
            return arena_printf(r->arena, "IPM.Note.Custom.%s", own);
    }
    return "IPM.Note";
}

void read_structure(struct reading *r) {
    const struct mime_part *root = r->mime->root;
    struct bodies b = {0};
    struct inline_candidates inlines;
    inlines.n = 0;
    const char *class = "IPM.Note";
    bool has_parts = false;
    if (is_clear_signed(root)) {
        class = "IPM.Note.SMIME.MultipartSigned";
        find_bodies(root->first_child, &b);
        attach_signed_entity(r);
    } else if (is_opaque_smime(root)) {
        class = "IPM.Note.SMIME";
        read_attachment(r, root);
    } else {
        const char *report = part_is(root, "multipart", "report") ? read_report(r) : NULL;
        class = report ? report : class_of_content(r);
        find_bodies(root, &b);
        has_parts = true;
    }
    bag_set_str(r->message->bag, PidTagMessageClass, class);
    set_bodies(r, &b);
    if (has_parts) // after the rest: TNEF knows some things better
        collect_attachments(r, root, &b, &inlines);
    mark_inline(r, &b, &inlines);
}
