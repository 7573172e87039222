// FastTransfer by ROPs, from folder to folder and message to message; permissions, rules, per-user
// information, notifications.
#include "mapi/entry_id.h"
#include "mapi/rights.h"
#include "protocol/rop/sync_fixture.h"

static uint64_t add(struct world *w, uint64_t fid, const char *subject) {
    uint64_t mid;
    assert_ok(world_append(w, fid, subject, 100, &mid));
    return mid;
}

static uint64_t make_folder(struct world *w, uint64_t parent, const char *name) {
    uint64_t fid;
    bool is_existing;
    assert_ok(mailbox_add_folder(w->m, parent, name, false, false, NULL, &fid, &is_existing));
    return fid;
}

// --- Uploads ---

static void upload(struct client *c, uint8_t index, const GByteArray *bytes, size_t piece,
                   bool is_extended) {
    for (size_t at = 0; at < bytes->len; at += piece) {
        size_t n = MIN(piece, bytes->len - at);
        put_rop(c, is_extended ? 0x9D : 0x54, index);
        wire_put_u16(&c->rops, (uint16_t)n);
        wire_put_bytes(&c->rops, bytes->data + at, n);
        client_call(c, is_extended ? 0x9D : 0x54, EC_OK);
        wire_skip(&c->r, is_extended ? 11 : 7);
        g_assert_cmpuint(wire_u16(&c->r), ==, n); // BufferUsedSize
        g_assert_true(wire_ok(&c->r));
    }
}

static void configure_destination(struct client *c, uint8_t object, uint8_t out,
                                  uint8_t operation) {
    put_rop2(c, 0x53, object, out);
    wire_put_u8(&c->rops, operation);
    wire_put_u8(&c->rops, 0);
    client_call(c, 0x53, EC_OK);
}

