// The server's certificate: which files, and their renewal.
#include <time.h>

#include "admin/certificates.h"
#include "base/log.h"
#include "directory/directory.h"
#include "main/server.h"

#define DAY 86400

struct files {
    char *cert, *key;
    bool is_own; // made by `bourse init`
};

static struct files files_of(const struct server *server) {
    const char *cert = config_string(server->config, "tls", "cert");
    const char *key = config_string(server->config, "tls", "key");
    if (*cert)
        // A chain and its key may stand in one file. Relative names count from the data directory.
        return (struct files){g_canonicalize_filename(cert, server->dir),
                              g_canonicalize_filename(*key ? key : cert, server->dir), false};
    return (struct files){g_build_filename(server->dir, "tls", "cert.pem", NULL),
                          g_build_filename(server->dir, "tls", "key.pem", NULL), true};
}

void tls_files(const struct server *server, char **cert_out, char **key_out) {
    struct files files = files_of(server);
    *cert_out = files.cert;
    *key_out = files.key;
}

static void files_clear(struct files *files) {
    g_free(files->cert);
    g_free(files->key);
}

static bool renew(struct server *server) {
    g_autofree char *dir = g_build_filename(server->dir, "tls", NULL);
    g_autofree char *domain = directory_default_domain(server->services.directory);
    const char *hostname = config_string(server->config, "server", "hostname");
    g_autofree char *error = NULL;
    enum ec ec = certificates_renew(dir, hostname, domain ? domain : hostname, &error);
    if (ec == EC_OK) {
        log_event(LOG_LEVEL_INFO, "tls.renewed", "dir", dir, NULL);
        return true;
    }
    log_event(LOG_LEVEL_ERROR, "tls.renewal_failed", "reason", error, "hint",
              "name a certificate of your own in [tls]", NULL);
    return false;
}

bool tls_look_after(struct server *server) {
    struct files files = files_of(server);
    int64_t expires;
    bool renewed = false;
    if (certificate_expires(files.cert, &expires) == EC_OK) {
        int64_t days = (expires - (int64_t)time(NULL)) / DAY;
        if (days < CERTIFICATE_RENEW_DAYS) {
            log_event(LOG_LEVEL_WARNING, "tls.expires_soon", "file", files.cert, "days",
                      log_i64(days), "hint",
                      files.is_own ? "renewing it" : "replace it and send SIGHUP", NULL);
            renewed = files.is_own && renew(server);
        }
    }
    files_clear(&files);
    return renewed;
}

enum ec tls_open(struct server *server, char **error_out) {
    tls_look_after(server);
    struct files files = files_of(server);
    enum ec ec = net_tls_new(files.cert, files.key, &server->tls, error_out);
    files_clear(&files);
    return ec;
}

void tls_reload(struct server *server) {
    g_autofree char *error = NULL;
    if (net_tls_reload(server->tls, &error) == EC_OK)
        log_event(LOG_LEVEL_INFO, "tls.reloaded", NULL);
    else
        log_event(LOG_LEVEL_ERROR, "tls.reload_failed", "reason", error, "hint",
                  "the certificate from before stays in use", NULL);
    if (server->http)
        http_services_reload(server);
}
