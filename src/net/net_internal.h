// What the files of net/ share: the connection, its loop, the worker pool, the listener.
//
// Who may touch a connection: its *owner*. A connection that waits has no owner. An event makes the
// loop its owner, a job makes a worker its owner; ownership changes hands only under conn->lock,
// which is what makes everything else of the connection safe without a lock. Other threads may only
// set conn->flags (a wake) and, if the connection has no owner and can act on the flag, give it to
// the worker pool: a wake is therefore never lost.
//
// The events of a connection belong to its loop thread alone (the event bases have no locks). While
// a worker owns the connection its read event stays registered; only if it fires meanwhile does
// the loop take it off. So a request and its answer cost no epoll_ctl and no message to the loop.
//
// libpthread's locks rather than GLib's, because ThreadSanitizer does not see into the latter.
// Order of locks: conn -> pool -> loop.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/limits.h"
#include "net/net.h"
#include "net/networks.h"

// --- Work: an entry of a loop's or the pool's queue, embedded in what it works on ---

struct net_task {
    struct net_task *next;
    void (*run)(struct net_task *task);
    int64_t queued; // monotonic microseconds
};

#define NET_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct net_queue {
    struct net_task *head, *tail;
};

void net_queue_push(struct net_queue *queue, struct net_task *task);
struct net_task *net_queue_pop(struct net_queue *queue);

// --- The pool (worker.c) ---

enum net_class {
    NET_CLASS_CONN, // jobs of connections
    NET_CLASS_TASK, // net_run and timers
    NET_CLASSES,
};

struct net_pool {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct net_queue queues[NET_CLASSES];
    unsigned queued;               // in all queues
    unsigned running[NET_CLASSES]; // threads at work on each
    unsigned idle;                 // threads that wait
    unsigned threads;
    enum net_class last; // served last; classes take turns
    bool stopping;
    bool growth_watched;       // the loop looks whether work waits too long
    _Atomic unsigned n_waking; // who has yet to wake a thread it found idle
    pthread_t ids[NET_WORKERS_CAP];
    unsigned max_threads;

    struct net *net;
    struct net_task watch_task; // asks the loop to watch
    struct event watch;         // loop 0
};

enum ec net_pool_start(struct net_pool *pool, struct net *net, unsigned threads);
void net_pool_push(struct net_pool *pool, enum net_class class, struct net_task *task);
// Runs what is queued, then joins the threads.
void net_pool_stop(struct net_pool *pool);

// Starts a thread with all signals blocked: they belong to the main thread, and SIGPIPE of
// OpenSSL's writes to nobody.
bool net_thread_start(pthread_t *id, const char *name, void *(*fn)(void *), void *data);

// --- Loops (loop.c) ---

struct net_loop {
    struct net *net;
    struct event_base *base;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock;
    struct net_queue posted; // under lock
    bool stop;               // under lock
    int wake_fd;
    struct event wake;

    struct event tick;
    int64_t second;                          // the wheel stands here
    struct net_conn *wheel[NET_WHEEL_SLOTS]; // every connection of the loop is in one slot

    uint8_t *scratch;
};

enum ec net_loop_start(struct net_loop *loop, struct net *net);
void net_loop_stop(struct net_loop *loop); // joins; runs what is posted first
void net_loop_free(struct net_loop *loop);
// Runs task->run(task) on the loop's thread. From any thread.
void net_loop_post(struct net_loop *loop, struct net_task *task);
// The same, and waits until it has run. Not from a loop's thread.
void net_loop_call(struct net_loop *loop, void (*fn)(struct net_loop *loop, void *data),
                   void *data);

// The wheel; loop thread. `second` is when the connection is to be looked at again.
void net_wheel_insert(struct net_loop *loop, struct net_conn *conn, int64_t second);
void net_wheel_remove(struct net_conn *conn);

static inline int64_t net_now(void) {
    return g_get_monotonic_time();
}

// --- The whole ---

struct net_counters {
    _Atomic uint64_t accepted, refused, open_now, bytes_in, bytes_out, jobs, tls_failures;
};

struct net {
    struct net_loop *loops;
    unsigned n_loops;
    struct net_pool pool;
    struct net_counters counters;

    pthread_mutex_t lock;
    pthread_cond_t closed;            // a connection went
    unsigned open;                    // connections, under lock
    struct net_listener *listeners;   // under lock
    struct net_timer *timers;         // under lock
    unsigned next_loop;               // loop 0
    unsigned write_seconds;           // NET_WRITE_SECONDS; tests make it shorter
    unsigned handshake_seconds;       // NET_HANDSHAKE_SECONDS
    unsigned rest_seconds;            // NET_DEFLATE_REST_SECONDS
    _Atomic int64_t last_refusal_log; // seconds
};

