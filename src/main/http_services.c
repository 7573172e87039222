// The HTTP server: its settings, start and stop, /health and /metrics.
#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "directory/directory.h"
#include "http/http.h"
#include "main/server.h"
#include "mapihttp/mapihttp.h"
#include "net/networks.h"
#include "protocol/autodiscover/autodiscover.h"
#include "queue/queue.h"

#define DISK_LEAST (UINT64_C(64) << 20) // free bytes below which nothing is well

static const struct http_route own_routes[];

// --- Start, reload, stop ---

static unsigned number(const struct config *config, const char *section, const char *key) {
    return (unsigned)MIN(config_int(config, section, key), G_MAXINT32);
}

enum ec http_services_open(struct server *server, char **error_out) {
    const struct config *c = server->config;
    const char *log = config_string(c, "http", "access_log");
    g_autofree char *log_path = *log ? g_canonicalize_filename(log, server->dir) : NULL;
    g_autofree char *spool = g_build_filename(server->dir, "run", NULL);
    g_autofree char *error = NULL;
    if (net_networks_parse(config_string(c, "http", "metrics"), &server->metrics_networks,
                           &error) != EC_OK) {
        *error_out = g_strdup_printf("bourse.conf, [http] metrics: %s", error);
        return EC_INVALID_PARAMETER;
    }
    struct http_options options = {
        .net = server->net,
        .auth = server->services.auth,
        .server_name = config_string(c, "server", "hostname"),
        .max_connections = number(c, "limits", "connections"),
        .max_per_address = number(c, "limits", "connections_per_address"),
        .idle_seconds = number(c, "http", "idle"),
        .spool_dir = spool,
        .access_log = log_path,
    };
    EC_TRY(http_protocols_open(server));
    enum ec ec = http_server_new(&options, &server->http);
    if (ec != EC_OK)
        *error_out = g_strdup_printf("cannot start the HTTP server: %s", ec_text(ec));
    EC_TRY(ec);
    http_server_add(server->http, own_routes, server);
    http_protocols_add(server);
    return EC_OK;
}

static enum ec listen_one(struct server *server, const char *name, const char *cert,
                          const char *key, char **error_out) {
    const char *address = config_string(server->config, "listen", name);
    g_autofree char *bound = NULL;
    if (!*address)
        return EC_OK;
    enum ec ec = http_server_listen(server->http, address, cert, key, &bound);
    if (ec != EC_OK) {
        *error_out = g_strdup_printf("cannot listen on [listen] %s = %s; see the message above",
                                     name, address);
        return ec;
    }
    g_string_append_printf(server->listeners, "%s %s\n", name, bound);
    log_event(LOG_LEVEL_INFO, "server.listening", "service", name, "address", bound, NULL);
    return EC_OK;
}

enum ec http_services_listen(struct server *server, char **error_out) {
    g_autofree char *cert = NULL;
    g_autofree char *key = NULL;
    tls_files(server, &cert, &key);
    EC_TRY(listen_one(server, "http", NULL, NULL, error_out));
    EC_TRY(listen_one(server, "https", cert, key, error_out));
    autodiscover_set_listeners(server->protocols.autodiscover, server->listeners->str);
    return EC_OK;
}

void http_services_reload(struct server *server) {
    g_autofree char *error = NULL;
    if (http_server_reload(server->http, &error) != EC_OK)
        log_event(LOG_LEVEL_ERROR, "tls.reload_failed", "service", "https", "reason", error, "hint",
                  "the certificate from before stays in use", NULL);
}

void http_services_close(struct server *server, unsigned grace_ms) {
    if (server->http)
        http_server_stop(server->http, grace_ms);
    http_server_free(server->http);
    server->http = NULL;
    http_protocols_close(server);
    net_networks_unref(server->metrics_networks);
}

// --- /health ---

struct health {
    bool is_well;
    GString *json;
};

static void say(struct health *h, const char *part, bool is_well, const char *why) {
    h->is_well &= is_well;
    g_string_append_printf(h->json, ",\"%s\":{\"ok\":%s%s%s%s}", part, is_well ? "true" : "false",
                           is_well ? "" : ",\"reason\":\"", is_well ? "" : why,
                           is_well ? "" : "\"");
}

static void say_disk(struct health *h, const char *dir, const char *part, const char *folder) {
    g_autofree char *path = g_build_filename(dir, folder, NULL);
    struct statvfs fs;
    bool is_there = statvfs(path, &fs) == 0 && access(path, W_OK | X_OK) == 0;
    bool has_room = is_there && (uint64_t)fs.f_bavail * fs.f_frsize >= DISK_LEAST;
    say(h, part, has_room, is_there ? "the disk is nearly full" : "not writable");
}

static void say_listeners(struct health *h, const char *listeners) {
    g_auto(GStrv) lines = g_strsplit(listeners, "\n", -1);
    g_string_append(h->json, ",\"listeners\":{");
    for (unsigned i = 0; lines[i]; i++) {
        char *blank = strchr(lines[i], ' ');
        if (!blank)
            continue;
        *blank = '\0';
        g_string_append_printf(h->json, "%s\"%s\":\"%s\"", i > 0 ? "," : "", lines[i], blank + 1);
    }
    g_string_append_c(h->json, '}');
}

