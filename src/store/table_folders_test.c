// Tables over a store: hierarchy, attachments, permissions, rules, receive folders, contents.
#include "mapi/change.h"
#include "mapi/rights.h"
#include "store/receive_folder.h"
#include "store/rule.h"
#include "store/store_fixture.h"
#include "store/table.h"

static bool take_text(void *ctx, const struct prop_value *const *v) {
    GString *text = ctx;
    g_string_append(text, text->len > 0 ? ", " : "");
    for (unsigned i = 0; i < 2; i++) {
        if (!v[i])
            g_string_append(text, "-");
        else if (PROP_TYPE(v[i]->tag) == PT_UNICODE)
            g_string_append(text, v[i]->str);
        else if (PROP_TYPE(v[i]->tag) == PT_LONG)
            g_string_append_printf(text, "%d", v[i]->l);
        else if (PROP_TYPE(v[i]->tag) == PT_BOOLEAN)
            g_string_append(text, v[i]->b ? "yes" : "no");
        else if (PROP_TYPE(v[i]->tag) == PT_I8)
            g_string_append_printf(text, "%" G_GINT64_FORMAT, (gint64)v[i]->i8);
        else
            g_string_append_printf(text, "<%u>", v[i]->bin.len);
        g_string_append(text, i == 0 ? " " : "");
    }
    return true;
}

// All rows as text, of two columns.
static char *show(struct table *t, proptag_t a, proptag_t b) {
    GString *text = g_string_new(NULL);
    proptag_t columns[] = {a, b};
    struct table_queried q;
    int32_t moved;
    assert_ok(table_set_columns(t, columns, 2, false));
    assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved));
    assert_ok(table_query_rows(t, 0, true, 1000, take_text, text, &q));
    return g_string_free(text, FALSE);
}

#define assert_shows(t, a, b, expected)                                                            \
    do {                                                                                           \
        g_autofree char *text_ = show(t, a, b);                                                    \
        g_assert_cmpstr(text_, ==, expected);                                                      \
    } while (0)

struct folder {
    uint64_t parent, fid;
    const char *name;
};

static enum ec make_folder(struct mbox_tx *tx, void *ctx) {
    struct folder *f = ctx;
    return folder_create(tx, f->parent, f->name, FOLDER_TYPE_GENERIC, "IPF.Note", &f->fid);
}

static enum ec delete_folder(struct mbox_tx *tx, void *ctx) {
    struct folder *f = ctx;
    return folder_delete(tx, f->fid, FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS);
}

static enum ec set_comment(struct mbox_tx *tx, void *ctx) {
    struct folder *f = ctx;
    BAG_AUTO set = bag_new();
    bag_set_str(set, PidTagComment, "work");
    return folder_set_props(tx, f->fid, set, NULL, 0);
}

static uint64_t add_folder(struct fixture *f, uint64_t parent, const char *name) {
    struct folder folder = {parent, 0, name};
    assert_ok(mbox_write(f->mbox, make_folder, &folder));
    return folder.fid;
}

static void tell(void *ctx, const struct table_event *e) {
    g_string_append_printf(ctx, "%d ", e->kind);
    if (e->values)
        take_text(ctx, e->values);
}

// Deleted folders in the folder they were in, with what can be restored of them.
static void test_soft_deleted_hierarchy(struct fixture *f, gconstpointer data) {
    struct table *t;
    uint64_t a = add_folder(f, FID_INBOX, "A"), b = add_folder(f, FID_INBOX, "B");
    add_folder(f, a, "deep");
    fixture_add(f, a, "one", NULL);
    struct folder deleted = {.fid = a};
    assert_ok(mbox_write(f->mbox, delete_folder, &deleted));
    // MS-OXCFOLD_R1219: without the flag only those that are there.
    assert_ok(table_open_hierarchy(f->mbox, FID_INBOX, true, false, &t));
    assert_shows(t, PidTagDisplayName, PidTagDepth, "B 1");
    table_free(t);
    assert_ok(table_open_hierarchy(f->mbox, FID_INBOX, false, true, &t));
    assert_shows(t, PidTagDisplayName, PidTagDeletedCountTotal, "A 1");
    table_free(t);
    assert_ok(table_open_hierarchy(f->mbox, FID_INBOX, true, true, &t));
    assert_shows(t, PidTagDisplayName, PidTagDepth, "A 1, deep 2");
    assert_shows(t, PidTagDisplayName, PidTagContainerClass, "A IPF.Note, deep IPF.Note");
    // MS-OXCFOLD_R10348
    ARENA_AUTO arena = arena_new();
    bool is_gone;
    g_autoptr(GString) row = g_string_new(NULL);
    struct table_find find = {.restriction = restriction_exist(arena, PidTagDeletedOn)};
    assert_ok(table_find_row(t, &find, take_text, row, &is_gone));
    g_assert_cmpstr(row->str, ==, "A IPF.Note");
    table_free(t);
    assert_ok(table_open_hierarchy(f->mbox, b, true, true, &t));
    assert_shows(t, PidTagDisplayName, PidTagDepth, "");
    table_free(t);
}

