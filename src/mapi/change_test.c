// Ids, XIDs, predecessor change lists, and sets of ids with their encoding.
#include "mapi/change.h"

#include <string.h>

#include "base/test.h"
#include "mapi/idset.h"

static const struct guid space_a = {{0xAA}}, space_b = {{0xBB}}, space_c = {{0xCC}};

static struct xid change(const struct guid *space, uint64_t counter) {
    struct gid gid = {*space, counter};
    return xid_of(&gid);
}

static void test_ids(void) {
    struct wire_writer w = wire_writer(100);
    short_id_put(&w, (struct short_id){1, 0x010203040506});
    g_assert_cmpmem(w.bytes->data, w.bytes->len, "\1\0\1\2\3\4\5\6", 8);
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    struct short_id id = short_id_read(&r);
    g_assert_cmpuint(id.replid, ==, 1);
    g_assert_cmphex(id.counter, ==, 0x010203040506);
    g_assert_cmphex((guint64)short_id_value(id), ==, UINT64_C(0x0605040302010001));
    struct short_id back = short_id_of_value(short_id_value(id));
    g_assert_cmphex(back.counter, ==, id.counter);
    g_assert_cmpuint(back.replid, ==, 1);
    wire_writer_clear(&w);
    w = wire_writer(100);
    struct gid gid = {space_a, COUNTER_MAX};
    long_term_id_put(&w, &gid);
    g_assert_cmpuint(w.bytes->len, ==, LONG_TERM_ID_SIZE);
    r = wire_reader(w.bytes->data, w.bytes->len);
    struct gid gid_back = long_term_id_read(&r);
    g_assert_cmphex(gid_back.counter, ==, COUNTER_MAX);
    g_assert_true(guid_equal(&gid_back.replica, &space_a));
    wire_writer_clear(&w);
}

static void test_pcl(void) {
    ARENA_AUTO arena = arena_new();
    struct pcl empty = {0}, a, b, merged;
    struct xid a5 = change(&space_a, 5), a7 = change(&space_a, 7), b2 = change(&space_b, 2);
    assert_ok(pcl_add(arena, &empty, &a5, &a));
    assert_ok(pcl_add(arena, &a, &a7, &b));
    g_assert_cmpuint(b.n, ==, 1);
    g_assert_true(pcl_includes(&b, &a5));
    g_assert_false(pcl_includes(&a, &a7));
    g_assert_cmpint(pcl_compare(&a, &a), ==, PCL_EQUAL);
    g_assert_cmpint(pcl_compare(&b, &a), ==, PCL_NEWER);
    g_assert_cmpint(pcl_compare(&a, &b), ==, PCL_OLDER);
    assert_ok(pcl_add(arena, &a, &b2, &a));
    g_assert_cmpint(pcl_compare(&a, &b), ==, PCL_CONFLICT);
    assert_ok(pcl_merge(arena, &a, &b, &merged));
    g_assert_cmpuint(merged.n, ==, 2);
    g_assert_cmpint(pcl_compare(&merged, &a), ==, PCL_NEWER);
    // An older change does not replace a newer one.
    assert_ok(pcl_add(arena, &merged, &a5, &merged));
    g_assert_true(pcl_includes(&merged, &a7));

    struct prop_bin bytes = pcl_bytes(arena, &merged);
    g_assert_cmpuint(bytes.len, ==, 2 * 23);
    g_assert_cmpuint(bytes.data[0], ==, 22);
    g_assert_cmpuint(bytes.data[1], ==, 0xAA); // sorted by namespace
    struct pcl back;
    assert_ok(pcl_parse(arena, bytes, &back));
    g_assert_cmpint(pcl_compare(&back, &merged), ==, PCL_EQUAL);
    for (uint32_t cut = 1; cut < bytes.len; cut++)
        if (cut != 23)
            assert_ec(pcl_parse(arena, (struct prop_bin){cut, bytes.data}, &back), EC_CORRUPT_DATA);
    assert_ok(pcl_parse(arena, (struct prop_bin){0, NULL}, &back));
    g_assert_cmpuint(back.n, ==, 0);
}

static void test_xid(void) {
    ARENA_AUTO arena = arena_new();
    struct xid x = change(&space_c, 0x0102), back;
    struct prop_bin bytes = xid_bytes(arena, &x);
    g_assert_cmpuint(bytes.len, ==, 22);
    g_assert_true(xid_parse(bytes, &back));
    g_assert_cmpmem(back.local, back.local_len, "\0\0\0\0\1\2", 6);
    g_assert_false(xid_parse((struct prop_bin){16, bytes.data}, &back));
    uint8_t long_one[25] = {0};
    g_assert_false(xid_parse((struct prop_bin){25, long_one}, &back));
}

