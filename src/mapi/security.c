// SIDs, ACLs and self-relative security descriptors.
#include "mapi/security.h"

#include <glib.h>
#include <string.h>

#define SID_REVISION 1
#define ACL_REVISION 2
#define ACL_REVISION_DS 4 // with object ACEs
#define DESCRIPTOR_HEADER 20
#define PROPERTY_HEADER 8
#define PROPERTY_VERSION 3
#define OBJECT_TYPE_PRESENT 1u
#define INHERITED_TYPE_PRESENT 2u

const struct sid SID_EVERYONE = {1, 1, {0}};
const struct sid SID_ANONYMOUS = {5, 1, {7}};

// --- SIDs ---
bool sid_equal(const struct sid *a, const struct sid *b) {
    return a->authority == b->authority && a->n == b->n &&
           memcmp(a->sub, b->sub, a->n * sizeof a->sub[0]) == 0;
}

// A number and the dash or end after it; false when there is none.
static bool parse_number(const char **p, uint64_t max, uint64_t *out) {
    if (!g_ascii_isdigit(**p))
        return false;
    char *end;
    bool is_hex = (*p)[0] == '0' && ((*p)[1] == 'x' || (*p)[1] == 'X');
    *out = g_ascii_strtoull(*p, &end, is_hex ? 16 : 10);
    if (*out > max || (*end != '-' && *end != 0))
        return false;
    *p = end + (*end == '-');
    return *end == 0 || **p != 0;
}

bool sid_parse(const char *text, struct sid *out) {
    struct sid sid = {0};
    uint64_t v;
    if (g_ascii_strncasecmp(text, "S-1-", 4) != 0)
        return false;
    const char *p = text + 4;
    if (!parse_number(&p, (UINT64_C(1) << 48) - 1, &sid.authority))
        return false;
    while (*p) {
        if (sid.n == SID_MAX_SUB_AUTHORITIES || !parse_number(&p, UINT32_MAX, &v))
            return false;
        sid.sub[sid.n++] = (uint32_t)v;
    }
    *out = sid;
    return true;
}

void sid_format(const struct sid *sid, char out[SID_STRING_SIZE]) {
    // Authorities of more than 32 bits are written in hex ([MS-DTYP] 2.4.2.1).
    int len = sid->authority >> 32
                  ? g_snprintf(out, SID_STRING_SIZE, "S-1-0x%012" G_GINT64_MODIFIER "x",
                               (guint64)sid->authority)
                  : g_snprintf(out, SID_STRING_SIZE, "S-1-%u", (unsigned)sid->authority);
    for (unsigned i = 0; i < sid->n; i++)
        len += g_snprintf(out + len, (gulong)(SID_STRING_SIZE - len), "-%u", sid->sub[i]);
}

struct sid sid_read(struct wire_reader *r) {
    struct sid sid = {0};
    uint8_t revision = wire_u8(r);
    uint8_t n = wire_u8(r);
    uint64_t high = wire_be16(r);
    if (revision != SID_REVISION || n > SID_MAX_SUB_AUTHORITIES) {
        wire_fail(r);
        return sid;
    }
    sid.authority = high << 32 | wire_be32(r);
    sid.n = n;
    for (unsigned i = 0; i < n; i++)
        sid.sub[i] = wire_u32(r);
    return sid;
}

void sid_put(struct wire_writer *w, const struct sid *sid) {
    wire_put_u8(w, SID_REVISION);
    wire_put_u8(w, sid->n);
    wire_put_be16(w, (uint16_t)(sid->authority >> 32));
    wire_put_be32(w, (uint32_t)sid->authority);
    for (unsigned i = 0; i < sid->n; i++)
        wire_put_u32(w, sid->sub[i]);
}

// --- ACLs ---
static bool is_object_ace(uint8_t type) {
    return type == ACE_ALLOWED_OBJECT || type == ACE_DENIED_OBJECT;
}

// The flags word and the GUIDs it announces.
static struct prop_bin read_object_types(struct wire_reader *r) {
    struct wire_reader peek = *r;
    uint32_t flags = wire_u32(&peek);
    uint32_t len =
        4u + (flags & OBJECT_TYPE_PRESENT ? 16u : 0u) + (flags & INHERITED_TYPE_PRESENT ? 16u : 0u);
    return (struct prop_bin){len, wire_bytes(r, len)};
}

