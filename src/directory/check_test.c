// The check finds what was damaged behind the directory's back, and puts it right.
#include <string.h>

#include "db/db.h"
#include "directory/directory_internal.h"
#include "directory/test_directory.h"

// Runs statements on the file itself, with the directory closed.
static void damage(struct fixture *f, const char *sql) {
    directory_close(f->d);
    struct db *db;
    struct db_conn *conn;
    assert_ok(db_open(f->path, &directory_schema, NULL, &db));
    assert_ok(db_write(db, &conn));
    assert_ok(db_exec(conn, sql));
    assert_ok(db_commit(conn));
    db_close(db);
    assert_ok(directory_open(f->path, &f->d));
}

static guint faults_of(struct fixture *f, bool repair) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_ok(directory_check(f->d, repair, faults));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("%s", (char *)faults->pdata[i]);
    return faults->len;
}

static void fill(struct fixture *f, struct guid g[4]) {
    g[0] = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    for (int i = 1; i < 4; i++)
        g[i] = add(f, DIRECTORY_GROUP, arena_printf(f->arena, "g%d@example.test", i), NULL);
    assert_ok(directory_member_add(f->d, &g[1], &g[0]));
    assert_ok(directory_member_add(f->d, &g[1], &g[2]));
    assert_ok(directory_member_add(f->d, &g[2], &g[3]));
    assert_ok(directory_alias_add(f->d, &g[0], "al@other.test"));
}

static void test_repair(struct fixture *f, gconstpointer data) {
    static const char *const damages[] = {
        "INSERT INTO address VALUES ('x@example.test', x'00', 'example.test', 'x@example.test', 0)",
        "UPDATE address SET is_primary = 0 WHERE address_key = 'alice@example.test'",
        "DELETE FROM address WHERE address_key = 'alice@example.test'",
        "UPDATE address SET is_primary = 1",
        "INSERT INTO member VALUES (x'01', x'02')",
        "INSERT INTO member SELECT o.guid, o.guid FROM object o WHERE o.kind = 0",
        "DELETE FROM word WHERE word = 'alice'",
        "INSERT INTO word SELECT 'bogus', guid FROM object WHERE kind = 0",
        "INSERT INTO word VALUES ('bogus', x'00')",
        "DELETE FROM object WHERE kind = 0",
    };
    struct guid g[4];
    fill(f, g);
    assert_sound(f);
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        damage(f, damages[i]);
        g_test_message("after: %s", damages[i]);
        guint n = faults_of(f, false);
        g_assert_cmpuint(n, >, 0);
        g_assert_cmpuint(faults_of(f, false), ==, n); // looking changes nothing
        faults_of(f, true);
        assert_sound(f);
    }
}

static void test_loop(struct fixture *f, gconstpointer data) {
    struct guid g[4];
    fill(f, g);
    g_autoptr(GString) sql = g_string_new("INSERT INTO member VALUES (x'");
    for (int end = 0; end < 2; end++) {
        for (int i = 0; i < 16; i++)
            g_string_append_printf(sql, "%02x", g[end == 0 ? 3 : 1].bytes[i]);
        g_string_append(sql, end == 0 ? "', x'" : "')");
    }
    damage(f, sql->str);
    // Nothing hangs on the way.
    struct directory_list list;
    assert_ok(directory_expand(f->d, f->arena, &g[1], &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "alice@example.test");
    assert_ok(directory_expand(f->d, f->arena, &g[3], &list));
    g_assert_cmpuint(list.n, ==, 1);
    g_assert_true(directory_is_member(f->d, &g[3], &g[0]));
    g_assert_cmpuint(faults_of(f, false), ==, 1);
    g_assert_cmpuint(faults_of(f, true), ==, 1);
    assert_sound(f);
}

static void test_unreadable(struct fixture *f, gconstpointer data) {
    add_dynamic(f, "all@example.test", "(kind=user)");
    damage(f, "UPDATE object SET filter = '(oops' WHERE kind = 5");
    g_assert_cmpuint(faults_of(f, false), ==, 1);
    struct directory_object *object;
    struct directory_list list;
    assert_ok(directory_find_address(f->d, f->arena, "all@example.test", &object));
    assert_ok(directory_expand(f->d, f->arena, &object->guid, &list));
    g_assert_cmpuint(list.n, ==, 0);
    damage(f, "DELETE FROM domain WHERE name = 'example.test'");
    g_assert_cmpuint(faults_of(f, true), ==, 2); // neither can be made up
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/check/repair", test_repair);
    ADD_TEST("/check/loop", test_loop);
    ADD_TEST("/check/unreadable", test_unreadable);
    return g_test_run();
}
