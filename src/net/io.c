// Moving bytes between the socket and the buffers of a connection, plain or through TLS.
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "net/net_internal.h"

#define PIECES 16

size_t net_conn_input_space(const struct net_conn *conn) {
    size_t limit = MAX(conn->proto->max_unit, NET_INPUT_MIN);
    return limit > conn->in.len ? limit - conn->in.len : 0;
}

// Like net_tls_send: bytes; 0: not now; -1: failed.
static ssize_t plain_send(struct net_conn *conn, const struct net_output *out, size_t max) {
    struct iovec pieces[PIECES];
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = net_output_pieces(out, pieces, PIECES, max)};
    ssize_t n;
    do
        n = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        net_conn_fail(conn);
        return -1;
    }
    return MAX(n, 0);
}

void net_conn_send(struct net_conn *conn) {
    if (conn->failed || conn->phase <= NET_PHASE_HANDSHAKE || conn->phase == NET_PHASE_LINGER)
        return;
    size_t sent = 0;
    for (;;) {
        net_deflate_fill(conn);
        struct net_output *out = net_conn_wire(conn);
        size_t max = conn->start_tls ? conn->plain_left : out->pending;
        if (max == 0)
            break;
        ssize_t n = conn->ssl ? net_tls_send(conn, out, max) : plain_send(conn, out, max);
        if (n <= 0)
            break;
        net_output_consume(out, (size_t)n);
        if (conn->start_tls)
            conn->plain_left -= (size_t)n;
        sent += (size_t)n;
    }
    if (sent == 0)
        return;
    conn->net->counters.bytes_out += sent;
    conn->last_progress = net_now();
    if (net_conn_pending(conn) == 0) // a client is not idle while it takes a long answer
        conn->last_active = conn->last_progress;
}

static ssize_t plain_receive(struct net_conn *conn, void *buf, size_t size) {
    ssize_t n;
    do
        n = recv(conn->fd, buf, size, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return n;
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n == 0)
        conn->eof = true;
    else
        net_conn_fail(conn);
    return -1;
}

void net_conn_receive(struct net_conn *conn) {
    uint8_t *scratch = conn->loop->scratch;
    size_t got = 0;
    bool is_full = true; // stopped although there may be more
    conn->tls_pending = false;
    conn->read_wants_write = false;
    while (got < NET_READ_PER_TURN) {
        size_t space = MIN(net_conn_input_space(conn), NET_SCRATCH);
        if (space == 0)
            break;
        if (net_deflate_holds(conn)) {
            ssize_t n = net_deflate_expand(conn, NULL, 0, space);
            if (n < 0)
                return;
            got += (size_t)n;
            continue;
        }
        size_t wanted = conn->deflate ? NET_SCRATCH : space;
        ssize_t n = conn->ssl ? net_tls_receive(conn, scratch, wanted)
                              : plain_receive(conn, scratch, wanted);
        if (n <= 0) {
            is_full = false;
            break;
        }
        // Nothing more was there: epoll will say when there is, which is cheaper than asking.
        bool is_all = conn->ssl ? !SSL_has_pending(conn->ssl) : (size_t)n < wanted;
        if (conn->deflate) {
            n = net_deflate_expand(conn, scratch, (size_t)n, space);
            if (n < 0)
                return;
        } else {
            net_input_append(&conn->in, scratch, (size_t)n);
        }
        got += (size_t)n;
        if (is_all)
            break;
    }
    conn->tls_pending =
        (is_full && conn->ssl && SSL_has_pending(conn->ssl)) || net_deflate_holds(conn);
    if (got > 0) {
        conn->net->counters.bytes_in += got;
        conn->last_active = net_now();
    }
}
