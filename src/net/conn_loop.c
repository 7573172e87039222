// The loop's side of a connection: its events, its deadlines, its end.
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "net/net_internal.h"

static void settle(struct net_conn *conn);

// The socket is ready for something the connection waits for.
static void on_ready(struct net_conn *conn, short what) {
    switch ((enum net_phase)conn->phase) {
    case NET_PHASE_PROXY:
        net_conn_receive_proxy(conn);
        break;
    case NET_PHASE_HANDSHAKE:
        conn->io_ready |= (what & conn->handshake_wants) != 0;
        break;
    case NET_PHASE_OPEN:
        if (what & EV_WRITE)
            net_conn_send(conn);
        if ((what & EV_READ || conn->read_wants_write) && net_conn_wants(conn) & EV_READ)
            net_conn_receive(conn);
        break;
    case NET_PHASE_FLUSH:
        net_conn_send(conn);
        break;
    case NET_PHASE_LINGER:
        if (what & EV_READ) {
            ssize_t n = recv(conn->fd, conn->loop->scratch, NET_SCRATCH, 0);
            conn->eof |= n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        }
        break;
    }
}

static void on_event(evutil_socket_t fd, short what, void *data) {
    struct net_conn *conn = data;
    pthread_mutex_lock(&conn->lock);
    bool busy = conn->owner != NET_OWNER_NONE;
    if (busy) { // not wanted now; armed again when the job has ended
        event_del(&conn->event);
        conn->armed = 0;
    } else {
        conn->owner = NET_OWNER_LOOP;
    }
    pthread_mutex_unlock(&conn->lock);
    if (busy)
        return;
    on_ready(conn, what);
    settle(conn);
}

static void arm(struct net_conn *conn, short wants) {
    if (conn->armed == wants)
        return;
    if (conn->armed)
        event_del(&conn->event);
    conn->armed = wants;
    if (!wants)
        return;
    event_assign(&conn->event, conn->loop->base, conn->fd, (short)(wants | EV_PERSIST), on_event,
                 conn);
    event_add(&conn->event, NULL);
}

// When something has to happen even if the peer stays silent; INT64_MAX: never. Microseconds.
static int64_t deadline(const struct net_conn *conn) {
    const struct net *net = conn->net;
    if (conn->phase <= NET_PHASE_HANDSHAKE)
        return conn->phase_since + net->handshake_seconds * G_USEC_PER_SEC;
    if (conn->phase == NET_PHASE_LINGER)
        return conn->phase_since + NET_LINGER_SECONDS * G_USEC_PER_SEC;
    int64_t wake = conn->waiting && conn->wake_due ? conn->wake_due : INT64_MAX;
    if (net_conn_pending(conn) > 0)
        return MIN(wake, conn->last_progress + net->write_seconds * G_USEC_PER_SEC);
    if (conn->waiting)
        return wake;
    if (conn->phase == NET_PHASE_OPEN && conn->opened && conn->idle_seconds > 0)
        return conn->last_active + conn->idle_seconds * G_USEC_PER_SEC;
    return INT64_MAX;
}

static void schedule(struct net_conn *conn) {
    int64_t at = MIN(deadline(conn), net_deflate_rest_at(conn));
    // Rounded up, so that what is due at the tick is past its deadline.
    int64_t second = at == INT64_MAX ? at : at / G_USEC_PER_SEC + 1;
    second = MIN(second, conn->loop->second + NET_WHEEL_SLOTS - 1);
    conn->retime = false;
    if (conn->wheel_at <= second)
        return; // it is looked at early enough
    net_wheel_remove(conn);
    net_wheel_insert(conn->loop, conn, second);
}

static void expire(struct net_conn *conn) {
    if (conn->phase == NET_PHASE_LINGER) {
        conn->eof = true;
        return;
    }
    if (conn->waiting && conn->wake_due && net_now() >= conn->wake_due) {
        conn->wake_due = 0;
        conn->todo |= NET_FLAG_WAKE;
        return;
    }
    bool is_handshake = conn->phase <= NET_PHASE_HANDSHAKE;
    if (!is_handshake && net_conn_pending(conn) == 0) {
        conn->todo |= NET_FLAG_TIMEOUT;
        return;
    }
    if (is_handshake)
        conn->net->counters.tls_failures++;
    log_event(LOG_LEVEL_INFO, is_handshake ? "net.handshake_timeout" : "net.write_timeout",
              "protocol", conn->proto->name, "conn", log_u64(conn->id), NULL);
    net_conn_fail(conn);
}

void net_conn_tick(struct net_conn *conn) {
    net_wheel_insert(conn->loop, conn, 0); // the next slot, should a worker have it
    conn->wheel_at = INT64_MAX;            // schedule() finds a better one
    pthread_mutex_lock(&conn->lock);
    bool busy = conn->owner != NET_OWNER_NONE;
    if (!busy)
        conn->owner = NET_OWNER_LOOP;
    pthread_mutex_unlock(&conn->lock);
    if (busy)
        return;
    net_deflate_rest(conn);
    if (net_now() >= deadline(conn))
        expire(conn);
    settle(conn);
}

static void destroy(struct net_conn *conn) {
    struct net *net = conn->net;
    arm(conn, 0);
    net_wheel_remove(conn);
    pthread_mutex_lock(&conn->lock);
    conn->gone = true;
    conn->owner = NET_OWNER_NONE;
    pthread_mutex_unlock(&conn->lock);
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    close(conn->fd);
    net_input_clear(&conn->in);
    net_output_clear(&conn->out);
    net_deflate_free(conn->deflate);
    conn->deflate = NULL;
    if (conn->is_counted)
        net_listener_release(conn->listener, &conn->counted);
    net_conn_unref(conn);

    net->counters.open_now--;
    pthread_mutex_lock(&net->lock);
    net->open--;
    pthread_cond_broadcast(&net->closed);
    pthread_mutex_unlock(&net->lock);
}

// Ends the loop's turn: a worker gets the connection, or it waits for events, or it is over.
static void settle(struct net_conn *conn) {
    for (;;) {
        if (net_conn_next(conn) != NET_ACT_NONE) {
            pthread_mutex_lock(&conn->lock);
            conn->owner = NET_OWNER_WORKER;
            pthread_mutex_unlock(&conn->lock);
            net_conn_push(conn);
            return;
        }
        if (net_conn_is_over(conn)) {
            destroy(conn);
            return;
        }
        short wants = net_conn_wants(conn);
        if (conn->tls_pending && wants & EV_READ) {
            net_conn_receive(conn);
            continue;
        }
        arm(conn, wants);
        schedule(conn);
        pthread_mutex_lock(&conn->lock);
        bool done = !(conn->flags & net_conn_accepts(conn));
        if (done)
            conn->owner = NET_OWNER_NONE;
        pthread_mutex_unlock(&conn->lock);
        if (done)
            return;
    }
}

void net_conn_adopt(struct net_task *task) {
    settle(NET_CONTAINER(task, struct net_conn, task));
}

static void start(struct net_task *task) {
    struct net_conn *conn = NET_CONTAINER(task, struct net_conn, task);
    net_wheel_insert(conn->loop, conn, INT64_MAX);
    // Early, so that the usual client (it speaks after the greeting) needs no further message.
    arm(conn, EV_READ);
    settle(conn);
}

void net_conn_start(struct net_conn *conn) {
    conn->task.run = start;
    net_loop_post(conn->loop, &conn->task);
}
