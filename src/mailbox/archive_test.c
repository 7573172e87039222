// Archive mailboxes: whose they are, and messages that move there whole.
#include "mailbox/archive_internal.h"
#include "mailbox/mailbox_fixture.h"
#include "mailbox/quota.h"
#include "mapi/named.h"
#include "mapi/props.h"
#include "store/message_portable.h"

static const struct guid set_appointment = {
    {0x02, 0x20, 0x06, 0x00, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

static void test_on_off(struct world *w, gconstpointer data) {
    struct guid archive, again, owner;
    struct mailbox *m;
    g_autoptr(GArray) all = NULL;
    assert_ec(mailbox_archive_of(w->service, &w->alice, &archive), EC_NOT_FOUND);
    assert_ok(mailbox_archive_enable(w->service, &w->alice));
    assert_ec(mailbox_archive_enable(w->service, &w->alice), EC_COLLISION);
    assert_ok(mailbox_archive_of(w->service, &w->alice, &archive));
    assert_ok(mailbox_archive_owner(w->service, &archive, &owner));
    g_assert_true(guid_equal(&owner, &w->alice));
    assert_ok(store_list_mailboxes(w->store, &all));
    g_assert_cmpuint(all->len, ==, 3);

    struct principal *alice = world_principal(&w->alice, "alice@example.test");
    struct principal *bob = world_principal(&w->bob, "bob@example.test");
    assert_ok(mailbox_open_archive(w->service, alice, &w->alice, &m));
    g_assert_true(mailbox_is_owner(m));
    assert_ok(mailbox_create_folder(m, "Mine", NULL));
    mailbox_close(m);
    assert_ok(mailbox_open(w->service, alice, &archive, &m));
    g_assert_true(mailbox_is_owner(m));
    mailbox_close(m);
    assert_ec(mailbox_open_archive(w->service, bob, &w->alice, &m), EC_ACCESS_DENIED);
    assert_ec(mailbox_open_archive(w->service, bob, &w->bob, &m), EC_NOT_FOUND);
    assert_ec(mailbox_open(w->service, bob, &archive, &m), EC_ACCESS_DENIED);

    assert_ok(mailbox_archive_disable(w->service, &w->alice));
    assert_ec(mailbox_open_archive(w->service, alice, &w->alice, &m), EC_NOT_FOUND);
    assert_ok(mailbox_archive_enable(w->service, &w->alice));
    assert_ok(mailbox_archive_of(w->service, &w->alice, &again));
    g_assert_true(guid_equal(&archive, &again)); // nothing was lost
    principal_unref(alice);
    principal_unref(bob);
    assert_ok(mailbox_archive_delete(w->service, &w->alice));
    assert_ec(mailbox_archive_of(w->service, &w->alice, &archive), EC_NOT_FOUND);
}

struct named {
    uint64_t fid, mid;
    struct prop_name name;
    uint16_t id;
};

// A message with what is hard to move: named properties, a large body, attachments, an embedded
// message.
static enum ec create_rich(struct mbox_tx *tx, void *ctx) {
    struct named *n = ctx;
    struct message_value *value = message_value_new(), *inner = message_value_new();
    g_autofree char *body = g_strnfill(100000, 'b');
    EC_TRY(mbox_name_to_id(tx, &n->name, true, &n->id));
    bag_set_str(value->bag, PidTagSubject, "Rich");
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
    bag_set_str(value->bag, PidTagBody, body);
    bag_set_str(value->bag, PROP_TAG(n->id, PT_UNICODE), "named value");
    struct attachment_value *a = attachment_value_new(), *e = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, 1);
    a->data = g_bytes_new_static("attached bytes", 14);
    bag_set_long(e->bag, PidTagAttachMethod, 5);
    bag_set_str(inner->bag, PidTagSubject, "Inside");
    bag_set_str(inner->bag, PROP_TAG(n->id, PT_UNICODE), "inner value");
    e->embedded = inner;
    g_ptr_array_add(value->attachments, a);
    g_ptr_array_add(value->attachments, e);
    struct message_new spec = {
        .value = value, .flags = MSG_READ | MSG_FLAGGED, .keywords = "Work", .received = START};
    enum ec ec = message_create(tx, n->fid, &spec, &n->mid, NULL);
    message_value_free(value);
    return ec;
}

static enum ec name_to_id(struct mbox_tx *tx, void *ctx) {
    struct named *n = ctx;
    return mbox_name_to_id(tx, &n->name, true, &n->id);
}

static struct mbox *open_archive(struct world *w) {
    struct guid archive;
    struct mbox *mbox;
    assert_ok(mailbox_archive_of(w->service, &w->alice, &archive));
    assert_ok(store_open_mailbox(w->store, &archive, &mbox));
    return mbox;
}

static void check_rich(struct mbox *archive, const struct named *here, uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct message *m;
    struct prop_value v;
    struct message_row row;
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(mbox_read(archive, &tx));
    assert_ok(message_open(tx, mid, &m));
    assert_ok(message_get_prop(tx, m, arena, PidTagBody, 0, &v));
    g_assert_cmpuint(strlen(v.str), ==, 100000);
    assert_ok(message_get_prop(tx, m, arena, PROP_TAG(here->id, PT_UNICODE), 0, &v));
    g_assert_cmpstr(v.str, ==, "named value");
    struct message_value *value = message_value(m);
    g_assert_cmpuint(value->attachments->len, ==, 2);
    const struct attachment_value *a = value->attachments->pdata[0],
                                  *e = value->attachments->pdata[1];
    assert_ok(blob_read(tx, a->external.blob, a->external.pos, a->external.len, &bytes));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "attached bytes", 14);
    g_assert_cmpstr(bag_str(e->embedded->bag, PROP_TAG(here->id, PT_UNICODE)), ==, "inner value");
    assert_ok(message_get_row(tx, mid, NULL, &row));
    g_assert_cmpuint(row.flags & MSG_CLIENT_FLAGS, ==, MSG_READ | MSG_FLAGGED);
    g_assert_cmpstr(row.keywords, ==, "Work");
    g_assert_cmpuint(row.received, ==, START);
    shared_text_unref(row.keywords);
    message_free(m);
}

