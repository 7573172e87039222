// The command line's grammar, and the table it works on.
#include "admin/arguments.h"

#include "admin/command_functions.h"
#include "base/test.h"

static const struct command_option options[] = {
    {"name", "TEXT", "A name"}, {"yes", NULL, "Do it"}, {NULL}};

static enum ec parse(struct arena *arena, const char *pattern, const char *line,
                     struct arguments *out, const char **error) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    unsigned n = g_strv_length(words);
    char **kept = arena_alloc0(arena, (n + 1) * sizeof *kept); // borrowed by *out
    for (unsigned i = 0; i < n; i++)
        kept[i] = arena_strdup(arena, words[i]);
    return arguments_parse(arena, pattern, options, *line ? kept : NULL, *line ? n : 0, out, error);
}

static void test_accepted(void) {
    static const struct {
        const char *pattern, *line;
        unsigned n;
        const char *name;
        bool yes, json;
    } rows[] = {
        {"DIR", "d", 1, NULL, false, false},
        {"DIR ADDRESS", "d a --name x", 2, "x", false, false},
        {"DIR ADDRESS", "--name=x d --yes a", 2, "x", true, false},
        {"DIR ADDRESS", "d --json a --name=", 2, "", false, true},
        {"DIR [ID]", "d", 1, NULL, false, false},
        {"DIR [ID]", "d i", 2, NULL, false, false},
        {"DIR FILE...", "d -- --name -x", 3, NULL, false, false},
        {"DIR FILE", "d -", 2, NULL, false, false},
        {"DIR", "d --name a --name b", 1, "b", false, false},
        {"[COMMAND...]", "", 0, NULL, false, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ARENA_AUTO arena = arena_new();
        struct arguments a;
        const char *error = NULL;
        g_test_message("%s: %s", rows[i].pattern, rows[i].line);
        assert_ok(parse(arena, rows[i].pattern, rows[i].line, &a, &error));
        g_assert_cmpuint(a.n, ==, rows[i].n);
        g_assert_cmpstr(arguments_option(&a, "name"), ==, rows[i].name);
        g_assert_cmpint(arguments_has(&a, "yes"), ==, rows[i].yes);
        g_assert_cmpint(a.is_json, ==, rows[i].json);
    }
}

static void test_refused(void) {
    static const char *const rows[][3] = {
        {"DIR", "", "DIR is missing"},
        {"DIR ADDRESS", "d", "ADDRESS is missing"},
        {"DIR FILE...", "d", "FILE... is missing"},
        {"DIR", "d e f", "2 arguments too many"},
        {"DIR", "d --nme x", "there is no option --nme"},
        {"DIR", "d --name", "--name needs a value (TEXT)"},
        {"DIR", "d --yes=1", "--yes takes no value"},
        {"DIR", "d -x", "there is no option -x"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ARENA_AUTO arena = arena_new();
        struct arguments a;
        const char *error = NULL;
        assert_ec(parse(arena, rows[i][0], rows[i][1], &a, &error), EC_INVALID_PARAMETER);
        g_assert_cmpstr(error, ==, rows[i][2]);
    }
}

static void test_commands(void) {
    unsigned used = 0;
    char *words[] = {(char *)"group", (char *)"members", (char *)"add", (char *)"d"};
    g_assert_cmpstr(command_find(words, 4, &used)->name, ==, "group members add");
    g_assert_cmpuint(used, ==, 3);
    char *user[] = {(char *)"user"};
    g_assert_null(command_find(user, 1, &used));
    for (const struct command *c = admin_commands; c->name; c++) {
        g_test_message("%s", c->name);
        g_assert_nonnull(c->run);
        g_assert_nonnull(c->summary);
        g_assert_true(command_by_name(c->name) == c);
        // Whatever asks can be told not to; passwords can come from a file.
        bool has_yes = false, has_stdin = false;
        for (const struct command_option *o = c->options; o && o->name; o++) {
            has_yes |= strcmp(o->name, "yes") == 0;
            has_stdin |= strcmp(o->name, "password-stdin") == 0;
            g_assert_nonnull(o->help);
        }
        g_assert_cmpint(has_yes, ==, (c->flags & COMMAND_CONFIRM) != 0);
        g_assert_cmpint(has_stdin, ==, (c->flags & COMMAND_PASSWORD) != 0);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arguments/accepted", test_accepted);
    g_test_add_func("/arguments/refused", test_refused);
    g_test_add_func("/arguments/commands", test_commands);
    return g_test_run();
}
