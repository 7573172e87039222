// The inside of the service, for ews_service.c and ews_run.c.
#pragma once

#include <pthread.h>

#include "protocol/ews/ews_internal.h"

struct ews_service {
    struct ews_options options; // strings are own
    pthread_mutex_t lock;
    GHashTable *busy; // user -> requests being run
    struct {
        void *value;
        void (*free)(void *);
    } slots[EWS_SLOTS];
};

// Whether the user may have one more request; then ews_service_leave is owed.
bool ews_service_enter(struct ews_service *s, const char *user);
void ews_service_leave(struct ews_service *s, const char *user);

// A call around a request (ews_run.c). The principal is referenced.
struct ews_call *ews_call_new(struct ews_service *s, struct principal *who,
                              struct http_request *http);
void ews_call_free(struct ews_call *call); // accepts NULL
// Runs it: the answer is in call->w. Gives the HTTP status.
unsigned ews_call_run(struct ews_call *call, const void *body, size_t len);