static struct ace read_ace(struct wire_reader *r) {
    struct ace ace = {.type = wire_u8(r), .flags = wire_u8(r)};
    uint16_t size = wire_u16(r);
    if (size < 4)
        wire_fail(r);
    struct wire_reader body = wire_sub(r, size < 4 ? 0 : size - 4u);
    ace.has_sid = ace.type <= ACE_AUDIT || is_object_ace(ace.type);
    if (ace.has_sid) {
        ace.mask = wire_u32(&body);
        if (is_object_ace(ace.type))
            ace.raw = read_object_types(&body);
        ace.sid = sid_read(&body);
    } else {
        uint32_t len = (uint32_t)wire_left(&body);
        ace.raw = (struct prop_bin){len, wire_bytes(&body, len)};
    }
    if (!wire_ok(&body))
        wire_fail(r);
    return ace;
}

static enum ec read_acl(struct wire_reader *r, struct arena *arena, struct acl *out) {
    wire_skip(r, 2); // revision and padding
    uint16_t size = wire_u16(r);
    unsigned n = wire_u16(r);
    wire_skip(r, 2);
    struct wire_reader body = wire_sub(r, size < 8 ? 0 : size - 8u);
    if (!wire_ok(&body) || size < 8)
        return EC_CORRUPT_DATA;
    if (n > SECURITY_MAX_ACES)
        return EC_TOO_COMPLEX;
    if (n > wire_left(&body) / 4)
        return EC_CORRUPT_DATA;
    struct ace *items = arena_alloc(arena, n * sizeof *items);
    for (unsigned i = 0; i < n; i++)
        items[i] = read_ace(&body);
    *out = (struct acl){n, items};
    return wire_ok(&body) ? EC_OK : EC_CORRUPT_DATA;
}

static void put_ace(struct wire_writer *w, const struct ace *ace) {
    size_t start = wire_writer_len(w);
    wire_put_u8(w, ace->type);
    wire_put_u8(w, ace->flags);
    wire_put_u16(w, 0);
    if (ace->has_sid)
        wire_put_u32(w, ace->mask);
    wire_put_bytes(w, ace->raw.data, ace->raw.len);
    if (ace->has_sid)
        sid_put(w, &ace->sid);
    while ((wire_writer_len(w) - start) % 4 && wire_writer_ok(w))
        wire_put_u8(w, 0);
    if (wire_writer_ok(w))
        wire_patch_u16(w, start + 2, (uint16_t)(wire_writer_len(w) - start));
}

static void put_acl(struct wire_writer *w, const struct acl *acl) {
    size_t start = wire_writer_len(w);
    uint8_t revision = ACL_REVISION;
    for (uint32_t i = 0; i < acl->n; i++)
        if (is_object_ace(acl->items[i].type))
            revision = ACL_REVISION_DS;
    wire_put_u16(w, revision);
    wire_put_u16(w, 0);
    wire_put_u16(w, (uint16_t)acl->n);
    wire_put_u16(w, 0);
    for (uint32_t i = 0; i < acl->n; i++)
        put_ace(w, &acl->items[i]);
    if (wire_writer_ok(w))
        wire_patch_u16(w, start + 2, (uint16_t)(wire_writer_len(w) - start));
}

uint32_t acl_rights(const struct acl *dacl, const struct sid *sids, unsigned n_sids) {
    uint32_t decided = 0, allowed = 0;
    for (uint32_t i = 0; i < dacl->n; i++) {
        const struct ace *ace = &dacl->items[i];
        bool applies = false;
        for (unsigned s = 0; s < n_sids && !applies; s++)
            applies = ace->has_sid && sid_equal(&ace->sid, &sids[s]);
        if (!applies || (ace->type != ACE_ALLOWED && ace->type != ACE_DENIED))
            continue;
        if (ace->type == ACE_ALLOWED)
            allowed |= ace->mask & ~decided;
        decided |= ace->mask;
    }
    return allowed;
}

// --- Descriptors ---
static struct wire_reader reader_at(struct prop_bin bytes, uint32_t offset) {
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    if (offset < DESCRIPTOR_HEADER)
        wire_fail(&r);
    wire_skip(&r, offset);
    return r;
}

static enum ec read_sid_at(struct prop_bin bytes, uint32_t offset, bool *has_out, struct sid *out) {
    *has_out = offset != 0;
    if (offset == 0)
        return EC_OK;
    struct wire_reader r = reader_at(bytes, offset);
    *out = sid_read(&r);
    return wire_ok(&r) ? EC_OK : EC_CORRUPT_DATA;
}

