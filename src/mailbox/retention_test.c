// What becomes of messages with time, by a clock that the tests set.
#include "mailbox/retention.h"

#include "mailbox/archive.h"
#include "mailbox/hold.h"
#include "mailbox/mailbox_fixture.h"
#include "mailbox/quota.h"
#include "mailbox/recover.h"
#include "mailbox/retention_internal.h"
#include "mapi/props.h"

static struct retention_tag add_tag(struct world *w, const char *name, enum retention_action action,
                                    uint32_t days, uint64_t folder) {
    struct retention_tag tag = {.name = name, .action = action, .days = days, .folder = folder};
    assert_ok(directory_retention_add(w->d, &tag));
    return tag;
}

static struct retention_result run(struct world *w) {
    struct retention_result result;
    assert_ok(mailbox_retention_run(w->service, &w->alice, &result));
    world_assert_clean(w, &w->alice);
    return result;
}

static uint64_t append_at(struct world *w, uint64_t fid, const char *subject, filetime_t received) {
    g_autoptr(GBytes) mime = world_message(subject, 100);
    struct mailbox_append message = {.mime = mime, .received = received};
    uint64_t mid;
    assert_ok(mailbox_append(w->m, fid, &message, &mid, NULL));
    return mid;
}

static uint32_t count(struct world *w, uint64_t fid) {
    return world_folder(w, &w->alice, fid).n_messages;
}

static unsigned recoverable(struct world *w) {
    return (unsigned)world_usage(w).n_recoverable;
}

// --- Dates ---

static void test_dates(void) {
    struct slice_row m = {.received = START,
                          .policy = {.retention_period = -1, .archive_period = -1}};
    g_assert_cmpuint(retention_expires(&m, 0), ==, 0); // MS-OXCMSG_R2138
    g_assert_cmpuint(retention_expires(&m, 10), ==, START + 10 * DAY);
    m.policy.retention_period = 3;
    // MS-OXCMSG_R2145: an explicit period counts from the delivery.
    g_assert_cmpuint(retention_expires(&m, 10), ==, START + 3 * DAY);
    m.policy.retention_period = 0;
    g_assert_cmpuint(retention_expires(&m, 10), ==, 0); // MS-OXCMSG_R2123
    m.policy.retention_period = 3;
    m.received = 0;
    m.policy.created = START + DAY;
    g_assert_cmpuint(retention_expires(&m, 10), ==, START + 4 * DAY); // MS-OXCMSG_R2146
    m.policy.retention_period = -1;
    m.policy.retention_date = START + 7;
    g_assert_cmpuint(retention_expires(&m, 10), ==, START + 7); // MS-OXCMSG_R2135

    m.received = START;
    g_assert_cmpuint(retention_archives(&m, 0), ==, 0); // MS-OXCMSG_R2178
    g_assert_cmpuint(retention_archives(&m, 5), ==, START + 5 * DAY);
    // MS-OXCMSG_R2131, R2180, R2181: from the start date in the last eight bytes.
    filetime_t start = START + 2 * DAY;
    m.policy.has_start = true;
    for (int i = 0; i < 8; i++)
        m.policy.start[4 + i] = (uint8_t)(start >> (8 * i));
    m.policy.archive_period = 1;
    g_assert_cmpuint(retention_archives(&m, 5), ==, START + 3 * DAY);
    m.policy.archive_period = 0;
    g_assert_cmpuint(retention_archives(&m, 5), ==, 0); // MS-OXCMSG_R2170
    m.policy.archive_period = 1;
    m.policy.flags = RETENTION_KEEP_IN_PLACE;
    g_assert_cmpuint(retention_archives(&m, 5), ==, 0); // MS-OXCMSG_R2159
    m.policy.flags = RETENTION_SYSTEM_DATA;
    g_assert_cmpuint(retention_expires(&m, 5), ==, 0); // MS-OXCMSG_R2160
}

// --- Tags ---