static void copy_messages(struct client *c, uint8_t folder, uint8_t out, const uint64_t *mids,
                          unsigned n, uint8_t flags, uint8_t send) {
    put_rop2(c, 0x4B, folder, out);
    wire_put_u16(&c->rops, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        rop_put_id(&c->rops, mids[i]);
    wire_put_u8(&c->rops, flags);
    wire_put_u8(&c->rops, send);
    client_call(c, 0x4B, EC_OK);
}

static void test_messages(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    uint64_t mids[3] = {add(w, FID_INBOX, "one"), add(w, FID_INBOX, "two"), 999999};
    uint64_t to = make_folder(w, FID_INBOX, "to");
    client_open_folder(&c, 1, FID_INBOX);
    client_open_folder(&c, 2, to);
    copy_messages(&c, 1, 3, mids, 3, 0, SEND_UNICODE);
    g_autoptr(GByteArray) bytes = client_download(&c, 3, 500);
    struct stream s;
    stream_open(&s, bytes);
    g_assert_true(stream_at(&s, FT_START_MESSAGE));
    stream_next(&s);
    g_assert_true(stream_at_prop(&s, PidTagMid)); // MS-OXCFXICS_R3311
    bool has_key = false;
    for (; s.e.kind != FT_MORE; stream_next(&s))
        has_key |= stream_at_prop(&s, PidTagSourceKey) || stream_at_prop(&s, PidTagChangeKey);
    g_assert_false(has_key); // MS-OXCFXICS_R3475
    stream_close(&s);
    configure_destination(&c, 2, 4, 3);
    upload(&c, 4, bytes, 333, false);
    g_assert_cmpuint(world_folder(w, &w->alice, to).n_messages, ==, 2);
    // With identification, in single bytes.
    copy_messages(&c, 1, 3, mids, 1, 0x20, 0);
    g_autoptr(GByteArray) named = client_download(&c, 3, 0);
    stream_open(&s, named);
    for (has_key = false; s.e.kind != FT_MORE; stream_next(&s))
        has_key |= stream_at_prop(&s, PidTagSourceKey);
    g_assert_true(has_key); // MS-OXCFXICS_R3474
    stream_close(&s);
    // For upload to another server: what was read is written as it came.
    copy_messages(&c, 1, 3, mids, 2, 0, SEND_UNICODE | SEND_CPID);
    put_rop(&c, 0x86, 3);
    wire_put_bytes(&c.rops, "\x0f\0\0\0\0\0", 6);
    client_call(&c, 0x86, EC_OK);
    g_autoptr(GByteArray) typed = client_download(&c, 3, 0);
    configure_destination(&c, 2, 4, 3);
    upload(&c, 4, typed, 5000, true);
    g_assert_cmpuint(world_folder(w, &w->alice, to).n_messages, ==, 4);
    world_assert_clean(w, &w->alice);
    client_close(&c);
}

static void test_copy_folder(struct world *w, gconstpointer data) {
    struct client c;
    client_open(&c, w);
    uint64_t from = make_folder(w, FID_INBOX, "from"), sub = make_folder(w, from, "sub"),
             deep = make_folder(w, sub, "deep"), to = make_folder(w, FID_INBOX, "to");
    make_folder(w, from, "beside");
    add(w, from, "a");
    add(w, sub, "b");
    add(w, deep, "c");
    client_open_folder(&c, 1, from);
    client_open_folder(&c, 2, to);
    put_rop2(&c, 0x4C, 1, 3);
    wire_put_u8(&c.rops, 0x10); // CopySubfolders
    wire_put_u8(&c.rops, SEND_UNICODE);
    client_call(&c, 0x4C, EC_OK);
    g_autoptr(GByteArray) bytes = client_download(&c, 3, 700);
    configure_destination(&c, 2, 4, 4);
    upload(&c, 4, bytes, 401, false);
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_list list;
    assert_ok(mbox_read(mailbox_mbox(w->m), &tx));
    assert_ok(folder_list(tx, arena, to, true, &list));
    mbox_read_end(g_steal_pointer(&tx));
    g_assert_cmpuint(list.n, ==, 3);
    g_assert_cmpstr(list.items[0].name, ==, "beside");
    g_assert_cmpstr(list.items[1].name, ==, "sub");
    g_assert_cmpstr(list.items[2].name, ==, "deep");
    g_assert_cmpuint(list.items[2].n_messages, ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, to).n_messages, ==, 1);
    // Without subfolders (MS-OXCFXICS_R3482).
    put_rop2(&c, 0x4C, 1, 3);
    wire_put_u8(&c.rops, 0);
    wire_put_u8(&c.rops, SEND_UNICODE);
    client_call(&c, 0x4C, EC_OK);
    g_autoptr(GByteArray) flat = client_download(&c, 3, 0);
    struct stream s;
    stream_open(&s, flat);
    for (; s.e.kind != FT_MORE; stream_next(&s))
        g_assert_false(stream_at(&s, FT_START_SUB_FOLDER));
    stream_close(&s);
    put_rop2(&c, 0x4C, 1, 3);
    wire_put_u8(&c.rops, 0x80); // MS-OXCFXICS_R2131
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x4C, EC_INVALID_PARAMETER);
    world_assert_clean(w, &w->alice);
    client_close(&c);
}

static void open_message(struct client *c, uint8_t out, uint64_t fid, uint64_t mid, uint8_t mode) {
    put_rop2(c, 0x03, 0, out);
    wire_put_u16(&c->rops, 0x0FFF);
    rop_put_id(&c->rops, fid);
    wire_put_u8(&c->rops, mode);
    rop_put_id(&c->rops, mid);
    client_call(c, 0x03, EC_OK);
}

