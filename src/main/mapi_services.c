// Outlook's way in: remote operations and the address book, over MAPI over HTTP.
#include "mailbox/mailbox.h"
#include "main/server.h"
#include "main/settings.h"
#include "mapihttp/mapihttp.h"

static bool has_public_folders(struct mailbox_service *mailboxes) {
    struct mailbox *mailbox;
    struct principal *admin = principal_admin();
    bool is_there = mailbox_open_public(mailboxes, admin, &mailbox) == EC_OK;
    if (is_there)
        mailbox_close(mailbox);
    principal_unref(admin);
    return is_there;
}

enum ec mapi_services_open(struct server *server, char **error_out) {
    const struct config *c = server->config;
    const struct admin_services *s = &server->services;
    struct rop_options rop = {
        .mailboxes = s->mailboxes,
        .hostname = config_string(c, "server", "hostname"),
        .organization = config_string(c, "server", "organization"),
    };
    struct nspi_options nspi = {
        .directory = s->directory,
        .hostname = rop.hostname,
        .organization = rop.organization,
    };
    enum ec ec = rop_service_new(&rop, &server->rop);
    if (ec == EC_OK)
        ec = nspi_service_new(&nspi, &server->nspi);
    struct mapihttp_options options = {
        .net = server->net,
        .rop = server->rop,
        .nspi = server->nspi,
        .directory = s->directory,
        .hostname = rop.hostname,
        .has_public_folders = has_public_folders(s->mailboxes),
    };
    settings_mapi(c, &options);
    if (ec == EC_OK)
        ec = mapihttp_new(&options, &server->mapihttp);
    if (ec != EC_OK)
        *error_out = g_strdup_printf("cannot start MAPI: %s", ec_text(ec));
    return ec;
}

void mapi_services_add(struct server *server) {
    mapihttp_add(server->mapihttp, server->http);
}

void mapi_services_close(struct server *server) {
    mapihttp_free(server->mapihttp);
    nspi_service_free(server->nspi);
    rop_service_free(server->rop);
}