static void test_default_tag(struct world *w, gconstpointer data) {
    clock_set(START);
    add_tag(w, "All", RETENTION_DELETE, 30, FID_IPM_SUBTREE);
    append_at(w, FID_INBOX, "old", START);
    append_at(w, FID_SENT_ITEMS, "newer", START + DAY);
    append_at(w, FID_CONTACTS, "contact", START);
    clock_set(START + 30 * DAY - 1);
    g_assert_cmpuint(run(w).n_deleted, ==, 0);
    clock_set(START + 30 * DAY);
    struct retention_result r = run(w);
    g_assert_cmpuint(r.n_deleted, ==, 1);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 0);
    g_assert_cmpuint(count(w, FID_SENT_ITEMS), ==, 1);
    g_assert_cmpuint(count(w, FID_CONTACTS), ==, 1); // ages only by a tag of its own
    g_assert_cmpuint(recoverable(w), ==, 1);         // can be restored
}

static void test_nearest_tag(struct world *w, gconstpointer data) {
    uint64_t fid, deep;
    clock_set(START);
    add_tag(w, "All", RETENTION_DELETE, 10, FID_IPM_SUBTREE);
    add_tag(w, "Inbox", RETENTION_DELETE, 20, FID_INBOX);
    struct retention_tag own = add_tag(w, "Own", RETENTION_PURGE, 5, 0);
    struct retention_tag never = add_tag(w, "Never", RETENTION_DELETE, 0, 0);
    assert_ok(mailbox_create_folder(w->m, "INBOX/Lists", &fid));
    assert_ok(mailbox_create_folder(w->m, "INBOX/Lists/Deep", &deep));
    assert_ok(mailbox_assign_retention(w->m, "INBOX/Lists", &own, false));
    append_at(w, FID_INBOX, "inbox", START);
    append_at(w, FID_ARCHIVE, "archive", START);
    append_at(w, fid, "lists", START);
    append_at(w, deep, "deep", START);
    clock_set(START + 5 * DAY);
    g_assert_cmpuint(run(w).n_purged, ==, 2); // MS-OXCMSG_R2114: the folder's, and of those below
    g_assert_cmpuint(recoverable(w), ==, 0);
    clock_set(START + 10 * DAY);
    g_assert_cmpuint(run(w).n_deleted, ==, 1);
    g_assert_cmpuint(count(w, FID_ARCHIVE), ==, 0);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 1);
    // A tag for the whole mailbox stands before the organization's default, not before the Inbox's.
    append_at(w, FID_ARCHIVE, "again", START);
    assert_ok(mailbox_assign_retention(w->m, "", &never, false));
    clock_set(START + 15 * DAY);
    g_assert_cmpuint(run(w).n_deleted, ==, 0);
    assert_ok(mailbox_assign_retention(w->m, "", NULL, false));
    clock_set(START + 20 * DAY);
    g_assert_cmpuint(run(w).n_deleted, ==, 2);
}

struct set {
    uint64_t mid;
    const struct guid *tag;
    int32_t period;
};

static enum ec set_policy(struct mbox_tx *tx, void *ctx) {
    struct set *s = ctx;
    struct message *m;
    EC_TRY(message_open(tx, s->mid, &m));
    struct prop_value tag = prop_bytes(PidTagPolicyTag, s->tag->bytes, 16);
    struct prop_value period = prop_long(PidTagRetentionPeriod, s->period);
    enum ec ec = message_set_prop(m, &tag);
    if (ec == EC_OK && s->period >= 0)
        ec = message_set_prop(m, &period);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

static void test_message_tag(struct world *w, gconstpointer data) {
    clock_set(START);
    add_tag(w, "All", RETENTION_DELETE, 10, FID_IPM_SUBTREE);
    struct retention_tag year = add_tag(w, "Year", RETENTION_DELETE, 365, 0);
    struct guid unknown = guid_new();
    struct set keeps = {append_at(w, FID_INBOX, "year", START), &year.guid, -1};
    struct set shorter = {append_at(w, FID_INBOX, "explicit", START), &year.guid, 2};
    struct set lost = {append_at(w, FID_INBOX, "lost", START), &unknown, -1};
    // MS-OXCMSG_R2113, R2119: both can stand on a message.
    assert_ok(mbox_write(w->m->mbox, set_policy, &keeps));
    assert_ok(mbox_write(w->m->mbox, set_policy, &shorter));
    assert_ok(mbox_write(w->m->mbox, set_policy, &lost));
    clock_set(START + 2 * DAY);
    g_assert_cmpuint(run(w).n_deleted, ==, 1); // MS-OXCMSG_R2122
    clock_set(START + 100 * DAY);
    g_assert_cmpuint(run(w).n_deleted, ==, 0); // the default is not for them
    clock_set(START + 365 * DAY);
    g_assert_cmpuint(run(w).n_deleted, ==, 1);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 1); // whose tag is gone
}

