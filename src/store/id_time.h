// When ids were given, to a second: the time a message was put into its folder ([RFC 8514] save
// date). Ids only grow and a message gets a new one wherever it is put, so a few notes "from this
// id on, at this time" tell it for all messages; they are written with the commits that add some.
#pragma once

#include "store/store.h"

// When the id was given. EC_NOT_FOUND: before such notes were kept.
enum ec id_time_of(struct mbox_tx *tx, uint64_t id, filetime_t *out);
// The first id given at `since` or later, and the first whose time is known (UINT64_MAX: none).
enum ec id_time_boundary(struct mbox_tx *tx, filetime_t since, uint64_t *first_out,
                         uint64_t *known_out);