static void assert_ranges(const struct globset *set, const char *expected) {
    g_autoptr(GString) s = g_string_new(NULL);
    for (unsigned i = 0; i < globset_n_ranges(set); i++) {
        struct globset_range r = globset_range(set, i);
        g_string_append_printf(s, "%s%d-%d", i ? " " : "", (int)r.low, (int)r.high);
    }
    g_assert_cmpstr(s->str, ==, expected);
}

static void test_set(void) {
    struct globset *set = globset_new();
    globset_add(set, 10, 20);
    globset_add(set, 30, 40);
    globset_add(set, 5, 5);
    assert_ranges(set, "5-5 10-20 30-40");
    globset_add(set, 21, 22);
    globset_add(set, 6, 9);
    assert_ranges(set, "5-22 30-40");
    globset_add(set, 41, 41);
    globset_add(set, 0, 0);
    assert_ranges(set, "0-0 5-22 30-41");
    g_assert_true(globset_contains(set, 0) && globset_contains(set, 22));
    g_assert_false(globset_contains(set, 23) || globset_contains(set, 42));
    globset_remove(set, 10, 31);
    assert_ranges(set, "0-0 5-9 32-41");
    globset_remove(set, 35, 36);
    globset_remove(set, 0, 4);
    assert_ranges(set, "5-9 32-34 37-41");
    g_assert_cmpuint(globset_count(set), ==, 13);
    struct globset *copy = globset_copy(set);
    g_assert_true(globset_equal(copy, set) && globset_includes(copy, set));
    globset_add(copy, 35, 36);
    assert_ranges(copy, "5-9 32-41");
    g_assert_true(globset_includes(copy, set));
    g_assert_false(globset_includes(set, copy));
    globset_remove_all(copy, set);
    assert_ranges(copy, "35-36");
    globset_add_all(copy, set);
    assert_ranges(copy, "5-9 32-41");
    globset_add(copy, 0, COUNTER_MAX);
    g_assert_cmpuint(globset_n_ranges(copy), ==, 1);
    globset_free(copy);
    globset_free(set);
}

static void check_encoding(struct globset *set, const void *expected, size_t len) {
    struct wire_writer w = wire_writer(1 << 20);
    globset_put(&w, set);
    if (expected)
        g_assert_cmpmem(w.bytes->data, w.bytes->len, expected, len);
    struct globset *back = globset_new();
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    assert_ok(globset_read(&r, back));
    g_assert_cmpuint(wire_left(&r), ==, 0);
    g_assert_true(globset_equal(set, back));
    globset_free(back);
    globset_free(set);
    wire_writer_clear(&w);
}

static struct globset *set_of(unsigned n, const uint64_t (*ranges)[2]) {
    struct globset *set = globset_new();
    for (unsigned i = 0; i < n; i++)
        globset_add(set, ranges[i][0], ranges[i][1]);
    return set;
}

static void test_encoding(void) {
    check_encoding(globset_new(), "\0", 1);
    check_encoding(set_of(1, (uint64_t[][2]){{7, 7}}), "\6\0\0\0\0\0\7\0", 8);
    check_encoding(set_of(1, (uint64_t[][2]){{1, 0x1234}}), "\x52\0\0\0\0\0\1\0\0\0\0\x12\x34\0",
                   14);
    // The specification's example of a bitmask ([MS-OXCFXICS] 3.1.5.4.3.1.3).
    check_encoding(set_of(3, (uint64_t[][2]){{1, 3}, {5, 5}, {7, 9}}),
                   "\5\0\0\0\0\0\x42\1\xEB\x50\0", 11);
    check_encoding(set_of(2, (uint64_t[][2]){{0x100, 0x100}, {0x200, 0x2FF}}),
                   "\4\0\0\0\0\2\1\0\x52\2\0\2\xFF\x50\0", 15);
    check_encoding(set_of(2, (uint64_t[][2]){{0, 0}, {COUNTER_MAX, COUNTER_MAX}}), NULL, 0);
    check_encoding(set_of(1, (uint64_t[][2]){{0, COUNTER_MAX}}), NULL, 0);
    // Sets of all shapes
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (unsigned round = 0; round < 300; round++) {
        struct globset *set = globset_new();
        uint64_t spread = UINT64_C(1) << g_rand_int_range(rand, 3, 48);
        for (int i = g_rand_int_range(rand, 1, 200); i > 0; i--) {
            uint64_t low = ((uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand)) % spread;
            globset_add(set, low, MIN(low + (uint64_t)g_rand_int_range(rand, 0, 12), COUNTER_MAX));
        }
        check_encoding(set, NULL, 0);
    }
}

