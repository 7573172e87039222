// Names in a Maildir, there and back.
#include "admin/maildir.h"

#include "admin/import_source.h"
#include "base/test.h"
#include "mapi/message_row.h"

static void test_flags(void) {
    static const struct {
        const char *name;
        uint32_t flags;
        const char *keywords;
    } rows[] = {
        {"1700000000.M1P2.host", 0, NULL},
        {"1700000000.M1P2.host:2,", 0, NULL},
        {"1700000000.M1P2.host:2,S", MSG_READ, NULL},
        {"1700000000.M1P2.host,S=12:2,DFRST",
         MSG_DRAFT | MSG_FLAGGED | MSG_ANSWERED | MSG_READ | MSG_DELETED, NULL},
        {"1700000000.M1P2.host:2,PSab", MSG_READ, "$Forwarded Work important"},
        {"1700000000.M1P2.host:2,Sz", MSG_READ, NULL},
        {"1700000000.M1P2.host!2,F", MSG_FLAGGED, NULL},
        {"1700000000.2,F.host", 0, NULL},
        {"x:1,S", 0, NULL},
        {":2,S", MSG_READ, NULL},
        {"", 0, NULL},
    };
    struct maildir_keywords keywords = {{g_strdup("important"), g_strdup("Work")}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *words = NULL;
        g_test_message("%s", rows[i].name);
        g_assert_cmpuint(maildir_flags(rows[i].name, &keywords, &words), ==, rows[i].flags);
        g_assert_cmpstr(words, ==, rows[i].keywords);
    }
    maildir_keywords_clear(&keywords);
}

static void test_suffix(void) {
    struct maildir_keywords keywords = {{NULL}};
    g_autofree char *none = maildir_suffix(0, NULL, &keywords);
    g_autofree char *all = maildir_suffix(MSG_CLIENT_FLAGS, "$Forwarded Work", &keywords);
    g_autofree char *text = maildir_keywords_text(&keywords);
    g_assert_cmpstr(none, ==, ":2,");
    g_assert_cmpstr(all, ==, ":2,DFPRSTa");
    g_assert_cmpstr(text, ==, "0 Work\n");
    g_autofree char *words = NULL;
    g_assert_cmpuint(maildir_flags(all, &keywords, &words), ==, MSG_CLIENT_FLAGS);
    g_assert_cmpstr(words, ==, "$Forwarded Work");
    for (unsigned i = 0; i < 30; i++) {
        g_autofree char *name = g_strdup_printf("k%u", i);
        char expected = (char)(i < 25 ? 'b' + (int)i : 0);
        g_assert_true(maildir_keyword_letter(&keywords, name) == expected);
    }
    maildir_keywords_clear(&keywords);
}

static void test_keywords_file(void) {
    char *dir = test_folder();
    g_autofree char *path = g_build_filename(dir, "dovecot-keywords", NULL);
    g_file_set_contents(path, "0 Work\n1 two words\n26 far\n-1 x\n2 \n3 ok\nnonsense", -1, NULL);
    struct maildir_keywords keywords;
    maildir_keywords_load(&keywords, dir);
    g_assert_cmpstr(keywords.names[0], ==, "Work");
    g_assert_null(keywords.names[1]);
    g_assert_null(keywords.names[2]);
    g_assert_cmpstr(keywords.names[3], ==, "ok");
    maildir_keywords_clear(&keywords);
    test_folder_remove(dir);
}

static void test_folders(void) {
    static const char *const rows[][2] = {
        {"Sent Items", ".Sent Items"},
        {"Projects/2026", ".Projects.2026"},
        {"Entw\xc3\xbcrfe", ".Entw&APw-rfe"},
        {"a & b", ".a &- b"},
        {"v1.0", ".v1&AC4-0"},
        {"\xf0\x9f\x93\xa7/\xe6\x97\xa5\xe6\x9c\xac", ".&2D3c5w-.&ZeVnLA-"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = maildir_directory_name(rows[i][0]);
        g_autofree char *path = maildir_folder_path(rows[i][1]);
        g_assert_cmpstr(name, ==, rows[i][1]);
        g_assert_cmpstr(path, ==, rows[i][0]);
    }
    static const char *const odd[][2] = {
        {".plain \xc3\xbc", "plain \xc3\xbc"}, {".R&D", "R&D"}, {".a..b", "a/b"}, {".&!!-", "&!!-"},
        {".&AC8-x", "\xe2\x88\x95x"},          {"cur", NULL},   {".", NULL},      {"..", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autofree char *path = maildir_folder_path(odd[i][0]);
        g_assert_cmpstr(path, ==, odd[i][1]);
    }
}

// Folder names become file names that stay below OUT.
static void test_file_names(void) {
    static const char *const names[] = {
        "Inbox", "..", ".", ".hidden", "a/b", "100%", "tab\t", "", "\xe6\x97\xa5\xe6\x9c\xac"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = folder_name_to_file(names[i]);
        g_autofree char *back = folder_name_from_file(file);
        g_assert_cmpuint(strlen(file), >, 0);
        g_assert_true(file[0] != '.');
        g_assert_null(strchr(file, '/'));
        if (*names[i] && !strchr(names[i], '/'))
            g_assert_cmpstr(back, ==, names[i]);
    }
    g_autofree char *long_name = g_strnfill(1000, 'x');
    g_autofree char *longer = g_strconcat(long_name, "y", NULL);
    g_autofree char *a = folder_name_to_file(long_name);
    g_autofree char *b = folder_name_to_file(longer);
    g_assert_cmpuint(strlen(a), <=, 200);
    g_assert_cmpstr(a, !=, b);
}

static void write_file(const char *dir, const char *name) {
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "Subject: x\n\n", -1, NULL));
}

// A Maildir with folders in both layouts, beside what is none.
static void test_walk(void) {
    char *dir = test_folder();
    static const char *const files[] = {
        "cur/2.b:2,S",   "cur/10.c:2,",     "new/3.d",       "tmp/x",
        ".Sent/cur/1.e", ".Sent/new/.keep", ".A.B/new/1.f",  "Sub/cur/1.g",
        "Sub/new/.keep", ".A.B/cur/.keep",  "dovecot.index", ".nosuch/file",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++)
        write_file(dir, files[i]);
    struct import_sources sources;
    import_sources_init(&sources, NULL, false);
    import_sources_add(&sources, dir);
    g_autoptr(GString) found = g_string_new(NULL);
    for (unsigned i = 0; i < sources.items->len; i++) {
        const struct import_source *s = sources.items->pdata[i];
        g_autofree char *name = g_path_get_basename(s->path);
        g_string_append_printf(found, "%s=%s ", s->folder, name);
    }
    g_assert_cmpstr(found->str, ==,
                    "Inbox=2.b:2,S Inbox=10.c:2, Inbox=3.d A/B=1.f Sent=1.e Sub=1.g ");
    g_assert_cmpuint(sources.skipped->len, ==, 0);
    import_sources_clear(&sources);
    test_folder_remove(dir);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/maildir/flags", test_flags);
    g_test_add_func("/maildir/suffix", test_suffix);
    g_test_add_func("/maildir/keywords-file", test_keywords_file);
    g_test_add_func("/maildir/folders", test_folders);
    g_test_add_func("/maildir/file-names", test_file_names);
    g_test_add_func("/maildir/walk", test_walk);
    return g_test_run();
}
