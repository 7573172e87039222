// ENVELOPE and BODYSTRUCTURE as IMAP shows them ([RFC 3501] 7.4.2, 9; [RFC 9051] 7.5.2).
#include <string.h>

#include "formats/mime_internal.h"

#define MAX_QUOTED 1024 // longer strings become literals

void mime_imap_nstring(const char *s, GString *out) {
    if (!s) {
        g_string_append(out, "NIL");
        return;
    }
    size_t len = 0;
    bool is_literal = false, has_special = false;
    for (; s[len]; len++) {
        unsigned char c = (unsigned char)s[len];
        is_literal |= c >= 0x80 || c == '\r' || c == '\n';
        has_special |= c == '"' || c == '\\';
    }
    if (is_literal || len > MAX_QUOTED) {
        g_string_append_printf(out, "{%zu}\r\n", len);
        g_string_append_len(out, s, (gssize)len);
        return;
    }
    g_string_append_c(out, '"');
    if (!has_special)
        g_string_append_len(out, s, (gssize)len);
    else
        for (size_t i = 0; i < len; i++) {
            if (s[i] == '"' || s[i] == '\\')
                g_string_append_c(out, '\\');
            g_string_append_c(out, s[i]);
        }
    g_string_append_c(out, '"');
}

static void put_nstring(const char *s, GString *out) {
    g_string_append_c(out, ' ');
    mime_imap_nstring(s, out);
}

static void put_number(size_t n, GString *out) {
    g_string_append_printf(out, " %zu", n);
}

// --- ENVELOPE ---

enum { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID, N_FIELDS };

static const char *const field_names[N_FIELDS] = {"date",        "subject",   "from", "sender",
                                                  "reply-to",    "to",        "cc",   "bcc",
                                                  "in-reply-to", "message-id"};

static bool is_address_field(int i) {
    return i >= FROM && i <= BCC;
}

static void put_addresses(struct arena *arena, const char *raw, GString *out) {
    struct mime_address *list = raw ? mime_parse_addresses(arena, raw) : NULL;
    if (!list) {
        g_string_append(out, "NIL");
        return;
    }
    g_string_append_c(out, '(');
    for (const struct mime_address *a = list; a; a = a->next) {
        g_string_append_c(out, '(');
        mime_imap_nstring(a->raw_name, out);
        put_nstring(a->route, out);
        put_nstring(a->mailbox, out);
        put_nstring(a->domain, out);
        g_string_append_c(out, ')');
    }
    g_string_append_c(out, ')');
}

// The envelope's fields of one header, unfolded. The first of several counts, except that address
// fields are read as one list, so that no address can hide from who looks at another.
static void collect_fields(struct arena *arena, const struct mime_message *m,
                           const struct mime_part *part, const char *fields[N_FIELDS]) {
    struct mime_header h;
    size_t total[N_FIELDS] = {0};
    GString *merged[N_FIELDS] = {NULL};
    for (size_t pos = 0; mime_header_next(m, part, &pos, &h);) {
        const uint8_t *name = m->data + h.name.pos;
        if (h.name.len < 2 || h.name.len > 11 || !strchr("dsfrtcbim", name[0] | 0x20))
            continue;
        int i = 0;
        while (i < N_FIELDS && !mime_name_is(name, h.name.len, field_names[i]))
            i++;
        if (i == N_FIELDS || (fields[i] && (!is_address_field(i) || total[i] >= MIME_MAX_FIELD)))
            continue;
        const char *value = mime_unfold(arena, m->data + h.value.pos, h.value.len, MIME_MAX_FIELD);
        total[i] += strlen(value) + 2;
        if (!fields[i]) {
            fields[i] = value;
            continue;
        }
        if (!merged[i])
            merged[i] = g_string_new(fields[i]);
        g_string_append(merged[i], ", ");
        g_string_append(merged[i], value);
    }
    for (int i = 0; i < N_FIELDS; i++)
        if (merged[i]) {
            fields[i] = arena_strndup(arena, merged[i]->str, merged[i]->len);
            g_string_free(merged[i], TRUE);
        }
}

