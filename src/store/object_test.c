// Message objects: properties, saving with conflicts, attachments, streams, embedded messages,
// named properties; and the check's repairs.
#include "convert/convert.h"
#include "db/db.h"
#include "mapi/named.h"
#include "store/change.h"
#include "store/check.h"
#include "store/schema_internal.h"
#include "store/store_fixture.h"

static void assert_faults(struct fixture *f, unsigned expected, bool repair) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.repair = repair, .with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("fault: %s", (const char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, expected);
}

static struct message *open_message(struct fixture *f, uint64_t mid) {
    struct message *m;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_open(tx, mid, &m));
    mbox_read_end(tx);
    return m;
}

static char *get_text(struct fixture *f, struct message *m, struct arena *arena, proptag_t tag) {
    struct prop_value v;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_get_prop(tx, m, arena, tag, 0, &v));
    mbox_read_end(tx);
    return arena_strdup(arena, v.str);
}

struct save {
    struct message *m;
    unsigned flags;
};

static enum ec do_save(struct mbox_tx *tx, void *ctx) {
    struct save *s = ctx;
    return message_save(tx, s->m, s->flags);
}

static enum ec save(struct fixture *f, struct message *m, unsigned flags) {
    struct save s = {m, flags};
    return mbox_write(f->mbox, do_save, &s);
}

static void test_save_and_conflict(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = fixture_add(f, FID_INBOX, "before", "Subject: before\r\n\r\nx\r\n");
    struct message *mine = open_message(f, mid), *theirs = open_message(f, mid);
    struct prop_value subject = prop_str(PidTagSubject, "mine");
    assert_ok(message_set_prop(mine, &subject));
    assert_ok(save(f, mine, 0));
    subject.str = "theirs";
    assert_ok(message_set_prop(theirs, &subject));
    assert_ec(save(f, theirs, 0), EC_OBJECT_MODIFIED);
    assert_ok(save(f, theirs, MESSAGE_SAVE_FORCE));
    message_free(mine);
    message_free(theirs);
    struct message *now = open_message(f, mid);
    g_assert_cmpstr(get_text(f, now, arena, PidTagSubject), ==, "theirs");
    message_free(now);
    assert_faults(f, 0, false);
}

static void test_computed(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = fixture_add(f, FID_INBOX, "s", "Subject: s\r\n\r\nx\r\n");
    struct message *m = open_message(f, mid);
    struct mbox_tx *tx;
    struct prop_value v;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_get_prop(tx, m, arena, PidTagEntryId, 0, &v));
    g_assert_cmpuint(v.bin.len, ==, 70);
    assert_ok(message_get_prop(tx, m, arena, PidTagChangeKey, 0, &v));
    g_assert_cmpuint(v.bin.len, ==, 22);
    const uint8_t *key, *pcl;
    uint32_t key_len, pcl_len;
    assert_ok(change_key_of(tx, arena, mid, &key, &key_len, &pcl, &pcl_len));
    g_assert_cmpmem(v.bin.data, v.bin.len, key, key_len);
    g_assert_cmpmem(pcl + 1, pcl_len - 1, key, key_len);
    assert_ok(message_get_prop(tx, m, arena, PidTagMessageFlags, 0, &v));
    g_assert_cmpint(v.l & 1, ==, 0); // unread
    assert_ec(message_get_prop(tx, m, arena, PidTagBodyHtml, 0, &v), EC_NOT_FOUND);
    mbox_read_end(tx);
    struct prop_value size = prop_long(PidTagMessageSize, 1);
    assert_ec(message_set_prop(m, &size), EC_COMPUTED);
    struct prop_value flag = prop_long(PidTagFlagStatus, 2);
    assert_ok(message_set_prop(m, &flag));
    assert_ok(save(f, m, 0));
    message_free(m);
    struct message_row row;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_get_row(tx, mid, NULL, &row));
    g_assert_cmpuint(row.flags & MSG_FLAGGED, ==, MSG_FLAGGED); // what IMAP shows as \Flagged
    g_assert_cmpuint(row.flags & MSG_HAS_MIME, ==, 0); // the rendition was of the old contents
    mbox_read_end(tx);
}

