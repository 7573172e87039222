// What the unit tests share: GLib's TAP test runner, a temporary folder, expectations of results.
#pragma once

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "base/result.h"

// Fails the test, naming both codes, unless `call` gives `expected`.
#define assert_ec(call, expected)                                                                  \
    do {                                                                                           \
        enum ec got_ = (call), want_ = (expected);                                                 \
        if (got_ != want_)                                                                         \
            g_error("%s:%d: %s gave %s, expected %s", __FILE__, __LINE__, #call, ec_name(got_),    \
                    ec_name(want_));                                                               \
    } while (0)
#define assert_ok(call) assert_ec(call, EC_OK)

// A fresh folder below the temporary folder; remove with test_folder_remove, which frees the name.
static inline char *test_folder(void) {
    g_autoptr(GError) error = NULL;
    char *path = g_dir_make_tmp("bourse-test-XXXXXX", &error);
    g_assert_no_error(error);
    return path;
}

static inline int test_remove_one_(const char *path, const struct stat *st, int type,
                                   struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return g_remove(path);
}

static inline void test_folder_remove(char *path) {
    nftw(path, test_remove_one_, 16, FTW_DEPTH | FTW_PHYS);
    g_free(path);
}
