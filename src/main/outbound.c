// The settings of the way out, [transport], and the start of what they are for.
#include <string.h>

#include "main/server.h"
#include "policy/policy.h"
#include "relay/relay.h"

static enum relay_tls read_tls(const struct config *config, const char *key) {
    static const struct {
        const char *name;
        enum relay_tls tls;
    } words[] = {{"off", RELAY_TLS_OFF},
                 {"required", RELAY_TLS_REQUIRED},
                 {"verified", RELAY_TLS_VERIFIED},
                 {"implicit", RELAY_TLS_IMPLICIT}};
    const char *value = config_string(config, "transport", key);
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].name, value) == 0)
            return words[i].tls;
    return RELAY_TLS_MAY;
}

static enum ec read_password(struct server *server, char **out, char **error_out) {
    const char *file = config_string(server->config, "transport", "smarthost_password_file");
    if (!*file)
        return EC_OK;
    g_autofree char *path = g_canonicalize_filename(file, server->dir);
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, out, NULL, &error)) {
        *error_out =
            g_strdup_printf("bourse.conf, [transport] smarthost_password_file: %s", error->message);
        return EC_NOT_FOUND;
    }
    (*out)[strcspn(*out, "\r\n")] = '\0';
    return EC_OK;
}

static unsigned number(const struct config *config, const char *key) {
    return (unsigned)MIN(config_int(config, "transport", key), G_MAXINT32);
}

static struct relay_options read_relay(struct server *server, const char *password,
                                       const char *sts_dir) {
    const struct config *c = server->config;
    return (struct relay_options){
        .dns = server->services.dns,
        .hostname = config_string(c, "server", "hostname"),
        .port = number(c, "port"),
        .smarthost = config_string(c, "transport", "smarthost"),
        .smarthost_user = config_string(c, "transport", "smarthost_user"),
        .smarthost_password = password,
        .smarthost_tls = read_tls(c, "smarthost_tls"),
        .routes = config_string(c, "transport", "routes"),
        .tls = read_tls(c, "tls"),
        .no_dane = !config_bool(c, "transport", "dane"),
        .no_mta_sts = !config_bool(c, "transport", "mta_sts"),
        .ca_file = config_string(c, "transport", "ca"),
        .sts_dir = sts_dir,
        .sts_port = number(c, "mta_sts_port"),
        .connections = number(c, "connections"),
        .connections_per_destination = number(c, "connections_per_domain"),
        .connect_seconds = number(c, "timeout_connect"),
        .command_seconds = number(c, "timeout_command"),
        .data_seconds = number(c, "timeout_data"),
        .end_seconds = number(c, "timeout_end"),
    };
}

static enum ec sign(void *policy, const char *domain, GBytes *message, char **fields_out) {
    return policy_sign(policy, domain, message, fields_out);
}

enum ec outbound_open(struct server *server, char **error_out) {
    const struct config *c = server->config;
    g_autofree char *password = NULL;
    g_autofree char *sts_dir = g_build_filename(server->dir, "mta-sts", NULL);
    EC_TRY(read_password(server, &password, error_out));
    struct relay_options relay = read_relay(server, password, sts_dir);
    struct transport_options options = {
        .hostname = config_string(c, "server", "hostname"),
        .workers = number(c, "workers"),
        .retry_seconds = number(c, "retry"),
        .retry_max_seconds = number(c, "retry_max"),
        .expire_seconds = number(c, "expire"),
        .delay_seconds = number(c, "delay_warning"),
        .journal = config_string(c, "transport", "journal"),
        .journal_domains = config_string(c, "transport", "journal_domains"),
        .relay = &relay,
        .sign = sign,
        .sign_ctx = server->services.policy,
    };
    enum ec ec = transport_new(server->services.queue, server->services.mailboxes, &options,
                               &server->transport);
    if (ec == EC_OK)
        server->services.relay = transport_relay(server->transport);
    else if (ec == EC_INVALID_PARAMETER)
        *error_out = g_strdup("bourse.conf, [transport]: see the message above");
    return ec;
}
