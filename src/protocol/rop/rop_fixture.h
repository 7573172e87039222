// A session of remote operations on a store with users, and a builder of ROP buffers, for tests.
#pragma once

#include <string.h>

#include "base/test.h"
#include "base/wire.h"
#include "directory/dn.h"
#include "mailbox/mailbox.h"
#include "mapi/change.h"
#include "mapi/props.h"
#include "mapi/row.h"
#include "mapi/special_folder.h"
#include "protocol/rop/rop.h"
#include "store/check.h"

#define MAX_OUT 0x10008
#define N_HANDLES 16
#define ORGANIZATION "Example"
#define DN_PREFIX                                                                                  \
    "/o=" ORGANIZATION "/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="

struct rops {
    char *dir;
    struct directory *d;
    struct store *store;
    struct mailbox_service *mailboxes;
    struct rop_service *service;
    struct principal *alice, *bob;
    struct rop_session *session; // alice's
    struct arena *arena;

    // The buffer being built, and the handle table of the last answer.
    struct wire_writer w;
    uint32_t handles[N_HANDLES];
    // The answer being read.
    struct wire_reader r;
    size_t max_out;
    unsigned flags;
};

static inline struct principal *rops_user(struct rops *f, const char *address, const char *name) {
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = address,
                                    .display_name = name,
                                    .has_mailbox = true,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(f->d, &user));
    struct mbox_new spec = {user.guid, address, name, "en"};
    assert_ok(store_create_mailbox(f->store, &spec));
    struct principal *who = g_new0(struct principal, 1);
    who->refs = 1;
    who->guid = user.guid;
    who->address = g_strdup(address);
    who->display_name = g_strdup(name);
    return who;
}

static inline const char *rops_dn(struct rops *f, const struct principal *who) {
    return dn_of_guid(f->arena, ORGANIZATION, &who->guid);
}

static inline struct rop_session *rops_connect(struct rops *f, struct principal *who) {
    struct rop_connect connect = {.user_dn = rops_dn(f, who),
                                  .code_page = 1252,
                                  .lcid_string = 0x409,
                                  .lcid_sort = 0x409,
                                  .client_version = {16, 0, 4266, 1001}};
    struct rop_session *s;
    assert_ok(rop_session_new(f->service, who, &connect, &s));
    return s;
}

static inline void rops_setup(struct rops *f, gconstpointer data) {
    (void)data;
    f->dir = test_folder();
    f->arena = arena_new();
    g_autofree char *path = g_build_filename(f->dir, "directory.db", NULL);
    g_autofree char *store = g_build_filename(f->dir, "store", NULL);
    struct store_options options = {.is_durable = false};
    assert_ok(directory_open(path, &f->d));
    assert_ok(directory_domain_add(f->d, "example.test"));
    assert_ok(store_open(store, &options, &f->store));
    assert_ok(mailbox_service_new(f->store, f->d, &f->mailboxes));
    f->alice = rops_user(f, "alice@example.test", "Alice Adams");
    f->bob = rops_user(f, "bob@example.test", "Bob Brown");
    struct rop_options rop = {
        .mailboxes = f->mailboxes, .hostname = "mail.example.test", .organization = ORGANIZATION};
    assert_ok(rop_service_new(&rop, &f->service));
    f->session = rops_connect(f, f->alice);
    f->max_out = MAX_OUT;
    f->flags = ROP_NO_COMPRESSION | ROP_NO_XOR;
    memset(f->handles, 0xFF, sizeof f->handles);
    f->w = wire_writer(1 << 20);
}

static inline void rops_assert_clean(struct rops *f, const struct guid *guid) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_error("%s", (const char *)faults->pdata[i]);
}

static inline void rops_teardown(struct rops *f, gconstpointer data) {
    (void)data;
    rop_session_free(f->session);
    rops_assert_clean(f, &f->alice->guid);
    rop_service_free(f->service);
    mailbox_service_free(f->mailboxes);
    store_close(f->store);
    directory_close(f->d);
    principal_unref(f->alice);
    principal_unref(f->bob);
    wire_writer_clear(&f->w);
    arena_free(f->arena);
    test_folder_remove(f->dir);
}