static enum ec read_acl_at(struct arena *arena, struct prop_bin bytes, uint32_t offset,
                           bool is_present, bool *has_out, struct acl *out) {
    *has_out = is_present && offset != 0;
    if (!*has_out)
        return EC_OK;
    struct wire_reader r = reader_at(bytes, offset);
    return read_acl(&r, arena, out);
}

enum ec security_descriptor_parse(struct arena *arena, struct prop_bin bytes,
                                  struct security_descriptor *out) {
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    struct security_descriptor sd = {0};
    uint8_t revision = wire_u8(&r);
    wire_skip(&r, 1);
    sd.control = wire_u16(&r);
    uint32_t owner = wire_u32(&r), group = wire_u32(&r), sacl = wire_u32(&r), dacl = wire_u32(&r);
    if (!wire_ok(&r) || revision != 1 || !(sd.control & SECURITY_SELF_RELATIVE) ||
        bytes.len > SECURITY_DESCRIPTOR_MAX)
        return EC_CORRUPT_DATA;
    EC_TRY(read_sid_at(bytes, owner, &sd.has_owner, &sd.owner));
    EC_TRY(read_sid_at(bytes, group, &sd.has_group, &sd.group));
    EC_TRY(read_acl_at(arena, bytes, sacl, sd.control & SECURITY_SACL_PRESENT, &sd.has_sacl,
                       &sd.sacl));
    EC_TRY(read_acl_at(arena, bytes, dacl, sd.control & SECURITY_DACL_PRESENT, &sd.has_dacl,
                       &sd.dacl));
    *out = sd;
    return EC_OK;
}

static void put_descriptor(struct wire_writer *w, const struct security_descriptor *sd) {
    size_t start = wire_writer_len(w), at = start + 4;
    wire_put_u16(w, 1); // revision and padding
    wire_put_u16(w, sd->control | SECURITY_SELF_RELATIVE |
                        (sd->has_dacl ? SECURITY_DACL_PRESENT : 0) |
                        (sd->has_sacl ? SECURITY_SACL_PRESENT : 0));
    for (unsigned i = 0; i < 4; i++) // offsets of owner, group, SACL, DACL
        wire_put_u32(w, 0);
    if (sd->has_owner) {
        wire_patch_u32(w, at, (uint32_t)(wire_writer_len(w) - start));
        sid_put(w, &sd->owner);
    }
    if (sd->has_group) {
        wire_patch_u32(w, at + 4, (uint32_t)(wire_writer_len(w) - start));
        sid_put(w, &sd->group);
    }
    if (sd->has_sacl) {
        wire_patch_u32(w, at + 8, (uint32_t)(wire_writer_len(w) - start));
        put_acl(w, &sd->sacl);
    }
    if (sd->has_dacl) {
        wire_patch_u32(w, at + 12, (uint32_t)(wire_writer_len(w) - start));
        put_acl(w, &sd->dacl);
    }
}

// The writer's bytes in the arena; the writer is cleared.
static struct prop_bin take(struct arena *arena, struct wire_writer *w) {
    uint32_t len = w->failed ? 0 : (uint32_t)wire_writer_len(w);
    struct prop_bin bytes = {len, arena_memdup(arena, w->bytes->data, len)};
    wire_writer_clear(w);
    return bytes;
}

struct prop_bin security_descriptor_bytes(struct arena *arena,
                                          const struct security_descriptor *sd) {
    struct wire_writer w = wire_writer(SECURITY_DESCRIPTOR_MAX);
    put_descriptor(&w, sd);
    return take(arena, &w);
}

enum ec security_property_parse(struct arena *arena, struct prop_bin bytes,
                                struct security_descriptor *out) {
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    uint16_t header = wire_u16(&r);
    if (!wire_ok(&r) || header < 4 || header > bytes.len)
        return EC_CORRUPT_DATA;
    struct prop_bin descriptor = {bytes.len - header, bytes.data + header};
    return security_descriptor_parse(arena, descriptor, out);
}

struct prop_bin security_property_bytes(struct arena *arena, const struct security_descriptor *sd) {
    struct wire_writer w = wire_writer(PROPERTY_HEADER + SECURITY_DESCRIPTOR_MAX);
    wire_put_u16(&w, PROPERTY_HEADER);
    wire_put_u16(&w, PROPERTY_VERSION);
    wire_put_u32(&w, 0x07); // owner, group and DACL are meant
    put_descriptor(&w, sd);
    return take(arena, &w);
}