static void test_move(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct guid archive_guid;
    struct named n = {.name = prop_name_string(&set_appointment, "mine")}, other = n, filler = n;
    unsigned moved;
    uint64_t mids[2], mid;
    assert_ok(mailbox_archive_enable(w->service, &w->alice));
    assert_ok(mailbox_archive_of(w->service, &w->alice, &archive_guid));
    assert_ok(mailbox_create_folder(w->m, "Projects/2026", &n.fid));
    assert_ok(mbox_write(w->m->mbox, create_rich, &n));
    assert_ok(world_append(w, n.fid, "From outside", 20000, &mids[1]));
    mids[0] = n.mid;
    struct mbox *archive = open_archive(w);
    // The same name has another id there.
    filler.name.string = "filler";
    assert_ok(mbox_write(archive, name_to_id, &filler));
    assert_ok(archive_move(w->service, w->m->mbox, archive, n.fid, mids, 2, &moved));
    g_assert_cmpuint(moved, ==, 2);
    g_assert_cmpuint(world_folder(w, &w->alice, n.fid).n_messages, ==, 0);
    g_assert_cmpuint(world_usage(w).n_recoverable, ==, 0);
    assert_ok(mbox_write(archive, name_to_id, &other));
    g_assert_cmpuint(other.id, !=, n.id);
    struct principal *alice = world_principal(&w->alice, "alice@example.test");
    struct mailbox *m;
    struct mailbox_folder f;
    struct mailbox_reader *reader;
    g_autoptr(GBytes) mime = NULL, want = world_message("From outside", 20000);
    assert_ok(mailbox_open_archive(w->service, alice, &w->alice, &m));
    principal_unref(alice);
    assert_ok(mailbox_find_folder(m, arena, "Projects/2026", &f));
    g_assert_cmpuint(f.n_messages, ==, 2);
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(archive, &tx));
    assert_ok(message_by_uid(tx, f.fid, 1, &mid));
    check_rich(archive, &other, mid);
    assert_ok(message_by_uid(tx, f.fid, 2, &mid));
    mbox_read_end(tx);
    tx = NULL;
    assert_ok(mailbox_reader_open(m, f.fid, &reader));
    assert_ok(mailbox_read_mime(reader, mid, &mime));
    g_assert_true(g_bytes_equal(mime, want)); // byte for byte
    mailbox_reader_close(reader);
    mailbox_close(m);
    mbox_unref(archive);
    world_assert_clean(w, &w->alice);
    world_assert_clean(w, &archive_guid);
}

