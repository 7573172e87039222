// SMTP, the receiving side: mail from other servers (MX), from our users (submission), and from a
// mail server in front of us (LMTP) ([RFC 5321], [RFC 6409], [RFC 2033], with PIPELINING, 8BITMIME,
// BINARYMIME, CHUNKING, SMTPUTF8, SIZE, DSN, ENHANCEDSTATUSCODES, REQUIRETLS, FUTURERELEASE,
// LIMITS, STARTTLS, AUTH and Postfix's XCLIENT).
//
// A service is what one listener needs; listen with it by `net_listen` and `smtp_proto`:
//
//     struct smtp_settings settings = {.hostname = "mail.example.test", .kind = SMTP_MX};
//     EC_TRY(smtp_service_new(&settings, queue, directory, auth, &service));
//     struct net_listen spec = {.address = "[::]:25", .proto = &smtp_proto, .service = service,
//     ...};
//
// A message is streamed into the queue's spool as it comes and acknowledged when the queue has made
// it durable; while that takes, the connection occupies no thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "directory/directory.h"
#include "net/net.h"
#include "net/networks.h"
#include "policy/policy.h"
#include "protocol/smtp/rates.h"
#include "queue/queue.h"

struct mailbox_service;

enum smtp_kind {
    SMTP_MX,         // for local recipients from anybody; authenticated users may also send
    SMTP_SUBMISSION, // authenticated users only, with their own addresses
    SMTP_LMTP,       // for local recipients from this machine and trusted networks. A recipient's
                     // 250 says that the message is in the queue, durably, as with SMTP
};

// What may change while a service runs (smtp_service_set_limits). Of the first five 0 takes the
// default of limits.h, of the others 0 is no limit.
struct smtp_limits {
    uint64_t max_size;       // bytes of a message
    unsigned max_recipients; // of a message
    unsigned max_errors;     // of a connection, then 421
    unsigned max_unknown;    // recipients of a connection that do not exist, then 421
    unsigned tarpit_after;   // so many errors and unknown recipients are answered at once
    unsigned tarpit_seconds; // and those after them so late
    // Loopback and trusted networks are not counted by address, nor made to wait.
    unsigned connections_per_minute, messages_per_minute; // of an address, of an IPv6 /64
    unsigned user_messages_per_minute, user_recipients_per_hour;
    bool hides_clients;               // submission: no client address in Received
    struct net_networks *trusted;     // XCLIENT, LMTP, no inbound policy; NULL: nobody
    const char *const *relay_domains; // we take mail for them from anybody; NULL: none
};

struct smtp_settings {
    const char *hostname; // in the greeting and in Received fields
    enum smtp_kind kind;
    bool has_tls;             // offer STARTTLS (the listener has a certificate)
    bool needs_tls;           // no mail without TLS
    unsigned timeout_seconds; // without input; the listener's idle_seconds should be the same; 0:
                              // the default of limits.h
    struct smtp_limits limits;
    struct smtp_rates *rates; // borrowed; services may share it; NULL: nothing is counted
    // Asked at the end of a message that a stranger sends to an SMTP_MX service: policy_check.
    void (*check)(struct policy *policy, struct arena *arena, const struct policy_message *message,
                  struct policy_verdict *out);
    struct policy *policy; // borrowed; NULL: nobody is asked
    struct net *net;       // whose workers ask; NULL: the connection's own thread
};

struct smtp_service;
// Copies `settings`; the others are borrowed and must outlive the service.
enum ec smtp_service_new(const struct smtp_settings *settings, struct queue *queue,
                         struct directory *directory, struct auth *auth, struct smtp_service **out);
// From now on users whose mailbox is too full to send are refused ([MS-OXCSTOR] 2.2.2.1.1.4).
void smtp_service_ask_mailboxes(struct smtp_service *service, struct mailbox_service *mailboxes);
// Takes new limits over, for the next messages of open connections too. From any thread.
void smtp_service_set_limits(struct smtp_service *service, const struct smtp_limits *limits);
void smtp_service_free(struct smtp_service *service); // accepts NULL

extern const struct net_proto smtp_proto;
