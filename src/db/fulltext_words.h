// The words of a text, as full-text indexes keep and look for them, in every language.
//
// Words are runs of letters, digits and the marks that belong to them; where a script puts no
// spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) ICU's dictionaries find them.
// They are case-folded and brought to compatible forms (NFKC), accents and the points of Arabic and
// Hebrew are left out. The same is done to what is looked for.
#pragma once

#include <glib.h>
#include <stddef.h>

#define DB_WORD_MAX 64 // bytes of a word; the rest of a longer one is cut off

// Appends the words of `text` (UTF-8, not necessarily valid), one space between two.
void db_words_append(GString *out, const char *text, size_t len);
