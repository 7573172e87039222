// A line protocol that does everything a session can do, and a blocking client for it: what the
// tests of net/ share. One command a line:
//   ECHO text     answers text             BIG n     answers n bytes by NET_MORE, then a newline
//   REF n         n bytes by reference     QUIT      BYE and NET_CLOSE
//   ABORT         NET_ABORT                SLEEP ms  answers after a blocking pause
//   STARTTLS      GO or NO, then TLS       IDLE s    sets the idle time
//   TLS           YES or NO                WATCH     hands the connection to the service for wakes
//   BYESOON       OK; a wake answers NET_CLOSE
//   LATER         like WATCH, but without an answer, then NET_WAIT
//   SELF          wakes itself, then NET_WAIT   SLOW s    is woken in s seconds; NET_WAIT
//   PEER          the client's address
//   SELF          wakes itself, then NET_WAIT
//   DEFLATE       OK or NO, then compressed
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "net/net.h"
#include "net/net_internal.h"

#define ECHO_LINE_MAX 1024

struct echo_service {
    _Atomic unsigned opened, closed, wakes, units, resumes, overlaps;
    bool refuse;
    unsigned open_ms; // open takes so long
    pthread_mutex_t lock;
    struct net_conn *watched; // the last that said WATCH; under lock
};

struct echo {
    struct net_conn *conn;
    struct echo_service *service;
    size_t big_left;
    bool close_on_wake;
    _Atomic int inside; // functions running: never more than one
};

static inline void echo_enter(struct echo *echo) {
    if (atomic_fetch_add(&echo->inside, 1) != 0)
        echo->service->overlaps++;
}

static inline enum net_next echo_leave(struct echo *echo, enum net_next next) {
    echo->inside--;
    return next;
}

static void *echo_open(struct net_conn *conn, void *data) {
    struct echo_service *service = data;
    if (service->open_ms)
        g_usleep(service->open_ms * 1000);
    if (service->refuse) {
        net_write_str(conn, "BUSY\n");
        return NULL;
    }
    struct echo *echo = g_new0(struct echo, 1);
    echo->conn = conn;
    echo->service = service;
    service->opened++;
    net_write_str(conn, "HELLO\n");
    return echo;
}

static ssize_t echo_frame(void *session, const uint8_t *data, size_t len) {
    struct echo *echo = session;
    echo_enter(echo);
    const uint8_t *end = memchr(data, '\n', len);
    echo_leave(echo, NET_READ);
    if (end)
        return end - data + 1;
    return len >= ECHO_LINE_MAX ? NET_FRAME_BAD : NET_FRAME_NEED_MORE;
}

static enum net_next echo_more(struct echo *echo) {
    static const char piece[32 * 1024] = {0};
    size_t n = MIN(echo->big_left, sizeof piece);
    net_write(echo->conn, piece, n);
    echo->big_left -= n;
    if (echo->big_left > 0)
        return NET_MORE;
    net_write_str(echo->conn, "\n");
    return NET_READ;
}

static void echo_ref(struct echo *echo, size_t n) {
    GBytes *bytes = g_bytes_new_take(g_malloc0(n), n);
    net_write_bytes(echo->conn, bytes);
    g_bytes_unref(bytes);
    net_write_str(echo->conn, "\n");
}

// Hands the connection to the service.
static void echo_watch(struct echo *echo) {
    pthread_mutex_lock(&echo->service->lock);
    net_conn_unref(echo->service->watched);
    echo->service->watched = net_conn_ref(echo->conn);
    pthread_mutex_unlock(&echo->service->lock);
}

