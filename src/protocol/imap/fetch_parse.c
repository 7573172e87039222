// Parsing what FETCH asks for.
#include <string.h>

#include "protocol/imap/fetch.h"

static const struct {
    const char *name;
    enum fetch_kind kind;
} simple_items[] = {
    {"FLAGS", FETCH_FLAGS},       {"UID", FETCH_UID},
    {"RFC822.SIZE", FETCH_SIZE},  {"INTERNALDATE", FETCH_INTERNALDATE},
    {"MODSEQ", FETCH_MODSEQ},     {"ENVELOPE", FETCH_ENVELOPE},
    {"BODY", FETCH_BODY},         {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE},
    {"EMAILID", FETCH_EMAILID},   {"THREADID", FETCH_THREADID},
    {"SAVEDATE", FETCH_SAVEDATE}, {"PREVIEW", FETCH_PREVIEW},
};

static const struct {
    const char *name;
    enum section_kind kind;
    bool is_peek;
} rfc822_items[] = {
    {"RFC822", SECTION_ALL, false},
    {"RFC822.HEADER", SECTION_HEADER, true},
    {"RFC822.TEXT", SECTION_TEXT, false},
};

static const struct {
    const char *name;
    enum section_kind kind;
} section_texts[] = {
    {"HEADER", SECTION_HEADER}, {"HEADER.FIELDS", SECTION_FIELDS},
    {"TEXT", SECTION_TEXT},     {"HEADER.FIELDS.NOT", SECTION_FIELDS_NOT},
    {"MIME", SECTION_MIME},
};

bool fetch_has(const struct fetch_items *items, enum fetch_kind kind) {
    for (unsigned i = 0; i < items->n; i++)
        if (items->items[i].kind == kind)
            return true;
    return false;
}

void fetch_add(struct fetch_items *items, enum fetch_kind kind) {
    if (!fetch_has(items, kind)) // the array has room for what is added
        items->items[items->n++] = (struct fetch_item){.kind = kind};
}

static bool parse_part(struct imap_parser *p, struct fetch_section *s, bool *wants_text_out) {
    size_t start = p->pos, end = start;
    *wants_text_out = imap_peek(p) != ']';
    while (g_ascii_isdigit((char)MAX(imap_peek(p), 0))) {
        uint32_t number;
        if (!imap_number(p, &number))
            return false;
        if (number == 0)
            return imap_fail(p, "Invalid body section");
        end = p->pos;
        *wants_text_out = imap_accept(p, '.');
        if (!*wants_text_out)
            break;
    }
    s->part = arena_strndup(p->arena, p->data + start, end - start);
    return true;
}

static bool parse_fields(struct imap_parser *p, struct fetch_section *s) {
    s->fields = arena_alloc(p->arena, IMAP_MAX_HEADER_FIELDS * sizeof *s->fields);
    if (!imap_space(p) || !imap_expect(p, '('))
        return false;
    do {
        const char *name = imap_astring(p, NULL);
        if (!name || !*name)
            return imap_fail(p, "Invalid header field name");
        if (s->n_fields == IMAP_MAX_HEADER_FIELDS)
            return imap_fail(p, "Too many header fields");
        s->fields[s->n_fields++] = name;
    } while (imap_accept(p, ' '));
    return imap_expect(p, ')');
}

static bool parse_section_text(struct imap_parser *p, struct fetch_section *s) {
    const char *word = imap_fetch_word(p);
    if (!word)
        return false;
    unsigned i = 0;
    while (i < G_N_ELEMENTS(section_texts) && g_ascii_strcasecmp(section_texts[i].name, word) != 0)
        i++;
    if (i == G_N_ELEMENTS(section_texts))
        return imap_fail(p, "Invalid body section");
    s->kind = section_texts[i].kind;
    if (s->kind == SECTION_MIME && !*s->part)
        return imap_fail(p, "MIME needs a part");
    if (s->kind == SECTION_FIELDS || s->kind == SECTION_FIELDS_NOT)
        return parse_fields(p, s);
    return true;
}

bool fetch_parse_partial(struct imap_parser *p, struct fetch_section *s) {
    if (!imap_accept(p, '<'))
        return true;
    s->has_partial = true;
    uint32_t length;
    if (!imap_number64(p, &s->offset) || !imap_expect(p, '.') || !imap_number(p, &length))
        return false;
    if (length == 0)
        return imap_fail(p, "Invalid partial");
    s->length = length;
    return imap_expect(p, '>');
}

static bool is_plain(const char *name) {
    for (const char *c = name; *c; c++)
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_')
            return false;
    return true;
}

