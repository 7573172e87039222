// Rule actions: every kind there and back, and what is refused.
#include <string.h>

#include "base/test.h"
#include "mapi/props.h"
#include "mapi/rule_actions.h"

static const uint8_t here_id[21] = {1, 1, 0, 0, 0, 0, 0, 0, 5}; // the Inbox

// One of each; `form` decides which fields are there.
static struct rule_actions every_kind(struct arena *arena) {
    static const char blob[] = "anything";
    struct prop_value *values = arena_alloc(arena, 2 * sizeof *values);
    values[0] = prop_str(PidTagDisplayName, "Zoë");
    values[1] = prop_long(PidTagRecipientType, 1);
    struct rule_recipient *to = arena_alloc(arena, sizeof *to);
    *to = (struct rule_recipient){1, 2, values};
    struct rule_action *a = arena_alloc0(arena, 11 * sizeof *a);
    for (unsigned i = 0; i < 11; i++)
        a[i].type = i + 1, a[i].flags = 0x80 + i;
    a[0].move.is_in_this_store = true;
    a[0].move.folder_id = (struct prop_bin){sizeof here_id, here_id};
    a[1].move.store_id = (struct prop_bin){3, (const uint8_t *)"abc"};
    a[1].move.folder_id = (struct prop_bin){2, (const uint8_t *)"de"};
    for (unsigned i = 2; i < 4; i++) {
        a[i].flavor = RULE_REPLY_FIXED_TEXT;
        a[i].reply.folder = (struct short_id){1, 5};
        a[i].reply.message = (struct short_id){1, 0x200};
        a[i].reply.message_id = (struct prop_bin){8, (const uint8_t *)blob};
        a[i].reply.template_id.bytes[3] = 7;
    }
    a[4].deferred = (struct prop_bin){8, (const uint8_t *)blob};
    a[5].bounce = RULE_BOUNCE_DENIED;
    a[6].flavor = RULE_FORWARD_PRESERVE_SENDER | RULE_FORWARD_UNCHANGED;
    a[6].to.n = a[7].to.n = 1;
    a[6].to.items = a[7].to.items = to;
    a[8].tag = prop_long(PidTagImportance, 2);
    return (struct rule_actions){11, a};
}

static void test_round_trip(void) {
    ARENA_AUTO arena = arena_new();
    for (unsigned size = 2; size <= 4; size += 2) {
        struct prop_wire form = {(uint8_t)size, 1252};
        struct rule_actions all = every_kind(arena), back;
        struct short_id folder;
        struct wire_writer w = wire_writer(65536), w2 = wire_writer(65536);
        rule_actions_put(&w, &form, &all);
        g_assert_true(wire_writer_ok(&w));
        struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
        assert_ok(rule_actions_read(&r, &form, arena, &back));
        g_assert_cmpuint(wire_left(&r), ==, 0);
        g_assert_cmpuint(back.n, ==, 11);
        g_assert_cmphex(back.items[6].flavor, ==, 3);
        g_assert_cmphex(back.items[10].flags, ==, 0x8A);
        g_assert_cmpstr(back.items[7].to.items[0].values[0].str, ==, "Zoë");
        g_assert_cmpint(back.items[8].tag.l, ==, 2);
        g_assert_cmpuint(back.items[4].deferred.len, ==, 8);
        if (size == 2) {
            g_assert_true(rule_action_folder(&back.items[0], &folder));
            g_assert_cmpuint(folder.counter, ==, 5);
            g_assert_cmpuint(back.items[2].reply.message.counter, ==, 0x200);
        }
        g_assert_false(rule_action_folder(&back.items[1], &folder));
        rule_actions_put(&w2, &form, &back);
        g_assert_cmpmem(w.bytes->data, w.bytes->len, w2.bytes->data, w2.bytes->len);
        // Cut anywhere: refused.
        for (size_t len = 0; len < w.bytes->len; len++) {
            r = wire_reader(w.bytes->data, len);
            assert_ec(rule_actions_read(&r, &form, arena, &back), EC_FORMAT_ERROR);
        }
        wire_writer_clear(&w);
        wire_writer_clear(&w2);
    }
}

