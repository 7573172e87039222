// The worker's side of a connection: what is to be done next, and doing it until nothing is left,
// another's turn has come, or the connection has to wait for its peer.
#include "base/log.h"
#include "net/net_internal.h"

// Asks `frame` once for each state of the input. False: more is needed.
static bool find_unit(struct net_conn *conn) {
    struct net_input *in = &conn->in;
    if (conn->unit_len != 0)
        return true;
    if (in->len == 0 || in->len == conn->frame_seen)
        return false;
    size_t len = MIN(in->len, conn->proto->max_unit);
    ssize_t unit = conn->proto->frame(conn->session, in->data + in->start, len);
    bool is_wrong = unit > (ssize_t)len;
    if (is_wrong || (unit == NET_FRAME_NEED_MORE && len == conn->proto->max_unit)) {
        log_event(LOG_LEVEL_ERROR, "net.frame_wrong", "protocol", conn->proto->name, "len",
                  log_u64(len), "unit", log_i64(unit), NULL);
        unit = NET_FRAME_BAD;
    }
    conn->unit_len = unit;
    conn->frame_seen = in->len;
    return unit != 0;
}

// A session function ran: the same bytes may mean something else now.
static void forget_unit(struct net_conn *conn) {
    conn->unit_len = 0;
    conn->frame_seen = 0;
}

static enum net_action next_closing(struct net_conn *conn) {
    if (conn->phase == NET_PHASE_FLUSH) {
        if (net_conn_pending(conn) > 0)
            return NET_ACT_NONE;
        net_conn_half_close(conn);
    }
    return conn->session ? NET_ACT_CLOSE : NET_ACT_NONE;
}

static enum net_action next_open(struct net_conn *conn) {
    if (!conn->opened)
        return NET_ACT_OPEN;
    if (conn->out.pending > NET_OUTPUT_HIGH)
        return NET_ACT_NONE;
    if (conn->start_tls) {
        if (conn->plain_left == 0) {
            conn->start_tls = false;
            conn->io_ready = false;
            conn->handshake_wants = EV_READ;
            net_conn_set_phase(conn, NET_PHASE_HANDSHAKE);
        }
        return NET_ACT_NONE;
    }
    if (conn->resuming)
        return conn->out.pending < NET_OUTPUT_LOW ? NET_ACT_RESUME : NET_ACT_NONE;
    if (conn->waiting)
        return conn->todo & NET_FLAG_WAKE ? NET_ACT_WAKE : NET_ACT_NONE;
    if (conn->todo & NET_FLAG_SHUTDOWN)
        return NET_ACT_SHUTDOWN;
    if (conn->todo & NET_FLAG_TIMEOUT)
        return NET_ACT_TIMEOUT;
    if (conn->todo & NET_FLAG_WAKE && (!conn->woke_last || !find_unit(conn)))
        return NET_ACT_WAKE;
    if (find_unit(conn))
        return conn->unit_len > 0 ? NET_ACT_UNIT : NET_ACT_BAD_INPUT;
    if (conn->eof) { // and what is left is no unit
        net_conn_set_phase(conn, NET_PHASE_FLUSH);
        return next_closing(conn);
    }
    return NET_ACT_NONE;
}

static void take_flags(struct net_conn *conn) {
    pthread_mutex_lock(&conn->lock);
    uint8_t taken = conn->flags & net_conn_accepts(conn);
    conn->flags &= (uint8_t)~taken;
    pthread_mutex_unlock(&conn->lock);
    conn->todo |= taken;
}

enum net_action net_conn_next(struct net_conn *conn) {
    take_flags(conn);
    if (conn->todo & NET_FLAG_KILL && !conn->failed)
        net_conn_fail(conn);
    if (conn->failed)
        return conn->session ? NET_ACT_CLOSE : NET_ACT_NONE;
    switch ((enum net_phase)conn->phase) {
    case NET_PHASE_PROXY:
        if (conn->todo & NET_FLAG_SHUTDOWN)
            net_conn_fail(conn);
        return NET_ACT_NONE;
    case NET_PHASE_HANDSHAKE:
        if (!conn->opened && conn->todo & NET_FLAG_SHUTDOWN) {
            net_conn_fail(conn);
            return NET_ACT_NONE;
        }
        return conn->io_ready ? NET_ACT_HANDSHAKE : NET_ACT_NONE;
    case NET_PHASE_OPEN:
        return next_open(conn);
    case NET_PHASE_FLUSH:
    case NET_PHASE_LINGER:
        break;
    }
    return next_closing(conn);
}

static void close_after_flush(struct net_conn *conn) {
    conn->start_tls = false;
    conn->resuming = false;
    conn->drop_input = true;
    net_conn_set_phase(conn, NET_PHASE_FLUSH);
}

