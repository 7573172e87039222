// Walking the texts of a message, and folding long ones piece by piece.
//
// Folding needs many times the memory of a text, so it is done in pieces that are cut where folding
// does not look across: put together they are the folded whole, whoever reads them.
#include "store/fulltext_source.h"

#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/text.h"

#define PIECE_MAX 8192    // bytes of a text folded at a time
#define BOUNDARY_LOOK 512 // bytes to go back for a good place to cut
#define FOLD_EXPANSION 18 // UTF-16 units that one can become

// --- Folding ---

// A bit for each character of the BMP: folded it contains ASCII, or nothing is left of it.
static const uint8_t *new_ascii_table(void) {
    static uint8_t table[0x10000 / 8];
    static gsize made;
    if (g_once_init_enter(&made)) {
        UErrorCode err = U_ZERO_ERROR;
        const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&err);
        for (unsigned c = 0x80; c < 0x10000 && U_SUCCESS(err); c++) {
            UChar wide = (UChar)c, folded[FOLD_EXPANSION];
            int32_t n = U16_IS_SURROGATE(c)
                            ? 1
                            : unorm2_normalize(fold, &wide, 1, folded, G_N_ELEMENTS(folded), &err);
            bool has_ascii = n == 0;
            for (int32_t i = 0; i < n && !U16_IS_SURROGATE(c); i++)
                has_ascii |= folded[i] < 0x80;
            if (has_ascii)
                table[c >> 3] |= (uint8_t)(1u << (c & 7));
        }
        g_once_init_leave(&made, 1);
    }
    return table;
}

static bool makes_new_ascii(const char *text, size_t len) {
    const uint8_t *table = new_ascii_table();
    for (size_t i = 0; i < len;) {
        UChar32 c;
        if ((uint8_t)text[i] < 0x80) {
            i++;
            continue;
        }
        U8_NEXT(text, i, len, c);
        if (c < 0)
            continue; // becomes U+FFFD
        bool is_plain = c < 0x10000
                            ? !(table[c >> 3] & 1u << (c & 7))
                            : (c >= 0x1F300 && c < 0x1FB00) || (c >= 0x20000 && c < 0x40000);
        if (!is_plain)
            return true;
    }
    return false;
}

struct folder {
    const UNormalizer2 *fold;
    UChar *wide, *folded;
    char *out;
    size_t folded_room, out_room;
};

static bool is_char_start(char c) {
    return ((uint8_t)c & 0xC0) != 0x80;
}

// Where the piece at `text` ends: before a character that folding does not join with the one before
// it.
static size_t piece_length(const struct folder *f, const char *text, size_t len) {
    if (len <= PIECE_MAX)
        return len;
    for (size_t n = PIECE_MAX; n > PIECE_MAX - BOUNDARY_LOOK; n--) {
        if (!is_char_start(text[n]))
            continue;
        UChar32 c;
        size_t i = n;
        U8_NEXT(text, i, len, c);
        if (c >= 0 && unorm2_hasBoundaryBefore(f->fold, c))
            return n;
    }
    size_t n = PIECE_MAX;
    while (n > PIECE_MAX - 4 && !is_char_start(text[n]))
        n--;
    return n;
}

// Folds a piece into f->out; false when ICU fails.
static bool fold_piece(struct folder *f, const char *text, size_t len, size_t *len_out) {
    UErrorCode err = U_ZERO_ERROR;
    int32_t units = 0, n, bytes = 0;
    u_strFromUTF8WithSub(f->wide, PIECE_MAX, &units, text, (int32_t)len, 0xFFFD, NULL, &err);
    if (U_FAILURE(err))
        return false;
    n = unorm2_normalize(f->fold, f->wide, units, f->folded, (int32_t)f->folded_room, &err);
    if (err == U_BUFFER_OVERFLOW_ERROR) {
        err = U_ZERO_ERROR;
        f->folded_room = (size_t)units * FOLD_EXPANSION;
        f->folded = g_renew(UChar, f->folded, f->folded_room);
        n = unorm2_normalize(f->fold, f->wide, units, f->folded, (int32_t)f->folded_room, &err);
    }
    if (U_FAILURE(err))
        return false;
    if (f->out_room < (size_t)n * 3 + 1) {
        f->out_room = (size_t)n * 3 + 1;
        f->out = g_realloc(f->out, f->out_room);
    }
    u_strToUTF8WithSub(f->out, (int32_t)f->out_room, &bytes, f->folded, n, 0xFFFD, NULL, &err);
    *len_out = (size_t)bytes;
    return U_SUCCESS(err);
}

static bool fold_text(struct source_sink *sink, const char *text, size_t len) {
    UErrorCode err = U_ZERO_ERROR;
    struct folder f = {.fold = unorm2_getNFKCCasefoldInstance(&err), .folded_room = PIECE_MAX * 2};
    if (U_FAILURE(err))
        return false;
    f.wide = g_new(UChar, PIECE_MAX);
    f.folded = g_new(UChar, f.folded_room);
    bool stop = false, is_first = true;
    while (len > 0 && !stop) {
        size_t n = piece_length(&f, text, len), folded_len;
        if (fold_piece(&f, text, n, &folded_len))
            stop = sink->folded(sink, f.out, folded_len, is_first);
        is_first = false;
        text += n;
        len -= n;
    }
    g_free(f.wide);
    g_free(f.folded);
    g_free(f.out);
    return stop;
}

static bool raw_text(struct source_sink *sink, const char *data, size_t len) {
    return !sink->no_raw && sink->raw(sink, data, len);
}

