// Restrictions: round trip of every kind, limits, evaluation.
#include "mapi/restriction.h"

#include <string.h>

#include "base/test.h"
#include "mapi/bag.h"
#include "mapi/props.h"

// A message with two recipients, as a source.
struct object {
    struct bag *bag;
    struct object *sub;
    unsigned n_sub;
};

static const struct prop_value *object_get(void *ctx, proptag_t tag) {
    return bag_get(((struct object *)ctx)->bag, tag);
}

static unsigned object_n_sub(void *ctx, proptag_t tag) {
    return tag == PidTagMessageRecipients ? ((struct object *)ctx)->n_sub : 0;
}

static struct restriction_source object_sub(void *ctx, proptag_t tag, unsigned i) {
    return (struct restriction_source){.get = object_get, .ctx = &((struct object *)ctx)->sub[i]};
}

static const char *const colours[] = {"Red", "Blue"};

static struct object recipients[2], message;
static struct restriction_source source = {object_get, object_n_sub, object_sub, &message};

static void setup(void) {
    message = (struct object){bag_new(), recipients, 2};
    bag_set_str(message.bag, PidTagSubject, "Weekly Report: Größe");
    bag_set_long(message.bag, PidTagImportance, 2);
    bag_set_long(message.bag, PidTagPriority, 1);
    bag_set_long(message.bag, PidTagMessageFlags, 0x11);
    bag_set_bytes(message.bag, PidTagSearchKey, "abcdef", 6);
    struct prop_value mv = {.tag = PidNameKeywords, .mv = {.n = 2, .str = colours}};
    assert_ok(bag_set(message.bag, &mv));
    for (unsigned i = 0; i < 2; i++) {
        recipients[i] = (struct object){bag_new(), NULL, 0};
        bag_set_str(recipients[i].bag, PidTagDisplayName, i ? "Bob" : "Alice");
    }
}

static void teardown(void) {
    bag_free(message.bag);
    bag_free(recipients[0].bag);
    bag_free(recipients[1].bag);
}

static bool content(uint32_t fuzzy, const char *text) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v = prop_str(PidTagSubject, text);
    return restriction_matches(restriction_content(arena, fuzzy, PidTagSubject, &v), &source);
}

static void test_content(void) {
    setup();
    g_assert_true(content(FUZZY_PREFIX, "Weekly"));
    g_assert_false(content(FUZZY_PREFIX, "weekly"));
    g_assert_true(content(FUZZY_PREFIX | FUZZY_IGNORE_CASE, "wEEkly"));
    g_assert_false(content(FUZZY_PREFIX | FUZZY_IGNORE_CASE, "Report"));
    g_assert_true(content(FUZZY_SUBSTRING, "Report"));
    g_assert_true(content(FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, "GRÖSSE"));
    g_assert_false(content(FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, "GROSSE"));
    g_assert_true(content(FUZZY_SUBSTRING | FUZZY_IGNORE_NONSPACE, "Große"));
    g_assert_true(content(FUZZY_SUBSTRING | FUZZY_LOOSE, "GROSSE"));
    g_assert_false(content(FUZZY_FULL, "Weekly"));
    g_assert_true(content(FUZZY_FULL | FUZZY_IGNORE_CASE, "weekly report: größe"));
    g_assert_true(content(FUZZY_PREFIX_ON_ANY_WORD | FUZZY_IGNORE_CASE, "rep"));
    g_assert_false(content(FUZZY_PREFIX_ON_ANY_WORD | FUZZY_IGNORE_CASE, "port"));
    g_assert_true(content(FUZZY_PHRASE | FUZZY_IGNORE_CASE, "weekly report"));
    g_assert_false(content(FUZZY_PHRASE | FUZZY_IGNORE_CASE, "weekly rep"));
    g_assert_true(content(FUZZY_SUBSTRING, ""));
    ARENA_AUTO arena = arena_new();
    // One of several values; binaries; an absent property; another type.
    struct prop_value v = prop_str(PROP_TAG(1, PT_UNICODE), "blue");
    struct restriction *res =
        restriction_content(arena, FUZZY_FULL | FUZZY_IGNORE_CASE, PidNameKeywords, &v);
    g_assert_true(restriction_matches(res, &source));
    res = restriction_content(arena, FUZZY_SUBSTRING, PidTagBody, &v);
    g_assert_false(restriction_matches(res, &source));
    res = restriction_content(arena, FUZZY_SUBSTRING, PidTagSearchKey, &v);
    g_assert_false(restriction_matches(res, &source));
    v = prop_bytes(PidTagSearchKey, "cd", 2);
    res = restriction_content(arena, FUZZY_SUBSTRING, PidTagSearchKey, &v);
    g_assert_true(restriction_matches(res, &source));
    res = restriction_content(arena, FUZZY_PREFIX, PidTagSearchKey, &v);
    g_assert_false(restriction_matches(res, &source));
    res = restriction_content(arena, FUZZY_SUBSTRING, PidTagSubject, &v);
    g_assert_false(restriction_matches(res, &source));
    teardown();
}

