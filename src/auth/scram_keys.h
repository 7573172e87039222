// What a server keeps of a password for SCRAM-SHA-256 ([RFC 5802] 3, [RFC 7677]): enough to check a
// proof, not enough to give one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

#define SCRAM_SALT_SIZE 16
#define SCRAM_HASH_SIZE 32
#define SCRAM_STORED_SIZE (4 + SCRAM_SALT_SIZE + 2 * SCRAM_HASH_SIZE)

struct scram_keys {
    uint32_t iterations;
    uint8_t salt[SCRAM_SALT_SIZE];
    uint8_t stored_key[SCRAM_HASH_SIZE], server_key[SCRAM_HASH_SIZE];
};

// New keys with a random salt, in the form they are stored in. EC_CALL_FAILED: OpenSSL cannot.
enum ec scram_keys_make(const char *password, unsigned iterations, uint8_t out[SCRAM_STORED_SIZE]);
// `keys` with its iterations and salt set; fills in the two keys.
enum ec scram_keys_derive(const char *password, struct scram_keys *keys);
// False: this makes no sense.
bool scram_keys_read(const uint8_t stored[SCRAM_STORED_SIZE], struct scram_keys *out);
// Keys for somebody who has none: no proof fits them, and the salt is always the same for `name`.
void scram_keys_fake(const uint8_t secret[32], const char *name, unsigned iterations,
                     struct scram_keys *out);
// Whether the proof fits; the server's signature goes to `signature_out`.
bool scram_keys_verify(const struct scram_keys *keys, const char *auth_message,
                       const uint8_t proof[SCRAM_HASH_SIZE],
                       uint8_t signature_out[SCRAM_HASH_SIZE]);
