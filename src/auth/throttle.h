// Slowing down guesses: failures counted for each address and each user, in bounded memory.
#pragma once

#include <stdbool.h>

enum throttle_kind { THROTTLE_USER, THROTTLE_ADDRESS };

struct throttle;

struct throttle *throttle_new(unsigned max_entries);
void throttle_free(struct throttle *t); // accepts NULL

// Whether `key` (an address, a user) has failed so often that it has to wait now.
bool throttle_is_blocked(struct throttle *t, enum throttle_kind kind, const char *key);
// Counts a failure.
void throttle_fail(struct throttle *t, enum throttle_kind kind, const char *key);
// Forgets the failures: it was right after all.
void throttle_forget(struct throttle *t, enum throttle_kind kind, const char *key);
// What is counted at present.
unsigned throttle_size(struct throttle *t);
