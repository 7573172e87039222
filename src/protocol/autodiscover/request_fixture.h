// A directory with one user, and the service on it, for the fuzz target.
#pragma once

#include <glib/gstdio.h>

#include "protocol/autodiscover/autodiscover.h"
#include "store/store.h"

static struct autodiscover_service *service;
static struct principal who = {.refs = 1};

static void open_service(void) {
    g_autofree char *folder = g_dir_make_tmp("bourse-fuzz-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "directory.db", NULL);
    g_autofree char *store_path = g_build_filename(folder, "store", NULL);
    struct store_options store_options = {.is_durable = false};
    struct store *store;
    struct autodiscover_options options = {
        .hostname = "h", .organization = "", .has_activesync = true};
    struct directory_object user = {.address = "a@a.test", .display_name = "A", .protocols = ~0u};
    g_assert_true(directory_open(path, &options.directory) == EC_OK &&
                  directory_domain_add(options.directory, "a.test") == EC_OK &&
                  directory_add(options.directory, &user) == EC_OK &&
                  store_open(store_path, &store_options, &store) == EC_OK &&
                  mailbox_service_new(store, options.directory, &options.mailboxes) == EC_OK &&
                  autodiscover_service_new(&options, &service) == EC_OK);
    who.guid = user.guid;
}
