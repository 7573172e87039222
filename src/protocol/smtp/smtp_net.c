// The service, and the conversation on a connection of net/.
#include <string.h>

#include "protocol/smtp/session.h"

static void set_default(unsigned *value, unsigned def) {
    if (*value == 0)
        *value = def;
}

static struct smtp_rules *make_rules(const struct smtp_limits *limits) {
    struct smtp_rules *rules = g_new0(struct smtp_rules, 1);
    struct smtp_limits *own = &rules->limits;
    rules->refs = 1;
    *own = *limits;
    if (own->max_size == 0)
        own->max_size = SMTP_DEFAULT_SIZE;
    set_default(&own->max_recipients, SMTP_DEFAULT_RECIPIENTS);
    set_default(&own->max_errors, SMTP_DEFAULT_ERRORS);
    set_default(&own->max_unknown, SMTP_DEFAULT_UNKNOWN);
    set_default(&own->tarpit_after, SMTP_DEFAULT_TARPIT_AFTER);
    own->trusted = net_networks_ref(limits->trusted);
    own->relay_domains = (const char *const *)g_strdupv((char **)(uintptr_t)limits->relay_domains);
    return rules;
}

void smtp_rules_unref(struct smtp_rules *rules) {
    if (!rules || __atomic_sub_fetch(&rules->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    net_networks_unref(rules->limits.trusted);
    g_strfreev((char **)(uintptr_t)rules->limits.relay_domains);
    g_free(rules);
}

enum ec smtp_service_new(const struct smtp_settings *settings, struct queue *queue,
                         struct directory *directory, struct auth *auth,
                         struct smtp_service **out) {
    struct smtp_service *service = g_new0(struct smtp_service, 1);
    struct smtp_settings *own = &service->settings;
    *own = *settings;
    own->hostname = g_strdup(settings->hostname);
    own->limits = (struct smtp_limits){0};
    if (own->timeout_seconds == 0)
        own->timeout_seconds = SMTP_DEFAULT_TIMEOUT;
    pthread_mutex_init(&service->lock, NULL);
    service->rules = make_rules(&settings->limits);
    g_queue_init(&service->checks);
    service->queue = queue;
    service->directory = directory;
    service->auth = auth;
    *out = service;
    return EC_OK;
}

void smtp_service_free(struct smtp_service *service) {
    if (!service)
        return;
    smtp_rules_unref(service->rules);
    pthread_mutex_destroy(&service->lock);
    g_free((char *)service->settings.hostname);
    g_free(service);
}

void smtp_service_set_limits(struct smtp_service *service, const struct smtp_limits *limits) {
    struct smtp_rules *rules = make_rules(limits);
    pthread_mutex_lock(&service->lock);
    struct smtp_rules *old = service->rules;
    service->rules = rules;
    pthread_mutex_unlock(&service->lock);
    smtp_rules_unref(old);
}

void smtp_service_ask_mailboxes(struct smtp_service *service, struct mailbox_service *mailboxes) {
    service->mailboxes = mailboxes;
}

// --- The connection ---

struct connection {
    struct net_conn *conn;
    struct smtp_session *session;
    GString *out;
    bool is_late; // `out` waits for its time
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

static void smtp_close(void *session) {
    struct connection *c = session;
    smtp_session_free(c->session);
    g_string_free(c->out, true);
    g_free(c);
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
    if (!c->session->is_refused)
        return c;
    smtp_close(c);
    return NULL;
}

static ssize_t smtp_frame(void *session, const uint8_t *data, size_t len) {
    struct connection *c = session;
    return smtp_session_frame(c->session, data, len);
}

static enum net_next follow(struct connection *c, enum smtp_next next) {
    if (next == SMTP_DELAY) {
        c->is_late = true;
        net_conn_wake_after(c->conn, c->session->rules->limits.tarpit_seconds);
        return NET_WAIT;
    }
    flush(c);
    switch (next) {
    case SMTP_READ:
        return NET_READ;
    case SMTP_CLOSE:
        return NET_CLOSE;
    case SMTP_WAIT:
    case SMTP_DELAY:
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
    if (c->is_late) {
        c->is_late = false;
        return follow(c, SMTP_READ);
    }
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
