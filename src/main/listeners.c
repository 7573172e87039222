// From [listen] to sockets: which protocol answers where.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "main/server.h"
#include "net/networks.h"

#define SMTP_IDLE_SECONDS 300 // [RFC 5321] 4.5.3.2.7

// What one key of [listen] stands for. `proto` NULL: this version does not speak it.
struct listener {
    const char *name;
    const struct net_proto *proto;
    void *service;
    bool implicit_tls;
    unsigned idle_seconds;
};

// Whether [listen] proxy names the service.
static bool is_proxied(const struct server *server, const char *name) {
    g_auto(GStrv) names =
        g_strsplit_set(config_string(server->config, "listen", "proxy"), ", \t", -1);
    return g_strv_contains((const char *const *)names, name);
}

static enum ec open_one(struct server *server, const struct listener *l, char **error_out) {
    const char *address = config_string(server->config, "listen", l->name);
    g_autofree char *bound = NULL;
    if (!*address)
        return EC_OK;
    if (!l->proto) {
        log_event(LOG_LEVEL_WARNING, "server.listener_ignored", "service", l->name, "address",
                  address, "reason", "this version does not speak it", "hint",
                  "leave its line in [listen] empty", NULL);
        return EC_OK;
    }
    struct net_listen spec = {
        .address = address,
        .proto = l->proto,
        .service = l->service,
        .tls = server->tls,
        .implicit_tls = l->implicit_tls,
        .max_connections = (unsigned)config_int(server->config, "limits", "connections"),
        .max_per_address =
            (unsigned)config_int(server->config, "limits", "connections_per_address"),
        .idle_seconds = l->idle_seconds,
        .proxies = is_proxied(server, l->name) ? server->trusted : NULL,
    };
    enum ec ec = net_listen(server->net, &spec, &bound);
    if (ec != EC_OK) {
        *error_out = g_strdup_printf("cannot listen on [listen] %s = %s; see the message above",
                                     l->name, address);
        return ec;
    }
    g_string_append_printf(server->listeners, "%s %s\n", l->name, bound);
    log_event(LOG_LEVEL_INFO, "server.listening", "service", l->name, "address", bound, NULL);
    return EC_OK;
}

static enum ec write_list(struct server *server, char **error_out) {
    g_autofree char *path = g_build_filename(server->dir, "run", "listeners", NULL);
    g_autoptr(GError) error = NULL;
    if (g_file_set_contents(path, server->listeners->str, (gssize)server->listeners->len, &error))
        return EC_OK;
    *error_out = g_strdup(error->message);
    return EC_DISK_ERROR;
}

enum ec listeners_open(struct server *server, char **error_out) {
    unsigned idle = (unsigned)config_int(server->config, "limits", "idle");
    const struct listener all[] = {
        {"imap", &imap_proto, &server->imap, false, idle},
        {"imaps", &imap_proto, &server->imaps, true, idle},
        {"smtp", &smtp_proto, server->smtp, false, SMTP_IDLE_SECONDS},
        {"lmtp", &smtp_proto, server->lmtp, false, SMTP_IDLE_SECONDS},
        {"submission", &smtp_proto, server->submission, false, SMTP_IDLE_SECONDS},
        {"submissions", &smtp_proto, server->submissions, true, SMTP_IDLE_SECONDS},
        {"pop3", &pop3_proto, server->pop3, false, idle},
        {"pop3s", &pop3_proto, server->pop3s, true, idle},
        {"ldap"},
        {"ldaps"},
    };
    EC_TRY(net_networks_parse(config_string(server->config, "transport", "trusted"),
                              &server->trusted, error_out));
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        EC_TRY(open_one(server, &all[i], error_out));
    EC_TRY(http_services_listen(server, error_out));
    server->services.listeners = server->listeners->str;
    return write_list(server, error_out);
}

void listeners_forget(struct server *server) {
    g_autofree char *path = g_build_filename(server->dir, "run", "listeners", NULL);
    unlink(path);
}