static void copy_to(struct client *c, uint8_t object, uint8_t out, uint8_t level,
                    const proptag_t *tags, unsigned n) {
    put_rop2(c, 0x4D, object, out);
    wire_put_u8(&c->rops, level);
    wire_put_u32(&c->rops, 0);
    wire_put_u8(&c->rops, SEND_UNICODE);
    wire_put_u16(&c->rops, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        wire_put_u32(&c->rops, tags[i]);
    client_call(c, 0x4D, EC_OK);
}

static unsigned markers(const GByteArray *bytes, enum ft_marker marker, proptag_t prop,
                        unsigned *n_props) {
    struct stream s;
    unsigned n = 0;
    *n_props = 0;
    stream_open(&s, bytes);
    for (; s.e.kind != FT_MORE; stream_next(&s)) {
        n += stream_at(&s, marker);
        *n_props += stream_at_prop(&s, prop);
    }
    stream_close(&s);
    return n;
}

static void test_object(struct world *w, gconstpointer data) {
    static const char mime[] = "From: a@b\r\nTo: c@d\r\nSubject: with more\r\nMIME-Version: 1.0\r\n"
                               "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
                               "Content-Type: text/plain\r\n\r\nbody\r\n--x\r\n"
                               "Content-Type: application/octet-stream\r\n"
                               "Content-Disposition: attachment; filename=a.bin\r\n\r\nbytes\r\n"
                               "--x\r\nContent-Type: message/rfc822\r\n\r\n"
                               "From: e@f\r\nSubject: inner\r\n\r\ninner body\r\n--x--\r\n";
    struct client c;
    unsigned n;
    uint64_t mid;
    g_autoptr(GBytes) bytes = g_bytes_new_static(mime, sizeof mime - 1);
    struct mailbox_append append = {.mime = bytes};
    assert_ok(mailbox_append(w->m, FID_INBOX, &append, &mid, NULL));
    client_open(&c, w);
    open_message(&c, 1, FID_INBOX, mid, 0);
    copy_to(&c, 1, 2, 0, NULL, 0);
    g_autoptr(GByteArray) whole = client_download(&c, 2, 0);
    g_assert_cmpuint(markers(whole, FT_NEW_ATTACHMENT, PidTagSubject, &n), ==, 2);
    g_assert_cmpuint(n, ==, 2);
    copy_to(&c, 1, 2, 1, NULL, 0); // MS-OXCFXICS_R3441
    g_autoptr(GByteArray) shallow = client_download(&c, 2, 0);
    g_assert_cmpuint(markers(shallow, FT_NEW_ATTACHMENT, PidTagSubject, &n), ==, 0);
    g_assert_cmpuint(n, ==, 1);
    static const proptag_t without[] = {PidTagSubject, PidTagMessageAttachments};
    copy_to(&c, 1, 2, 0, without, 2); // MS-OXCFXICS_R3440
    g_autoptr(GByteArray) some = client_download(&c, 2, 0);
    g_assert_cmpuint(markers(some, FT_NEW_ATTACHMENT, PidTagSubject, &n), ==, 0);
    g_assert_cmpuint(n, ==, 0);
    g_assert_cmpuint(markers(some, FT_START_RECIPIENT, MetaTagFXDelProp, &n), ==, 1);
    g_assert_cmpuint(n, ==, 1); // MS-OXCFXICS_R2276, R2278

    // Only what is asked for (MS-OXCFXICS_R3783).
    put_rop2(&c, 0x69, 1, 2);
    wire_put_u8(&c.rops, 0);
    wire_put_u8(&c.rops, 0);
    wire_put_u8(&c.rops, SEND_UNICODE);
    wire_put_u16(&c.rops, 1);
    wire_put_u32(&c.rops, PidTagSubject);
    client_call(&c, 0x69, EC_OK);
    g_autoptr(GByteArray) one = client_download(&c, 2, 0);
    g_assert_cmpuint(markers(one, FT_START_RECIPIENT, PidTagSubject, &n), ==, 0);
    g_assert_cmpuint(n, ==, 1);

    // Into a new message, which is there when it is saved (MS-OXCFXICS_R2152).
    put_rop2(&c, 0x06, 0, 3);
    wire_put_u16(&c.rops, 0x0FFF);
    rop_put_id(&c.rops, FID_DRAFTS);
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x06, EC_OK);
    configure_destination(&c, 3, 4, 1);
    upload(&c, 4, whole, 100, false);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_DRAFTS).n_messages, ==, 0);
    put_rop2(&c, 0x0C, 3, 3);
    wire_put_u8(&c.rops, 0x0A);
    client_call(&c, 0x0C, EC_OK);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_DRAFTS).n_messages, ==, 1);
    copy_to(&c, 3, 2, 0, NULL, 0);
    g_autoptr(GByteArray) again = client_download(&c, 2, 0);
    g_assert_cmpuint(markers(again, FT_NEW_ATTACHMENT, PidTagSubject, &n), ==, 2);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(markers(again, FT_START_EMBED, PidTagAttachDataBinary, &n), ==, 1);
    g_assert_cmpuint(n, ==, 1);

    // An attachment alone.
    put_rop2(&c, 0x22, 1, 5);
    wire_put_u8(&c.rops, 0);
    wire_put_u32(&c.rops, 0);
    client_call(&c, 0x22, EC_OK);
    copy_to(&c, 5, 2, 1, NULL, 0);
    g_autoptr(GByteArray) attachment = client_download(&c, 2, 0);
    markers(attachment, FT_START_EMBED, PidTagAttachDataBinary, &n);
    g_assert_cmpuint(n, ==, 1);

    // What is not a stream; and then the same answer (2.2.4.2).
    configure_destination(&c, 3, 4, 1);
    for (unsigned i = 0; i < 2; i++) {
        put_rop(&c, 0x54, 4);
        wire_put_u16(&c.rops, 4);
        wire_put_u32(&c.rops, FT_END_FOLDER);
        client_call(&c, 0x54, EC_INVALID_PARAMETER);
    }
    put_rop2(&c, 0x53, 3, 4); // MS-OXCFXICS_R2153
    wire_put_u8(&c.rops, 9);
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x53, EC_INVALID_PARAMETER);
    world_assert_clean(w, &w->alice);
    client_close(&c);
}

