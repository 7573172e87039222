// Entry ids of all kinds, both ways, and their equality.
#include "mapi/entry_id.h"

#include <string.h>

#include "base/test.h"

static const struct guid mailbox = {{0x11, 0x22}}, replica = {{0x33, 0x44}};

static struct entry_id round_trip(struct arena *arena, struct prop_bin bytes) {
    struct entry_id id, unused;
    assert_ok(entry_id_parse(arena, bytes, &id));
    struct prop_bin again = entry_id_bytes(arena, &id);
    g_assert_cmpmem(bytes.data, bytes.len, again.data, again.len);
    g_assert_true(entry_id_equal(bytes, again));
    for (uint32_t cut = 0; cut < bytes.len; cut++) {
        g_autofree uint8_t *part = g_memdup2(bytes.data, MAX(cut, 1));
        struct prop_bin short_one = {cut, part};
        if (entry_id_parse(arena, short_one, &unused) == EC_OK) // folders are known by their size
            g_assert_true(unused.kind == ENTRY_ID_UNKNOWN || unused.kind == ENTRY_ID_WRAPPED ||
                          unused.kind == ENTRY_ID_STORE);
    }
    return id;
}

static void test_folder_and_message(void) {
    ARENA_AUTO arena = arena_new();
    struct prop_bin bytes = entry_id_of_folder(arena, &mailbox, &replica, 0x0102);
    g_assert_cmpuint(bytes.len, ==, 46);
    struct entry_id id = round_trip(arena, bytes);
    g_assert_cmpint(id.kind, ==, ENTRY_ID_FOLDER);
    g_assert_cmpuint(id.folder.counter, ==, 0x0102);
    g_assert_true(guid_equal(&id.provider, &mailbox));
    g_assert_cmpmem(bytes.data + 20, 2, "\1\0", 2);
    g_assert_cmpmem(bytes.data + 38, 8, "\0\0\0\0\1\2\0\0", 8);

    bytes = entry_id_of_message(arena, &mailbox, &replica, 1, 2);
    g_assert_cmpuint(bytes.len, ==, 70);
    id = round_trip(arena, bytes);
    g_assert_cmpint(id.kind, ==, ENTRY_ID_MESSAGE);
    g_assert_cmpuint(id.message.counter, ==, 2);

    id.is_public = true;
    id = round_trip(arena, entry_id_bytes(arena, &id));
    g_assert_true(id.is_public);
    g_assert_cmpint(id.kind, ==, ENTRY_ID_MESSAGE);
}

static void test_store(void) {
    ARENA_AUTO arena = arena_new();
    struct entry_id id = {.kind = ENTRY_ID_STORE, .store = {"server", "/o=x/cn=alice"}};
    id = round_trip(arena, entry_id_bytes(arena, &id));
    g_assert_cmpstr(id.store.server, ==, "server");
    g_assert_cmpstr(id.store.mailbox_dn, ==, "/o=x/cn=alice");
    struct entry_id public = {.kind = ENTRY_ID_STORE, .is_public = true, .store = {"server", ""}};
    public = round_trip(arena, entry_id_bytes(arena, &public));
    g_assert_true(public.is_public);
    g_assert_cmpstr(public.store.mailbox_dn, ==, "");
}

static void test_addresses(void) {
    ARENA_AUTO arena = arena_new();
    struct prop_bin dn = entry_id_of_dn(arena, AB_TYPE_DISTRIBUTION_LIST, "/o=x/cn=Staff");
    struct entry_id id = round_trip(arena, dn);
    g_assert_cmpint(id.kind, ==, ENTRY_ID_ADDRESS_BOOK);
    g_assert_cmpuint(id.address_book.type, ==, AB_TYPE_DISTRIBUTION_LIST);
    g_assert_cmpstr(id.address_book.dn, ==, "/o=x/cn=Staff");
    struct prop_bin same = entry_id_of_dn(arena, AB_TYPE_MAIL_USER, "/O=X/CN=STAFF");
    g_assert_true(entry_id_equal(dn, same));

    struct prop_bin one_off = entry_id_of_address(arena, "Jürgen", "SMTP", "j@x.example");
    id = round_trip(arena, one_off);
    g_assert_cmpint(id.kind, ==, ENTRY_ID_ONE_OFF);
    g_assert_cmpstr(id.one_off.display_name, ==, "Jürgen");
    g_assert_cmpstr(id.one_off.address, ==, "j@x.example");
    g_assert_true(
        entry_id_equal(one_off, entry_id_of_address(arena, "other", "smtp", "J@X.example")));
    g_assert_false(entry_id_equal(one_off, dn));
    // The 8-bit form that old clients write
    static const uint8_t ansi[] = {
        0,    0,    0, 0, 0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0, 0xDD, 1,
        0x0F, 0x54, 2, 0, 0,    1,    0,    'J',  0xFC, 0,    'S',  'M',  'T',  'P',  0, 'a',  0};
    assert_ok(entry_id_parse(arena, (struct prop_bin){sizeof ansi, ansi}, &id));
    g_assert_cmpstr(id.one_off.display_name, ==, "Jü");
    g_assert_cmpstr(id.one_off.address, ==, "a");
}

