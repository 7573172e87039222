// The limits of policy/, in one place.
#pragma once

#include <stddef.h>

#define FIELDS_MAX 2000        // header fields looked at; a message with more is not checked
#define TAGS_MAX 64            // of one DKIM, ARC or DMARC tag list
#define DKIM_SIGNATURES_MAX 10 // looked at; the rest is passed over
#define DKIM_NAMES_MAX 256     // names in h=
#define DKIM_RSA_MIN 1024      // bits ([RFC 8301] 3.2)
#define DKIM_RSA_MAX 8192      // more would cost us too much
#define DKIM_SKEW 300          // seconds a signature may be from the future
#define ARC_SETS_MAX 50        // [RFC 8617] 4.2.1

#define SPF_LOOKUPS_MAX 10 // [RFC 7208] 4.6.4
#define SPF_VOIDS_MAX 2
#define SPF_NAMES_MAX 10  // hosts of one mx, names of one ptr
#define SPF_TERMS_MAX 256 // of one record
#define SPF_SECONDS 20    // for the whole check
#define SPF_EXPLANATION_MAX 500

#define RSPAMD_ANSWER_MAX ((size_t)1024 * 1024)
#define KEYS_MAX 8               // signing keys of a domain in use at a time
#define KEY_FILE_MAX (64 * 1024) // bytes