static void test_hierarchy(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct table *t;
    g_autoptr(GString) events = g_string_new(NULL);
    uint64_t a = add_folder(f, FID_INBOX, "A");
    uint64_t b = add_folder(f, FID_INBOX, "B");
    add_folder(f, a, "deep");
    assert_ok(table_open_hierarchy(f->mbox, FID_INBOX, false, false, &t));
    assert_shows(t, PidTagDisplayName, PidTagDepth, "A 1, B 1"); // MS-OXCFOLD_R802
    table_free(t);
    assert_ok(table_open_hierarchy(f->mbox, FID_INBOX, true, false, &t));
    assert_shows(t, PidTagDisplayName, PidTagDepth, "A 1, deep 2, B 1"); // MS-OXCFOLD_R801
    assert_shows(t, PidTagFolderType, PidTagSubfolders, "1 yes, 1 no, 1 no");
    assert_shows(t, PidTagEntryId, PidTagSourceKey, "<46> <22>, <46> <22>, <46> <22>");
    // What the folder's row does not have is read from its bag.
    struct folder work = {.fid = b};
    assert_ok(mbox_write(f->mbox, set_comment, &work));
    assert_shows(t, PidTagDisplayName, PidTagComment, "A -, deep -, B work");
    // A restriction: MS-OXCTABL_R833.
    struct prop_value v = prop_str(PidTagComment, "work");
    assert_ok(table_restrict(t, restriction_property(arena, RELOP_EQ, PidTagComment, &v), false));
    assert_shows(t, PidTagDisplayName, PidTagContentCount, "B 0");
    assert_ok(table_restrict(t, NULL, false));
    struct table_find find = {.restriction =
                                  restriction_property(arena, RELOP_EQ, PidTagComment, &v)};
    bool gone;
    assert_shows(t, PidTagDisplayName, PidTagContentCount, "A 0, deep 0, B 0");
    assert_ok(table_find_row(t, &find, take_text, events, &gone)); // MS-OXCTABL_R858
    g_assert_cmpstr(events->str, ==, "B 0");
    g_string_truncate(events, 0);
    // Live: a message in B, a folder more, a folder less.
    fixture_add(f, b, "hello", NULL);
    add_folder(f, FID_INBOX, "AA");
    struct folder deleted = {.fid = a};
    assert_ok(mbox_write(f->mbox, delete_folder, &deleted));
    assert_ok(table_events(t, tell, events));
    g_assert_cmpstr(events->str, ==, "4 4 3 , AA 05 , B 1");
    assert_shows(t, PidTagDisplayName, PidTagContentCount, "AA 0, B 1");
    table_free(t);
    assert_ok(table_open_hierarchy(f->mbox, FID_INBOX, true, true, &t));
    assert_shows(t, PidTagDisplayName, PidTagDepth, "A 1, deep 2");
    table_free(t);
    assert_ec(table_open_hierarchy(f->mbox, 0x9999, true, false, &t), EC_NOT_FOUND);
}

static void test_attachments(struct fixture *f, gconstpointer data) {
    struct table *t;
    struct message_value *m = message_value_new();
    for (unsigned i = 0; i < 2; i++) {
        struct attachment_value *a = attachment_value_new();
        bag_set_str(a->bag, PidTagAttachLongFilename, i ? "b.txt" : "a.txt");
        a->data = g_bytes_new("hello", 5);
        g_ptr_array_add(m->attachments, a);
    }
    assert_ok(table_open_attachments(m, &t));
    message_value_free(m);
    assert_shows(t, PidTagAttachNumber, PidTagAttachLongFilename, "0 a.txt, 1 b.txt");
    assert_shows(t, PidTagAttachNumber, PidTagAttachSize, "0 5, 1 5");
    table_free(t);
}

