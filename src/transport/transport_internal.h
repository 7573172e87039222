// What the files of transport/ share: jobs, outcomes, routes and reports.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "transport/id_set.h"
#include "transport/limits.h"
#include "transport/report.h"
#include "transport/transport.h"

// What became of a recipient, worst last.
enum outcome_kind { OUTCOME_DELIVERED, OUTCOME_RELAYED, OUTCOME_FAILED, OUTCOME_DEFERRED };

struct outcome {
    enum outcome_kind kind;
    const char *status; // RFC 3463: "5.1.1"
    const char *text;   // for people
    const char *remote; // the server that said so; NULL: this one
    const char *reply;  // what it said: "550 5.1.1 no such user"; NULL: nothing
    const char *lane;   // OUTCOME_DEFERRED: the destination that it waits for; NULL: none
    bool is_untried;    // OUTCOME_DEFERRED: it was not its turn
    bool sends_reports; // OUTCOME_RELAYED: the server tells the sender of success itself
};

struct outcome outcome_from_ec(enum ec ec);

struct transport {
    struct queue *queue;
    struct mailbox_service *mailboxes;
    struct relay *relay; // NULL: none
    struct transport_options options;
    _Atomic bool is_stopping;
    _Atomic uint64_t delivered, relayed, deferred, bounced, reports;
    struct report_limit *report_limit;
    struct id_set *journaled, *warned; // messages that wait: journaled; reported as delayed
    pthread_t *threads;
    unsigned n_threads;
};

// An address elsewhere that a recipient leads to.
struct remote {
    unsigned recipient; // index into job.pending
    const char *address;
    struct outcome outcome; // once it is known
};

// One message at work. Everything is in the item's arena.
struct job {
    struct transport *t;
    struct queue_item *item;
    struct arena *arena;
    GBytes *original, *mime; // mime: with its Return-Path; NULL when nothing is local
    const char *message_id;  // for the tracking log; NULL: none or not wanted
    unsigned *pending, n_pending;
    struct outcome *outcomes; // of the pending recipients
    GArray **deliveries;      // of the pending recipients: unsigned, into the batch's deliveries
    bool *is_group;           // of the pending recipients
    struct remote *remotes;
    unsigned n_remotes;
    bool is_permanent; // `bourse queue` or expiry: what is deferred now has failed
    // While the relay has parts of it (outbound.c):
    pthread_mutex_t lock;
    unsigned n_open;
    char *signature; // DKIM-Signature fields; NULL: not made yet
};

// --- route.c ---
struct route_target {
    struct guid mailbox;
    const char *detail; // NULL: none
    uint64_t folder;    // of the public store; 0: a mailbox
};
struct route {
    GArray *targets;    // struct route_target
    GPtrArray *remotes; // addresses of other domains, in the arena
    struct outcome problem;
    bool is_group; // the address is a group's
};
// Where mail for `address` goes: aliases, groups and forwards followed, each mailbox and address
// once. `out->problem` says whether a part of them could not be found (OUTCOME_DELIVERED: no);
// targets and remotes are appended to the arrays in *out.
void route_address(struct directory *directory, struct arena *arena, const char *address,
                   struct route *out);

// --- outbound.c ---
// Sends what of a job goes elsewhere; job_settle follows when all of it has an outcome.
void outbound_start(struct job *job);

// --- settle.c ---
// Every recipient has an outcome: notes them in the queue, reports, and gives the item back.
void job_settle(struct job *job);

// --- outcome.c ---
// The one place where it is known what became of a recipient; called once for each pending
// recipient of each attempt, before the queue is told. Logs, counts, and is where others hook in.
void transport_outcome(struct job *job, unsigned recipient, const struct outcome *outcome);
