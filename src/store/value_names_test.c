// Header fields outside the catalogue: named properties of the mailbox, within limits, and back.
#include "convert/convert.h"
#include "convert/tnef_test_writer.h"
#include "formats/mime.h"
#include "mapi/named.h"
#include "store/check.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"

struct delivery {
    const char *mime;
    uint64_t mid;
    bool fail;
};

static enum ec deliver(struct mbox_tx *tx, void *ctx) {
    struct delivery *d = ctx;
    ARENA_AUTO arena = arena_new();
    struct message_value *value;
    uint32_t uid;
    assert_ok(convert_mime_to_message(mime_scan(arena, d->mime, strlen(d->mime)), &value));
    g_autoptr(GBytes) mime = g_bytes_new(d->mime, strlen(d->mime));
    struct message_new spec = {.value = value, .mime = mime, .envelope = "", .structure = ""};
    enum ec ec = message_create(tx, FID_INBOX, &spec, &d->mid, &uid);
    message_value_free(value);
    return ec == EC_OK && d->fail ? EC_CANCEL : ec;
}

static uint64_t add(struct fixture *f, const char *mime) {
    struct delivery d = {.mime = mime};
    assert_ok(mbox_write(f->mbox, deliver, &d));
    return d.mid;
}

// What the mailbox calls the field; 0: nothing.
static uint16_t id_of(struct fixture *f, const char *field) {
    struct mbox_tx *tx;
    struct prop_name name = prop_name_string(&PS_INTERNET_HEADERS, field);
    uint16_t id = 0;
    assert_ok(mbox_read(f->mbox, &tx));
    enum ec ec = mbox_name_to_id(tx, &name, false, &id);
    g_assert_true(ec == EC_OK || ec == EC_NOT_FOUND);
    mbox_read_end(tx);
    return ec == EC_OK ? id : 0;
}

// The field's value in the message; NULL: it has none. In the arena.
static const char *field_of(struct fixture *f, struct arena *arena, uint64_t mid,
                            const char *field) {
    uint16_t id = id_of(f, field);
    struct mbox_tx *tx;
    struct message *m;
    struct prop_value v;
    if (id == 0)
        return NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_open(tx, mid, &m));
    enum ec ec = message_get_prop(tx, m, arena, PROP_TAG(id, PT_UNICODE), 0, &v);
    message_free(m);
    mbox_read_end(tx);
    return ec == EC_OK ? v.str : NULL;
}

static void put_own_name(GByteArray *out, const struct guid *set, uint32_t value) {
    struct wire_writer w = tnef_list();
    tnef_put_named(&w, PT_LONG, set, 0, "Own");
    wire_put_u32(&w, value);
    tnef_put_list(out, 1, TNEF_MESSAGE_PROPS, &w, 1);
}

// A mail with winmail.dat that holds a message with a property of its own. Freed by the caller.
static char *tnef_mail(const struct guid *set) {
    static const uint8_t renddata[14] = {1};
    static const uint8_t iid[16] = {0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46};
    g_autoptr(GByteArray) inner = tnef_begin(), outer = tnef_begin();
    put_own_name(inner, set, 2);
    put_own_name(outer, set, 1);
    tnef_put_attribute(outer, 2, TNEF_ATTACH_RENDDATA, renddata, sizeof renddata);
    g_byte_array_prepend(inner, iid, sizeof iid);
    struct wire_writer w = tnef_list();
    tnef_put_long(&w, PidTagAttachMethod, 5);
    tnef_put_binary(&w, PidTagAttachDataObject, inner->data, inner->len);
    tnef_put_list(outer, 2, TNEF_ATTACH_PROPS, &w, 2);
    g_autofree char *b64 = g_base64_encode(outer->data, outer->len);
    return g_strconcat("Subject: s\r\nContent-Type: application/ms-tnef\r\n"
                       "Content-Transfer-Encoding: base64\r\n\r\n",
                       b64, "\r\n", NULL);
}

static void test_fields(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t a =
        add(f, "X-Mailer: M1\r\nX-Second: =?utf-8?q?=C3=A4?=\r\nx-mailer: again\r\n"
               "Received: by x\r\nDKIM-Signature: x\r\nX-MS-Exchange-Organization-SCL: 9\r\n"
               "Accept-Language: de\r\n\r\nx");
    uint64_t b = add(f, "x-third: 3\r\nX-MAILER: M2\r\n\r\nx");
    g_assert_cmpstr(field_of(f, arena, a, "X-Mailer"), ==, "M1");
    g_assert_cmpstr(field_of(f, arena, a, "x-second"), ==, "ä");
    g_assert_cmpstr(field_of(f, arena, b, "x-mailer"), ==, "M2");
    g_assert_cmpstr(field_of(f, arena, b, "x-third"), ==, "3");
    g_assert_cmpstr(field_of(f, arena, b, "x-second"), ==, NULL);
    g_assert_cmpstr(field_of(f, arena, a, "Accept-Language"), ==, "de"); // of the catalogue
    g_assert_cmpuint(id_of(f, "x-mailer"), >=, NAMED_ID_FIRST_OWN);
    g_assert_cmpuint(id_of(f, "received"), ==, 0);
    g_assert_cmpuint(id_of(f, "dkim-signature"), ==, 0);
    g_assert_cmpuint(id_of(f, "x-ms-exchange-organization-scl"), ==, 0);
    fixture_close(f);
    fixture_open(f);
    g_assert_cmpstr(field_of(f, arena, a, "x-second"), ==, "ä");
}

