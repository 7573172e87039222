// What may become of a message as it is delivered: forwarding, rules, duplicates.
#include "mailbox/deliver_hooks.h"

#include "mailbox/mailbox_fixture.h"
#include "mailbox/quota.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "mapi/restriction.h"
#include "mapi/rule_actions.h"
#include "store/rule.h"

// --- The outbox: what was sent, as text ---

static GString *sent;
static enum ec send_result;

static enum ec note_sent(void *ctx, const struct mailbox_outgoing *m) {
    (void)ctx;
    gsize len;
    const char *data = g_bytes_get_data(m->mime, &len);
    if (send_result == EC_OK)
        g_string_append_printf(sent, "[%d %s <%s> to <%s>]\n%.*s\n", m->kind, m->owner, m->sender,
                               m->recipient, (int)len, data);
    return send_result;
}

static void setup(struct world *w, gconstpointer data) {
    world_setup(w, data);
    sent = g_string_new(NULL);
    send_result = EC_OK;
    mailbox_service_set_outbox(w->service, note_sent, NULL);
}

static void teardown(struct world *w, gconstpointer data) {
    world_assert_clean(w, &w->alice);
    g_string_free(sent, TRUE);
    world_teardown(w, data);
}

static const char text[] = "Return-Path: <x@remote.test>\r\nFrom: X <x@remote.test>\r\n"
                           "To: Alice <alice@example.test>\r\nSubject: Hello\r\n"
                           "Message-ID: <1@remote.test>\r\n\r\nbody\r\n";

static struct mailbox_delivery deliver_text(struct world *w, const char *id, const char *raw) {
    g_autoptr(GBytes) mime = g_bytes_new(raw, strlen(raw));
    struct mailbox_delivery d = {.mailbox = &w->alice,
                                 .delivery_id = id,
                                 .mime = mime,
                                 .sender = "x@remote.test",
                                 .arrived = clock_now()};
    mailbox_deliver(w->service, &d, 1);
    d.mime = NULL;
    return d;
}

static unsigned n_in(struct world *w, uint64_t fid) {
    return world_folder(w, &w->alice, fid).n_messages;
}

// --- Forwarding ---

static void test_forward(struct world *w, gconstpointer data) {
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_FORWARD, "far@away.test"));
    struct mailbox_delivery d = deliver_text(w, "q1", text);
    assert_ok(d.result);
    g_assert_cmpuint(d.became, ==, DELIVERED_SENT_ON | DELIVERED_DROPPED);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 0);
    // As it came, by whom it came, with a field against loops.
    g_assert_true(g_str_has_prefix(sent->str,
                                   "[0 alice@example.test <x@remote.test> to <far@away.test>]\n"
                                   "Delivered-To: alice@example.test\r\nFrom: X <x@remote.test>"));
    g_assert_nonnull(strstr(sent->str, "\r\n\r\nbody\r\n"));
    // The queue brings it again after a crash: it is not sent again.
    g_string_truncate(sent, 0);
    assert_ok(deliver_text(w, "q1", text).result);
    g_assert_cmpstr(sent->str, ==, "");
    // With a copy.
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_FORWARD_KEEP, "yes"));
    d = deliver_text(w, "q2", text);
    g_assert_cmpuint(d.became, ==, DELIVERED_SENT_ON | DELIVERED_STORED);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1);
    // It comes back: it is kept and goes no further.
    g_string_truncate(sent, 0);
    g_autofree char *back = g_strconcat("Delivered-To: Alice@example.test\r\n", text, NULL);
    d = deliver_text(w, "q3", back);
    g_assert_cmpuint(d.became, ==, DELIVERED_STORED);
    g_assert_cmpstr(sent->str, ==, "");
    // What cannot be sent is not lost: the delivery is tried again.
    send_result = EC_DISK_FULL;
    assert_ec(deliver_text(w, "q4", text).result, EC_DISK_FULL);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 2);
    send_result = EC_OK;
    assert_ok(deliver_text(w, "q4", text).result);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 3);
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_FORWARD, NULL));
    g_string_truncate(sent, 0);
    assert_ok(deliver_text(w, "q5", text).result);
    g_assert_cmpstr(sent->str, ==, "");
}

