// Our signatures: relaxed/relaxed, with From listed once more than it occurs, so that nobody adds a
// second one.
#pragma once

#include "policy/fields.h"
#include "policy/keys.h"

// Appends a DKIM-Signature field with its CRLF, folded. EC_FORMAT_ERROR: no From field;
// EC_CALL_FAILED: OpenSSL cannot.
enum ec dkim_sign(struct arena *arena, const struct mail_fields *fields,
                  const struct policy_key *key, GString *out);
