// The service, and the conversation on a connection of net/.
#include "protocol/pop3/session.h"

enum ec pop3_service_new(const struct pop3_settings *settings, struct pop3_drops *drops,
                         struct mailbox_service *mailboxes, struct auth *auth,
                         struct pop3_service **out) {
    struct pop3_service *service = g_new0(struct pop3_service, 1);
    service->settings = *settings;
    service->settings.hostname = g_strdup(settings->hostname);
    if (service->settings.idle_seconds == 0)
        service->settings.idle_seconds = POP3_IDLE_SECONDS;
    service->drops = drops;
    service->mailboxes = mailboxes;
    service->auth = auth;
    *out = service;
    return EC_OK;
}

void pop3_service_free(struct pop3_service *service) {
    if (!service)
        return;
    g_free((char *)service->settings.hostname);
    g_free(service);
}

// --- The connection ---

struct connection {
    struct net_conn *conn;
    struct pop3_session *session;
    GString *out; // NULL while nothing is said
};

static void flush(struct connection *c) {
    if (c->out->len == 0)
        return;
    net_write(c->conn, c->out->str, c->out->len);
    g_string_truncate(c->out, 0);
}

static void *pop3_open(struct net_conn *conn, void *service_data) {
    struct pop3_service *service = service_data;
    struct connection *c = g_new0(struct connection, 1);
    struct pop3_peer peer = {.address = net_conn_peer(conn),
                             .is_loopback = net_conn_is_loopback(conn),
                             .is_tls = net_conn_is_tls(conn)};
    c->conn = conn;
    c->out = g_string_new(NULL);
    c->session = pop3_session_new(service, &peer, c->out);
    auth_peer_bind(&c->session->peer, conn);
    net_conn_set_idle(conn, POP3_LOGIN_SECONDS);
    flush(c);
    return c;
}

static ssize_t pop3_frame(void *session, const uint8_t *data, size_t len) {
    struct connection *c = session;
    return pop3_session_frame(c->session, data, len);
}

static enum net_next follow(struct connection *c, enum pop3_next next) {
    flush(c);
    switch (next) {
    case POP3_READ:
        return NET_READ;
    case POP3_MORE:
        return NET_MORE;
    case POP3_CLOSE:
        return NET_CLOSE;
    case POP3_START_TLS:
        break;
    }
    if (net_conn_start_tls(c->conn) != EC_OK)
        return NET_CLOSE;
    pop3_session_tls_started(c->session); // nothing is read before it is true
    return NET_READ;
}

static enum net_next pop3_unit(void *session, const uint8_t *data, size_t len) {
    struct connection *c = session;
    bool was_in = c->session->mailbox != NULL;
    enum pop3_next next = pop3_session_unit(c->session, data, len);
    if (!was_in && c->session->mailbox)
        net_conn_set_idle(c->conn, c->session->service->settings.idle_seconds);
    return follow(c, next);
}

static enum net_next pop3_resume(void *session) {
    struct connection *c = session;
    return follow(c, pop3_session_resume(c->session));
}

// [RFC 1939] 3: a session that times out does not enter the UPDATE state.
static enum net_next goodbye(struct connection *c, const char *text) {
    pop3_err(c->session, "SYS/TEMP", text);
    flush(c);
    return NET_CLOSE;
}

static enum net_next pop3_timeout(void *session) {
    return goodbye(session, "idle for too long");
}

static enum net_next pop3_shutdown(void *session) {
    return goodbye(session, "the server is shutting down");
}

static void pop3_bad_input(void *session) {
    goodbye(session, "cannot understand this");
}

static void pop3_close(void *session) {
    struct connection *c = session;
    pop3_session_free(c->session);
    g_string_free(c->out, TRUE);
    g_free(c);
}

const struct net_proto pop3_proto = {
    .name = "pop3",
    .open = pop3_open,
    .frame = pop3_frame,
    .max_unit = POP3_UNIT_MAX,
    .unit = pop3_unit,
    .resume = pop3_resume,
    .timeout = pop3_timeout,
    .shutdown = pop3_shutdown,
    .bad_input = pop3_bad_input,
    .close = pop3_close,
};