// --- Duplicates ---

static void test_duplicates(struct world *w, gconstpointer data) {
    struct mailbox_options options = {.duplicates = 3600};
    clock_set(START);
    assert_ok(deliver_text(w, "q1", text).result);
    g_assert_cmpuint(deliver_text(w, "q2", text).became, ==, DELIVERED_STORED); // not asked for
    mailbox_service_configure(w->service, &options);
    g_assert_cmpuint(deliver_text(w, "q3", text).became, ==, DELIVERED_STORED); // not noted before
    struct mailbox_delivery d = deliver_text(w, "q4", text);
    assert_ok(d.result);
    g_assert_cmpuint(d.became, ==, DELIVERED_DUPLICATE);
    g_assert_cmpuint(deliver_text(w, "q3", text).became, ==, DELIVERED_STORED); // the very same
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 3);
    // Another id, or none at all, is another message; and after an hour it is one too.
    static const char other[] = "Message-ID: <2@remote.test>\r\n\r\nbody\r\n";
    static const char none[] = "Subject: x\r\n\r\nbody\r\n";
    g_assert_cmpuint(deliver_text(w, "q5", other).became, ==, DELIVERED_STORED);
    g_assert_cmpuint(deliver_text(w, "q6", none).became, ==, DELIVERED_STORED);
    g_assert_cmpuint(deliver_text(w, "q7", none).became, ==, DELIVERED_STORED);
    clock_set(START + 3601 * FILETIME_SECOND);
    g_assert_cmpuint(deliver_text(w, "q8", text).became, ==, DELIVERED_STORED);
    // Both in one transaction.
    g_autoptr(GBytes) mime = g_bytes_new_static("Message-ID: <3@r>\r\n\r\n", 21);
    struct mailbox_delivery both[] = {{.mailbox = &w->alice, .delivery_id = "b1", .mime = mime},
                                      {.mailbox = &w->alice, .delivery_id = "b2", .mime = mime}};
    mailbox_deliver(w->service, both, 2);
    g_assert_cmpuint(both[0].became, ==, DELIVERED_STORED);
    g_assert_cmpuint(both[1].became, ==, DELIVERED_DUPLICATE);
}

// --- Rules ---

struct rule_spec {
    uint64_t fid;
    int32_t sequence;
    uint32_t state;
    const char *subject; // that it contains; NULL: every message
    const struct rule_action *actions;
    uint32_t n;
};

static enum ec put_rule(struct mbox_tx *tx, void *ctx) {
    const struct rule_spec *spec = ctx;
    ARENA_AUTO arena = arena_new();
    struct wire_writer condition = wire_writer(10000), actions = wire_writer(100000);
    if (spec->subject) {
        struct prop_value v = prop_str(PidTagSubject, spec->subject);
        restriction_put(
            &condition, &PROP_WIRE_ROP,
            restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagSubject, &v));
    }
    struct rule_actions list = {spec->n, spec->actions};
    rule_actions_put(&actions, &PROP_WIRE_ROP, &list);
    g_autoptr(GByteArray) c = wire_writer_take(&condition), a = wire_writer_take(&actions);
    struct prop_value values[] = {
        prop_str(PidTagRuleName, "rule"),
        prop_str(PidTagRuleProvider, "RuleOrganizer"),
        prop_long(PidTagRuleSequence, spec->sequence),
        prop_long(PidTagRuleState, (int32_t)spec->state),
        prop_bytes(PidTagRuleActions, a->data, a->len),
        prop_bytes(PidTagRuleCondition, c ? c->data : NULL, c ? c->len : 0),
    };
    struct rule_change change = {RULE_ADD, values, spec->subject ? 6 : 5};
    return rule_modify(tx, spec->fid, &change, 1, false, &PROP_WIRE_ROP);
}

