// Code pages on ICU's converters, with ASCII passed through: nearly all PtypString8 values (message
// classes, address types, legacy DNs) are.
#include "mapi/code_page.h"

#include <stdbool.h>
#include <string.h>
#include <unicode/ucnv.h>

#include "base/text.h"

static const struct code_page {
    unsigned number;
    const char *charset; // preferred for mail
    const char *icu;     // ICU's name for exactly this code page, when it differs
} code_pages[] = {
    {437, "ibm437", NULL},
    {850, "ibm850", NULL},
    {852, "ibm852", NULL},
    {866, "ibm866", NULL},
    {874, "windows-874", NULL},
    {932, "shift_jis", "ibm-943_P15A-2003"},
    {936, "gb2312", "windows-936-2000"},
    {949, "ks_c_5601-1987", "windows-949-2000"},
    {950, "big5", "windows-950-2000"},
    {1250, "windows-1250", NULL},
    {1251, "windows-1251", NULL},
    {1252, "windows-1252", NULL},
    {1253, "windows-1253", NULL},
    {1254, "windows-1254", NULL},
    {1255, "windows-1255", NULL},
    {1256, "windows-1256", NULL},
    {1257, "windows-1257", NULL},
    {1258, "windows-1258", NULL},
    {10000, "macintosh", NULL},
    {20127, "us-ascii", NULL},
    {20866, "koi8-r", NULL},
    {21866, "koi8-u", NULL},
    {28591, "iso-8859-1", NULL},
    {28592, "iso-8859-2", NULL},
    {28593, "iso-8859-3", NULL},
    {28594, "iso-8859-4", NULL},
    {28595, "iso-8859-5", NULL},
    {28596, "iso-8859-6", NULL},
    {28597, "iso-8859-7", NULL},
    {28598, "iso-8859-8", NULL},
    {28599, "iso-8859-9", NULL},
    {28603, "iso-8859-13", NULL},
    {28605, "iso-8859-15", NULL},
    {38598, "iso-8859-8-i", "iso-8859-8"},
    {50220, "iso-2022-jp", NULL},
    {50221, "csiso2022jp", "iso-2022-jp"},
    {50225, "iso-2022-kr", NULL},
    {51932, "euc-jp", NULL},
    {51949, "euc-kr", NULL},
    {52936, "hz-gb-2312", "HZ"},
    {54936, "gb18030", NULL},
    {65000, "utf-7", NULL},
    {65001, "utf-8", NULL},
};

static const struct code_page *find(unsigned number) {
    for (unsigned i = 0; i < G_N_ELEMENTS(code_pages); i++)
        if (code_pages[i].number == number)
            return &code_pages[i];
    return NULL;
}

const char *code_page_charset(unsigned code_page) {
    const struct code_page *p = find(code_page);
    return p ? p->charset : NULL;
}

// Whether ICU takes two names for the same charset.
static bool same_converter(const char *a, const char *b) {
    UErrorCode err_a = U_ZERO_ERROR, err_b = U_ZERO_ERROR;
    const char *name_a = ucnv_getAlias(a, 0, &err_a), *name_b = ucnv_getAlias(b, 0, &err_b);
    return U_SUCCESS(err_a) && U_SUCCESS(err_b) && name_a && name_b && strcmp(name_a, name_b) == 0;
}

unsigned code_page_of_charset(const char *charset) {
    for (unsigned i = 0; i < G_N_ELEMENTS(code_pages); i++)
        if (g_ascii_strcasecmp(code_pages[i].charset, charset) == 0)
            return code_pages[i].number;
    for (unsigned i = 0; i < G_N_ELEMENTS(code_pages); i++)
        if (same_converter(code_pages[i].charset, charset))
            return code_pages[i].number;
    return 0;
}

static UConverter *open_converter(unsigned code_page) {
    const struct code_page *p = find(code_page);
    UErrorCode err = U_ZERO_ERROR;
    UConverter *c = ucnv_open(p ? (p->icu ? p->icu : p->charset) : "windows-1252", &err);
    if (U_SUCCESS(err))
        return c;
    err = U_ZERO_ERROR;
    c = ucnv_open("windows-1252", &err);
    g_assert(U_SUCCESS(err)); // built into ICU's own data
    return c;
}

char *code_page_to_utf8(struct arena *arena, unsigned code_page, const char *bytes, size_t len) {
    len = strnlen(bytes, len);
    if (code_page == CODE_PAGE_UTF8 || (text_is_ascii(bytes, len) && !memchr(bytes, 0x1b, len) &&
                                        code_page != 65000 && code_page != 52936))
        return text_clean(arena, bytes, len, NULL);
    UConverter *c = open_converter(code_page);
    // No code page makes more than two UTF-16 units of a byte.
    UChar *wide = arena_alloc(arena, (len * 2 + 1) * sizeof *wide);
    UErrorCode err = U_ZERO_ERROR;
    int32_t units = ucnv_toUChars(c, wide, (int32_t)(len * 2 + 1), bytes,
                                  (int32_t)MIN(len, G_MAXINT32 / 4), &err);
    ucnv_close(c);
    if (U_FAILURE(err))
        return text_clean(arena, bytes, len, NULL);
    // Some converters put SUB for a single invalid byte.
    bool has_sub = memchr(bytes, 0x1a, len);
    for (int32_t i = 0; i < units && !has_sub; i++)
        if (wide[i] == 0x1a)
            wide[i] = 0xFFFD;
    return text_from_utf16(arena, (const uint8_t *)wide, (size_t)units * sizeof *wide);
}

void code_page_from_utf8(unsigned code_page, const char *s, GByteArray *out) {
    size_t len = strlen(s);
    if (code_page == CODE_PAGE_UTF8 || (text_is_ascii(s, len) && code_page != 65000)) {
        g_byte_array_append(out, (const guint8 *)s, (guint)len);
        return;
    }
    g_autoptr(GByteArray) wide = g_byte_array_new();
    text_to_utf16(s, len, wide);
    UConverter *c = open_converter(code_page);
    UErrorCode err = U_ZERO_ERROR;
    ucnv_setSubstString(c, u"?", 1, &err);
    err = U_ZERO_ERROR;
    int32_t max = (int32_t)UCNV_GET_MAX_BYTES_FOR_STRING(wide->len / 2, ucnv_getMaxCharSize(c));
    g_autofree char *bytes = g_malloc((gsize)max + 1);
    int32_t n =
        ucnv_fromUChars(c, bytes, max + 1, (const UChar *)wide->data, (int32_t)wide->len / 2, &err);
    ucnv_close(c);
    if (U_SUCCESS(err))
        g_byte_array_append(out, (const guint8 *)bytes, (guint)n);
}
