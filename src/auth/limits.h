// The limits of authentication.
#pragma once

// A password in octets; longer ones are refused before anything is computed.
#define AUTH_PASSWORD_MAX 1024
// A login name in octets.
#define AUTH_LOGIN_MAX 1024
// A SASL message, undone from base64: a line of 12,288 characters ([RFC 4954] 4).
#define AUTH_SASL_MAX 9216
// The same of HTTP: a Kerberos ticket of a user in many groups (Windows: MaxTokenSize 48,000).
#define AUTH_EXCHANGE_MAX (64 * 1024)

// A bearer token, its header, the depth of its JSON, and the keys of its issuer.
#define AUTH_TOKEN_MAX 8192
#define AUTH_TOKEN_HEADER_MAX 2048
#define AUTH_JSON_DEPTH 16
#define AUTH_TOKEN_KEYS 64
#define AUTH_TOKEN_KEY_FILE_MAX (256 * 1024)
#define AUTH_TOKEN_RSA_BITS 2048 // smaller keys are not taken
// Clocks may differ by so many seconds.
#define AUTH_TOKEN_SKEW 60

// NTLM: a name or a field of a message in bytes.
#define AUTH_NTLM_NAME_MAX 512
#define AUTH_NTLM_RESPONSE_MAX 4096

// argon2id as OWASP advises: 19 MiB, two passes.
#define AUTH_HASH_PASSES 2
#define AUTH_HASH_MEMORY (19u << 20)
// Hashes computed at once (each takes the memory above), and logins that may wait for their turn.
#define AUTH_HASHES_AT_ONCE 4
#define AUTH_HASHES_WAITING 512

// How long, and how many, right passwords are remembered (seconds; entries of about 100 bytes).
#define AUTH_VERIFIED_SECONDS 300
#define AUTH_VERIFIED_ENTRIES 10000

// Failures that cost nothing but the hash; after them a delay that doubles up to a maximum
// (seconds). An address can stand for many people behind one router, so it may fail more often.
#define AUTH_USER_FREE_FAILURES 5
#define AUTH_USER_DELAY_MAX 60
#define AUTH_ADDRESS_FREE_FAILURES 20
#define AUTH_ADDRESS_DELAY_MAX 900
// Failures are forgotten this long after the last one (seconds).
#define AUTH_FAILURES_EXPIRE 1800
// Addresses and users whose failures are counted; beyond it the oldest are forgotten.
#define AUTH_THROTTLE_ENTRIES 50000
