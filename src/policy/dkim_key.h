// Keys of DKIM: what a domain publishes ([RFC 6376] 3.6.1, [RFC 8463] 4), and checking with it.
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "policy/resolver.h"

struct dkim_key {
    EVP_PKEY *key;
    bool is_ed25519;
    unsigned bits;
    bool is_testing;    // t=y
    bool is_exact;      // t=s: i= must have the very domain
    bool is_for_email;  // s=
    bool allows_sha256; // h=
};

enum dkim_key_status {
    DKIM_KEY_OK,
    DKIM_KEY_NONE,    // no record
    DKIM_KEY_REVOKED, // p= is empty
    DKIM_KEY_BAD,     // cannot be read, or a kind that we do not know
    DKIM_KEY_TEMPORARY,
};

// Asks for SELECTOR._domainkey.DOMAIN. On DKIM_KEY_OK out->key is the caller's (EVP_PKEY_free).
enum dkim_key_status dkim_key_fetch(const struct resolver *dns, struct arena *arena,
                                    const char *selector, const char *domain, struct dkim_key *out);
enum dkim_key_status dkim_key_parse(struct arena *arena, const char *record, struct dkim_key *out);

// Whether `signature` is that of a SHA-256 hash.
bool dkim_key_verify(const struct dkim_key *key, const uint8_t hash[32], const uint8_t *signature,
                     size_t len);
