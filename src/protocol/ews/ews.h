// Exchange Web Services ([MS-OXWS*]): SOAP 1.1 over HTTP at /ews/exchange.asmx.
//
// An operation is a function of a table (operations.c); what it does stands in mailbox/. Only
// ews_http.c knows HTTP, so that everything else runs on bytes (ews_run).
#pragma once

#include <glib.h>

#include "mailbox/mailbox.h"

struct http_route;
struct ews_service; // what all requests share

struct ews_options {
    struct mailbox_service *mailboxes;
    const char *hostname;    // the server's name, of URLs and RequestIds
    unsigned max_concurrent; // requests of one user at a time; 0: the default (27)
    uint64_t max_answer;     // bytes; 0: the default
    bool allows_push;        // notifications are posted to URLs that clients name
    const char *spool_dir;   // NULL: the system's
    const char *track_dir;   // the tracking log (transport/track.h); NULL: there is none
};
// Strings are copied.
enum ec ews_service_new(const struct ews_options *options, struct ews_service **out);
void ews_service_free(struct ews_service *s); // accepts NULL

// The paths and what answers there; their service is the ews_service.
const struct http_route *ews_routes(void);

// One request as a body of bytes, without HTTP: the whole answer, and the HTTP status that goes
// with it (200, or 500 for a SOAP fault). Operations that need a connection answer with an error.
// Always gives an answer.
void ews_run(struct ews_service *s, struct principal *who, const void *body, size_t len,
             GBytes **answer_out, unsigned *status_out);