// --- Permissions ---

static void put_member(struct client *c, const char *address, int32_t rights) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    assert_ok(directory_find_address(c->w->d, arena, address, &object));
    struct prop_bin id =
        entry_id_of_dn(arena, AB_TYPE_MAIL_USER, rop_dn_of(c->session, arena, object));
    struct prop_value entry = prop_bytes(PidTagEntryId, id.data, id.len),
                      value = prop_long(PidTagMemberRights, rights);
    wire_put_u8(&c->rops, 1); // AddRow
    wire_put_u16(&c->rops, 2);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &entry);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &value);
}

static unsigned query_rows(struct client *c, uint8_t table, const proptag_t *tags, unsigned n) {
    put_rop(c, 0x12, table);
    wire_put_u8(&c->rops, 0);
    wire_put_u16(&c->rops, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        wire_put_u32(&c->rops, tags[i]);
    client_call(c, 0x12, EC_OK);
    put_rop(c, 0x15, table);
    wire_put_u8(&c->rops, 0);
    wire_put_u8(&c->rops, 1);
    wire_put_u16(&c->rops, 100);
    client_call(c, 0x15, EC_OK);
    wire_u8(&c->r);
    return wire_u16(&c->r);
}

static void test_permissions(struct world *w, gconstpointer data) {
    static const proptag_t columns[] = {PidTagMemberId, PidTagMemberName, PidTagMemberRights};
    struct client c, bob;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    put_rop2(&c, 0x3E, 1, 2);
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x3E, EC_OK);
    g_assert_cmpuint(query_rows(&c, 2, columns, 3), ==, 2);
    put_rop(&c, 0x40, 1);
    wire_put_u8(&c.rops, 0);
    wire_put_u16(&c.rops, 1);
    put_member(&c, "bob@example.test", ROLE_REVIEWER);
    client_call(&c, 0x40, EC_OK);
    put_rop2(&c, 0x3E, 1, 2);
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x3E, EC_OK);
    g_assert_cmpuint(query_rows(&c, 2, columns, 3), ==, 3); // MS-OXCPERM_R2014
    put_rop(&c, 0x40, 1);
    wire_put_u8(&c.rops, 0x04); // MS-OXCPERM_R43
    wire_put_u16(&c.rops, 0);
    client_call(&c, 0x40, EC_INVALID_PARAMETER);
    put_rop(&c, 0x40, 1); // somebody who is not there (MS-OXCPERM_R1175)
    wire_put_u8(&c.rops, 0);
    wire_put_u16(&c.rops, 1);
    wire_put_u8(&c.rops, 4);
    wire_put_u16(&c.rops, 1);
    struct prop_value id = prop_i8(PidTagMemberId, 12345);
    prop_wire_put_tagged(&c.rops, &PROP_WIRE_ROP, &id);
    client_call(&c, 0x40, EC_OK);
    // The reviewer may look and may not change (MS-OXCPERM_R181).
    client_open_as(&bob, w, &w->bob, "bob@example.test");
    put_rop(&bob, 0xFE, 0);
    wire_put_u8(&bob.rops, 0x01);
    wire_put_u32(&bob.rops, 0x01000000);
    wire_put_u32(&bob.rops, 0);
    wire_put_u16(&bob.rops, sizeof "alice@example.test");
    wire_put_cstring(&bob.rops, "alice@example.test");
    client_call(&bob, 0xFE, EC_OK);
    client_open_folder(&bob, 1, FID_INBOX);
    put_rop(&bob, 0x40, 1);
    wire_put_u8(&bob.rops, 0);
    wire_put_u16(&bob.rops, 1);
    put_member(&bob, "bob@example.test", ROLE_OWNER);
    client_call(&bob, 0x40, EC_ACCESS_DENIED);
    put_rop2(&bob, 0x3F, 1, 2);
    wire_put_u8(&bob.rops, 0);
    client_call(&bob, 0x3F, EC_ACCESS_DENIED);
    client_close(&bob);
    client_close(&c);
}

