// Rules and receive folders as they are stored.
#include "store/rule.h"

#include "mapi/entry_id.h"
#include "mapi/restriction.h"
#include "mapi/rule_actions.h"
#include "store/check.h"
#include "store/receive_folder.h"
#include "store/store_fixture.h"

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
}

// --- Rules ---

struct modify {
    uint64_t fid;
    struct rule_change *changes;
    unsigned n;
    bool replace;
    uint64_t error_id;
};

static enum ec run_modify(struct mbox_tx *tx, void *ctx) {
    struct modify *m = ctx;
    return rule_modify(tx, m->fid, m->changes, m->n, m->replace, &PROP_WIRE_ROP);
}

static enum ec modify(struct fixture *f, uint64_t fid, enum rule_change_kind kind,
                      const struct prop_value *values, unsigned n) {
    struct rule_change change = {kind, values, n};
    struct modify m = {fid, &change, 1, false, 0};
    return mbox_write(f->mbox, run_modify, &m);
}

static enum ec run_error(struct mbox_tx *tx, void *ctx) {
    struct modify *m = ctx;
    return rule_set_error(tx, m->fid, m->error_id, RULE_PARSE_ERROR);
}

// "delete" as a client sends it; a condition on the subject, with a text of one byte a letter.
static const uint8_t actions[] = {1, 0, 9, 0, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t condition[] = {0x03, 2,    0,    1,    0,    0x1E, 0x00, 0x37,
                                    0x00, 0x1E, 0x00, 0x37, 0x00, 0xE4, 'b',  0};

static unsigned make_rule(struct prop_value values[8], const char *name, int32_t sequence) {
    values[0] = prop_str(PidTagRuleName, name);
    values[1] = prop_str(PidTagRuleProvider, "RuleOrganizer");
    values[2] = prop_long(PidTagRuleSequence, sequence);
    values[3] = prop_long(PidTagRuleState, RULE_ENABLED | RULE_ERROR | RULE_PARSE_ERROR);
    values[4] = prop_long(PidTagRuleUserFlags, 77);
    values[5] = prop_bytes(PidTagRuleProviderData, "own", 3);
    values[6] = prop_bytes(PidTagRuleCondition, condition, sizeof condition);
    values[7] = prop_bytes(PidTagRuleActions, actions, sizeof actions);
    return 8;
}

static struct rule_list list_rules(struct fixture *f, struct arena *arena, uint64_t fid) {
    struct mbox_tx *tx;
    struct rule_list list;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(rule_list_get(tx, arena, fid, &list));
    mbox_read_end(tx);
    return list;
}

static bool has_rules(struct fixture *f, uint64_t fid) {
    struct mbox_tx *tx;
    BAG_AUTO bag = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get_props(tx, fid, &bag));
    mbox_read_end(tx);
    return bag_bool(bag, PidTagHasRules, false);
}

