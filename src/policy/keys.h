// Our DKIM keys: DIR/DOMAIN/SELECTOR.pem, a private key each, made by `bourse dkim create`. All
// keys of a domain sign; a selector that is given up is deleted or renamed.
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/result.h"

struct policy_key {
    const char *domain; // A-labels, lower case
    const char *selector;
    EVP_PKEY *key;
    bool is_ed25519;
};
struct policy_keys; // all of them, unchanging, counted

// Reads the folder; files that are no keys are logged and passed over. A folder that is not there
// holds none. EC_DISK_ERROR.
enum ec policy_keys_load(const char *dir, struct policy_keys **out);
struct policy_keys *policy_keys_ref(struct policy_keys *keys);
void policy_keys_unref(struct policy_keys *keys); // accepts NULL
// Those of one domain, by selector; the number goes to *n_out. Valid while `keys` is.
const struct policy_key *policy_keys_of(const struct policy_keys *keys, const char *domain,
                                        unsigned *n_out);
// Every key, by domain and selector.
const struct policy_key *policy_keys_all(const struct policy_keys *keys, unsigned *n_out);

enum policy_key_type { POLICY_KEY_RSA, POLICY_KEY_ED25519 };
// Makes a key of 2048 bits RSA or Ed25519 in DIR/DOMAIN/SELECTOR.pem, readable by its owner alone.
// EC_COLLISION: it is there; EC_INVALID_PARAMETER: not a domain or selector; EC_DISK_ERROR.
enum ec policy_key_create(const char *dir, const char *domain, const char *selector,
                          enum policy_key_type type);
// EC_NOT_FOUND.
enum ec policy_key_delete(const char *dir, const char *domain, const char *selector);
// The TXT record's text: "v=DKIM1; k=rsa; p=...". In the arena.
const char *policy_key_record(struct arena *arena, const struct policy_key *key);
