// Words of any bytes: valid UTF-8, one space between two, none too long.
#include <stdint.h>
#include <string.h>

#include "db/fulltext_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GString) out = g_string_new(NULL);
    db_words_append(out, (const char *)data, size);
    g_assert_true(g_utf8_validate_len(out->str, out->len, NULL));
    g_auto(GStrv) words = g_strsplit(out->str, " ", -1);
    for (unsigned i = 0; words[i]; i++) {
        g_assert_cmpuint(strlen(words[i]), >, 0);
        g_assert_cmpuint(strlen(words[i]), <=, DB_WORD_MAX);
        for (const char *s = words[i]; *s; s++)
            g_assert_true((unsigned char)*s >= 0x80 || g_ascii_isalnum(*s));
    }
    return 0;
}
