// DMARC: does what SPF and DKIM say fit the From that people see? ([RFC 7489])
#pragma once

#include "policy/dkim.h"
#include "policy/resolver.h"
#include "policy/spf.h"

enum dmarc_status {
    DMARC_NONE, // the domain publishes nothing
    DMARC_PASS,
    DMARC_FAIL,
    DMARC_TEMPERROR,
    DMARC_PERMERROR, // not one From with one domain
};
const char *dmarc_status_text(enum dmarc_status status);

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };
const char *dmarc_policy_text(enum dmarc_policy policy);

struct dmarc_record {
    enum dmarc_policy policy, subdomain_policy;
    bool is_strict_dkim, is_strict_spf;
    unsigned percent;
};
// False: no record that counts.
bool dmarc_record_parse(struct arena *arena, const char *text, struct dmarc_record *out);

struct dmarc_result {
    enum dmarc_status status;
    const char *domain;          // of From; NULL: none
    enum dmarc_policy policy;    // published for it
    enum dmarc_policy requested; // what a fail is to lead to, after pct=
};
void dmarc_check(const struct resolver *dns, struct arena *arena, const struct mail_fields *fields,
                 const struct spf_answer *spf, const struct dkim_result *dkim, unsigned n_dkim,
                 struct dmarc_result *out);

// The name registered under a public suffix ("example.co.uk" for "a.b.example.co.uk"), by Debian's
// list of public suffixes; the name itself when there is none. In the arena.
const char *dmarc_organization(struct arena *arena, const char *domain);
// The one domain of the one From field, as A-labels in lower case. NULL: it is not so.
const char *dmarc_from_domain(struct arena *arena, const struct mail_fields *fields);