static void test_rules(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v[8];
    g_assert_false(has_rules(f, FID_INBOX));
    assert_ok(modify(f, FID_INBOX, RULE_ADD, v, make_rule(v, "second", 20)));
    assert_ok(modify(f, FID_INBOX, RULE_ADD, v, make_rule(v, "first", 10)));
    struct rule_list list = list_rules(f, arena, FID_INBOX);
    g_assert_cmpuint(list.n, ==, 2); // MS-OXORULE_R122 R123
    g_assert_cmpstr(list.items[0].name, ==, "first");
    g_assert_cmpstr(list.items[1].provider, ==, "RuleOrganizer");
    g_assert_cmpuint(list.items[0].id, !=, list.items[1].id); // MS-OXORULE_R597 R598
    g_assert_cmphex(list.items[0].state, ==, RULE_ENABLED);   // MS-OXORULE_R66 R77
    g_assert_cmpuint(list.items[0].user_flags, ==, 77);       // MS-OXORULE_R96
    g_assert_cmpmem(list.items[0].provider_data.data, list.items[0].provider_data.len, "own", 3);
    g_assert_true(has_rules(f, FID_INBOX)); // MS-OXORULE_R604 R605
    // The condition is kept in Unicode.
    struct wire_reader r = wire_reader(list.items[0].condition.data, list.items[0].condition.len);
    struct restriction *res;
    assert_ok(restriction_read(&r, &PROP_WIRE_ROP, arena, &res));
    g_assert_cmpstr(res->content.value.str, ==, "äb");
    g_assert_cmpmem(list.items[0].actions.data, list.items[0].actions.len, actions, sizeof actions);
    // Modifying changes what is given, and the order.
    struct prop_value change[] = {prop_i8(PidTagRuleId, (int64_t)list.items[0].id),
                                  prop_long(PidTagRuleSequence, 30)};
    struct modify error = {.fid = FID_INBOX, .error_id = list.items[0].id};
    assert_ok(mbox_write(f->mbox, run_error, &error));
    assert_ok(modify(f, FID_INBOX, RULE_MODIFY, change, 2));
    list = list_rules(f, arena, FID_INBOX);
    g_assert_cmpstr(list.items[1].name, ==, "first");
    g_assert_cmphex(list.items[1].state, ==, RULE_ENABLED | RULE_PARSE_ERROR);
    assert_ok(modify(f, FID_INBOX, RULE_REMOVE, change, 1));
    assert_ec(modify(f, FID_INBOX, RULE_REMOVE, change, 1), EC_NOT_FOUND);
    assert_ec(modify(f, FID_INBOX, RULE_MODIFY, change, 2), EC_NOT_FOUND);
    change[0].i8 = (int64_t)list.items[0].id;
    assert_ok(modify(f, FID_INBOX, RULE_REMOVE, change, 1));
    g_assert_cmpuint(list_rules(f, arena, FID_INBOX).n, ==, 0);
    g_assert_false(has_rules(f, FID_INBOX)); // MS-OXORULE_R606
    assert_clean(f);
}

static void test_replace(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v[8], w[8], id[] = {prop_i8(PidTagRuleId, 1)};
    assert_ok(modify(f, FID_INBOX, RULE_ADD, v, make_rule(v, "old", 1)));
    struct rule_change changes[] = {{RULE_ADD, v, make_rule(v, "a", 2)},
                                    {RULE_ADD, w, make_rule(w, "b", 1)},
                                    {RULE_REMOVE, id, 1}};
    struct modify m = {FID_INBOX, changes, 3, true, 0};
    assert_ec(mbox_write(f->mbox, run_modify, &m), EC_INVALID_PARAMETER);
    g_assert_cmpuint(list_rules(f, arena, FID_INBOX).n, ==, 1);
    m.n = 2;
    assert_ok(mbox_write(f->mbox, run_modify, &m)); // MS-OXORULE_R669
    struct rule_list list = list_rules(f, arena, FID_INBOX);
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpstr(list.items[0].name, ==, "b");
    // One that fails leaves all as it was: MS-OXORULE_R594.
    m.replace = false;
    m.n = 3;
    assert_ec(mbox_write(f->mbox, run_modify, &m), EC_NOT_FOUND);
    g_assert_cmpuint(list_rules(f, arena, FID_INBOX).n, ==, 2);
    m.replace = true;
    m.n = 0;
    assert_ok(mbox_write(f->mbox, run_modify, &m));
    g_assert_cmpuint(list_rules(f, arena, FID_INBOX).n, ==, 0);
}

static void test_rule_errors(struct fixture *f, gconstpointer data) {
    struct prop_value v[9];
    unsigned n = make_rule(v, "x", 1);
    v[7].bin.len--;
    assert_ec(modify(f, FID_INBOX, RULE_ADD, v, n), EC_FORMAT_ERROR);
    v[7].bin.len++;
    v[6].bin.len--;
    assert_ec(modify(f, FID_INBOX, RULE_ADD, v, n), EC_FORMAT_ERROR);
    v[6].bin.len++;
    assert_ec(modify(f, FID_INBOX, RULE_ADD, v, n - 1), EC_INVALID_PARAMETER); // no actions
    v[8] = prop_str(PidTagSubject, "no property of rules");
    assert_ec(modify(f, FID_INBOX, RULE_ADD, v, n + 1), EC_INVALID_PARAMETER);
    v[8] = prop_i8(PidTagRuleId, 5);
    assert_ec(modify(f, FID_INBOX, RULE_ADD, v, n + 1), EC_INVALID_PARAMETER); // MS-OXORULE_R53
    assert_ec(modify(f, FID_INBOX, RULE_MODIFY, v, n), EC_INVALID_PARAMETER);  // MS-OXORULE_R54
    assert_ec(modify(f, FID_INBOX, RULE_REMOVE, v, n), EC_INVALID_PARAMETER);
    assert_ec(modify(f, FID_INBOX, (enum rule_change_kind)3, v, n), EC_INVALID_PARAMETER);
    assert_ec(modify(f, 0x9999, RULE_ADD, v, n), EC_NOT_FOUND);
    // Too many: MS-OXORULE_R815.
    struct rule_change *many = g_new(struct rule_change, RULE_MAX_COUNT + 1);
    for (unsigned i = 0; i <= RULE_MAX_COUNT; i++)
        many[i] = (struct rule_change){RULE_ADD, v, n};
    struct modify m = {FID_INBOX, many, RULE_MAX_COUNT + 1, false, 0};
    assert_ec(mbox_write(f->mbox, run_modify, &m), EC_NO_MEMORY);
    g_free(many);
}

