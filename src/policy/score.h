// How sure it is that a message is spam (SCL, [MS-OXCSPAM] 2.2.1.3) or phishing.
//
// With rspamd its verdict counts: the score in tenths of the one at which it rejects, at least 6
// for "add header" and "rewrite subject", 9 for "reject". Without it:
//
//     DMARC passes, or a trusted ARC chain vouches for the message      0
//     DMARC fails, the domain asks to reject                           8
//     DMARC fails, the domain asks for quarantine                      6
//     DMARC fails, the domain asks for nothing                         4
//     From is not one address of one domain                            5
//     no DMARC: SPF fails 5, softfails 3, else 1; a DKIM signature that is right 1 less, one that
//               is wrong 1 more
//
// A good postmark ([MS-OXPSVAL]) takes 1 away. The phishing level is 7, 5 and 2 for the three kinds
// of failure of DMARC, and 6 at least when rspamd found signs of it.
#pragma once

#include "policy/results.h"
#include "policy/rspamd.h"

struct score {
    int scl, pcl;
};
// `findings` NULL: not checked; `rspamd` NULL: no answer. POLICY_SCL_NONE without both.
struct score score_message(const struct policy_findings *findings,
                           const struct rspamd_answer *rspamd, bool has_good_postmark);
