// What a synchronizing client sends and gets, for the tests: downloads of contents taken apart,
// imports of messages and deletions, its state.
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

#define HISTORY (SYNC_UNICODE | SYNC_READ_STATE | SYNC_FAI | SYNC_NORMAL)

// --- What a contents download said ---

struct got {
    unsigned n, n_fai, n_deleted, n_scope, n_read, n_unread;
    char *subjects; // joined by spaces
    uint64_t mids[16];
    struct sync_state state;
    bool has_progress, has_mid, has_cn, has_size, has_recipients_directive;
    GBytes *change_key;
};

static inline void got_clear(struct got *g) {
    g_free(g->subjects);
    state_clear(&g->state);
    g_clear_pointer(&g->change_key, g_bytes_unref);
}

static inline unsigned count(struct prop_bin bin) {
    struct idset *set;
    assert_ok(idset_parse(bin, IDSET_REPLID, &set));
    unsigned n = (unsigned)globset_count(idset_of_replid(set, REPLID_OWN, true));
    idset_free(set);
    return n;
}

static inline void take_header(struct stream *s, struct got *g) {
    static const proptag_t fixed[] = {PidTagSourceKey, PidTagLastModificationTime, PidTagChangeKey,
                                      PidTagPredecessorChangeList, PidTagAssociated};
    stream_next(s);
    for (unsigned i = 0; i < G_N_ELEMENTS(fixed); i++) { // MS-OXCFXICS_R1353 to R1361
        g_assert_cmphex(s->e.value.tag, ==, fixed[i]);
        if (i == 0) {
            struct wire_reader r = wire_reader(s->e.value.bin.data, s->e.value.bin.len);
            g->mids[g->n % 16] = gid_read(&r).counter;
        }
        if (i == 2) {
            g_clear_pointer(&g->change_key, g_bytes_unref);
            g->change_key = g_bytes_new(s->e.value.bin.data, s->e.value.bin.len);
        }
        if (i == 4)
            g->n_fai += s->e.value.b;
        stream_next(s);
    }
    for (; s->e.kind == FT_VALUE; stream_next(s)) {
        g->has_mid |= s->e.value.tag == PidTagMid;
        g->has_size |= s->e.value.tag == PidTagMessageSize;
        g->has_cn |= s->e.value.tag == PidTagChangeNumber;
    }
    g_assert_true(stream_at(s, FT_SYNC_MESSAGE));
}

static inline void take_change(struct stream *s, struct got *g) {
    take_header(s, g);
    g->n++;
    for (stream_next(s);
         !stream_at(s, FT_CHANGE) && !stream_at(s, FT_DELETIONS) && !stream_at(s, FT_READ_STATES) &&
         !stream_at(s, FT_STATE_BEGIN) && !stream_at(s, FT_PROGRESS_ITEM);
         stream_next(s)) {
        g_assert_cmpint(s->e.kind, !=, FT_MORE);
        if (stream_at_prop(s, PidTagSubject)) {
            char *more = g_strconcat(g->subjects, *g->subjects ? " " : "", s->e.value.str, NULL);
            g_free(g->subjects);
            g->subjects = more;
        }
        if (stream_at_prop(s, MetaTagFXDelProp))
            g->has_recipients_directive |= s->e.value.l == (int32_t)PidTagMessageRecipients;
    }
}

static inline void take_contents(const GByteArray *bytes, struct got *g) {
    struct stream s;
    *g = (struct got){.subjects = g_strdup("")};
    state_init(&g->state);
    stream_open(&s, bytes);
    if (stream_at(&s, FT_PROGRESS_TOTAL)) {
        g->has_progress = true;
        stream_next(&s);
        g_assert_cmphex(s.e.value.tag, ==, PROP_TAG(0, PT_BINARY)); // MS-OXCFXICS_R1386
        g_assert_cmpuint(s.e.value.bin.len, ==, 32);
        stream_next(&s);
    }
    while (stream_at(&s, FT_CHANGE) || stream_at(&s, FT_PROGRESS_ITEM)) {
        if (stream_at(&s, FT_PROGRESS_ITEM)) {
            stream_next(&s);
            g_assert_cmphex(s.e.value.tag, ==, PROP_TAG(0, PT_LONG)); // MS-OXCFXICS_R1377
            stream_next(&s);
            g_assert_cmphex(s.e.value.tag, ==, PROP_TAG(0, PT_BOOLEAN)); // MS-OXCFXICS_R1381
            stream_next(&s);
        }
        take_change(&s, g);
    }
    if (stream_at(&s, FT_DELETIONS))
        for (stream_next(&s); s.e.kind == FT_VALUE; stream_next(&s)) {
            if (s.e.value.tag == MetaTagIdsetDeleted)
                g->n_deleted += count(s.e.value.bin);
            else if (s.e.value.tag == MetaTagIdsetNoLongerInScope)
                g->n_scope += count(s.e.value.bin);
            else
                g_assert_not_reached();
        }
    if (stream_at(&s, FT_READ_STATES))
        for (stream_next(&s); s.e.kind == FT_VALUE; stream_next(&s))
            *(s.e.value.tag == MetaTagIdsetRead ? &g->n_read : &g->n_unread) +=
                count(s.e.value.bin);
    stream_state(&s, &g->state);
    g_assert_true(stream_at(&s, FT_SYNC_END));
    stream_next(&s);
    g_assert_cmpint(s.e.kind, ==, FT_MORE);
    g_assert_true(ft_reader_is_empty(s.reader));
    stream_close(&s);
}

// Handle 1 is the folder, 2 the context.
static inline void sync_as(struct client *c, uint16_t flags, uint32_t extra,
                           const struct sync_state *from, struct got *g) {
    client_configure(c, 1, 2, 1, flags, extra);
    if (from)
        client_upload_state(c, 2, from, true);
    g_autoptr(GByteArray) bytes = client_download(c, 2, 0);
    take_contents(bytes, g);
    client_release(c, 2);
}