struct drop {
    uint64_t fid;
};

static enum ec make_folder(struct mbox_tx *tx, void *ctx) {
    struct drop *d = ctx;
    return folder_create(tx, FID_IPM_SUBTREE, "Sorted", FOLDER_TYPE_GENERIC, NULL, &d->fid);
}

static enum ec drop_folder(struct mbox_tx *tx, void *ctx) {
    struct drop *d = ctx;
    return folder_delete(tx, d->fid, FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS);
}

// --- Receive folders ---

struct set {
    const char *class;
    uint64_t fid;
};

static enum ec run_set(struct mbox_tx *tx, void *ctx) {
    struct set *s = ctx;
    return receive_folder_set(tx, s->class, s->fid);
}

static enum ec set_receive(struct fixture *f, const char *class, uint64_t fid) {
    struct set s = {class, fid};
    return mbox_write(f->mbox, run_set, &s);
}

#define assert_receives(f, class_, expected_class, expected_fid)                                   \
    do {                                                                                           \
        ARENA_AUTO arena_ = arena_new();                                                           \
        struct mbox_tx *tx_;                                                                       \
        struct receive_folder row_;                                                                \
        assert_ok(mbox_read((f)->mbox, &tx_));                                                     \
        assert_ok(receive_folder_get(tx_, arena_, class_, &row_));                                 \
        mbox_read_end(tx_);                                                                        \
        g_assert_cmpstr(row_.class, ==, expected_class);                                           \
        g_assert_cmpuint(row_.fid, ==, expected_fid);                                              \
    } while (0)

static unsigned count_receive(struct fixture *f) {
    ARENA_AUTO arena = arena_new();
    struct mbox_tx *tx;
    struct receive_folders all;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(receive_folder_list(tx, arena, &all));
    mbox_read_end(tx);
    return all.n;
}

static void test_receive_folders(struct fixture *f, gconstpointer data) {
    g_assert_cmpuint(count_receive(f), ==, 4); // MS-OXCSTOR_R782
    assert_receives(f, "", "", FID_INBOX);     // MS-OXCSTOR_R3119
    assert_receives(f, "MY.Class", "", FID_INBOX);
    assert_receives(f, "ipm.MY.Class", "IPM", FID_INBOX); // MS-OXCSTOR_R3120 R847
    assert_receives(f, "IPMX", "", FID_INBOX);
    assert_receives(f, "IPC.Microsoft", "IPC", FID_ROOT);
    assert_receives(f, "REPORT.IPM.Note.NDR", "Report.IPM", FID_INBOX);
    assert_ok(set_receive(f, "MY.Class", FID_JUNK));                // MS-OXCSTOR_R59754
    assert_receives(f, "MY.Class.SOMETHING", "MY.Class", FID_JUNK); // MS-OXCSTOR_R3122 R196 R197
    assert_ok(set_receive(f, "my.class", FID_TASKS));               // MS-OXCSTOR_R862 R1235 R247
    g_assert_cmpuint(count_receive(f), ==, 5);                      // MS-OXCSTOR_R876
    assert_receives(f, "My.Class", "my.class", FID_TASKS);
    assert_ok(set_receive(f, "My.Class", 0)); // MS-OXCSTOR_R864
    assert_receives(f, "MY.Class", "", FID_INBOX);
    assert_ok(set_receive(f, "My.Class", 0));
    assert_ok(set_receive(f, "IPC", 0));
    assert_receives(f, "IPC.Microsoft", "", FID_INBOX);
    g_assert_cmpuint(count_receive(f), ==, 3);
    assert_ok(set_receive(f, "", FID_JUNK));
    assert_receives(f, "x", "", FID_JUNK);
    assert_ec(set_receive(f, "ipm", FID_JUNK), EC_ACCESS_DENIED);        // MS-OXCSTOR_R859 R272
    assert_ec(set_receive(f, "report.ipm", FID_JUNK), EC_ACCESS_DENIED); // MS-OXCSTOR_R272
    assert_ec(set_receive(f, "", 0), EC_CALL_FAILED);                    // MS-OXCSTOR_R860 R277
    assert_ec(set_receive(f, "IPM.Note", 0x9999), EC_NOT_FOUND);         // MS-OXCSTOR_R871
    static const char *const bad[] = {".IPM", "IPM.", "IPM..Note", "IPM\tNote", "Größe", "."};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) // MS-OXCSTOR_R202-R207 R254-R259 R858
        assert_ec(set_receive(f, bad[i], FID_JUNK), EC_INVALID_PARAMETER);
    g_autofree char *longest = g_strnfill(254, 'x'), *too_long = g_strnfill(255, 'x');
    assert_ok(set_receive(f, longest, FID_JUNK));
    assert_ec(set_receive(f, too_long, FID_JUNK), EC_INVALID_PARAMETER);
    assert_clean(f);
}

