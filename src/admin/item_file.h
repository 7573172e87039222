// A message, contact or text in a file of any format that the conversions know.
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "convert/convert.h"
#include "formats/vcard.h"

enum item_format {
    ITEM_UNKNOWN,
    ITEM_EML,
    ITEM_MSG,
    ITEM_TNEF,
    ITEM_VCARD,
    ITEM_RTF,
    ITEM_LZFU, // compressed RTF
    ITEM_HTML,
    ITEM_TEXT,
};

enum item_format item_format_by_name(const char *name);
const char *item_format_name(enum item_format format);
enum item_format item_format_of_file(const char *path);             // by its extension
enum item_format item_format_of_data(const void *data, size_t len); // by its first bytes
bool item_vcard_version(const char *text, enum vcard_version *out);

struct item_file {
    struct message_value *first; // the message; of several cards the first
    unsigned n;                  // how many the file has
    enum item_format format;
    const char *data;
    size_t len;
    struct arena *arena;
    struct mime_message *mime; // ITEM_EML
    struct convert_source source;
};

// Borrows the bytes. EC_FORMAT_ERROR, EC_CORRUPT_DATA; EC_MESSAGE_TOO_BIG for what expands too far.
enum ec item_file_open(enum item_format format, const void *data, size_t len,
                       struct item_file *out);
void item_file_close(struct item_file *file);

struct item_options {
    enum vcard_version vcard;
};
// EC_TOO_MANY_OBJECTS: the file has several cards, and only ITEM_VCARD holds them;
// EC_NOT_SUPPORTED: it is no contact and is to be a vCard.
enum ec item_file_write(const struct item_file *file, enum item_format format,
                        const struct item_options *options, GBytes **out);
