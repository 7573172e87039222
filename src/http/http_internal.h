// What the parts of http/ share.
//
// Three kinds of threads touch a request: its daemon's loop (libmicrohttpd's callbacks), the worker
// that runs its job, and whoever wakes it. What the loop and the worker both use is under the
// request's lock; the rest belongs to the loop until the job starts, then to the job.
//
// Locks, in this order: http_waker.lock, http_request.lock, then http_server.lock or
// http_clock.lock (never both), then those of net/ and libmicrohttpd.
#pragma once

#include <microhttpd.h>
#include <pthread.h>

#include "base/arena.h"
#include "http/http.h"
#include "http/limits.h"

struct auth_exchange;

struct bound_route {
    const struct http_route *route;
    void *service;
};

// --- clock.c: the thread that wakes parked requests in time, and looks after connections ---
struct http_clock {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_running, is_stopping;
    GSequence *parked; // struct http_request by park_until
};
bool http_clock_start(struct http_server *s);
void http_clock_stop(struct http_server *s);
// Calls http_request_wake at r->park_until. The request is parked, and held by the clock.
void http_clock_add(struct http_request *r);
void http_clock_remove(struct http_request *r);

// --- access_log.c ---
struct access_log;
struct access_log *access_log_open(const char *path); // NULL: cannot be opened, logged
void access_log_free(struct access_log *log);         // accepts NULL
void access_log_add(struct access_log *log, const struct http_request *r);
// Writes what is held back; opens the file again when it was renamed (log rotation).
void access_log_flush(struct access_log *log);

// --- tls.c ---
struct http_tls; // the certificates of a server, chosen by the name the client asks for
struct http_tls *http_tls_new(void);
void http_tls_free(struct http_tls *tls);
enum ec http_tls_add(struct http_tls *tls, const char *cert_file, const char *key_file,
                     char **error_out);
enum ec http_tls_reload(struct http_tls *tls, char **error_out);
// For MHD_OPTION_HTTPS_CERT_CALLBACK.
void *http_tls_callback(void);

// --- server.c ---
struct http_server {
    struct net *net;
    struct auth *auth;
    char *server_name, *spool_dir;
    unsigned threads, max_connections, max_per_address, idle_seconds;
    GHashTable *exact;   // path -> struct bound_route
    GPtrArray *prefixes; // struct bound_route, of routes that end with a star
    GPtrArray *daemons;  // struct MHD_Daemon
    struct http_tls *tls;
    struct access_log *access_log;
    struct http_clock clock;
    _Atomic bool is_stopping, is_cutting;
    _Atomic uint64_t next_id;
    struct {
        _Atomic uint64_t connections, requests, bytes_in, bytes_out, logins_failed;
        _Atomic uint64_t open_connections, parked, by_status[6];
    } figures;
    pthread_mutex_t lock;
    pthread_cond_t request_ended;
    GQueue connections;      // struct http_conn
    GHashTable *per_address; // text -> count
    GQueue requests;         // struct http_request
    int64_t last_limit_log;
};
// Lower case, without the query. NULL: there is none.
const struct bound_route *http_route_find(const struct http_server *s, const char *path);

// --- conn.c: a connection, from accept to close ---
struct http_conn {
    _Atomic int refs;
    struct http_server *server;
    int fd; // valid while it is in server->connections
    char *peer;
    bool is_tls, is_loopback;
    _Atomic int64_t deadline; // monotonic; it is cut then. 0: none
    GList link;               // in server->connections
    // Of a login that goes on over several requests, and whose the connection is since one that
    // was right. Only one request of a connection is there at a time, and this is its job's.
    struct auth_exchange *exchange;
    struct principal *owner;
};
struct http_conn *http_conn_ref(struct http_conn *c);
void http_conn_unref(struct http_conn *c);
void http_conn_allow(struct http_conn *c, unsigned seconds); // 0: as long as it takes
// libmicrohttpd's callbacks.
enum MHD_Result http_on_accept(void *server, const struct sockaddr *peer, socklen_t len);
void http_on_connection(void *server, struct MHD_Connection *c, void **conn,
                        enum MHD_ConnectionNotificationCode what);
// Cuts connections that are too slow, and requests whose client went away.
void http_conns_sweep(struct http_server *s);

