// The parts of a data directory in the order in which they need each other.
#include "main/services.h"

#include <string.h>

#include "auth/auth.h"
#include "directory/directory.h"
#include "dns/dns.h"
#include "mailbox/mailbox.h"
#include "mailbox/quota.h"
#include "main/settings.h"
#include "policy/policy.h"
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

static enum ec open_dns(const struct config *config, struct admin_services *s, char **error_out) {
    struct dns_options options;
    settings_dns(config, &options);
    enum ec ec = dns_new(&options, &s->dns);
    if (ec != EC_OK)
        *error_out = g_strdup_printf("bourse.conf, [dns]: %s; see the message above", ec_text(ec));
    return ec;
}

static enum ec open_policy(const struct config *config, struct admin_services *s,
                           char **error_out) {
    g_autofree char *keys = g_build_filename(s->dir, "dkim", NULL);
    struct policy_options options;
    settings_policy(config, &options);
    bool is_off = strcmp(config_string(config, "dns", "servers"), "off") == 0;
    options.dns = is_off ? NULL : s->dns;
    options.keys_dir = keys;
    enum ec ec = policy_new(&options, &s->policy);
    return ec == EC_OK ? EC_OK : failed(ec, "DKIM keys", keys, error_out);
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

// `text`: name=path, separated by commas. The names and paths belong to `words`.
static enum ec parse_databases(const char *dir, const char *text, GPtrArray *words,
                               GArray *databases, char **error_out) {
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (char **item = items; *item; item++) {
        char *path = strchr(g_strstrip(*item), '=');
        if (!**item)
            continue;
        if (!path || path == *item || path[1] == 0 || memchr(*item, '/', (size_t)(path - *item))) {
            *error_out =
                g_strdup_printf("bourse.conf, [store] databases: '%s' is not name=path", *item);
            return EC_INVALID_PARAMETER;
        }
        char *name = g_strstrip(g_strndup(*item, (gsize)(path - *item)));
        char *place = g_canonicalize_filename(g_strstrip(path + 1), dir);
        g_ptr_array_add(words, name);
        g_ptr_array_add(words, place);
        struct store_database database = {name, place};
        g_array_append_val(databases, database);
    }
    return EC_OK;
}

static enum ec open_parts(const struct config *config, struct admin_services *s, char **error_out) {
    g_autofree char *directory = g_build_filename(s->dir, "directory.db", NULL);
    g_autofree char *store = g_build_filename(s->dir, "store", NULL);
    g_autofree char *queue = g_build_filename(s->dir, "queue", NULL);
    struct store_options store_options = {
        .max_idle_open = (unsigned)config_int(config, "store", "idle_mailboxes"),
        .is_durable = config_bool(config, "store", "durable"),
    };
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) databases = g_array_new(FALSE, FALSE, sizeof(struct store_database));
    EC_TRY(parse_databases(s->dir, config_string(config, "store", "databases"), words, databases,
                           error_out));
    store_options.databases = (const struct store_database *)(void *)databases->data;
    store_options.n_databases = databases->len;
    enum ec ec = directory_open(directory, &s->directory);
    if (ec != EC_OK)
        return failed(ec, "directory", directory, error_out);
    if ((ec = store_open(store, &store_options, &s->store)) != EC_OK)
        return failed(ec, "store", store, error_out);
    set_fulltext(config, s->store);
    if ((ec = queue_open(queue, &s->queue)) != EC_OK)
        return failed(ec, "queue", queue, error_out);
    if ((ec = settings_auth(config, s->dir, s->directory, &s->auth)) != EC_OK)
        return failed(ec, "credentials", directory, error_out);
    if ((ec = mailbox_service_new(s->store, s->directory, &s->mailboxes)) != EC_OK)
        return failed(ec, "store", store, error_out);
    struct mailbox_options mailbox_options;
    settings_mailbox(config, &mailbox_options);
    mailbox_service_configure(s->mailboxes, &mailbox_options);
    EC_TRY(open_dns(config, s, error_out));
    return open_policy(config, s, error_out);
}

enum ec services_open(const char *dir, const struct config *config, struct admin_services *out,
                      char **error_out) {
    const char *certificate = config_string(config, "tls", "cert");
    *out = (struct admin_services){
        .dir = g_strdup(dir),
        .hostname = g_strdup(config_string(config, "server", "hostname")),
        .certificate = *certificate ? g_canonicalize_filename(certificate, dir) : NULL,
    };
    enum ec ec = open_parts(config, out, error_out);
    if (ec != EC_OK)
        services_close(out);
    return ec;
}

void services_close(struct admin_services *s) {
    policy_free(s->policy);
    dns_free(s->dns);
    mailbox_service_free(s->mailboxes);
    auth_free(s->auth);
    queue_close(s->queue);
    store_close(s->store);
    directory_close(s->directory);
    g_free(s->hostname);
    g_free(s->certificate);
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