static enum net_next echo_command(struct echo *echo, const char *line) {
    struct net_conn *conn = echo->conn;
    const char *space = strchr(line, ' ');
    unsigned long n = space ? strtoul(space, NULL, 10) : 0;
    if (g_str_has_prefix(line, "ECHO ")) {
        net_printf(conn, "%s\n", line + 5);
    } else if (g_str_has_prefix(line, "BIG ")) {
        echo->big_left = n;
        return echo_more(echo);
    } else if (g_str_has_prefix(line, "REF ")) {
        echo_ref(echo, n);
    } else if (g_str_has_prefix(line, "SLEEP ")) {
        g_usleep(n * 1000);
        net_write_str(conn, "SLEPT\n");
    } else if (g_str_has_prefix(line, "IDLE ")) {
        net_conn_set_idle(conn, (unsigned)n);
        net_write_str(conn, "OK\n");
    } else if (strcmp(line, "QUIT") == 0) {
        net_write_str(conn, "BYE\n");
        return NET_CLOSE;
    } else if (strcmp(line, "ABORT") == 0) {
        return NET_ABORT;
    } else if (strcmp(line, "STARTTLS") == 0) {
        net_write_str(conn, "GO\n");
        if (net_conn_start_tls(conn) != EC_OK)
            net_write_str(conn, "NO\n");
    } else if (strcmp(line, "DEFLATE") == 0) {
        net_write_str(conn, net_conn_is_deflate(conn) ? "NO\n" : "OK\n");
        net_conn_start_deflate(conn);
    } else if (strcmp(line, "TLS") == 0) {
        net_write_str(conn, net_conn_is_tls(conn) ? "YES\n" : "NO\n");
    } else if (strcmp(line, "WATCH") == 0) {
        echo_watch(echo);
        net_write_str(conn, "OK\n");
    } else if (strcmp(line, "LATER") == 0) {
        echo_watch(echo);
        return NET_WAIT;
    } else if (strcmp(line, "SELF") == 0) {
        net_conn_wake(conn);
        return NET_WAIT;
    } else if (g_str_has_prefix(line, "SLOW ")) {
        net_conn_wake_after(conn, (unsigned)n);
        return NET_WAIT;
    } else if (strcmp(line, "PEER") == 0) {
        net_printf(conn, "%s\n", net_conn_peer(conn));
    } else if (strcmp(line, "BYESOON") == 0) {
        echo->close_on_wake = true;
        net_write_str(conn, "OK\n");
    } else {
        net_write_str(conn, "WHAT\n");
    }
    return NET_READ;
}

static enum net_next echo_unit(void *session, const uint8_t *data, size_t len) {
    struct echo *echo = session;
    echo_enter(echo);
    echo->service->units++;
    g_autofree char *line = g_strndup((const char *)data, len - 1);
    return echo_leave(echo, echo_command(echo, line));
}

static enum net_next echo_resume(void *session) {
    struct echo *echo = session;
    echo_enter(echo);
    echo->service->resumes++;
    return echo_leave(echo, echo_more(echo));
}

static enum net_next echo_wake(void *session) {
    struct echo *echo = session;
    echo_enter(echo);
    echo->service->wakes++;
    if (!echo->close_on_wake)
        net_write_str(echo->conn, "WOKE\n");
    return echo_leave(echo, echo->close_on_wake ? NET_CLOSE : NET_READ);
}

static enum net_next echo_timeout(void *session) {
    struct echo *echo = session;
    echo_enter(echo);
    net_write_str(echo->conn, "TIMEOUT\n");
    return echo_leave(echo, NET_CLOSE);
}

static enum net_next echo_shutdown(void *session) {
    struct echo *echo = session;
    echo_enter(echo);
    net_write_str(echo->conn, "SHUTDOWN\n");
    return echo_leave(echo, NET_CLOSE);
}

static void echo_bad_input(void *session) {
    struct echo *echo = session;
    echo_enter(echo);
    net_write_str(echo->conn, "TOOLONG\n");
    echo_leave(echo, NET_READ);
}

static void echo_close(void *session) {
    struct echo *echo = session;
    echo_enter(echo);
    echo->service->closed++;
    g_free(echo);
}

static const struct net_proto echo_proto = {
    .name = "echo",
    .open = echo_open,
    .frame = echo_frame,
    .max_unit = ECHO_LINE_MAX,
    .unit = echo_unit,
    .resume = echo_resume,
    .wake = echo_wake,
    .timeout = echo_timeout,
    .shutdown = echo_shutdown,
    .bad_input = echo_bad_input,
    .close = echo_close,
};

