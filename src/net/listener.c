// Listening sockets. Loop 0 accepts for all and deals the connections out in turn.
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/net_internal.h"

static bool log_is_due(int64_t *last) {
    int64_t now = net_now() / G_USEC_PER_SEC;
    if (*last && now - *last < NET_LOG_EVERY_SECONDS)
        return false;
    *last = now;
    return true;
}

const char *net_listener_admit(struct net_listener *listener, const struct net_address *peer) {
    const char *limit = NULL;
    bool counts_address =
        listener->max_per_address > 0 && peer->family && !net_address_is_loopback(peer);
    pthread_mutex_lock(&listener->lock);
    guint of_peer = 0;
    if (counts_address)
        of_peer = GPOINTER_TO_UINT(g_hash_table_lookup(listener->per_address, peer));
    if (listener->max_connections > 0 && listener->open >= listener->max_connections) {
        limit = "connections";
    } else if (counts_address && of_peer >= listener->max_per_address) {
        limit = "connections of one address";
    } else {
        listener->open++;
        if (counts_address)
            g_hash_table_replace(listener->per_address, g_memdup2(peer, sizeof *peer),
                                 GUINT_TO_POINTER(of_peer + 1));
    }
    bool log = limit && log_is_due(&listener->last_limit_log);
    pthread_mutex_unlock(&listener->lock);
    if (log) {
        g_autofree char *text = net_address_text(peer);
        log_event(LOG_LEVEL_WARNING, "net.limit_reached", "limit", limit, "protocol",
                  listener->proto->name, "listener", listener->address, "peer", text, NULL);
    }
    return limit;
}

void net_listener_release(struct net_listener *listener, const struct net_address *peer) {
    pthread_mutex_lock(&listener->lock);
    listener->open--;
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(listener->per_address, peer));
    if (n > 1)
        g_hash_table_replace(listener->per_address, g_memdup2(peer, sizeof *peer),
                             GUINT_TO_POINTER(n - 1));
    else if (n == 1)
        g_hash_table_remove(listener->per_address, peer);
    pthread_mutex_unlock(&listener->lock);
}

static void refuse_stranger(struct net_listener *listener, const struct net_address *peer) {
    listener->net->counters.refused++;
    if (!log_is_due(&listener->last_stranger_log))
        return;
    g_autofree char *text = net_address_text(peer);
    log_event(LOG_LEVEL_WARNING, "net.no_proxy", "listener", listener->address, "peer", text,
              "hint", "this listener takes connections through trusted proxies only", NULL);
}

static void accepted(struct net_listener *listener, int fd, const struct sockaddr_storage *ss) {
    struct net_address peer = net_address_of(ss);
    if (listener->proxies && !net_networks_have_address(listener->proxies, &peer)) {
        refuse_stranger(listener, &peer);
        close(fd);
        return;
    }
    // Connections through a proxy count for the client that the proxy names.
    if (listener->proxies)
        peer = (struct net_address){0};
    if (net_listener_admit(listener, &peer)) {
        listener->net->counters.refused++;
        close(fd);
        return;
    }
    net_conn_start(net_conn_new(listener, fd, ss));
}

// Without free descriptors the listening socket stays readable: asking again at once would spin.
static void pause_accepting(struct net_listener *listener, int error) {
    if (log_is_due(&listener->last_accept_log))
        log_event(LOG_LEVEL_ERROR, "net.accept_failed", "listener", listener->address, "reason",
                  g_strerror(error), "hint", "raise LimitNOFILE or lower the connection limits",
                  NULL);
    event_del(&listener->accept);
    event_add(&listener->pause, &(struct timeval){.tv_usec = NET_ACCEPT_PAUSE_MS * 1000});
}

static void on_accept(evutil_socket_t fd, short what, void *data) {
    struct net_listener *listener = data;
    for (unsigned i = 0; i < NET_ACCEPT_PER_TURN; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof peer;
        int conn_fd = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (conn_fd >= 0) {
            accepted(listener, conn_fd, &peer);
            continue;
        }
        switch (errno) {
        case EAGAIN:
            return;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            pause_accepting(listener, errno);
            return;
        default: // of that one connection: it was reset while it waited, or its network failed
            break;
        }
    }
}

