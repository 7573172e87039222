// Unicode text on GLib's UTF-8 functions and ICU's case folding.
#include "base/text.h"

#include <sodium.h>
#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

bool text_is_ascii(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] - 1u >= 0x7f)
            return false;
    return true;
}

char *text_clean(struct arena *arena, const char *bytes, size_t len, size_t *len_out) {
    if (text_is_ascii(bytes, len)) {
        if (len_out)
            *len_out = len;
        return arena_strndup(arena, bytes, len);
    }
    // Each invalid byte becomes three; allocate for the worst case.
    char *out = arena_alloc(arena, len * 3 + 1);
    char *p = out;
    const char *s = bytes, *end = bytes + len;
    while (s < end) {
        const char *valid_end;
        g_utf8_validate_len(s, (gsize)(end - s), &valid_end);
        memcpy(p, s, (size_t)(valid_end - s));
        p += valid_end - s;
        s = valid_end;
        if (s == end)
            break;
        if (*s) {
            memcpy(p, "\xef\xbf\xbd", 3);
            p += 3;
        }
        s++;
    }
    *p = 0;
    if (len_out)
        *len_out = (size_t)(p - out);
    return out;
}

char *text_from_utf16(struct arena *arena, const uint8_t *bytes, size_t len) {
    char *out = arena_alloc(arena, len / 2 * 3 + 1);
    char *p = out;
    for (size_t i = 0; i + 1 < len; i += 2) {
        gunichar c = (gunichar)(bytes[i] | bytes[i + 1] << 8);
        if (c == 0)
            break;
        if (c >= 0xD800 && c < 0xE000) {
            gunichar low = i + 3 < len ? (gunichar)(bytes[i + 2] | bytes[i + 3] << 8) : 0;
            if (c < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            } else {
                c = 0xFFFD;
            }
        }
        p += g_unichar_to_utf8(c, p);
    }
    *p = 0;
    return out;
}

static void put_utf16(GByteArray *out, gunichar c) {
    uint8_t b[4];
    guint n = 2;
    if (c >= 0x10000) {
        unsigned high = 0xD800 + ((c - 0x10000) >> 10), low = 0xDC00 + ((c - 0x10000) & 0x3ff);
        b[0] = (uint8_t)high, b[1] = (uint8_t)(high >> 8);
        b[2] = (uint8_t)low, b[3] = (uint8_t)(low >> 8);
        n = 4;
    } else {
        b[0] = (uint8_t)c, b[1] = (uint8_t)(c >> 8);
    }
    g_byte_array_append(out, b, n);
}

void text_to_utf16(const char *s, size_t len, GByteArray *out) {
    const char *end = s + len;
    while (s < end) {
        gunichar c = g_utf8_get_char_validated(s, end - s);
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        put_utf16(out, valid ? c : 0xFFFD);
        s = valid ? g_utf8_next_char(s) : s + 1;
    }
}

static char *fold_icu(struct arena *arena, const char *s, size_t len) {
    UErrorCode err = U_ZERO_ERROR;
    const UNormalizer2 *nfkc_cf = unorm2_getNFKCCasefoldInstance(&err);
    int32_t units = 0;
    UChar *wide = arena_alloc(arena, (len + 1) * sizeof(UChar));
    u_strFromUTF8WithSub(wide, (int32_t)len + 1, &units, s, (int32_t)len, 0xFFFD, NULL, &err);
    if (U_FAILURE(err))
        return arena_strndup(arena, s, len);
    int32_t max = units * 18 + 1; // the largest expansion of one unit under NFKC
    UChar *folded = arena_alloc(arena, (size_t)max * sizeof(UChar));
    int32_t n = unorm2_normalize(nfkc_cf, wide, units, folded, max, &err);
    char *out = arena_alloc(arena, (size_t)n * 3 + 1);
    int32_t bytes = 0;
    if (U_SUCCESS(err))
        u_strToUTF8(out, n * 3 + 1, &bytes, folded, n, &err);
    if (U_FAILURE(err))
        return arena_strndup(arena, s, len);
    out[bytes] = 0;
    return out;
}

char *text_fold(struct arena *arena, const char *s) {
    size_t len = strlen(s);
    if (!text_is_ascii(s, len))
        return fold_icu(arena, s, len);
    char *out = arena_alloc(arena, len + 1);
    for (size_t i = 0; i <= len; i++)
        out[i] = g_ascii_tolower(s[i]);
    return out;
}

int text_compare_folded(const char *a, const char *b) {
    if (text_is_ascii(a, strlen(a)) && text_is_ascii(b, strlen(b)))
        return g_ascii_strcasecmp(a, b);
    ARENA_AUTO arena = arena_new();
    return strcmp(text_fold(arena, a), text_fold(arena, b));
}

bool text_contains_folded(const char *haystack, const char *needle) {
    ARENA_AUTO arena = arena_new();
    return strstr(text_fold(arena, haystack), text_fold(arena, needle)) != NULL;
}

bool text_equal_secret(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    return la == lb && sodium_memcmp(a, b, la) == 0;
}