static void test_large_property_and_attachments(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = fixture_add(f, FID_INBOX, "s", NULL);
    struct message *m = open_message(f, mid);
    g_autofree char *body = g_strnfill(200000, 'b');
    struct prop_value v = prop_str(PidTagBody, body);
    assert_ok(message_set_prop(m, &v));
    struct message_value *value = message_value(m);
    struct attachment_value *file = attachment_value_new();
    bag_set_long(file->bag, PidTagAttachMethod, 1);
    bag_set_str(file->bag, PidTagAttachLongFilename, "a.txt");
    file->data = g_bytes_new("file", 4);
    g_ptr_array_add(value->attachments, file);
    struct attachment_value *inner = attachment_value_new();
    bag_set_long(inner->bag, PidTagAttachMethod, 5);
    inner->embedded = message_value_new();
    bag_set_str(inner->embedded->bag, PidTagSubject, "inside");
    g_ptr_array_add(value->attachments, inner);
    struct bag *recipient = bag_new();
    bag_set_long(recipient, PidTagRecipientType, 1);
    bag_set_str(recipient, PidTagDisplayName, "Bob");
    g_ptr_array_add(value->recipients, recipient);
    assert_ok(save(f, m, 0));
    message_free(m);
    assert_faults(f, 0, false);

    m = open_message(f, mid);
    g_assert_cmpstr(get_text(f, m, arena, PidTagBody), ==, body);
    g_assert_cmpstr(get_text(f, m, arena, PidTagDisplayTo), ==, "Bob");
    struct mbox_tx *tx;
    struct message_value *embedded;
    struct message_stream *s;
    char buffer[10];
    size_t got;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ec(message_get_prop(tx, m, arena, PidTagBody, 1000, &v), EC_MESSAGE_TOO_BIG);
    assert_ok(message_open_embedded(tx, m, 1, &embedded));
    g_assert_cmpstr(bag_str(embedded->bag, PidTagSubject), ==, "inside");
    assert_ec(message_open_embedded(tx, m, 0, &embedded), EC_NOT_SUPPORTED);
    assert_ok(message_stream_open(tx, m, 0, PidTagAttachDataBinary, STREAM_READ_WRITE, &s));
    assert_ok(message_stream_read(s, 1, buffer, sizeof buffer, &got));
    g_assert_cmpmem(buffer, got, "ile", 3);
    assert_ok(message_stream_write(s, 4, " two", 4));
    assert_ok(message_stream_commit(s));
    message_stream_free(s);
    assert_ok(message_stream_open(tx, m, -1, PidTagBody, STREAM_READ, &s));
    g_assert_cmpuint(message_stream_size(s), ==, 400000); // UTF-16
    assert_ec(message_stream_write(s, 0, "x", 1), EC_ACCESS_DENIED);
    message_stream_free(s);
    mbox_read_end(tx);
    assert_ok(save(f, m, 0));
    message_free(m);

    m = open_message(f, mid);
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_stream_open(tx, m, 0, PidTagAttachDataBinary, STREAM_READ, &s));
    assert_ok(message_stream_read(s, 0, buffer, sizeof buffer, &got));
    g_assert_cmpmem(buffer, got, "file two", 8);
    message_stream_free(s);
    mbox_read_end(tx);
    message_free(m);
    assert_faults(f, 0, false);
}

static enum ec create_from_mime(struct mbox_tx *tx, void *ctx) {
    const char *text = ((const char **)ctx)[0];
    ARENA_AUTO arena = arena_new();
    const struct mime_message *mime = mime_scan(arena, text, strlen(text));
    struct message_value *value;
    EC_TRY(convert_mime_to_message(mime, &value));
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    struct message_new spec = {.value = value, .mime = bytes, .envelope = "()", .structure = "()"};
    enum ec ec = message_create(tx, FID_INBOX, &spec, (uint64_t *)((void **)ctx)[1], NULL);
    message_value_free(value);
    return ec;
}

