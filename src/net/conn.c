// A connection's life and ownership: made by the listener, handed between its loop and the workers,
// kept as long as somebody holds a reference. See net_internal.h for who may touch what.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "net/net_internal.h"

static _Atomic uint64_t last_id;

struct net_conn *net_conn_new(struct net_listener *listener, int fd,
                              const struct sockaddr_storage *peer) {
    struct net *net = listener->net;
    struct net_conn *conn = g_new0(struct net_conn, 1);
    pthread_mutex_init(&conn->lock, NULL);
    conn->refs = 1;
    conn->owner = NET_OWNER_LOOP;
    conn->phase = listener->proxies        ? NET_PHASE_PROXY
                  : listener->implicit_tls ? NET_PHASE_HANDSHAKE
                                           : NET_PHASE_OPEN;
    conn->handshake_wants = EV_READ;
    conn->fd = fd;
    conn->net = net;
    conn->loop = &net->loops[net->next_loop++ % net->n_loops];
    conn->listener = listener;
    conn->proto = listener->proto;
    conn->idle_seconds = listener->idle_seconds;
    conn->phase_since = conn->last_active = conn->last_progress = net_now();
    conn->id = atomic_fetch_add(&last_id, 1) + 1;
    conn->peer = net_address_of(peer);
    if (!listener->proxies)
        conn->counted = conn->peer;
    conn->is_counted = true;
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof local;
    if (getsockname(fd, (struct sockaddr *)&local, &len) == 0)
        conn->local = net_address_of(&local);
    // Answers go out whole, so waiting for more to send only delays; dead peers are found in hours.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));

    pthread_mutex_lock(&net->lock);
    net->open++;
    pthread_mutex_unlock(&net->lock);
    net->counters.open_now++;
    net->counters.accepted++;
    return conn;
}

struct net_conn *net_conn_ref(struct net_conn *conn) {
    atomic_fetch_add(&conn->refs, 1);
    return conn;
}

// What holds resources is gone by now: only the struct and the texts are left.
void net_conn_unref(struct net_conn *conn) {
    if (!conn || atomic_fetch_sub(&conn->refs, 1) != 1)
        return;
    g_free(conn->peer_text);
    g_free(conn->local_text);
    pthread_mutex_destroy(&conn->lock);
    g_free(conn);
}

// Which flags could be acted on now. Called by the owner, or under the lock when there is none.
uint8_t net_conn_accepts(const struct net_conn *conn) {
    if (conn->failed)
        return 0;
    uint8_t flags = NET_FLAG_KILL;
    if (conn->phase <= NET_PHASE_HANDSHAKE && !conn->opened)
        flags |= NET_FLAG_SHUTDOWN;
    if (conn->phase == NET_PHASE_OPEN && conn->opened && !conn->resuming && !conn->start_tls &&
        conn->out.pending <= NET_OUTPUT_HIGH)
        flags |=
            conn->waiting ? NET_FLAG_WAKE : NET_FLAG_WAKE | NET_FLAG_TIMEOUT | NET_FLAG_SHUTDOWN;
    return flags;
}

void net_conn_signal(struct net_conn *conn, uint8_t flag) {
    pthread_mutex_lock(&conn->lock);
    if (!conn->gone) {
        conn->flags |= flag;
        if (conn->owner == NET_OWNER_NONE && (net_conn_accepts(conn) & flag)) {
            conn->owner = NET_OWNER_WORKER;
            net_conn_push(conn);
        }
    }
    pthread_mutex_unlock(&conn->lock);
}

void net_conn_wake(struct net_conn *conn) {
    if (conn->proto->wake)
        net_conn_signal(conn, NET_FLAG_WAKE);
}

void net_conn_wake_after(struct net_conn *conn, unsigned seconds) {
    conn->wake_due = net_now() + (int64_t)seconds * G_USEC_PER_SEC;
    conn->retime = true;
}

void net_conn_set_phase(struct net_conn *conn, enum net_phase phase) {
    conn->phase = phase;
    conn->phase_since = net_now();
    conn->retime = true;
}

// The input is left alone: a unit that is being handled may be what wrote to the broken socket.
void net_conn_fail(struct net_conn *conn) {
    conn->failed = true;
    net_output_clear(&conn->out);
    net_output_clear(net_conn_wire(conn));
}

// Our FIN goes out now, the socket is closed only after the peer's: closing it with unread input
// would send a reset, which can destroy the last answer on its way ("221 bye").
void net_conn_half_close(struct net_conn *conn) {
    net_tls_finish(conn);
    g_clear_pointer(&conn->deflate, net_deflate_free);
    conn->tls_pending = false; // what the filters held is input too
    shutdown(conn->fd, SHUT_WR);
    net_input_clear(&conn->in);
    net_conn_set_phase(conn, NET_PHASE_LINGER);
}

bool net_conn_is_over(const struct net_conn *conn) {
    return !conn->session && (conn->failed || (conn->phase == NET_PHASE_LINGER && conn->eof));
}

short net_conn_wants(const struct net_conn *conn) {
    if (conn->failed)
        return 0;
    switch ((enum net_phase)conn->phase) {
    case NET_PHASE_PROXY:
        return EV_READ;
    case NET_PHASE_HANDSHAKE:
        return conn->handshake_wants;
    case NET_PHASE_FLUSH:
        return EV_WRITE;
    case NET_PHASE_LINGER:
        return conn->eof ? 0 : EV_READ;
    case NET_PHASE_OPEN:
        break;
    }
    short wants = net_conn_pending(conn) > 0 ? EV_WRITE : 0;
    if (conn->opened && !conn->eof && !conn->resuming && !conn->start_tls &&
        conn->out.pending <= NET_OUTPUT_HIGH && net_conn_input_space(conn) > 0)
        wants |= conn->read_wants_write ? EV_READ | EV_WRITE : EV_READ;
    return wants;
}
