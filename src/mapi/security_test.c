// SIDs, access lists, security descriptors.
#include "mapi/security.h"

#include <string.h>

#include "base/test.h"

static struct sid sid(const char *text) {
    struct sid s;
    g_assert_true(sid_parse(text, &s));
    return s;
}

static void test_sid(void) {
    static const char *const good[] = {"S-1-1-0", "S-1-5-21-1-2-4294967295-500",
                                       "S-1-0x123456789abc-1", "S-1-5"};
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        struct sid s = sid(good[i]);
        char text[SID_STRING_SIZE];
        sid_format(&s, text);
        g_assert_cmpstr(text, ==, good[i]);
        struct wire_writer w = wire_writer(100);
        sid_put(&w, &s);
        g_assert_cmpuint(wire_writer_len(&w), ==, 8 + 4 * s.n);
        struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
        struct sid back = sid_read(&r);
        g_assert_true(wire_ok(&r) && sid_equal(&s, &back));
        wire_writer_clear(&w);
    }
    static const char *const bad[] = {"",
                                      "S-1-",
                                      "S-2-1-0",
                                      "S-1-5-",
                                      "S-1-5-x",
                                      "S-1--5",
                                      "S-1-5-4294967296",
                                      "S-1-0x1000000000000",
                                      "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"};
    struct sid s;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(sid_parse(bad[i], &s));
    struct wire_reader r = wire_reader("\1\x10\0\0\0\0\0\5", 8);
    sid_read(&r);
    g_assert_false(wire_ok(&r));
    // The longest text fits.
    struct sid longest = {.authority = (UINT64_C(1) << 48) - 1, .n = SID_MAX_SUB_AUTHORITIES};
    memset(longest.sub, 0xFF, sizeof longest.sub);
    char text[SID_STRING_SIZE];
    sid_format(&longest, text);
    s = sid(text);
    g_assert_true(sid_equal(&s, &longest));
}

static struct security_descriptor example(void) {
    static struct ace aces[4];
    static const uint8_t object[20] = {1, 0, 0, 0, 0xAA};
    aces[0] = (struct ace){ACE_DENIED, 0, true, 0x0F, sid("S-1-5-21-1-2-3-500"), {0}};
    aces[1] = (struct ace){ACE_ALLOWED, 3, true, 0xFF, sid("S-1-1-0"), {0}};
    aces[2] = (struct ace){ACE_ALLOWED_OBJECT, 0, true, 1, sid("S-1-5-7"), {20, object}};
    aces[3] = (struct ace){0x40, 0, false, 0, {0}, {8, object}};
    return (struct security_descriptor){.has_owner = true,
                                        .has_group = true,
                                        .has_dacl = true,
                                        .owner = sid("S-1-5-32-544"),
                                        .group = sid("S-1-5-18"),
                                        .dacl = {4, aces}};
}

static void check(const struct security_descriptor *a, const struct security_descriptor *b) {
    g_assert_true(a->has_owner == b->has_owner && sid_equal(&a->owner, &b->owner));
    g_assert_true(a->has_group == b->has_group && sid_equal(&a->group, &b->group));
    g_assert_cmpuint(a->dacl.n, ==, b->dacl.n);
    for (unsigned i = 0; i < a->dacl.n; i++) {
        const struct ace *x = &a->dacl.items[i], *y = &b->dacl.items[i];
        g_assert_true(x->type == y->type && x->flags == y->flags && x->mask == y->mask);
        g_assert_true(sid_equal(&x->sid, &y->sid));
        g_assert_cmpmem(x->raw.data, x->raw.len, y->raw.data, y->raw.len);
    }
}

static void test_descriptor(void) {
    ARENA_AUTO arena = arena_new();
    struct security_descriptor sd = example(), back;
    struct prop_bin bytes = security_descriptor_bytes(arena, &sd);
    assert_ok(security_descriptor_parse(arena, bytes, &back));
    check(&sd, &back);
    g_assert_cmphex(back.control, ==, SECURITY_SELF_RELATIVE | SECURITY_DACL_PRESENT);
    struct prop_bin property = security_property_bytes(arena, &sd);
    g_assert_cmpuint(property.len, ==, bytes.len + 8);
    assert_ok(security_property_parse(arena, property, &back));
    check(&sd, &back);
    for (uint32_t cut = 0; cut < property.len; cut++) {
        g_autofree uint8_t *part = g_memdup2(property.data, MAX(cut, 1));
        assert_ec(security_property_parse(arena, (struct prop_bin){cut, part}, &back),
                  EC_CORRUPT_DATA);
    }
    // Nothing in it; a DACL that is NULL.
    struct security_descriptor empty = {.control = SECURITY_DACL_PRESENT};
    bytes = security_descriptor_bytes(arena, &empty);
    g_assert_cmpuint(bytes.len, ==, 20);
    assert_ok(security_descriptor_parse(arena, bytes, &back));
    g_assert_false(back.has_dacl || back.has_owner);
    g_assert_true(back.control & SECURITY_DACL_PRESENT);
}

static void test_rights(void) {
    struct security_descriptor sd = example();
    struct sid user[] = {sid("S-1-5-21-1-2-3-500"), SID_EVERYONE}, other[] = {SID_EVERYONE};
    g_assert_cmphex(acl_rights(&sd.dacl, user, 2), ==, 0xF0);
    g_assert_cmphex(acl_rights(&sd.dacl, other, 1), ==, 0xFF);
    g_assert_cmphex(acl_rights(&sd.dacl, &SID_ANONYMOUS, 1), ==, 0);
}

static void test_limits(void) {
    ARENA_AUTO arena = arena_new();
    struct ace *aces = g_new0(struct ace, 5000);
    for (unsigned i = 0; i < 5000; i++)
        aces[i] = (struct ace){ACE_ALLOWED, 0, true, 1, SID_EVERYONE, {0}};
    struct security_descriptor sd = {.has_dacl = true, .dacl = {2000, aces}}, back;
    struct prop_bin bytes = security_descriptor_bytes(arena, &sd);
    assert_ec(security_descriptor_parse(arena, bytes, &back), EC_TOO_COMPLEX);
    sd.dacl.n = 5000;
    g_assert_cmpuint(security_descriptor_bytes(arena, &sd).len, ==, 0);
    g_free(aces);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/security/sid", test_sid);
    g_test_add_func("/security/descriptor", test_descriptor);
    g_test_add_func("/security/rights", test_rights);
    g_test_add_func("/security/limits", test_limits);
    return g_test_run();
}
