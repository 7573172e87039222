// The syntax of RTF ([MSFT-RTF] "Conventions of an RTF Reader"), and its numbers for charsets.
#include "formats/rtf_internal.h"

#include <string.h>

// --- Tokens ---

static void read_word(struct rtf_reader *r, struct rtf_token *out) {
    size_t n = 0;
    for (; r->p < r->end && g_ascii_isalpha(*r->p); r->p++)
        if (n < RTF_WORD_MAX)
            out->word[n++] = (char)*r->p;
    out->word[n] = 0;
    bool is_negative = r->p < r->end && *r->p == '-';
    const uint8_t *digits = r->p + is_negative;
    int64_t number = 0;
    if (digits < r->end && g_ascii_isdigit(*digits)) {
        for (r->p = digits; r->p < r->end && g_ascii_isdigit(*r->p); r->p++)
            if (number < INT32_MAX)
                number = number * 10 + (*r->p - '0');
        out->has_number = true;
        number = MIN(number, INT32_MAX);
        out->number = (int32_t)(is_negative ? -number : number);
    }
    if (r->p < r->end && *r->p == ' ') // the delimiter belongs to the word
        r->p++;
}

static void read_binary(struct rtf_reader *r, struct rtf_token *out) {
    size_t left = (size_t)(r->end - r->p);
    out->kind = RTF_BINARY;
    out->data = r->p;
    out->len = out->number > 0 ? MIN((size_t)out->number, left) : 0;
    r->p += out->len;
}

static void read_control(struct rtf_reader *r, struct rtf_token *out) {
    r->p++;
    out->kind = RTF_SYMBOL;
    if (r->p == r->end) {
        out->byte = 0; // nothing
        return;
    }
    if (g_ascii_isalpha(*r->p)) {
        out->kind = RTF_WORD;
        read_word(r, out);
        if (strcmp(out->word, "bin") == 0)
            read_binary(r, out);
        return;
    }
    out->byte = *r->p++;
    if (out->byte != '\'')
        return;
    int high = r->p < r->end ? g_ascii_xdigit_value((char)r->p[0]) : -1;
    int low = r->end - r->p > 1 ? g_ascii_xdigit_value((char)r->p[1]) : -1;
    if (high >= 0 && low >= 0) {
        out->kind = RTF_HEX;
        out->byte = (uint8_t)(high << 4 | low);
        r->p += 2;
    }
}

bool rtf_next(struct rtf_reader *r, struct rtf_token *out) {
    while (r->p < r->end && (*r->p == '\r' || *r->p == '\n' || *r->p == 0))
        r->p++;
    if (r->p == r->end)
        return false;
    out->has_number = false;
    out->number = 0;
    out->data = NULL;
    out->len = 0;
    if (*r->p == '{' || *r->p == '}') {
        out->kind = *r->p++ == '{' ? RTF_OPEN : RTF_CLOSE;
    } else if (*r->p == '\\') {
        read_control(r, out);
    } else {
        out->kind = RTF_TEXT;
        out->data = r->p;
        while (r->p < r->end && *r->p != '{' && *r->p != '}' && *r->p != '\\' && *r->p != '\r' &&
               *r->p != '\n' && *r->p != 0)
            r->p++;
        out->len = (size_t)(r->p - out->data);
    }
    return true;
}

// --- Charsets ---

static const struct {
    int32_t code_page;
    const char *charset;
} code_pages[] = {
    {437, "ibm437"},        {708, "iso-8859-6"},    {850, "ibm850"},
    {852, "ibm852"},        {857, "ibm857"},        {860, "ibm860"},
    {862, "ibm862"},        {863, "ibm863"},        {864, "ibm864"},
    {865, "ibm865"},        {866, "ibm866"},        {874, "windows-874"},
    {932, "shift_jis"},     {936, "gbk"},           {949, "ks_c_5601-1987"},
    {950, "big5"},          {1250, "windows-1250"}, {1251, "windows-1251"},
    {1252, "windows-1252"}, {1253, "windows-1253"}, {1254, "windows-1254"},
    {1255, "windows-1255"}, {1256, "windows-1256"}, {1257, "windows-1257"},
    {1258, "windows-1258"}, {10000, "macintosh"},   {10007, "x-mac-cyrillic"},
    {20127, "us-ascii"},    {20866, "koi8-r"},      {21866, "koi8-u"},
    {28591, "iso-8859-1"},  {28592, "iso-8859-2"},  {28595, "iso-8859-5"},
    {28597, "iso-8859-7"},  {28599, "iso-8859-9"},  {28605, "iso-8859-15"},
    {51932, "euc-jp"},      {51949, "euc-kr"},      {54936, "gb18030"},
    {65001, "utf-8"},
};

const char *rtf_charset_of_code_page(int32_t code_page) {
    for (size_t i = 0; i < G_N_ELEMENTS(code_pages); i++)
        if (code_pages[i].code_page == code_page)
            return code_pages[i].charset;
    return NULL;
}

const char *rtf_charset_of_font(int32_t fcharset) {
    static const struct {
        int32_t fcharset, code_page;
    } fonts[] = {{0, 1252},   {2, 1252},   {77, 10000}, {128, 932},  {129, 949},  {134, 936},
                 {136, 950},  {161, 1253}, {162, 1254}, {163, 1258}, {177, 1255}, {178, 1256},
                 {186, 1257}, {204, 1251}, {222, 874},  {238, 1250}, {254, 437},  {255, 850}};
    for (size_t i = 0; i < G_N_ELEMENTS(fonts); i++)
        if (fonts[i].fcharset == fcharset)
            return rtf_charset_of_code_page(fonts[i].code_page);
    return NULL;
}
