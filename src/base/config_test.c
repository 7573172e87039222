// The configuration file against its schema.
#include "base/config.h"

#include "base/test.h"

static const struct config_item items[] = {
    {"server", "hostname", CONFIG_STRING, "localhost", NULL, "The name this server answers as."},
    {"listen", "imap", CONFIG_ADDRESS, "", NULL, "Where IMAP listens."},
    {"limits", "message", CONFIG_SIZE, "50M", NULL, "The largest message."},
    {"limits", "idle", CONFIG_DURATION, "30m", NULL, "How long a client may be idle."},
    {"auth", "plaintext", CONFIG_CHOICE, "never", "never|loopback", "Plain-text passwords."},
    {NULL},
};

static enum ec load(const char *text, struct config **config, char **error) {
    char *dir = test_folder();
    g_autofree char *path = g_build_filename(dir, "bourse.conf", NULL);
    g_file_set_contents(path, text, -1, NULL);
    enum ec ec = config_load(path, items, config, error);
    test_folder_remove(dir);
    return ec;
}

static void test_values(void) {
    struct config *config = NULL;
    char *error = NULL;
    assert_ok(load("[listen]\nimap = [::1]:143\n[limits]\nmessage = 2K\n", &config, &error));
    g_assert_cmpstr(config_string(config, "listen", "imap"), ==, "[::1]:143");
    g_assert_cmpint(config_int(config, "limits", "message"), ==, 2048);
    g_assert_cmpint(config_int(config, "limits", "idle"), ==, 1800);
    g_autofree char *text = config_format(config);
    config_free(config);
    assert_ok(load(text, &config, &error)); // what is written can be read again
    g_assert_cmpint(config_int(config, "limits", "message"), ==, 2048);
    config_free(config);
}

static void test_mistakes(void) {
    static const char *const wrong[] = {
        "[nosuch]\nx = 1\n",
        "[limits]\nmesage = 1\n",
        "[limits]\nmessage = 1X\n",
        "[limits]\nmessage = -5\n",
        "[limits]\nmessage = 99999999999999999999\n",
        "[listen]\nimap = 143\n",
        "[listen]\nimap = a:70000\n",
        "[auth]\nplaintext = always\n",
        "no section\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct config *config = NULL;
        g_autofree char *error = NULL;
        assert_ec(load(wrong[i], &config, &error), EC_INVALID_PARAMETER);
        g_assert_nonnull(error);
        g_assert_null(config);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/values", test_values);
    g_test_add_func("/config/mistakes", test_mistakes);
    return g_test_run();
}
