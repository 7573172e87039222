// Verification of a mailbox: every invariant the store relies on, and repair of what can be
// derived.
#pragma once

#include "store/store.h"

struct check_options {
    bool repair;
    bool with_contents; // decompresses and hashes every blob, decodes every bag
    void (*progress)(void *ctx, const char *step, unsigned percent); // may be NULL
    void *ctx;
};
// One line a fault goes to `faults` (g_free'd strings: "folder 0x105: n_messages is 4, has 5
// messages [repaired]"). EC_OK when the check ran, whatever it found; EC_CORRUPT_DATA when the file
// cannot be read at all.
enum ec store_check_mailbox(struct store *store, const struct guid *guid,
                            const struct check_options *options, GPtrArray *faults,
                            unsigned *n_repaired_out);
