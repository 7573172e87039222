// What a synchronizing client sends, for the tests: imports of messages and deletions, its state.
#pragma once

#include "protocol/rop/sync_fixture.h"

static inline uint64_t client_reserve(struct client *c, unsigned n) {
    put_rop(c, 0x7F, 0);
    wire_put_u32(&c->rops, n);
    client_call(c, 0x7F, EC_OK);
    struct guid guid = wire_guid(&c->r);
    g_assert_true(guid_equal(&guid, &c->replica)); // MS-OXCFXICS_R934
    return counter_read(&c->r);
}

static const struct guid client_space = {{0xC1, 2, 3}};

// What a client knows of one of its messages.
struct local {
    uint64_t mid;
    uint64_t counter; // of its last change
    filetime_t modified;
    bool knows_server; // its predecessors have the server's change `server_cn`
    uint64_t server_cn;
};

static inline void put_gid_value(struct client *c, proptag_t tag, const struct guid *space,
                                 uint64_t counter) {
    struct wire_writer b = wire_writer(64);
    struct gid gid = {*space, counter};
    gid_put(&b, &gid);
    struct prop_value v = prop_bytes(tag, b.bytes->data, b.bytes->len);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &v);
    wire_writer_clear(&b);
}

static inline struct prop_bin pcl_of(struct arena *arena, struct client *c, const struct local *l) {
    static const struct pcl none;
    struct pcl pcl;
    struct gid own = {client_space, l->counter}, server = {c->replica, l->server_cn};
    struct xid key = xid_of(&own), there = xid_of(&server);
    assert_ok(pcl_add(arena, &none, &key, &pcl));
    if (l->knows_server)
        assert_ok(pcl_add(arena, &pcl, &there, &pcl));
    return pcl_bytes(arena, &pcl);
}

static inline void put_identity(struct client *c, const struct local *l) {
    ARENA_AUTO arena = arena_new();
    struct prop_value time = prop_time(PidTagLastModificationTime, l->modified);
    put_gid_value(c, PidTagSourceKey, &c->replica, l->mid);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &time);
    put_gid_value(c, PidTagChangeKey, &client_space, l->counter);
    struct prop_bin pcl = pcl_of(arena, c, l);
    struct prop_value v = prop_bytes(PidTagPredecessorChangeList, pcl.data, pcl.len);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &v);
}

static inline void open_collector(struct client *c, bool is_contents,
                                  const struct sync_state *state) {
    put_rop2(c, 0x7E, 1, 3);
    wire_put_u8(&c->rops, is_contents);
    client_call(c, 0x7E, EC_OK);
    if (state)
        client_upload_state(c, 3, state, is_contents);
}

// Gives the message that is being imported (handle 4) a subject, and saves it.
static inline uint32_t import_fill(struct client *c, const char *subject) {
    put_rop(c, 0x0A, 4);
    struct wire_writer b = wire_writer(1000);
    struct prop_value v = prop_str(PidTagSubject, subject);
    prop_wire_put_tagged(&b, &PROP_WIRE_ROP, &v);
    wire_put_u16(&c->rops, (uint16_t)(2 + b.bytes->len));
    wire_put_u16(&c->rops, 1);
    wire_put_bytes(&c->rops, b.bytes->data, b.bytes->len);
    wire_writer_clear(&b);
    client_call(c, 0x0A, EC_OK);
    put_rop2(c, 0x0C, 4, 4);
    wire_put_u8(&c->rops, 0x0A); // KeepOpenReadWrite
    client_run(c);
    uint32_t result = client_result(c, 0x0C);
    client_release(c, 4);
    return result;
}

static inline uint32_t import_message(struct client *c, const struct local *l, uint8_t flags,
                                      const char *subject) {
    put_rop2(c, 0x72, 3, 4);
    wire_put_u8(&c->rops, flags);
    wire_put_u16(&c->rops, 4);
    put_identity(c, l);
    client_run(c);
    uint32_t result = client_result(c, 0x72);
    if (result)
        return result;
    g_assert_cmpuint(wire_u64(&c->r), ==, 0); // MS-OXCFXICS_R808
    return import_fill(c, subject);
}

static inline void transfer_state(struct client *c, uint8_t index, struct sync_state *out) {
    struct stream s;
    put_rop2(c, 0x82, index, 5);
    client_call(c, 0x82, EC_OK);
    g_autoptr(GByteArray) bytes = client_download(c, 5, 0);
    stream_open(&s, bytes);
    stream_state(&s, out);
    stream_close(&s);
    client_release(c, 5);
}

static inline void put_deletes(struct client *c, uint8_t flags, const uint64_t *ids, unsigned n) {
    put_rop(c, 0x74, 3);
    wire_put_u8(&c->rops, flags);
    wire_put_u16(&c->rops, 1);
    wire_put_u32(&c->rops, 0x00001102);
    wire_put_u32(&c->rops, n);
    for (unsigned i = 0; i < n; i++) {
        struct gid gid = {c->replica, ids[i]};
        wire_put_u16(&c->rops, GID_SIZE);
        gid_put(&c->rops, &gid);
    }
}
