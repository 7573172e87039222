// The chain of those who handled a message and vouch for what they saw ([RFC 8617]).
#pragma once

#include "policy/dkim.h"

enum arc_status { ARC_NONE, ARC_PASS, ARC_FAIL };
const char *arc_status_text(enum arc_status status);

struct arc_result {
    enum arc_status status;
    const char *reason;        // of a fail; NULL: none
    unsigned n;                // sets
    const char **sealers;      // d= of each seal, the first one's first
    const char *first_results; // the first set's ARC-Authentication-Results, behind "i=1;"
};
void arc_check(const struct resolver *dns, struct arena *arena, const struct mail_fields *fields,
               struct arc_result *out);

// Whether the chain is good, everybody in it is in `trusted` (domains separated by spaces), and the
// first of them saw DMARC pass.
bool arc_vouches(const struct arc_result *arc, const char *trusted);