static bool property(enum relop op, struct prop_value v) {
    ARENA_AUTO arena = arena_new();
    return restriction_matches(restriction_property(arena, op, v.tag, &v), &source);
}

static void test_property(void) {
    setup();
    g_assert_true(property(RELOP_EQ, prop_long(PidTagImportance, 2)));
    g_assert_false(property(RELOP_NE, prop_long(PidTagImportance, 2)));
    g_assert_true(property(RELOP_GE, prop_long(PidTagImportance, 2)));
    g_assert_true(property(RELOP_LT, prop_long(PidTagImportance, 3)));
    g_assert_false(property(RELOP_GT, prop_long(PidTagImportance, 2)));
    g_assert_true(property(RELOP_EQ, prop_str(PidTagSubject, "WEEKLY report: größe")));
    g_assert_false(property(RELOP_EQ, prop_long(PidTagSensitivity, 0)));
    g_assert_true(property(RELOP_NE, prop_long(PidTagSensitivity, 0)));
    g_assert_true(property(RELOP_LT, prop_long(PidTagSensitivity, 0)));
    g_assert_false(property(RELOP_MEMBER_OF_DL, prop_long(PidTagImportance, 2)));

    ARENA_AUTO arena = arena_new();
    struct prop_value v = prop_str(PROP_TAG(0x80, PT_UNICODE), "red");
    struct restriction *res = restriction_property(arena, RELOP_EQ, PidNameKeywords, &v);
    g_assert_true(restriction_matches(res, &source));
    res = restriction_property(arena, RELOP_NE, PidNameKeywords, &v);
    g_assert_false(restriction_matches(res, &source));
    v.str = "green";
    res = restriction_property(arena, RELOP_NE, PidNameKeywords, &v);
    g_assert_true(restriction_matches(res, &source));
    teardown();
}

static void test_others(void) {
    setup();
    ARENA_AUTO arena = arena_new();
    struct restriction *yes = restriction_exist(arena, PidTagSubject);
    struct restriction *no = restriction_exist(arena, PidTagBody);
    g_assert_true(restriction_matches(yes, &source));
    g_assert_false(restriction_matches(no, &source));
    struct restriction *both[] = {yes, no};
    g_assert_false(restriction_matches(restriction_list(arena, RES_AND, both, 2), &source));
    g_assert_true(restriction_matches(restriction_list(arena, RES_OR, both, 2), &source));
    g_assert_true(restriction_matches(restriction_list(arena, RES_AND, both, 0), &source));
    g_assert_true(restriction_matches(restriction_not(arena, no), &source));
    struct restriction *bits = restriction_bitmask(arena, PidTagMessageFlags, 1, true);
    g_assert_true(restriction_matches(bits, &source));
    bits = restriction_bitmask(arena, PidTagMessageFlags, 1, false);
    g_assert_false(restriction_matches(bits, &source));
    struct restriction size = {.kind = RES_SIZE, .size = {RELOP_EQ, PidTagSubject, 42}};
    g_assert_true(restriction_matches(&size, &source));
    struct restriction compare = {.kind = RES_COMPARE,
                                  .compare = {RELOP_GT, PidTagImportance, PidTagPriority}};
    g_assert_true(restriction_matches(&compare, &source));
    struct prop_value bob = prop_str(PidTagDisplayName, "bob"),
                      eve = prop_str(PidTagDisplayName, "e");
    struct restriction *sub = restriction_property(arena, RELOP_EQ, PidTagDisplayName, &bob);
    sub = restriction_subobject(arena, PidTagMessageRecipients, sub);
    g_assert_true(restriction_matches(sub, &source));
    sub = restriction_property(arena, RELOP_EQ, PidTagDisplayName, &eve);
    sub = restriction_subobject(arena, PidTagMessageRecipients, sub);
    g_assert_false(restriction_matches(sub, &source));
    struct restriction count = {.kind = RES_COUNT, .count = {7, yes}};
    g_assert_true(restriction_matches(&count, &source));
    g_assert_cmpuint(restriction_count_limit(&count), ==, 7);
    g_assert_cmpuint(restriction_count_limit(yes), ==, UINT32_MAX);
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    restriction_tags(restriction_list(arena, RES_AND, both, 2), tags);
    g_assert_cmpuint(tags->len, ==, 2);
    teardown();
}