// A block as another server or client writes it.
static void test_bytes(void) {
    ARENA_AUTO arena = arena_new();
    static const uint8_t bytes[] = {
        0x02, 0x00,                      // two actions
        0x09, 0x00,                      // MS-OXORULE_R236: the length
        0x0A, 0,    0, 0, 0, 0, 0, 0, 0, // delete
        0x0D, 0x00,                      //
        0x06, 0,    0, 0, 0, 1, 0, 0, 0, // bounce, with the client's flag
        0x1F, 0,    0, 0};
    struct wire_reader r = wire_reader(bytes, sizeof bytes);
    struct rule_actions actions;
    assert_ok(rule_actions_read(&r, &PROP_WIRE_ROP, arena, &actions));
    g_assert_cmpint(actions.items[0].type, ==, RULE_DELETE);
    g_assert_cmpuint(actions.items[1].bounce, ==, RULE_BOUNCE_NOT_DISPLAYABLE);
    g_assert_cmpuint(actions.items[1].flags, ==, 1);
}

static enum ec read_changed(struct arena *arena, void (*change)(struct rule_action *)) {
    struct rule_actions actions = every_kind(arena), back;
    struct wire_writer w = wire_writer(65536);
    change((struct rule_action *)actions.items);
    rule_actions_put(&w, &PROP_WIRE_ROP, &actions);
    g_assert_true(wire_writer_ok(&w));
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    enum ec ec = rule_actions_read(&r, &PROP_WIRE_ROP, arena, &back);
    wire_writer_clear(&w);
    return ec;
}

static void bad_bounce(struct rule_action *a) {
    a[5].bounce = 1; // MS-OXORULE_R340
}
static void bad_flavor(struct rule_action *a) {
    a[9].flavor = 1; // MS-OXORULE_R273
}
static void attachment_and_more(struct rule_action *a) {
    a[6].flavor = 5; // MS-OXORULE_R280
}
static void sms_and_more(struct rule_action *a) {
    a[6].flavor = 9; // MS-OXORULE_R283
}
static void no_server_id(struct rule_action *a) {
    a[0].move.folder_id.len = 20; // MS-OXORULE_R736
}
static void nobody(struct rule_action *a) {
    a[7].to.n = 0; // MS-OXORULE_R324
}
static void unused_bits(struct rule_action *a) {
    a[2].flavor = 0x80000001; // MS-OXORULE_R702
}

static void test_refused(void) {
    ARENA_AUTO arena = arena_new();
    struct rule_actions actions;
    assert_ec(read_changed(arena, bad_bounce), EC_INVALID_PARAMETER);
    assert_ec(read_changed(arena, bad_flavor), EC_INVALID_PARAMETER);
    assert_ec(read_changed(arena, attachment_and_more), EC_INVALID_PARAMETER);
    assert_ec(read_changed(arena, sms_and_more), EC_INVALID_PARAMETER);
    assert_ec(read_changed(arena, no_server_id), EC_INVALID_PARAMETER);
    assert_ec(read_changed(arena, nobody), EC_FORMAT_ERROR);
    assert_ok(read_changed(arena, unused_bits));
    struct wire_reader r = wire_reader("\0\0", 2); // MS-OXORULE_R232
    assert_ec(rule_actions_read(&r, &PROP_WIRE_ROP, arena, &actions), EC_FORMAT_ERROR);
    r = wire_reader("\xFF\xFF\xFF\xFF\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
    assert_ec(rule_actions_read(&r, &PROP_WIRE_EXTENDED, arena, &actions), EC_FORMAT_ERROR);
    r = wire_reader("\1\0\x09\0\x0C\0\0\0\0\0\0\0\0", 13); // no such type
    assert_ec(rule_actions_read(&r, &PROP_WIRE_ROP, arena, &actions), EC_FORMAT_ERROR);
    r = wire_reader("\1\0\x0A\0\x0A\0\0\0\0\0\0\0\0\0", 14); // a byte too many
    assert_ec(rule_actions_read(&r, &PROP_WIRE_ROP, arena, &actions), EC_FORMAT_ERROR);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mapi/rule_actions/round trip", test_round_trip);
    g_test_add_func("/mapi/rule_actions/bytes", test_bytes);
    g_test_add_func("/mapi/rule_actions/refused", test_refused);
    return g_test_run();
}
