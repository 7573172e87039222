// The IMAP server ([RFC 3501] and extensions, [MS-OXIMAP4]): a struct net_proto over mailbox/.
//
//     struct imap_service service = {.mailboxes = ..., .auth = ..., .hostname =
//     "mail.example.test"}; net_listen(net, &(struct net_listen){.proto = &imap_proto, .service =
//     &service, ...}, &bound);
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "mailbox/mailbox.h"
#include "net/net.h"

// What the server needs; owned by the caller, outlives every connection.
struct imap_service {
    struct mailbox_service *mailboxes;
    struct auth *auth;
    const char *hostname;  // said in the greeting
    const char *spool_dir; // for large APPENDs on their way in; NULL: the system's temporary folder
    uint64_t max_message;  // bytes of an APPEND; 0: IMAP_MAX_MESSAGE
    unsigned idle_seconds; // logged in without input; 0: IMAP_IDLE_SECONDS
    unsigned login_seconds; // before login; 0: IMAP_LOGIN_SECONDS
    bool has_starttls;      // the listener has a certificate and no implicit TLS
};

extern const struct net_proto imap_proto;
