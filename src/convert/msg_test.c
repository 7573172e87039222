// Messages as .msg files: the law that nothing is lost, the layout of the document, files in a code
// page, OLE objects, and broken files.
#include "base/test.h"
#include "convert/law_message.h"
#include "convert/msg.h"
#include "convert/msg_internal.h"
#include "formats/compound.h"

static GBytes *write_msg(const struct message_value *m, unsigned code_page) {
    GBytes *bytes = NULL;
    assert_ok(convert_message_to_msg(m, NULL, code_page, &bytes));
    return bytes;
}

static struct message_value *read_msg(GBytes *bytes) {
    struct message_value *m = NULL;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    assert_ok(convert_msg_to_message(data, len, &m));
    return m;
}

static bool is_identity(struct choices *c) {
    struct message_value *m = make_message(c, 3);
    g_autoptr(GBytes) bytes = write_msg(m, 0);
    struct message_value *back = read_msg(bytes);
    bool same = same_messages(m, back);
    message_value_free(m);
    message_value_free(back);
    return same;
}

static void test_identity(void) {
    law_check("a message made of the .msg file of a message is the same", is_identity, 120, 600);
}

static GBytes *get_stream(struct compound *c, unsigned storage, const char *name) {
    GBytes *bytes = NULL;
    assert_ok(compound_read(c, compound_find(c, storage, name), &bytes));
    return bytes;
}

// [MS-OXMSG] 2.2.3, 2.4: names of streams, headers, entries.
static void test_layout(void) {
    struct message_value *m = message_value_new();
    struct person bob = {"Bob", "SMTP", "bob@example.test", NULL};
    struct bag *bag = bag_new();
    person_set(bag, &recipient_tags, &bob);
    g_ptr_array_add(m->recipients, bag);
    bag_set_str(m->bag, PidTagSubject, "Hi");
    bag_set_str(m->bag, PidLidLocation, "Room");
    static const struct guid own_set = {"own property set"};
    struct prop_name own = prop_name_string(&own_set, "Own");
    bag_set_long(m->bag, PROP_TAG(message_value_local_name(m, &own), PT_LONG), 7);
    g_autoptr(GBytes) file = write_msg(m, 0);
    struct compound *c;
    gsize len;
    const void *data = g_bytes_get_data(file, &len);
    assert_ok(compound_open(data, len, &c));
    g_autoptr(GBytes) props = get_stream(c, COMPOUND_ROOT, "__properties_version1.0");
    const uint8_t *p = g_bytes_get_data(props, NULL);
    g_assert_cmpuint(g_bytes_get_size(props) % 16, ==, 0);
    g_assert_cmpuint(p[8], ==, 1);  // the next recipient
    g_assert_cmpuint(p[16], ==, 1); // how many
    g_autoptr(GBytes) subject = get_stream(c, COMPOUND_ROOT, "__substg1.0_0037001F");
    g_assert_cmpmem(g_bytes_get_data(subject, NULL), g_bytes_get_size(subject), "H\0i", 4);
    unsigned names = compound_find(c, COMPOUND_ROOT, "__nameid_version1.0");
    g_autoptr(GBytes) sets = get_stream(c, names, "__substg1.0_00020102");
    g_autoptr(GBytes) entries = get_stream(c, names, "__substg1.0_00030102");
    g_autoptr(GBytes) strings = get_stream(c, names, "__substg1.0_00040102");
    g_assert_cmpuint(g_bytes_get_size(sets), ==, 32);
    g_assert_cmpuint(g_bytes_get_size(entries), ==, 16);
    // 0x8208 of the first set of its own, then a string of the second.
    static const uint8_t expected[] = {0x08, 0x82, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0};
    g_assert_cmpmem(g_bytes_get_data(entries, NULL), 16, expected, sizeof expected);
    g_assert_cmpmem(g_bytes_get_data(strings, NULL), g_bytes_get_size(strings),
                    "\6\0\0\0O\0w\0n\0\0\0", 12);
    unsigned recipient = compound_find(c, COMPOUND_ROOT, "__recip_version1.0_#00000000");
    g_assert_true(compound_is_storage(c, recipient));
    compound_free(c);
    message_value_free(m);
}

// Strings in a code page, as files of Outlook 97 to 2000 have them.
static void test_code_page(void) {
    struct message_value *m = message_value_new();
    bag_set_str(m->bag, PidTagSubject, "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
    const char *words[] = {"\xd0\xbe\xd0\xb4\xd0\xb8\xd0\xbd", "two"};
    struct prop_value keywords = {.tag = PidNameKeywords, .mv = {.n = 2, .str = words}};
    bag_set(m->bag, &keywords);
    g_autoptr(GBytes) file = write_msg(m, 1251);
    struct message_value *back = read_msg(file);
    g_assert_cmpstr(bag_str(back->bag, PidTagSubject), ==, bag_str(m->bag, PidTagSubject));
    const struct prop_value *v = bag_get(back->bag, PidNameKeywords);
    g_assert_nonnull(v);
    g_assert_true(prop_equal(v, &keywords));
    g_assert_cmpint(bag_long(back->bag, PidTagMessageCodepage, 0), ==, 1251);
    message_value_free(m);
    message_value_free(back);
}

// An OLE object is a storage inside, and a file of its own outside.
static void test_ole(void) {
    struct compound_writer *w = compound_writer_new(NULL);
    g_autoptr(GBytes) text = g_bytes_new_static("contents", 8), object = NULL;
    compound_add_stream(w, compound_add_storage(w, COMPOUND_ROOT, "Pool", NULL), "\1Ole", text);
    assert_ok(compound_write(w, &object));
    compound_writer_free(w);
    struct message_value *m = message_value_new();
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, ATTACH_OLE);
    a->data = g_bytes_ref(object);
    g_ptr_array_add(m->attachments, a);
    g_autoptr(GBytes) file = write_msg(m, 0);
    struct message_value *back = read_msg(file);
    a = back->attachments->pdata[0];
    g_assert_true(g_bytes_equal(a->data, object));
    message_value_free(m);
    message_value_free(back);
}

static void test_broken(void) {
    struct message_value *m = make_message(
        &(struct choices){.data = (const uint8_t *)"0123456789abcdefghijklmnopqrst", .len = 30}, 2);
    g_autoptr(GBytes) file = write_msg(m, 0);
    gsize len;
    const uint8_t *data = g_bytes_get_data(file, &len);
    message_value_free(m);
    for (gsize cut = 0; cut < len; cut += 97) { // cut off anywhere
        struct message_value *back = NULL;
        if (convert_msg_to_message(data, cut, &back) == EC_OK)
            message_value_free(back);
    }
    assert_ec(convert_msg_to_message("x", 1, &m), EC_FORMAT_ERROR);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msg/identity", test_identity);
    g_test_add_func("/msg/layout", test_layout);
    g_test_add_func("/msg/code_page", test_code_page);
    g_test_add_func("/msg/ole", test_ole);
    g_test_add_func("/msg/broken", test_broken);
    return g_test_run();
}
