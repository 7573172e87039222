// The protocols on HTTP: the service behind each, and its routes. A new one is a member of `struct
// http_protocols` (server.h), a function here, and a line in each of the three lists.
#include "auth/auth.h"
#include "base/config.h"
#include "http/http.h"
#include "mailbox/mailbox.h"
#include "main/server.h"
#include "main/settings.h"
#include "mapihttp/mapihttp.h"
#include "protocol/autodiscover/autodiscover.h"
#include "protocol/ews/ews.h"

static enum ec open_autodiscover(struct server *server, struct http_protocols *p) {
    struct autodiscover_options options = {
        .directory = server->services.directory,
        .mailboxes = server->services.mailboxes,
        .hostname = config_string(server->config, "server", "hostname"),
        .organization = config_string(server->config, "server", "organization"),
        .url = config_string(server->config, "http", "url"),
        .has_activesync = false, // nothing answers there yet
    };
    return autodiscover_service_new(&options, &p->autodiscover);
}

static enum ec open_ews(struct server *server, struct http_protocols *p) {
    g_autofree char *spool = g_build_filename(server->dir, "run", NULL);
    g_autofree char *track = g_build_filename(server->dir, "track", NULL);
    struct ews_options options = {
        .mailboxes = server->services.mailboxes,
        .hostname = config_string(server->config, "server", "hostname"),
        .spool_dir = spool,
        .track_dir = config_int(server->config, "track", "keep") > 0 ? track : NULL,
        .max_concurrent =
            (unsigned)MIN(config_int(server->config, "ews", "requests_per_user"), G_MAXINT32),
        .allows_push = config_bool(server->config, "ews", "push"),
    };
    return ews_service_new(&options, &p->ews);
}

static bool has_public_folders(struct server *server) {
    struct mailbox *m = NULL;
    struct principal *admin = principal_admin();
    bool has = mailbox_open_public(server->services.mailboxes, admin, &m) == EC_OK;
    principal_unref(admin);
    if (has)
        mailbox_close(m);
    return has;
}

static enum ec open_mapi(struct server *server, struct http_protocols *p) {
    const char *hostname = config_string(server->config, "server", "hostname");
    const char *organization = config_string(server->config, "server", "organization");
    struct rop_options rop = {.mailboxes = server->services.mailboxes,
                              .hostname = hostname,
                              .organization = organization};
    struct nspi_options nspi = {.directory = server->services.directory,
                                .hostname = hostname,
                                .organization = organization};
    EC_TRY(rop_service_new(&rop, &p->rop));
    EC_TRY(nspi_service_new(&nspi, &p->nspi));
    struct mapihttp_options options = {
        .net = server->net,
        .rop = p->rop,
        .nspi = p->nspi,
        .directory = server->services.directory,
        .hostname = hostname,
        .has_public_folders = has_public_folders(server),
    };
    settings_mapi(server->config, &options);
    return mapihttp_new(&options, &p->mapi);
}

// --- One line a protocol in each ---

enum ec http_protocols_open(struct server *server) {
    struct http_protocols *p = &server->protocols;
    EC_TRY(open_autodiscover(server, p));
    EC_TRY(open_ews(server, p));
    EC_TRY(open_mapi(server, p));
    return EC_OK;
}

void http_protocols_add(struct server *server) {
    struct http_protocols *p = &server->protocols;
    http_server_add(server->http, autodiscover_routes(), p->autodiscover);
    http_server_add(server->http, ews_routes(), p->ews);
    mapihttp_add(p->mapi, server->http);
}

void http_protocols_close(struct server *server) {
    struct http_protocols *p = &server->protocols;
    autodiscover_service_free(p->autodiscover);
    ews_service_free(p->ews);
    mapihttp_free(p->mapi);
    nspi_service_free(p->nspi);
    rop_service_free(p->rop);
}
