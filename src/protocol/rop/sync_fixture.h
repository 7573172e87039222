// A client of remote operations, for the tests of transfers and synchronization: it packs requests,
// runs them and reads the responses. Values it does not expect fail the test.
#pragma once

#include "mailbox/mailbox_fixture.h"
#include "protocol/rop/transfer_internal.h"

#define CLIENT_HANDLES 16
#define NO_HANDLE UINT32_MAX

struct client {
    struct world *w;
    struct rop_service *service;
    struct rop_session *session;
    struct arena *arena; // of one call
    struct wire_writer rops;
    uint32_t handles[CLIENT_HANDLES]; // the table that goes with every call; 0: the logon
    struct wire_reader r;             // responses of the last call
    size_t max_out;
    struct guid replica;
    bool wants_tail; // RopNotify is behind
};

static inline void client_begin(struct client *c) {
    wire_writer_clear(&c->rops);
    c->rops = wire_writer(1u << 20);
}

// RopId, LogonId and one or two indexes.
static inline void put_rop(struct client *c, uint8_t id, uint8_t index) {
    wire_put_u8(&c->rops, id);
    wire_put_u8(&c->rops, 0);
    wire_put_u8(&c->rops, index);
}

static inline void put_rop2(struct client *c, uint8_t id, uint8_t index, uint8_t out) {
    put_rop(c, id, index);
    wire_put_u8(&c->rops, out);
}

static inline enum ec client_try(struct client *c) {
    struct wire_writer b = wire_writer(1u << 20);
    const uint8_t *out;
    size_t len, rops = wire_writer_len(&c->rops);
    arena_reset(c->arena);
    wire_put_u16(&b, 0); // RPC_HEADER_EXT
    wire_put_u16(&b, 4); // Last
    wire_put_u16(&b, (uint16_t)(2 + rops + 4 * CLIENT_HANDLES));
    wire_put_u16(&b, (uint16_t)(2 + rops + 4 * CLIENT_HANDLES));
    wire_put_u16(&b, (uint16_t)(2 + rops));
    if (rops)
        wire_put_bytes(&b, c->rops.bytes->data, rops);
    for (unsigned i = 0; i < CLIENT_HANDLES; i++)
        wire_put_u32(&b, c->handles[i]);
    enum ec ec = rop_execute(c->session, ROP_NO_COMPRESSION | ROP_NO_XOR, b.bytes->data,
                             b.bytes->len, c->max_out, c->arena, &out, &len);
    wire_writer_clear(&b);
    client_begin(c);
    if (ec != EC_OK)
        return ec;
    struct wire_reader r = wire_reader(out, len);
    wire_skip(&r, 8);
    uint16_t size = wire_u16(&r);
    c->r = wire_sub(&r, size - 2u);
    for (unsigned i = 0; i < CLIENT_HANDLES; i++)
        c->handles[i] = wire_u32(&r);
    g_assert_true(wire_ok(&r));
    return EC_OK;
}

static inline void client_run(struct client *c) {
    assert_ok(client_try(c));
}

// The head of the next response.
static inline uint32_t client_result(struct client *c, uint8_t id) {
    g_assert_cmphex(wire_u8(&c->r), ==, id);
    wire_u8(&c->r);
    uint32_t result = wire_u32(&c->r);
    g_assert_true(wire_ok(&c->r));
    return result;
}

#define client_expect(c, id, ec)                                                                   \
    do {                                                                                           \
        uint32_t got_ = client_result(c, id);                                                      \
        if (got_ != (uint32_t)(ec))                                                                \
            g_error("%s:%d: rop %#x gave %#x, expected %s", __FILE__, __LINE__, id, got_,          \
                    ec_name(ec));                                                                  \
    } while (0)

// Runs one ROP of which only the result counts.
#define client_call(c, id, ec)                                                                     \
    do {                                                                                           \
        client_run(c);                                                                             \
        client_expect(c, id, ec);                                                                  \
    } while (0)