static filetime_t date_of(struct world *w, uint64_t mid, proptag_t tag) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct message *m;
    struct prop_value v = {0};
    assert_ok(mbox_read(w->m->mbox, &tx));
    assert_ok(message_open(tx, mid, &m));
    enum ec ec = message_get_prop(tx, m, arena, tag, 0, &v);
    message_free(m);
    g_assert_true(ec == EC_OK || ec == EC_NOT_FOUND);
    return ec == EC_OK ? v.time : 0;
}

static void test_dates_are_read(struct world *w, gconstpointer data) {
    uint64_t fid;
    clock_set(START);
    struct retention_tag month = add_tag(w, "Month", RETENTION_DELETE, 30, 0);
    struct retention_tag year = add_tag(w, "Year", RETENTION_DELETE, 365, 0);
    add_tag(w, "Away", RETENTION_ARCHIVE, 90, FID_INBOX);
    assert_ok(mailbox_create_folder(w->m, "Short", &fid));
    uint64_t inbox = append_at(w, FID_INBOX, "inbox", START), moved = 0;
    uint64_t tagged = append_at(w, FID_INBOX, "tagged", START);
    g_assert_cmpuint(date_of(w, inbox, PidTagArchiveDate), ==, 0); // nothing is known yet
    run(w);
    g_assert_cmpuint(date_of(w, inbox, PidTagRetentionDate), ==, 0);
    g_assert_cmpuint(date_of(w, inbox, PidTagArchiveDate), ==, START + 90 * DAY);
    // A tag that is set, or a message that is moved, shows at once.
    assert_ok(mailbox_assign_retention(w->m, "Short", &month, false));
    struct set own = {tagged, &year.guid, -1};
    assert_ok(mbox_write(w->m->mbox, set_policy, &own));
    g_assert_cmpuint(date_of(w, tagged, PidTagRetentionDate), ==, START + 365 * DAY);
    g_autoptr(GArray) copied = NULL;
    assert_ok(mailbox_move(w->m, FID_INBOX, &inbox, 1, fid, &copied));
    moved = g_array_index(copied, struct message_copied, 0).new_mid;
    g_assert_cmpuint(date_of(w, moved, PidTagRetentionDate), ==, START + 30 * DAY);
    g_assert_cmpuint(date_of(w, moved, PidTagArchiveDate), ==, 0);
    // What the message says itself counts.
    own = (struct set){moved, &year.guid, 3};
    assert_ok(mbox_write(w->m->mbox, set_policy, &own));
    g_assert_cmpuint(date_of(w, moved, PidTagRetentionDate), ==, START + 3 * DAY);
    assert_ok(mailbox_assign_retention(w->m, "Short", NULL, false));
    world_assert_clean(w, &w->alice);
}

static void test_archive(struct world *w, gconstpointer data) {
    struct guid archive;
    clock_set(START);
    add_tag(w, "Away", RETENTION_ARCHIVE, 10, FID_IPM_SUBTREE);
    append_at(w, FID_INBOX, "old", START);
    append_at(w, FID_INBOX, "new", START + 5 * DAY);
    clock_set(START + 10 * DAY);
    g_assert_cmpuint(run(w).n_archived, ==, 0); // no archive: everything stays
    assert_ok(mailbox_archive_enable(w->service, &w->alice));
    assert_ok(mailbox_archive_of(w->service, &w->alice, &archive));
    g_assert_cmpuint(run(w).n_archived, ==, 1); // MS-OXCMSG_R2195, R2168
    g_assert_cmpuint(count(w, FID_INBOX), ==, 1);
    g_assert_cmpuint(world_folder(w, &archive, FID_INBOX).n_messages, ==, 1);
    struct retention_result r;
    assert_ok(mailbox_retention_run(w->service, &archive, &r)); // where it is, it stays
    g_assert_cmpuint(r.n_archived, ==, 0);
    g_assert_cmpuint(world_folder(w, &archive, FID_INBOX).n_messages, ==, 1);
    world_assert_clean(w, &archive);
}