// --- Rules ---

static void put_rule(struct client *c, const char *name) {
    static const uint8_t actions[] = {1, 0, 9, 0, 10, 0, 0,
                                      0, 0, 0, 0, 0,  0};           // mark as read? OP_DELETE
    static const uint8_t exists[] = {0x08, 0x1F, 0x00, 0x37, 0x00}; // RES_EXIST subject
    struct prop_value values[] = {
        prop_long(PidTagRuleSequence, 1),
        prop_long(PidTagRuleState, 1),
        prop_str(PidTagRuleName, name),
        prop_str(PidTagRuleProvider, "test"),
        {.tag = PidTagRuleCondition, .bin = {sizeof exists, exists}},
        {.tag = PidTagRuleActions, .bin = {sizeof actions, actions}},
    };
    wire_put_u8(&c->rops, 1); // ROW_ADD
    wire_put_u16(&c->rops, G_N_ELEMENTS(values));
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &values[i]);
}

static void test_rules(struct world *w, gconstpointer data) {
    static const proptag_t columns[] = {PidTagRuleId, PidTagRuleName};
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    for (unsigned i = 0; i < 2; i++) {
        put_rop(&c, 0x41, 1);
        wire_put_u8(&c.rops, i ? 0x01 : 0); // the second takes the place of all (MS-OXORULE_R669)
        wire_put_u16(&c.rops, 1);
        put_rule(&c, "a rule");
        client_call(&c, 0x41, EC_OK);
    }
    put_rop2(&c, 0x3F, 1, 2);
    wire_put_u8(&c.rops, 0x40);
    client_call(&c, 0x3F, EC_OK);
    g_assert_cmpuint(query_rows(&c, 2, columns, 2), ==, 1); // MS-OXORULE_R122
    put_rop2(&c, 0x3F, 1, 2);
    wire_put_u8(&c.rops, 0x01); // MS-OXORULE_R130
    client_call(&c, 0x3F, EC_INVALID_PARAMETER);
    put_rop(&c, 0x57, 0);
    wire_put_u16(&c.rops, 3);
    wire_put_bytes(&c.rops, "abc", 3);
    wire_put_u16(&c.rops, 3);
    wire_put_bytes(&c.rops, "def", 3);
    client_call(&c, 0x57, EC_OK); // no such message: nothing to do
    client_close(&c);
}

// --- Per-user information ---

