// Synchronization by ROPs: downloads of contents and hierarchy, uploads, conflicts, state, ids;
// errors. A model of a client is in sync_model_test.c.
#include "protocol/rop/sync_client.h"

static uint64_t add(struct world *w, uint64_t fid, const char *subject) {
    uint64_t mid;
    assert_ok(world_append(w, fid, subject, 100, &mid));
    return mid;
}

static void set_flags(struct world *w, uint64_t fid, uint64_t mid, uint32_t flags, bool on) {
    struct mailbox_flags change = {.mode = on ? MAILBOX_FLAGS_ADD : MAILBOX_FLAGS_REMOVE,
                                   .flags = flags,
                                   .unchanged_since = UINT64_MAX};
    assert_ok(mailbox_change_flags(w->m, fid, &mid, 1, &change, NULL));
}

static void test_contents(struct world *w, gconstpointer data) {
    struct client c;
    struct got a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t one = add(w, FID_INBOX, "one"), two = add(w, FID_INBOX, "two");
    add(w, FID_INBOX, "three");
    sync_as(&c, HISTORY, 0, NULL, &a);
    g_assert_cmpstr(a.subjects, ==, "one two three");
    g_assert_cmpuint(a.n_deleted + a.n_read + a.n_unread, ==, 0);
    g_assert_false(a.has_mid || a.has_size || a.has_cn || a.has_progress);
    g_assert_true(a.has_recipients_directive); // MS-OXCFXICS_R2276
    // All that is seen is one range (3.1.5.5).
    g_assert_cmpuint(globset_n_ranges(idset_of_guid(a.state.seen, &c.replica, true)), ==, 1);
    g_assert_cmpuint(globset_count(idset_of_guid(a.state.given, &c.replica, true)), ==, 3);

    sync_as(&c, HISTORY, 0, &a.state, &b); // nothing new
    g_assert_cmpuint(b.n + b.n_deleted + b.n_read + b.n_unread, ==, 0);
    got_clear(&b);

    set_flags(w, FID_INBOX, one, MSG_READ, true);
    set_flags(w, FID_INBOX, two, MSG_FLAGGED, true);
    add(w, FID_INBOX, "four");
    sync_as(&c, HISTORY, EXTRA_EID | EXTRA_CN | EXTRA_MESSAGE_SIZE, &a.state, &b);
    g_assert_cmpstr(b.subjects, ==, "two four");
    g_assert_cmpuint(b.n_read, ==, 1); // MS-OXCFXICS_R2170
    g_assert_cmpuint(b.n_unread, ==, 0);
    g_assert_true(b.has_mid && b.has_size && b.has_cn); // MS-OXCFXICS_R2761, R2195, R2196
    got_clear(&a);

    set_flags(w, FID_INBOX, one, MSG_READ, false);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &two, 1));
    sync_as(&c, HISTORY, 0, &b.state, &a);
    g_assert_cmpuint(a.n, ==, 0);
    g_assert_cmpuint(a.n_deleted, ==, 1); // MS-OXCFXICS_R2045
    g_assert_cmpuint(a.n_unread, ==, 1);
    got_clear(&a);
    sync_as(&c, HISTORY | SYNC_NO_DELETIONS, 0, &b.state, &a); // MS-OXCFXICS_R2165
    g_assert_cmpuint(a.n_deleted, ==, 0);
    struct got again; // and it is told when it is asked for
    sync_as(&c, HISTORY, 0, &a.state, &again);
    g_assert_cmpuint(again.n_deleted, ==, 1);
    got_clear(&again);
    got_clear(&a);
    sync_as(&c, SYNC_UNICODE | SYNC_NORMAL, 0, &b.state, &a); // MS-OXCFXICS_R2171
    g_assert_cmpuint(a.n_unread, ==, 0);
    got_clear(&a);

    GArray *moved;
    assert_ok(mailbox_move(w->m, FID_INBOX, &one, 1, FID_DRAFTS, &moved));
    g_array_unref(moved);
    sync_as(&c, HISTORY, 0, &b.state, &a);
    g_assert_cmpuint(a.n_deleted, ==, 2);
    got_clear(&a);
    got_clear(&b);
    client_close(&c);
}

