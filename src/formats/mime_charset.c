// Text of any charset to UTF-8. ASCII, UTF-8 and windows-1252 are done here, the rest by ICU, under
// the names that mail uses: as the Encoding Standard says, iso-8859-1 means windows-1252, gb2312
// means GBK and so on, because that is what senders mean.
#include <string.h>
#include <unicode/ucnv.h>
#include <unicode/ustring.h>

#include "base/text.h"
#include "formats/mime_internal.h"

static const char utf8_name[] = "utf-8";
static const char latin_name[] = "windows-1252";

static const struct {
    const char *name;
    const char *icu;
} aliases[] = {
    {"ascii", latin_name},
    {"ansi_x3.4-1968", latin_name},
    {"iso646-us", latin_name},
    {"us-ascii", latin_name},
    {"us", latin_name},
    {"iso-8859-1", latin_name},
    {"iso8859-1", latin_name},
    {"iso_8859-1", latin_name},
    {"iso-8859-1-i", latin_name},
    {"latin1", latin_name},
    {"latin-1", latin_name},
    {"l1", latin_name},
    {"cp1252", latin_name},
    {"windows-1252", latin_name},
    {"x-cp1252", latin_name},
    {"ansi", latin_name},
    {"8bit", latin_name},
    {"binary", latin_name},
    {"unknown-8bit", latin_name},
    {"x-unknown", latin_name},
    {"x-user-defined", latin_name},
    {"default", latin_name},
    {"utf8", utf8_name},
    {"utf-8", utf8_name},
    {"unicode-1-1-utf-8", utf8_name},
    {"cp65001", utf8_name},
    {"gb2312", "GBK"},
    {"gb_2312-80", "GBK"},
    {"x-gbk", "GBK"},
    {"cp936", "GBK"},
    {"x-sjis", "windows-31j"},
    {"shift_jis", "windows-31j"},
    {"shift-jis", "windows-31j"},
    {"sjis", "windows-31j"},
    {"cp932", "windows-31j"},
    {"ks_c_5601-1987", "windows-949"},
    {"ks_c_5601", "windows-949"},
    {"euc-kr", "windows-949"},
    {"ksc5601", "windows-949"},
    {"cp949", "windows-949"},
    {"uhc", "windows-949"},
    {"big5", "windows-950"},
    {"iso-8859-9", "windows-1254"},
    {"iso-8859-11", "windows-874"},
    {"tis-620", "windows-874"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"x-mac-roman", "macintosh"},
    {"x-mac-cyrillic", "x-mac-cyrillic"},
    {"koi8r", "koi8-r"},
    {"koi8u", "koi8-u"},
    {"unicode", "UTF-16"},
    {"utf7", "UTF-7"},
};

// What the name stands for: utf8_name, latin_name or a name for ICU.
static const char *resolve(const char *charset) {
    if (!charset)
        return latin_name;
    while (mime_is_space(*charset) || *charset == '"' || *charset == '\'')
        charset++;
    char name[64];
    size_t n = 0;
    // [RFC 2231] 5: a language may follow after an asterisk.
    for (; charset[n] && charset[n] != '*' && charset[n] != '"' && charset[n] != '\'' &&
           !mime_is_space(charset[n]) && n + 1 < sizeof name;
         n++)
        name[n] = g_ascii_tolower(charset[n]);
    name[n] = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (strcmp(name, aliases[i].name) == 0)
            return aliases[i].icu;
    return NULL;
}

bool mime_is_utf8(const void *data, size_t len) {
    return g_utf8_validate_len(data, len, NULL);
}

