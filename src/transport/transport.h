// Where mail goes: takes messages from the queue, finds out whom they are for, delivers what is
// local, reports what cannot be delivered ([RFC 5321] 6, [RFC 3464]).
//
// A few threads of its own claim messages in batches, so that deliveries which arrive together
// share the work of a transaction; a single message is taken up at once. What fails for the time
// being is tried again later and given up after `expire_seconds`.
#pragma once

#include <stdint.h>

#include "mailbox/mailbox.h"
#include "queue/queue.h"
#include "relay/relay.h"

// 0 or NULL takes the default.
struct transport_options {
    const char *hostname;       // in reports; NULL: "localhost"
    unsigned workers;           // threads; 4
    unsigned retry_seconds;     // before the second attempt; doubles up to retry_max_seconds; 60
    unsigned retry_max_seconds; // 3600
    unsigned expire_seconds;    // 2 days
    unsigned delay_seconds;     // after which the sender is told that it takes longer; 4 hours
    // How mail leaves for other servers; the relay is made from these by transport_new, which sets
    // `has_room`, `ctx` and the back-off. NULL: what is not local fails.
    const struct relay_options *relay;
    const char *journal;         // address that gets a journal report of all mail; NULL, "": none
    const char *journal_domains; // of a domain's mail: "domain=address, ..."; NULL: none
    // Gives the DKIM-Signature fields (g_free) for a message that leaves from one of our domains,
    // as policy_sign does. NULL: nothing is signed.
    enum ec (*sign)(void *ctx, const char *domain, GBytes *message, char **fields_out);
    void *sign_ctx;
};

struct transport;
// The queue and the mailboxes must outlive it.
enum ec transport_new(struct queue *queue, struct mailbox_service *mailboxes,
                      const struct transport_options *options, struct transport **out);
// Finishes what is being delivered and stops. Accepts NULL.
void transport_free(struct transport *t);

// The relay, for `bourse queue`; NULL: none.
struct relay *transport_relay(struct transport *t);

struct transport_stats {
    uint64_t delivered; // into mailboxes
    uint64_t relayed;   // recipients whose mail another server took
    uint64_t deferred;  // attempts that failed for the time being
    uint64_t bounced;   // recipients given up
    uint64_t reports;   // sent about them
};
void transport_stats(struct transport *t, struct transport_stats *out);
