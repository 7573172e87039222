// Loops frame, workers work: the machinery under every line protocol.
//
// A few event-loop threads (libevent) do all waiting on sockets. A protocol supplies a table of
// functions (struct net_proto). The loop collects input until `frame` says that a whole unit is
// there; then one worker thread runs `unit` as straight-line code, and goes on with further whole
// units already buffered. At most one job is in flight a connection, so a session needs no lock:
// the session belongs to whoever runs one of its functions. A connection that waits costs no thread
// and no buffers (buffers are freed when empty; SSL_MODE_RELEASE_BUFFERS).
//
//   loop:   accept -> [TLS handshake] -> read -> frame ─┐
//   worker:                    open / unit / resume / wake / timeout  -> writes output
//   loop:   flush the rest of the output as the peer takes it -> resume or read again
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/result.h"

struct net;      // the loops and the worker pool
struct net_conn; // one accepted connection
struct net_networks;
struct net_tls; // a server certificate and its OpenSSL context, reference-counted

// What a session function asks for next.
enum net_next {
    NET_READ,  // the next unit of input (the normal case)
    NET_MORE,  // call `resume` once the output has drained below NET_OUTPUT_LOW (maybe at once):
               // long answers are made in pieces, and a slow reader never holds a worker
    NET_WAIT,  // run no further unit, timeout or shutdown until `wake` was called: an answer is
               // still being made elsewhere. A wake from before counts too, so `wake` has to look
               // whether the answer is there, and may return NET_WAIT again
    NET_CLOSE, // flush the output, then close; input that is left is dropped
    NET_ABORT, // close at once
};

#define NET_OUTPUT_LOW (64 * 1024)
#define NET_FRAME_NEED_MORE 0
#define NET_FRAME_BAD (-1) // `bad_input` is called, then the connection closes

struct net_proto {
    const char *name; // for logs: "imap"

    // Creates the session for a new connection and says hello through net_write (worker). For
    // implicit TLS the handshake has been done. NULL refuses the connection.
    void *(*open)(struct net_conn *conn, void *service);

    // How many of the `len` buffered bytes make the next unit: > 0, NET_FRAME_NEED_MORE or
    // NET_FRAME_BAD. Must be quick, take no lock and write nothing; may read and set the session
    // (it never runs beside another function of the session). `len` never exceeds `max_unit`: when
    // that many bytes hold no unit, `frame` has to return something else than NEED_MORE.
    ssize_t (*frame)(void *session, const uint8_t *data, size_t len);
    size_t max_unit; // bytes

    // Handles one unit (worker). `data` is valid during the call.
    enum net_next (*unit)(void *session, const uint8_t *data, size_t len);

    // Goes on after NET_MORE (worker).
    enum net_next (*resume)(void *session);

    // After net_conn_wake, when no other function is running (worker). Several wakes may become
    // one. May be NULL. Runs also between two units; never while resume is pending or more than
    // 1 MiB of output waits (then it comes later). Does not restart the idle time.
    enum net_next (*wake)(void *session);

    // After no input for the idle time (worker), counted from the end of the last answer (when the
    // peer has taken it) if that is later, in steps of a second; write the goodbye and return
    // NET_CLOSE, or NET_READ to wait as long again. NULL: the connection closes.
    enum net_next (*timeout)(void *session);

    // The server shuts down gracefully (worker, between units): say so and return NET_CLOSE. NULL:
    // the connection closes.
    enum net_next (*shutdown)(void *session);

    // `frame` returned NET_FRAME_BAD: answer the protocol's error (worker). The connection closes
    // after the output is flushed. May be NULL.
    void (*bad_input)(void *session);

    // The connection is gone; frees the session (worker). Called exactly once for each open that
    // gave a session. What it writes is dropped.
    void (*close)(void *session);
};

// Starts `loops` event-loop threads and `workers` worker threads (0: chosen from the processors).
// When work has waited 20 ms the pool adds a thread, up to 32. Connections and the rest (net_run,
// timers) take turns, and neither class may hold the last thread. All threads block all signals.
enum ec net_new(unsigned loops, unsigned workers, struct net **out);

// Stops accepting, gives every session its `shutdown`, waits up to `grace_ms` for connections to
// close, closes the rest, runs what net_run still has, joins the threads. A session function or job
// that is running is waited for. Not from a worker. Accepts NULL.
void net_free(struct net *net, unsigned grace_ms);

struct net_listen {
    const char *address; // "127.0.0.1:0", "[::]:25"
    const struct net_proto *proto;
    void *service; // handed to open
    struct net_tls
        *tls; // for implicit TLS or for net_conn_start_tls; a reference is taken; NULL: none
    bool implicit_tls;
    // Not NULL: connections come through proxies in these networks (net/networks.h), and each
    // begins with a header of the PROXY protocol, version 1 or 2, that names the client; others are
    // closed. The client's address is the peer from then on. A reference is taken.
    struct net_networks *proxies;
    // Limits, 0: none. One connection more is closed at once, logged once a minute.
    unsigned max_connections; // of this listener
    unsigned max_per_address; // from one peer address (loopback excepted)
    unsigned idle_seconds;    // no input for so long: `timeout`; settable a connection; 0: never
};