// --- Purging ---

static void test_purge(struct world *w, gconstpointer data) {
    uint64_t mid, fid;
    clock_set(START);
    mid = append_at(w, FID_INBOX, "one", START);
    assert_ok(mailbox_create_folder(w->m, "Gone", &fid));
    append_at(w, fid, "two", START);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    assert_ok(mailbox_delete_folder(w->m, "Gone"));
    clock_set(START + 14 * DAY);
    g_assert_cmpuint(run(w).n_purged, ==, 0); // to the day
    clock_set(START + 14 * DAY + 1);
    g_assert_cmpuint(run(w).n_purged, ==, 2);
    g_assert_cmpuint(recoverable(w), ==, 0);
    struct mailbox_options options = {.keep_deleted = 86400};
    mailbox_service_configure(w->service, &options);
    mid = append_at(w, FID_INBOX, "three", START);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    clock_set(START + 16 * DAY);
    g_assert_cmpuint(run(w).n_purged, ==, 1);
}

static void test_hold(struct world *w, gconstpointer data) {
    clock_set(START);
    uint64_t mid = append_at(w, FID_INBOX, "one", START);
    assert_ok(mailbox_set_hold(w->service, &w->alice, HOLD_LITIGATION, true, 30 * DAY));
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    clock_set(START + 15 * DAY);
    g_assert_cmpuint(run(w).n_purged, ==, 0);
    g_assert_cmpuint(count(w, FID_RECOVERABLE_PURGES), ==, 1); // out of the owner's sight
    unsigned n;
    assert_ok(mailbox_restore(w->m, &(struct mailbox_recover_filter){0}, NULL, &n));
    g_assert_cmpuint(n, ==, 0);
    clock_set(START + 30 * DAY);
    g_assert_cmpuint(run(w).n_purged, ==, 1); // held no longer than that
    // Without an end, until it is switched off.
    mid = append_at(w, FID_INBOX, "two", START);
    assert_ok(mailbox_set_hold(w->service, &w->alice, HOLD_LITIGATION, true, 0));
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    clock_set(START + 5000 * DAY);
    g_assert_cmpuint(run(w).n_purged, ==, 0);
    g_assert_cmpuint(run(w).n_purged, ==, 0);
    assert_ok(mailbox_set_hold(w->service, &w->alice, HOLD_LITIGATION, false, 0));
    g_assert_cmpuint(run(w).n_purged, ==, 1);
}

static void test_single_item(struct world *w, gconstpointer data) {
    struct mbox_holds holds;
    clock_set(START);
    struct retention_tag now = add_tag(w, "Now", RETENTION_PURGE, 1, FID_JUNK);
    g_assert_cmpuint(now.days, ==, 1);
    append_at(w, FID_JUNK, "junk", START);
    assert_ok(mailbox_set_hold(w->service, &w->alice, HOLD_SINGLE_ITEM, true, 0));
    assert_ok(mailbox_get_holds(w->service, &w->alice, &holds));
    g_assert_true(holds.has_single_item);
    clock_set(START + DAY);
    run(w);
    g_assert_cmpuint(count(w, FID_RECOVERABLE_PURGES), ==, 1); // purged for its owner
    clock_set(START + 15 * DAY);
    run(w);
    g_assert_cmpuint(count(w, FID_RECOVERABLE_PURGES), ==, 1);
    clock_set(START + 15 * DAY + 1);
    run(w);
    g_assert_cmpuint(count(w, FID_RECOVERABLE_PURGES), ==, 0); // for as long as all deleted ones
}