struct half {
    struct message_portable *message;
    char *once;
};

static enum ec put_half(struct mbox_tx *tx, void *ctx) {
    struct half *h = ctx;
    uint64_t mid;
    return message_put(tx, FID_INBOX, h->message, h->once, &mid);
}

static void test_crash_between(struct world *w, gconstpointer data) {
    unsigned moved;
    uint64_t mid;
    assert_ok(mailbox_archive_enable(w->service, &w->alice));
    assert_ok(world_append(w, FID_INBOX, "One", 100, &mid));
    struct mbox *archive = open_archive(w);
    // As if the program had died after the first half: it is there, and it is here still.
    struct message_portable message;
    struct half half = {.message = &message};
    char guid[GUID_STRING_SIZE];
    guid_format(&w->alice, guid);
    half.once = g_strdup_printf("archive/%s/%" G_GUINT64_FORMAT, guid, (guint64)mid);
    struct mbox_tx *tx;
    assert_ok(mbox_read(w->m->mbox, &tx));
    assert_ok(message_take(tx, mid, &message));
    mbox_read_end(tx);
    assert_ok(mbox_write(archive, put_half, &half));
    message_portable_clear(&message);
    g_free(half.once);
    assert_ok(archive_move(w->service, w->m->mbox, archive, FID_INBOX, &mid, 1, &moved));
    g_assert_cmpuint(moved, ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_messages, ==, 0);
    g_assert_cmpuint(world_folder(w, mbox_guid(archive), FID_INBOX).n_messages, ==, 1);
    // Gone here: nothing is added there.
    assert_ok(archive_move(w->service, w->m->mbox, archive, FID_INBOX, &mid, 1, &moved));
    g_assert_cmpuint(moved, ==, 0);
    mbox_unref(archive);
}

static void test_quota(struct world *w, gconstpointer data) {
    uint64_t mid, second;
    unsigned moved;
    struct guid archive_guid;
    assert_ok(mailbox_archive_enable(w->service, &w->alice));
    assert_ok(mailbox_archive_of(w->service, &w->alice, &archive_guid));
    assert_ok(world_append(w, FID_INBOX, "One", 10000, &mid));
    g_autofree char *limit =
        g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)world_usage(w).size + 100);
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_QUOTA_ARCHIVE, limit));
    struct mailbox_limits limits;
    assert_ok(mailbox_limits(w->service, &archive_guid, &limits));
    g_assert_true(limits.is_archive);
    assert_ok(world_append(w, FID_INBOX, "Two", 10000, &second));
    uint64_t mids[] = {mid, second};
    struct mbox *archive = open_archive(w);
    assert_ec(archive_move(w->service, w->m->mbox, archive, FID_INBOX, mids, 2, &moved),
              EC_QUOTA_EXCEEDED);
    g_assert_cmpuint(moved, ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_messages, ==, 1); // it stays
    mbox_unref(archive);
    world_assert_clean(w, &archive_guid);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/archive/on and off", test_on_off);
    WORLD_TEST("/mailbox/archive/move", test_move);
    WORLD_TEST("/mailbox/archive/crash between the halves", test_crash_between);
    WORLD_TEST("/mailbox/archive/quota", test_quota);
    return g_test_run();
}