static void test_contacts(void) {
    ARENA_AUTO arena = arena_new();
    struct prop_bin message = entry_id_of_message(arena, &mailbox, &replica, 1, 2);
    struct entry_id id = {.kind = ENTRY_ID_CONTACT, .contact = {2, message}};
    id = round_trip(arena, entry_id_bytes(arena, &id));
    g_assert_cmpint(id.kind, ==, ENTRY_ID_CONTACT);
    g_assert_cmpuint(id.contact.index, ==, 2);
    g_assert_cmpuint(id.contact.entry.len, ==, 70);
    struct entry_id list = {.kind = ENTRY_ID_PERSONAL_DL, .contact = {0, message}};
    list = round_trip(arena, entry_id_bytes(arena, &list));
    g_assert_cmpint(list.kind, ==, ENTRY_ID_PERSONAL_DL);
    struct entry_id wrapped = {.kind = ENTRY_ID_WRAPPED, .wrapped = {0xB5, message}};
    wrapped = round_trip(arena, entry_id_bytes(arena, &wrapped));
    g_assert_cmpuint(wrapped.wrapped.type, ==, 0xB5);
    g_assert_true(entry_id_equal(wrapped.wrapped.entry, message));
}

static void test_bad(void) {
    ARENA_AUTO arena = arena_new();
    struct entry_id id;
    g_autofree uint8_t *big = g_malloc0(ENTRY_ID_MAX + 1);
    assert_ec(entry_id_parse(arena, (struct prop_bin){ENTRY_ID_MAX + 1, big}, &id),
              EC_INVALID_ENTRY_ID);
    assert_ec(entry_id_parse(arena, (struct prop_bin){0, NULL}, &id), EC_INVALID_ENTRY_ID);
    assert_ok(entry_id_parse(arena, (struct prop_bin){46, big}, &id));
    g_assert_cmpint(id.kind, ==, ENTRY_ID_UNKNOWN);
}

static void test_server_id(void) {
    ARENA_AUTO arena = arena_new();
    struct server_id id = {.is_ours = true, .folder = {1, 5}, .message = {1, 6}, .instance = 7};
    struct prop_bin bytes = server_id_bytes(arena, &id);
    g_assert_cmpuint(bytes.len, ==, 21);
    struct server_id back;
    g_assert_true(server_id_parse(bytes, &back));
    g_assert_cmpuint(back.message.counter, ==, 6);
    g_assert_cmpuint(back.instance, ==, 7);
    g_assert_false(server_id_parse((struct prop_bin){20, bytes.data}, &back));
    g_assert_false(server_id_parse((struct prop_bin){0, NULL}, &back));
    g_assert_true(server_id_parse((struct prop_bin){3, (const uint8_t *)"\0ab"}, &back));
    g_assert_cmpuint(back.client.len, ==, 2);
    bytes = server_id_bytes(arena, &back);
    g_assert_cmpmem(bytes.data, bytes.len, "\0ab", 3);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/entry_id/folder_and_message", test_folder_and_message);
    g_test_add_func("/entry_id/store", test_store);
    g_test_add_func("/entry_id/addresses", test_addresses);
    g_test_add_func("/entry_id/contacts", test_contacts);
    g_test_add_func("/entry_id/bad", test_bad);
    g_test_add_func("/entry_id/server_id", test_server_id);
    return g_test_run();
}
