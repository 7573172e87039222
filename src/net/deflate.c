// Compression of a connection (IMAP's COMPRESS, [RFC 4978]): a filter between the buffers of the
// connection and its socket, plain or TLS.
//
// Output waits uncompressed, as always; only as much is compressed as the socket takes soon. Input
// is expanded straight into the room that the connection has for input, and what does not fit
// stays compressed: a peer that sends a megabyte of nothing packed into a kilobyte costs no more
// memory than any other, and the limits of its protocol count what comes out.
//
// The tables of zlib take 300 KiB a connection. They are let go when the peer is silent for some
// seconds: a new deflate stream may follow the old one at a byte boundary, and of the input only
// the bytes that the peer may still refer to are kept.
#include <string.h>
#include <zlib.h>

#include "base/log.h"
#include "net/net_internal.h"

#define LEVEL 3
#define WINDOW_BITS (-15) // without zlib's header
#define WINDOW_SIZE (32 * 1024)
#define MEMORY 8
#define PIECE (16 * 1024)
#define AT_BOUNDARY 128 // z_stream.data_type: between two blocks, no bits left over

struct net_deflate {
    z_stream *out, *in; // NULL: at rest
    struct net_output wire;
    struct net_input held; // compressed input without room for what is in it
    bool has_more;         // the inflater may have output that had no room
    uint8_t *window;       // of the input, at rest
    unsigned window_len;
    int64_t active_at;
};

enum ec net_conn_start_deflate(struct net_conn *conn) {
    if (conn->deflate || conn->start_tls)
        return EC_NOT_SUPPORTED;
    conn->deflate = g_new0(struct net_deflate, 1);
    // What was written before goes out as it is.
    conn->deflate->wire = conn->out;
    conn->out = (struct net_output){0};
    conn->drop_input = true;
    return EC_OK;
}

bool net_conn_is_deflate(const struct net_conn *conn) {
    return conn->deflate != NULL;
}

static void end_out(struct net_deflate *d) {
    if (d->out)
        deflateEnd(d->out);
    g_clear_pointer(&d->out, g_free);
}

static void end_in(struct net_deflate *d) {
    if (d->in)
        inflateEnd(d->in);
    g_clear_pointer(&d->in, g_free);
}

void net_deflate_free(struct net_deflate *d) {
    if (!d)
        return;
    end_out(d);
    end_in(d);
    net_output_clear(&d->wire);
    net_input_clear(&d->held);
    g_free(d->window);
    g_free(d);
}

struct net_output *net_conn_wire(struct net_conn *conn) {
    return conn->deflate ? &conn->deflate->wire : &conn->out;
}

size_t net_conn_pending(const struct net_conn *conn) {
    return conn->out.pending + (conn->deflate ? conn->deflate->wire.pending : 0);
}

bool net_deflate_holds(const struct net_conn *conn) {
    return conn->deflate && (conn->deflate->held.len > 0 || conn->deflate->has_more);
}

static void wake_up(struct net_conn *conn) {
    conn->deflate->active_at = net_now();
}

static void fail(struct net_conn *conn, const char *reason) {
    log_event(LOG_LEVEL_INFO, "net.deflate_failed", "protocol", conn->proto->name, "conn",
              log_u64(conn->id), "peer", net_conn_peer(conn), "reason", reason, NULL);
    net_conn_fail(conn);
}

// --- Output ---

