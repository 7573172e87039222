// MTA-STS ([RFC 8461]): what a domain asks of those who send mail to it, fetched over HTTPS, kept
// in memory and on disk until it expires.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "relay/limits.h"

struct relay_options;
struct sts;

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };
struct sts_policy {
    enum sts_mode mode;
    uint32_t max_age; // seconds
    const char *mx[RELAY_STS_MX_MAX];
    unsigned n_mx;
};

// The file a domain serves, checked; strings in the arena. EC_FORMAT_ERROR: it is no policy.
enum ec sts_policy_parse(const char *text, size_t len, struct arena *arena, struct sts_policy *out);
// Whether a host is one of the policy's ([RFC 8461] 4.1: "*." stands for one label).
bool sts_policy_allows(const struct sts_policy *policy, const char *host);
// The id of the TXT record that announces a policy. False: it is none.
bool sts_record_parse(const char *text, char id_out[33]);

// What blocks ends soon after *is_stopping became true; both are borrowed.
enum ec sts_new(const struct relay_options *options, const _Atomic bool *is_stopping,
                struct sts **out);
void sts_free(struct sts *s); // accepts NULL
// The policy in force for a domain; STS_NONE when there is none. Blocks for the DNS and HTTPS.
void sts_find(struct sts *s, struct arena *arena, const char *domain, struct sts_policy *out);
