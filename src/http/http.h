// The HTTP server under EWS, MAPI over HTTP, Autodiscover, ActiveSync, DAV and the web pages
// ([RFC 9110], [RFC 9112]), on libmicrohttpd.
//
// Its loops own all sockets. A request whose body has come whole (in memory, or mapped from an
// unlinked file when it is large) is run on a worker of net/ as straight-line code, one at a time a
// connection. An answer is written at once, in pieces (HTTP_MORE), or later (HTTP_PARK): a parked
// request holds no thread and is woken from anywhere. A slow reader never holds a worker.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth.h"
#include "base/result.h"

struct net;
struct http_server;
struct http_request;

// What a route's function asks for next.
enum http_next {
    HTTP_DONE,  // the answer is complete
    HTTP_MORE,  // call `resume` once what was written has gone out to HTTP_OUTPUT_LOW (maybe at
                // once)
    HTTP_PARK,  // call `resume` after http_wake, or when the time of http_park_until has come; what
                // was written goes out meanwhile. A wake from before counts too
    HTTP_ABORT, // cut the connection
};
#define HTTP_OUTPUT_LOW (64 * 1024)

enum http_access {
    HTTP_PUBLIC, // no login is asked for; http_principal is NULL unless one was given and right
    HTTP_USER,   // 401 with what the server offers (Negotiate, NTLM, Bearer, Basic) without a login
};

// One path. The table is the module's own and constant; several may be registered.
struct http_route {
    // Lower case; requests match in any case, percent-decoded, without the query. "/x/*" matches
    // /x and everything below.
    const char *path;
    const char *methods; // "GET HEAD POST"; others get 405 with Allow. NULL: any (DAV)
    enum http_access access;
    enum directory_protocol protocol; // that has to be switched on for the user; 403 else
    uint64_t max_body;                // bytes; 413 beyond. 0: no body is taken
    enum http_next (*run)(struct http_request *r, void *service);    // worker; the body is there
    enum http_next (*resume)(struct http_request *r, void *service); // worker; may be NULL
    // The request is over (answered, or its peer is gone; any worker, after run or resume have
    // returned): frees http_state. May be NULL.
    void (*close)(struct http_request *r, void *service);
};

struct http_options {
    struct net *net;
    struct auth *auth;
    const char *server_name;  // of the Server field and realms
    unsigned threads;         // loops; 0: chosen
    unsigned max_connections; // of all listeners
    unsigned max_per_address; // loopback excepted; 0: none
    unsigned idle_seconds;    // of a connection without a request, and of a request that stalls
    const char *spool_dir;    // for bodies of over 256 KiB; NULL: the system's
    const char *access_log;   // a file in Common Log Format with the time taken; NULL: none
};
// Strings are copied.
enum ec http_server_new(const struct http_options *options, struct http_server **out);
// Before the first listener. `routes` ends with a NULL path; `service` goes to its functions.
void http_server_add(struct http_server *s, const struct http_route *routes, void *service);
// Listens on address:port ("127.0.0.1:0"). With `cert_file`: TLS 1.2 and up. The bound address goes
// to *bound_out (g_free). EC_NETWORK_ERROR, logged with what to do.
enum ec http_server_listen(struct http_server *s, const char *address, const char *cert_file,
                           const char *key_file, char **bound_out);
// Reads the certificates again (SIGHUP); the old ones stay on failure.
enum ec http_server_reload(struct http_server *s, char **error_out);
// No new connections or requests; parked requests are resumed with http_is_stopping true and given
// grace_ms to finish.
void http_server_stop(struct http_server *s, unsigned grace_ms);
void http_server_free(struct http_server *s); // stops; accepts NULL

// --- The request (borrowed strings live as long as it) ---
const char *http_method(const struct http_request *r);
const char *http_path(const struct http_request *r);  // decoded, as the client wrote it
const char *http_query(const struct http_request *r); // raw, without '?'; NULL: none
const char *http_argument(const struct http_request *r, const char *name); // of the query; NULL
const char *http_header(const struct http_request *r, const char *name);   // NULL: not there
const char *http_cookie(const struct http_request *r, const char *name);
const uint8_t *http_body(const struct http_request *r, size_t *len_out);
struct principal *http_principal(const struct http_request *r); // borrowed; NULL: none
const char *http_peer(const struct http_request *r);            // the client's address
bool http_is_tls(const struct http_request *r);
bool http_is_loopback(const struct http_request *r);
uint64_t http_request_id(const struct http_request *r); // unique in this process, for logs
bool http_is_stopping(const struct http_request *r);    // the server shuts down
bool http_is_gone(const struct http_request *r);        // the peer is known to be away
// What the route keeps between its functions.
void http_set_state(struct http_request *r, void *state);
void *http_state(const struct http_request *r);

// --- The answer ---
// Before anything is sent. Status is 200 without. A field that is set again is replaced, one that
// is added stands beside (Set-Cookie). Values with line breaks are refused.
void http_set_status(struct http_request *r, unsigned status);
void http_set_header(struct http_request *r, const char *name, const char *value);
void http_add_header(struct http_request *r, const char *name, const char *value);
// Queues bytes of the body. An answer that is whole at HTTP_DONE goes out with a Content-Length,
// one that was begun before (HTTP_MORE, HTTP_PARK, http_flush) in chunks.
void http_write(struct http_request *r, const void *data, size_t len);
void http_write_str(struct http_request *r, const char *s);
void http_write_bytes(struct http_request *r, GBytes *bytes); // a reference instead of a copy
// What is queued is sent now, though more follows in this call.
void http_flush(struct http_request *r);
size_t http_output_pending(const struct http_request *r);
// Asks for a login, as HTTP_USER does it before the route: for a public route that wants one for
// some of its requests.
enum http_next http_challenge(struct http_request *r);
// A short text answer of a status, as the server's own errors look.
enum http_next http_fail(struct http_request *r, unsigned status, const char *text);

// --- Parking ---
void http_park_until(struct http_request *r, int64_t monotonic_us); // before HTTP_PARK is returned
// Something that outlives the request, to wake it with; from any thread, never blocks. A wake after
// the request's end does nothing.
struct http_waker;
struct http_waker *http_waker_ref(struct http_request *r);
struct http_waker *http_waker_copy(struct http_waker *w);
void http_waker_unref(struct http_waker *w); // accepts NULL
void http_wake(struct http_waker *w);

// --- Figures ---
struct http_stats {
    uint64_t connections, requests, bytes_in, bytes_out, logins_failed;
    uint64_t open_connections, parked;
    uint64_t by_status[6]; // [2]: 200-299, ...
};
void http_stats(struct http_server *s, struct http_stats *out);
