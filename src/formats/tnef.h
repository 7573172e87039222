// TNEF, the format of winmail.dat, as far as it is a file: attributes, and the property lists in
// them ([MS-OXTNEF]). What the properties mean is the business of convert/.
//
// Readers walk borrowed bytes; nothing is allocated. Writers append to a wire_writer.
#pragma once

#include "base/wire.h"

#define TNEF_SIGNATURE 0x223E9F78u

// Attributes by their ids, types included ([MS-OXTNEF] 2.1.3.2).
enum tnef_id {
    TNEF_VERSION = 0x00089006,
    TNEF_OEM_CODE_PAGE = 0x00069007,
    TNEF_MESSAGE_CLASS = 0x00078008,
    TNEF_ORIGINAL_CLASS = 0x00070006,
    TNEF_FROM = 0x00008000,
    TNEF_SUBJECT = 0x00018004,
    TNEF_DATE_SENT = 0x00038005,
    TNEF_DATE_RECEIVED = 0x00038006,
    TNEF_MESSAGE_STATUS = 0x00068007,
    TNEF_MESSAGE_ID = 0x00018009,
    TNEF_PARENT_ID = 0x0001800A,
    TNEF_CONVERSATION_ID = 0x0001800B,
    TNEF_BODY = 0x0002800C,
    TNEF_PRIORITY = 0x0004800D,
    TNEF_DATE_MODIFIED = 0x00038020,
    TNEF_OWNER = 0x00060000,
    TNEF_SENT_FOR = 0x00060001,
    TNEF_DELEGATE = 0x00060002,
    TNEF_DATE_START = 0x00030006,
    TNEF_DATE_END = 0x00030007,
    TNEF_AID_OWNER = 0x00040008,
    TNEF_REQUEST_RESPONSE = 0x00040009,
    TNEF_MESSAGE_PROPS = 0x00069003,
    TNEF_RECIPIENTS = 0x00069004,
    TNEF_ATTACH_RENDDATA = 0x00069002, // begins an attachment
    TNEF_ATTACH_TRANSPORT_NAME = 0x00069001,
    TNEF_ATTACH_PROPS = 0x00069005,
    TNEF_ATTACH_DATA = 0x0006800F,
    TNEF_ATTACH_TITLE = 0x00018010,
    TNEF_ATTACH_METAFILE = 0x00068011,
    TNEF_ATTACH_CREATED = 0x00038012,
    TNEF_ATTACH_MODIFIED = 0x00038013,
};

struct tnef_attribute {
    bool is_of_attachment;
    uint32_t id;
    struct wire_reader data;
};

// False when it does not begin as TNEF does.
bool tnef_open(struct wire_reader *r, const void *data, size_t len);
// The next attribute; false at the end, and at the first that is cut off or whose checksum is
// wrong: what stands before is good.
bool tnef_next(struct wire_reader *r, struct tnef_attribute *out);

// A property of a list. Its values are read by tnef_value.
struct tnef_property {
    uint16_t id, type; // [MS-OXCDATA] 2.11.1; the id of a named property says nothing
    bool is_named;
    struct guid set;
    bool has_string_name;
    uint32_t lid;
    const uint8_t *string_name; // UTF-16LE with its NUL
    size_t string_name_len;     // bytes
    uint32_t n_values;
    bool is_single;
};

// A list begins with the number of its properties. Each property is read with all its values
// before the next. The reader fails on types that cannot be skipped.
uint32_t tnef_count(struct wire_reader *list);
bool tnef_property(struct wire_reader *list, struct tnef_property *out);
// One value: its bytes as on the wire without padding (fixed sizes: as many as the type has).
bool tnef_value(struct wire_reader *list, const struct tnef_property *p, struct wire_reader *out);

// The bytes of the message's binary property `id`; false: it has none. Walks the whole file.
bool tnef_find_binary(const void *data, size_t len, uint16_t id, struct wire_reader *out);

// A date attribute as FILETIME; 0: none.
uint64_t tnef_date(struct wire_reader *data);

// --- Writing ---

// The signature, the key (not 0), the version and the code page of what is not in Unicode.
void tnef_write_start(struct wire_writer *w, uint16_t key, uint32_t code_page);
void tnef_write_attribute(struct wire_writer *w, bool is_of_attachment, uint32_t id,
                          const void *data, size_t len);
// The same with what was written to `data`, which is cleared.
void tnef_write_attribute_take(struct wire_writer *w, bool is_of_attachment, uint32_t id,
                               struct wire_writer *data);
// A date attribute; false, and nothing written, when it is no date that can be told.
bool tnef_write_date(struct wire_writer *w, bool is_of_attachment, uint32_t id, uint64_t time);

// Pieces of a property list: a tag; after it the name of a named property (`string` UTF-16LE with
// its NUL, NULL: a number); a count unless the value is single and of a fixed size; the values.
void tnef_write_tag(struct wire_writer *w, uint16_t id, uint16_t type);
void tnef_write_name(struct wire_writer *w, const struct guid *set, uint32_t lid,
                     const uint8_t *string, size_t len);
void tnef_write_fixed(struct wire_writer *w, const void *data, size_t len);
void tnef_write_sized(struct wire_writer *w, const void *data, size_t len);
