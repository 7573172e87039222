// The relay's inside, shared by the files of relay/.
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "relay/limits.h"
#include "relay/peer.h"
#include "relay/relay.h"
#include "relay/reply.h"
#include "relay/sts.h"

// Where a destination's mail is taken to.
enum hop_kind {
    HOP_DOMAIN,  // the domain's MX hosts
    HOP_HOST,    // the addresses of a host that the settings name
    HOP_ADDRESS, // an address
};
struct hop {
    enum hop_kind kind;
    const char *name; // domain, host or address
    unsigned port;
    enum relay_tls tls;
    const char *user, *password; // NULL: no AUTH
};

struct destination {
    char *name;
    struct hop hop;
    GQueue jobs;         // struct relay_job.link
    GQueue idle;         // struct connection.link, newest first
    unsigned n_sessions; // threads that work for it
    unsigned limit;      // of them
    bool is_urgent;      // a job has waited long: another connection may be opened for it
    bool was_full;
    GList ready; // in relay.ready
    bool is_ready;
    unsigned failures;                      // in a row
    int64_t down_until;                     // monotonic us; 0: it is not down
    char *status, *reason, *remote, *reply; // of the last failure
    bool is_permanent;
    int64_t last_success, last_used;
};

struct route_entry {
    char *domain; // with a leading dot: all below
    char *destination;
};

struct relay {
    struct relay_options options; // strings owned
    char *smarthost;              // its destination; NULL: none
    GArray *routes;               // struct route_entry
    SSL_CTX *tls;
    struct sts *sts; // NULL: not used

    pthread_mutex_t lock;
    pthread_cond_t has_work, has_ended;
    GHashTable *destinations; // name -> struct destination
    GQueue ready;             // destinations that have work for one more thread
    _Atomic unsigned n_ready; // its length, to look at without the lock
    unsigned n_threads, n_idle, n_slow;
    unsigned n_jobs;
    int64_t last_swept;
    _Atomic bool is_stopping;
    int64_t stop_until; // monotonic us
    int stop_fd;        // readable from relay_stop on

    _Atomic uint64_t messages, connections, tls_connections, failures;
};

// --- relay.c ---
// The calling thread waits for a slow peer, or does not any more.
void relay_thread_is_slow(struct relay *r, bool is_slow);
// No connection for this job came about; takes the job.
void relay_connection_failed(struct relay *r, struct destination *d, struct relay_job *job,
                             const struct relay_result *why);
void relay_succeeded(struct relay *r, struct destination *d);

// --- destination.c (all under the lock, but for the first) ---
enum ec routes_read(struct relay *r); // the smarthost, too
struct destination *destination_get(struct relay *r, const char *name);
void destination_free(void *destination);
// Puts it into the line for a thread if it has work for one.
void destination_offer(struct relay *r, struct destination *d);
void destination_succeeded(struct relay *r, struct destination *d);
// No connection came about. The jobs that fail with it are moved to `out`.
void destination_failed(struct relay *r, struct destination *d, const struct relay_result *why,
                        GQueue *out);
// Its last failure as the result of a job, in the arena.
struct relay_result destination_problem(const struct destination *d, struct arena *arena);
// Closes connections that were idle for too long, frees destinations that nobody needs, and looks
// after jobs that wait for long.
void destinations_sweep(struct relay *r, int64_t now);

// --- hosts.c ---
struct host {
    const char *name; // NULL: an address
    const char *address;
    bool is_signed; // the name came by a signed answer, or from the settings
};
struct hosts {
    struct host items[RELAY_HOSTS_MAX];
    unsigned n;
};
// The hosts to try, in order. False: there are none, and *why says so; all strings are in the
// arena.
bool hosts_find(struct relay *r, struct arena *arena, const struct hop *hop, struct hosts *out,
                struct relay_result *why);
// The addresses of a host, as text. False: none; *why.
bool host_addresses(struct relay *r, struct arena *arena, const struct host *host,
                    const char *out[RELAY_ADDRESSES_MAX], unsigned *n_out, bool *is_signed_out,
                    struct relay_result *why);