static void test_from_mime(struct fixture *f, gconstpointer data) {
    static const char text[] =
        "From: =?utf-8?q?J=C3=BCrgen?= <j@example.test>\r\nTo: alice@example.test\r\nSubject: RE: "
        "plan\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
        "quoted-printable\r\n\r\nGr=FC=DFe\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n"
        "--b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\n"
        "aGVsbG8=\r\n--b--\r\n";
    ARENA_AUTO arena = arena_new();
    uint64_t mid = 0;
    const void *ctx[] = {text, &mid};
    assert_ok(mbox_write(f->mbox, create_from_mime, ctx));
    struct message *m = open_message(f, mid);
    g_assert_cmpstr(get_text(f, m, arena, PidTagSubject), ==, "RE: plan");
    g_assert_cmpstr(get_text(f, m, arena, PidTagSenderName), ==, "Jürgen");
    g_assert_true(g_str_has_prefix(get_text(f, m, arena, PidTagBody), "Grüße"));
    struct mbox_tx *tx;
    struct message_value *inner;
    struct message_stream *s;
    char buffer[10];
    size_t got;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_open_embedded(tx, m, 0, &inner));
    g_assert_cmpstr(bag_str(inner->bag, PidTagSubject), ==, "inner");
    assert_ok(message_stream_open(tx, m, 1, PidTagAttachDataBinary, STREAM_READ, &s));
    assert_ok(message_stream_read(s, 0, buffer, sizeof buffer, &got));
    g_assert_cmpmem(buffer, got, "hello", 5);
    message_stream_free(s);
    mbox_read_end(tx);
    struct prop_value subject = prop_str(PidTagSubject, "changed");
    assert_ok(message_set_prop(m, &subject));
    assert_ok(save(f, m, 0)); // the contents still point into the original
    message_free(m);
    m = open_message(f, mid);
    g_assert_true(g_str_has_prefix(get_text(f, m, arena, PidTagBody), "Grüße"));
    message_free(m);
    assert_faults(f, 0, false);
}

// --- Named properties ---

static const struct guid own_set = {{1, 2, 3}};

struct name_op {
    struct prop_name name;
    bool fail;
    uint16_t id;
};

static enum ec do_name(struct mbox_tx *tx, void *ctx) {
    struct name_op *op = ctx;
    EC_TRY(mbox_name_to_id(tx, &op->name, true, &op->id));
    return op->fail ? EC_CANCEL : EC_OK;
}

static void test_named(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mbox_tx *tx;
    struct prop_name back;
    uint16_t id;
    struct name_op color = {.name = prop_name_string(&own_set, "Color")};
    struct name_op undone = {.name = prop_name_lid(&own_set, 77), .fail = true};
    assert_ec(mbox_write(f->mbox, do_name, &undone), EC_CANCEL);
    assert_ok(mbox_write(f->mbox, do_name, &color));
    g_assert_cmpuint(color.id, >=, 0x8000);
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ec(mbox_name_to_id(tx, &undone.name, false, &id), EC_NOT_FOUND);
    assert_ok(mbox_id_to_name(tx, arena, color.id, &back));
    g_assert_cmpstr(back.string, ==, "Color");
    mbox_read_end(tx);
    fixture_close(f);
    fixture_open(f);
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(mbox_name_to_id(tx, &color.name, false, &id));
    g_assert_cmpuint(id, ==, color.id);
    assert_ok(mbox_id_to_name(tx, arena, PROP_ID(PidLidCategories), &back)); // fixed, in no table
    mbox_read_end(tx);
}

// --- Repairs ---

static void damage(struct fixture *f, const char *sql) {
    ARENA_AUTO arena = arena_new();
    char *path = store_mailbox_path(f->store, arena, &f->guid);
    fixture_close(f);
    struct db_options options = {.durability = DB_RELAXED};
    struct db *db;
    struct db_conn *conn;
    assert_ok(db_open(path, &store_schema, &options, &db));
    assert_ok(db_write(db, &conn));
    assert_ok(db_exec(conn, sql));
    assert_ok(db_commit(conn));
    db_close(db);
    fixture_open(f);
}

