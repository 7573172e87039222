// Waiting for sockets with poll: until the time is up, the peer has something, or the relay stops.
#include "relay/peer.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <openssl/err.h>

#include "relay/relay_internal.h"

struct peer {
    struct relay *r;
    int fd;
    SSL *ssl;
    uint8_t in[16384];
    size_t in_pos, in_len;
    GByteArray *out;
    bool is_in_doubt;
    char error[200];
};

static int64_t deadline_in(unsigned seconds) {
    return g_get_monotonic_time() + (int64_t)seconds * 1000000;
}

// EC_OK: there are events. A wait longer than RELAY_SLOW_SECONDS is said to the relay.
static enum ec wait_for(struct peer *c, short events, int64_t deadline) {
    struct relay *r = c->r;
    int64_t slow_at = deadline_in(RELAY_SLOW_SECONDS);
    bool is_slow = false;
    enum ec ec = EC_TIMEOUT;
    for (;;) {
        if (atomic_load(&r->is_stopping)) {
            if (!c->is_in_doubt) {
                ec = EC_CANCEL;
                break;
            }
            deadline = MIN(deadline, r->stop_until);
        }
        int64_t now = g_get_monotonic_time();
        if (now >= slow_at && !is_slow)
            relay_thread_is_slow(r, is_slow = true);
        if (now >= deadline)
            break;
        int64_t until = is_slow ? deadline : MIN(deadline, slow_at);
        struct pollfd fds[2] = {{c->fd, events, 0}, {r->stop_fd, POLLIN, 0}};
        bool hears_stop = !atomic_load(&r->is_stopping);
        int n = poll(fds, hears_stop ? 2 : 1, (int)MIN((until - now + 999) / 1000, 3600000));
        if (n < 0 && errno != EINTR) {
            ec = EC_NETWORK_ERROR;
            break;
        }
        if (n > 0 && fds[0].revents) {
            ec = EC_OK;
            break;
        }
    }
    if (is_slow)
        relay_thread_is_slow(r, false);
    if (ec == EC_TIMEOUT)
        g_strlcpy(c->error, "no answer in time", sizeof c->error);
    return ec;
}

static enum ec failed(struct peer *c, int error) {
    g_strlcpy(c->error, error ? g_strerror(error) : "the connection was closed", sizeof c->error);
    return EC_NETWORK_ERROR;
}

// --- Connecting ---

static socklen_t read_address(const char *text, unsigned port, struct sockaddr_storage *out) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof *v6;
    }
    return 0;
}

static enum ec connect_to(struct peer *c, const char *address, unsigned port, unsigned seconds) {
    struct sockaddr_storage where;
    socklen_t len = read_address(address, port, &where);
    if (len == 0)
        return failed(c, EINVAL);
    c->fd = socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return failed(c, errno);
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&where, len) == 0)
        return EC_OK;
    if (errno != EINPROGRESS)
        return failed(c, errno);
    EC_TRY(wait_for(c, POLLOUT, deadline_in(seconds)));
    int error = 0;
    len = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    return error ? failed(c, error) : EC_OK;
}

enum ec peer_connect(struct relay *r, const char *address, unsigned port, unsigned seconds,
                     struct peer **out) {
    struct peer *c = g_new0(struct peer, 1);
    c->r = r;
    c->fd = -1;
    c->out = g_byte_array_new();
    *out = c;
    return connect_to(c, address, port, seconds);
}

void peer_free(struct peer *c) {
    if (!c)
        return;
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    g_byte_array_unref(c->out);
    g_free(c);
}

// --- Bytes ---

// What a call of OpenSSL's wants: EC_OK to call again.
static enum ec after_ssl(struct peer *c, int result, int64_t deadline) {
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(c, POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(c, POLLOUT, deadline);
    case SSL_ERROR_SYSCALL:
        return failed(c, errno);
    case SSL_ERROR_ZERO_RETURN:
        return failed(c, 0);
    default: {
        unsigned long error = ERR_get_error();
        const char *reason = error ? ERR_reason_error_string(error) : NULL;
        g_snprintf(c->error, sizeof c->error, "TLS: %s", reason ? reason : "failed");
        return EC_NETWORK_ERROR;
    }
    }
}

// At most `len` bytes; the number goes to *n_out.
static enum ec write_some(struct peer *c, const uint8_t *data, size_t len, int64_t deadline,
                          size_t *n_out) {
    for (;;) {
        if (c->ssl) {
            ERR_clear_error();
            int n = SSL_write(c->ssl, data, (int)MIN(len, 1u << 20));
            if (n > 0) {
                *n_out = (size_t)n;
                return EC_OK;
            }
            EC_TRY(after_ssl(c, n, deadline));
            continue;
        }
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n >= 0) {
            *n_out = (size_t)n;
            return EC_OK;
        }
        if (errno == EAGAIN)
            EC_TRY(wait_for(c, POLLOUT, deadline));
        else if (errno != EINTR)
            return failed(c, errno);
    }
}