// Alice's list: who may is for others to say.
static enum ec list_members(void *ctx, struct arena *arena, struct table_member **out,
                            unsigned *n_out) {
    static struct table_member members[3] = {{0, "", {0, NULL}, 0},
                                             {-1, "Anonymous", {0, NULL}, 0}};
    members[2] = (struct table_member){77, "Bob", {3, (const uint8_t *)"bob"}, *(uint32_t *)ctx};
    *out = members;
    *n_out = 3;
    return EC_OK;
}

static void test_permissions(struct fixture *f, gconstpointer data) {
    struct table *t;
    uint32_t rights = RIGHTS_READ_ANY;
    struct table_members members = {.get = list_members, .ctx = &rights};
    g_autoptr(GString) events = g_string_new(NULL);
    assert_ok(table_open_permissions(f->mbox, &members, &t));
    // MS-OXCPERM_R1079 R1080
    assert_shows(t, PidTagMemberName, PidTagMemberRights, " 0, Anonymous 0, Bob 1");
    assert_shows(t, PidTagMemberId, PidTagEntryId, "0 <0>, -1 <0>, 77 <3>");
    rights = RIGHTS_ALL;
    add_folder(f, FID_INBOX, "anything");
    assert_shows(t, PidTagMemberName, PidTagMemberRights, " 0, Anonymous 0, Bob 1531");
    assert_ok(table_events(t, tell, events));
    g_assert_cmpstr(events->str, ==, "5 , Bob 1531");
    table_free(t);
}

static enum ec add_rules(struct mbox_tx *tx, void *ctx) {
    static const uint8_t actions[] = {1, 0, 9, 0, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t condition[] = {0x08, 0x1F, 0x00, 0x37, 0x00};
    struct prop_value a[] = {prop_str(PidTagRuleName, "one"), prop_str(PidTagRuleProvider, "x"),
                             prop_long(PidTagRuleSequence, 2),
                             prop_bytes(PidTagRuleActions, actions, sizeof actions),
                             prop_bytes(PidTagRuleCondition, condition, sizeof condition)};
    struct prop_value b[] = {prop_str(PidTagRuleName, "two"), prop_str(PidTagRuleProvider, "y"),
                             prop_long(PidTagRuleSequence, 1),
                             prop_bytes(PidTagRuleActions, actions, sizeof actions)};
    struct rule_change changes[] = {{RULE_ADD, a, 5}, {RULE_ADD, b, 4}};
    return rule_modify(tx, FID_INBOX, changes, 2, false, &PROP_WIRE_ROP);
}

static void test_rules(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct table *t;
    assert_ok(table_open_rules(f->mbox, FID_INBOX, &t));
    assert_shows(t, PidTagRuleName, PidTagRuleSequence, "");
    assert_ok(mbox_write(f->mbox, add_rules, NULL));
    // MS-OXORULE_R612; MS-OXCTABL_R836 R830
    assert_shows(t, PidTagRuleName, PidTagRuleSequence, "two 1, one 2");
    assert_shows(t, PidTagRuleCondition, PidTagRuleActions, "- <13>, <5> <13>");
    struct prop_value v = prop_str(PidTagRuleProvider, "x"); // MS-OXCTABL_R832
    assert_ok(
        table_restrict(t, restriction_property(arena, RELOP_EQ, PidTagRuleProvider, &v), false));
    assert_shows(t, PidTagRuleName, PidTagRuleLevel, "one 0");
    table_free(t);
}

static void test_receive_folders(struct fixture *f, gconstpointer data) {
    struct table *t;
    assert_ok(table_open_receive_folders(f->mbox, &t));
    g_autofree char *text = show(t, PidTagMessageClass, PidTagFolderId);
    g_assert_nonnull(strstr(text, "Report.IPM "));
    table_free(t);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/store/table_folders/" name, struct fixture, NULL, fixture_setup, fn,              \
               fixture_teardown)
    TEST("hierarchy", test_hierarchy);
    TEST("soft-deleted hierarchy", test_soft_deleted_hierarchy);
    TEST("attachments", test_attachments);
    TEST("permissions", test_permissions);
    TEST("rules", test_rules);
    TEST("receive folders", test_receive_folders);
    return g_test_run();
}