static void on_pause_end(evutil_socket_t fd, short what, void *data) {
    struct net_listener *listener = data;
    event_add(&listener->accept, NULL);
}

static void listener_free(struct net_listener *listener) {
    if (listener->fd >= 0)
        close(listener->fd);
    net_tls_unref(listener->tls);
    net_networks_unref(listener->proxies);
    g_hash_table_destroy(listener->per_address);
    pthread_mutex_destroy(&listener->lock);
    g_free(listener->address);
    g_free(listener);
}

static const char *hint_of(int error) {
    switch (error) {
    case EADDRINUSE:
        return "another program listens there: stop it or choose another port";
    case EACCES:
        return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
        return "this machine has no such address";
    default:
        return NULL;
    }
}

static enum ec open_socket(const char *text, int *fd_out, char **bound_out) {
    struct sockaddr_storage ss;
    socklen_t len;
    if (net_address_parse(text, &ss, &len) != EC_OK) {
        log_event(LOG_LEVEL_ERROR, "net.listen_failed", "address", text, "reason", "not an address",
                  "hint", "write 127.0.0.1:143 or [::1]:143", NULL);
        return EC_NETWORK_ERROR;
    }
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0;
    if (ok) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (ss.ss_family == AF_INET6) // [::] takes IPv4 as well, whatever the system's default
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
        ok = bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, NET_LISTEN_BACKLOG) == 0 &&
             getsockname(fd, (struct sockaddr *)&ss, &len) == 0;
    }
    if (!ok) {
        int error = errno;
        log_event(LOG_LEVEL_ERROR, "net.listen_failed", "address", text, "reason",
                  g_strerror(error), "hint", hint_of(error), NULL);
        if (fd >= 0)
            close(fd);
        return EC_NETWORK_ERROR;
    }
    *fd_out = fd;
    *bound_out = net_address_format_port(&ss);
    return EC_OK;
}

static void begin(struct net_loop *loop, void *data) {
    struct net_listener *listener = data;
    event_assign(&listener->accept, loop->base, listener->fd, EV_READ | EV_PERSIST, on_accept,
                 listener);
    evtimer_assign(&listener->pause, loop->base, on_pause_end, listener);
    event_add(&listener->accept, NULL);
}

static void end(struct net_loop *loop, void *data) {
    struct net_listener *listener = data;
    event_del(&listener->accept);
    event_del(&listener->pause);
    close(listener->fd);
    listener->fd = -1;
}

enum ec net_listen(struct net *net, const struct net_listen *spec, char **bound_out) {
    int fd;
    char *bound;
    g_assert(spec->proto->max_unit > 0);
    if (spec->implicit_tls && !spec->tls)
        return EC_INVALID_PARAMETER;
    EC_TRY(open_socket(spec->address, &fd, &bound));

    struct net_listener *listener = g_new0(struct net_listener, 1);
    pthread_mutex_init(&listener->lock, NULL);
    listener->net = net;
    listener->fd = fd;
    listener->address = bound;
    listener->proto = spec->proto;
    listener->service = spec->service;
    listener->tls = spec->tls;
    if (spec->tls)
        net_tls_ref(spec->tls);
    listener->proxies = net_networks_ref(spec->proxies);
    listener->implicit_tls = spec->implicit_tls;
    listener->max_connections = spec->max_connections;
    listener->max_per_address = spec->max_per_address;
    listener->idle_seconds = spec->idle_seconds;
    listener->per_address =
        g_hash_table_new_full(net_address_hash, net_address_equal, g_free, NULL);
    pthread_mutex_lock(&net->lock);
    listener->next = net->listeners;
    net->listeners = listener;
    pthread_mutex_unlock(&net->lock);
    net_loop_call(&net->loops[0], begin, listener);
    if (bound_out)
        *bound_out = g_strdup(bound);
    return EC_OK;
}

void net_listeners_close(struct net *net) {
    for (struct net_listener *l = net->listeners; l; l = l->next)
        net_loop_call(&net->loops[0], end, l);
}

void net_listeners_free(struct net *net) {
    while (net->listeners) {
        struct net_listener *next = net->listeners->next;
        listener_free(net->listeners);
        net->listeners = next;
    }
}
