// The one clock, so that tests can set it.
#pragma once

#include "base/filetime.h"

// The time now, as FILETIME. Real time unless clock_set was called.
filetime_t clock_now(void);

// Fixes the clock at `now` (tests only); 0 gives real time back.
void clock_set(filetime_t now);
