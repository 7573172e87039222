// Bearer tokens that somebody else issued: JSON Web Tokens ([RFC 7519]) signed by RS256, ES256 or
// EdDSA ([RFC 7518], [RFC 8037]) with one of the issuer's keys.
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/result.h"

// The issuer's public keys, from a file with PEM blocks (public keys, certificates) or a JWK set
// ([RFC 7517]). The file is read again when it has changed. Thread-safe.
struct token_keys;
struct token_keys *token_keys_new(const char *path);
void token_keys_free(struct token_keys *keys); // accepts NULL

struct token_rules {
    const char *issuer, *audience; // that the token must name
    const char *claim;             // that names the user
    filetime_t now;
};
// Checks the signature and the claims; the user's name goes to `*user_out` (in the arena). Without
// a name, *reason_out (static) says why. EC_LOGON_FAILED: not a token that counts here.
enum ec token_check(struct token_keys *keys, const struct token_rules *rules, struct arena *arena,
                    const char *token, const char **user_out, const char **reason_out);