static void test_recoverable_quota(struct world *w, gconstpointer data) {
    uint64_t mids[10];
    for (int i = 0; i < 10; i++) {
        clock_set(START + (filetime_t)i * FILETIME_SECOND);
        mids[i] = append_at(w, FID_INBOX, "m", START);
        assert_ok(mailbox_expunge(w->m, FID_INBOX, &mids[i], 1));
    }
    uint64_t each = world_usage(w).recoverable_size / 10;
    struct mailbox_options options = {.quota_recoverable = 4 * each};
    mailbox_service_configure(w->service, &options);
    assert_ok(world_deliver(w, &w->alice, "m", 100)); // keeps no mail out
    g_assert_cmpuint(run(w).n_purged, ==, 6);         // the oldest
    g_assert_cmpuint(recoverable(w), ==, 4);
    assert_ok(mailbox_set_hold(w->service, &w->alice, HOLD_LITIGATION, true, 0));
    options.quota_recoverable = each;
    mailbox_service_configure(w->service, &options);
    g_assert_cmpuint(run(w).n_purged, ==, 0);
    g_assert_cmpuint(recoverable(w), ==, 4);
}

// --- Passes ---

static void fill(struct world *w, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        append_at(w, i % 2 ? FID_INBOX : FID_ARCHIVE, "m", START);
}

// A pass that is broken off after any slice goes on after a restart and does everything once.
static void test_resume(struct world *w, gconstpointer data) {
    clock_set(START);
    add_tag(w, "All", RETENTION_DELETE, 1, FID_IPM_SUBTREE);
    fill(w, 3 * SLICE);
    clock_set(START + DAY);
    bool is_done = false;
    unsigned restarts = 0;
    while (!is_done) {
        struct mailbox_pass p;
        assert_ok(pass_open(w->service, &w->alice, &p));
        g_assert_cmpuint(p.state.started, ==, START + DAY); // the same pass
        uint64_t before = p.state.n_seen;
        assert_ok(pass_slice(&p, &is_done));
        if (p.state.step == STEP_RETENTION)
            g_assert_cmpuint(p.state.n_seen, >, before);
        // A step that only moves on is not written down.
        while (!is_done && p.state.step > STEP_RETENTION)
            assert_ok(pass_slice(&p, &is_done));
        if (is_done) {
            g_assert_cmpuint(p.state.n_seen, ==, 3 * SLICE);
            g_assert_cmpuint(p.state.n_deleted, ==, 3 * SLICE);
        }
        pass_close(&p);
        world_reopen(w);
        restarts++;
    }
    g_assert_cmpuint(restarts, >=, 3);
    g_assert_cmpuint(count(w, FID_INBOX) + count(w, FID_ARCHIVE), ==, 0);
    world_assert_clean(w, &w->alice);
}

static void run_steps(struct world *w, struct retention_passes *p) {
    while (retention_passes_step(p, 1000))
        continue;
}

static filetime_t at(int day, int hour, int minute) {
    g_autoptr(GDateTime) t = g_date_time_new_local(2026, 6, day, hour, minute, 0);
    return filetime_from_unix(g_date_time_to_unix(t));
}

static void test_nightly(struct world *w, gconstpointer data) {
    struct mailbox_options options = {.nightly = 2 * 60 + 30};
    mailbox_service_configure(w->service, &options);
    clock_set(at(10, 12, 0));
    add_tag(w, "All", RETENTION_DELETE, 1, FID_IPM_SUBTREE);
    append_at(w, FID_INBOX, "m", at(10, 12, 0));
    append_at(w, FID_INBOX, "m", at(11, 12, 0));
    struct retention_passes *p = retention_passes_new(w->service);
    clock_set(at(12, 2, 29));
    run_steps(w, p); // the night before is made up for
    g_assert_cmpuint(count(w, FID_INBOX), ==, 1);
    append_at(w, FID_INBOX, "m", at(1, 0, 0));
    run_steps(w, p);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 2); // once a night
    clock_set(at(12, 2, 30));
    run_steps(w, p);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 1);
    retention_passes_free(p);
    // After a restart it is known that this night is done.
    append_at(w, FID_INBOX, "m", at(1, 0, 0));
    p = retention_passes_new(w->service);
    clock_set(at(12, 5, 0));
    run_steps(w, p);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 2);
    clock_set(at(13, 5, 0));
    run_steps(w, p);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 0);
    options.nightly = MAILBOX_NEVER;
    mailbox_service_configure(w->service, &options);
    append_at(w, FID_INBOX, "m", at(1, 0, 0));
    clock_set(at(14, 5, 0));
    run_steps(w, p);
    g_assert_cmpuint(count(w, FID_INBOX), ==, 1);
    retention_passes_free(p);
}