static enum ec run_write(struct world *w, enum ec (*change)(struct mbox_tx *tx, void *ctx),
                         void *ctx) {
    MBOX_AUTO mbox = NULL;
    assert_ok(store_open_mailbox(w->store, &w->alice, &mbox));
    return mbox_write(mbox, change, ctx);
}

static void add_rule(struct world *w, uint64_t fid, int32_t sequence, uint32_t state,
                     const char *subject, const struct rule_action *actions, uint32_t n) {
    struct rule_spec spec = {fid, sequence, state, subject, actions, n};
    assert_ok(run_write(w, put_rule, &spec));
}

static enum ec put_change(struct mbox_tx *tx, void *change) {
    return rule_modify(tx, FID_INBOX, change, 1, false, &PROP_WIRE_ROP);
}

static enum ec clear_rules(struct mbox_tx *tx, void *fid) {
    return rule_modify(tx, *(uint64_t *)fid, NULL, 0, true, &PROP_WIRE_ROP);
}

struct make_folder {
    const char *name;
    uint64_t fid;
};

static enum ec make_folder(struct mbox_tx *tx, void *ctx) {
    struct make_folder *f = ctx;
    return folder_create(tx, FID_IPM_SUBTREE, f->name, FOLDER_TYPE_GENERIC, "IPF.Note", &f->fid);
}

static uint64_t new_folder(struct world *w, const char *name) {
    struct make_folder f = {name, 0};
    assert_ok(run_write(w, make_folder, &f));
    return f.fid;
}

// PtypServerId of a folder ([MS-OXCDATA] 2.11.1.4).
static struct rule_action to_folder(enum rule_action_type type, uint8_t id[21], uint64_t fid) {
    memset(id, 0, 21);
    id[0] = 1;
    struct wire_writer w = wire_writer(16);
    short_id_put(&w, (struct short_id){1, fid});
    GByteArray *bytes = wire_writer_take(&w);
    memcpy(id + 1, bytes->data, 8);
    g_byte_array_unref(bytes);
    return (struct rule_action){
        .type = type, .move = {.is_in_this_store = true, .store_id = {0}, .folder_id = {21, id}}};
}

static const struct rule_action delete_it = {.type = RULE_DELETE},
                                mark = {.type = RULE_MARK_AS_READ};

static void test_move(struct world *w, gconstpointer data) {
    uint8_t id[3][21];
    uint64_t a = new_folder(w, "A"), b = new_folder(w, "B"), c = new_folder(w, "C"),
             inbox = FID_INBOX;
    struct rule_action moves[] = {to_folder(RULE_MOVE, id[0], a), mark};
    add_rule(w, FID_INBOX, 10, RULE_ENABLED, "hell", moves, 2);
    assert_ok(deliver_text(w, "q1", text).result);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 0); // MS-OXORULE_R790
    g_assert_cmpuint(n_in(w, a), ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, a).n_unread, ==, 0); // MS-OXORULE_R551
    assert_ok(deliver_text(w, "q1", text).result);                   // once
    g_assert_cmpuint(n_in(w, a), ==, 1);
    assert_ok(deliver_text(w, "q2", "Subject: other\r\n\r\n").result); // MS-OXORULE_R931
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1);
    // A second move makes a second copy, and one that copies leaves the others.
    struct rule_action second = to_folder(RULE_MOVE, id[1], b),
                       third = to_folder(RULE_COPY, id[2], c);
    add_rule(w, FID_INBOX, 20, RULE_ENABLED, NULL, &second, 1);
    add_rule(w, FID_INBOX, 30, RULE_ENABLED, NULL, &third, 1);
    assert_ok(deliver_text(w, "q3", text).result);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1);
    g_assert_cmpuint(n_in(w, a), ==, 2); // MS-OXORULE_R791
    g_assert_cmpuint(n_in(w, b), ==, 1);
    g_assert_cmpuint(n_in(w, c), ==, 1); // MS-OXORULE_R792
    // The rules of the folder it is moved to come first.
    struct rule_action on = to_folder(RULE_MOVE, id[2], c),
                       back = to_folder(RULE_MOVE, id[1], FID_INBOX);
    assert_ok(run_write(w, clear_rules, &inbox));
    add_rule(w, FID_INBOX, 10, RULE_ENABLED, NULL, moves, 1);
    add_rule(w, a, 10, RULE_ENABLED, NULL, &on, 1);
    add_rule(w, c, 10, RULE_ENABLED, NULL, &back, 1); // a circle
    assert_ok(deliver_text(w, "q4", text).result);
    g_assert_cmpuint(n_in(w, a), ==, 2); // MS-OXORULE_R512
    g_assert_cmpuint(n_in(w, c), ==, 1);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 2);
}