// --- output.c: what was written and has not gone out ---
struct http_output {
    GQueue chunks; // GBytes
    size_t offset; // of the first chunk, that has gone
    GByteArray *tail;
    size_t pending;
};
void http_output_add(struct http_output *o, const void *data, size_t len);
void http_output_add_bytes(struct http_output *o, GBytes *bytes);
size_t http_output_take(struct http_output *o, void *buffer, size_t max);
void http_output_clear(struct http_output *o);

// --- request.c, body.c, run.c, answer.c ---
struct http_field {
    const char *name, *value;
};

enum http_phase {
    HTTP_RECEIVING, // the loop collects head and body
    HTTP_RUNNING,   // a job is queued or runs
    HTTP_DRAINING,  // the next job starts when enough output has gone
    HTTP_PARKED,    // the next job starts at a wake
    HTTP_ANSWERED,  // there will be no further job but the one that closes
};

struct http_body {
    GByteArray *memory; // NULL: none, or in the file
    int fd;             // of the unlinked file; -1: none
    uint64_t len;
    uint8_t *mapped; // NULL: not yet
    bool is_dropped; // it is read, and kept nowhere
};
// EC_OK, EC_DISK_FULL, EC_DISK_ERROR.
enum ec http_body_add(struct http_body *b, const char *dir, const void *data, size_t len);
enum ec http_body_finish(struct http_body *b);
void http_body_drop(struct http_body *b); // now and what comes
void http_body_clear(struct http_body *b);

struct http_request {
    _Atomic int refs;
    struct http_server *server;
    struct http_conn *conn;
    uint64_t id;
    int64_t started;
    GList link; // in server->requests
    // What the client sent.
    struct arena *arena;
    const char *method, *target, *path, *query;
    bool has_head;
    bool is_received; // the body is there
    uint64_t drained; // bytes of a body that nobody wants
    struct http_field *fields;
    unsigned n_fields;
    struct http_body body;
    uint64_t content_length; // UINT64_MAX: in chunks
    // Whose it is.
    const struct bound_route *route;
    struct principal *who;
    bool has_login; // it was looked for
    enum ec login;  // why there is none; EC_OK: nobody tried
    _Atomic bool has_run;
    void *state;
    int64_t park_until;      // 0: no time was set
    GSequenceIter *in_clock; // under the clock's lock

    pthread_mutex_t lock;
    struct MHD_Connection *mhd; // NULL when the request is over
    enum http_phase phase;
    _Atomic bool is_suspended;
    bool is_woken;    // before it was parked
    bool is_begun;    // what is there may go out before the answer is whole
    bool is_complete; // the answer is whole
    bool is_aborted;  // the connection is to be cut
    bool is_queued;   // libmicrohttpd has the answer
    bool is_gone;     // the peer went away
    bool is_closed;   // route->close is called, or need not be
    unsigned status;
    GArray *out_fields; // struct http_field, g_malloc
    struct http_output out;
    uint64_t sent;
    struct http_waker *waker;
};
struct http_request *http_request_ref(struct http_request *r);
// For one found in server->requests, under its lock. False: it is about to leave.
bool http_request_try_ref(struct http_request *r);
void http_request_unref(struct http_request *r);
// libmicrohttpd's callbacks.
void *http_on_target(void *server, const char *target, struct MHD_Connection *c);
enum MHD_Result http_on_request(void *server, struct MHD_Connection *c, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *len, void **request);
void http_on_completed(void *server, struct MHD_Connection *c, void **request,
                       enum MHD_RequestTerminationCode why);

// run.c. Those named _locked want the request's lock.
void http_start_job_locked(struct http_request *r);
void http_request_wake(struct http_request *r);
// Nobody waits for the answer of a parked request any more.
void http_request_drop(struct http_request *r);
// The request is over; calls route->close when it is due.
void http_request_end(struct http_request *r);

// answer.c
void http_suspend_locked(struct http_request *r);
// Lets the loop go on when there is something for it to do.
void http_kick_locked(struct http_request *r);
enum MHD_Result http_queue_answer_locked(struct http_request *r);

// login.c: false: the answer is made.
bool http_login(struct http_request *r);
// Whether somebody without a login can be told so before the body.
bool http_login_is_missing(const struct http_request *r);
void http_ask_for_login(struct http_request *r);

// --- fields.c ---
// %XX undone, in the arena; NULL: it is not well-formed, or not UTF-8, or has a NUL.
char *http_percent_decode(struct arena *arena, const char *text, size_t len, bool plus_is_blank);
// Splits the target into path and query. False: it is none.
bool http_read_target(struct http_request *r);
