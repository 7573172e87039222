// A folder that is restored from a backup comes back whole: hidden ones in it, associated messages,
// its own properties.
#include "admin/restore_items.h"

#include "mailbox/mailbox_fixture.h"
#include "mapi/props.h"

static enum ec settings_in(struct mbox_tx *tx, uint64_t fid, const char *subject) {
    uint64_t mid;
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Configuration.Test");
    bag_set_str(value->bag, PidTagSubject, subject);
    struct message_new spec = {.value = value, .flags = MSG_ASSOCIATED};
    enum ec ec = message_create(tx, fid, &spec, &mid, NULL);
    message_value_free(value);
    return ec;
}

static enum ec fill(struct mbox_tx *tx, void *ctx) {
    const uint64_t *fids = ctx;
    BAG_AUTO hidden = bag_new();
    bag_set_bool(hidden, PidTagAttributeHidden, true);
    bag_set_str(hidden, PidTagComment, "out of sight");
    EC_TRY(folder_set_props(tx, fids[1], hidden, NULL, 0));
    EC_TRY(settings_in(tx, fids[0], "one"));
    EC_TRY(settings_in(tx, fids[0], "two"));
    return settings_in(tx, fids[1], "three");
}

static bool drop_output(void *ctx, enum output_stream stream, const void *text, size_t len) {
    return true;
}

static int restore(struct mailbox *from, struct mailbox *to) {
    ARENA_AUTO arena = arena_new();
    struct command_call call = {.arena = arena, .out = output_new(true, drop_output, NULL)};
    struct argument_option folder = {"folder", "Team"};
    struct arguments arguments = {.options = &folder, .n_options = 1, .is_json = true};
    call.arguments = &arguments;
    int status = restore_items(&call, from, to);
    output_free(call.out);
    return status;
}

static void test_whole_folder(struct world *w, gconstpointer data) {
    uint64_t fids[2], fid;
    struct mailbox *to;
    struct principal *admin = principal_admin();
    assert_ok(mailbox_open(w->service, admin, &w->bob, &to));
    principal_unref(admin);
    assert_ok(mailbox_create_folder(w->m, "Team", &fids[0]));
    assert_ok(mailbox_create_folder(w->m, "Team/Hidden", &fids[1]));
    assert_ok(world_append(w, fids[0], "hello", 100, NULL));
    assert_ok(mbox_write(w->m->mbox, fill, fids));
    for (unsigned round = 0; round < 2; round++) { // what is there is passed over
        ARENA_AUTO arena = arena_new();
        struct mailbox_folder folder;
        g_assert_cmpint(restore(w->m, to), ==, EXIT_DONE);
        assert_ok(mailbox_find_folder(to, arena, "Team", &folder));
        struct folder_info info = world_folder(w, &w->bob, folder.fid);
        g_assert_cmpuint(info.n_messages, ==, 1);
        g_assert_cmpuint(info.n_associated, ==, 2);
        assert_ok(mailbox_find_folder(to, arena, "Team/Hidden", &folder));
        fid = folder.fid;
        info = world_folder(w, &w->bob, fid);
        g_assert_true(info.is_hidden);
        g_assert_cmpuint(info.n_associated, ==, 1);
    }
    MBOX_TX_AUTO tx = NULL;
    BAG_AUTO props = NULL;
    assert_ok(mbox_read(to->mbox, &tx));
    assert_ok(folder_get_props(tx, fid, &props));
    g_assert_cmpstr(bag_str(props, PidTagComment), ==, "out of sight");
    mailbox_close(to);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/admin/restore_items/a whole folder", test_whole_folder);
    return g_test_run();
}
