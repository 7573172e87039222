// The extent of a ROP request: a buffer's requests stand one after the other without a length, so
// one that fails, or is not built, must be passed over by its form ([MS-OXCROPS] 2.2.2).
//
// A form is a list of fields after the handle indexes:
//
//     1 2 4 8 16 24   so many bytes           b  size of 2 bytes, bytes
//     B  size of 4 bytes, bytes               z  string of single bytes, ended by NUL
//     u  a byte: whether strings are Unicode  s  a string as `u` said
//     i  count of 2 bytes, ids of 8 bytes     t  count, property tags
//     w  count, property ids of 2 bytes       n  count, property names
//     p  count, tagged property values        m  count, each: a byte, then `p`
//     r  columns, then recipient rows         g  a byte and, unless it is 0, a GUID
//     x  a size of 2 bytes and, if it is 0xBABE, 4 more; y the same and 2 more
//     e  RopRegisterNotification's fields     c  24 bytes in a public store
//     d  RopWritePerUserInformation's data    o  three counts and sort orders
#include "mapi/named.h"
#include "protocol/rop/rop_internal.h"

struct frame {
    struct wire_reader *r;
    struct arena *arena;
    bool is_unicode, is_public;
};

static void skip_string(struct frame *f, bool is_unicode) {
    if (!is_unicode) {
        wire_cstring(f->r);
        return;
    }
    while (wire_ok(f->r) && wire_u16(f->r))
        ;
}

static void skip_items(struct frame *f, size_t size) {
    wire_skip(f->r, wire_u16(f->r) * size);
}

static void skip_names(struct frame *f) {
    unsigned n = wire_u16(f->r);
    for (unsigned i = 0; i < n && wire_ok(f->r); i++)
        prop_name_read(f->r, f->arena);
}

static void skip_values(struct frame *f) {
    static const struct prop_wire form = PROP_WIRE_ROP;
    unsigned n = wire_u16(f->r);
    for (unsigned i = 0; i < n && wire_ok(f->r); i++)
        prop_wire_tagged(f->r, &form, f->arena);
}

static void skip_modifications(struct frame *f) {
    unsigned n = wire_u16(f->r);
    for (unsigned i = 0; i < n && wire_ok(f->r); i++) {
        wire_skip(f->r, 1);
        skip_values(f);
    }
}

static void skip_recipients(struct frame *f) {
    skip_items(f, 4);
    unsigned n = wire_u16(f->r);
    for (unsigned i = 0; i < n && wire_ok(f->r); i++) {
        wire_skip(f->r, 5);
        wire_skip(f->r, wire_u16(f->r));
    }
}

// NotificationTypes, one more byte with Extended, WantWholeStore, without it two ids.
static void skip_registration(struct frame *f) {
    uint16_t types = wire_u16(f->r);
    if (types & 0x0400)
        wire_skip(f->r, 1);
    if (wire_u8(f->r) == 0)
        wire_skip(f->r, 16);
}

// HasFinished, DataOffset, Data, and of the first piece in a private store a GUID.
static void skip_per_user(struct frame *f) {
    wire_skip(f->r, 1);
    uint32_t offset = wire_u32(f->r);
    wire_skip(f->r, wire_u16(f->r));
    if (offset == 0 && !f->is_public)
        wire_skip(f->r, 16);
}

static void skip_field(struct frame *f, char field) {
    switch (field) {
    case 'b':
        wire_skip(f->r, wire_u16(f->r));
        break;
    case 'B':
        wire_skip(f->r, wire_u32(f->r));
        break;
    case 'z':
        skip_string(f, false);
        break;
    case 'u':
        f->is_unicode = wire_u8(f->r) != 0;
        break;
    case 's':
        skip_string(f, f->is_unicode);
        break;
    case 'i':
        skip_items(f, 8);
        break;
    case 't':
        skip_items(f, 4);
        break;
    case 'w':
        skip_items(f, 2);
        break;
    case 'n':
        skip_names(f);
        break;
    case 'p':
        skip_values(f);
        break;
    case 'm':
        skip_modifications(f);
        break;
    case 'r':
        skip_recipients(f);
        break;
    case 'g':
        if (wire_u8(f->r))
            wire_skip(f->r, 16);
        break;
    case 'x':
        if (wire_u16(f->r) == 0xBABE)
            wire_skip(f->r, 4);
        break;
    case 'y':
        if (wire_u16(f->r) == 0xBABE)
            wire_skip(f->r, 2);
        break;
    case 'o': {
        unsigned n = wire_u16(f->r);
        wire_skip(f->r, 4 + n * 5);
        break;
    }
    case 'e':
        skip_registration(f);
        break;
    case 'c':
        if (f->is_public)
            wire_skip(f->r, 24);
        break;
    case 'd':
        skip_per_user(f);
        break;
    default:
        g_assert_not_reached(); // the table is ours
    }
}

bool rop_frame(const char *form, const struct wire_reader *r, bool is_public, size_t *len_out) {
    ARENA_AUTO arena = arena_new();
    struct wire_reader at = *r;
    struct frame f = {&at, arena, false, is_public};
    for (const char *p = form; *p;) {
        if (*p == ' ') {
            p++;
        } else if (g_ascii_isdigit(*p)) {
            char *end;
            wire_skip(&at, strtoul(p, &end, 10));
            p = end;
        } else {
            skip_field(&f, *p++);
        }
    }
    *len_out = at.pos - r->pos;
    return wire_ok(&at);
}