static bool begin_out(struct net_conn *conn) {
    struct net_deflate *d = conn->deflate;
    conn->retime = true; // for its rest
    d->out = g_new0(z_stream, 1);
    if (deflateInit2(d->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
        return true;
    g_clear_pointer(&d->out, g_free);
    fail(conn, "no memory");
    return false;
}

static void deflate_piece(struct net_deflate *d, const uint8_t *data, size_t len, int flush) {
    uint8_t piece[PIECE];
    d->out->next_in = (z_const Bytef *)(uintptr_t)data;
    d->out->avail_in = (uInt)len;
    do {
        d->out->next_out = piece;
        d->out->avail_out = sizeof piece;
        deflate(d->out, flush); // cannot fail: the stream is whole and there is room
        net_output_append(&d->wire, piece, sizeof piece - d->out->avail_out);
    } while (d->out->avail_out == 0);
}

void net_deflate_fill(struct net_conn *conn) {
    struct net_deflate *d = conn->deflate;
    if (!d || conn->failed || conn->out.pending == 0 || d->wire.pending >= NET_DEFLATE_WIRE)
        return;
    if (!d->out && !begin_out(conn))
        return;
    wake_up(conn);
    while (conn->out.pending > 0 && d->wire.pending < NET_DEFLATE_WIRE) {
        size_t len;
        const uint8_t *data = net_output_head(&conn->out, &len);
        len = MIN(len, NET_DEFLATE_WIRE);
        // The peer must be able to read everything that there is, without waiting for more.
        deflate_piece(d, data, len, len == conn->out.pending ? Z_SYNC_FLUSH : Z_NO_FLUSH);
        net_output_consume(&conn->out, len);
    }
}

// --- Input ---

static bool begin_in(struct net_conn *conn) {
    struct net_deflate *d = conn->deflate;
    conn->retime = true;
    d->in = g_new0(z_stream, 1);
    if (inflateInit2(d->in, WINDOW_BITS) != Z_OK) {
        g_clear_pointer(&d->in, g_free);
        fail(conn, "no memory");
        return false;
    }
    if (d->window_len)
        inflateSetDictionary(d->in, d->window, d->window_len);
    g_clear_pointer(&d->window, g_free);
    d->window_len = 0;
    return true;
}

ssize_t net_deflate_expand(struct net_conn *conn, const uint8_t *data, size_t len, size_t space) {
    struct net_deflate *d = conn->deflate;
    if (!d->in && !begin_in(conn))
        return -1;
    wake_up(conn);
    if (len > 0)
        net_input_append(&d->held, data, len);
    uint8_t piece[PIECE];
    size_t got = 0;
    int result = Z_OK;
    d->in->next_in = d->held.len ? d->held.data + d->held.start : piece;
    d->in->avail_in = (uInt)d->held.len;
    do {
        size_t room = MIN(sizeof piece, space - got);
        d->in->next_out = piece;
        d->in->avail_out = (uInt)room;
        result = inflate(d->in, Z_SYNC_FLUSH);
        size_t n = room - d->in->avail_out;
        net_input_append(&conn->in, piece, n);
        got += n;
        d->has_more = result == Z_OK && d->in->avail_out == 0;
    } while (d->has_more && got < space);
    net_input_consume(&d->held, d->held.len - d->in->avail_in);
    if (result == Z_STREAM_END) { // the peer sends no more
        conn->eof = true;
        net_input_clear(&d->held);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail(conn, d->in->msg ? d->in->msg : "invalid input");
        return -1;
    }
    return (ssize_t)got;
}

// --- Rest ---

int64_t net_deflate_rest_at(const struct net_conn *conn) {
    const struct net_deflate *d = conn->deflate;
    return d && (d->out || d->in) ? d->active_at + conn->net->rest_seconds * G_USEC_PER_SEC
                                  : INT64_MAX;
}

static void rest_in(struct net_deflate *d) {
    // data_type tells where the inflater stands; what is neither whole nor at a boundary waits.
    bool is_whole = d->held.len == 0 && !d->has_more && d->in->data_type == AT_BOUNDARY;
    if (!is_whole)
        return;
    uint8_t window[WINDOW_SIZE];
    uInt len = sizeof window;
    if (inflateGetDictionary(d->in, window, &len) != Z_OK)
        return;
    d->window = g_memdup2(window, len);
    d->window_len = len;
    end_in(d);
}

void net_deflate_rest(struct net_conn *conn) {
    struct net_deflate *d = conn->deflate;
    if (!d || net_now() < net_deflate_rest_at(conn))
        return;
    d->active_at = net_now(); // for another try
    if (d->out && conn->out.pending == 0)
        end_out(d);
    if (d->in)
        rest_in(d);
}