static void test_per_user(struct world *w, gconstpointer data) {
    static const struct guid source = {{7, 7}}, replica = {{8, 8}};
    struct client c;
    struct gid folder = {replica, 77};
    client_open(&c, w);
    struct idset *set = idset_new();
    globset_add(idset_of_guid(set, &replica, true), 5, 500);
    struct wire_writer b = wire_writer(1000);
    idset_put(&b, IDSET_REPLGUID, set);
    idset_free(set);
    size_t len = wire_writer_len(&b);
    for (unsigned i = 0; i < 2; i++) { // in two pieces
        size_t at = i ? 10 : 0, n = i ? len - 10 : 10;
        put_rop(&c, 0x64, 0);
        long_term_id_put(&c.rops, &folder);
        wire_put_u8(&c.rops, (uint8_t)i);
        wire_put_u32(&c.rops, (uint32_t)at);
        wire_put_u16(&c.rops, (uint16_t)n);
        wire_put_bytes(&c.rops, b.bytes->data + at, n);
        if (i == 0)
            wire_put_guid(&c.rops, &source);
        client_call(&c, 0x64, EC_OK);
    }
    put_rop(&c, 0x61, 0);
    long_term_id_put(&c.rops, &folder);
    client_call(&c, 0x61, EC_OK);
    struct guid got = wire_guid(&c.r);
    g_assert_true(guid_equal(&got, &source)); // MS-OXCSTOR_R490
    put_rop(&c, 0x60, 0);
    wire_put_guid(&c.rops, &source);
    client_call(&c, 0x60, EC_OK);
    g_assert_cmpuint(wire_u16(&c.r), ==, 1);
    struct gid listed = long_term_id_read(&c.r);
    g_assert_cmpuint(listed.counter, ==, 77); // MS-OXCSTOR_R474
    g_autoptr(GByteArray) all = g_byte_array_new();
    for (bool is_last = false; !is_last;) {
        put_rop(&c, 0x63, 0);
        long_term_id_put(&c.rops, &folder);
        wire_put_u8(&c.rops, 0);
        wire_put_u32(&c.rops, all->len);
        wire_put_u16(&c.rops, 10);
        client_call(&c, 0x63, EC_OK);
        is_last = wire_u8(&c.r);
        uint16_t n = wire_u16(&c.r);
        g_assert_cmpuint(n, <=, 10); // MS-OXCSTOR_R543
        g_byte_array_append(all, wire_bytes(&c.r, n), n);
    }
    g_assert_cmpmem(all->data, all->len, b.bytes->data, len);
    put_rop(&c, 0x63, 0);
    long_term_id_put(&c.rops, &folder);
    wire_put_u8(&c.rops, 0);
    wire_put_u32(&c.rops, 0);
    wire_put_u16(&c.rops, 0);
    client_call(&c, 0x63, EC_OK);
    g_assert_cmpuint(wire_u8(&c.r), ==, 1);  // MS-OXCSTOR_R541
    g_assert_cmpuint(wire_u16(&c.r), ==, 0); // MS-OXCSTOR_R544
    folder.counter = 78;
    put_rop(&c, 0x61, 0);
    long_term_id_put(&c.rops, &folder);
    client_call(&c, 0x61, EC_NOT_FOUND);
    put_rop(&c, 0x64, 0); // does not go on where it ended (MS-OXCSTOR_R582)
    long_term_id_put(&c.rops, &folder);
    wire_put_u8(&c.rops, 1);
    wire_put_u32(&c.rops, 5);
    wire_put_u16(&c.rops, 1);
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x64, EC_INVALID_PARAMETER);
    wire_writer_clear(&b);
    client_close(&c);
}

// --- Notifications ---

static void subscribe(struct client *c, uint8_t out, uint16_t types, uint64_t fid) {
    put_rop2(c, 0x29, 0, out);
    wire_put_u16(&c->rops, types);
    wire_put_u8(&c->rops, fid == 0);
    if (fid) {
        rop_put_id(&c->rops, fid);
        rop_put_id(&c->rops, 0);
    }
    client_call(c, 0x29, EC_OK);
}

