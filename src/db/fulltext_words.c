// Splitting texts into words: ASCII by a table, everything else by ICU.
//
// A text is taken in pieces, so that a long one needs no memory of its size. Only pieces with a
// script that has no spaces pay for the dictionaries.
#include "db/fulltext_words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#define PIECE_MAX 4096    // bytes
#define FOLD_EXPANSION 18 // UTF-16 units that one can become under NFKC

struct words {
    GString *out;
    size_t start; // of the word at hand in `out`
    bool in_word;
};

static void close_iterator(gpointer iterator) {
    ubrk_close(iterator);
}

// One a thread: opening one takes longer than using it.
static UBreakIterator *word_iterator(void) {
    static GPrivate key = G_PRIVATE_INIT(close_iterator);
    UBreakIterator *iterator = g_private_get(&key);
    if (!iterator) {
        UErrorCode err = U_ZERO_ERROR;
        iterator = ubrk_open(UBRK_WORD, "", NULL, 0, &err);
        if (U_FAILURE(err))
            return NULL;
        g_private_set(&key, iterator);
    }
    return iterator;
}

static void end_word(struct words *w) {
    w->in_word = false;
}

static void put_bytes(struct words *w, const char *bytes, size_t len) {
    if (!w->in_word) {
        if (w->out->len > 0 && w->out->str[w->out->len - 1] != ' ')
            g_string_append_c(w->out, ' ');
        w->start = w->out->len;
        w->in_word = true;
    }
    if (w->out->len - w->start + len <= DB_WORD_MAX)
        g_string_append_len(w->out, bytes, (gssize)len);
}

static void put_char(struct words *w, UChar32 c) {
    char bytes[4];
    int32_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, c);
    put_bytes(w, bytes, (size_t)n);
}

static void put_ascii(struct words *w, const char *text, size_t len) {
    for (size_t i = 0; i < len;) {
        char word[DB_WORD_MAX];
        size_t n = 0;
        for (; i < len && g_ascii_isalnum(text[i]); i++)
            if (n < sizeof word)
                word[n++] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
        if (n > 0)
            put_bytes(w, word, n);
        end_word(w);
        for (; i < len && !g_ascii_isalnum(text[i]); i++)
            ;
    }
}

// Marks that people leave out when they look for something.
static bool is_accent(UChar32 c) {
    return (c >= 0x300 && c <= 0x36F) || (c >= 0x591 && c <= 0x5C7) || (c >= 0x610 && c <= 0x61A) ||
           (c >= 0x64B && c <= 0x65F) || c == 0x640 || c == 0x670 || (c >= 0x6D6 && c <= 0x6ED) ||
           (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) ||
           (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE20 && c <= 0xFE2F);
}

static bool is_word_char(UChar32 c) {
    return U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK);
}

// A folded code point without its accents. Other parts of letters (the voicing marks of kana,
// vowels of Indic scripts) tell words apart and stay.
static void put_folded(struct words *w, UChar32 c) {
    if (is_accent(c))
        return;
    if (!is_word_char(c)) {
        end_word(w);
        return;
    }
    UErrorCode err = U_ZERO_ERROR;
    UChar parts[16];
    UChar32 base[16], part;
    int32_t n = 0, n_base = 0;
    bool has_accent = false;
    if (c >= 0xC0 && c < 0x3000)
        n = unorm2_getDecomposition(unorm2_getNFDInstance(&err), c, parts, G_N_ELEMENTS(parts),
                                    &err);
    for (int32_t i = 0; U_SUCCESS(err) && i < n;) {
        U16_NEXT(parts, i, n, part);
        if (is_accent(part))
            has_accent = true;
        else
            base[n_base++] = part;
    }
    if (!has_accent)
        put_char(w, c);
    for (int32_t i = 0; has_accent && i < n_base; i++)
        put_char(w, base[i]);
}

// Scripts written without spaces between words.
static bool needs_dictionary(UChar32 c) {
    if (c < 0xE00)
        return false;
    UErrorCode err = U_ZERO_ERROR;
    switch (uscript_getScript(c, &err)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
        return true;
    default:
        return false;
    }
}

static void put_range(struct words *w, const UChar *text, int32_t from, int32_t to) {
    while (from < to) {
        UChar32 c;
        U16_NEXT(text, from, to, c);
        put_folded(w, c);
    }
}

static void put_wide(struct words *w, const UChar *text, int32_t n) {
    bool has_dictionary_script = false;
    for (int32_t i = 0; i < n && !has_dictionary_script;) {
        UChar32 c;
        U16_NEXT(text, i, n, c);
        has_dictionary_script = needs_dictionary(c);
    }
    UErrorCode err = U_ZERO_ERROR;
    UBreakIterator *iterator = has_dictionary_script ? word_iterator() : NULL;
    if (iterator)
        ubrk_setText(iterator, text, n, &err);
    if (!iterator || U_FAILURE(err)) {
        put_range(w, text, 0, n);
        end_word(w);
        return;
    }
    int32_t from = ubrk_first(iterator);
    for (int32_t to; (to = ubrk_next(iterator)) != UBRK_DONE; from = to) {
        put_range(w, text, from, to);
        end_word(w);
    }
}

static void put_unicode(struct words *w, const char *text, size_t len) {
    UChar wide[PIECE_MAX], folded[PIECE_MAX * 2], *folded_long = NULL;
    UErrorCode err = U_ZERO_ERROR;
    int32_t units = 0, subs;
    u_strFromUTF8WithSub(wide, PIECE_MAX, &units, text, (int32_t)len, ' ', &subs, &err);
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&err);
    if (U_FAILURE(err))
        return;
    int32_t n = unorm2_normalize(fold, wide, units, folded, G_N_ELEMENTS(folded), &err);
    if (err == U_BUFFER_OVERFLOW_ERROR) {
        err = U_ZERO_ERROR;
        int32_t max = units * FOLD_EXPANSION;
        folded_long = g_new(UChar, (gsize)max);
        n = unorm2_normalize(fold, wide, units, folded_long, max, &err);
    }
    if (U_SUCCESS(err))
        put_wide(w, folded_long ? folded_long : folded, n);
    g_free(folded_long);
}

static bool is_ascii(const char *text, size_t len) {
    unsigned char all = 0;
    for (size_t i = 0; i < len; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Where the piece that begins at `text` ends: after a space when there is one, never inside a
// character.
static size_t piece_length(const char *text, size_t len) {
    if (len <= PIECE_MAX)
        return len;
    for (size_t n = PIECE_MAX; n > PIECE_MAX / 2; n--)
        if (is_space(text[n - 1]))
            return n;
    size_t n = PIECE_MAX;
    while (n > PIECE_MAX - 4 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

void db_words_append(GString *out, const char *text, size_t len) {
    struct words w = {.out = out};
    while (len > 0) {
        size_t n = piece_length(text, len);
        if (is_ascii(text, n))
            put_ascii(&w, text, n);
        else
            put_unicode(&w, text, n);
        text += n;
        len -= n;
    }
}
