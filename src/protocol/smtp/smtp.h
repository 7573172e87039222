// SMTP, the receiving side: mail from other servers (MX) and from our users (submission)
// ([RFC 5321], [RFC 6409], with PIPELINING, 8BITMIME, SMTPUTF8, SIZE, ENHANCEDSTATUSCODES,
// CHUNKING, STARTTLS and AUTH).
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
#include "queue/queue.h"

struct mailbox_service;

enum smtp_kind {
    SMTP_MX,         // for local recipients from anybody; authenticated users may also send
    SMTP_SUBMISSION, // authenticated users only, with their own addresses
};

// 0 takes the default of limits.h.
struct smtp_settings {
    const char *hostname; // in the greeting and in Received fields
    enum smtp_kind kind;
    bool has_tls;             // offer STARTTLS (the listener has a certificate)
    bool needs_tls;           // no mail without TLS
    uint64_t max_size;        // bytes of a message
    unsigned max_recipients;  // of a message
    unsigned max_errors;      // then 421
    unsigned timeout_seconds; // without input; the listener's idle_seconds should be the same
};

struct smtp_service;
// Copies `settings`; the others are borrowed and must outlive the service.
enum ec smtp_service_new(const struct smtp_settings *settings, struct queue *queue,
                         struct directory *directory, struct auth *auth, struct smtp_service **out);
// From now on users whose mailbox is too full to send are refused ([MS-OXCSTOR] 2.2.2.1.1.4).
void smtp_service_ask_mailboxes(struct smtp_service *service, struct mailbox_service *mailboxes);
void smtp_service_free(struct smtp_service *service); // accepts NULL

extern const struct net_proto smtp_proto;
