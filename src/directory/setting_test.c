// Settings of entries and retention tags.
#include "directory/retention.h"
#include "directory/setting.h"
#include "directory/test_directory.h"

static void test_settings(struct fixture *f, gconstpointer data) {
    struct guid a = add(f, DIRECTORY_USER, "a@example.test", "A"), found, nobody = guid_new();
    const char *value;
    struct directory_settings all;
    assert_ec(directory_setting(f->d, f->arena, &a, "quota.warn", &value), EC_NOT_FOUND);
    uint64_t generation = directory_generation(f->d);
    assert_ok(directory_set_setting(f->d, &a, "quota.warn", "100"));
    g_assert_cmpuint(directory_generation(f->d), >, generation); // caches above see it
    assert_ok(directory_set_setting(f->d, &a, "quota.warn", "200"));
    assert_ok(directory_set_setting(f->d, &a, "archive", "x"));
    assert_ok(directory_setting(f->d, f->arena, &a, "quota.warn", &value));
    g_assert_cmpstr(value, ==, "200");
    assert_ok(directory_settings(f->d, f->arena, &a, &all));
    g_assert_cmpuint(all.n, ==, 2);
    g_assert_cmpstr(all.items[0].name, ==, "archive");
    assert_ok(directory_find_setting(f->d, "archive", "x", &found));
    g_assert_true(guid_equal(&found, &a));
    assert_ec(directory_find_setting(f->d, "archive", "y", &found), EC_NOT_FOUND);
    assert_ec(directory_set_setting(f->d, &nobody, "archive", "x"), EC_NOT_FOUND);
    assert_ok(directory_set_setting(f->d, &a, "archive", NULL));
    assert_ec(directory_setting(f->d, f->arena, &a, "archive", &value), EC_NOT_FOUND);
    assert_ok(directory_remove(f->d, &a));
    assert_ok(directory_settings(f->d, f->arena, &a, &all));
    g_assert_cmpuint(all.n, ==, 0);
    assert_sound(f);
}

static void test_tags(struct fixture *f, gconstpointer data) {
    struct retention_tag year = {.name = "One year", .action = RETENTION_DELETE, .days = 365};
    struct retention_tag all = {.name = "All", .action = RETENTION_DELETE, .days = 90, .folder = 4};
    struct retention_tag archive = {
        .name = "Away", .action = RETENTION_ARCHIVE, .days = 30, .folder = 4};
    struct retention_tag rival = {.name = "Rival", .action = RETENTION_PURGE, .folder = 4}, found;
    struct retention_tags tags;
    assert_ok(directory_retention_add(f->d, &year));
    assert_ec(directory_retention_add(f->d, &year), EC_COLLISION);
    assert_ok(directory_retention_add(f->d, &all));
    assert_ok(directory_retention_add(f->d, &archive)); // another kind of action
    assert_ec(directory_retention_add(f->d, &rival), EC_COLLISION);
    assert_ok(directory_retention_find(f->d, f->arena, "ONE YEAR", &found));
    g_assert_cmpuint(found.days, ==, 365);
    assert_ok(directory_retention_tags(f->d, f->arena, &tags));
    g_assert_cmpuint(tags.n, ==, 3);
    g_assert_cmpstr(tags.items[0].name, ==, "All");
    assert_ok(directory_retention_remove(f->d, &found.guid));
    assert_ec(directory_retention_remove(f->d, &found.guid), EC_NOT_FOUND);
    assert_ec(directory_retention_find(f->d, f->arena, "One year", &found), EC_NOT_FOUND);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/directory/setting/settings", test_settings);
    ADD_TEST("/directory/setting/tags", test_tags);
    return g_test_run();
}