// A state with messages but no change numbers: what is gone is told all the same.
static void test_lost_numbers(struct world *w, gconstpointer data) {
    struct client c;
    struct got a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t one = add(w, FID_INBOX, "one");
    add(w, FID_INBOX, "two");
    sync_as(&c, HISTORY, 0, NULL, &a);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &one, 1));
    idset_free(a.state.seen);
    idset_free(a.state.seen_fai);
    idset_free(a.state.read);
    a.state.seen = idset_new();
    a.state.seen_fai = idset_new();
    a.state.read = idset_new();
    sync_as(&c, HISTORY, 0, &a.state, &b);
    g_assert_cmpuint(b.n, ==, 1);
    g_assert_cmpuint(b.n_deleted, ==, 1);
    got_clear(&a);
    got_clear(&b);
    client_close(&c);
}

static void test_order_and_progress(struct world *w, gconstpointer data) {
    struct client c;
    struct got a;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const subjects[] = {"b", "d", "a", "c"};
        static const unsigned days[] = {2, 4, 1, 3};
        g_autoptr(GBytes) mime = world_message(subjects[i], 10);
        struct mailbox_append m = {.mime = mime, .received = START + days[i] * DAY};
        assert_ok(mailbox_append(w->m, FID_INBOX, &m, &(uint64_t){0}, NULL));
    }
    sync_as(&c, HISTORY | SYNC_PROGRESS, EXTRA_BY_DELIVERY_TIME, NULL, &a);
    g_assert_cmpstr(a.subjects, ==, "d c b a"); // MS-OXCFXICS_R2198, R3502
    g_assert_true(a.has_progress);              // MS-OXCFXICS_R2187
    got_clear(&a);
    client_close(&c);
}

static void test_filter(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    add(w, FID_INBOX, "one");
    for (unsigned i = 0; i < 2; i++) {
        bool is_inclusive = i;
        put_rop2(&c, 0x70, 1, 2);
        wire_put_u8(&c.rops, 1);
        wire_put_u8(&c.rops, SEND_UNICODE);
        wire_put_u16(&c.rops, HISTORY | (is_inclusive ? SYNC_ONLY_SPECIFIED : 0));
        wire_put_u16(&c.rops, 0);
        wire_put_u32(&c.rops, 0);
        wire_put_u16(&c.rops, 2);
        wire_put_u32(&c.rops, PidTagSubject);
        wire_put_u32(&c.rops, PidTagMessageRecipients);
        client_call(&c, 0x70, EC_OK);
        g_autoptr(GByteArray) bytes = client_download(&c, 2, 0);
        struct stream s;
        bool has_subject = false, has_class = false, has_recipients = false;
        stream_open(&s, bytes);
        for (; s.e.kind != FT_MORE; stream_next(&s)) {
            has_subject |= stream_at_prop(&s, PidTagSubject);
            has_class |= stream_at_prop(&s, PidTagMessageClass);
            has_recipients |= stream_at(&s, FT_START_RECIPIENT);
        }
        g_assert_true(has_subject == is_inclusive); // MS-OXCFXICS_R2203, R2204
        g_assert_true(has_class == !is_inclusive);
        g_assert_true(has_recipients == is_inclusive); // MS-OXCFXICS_R2205, R2206
        stream_close(&s);
        client_release(&c, 2);
    }
    client_close(&c);
}

static void put_restriction(struct client *c, const char *subject) {
    struct wire_writer b = wire_writer(1000);
    wire_put_u8(&b, 0x03); // RES_CONTENT
    wire_put_u16(&b, 0);   // the full string
    wire_put_u16(&b, 1);   // caseless
    wire_put_u32(&b, PidTagSubject);
    wire_put_u32(&b, PidTagSubject);
    prop_wire_put_string(&b, &PROP_WIRE_ROP, true, subject);
    wire_put_u16(&c->rops, (uint16_t)wire_writer_len(&b));
    wire_put_bytes(&c->rops, b.bytes->data, b.bytes->len);
    wire_writer_clear(&b);
}

static void sync_restricted(struct client *c, uint16_t flags, const struct sync_state *from,
                            struct got *g) {
    put_rop2(c, 0x70, 1, 2);
    wire_put_u8(&c->rops, 1);
    wire_put_u8(&c->rops, SEND_UNICODE);
    wire_put_u16(&c->rops, flags);
    put_restriction(c, "wanted");
    wire_put_u32(&c->rops, 0);
    wire_put_u16(&c->rops, 0);
    client_call(c, 0x70, EC_OK);
    if (from)
        client_upload_state(c, 2, from, true);
    g_autoptr(GByteArray) bytes = client_download(c, 2, 0);
    take_contents(bytes, g);
    client_release(c, 2);
}

