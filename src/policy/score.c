// The table of score.h.
#include "policy/score.h"

static struct score score_findings(const struct policy_findings *f) {
    static const struct score failures[] = {
        [DMARC_POLICY_NONE] = {4, 2},
        [DMARC_POLICY_QUARANTINE] = {6, 5},
        [DMARC_POLICY_REJECT] = {8, 7},
    };
    if (f->dmarc.status == DMARC_PASS || f->is_vouched_for)
        return (struct score){0, 0};
    if (f->dmarc.status == DMARC_FAIL)
        return failures[f->dmarc.requested];
    if (f->dmarc.status == DMARC_PERMERROR)
        return (struct score){5, 0};
    int scl = f->spf.result == SPF_FAIL ? 5 : f->spf.result == SPF_SOFTFAIL ? 3 : 1;
    bool is_signed = false, is_broken = false;
    for (unsigned i = 0; i < f->n_dkim; i++) {
        is_signed = is_signed || f->dkim[i].status == DKIM_PASS;
        is_broken = is_broken || f->dkim[i].status == DKIM_FAIL;
    }
    return (struct score){scl - is_signed + (is_broken && !is_signed), 0};
}

static int score_rspamd(const struct rspamd_answer *r) {
    double part = r->required > 0 ? r->score / r->required * 10 : r->score;
    int scl = part <= 0 ? 0 : part >= 9 ? 9 : (int)part;
    if (r->action == RSPAMD_REJECT)
        return 9;
    if (r->action == RSPAMD_ADD_HEADER)
        return CLAMP(scl, 6, 9);
    return MIN(scl, r->action == RSPAMD_GREYLIST ? 5 : 4); // below the usual threshold
}

struct score score_message(const struct policy_findings *findings,
                           const struct rspamd_answer *rspamd, bool has_good_postmark) {
    struct score s = {POLICY_SCL_NONE, 0};
    if (findings)
        s = score_findings(findings);
    if (rspamd) {
        s.scl = score_rspamd(rspamd);
        if (rspamd->is_phishing)
            s.pcl = MAX(s.pcl, 6);
    }
    if (s.scl > 0 && has_good_postmark)
        s.scl--;
    return s;
}
