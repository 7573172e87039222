// The store's side of background.h: its life, and letting go of a mailbox.
#pragma once

#include "store/store.h"

struct background;
struct background *background_new(struct store *store);
// Waits for what runs, drops what waits. No lock of the store may be held. Accepts NULL.
void background_free(struct background *b);
// Drops what waits for a mailbox and waits for what runs for it. No lock of the store may be held.
void background_forget(struct background *b, const struct guid *guid);