static enum ec retitle(struct mbox_tx *tx, void *ctx) {
    const uint64_t *mid = ctx;
    struct message *m;
    struct prop_value v = prop_str(PidTagSubject, "changed");
    EC_TRY(message_open(tx, *mid, &m));
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

static void test_restriction(struct world *w, gconstpointer data) {
    struct client c;
    struct got a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t mid = add(w, FID_INBOX, "wanted");
    add(w, FID_INBOX, "other");
    sync_restricted(&c, HISTORY, NULL, &a);
    g_assert_cmpstr(a.subjects, ==, "wanted");
    assert_ok(mbox_write(mailbox_mbox(w->m), retitle, &mid));
    sync_restricted(&c, HISTORY | SYNC_IGNORE_NO_LONGER_IN_SCOPE, &a.state, &b);
    g_assert_cmpuint(b.n_scope + b.n_deleted + b.n, ==, 0); // MS-OXCFXICS_R2168
    got_clear(&a);
    sync_restricted(&c, HISTORY, &b.state, &a);
    g_assert_cmpuint(a.n_scope, ==, 1); // MS-OXCFXICS_R2047, R2169
    got_clear(&a);
    got_clear(&b);
    client_close(&c);
}

// --- Hierarchy ---

struct tree {
    char *names;
    unsigned n, n_deleted;
    struct sync_state state;
};

static void tree_clear(struct tree *t) {
    g_free(t->names);
    state_clear(&t->state);
}

static void sync_tree(struct client *c, const struct sync_state *from, struct tree *t) {
    struct stream s;
    *t = (struct tree){.names = g_strdup("")};
    state_init(&t->state);
    client_configure(c, 1, 2, 2, SYNC_UNICODE, EXTRA_EID);
    if (from)
        client_upload_state(c, 2, from, false);
    g_autoptr(GByteArray) bytes = client_download(c, 2, 0);
    stream_open(&s, bytes);
    for (; stream_at(&s, FT_CHANGE); t->n++) {
        bool has_fid = false;
        for (stream_next(&s); s.e.kind == FT_VALUE; stream_next(&s)) {
            has_fid |= s.e.value.tag == PidTagFolderId;
            if (s.e.value.tag != PidTagDisplayName)
                continue;
            char *more = g_strconcat(t->names, *t->names ? " " : "", s.e.value.str, NULL);
            g_free(t->names);
            t->names = more;
        }
        g_assert_true(has_fid); // MS-OXCFXICS_R2191
    }
    if (stream_at(&s, FT_DELETIONS)) {
        stream_next(&s);
        t->n_deleted = count(s.e.value.bin);
        stream_next(&s);
    }
    stream_state(&s, &t->state);
    g_assert_true(stream_at(&s, FT_SYNC_END));
    stream_close(&s);
    client_release(c, 2);
}

static uint64_t make_folder(struct world *w, uint64_t parent, const char *name) {
    uint64_t fid;
    bool is_existing;
    assert_ok(mailbox_add_folder(w->m, parent, name, false, false, NULL, &fid, &is_existing));
    return fid;
}

static void test_hierarchy(struct world *w, gconstpointer data) {
    struct client c;
    struct tree a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t one = make_folder(w, FID_INBOX, "one"), two = make_folder(w, one, "two");
    make_folder(w, two, "three");
    sync_tree(&c, NULL, &a);
    g_assert_cmpstr(a.names, ==, "one two three"); // MS-OXCFXICS_R1129
    sync_tree(&c, &a.state, &b);
    g_assert_cmpuint(b.n + b.n_deleted, ==, 0);
    tree_clear(&b);
    make_folder(w, one, "four");
    assert_ok(mailbox_move_folder(w->m, two, FID_INBOX, "moved"));
    sync_tree(&c, &a.state, &b);
    g_assert_cmpuint(b.n, ==, 2);
    tree_clear(&a);
    // Out of the tree, or gone.
    assert_ok(mailbox_move_folder(w->m, two, FID_IPM_SUBTREE, "out"));
    sync_tree(&c, &b.state, &a);
    g_assert_cmpuint(a.n_deleted, ==, 2);
    tree_clear(&b);
    assert_ok(mailbox_remove_folder(w->m, 0, one, FOLDER_DELETE_FOLDERS | FOLDER_DELETE_MESSAGES));
    sync_tree(&c, &a.state, &b);
    g_assert_cmpuint(b.n_deleted, ==, 2);
    tree_clear(&a);
    tree_clear(&b);
    client_close(&c);
}

// --- Buffers ---

static void test_buffers(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    for (unsigned i = 0; i < 5; i++)
        add(w, FID_INBOX, "a message");
    g_autoptr(GByteArray) whole = NULL;
    static const uint16_t sizes[] = {0, 300, 1000, 8000, 30000};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        client_configure(&c, 1, 2, 1, HISTORY, 0);
        GByteArray *bytes = client_download(&c, 2, sizes[i]);
        if (whole)
            g_assert_cmpmem(bytes->data, bytes->len, whole->data, whole->len);
        g_clear_pointer(&whole, g_byte_array_unref);
        whole = bytes;
        client_release(&c, 2);
    }
    // MS-OXCFXICS_R2141: more than there is room for.
    client_configure(&c, 1, 2, 1, HISTORY, 0);
    c.max_out = 4000;
    put_rop(&c, 0x4E, 2);
    wire_put_u16(&c.rops, 20000);
    client_run(&c);
    g_assert_cmphex(wire_u8(&c.r), ==, 0xFF);
    put_rop(&c, 0x4E, 2); // nothing was lost
    wire_put_u16(&c.rops, 0xBABE);
    wire_put_u16(&c.rops, 0x7FFF);
    client_call(&c, 0x4E, EC_OK);
    c.max_out = 100000;
    // An atom is larger than the buffer.
    client_configure(&c, 1, 2, 1, HISTORY, 0);
    put_rop(&c, 0x4E, 2);
    wire_put_u16(&c.rops, 1);
    client_run(&c);
    g_assert_cmphex(client_result(&c, 0x4E), !=, 0);
    client_close(&c);
}