// --- A server, and the blocking client ---

struct server {
    struct net *net;
    struct echo_service service;
    char *address;
};

// `spec` may be NULL; its proto, service and address are filled in.
static inline struct server *server_new(const struct net_listen *spec) {
    struct server *server = g_new0(struct server, 1);
    pthread_mutex_init(&server->service.lock, NULL);
    assert_ok(net_new(2, 4, &server->net));
    struct net_listen listen = spec ? *spec : (struct net_listen){0};
    listen.address = "127.0.0.1:0";
    listen.proto = &echo_proto;
    listen.service = &server->service;
    assert_ok(net_listen(server->net, &listen, &server->address));
    return server;
}

static inline void server_free(struct server *server) {
    net_free(server->net, 2000);
    g_assert_cmpuint(server->service.opened, ==, server->service.closed);
    g_assert_cmpuint(server->service.overlaps, ==, 0);
    net_conn_unref(server->service.watched);
    pthread_mutex_destroy(&server->service.lock);
    g_free(server->address);
    g_free(server);
}

struct client {
    int fd;
    SSL *ssl;
    char buf[4096];
    size_t len;
};

static inline int client_socket(const struct server *server, int receive_buffer) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    in.sin_port = htons((uint16_t)atoi(strrchr(server->address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(fd, >=, 0);
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&in, sizeof in), ==, 0);
    // A test that waits this long has failed.
    struct timeval patience = {.tv_sec = 30};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

static inline struct client *client_new(const struct server *server) {
    struct client *client = g_new0(struct client, 1);
    client->fd = client_socket(server, 0);
    return client;
}

static inline void client_free(struct client *client) {
    if (client->ssl)
        SSL_shutdown(client->ssl); // else OpenSSL would not use the session again
    SSL_free(client->ssl);
    close(client->fd);
    g_free(client);
}

// Closes so that the peer gets a reset.
static inline void client_reset(struct client *client) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    client_free(client);
}

static inline void client_send_bytes(struct client *client, const void *data, size_t len) {
    const char *from = data;
    while (len > 0) {
        ssize_t n = client->ssl ? SSL_write(client->ssl, from, (int)len)
                                : send(client->fd, from, len, MSG_NOSIGNAL);
        g_assert_cmpint(n, >, 0);
        from += n;
        len -= (size_t)n;
    }
}

static inline void client_send(struct client *client, const char *text) {
    client_send_bytes(client, text, strlen(text));
}

// 0 at the end of the connection, -1 for a reset.
static inline ssize_t client_read(struct client *client, void *buf, size_t size) {
    if (!client->ssl) {
        ssize_t n = recv(client->fd, buf, size, 0);
        g_assert_false(n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
        return n;
    }
    int n = SSL_read(client->ssl, buf, (int)size);
    return n > 0 ? n : SSL_get_error(client->ssl, n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

// The next line without its newline (g_free); NULL at the end of the connection.
static inline char *client_line(struct client *client) {
    for (;;) {
        char *end = memchr(client->buf, '\n', client->len);
        if (end) {
            char *line = g_strndup(client->buf, (gsize)(end - client->buf));
            client->len -= (size_t)(end + 1 - client->buf);
            memmove(client->buf, end + 1, client->len);
            return line;
        }
        g_assert_cmpuint(client->len, <, sizeof client->buf);
        ssize_t n =
            client_read(client, client->buf + client->len, sizeof client->buf - client->len);
        if (n <= 0)
            return NULL;
        client->len += (size_t)n;
    }
}

#define client_expect(client, expected)                                                            \
    do {                                                                                           \
        g_autofree char *line_ = client_line(client);                                              \
        g_assert_cmpstr(line_, ==, expected);                                                      \
    } while (0)

// Waits until `condition` holds; fails after ten seconds.
#define wait_for(condition)                                                                        \
    do {                                                                                           \
        for (int tries_ = 0; !(condition); tries_++) {                                             \
            g_assert_cmpint(tries_, <, 10000);                                                     \
            g_usleep(1000);                                                                        \
        }                                                                                          \
    } while (0)
