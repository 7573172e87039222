// Restrictions: the filters of tables, searches, rules and synchronization ([MS-OXCDATA] 2.12).
//
// A restriction is a tree in an arena. It is read from the wire or built with the functions below,
// does not change afterwards and may be evaluated by many threads.
#pragma once

#include <glib.h>

#include "mapi/prop_wire.h"

#define RESTRICTION_MAX_DEPTH 128
#define RESTRICTION_MAX_NODES 16384

enum restriction_kind {
    RES_AND = 0x00,
    RES_OR = 0x01,
    RES_NOT = 0x02,
    RES_CONTENT = 0x03,
    RES_PROPERTY = 0x04,
    RES_COMPARE = 0x05,
    RES_BITMASK = 0x06,
    RES_SIZE = 0x07,
    RES_EXIST = 0x08,
    RES_SUBOBJECT = 0x09,
    RES_COMMENT = 0x0A,
    RES_COUNT = 0x0B,
    RES_ANNOTATION = 0x0C, // like a comment
};

enum relop {
    RELOP_LT = 0x00,
    RELOP_LE = 0x01,
    RELOP_GT = 0x02,
    RELOP_GE = 0x03,
    RELOP_EQ = 0x04,
    RELOP_NE = 0x05,
    RELOP_MEMBER_OF_DL = 0x64, // never true here: the directory would have to be asked
};

// How contents are matched: one of the first, any of the others.
enum fuzzy {
    FUZZY_FULL = 0x0000,
    FUZZY_SUBSTRING = 0x0001,
    FUZZY_PREFIX = 0x0002,
    FUZZY_PREFIX_ON_ANY_WORD = 0x0010,
    FUZZY_PHRASE = 0x0020, // whole words
    FUZZY_IGNORE_CASE = 0x00010000,
    FUZZY_IGNORE_NONSPACE = 0x00020000, // accents
    FUZZY_LOOSE = 0x00040000,           // both
};

struct restriction {
    enum restriction_kind kind;
    union {
        struct {
            uint32_t n;
            struct restriction **sub;
        } list;                  // RES_AND, RES_OR
        struct restriction *sub; // RES_NOT
        struct {
            uint32_t fuzzy; // enum fuzzy, the high half of the wire in the high half
            proptag_t tag;
            struct prop_value value; // string or binary
            const char *needle;      // the string as it is compared
        } content;
        struct {
            enum relop op;
            proptag_t tag;
            struct prop_value value;
        } property;
        struct {
            enum relop op;
            proptag_t tag1, tag2;
        } compare;
        struct {
            bool is_nonzero; // some bit of the mask is set (BMR_NEZ) or none is (BMR_EQZ)
            proptag_t tag;
            uint32_t mask;
        } bitmask;
        struct {
            enum relop op;
            proptag_t tag;
            uint32_t size;
        } size;
        struct {
            proptag_t tag;
        } exist;
        struct {
            proptag_t tag; // PidTagMessageRecipients or PidTagMessageAttachments
            struct restriction *sub;
        } subobject;
        struct {
            uint32_t n;
            struct prop_value *values;
            struct restriction *sub; // NULL: none
        } comment;
        struct {
            uint32_t count;
            struct restriction *sub;
        } count;
    };
};

// Reads a tree; strings and binaries may borrow from the reader's bytes. Tags of string properties
// come as PT_UNICODE, multi-value instances without their flag. EC_FORMAT_ERROR, EC_TOO_COMPLEX
// (too deep, too many nodes, regular expressions).
enum ec restriction_read(struct wire_reader *r, const struct prop_wire *form, struct arena *arena,
                         struct restriction **out);
void restriction_put(struct wire_writer *w, const struct prop_wire *form,
                     const struct restriction *res);

// Building. What is passed must live as long as the arena.
struct restriction *restriction_list(struct arena *arena, enum restriction_kind kind,
                                     struct restriction **sub, uint32_t n); // RES_AND, RES_OR
struct restriction *restriction_not(struct arena *arena, struct restriction *sub);
struct restriction *restriction_content(struct arena *arena, uint32_t fuzzy, proptag_t tag,
                                        const struct prop_value *value);
struct restriction *restriction_property(struct arena *arena, enum relop op, proptag_t tag,
                                         const struct prop_value *value);
struct restriction *restriction_bitmask(struct arena *arena, proptag_t tag, uint32_t mask,
                                        bool is_nonzero);
struct restriction *restriction_exist(struct arena *arena, proptag_t tag);
struct restriction *restriction_subobject(struct arena *arena, proptag_t tag,
                                          struct restriction *sub);

// The object that a restriction is evaluated on.
struct restriction_source {
    // The property with this id and type, or NULL. External values count as empty.
    const struct prop_value *(*get)(void *ctx, proptag_t tag);
    // Recipients or attachments: how many, and the i-th as an object. NULL: it has none.
    unsigned (*n_subobjects)(void *ctx, proptag_t tag);
    struct restriction_source (*subobject)(void *ctx, proptag_t tag, unsigned i);
    void *ctx;
};

// Whether the object matches. A property that is absent comes before every value in comparisons
// and contains nothing. A multi-valued property compared with a single value matches when one
// of its values does (with RELOP_NE: when none is equal). RES_COUNT only passes its condition on:
// the table counts.
bool restriction_matches(const struct restriction *res, const struct restriction_source *source);

// Appends the tags (proptag_t) that evaluation asks the object itself for; not those of subobjects.
void restriction_tags(const struct restriction *res, GArray *tags);

// The limit of a RES_COUNT at the top; UINT32_MAX: none.
uint32_t restriction_count_limit(const struct restriction *res);