static bool utf8_folded(struct source_sink *sink, const char *text, size_t len) {
    if (text_is_ascii(text, len) || (sink->only_new_ascii && !makes_new_ascii(text, len)))
        return false;
    return fold_text(sink, text, len);
}

bool source_text(struct source_sink *sink, const char *text, size_t len) {
    return raw_text(sink, text, len) || utf8_folded(sink, text, len);
}

// --- Headers ---

// `value` without the line ends of folding. Encoded words and 8-bit text are decoded. With
// `squeeze` every run of white space is one space, and there is none around: how a field was folded
// or padded does not matter then.
static const char *header_text(struct arena *scratch, const char *value, size_t len, bool squeeze,
                               size_t *len_out) {
    char *text = arena_alloc(scratch, len + 1);
    size_t n = 0;
    bool is_plain = true;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)value[i];
        if (c == '\r' || c == '\n' || c == 0)
            continue;
        if (squeeze && (c == ' ' || c == '\t')) {
            if (n > 0 && text[n - 1] != ' ')
                text[n++] = ' ';
            continue;
        }
        is_plain = is_plain && c < 0x80 && !(c == '?' && n > 0 && text[n - 1] == '=');
        text[n++] = (char)c;
    }
    if (squeeze && n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = 0;
    if (is_plain) {
        *len_out = n;
        return text;
    }
    const char *decoded = mime_decode_words(scratch, text, NULL);
    *len_out = strlen(decoded);
    return decoded;
}

bool source_header_value(struct source_sink *sink, struct arena *scratch, const char *value,
                         size_t len) {
    size_t text_len;
    const char *text = header_text(scratch, value, len, true, &text_len);
    return source_text(sink, text, text_len);
}

bool source_fields(struct source_sink *sink, struct arena *scratch, const struct mime_message *m,
                   const char *name) {
    size_t pos = 0, len = name ? strlen(name) : 0;
    const char *data = (const char *)m->data;
    struct mime_header h;
    while (mime_header_next(m, m->root, &pos, &h))
        if ((!name ||
             (h.name.len == len && g_ascii_strncasecmp(data + h.name.pos, name, len) == 0)) &&
            source_header_value(sink, scratch, data + h.value.pos, h.value.len))
            return true;
    return false;
}

// The block as one unfolded text when nothing in it is encoded: the common case, one pass.
static bool plain_block(struct arena *scratch, const char *block, size_t len, char **out,
                        size_t *len_out) {
    char *text = arena_alloc(scratch, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)block[i];
        if (c >= 0x80 || (c == '?' && n > 0 && text[n - 1] == '='))
            return false;
        if (c == '\r')
            continue;
        if (c == '\n' && i + 1 < len && (block[i + 1] == ' ' || block[i + 1] == '\t'))
            continue;
        text[n++] = (char)c;
    }
    *out = text;
    *len_out = n;
    return true;
}

bool source_headers(struct source_sink *sink, struct arena *scratch, const struct mime_message *m,
                    const struct mime_part *part) {
    const char *data = (const char *)m->data;
    char *text;
    size_t len;
    if (plain_block(scratch, data + part->header.pos, part->header.len, &text, &len))
        return source_text(sink, text, len);
    size_t pos = 0;
    struct mime_header h;
    while (mime_header_next(m, part, &pos, &h)) {
        const char *field = header_text(scratch, data + h.whole.pos, h.whole.len, false, &len);
        if (source_text(sink, field, len))
            return true;
    }
    return false;
}

// --- Bodies ---

// Whether bytes below 0x80 mean ASCII in this charset.
static bool is_ascii_superset(const char *charset) {
    static const char *const prefixes[] = {"us-ascii", "ascii", "utf-8", "utf8",   "iso-8859-",
                                           "windows-", "koi8",  "latin", "gb2312", "euc-"};
    if (!charset)
        return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_ascii_strncasecmp(charset, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static bool charset_text(struct source_sink *sink, struct arena *scratch, const char *data,
                         size_t len, const char *charset) {
    size_t text_len;
    if (is_ascii_superset(charset)) {
        if (raw_text(sink, data, len))
            return true;
        if (text_is_ascii(data, len))
            return false;
        const char *text = mime_to_utf8(scratch, data, len, charset, &text_len);
        return utf8_folded(sink, text, text_len);
    }
    const char *text = mime_to_utf8(scratch, data, len, charset, &text_len);
    return source_text(sink, text, text_len);
}

static bool part_texts(struct source_sink *sink, struct arena *scratch,
                       const struct mime_message *m, const struct mime_part *part) {
    if (part->parent && strcmp(part->parent->type, "message") == 0 &&
        source_headers(sink, scratch, m, part))
        return true;
    if (strcmp(part->type, "text") != 0)
        return false;
    const char *charset = mime_param(part->params, part->n_params, "charset");
    if (part->encoding == MIME_7BIT || part->encoding == MIME_8BIT ||
        part->encoding == MIME_BINARY || part->encoding == MIME_UNKNOWN_ENCODING)
        return charset_text(sink, scratch, (const char *)m->data + part->body.pos, part->body.len,
                            charset);
    g_autoptr(GBytes) decoded = mime_decode_body(m, part);
    gsize len;
    const char *data = g_bytes_get_data(decoded, &len);
    return charset_text(sink, scratch, data ? data : "", len, charset);
}

bool source_bodies(struct source_sink *sink, struct arena *scratch, const struct mime_message *m) {
    const struct mime_part *part = m->root;
    while (part) {
        if (part_texts(sink, scratch, m, part))
            return true;
        if (part->first_child) {
            part = part->first_child;
            continue;
        }
        while (part && !part->next)
            part = part->parent;
        if (part)
            part = part->next;
    }
    return false;
}