// Back in a header, with the name as people write it.
static void test_back(struct fixture *f, gconstpointer data) {
    uint64_t mid = add(f, "Subject: s\r\nX-My-Field: value\r\n\r\nx");
    struct mbox_tx *tx;
    struct message *m;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_open(tx, mid, &m));
    assert_ok(message_load_names(tx, m));
    struct message_value *value = message_value(m);
    bag_set_str(value->bag, PidTagBody, "text");
    g_autoptr(GBytes) mime = NULL;
    assert_ok(convert_message_to_mime(value, NULL, false, &mime));
    g_autofree char *text = g_strndup(g_bytes_get_data(mime, NULL), g_bytes_get_size(mime));
    g_assert_nonnull(strstr(text, "\r\nX-My-Field: value\r\n"));
    message_free(m);
    mbox_read_end(tx);
}

static void test_undone(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct delivery d = {.mime = "X-Undone: 1\r\n\r\n", .fail = true};
    assert_ec(mbox_write(f->mbox, deliver, &d), EC_CANCEL);
    g_assert_cmpuint(id_of(f, "x-undone"), ==, 0);
    uint64_t a = add(f, "X-Kept: 1\r\n\r\n"), b = add(f, "X-Undone: 2\r\nX-Kept: 3\r\n\r\n");
    g_assert_cmpstr(field_of(f, arena, a, "x-kept"), ==, "1");
    g_assert_cmpstr(field_of(f, arena, b, "x-kept"), ==, "3");
    g_assert_cmpstr(field_of(f, arena, b, "x-undone"), ==, "2");
}

static unsigned count_names(struct fixture *f) {
    unsigned n = 0;
    for (int i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("x-many-%d", i);
        n += id_of(f, name) != 0;
    }
    return n;
}

static void test_limits(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) many = g_string_new(NULL);
    for (int i = 0; i < 60; i++)
        g_string_append_printf(many, "X-Many-%d: v\r\n", i);
    g_string_append(many, "\r\n");
    uint64_t first = add(f, many->str);
    g_assert_cmpuint(count_names(f), ==, FOREIGN_NAMES_PER_MESSAGE);
    g_assert_cmpstr(field_of(f, arena, first, "x-many-0"), ==, "v");
    for (int message = 0; message < 20; message++) {
        g_string_truncate(many, 0);
        for (int i = 0; i < 10; i++)
            g_string_append_printf(many, "X-Many-%d: v\r\n", message * 10 + i);
        g_string_append(many, "\r\n");
        add(f, many->str);
    }
    g_assert_cmpuint(count_names(f), ==, FOREIGN_NAMES_PER_DAY);
    // What the mailbox knows still becomes properties, and clients may still name theirs.
    uint64_t last = add(f, "X-New: 1\r\nX-Many-5: known\r\n\r\n");
    g_assert_cmpstr(field_of(f, arena, last, "x-many-5"), ==, "known");
    g_assert_cmpstr(field_of(f, arena, last, "x-new"), ==, NULL);
}

// The message in a message/rfc822 attachment.
static void test_embedded(struct fixture *f, gconstpointer data) {
    uint64_t mid = add(f, "X-Outer: 1\r\nContent-Type: message/rfc822\r\n\r\n"
                          "X-Inner: 2\r\nX-Outer: 3\r\nSubject: in\r\n\r\nx");
    struct mbox_tx *tx;
    struct message *m;
    struct message_value *inner;
    uint16_t outer = id_of(f, "x-outer");
    g_assert_cmpuint(outer, !=, 0);
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_open(tx, mid, &m));
    assert_ok(message_open_embedded(tx, m, 0, &inner));
    g_assert_false(inner->names_are_local);
    g_assert_cmpstr(bag_str(inner->bag, PROP_TAG(outer, PT_UNICODE)), ==, "3");
    message_free(m);
    mbox_read_end(tx);
    g_assert_cmpuint(id_of(f, "x-inner"), ==, 0); // reading adds no name
}

// TNEF in a message in a message, with names of its own at both levels: stored, and sound.
static void test_tnef(struct fixture *f, gconstpointer data) {
    static const struct guid set = {"own property set"};
    static const struct prop_name name = {
        .kind = PROP_NAME_STRING, .set = {"own property set"}, .string = "Own"};
    struct delivery d = {.mime = tnef_mail(&set)};
    assert_ok(mbox_write(f->mbox, deliver, &d));
    g_free((char *)d.mime);
    struct mbox_tx *tx;
    struct message *m;
    uint16_t id;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(mbox_name_to_id(tx, &name, false, &id));
    assert_ok(message_open(tx, d.mid, &m));
    const struct message_value *value = message_value(m);
    g_assert_cmpint(bag_long(value->bag, PROP_TAG(id, PT_LONG), 0), ==, 1);
    const struct attachment_value *a = value->attachments->pdata[0];
    g_assert_cmpint(bag_long(a->embedded->bag, PROP_TAG(id, PT_LONG), 0), ==, 2);
    message_free(m);
    mbox_read_end(tx);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name)                                                                                  \
    g_test_add("/value_names/" #name, struct fixture, NULL, fixture_setup, test_##name,            \
               fixture_teardown)
    ADD(fields);
    ADD(back);
    ADD(undone);
    ADD(limits);
    ADD(embedded);
    ADD(tnef);
    return g_test_run();
}