// The next RopNotify of an empty call: its flags; 0: none.
static unsigned next_notification(struct client *c, uint32_t handle) {
    if (wire_left(&c->r) == 0)
        return 0;
    g_assert_cmphex(wire_u8(&c->r), ==, 0x2A);
    g_assert_cmphex(wire_u32(&c->r), ==, handle);
    g_assert_cmpuint(wire_u8(&c->r), ==, 0);
    return wire_u16(&c->r);
}

static void count_wake(void *ctx) {
    g_atomic_int_inc((int *)ctx);
}

static void test_notifications(struct world *w, gconstpointer data) {
    struct client c;
    int wakes = 0;
    client_open(&c, w);
    rop_session_watch(c.session, count_wake, &wakes);
    subscribe(&c, 1, 0x0004 | 0x0008, FID_INBOX);
    g_assert_false(rop_session_has_events(c.session));
    uint64_t mid = add(w, FID_INBOX, "one");
    add(w, FID_DRAFTS, "elsewhere");
    g_assert_cmpint(wakes, ==, 1);
    g_assert_true(rop_session_has_events(c.session));
    client_run(&c);
    g_assert_cmphex(next_notification(&c, c.handles[1]), ==, 0x8004); // MS-OXCNOTIF_R104, R122
    struct short_id id = short_id_read(&c.r);
    g_assert_cmpuint(id.counter, ==, FID_INBOX);
    id = short_id_read(&c.r);
    g_assert_cmpuint(id.counter, ==, mid);
    g_assert_cmpuint(wire_u16(&c.r), ==, 0); // TagCount
    g_assert_cmphex(next_notification(&c, c.handles[1]), ==, 0);
    g_assert_false(rop_session_has_events(c.session));

    // A folder below: with its parent.
    uint64_t sub = make_folder(w, FID_INBOX, "sub");
    client_run(&c);
    g_assert_cmphex(next_notification(&c, c.handles[1]), ==, 0x0004);
    id = short_id_read(&c.r);
    g_assert_cmpuint(id.counter, ==, sub);
    id = short_id_read(&c.r);
    g_assert_cmpuint(id.counter, ==, FID_INBOX);
    wire_u16(&c.r);

    // Moved: both places.
    subscribe(&c, 2, 0x0020, 0);
    GArray *moved;
    assert_ok(mailbox_move(w->m, FID_INBOX, &mid, 1, FID_DRAFTS, &moved));
    uint64_t new_mid = g_array_index(moved, struct mailbox_copied, 0).new_mid;
    g_array_unref(moved);
    client_run(&c);
    g_assert_cmphex(next_notification(&c, c.handles[2]), ==, 0x8020);
    static const uint64_t fids[] = {FID_DRAFTS, FID_INBOX};
    for (unsigned i = 0; i < 2; i++) {
        id = short_id_read(&c.r);
        g_assert_cmpuint(id.counter, ==, fids[i]);
        id = short_id_read(&c.r);
        g_assert_cmpuint(id.counter, ==, i ? mid : new_mid);
    }
    g_assert_cmpuint(wire_left(&c.r), ==, 0);
    client_release(&c, 1);
    client_release(&c, 2);

    // Counts of a folder (MS-OXCNOTIF_R113, R116), new mail.
    subscribe(&c, 1, 0x0010, FID_INBOX);
    subscribe(&c, 2, 0x0002, 0);
    assert_ok(world_deliver(w, &w->alice, "new", 100));
    client_run(&c);
    unsigned seen = 0;
    while (wire_left(&c.r) > 0) {
        wire_u8(&c.r);
        wire_skip(&c.r, 5);
        unsigned flags = wire_u16(&c.r);
        seen |= flags;
        if (flags == 0x3010) {
            wire_skip(&c.r, 8 + 2);
            g_assert_cmpuint(wire_u32(&c.r), ==, 1);
            g_assert_cmpuint(wire_u32(&c.r), ==, 1);
        } else {
            g_assert_cmphex(flags, ==, 0x8002);
            wire_skip(&c.r, 16 + 4);
            g_assert_cmpuint(wire_u8(&c.r), ==, 1);
            const char *class = prop_wire_string(&c.r, &PROP_WIRE_ROP, c.arena, true);
            g_assert_cmpstr(class, ==, "IPM.Note");
        }
    }
    g_assert_cmphex(seen, ==, 0xB012);
    client_release(&c, 1);
    client_release(&c, 2);

    // More than fits: RopPending, then the rest.
    subscribe(&c, 1, 0x0004, 0);
    for (unsigned i = 0; i < 40; i++)
        add(w, FID_INBOX, "many");
    c.max_out = 600;
    client_run(&c);
    unsigned n = 0;
    bool is_pending = false;
    for (unsigned round = 0; round < 20 && n < 40; round++) {
        while (wire_left(&c.r) > 0) {
            uint8_t rop = wire_u8(&c.r);
            is_pending |= rop == 0x6E;
            wire_skip(&c.r, rop == 0x6E ? 2 : 5 + 2 + 16 + 2);
            n += rop == 0x2A;
        }
        client_run(&c);
    }
    g_assert_cmpuint(n, ==, 40);
    g_assert_true(is_pending); // MS-OXCNOTIF 3.1.5.7
    c.max_out = 100000;
    put_rop2(&c, 0x29, 0, 3);
    wire_put_u16(&c.rops, 0x0000);
    wire_put_u8(&c.rops, 1);
    client_call(&c, 0x29, EC_INVALID_PARAMETER);
    rop_session_watch(c.session, NULL, NULL);
    client_close(&c);
}

