// What is to be thought of a message from a stranger, and our signature on what leaves.
//
// SPF ([RFC 7208]), DKIM ([RFC 6376], [RFC 8463]), DMARC ([RFC 7489]) and ARC ([RFC 8617]) are
// checked here; rspamd is asked over HTTP where it is configured. The verdict is one value: header
// fields (Authentication-Results, [RFC 8601]), a spam confidence level ([MS-OXCSPAM] 2.2.1.3), a
// phishing confidence ([MS-OXPHISH]) and what to do. SMTP asks at the end of DATA, before 250.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "dns/dns.h"

struct policy;

// 0 or NULL takes the default.
struct policy_options {
    struct dns *dns;      // borrowed; NULL: nothing that needs the DNS is checked
    const char *hostname; // authserv-id of Authentication-Results
    const char *keys_dir; // our DKIM keys: DOMAIN/SELECTOR.pem; NULL: nothing is signed
    bool enforces_dmarc;  // reject where the sender's domain asks for it; else the SCL says it
    const char *trusted_sealers; // domains, separated by spaces, whose ARC chains overrule a
                                 // failure of DMARC; NULL: none
    const char *rspamd_url;     // "http://127.0.0.1:11333"; NULL, "": not asked
    bool rspamd_fail_closed;    // without an answer of rspamd: defer; else accept
    unsigned rspamd_timeout_ms; // 10,000
};
enum ec policy_new(const struct policy_options *options, struct policy **out);
void policy_free(struct policy *p);      // accepts NULL
enum ec policy_reload(struct policy *p); // the keys from the disk again (SIGHUP, `bourse dkim`)

struct policy_message {
    const char *client; // address of the peer
    const char *helo;
    const char *sender; // envelope; "" for the null sender
    const char *const *recipients;
    unsigned n_recipients;
    const char *queue_id;
    GBytes *bytes; // the message as it came, without our Received field
};

enum policy_action { POLICY_ACCEPT, POLICY_REJECT, POLICY_DEFER };

#define POLICY_SCL_NONE (-2) // not checked; -1 is "trusted", 0 to 9 how sure it is spam
struct policy_verdict {
    enum policy_action action;
    const char *status, *text; // of the reply: "5.7.26"
    const char *fields;        // whole header fields with CRLF to put on top; "": none
    int scl;                   // PidTagContentFilterSpamConfidenceLevel
    int pcl;                   // phishing: 0 none, 1 to 8; above 3 links are switched off
};
// Blocks for the DNS and rspamd. Safe from any thread. Everything in *out is in the arena.
void policy_check(struct policy *p, struct arena *arena, const struct policy_message *message,
                  struct policy_verdict *out);

// The DKIM-Signature fields (one for each key of the domain; "" when there is none) for a message
// that leaves with a From of `domain` (g_free). EC_FORMAT_ERROR: no From field.
enum ec policy_sign(struct policy *p, const char *domain, GBytes *message, char **fields_out);
