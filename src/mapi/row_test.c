// Property rows, sort orders and recipient rows on the wire.
#include "mapi/row.h"

#include <string.h>

#include "base/test.h"
#include "mapi/props.h"
#include "mapi/recipient_row.h"
#include "mapi/sort_order.h"

static void test_row(void) {
    ARENA_AUTO arena = arena_new();
    static const proptag_t tags[] = {PidTagSubject, 0x0037001E, PidTagImportance, 0x00370000,
                                     PROP_TAG(0x8001, 0x301F)};
    struct columns columns = {G_N_ELEMENTS(tags), tags};
    struct prop_value subject = prop_str(PidTagSubject, "x"),
                      importance = prop_long(PidTagImportance, 1);
    struct prop_value instance = prop_str(PROP_TAG(0x8001, PT_UNICODE), "one");
    const struct prop_value *values[] = {&subject, &subject, &importance, &subject, &instance};
    struct wire_writer w = wire_writer(1000);
    row_put(&w, &PROP_WIRE_ROP, &columns, values);
    static const uint8_t expected[] = {0,   'x', 0, 0, 0,   'x', 0,   1, 0,   0, 0, 0x1F, 0,
                                       'x', 0,   0, 0, 'o', 0,   'n', 0, 'e', 0, 0, 0};
    g_assert_cmpmem(w.bytes->data, w.bytes->len, expected, sizeof expected);
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    struct prop_value *back = row_read(&r, &PROP_WIRE_ROP, arena, &columns);
    g_assert_true(back && wire_left(&r) == 0);
    for (unsigned i = 0; i < columns.n; i++)
        g_assert_true(prop_equal(&back[i], values[i]));
    wire_writer_clear(&w);

    // With something missing, of another type, and an error.
    struct prop_value error = {.tag = PROP_TAG(0x17, PT_ERROR), .l = EC_ACCESS_DENIED};
    const struct prop_value *partial[] = {&subject, NULL, &error, &subject, &importance};
    w = wire_writer(1000);
    row_put(&w, &PROP_WIRE_ROP, &columns, partial);
    g_assert_true(wire_writer_ok(&w));
    g_assert_cmpuint(w.bytes->data[0], ==, 1);
    r = wire_reader(w.bytes->data, w.bytes->len);
    back = row_read(&r, &PROP_WIRE_ROP, arena, &columns);
    g_assert_true(back && wire_left(&r) == 0);
    g_assert_cmpstr(back[0].str, ==, "x");
    g_assert_cmphex((uint32_t)back[1].l, ==, (uint32_t)EC_NOT_FOUND);
    g_assert_cmphex((uint32_t)back[2].l, ==, (uint32_t)EC_ACCESS_DENIED);
    g_assert_cmpstr(back[3].str, ==, "x");
    g_assert_cmphex((uint32_t)back[4].l, ==, (uint32_t)EC_UNEXPECTED_TYPE);
    wire_writer_clear(&w);
}

static void test_columns(void) {
    ARENA_AUTO arena = arena_new();
    static const uint8_t data[] = {2, 0, 0x1F, 0, 0x37, 0, 3, 0, 0x17, 0};
    struct wire_reader r = wire_reader(data, sizeof data);
    struct columns columns = columns_read(&r, arena);
    g_assert_cmpuint(columns.n, ==, 2);
    g_assert_cmphex(columns.tags[1], ==, PidTagImportance);
    struct wire_writer w = wire_writer(100);
    columns_put(&w, &columns);
    g_assert_cmpmem(w.bytes->data, w.bytes->len, data, sizeof data);
    wire_writer_clear(&w);
    r = wire_reader(data, sizeof data - 1);
    g_assert_cmpuint(columns_read(&r, arena).n, ==, 0);
    g_assert_false(wire_ok(&r));
}

static enum ec read_order(const void *data, size_t len, struct sort_order *out) {
    struct wire_reader r = wire_reader(data, len);
    return sort_order_read(&r, out);
}

static void test_sort_order(void) {
    static const uint8_t data[] = {3,    0, 1, 0,    1, 0, 0x1F, 0x30, 1, 0x80, 1,
                                   0x40, 0, 6, 0x0E, 4, 3, 0,    0x17, 0, 0};
    struct sort_order order;
    assert_ok(read_order(data, sizeof data, &order));
    g_assert_cmpuint(order.n, ==, 3);
    g_assert_true(order.columns[0].is_instance);
    g_assert_cmphex(order.columns[0].tag, ==, PROP_TAG(0x8001, PT_UNICODE));
    g_assert_cmpint(order.columns[1].direction, ==, SORT_MAXIMUM_CATEGORY);
    struct wire_writer w = wire_writer(100);
    sort_order_put(&w, &order);
    g_assert_cmpmem(w.bytes->data, w.bytes->len, data, sizeof data);
    wire_writer_clear(&w);
    assert_ec(read_order(data, sizeof data - 1, &order), EC_FORMAT_ERROR);
    assert_ec(read_order("\xFF\xFF\0\0\0\0", 6, &order), EC_TOO_COMPLEX);
    assert_ec(read_order("\0\0\1\0\0\0", 6, &order), EC_INVALID_PARAMETER);
    assert_ec(read_order("\1\0\0\0\0\0\3\0\x17\0\4", 11, &order), EC_INVALID_PARAMETER);
    assert_ec(read_order("\1\0\0\0\0\0\3\0\x17\0\2", 11, &order), EC_INVALID_PARAMETER);
}