// --- Uploads ---

static void test_import(struct world *w, gconstpointer data) {
    struct client c;
    struct got a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    sync_as(&c, HISTORY, 0, NULL, &a);
    uint64_t first = client_reserve(&c, 10);
    struct local l = {.mid = first, .counter = 1, .modified = START};
    open_collector(&c, true, &a.state);
    g_assert_cmphex(import_message(&c, &l, 0, "mine"), ==, 0);
    transfer_state(&c, 3, &a.state);
    client_release(&c, 3);
    globset_add(idset_of_guid(a.state.given, &c.replica, true), l.mid, l.mid);
    // What was uploaded is not sent back (MS-OXCFXICS_R1907).
    sync_as(&c, HISTORY, 0, &a.state, &b);
    g_assert_cmpuint(b.n, ==, 0);
    got_clear(&b);
    // Another client gets it with the change key it was given (MS-OXCFXICS_R1911).
    sync_as(&c, HISTORY, 0, NULL, &b);
    g_assert_cmpstr(b.subjects, ==, "mine");
    g_assert_cmpuint(b.mids[0], ==, l.mid); // MS-OXCFXICS_R1910
    g_assert_cmpmem(g_bytes_get_data(b.change_key, NULL), 16, client_space.bytes, 16);
    got_clear(&b);

    // The same change again is nothing new; the next one is.
    open_collector(&c, true, &a.state);
    g_assert_cmphex(import_message(&c, &l, 0, "mine"), ==, (uint32_t)EC_SYNC_IGNORE);
    l.counter = 2;
    g_assert_cmphex(import_message(&c, &l, 0, "again"), ==, 0);
    transfer_state(&c, 3, &a.state);
    sync_as(&c, HISTORY, 0, &a.state, &b);
    g_assert_cmpuint(b.n, ==, 0);
    got_clear(&b);
    // Deleted messages do not come back, foreign ids are refused.
    uint64_t mid = l.mid;
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    l.counter = 3;
    g_assert_cmphex(import_message(&c, &l, 0, "x"), ==, (uint32_t)EC_SYNC_OBJECT_DELETED);
    l.mid = 0x100000000000;
    g_assert_cmphex(import_message(&c, &l, 0, "x"), ==, (uint32_t)EC_INVALID_PARAMETER);
    // An associated one.
    l = (struct local){.mid = first + 1, .counter = 4, .modified = START};
    g_assert_cmphex(import_message(&c, &l, 0x10, "fai"), ==, 0);
    g_assert_cmphex(import_message(&c, &l, 0x80, "fai"), ==, (uint32_t)EC_INVALID_PARAMETER);
    client_release(&c, 3);
    sync_as(&c, HISTORY, 0, NULL, &b);
    g_assert_cmpuint(b.n_fai, ==, 1);
    got_clear(&b);
    got_clear(&a);
    world_assert_clean(w, &w->alice);
    client_close(&c);
}

