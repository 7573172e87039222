// Questions of one check to the DNS: after its deadline all fail, so that no stranger's slow name
// servers hold a worker.
#pragma once

#include <glib.h>

#include "dns/dns.h"

struct resolver {
    struct dns *dns;
    gint64 deadline; // g_get_monotonic_time; 0: none
};

static inline void resolver_ask(const struct resolver *r, struct arena *arena, const char *name,
                                enum dns_type type, struct dns_answer *out) {
    *out = (struct dns_answer){.status = DNS_FAILED};
    if (!r->deadline || g_get_monotonic_time() < r->deadline)
        dns_lookup(r->dns, arena, name, type, out);
}
