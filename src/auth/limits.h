// The limits of authentication.
#pragma once

// A password in octets; longer ones are refused before anything is computed.
#define AUTH_PASSWORD_MAX 1024
// A login name in octets.
#define AUTH_LOGIN_MAX 1024
// A SASL message: authorization name, login name, password, two NULs.
#define AUTH_SASL_MAX (2 * AUTH_LOGIN_MAX + AUTH_PASSWORD_MAX + 2)

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
