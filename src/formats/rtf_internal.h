// RTF cut into groups, control words and text, for the files that read RTF.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtf_token_kind {
    RTF_OPEN,
    RTF_CLOSE,
    RTF_WORD,   // \word or \word-12
    RTF_SYMBOL, // \ and one character that is no letter
    RTF_HEX,    // \'hh
    RTF_TEXT,   // a run of bytes; line ends are no text and stand between runs
    RTF_BINARY, // \binN and its bytes
};

#define RTF_WORD_MAX 32

struct rtf_token {
    enum rtf_token_kind kind;
    char word[RTF_WORD_MAX + 1]; // longer ones are cut off
    bool has_number;
    int32_t number;      // of a word
    uint8_t byte;        // of a symbol or \'hh
    const uint8_t *data; // of text and binary data
    size_t len;
};

struct rtf_reader {
    const uint8_t *p, *end;
};

// The next token; false at the end. Any bytes are RTF of some kind.
bool rtf_next(struct rtf_reader *r, struct rtf_token *out);

// The charset, as formats/mime.h knows it, of a Windows code page and of \fcharset; NULL: no such
// one.
const char *rtf_charset_of_code_page(int32_t code_page);
const char *rtf_charset_of_font(int32_t fcharset);
