// The service, and the conversation on a connection of net/.
#include <string.h>

#include "protocol/smtp/session.h"

enum ec smtp_service_new(const struct smtp_settings *settings, struct queue *queue,
                         struct directory *directory, struct auth *auth,
                         struct smtp_service **out) {
    struct smtp_service *service = g_new0(struct smtp_service, 1);
    struct smtp_settings *own = &service->settings;
    *own = *settings;
    own->hostname = g_strdup(settings->hostname);
    if (own->max_size == 0)
        own->max_size = SMTP_DEFAULT_SIZE;
    if (own->max_recipients == 0)
        own->max_recipients = SMTP_DEFAULT_RECIPIENTS;
    if (own->max_errors == 0)
        own->max_errors = SMTP_DEFAULT_ERRORS;
    if (own->timeout_seconds == 0)
        own->timeout_seconds = SMTP_DEFAULT_TIMEOUT;
    service->queue = queue;
    service->directory = directory;
    service->auth = auth;
    *out = service;
    return EC_OK;
}

void smtp_service_free(struct smtp_service *service) {
    if (!service)
        return;
    g_free((char *)service->settings.hostname);
    g_free(service);
}

void smtp_service_ask_mailboxes(struct smtp_service *service, struct mailbox_service *mailboxes) {
    service->mailboxes = mailboxes;
}

// --- The connection ---

struct connection {
    struct net_conn *conn;
    struct smtp_session *session;
    GString *out;
};

static void wake(void *conn) {
    net_conn_wake(conn);
}

static void *wake_ref(void *conn) {
    return net_conn_ref(conn);
}

static void wake_unref(void *conn) {
    net_conn_unref(conn);
}

static void flush(struct connection *c) {
    net_write(c->conn, c->out->str, c->out->len);
    g_string_truncate(c->out, 0);
}

static void *smtp_open(struct net_conn *conn, void *service_data) {
    struct smtp_service *service = service_data;
    struct connection *c = g_new0(struct connection, 1);
    c->conn = conn;
    c->out = g_string_new(NULL);
    struct smtp_peer peer = {.address = net_conn_peer(conn),
                             .is_loopback = net_conn_is_loopback(conn),
                             .is_tls = net_conn_is_tls(conn)};
    c->session = smtp_session_new(service, &peer, c->out);
    auth_peer_bind(&c->session->peer, conn);
    c->session->wake = wake;
    c->session->wake_ref = wake_ref;
    c->session->wake_unref = wake_unref;
    c->session->wake_ctx = conn;
    net_conn_set_idle(conn, service->settings.timeout_seconds);
    flush(c);
    return c;
}

static ssize_t smtp_frame(void *session, const uint8_t *data, size_t len) {
    struct connection *c = session;
    return smtp_session_frame(c->session, data, len);
}

static enum net_next follow(struct connection *c, enum smtp_next next) {
    flush(c);
    switch (next) {
    case SMTP_READ:
        return NET_READ;
    case SMTP_CLOSE:
        return NET_CLOSE;
    case SMTP_WAIT:
        return NET_WAIT;
    case SMTP_START_TLS:
        break;
    }
    if (net_conn_start_tls(c->conn) != EC_OK)
        return NET_CLOSE;
    smtp_session_tls_started(c->session); // nothing is read before it is true
    return NET_READ;
}

static enum net_next smtp_unit(void *session, const uint8_t *data, size_t len) {
    struct connection *c = session;
    return follow(c, smtp_session_unit(c->session, data, len));
}

static enum net_next smtp_wake(void *session) {
    struct connection *c = session;
    return follow(c, smtp_session_submitted(c->session));
}

static enum net_next goodbye(struct connection *c, const char *status, const char *text) {
    smtp_reply(c->session, 421, status, "%s %s", c->session->service->settings.hostname, text);
    flush(c);
    return NET_CLOSE;
}

static enum net_next smtp_timeout(void *session) {
    return goodbye(session, "4.4.2", "Timeout, closing connection");
}

static enum net_next smtp_shutdown(void *session) {
    return goodbye(session, "4.3.2", "Shutting down");
}

static void smtp_bad_input(void *session) {
    goodbye(session, "4.7.0", "Cannot understand this");
}

static void smtp_close(void *session) {
    struct connection *c = session;
    smtp_session_free(c->session);
    g_string_free(c->out, true);
    g_free(c);
}

const struct net_proto smtp_proto = {
    .name = "smtp",
    .open = smtp_open,
    .frame = smtp_frame,
    .max_unit = SMTP_CHUNK_MAX,
    .unit = smtp_unit,
    .wake = smtp_wake,
    .timeout = smtp_timeout,
    .shutdown = smtp_shutdown,
    .bad_input = smtp_bad_input,
    .close = smtp_close,
};
