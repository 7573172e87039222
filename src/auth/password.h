// Password hashes: argon2id, few at once; and a short memory of what was right.
#pragma once

#include <stdbool.h>

#include "base/result.h"

struct password_checker;

// EC_NO_MEMORY, EC_CALL_FAILED.
enum ec password_checker_new(struct password_checker **out);
void password_checker_free(struct password_checker *checker); // accepts NULL

// A new hash of `password`, a crypt string (g_free). EC_NO_MEMORY; EC_SERVER_BUSY.
enum ec password_hash(struct password_checker *checker, const char *password, char **out);

// Compares a password with a stored hash (NULL: there is none; takes as long as if there were, and
// is wrong). EC_OK, EC_LOGON_FAILED; EC_SERVER_BUSY: too many wait, or `may_go_on` (called after
// waiting, just before the hash is computed) said no.
enum ec password_verify(struct password_checker *checker, const char *hash, const char *password,
                        bool (*may_go_on)(void *data), void *data);

// How many hashes were computed so far (tests).
unsigned password_hashes_computed(struct password_checker *checker);
