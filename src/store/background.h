// Work that follows commits and that nobody waits for: indexing, search folders, merging journals.
//
// Run by the store's own threads; works of one mailbox never run at the same time. Whatever is
// asked for here must be able to go on after a crash from what the database says: works still
// waiting when the store closes are dropped.
#pragma once

#include "store/store.h"

typedef void (*background_work)(struct mbox *mbox);

// Runs `work` with the mailbox soon, but not before `delay_ms` from now. Asked for again while it
// waits, it runs once: at the earlier of the two times, or with `postpone` at the later. Any
// thread, also from a watch. A mailbox that was closed meanwhile is passed over.
void background_want(struct mbox *mbox, background_work work, unsigned delay_ms, bool postpone);

// Whether the store is closing and a long work should stop at the next safe point.
bool background_is_stopping(struct mbox *mbox);

// Waits until nothing that is due waits or runs (delays are cut short): for tests and commands.
void background_drain(struct store *store);