static inline void client_release(struct client *c, uint8_t index) {
    put_rop(c, 0x01, index);
    client_run(c);
    c->handles[index] = NO_HANDLE;
}

static inline void client_log_on(struct client *c, const struct guid *user, const char *address) {
    struct rop_options options = {
        .mailboxes = c->w->service, .hostname = "host.example.test", .organization = "Example"};
    struct principal *who = world_principal(user, address);
    const char *dn = address;
    assert_ok(rop_service_new(&options, &c->service));
    struct rop_connect connect = {.user_dn = dn,
                                  .code_page = 1252,
                                  .lcid_string = 1033,
                                  .lcid_sort = 1033,
                                  .client_version = {15, 0, 4000, 0}};
    assert_ok(rop_session_new(c->service, who, &connect, &c->session));
    principal_unref(who);
    put_rop(c, 0xFE, 0);
    wire_put_u8(&c->rops, 0x01);
    wire_put_u32(&c->rops, 0x01000000);
    wire_put_u32(&c->rops, 0);
    wire_put_u16(&c->rops, (uint16_t)(strlen(dn) + 1));
    wire_put_cstring(&c->rops, dn);
    client_call(c, 0xFE, EC_OK);
    wire_skip(&c->r, 1 + 13 * 8 + 1 + 16 + 2);
    c->replica = wire_guid(&c->r);
}

static inline void client_open_as(struct client *c, struct world *w, const struct guid *user,
                                  const char *address) {
    *c = (struct client){.w = w, .arena = arena_new(), .max_out = 100000};
    for (unsigned i = 0; i < CLIENT_HANDLES; i++)
        c->handles[i] = NO_HANDLE;
    client_begin(c);
    client_log_on(c, user, address);
}

static inline void client_open(struct client *c, struct world *w) {
    client_open_as(c, w, &w->alice, "alice@example.test");
}

static inline void client_close(struct client *c) {
    rop_session_free(c->session);
    rop_service_free(c->service);
    wire_writer_clear(&c->rops);
    arena_free(c->arena);
}

static inline void client_open_folder(struct client *c, uint8_t index, uint64_t fid) {
    put_rop2(c, 0x02, 0, index);
    rop_put_id(&c->rops, fid);
    wire_put_u8(&c->rops, 0);
    client_call(c, 0x02, EC_OK);
}

// --- Transfers ---

// All of a source's stream in buffers of at most `size`; with `size` 0 of the server's choice.
static inline GByteArray *client_download(struct client *c, uint8_t index, uint16_t size) {
    GByteArray *all = g_byte_array_new();
    uint16_t status;
    do {
        put_rop(c, 0x4E, index);
        wire_put_u16(&c->rops, size ? size : 0xBABE);
        if (!size)
            wire_put_u16(&c->rops, 0x7FFF);
        client_call(c, 0x4E, EC_OK);
        status = wire_u16(&c->r);
        wire_skip(&c->r, 5);
        uint16_t n = wire_u16(&c->r);
        g_byte_array_append(all, wire_bytes(&c->r, n), n);
        g_assert_true(wire_ok(&c->r));
    } while (status == 1);
    g_assert_cmpuint(status, ==, 3);
    return all;
}

static inline void client_configure(struct client *c, uint8_t folder, uint8_t out, uint8_t type,
                                    uint16_t flags, uint32_t extra) {
    put_rop2(c, 0x70, folder, out);
    wire_put_u8(&c->rops, type);
    wire_put_u8(&c->rops, SEND_UNICODE);
    wire_put_u16(&c->rops, flags);
    wire_put_u16(&c->rops, 0);
    wire_put_u32(&c->rops, extra);
    wire_put_u16(&c->rops, 0);
    client_call(c, 0x70, EC_OK);
}