// Listens; the address bound (with the real port) goes to `*bound_out` ("127.0.0.1:40123", g_free).
// On failure logs what to do, EC_NETWORK_ERROR.
enum ec net_listen(struct net *net, const struct net_listen *spec, char **bound_out);

// --- TLS ---

// Loads a PEM certificate chain and key; TLS 1.2 and up, session tickets. On failure `*error_out`
// gets a message for the admin.
enum ec net_tls_new(const char *cert_file, const char *key_file, struct net_tls **out,
                    char **error_out);
// Reads the files again for connections to come (SIGHUP); the old ones stay on failure.
enum ec net_tls_reload(struct net_tls *tls, char **error_out);
void net_tls_unref(struct net_tls *tls); // accepts NULL

// --- For sessions (only from the session's own functions, except net_conn_wake) ---

// Queues output. Bytes are copied; net_write_bytes keeps a reference instead (large bodies). Output
// that does not fit the socket now is kept and flushed by the loop; a peer that takes none of it
// for 60 s is dropped. With more than 1 MiB waiting no further unit of the connection is run. After
// the connection has failed writes do nothing.
void net_write(struct net_conn *conn, const void *data, size_t len);
void net_write_str(struct net_conn *conn, const char *s);
void net_printf(struct net_conn *conn, const char *format, ...) G_GNUC_PRINTF(2, 3);
void net_write_bytes(struct net_conn *conn, GBytes *bytes);

// Sends what is queued as far as the socket takes it, before the function returns (a continuation
// request that is followed by long work). Normally output is sent when the function returns.
void net_flush(struct net_conn *conn);

// Bytes queued and not yet taken by the socket.
size_t net_output_pending(const struct net_conn *conn);

// Starts TLS after what is queued now has been sent; what is written later goes through TLS. Input
// already buffered is dropped (no command injection across STARTTLS). A handshake that fails or
// takes more than 30 s closes the connection. EC_NOT_SUPPORTED without a certificate, or within
// TLS.
enum ec net_conn_start_tls(struct net_conn *conn);

// From now on both directions are compressed (raw DEFLATE, [RFC 4978]), within TLS where there is
// one. What was written before is sent as it is; input already buffered is dropped. Units and
// limits are about what is compressed, not about the bytes on the wire. Input that is no deflate
// stream ends the connection. EC_NOT_SUPPORTED when it is on already.
enum ec net_conn_start_deflate(struct net_conn *conn);
bool net_conn_is_deflate(const struct net_conn *conn);

bool net_conn_is_tls(const struct net_conn *conn);
// What a login can be bound to; the length, 0: there is none (no TLS, or not with this version).
// [RFC 9266] tls-exporter, [RFC 5929] 4 tls-server-end-point.
size_t net_conn_tls_exporter(const struct net_conn *conn, uint8_t out[32]);
size_t net_conn_tls_end_point(const struct net_conn *conn, uint8_t out[64]);
bool net_conn_is_loopback(const struct net_conn *conn); // peer is 127.0.0.0/8 or ::1
// The peer's and our own address as text without port ("192.0.2.1"); borrowed.
const char *net_conn_peer(const struct net_conn *conn);
const char *net_conn_local(const struct net_conn *conn);
uint64_t net_conn_id(const struct net_conn *conn);               // unique in this process, for logs
void net_conn_set_idle(struct net_conn *conn, unsigned seconds); // 0: never

// Asks that `wake` be called in so many seconds (in steps of a second) if it was not called before:
// for answers that are to come late. Holds no thread. Before NET_WAIT is returned.
void net_conn_wake_after(struct net_conn *conn, unsigned seconds);

// Acknowledges what came in at once. For where a peer sends something small, gets no answer to it
// and goes on: its system may hold the rest back until then (Nagle's algorithm), and ours would
// wait 40 ms for an answer to send along.
void net_conn_quick_ack(struct net_conn *conn);

// Asks that `wake` be called soon. From any thread; never blocks. The reference keeps the
// connection's memory (not its session) valid; a wake after its close does nothing, one before the
// session is open or within a TLS handshake is remembered.
void net_conn_wake(struct net_conn *conn);
struct net_conn *net_conn_ref(struct net_conn *conn);
void net_conn_unref(struct net_conn *conn);

// --- Timers and jobs for the rest of the server ---

// Runs `fn(data)` on a worker, soon. Jobs may block.
void net_run(struct net *net, void (*fn)(void *data), void *data);

struct net_timer;
// Runs `fn(data)` on a worker every `ms` milliseconds; never twice at once. The first turn may come
// before this returns. Ends with the net at the latest, but is still to be freed.
struct net_timer *net_timer_new(struct net *net, unsigned ms, void (*fn)(void *data), void *data);
// Stops it; when this returns, fn is not running and will not run again (unless fn itself calls
// this, which it may). Not beside net_free. Accepts NULL.
void net_timer_free(struct net_timer *timer);

struct net_stats {
    uint64_t accepted, refused, open_now, bytes_in, bytes_out, jobs, tls_failures;
};
void net_stats(struct net *net, struct net_stats *out);