// A tree with every kind in it.
static struct restriction *every_kind(struct arena *arena) {
    static struct prop_value subject, mv, comment;
    subject = prop_str(PidTagSubject, "Größe");
    mv = (struct prop_value){.tag = PidNameKeywords, .mv = {.n = 2, .str = colours}};
    comment = prop_long(PidTagImportance, 1);
    static struct restriction compare = {.kind = RES_COMPARE, .compare = {RELOP_NE, 0x370040, 1}};
    static struct restriction size = {.kind = RES_SIZE, .size = {RELOP_LE, PidTagBody, 10}};
    static struct restriction exist = {.kind = RES_EXIST, .exist = {PidTagBody}};
    static struct restriction count = {.kind = RES_COUNT, .count = {7, &exist}};
    static struct restriction note = {.kind = RES_COMMENT, .comment = {1, &comment, &exist}};
    static struct restriction annotation = {.kind = RES_ANNOTATION, .comment = {1, &comment, NULL}};
    struct restriction *all[] = {
        restriction_not(arena, &exist),
        restriction_content(arena, FUZZY_PREFIX | FUZZY_LOOSE, PidTagSubject, &subject),
        restriction_property(arena, RELOP_GE, PidNameKeywords, &mv),
        &compare,
        restriction_bitmask(arena, PidTagMessageFlags, 8, true),
        &size,
        restriction_subobject(arena, PidTagMessageAttachments, &exist),
        &note,
        &annotation,
        &count,
    };
    struct restriction *list = restriction_list(arena, RES_OR, all, G_N_ELEMENTS(all));
    return restriction_list(arena, RES_AND, &list, 1);
}

static void test_wire(void) {
    ARENA_AUTO arena = arena_new();
    const struct prop_wire forms[] = {PROP_WIRE_ROP, PROP_WIRE_EXTENDED};
    for (unsigned f = 0; f < 2; f++) {
        struct wire_writer w = wire_writer(10000), again = wire_writer(10000);
        restriction_put(&w, &forms[f], every_kind(arena));
        g_assert_true(wire_writer_ok(&w));
        struct restriction *back;
        struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
        assert_ok(restriction_read(&r, &forms[f], arena, &back));
        g_assert_cmpuint(wire_left(&r), ==, 0);
        restriction_put(&again, &forms[f], back);
        g_assert_cmpmem(w.bytes->data, w.bytes->len, again.bytes->data, again.bytes->len);
        for (size_t cut = 0; cut < w.bytes->len; cut++) {
            g_autofree uint8_t *part = g_memdup2(w.bytes->data, MAX(cut, 1));
            r = wire_reader(part, cut);
            assert_ec(restriction_read(&r, &forms[f], arena, &back), EC_FORMAT_ERROR);
        }
        wire_writer_clear(&w);
        wire_writer_clear(&again);
    }
}

static enum ec read_bytes(const uint8_t *data, size_t len) {
    ARENA_AUTO arena = arena_new();
    struct restriction *res;
    struct wire_reader r = wire_reader(data, len);
    return restriction_read(&r, &PROP_WIRE_ROP, arena, &res);
}

static void test_limits(void) {
    uint8_t nots[200];
    memset(nots, RES_NOT, sizeof nots);
    assert_ec(read_bytes(nots, sizeof nots), EC_TOO_COMPLEX);
    // 65535 conditions in one list
    static const uint8_t wide[] = {RES_AND, 0xFF, 0xFF, RES_EXIST, 0, 0, 0, 0};
    assert_ec(read_bytes(wide, sizeof wide), EC_TOO_COMPLEX);
    static const uint8_t lie[] = {RES_AND, 0xFF, 0x0F, RES_EXIST, 0, 0, 0, 0};
    assert_ec(read_bytes(lie, sizeof lie), EC_FORMAT_ERROR);
    static const uint8_t regex[] = {RES_PROPERTY, 6, 0x1F, 0, 0x37, 0, 0x1F, 0, 0x37, 0, 0, 0};
    assert_ec(read_bytes(regex, sizeof regex), EC_TOO_COMPLEX);
    static const uint8_t unknown[] = {0x0D, 0, 0, 0, 0};
    assert_ec(read_bytes(unknown, sizeof unknown), EC_FORMAT_ERROR);
    // A restriction as a value inside a restriction
    static const uint8_t nested[] = {RES_PROPERTY, 4,    0xFD,      0, 0x79, 0x66, 0xFD, 0,
                                     0x79,         0x66, RES_EXIST, 0, 0,    0,    0};
    assert_ec(read_bytes(nested, sizeof nested), EC_FORMAT_ERROR);
}

// PtypString8 and multi-value instances are normalized.
static void test_normalized_tags(void) {
    ARENA_AUTO arena = arena_new();
    static const uint8_t data[] = {RES_CONTENT, 0,    0, 1, 0,    0x1E, 0x30, 1,
                                   0x80,        0x1E, 0, 1, 0x80, 'A',  0};
    struct wire_reader r = wire_reader(data, sizeof data);
    struct restriction *res;
    assert_ok(restriction_read(&r, &PROP_WIRE_ROP, arena, &res));
    g_assert_cmphex(res->content.tag, ==, PROP_TAG(0x8001, PT_MV_UNICODE));
    g_assert_cmphex(res->content.value.tag, ==, PROP_TAG(0x8001, PT_UNICODE));
    g_assert_cmpstr(res->content.needle, ==, "a");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/restriction/content", test_content);
    g_test_add_func("/restriction/property", test_property);
    g_test_add_func("/restriction/others", test_others);
    g_test_add_func("/restriction/wire", test_wire);
    g_test_add_func("/restriction/limits", test_limits);
    g_test_add_func("/restriction/normalized_tags", test_normalized_tags);
    return g_test_run();
}
