// Items as MAPI objects: opened, changed, saved; rights, conflicts, sending.
#include "mailbox/item.h"

#include "mailbox/mailbox_fixture.h"
#include "mailbox/outbox.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"

static uint64_t make(struct world *w, struct mailbox *m, uint64_t fid, const char *subject,
                     uint32_t flags) {
    struct message_value *value = message_value_new();
    uint64_t mid;
    bag_set_str(value->bag, PidTagSubject, subject);
    bag_set_str(value->bag, PidTagBody, "text");
    struct item_new spec = {.value = value, .flags = flags};
    assert_ok(item_create(m, fid, &spec, &mid));
    message_value_free(value);
    return mid;
}

static const char *subject_of(struct item *item, struct arena *arena) {
    struct prop_value v;
    assert_ok(item_get(item, arena, PidTagSubject, 0, &v));
    return v.str;
}

static void test_change(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v = prop_str(PidTagSubject, "Other"), got;
    struct item *one, *two;
    uint64_t mid = make(w, w->m, FID_INBOX, "First", MSG_DRAFT);
    assert_ok(item_open(w->m, mid, &one));
    assert_ok(item_open(w->m, mid, &two));
    g_assert_cmpstr(subject_of(one, arena), ==, "First");
    g_assert_cmpuint(item_flags(one), ==, MSG_DRAFT);
    g_assert_cmpstr(item_class(one), ==, "IPM.Note");
    assert_ok(item_get(one, arena, PidTagSearchKey, 0, &got));
    g_assert_cmpuint(got.bin.len, ==, 16);
    uint64_t before = item_change(one);
    assert_ok(item_set(one, &v));
    assert_ok(item_save(one, 0));
    g_assert_cmpuint(item_change(one), >, before);
    g_assert_cmpstr(subject_of(one, arena), ==, "Other");
    assert_ok(item_get(one, arena, PidTagLastModifierName, 0, &got));
    g_assert_cmpstr(got.str, ==, "alice@example.test");
    // Somebody else's state is old now.
    v.str = "Third";
    assert_ok(item_set(two, &v));
    assert_ec(item_save(two, 0), EC_OBJECT_MODIFIED);
    assert_ok(item_save(two, ITEM_SAVE_FORCE));
    g_assert_cmpstr(subject_of(two, arena), ==, "Third");
    assert_ok(item_delete(w->m, mid, ITEM_DELETE_SOFT, NULL));
    assert_ok(item_set(one, &v));
    g_assert_cmpint(item_save(one, 0), !=, EC_OK);
    item_close(one);
    item_close(two);
    assert_ec(item_open(w->m, mid, &one), EC_NOT_FOUND);
    assert_ok(item_open_deleted(w->m, mid, &one));
    item_close(one);
    world_assert_clean(w, &w->alice);
}

static void test_attachments(struct world *w, gconstpointer data) {
    struct item *item, *inner, *deeper;
    uint64_t mid = make(w, w->m, FID_INBOX, "Outer", 0);
    unsigned index;
    assert_ok(item_open(w->m, mid, &item));
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, 1);
    a->data = g_bytes_new("abc", 3);
    assert_ok(item_add_attachment_take(item, a, &index));
    a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, 5);
    a->embedded = message_value_new();
    bag_set_str(a->embedded->bag, PidTagSubject, "Inner");
    assert_ok(item_add_attachment_take(item, a, &index));
    g_assert_cmpuint(index, ==, 1);
    assert_ok(item_save(item, 0));
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(item_attachment_data(item, 0, &bytes));
    g_assert_cmpuint(g_bytes_get_size(bytes), ==, 3);
    assert_ok(item_open_embedded(item, 1, &inner));
    g_assert_cmpstr(bag_str(item_value(inner)->bag, PidTagSubject), ==, "Inner");
    assert_ec(item_open_embedded(inner, 0, &deeper), EC_NOT_FOUND);
    assert_ec(item_open_embedded(item, 0, &deeper), EC_NOT_SUPPORTED);
    item_close(inner);
    assert_ok(item_remove_attachment(item, 0));
    assert_ok(item_save(item, 0));
    g_assert_cmpuint(item_value(item)->attachments->len, ==, 1);
    item_close(item);
    world_assert_clean(w, &w->alice);
}