#define ROPS_TEST(path, function)                                                                  \
    g_test_add(path, struct rops, NULL, rops_setup, function, rops_teardown)

// --- Building ---

// RopId, LogonId 0 and the handle indexes.
static inline void rop1(struct rops *f, uint8_t id, uint8_t index) {
    wire_put_u8(&f->w, id);
    wire_put_u8(&f->w, 0);
    wire_put_u8(&f->w, index);
}
static inline void rop2(struct rops *f, uint8_t id, uint8_t index1, uint8_t index2) {
    rop1(f, id, index1);
    wire_put_u8(&f->w, index2);
}
static inline void u8(struct rops *f, uint8_t v) {
    wire_put_u8(&f->w, v);
}
static inline void u16(struct rops *f, uint16_t v) {
    wire_put_u16(&f->w, v);
}
static inline void u32(struct rops *f, uint32_t v) {
    wire_put_u32(&f->w, v);
}
static inline void u64(struct rops *f, uint64_t v) {
    wire_put_u64(&f->w, v);
}
static inline void id(struct rops *f, uint64_t counter) {
    short_id_put(&f->w, (struct short_id){counter ? REPLID_OWN : 0, counter});
}
static inline void str8(struct rops *f, const char *s) {
    wire_put_cstring(&f->w, s);
}
static inline void str16(struct rops *f, const char *s) {
    static const struct prop_wire form = PROP_WIRE_ROP;
    prop_wire_put_string(&f->w, &form, true, s);
}
static inline void hex(struct rops *f, const char *text) {
    for (const char *p = text; *p;) {
        if (*p == ' ') {
            p++;
            continue;
        }
        u8(f, (uint8_t)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1])));
        p += 2;
    }
}

// --- Running ---

static inline enum ec rops_execute(struct rops *f, struct rop_session *s) {
    g_autoptr(GByteArray) rops = wire_writer_take(&f->w);
    struct wire_writer in = wire_writer(1 << 20);
    size_t n = rops ? rops->len : 0, size = 2 + n + 4 * N_HANDLES;
    wire_put_u16(&in, 0);
    wire_put_u16(&in, 4); // Last
    wire_put_u16(&in, (uint16_t)size);
    wire_put_u16(&in, (uint16_t)size);
    wire_put_u16(&in, (uint16_t)(2 + n));
    if (n)
        wire_put_bytes(&in, rops->data, n);
    for (unsigned i = 0; i < N_HANDLES; i++)
        wire_put_u32(&in, f->handles[i]);
    g_autoptr(GByteArray) bytes = wire_writer_take(&in);
    const uint8_t *out;
    size_t out_len;
    enum ec ec =
        rop_execute(s, f->flags, bytes->data, bytes->len, f->max_out, f->arena, &out, &out_len);
    wire_writer_clear(&in);
    f->w = wire_writer(1 << 20);
    if (ec == EC_OK)
        f->r = wire_reader(out, out_len);
    return ec;
}

// Opens the next payload of the answer.
static inline void rops_next(struct rops *f) {
    struct wire_reader r = f->r;
    g_assert_cmpuint(wire_u16(&r), ==, 0);
    wire_u16(&r);
    size_t size = wire_u16(&r);
    g_assert_cmpuint(wire_u16(&r), ==, size);
    struct wire_reader payload = wire_sub(&r, size);
    g_assert_true(wire_ok(&r));
    size_t rops = wire_u16(&payload);
    g_assert_cmpuint(rops, >=, 2);
    f->r = wire_sub(&payload, rops - 2);
    for (unsigned i = 0; i < N_HANDLES && wire_left(&payload) >= 4; i++)
        f->handles[i] = wire_u32(&payload);
}

static inline void rops_run_as(struct rops *f, struct rop_session *s) {
    assert_ok(rops_execute(f, s));
    rops_next(f);
}
static inline void run(struct rops *f) {
    rops_run_as(f, f->session);
}

// --- Reading ---