static void test_order(struct world *w, gconstpointer data) {
    uint8_t id[21];
    uint64_t a = new_folder(w, "A");
    struct rule_action copy = to_folder(RULE_COPY, id, a);
    add_rule(w, FID_INBOX, 30, RULE_ENABLED, NULL, &copy, 1);
    add_rule(w, FID_INBOX, 20, RULE_ENABLED, "hello", &delete_it, 1);
    add_rule(w, FID_INBOX, 10, RULE_ENABLED | RULE_EXIT_LEVEL, "exit", &mark, 1);
    add_rule(w, FID_INBOX, 5, 0, NULL, &delete_it, 1); // MS-OXORULE_R516
    add_rule(w, FID_INBOX, 6, RULE_ENABLED | RULE_ONLY_WHEN_OOF, NULL, &delete_it, 1);
    struct mailbox_delivery d = deliver_text(w, "q1", text);
    g_assert_cmpuint(d.became, ==, DELIVERED_DROPPED); // MS-OXORULE_R549
    g_assert_cmpuint(n_in(w, a), ==, 0);               // MS-OXORULE_R514 R550
    assert_ok(deliver_text(w, "q2", "Subject: exit\r\n\r\n").result);
    g_assert_cmpuint(n_in(w, a), ==, 0); // MS-OXORULE_R857
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_unread, ==, 0);
    assert_ok(deliver_text(w, "q3", "Subject: other\r\n\r\n").result); // MS-OXORULE_R517
    g_assert_cmpuint(n_in(w, a), ==, 1);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 2);
}

static enum ec set_oof(struct mbox_tx *tx, void *ctx) {
    (void)ctx;
    BAG_AUTO bag = bag_new();
    bag_set_bool(bag, PidTagOutOfOfficeState, true);
    return mbox_set_props(tx, bag, NULL, 0);
}

// Out of office, and the end of the others does not end its rules.
static void test_oof(struct world *w, gconstpointer data) {
    uint8_t id[21];
    uint64_t a = new_folder(w, "A");
    struct rule_action move = to_folder(RULE_MOVE, id, a);
    add_rule(w, FID_INBOX, 10, RULE_ENABLED | RULE_EXIT_LEVEL, NULL, &mark, 1);
    add_rule(w, FID_INBOX, 20, RULE_ENABLED, NULL, &delete_it, 1);
    add_rule(w, FID_INBOX, 30, RULE_ENABLED | RULE_ONLY_WHEN_OOF, NULL, &move, 1);
    assert_ok(deliver_text(w, "q1", text).result);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1);
    assert_ok(run_write(w, set_oof, NULL));
    assert_ok(deliver_text(w, "q2", text).result);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1); // MS-OXORULE_R560
    g_assert_cmpuint(n_in(w, a), ==, 1);         // MS-OXORULE_R807
}

static struct rule_action send_to(enum rule_action_type type, uint32_t flavor,
                                  struct rule_recipient *r, struct prop_value values[2],
                                  const char *address) {
    values[0] = prop_str(PidTagAddressType, "SMTP");
    values[1] = prop_str(PidTagEmailAddress, address);
    *r = (struct rule_recipient){.n = 2, .values = values};
    return (struct rule_action){.type = type, .flavor = flavor, .to = {1, r}};
}

