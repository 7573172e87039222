// Streams on properties ([MS-OXCPRPT] 2.2.14 to 2.2.26, 3.2.5.11 to 3.2.5.23).
//
// A stream is a copy of the property in memory; committing it puts it back into its object. Strings
// travel in UTF-16, or in the code page of the object for PtypString8.
#include "base/clock.h"
#include "base/text.h"
#include "mapi/code_page.h"
#include "protocol/rop/props_internal.h"

#define OWNERS                                                                                     \
    (ROP_IS(ROP_LOGON) | ROP_IS(ROP_FOLDER) | ROP_IS(ROP_MESSAGE) | ROP_IS(ROP_ATTACHMENT))
#define LOCK_SECONDS 1200 // a lock that was not used for so long is over

struct rop_region {
    uint64_t start, end;
    uint32_t handle; // of the stream that has it
    filetime_t expires;
};

static void destroy_stream(struct rop_object *o) {
    struct rop_stream *s = (struct rop_stream *)o;
    if (s->bytes)
        g_byte_array_unref(s->bytes);
    if (s->locks)
        g_array_unref(s->locks);
}

// --- Between properties and bytes ---

static void encode(const struct rop_object *o, uint16_t type, const struct prop_value *v,
                   GByteArray *out) {
    if (type == PT_STRING8)
        code_page_from_utf8(rop_form(o).code_page, v->str, out);
    else if (type == PT_UNICODE)
        text_to_utf16(v->str, strlen(v->str), out);
    else
        g_byte_array_append(out, v->bin.data, v->bin.len);
}

static enum ec load(struct rop_object *o, proptag_t tag, GByteArray *out) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct prop_value v;
    uint16_t type = PROP_TYPE(tag);
    proptag_t stored = type == PT_STRING8  ? PROP_TAG(PROP_ID(tag), PT_UNICODE)
                       : type == PT_OBJECT ? PROP_TAG(PROP_ID(tag), PT_BINARY)
                                           : tag;
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    enum ec ec = rop_get_prop(o, tx, arena, stored, ROP_STREAM_MAX, &v);
    if (ec == EC_NOT_FOUND && type == PT_OBJECT)
        ec = rop_get_prop(o, tx, arena, tag, ROP_STREAM_MAX, &v);
    EC_TRY(ec);
    if (PROP_TYPE(v.tag) != PROP_TYPE(stored) && type != PT_OBJECT)
        return EC_NOT_FOUND;
    encode(o, type, &v, out);
    return EC_OK;
}

static enum ec store(struct rop_stream *s) {
    ARENA_AUTO arena = arena_new();
    struct rop_object *o = s->object.owner;
    const uint8_t *data = s->bytes->data ? s->bytes->data : (const uint8_t *)"";
    struct prop_value v = prop_bytes(s->tag, data, s->bytes->len);
    uint16_t type = PROP_TYPE(s->tag);
    if (type == PT_UNICODE)
        v = prop_str(s->tag, text_from_utf16(arena, data, s->bytes->len));
    else if (type == PT_STRING8)
        v = prop_str(
            PROP_TAG(PROP_ID(s->tag), PT_UNICODE),
            code_page_to_utf8(arena, rop_form(o).code_page, (const char *)data, s->bytes->len));
    else if (type == PT_OBJECT && s->tag == PidTagAttachDataObject)
        v.tag = PidTagAttachDataBinary; // OLE storages are kept as what an attachment holds
    g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(struct rop_problem));
    EC_TRY(rop_set_props(o, &v, 1, problems));
    return problems->len ? g_array_index(problems, struct rop_problem, 0).ec : EC_OK;
}

// --- Opening ---

static enum ec stream_new(struct rop_object *owner, proptag_t tag, bool is_writable,
                          struct rop_stream **out) {
    struct rop_stream *s = g_new0(struct rop_stream, 1);
    s->tag = tag;
    s->bytes = g_byte_array_new();
    s->is_writable = is_writable;
    EC_TRY(rop_object_init(&s->object, ROP_STREAM, owner, destroy_stream));
    *out = s;
    return EC_OK;
}

