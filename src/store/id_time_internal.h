// Between id_time.c and the commit (tx.c).
#pragma once

#include "store/store_internal.h"

// Notes the time for ids from mbox->saved_next_id on when messages were added and the last note is
// older than a second. Before the commit.
enum ec id_time_note(struct mbox_tx *tx, bool *noted_out);