static void read_back(struct world *w, uint64_t mid, char **subject_out,
                      unsigned *attachments_out) {
    MBOX_TX_AUTO tx = NULL;
    struct message *m;
    assert_ok(mbox_read(mailbox_mbox(w->m), &tx));
    assert_ok(message_open(tx, mid, &m));
    *subject_out = g_strdup(bag_str(message_peek(m)->bag, PidTagSubject));
    *attachments_out = message_peek(m)->attachments->len;
    message_free(m);
}

static uint64_t cn_of(struct world *w, uint64_t mid) {
    MBOX_TX_AUTO tx = NULL;
    uint64_t cn;
    assert_ok(mbox_read(mailbox_mbox(w->m), &tx));
    assert_ok(message_get_cn(tx, mid, &cn));
    return cn;
}

static void test_conflict(struct world *w, gconstpointer data) {
    struct client c;
    struct got a;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    for (unsigned client_wins = 0; client_wins < 2; client_wins++) {
        uint64_t first = client_reserve(&c, 10);
        struct local l = {.mid = first, .counter = 1, .modified = START};
        open_collector(&c, true, NULL);
        g_assert_cmphex(import_message(&c, &l, 0, "mine"), ==, 0);
        uint64_t mid = l.mid;
        assert_ok(mbox_write(mailbox_mbox(w->m), retitle, &mid));
        // The client changed it too, not knowing of that (MS-OXCFXICS_R1793).
        l.counter = 2;
        l.modified = client_wins ? START + 100 * DAY * 365 : START - DAY;
        g_assert_cmphex(import_message(&c, &l, 0x40, "other"), ==,
                        (uint32_t)EC_SYNC_CONFLICT);                // R2231
        g_assert_cmphex(import_message(&c, &l, 0, "other"), ==, 0); // R2232
        g_autofree char *subject = NULL;
        unsigned n;
        read_back(w, mid, &subject, &n);
        g_assert_cmpstr(subject, ==, client_wins ? "other" : "changed"); // MS-OXCFXICS_R1826
        g_assert_cmpuint(n, ==, 2);                                      // MS-OXCFXICS_R1811
        // The result is a successor of both and is downloaded (MS-OXCFXICS_R1804).
        struct sync_state state;
        state_init(&state);
        transfer_state(&c, 3, &state);
        client_release(&c, 3);
        sync_as(&c, HISTORY, 0, &state, &a);
        g_assert_cmpuint(a.n, >=, 2); // both versions (MS-OXCFXICS_R1817)
        got_clear(&a);
        state_clear(&state);
        // A change that knows it is no conflict.
        l = (struct local){.mid = mid,
                           .counter = 3,
                           .modified = START,
                           .knows_server = true,
                           .server_cn = cn_of(w, mid)};
        open_collector(&c, true, NULL);
        g_assert_cmphex(import_message(&c, &l, 0x40, "settled"), ==, 0);
        client_release(&c, 3);
    }
    client_close(&c);
}

static void put_sized_gid(struct client *c, const struct guid *space, uint64_t counter) {
    struct gid gid = {*space, counter};
    wire_put_u32(&c->rops, GID_SIZE);
    gid_put(&c->rops, &gid);
}