static void test_repairs(struct fixture *f, gconstpointer data) {
    static const char *const damages[] = {
        "INSERT INTO tombstone VALUES (1, 5, 1, 1, 1, 0, 0)",
        "UPDATE folder SET n_messages = 7 WHERE fid = 5",
        "UPDATE folder SET n_unread = 7, size = 1 WHERE fid = 5",
        "UPDATE folder SET uid_next = 1 WHERE fid = 5",
        "UPDATE blob SET refs = refs + 1",
        "UPDATE message_data SET refs = refs + 3",
        "UPDATE folder SET parent = 4711 WHERE fid = 32",
        "UPDATE message SET fid = 4711 WHERE fid = 5",
        "UPDATE mailbox SET next_id = 256",
        "INSERT INTO blob VALUES (1, 99999, 1, 3, 0, NULL, 'abc'); UPDATE mailbox SET next_id = "
        "100001",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
        fixture_add(f, FID_INBOX, "m", "Subject: m\r\n\r\nx\r\n");
        assert_faults(f, 0, false);
        damage(f, damages[i]);
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) again = g_ptr_array_new_with_free_func(g_free);
        struct check_options look = {.with_contents = true}, mend = {.repair = true};
        unsigned n_repaired = 0;
        assert_ok(store_check_mailbox(f->store, &f->guid, &look, found, NULL));
        g_test_message("%s: %s", damages[i],
                       found->len ? (char *)found->pdata[0] : "nothing found");
        g_assert_cmpuint(found->len, >, 0);
        assert_ok(store_check_mailbox(f->store, &f->guid, &mend, again, &n_repaired));
        g_assert_cmpuint(n_repaired, >, 0);
        assert_faults(f, 0, false);
    }
}

static void test_unrepairable(struct fixture *f, gconstpointer data) {
    fixture_add(f, FID_INBOX, "m", "Subject: m\r\n\r\nx\r\n");
    damage(f, "DELETE FROM blob");
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.repair = true};
    unsigned n_repaired = 1;
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, &n_repaired));
    g_assert_cmpuint(faults->len, >, 0);
    g_assert_cmpuint(n_repaired, ==, 0);
}

// --- Changes ---

static void test_changes(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct change_list list;
    struct mbox_tx *tx;
    uint64_t first = fixture_add(f, FID_INBOX, "1", NULL);
    fixture_add(f, FID_INBOX, "2", NULL);
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(changes_of_folder(tx, arena, FID_INBOX, 0, 0, &list));
    g_assert_cmpuint(list.n, ==, 2);
    uint64_t since = list.last;
    assert_ok(changes_of_folder(tx, arena, FID_INBOX, since, 0, &list));
    g_assert_cmpuint(list.n, ==, 0);
    assert_ok(changes_of_folder(tx, arena, FID_INBOX, 0, 1, &list));
    g_assert_true(list.is_cut);
    g_assert_cmpuint(list.items[0].id, ==, first);
    assert_ok(changes_of_hierarchy(tx, arena, FID_IPM_SUBTREE, 0, 0, &list));
    g_assert_cmpuint(list.n, >, 15);
    mbox_read_end(tx);
}

#define TEST(name, function)                                                                       \
    g_test_add(name, struct fixture, NULL, fixture_setup, function, fixture_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST("/object/save-and-conflict", test_save_and_conflict);
    TEST("/object/computed", test_computed);
    TEST("/object/large-property-and-attachments", test_large_property_and_attachments);
    TEST("/object/from-mime", test_from_mime);
    TEST("/object/changes", test_changes);
    TEST("/object/named", test_named);
    TEST("/check/repairs", test_repairs);
    TEST("/check/unrepairable", test_unrepairable);
    return g_test_run();
}