static enum http_next run_health(struct http_request *r, void *service) {
    struct server *server = service;
    struct health h = {.is_well = true, .json = g_string_new(NULL)};
    g_autofree char *domain = directory_default_domain(server->services.directory);
    say(&h, "directory", domain != NULL, "not readable, or without a domain");
    say_disk(&h, server->dir, "store", "store");
    say_disk(&h, server->dir, "queue", "queue");
    // Where it listens is for this machine only.
    if (http_is_loopback(r))
        say_listeners(&h, server->listeners->str);
    bool is_stopping = http_is_stopping(r);
    const char *status = is_stopping ? "stopping" : h.is_well ? "ok" : "failing";
    g_autofree char *head = g_strdup_printf("{\"status\":\"%s\"", status);
    http_set_status(r, h.is_well && !is_stopping ? 200 : 503);
    http_set_header(r, "Content-Type", "application/json");
    http_set_header(r, "Cache-Control", "no-store");
    http_write_str(r, head);
    http_write(r, h.json->str, h.json->len);
    http_write_str(r, "}\n");
    g_string_free(h.json, TRUE);
    return HTTP_DONE;
}

// --- /metrics ---

G_GNUC_PRINTF(4, 5)
static void metric(GString *out, const char *name, const char *type, const char *format, ...) {
    va_list args;
    g_string_append_printf(out, "# TYPE bourse_%s %s\n", name, type);
    va_start(args, format);
    g_string_append_vprintf(out, format, args);
    va_end(args);
}

static void counter(GString *out, const char *name, uint64_t value) {
    metric(out, name, "counter", "bourse_%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void gauge(GString *out, const char *name, uint64_t value) {
    metric(out, name, "gauge", "bourse_%s %" G_GUINT64_FORMAT "\n", name, value);
}

static void http_figures(GString *out, struct http_server *http) {
    struct http_stats s;
    http_stats(http, &s);
    counter(out, "http_connections_total", s.connections);
    gauge(out, "http_connections", s.open_connections);
    gauge(out, "http_requests_parked", s.parked);
    counter(out, "http_received_bytes_total", s.bytes_in);
    counter(out, "http_sent_bytes_total", s.bytes_out);
    counter(out, "http_logins_failed_total", s.logins_failed);
    g_string_append(out, "# TYPE bourse_http_requests_total counter\n");
    for (unsigned i = 1; i < G_N_ELEMENTS(s.by_status); i++)
        g_string_append_printf(out,
                               "bourse_http_requests_total{code=\"%uxx\"} %" G_GUINT64_FORMAT "\n",
                               i, s.by_status[i]);
}

static void net_figures(GString *out, struct net *net) {
    struct net_stats s;
    net_stats(net, &s);
    counter(out, "sessions_total", s.accepted);
    counter(out, "sessions_refused_total", s.refused);
    gauge(out, "sessions", s.open_now);
    counter(out, "sessions_received_bytes_total", s.bytes_in);
    counter(out, "sessions_sent_bytes_total", s.bytes_out);
    counter(out, "jobs_total", s.jobs);
    counter(out, "tls_failures_total", s.tls_failures);
}

static void mapi_figures(GString *out, struct mapihttp *mapi) {
    struct mapihttp_stats s;
    mapihttp_stats(mapi, &s);
    gauge(out, "mapi_sessions", s.sessions);
    counter(out, "mapi_requests_total", s.requests);
    counter(out, "mapi_failures_total", s.failures);
}

// Who asks through a proxy on this machine is not this machine.
static bool may_see_metrics(const struct server *server, const struct http_request *r) {
    bool is_forwarded = http_header(r, "X-Forwarded-For") || http_header(r, "Forwarded");
    return !is_forwarded &&
           (http_is_loopback(r) || net_networks_have(server->metrics_networks, http_peer(r)));
}

static enum http_next run_metrics(struct http_request *r, void *service) {
    struct server *server = service;
    if (!may_see_metrics(server, r))
        return http_fail(r, 403, "Figures are for the networks of [http] metrics only.");
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append(out,
                    "# TYPE bourse_info gauge\nbourse_info{version=\"" BOURSE_VERSION "\"} 1\n");
    http_figures(out, server->http);
    net_figures(out, server->net);
    mapi_figures(out, server->protocols.mapi);
    gauge(out, "queue_messages", queue_count(server->services.queue));
    http_set_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    http_write(r, out->str, out->len);
    return HTTP_DONE;
}

static const struct http_route own_routes[] = {
    {.path = "/health",
     .methods = "GET HEAD",
     .protocol = DIRECTORY_ALL_PROTOCOLS,
     .run = run_health},
    {.path = "/metrics",
     .methods = "GET HEAD",
     .protocol = DIRECTORY_ALL_PROTOCOLS,
     .run = run_metrics},
    {0},
};
