// The POP3 server ([RFC 1939], [RFC 2449], [RFC 5034], [RFC 6856], [MS-OXPOP3]): a struct net_proto
// over mailbox/.
//
//     EC_TRY(pop3_service_new(&settings, mailboxes, auth, &service));
//     net_listen(net, &(struct net_listen){.proto = &pop3_proto, .service = service, ...}, &bound);
//
// The maildrop is the Inbox as it was when the user logged in (of the mailbox that the login name
// names, if it does: [MS-OXPOP3] domain/user/mailbox). One session a maildrop at a time, over
// all services that share `struct pop3_drops`. Messages are deleted only by QUIT.
#pragma once

#include <stdbool.h>

#include "auth/auth.h"
#include "mailbox/mailbox.h"
#include "net/net.h"

struct pop3_drops; // which maildrops are in use
struct pop3_drops *pop3_drops_new(void);
void pop3_drops_free(struct pop3_drops *drops); // accepts NULL

struct pop3_settings {
    const char *hostname;
    bool has_starttls;     // the listener has a certificate and no implicit TLS
    bool marks_read;       // what was fetched whole is read after QUIT
    unsigned login_delay;  // seconds between two logins of a user; 0: none
    unsigned idle_seconds; // logged in without input; 0: POP3_IDLE_SECONDS
};
struct pop3_service;
// Copies `settings`; the others are borrowed and must outlive the service.
enum ec pop3_service_new(const struct pop3_settings *settings, struct pop3_drops *drops,
                         struct mailbox_service *mailboxes, struct auth *auth,
                         struct pop3_service **out);
void pop3_service_free(struct pop3_service *service); // accepts NULL

extern const struct net_proto pop3_proto;