static void test_send(struct world *w, gconstpointer data) {
    struct rule_recipient r[4];
    struct prop_value v[4][2];
    struct rule_action all[] = {
        send_to(RULE_FORWARD, 0, &r[0], v[0], "one@away.test"),
        send_to(RULE_FORWARD, RULE_FORWARD_PRESERVE_SENDER | RULE_FORWARD_UNCHANGED, &r[1], v[1],
                "two@away.test"),
        send_to(RULE_FORWARD, RULE_FORWARD_AS_ATTACHMENT, &r[2], v[2], "three@away.test"),
        send_to(RULE_FORWARD, 0, &r[3], v[3], "X@remote.test"), // whom it comes from
    };
    add_rule(w, FID_INBOX, 10, RULE_ENABLED, NULL, all, 4);
    struct mailbox_delivery d = deliver_text(w, "q1", text);
    assert_ok(d.result);
    g_assert_cmpuint(d.became, ==, DELIVERED_SENT_ON | DELIVERED_STORED);
    g_auto(GStrv) parts = g_strsplit(sent->str, "\n[", -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 3); // MS-OXORULE_R537
    g_assert_true(g_str_has_prefix(
        parts[0], "[1 alice@example.test <alice@example.test> to <one@away.test>]\n"
                  "X-MS-Exchange-Inbox-Rules-Loop: alice@example.test\r\n"));
    g_assert_nonnull(strstr(parts[0], "\r\nSubject: FW: Hello\r\n"));
    g_assert_nonnull(strstr(parts[0], "\r\nReferences: <1@remote.test>\r\n"));
    g_assert_nonnull(strstr(parts[0], "\r\n\r\nbody\r\n"));
    g_assert_true(
        g_str_has_prefix(parts[1], "1 alice@example.test <x@remote.test> to <two@away.test>]\n"));
    g_assert_nonnull(strstr(parts[1], "\r\nSubject: Hello\r\n"));
    g_assert_nonnull(strstr(parts[2], "Content-Type: message/rfc822\r\n"));
    // It comes round: nothing more is sent.
    g_string_truncate(sent, 0);
    g_autofree char *back =
        g_strconcat("X-MS-Exchange-Inbox-Rules-Loop: alice@example.test\r\n", text, NULL);
    assert_ok(deliver_text(w, "q2", back).result);
    g_assert_cmpstr(sent->str, ==, "");
}

