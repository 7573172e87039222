// The way out: mail for other domains, sent by SMTP ([RFC 5321]) to the servers that take it.
//
// How it is built
//
// *Jobs and destinations.* A job is one message for up to RELAY_RECIPIENTS_MAX recipients of one
// destination; a destination is the domain of the recipients, or the smarthost or the host of a
// route that takes mail for many domains. A destination has a line of jobs, a limit of connections,
// and its idle connections. Nothing here is durable: a job that is not answered is in the queue,
// and a process that is killed leaves it there.
//
// *Threads wait, but never for each other.* A connection is straight-line blocking code on a thread
// of its own. Threads are made when there is work and go when there is none. The number of those
// that are busy is limited (`connections`), and a thread whose peer has been silent for
// RELAY_SLOW_SECONDS does not count any more: hundreds of slow servers cost their stacks and hold
// up nobody. Destinations that have work stand in one line and get threads in turn; a session
// leaves its thread to others after a while.
//
// *Concurrency.* A destination starts with a few connections; each message that is taken allows one
// more up to `connections_per_destination`, each failure halves the number. Where no connection
// comes about at all, the destination is down: all its jobs are answered with the reason and for a
// time that doubles with each attempt no other is made. The first success afterwards calls
// `recovered`, so that what waited in the queue comes back at once.
//
// *One round trip a message.* Where the server pipelines ([RFC 2920]) the end of a message, and
// MAIL, RCPT and DATA of the next one go out together. A connection that is cut after the final dot
// and before its reply leaves the message in doubt; it is sent again, which is the one double that
// SMTP allows. Before the dot nothing is in doubt.
//
// *Which host, how safe.* For each connection the hosts of the domain are looked up (hosts.c: MX by
// preference, shuffled among equals, ourselves and what is worse left out, null MX, address records
// without MX, literals). Each host gets a plan for TLS (plan.c): DANE where its names and TLSA
// records are signed ([RFC 7672]), else the domain's MTA-STS policy ([RFC 8461], sts.c), else what
// the settings say, which is TLS where it is offered. A plan that cannot be met sends nothing:
// the message waits, with status 4.7.x, until it expires.
//
// *The extensions.* SIZE, 8BITMIME, SMTPUTF8, DSN, REQUIRETLS, BINARYMIME (with BDAT) are used
// where both the message and the server have them. Where the server lacks one (extensions.c): 8-bit
// bodies are turned into quoted-printable or base64 unless they are signed; a message that came as
// SMTPUTF8 goes on without it if nothing in it needs it, with the domains as A-labels, and else
// fails with 5.6.7; without DSN the result says so, and the caller reports "relayed".
//
// *Bytes of strangers* are the replies (reply.c), the STS policies (sts_policy.c) and what the DNS
// and TLS libraries check: bounded, each with a fuzz target.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "dns/dns.h"

#define RELAY_RECIPIENTS_MAX 100 // of one transaction ([RFC 5321] 4.5.3.1.8)

struct relay;

enum relay_tls {
    RELAY_TLS_MAY,      // where it is offered, whatever the certificate
    RELAY_TLS_OFF,      // never
    RELAY_TLS_REQUIRED, // or not at all; whatever the certificate
    RELAY_TLS_VERIFIED, // and the certificate must be the host's
    RELAY_TLS_IMPLICIT, // verified, and from the first byte (port 465); for the smarthost
};