static void test_folder_deleted(struct fixture *f, gconstpointer data) {
    struct drop d;
    struct prop_value v[8];
    assert_ok(mbox_write(f->mbox, make_folder, &d));
    assert_ok(modify(f, d.fid, RULE_ADD, v, make_rule(v, "r", 1)));
    assert_ok(set_receive(f, "MY", d.fid));
    assert_receives(f, "MY.Class", "MY", d.fid);
    assert_ok(mbox_write(f->mbox, drop_folder, &d));
    assert_receives(f, "MY.Class", "", FID_INBOX);
    assert_clean(f);
}

// A rule whose folder is gone: the check says so, and repaired it is not tried again.
static enum ec make_and_drop(struct mbox_tx *tx, void *ctx) {
    (void)ctx;
    ARENA_AUTO arena = arena_new();
    uint64_t fid;
    assert_ok(folder_create(tx, FID_INBOX, "target", FOLDER_TYPE_GENERIC, NULL, &fid));
    struct server_id id = {.is_ours = true, .folder = {REPLID_OWN, fid}};
    struct rule_action action = {
        .type = RULE_MOVE,
        .move = {.is_in_this_store = true, .folder_id = server_id_bytes(arena, &id)}};
    struct rule_actions moves = {1, &action};
    struct wire_writer w = wire_writer(1000);
    rule_actions_put(&w, &PROP_WIRE_ROP, &moves);
    struct prop_value v[8];
    unsigned n = make_rule(v, "moves", 10);
    v[7] = prop_bytes(PidTagRuleActions, w.bytes->data, w.bytes->len);
    struct rule_change change = {RULE_ADD, v, n};
    assert_ok(rule_modify(tx, FID_INBOX, &change, 1, false, &PROP_WIRE_ROP));
    wire_writer_clear(&w);
    return folder_delete(tx, fid, 0);
}

static void test_target_gone(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.repair = true};
    assert_ok(mbox_write(f->mbox, make_and_drop, NULL));
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    g_assert_cmpuint(faults->len, ==, 1);
    g_assert_nonnull(strstr(faults->pdata[0], "moves to a folder that is gone [repaired]"));
    struct rule_list list = list_rules(f, arena, FID_INBOX);
    g_assert_cmpuint(list.n, ==, 1);
    g_assert_cmphex(list.items[0].state, ==, RULE_ENABLED | RULE_ERROR);
    assert_clean(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/store/rule/" name, struct fixture, NULL, fixture_setup, fn, fixture_teardown)
    TEST("rules", test_rules);
    TEST("target gone", test_target_gone);
    TEST("replace", test_replace);
    TEST("errors", test_rule_errors);
    TEST("receive folders", test_receive_folders);
    TEST("folder deleted", test_folder_deleted);
    return g_test_run();
}