// A message in a message in a message, as it came.
static void test_nested_mime(struct world *w, gconstpointer data) {
    static const char mime[] = "From: a@b\r\nSubject: 1\r\nContent-Type: message/rfc822\r\n\r\n"
                               "From: a@b\r\nSubject: 2\r\nContent-Type: message/rfc822\r\n\r\n"
                               "From: a@b\r\nSubject: 3\r\n\r\ndeep\r\n";
    g_autoptr(GBytes) bytes = g_bytes_new_static(mime, strlen(mime));
    struct message_value *value;
    struct item *one, *two, *three;
    uint64_t mid;
    ARENA_AUTO arena = arena_new();
    assert_ok(item_value_of_mime(bytes, &value));
    struct item_new spec = {.value = value, .mime = bytes};
    assert_ok(item_create(w->m, FID_INBOX, &spec, &mid));
    message_value_free(value);
    assert_ok(item_open(w->m, mid, &one));
    assert_ok(item_open_embedded(one, 0, &two));
    assert_ok(item_open_embedded(two, 0, &three));
    g_assert_cmpstr(subject_of(three, arena), ==, "3");
    item_close(three);
    item_close(two);
    g_autoptr(GBytes) back = NULL;
    assert_ok(item_mime(one, &back));
    g_assert_true(g_bytes_equal(back, bytes));
    item_close(one);
}

static void test_rights(struct world *w, gconstpointer data) {
    struct principal *bob = world_principal(&w->bob, "bob@example.test");
    struct mailbox *m;
    struct item *item;
    struct prop_value v = prop_str(PidTagSubject, "Bob was here");
    uint64_t mid = make(w, w->m, FID_INBOX, "Alice's", 0), mine, moved;
    assert_ok(mailbox_grant(w->m, "INBOX", "bob@example.test", ROLE_NONEDITING_AUTHOR));
    assert_ok(mailbox_open(w->service, bob, &w->alice, &m));
    assert_ok(item_open(m, mid, &item));
    g_assert_false(item_is_own(item));
    assert_ok(item_set(item, &v));
    assert_ec(item_save(item, ITEM_SAVE_FORCE), EC_ACCESS_DENIED);
    item_close(item);
    assert_ec(item_delete(m, mid, ITEM_DELETE_HARD, NULL), EC_ACCESS_DENIED);
    mine = make(w, m, FID_INBOX, "Bob's", 0);
    assert_ok(item_open(m, mine, &item));
    g_assert_true(item_is_own(item));
    item_close(item);
    // To Deleted Items, where Bob has no right.
    assert_ok(item_delete(m, mine, ITEM_DELETE_TO_TRASH, &moved));
    assert_ec(item_open(m, moved, &item), EC_NOT_FOUND);
    assert_ok(item_open(w->m, moved, &item));
    item_close(item);
    assert_ok(mailbox_grant(w->m, "INBOX", "bob@example.test", ROLE_CONTRIBUTOR));
    mailbox_close(m);
    assert_ok(mailbox_open(w->service, bob, &w->alice, &m));
    assert_ec(item_open(m, mid, &item), EC_ACCESS_DENIED);
    mailbox_close(m);
    principal_unref(bob);
}

static enum ec catch (void *ctx, const struct mailbox_outgoing *message) {
    GString *out = ctx; gsize len; const char *data = g_bytes_get_data(message->mime, &len);
    for (unsigned i = 0; i < message->n_recipients; i++)
        g_string_append_printf(out, "<%s>", message->recipients[i].address);
    g_string_append_len(out, data, (gssize)len);
    return EC_OK;
}

