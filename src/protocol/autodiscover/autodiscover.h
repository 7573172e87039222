// Autodiscover: how clients find everything from an address and a password ([MS-OXDISCO],
// [MS-OXDSCLI], [MS-OXWSADISC], [MS-ASCMD] 2.2.1.1), and Thunderbird's form of it.
//
//     POST /autodiscover/autodiscover.xml    plain XML, for Outlook and ActiveSync
//     POST /autodiscover/autodiscover.svc    SOAP
//     GET  /autodiscover/autodiscover.json   where the others are, without a login
//     GET  /mail/config-v1.1.xml             Thunderbird, without a login
//
// Without a login nobody learns who exists: what is answered then depends on the domain alone.
#pragma once

#include "http/http.h"
#include "mailbox/mailbox.h"

struct autodiscover_service;
struct autodiscover_options {
    struct directory *directory;
    struct mailbox_service *mailboxes;
    const char *hostname, *organization;
    const char *url;     // "https://mail.example.com", of all URLs; NULL: made of hostname and port
    bool has_activesync; // phones are told where it is
};
// Strings are copied.
enum ec autodiscover_service_new(const struct autodiscover_options *options,
                                 struct autodiscover_service **out);
void autodiscover_service_free(struct autodiscover_service *s); // accepts NULL
// Where the server listens, lines "name address:port", once they are open.
void autodiscover_set_listeners(struct autodiscover_service *s, const char *listeners);

// The paths; their service is the autodiscover_service.
const struct http_route *autodiscover_routes(void);

// The forms without HTTP. Each answers with a whole document (g_string_free), whatever the request.
GString *autodiscover_pox(struct autodiscover_service *s, struct principal *who, const void *body,
                          size_t len, unsigned mapi_http);
// The HTTP status goes to *status_out (200, or 500 for a fault).
GString *autodiscover_soap(struct autodiscover_service *s, struct principal *who, const void *body,
                           size_t len, unsigned *status_out);
