// Caseless substring search. Pure ASCII needles use Horspool's algorithm directly on the message's
// bytes wherever no transfer encoding stands in the way; only text that is not ASCII is folded.
#include "mailbox/search_text.h"

#include <string.h>

#include "base/text.h"

#define FOLD_WINDOW 16384 // bytes of text folded at a time: folding needs many times the memory

static const uint8_t *lower_table(void) {
    static uint8_t table[256];
    static gsize made;
    if (g_once_init_enter(&made)) {
        for (unsigned i = 0; i < 256; i++)
            table[i] = i < 128 ? (uint8_t)g_ascii_tolower((gchar)i) : (uint8_t)i;
        g_once_init_leave(&made, 1);
    }
    return table;
}

struct search_needle *search_needle_new(struct arena *arena, const char *text) {
    struct search_needle *n = arena_alloc0(arena, sizeof *n);
    n->folded = text_fold(arena, text);
    n->len = strlen(n->folded);
    n->is_ascii = text_is_ascii(n->folded, n->len);
    for (unsigned i = 0; i < 256; i++)
        n->skip[i] = (uint32_t)MAX(n->len, 1);
    const uint8_t *lower = lower_table();
    for (size_t i = 0; i + 1 < n->len; i++) {
        uint8_t c = (uint8_t)n->folded[i];
        uint32_t distance = (uint32_t)(n->len - 1 - i);
        n->skip[c] = distance;
        // The table is asked with bytes of the text as they are, so both cases get the distance.
        for (unsigned other = 'A'; n->is_ascii && other <= 'Z'; other++)
            if (lower[other] == c)
                n->skip[other] = distance;
    }
    return n;
}

static bool find_ascii(const struct search_needle *n, const uint8_t *text, size_t len) {
    if (n->len == 0)
        return true;
    const uint8_t *lower = lower_table(), *needle = (const uint8_t *)n->folded;
    size_t last = n->len - 1;
    for (size_t i = last; i < len;) {
        uint8_t c = text[i];
        if (lower[c] == needle[last]) {
            const uint8_t *start = text + i - last;
            size_t k = 0;
            while (k < last && lower[start[k]] == needle[k])
                k++;
            if (k == last)
                return true;
        }
        i += n->skip[c];
    }
    return false;
}

static size_t char_start(const char *text, size_t pos) {
    while (pos > 0 && ((uint8_t)text[pos] & 0xC0) == 0x80)
        pos--;
    return pos;
}

// Windows overlap by more than the needle can be long before folding.
static bool find_folded(const struct search_needle *n, struct arena *scratch, const char *text,
                        size_t len) {
    size_t overlap = n->len * 4 + 64, pos = 0;
    for (;;) {
        size_t window = MIN(len - pos, FOLD_WINDOW + overlap);
        if (pos + window < len)
            window = char_start(text, pos + window) - pos;
        ARENA_AUTO arena = arena_new();
        char *folded = text_fold(arena, arena_strndup(arena, text + pos, window));
        if (strstr(folded, n->folded))
            return true;
        if (pos + window >= len)
            return false;
        pos = char_start(text, pos + window - overlap);
    }
}

bool search_needle_in(const struct search_needle *n, struct arena *scratch, const void *data,
                      size_t len) {
    if (n->len == 0 || n->is_ascii)
        return find_ascii(n, data, len);
    if (text_is_ascii(data, len))
        return false;
    return find_folded(n, scratch, data, len);
}

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

struct search_needle *search_needle_new_squeezed(struct arena *arena, const char *text) {
    char *squeezed = arena_alloc(arena, strlen(text) + 1), *out = squeezed;
    for (; *text; text++) {
        bool is_space = *text == ' ' || *text == '\t';
        if (!is_space)
            *out++ = *text;
        else if (out == squeezed || out[-1] != ' ')
            *out++ = ' ';
    }
    *out = 0;
    return search_needle_new(arena, squeezed);
}

bool search_needle_in_header(const struct search_needle *n, struct arena *scratch,
                             const char *value, size_t len) {
    size_t text_len;
    const char *text = header_text(scratch, value, len, true, &text_len);
    return search_needle_in(n, scratch, text, text_len);
}

bool search_needle_in_fields(const struct search_needle *n, struct arena *scratch,
                             const struct mime_message *m, const char *name) {
    size_t pos = 0, len = strlen(name);
    const char *data = (const char *)m->data;
    struct mime_header h;
    while (mime_header_next(m, m->root, &pos, &h))
        if (h.name.len == len && g_ascii_strncasecmp(data + h.name.pos, name, len) == 0 &&
            search_needle_in_header(n, scratch, data + h.value.pos, h.value.len))
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

bool search_needle_in_headers(const struct search_needle *n, struct arena *scratch,
                              const struct mime_message *m, const struct mime_part *part) {
    const char *data = (const char *)m->data;
    char *text;
    size_t len;
    if (plain_block(scratch, data + part->header.pos, part->header.len, &text, &len))
        return search_needle_in(n, scratch, text, len);
    size_t pos = 0;
    struct mime_header h;
    while (mime_header_next(m, part, &pos, &h)) {
        const char *field = header_text(scratch, data + h.whole.pos, h.whole.len, false, &len);
        if (search_needle_in(n, scratch, field, len))
            return true;
    }
    return false;
}

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

static bool in_text(const struct search_needle *n, struct arena *scratch, const void *data,
                    size_t len, const char *charset) {
    if (is_ascii_superset(charset)) {
        if (n->is_ascii)
            return find_ascii(n, data, len);
        if (text_is_ascii(data, len))
            return false;
    }
    size_t text_len;
    const char *text = mime_to_utf8(scratch, data, len, charset, &text_len);
    return search_needle_in(n, scratch, text, text_len);
}

static bool in_part(const struct search_needle *n, struct arena *scratch,
                    const struct mime_message *m, const struct mime_part *part) {
    if (part->parent && strcmp(part->parent->type, "message") == 0 &&
        search_needle_in_headers(n, scratch, m, part))
        return true;
    if (strcmp(part->type, "text") != 0)
        return false;
    const char *charset = mime_param(part->params, part->n_params, "charset");
    if (part->encoding == MIME_7BIT || part->encoding == MIME_8BIT ||
        part->encoding == MIME_BINARY || part->encoding == MIME_UNKNOWN_ENCODING)
        return in_text(n, scratch, m->data + part->body.pos, part->body.len, charset);
    g_autoptr(GBytes) decoded = mime_decode_body(m, part);
    gsize len;
    const void *data = g_bytes_get_data(decoded, &len);
    return in_text(n, scratch, data, len, charset);
}

bool search_needle_in_bodies(const struct search_needle *n, struct arena *scratch,
                             const struct mime_message *m) {
    const struct mime_part *part = m->root;
    while (part) {
        if (in_part(n, scratch, m, part))
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
