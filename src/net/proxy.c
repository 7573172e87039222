// The PROXY protocol, versions 1 and 2, as a load balancer in front of us speaks it: the first
// bytes of a connection name the client that it carries. Taken only from the networks the listener
// trusts with it; there it is demanded, since who may leave it out could be anybody.
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "net/net_internal.h"

#define V1_MAX 107 // with its CRLF
#define V2_HEADER 16
#define V2_LOCAL 0x20
#define V2_PROXY 0x21
#define V2_TCP4 0x11
#define V2_TCP6 0x21

static const uint8_t v2_mark[12] = "\r\n\r\n\0\r\nQUIT\n";

// --- The header ---

static bool is_port(const char *text) {
    guint64 port;
    return g_ascii_string_to_unsigned(text, 10, 0, 65535, &port, NULL);
}

static bool parse_text(int family, const char *text, struct net_address *out) {
    *out = (struct net_address){.family = (uint8_t)family};
    return inet_pton(family, text, out->bytes) == 1;
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25"
static bool parse_line(const char *line, struct net_proxy *out) {
    g_auto(GStrv) words = g_strsplit(line, " ", 7);
    unsigned n = g_strv_length(words);
    if (n >= 2 && strcmp(words[1], "UNKNOWN") == 0)
        return true;
    if (n != 6)
        return false;
    int family = strcmp(words[1], "TCP4") == 0   ? AF_INET
                 : strcmp(words[1], "TCP6") == 0 ? AF_INET6
                                                 : 0;
    out->has_address = true;
    return family && parse_text(family, words[2], &out->peer) &&
           parse_text(family, words[3], &out->local) && is_port(words[4]) && is_port(words[5]);
}

static ssize_t parse_v1(const uint8_t *data, size_t len, struct net_proxy *out) {
    static const char begin[] = "PROXY ";
    if (memcmp(data, begin, MIN(len, sizeof begin - 1)) != 0)
        return -1;
    const uint8_t *end = memchr(data, '\n', MIN(len, V1_MAX));
    if (!end)
        return len < V1_MAX ? 0 : -1;
    size_t line = (size_t)(end - data);
    if (end[-1] != '\r' || memchr(data, 0, line))
        return -1;
    g_autofree char *text = g_strndup((const char *)data, line - 1);
    return parse_line(text, out) ? (ssize_t)line + 1 : -1;
}

// IPv4 ones that are written as IPv6 are kept as IPv4, as everywhere in net/.
static struct net_address address_of(int family, const uint8_t *bytes) {
    struct sockaddr_storage ss = {0};
    if (family == AF_INET) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        memcpy(&in.sin_addr, bytes, 4);
        memcpy(&ss, &in, sizeof in);
    } else {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        memcpy(&in6.sin6_addr, bytes, 16);
        memcpy(&ss, &in6, sizeof in6);
    }
    return net_address_of(&ss);
}

static ssize_t parse_v2(const uint8_t *data, size_t len, struct net_proxy *out) {
    if (len < V2_HEADER)
        return 0;
    size_t inside = (size_t)data[14] << 8 | data[15];
    if ((data[12] != V2_LOCAL && data[12] != V2_PROXY) || V2_HEADER + inside > NET_PROXY_MAX)
        return -1;
    if (len < V2_HEADER + inside)
        return 0;
    // Families that are no Internet ones say nothing we could use: the peer stays what it is.
    size_t size = data[13] == V2_TCP4 ? 4 : data[13] == V2_TCP6 ? 16 : 0;
    if (data[12] == V2_PROXY && size > 0) {
        if (inside < 2 * size + 4)
            return -1;
        int family = size == 4 ? AF_INET : AF_INET6;
        out->has_address = true;
        out->peer = address_of(family, data + V2_HEADER);
        out->local = address_of(family, data + V2_HEADER + size);
    }
    return (ssize_t)(V2_HEADER + inside);
}

ssize_t net_proxy_parse(const uint8_t *data, size_t len, struct net_proxy *out) {
    *out = (struct net_proxy){0};
    if (len == 0)
        return 0;
    if (memcmp(data, v2_mark, MIN(len, sizeof v2_mark)) == 0)
        return parse_v2(data, len, out);
    ssize_t n = parse_v1(data, len, out);
    if (n <= 0)
        out->has_address = false;
    if (out->has_address && out->peer.family == AF_INET6) {
        out->peer = address_of(AF_INET6, out->peer.bytes);
        out->local = address_of(AF_INET6, out->local.bytes);
    }
    return n;
}

// --- The connection ---

static void refuse(struct net_conn *conn, const char *reason) {
    g_autofree char *peer = net_address_text(&conn->peer);
    log_event(LOG_LEVEL_WARNING, "net.proxy_refused", "peer", peer, "listener",
              conn->listener->address, "reason", reason, NULL);
    conn->net->counters.refused++;
    net_conn_fail(conn);
}

static void apply(struct net_conn *conn, const struct net_proxy *proxy) {
    struct net_listener *listener = conn->listener;
    net_input_clear(&conn->in);
    if (proxy->has_address) {
        conn->peer = proxy->peer;
        conn->local = proxy->local;
        // It counts for its client from now on, no more for nobody.
        net_listener_release(listener, &conn->counted);
        conn->counted = conn->peer;
        if (net_listener_admit(listener, &conn->counted)) {
            conn->is_counted = false;
            conn->net->counters.refused++;
            net_conn_fail(conn);
            return;
        }
    }
    net_conn_set_phase(conn, listener->implicit_tls ? NET_PHASE_HANDSHAKE : NET_PHASE_OPEN);
}

// Looks at what is there and takes out of the socket no byte beyond the header: what follows may be
// a TLS handshake.
void net_conn_receive_proxy(struct net_conn *conn) {
    uint8_t *data = conn->loop->scratch;
    size_t have = conn->in.len;
    struct net_proxy proxy;
    if (have)
        memcpy(data, conn->in.data + conn->in.start, have);
    ssize_t n = recv(conn->fd, data + have, NET_PROXY_MAX - have, MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        net_conn_fail(conn);
        return;
    }
    size_t len = have + (size_t)n;
    ssize_t header = net_proxy_parse(data, len, &proxy);
    if (header < 0 || (header == 0 && len == NET_PROXY_MAX)) {
        refuse(conn, "no PROXY header");
        return;
    }
    size_t taken = header > 0 ? (size_t)header - have : (size_t)n;
    if (header == 0)
        net_input_append(&conn->in, data + have, taken);
    if (recv(conn->fd, data + have, taken, 0) != (ssize_t)taken) {
        net_conn_fail(conn);
        return;
    }
    if (header > 0)
        apply(conn, &proxy);
}