void net_timers_detach(struct net *net);

// --- Listeners (listener.c, address.c) ---

// An IP address; IPv4 ones mapped into IPv6 are kept as IPv4.
struct net_address {
    uint8_t family; // AF_INET, AF_INET6, 0: unknown
    uint8_t bytes[16];
};

enum ec net_address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len_out);
char *net_address_format_port(const struct sockaddr_storage *ss); // "192.0.2.1:25", g_free
struct net_address net_address_of(const struct sockaddr_storage *ss);
char *net_address_text(const struct net_address *address); // "192.0.2.1", g_free
bool net_address_is_loopback(const struct net_address *address);
guint net_address_hash(gconstpointer address);
gboolean net_address_equal(gconstpointer a, gconstpointer b);

struct net_listener {
    struct net_listener *next;
    struct net *net;
    int fd;
    char *address;
    const struct net_proto *proto;
    void *service;
    struct net_tls *tls;
    struct net_networks *proxies; // who speaks the PROXY protocol; NULL: nobody
    bool implicit_tls;
    unsigned max_connections, max_per_address, idle_seconds;

    struct event accept; // loop 0
    struct event pause;
    int64_t last_accept_log, last_stranger_log; // loop 0

    pthread_mutex_t lock;
    unsigned open;           // under lock
    GHashTable *per_address; // struct net_address -> count, under lock
    int64_t last_limit_log;  // under lock
};

void net_listeners_close(struct net *net); // stops accepting
void net_listeners_free(struct net *net);
// Counts a connection in: NULL, or which limit is reached. A peer of family 0 is not counted by its
// address.
const char *net_listener_admit(struct net_listener *listener, const struct net_address *peer);
// A connection that was counted is gone.
void net_listener_release(struct net_listener *listener, const struct net_address *peer);

// --- Connections ---

struct net_input {
    uint8_t *data; // NULL when empty
    size_t start, len, cap;
};

void net_input_append(struct net_input *in, const void *data, size_t len);
void net_input_consume(struct net_input *in, size_t len);
void net_input_clear(struct net_input *in);

struct net_chunk;

struct net_output {
    struct net_chunk *head, *tail;
    size_t pending;
};

void net_output_append(struct net_output *out, const void *data, size_t len);
void net_output_append_bytes(struct net_output *out, GBytes *bytes);
void net_output_consume(struct net_output *out, size_t len);
void net_output_clear(struct net_output *out);
// The first bytes, contiguous; or up to `max` pieces for writev.
const uint8_t *net_output_head(const struct net_output *out, size_t *len_out);
struct iovec;
unsigned net_output_pieces(const struct net_output *out, struct iovec *pieces, unsigned max,
                           size_t max_bytes);

enum net_owner {
    NET_OWNER_NONE,
    NET_OWNER_LOOP,
    NET_OWNER_WORKER,
};

enum net_phase {
    NET_PHASE_PROXY,     // the header of the PROXY protocol is awaited
    NET_PHASE_HANDSHAKE, // of TLS, before the session (implicit) or within it (STARTTLS)
    NET_PHASE_OPEN,      // the session is to be opened or runs
    NET_PHASE_FLUSH,     // NET_CLOSE: the rest of the output goes out
    NET_PHASE_LINGER,    // our half is closed; the peer's close is awaited
};

enum { // conn->flags: what others ask for
    NET_FLAG_WAKE = 1,
    NET_FLAG_TIMEOUT = 2,
    NET_FLAG_SHUTDOWN = 4,
    NET_FLAG_KILL = 8,
};

struct net_deflate;

struct net_conn {
    _Atomic int refs;
    pthread_mutex_t lock;
    uint8_t owner; // enum net_owner; under lock
    uint8_t flags; // NET_FLAG_*; under lock
    bool gone;     // destroyed, only references are left; under lock

    // The owner's, from here on.
    uint8_t todo;  // flags taken over
    uint8_t phase; // enum net_phase
    bool opened;
    bool waiting;    // NET_WAIT
    bool resuming;   // NET_MORE
    bool start_tls;  // the handshake begins when `plain_left` bytes have been sent
    bool drop_input; // after this unit (STARTTLS, NET_CLOSE)
    bool failed;     // the socket is of no use any more
    bool eof;        // the peer sends no more
    bool woke_last;  // wakes and units take turns
    bool is_tls;
    bool io_ready;         // handshake: the socket is readable or writable
    bool tls_pending;      // OpenSSL or the inflater hold input that epoll knows nothing of
    bool read_wants_write; // OpenSSL has to write before it can read
    bool retime;           // a deadline came nearer: the loop has to look
    short handshake_wants; // EV_READ or EV_WRITE
    short armed;           // what `event` waits for (the loop changes it, under lock or as owner)
    int fd;