static void test_refuse(struct world *w, gconstpointer data) {
    struct rule_action bounce = {.type = RULE_BOUNCE, .bounce = RULE_BOUNCE_DENIED};
    add_rule(w, FID_INBOX, 10, RULE_ENABLED, "hello", &bounce, 1);
    assert_ec(deliver_text(w, "q1", text).result, EC_ACCESS_DENIED); // MS-OXORULE_R546
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 0);                     // MS-OXORULE_R547
    struct rule_action tag = {.type = RULE_TAG, .tag = prop_long(PidTagImportance, 2)};
    add_rule(w, FID_INBOX, 20, RULE_ENABLED, "tag", &tag, 1);
    assert_ok(deliver_text(w, "q2", "Subject: tag\r\n\r\n").result);
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    uint64_t mid;
    struct message *m;
    struct prop_value v;
    assert_ok(store_open_mailbox(w->store, &w->alice, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(message_by_uid(tx, FID_INBOX, 1, &mid));
    assert_ok(message_open(tx, mid, &m));
    assert_ok(message_get_prop(tx, m, arena, PidTagImportance, 0, &v));
    g_assert_cmpint(v.l, ==, 2); // MS-OXORULE_R548
    message_free(m);
}

// The message with this uid; message_free.
static struct message *open_in(struct world *w, uint64_t fid, uint32_t uid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    uint64_t mid;
    struct message *m;
    assert_ok(store_open_mailbox(w->store, &w->alice, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(message_by_uid(tx, fid, uid, &mid));
    assert_ok(message_open(tx, mid, &m));
    return m;
}

// The only message in the Deferred Action folder.
static struct message *open_deferred(struct world *w, unsigned n) {
    g_assert_cmpuint(n_in(w, FID_DEFERRED_ACTION), ==, n);
    return open_in(w, FID_DEFERRED_ACTION, n);
}

// A rule whose folder is gone is marked once; the message is kept.
static void test_broken(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint8_t id[21];
    struct rule_action move = to_folder(RULE_MOVE, id, 0x7777);
    struct rule_list list;
    add_rule(w, FID_INBOX, 10, RULE_ENABLED, NULL, &move, 1);
    for (int i = 0; i < 2; i++) {
        g_autofree char *q = g_strdup_printf("q%d", i);
        assert_ok(deliver_text(w, q, text).result);
        MBOX_AUTO mbox = NULL;
        MBOX_TX_AUTO tx = NULL;
        assert_ok(store_open_mailbox(w->store, &w->alice, &mbox));
        assert_ok(mbox_read(mbox, &tx));
        assert_ok(rule_list_get(tx, arena, FID_INBOX, &list));
        g_assert_cmphex(list.items[0].state, ==, RULE_ENABLED | RULE_ERROR);
    }
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 2);
    // Told of once, in the folder for it.
    struct message *m = open_deferred(w, 1); // MS-OXORULE_R805 R806 R581
    const struct bag *bag = message_value(m)->bag;
    g_assert_cmpstr(bag_str(bag, PidTagMessageClass), ==,
                    "IPC.Microsoft Exchange 4.0.Deferred Error");           // MS-OXORULE_R746
    g_assert_cmpint(bag_long(bag, PidTagRuleError, 0), ==, 6);              // MS-OXORULE_R387
    g_assert_cmpint(bag_long(bag, PidTagRuleActionType, 0), ==, RULE_MOVE); // MS-OXORULE_R750
    g_assert_cmpint(bag_long(bag, PidTagRuleActionNumber, 9), ==, 0);       // MS-OXORULE_R707
    g_assert_cmpstr(bag_str(bag, PidTagRuleProvider), ==, "RuleOrganizer"); // MS-OXORULE_R711
    g_assert_cmpint(bag_get(bag, PidTagRuleId)->i8, ==,
                    (int64_t)list.items[0].id); // MS-OXORULE_R717
    g_assert_cmpuint(bag_bytes(bag, PidTagDamOriginalEntryId).len, ==, 70);
    g_assert_cmpuint(bag_bytes(bag, PidTagRuleFolderEntryId).len, ==, 46);
    message_free(m);
}

// What the client has to do: one message for it, with the actions of both rules.
static void test_deferred(struct world *w, gconstpointer data) {
    static const uint8_t opaque[] = {1, 2, 3};
    struct rule_action later[] = {{.type = RULE_DEFER, .deferred = {3, opaque}}, mark};
    add_rule(w, FID_INBOX, 10, RULE_ENABLED, NULL, later, 2);
    add_rule(w, FID_INBOX, 20, RULE_ENABLED, NULL, later, 1);
    assert_ok(deliver_text(w, "q1", text).result);
    assert_ok(deliver_text(w, "q1", text).result);
    g_assert_cmpuint(n_in(w, FID_INBOX), ==, 1);
    struct message *m = open_deferred(w, 1); // MS-OXORULE_R563 R565 R569 R535
    const struct bag *bag = message_value(m)->bag;
    g_assert_cmpstr(bag_str(bag, PidTagMessageClass), ==,
                    "IPC.Microsoft Exchange 4.0.Deferred Action");          // MS-OXORULE_R352
    g_assert_false(bag_bool(bag, PidTagDamBackPatched, true));              // MS-OXORULE_R354
    g_assert_cmpstr(bag_str(bag, PidTagRuleProvider), ==, "RuleOrganizer"); // MS-OXORULE_R359
    g_assert_cmpuint(bag_bytes(bag, PidTagRuleIds).len, ==, 16);            // MS-OXORULE_R369
    struct prop_bin packed = bag_bytes(bag, PidTagClientActions);
    struct wire_reader r = wire_reader(packed.data, packed.len);
    ARENA_AUTO arena = arena_new();
    struct rule_actions actions;
    assert_ok(rule_actions_read(&r, &PROP_WIRE_ROP, arena, &actions)); // MS-OXORULE_R364 R366
    g_assert_cmpuint(actions.n, ==, 2);
    g_assert_cmpmem(actions.items[1].deferred.data, actions.items[1].deferred.len, opaque, 3);
    const struct prop_value *self = bag_get(bag, PidTagDeferredActionMessageOriginalEntryId);
    struct server_id id;
    g_assert_true(self && server_id_parse(self->bin, &id)); // MS-OXORULE_R371
    g_assert_cmpuint(id.message.counter, ==, message_mid(m));
    struct entry_id original;
    assert_ok(entry_id_parse(arena, bag_bytes(bag, PidTagDamOriginalEntryId), &original));
    message_free(m);
    // The message says that there is one.
    m = open_in(w, FID_INBOX, 1);
    g_assert_true(
        bag_bool(message_value(m)->bag, PidTagHasDeferredActionMessages, false)); // MS-OXORULE_R564
    g_assert_cmpuint(original.message.counter, ==, message_mid(m));               // MS-OXORULE_R740
    message_free(m);
}

// Conditions on the body, on who it is to, and on its size.
static void test_conditions(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct prop_value body = prop_str(PidTagBody, "BODY"), me = prop_bool(PidTagMessageToMe, true),
                      size = prop_long(PidTagMessageSize, 100);
    struct restriction *all[] = {
        restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagBody, &body),
        restriction_property(arena, RELOP_EQ, PidTagMessageToMe, &me),
        restriction_property(arena, RELOP_GT, PidTagMessageSize, &size)};
    struct wire_writer c = wire_writer(10000), a = wire_writer(10000);
    restriction_put(&c, &PROP_WIRE_ROP, restriction_list(arena, RES_AND, all, 3));
    rule_actions_put(&a, &PROP_WIRE_ROP, &(struct rule_actions){1, &mark});
    g_autoptr(GByteArray) condition = wire_writer_take(&c), actions = wire_writer_take(&a);
    struct prop_value values[] = {prop_str(PidTagRuleName, "r"),
                                  prop_str(PidTagRuleProvider, "p"),
                                  prop_long(PidTagRuleSequence, 1),
                                  prop_long(PidTagRuleState, RULE_ENABLED),
                                  prop_bytes(PidTagRuleActions, actions->data, actions->len),
                                  prop_bytes(PidTagRuleCondition, condition->data, condition->len)};
    struct rule_change change = {RULE_ADD, values, 6};
    assert_ok(run_write(w, put_change, &change));
    assert_ok(deliver_text(w, "q1", text).result);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_unread, ==, 0);
    assert_ok(deliver_text(w, "q2", "To: other@example.test\r\n\r\nbody\r\n").result);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_unread, ==, 1);
}

