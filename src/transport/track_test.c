// The tracking log: lines, filters, days, old files, what a crash leaves.
#include "transport/track.h"

#include <string.h>

#include "base/clock.h"
#include "base/test.h"

#define DAY (UINT64_C(86400) * FILETIME_SECOND)
#define NOON (FILETIME_UNIX_EPOCH + UINT64_C(1700049600) * FILETIME_SECOND) // 2023-11-15 12:00

struct fixture {
    char *dir;
    GString *seen; // "kind recipient;" of what track_read gave
    unsigned max;
};

static void setup(struct fixture *f, gconstpointer data) {
    f->dir = test_folder();
    f->seen = g_string_new(NULL);
    f->max = UINT_MAX;
    clock_set(NOON);
    struct track_options options = {.dir = f->dir, .keep_seconds = 3 * 86400};
    assert_ok(track_open(&options));
}

static void teardown(struct fixture *f, gconstpointer data) {
    track_close();
    clock_set(0);
    g_string_free(f->seen, TRUE);
    test_folder_remove(f->dir);
}

static bool note(void *ctx, const struct track_event *e) {
    struct fixture *f = ctx;
    g_string_append_printf(f->seen, "%s %s;", track_kind_name(e->kind),
                           e->recipient ? e->recipient : "-");
    return --f->max > 0;
}

static const char *look(struct fixture *f, struct track_filter filter) {
    g_string_truncate(f->seen, 0);
    track_flush();
    assert_ok(track_read(f->dir, &filter, note, f));
    return f->seen->str;
}

static void add(enum track_kind kind, const char *sender, const char *recipient) {
    struct track_event e = {.kind = kind,
                            .queue_id = "q1",
                            .message_id = "<1@a.test>",
                            .sender = sender,
                            .recipient = recipient,
                            .subject = "secret"};
    track_event(&e);
}

static void test_filters(struct fixture *f, gconstpointer data) {
    g_assert_true(track_is_open());
    add(TRACK_RECEIVE, "ann@a.test", NULL);
    add(TRACK_DELIVER, "ann@a.test", "Bob@b.test");
    clock_set(NOON + DAY);
    add(TRACK_FAIL, "", "carl@c.test");
    g_assert_cmpstr(look(f, (struct track_filter){0}), ==,
                    "receive -;deliver Bob@b.test;fail carl@c.test;");
    g_assert_cmpstr(look(f, (struct track_filter){.sender = "ANN@a.test"}), ==,
                    "receive -;deliver Bob@b.test;");
    g_assert_cmpstr(look(f, (struct track_filter){.sender = "<>"}), ==, "fail carl@c.test;");
    g_assert_cmpstr(look(f, (struct track_filter){.recipient = "@b.test"}), ==,
                    "deliver Bob@b.test;");
    g_assert_cmpstr(look(f, (struct track_filter){.message_id = "1@a.test", .since = NOON + 1}), ==,
                    "fail carl@c.test;");
    g_assert_cmpstr(look(f, (struct track_filter){.message_id = "<1@a.test>", .until = NOON + 1}),
                    ==, "receive -;deliver Bob@b.test;");
    g_assert_cmpstr(look(f, (struct track_filter){.queue_id = "q2"}), ==, "");
    f->max = 1;
    g_assert_cmpstr(look(f, (struct track_filter){0}), ==, "receive -;");
    // Two days, two files, and no subject in them.
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_strdup_printf("%s/2023-11-%d.log", f->dir, 15 + i);
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_assert_null(strstr(text, "secret"));
    }
}

static void test_lines(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) line = g_string_new(NULL);
    struct track_event e = {.kind = TRACK_POLICY,
                            .time = NOON + 123 * (FILETIME_SECOND / 1000),
                            .queue_id = "-",
                            .sender = "",
                            .recipient = "a\tb\nc\\x41@ü.test",
                            .status = "5.7.1",
                            .size = 12345},
                       got;
    track_format(&e, line);
    g_assert_nonnull(strstr(line->str, "2023-11-15T12:00:00.123Z\tpolicy\t"));
    g_assert_cmpuint(line->str[line->len - 1], ==, '\n');
    g_assert_true(track_parse(arena, line->str, line->len - 1, &got));
    g_assert_cmpuint(got.time, ==, e.time);
    g_assert_cmpint(got.kind, ==, e.kind);
    g_assert_cmpuint(got.size, ==, e.size);
    g_assert_cmpstr(got.queue_id, ==, "-");
    g_assert_cmpstr(got.sender, ==, "");
    g_assert_cmpstr(got.recipient, ==, e.recipient);
    g_assert_cmpstr(got.status, ==, "5.7.1");
    g_assert_null(got.message_id);
    static const char *const bad[] = {
        "",
        "x",
        "2023-11-15T12:00:00.123Z\tpolicy",
        "never\tpolicy\t-\t-\t-\t-\t0\t-\t-\t-\t-",
        "2023-11-15T12:00:00.123Z\tdream\t-\t-\t-\t-\t0\t-\t-\t-\t-",
        "2023-11-15T12:00:00.123Z\tfail\t-\t-\t-\t-\tx\t-\t-\t-\t-",
        "2023-11-15T12:00:00.123Z\tfail\t-\t-\t-\t-\t0\t-\t-\t-\t-\t-"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(track_parse(arena, bad[i], strlen(bad[i]), &got));
}

// What a crash cut off is passed over, and the next event has a line of its own.
static void test_torn(struct fixture *f, gconstpointer data) {
    add(TRACK_DELIVER, "a@a", "one@b");
    track_flush();
    track_close();
    g_autofree char *path = g_build_filename(f->dir, "2023-11-15.log", NULL);
    FILE *file = fopen(path, "ae");
    fputs("2023-11-15T12:00:00.123Z\tdeliv", file);
    fclose(file);
    struct track_options options = {.dir = f->dir, .keep_seconds = 86400, .with_subjects = true};
    assert_ok(track_open(&options));
    add(TRACK_DELIVER, "a@a", "two@b");
    g_assert_cmpstr(look(f, (struct track_filter){0}), ==, "deliver one@b;deliver two@b;");
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "\tsecret\n"));
}

static void test_old(struct fixture *f, gconstpointer data) {
    g_autofree char *other = g_build_filename(f->dir, "2023-notes.log", NULL);
    g_assert_true(g_file_set_contents(other, "mine", -1, NULL));
    for (unsigned day = 0; day < 6; day++) {
        clock_set(NOON + day * DAY);
        g_autofree char *name = g_strdup_printf("%u@b", day);
        add(TRACK_DELIVER, "a@a", name);
        track_flush();
    }
    g_assert_cmpstr(look(f, (struct track_filter){0}), ==,
                    "deliver 2@b;deliver 3@b;deliver 4@b;deliver 5@b;");
    g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
    // Nothing is written without a time to keep it.
    struct track_options off = {.dir = f->dir};
    assert_ok(track_open(&off));
    g_assert_false(track_is_open());
    add(TRACK_DELIVER, "a@a", "6@b");
    g_assert_null(strstr(look(f, (struct track_filter){0}), "6@b"));
}

#define ADD(path, test) g_test_add(path, struct fixture, NULL, setup, test, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/track/filters", test_filters);
    g_test_add_func("/track/lines", test_lines);
    ADD("/track/torn", test_torn);
    ADD("/track/old", test_old);
    return g_test_run();
}
