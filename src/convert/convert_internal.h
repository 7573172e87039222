// What the files of the conversion share: addresses as groups of properties, code pages, the pieces
// of reading a MIME message and of writing one.
#pragma once

#include <string.h>

#include "convert/convert.h"
#include "mapi/props.h"

#define CONVERT_MAX_RECIPIENTS 10000
#define CONVERT_MAX_ATTACHMENTS 1000
#define CONVERT_MAX_EMBEDDED 16 // messages inside messages that are written
#define CONVERT_MAX_OTHER_HEADERS 64
#define CONVERT_MAX_HTML_LOOK (1024u * 1024)

enum { RECIPIENT_TO = 1, RECIPIENT_CC = 2, RECIPIENT_BCC = 3 };
enum {
    ATTACH_NONE = 0,
    ATTACH_BY_VALUE = 1,
    ATTACH_EMBEDDED = 5,
    ATTACH_OLE = 6,
};
#define ATTACH_FLAG_RENDERED 4 // attRenderedInBody

// --- Addresses (address.c) ---

// One person: UTF-8; type "SMTP" or "EX". Borrowed.
struct person {
    const char *name, *type, *address, *smtp;
};

// The tags of one group of properties; 0: the group has no such property.
struct person_tags {
    proptag_t name, type, address, smtp, entry_id, search_key;
};
extern const struct person_tags sender_tags, sent_representing_tags, read_receipt_tags,
    recipient_tags;

void person_set(struct bag *bag, const struct person_tags *tags, const struct person *person);
// False when the group names nobody.
bool person_get(const struct bag *bag, const struct person_tags *tags, struct person *out);

// A person as an address in a header field, in the arena; NULL when there is no internet address
// and none can be made.
struct mime_address *person_to_address(struct arena *arena, const struct person *person);
// From a parsed address (not a group's start or end).
struct person person_from_address(struct arena *arena, const struct mime_address *a);

// A one-off entry id ([MS-OXCDATA] 2.2.5.1) appended to `out`, and one read again (strings in the
// arena; false when it is not one).
void one_off_put(GByteArray *out, const struct person *person);
bool one_off_get(struct arena *arena, const void *data, size_t len, struct person *out);

// PidTagReplyRecipientEntries and -Names from a list and back.
void reply_recipients_set(struct arena *arena, struct bag *bag, const struct mime_address *list);
struct mime_address *reply_recipients_get(struct arena *arena, const struct bag *bag);

// --- Code pages (codepage.c) ---

unsigned codepage_of_charset(const char *charset);  // 0: none
const char *charset_of_codepage(unsigned codepage); // NULL: none

// The extension (without its dot) that goes with a MIME type, and back; NULL: none.
const char *extension_of_type(const char *type, const char *subtype);
const char *type_of_extension(const char *extension);

// --- Reading ---

struct reading {
    struct arena *arena;
    const struct mime_message *mime;
    struct message_value *message;
    unsigned unnamed; // attachments that got a made-up name
    const struct mime_part
        *report;               // the machine's part of a report that was understood; NULL: none
    const char *content_class; // the field Content-Class, raw; NULL: none
    unsigned n_other_headers;  // header fields outside the catalogue that became properties
};

void read_headers(struct reading *r); // headers_in.c
// report_in.c: a multipart/report's properties; its message class, NULL: it is none we know.
const char *read_report(struct reading *r);
// A recipient's bag (headers_in.c).
struct bag *new_recipient(const struct person *person, int type);

// The status of a delivery, "5.1.1" ([RFC 3463]); false: it is none.
struct report_status {
    int kind, subject, detail;
};
bool report_read_status(const char *status, struct report_status *out);
// The one that fits PidTagNonDeliveryReportDiagCode and -ReasonCode.
struct report_status report_status_of_codes(int kind, int diagnostic, int reason);

void read_structure(struct reading *r); // body_in.c: message class, bodies and attachments

// One part as an attachment (attachment_in.c); NULL past the limit.
struct attachment_value *read_attachment(struct reading *r, const struct mime_part *part);

// Names, extension and the rest that every attachment has, from a file name in UTF-8; NULL: one is
// made up with `extension` (attachment_in.c). `size` in bytes.
void set_attachment_names(struct reading *r, struct bag *bag, const char *name,
                          const char *extension);
void set_attachment_defaults(struct bag *bag, size_t size);

// A TNEF part taken apart into the message (tnef_in.c); false: it is no TNEF.
bool read_tnef(struct reading *r, const struct mime_part *part);

// Uuencoded files in a plain text body (uuencode_in.c): each becomes an attachment. False: there
// are none, or they cannot be taken out; otherwise the rest is set as PidTagBody.
bool read_uuencoded(struct reading *r, const struct mime_part *part, const char *charset);

static inline bool part_is(const struct mime_part *part, const char *type, const char *subtype) {
    return strcmp(part->type, type) == 0 && (!subtype || strcmp(part->subtype, subtype) == 0);
}

// --- Writing ---

struct writing {
    struct arena *arena;
    const struct message_value *message;
    const struct convert_source *source;
    GString *out;
    bool with_bcc;
    unsigned depth; // embedded messages around this one
    enum convert_form form;
    const char *message_id; // with its brackets; set by write_headers
};

void write_headers(struct writing *w);    // headers_out.c: all but those of the content
enum ec write_content(struct writing *w); // body_out.c: MIME-Version and what follows

enum ec write_tnef_content(struct writing *w); // tnef_part.c: for the forms with TNEF

// report_out.c: what kind of report the message class says it is; its part for machines, without
// the line end that belongs to the boundary.
enum report_kind { REPORT_NONE, REPORT_DELIVERY, REPORT_DISPOSITION };
enum report_kind report_kind(const struct bag *bag);
const char *report_type(enum report_kind kind); // the parameter report-type
void write_report_part(struct writing *w, enum report_kind kind);

// message_to_mime.c: a whole message, also an embedded one.
enum ec write_message(const struct message_value *message, const struct convert_source *source,
                      bool with_bcc, unsigned depth, GString *out);

// A content part with the header fields it needs (parts_out.c).
void write_text_part(struct writing *w, const char *subtype, const char *charset, const void *data,
                     size_t len);
enum ec write_attachment(struct writing *w, const struct attachment_value *a, bool is_inline);
