// The connection: greeting, framing, and which part of the server gets the next unit.
#include "protocol/imap/imap_session.h"

#include <string.h>

#include "base/log.h"
#include "protocol/imap/imap_context.h"
#include "protocol/imap/imap_notify.h"
#include "protocol/imap/imap_write.h"

struct imap_session *imap_session_new(struct net_conn *conn, struct imap_service *service) {
    struct imap_session *s = g_new0(struct imap_session, 1);
    s->conn = conn;
    s->service = service;
    return s;
}

void imap_deselect(struct imap_session *s) {
    g_clear_pointer(&s->watch, mailbox_watch_free);
    g_clear_pointer(&s->view, mailbox_view_free);
    g_clear_pointer(&s->part_cache, g_free);
    g_clear_pointer(&s->saved, g_array_unref);
    g_clear_pointer(&s->contexts, imap_contexts_free);
    s->selected = s->mailbox;
    if (s->state == IMAP_SELECTED)
        s->state = IMAP_AUTHENTICATED;
}

void imap_session_free(struct imap_session *s) {
    imap_cmd_free(s->cmd);
    imap_deselect(s);
    imap_notify_free(s->notify);
    mailbox_set_free(s->mailboxes);
    imap_pending_free(s->pending);
    if (s->out)
        g_string_free(s->out, TRUE);
    g_free(s);
}

bool imap_is_tls(const struct imap_session *s) {
    return s->conn && net_conn_is_tls(s->conn);
}

struct auth_peer imap_peer(const struct imap_session *s) {
    struct auth_peer peer = {
        .address = s->conn ? net_conn_peer(s->conn) : "127.0.0.1",
        .is_tls = imap_is_tls(s),
        .is_loopback = !s->conn || net_conn_is_loopback(s->conn),
        .protocol = DIRECTORY_IMAP,
    };
    if (s->conn)
        auth_peer_bind(&peer, s->conn);
    return peer;
}

bool imap_may_login(const struct imap_session *s) {
    struct auth_peer peer = imap_peer(s);
    return s->service->auth && auth_plaintext_allowed(s->service->auth, &peer);
}

void imap_set_idle(struct imap_session *s, unsigned seconds) {
    if (s->conn)
        net_conn_set_idle(s->conn, seconds);
}

enum ec imap_log_in(struct imap_session *s, struct principal *who) {
    EC_TRY(mailbox_set_new(s->service->mailboxes, who, &s->mailboxes));
    s->mailbox = s->selected = mailbox_set_own(s->mailboxes);
    s->state = IMAP_AUTHENTICATED;
    imap_set_idle(s, s->service->idle_seconds ? s->service->idle_seconds : IMAP_IDLE_SECONDS);
    log_event(LOG_LEVEL_INFO, "imap.login", "user", who->address, "peer", imap_peer(s).address,
              "tls", imap_is_tls(s) ? "yes" : "no", NULL);
    return EC_OK;
}

// --- Jobs: output exists only while one runs ---

static void begin_job(struct imap_session *s) {
    if (!s->out)
        s->out = g_string_sized_new(1024);
}

static enum net_next end_job(struct imap_session *s, enum net_next next) {
    imap_flush(s);
    g_string_free(g_steal_pointer(&s->out), TRUE);
    return next;
}

static void *session_open(struct net_conn *conn, void *service) {
    struct imap_session *s = imap_session_new(conn, service);
    imap_set_idle(s, s->service->login_seconds ? s->service->login_seconds : IMAP_LOGIN_SECONDS);
    begin_job(s);
    imap_puts(s, "* OK [CAPABILITY ");
    imap_put_capabilities(s);
    imap_printf(s, "] %s IMAP server ready\r\n", s->service->hostname);
    end_job(s, NET_READ);
    return s;
}

static ssize_t session_frame(void *session, const uint8_t *data, size_t len) {
    struct imap_session *s = session;
    if (s->input == INPUT_LITERAL) {
        size_t wanted = (size_t)MIN(s->literal_left, IMAP_LITERAL_CHUNK);
        return len < wanted ? NET_FRAME_NEED_MORE : (ssize_t)MIN(len, s->literal_left);
    }
    size_t seen = MIN(s->scanned, len);
    const uint8_t *end = memchr(data + seen, '\n', len - seen);
    s->scanned = 0;
    if (end)
        return end - data + 1;
    if (len >= IMAP_UNIT_MAX) // a piece of a long line
        return (ssize_t)len;
    s->scanned = len;
    return NET_FRAME_NEED_MORE;
}

static enum net_next dispatch_unit(struct imap_session *s, const uint8_t *data, size_t len) {
    switch (s->input) {
    case INPUT_LITERAL:
        return imap_take_literal(s, data, len);
    case INPUT_SASL:
        return imap_take_sasl(s, (const char *)data, len);
    case INPUT_IDLE:
        return imap_take_idle(s, (const char *)data, len);
    case INPUT_LINE:
        break;
    }
    return imap_take_line(s, (const char *)data, len);
}

static enum net_next session_unit(void *session, const uint8_t *data, size_t len) {
    struct imap_session *s = session;
    begin_job(s);
    return end_job(s, dispatch_unit(s, data, len));
}

static enum net_next session_resume(void *session) {
    struct imap_session *s = session;
    begin_job(s);
    return end_job(s, imap_continue(s));
}

static enum net_next session_wake(void *session) {
    struct imap_session *s = session;
    bool is_busy = s->input != INPUT_IDLE && (s->cmd || s->pending || s->input != INPUT_LINE);
    if (s->notify && is_busy)
        imap_notify_later(s);
    if (is_busy || s->state == IMAP_LOGOUT || (!s->notify && s->input != INPUT_IDLE))
        return NET_READ;
    begin_job(s);
    return end_job(s, s->notify ? imap_notify_run(s) : imap_idle_wake(s));
}

static enum net_next session_timeout(void *session) {
    struct imap_session *s = session;
    begin_job(s);
    if (s->input == INPUT_IDLE)
        return end_job(s, imap_idle_timeout(s));
    imap_puts(s, "* BYE Disconnected for inactivity\r\n");
    return end_job(s, NET_CLOSE);
}

static enum net_next session_shutdown(void *session) {
    struct imap_session *s = session;
    begin_job(s);
    imap_puts(s, "* BYE [UNAVAILABLE] Server shutting down\r\n");
    return end_job(s, NET_CLOSE);
}

static void session_bad_input(void *session) {
    struct imap_session *s = session;
    begin_job(s);
    imap_puts(s, "* BYE Invalid input\r\n");
    end_job(s, NET_CLOSE);
}

static void session_close(void *session) {
    imap_session_free(session);
}

const struct net_proto imap_proto = {
    .name = "imap",
    .open = session_open,
    .frame = session_frame,
    .max_unit = IMAP_UNIT_MAX,
    .unit = session_unit,
    .resume = session_resume,
    .wake = session_wake,
    .timeout = session_timeout,
    .shutdown = session_shutdown,
    .bad_input = session_bad_input,
    .close = session_close,
};

ssize_t imap_session_frame(struct imap_session *s, const uint8_t *data, size_t len) {
    return session_frame(s, data, len);
}

enum net_next imap_session_unit(struct imap_session *s, const uint8_t *data, size_t len) {
    return session_unit(s, data, len);
}