// windows-1252 above ASCII; its five holes are the C1 controls, as in the Encoding Standard.
static const uint16_t latin_high[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

static char *from_latin(struct arena *arena, const uint8_t *p, size_t len, size_t *len_out) {
    size_t high = 0;
    for (size_t i = 0; i < len; i++)
        high += p[i] >= 0x80;
    char *out = arena_alloc(arena, len + 2 * high + 1), *w = out;
    for (size_t i = 0; i < len; i++) {
        unsigned c = p[i];
        if (c >= 0x80 && c < 0xA0)
            c = latin_high[c - 0x80];
        if (c >= 0x80)
            w += g_unichar_to_utf8(c, w);
        else if (c)
            *w++ = (char)c;
    }
    *w = 0;
    if (len_out)
        *len_out = (size_t)(w - out);
    return out;
}

static void append_without_nuls(GString *out, const char *s, size_t len) {
    while (len > 0) {
        const char *nul = memchr(s, 0, len);
        size_t n = nul ? (size_t)(nul - s) : len;
        g_string_append_len(out, s, (gssize)n);
        n += nul != NULL;
        s += n;
        len -= n;
    }
}

// Converts in pieces through UTF-16, so that the memory needed is bounded by the output.
static char *from_icu(struct arena *arena, UConverter *cnv, const char *p, size_t len,
                      size_t *len_out) {
    g_autoptr(GString) out = g_string_sized_new(len + len / 2);
    const char *end = p + len;
    UChar piece[2048];
    char utf8[3 * G_N_ELEMENTS(piece) + 4];
    UChar carry = 0; // a lead surrogate at the end of a piece
    for (;;) {
        UErrorCode err = U_ZERO_ERROR;
        UChar *target = piece;
        if (carry)
            *target++ = carry;
        carry = 0;
        ucnv_toUnicode(cnv, &target, piece + G_N_ELEMENTS(piece), &p, end, NULL, true, &err);
        int32_t n = (int32_t)(target - piece), made = 0;
        bool more = err == U_BUFFER_OVERFLOW_ERROR;
        if (more && n > 1 && U16_IS_LEAD(piece[n - 1]))
            carry = piece[--n];
        UErrorCode err8 = U_ZERO_ERROR;
        u_strToUTF8WithSub(utf8, sizeof utf8, &made, piece, n, 0xFFFD, NULL, &err8);
        if (U_SUCCESS(err8))
            append_without_nuls(out, utf8, (size_t)made);
        if (!more)
            break;
    }
    if (len_out)
        *len_out = out->len;
    return arena_strndup(arena, out->str, out->len);
}

// One converter is kept a thread: the next text often has the same charset.
struct kept_converter {
    char name[64];
    UConverter *cnv;
};

static void kept_converter_free(void *data) {
    struct kept_converter *kept = data;
    ucnv_close(kept->cnv);
    g_free(kept);
}

static GPrivate kept_key = G_PRIVATE_INIT(kept_converter_free);

static UConverter *converter(const char *name) {
    struct kept_converter *kept = g_private_get(&kept_key);
    if (!kept) {
        kept = g_new0(struct kept_converter, 1);
        g_private_set(&kept_key, kept);
    }
    if (kept->cnv && strcmp(kept->name, name) == 0) {
        ucnv_reset(kept->cnv);
        return kept->cnv;
    }
    if (strlen(name) >= sizeof kept->name)
        return NULL;
    for (const char *c = name; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("-_.:+()", *c))
            return NULL; // ICU would read an option or a file's name
    UErrorCode err = U_ZERO_ERROR;
    UConverter *cnv = ucnv_open(name, &err);
    if (U_FAILURE(err))
        return NULL;
    ucnv_close(kept->cnv);
    kept->cnv = cnv;
    g_strlcpy(kept->name, name, sizeof kept->name);
    return cnv;
}

char *mime_to_utf8(struct arena *arena, const void *data, size_t len, const char *charset,
                   size_t *len_out) {
    const char *name = resolve(charset);
    char lower[64];
    if (len == 0)
        data = ""; // NULL is allowed then
    if (!name) {
        g_strlcpy(lower, charset, sizeof lower);
        lower[strcspn(lower, "*\"' \t")] = 0;
        name = lower;
    }
    if (name == latin_name) {
        // us-ascii, and Latin-1 too, often label what is UTF-8; a Latin text that happens to be
        // valid UTF-8 with non-ASCII characters hardly exists.
        if (mime_is_utf8(data, len))
            return text_clean(arena, data, len, len_out);
        return from_latin(arena, data, len, len_out);
    }
    if (name == utf8_name)
        return text_clean(arena, data, len, len_out);
    UConverter *cnv = converter(name);
    if (cnv)
        return from_icu(arena, cnv, data, len, len_out);
    if (mime_is_utf8(data, len))
        return text_clean(arena, data, len, len_out);
    return from_latin(arena, data, len, len_out);
}