static void test_sort(void) {
    struct sort_order order = {.n = 2,
                               .columns = {{PidTagImportance, SORT_DESCENDING, false},
                                           {PidTagSubject, SORT_ASCENDING, false}}};
    struct prop_value one = prop_long(PidTagImportance, 1), two = prop_long(PidTagImportance, 2);
    struct prop_value a = prop_str(PidTagSubject, "a"), b = prop_str(PidTagSubject, "B");
    const struct prop_value *one_a[] = {&one, &a}, *one_b[] = {&one, &b}, *two_b[] = {&two, &b};
    const struct prop_value *none_a[] = {NULL, &a};
    g_assert_cmpint(sort_order_compare(&order, one_a, one_b), <, 0);
    g_assert_cmpint(sort_order_compare(&order, two_b, one_a), <, 0);
    g_assert_cmpint(sort_order_compare(&order, none_a, one_a), >, 0);
    g_assert_cmpint(sort_order_compare(&order, one_a, one_a), ==, 0);
}

static const proptag_t recipient_tags[] = {PidTagObjectType, PidTagSmtpAddress};

static void check_recipient(const struct bag *recipient, bool is_unicode) {
    struct columns columns = {G_N_ELEMENTS(recipient_tags), recipient_tags};
    struct wire_writer w = wire_writer(1000);
    recipient_row_put(&w, &PROP_WIRE_ROP, &columns, is_unicode, recipient);
    g_assert_true(wire_writer_ok(&w));
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    BAG_AUTO back = bag_new();
    assert_ok(recipient_row_read(&r, &PROP_WIRE_ROP, &columns, "/o=x/cn=", back));
    g_assert_cmpuint(wire_left(&r), ==, 0);
    for (unsigned i = 0; i < bag_count(recipient); i++) {
        const struct prop_value *v = bag_at(recipient, i);
        g_assert_nonnull(bag_get(back, v->tag));
        g_assert_true(prop_equal(v, bag_get(back, v->tag)));
    }
    for (size_t cut = 0; cut < w.bytes->len; cut++) {
        g_autofree uint8_t *part = g_memdup2(w.bytes->data, MAX(cut, 1));
        BAG_AUTO unused = bag_new();
        r = wire_reader(part, cut);
        assert_ec(recipient_row_read(&r, &PROP_WIRE_ROP, &columns, "", unused), EC_FORMAT_ERROR);
    }
    wire_writer_clear(&w);
}

static void test_recipients(void) {
    BAG_AUTO smtp = bag_new();
    bag_set_str(smtp, PidTagAddressType, "SMTP");
    bag_set_str(smtp, PidTagEmailAddress, "a@b.example");
    bag_set_str(smtp, PidTagDisplayName, "Ällice");
    bag_set_str(smtp, PidTagTransmittableDisplayName, "Ällice");
    bag_set_str(smtp, PidTagAddressBookDisplayNamePrintable, "Allice");
    bag_set_bool(smtp, PidTagSendRichInfo, true);
    bag_set_bool(smtp, PidTagResponsibility, true);
    check_recipient(smtp, true);
    check_recipient(smtp, false);
    bag_set_long(smtp, PidTagObjectType, 6);
    bag_set_str(smtp, PidTagSmtpAddress, "a@b.example");
    check_recipient(smtp, true);
    bag_set_str(smtp, PidTagTransmittableDisplayName, "'Alice'");
    bag_set_str(smtp, PidTagAddressType, "X400");
    check_recipient(smtp, true);

    BAG_AUTO ex = bag_new();
    bag_set_str(ex, PidTagAddressType, "EX");
    bag_set_str(ex, PidTagEmailAddress, "/o=Org/ou=Group/cn=Recipients/cn=alice");
    bag_set_long(ex, PidTagDisplayType, 1);
    check_recipient(ex, true);

    BAG_AUTO list = bag_new();
    bag_set_str(list, PidTagAddressType, "MAPIPDL");
    bag_set_bytes(list, PidTagEntryId, "entry", 5);
    bag_set_bytes(list, PidTagSearchKey, "", 0);
    check_recipient(list, true);
}

// An X500 DN that leaves out what the server's prefix says.
static void test_recipient_prefix(void) {
    static const uint8_t data[] = {0x51, 0x06, 8,   0, 'b', 'o', 'b', 0, 'B', 0,
                                   0,    0,    'B', 0, 0,   0,   0,   0, 0};
    struct columns none = {0};
    BAG_AUTO bag = bag_new();
    struct wire_reader r = wire_reader(data, sizeof data);
    assert_ok(recipient_row_read(&r, &PROP_WIRE_ROP, &none, "/o=x/cn=more", bag));
    g_assert_cmpuint(wire_left(&r), ==, 0);
    g_assert_cmpstr(bag_str(bag, PidTagEmailAddress), ==, "/o=x/cn=bob");
    g_assert_cmpstr(bag_str(bag, PidTagAddressType), ==, "EX");
    g_assert_cmpstr(bag_str(bag, PidTagTransmittableDisplayName), ==, "B");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/row/row", test_row);
    g_test_add_func("/row/columns", test_columns);
    g_test_add_func("/sort_order/wire", test_sort_order);
    g_test_add_func("/sort_order/compare", test_sort);
    g_test_add_func("/recipient_row/round_trip", test_recipients);
    g_test_add_func("/recipient_row/prefix", test_recipient_prefix);
    return g_test_run();
}
