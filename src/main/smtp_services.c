// The SMTP services: their settings from bourse.conf, at the start and again on SIGHUP.
#include <string.h>

#include "main/server.h"
#include "net/networks.h"
#include "policy/policy.h"

// Names separated by commas or blanks; g_strfreev.
static char **split_names(const char *text) {
    g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);
    GStrvBuilder *names = g_strv_builder_new();
    for (char **word = words; *word; word++)
        if (**word)
            g_strv_builder_add(names, *word);
    char **out = g_strv_builder_end(names);
    g_strv_builder_unref(names);
    return out;
}

static unsigned number(const struct config *config, const char *section, const char *key) {
    return (unsigned)MIN(config_int(config, section, key), G_MAXINT);
}

// What the limits refer to is freed by limits_clear.
static enum ec read_limits(const struct config *config, struct smtp_limits *out, char **error_out) {
    g_autofree char *error = NULL;
    struct net_networks *trusted = NULL;
    enum ec ec =
        net_networks_parse(config_string(config, "transport", "trusted"), &trusted, &error);
    if (ec != EC_OK) {
        *error_out = g_strdup_printf("bourse.conf, [transport] trusted: %s", error);
        return ec;
    }
    *out = (struct smtp_limits){
        .max_size = (uint64_t)config_int(config, "limits", "message"),
        .max_recipients = number(config, "limits", "recipients"),
        .max_errors = number(config, "smtp", "errors"),
        .max_unknown = number(config, "smtp", "unknown_recipients"),
        .tarpit_after = number(config, "smtp", "tarpit_after"),
        .tarpit_seconds = number(config, "smtp", "tarpit"),
        .connections_per_minute = number(config, "smtp", "connections_per_minute"),
        .messages_per_minute = number(config, "smtp", "messages_per_minute"),
        .user_messages_per_minute = number(config, "smtp", "user_messages_per_minute"),
        .user_recipients_per_hour = number(config, "smtp", "user_recipients_per_hour"),
        .hides_clients = config_bool(config, "smtp", "hide_clients"),
        .trusted = trusted,
        .relay_domains =
            (const char *const *)split_names(config_string(config, "transport", "relay_domains")),
    };
    return EC_OK;
}

static void limits_clear(struct smtp_limits *limits) {
    net_networks_unref(limits->trusted);
    g_strfreev((char **)(uintptr_t)limits->relay_domains);
}

static enum ec open_one(struct server *server, const struct smtp_settings *settings,
                        struct smtp_service **out) {
    const struct admin_services *s = &server->services;
    EC_TRY(smtp_service_new(settings, s->queue, s->directory, s->auth, out));
    smtp_service_ask_mailboxes(*out, s->mailboxes);
    return EC_OK;
}

static enum ec open_all(struct server *server, struct smtp_settings settings) {
    settings.kind = SMTP_MX;
    EC_TRY(open_one(server, &settings, &server->smtp));
    settings.kind = SMTP_LMTP;
    EC_TRY(open_one(server, &settings, &server->lmtp));
    settings.kind = SMTP_SUBMISSION;
    EC_TRY(open_one(server, &settings, &server->submission));
    settings.has_tls = false; // from the start, so not offered
    return open_one(server, &settings, &server->submissions);
}

// Without the DNS and rspamd the policy has nothing to say, and asking it costs a turn of a worker.
static bool is_checked(const struct config *config) {
    return strcmp(config_string(config, "dns", "servers"), "off") != 0 ||
           *config_string(config, "policy", "rspamd");
}

enum ec smtp_services_open(struct server *server, char **error_out) {
    server->rates = smtp_rates_new();
    struct smtp_settings settings = {
        .hostname = config_string(server->config, "server", "hostname"),
        .has_tls = true,
        .rates = server->rates,
        .check = is_checked(server->config) ? policy_check : NULL,
        .policy = server->policy,
        .net = server->net,
    };
    EC_TRY(read_limits(server->config, &settings.limits, error_out));
    enum ec ec = open_all(server, settings);
    limits_clear(&settings.limits);
    return ec;
}

void smtp_services_close(struct server *server) {
    smtp_service_free(server->smtp);
    smtp_service_free(server->submission);
    smtp_service_free(server->submissions);
    smtp_service_free(server->lmtp);
    smtp_rates_free(server->rates);
}

enum ec smtp_services_reload(struct server *server, const struct config *config, char **error_out) {
    struct smtp_service *all[] = {server->smtp, server->submission, server->submissions,
                                  server->lmtp};
    struct smtp_limits limits;
    EC_TRY(read_limits(config, &limits, error_out));
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        smtp_service_set_limits(all[i], &limits);
    limits_clear(&limits);
    return EC_OK;
}
