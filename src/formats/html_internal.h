// HTML cut into tags and text, for the files that read HTML. Tolerant as browsers are: nothing is
// an error. Each byte is looked at a bounded number of times.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The code point of a named reference ("eacute"); 0: no such name.
gunichar html_entity(const char *name);
// What "&#code;" stands for; U+FFFD where it is nothing.
gunichar html_numeric_entity(uint64_t code);
// A reference at `*p`, which is at '&': its character, `*p` moved behind it. 0: it is only an '&',
// `*p` stays.
gunichar html_reference(const char **p, const char *end);

enum html_token_kind {
    HTML_END,     // of the input
    HTML_TEXT,    // with references
    HTML_RAW,     // what stands inside <script>, <style>, <title> and the like; `name` says which
    HTML_OPEN,    // a start tag
    HTML_CLOSE,   // an end tag
    HTML_COMMENT, // comments, declarations, processing instructions
};

#define HTML_NAME_MAX 15

struct html_token {
    enum html_token_kind kind;
    const char *raw; // all of it, in the input
    size_t len;
    char name[HTML_NAME_MAX + 1]; // lower case, cut off when it is longer
    const char *attributes;       // of a start tag
    size_t attributes_len;
};

struct html_reader {
    const char *p, *end;
    int raw_element;       // index of the element whose raw text comes next; -1: none
    unsigned never_closed; // bits of raw elements that no end tag follows any more
    bool no_quote[2];      // no more " or ' follows
};

struct html_reader html_reader(const char *html, size_t len);
// The next token; false at the end.
bool html_next(struct html_reader *r, struct html_token *out);

// Walks the attributes of a start tag: `*pos` starts at 0. The value is not decoded; "" without
// one.
struct html_attribute {
    const char *name, *value;
    size_t name_len, value_len;
};
bool html_attribute_next(const struct html_token *tag, size_t *pos, struct html_attribute *out);
bool html_attribute_is(const struct html_attribute *a, const char *name);
// Appends a value with its references decoded, at most `max` bytes.
void html_attribute_text(const struct html_attribute *a, size_t max, GString *out);