static void test_move(struct world *w, gconstpointer data) {
    struct client c;
    struct got a;
    client_open(&c, w);
    uint64_t mid = add(w, FID_INBOX, "moving");
    client_open_folder(&c, 1, FID_DRAFTS);
    uint64_t first = client_reserve(&c, 10);
    sync_as(&c, HISTORY, 0, NULL, &a);
    for (unsigned i = 0; i < 2; i++) {
        ARENA_AUTO arena = arena_new();
        struct local l = {.mid = mid, .counter = 9 + i, .knows_server = i == 1};
        open_collector(&c, true, &a.state);
        // The server's own version is as new as the client's (the list is its change alone), or
        // the client has one that the server lacks.
        struct gid own = {c.replica, cn_of(w, mid)};
        struct xid key = xid_of(&own);
        static const struct pcl none;
        struct pcl pcl;
        assert_ok(pcl_add(arena, &none, &key, &pcl));
        struct prop_bin list = i ? pcl_of(arena, &c, &l) : pcl_bytes(arena, &pcl);
        put_rop(&c, 0x78, 3);
        put_sized_gid(&c, &c.replica, i ? FID_DRAFTS : FID_INBOX);
        put_sized_gid(&c, &c.replica, mid);
        wire_put_u32(&c.rops, list.len);
        wire_put_bytes(&c.rops, list.data, list.len);
        put_sized_gid(&c, &c.replica, first + i);
        put_sized_gid(&c, &client_space, l.counter);
        // MS-OXCFXICS_R875, R876
        client_call(&c, 0x78, i ? EC_NEWER_CLIENT_CHANGE : EC_OK);
        if (i == 0) {
            transfer_state(&c, 3, &a.state);
            globset_add(idset_of_guid(a.state.given, &c.replica, true), first, first);
        }
        client_release(&c, 3);
        mid = first + i;
        if (i == 0) { // MS-OXCFXICS_R2246
            struct got b;
            sync_as(&c, HISTORY, 0, &a.state, &b);
            g_assert_cmpuint(b.n, ==, 0);
            got_clear(&b);
            client_open_folder(&c, 1, FID_DRAFTS);
        }
    }
    got_clear(&a);
    client_close(&c);
}

static void test_deletes(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t ids[3] = {add(w, FID_INBOX, "one"), add(w, FID_INBOX, "two"), 0};
    ids[2] = client_reserve(&c, 5); // never was here
    open_collector(&c, true, NULL);
    put_deletes(&c, 0x04, ids, 1);
    client_call(&c, 0x74, EC_NOT_SUPPORTED); // MS-OXCFXICS_R2254
    put_deletes(&c, 0x01, ids, 1);
    client_call(&c, 0x74, EC_NOT_SUPPORTED); // MS-OXCFXICS_R887
    put_deletes(&c, 0, ids, 3);
    client_call(&c, 0x74, EC_OK);
    put_deletes(&c, 0x02, ids, 3); // MS-OXCFXICS_R2250
    client_call(&c, 0x74, EC_OK);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_messages, ==, 0);
    // MS-OXCFXICS_R2251
    struct local l = {.mid = ids[2], .counter = 1};
    g_assert_cmphex(import_message(&c, &l, 0, "x"), ==, (uint32_t)EC_SYNC_OBJECT_DELETED);
    client_release(&c, 3);

    uint64_t folder = make_folder(w, FID_INBOX, "sub");
    open_collector(&c, false, NULL);
    put_deletes(&c, 0x01, &folder, 1);
    client_call(&c, 0x74, EC_OK);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_subfolders, ==, 0);
    client_close(&c);
}

static void test_read_states(struct world *w, gconstpointer data) {
    struct client c;
    struct got a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t ids[2] = {add(w, FID_INBOX, "one"), add(w, FID_INBOX, "two")};
    sync_as(&c, HISTORY, 0, NULL, &a);
    open_collector(&c, true, &a.state);
    put_rop(&c, 0x80, 3);
    wire_put_u16(&c.rops, 2 * (2 + GID_SIZE + 1));
    for (unsigned i = 0; i < 2; i++) {
        struct gid gid = {c.replica, ids[i]};
        wire_put_u16(&c.rops, GID_SIZE);
        gid_put(&c.rops, &gid);
        wire_put_u8(&c.rops, 1);
    }
    client_call(&c, 0x80, EC_OK);
    transfer_state(&c, 3, &a.state);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_unread, ==, 0);
    sync_as(&c, HISTORY, 0, &a.state, &b);
    g_assert_cmpuint(b.n + b.n_read, ==, 0); // MS-OXCFXICS_R2260
    got_clear(&b);
    put_rop(&c, 0x80, 3);
    wire_put_u16(&c.rops, 0);
    client_call(&c, 0x80, EC_INVALID_PARAMETER); // MS-OXCFXICS_R910
    got_clear(&a);
    client_close(&c);
}