static void test_table_notifications(struct world *w, gconstpointer data) {
    static const proptag_t columns[] = {PidTagMid, PidTagSubject};
    struct client c;
    client_open(&c, w);
    client_open_folder(&c, 1, FID_INBOX);
    add(w, FID_INBOX, "there");
    put_rop2(&c, 0x05, 1, 2);
    wire_put_u8(&c.rops, 0);
    client_call(&c, 0x05, EC_OK);
    g_assert_cmpuint(query_rows(&c, 2, columns, 2), ==, 1);
    uint64_t mid = add(w, FID_INBOX, "added");
    g_assert_true(rop_session_has_events(c.session));
    client_run(&c);
    g_assert_cmphex(next_notification(&c, c.handles[2]), ==, 0x8100); // MS-OXCNOTIF_R110
    g_assert_cmpuint(wire_u16(&c.r), ==, 3);                          // TableRowAdded
    struct short_id id = short_id_read(&c.r);
    g_assert_cmpuint(id.counter, ==, FID_INBOX);
    id = short_id_read(&c.r);
    g_assert_cmpuint(id.counter, ==, mid);
    wire_skip(&c.r, 4 + 8 + 8 + 4);
    uint16_t len = wire_u16(&c.r);
    g_assert_cmpuint(len, ==, 1 + 8 + 12);
    wire_skip(&c.r, len);
    g_assert_cmpuint(wire_left(&c.r), ==, 0);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    client_run(&c);
    g_assert_cmphex(next_notification(&c, c.handles[2]), ==, 0x8100);
    g_assert_cmpuint(wire_u16(&c.r), ==, 4); // TableRowDeleted
    wire_skip(&c.r, 8 + 8 + 4);
    g_assert_cmpuint(wire_left(&c.r), ==, 0);
    // A table without notifications.
    client_release(&c, 2);
    put_rop2(&c, 0x05, 1, 2);
    wire_put_u8(&c.rops, 0x10);
    client_call(&c, 0x05, EC_OK);
    g_assert_cmpuint(query_rows(&c, 2, columns, 2), ==, 1);
    add(w, FID_INBOX, "silent");
    client_run(&c);
    g_assert_cmpuint(wire_left(&c.r), ==, 0);
    client_close(&c);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/transfer/messages", test_messages);
    WORLD_TEST("/transfer/folder", test_copy_folder);
    WORLD_TEST("/transfer/object", test_object);
    WORLD_TEST("/transfer/permissions", test_permissions);
    WORLD_TEST("/transfer/rules", test_rules);
    WORLD_TEST("/transfer/per_user", test_per_user);
    WORLD_TEST("/transfer/notifications", test_notifications);
    WORLD_TEST("/transfer/table_notifications", test_table_notifications);
    return g_test_run();
}
