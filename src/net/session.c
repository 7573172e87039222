// What a session may do with its connection: write, start TLS, ask who is there.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/net_internal.h"

static bool takes_output(const struct net_conn *conn) {
    return !conn->failed && conn->phase != NET_PHASE_LINGER;
}

// Output begins to wait now, or is so much that the socket had better take some of it.
static void note_output(struct net_conn *conn, size_t before) {
    if (before == 0 && (!conn->deflate || net_conn_wire(conn)->pending == 0))
        conn->last_progress = net_now();
    if (conn->out.pending / NET_OUTPUT_EAGER > before / NET_OUTPUT_EAGER)
        net_conn_send(conn);
}

void net_write(struct net_conn *conn, const void *data, size_t len) {
    if (!takes_output(conn) || len == 0)
        return;
    size_t before = conn->out.pending;
    net_output_append(&conn->out, data, len);
    note_output(conn, before);
}

void net_write_str(struct net_conn *conn, const char *s) {
    net_write(conn, s, strlen(s));
}

void net_printf(struct net_conn *conn, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (len < 0)
        return;
    if ((size_t)len < sizeof line) {
        net_write(conn, line, (size_t)len);
        return;
    }
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    net_write(conn, text, strlen(text));
}

void net_write_bytes(struct net_conn *conn, GBytes *bytes) {
    if (!takes_output(conn) || g_bytes_get_size(bytes) == 0)
        return;
    size_t before = conn->out.pending;
    net_output_append_bytes(&conn->out, bytes);
    note_output(conn, before);
}

void net_flush(struct net_conn *conn) {
    net_conn_send(conn);
}

size_t net_output_pending(const struct net_conn *conn) {
    return net_conn_pending(conn);
}

enum ec net_conn_start_tls(struct net_conn *conn) {
    if (!conn->listener->tls || conn->is_tls || conn->start_tls || conn->deflate)
        return EC_NOT_SUPPORTED;
    conn->start_tls = true;
    conn->plain_left = conn->out.pending;
    conn->drop_input = true;
    return EC_OK;
}

bool net_conn_is_tls(const struct net_conn *conn) {
    return conn->is_tls;
}

bool net_conn_is_loopback(const struct net_conn *conn) {
    return net_address_is_loopback(&conn->peer);
}

// The caches are the session's, like everything here: `const` means that nothing else changes.
const char *net_conn_peer(const struct net_conn *conn) {
    struct net_conn *owned = (struct net_conn *)(uintptr_t)conn;
    if (!owned->peer_text)
        owned->peer_text = net_address_text(&conn->peer);
    return owned->peer_text;
}

const char *net_conn_local(const struct net_conn *conn) {
    struct net_conn *owned = (struct net_conn *)(uintptr_t)conn;
    if (!owned->local_text)
        owned->local_text = net_address_text(&conn->local);
    return owned->local_text;
}

uint64_t net_conn_id(const struct net_conn *conn) {
    return conn->id;
}

void net_conn_quick_ack(struct net_conn *conn) {
    setsockopt(conn->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

void net_conn_set_idle(struct net_conn *conn, unsigned seconds) {
    conn->idle_seconds = seconds;
    conn->retime = true;
}