static enum ec read_globset(const void *data, size_t len) {
    struct globset *set = globset_new();
    struct wire_reader r = wire_reader(data, len);
    enum ec ec = globset_read(&r, set);
    if (ec != EC_OK)
        g_assert_cmpuint(globset_n_ranges(set), ==, 0);
    globset_free(set);
    return ec;
}

static void test_bad_encoding(void) {
    assert_ec(read_globset("", 0), EC_FORMAT_ERROR);
    assert_ec(read_globset("\x50\0", 2), EC_FORMAT_ERROR);                  // nothing to pop
    assert_ec(read_globset("\5\0\0\0\0\0\3\0\0\0\0", 11), EC_FORMAT_ERROR); // 8 bytes
    assert_ec(read_globset("\4\0\0\0\0\x42\1\xEB\0", 9), EC_FORMAT_ERROR);  // 4 bytes and a bitmask
    assert_ec(read_globset("\5\0\0\0\0\0\x42\xFF\1\0", 10), EC_FORMAT_ERROR); // past the last byte
    assert_ec(read_globset("\5\0\0\0\0\0\x52\2\1\0", 10), EC_FORMAT_ERROR);   // high before low
    assert_ec(read_globset("\7\0\0\0\0\0\0\0\0", 9), EC_FORMAT_ERROR);        // no command
    assert_ec(read_globset("\6\0\0\0\0\0\7", 7), EC_FORMAT_ERROR);            // no end
}

static void test_idset(void) {
    struct idset *set = idset_new();
    g_assert_true(idset_is_empty(set));
    g_assert_null(idset_of_guid(set, &space_a, false));
    globset_add(idset_of_guid(set, &space_a, true), 1, 5);
    globset_add(idset_of_guid(set, &space_b, true), 7, 7);
    idset_of_guid(set, &space_c, true);
    globset_add(idset_of_replid(set, 1, true), 9, 9);
    g_assert_true(idset_contains(set, &(struct gid){space_a, 3}));
    g_assert_false(idset_contains(set, &(struct gid){space_b, 3}));
    struct wire_writer w = wire_writer(1000);
    idset_put(&w, IDSET_REPLGUID, set);
    struct idset *back;
    assert_ok(idset_parse((struct prop_bin){w.bytes->len, w.bytes->data}, IDSET_REPLGUID, &back));
    g_assert_true(idset_contains(back, &(struct gid){space_b, 7}));
    g_assert_null(idset_of_guid(back, &space_c, false));
    g_assert_null(idset_of_replid(back, 1, false));
    idset_add_all(back, set);
    g_assert_nonnull(idset_of_replid(back, 1, false));
    struct idset *copy = idset_copy(back);
    idset_free(back);
    assert_ec(
        idset_parse((struct prop_bin){w.bytes->len - 1, w.bytes->data}, IDSET_REPLGUID, &back),
        EC_FORMAT_ERROR);
    wire_writer_clear(&w);
    w = wire_writer(1000);
    idset_put(&w, IDSET_REPLID, copy);
    g_assert_cmpmem(w.bytes->data, w.bytes->len, "\1\0\6\0\0\0\0\0\x9\0", 10);
    assert_ok(idset_parse((struct prop_bin){w.bytes->len, w.bytes->data}, IDSET_REPLID, &back));
    g_assert_true(globset_contains(idset_of_replid(back, 1, false), 9));
    idset_free(back);
    idset_free(copy);
    idset_free(set);
    idset_free(NULL);
    wire_writer_clear(&w);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/change/ids", test_ids);
    g_test_add_func("/change/pcl", test_pcl);
    g_test_add_func("/change/xid", test_xid);
    g_test_add_func("/idset/set", test_set);
    g_test_add_func("/idset/encoding", test_encoding);
    g_test_add_func("/idset/bad_encoding", test_bad_encoding);
    g_test_add_func("/idset/idset", test_idset);
    return g_test_run();
}
