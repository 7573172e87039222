// FETCH: what was asked for, as data ([RFC 3501] 6.4.5).
#pragma once

#include "formats/mime.h"
#include "protocol/imap/imap_session.h"

enum fetch_kind {
    FETCH_FLAGS,
    FETCH_UID,
    FETCH_INTERNALDATE,
    FETCH_SIZE,
    FETCH_MODSEQ,
    FETCH_ENVELOPE,
    FETCH_BODYSTRUCTURE,
    FETCH_BODY, // BODYSTRUCTURE without its extension data
    FETCH_SECTION,
    FETCH_EMAILID, // fetch_identity.c
    FETCH_THREADID,
    FETCH_SAVEDATE,
    FETCH_PREVIEW,
    FETCH_BINARY,
    FETCH_BINARY_SIZE,
};

enum section_kind {
    SECTION_ALL,
    SECTION_HEADER,
    SECTION_FIELDS,
    SECTION_FIELDS_NOT,
    SECTION_TEXT,
    SECTION_MIME,
};

struct fetch_section {
    enum section_kind kind;
    const char *part; // "1.2"; "" the message
    const char **fields;
    unsigned n_fields;
    bool is_peek, has_partial;
    uint64_t offset, length; // of the partial
    const char *label;       // "BODY[1.MIME]", "RFC822"; with "<offset>" when partial
};

struct fetch_item {
    enum fetch_kind kind;
    struct fetch_section section;
};

struct fetch_items {
    struct fetch_item *items;
    unsigned n;
};

// "ALL", "FLAGS", "(FLAGS BODY.PEEK[1]<0.100>)". False: the parser failed. Arena of the parser.
bool fetch_parse(struct imap_parser *p, struct fetch_items *out);
bool fetch_has(const struct fetch_items *items, enum fetch_kind kind);
// "<0.100>" or nothing.
bool fetch_parse_partial(struct imap_parser *p, struct fetch_section *s);
// Adds an item without arguments unless it is there.
void fetch_add(struct fetch_items *items, enum fetch_kind kind);

// --- fetch_identity.c ---
// "EMAILID (M...)", "THREADID (T...)", "SAVEDATE ...", "PREVIEW ...". `arena`: of the message.
enum ec fetch_put_identity(struct imap_session *s, struct mailbox_reader *reader,
                           const struct message_row *row, enum fetch_kind kind,
                           struct arena *arena);

// --- Reading sections (fetch_section.c) ---

// One message while its sections are read: loaded at most once.
struct fetch_message {
    struct imap_session *s;
    struct mailbox_reader *reader;
    const struct message_row *row;
    struct arena *arena; // as long as the message
    GBytes *whole;
    struct mime_message *scanned;
};
void fetch_message_clear(struct fetch_message *m);
// The scanned message.
enum ec fetch_scan(struct fetch_message *m, const struct mime_message **out);

// The bytes of a section: `len` from `pos` of *bytes_out (g_bytes_unref), or *bytes_out NULL when
// the message has no such part.
enum ec fetch_read_section(struct fetch_message *m, const struct fetch_section *section,
                           GBytes **bytes_out, size_t *pos_out, size_t *len_out);

// --- Decoded parts (fetch_binary.c; [RFC 3516]) ---

// What follows the word BINARY, BINARY.PEEK or BINARY.SIZE; false for every other word, and when
// the parser failed.
bool fetch_parse_binary(struct imap_parser *p, const char *word, struct fetch_item *out);
// Writes the item. EC_FORMAT_ERROR: the encoding is not known; the item was written as empty.
enum ec fetch_put_binary(struct fetch_message *m, const struct fetch_item *item);
