// Asking rspamd over HTTP (POST /checkv2) what it thinks of a message.
#pragma once

#include "policy/policy.h"

enum rspamd_action {
    RSPAMD_UNKNOWN, // an action that we do not know: as none
    RSPAMD_NO_ACTION,
    RSPAMD_GREYLIST,
    RSPAMD_ADD_HEADER, // also "rewrite subject"
    RSPAMD_SOFT_REJECT,
    RSPAMD_REJECT,
};
struct rspamd_answer {
    enum rspamd_action action;
    double score, required; // of the action "reject" or, in old versions, "add header"
    bool is_phishing;       // a symbol of it was found
};

struct rspamd; // connections that are kept
struct rspamd *rspamd_new(const char *url, unsigned timeout_ms);
void rspamd_free(struct rspamd *r); // accepts NULL
// Safe from any thread. EC_TIMEOUT, EC_NETWORK_ERROR, EC_FORMAT_ERROR (what came is no verdict);
// logged.
enum ec rspamd_ask(struct rspamd *r, const struct policy_message *message,
                   struct rspamd_answer *out);
// Reads an answer. EC_FORMAT_ERROR.
enum ec rspamd_parse(const char *json, size_t len, struct rspamd_answer *out);
