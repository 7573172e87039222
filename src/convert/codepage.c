// Windows code pages and the charsets of mail ([MS-UCODEREF] 2.2.1), MIME types and file name
// extensions: two small tables.
#include "convert/convert_internal.h"

static const struct {
    unsigned codepage;
    const char *charset; // the first of a code page is the one written
} codepages[] = {
    {65001, "utf-8"},        {65001, "utf8"},
    {20127, "us-ascii"},     {20127, "ascii"},
    {28591, "iso-8859-1"},   {28591, "latin1"},
    {28592, "iso-8859-2"},   {28593, "iso-8859-3"},
    {28594, "iso-8859-4"},   {28595, "iso-8859-5"},
    {28596, "iso-8859-6"},   {28597, "iso-8859-7"},
    {28598, "iso-8859-8"},   {28598, "iso-8859-8-i"},
    {28599, "iso-8859-9"},   {28603, "iso-8859-13"},
    {28605, "iso-8859-15"},  {1250, "windows-1250"},
    {1251, "windows-1251"},  {1252, "windows-1252"},
    {1253, "windows-1253"},  {1254, "windows-1254"},
    {1255, "windows-1255"},  {1256, "windows-1256"},
    {1257, "windows-1257"},  {1258, "windows-1258"},
    {874, "windows-874"},    {874, "tis-620"},
    {20866, "koi8-r"},       {21866, "koi8-u"},
    {50220, "iso-2022-jp"},  {932, "shift_jis"},
    {932, "shift-jis"},      {932, "x-sjis"},
    {932, "windows-31j"},    {51932, "euc-jp"},
    {949, "ks_c_5601-1987"}, {51949, "euc-kr"},
    {936, "gb2312"},         {936, "gbk"},
    {54936, "gb18030"},      {52936, "hz-gb-2312"},
    {950, "big5"},           {50225, "iso-2022-kr"},
    {437, "ibm437"},         {437, "cp437"},
    {850, "ibm850"},         {850, "cp850"},
    {852, "cp852"},          {866, "cp866"},
    {10000, "macintosh"},    {1252, "cp1252"},
    {1251, "cp1251"},        {1250, "cp1250"},
};

unsigned codepage_of_charset(const char *charset) {
    for (size_t i = 0; charset && i < G_N_ELEMENTS(codepages); i++)
        if (g_ascii_strcasecmp(charset, codepages[i].charset) == 0)
            return codepages[i].codepage;
    return 0;
}

const char *charset_of_codepage(unsigned codepage) {
    for (size_t i = 0; i < G_N_ELEMENTS(codepages); i++)
        if (codepages[i].codepage == codepage)
            return codepages[i].charset;
    return NULL;
}

static const struct {
    const char *type; // the first of an extension is the one written
    const char *extension;
} types[] = {
    {"text/plain", "txt"},
    {"text/html", "htm"},
    {"text/html", "html"},
    {"text/calendar", "ics"},
    {"text/vcard", "vcf"},
    {"text/x-vcard", "vcf"},
    {"text/csv", "csv"},
    {"text/xml", "xml"},
    {"text/css", "css"},
    {"text/rfc822-headers", "txt"},
    {"image/jpeg", "jpg"},
    {"image/jpeg", "jpeg"},
    {"image/pjpeg", "jpg"},
    {"image/png", "png"},
    {"image/gif", "gif"},
    {"image/bmp", "bmp"},
    {"image/tiff", "tif"},
    {"image/tiff", "tiff"},
    {"image/svg+xml", "svg"},
    {"image/webp", "webp"},
    {"image/x-icon", "ico"},
    {"audio/mpeg", "mp3"},
    {"audio/wav", "wav"},
    {"video/mp4", "mp4"},
    {"video/mpeg", "mpg"},
    {"application/pdf", "pdf"},
    {"application/zip", "zip"},
    {"application/x-zip-compressed", "zip"},
    {"application/gzip", "gz"},
    {"application/json", "json"},
    {"application/rtf", "rtf"},
    {"application/msword", "doc"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
    {"application/pkcs7-mime", "p7m"},
    {"application/pkcs7-signature", "p7s"},
    {"application/pgp-signature", "asc"},
    {"application/pgp-encrypted", "pgp"},
    {"application/ms-tnef", "dat"},
    {"message/rfc822", "eml"},
    {"message/delivery-status", "txt"},
    {"message/disposition-notification", "txt"},
};

const char *extension_of_type(const char *type, const char *subtype) {
    size_t n = strlen(type);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_ascii_strncasecmp(types[i].type, type, n) == 0 && types[i].type[n] == '/' &&
            g_ascii_strcasecmp(types[i].type + n + 1, subtype) == 0)
            return types[i].extension;
    return NULL;
}

const char *type_of_extension(const char *extension) {
    for (size_t i = 0; extension && i < G_N_ELEMENTS(types); i++)
        if (g_ascii_strcasecmp(types[i].extension, extension) == 0)
            return types[i].type;
    return NULL;
}
