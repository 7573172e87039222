// The running server: what serve.c puts together and its neighbours look after.
#pragma once

#include "admin/command.h"
#include "admin/control_server.h"
#include "base/config.h"
#include "net/net.h"
#include "protocol/imap/imap.h"
#include "protocol/pop3/pop3.h"
#include "protocol/smtp/smtp.h"
#include "transport/transport.h"

// What answers on HTTP.
struct http_protocols {
    struct autodiscover_service *autodiscover;
    struct ews_service *ews;
    struct rop_service *rop;
    struct nspi_service *nspi;
    struct mapihttp *mapi; // over the two before
};

struct server {
    char *dir;
    int lock; // of the data directory
    struct config *config;
    struct admin_services services;
    struct net *net;
    struct net_tls *tls;
    struct transport *transport;
    struct net_timer *timer;
    struct retention_passes *passes; // used by the timer
    struct control_server *control;
    struct imap_service imap, imaps;
    struct pop3_drops *drops;
    struct pop3_service *pop3, *pop3s;
    struct smtp_service *smtp, *submission, *submissions, *lmtp;
    struct smtp_rates *rates;
    struct policy *policy;        // NULL: mail from strangers is not checked
    struct net_networks *trusted; // who speaks the PROXY protocol
    struct http_server *http;
    struct http_protocols protocols;
    struct net_networks *metrics_networks; // who may read /metrics besides this machine
    GString *listeners;                    // lines `name address:port`
    unsigned ticks;                        // of the timer, one a second
};

// --- smtp_services.c ---

// One service for each of the ways in; policy and net are there already.
enum ec smtp_services_open(struct server *server, char **error_out);
void smtp_services_close(struct server *server);
// Takes new limits over (SIGHUP). On failure *error_out (g_free) and the old ones stay.
enum ec smtp_services_reload(struct server *server, const struct config *config, char **error_out);

// --- listeners.c ---

// Opens every listener that the configuration names and writes DIR/run/listeners. On failure
// *error_out (g_free) names the line to correct; the reason has been logged.
enum ec listeners_open(struct server *server, char **error_out);
// Removes DIR/run/listeners.
void listeners_forget(struct server *server);

// --- http_protocols.c ---

// What fails is closed by http_protocols_close.
enum ec http_protocols_open(struct server *server);
void http_protocols_add(struct server *server); // their routes
void http_protocols_close(struct server *server);

// --- http_services.c ---

// The HTTP server with the routes of every protocol; the other services are there already.
enum ec http_services_open(struct server *server, char **error_out);
// Opens `[listen] http` and `https`, as listeners_open does it for the others.
enum ec http_services_listen(struct server *server, char **error_out);
// Reads the certificate again (SIGHUP).
void http_services_reload(struct server *server);
// No more requests, and the end of everything that answers them; before the net is freed.
void http_services_close(struct server *server, unsigned grace_ms);

// --- tls_files.c ---

// The files of the certificate and its key in use (g_free).
void tls_files(const struct server *server, char **cert_out, char **key_out);

// Loads the configured certificate, or our own, which is renewed first when its time has come.
enum ec tls_open(struct server *server, char **error_out);
// Reads the files again (SIGHUP).
void tls_reload(struct server *server);
// Renews our own certificate, or warns about one from outside, when it expires soon. True: there
// are new files to load.
bool tls_look_after(struct server *server);

// --- outbound.c ---

// Starts delivery, to mailboxes and to other servers. On failure *error_out (g_free) says what to
// correct.
enum ec outbound_open(struct server *server, char **error_out);

// --- maintenance.c ---

// Starts the background work.
void maintenance_start(struct server *server);
