// The DNS records a mail domain needs, as `bourse dns` prints and checks them.
#pragma once

#include <glib.h>

#include "base/arena.h"
#include "dns/dns.h"
#include "policy/keys.h"

enum record_need {
    RECORD_NEEDED,
    RECORD_ADVISED,
    RECORD_OPTIONAL, // depends on what else the domain does
};
struct dns_needed {
    const char *name;   // without the last dot
    const char *type;   // "MX", "TXT", ...
    enum dns_type code; // 0: not to be asked for (CAA)
    const char *data;   // as in a zone file
    const char *why;
    enum record_need need;
};

struct dns_wanted {
    const char *domain, *hostname;
    const char *certificate; // PEM file for the TLSA record; NULL: none
    const char *listeners;   // lines `name address:port` of the running server; NULL: the usual
    const struct policy_keys *keys;
};
// GArray of struct dns_needed; the texts are in the arena.
GArray *dns_records_of(struct arena *arena, const struct dns_wanted *wanted);

// Whether the DNS has it now: "ok", "missing", "different", "unknown" (no answer). What is there
// goes to *found_out (arena, NULL: nothing).
const char *dns_record_check(struct dns *dns, struct arena *arena, const struct dns_needed *record,
                             const char **found_out);