    struct net *net;
    struct net_loop *loop;
    struct net_listener *listener;
    const struct net_proto *proto;
    void *session;
    SSL *ssl;
    struct net_deflate *deflate; // NULL: not compressed
    struct net_input in;
    struct net_output out;
    ssize_t unit_len;  // what `frame` said of the input as it is; 0: not asked or more needed
    size_t frame_seen; // as many bytes were not enough
    size_t plain_left; // see start_tls
    unsigned idle_seconds;
    int64_t last_active;   // input, or the end of an answer; microseconds
    int64_t last_progress; // the socket took output, or output began to wait
    int64_t phase_since;
    uint64_t id;

    int64_t wake_due; // microseconds; 0: no wake is to come by itself

    struct net_address peer, local;
    struct net_address counted; // the address it counts for at its listener
    bool is_counted;
    char *peer_text, *local_text; // made when asked for

    struct net_task task; // in one queue at a time: whoever owns the connection
    struct event event;   // loop thread
    struct net_conn *wheel_next, **wheel_prev;
    int64_t wheel_at; // second
};

// conn.c: life and ownership.
struct net_conn *net_conn_new(struct net_listener *listener, int fd,
                              const struct sockaddr_storage *peer);
void net_conn_start(struct net_conn *conn); // takes it to its loop
void net_conn_signal(struct net_conn *conn, uint8_t flag);
uint8_t net_conn_accepts(const struct net_conn *conn);
void net_conn_set_phase(struct net_conn *conn, enum net_phase phase);
void net_conn_fail(struct net_conn *conn);
void net_conn_half_close(struct net_conn *conn); // output is flushed; ours ends here
bool net_conn_is_over(const struct net_conn *conn);
short net_conn_wants(const struct net_conn *conn); // EV_READ, EV_WRITE

// conn_loop.c: the loop's side.
void net_conn_tick(struct net_conn *conn); // the wheel came to it (taken off the wheel)
void net_conn_adopt(struct net_task *task);

// conn_job.c: the worker's side.
enum net_action {
    NET_ACT_NONE, // nothing to do before something happens
    NET_ACT_HANDSHAKE,
    NET_ACT_OPEN,
    NET_ACT_RESUME,
    NET_ACT_SHUTDOWN,
    NET_ACT_TIMEOUT,
    NET_ACT_WAKE,
    NET_ACT_UNIT,
    NET_ACT_BAD_INPUT,
    NET_ACT_CLOSE,
};

// What the connection needs next; moves it on to the next phase where that needs no session.
enum net_action net_conn_next(struct net_conn *conn);
void net_conn_push(struct net_conn *conn); // to the pool; the caller made a worker the owner

// io.c: the socket, plain or TLS.
void net_conn_send(struct net_conn *conn);
void net_conn_receive(struct net_conn *conn); // loop
size_t net_conn_input_space(const struct net_conn *conn);

// proxy.c
#define NET_PROXY_MAX 4096 // bytes of a header, its additions included
struct net_proxy {
    bool has_address; // false: the connection is the proxy's own
    struct net_address peer, local;
};
// The length of the header that `data` begins with; 0: more is needed; -1: it is none.
ssize_t net_proxy_parse(const uint8_t *data, size_t len, struct net_proxy *out);
void net_conn_receive_proxy(struct net_conn *conn); // loop

// networks.c
bool net_networks_have_address(const struct net_networks *networks,
                               const struct net_address *address);

// tls.c. Sent or read bytes; 0: not now; -1: the connection has failed or (reading) ended.
void net_tls_ref(struct net_tls *tls);
void net_tls_handshake(struct net_conn *conn);
ssize_t net_tls_send(struct net_conn *conn, const struct net_output *out, size_t max);
ssize_t net_tls_receive(struct net_conn *conn, void *buf, size_t size);
void net_tls_finish(struct net_conn *conn); // says goodbye and frees

// deflate.c: compression between the buffers and the socket; nothing where it is not on.
void net_deflate_free(struct net_deflate *d);            // accepts NULL
struct net_output *net_conn_wire(struct net_conn *conn); // what the socket gets
size_t net_conn_pending(const struct net_conn *conn);    // output, compressed or not
void net_deflate_fill(struct net_conn *conn);            // compresses some output
bool net_deflate_holds(const struct net_conn *conn);     // input is left that had no room
// Expands `len` bytes from the socket (0: those held) into the input, at most `space` bytes of what
// comes out: how many; -1: the connection has failed.
ssize_t net_deflate_expand(struct net_conn *conn, const uint8_t *data, size_t len, size_t space);
// When zlib's memory is to be let go (microseconds; INT64_MAX: never), and doing it if it is time.
int64_t net_deflate_rest_at(const struct net_conn *conn);
void net_deflate_rest(struct net_conn *conn);