enum { STREAM_MODE_READ_ONLY = 0, STREAM_MODE_READ_WRITE = 1, STREAM_MODE_CREATE = 2 };

static enum ec check_mode(struct rop_object *o, proptag_t tag, uint8_t mode) {
    uint16_t type = PROP_TYPE(tag);
    if (type != PT_BINARY && type != PT_UNICODE && type != PT_STRING8 && type != PT_OBJECT)
        return EC_NOT_SUPPORTED; // MS-OXCPRPT_R548
    if (mode > STREAM_MODE_CREATE)
        return EC_INVALID_PARAMETER;
    if (mode == STREAM_MODE_READ_ONLY)
        return EC_OK;
    if (o->logon->is_public && o->kind == ROP_FOLDER) // MS-OXCPRPT_R88501
        return EC_NOT_SUPPORTED;
    if (o->kind == ROP_MESSAGE && !((struct rop_message *)o)->is_writable)
        return EC_ACCESS_DENIED;
    if (o->kind == ROP_ATTACHMENT && !((struct rop_attachment *)o)->is_writable)
        return EC_ACCESS_DENIED;
    return EC_OK;
}

enum ec rop_open_stream(struct rop_call *c) {
    proptag_t tag = wire_u32(c->r);
    uint8_t mode = wire_u8(c->r);
    struct rop_object *o;
    struct rop_stream *s;
    EC_TRY(rop_in(c, OWNERS, &o));
    EC_TRY(check_mode(o, tag, mode));
    EC_TRY(stream_new(o, tag, mode != STREAM_MODE_READ_ONLY, &s));
    enum ec ec = EC_OK;
    if (mode == STREAM_MODE_CREATE)
        s->is_changed = true; // empty, whatever was there
    else
        ec = load(o, tag, s->bytes); // MS-OXCPRPT_R549
    if (ec == EC_OK)
        ec = rop_account(&s->object, s->bytes->len);
    if (ec != EC_OK) {
        rop_object_free(&s->object);
        return ec;
    }
    EC_TRY(rop_give(c, &s->object));
    wire_put_u32(c->w, s->bytes->len);
    return EC_OK;
}

enum ec rop_clone_stream(struct rop_call *c) {
    struct rop_stream *s, *copy;
    EC_TRY(rop_stream_in(c, &s));
    EC_TRY(stream_new(s->object.owner, s->tag, s->is_writable, &copy));
    enum ec ec = rop_account(&copy->object, s->bytes->len);
    if (ec != EC_OK) {
        rop_object_free(&copy->object);
        return ec;
    }
    g_byte_array_append(copy->bytes, s->bytes->data, s->bytes->len);
    copy->pos = s->pos;
    return rop_give(c, &copy->object);
}

// --- Regions ([MS-OXCPRPT] 3.2.5.21, 3.2.5.22) ---

// The locks of a property lie in the stream that has them; all streams on it are looked through.
static enum ec check_locks(struct rop_stream *s, uint64_t start, uint64_t len) {
    for (struct rop_object *o = s->object.owner->owned; o; o = o->next_owned) {
        struct rop_stream *other = (struct rop_stream *)o;
        if (o->kind != ROP_STREAM || other->tag != s->tag || !other->locks)
            continue;
        for (guint i = 0; i < other->locks->len; i++) {
            struct rop_region *r = &g_array_index(other->locks, struct rop_region, i);
            bool meets = start < r->end && r->start < start + len;
            if (!meets)
                continue;
            if (other == s && r->expires < clock_now()) // MS-OXCPRPT_R612
                return EC_NETWORK_ERROR;
            if (other != s && r->expires >= clock_now())
                return EC_ACCESS_DENIED;
        }
    }
    return EC_OK;
}

static enum ec read_region(struct rop_call *c, uint64_t *start, uint64_t *len) {
    *start = wire_u64(c->r);
    *len = wire_u64(c->r);
    wire_u32(c->r); // LockFlags
    return *start > UINT64_MAX - *len ? EC_STREAM_INVALID_PARAMETER : EC_OK;
}

