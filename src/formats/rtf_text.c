// Reads RTF for its text or for the HTML inside it. Groups are kept on a stack of limited depth;
// text is collected as bytes of one charset and made UTF-8 when the charset changes.
#include "formats/rtf_text.h"

#include <string.h>

#include "formats/mime.h"
#include "formats/rtf_internal.h"

#define MAX_DEPTH 512 // groups deeper than this share the state of the last one
#define MAX_FONTS 4096
#define HEADER_TOKENS 10 // [MS-OXRTFEX] 2.1.3.1

enum destination {
    SHOWN,
    HIDDEN,     // nothing in it is text
    FONT_TABLE, // read for the charsets of fonts
    HTML_TAG,   // \*\htmltag: HTML, when that is wanted
};

struct state {
    enum destination destination;
    bool is_optional;    // \* was read and the destination's word is to come
    bool is_invisible;   // \v
    bool is_html_rtf;    // \htmlrtf: RTF that stands for HTML found elsewhere
    int32_t uc;          // characters to skip after \uN
    const char *charset; // of bytes; static
    unsigned style;      // bits, in the order of style_tags
};

static const char *const style_tags[] = {"b", "i", "u", "s"};
enum { BOLD = 1, ITALIC = 2, UNDERLINED = 4, STRUCK = 8 };

struct rtf {
    bool wants_html; // the HTML inside
    bool makes_html; // of the text
    unsigned style;  // whose tags are open in the output
    const char *line_end;
    GString *out;
    struct state stack[MAX_DEPTH];
    unsigned depth;    // of the current group; may be more than MAX_DEPTH - 1
    GByteArray *bytes; // text not yet converted
    const char *bytes_charset;
    struct arena *scratch;
    uint16_t lead;     // a high surrogate that waits for its other half
    int32_t skip;      // characters to skip, of the last \uN
    GHashTable *fonts; // number -> charset
    int32_t default_font;
    int32_t font; // being read in the font table
    const char *ansi_charset;
};

static struct state *now(struct rtf *r) {
    return &r->stack[MIN(r->depth, MAX_DEPTH - 1)];
}

// --- Output ---

static const char *escaped(unsigned char c) {
    return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
}

static void append_clean(struct rtf *r, const char *s, size_t len) {
    GString *out = r->out;
    for (const char *end = s + len; s < end; s = g_utf8_next_char(s)) {
        unsigned char c = (unsigned char)*s;
        if (r->makes_html && escaped(c))
            g_string_append(out, escaped(c));
        else if (c == '\t' || (c >= 0x20 && c < 0x7F))
            g_string_append_c(out, (char)c);
        else if (c >= 0x80 && g_utf8_get_char(s) >= 0xA0)
            g_string_append_len(out, s, g_utf8_next_char(s) - s);
    }
}

static void flush_bytes(struct rtf *r) {
    if (r->bytes->len == 0)
        return;
    size_t len;
    char *text = mime_to_utf8(r->scratch, r->bytes->data, r->bytes->len, r->bytes_charset, &len);
    append_clean(r, text, len);
    arena_reset(r->scratch);
    g_byte_array_set_size(r->bytes, 0);
}

static void drop_lead(struct rtf *r) {
    if (r->lead)
        g_string_append(r->out, "\xEF\xBF\xBD");
    r->lead = 0;
}

