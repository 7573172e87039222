// Connections: how many there may be, and cutting those that are too slow.
//
// libmicrohttpd only knows a time without any byte. Somebody who sends one byte now and then would
// hold a connection for ever, so each has a deadline for what it is at: the head of a request, its
// body at a least speed, the pause between requests.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "auth/auth.h"
#include "base/log.h"
#include "http/http_internal.h"
#include "net/networks.h"

#define LOG_EVERY (60 * G_USEC_PER_SEC)

static char *address_text(const struct sockaddr *peer) {
    char text[INET6_ADDRSTRLEN] = "unknown";
    if (peer->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    } else if (peer->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, peer, sizeof in6);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
            inet_ntop(AF_INET, in6.sin6_addr.s6_addr + 12, text, sizeof text);
        else
            inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    }
    return g_strdup(text);
}

struct http_conn *http_conn_ref(struct http_conn *c) {
    c->refs++;
    return c;
}

void http_conn_unref(struct http_conn *c) {
    if (--c->refs > 0)
        return;
    auth_exchange_free(c->exchange);
    principal_unref(c->owner);
    g_free(c->peer);
    g_free(c);
}

void http_conn_allow(struct http_conn *c, unsigned seconds) {
    c->deadline = seconds > 0 ? g_get_monotonic_time() + seconds * G_USEC_PER_SEC : 0;
}

// --- How many ---

static const char *limit_of(struct http_server *s, const char *peer) {
    if (s->max_connections > 0 && s->connections.length >= s->max_connections)
        return "connections";
    if (s->max_per_address > 0 && !net_text_is_loopback(peer) &&
        GPOINTER_TO_UINT(g_hash_table_lookup(s->per_address, peer)) >= s->max_per_address)
        return "connections of one address";
    return NULL;
}

enum MHD_Result http_on_accept(void *server, const struct sockaddr *peer, socklen_t len) {
    (void)len;
    struct http_server *s = server;
    g_autofree char *text = address_text(peer);
    int64_t now = g_get_monotonic_time();
    pthread_mutex_lock(&s->lock);
    const char *limit = limit_of(s, text);
    bool logs = limit != NULL && (s->last_limit_log == 0 || now - s->last_limit_log > LOG_EVERY);
    if (logs)
        s->last_limit_log = now;
    pthread_mutex_unlock(&s->lock);
    if (logs)
        log_event(LOG_LEVEL_WARNING, "http.limit_reached", "limit", limit, "peer", text, NULL);
    return limit == NULL && !s->is_stopping ? MHD_YES : MHD_NO;
}

static void count_address_locked(struct http_server *s, const char *peer, int change) {
    int n = GPOINTER_TO_INT(g_hash_table_lookup(s->per_address, peer)) + change;
    if (n > 0)
        g_hash_table_replace(s->per_address, g_strdup(peer), GINT_TO_POINTER(n));
    else
        g_hash_table_remove(s->per_address, peer);
}

static struct http_conn *conn_new(struct http_server *s, struct MHD_Connection *mhd) {
    const union MHD_ConnectionInfo *info;
    struct http_conn *c = g_new0(struct http_conn, 1);
    c->refs = 1;
    c->server = s;
    c->link.data = c;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info != NULL ? info->connect_fd : -1;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    c->peer = info != NULL ? address_text(info->client_addr) : g_strdup("unknown");
    c->is_loopback = net_text_is_loopback(c->peer);
    c->is_tls = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL;
    http_conn_allow(c, s->idle_seconds);
    return c;
}

void http_on_connection(void *server, struct MHD_Connection *mhd, void **conn,
                        enum MHD_ConnectionNotificationCode what) {
    struct http_server *s = server;
    struct http_conn *c = *conn;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *conn = c = conn_new(s, mhd);
        s->figures.connections++;
        s->figures.open_connections++;
        pthread_mutex_lock(&s->lock);
        g_queue_push_tail_link(&s->connections, &c->link);
        count_address_locked(s, c->peer, 1);
        pthread_mutex_unlock(&s->lock);
    } else if (c != NULL) {
        *conn = NULL;
        s->figures.open_connections--;
        pthread_mutex_lock(&s->lock);
        g_queue_unlink(&s->connections, &c->link);
        count_address_locked(s, c->peer, -1);
        pthread_mutex_unlock(&s->lock);
        http_conn_unref(c);
    }
}

// --- Looking after them ---

// The socket is libmicrohttpd's, which sees its end and closes the connection.
static void cut_late_locked(struct http_server *s, int64_t now) {
    for (GList *at = s->connections.head; at != NULL; at = at->next) {
        struct http_conn *c = at->data;
        int64_t deadline = c->deadline;
        if (deadline != 0 && now > deadline) {
            c->deadline = now + G_USEC_PER_SEC; // again, should it be needed
            shutdown(c->fd, SHUT_RDWR);
        }
    }
}

// A suspended connection is not looked at by its loop. `gone` gets references.
static void find_gone_locked(struct http_server *s, GPtrArray *gone) {
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    g_autoptr(GPtrArray) parked = g_ptr_array_new();
    for (GList *at = s->requests.head; at != NULL; at = at->next) {
        struct http_request *r = at->data;
        struct pollfd fd = {.fd = r->conn->fd, .events = POLLRDHUP};
        if (!r->is_suspended || !r->has_run)
            continue;
        g_array_append_val(fds, fd);
        g_ptr_array_add(parked, r);
    }
    if (fds->len == 0 || poll((struct pollfd *)(void *)fds->data, fds->len, 0) <= 0)
        return;
    for (unsigned i = 0; i < fds->len; i++)
        if (g_array_index(fds, struct pollfd, i).revents != 0 &&
            http_request_try_ref(parked->pdata[i]))
            g_ptr_array_add(gone, parked->pdata[i]);
}

void http_conns_sweep(struct http_server *s) {
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    pthread_mutex_lock(&s->lock);
    cut_late_locked(s, g_get_monotonic_time());
    find_gone_locked(s, gone);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < gone->len; i++) {
        http_request_drop(gone->pdata[i]);
        http_request_unref(gone->pdata[i]);
    }
}