static uint32_t import_folder(struct client *c, uint64_t parent, const struct local *l,
                              const char *name) {
    ARENA_AUTO arena = arena_new();
    struct prop_value time = prop_time(PidTagLastModificationTime, l->modified),
                      title = prop_str(PidTagDisplayName, name),
                      comment = prop_str(PidTagComment, "a comment");
    put_rop(c, 0x73, 3);
    wire_put_u16(&c->rops, 6);
    if (parent) {
        put_gid_value(c, PidTagParentSourceKey, &c->replica, parent);
    } else {
        struct prop_value root = prop_bytes(PidTagParentSourceKey, "", 0);
        prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &root);
    }
    put_gid_value(c, PidTagSourceKey, &c->replica, l->mid);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &time);
    put_gid_value(c, PidTagChangeKey, &client_space, l->counter);
    struct prop_bin pcl = pcl_of(arena, c, l);
    struct prop_value list = prop_bytes(PidTagPredecessorChangeList, pcl.data, pcl.len);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &list);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &title);
    wire_put_u16(&c->rops, 1);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &comment);
    client_run(c);
    return client_result(c, 0x73);
}

static void test_import_hierarchy(struct world *w, gconstpointer data) {
    struct client c;
    struct tree a, b;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    sync_tree(&c, NULL, &a);
    uint64_t first = client_reserve(&c, 10);
    struct local l = {.mid = first, .counter = 1, .modified = START}, sub = l;
    sub.mid = first + 1;
    open_collector(&c, false, &a.state);
    g_assert_cmphex(import_folder(&c, 0, &l, "one"), ==, 0);
    g_assert_cmpuint(wire_u64(&c.r), ==, 0); // MS-OXCFXICS_R835
    g_assert_cmphex(import_folder(&c, first, &sub, "sub"), ==, 0);
    g_assert_cmphex(import_folder(&c, 0, &l, "one"), ==, (uint32_t)EC_SYNC_IGNORE);
    l.counter = 2;
    g_assert_cmphex(import_folder(&c, 0, &l, "renamed"), ==, 0);
    transfer_state(&c, 3, &a.state);
    globset_add(idset_of_guid(a.state.given, &c.replica, true), first, first + 1);
    sync_tree(&c, &a.state, &b); // MS-OXCFXICS_R2235
    g_assert_cmpuint(b.n + b.n_deleted, ==, 0);
    tree_clear(&b);
    sync_tree(&c, NULL, &b);
    g_assert_cmpstr(b.names, ==, "renamed sub");
    tree_clear(&b);
    // A conflict: the server's change is newer and stays (MS-OXCFXICS_R2237, R2242).
    assert_ok(mailbox_move_folder(w->m, first, FID_INBOX, "server"));
    l.counter = 3;
    l.modified = START - DAY;
    g_assert_cmphex(import_folder(&c, 0, &l, "client"), ==, 0);
    transfer_state(&c, 3, &a.state);
    sync_tree(&c, &a.state, &b); // MS-OXCFXICS_R2239
    g_assert_cmpstr(b.names, ==, "server");
    tree_clear(&b);
    g_assert_cmphex(import_folder(&c, 0, &sub, ""), ==, (uint32_t)EC_INVALID_PARAMETER);
    tree_clear(&a);
    world_assert_clean(w, &w->alice);
    client_close(&c);
}

static void test_unused_ids(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    uint64_t first = client_reserve(&c, 10);
    put_rop(&c, 0x93, 1);
    wire_put_u16(&c.rops, 4 + 48);
    wire_put_u32(&c.rops, 1);
    struct gid low = {c.replica, first}, high = {c.replica, first + 4};
    long_term_id_put(&c.rops, &low);
    long_term_id_put(&c.rops, &high);
    client_call(&c, 0x93, EC_OK);
    open_collector(&c, true, NULL);
    struct local l = {.mid = first + 2, .counter = 1}; // MS-OXCFXICS_R2269
    g_assert_cmphex(import_message(&c, &l, 0, "x"), ==, (uint32_t)EC_SYNC_OBJECT_DELETED);
    l.mid = first + 5;
    g_assert_cmphex(import_message(&c, &l, 0, "x"), ==, 0);
    put_rop(&c, 0x93, 1);
    wire_put_u16(&c.rops, 4);
    wire_put_u32(&c.rops, 0);
    client_call(&c, 0x93, EC_INVALID_PARAMETER); // MS-OXCFXICS_R948
    put_rop(&c, 0x7F, 0);
    wire_put_u32(&c.rops, 0xFFFFFFFF);
    client_call(&c, 0x7F, EC_INVALID_PARAMETER); // MS-OXCFXICS_R2265
    client_close(&c);
}