#define MAX_LOCKS 1024

enum ec rop_lock_region_stream(struct rop_call *c) {
    uint64_t start, len;
    struct rop_stream *s;
    EC_TRY(read_region(c, &start, &len));
    EC_TRY(rop_stream_in(c, &s));
    EC_TRY(check_locks(s, start, len)); // MS-OXCPRPT_R611
    if (!s->locks)
        s->locks = g_array_new(FALSE, FALSE, sizeof(struct rop_region));
    if (s->locks->len >= MAX_LOCKS)
        return EC_NOT_ENOUGH_RESOURCES;
    struct rop_region r = {start, start + len, s->object.handle,
                           clock_now() + LOCK_SECONDS * FILETIME_SECOND};
    g_array_append_val(s->locks, r);
    return EC_OK;
}

enum ec rop_unlock_region_stream(struct rop_call *c) {
    uint64_t start, len;
    struct rop_stream *s;
    EC_TRY(read_region(c, &start, &len));
    EC_TRY(rop_stream_in(c, &s));
    for (guint i = 0; s->locks && i < s->locks->len; i++) {
        const struct rop_region *r = &g_array_index(s->locks, struct rop_region, i);
        if (r->start == start && r->end == start + len) {
            g_array_remove_index(s->locks, i);
            return EC_OK;
        }
    }
    return EC_ACCESS_DENIED;
}

// --- Reading ---

#define WANTS_MAXIMUM 0xBABE

static void pack_rest(struct rop_call *c, uint32_t left) {
    uint8_t request[9];
    memcpy(request, c->request, 3); // RopId, LogonId, InputHandleIndex
    request[3] = WANTS_MAXIMUM & 0xFF;
    request[4] = WANTS_MAXIMUM >> 8;
    for (unsigned i = 0; i < 4; i++)
        request[5 + i] = (uint8_t)(left >> 8 * i);
    rop_pack(c, arena_memdup(c->arena, request, sizeof request), sizeof request);
}

enum ec rop_read_stream(struct rop_call *c) {
    uint32_t wanted = wire_u16(c->r);
    bool has_maximum = wanted == WANTS_MAXIMUM;
    struct rop_stream *s;
    if (has_maximum)
        wanted = wire_u32(c->r);
    EC_TRY(rop_stream_in(c, &s));
    if (wanted > INT32_MAX)
        return EC_RPC_FORMAT; // [MS-OXCPRPT] 3.2.5.12
    size_t left = s->pos < s->bytes->len ? s->bytes->len - s->pos : 0;
    size_t n = MIN(MIN(wanted, left), c->room > 2 ? c->room - 2 : 0);
    n = MIN(n, (size_t)UINT16_MAX);
    EC_TRY(check_locks(s, s->pos, n));
    wire_put_u16(c->w, (uint16_t)n);
    wire_put_bytes(c->w, s->bytes->data + s->pos, n);
    s->pos += n;
    if (has_maximum && n < wanted && n < left)
        pack_rest(c, wanted - (uint32_t)n);
    return EC_OK;
}

enum ec rop_get_stream_size(struct rop_call *c) {
    struct rop_stream *s;
    EC_TRY(rop_stream_in(c, &s));
    wire_put_u32(c->w, s->bytes->len);
    return EC_OK;
}

enum ec rop_seek_stream(struct rop_call *c) {
    uint8_t origin = wire_u8(c->r);
    int64_t offset = (int64_t)wire_u64(c->r);
    struct rop_stream *s;
    EC_TRY(rop_stream_in(c, &s));
    if (origin > 2) // MS-OXCPRPT_R902
        return EC_STREAM_INVALID_PARAMETER;
    int64_t base = origin == 0 ? 0 : origin == 1 ? (int64_t)s->pos : (int64_t)s->bytes->len;
    if (offset < -base || offset > INT32_MAX - base) // MS-OXCPRPT_R584
        return EC_STREAM_SEEK_ERROR;
    s->pos = (uint64_t)(base + offset);
    wire_put_u64(c->w, s->pos);
    return EC_OK;
}