static void follow(struct net_conn *conn, enum net_next next) {
    switch (next) {
    case NET_READ:
        break;
    case NET_MORE:
        conn->resuming = true;
        break;
    case NET_WAIT:
        g_assert(conn->proto->wake); // else it would wait for ever
        conn->waiting = true;
        break;
    case NET_CLOSE:
        close_after_flush(conn);
        break;
    case NET_ABORT:
        shutdown(conn->fd, SHUT_RDWR); // the peer need not wait for the session's end
        net_conn_fail(conn);
        break;
    }
}

static void run_open(struct net_conn *conn) {
    conn->opened = true;
    conn->session = conn->proto->open(conn, conn->listener->service);
    if (!conn->session) {
        conn->net->counters.refused++;
        close_after_flush(conn);
    }
}

static void run_unit(struct net_conn *conn) {
    size_t len = (size_t)conn->unit_len;
    forget_unit(conn);
    conn->woke_last = false;
    follow(conn, conn->proto->unit(conn->session, conn->in.data + conn->in.start, len));
    net_input_consume(&conn->in, len);
}

// A session need not have every function; without one the connection closes.
static void run_or_close(struct net_conn *conn, enum net_next (*fn)(void *session)) {
    if (fn)
        follow(conn, fn(conn->session));
    else
        close_after_flush(conn);
}

static void run_action(struct net_conn *conn, enum net_action action) {
    conn->net->counters.jobs++;
    switch (action) {
    case NET_ACT_NONE:
        break;
    case NET_ACT_HANDSHAKE:
        net_tls_handshake(conn);
        break;
    case NET_ACT_OPEN:
        run_open(conn);
        break;
    case NET_ACT_RESUME:
        conn->resuming = false;
        run_or_close(conn, conn->proto->resume);
        break;
    case NET_ACT_SHUTDOWN:
        conn->todo &= (uint8_t)~NET_FLAG_SHUTDOWN;
        run_or_close(conn, conn->proto->shutdown);
        break;
    case NET_ACT_TIMEOUT:
        conn->todo &= (uint8_t)~NET_FLAG_TIMEOUT;
        run_or_close(conn, conn->proto->timeout);
        break;
    case NET_ACT_WAKE:
        conn->todo &= (uint8_t)~NET_FLAG_WAKE;
        conn->woke_last = true;
        conn->waiting = false;
        conn->wake_due = 0;
        run_or_close(conn, conn->proto->wake);
        break;
    case NET_ACT_UNIT:
        run_unit(conn);
        break;
    case NET_ACT_BAD_INPUT:
        if (conn->proto->bad_input)
            conn->proto->bad_input(conn->session);
        close_after_flush(conn);
        break;
    case NET_ACT_CLOSE:
        conn->proto->close(conn->session);
        conn->session = NULL;
        break;
    }
    forget_unit(conn);
    if (action != NET_ACT_WAKE) // a mailbox with much traffic does not make its client less idle
        conn->last_active = net_now();
    if (conn->drop_input) {
        conn->drop_input = false;
        net_input_clear(&conn->in);
    }
}

// Ends the job. False: a flag was set in the meantime, so there is more to do.
static bool give_back(struct net_conn *conn) {
    short wants = net_conn_wants(conn);
    // What is armed and not wanted does no harm before it fires; everything else is the loop's.
    bool for_loop =
        net_conn_is_over(conn) || conn->retime || net_conn_pending(conn) > 0 || conn->tls_pending;
    pthread_mutex_lock(&conn->lock);
    for_loop |= (wants & ~conn->armed) != 0; // the loop disarms, under the lock, what fired
    bool done = !(conn->flags & net_conn_accepts(conn));
    if (done)
        conn->owner = for_loop ? NET_OWNER_LOOP : NET_OWNER_NONE;
    pthread_mutex_unlock(&conn->lock);
    if (done && for_loop) {
        conn->task.run = net_conn_adopt;
        net_loop_post(conn->loop, &conn->task);
    }
    return done;
}

static void run_job(struct net_task *task) {
    struct net_conn *conn = NET_CONTAINER(task, struct net_conn, task);
    unsigned steps = 0;
    size_t bytes = 0;
    for (;;) {
        enum net_action action = net_conn_next(conn);
        if (action == NET_ACT_NONE) {
            if (give_back(conn))
                return;
            continue;
        }
        if (steps >= NET_UNITS_PER_TURN || bytes >= NET_BYTES_PER_TURN) {
            net_conn_push(conn);
            return;
        }
        steps++;
        bytes += conn->unit_len > 0 ? (size_t)conn->unit_len : 0;
        size_t before = conn->out.pending;
        run_action(conn, action);
        if (conn->out.pending > before)
            bytes += conn->out.pending - before;
        net_conn_send(conn);
    }
}

void net_conn_push(struct net_conn *conn) {
    conn->task.run = run_job;
    net_pool_push(&conn->net->pool, NET_CLASS_CONN, &conn->task);
}
