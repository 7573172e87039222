// Authentication-Results: what was found out, for the filters and people behind us ([RFC 8601]).
#pragma once

#include <glib.h>

#include "policy/arc.h"
#include "policy/dmarc.h"

struct policy_findings {
    struct spf_answer spf;
    const char *mail_from; // the envelope's sender; "" for the null sender
    const char *helo;
    struct dkim_result *dkim;
    unsigned n_dkim;
    struct arc_result arc;
    struct dmarc_result dmarc;
    bool is_vouched_for; // by a trusted ARC chain
};

// The whole field with CRLF, folded. NULL findings: nothing was checked ("none").
void results_put(const char *hostname, const struct policy_findings *findings, GString *out);
// A value where the grammar wants a token or a quoted string: quoted when it has to be, bytes that
// cannot stand in a field become '?'.
void results_put_value(GString *out, const char *value);