static enum ec read_some(struct peer *c, int64_t deadline) {
    if (c->in_pos > 0) {
        memmove(c->in, c->in + c->in_pos, c->in_len - c->in_pos);
        c->in_len -= c->in_pos;
        c->in_pos = 0;
    }
    size_t room = sizeof c->in - c->in_len;
    for (;;) {
        ssize_t n;
        if (c->ssl) {
            ERR_clear_error();
            n = SSL_read(c->ssl, c->in + c->in_len, (int)room);
            if (n <= 0) {
                EC_TRY(after_ssl(c, (int)n, deadline));
                continue;
            }
        } else {
            n = recv(c->fd, c->in + c->in_len, room, 0);
            if (n == 0)
                return failed(c, 0);
        }
        if (n > 0) {
            c->in_len += (size_t)n;
            return EC_OK;
        }
        if (errno == EAGAIN)
            EC_TRY(wait_for(c, POLLIN, deadline));
        else if (errno != EINTR)
            return failed(c, errno);
    }
}

void peer_put(struct peer *c, const char *text) {
    g_byte_array_append(c->out, (const guint8 *)text, (guint)strlen(text));
}

void peer_printf(struct peer *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    peer_put(c, text);
}

GByteArray *peer_out(struct peer *c) {
    return c->out;
}

enum ec peer_flush(struct peer *c, unsigned seconds) {
    size_t pos = 0;
    enum ec ec = EC_OK;
    while (pos < c->out->len && ec == EC_OK) {
        size_t n = 0;
        // The time is for each block, not for all of them.
        ec = write_some(c, c->out->data + pos, c->out->len - pos, deadline_in(seconds), &n);
        pos += n;
    }
    g_byte_array_set_size(c->out, 0);
    return ec;
}

enum ec peer_reply(struct peer *c, unsigned seconds, struct reply *out,
                   void (*line)(void *ctx, const char *text, size_t len), void *ctx) {
    EC_TRY(peer_flush(c, seconds));
    int64_t deadline = deadline_in(seconds);
    for (;;) {
        size_t used = 0;
        enum reply_parse parse =
            reply_parse(c->in + c->in_pos, c->in_len - c->in_pos, out, &used, line, ctx);
        if (parse == REPLY_DONE) {
            c->in_pos += used;
            return EC_OK;
        }
        if (parse == REPLY_BAD || c->in_len - c->in_pos == sizeof c->in) {
            g_strlcpy(c->error, "the answer is not SMTP", sizeof c->error);
            return EC_FORMAT_ERROR;
        }
        EC_TRY(read_some(c, deadline));
    }
}

// --- TLS, and what is asked about a connection ---

enum ec peer_start_tls(struct peer *c, SSL *ssl, unsigned seconds) {
    int64_t deadline = deadline_in(seconds);
    c->ssl = ssl;
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
    if (SSL_set_fd(ssl, c->fd) != 1)
        return failed(c, ENOMEM);
    for (;;) {
        ERR_clear_error();
        int n = SSL_connect(ssl);
        if (n == 1)
            return EC_OK;
        enum ec ec = after_ssl(c, n, deadline);
        long verified = SSL_get_verify_result(ssl);
        if (ec == EC_NETWORK_ERROR && verified != X509_V_OK &&
            SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
            g_snprintf(c->error, sizeof c->error, "its certificate is not good: %s",
                       X509_verify_cert_error_string(verified));
            return EC_NOT_AUTHORIZED;
        }
        EC_TRY(ec);
    }
}

SSL *peer_ssl(struct peer *c) {
    return c->ssl;
}

void peer_say_goodbye(struct peer *c) {
    static const char quit[] = "QUIT\r\n";
    ERR_clear_error();
    if (!c->ssl) {
        ssize_t n = send(c->fd, quit, sizeof quit - 1, MSG_NOSIGNAL);
        (void)n; // courtesy
    } else if (SSL_is_init_finished(c->ssl) && SSL_write(c->ssl, quit, sizeof quit - 1) > 0) {
        SSL_shutdown(c->ssl);
    }
    ERR_clear_error();
}

bool peer_has_input(const struct peer *c) {
    return c->in_len > c->in_pos;
}

bool peer_is_alive(struct peer *c) {
    // TLS 1.3 sends session tickets when it likes: those bytes are no reason to give it up.
    struct pollfd fd = {c->fd, POLLIN | POLLRDHUP, 0};
    if (poll(&fd, 1, 0) <= 0)
        return true;
    return !(fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) && c->ssl;
}

void peer_set_in_doubt(struct peer *c, bool is_in_doubt) {
    c->is_in_doubt = is_in_doubt;
}

const char *peer_error(const struct peer *c) {
    return *c->error ? c->error : "failed";
}
