// Ids reserved for clients, and change keys of their changes beside the mailbox's own.
#include "store/replica.h"

#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "store/change.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/store_fixture.h"

struct step {
    enum { RESERVE, CLAIM, BURY, NOTE, RETITLE, CREATE, MOVE, FOLDER, NOTE_FOLDER } what;
    uint64_t fid, id, high;
    struct replica_change change;
    uint64_t out;
};

static enum ec create(struct mbox_tx *tx, struct step *s) {
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, "from a client");
    struct message *m = message_of_value_take(tx_mbox(tx), s->fid, 0, value);
    message_set_id(m, s->id);
    enum ec ec = message_save(tx, m, 0);
    s->out = message_mid(m);
    message_free(m);
    return ec;
}

static enum ec retitle(struct mbox_tx *tx, struct step *s) {
    struct message *m;
    struct prop_value v = prop_str(PidTagSubject, "changed here");
    EC_TRY(message_open(tx, s->id, &m));
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

static enum ec run(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    switch (s->what) {
    case RESERVE:
        return replica_reserve(tx, (uint32_t)s->high, &s->out);
    case CLAIM:
        return replica_claim(tx, s->fid, s->id);
    case BURY:
        return replica_bury(tx, s->fid, s->id, s->high);
    case NOTE:
        return replica_note_message(tx, s->id, &s->change);
    case NOTE_FOLDER:
        return replica_note_folder(tx, s->id, &s->change);
    case RETITLE:
        return retitle(tx, s);
    case CREATE:
        return create(tx, s);
    case MOVE:
        return message_move_as(tx, s->fid, s->id, FID_DRAFTS, s->high);
    default:
        return folder_create_as(tx, s->id, FID_INBOX, "made by a client", NULL);
    }
}

static enum ec do_step(struct fixture *f, struct step *s) {
    return mbox_write(f->mbox, run, s);
}

static enum ec claim(struct fixture *f, uint64_t fid, uint64_t id) {
    struct step s = {.what = CLAIM, .fid = fid, .id = id};
    return do_step(f, &s);
}

static uint64_t reserve(struct fixture *f, unsigned n) {
    struct step s = {.what = RESERVE, .high = n};
    assert_ok(do_step(f, &s));
    return s.out;
}

static void test_ids(struct fixture *f, gconstpointer data) {
    struct step none = {.what = RESERVE, .high = 0};
    assert_ec(do_step(f, &none), EC_INVALID_PARAMETER);
    uint64_t a = reserve(f, 10), b = reserve(f, 10);
    g_assert_cmpuint(b, >=, a + 10);
    assert_ok(claim(f, FID_INBOX, a + 5));
    assert_ec(claim(f, FID_INBOX, a + 5), EC_SYNC_OBJECT_DELETED);
    assert_ok(claim(f, FID_INBOX, a));
    assert_ok(claim(f, FID_INBOX, a + 9));
    assert_ok(claim(f, FID_INBOX, a + 4));
    assert_ok(claim(f, FID_INBOX, b + 9));
    assert_ec(claim(f, FID_INBOX, b + 1000000), EC_INVALID_PARAMETER);
    assert_ec(claim(f, FID_INBOX, 0), EC_INVALID_PARAMETER);
    assert_ec(claim(f, FID_INBOX, FID_INBOX), EC_SYNC_OBJECT_DELETED);
    // Told not to be used in one folder, they can be used in another.
    static const struct { unsigned low, high; } ranges[] = {{0, 3}, {2, 5}, {1, 2}, {0, 7}, {3, 4}};
    for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
        struct step bury = {
            .what = BURY, .fid = FID_INBOX, .id = b + ranges[i].low, .high = b + ranges[i].high};
        assert_ok(do_step(f, &bury));
    }
    for (unsigned i = 0; i < 8; i++)
        assert_ec(claim(f, FID_INBOX, b + i), EC_SYNC_OBJECT_DELETED);
    assert_ok(claim(f, FID_INBOX, b + 8));
    assert_ok(claim(f, FID_DRAFTS, b + 3));
    struct step bad = {.what = BURY, .fid = FID_INBOX, .id = 9, .high = 8};
    assert_ec(do_step(f, &bad), EC_INVALID_PARAMETER);
}

static struct replica_change change_of(struct fixture *f, struct arena *arena, uint64_t id,
                                       bool is_folder) {
    struct replica_change out;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(is_folder ? replica_folder_change(tx, arena, id, &out)
                        : replica_message_change(tx, arena, id, &out));
    mbox_read_end(tx);
    return out;
}

static const struct xid client_key = {
    .space = {{9, 9, 9}}, .local_len = 6, .local = {0, 0, 0, 0, 0, 7}};

static void check_key(const struct replica_change *c, bool is_clients, unsigned n) {
    g_assert_true(guid_equal(&c->key.space, &client_key.space) == is_clients);
    g_assert_cmpuint(c->pcl.n, ==, n);
    g_assert_true(pcl_includes(&c->pcl, &c->key));
}

static void test_changes(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t id = reserve(f, 4);
    assert_ok(claim(f, FID_INBOX, id));
    struct step s = {.what = CREATE, .fid = FID_INBOX, .id = id};
    assert_ok(do_step(f, &s));
    g_assert_cmpuint(s.out, ==, id);
    struct replica_change c = change_of(f, arena, id, false);
    check_key(&c, false, 1);
    s = (struct step){.what = NOTE, .id = id, .change = {.key = client_key}};
    assert_ok(do_step(f, &s));
    c = change_of(f, arena, id, false); // MS-OXCFXICS_R61
    check_key(&c, true, 1);
    s = (struct step){.what = RETITLE, .id = id};
    assert_ok(do_step(f, &s));
    c = change_of(f, arena, id, false); // MS-OXCFXICS_R62, R1901
    check_key(&c, false, 2);
    g_assert_true(pcl_includes(&c.pcl, &client_key));
    // An id is nobody else's.
    s = (struct step){.what = CREATE, .fid = FID_INBOX, .id = id};
    g_assert_cmpint(do_step(f, &s), !=, EC_OK);
    s = (struct step){.what = MOVE, .fid = FID_INBOX, .id = id, .high = id + 1};
    assert_ok(do_step(f, &s));
    c = change_of(f, arena, id + 1, false);
    check_key(&c, false, 1);

    s = (struct step){.what = FOLDER, .id = id + 2};
    assert_ok(do_step(f, &s));
    s = (struct step){.what = NOTE_FOLDER, .id = id + 2, .change = {.key = client_key}};
    assert_ok(do_step(f, &s));
    c = change_of(f, arena, id + 2, true);
    check_key(&c, true, 1);
    BAG_AUTO props = NULL;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get_props(tx, id + 2, &props));
    mbox_read_end(tx);
    g_assert_cmpuint(bag_bytes(props, PidTagChangeKey).len, ==, 22);
    g_assert_cmpuint(bag_bytes(props, PidTagSourceKey).len, ==, 22);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/replica/ids", struct fixture, NULL, fixture_setup, test_ids, fixture_teardown);
    g_test_add("/replica/changes", struct fixture, NULL, fixture_setup, test_changes,
               fixture_teardown);
    return g_test_run();
}
