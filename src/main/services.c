// The parts of a data directory in the order in which they need each other.
#include "main/services.h"

#include <string.h>

#include "auth/auth.h"
#include "directory/directory.h"
#include "mailbox/mailbox.h"
#include "mailbox/quota.h"
#include "main/settings.h"
#include "queue/queue.h"
#include "store/fulltext.h"
#include "store/store.h"

static enum ec failed(enum ec ec, const char *what, const char *path, char **error_out) {
    const char *hint = ec == EC_DISK_FULL ? "make room on the disk"
                       : ec == EC_BAD_VERSION
                           ? "it was written by a newer version of bourse; use that"
                       : ec == EC_CORRUPT_DATA ? "restore it from a backup"
                                               : "see the message above";
    *error_out = g_strdup_printf("cannot open the %s (%s): %s; %s", what, path, ec_text(ec), hint);
    return ec;
}

static void set_fulltext(const struct config *config, struct store *store) {
    const char *policy = config_string(config, "store", "index");
    struct fulltext_options options = {
        .policy = strcmp(policy, "always") == 0 ? FULLTEXT_ALWAYS
                  : strcmp(policy, "off") == 0  ? FULLTEXT_OFF
                                                : FULLTEXT_ON_DEMAND,
        .converter = config_string(config, "store", "index_converter"),
    };
    store_set_fulltext(store, &options);
}

static enum ec open_parts(const struct config *config, struct admin_services *s, char **error_out) {
    g_autofree char *directory = g_build_filename(s->dir, "directory.db", NULL);
    g_autofree char *store = g_build_filename(s->dir, "store", NULL);
    g_autofree char *queue = g_build_filename(s->dir, "queue", NULL);
    struct store_options store_options = {
        .max_idle_open = (unsigned)config_int(config, "store", "idle_mailboxes"),
        .is_durable = config_bool(config, "store", "durable"),
    };
    struct auth_options auth_options = {
        .plaintext_loopback = config_string(config, "auth", "plaintext")[0] == 'l',
        .store_nt_hash = config_bool(config, "auth", "ntlm"),
    };
    enum ec ec = directory_open(directory, &s->directory);
    if (ec != EC_OK)
        return failed(ec, "directory", directory, error_out);
    if ((ec = store_open(store, &store_options, &s->store)) != EC_OK)
        return failed(ec, "store", store, error_out);
    set_fulltext(config, s->store);
    if ((ec = queue_open(queue, &s->queue)) != EC_OK)
        return failed(ec, "queue", queue, error_out);
    if ((ec = auth_new(s->directory, &auth_options, &s->auth)) != EC_OK)
        return failed(ec, "credentials", directory, error_out);
    if ((ec = mailbox_service_new(s->store, s->directory, &s->mailboxes)) != EC_OK)
        return failed(ec, "store", store, error_out);
    struct mailbox_options mailbox_options;
    settings_mailbox(config, &mailbox_options);
    mailbox_service_configure(s->mailboxes, &mailbox_options);
    return EC_OK;
}

enum ec services_open(const char *dir, const struct config *config, struct admin_services *out,
                      char **error_out) {
    *out = (struct admin_services){.dir = g_strdup(dir)};
    enum ec ec = open_parts(config, out, error_out);
    if (ec != EC_OK)
        services_close(out);
    return ec;
}

void services_close(struct admin_services *s) {
    mailbox_service_free(s->mailboxes);
    auth_free(s->auth);
    queue_close(s->queue);
    store_close(s->store);
    directory_close(s->directory);
    g_free(s->dir);
    *s = (struct admin_services){0};
}

enum ec services_open_alone(const char *dir, struct admin_services *out, char **error_out) {
    struct config *config;
    EC_TRY(settings_load(dir, &config, error_out));
    enum ec ec = services_open(dir, config, out, error_out);
    config_free(config);
    return ec;
}