void mime_imap_envelope(const struct mime_message *m, const struct mime_part *part, GString *out) {
    ARENA_AUTO arena = arena_new();
    const char *fields[N_FIELDS] = {NULL};
    if (part)
        collect_fields(arena, m, part, fields);
    g_string_append_c(out, '(');
    mime_imap_nstring(fields[DATE], out);
    put_nstring(fields[SUBJECT], out);
    g_string_append_c(out, ' ');
    size_t from = out->len;
    put_addresses(arena, fields[FROM], out);
    size_t from_len = out->len - from;
    for (int i = SENDER; i <= BCC; i++) {
        g_string_append_c(out, ' ');
        size_t start = out->len;
        put_addresses(arena, fields[i], out);
        bool is_nil = out->len - start == 3 && memcmp(out->str + start, "NIL", 3) == 0;
        if (is_nil && (i == SENDER || i == REPLY_TO)) {
            g_string_truncate(out, start);
            g_autofree char *copy = g_strndup(out->str + from, from_len);
            g_string_append_len(out, copy, (gssize)from_len);
        }
    }
    put_nstring(fields[IN_REPLY_TO], out);
    put_nstring(fields[MESSAGE_ID], out);
    g_string_append_c(out, ')');
}

// --- BODYSTRUCTURE ---

static void put_params(const struct mime_param *params, unsigned n, GString *out) {
    bool any = false;
    for (unsigned i = 0; i < n; i++) {
        if (!params[i].raw)
            continue;
        g_string_append_c(out, any ? ' ' : '(');
        mime_imap_nstring(params[i].name, out);
        put_nstring(params[i].raw, out);
        any = true;
    }
    g_string_append(out, any ? ")" : "NIL");
}

static void put_language(const char *language, GString *out) {
    if (!language) {
        g_string_append(out, " NIL");
        return;
    }
    const char *separator = " (";
    for (const char *p = language; *p;) {
        size_t n = strcspn(p, ", \t");
        if (n > 0) {
            g_autofree char *tag = g_strndup(p, n);
            g_string_append(out, separator);
            mime_imap_nstring(tag, out);
            separator = " ";
        }
        p += n + (p[n] != 0);
    }
    g_string_append(out, separator[1] ? " NIL" : ")");
}

// " disposition language location"
static void put_extension(const struct mime_part *part, GString *out) {
    if (part->disposition) {
        g_string_append(out, " (");
        mime_imap_nstring(part->disposition, out);
        g_string_append_c(out, ' ');
        put_params(part->disposition_params, part->n_disposition_params, out);
        g_string_append_c(out, ')');
    } else {
        g_string_append(out, " NIL");
    }
    put_language(part->language, out);
    put_nstring(part->location, out);
}

static void put_empty_text(bool extended, GString *out) {
    g_string_append(out, "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 0 0");
    g_string_append(out, extended ? " NIL NIL NIL NIL)" : ")");
}

static void put_part(const struct mime_message *m, const struct mime_part *part, bool extended,
                     GString *out);

static void put_multipart(const struct mime_message *m, const struct mime_part *part, bool extended,
                          GString *out) {
    for (const struct mime_part *child = part->first_child; child; child = child->next)
        put_part(m, child, extended, out);
    if (!part->first_child)
        put_empty_text(extended, out);
    put_nstring(part->subtype, out);
    if (extended) {
        g_string_append_c(out, ' ');
        put_params(part->params, part->n_params, out);
        put_extension(part, out);
    }
}

static void put_single(const struct mime_message *m, const struct mime_part *part, bool extended,
                       GString *out) {
    bool is_text = strcmp(part->type, "text") == 0;
    bool is_message = strcmp(part->type, "message") == 0 &&
                      (strcmp(part->subtype, "rfc822") == 0 || part->first_child);
    mime_imap_nstring(part->type, out);
    put_nstring(part->subtype, out);
    g_string_append_c(out, ' ');
    put_params(part->params, part->n_params, out);
    put_nstring(part->content_id, out);
    put_nstring(part->description, out);
    put_nstring(part->encoding_name, out);
    put_number(part->body.len, out);
    if (is_message) {
        g_string_append_c(out, ' ');
        mime_imap_envelope(m, part->first_child, out);
        g_string_append_c(out, ' ');
        if (part->first_child)
            put_part(m, part->first_child, extended, out);
        else
            put_empty_text(extended, out);
    }
    if (is_text || is_message)
        put_number(part->body_lines, out);
    if (extended) {
        put_nstring(part->md5, out);
        put_extension(part, out);
    }
}

// Recursion is as deep as the tree: MIME_MAX_DEPTH.
static void put_part(const struct mime_message *m, const struct mime_part *part, bool extended,
                     GString *out) {
    g_string_append_c(out, '(');
    if (strcmp(part->type, "multipart") == 0)
        put_multipart(m, part, extended, out);
    else
        put_single(m, part, extended, out);
    g_string_append_c(out, ')');
}

void mime_imap_bodystructure(const struct mime_message *m, bool extended, GString *out) {
    put_part(m, m->root, extended, out);
}