static void test_nightly_interrupted(struct world *w, gconstpointer data) {
    struct mailbox_options options = {.nightly = 0};
    mailbox_service_configure(w->service, &options);
    clock_set(START);
    add_tag(w, "All", RETENTION_DELETE, 1, FID_IPM_SUBTREE);
    fill(w, 3 * SLICE);
    clock_set(START + 3 * DAY);
    for (int i = 0; i < 20; i++) {
        struct retention_passes *p = retention_passes_new(w->service);
        for (int k = 0; k < 4; k++)
            retention_passes_step(p, 0); // one thing
        retention_passes_free(p);
        world_reopen(w);
        mailbox_service_configure(w->service, &options);
    }
    g_assert_cmpuint(count(w, FID_INBOX) + count(w, FID_ARCHIVE), ==, 0);
    g_assert_cmpuint(recoverable(w), ==, 3 * SLICE);
    world_assert_clean(w, &w->alice);
}

// --- Warnings ---

static void assert_warning(struct world *w, const char *text) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_reader *reader;
    struct mailbox_view *view;
    g_autoptr(GBytes) mime = NULL;
    assert_ok(mailbox_view_open(w->m, FID_INBOX, &view));
    uint32_t n = mailbox_view_count(view);
    const struct message_row *row = mailbox_view_row(view, n - 1);
    assert_ok(mailbox_reader_open(w->m, FID_INBOX, &reader));
    assert_ok(mailbox_read_mime(reader, row->mid, &mime));
    gsize len;
    const char *data = g_bytes_get_data(mime, &len);
    g_assert_nonnull(g_strstr_len(data, (gssize)len, text));
    mailbox_reader_close(reader);
    mailbox_view_free(view);
}

static void test_warning(struct world *w, gconstpointer data) {
    clock_set(START);
    assert_ok(world_append(w, FID_INBOX, "m", 10000, NULL));
    uint64_t size = world_usage(w).size;
    struct mailbox_options options = {.quota_warn = size + 1, .quota_receive = size};
    mailbox_service_configure(w->service, &options);
    g_assert_false(run(w).was_warned);
    options.quota_warn = size;
    mailbox_service_configure(w->service, &options);
    g_assert_true(run(w).was_warned); // into a mailbox that takes nothing else
    g_assert_cmpuint(count(w, FID_INBOX), ==, 2);
    assert_warning(w, "Subject: Your mailbox is almost full");
    g_assert_false(run(w).was_warned); // once a day
    clock_set(START + DAY);
    ARENA_AUTO arena = arena_new();
    struct directory_object *alice;
    assert_ok(directory_find_guid(w->d, arena, &w->alice, &alice));
    alice->locale = "de-AT";
    assert_ok(directory_update(w->d, alice));
    g_assert_true(run(w).was_warned);
    assert_warning(w, "Subject: Ihr Postfach ist fast voll");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailbox/retention/dates", test_dates);
    WORLD_TEST("/mailbox/retention/default tag", test_default_tag);
    WORLD_TEST("/mailbox/retention/nearest tag", test_nearest_tag);
    WORLD_TEST("/mailbox/retention/message tag", test_message_tag);
    WORLD_TEST("/mailbox/retention/dates are read", test_dates_are_read);
    WORLD_TEST("/mailbox/retention/archive", test_archive);
    WORLD_TEST("/mailbox/retention/purge", test_purge);
    WORLD_TEST("/mailbox/retention/hold", test_hold);
    WORLD_TEST("/mailbox/retention/single item recovery", test_single_item);
    WORLD_TEST("/mailbox/retention/recoverable quota", test_recoverable_quota);
    WORLD_TEST("/mailbox/retention/resume", test_resume);
    WORLD_TEST("/mailbox/retention/nightly", test_nightly);
    WORLD_TEST("/mailbox/retention/nightly interrupted", test_nightly_interrupted);
    WORLD_TEST("/mailbox/retention/warning", test_warning);
    return g_test_run();
}