// 0 or NULL takes the default.
struct relay_options {
    struct dns *dns;       // borrowed; NULL: only address literals and hosts that are addresses
    const char *hostname;  // says EHLO with it and does not relay to it; "localhost"
    unsigned port;         // of other servers; 25
    const char *smarthost; // "host:port": all mail goes there; NULL, "": none
    const char *smarthost_user, *smarthost_password; // NULL, "": no AUTH
    enum relay_tls smarthost_tls;
    const char *routes;       // "example.net=host:port, .example.org=[192.0.2.1]:2525"; a domain
                              // that begins with a dot means all below it. NULL: none
    enum relay_tls tls;       // for hosts without a policy of their own
    bool no_dane, no_mta_sts; // do not ask for them
    const char *ca_file;      // PEM; NULL: the system's
    const char *sts_dir;      // where MTA-STS policies are kept; NULL: in memory only
    unsigned sts_port;        // 443
    unsigned connections;     // 200 threads that are not waiting for a slow server
    unsigned connections_per_destination; // 20
    unsigned idle_ms;                     // an unused connection is kept so long; 5,000
    unsigned backoff_ms;                  // of a destination that is down, the first time; 30,000
    unsigned backoff_max_ms;              // 600,000
    // Seconds; [RFC 5321] 4.5.3.2.
    unsigned connect_seconds; // 30
    unsigned command_seconds; // 300: greeting, EHLO, MAIL, RCPT
    unsigned data_seconds;    // 120: DATA's reply; 180: a block of the message
    unsigned end_seconds;     // 600: the reply to the final dot
    // Called without locks, from any thread; must be quick. The destination takes jobs again after
    // RELAY_BUSY (`n` of them), or has answered after it was down (`n` is 0: all).
    void (*has_room)(void *ctx, const char *destination, unsigned n);
    void *ctx;
};
// EC_INVALID_PARAMETER, logged: the smarthost or a route cannot be read.
enum ec relay_new(const struct relay_options *options, struct relay **out);
// Ends all sessions: those that wait for the reply to a message's end get some seconds, all else is
// answered RELAY_BUSY. Afterwards every job is. Safe to call twice.
void relay_stop(struct relay *r);
void relay_free(struct relay *r); // stops; accepts NULL

// The destination of an address: what relay_job.destination must be. In the arena. NULL: the
// address has no domain that could be one.
const char *relay_destination(struct relay *r, struct arena *arena, const char *address);

enum relay_verdict {
    RELAY_SENT,     // the server took it
    RELAY_FAILED,   // never
    RELAY_DEFERRED, // not now
    RELAY_BUSY,     // was not tried: too many jobs wait, or relay_stop
};

struct relay_result {
    enum relay_verdict verdict;
    const char *status; // [RFC 3463]: "5.1.1"; NULL for RELAY_BUSY
    const char *text;   // one line for people
    const char *remote; // name of the server that said so; NULL: nobody was reached
    const char *reply;  // what it said, one line: "550 5.1.1 no such user"; NULL: nothing
    bool sends_reports; // RELAY_SENT: it knows DSN and was told what the sender wants
};

struct relay_recipient {
    const char *address;
    const char *orcpt; // as it is sent: "rfc822;xtext"; NULL: none
    uint32_t notify;   // bits of [RFC 3461] 4.1: 1 never, 2 success, 4 failure, 8 delay; 0: default
    struct relay_result result; // out; strings in the job's arena
};

struct relay_job {
    // The caller's. `arena` belongs to the job and is used by one thread at a time.
    struct arena *arena;
    const char *destination;
    const char *id;     // for the log
    const char *sender; // "" for the null sender
    const char *envid, *ret, *auth;
    bool is_smtputf8, is_8bit, is_binary, requires_tls;
    uint64_t size; // of the message, about
    struct relay_recipient *recipients;
    unsigned n_recipients;
    // The message as two pieces, one after the other (`top`: header fields, may be NULL). Called on
    // the relay's thread just before it is needed, so that what waits holds no bytes.
    enum ec (*read)(struct relay_job *job, GBytes **top_out, GBytes **message_out);
    // Every recipient has its result; called once, without locks; may free the job.
    void (*done)(struct relay_job *job);
    void *ctx;

    // The relay's.
    GList link;
    int64_t since;      // monotonic us, since when it waits
    unsigned n_returns; // how often it went back into the line
};
// Takes the job until `done`, which may come before this returns.
void relay_send(struct relay *r, struct relay_job *job);

// Forgets that a destination is down (NULL: all), so that the next job tries.
void relay_forget_failures(struct relay *r, const char *destination);

// What is known of a destination.
struct relay_state {
    const char *destination;
    unsigned n_jobs, n_connections, limit;
    unsigned failures; // connections in a row that did not come about
    unsigned down_ms;  // no attempt for so long
    const char *reason;
};
void relay_states(struct relay *r, struct arena *arena, struct relay_state **out, unsigned *n_out);

struct relay_stats {
    uint64_t messages, connections, tls_connections, failures;
};
void relay_stats(struct relay *r, struct relay_stats *out);