// The section as the answer names it; field names as the client wrote them.
static const char *make_label(struct imap_parser *p, const struct fetch_section *s) {
    g_autoptr(GString) label = g_string_new("BODY[");
    g_string_append(label, s->part);
    if (s->kind != SECTION_ALL) {
        if (*s->part)
            g_string_append_c(label, '.');
        for (unsigned i = 0; i < G_N_ELEMENTS(section_texts); i++)
            if (section_texts[i].kind == s->kind)
                g_string_append(label, section_texts[i].name);
    }
    for (unsigned i = 0; i < s->n_fields; i++) {
        g_string_append(label, i == 0 ? " (" : " ");
        if (is_plain(s->fields[i]))
            g_string_append(label, s->fields[i]);
        else
            mime_imap_nstring(s->fields[i], label);
    }
    g_string_append(label, s->n_fields ? ")]" : "]");
    if (s->has_partial)
        g_string_append_printf(label, "<%" G_GUINT64_FORMAT ">", s->offset);
    return arena_strndup(p->arena, label->str, label->len);
}

static bool parse_section(struct imap_parser *p, struct fetch_section *s) {
    bool wants_text;
    if (!parse_part(p, s, &wants_text))
        return false;
    if (wants_text && !parse_section_text(p, s))
        return false;
    if (!imap_expect(p, ']') || !fetch_parse_partial(p, s))
        return false;
    s->label = make_label(p, s);
    return true;
}

// "(LAZY)" after PREVIEW: ours are quick to make, so that it changes nothing.
static bool skip_preview_modifiers(struct imap_parser *p) {
    size_t start = p->pos;
    if (!imap_accept(p, ' ') || imap_peek(p) != '(') {
        p->pos = start;
        return true;
    }
    imap_accept(p, '(');
    return (imap_accept_word(p, "LAZY") || imap_fail(p, "Unknown PREVIEW modifier")) &&
           imap_expect(p, ')');
}

static bool parse_item(struct imap_parser *p, struct fetch_items *out) {
    const char *word = imap_fetch_word(p);
    if (!word)
        return false;
    // Room is kept for UID, FLAGS and MODSEQ, which the server adds on its own.
    if (out->n + 4 > IMAP_MAX_FETCH_ITEMS)
        return imap_fail(p, "Too many data items");
    bool is_peek = g_ascii_strcasecmp(word, "BODY.PEEK") == 0;
    if ((is_peek || g_ascii_strcasecmp(word, "BODY") == 0) && imap_accept(p, '[')) {
        struct fetch_item item = {.kind = FETCH_SECTION, .section.part = ""};
        item.section.is_peek = is_peek;
        if (!parse_section(p, &item.section))
            return false;
        out->items[out->n++] = item;
        return true;
    }
    struct fetch_item binary;
    if (fetch_parse_binary(p, word, &binary)) {
        out->items[out->n++] = binary;
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(simple_items); i++)
        if (g_ascii_strcasecmp(word, simple_items[i].name) == 0) {
            fetch_add(out, simple_items[i].kind);
            return simple_items[i].kind != FETCH_PREVIEW || skip_preview_modifiers(p);
        }
    for (unsigned i = 0; i < G_N_ELEMENTS(rfc822_items); i++)
        if (g_ascii_strcasecmp(word, rfc822_items[i].name) == 0) {
            struct fetch_item item = {.kind = FETCH_SECTION};
            item.section = (struct fetch_section){.kind = rfc822_items[i].kind,
                                                  .part = "",
                                                  .is_peek = rfc822_items[i].is_peek,
                                                  .label = rfc822_items[i].name};
            out->items[out->n++] = item;
            return true;
        }
    return imap_fail(p, "Unknown data item");
}

static bool parse_macro(struct imap_parser *p, struct fetch_items *out) {
    static const struct {
        const char *name;
        enum fetch_kind last; // of those in order below
    } macros[] = {{"ALL", FETCH_ENVELOPE}, {"FAST", FETCH_SIZE}, {"FULL", FETCH_BODY}};
    static const enum fetch_kind order[] = {FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE,
                                            FETCH_ENVELOPE, FETCH_BODY};
    for (unsigned i = 0; i < G_N_ELEMENTS(macros); i++) {
        if (!imap_accept_word(p, macros[i].name))
            continue;
        for (unsigned k = 0; k < G_N_ELEMENTS(order); k++) {
            fetch_add(out, order[k]);
            if (order[k] == macros[i].last)
                return true;
        }
    }
    return false;
}

bool fetch_parse(struct imap_parser *p, struct fetch_items *out) {
    // As many items as there can be in what is left, at least those of a macro and the added ones.
    size_t room = MIN((p->len - p->pos) / 2 + 12, IMAP_MAX_FETCH_ITEMS);
    out->items = arena_alloc(p->arena, room * sizeof *out->items);
    out->n = 0;
    if (parse_macro(p, out))
        return true;
    if (!imap_accept(p, '('))
        return parse_item(p, out);
    do {
        if (!parse_item(p, out))
            return false;
    } while (imap_accept(p, ' '));
    return imap_expect(p, ')');
}