static void test_errors(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    static const struct {
        uint8_t type, send;
        uint16_t flags;
        uint32_t extra;
        enum ec ec;
    } cases[] = {
        {3, 1, HISTORY, 0, EC_INVALID_PARAMETER},
        {4, 1, HISTORY, 0, EC_INVALID_PARAMETER},                 // MS-OXCFXICS_R2695
        {1, 1, HISTORY | SYNC_RESERVED, 0, EC_INVALID_PARAMETER}, // MS-OXCFXICS_R2180
        {1, 1, HISTORY | 0x0040, 0, EC_INVALID_PARAMETER},        // MS-OXCFXICS_R2189
        {1, 0x80, HISTORY, 0, EC_INVALID_PARAMETER},              // MS-OXCFXICS_R2101
        {1, 1, HISTORY, 0xF0, EC_OK},                             // MS-OXCFXICS_R2201
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        put_rop2(&c, 0x70, 1, 2);
        wire_put_u8(&c.rops, cases[i].type);
        wire_put_u8(&c.rops, cases[i].send);
        wire_put_u16(&c.rops, cases[i].flags);
        wire_put_u16(&c.rops, 0);
        wire_put_u32(&c.rops, cases[i].extra);
        wire_put_u16(&c.rops, 0);
        client_call(&c, 0x70, cases[i].ec);
    }
    put_rop(&c, 0x75, 2); // no state property (MS-OXCFXICS_R733)
    wire_put_u32(&c.rops, PidTagSubject);
    wire_put_u32(&c.rops, 0);
    client_call(&c, 0x75, EC_INVALID_PARAMETER);
    put_rop(&c, 0x76, 2); // not begun
    wire_put_u32(&c.rops, 1);
    wire_put_u8(&c.rops, 1);
    client_call(&c, 0x76, EC_CALL_FAILED);
    put_rop(&c, 0x77, 2);
    client_call(&c, 0x77, EC_CALL_FAILED);
    put_rop(&c, 0x75, 2);
    wire_put_u32(&c.rops, MetaTagCnsetSeen);
    wire_put_u32(&c.rops, 1);
    client_call(&c, 0x75, EC_OK);
    put_rop(&c, 0x76, 2); // no set
    wire_put_u32(&c.rops, 3);
    wire_put_bytes(&c.rops, "abc", 3);
    client_call(&c, 0x76, EC_OK);
    put_rop(&c, 0x77, 2);
    client_call(&c, 0x77, EC_INVALID_PARAMETER);
    // Wrong objects.
    put_rop2(&c, 0x7E, 0, 3);
    wire_put_u8(&c.rops, 1);
    client_call(&c, 0x7E, EC_NOT_SUPPORTED);
    put_rop2(&c, 0x82, 1, 3);
    client_call(&c, 0x82, EC_NOT_SUPPORTED);
    put_rop(&c, 0x4E, 9);
    wire_put_u16(&c.rops, 100);
    client_call(&c, 0x4E, EC_NULL_OBJECT);
    client_close(&c);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/sync/contents", test_contents);
    WORLD_TEST("/sync/lost_numbers", test_lost_numbers);
    WORLD_TEST("/sync/order_and_progress", test_order_and_progress);
    WORLD_TEST("/sync/filter", test_filter);
    WORLD_TEST("/sync/restriction", test_restriction);
    WORLD_TEST("/sync/hierarchy", test_hierarchy);
    WORLD_TEST("/sync/buffers", test_buffers);
    WORLD_TEST("/sync/import", test_import);
    WORLD_TEST("/sync/conflict", test_conflict);
    WORLD_TEST("/sync/move", test_move);
    WORLD_TEST("/sync/deletes", test_deletes);
    WORLD_TEST("/sync/read_states", test_read_states);
    WORLD_TEST("/sync/import_hierarchy", test_import_hierarchy);
    WORLD_TEST("/sync/unused_ids", test_unused_ids);
    WORLD_TEST("/sync/errors", test_errors);
    return g_test_run();
}
