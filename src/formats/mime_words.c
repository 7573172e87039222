// Encoded words in header values ([RFC 2047]): decoding, with what mail programs get wrong.
//
// Adjacent words of one charset are joined as bytes before they are converted, since many programs
// cut multibyte characters between words. Words stuck to other text, inside quotes and with spaces
// in them are decoded too; what is no word at all stays as it is.
#include <string.h>

#include "formats/mime_internal.h"

struct word {
    char charset[64];
    bool is_base64;
    const char *text;
    size_t len;
    const char *end;
};

// Reads a word at `p`, which begins with "=?".
static bool parse_word(const char *p, bool *closed, struct word *out) {
    const char *charset = p + 2;
    size_t n = 0;
    while (charset[n] && charset[n] != '?' && !mime_is_space(charset[n]) && n < 64)
        n++;
    if (n == 0 || n >= sizeof out->charset || charset[n] != '?')
        return false;
    char e = charset[n + 1];
    if ((e != 'B' && e != 'b' && e != 'Q' && e != 'q') || charset[n + 2] != '?')
        return false;
    const char *text = charset + n + 3;
    const char *end = strstr(text, "?=");
    if (!end) {
        *closed = false;
        return false;
    }
    memcpy(out->charset, charset, n);
    out->charset[n] = 0;
    out->is_base64 = e == 'B' || e == 'b';
    out->text = text;
    out->len = (size_t)(end - text);
    out->end = end + 2;
    return true;
}

const char *mime_encoded_word_end(const char *p, bool *closed) {
    struct word word;
    if (!*closed || p[0] != '=' || p[1] != '?' || !parse_word(p, closed, &word))
        return NULL;
    return word.end;
}

static void append_q(const char *text, size_t len, GString *out) {
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '_') {
            c = ' ';
        } else if (c == '=' && i + 2 < len) {
            int hi = mime_hex_value(text[i + 1]), lo = mime_hex_value(text[i + 2]);
            if (hi >= 0 && lo >= 0) {
                c = (char)(hi << 4 | lo);
                i += 2;
            }
        }
        g_string_append_c(out, c);
    }
}

static void append_b(const char *text, size_t len, GString *out) {
    size_t old = out->len;
    g_string_set_size(out, old + len);
    size_t made = mime_base64_decode((const uint8_t *)text, len, (uint8_t *)out->str + old);
    g_string_truncate(out, old + made);
}

// Bytes of words that wait for more of the same charset.
struct pending {
    GString *bytes;
    char charset[64];
    bool is_open;
};

static void append_text(const char *text, GString *out) {
    // A decoded line end would start a header field when the text is written out again.
    for (; *text; text++)
        g_string_append_c(out, (unsigned char)*text < ' ' && *text != '\t' ? ' ' : *text);
}

static void flush(struct arena *arena, struct pending *p, GString *out) {
    if (!p->is_open)
        return;
    append_text(mime_to_utf8(arena, p->bytes->str, p->bytes->len, p->charset, NULL), out);
    g_string_truncate(p->bytes, 0);
    p->is_open = false;
}

static void append_raw(struct arena *arena, const char *s, size_t len, const char *fallback,
                       GString *out) {
    const char *charset = mime_is_utf8(s, len) ? "utf-8" : fallback ? fallback : "windows-1252";
    append_text(mime_to_utf8(arena, s, len, charset, NULL), out);
}

static bool is_plain(const char *s) {
    for (; *s; s++)
        if ((unsigned char)*s >= 0x7f || ((unsigned char)*s < ' ' && *s != '\t') ||
            (*s == '=' && s[1] == '?'))
            return false;
    return true;
}

char *mime_decode_words(struct arena *arena, const char *raw, const char *fallback_charset) {
    if (is_plain(raw))
        return arena_strdup(arena, raw);
    g_autoptr(GString) out = g_string_sized_new(strlen(raw));
    g_autoptr(GString) bytes = g_string_new(NULL);
    struct pending pending = {.bytes = bytes};
    struct word word;
    bool closed = true;
    const char *p = raw, *text = raw; // text: since the last word
    while (closed && (p = strstr(p, "=?"))) {
        if (!parse_word(p, &closed, &word)) {
            p += 2;
            continue;
        }
        const char *gap = text;
        while (pending.is_open && gap < p && mime_is_space(*gap))
            gap++;
        bool is_adjacent = pending.is_open && gap == p;
        if (!is_adjacent || g_ascii_strcasecmp(pending.charset, word.charset) != 0)
            flush(arena, &pending, out);
        if (!is_adjacent)
            append_raw(arena, text, (size_t)(p - text), fallback_charset, out);
        pending.is_open = true;
        g_strlcpy(pending.charset, word.charset, sizeof pending.charset);
        if (word.is_base64)
            append_b(word.text, word.len, bytes);
        else
            append_q(word.text, word.len, bytes);
        p = text = word.end;
    }
    flush(arena, &pending, out);
    append_raw(arena, text, strlen(text), fallback_charset, out);
    return arena_strndup(arena, out->str, out->len);
}