static void test_send(struct world *w, gconstpointer data) {
    g_autoptr(GString) sent = g_string_new(NULL);
    struct item_person to = {.name = "Bob", .address = "bob@example.test"};
    struct item_person hidden = {.address = "secret@example.net"};
    struct message_value *value = message_value_new();
    struct item_send how = {.saves_copy = true};
    uint64_t copy;
    struct item *item;
    bag_set_str(value->bag, PidTagSubject, "Sent");
    assert_ec(item_send_value(w->m, value, &how, &copy), EC_INVALID_RECIPIENTS);
    g_ptr_array_add(value->recipients, item_recipient_new(1, &to));
    g_ptr_array_add(value->recipients, item_recipient_new(1, &to));
    g_ptr_array_add(value->recipients, item_recipient_new(3, &hidden));
    assert_ec(item_send_value(w->m, value, &how, &copy), EC_NOT_INITIALIZED);
    mailbox_service_set_outbox(w->service, catch, sent);
    assert_ok(item_send_value(w->m, value, &how, &copy));
    g_assert_true(g_str_has_prefix(sent->str, "<bob@example.test><secret@example.net>"));
    g_assert_nonnull(strstr(sent->str, "From: alice@example.test"));
    g_assert_null(strstr(sent->str, "Bcc")); // nobody is told of it
    assert_ok(item_open(w->m, copy, &item));
    g_assert_cmpuint(item_fid(item), ==, FID_SENT_ITEMS);
    g_assert_cmpuint(item_flags(item) & (MSG_READ | MSG_DRAFT), ==, MSG_READ);
    g_assert_cmpuint(item_value(item)->recipients->len, ==, 3);
    item_close(item);
    // In somebody else's name, without the right and with it.
    struct item_person bob = {.address = "bob@example.test"};
    item_person_set(value->bag, ITEM_FROM, &bob);
    assert_ec(item_send_value(w->m, value, &how, &copy), EC_SEND_AS_DENIED);
    assert_ok(directory_grant(w->d, &w->bob, &w->alice, DIRECTORY_SEND_ON_BEHALF));
    g_string_truncate(sent, 0);
    assert_ok(item_send_value(w->m, value, &how, &copy));
    g_assert_nonnull(strstr(sent->str, "From: bob@example.test"));
    g_assert_nonnull(strstr(sent->str, "Sender: alice@example.test"));
    message_value_free(value);
    // A draft.
    uint64_t mid = make(w, w->m, FID_DRAFTS, "Draft", MSG_DRAFT);
    assert_ok(item_open(w->m, mid, &item));
    item_add_recipient_take(item, item_recipient_new(1, &to));
    assert_ok(item_save(item, 0));
    item_close(item);
    assert_ok(item_send_stored(w->m, mid, &how, &copy));
    g_assert_cmpint(item_open(w->m, mid, &item), ==, EC_NOT_FOUND);
    assert_ok(item_open(w->m, copy, &item));
    g_assert_cmpuint(item_fid(item), ==, FID_SENT_ITEMS);
    g_assert_cmpuint(item_flags(item) & MSG_DRAFT, ==, 0);
    item_close(item);
    world_assert_clean(w, &w->alice);
}

static void test_reply_to(void) {
    BAG_AUTO bag = bag_new();
    ARENA_AUTO arena = arena_new();
    struct item_person people[] = {{"Ann", "ann@example.net", NULL}, {"", "b@example.net", "SMTP"}};
    item_reply_to_set(bag, people, 2);
    GArray *back = item_reply_to_get(arena, bag);
    g_assert_cmpuint(back->len, ==, 2);
    g_assert_cmpstr(g_array_index(back, struct item_person, 0).name, ==, "Ann");
    g_assert_cmpstr(g_array_index(back, struct item_person, 1).address, ==, "b@example.net");
    g_array_unref(back);
    // Cut anywhere.
    struct prop_bin bytes = bag_bytes(bag, PidTagReplyRecipientEntries);
    g_autofree uint8_t *copy = g_memdup2(bytes.data, bytes.len);
    for (uint32_t n = 0; n < bytes.len; n++) {
        BAG_AUTO short_bag = bag_new();
        bag_set_bytes(short_bag, PidTagReplyRecipientEntries, copy, n);
        back = item_reply_to_get(arena, short_bag);
        g_assert_cmpuint(back->len, <=, 2);
        g_array_unref(back);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/item/change", test_change);
    WORLD_TEST("/item/attachments", test_attachments);
    WORLD_TEST("/item/nested-mime", test_nested_mime);
    WORLD_TEST("/item/rights", test_rights);
    WORLD_TEST("/item/send", test_send);
    g_test_add_func("/item/reply-to", test_reply_to);
    return g_test_run();
}