// Makes the text that comes stand inside the tags of its style.
static void switch_style(struct rtf *r, unsigned style) {
    if (!r->makes_html || r->style == style)
        return;
    flush_bytes(r);
    for (unsigned i = G_N_ELEMENTS(style_tags); i-- > 0;)
        if (r->style & 1u << i)
            g_string_append_printf(r->out, "</%s>", style_tags[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(style_tags); i++)
        if (style & 1u << i)
            g_string_append_printf(r->out, "<%s>", style_tags[i]);
    r->style = style;
}

static void put_bytes(struct rtf *r, const uint8_t *data, size_t len) {
    const char *charset = now(r)->charset;
    drop_lead(r);
    switch_style(r, now(r)->style);
    if (charset != r->bytes_charset)
        flush_bytes(r);
    r->bytes_charset = charset;
    g_byte_array_append(r->bytes, data, (guint)len);
}

static void put_string(struct rtf *r, const char *s) {
    flush_bytes(r);
    drop_lead(r);
    switch_style(r, now(r)->style);
    g_string_append(r->out, s);
}

static void put_unicode(struct rtf *r, int32_t number) {
    uint16_t unit = (uint16_t)number;
    flush_bytes(r);
    if (unit >= 0xDC00 && unit < 0xE000 && r->lead) {
        gunichar c = 0x10000u + ((r->lead & 0x3FFu) << 10 | (unit & 0x3FFu));
        r->lead = 0;
        g_string_append_unichar(r->out, c);
        return;
    }
    drop_lead(r);
    switch_style(r, now(r)->style);
    if (unit >= 0xD800 && unit < 0xDC00)
        r->lead = unit;
    else if (unit >= 0xDC00 && unit < 0xE000)
        g_string_append(r->out, "\xEF\xBF\xBD");
    else {
        char utf8[7];
        append_clean(r, utf8, (size_t)g_unichar_to_utf8(unit, utf8));
    }
}

// Whether text at this place belongs to the output.
static bool is_shown(struct rtf *r) {
    const struct state *s = now(r);
    if (r->wants_html)
        return s->destination == HTML_TAG || (s->destination == SHOWN && !s->is_html_rtf);
    return s->destination == SHOWN && !s->is_invisible;
}

// --- Words ---

// Text that a control word stands for.
static const struct {
    const char *word, *text, *html;
} characters[] = {
    {"tab", "\t", "\t"},
    {"emdash", "\xE2\x80\x94", "&mdash;"},
    {"endash", "\xE2\x80\x93", "&ndash;"},
    {"lquote", "\xE2\x80\x98", "&lsquo;"},
    {"rquote", "\xE2\x80\x99", "&rsquo;"},
    {"ldblquote", "\xE2\x80\x9C", "&ldquo;"},
    {"rdblquote", "\xE2\x80\x9D", "&rdquo;"},
    {"bullet", "\xE2\x80\xA2", "&bull;"},
    {"emspace", " ", "&emsp;"},
    {"enspace", " ", "&ensp;"},
    {"qmspace", " ", " "},
    {"cell", "\t", ""},
    {"nestcell", "\t", ""},
};

static const char *const line_ends[] = {"par", "line", "sect", "page", "column", "row", "nestrow"};

// Destinations without text of the body; those with \* need not stand here.
static const char *const hidden[] = {
    "colortbl",   "stylesheet",
    "info",       "pict",
    "objdata",    "nonshppict",
    "header",     "headerl",
    "headerr",    "headerf",
    "footer",     "footerl",
    "footerr",    "footerf",
    "filetbl",    "listtable",
    "revtbl",     "rsidtbl",
    "generator",  "fldinst",
    "datafield",  "xe",
    "tc",         "rxe",
    "bkmkstart",  "bkmkend",
    "themedata",  "fontemb",
    "fontfile",   "private1",
    "annotation", "atnid",
    "atnauthor",  "listoverridetable",
};

// Optional destinations that are shown nonetheless.
static const char *const shown_optional[] = {"shptxt", "shprslt", "result", "pntext", "listtext"};

static bool is_among(const char *word, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

static void open_html_tag(struct rtf *r, struct state *s) {
    s->destination = r->wants_html ? HTML_TAG : HIDDEN;
    s->charset = r->ansi_charset; // fonts do not count in it
}

static bool read_destination(struct rtf *r, const struct rtf_token *t) {
    struct state *s = now(r);
    bool is_optional = s->is_optional;
    s->is_optional = false;
    if (s->destination == HIDDEN)
        return true;
    if (strcmp(t->word, "fonttbl") == 0)
        s->destination = FONT_TABLE;
    else if (is_optional && strcmp(t->word, "htmltag") == 0)
        open_html_tag(r, s);
    else if (is_among(t->word, hidden, G_N_ELEMENTS(hidden)))
        s->destination = HIDDEN;
    else if (is_optional && s->destination != FONT_TABLE &&
             !is_among(t->word, shown_optional, G_N_ELEMENTS(shown_optional)))
        s->destination = HIDDEN;
    else
        return false;
    return true;
}

// In the font table: \f0 begins a font, \fcharset and \cpg say its charset.
static void read_font(struct rtf *r, const struct rtf_token *t) {
    const char *charset = NULL;
    if (strcmp(t->word, "f") == 0)
        r->font = t->number;
    else if (strcmp(t->word, "fcharset") == 0)
        charset = rtf_charset_of_font(t->number);
    else if (strcmp(t->word, "cpg") == 0)
        charset = rtf_charset_of_code_page(t->number);
    if (charset && g_hash_table_size(r->fonts) < MAX_FONTS)
        g_hash_table_insert(r->fonts, GINT_TO_POINTER(r->font), (gpointer)charset);
}

static void set_font(struct rtf *r, int32_t number) {
    const char *charset = g_hash_table_lookup(r->fonts, GINT_TO_POINTER(number));
    now(r)->charset = charset ? charset : r->ansi_charset;
}

static void set_plain(struct rtf *r) {
    now(r)->is_invisible = false;
    now(r)->style = 0;
    set_font(r, r->default_font);
}

static void set_ansi(struct rtf *r, int32_t code_page) {
    const char *charset = rtf_charset_of_code_page(code_page);
    if (charset)
        r->ansi_charset = now(r)->charset = charset;
}

static bool read_style(struct state *s, const char *word, bool is_on) {
    static const struct {
        const char *word;
        unsigned bit;
    } styles[] = {{"b", BOLD}, {"i", ITALIC}, {"ul", UNDERLINED}, {"strike", STRUCK}};
    if (strcmp(word, "ulnone") == 0)
        s->style &= ~(unsigned)UNDERLINED;
    for (size_t i = 0; i < G_N_ELEMENTS(styles); i++)
        if (strcmp(word, styles[i].word) == 0) {
            s->style = is_on ? s->style | styles[i].bit : s->style & ~styles[i].bit;
            return true;
        }
    return false;
}

// Words that set something; false: it is none of them.
static bool read_setting(struct rtf *r, const struct rtf_token *t) {
    struct state *s = now(r);
    bool is_on = !t->has_number || t->number != 0;
    if (read_style(s, t->word, is_on))
        return true;
    if (strcmp(t->word, "uc") == 0)
        s->uc = CLAMP(t->number, 0, 1000);
    else if (strcmp(t->word, "f") == 0)
        set_font(r, t->number);
    else if (strcmp(t->word, "deff") == 0)
        r->default_font = t->number;
    else if (strcmp(t->word, "plain") == 0)
        set_plain(r);
    else if (strcmp(t->word, "v") == 0)
        s->is_invisible = is_on;
    else if (strcmp(t->word, "htmlrtf") == 0)
        s->is_html_rtf = is_on;
    else if (strcmp(t->word, "ansicpg") == 0)
        set_ansi(r, t->number);
    else if (strcmp(t->word, "mac") == 0)
        set_ansi(r, 10000);
    else if (strcmp(t->word, "pc") == 0)
        set_ansi(r, 437);
    else if (strcmp(t->word, "pca") == 0)
        set_ansi(r, 850);
    else
        return false;
    return true;
}

static bool is_character(const char *word) {
    for (size_t i = 0; i < G_N_ELEMENTS(characters); i++)
        if (strcmp(word, characters[i].word) == 0)
            return true;
    return false;
}

static void put_word(struct rtf *r, const struct rtf_token *t) {
    for (size_t i = 0; i < G_N_ELEMENTS(characters); i++)
        if (strcmp(t->word, characters[i].word) == 0) {
            bool is_html = r->wants_html && now(r)->destination == SHOWN;
            put_string(r, is_html ? characters[i].html : characters[i].text);
            return;
        }
    if (is_among(t->word, line_ends, G_N_ELEMENTS(line_ends)))
        put_string(r, r->line_end);
}

static void read_unicode(struct rtf *r, int32_t number) {
    if (is_shown(r))
        put_unicode(r, number);
    r->skip = now(r)->uc;
}

static void read_word(struct rtf *r, const struct rtf_token *t) {
    if (read_destination(r, t))
        return;
    if (now(r)->destination == FONT_TABLE)
        read_font(r, t);
    else if (read_setting(r, t))
        return;
    else if (strcmp(t->word, "u") == 0)
        read_unicode(r, t->number);
    else if (is_shown(r))
        put_word(r, t);
}

static void read_symbol(struct rtf *r, uint8_t symbol) {
    if (symbol == '*') {
        now(r)->is_optional = true;
        return;
    }
    if (!is_shown(r))
        return;
    switch (symbol) {
    case '\\':
    case '{':
    case '}':
        put_bytes(r, &symbol, 1);
        break;
    case '~':
        put_string(r, r->wants_html || r->makes_html ? "&nbsp;" : " ");
        break;
    case '_':
        put_string(r, r->wants_html ? "&shy;" : "-");
        break;
    case '\r':
    case '\n':
        put_string(r, r->line_end);
        break;
    case '\t':
        put_string(r, "\t");
        break;
    }
}

// --- Groups ---

static void open_group(struct rtf *r) {
    r->skip = 0;
    if (r->depth + 1 < MAX_DEPTH) {
        r->stack[r->depth + 1] = r->stack[r->depth];
        r->stack[r->depth + 1].is_optional = false;
    }
    r->depth++;
}

static void close_group(struct rtf *r) {
    r->skip = 0;
    bool is_table = now(r)->destination == FONT_TABLE;
    r->depth -= r->depth > 0;
    if (is_table && now(r)->destination == SHOWN)
        set_font(r, r->default_font);
}

// --- Tokens ---

// What \uN left to skip: each byte, control word or symbol is one character.
static bool is_skipped(struct rtf *r, struct rtf_token *t) {
    if (r->skip == 0 || t->kind == RTF_OPEN || t->kind == RTF_CLOSE)
        return false;
    if (t->kind == RTF_TEXT) {
        size_t n = MIN((size_t)r->skip, t->len);
        t->data += n;
        t->len -= n;
        r->skip -= (int32_t)n;
        return t->len == 0;
    }
    // Other words would be lost: some writers count wrong.
    if (t->kind == RTF_WORD && !is_character(t->word))
        return false;
    r->skip--;
    return true;
}

static void read_token(struct rtf *r, struct rtf_token *t) {
    if (is_skipped(r, t))
        return;
    switch (t->kind) {
    case RTF_OPEN:
        open_group(r);
        break;
    case RTF_CLOSE:
        close_group(r);
        break;
    case RTF_WORD:
        read_word(r, t);
        break;
    case RTF_SYMBOL:
        read_symbol(r, t->byte);
        break;
    case RTF_HEX:
        if (is_shown(r))
            put_bytes(r, &t->byte, 1);
        break;
    case RTF_TEXT:
        if (is_shown(r))
            put_bytes(r, t->data, t->len);
        break;
    case RTF_BINARY:
        break;
    }
}

static struct rtf_reader reader_of(const void *rtf, size_t len) {
    const uint8_t *p = len > 0 ? rtf : (const void *)"";
    return (struct rtf_reader){p, p + len};
}

enum wanted { WANTS_TEXT, WANTS_HTML, MAKES_HTML };

static char *run(struct arena *arena, const void *rtf, size_t len, enum wanted wanted,
                 const char *line_end, size_t max, size_t *len_out) {
    ARENA_AUTO scratch = arena_new();
    struct rtf *r = g_new0(struct rtf, 1);
    r->wants_html = wanted == WANTS_HTML;
    r->makes_html = wanted == MAKES_HTML;
    r->line_end = line_end;
    r->scratch = scratch;
    r->out = g_string_sized_new(MIN(len / 2, max));
    r->bytes = g_byte_array_new();
    r->fonts = g_hash_table_new(NULL, NULL);
    r->ansi_charset = rtf_charset_of_code_page(1252);
    r->stack[0] = (struct state){.uc = 1, .charset = r->ansi_charset};
    struct rtf_reader reader = reader_of(rtf, len);
    struct rtf_token t;
    while (r->out->len + r->bytes->len < max && rtf_next(&reader, &t)) {
        t.len = MIN(t.len, max);
        read_token(r, &t);
    }
    flush_bytes(r);
    drop_lead(r);
    switch_style(r, 0);
    if (r->makes_html) {
        g_string_prepend(r->out, "<html><body>\r\n");
        g_string_append(r->out, "</body></html>\r\n");
    }
    char *out = arena_strndup(arena, r->out->str, r->out->len);
    if (len_out)
        *len_out = r->out->len;
    g_string_free(r->out, TRUE);
    g_byte_array_unref(r->bytes);
    g_hash_table_unref(r->fonts);
    g_free(r);
    return out;
}

enum rtf_source rtf_source(const void *rtf, size_t len) {
    struct rtf_reader reader = reader_of(rtf, len);
    struct rtf_token t;
    for (unsigned i = 0; i < HEADER_TOKENS && rtf_next(&reader, &t); i++) {
        if (i == 0 && t.kind != RTF_OPEN)
            break;
        if (i == 1 && (t.kind != RTF_WORD || strcmp(t.word, "rtf") != 0))
            break;
        if (t.kind == RTF_WORD && strcmp(t.word, "fromhtml") == 0 && t.number == 1)
            return RTF_FROM_HTML;
        if (t.kind == RTF_WORD && strcmp(t.word, "fromtext") == 0)
            return RTF_FROM_TEXT;
        if (t.kind == RTF_TEXT || t.kind == RTF_HEX)
            break;
    }
    return RTF_OF_ITS_OWN;
}

char *rtf_to_text(struct arena *arena, const void *rtf, size_t len, const char *line_end,
                  size_t max, size_t *len_out) {
    return run(arena, rtf, len, WANTS_TEXT, line_end, max, len_out);
}

char *rtf_to_html(struct arena *arena, const void *rtf, size_t len, size_t max, size_t *len_out) {
    bool is_inside = rtf_source(rtf, len) == RTF_FROM_HTML;
    return run(arena, rtf, len, is_inside ? WANTS_HTML : MAKES_HTML,
               is_inside ? "\r\n" : "<br>\r\n", max, len_out);
}