#define expect(f, rop, index, ec) expect_at(f, rop, index, ec, __FILE__, __LINE__)
static inline void expect_at(struct rops *f, uint8_t rop, uint8_t index, enum ec ec,
                             const char *file, int line) {
    uint8_t got = wire_u8(&f->r), at = wire_u8(&f->r);
    uint32_t result = wire_u32(&f->r);
    if (!wire_ok(&f->r) || got != rop || at != index || result != (uint32_t)ec)
        g_error("%s:%d: rop %#x index %u result %#x (%s), expected %#x, %u, %s", file, line, got,
                at, result, ec_name((int)result), rop, index, ec_name(ec));
}
static inline void expect_end(struct rops *f) {
    g_assert_true(wire_ok(&f->r));
    g_assert_cmpuint(wire_left(&f->r), ==, 0);
}
static inline uint64_t read_id(struct rops *f) {
    struct short_id v = short_id_read(&f->r);
    g_assert_cmpuint(v.replid, ==, REPLID_OWN);
    return v.counter;
}
static inline void expect_hex(struct rops *f, const char *text) {
    for (const char *p = text; *p;) {
        if (*p == ' ') {
            p++;
            continue;
        }
        unsigned want = (unsigned)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
        g_assert_cmphex(wire_u8(&f->r), ==, want);
        p += 2;
    }
}

// --- Steps that many tests begin with ---

// Handle 0: the logon of alice's mailbox.
static inline void put_logon(struct rops *f, uint8_t index, uint32_t open_flags, const char *dn) {
    rop1(f, 0xFE, index);
    u8(f, 0x01);
    u32(f, open_flags);
    u32(f, 0);
    u16(f, (uint16_t)(strlen(dn) + 1));
    str8(f, dn);
}
static inline void logon(struct rops *f) {
    put_logon(f, 0, 0, rops_dn(f, f->alice));
    run(f);
    expect(f, 0xFE, 0, EC_OK);
}
static inline void open_folder(struct rops *f, uint8_t index, uint64_t fid) {
    rop2(f, 0x02, 0, index);
    id(f, fid);
    u8(f, 0);
    run(f);
    expect(f, 0x02, index, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect_end(f);
}
static inline void put_values(struct rops *f, const struct prop_value *values, unsigned n) {
    static const struct prop_wire form = PROP_WIRE_ROP;
    struct wire_writer w = wire_writer(60000);
    wire_put_u16(&w, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        prop_wire_put_tagged(&w, &form, &values[i]);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    u16(f, (uint16_t)bytes->len);
    wire_put_bytes(&f->w, bytes->data, bytes->len);
}
// Creates and saves a message; `folder`: handle index.
static inline uint64_t make_message(struct rops *f, uint8_t folder, uint64_t fid,
                                    const char *subject) {
    struct prop_value v = prop_str(PidTagSubject, subject);
    rop2(f, 0x06, folder, 14);
    u16(f, 0x0FFF);
    id(f, fid);
    u8(f, 0);
    rop1(f, 0x0A, 14);
    put_values(f, &v, 1);
    rop2(f, 0x0C, 15, 14);
    u8(f, 0x0A);
    rop1(f, 0x01, 14);
    run(f);
    expect(f, 0x06, 14, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect(f, 0x0A, 14, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 0);
    expect(f, 0x0C, 15, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 14);
    uint64_t mid = read_id(f);
    expect_end(f);
    return mid;
}
static inline void put_tags(struct rops *f, const proptag_t *tags, unsigned n) {
    u16(f, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        u32(f, tags[i]);
}
// The columns of an object, as RopGetPropertiesSpecific gives them.
static inline struct prop_value *get_props(struct rops *f, uint8_t index, const proptag_t *tags,
                                           unsigned n) {
    static const struct prop_wire form = PROP_WIRE_ROP;
    struct columns columns = {n, tags};
    rop1(f, 0x07, index);
    u16(f, 0);
    u16(f, 1);
    put_tags(f, tags, n);
    run(f);
    expect(f, 0x07, index, EC_OK);
    struct prop_value *values = row_read(&f->r, &form, f->arena, &columns);
    g_assert_nonnull(values);
    expect_end(f);
    return values;
}