// --- The sent copy ---

static void test_sent_copy(struct world *w, gconstpointer data) {
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_FORWARD, "far@away.test"));
    g_autoptr(GBytes) mime = g_bytes_new_static(text, strlen(text));
    struct mailbox_delivery d = {
        .mailbox = &w->alice, .delivery_id = "sent/1", .mime = mime, .is_sent_copy = true};
    for (int i = 0; i < 2; i++) {
        mailbox_deliver(w->service, &d, 1);
        assert_ok(d.result);
    }
    g_assert_cmpuint(n_in(w, FID_SENT_ITEMS), ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_SENT_ITEMS).n_unread, ==, 0);
    g_assert_cmpstr(sent->str, ==, "");
}

#define ADD(path, test) g_test_add(path, struct world, NULL, setup, test, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/deliver-hooks/forward", test_forward);
    ADD("/deliver-hooks/duplicates", test_duplicates);
    ADD("/deliver-hooks/move", test_move);
    ADD("/deliver-hooks/order", test_order);
    ADD("/deliver-hooks/oof", test_oof);
    ADD("/deliver-hooks/send", test_send);
    ADD("/deliver-hooks/refuse", test_refuse);
    ADD("/deliver-hooks/broken", test_broken);
    ADD("/deliver-hooks/deferred", test_deferred);
    ADD("/deliver-hooks/conditions", test_conditions);
    ADD("/deliver-hooks/sent-copy", test_sent_copy);
    return g_test_run();
}
