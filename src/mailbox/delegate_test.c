// Delegates: the list in the delegate information object, rights by role, sending on behalf.
#include "mailbox/delegate.h"
#include "mailbox/rights_fixture.h"
#include "mapi/entry_id.h"

static uint32_t rights_on(struct mailbox *m, uint64_t fid) {
    MBOX_TX_AUTO tx = NULL;
    uint32_t rights;
    assert_ok(mbox_read(mailbox_mbox(m), &tx));
    assert_ok(rights_of(m, tx, fid, &rights));
    return rights & ~(uint32_t)RIGHTS_FREE_BUSY;
}

static void test_set_and_remove(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_delegate_list list;
    assert_ok(mailbox_get_delegates(w->own, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 0);
    g_assert_cmpint(list.meetings, ==, MEETINGS_TO_BOTH);

    struct mailbox_delegate bob = {.guid = w->bob.guid, .receives_meetings = true};
    bob.rights[DELEGATE_CALENDAR] = ROLE_EDITOR;
    bob.rights[DELEGATE_INBOX] = ROLE_REVIEWER;
    struct mailbox_delegate carol = {.guid = w->carol.guid, .sees_private = true};
    carol.rights[DELEGATE_CONTACTS] = ROLE_AUTHOR;
    assert_ok(mailbox_set_delegate(w->own, &bob));
    assert_ok(mailbox_set_delegate(w->own, &carol));
    assert_ok(mailbox_set_delegate(w->own, &carol)); // twice is once
    assert_ok(mailbox_get_delegates(w->own, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpstr(list.items[0].address, ==, "bob@example.test");
    g_assert_cmphex(list.items[0].rights[DELEGATE_CALENDAR], ==, ROLE_EDITOR);
    g_assert_cmphex(list.items[0].rights[DELEGATE_INBOX], ==, ROLE_REVIEWER);
    g_assert_cmphex(list.items[0].rights[DELEGATE_TASKS], ==, 0);
    g_assert_true(list.items[0].receives_meetings);
    g_assert_false(list.items[0].sees_private);
    g_assert_true(list.items[1].sees_private);
    g_assert_false(list.items[1].receives_meetings);

    // What they may do is what the folders and the directory say.
    struct mailbox *m = world_enter(w, &w->bob);
    g_assert_cmphex(rights_on(m, FID_CALENDAR), ==, ROLE_EDITOR);
    g_assert_cmphex(rights_on(m, FID_FREEBUSY_DATA), ==, ROLE_EDITOR);
    g_assert_cmpint(directory_may_send(w->directory, &w->bob.guid, "alice@example.test"), ==,
                    DIRECTORY_SENDER_ON_BEHALF);
    assert_ec(mailbox_get_delegates(m, w->arena, &list), EC_ACCESS_DENIED);
    assert_ec(mailbox_set_delegate(m, &carol), EC_ACCESS_DENIED);
    assert_ec(mailbox_remove_delegate(m, &w->carol.guid), EC_ACCESS_DENIED);
    assert_ec(mailbox_set_delegate_meetings(m, MEETINGS_TO_BOTH), EC_ACCESS_DENIED);

    // Less than before.
    bob.rights[DELEGATE_CALENDAR] = ROLE_REVIEWER;
    assert_ok(mailbox_set_delegate(w->own, &bob));
    g_assert_cmphex(rights_on(m, FID_CALENDAR), ==, ROLE_REVIEWER);
    g_assert_cmphex(rights_on(m, FID_FREEBUSY_DATA), ==, 0);
    assert_ok(mailbox_remove_delegate(w->own, &w->bob.guid));
    assert_ec(mailbox_remove_delegate(w->own, &w->bob.guid), EC_NOT_FOUND);
    g_assert_cmphex(rights_on(m, FID_CALENDAR), ==, 0);
    g_assert_cmphex(rights_on(m, FID_INBOX), ==, 0);
    g_assert_cmpint(directory_may_send(w->directory, &w->bob.guid, "alice@example.test"), ==,
                    DIRECTORY_SENDER_DENIED);
    assert_ok(mailbox_get_delegates(w->own, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 1);
    mailbox_close(m);

    struct mailbox_delegate bad = {.guid = guid_new()};
    assert_ec(mailbox_set_delegate(w->own, &bad), EC_NOT_FOUND);
    bad.guid = w->alice.guid;
    assert_ec(mailbox_set_delegate(w->own, &bad), EC_INVALID_PARAMETER);
    // Somebody who is gone is not a delegate any more.
    assert_ok(directory_remove(w->directory, &w->carol.guid));
    assert_ok(mailbox_get_delegates(w->own, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 0);
}

static void test_meetings(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_delegate_list list;
    for (int m = MEETINGS_TO_BOTH; m <= MEETINGS_TO_DELEGATES_INFORM; m++) {
        assert_ok(mailbox_set_delegate_meetings(w->own, (enum delegate_meetings)m));
        assert_ok(mailbox_get_delegates(w->own, w->arena, &list));
        g_assert_cmpint(list.meetings, ==, m);
    }
}

// As a MAPI client finds it: the Inbox names the object, which holds parallel lists.
static void test_properties(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_delegate bob = {.guid = w->bob.guid, .sees_private = true};
    MBOX_TX_AUTO tx = NULL;
    BAG_AUTO inbox = NULL;
    struct entry_id id;
    struct message *message;
    assert_ok(mailbox_set_delegate(w->own, &bob));
    assert_ok(mbox_read(mailbox_mbox(w->own), &tx));
    assert_ok(folder_get_props(tx, FID_INBOX, &inbox));
    const struct prop_value *ids = bag_get(inbox, PidTagFreeBusyEntryIds);
    g_assert_nonnull(ids);
    g_assert_cmpuint(ids->mv.n, ==, 4);
    assert_ok(entry_id_parse(w->arena, ids->mv.bin[1], &id));
    g_assert_cmpint(id.kind, ==, ENTRY_ID_MESSAGE);
    assert_ok(entry_id_parse(w->arena, ids->mv.bin[3], &id)); // the folder's stays
    g_assert_cmpint(id.kind, ==, ENTRY_ID_FOLDER);
    assert_ok(entry_id_parse(w->arena, ids->mv.bin[1], &id));
    assert_ok(message_open(tx, id.message.counter, &message));
    const struct bag *bag = message_value(message)->bag;
    g_assert_cmpstr(bag_str(bag, PidTagMessageClass), ==, "IPM.Microsoft.ScheduleData.FreeBusy");
    const struct prop_value *names = bag_get(bag, PidTagScheduleInfoDelegateNamesW);
    const struct prop_value *entry_ids = bag_get(bag, PidTagScheduleInfoDelegateEntryIds);
    const struct prop_value *flags = bag_get(bag, PidTagDelegateFlags);
    g_assert_cmpuint(names->mv.n, ==, 1);
    g_assert_cmpstr(names->mv.str[0], ==, "bob@example.test");
    g_assert_cmpuint(entry_ids->mv.n, ==, 1);
    g_assert_cmpint(flags->mv.l[0], ==, 1);
    message_free(message);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/delegate/set-and-remove", test_set_and_remove);
    WORLD_TEST("/mailbox/delegate/meetings", test_meetings);
    WORLD_TEST("/mailbox/delegate/properties", test_properties);
    return g_test_run();
}
