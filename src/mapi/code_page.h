// Windows code pages ([MS-UCODEREF] 2.2.1): the encodings of PtypString8 values,
// PidTagInternetCodepage and PidTagMessageCodepage.
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/arena.h"

#define CODE_PAGE_WINDOWS_1252 1252u
#define CODE_PAGE_UTF8 65001u

// The charset's name for mail ("utf-8", "iso-8859-1"); NULL: a code page we do not know.
const char *code_page_charset(unsigned code_page);

// The code page of a charset by its name or an alias, caselessly; 0: none.
unsigned code_page_of_charset(const char *charset);

// Bytes in a code page to UTF-8, up to the first NUL; what is invalid becomes U+FFFD. An unknown
// code page is read as Windows-1252. In the arena.
char *code_page_to_utf8(struct arena *arena, unsigned code_page, const char *bytes, size_t len);

// Appends UTF-8 as bytes of a code page; what it lacks becomes '?'.
void code_page_from_utf8(unsigned code_page, const char *s, GByteArray *out);