// --- plan.c ---
enum tls_level { LEVEL_NONE, LEVEL_MAY, LEVEL_ENCRYPT, LEVEL_VERIFY, LEVEL_DANE };
struct tls_plan {
    enum tls_level level;
    bool is_implicit;
    bool is_trusted;  // a certificate for `name` proves that this is the right host
    const char *name; // of the certificate and for SNI; NULL: an address
    const char *domain;
    const struct dns_record *tlsa;
    unsigned n_tlsa;
};
// How a host of the hop is to be talked to. False: not at all; *why.
bool plan_make(struct relay *r, struct arena *arena, const struct hop *hop, const struct host *host,
               bool is_address_signed, const struct sts_policy *sts, struct tls_plan *out,
               struct relay_result *why);
// The context all connections share.
enum ec plan_context(const struct relay_options *options, SSL_CTX **out);
// The TLS of one connection as the plan asks. NULL: out of memory.
SSL *plan_ssl(struct relay *r, const struct tls_plan *plan);

// --- session.c ---
struct connection {
    struct peer *peer;
    struct extensions extensions;
    char *remote; // the host's name, or its address
    bool is_tls, is_verified;
    bool is_broken;    // what it is about to say is not known
    bool is_closing;   // 421
    unsigned n_unread; // replies that will come and tell nothing
    unsigned n_messages;
    int64_t idle_since;
    GList link;
};
// A connection to one of the hop's hosts, ready for MAIL. NULL: none came about; *why.
struct connection *connection_open(struct relay *r, struct arena *arena, const struct hop *hop,
                                   struct relay_result *why);
// Says QUIT when it still can, without waiting for an answer. Accepts NULL.
void connection_close(struct connection *c);
// "host said: 550 no", and the rest of a result, from a reply or from what went wrong without one.
struct relay_result result_from_reply(struct arena *arena, const char *remote,
                                      const struct reply *reply, const char *status);
struct relay_result result_from_ec(struct arena *arena, const char *remote, enum ec ec,
                                   const char *doing);

// --- content.c ---
// Appends a piece of a message as DATA carries it: CRLF at the end of each line and nowhere else,
// dots doubled. `*at_start` (of a line) is carried from piece to piece; true at first.
void content_put(GByteArray *out, const uint8_t *data, size_t len, bool *at_start);
// The message with 8-bit bodies in quoted-printable or base64. NULL: it cannot be done.
GBytes *content_to_7bit(const uint8_t *data, size_t len);
bool content_is_8bit(const uint8_t *data, size_t len);

// --- extensions.c ---
// What a job needs of a server, found out against what the server has. False: it cannot be sent to
// it; every recipient of the job has a result then. Some recipients may have one, too, and are not
// sent to.
struct sending {
    struct relay_job *job;
    GBytes *top, *message;  // read, converted if need be
    const char *sender;     // as it is sent
    const char **addresses; // of the recipients as they are sent; NULL: has its result
    bool uses_smtputf8, uses_8bit, uses_bdat, uses_requiretls;
    uint64_t size;
    unsigned n_left; // recipients that are sent to
};
bool sending_prepare(struct sending *s, const struct connection *c, struct relay_job *job);
void sending_clear(struct sending *s);

// --- job.c ---
// Sends what the destination has, starting with `job`, until it has nothing more or it is time to
// leave. Takes the thread's place in d->n_sessions.
void session_run(struct relay *r, struct destination *d, struct relay_job *job,
                 struct connection *c);

// The next job of the destination for a session that goes on; NULL: none.
struct relay_job *relay_next_job(struct relay *r, struct destination *d);
// A job goes back to the head of the line, unless that happened too often: then it is answered.
void relay_return_job(struct relay *r, struct destination *d, struct relay_job *job,
                      const struct relay_result *why);
void relay_job_done(struct relay *r, struct relay_job *job);
// Sets the result of all recipients that have none.
void job_fill(struct relay_job *job, const struct relay_result *result);
