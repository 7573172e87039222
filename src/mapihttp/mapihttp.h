// MAPI over HTTP ([MS-OXCMAPIHTTP]): /mapi/emsmdb carries remote operations (protocol/rop), and
// /mapi/nspi the address book (protocol/nspi).
#pragma once

#include "http/http.h"
#include "protocol/nspi/nspi.h"
#include "protocol/rop/rop.h"

struct mapihttp;
struct mapihttp_options {
    struct net *net; // of the timer that ends idle sessions; NULL: mapihttp_expire is called
    struct rop_service *rop;
    struct nspi_service *nspi;
    struct directory *directory;
    const char *hostname;       // of the URLs that clients are given
    bool has_public_folders;    // told to clients
    unsigned session_seconds;   // of a session without requests; 0: default (X-ExpirationInfo)
    unsigned pending_seconds;   // between signs of life (X-PendingPeriod); 0: default
    unsigned wait_seconds;      // a NotificationWait without events; 0: default
    unsigned max_sessions;      // of all users; 0: default
    unsigned max_user_sessions; // of one; beyond it the one unused longest ends. 0: default
};
// Strings are copied.
enum ec mapihttp_new(const struct mapihttp_options *options, struct mapihttp **out);
// Registers both paths. Before the first listener.
void mapihttp_add(struct mapihttp *m, struct http_server *server);
// Ends sessions that nobody has used for too long.
void mapihttp_expire(struct mapihttp *m);
// After the HTTP server is gone. Accepts NULL.
void mapihttp_free(struct mapihttp *m);

struct mapihttp_stats {
    unsigned sessions;
    uint64_t requests, failures; // failures: an X-ResponseCode that is not 0
};
void mapihttp_stats(struct mapihttp *m, struct mapihttp_stats *out);