// --- Writing ---

static enum ec resize(struct rop_stream *s, uint64_t size) {
    guint old = s->bytes->len;
    if (size > ROP_STREAM_MAX)
        return EC_TOO_BIG;
    EC_TRY(rop_account(&s->object, size));
    g_byte_array_set_size(s->bytes, (guint)size);
    if (size > old) // MS-OXCPRPT_R57706
        memset(s->bytes->data + old, 0, size - old);
    return EC_OK;
}

static enum ec write_bytes(struct rop_stream *s, const uint8_t *data, size_t len) {
    if (!s->is_writable) // MS-OXCPRPT_R900
        return EC_STREAM_ACCESS_DENIED;
    EC_TRY(check_locks(s, s->pos, len));
    if (s->pos + len > s->bytes->len)
        EC_TRY(resize(s, s->pos + len)); // MS-OXCPRPT_R564
    if (len)
        memcpy(s->bytes->data + s->pos, data, len);
    s->pos += len;
    s->is_changed = true;
    return EC_OK;
}

static enum ec commit(struct rop_stream *s) {
    if (!s->is_writable)
        return EC_STREAM_ACCESS_DENIED;
    if (!s->is_changed)
        return EC_OK;
    EC_TRY(store(s));
    s->is_changed = false;
    return EC_OK;
}

// MS-OXCPRPT_R40802, R56405: also a message's own value is not lost.
void rop_stream_close(struct rop_stream *s) {
    if (s->is_writable && s->is_changed)
        commit(s);
}

static enum ec write_from(struct rop_call *c, size_t *n_out, struct rop_stream **out) {
    *n_out = wire_u16(c->r);
    const uint8_t *data = wire_bytes(c->r, *n_out);
    EC_TRY(rop_stream_in(c, out));
    return write_bytes(*out, data, *n_out);
}

enum ec rop_write_stream(struct rop_call *c) {
    struct rop_stream *s;
    size_t n;
    EC_TRY(write_from(c, &n, &s));
    wire_put_u16(c->w, (uint16_t)n);
    return EC_OK;
}

enum ec rop_write_stream_extended(struct rop_call *c) {
    struct rop_stream *s;
    size_t n;
    EC_TRY(write_from(c, &n, &s));
    wire_put_u32(c->w, (uint32_t)n);
    return EC_OK;
}

enum ec rop_write_and_commit_stream(struct rop_call *c) {
    struct rop_stream *s;
    size_t n;
    EC_TRY(write_from(c, &n, &s));
    EC_TRY(commit(s));
    wire_put_u16(c->w, (uint16_t)n);
    return EC_OK;
}

enum ec rop_set_stream_size(struct rop_call *c) {
    uint64_t size = wire_u64(c->r);
    struct rop_stream *s;
    EC_TRY(rop_stream_in(c, &s));
    if (!s->is_writable)
        return EC_STREAM_ACCESS_DENIED;
    EC_TRY(resize(s, size));
    s->is_changed = true;
    return EC_OK;
}

enum ec rop_commit_stream(struct rop_call *c) {
    struct rop_stream *s;
    EC_TRY(rop_stream_in(c, &s));
    return commit(s);
}

enum ec rop_copy_to_stream(struct rop_call *c) {
    uint64_t wanted = wire_u64(c->r);
    struct rop_stream *from, *to;
    struct rop_object *dest;
    EC_TRY(rop_stream_in(c, &from));
    EC_TRY(rop_dest(c, ROP_IS(ROP_STREAM), &dest)); // MS-OXCPRPT_R593
    to = (struct rop_stream *)dest;
    size_t left = from->pos < from->bytes->len ? from->bytes->len - from->pos : 0;
    size_t n = MIN(wanted, left);
    g_autofree uint8_t *bytes = g_memdup2(from->bytes->data + from->pos, n); // may be one stream
    EC_TRY(write_bytes(to, bytes, n));
    from->pos += to == from ? 0 : n;
    wire_put_u64(c->w, n);
    wire_put_u64(c->w, n);
    return EC_OK;
}