// Uploads one property of a state in two pieces.
static inline void client_upload_set(struct client *c, uint8_t index, proptag_t tag,
                                     const struct idset *set) {
    struct wire_writer b = wire_writer(1u << 20);
    idset_put(&b, IDSET_REPLGUID, set);
    size_t len = wire_writer_len(&b), half = len / 2;
    put_rop(c, 0x75, index);
    wire_put_u32(&c->rops, tag);
    wire_put_u32(&c->rops, (uint32_t)len);
    client_call(c, 0x75, EC_OK);
    for (unsigned i = 0; i < 2 && len > 0; i++) {
        size_t n = i ? len - half : half;
        put_rop(c, 0x76, index);
        wire_put_u32(&c->rops, (uint32_t)n);
        wire_put_bytes(&c->rops, b.bytes->data + (i ? half : 0), n);
        client_call(c, 0x76, EC_OK);
    }
    put_rop(c, 0x77, index);
    client_call(c, 0x77, EC_OK);
    wire_writer_clear(&b);
}

static inline void client_upload_state(struct client *c, uint8_t index, const struct sync_state *s,
                                       bool is_contents) {
    client_upload_set(c, index, MetaTagIdsetGiven, s->given);
    client_upload_set(c, index, MetaTagCnsetSeen, s->seen);
    if (!is_contents)
        return;
    client_upload_set(c, index, MetaTagCnsetSeenFAI, s->seen_fai);
    client_upload_set(c, index, MetaTagCnsetRead, s->read);
}

// The elements of a stream, one by one; in an arena of their own.
struct stream {
    struct ft_reader *reader;
    struct arena *arena;
    struct ft_element e;
};
static inline void stream_open(struct stream *s, const GByteArray *bytes) {
    *s = (struct stream){ft_reader_new(1252, FT_VALUE_MAX), arena_new(), {0}};
    ft_reader_put(s->reader, bytes->data, bytes->len);
    assert_ok(ft_reader_next(s->reader, s->arena, &s->e));
}
static inline void stream_next(struct stream *s) {
    assert_ok(ft_reader_next(s->reader, s->arena, &s->e));
}
static inline void stream_close(struct stream *s) {
    ft_reader_free(s->reader);
    arena_free(s->arena);
}
static inline bool stream_at(const struct stream *s, enum ft_marker marker) {
    return s->e.kind == FT_MARKER && s->e.marker == marker;
}
static inline bool stream_at_prop(const struct stream *s, proptag_t tag) {
    return s->e.kind == FT_VALUE && s->e.value.tag == tag;
}
// Passes over elements up to the marker, which must come.
static inline void stream_seek(struct stream *s, enum ft_marker marker) {
    while (!stream_at(s, marker)) {
        g_assert_cmpint(s->e.kind, !=, FT_MORE);
        stream_next(s);
    }
}

static inline void take_set(struct idset **set, struct prop_bin bytes) {
    idset_free(*set);
    assert_ok(idset_parse(bytes, IDSET_REPLGUID, set));
}

// The state element the stream stands at.
static inline void stream_state(struct stream *s, struct sync_state *out) {
    g_assert_true(stream_at(s, FT_STATE_BEGIN));
    for (stream_next(s); s->e.kind == FT_VALUE; stream_next(s)) {
        struct prop_bin bin = s->e.value.bin;
        switch (PROP_ID(s->e.value.tag)) {
        case PROP_ID(MetaTagIdsetGiven):
            take_set(&out->given, bin);
            break;
        case PROP_ID(MetaTagCnsetSeen):
            take_set(&out->seen, bin);
            break;
        case PROP_ID(MetaTagCnsetSeenFAI):
            take_set(&out->seen_fai, bin);
            break;
        case PROP_ID(MetaTagCnsetRead):
            take_set(&out->read, bin);
            break;
        default:
            g_error("property %x in a state", s->e.value.tag);
        }
    }
    g_assert_true(stream_at(s, FT_STATE_END));
    stream_next(s);
}
