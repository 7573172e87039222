// Who may see and set annotations, and that threads, ids and dates hold at the edges.
#include "mailbox/metadata.h"

#include "mailbox/identity.h"
#include "mailbox/mailbox_fixture.h"
#include "mailbox/sort.h"

static enum ec set(struct mailbox *m, uint64_t fid, const char *entry, const char *value) {
    struct mailbox_metadata item = {entry, value, value ? strlen(value) : 0};
    return mailbox_set_metadata(m, fid, &item, 1);
}

static unsigned count(struct mailbox *m, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_metadata_list list;
    assert_ok(mailbox_get_metadata(m, arena, fid, &list));
    return list.n;
}

static void test_rights(struct world *w, gconstpointer data) {
    struct principal *who = world_principal(&w->bob, "bob@example.test");
    struct mailbox *bob;
    uint64_t fid;
    assert_ok(mailbox_create_folder(w->m, "Team", &fid));
    assert_ok(mailbox_grant(w->m, "Team", "bob@example.test", ROLE_REVIEWER));
    assert_ok(mailbox_open(w->service, who, &w->alice, &bob));
    assert_ok(set(w->m, fid, "/private/comment", "alice's"));
    assert_ok(set(w->m, fid, "/shared/comment", "ours"));
    g_assert_cmpuint(count(w->m, fid), ==, 2);
    // Others see what is shared, and have private ones of their own.
    g_assert_cmpuint(count(bob, fid), ==, 1);
    assert_ok(set(bob, fid, "/private/comment", "bob's"));
    g_assert_cmpuint(count(bob, fid), ==, 2);
    g_assert_cmpint(set(bob, fid, "/shared/comment", "x"), ==, EC_ACCESS_DENIED);
    g_assert_cmpint(set(bob, fid, METADATA_SPECIAL_USE, "\\Junk"), ==, EC_ACCESS_DENIED);
    g_assert_cmpint(set(bob, FID_INBOX, "/private/comment", "x"), ==, EC_NOT_FOUND);
    g_assert_cmpint(set(bob, 0, "/private/comment", "x"), ==, EC_ACCESS_DENIED);
    // Special folders are what they are; the mailbox as a whole has only private ones.
    g_assert_cmpint(set(w->m, FID_JUNK, METADATA_SPECIAL_USE, "\\Sent"), ==, EC_INVALID_PARAMETER);
    g_assert_cmpint(set(w->m, 0, "/shared/comment", "x"), ==, EC_ACCESS_DENIED);
    assert_ok(set(w->m, 0, "/private/comment", "x"));
    // All or nothing.
    struct mailbox_metadata two[] = {{"/private/a", "1", 1}, {"/elsewhere/b", "2", 1}};
    g_assert_cmpint(mailbox_set_metadata(w->m, fid, two, 2), ==, EC_INVALID_PARAMETER);
    g_assert_cmpuint(count(w->m, fid), ==, 2);
    mailbox_close(bob);
    principal_unref(who);
}

static uint64_t add(struct world *w, const char *text) {
    g_autoptr(GBytes) mime = g_bytes_new(text, strlen(text));
    struct mailbox_append message = {.mime = mime, .received = START};
    uint64_t mid;
    assert_ok(mailbox_append(w->m, FID_INBOX, &message, &mid, NULL));
    return mid;
}

// A save date survives the mailbox's being closed, and is that of the copy for a copy.
static void test_save_date(struct world *w, gconstpointer data) {
    filetime_t before = clock_now(), date;
    uint64_t mid = add(w, "Subject: x\r\n\r\nx\r\n"), first, known;
    struct mailbox_reader *reader;
    assert_ok(mailbox_reader_open(w->m, FID_INBOX, &reader));
    assert_ok(mailbox_read_save_date(reader, mid, &date));
    g_assert_cmpuint(date, >=, before - FILETIME_SECOND);
    g_assert_cmpuint(date, <=, clock_now());
    mailbox_reader_close(reader);
    assert_ok(mailbox_saved_since(w->m, before - FILETIME_SECOND, &first, &known));
    g_assert_cmpuint(first, <=, mid);
    g_assert_cmpuint(known, <=, first);
    assert_ok(mailbox_saved_since(w->m, clock_now() + DAY, &first, &known));
    g_assert_cmpuint(first, ==, UINT64_MAX);
}

// The index follows what is added, changed and expunged, and two sessions share it.
static void test_index_follows(struct world *w, gconstpointer data) {
    const struct mailbox_sort_column by_subject = {MAILBOX_SORT_SUBJECT, false};
    for (unsigned round = 0; round < 30; round++) {
        g_autofree char *text = g_strdup_printf("Subject: s%02u\r\n\r\nx\r\n", 97 * round % 31);
        uint64_t mid = add(w, text);
        struct mailbox_view *view;
        if (round % 5 == 4)
            assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
        if (round % 3 == 2) {
            struct mailbox_flags change = {
                .mode = MAILBOX_FLAGS_ADD, .flags = MSG_FLAGGED, .unchanged_since = UINT64_MAX};
            assert_ok(mailbox_change_flags(w->m, FID_INBOX, &mid, 1, &change, NULL));
        }
        assert_ok(mailbox_view_open(w->m, FID_INBOX, &view));
        uint32_t n = mailbox_view_count(view), last = 0;
        g_autofree uint32_t *indexes = g_new(uint32_t, n + 1);
        for (uint32_t i = 0; i < n; i++)
            indexes[i] = i;
        assert_ok(mailbox_sort(w->m, view, &by_subject, 1, indexes, n));
        for (uint32_t i = 0; i < n; i++) { // uid 1, 2, ... have the subjects 97 * (uid - 1) % 31
            uint32_t key = 97 * (mailbox_view_row(view, indexes[i])->uid - 1) % 31;
            g_assert_cmpuint(key, >=, last);
            last = key;
        }
        mailbox_view_free(view);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/metadata/rights", struct world, NULL, world_setup, test_rights, world_teardown);
    g_test_add("/metadata/save-date", struct world, NULL, world_setup, test_save_date,
               world_teardown);
    g_test_add("/metadata/index-follows", struct world, NULL, world_setup, test_index_follows,
               world_teardown);
    return g_test_run();
}
