// What writing and reading the tracking log share.
#pragma once

#include "transport/track.h"

#define TRACK_DAY (UINT64_C(86400) * FILETIME_SECOND)
#define TRACK_BUFFER (64 * 1024)   // bytes that wait at most
#define TRACK_LINE_MAX (16 * 1024) // bytes of a line that is read
#define TRACK_VALUE_MAX 1000       // bytes of a value that is written

char *track_day_path(const char *dir, uint64_t day); // g_free
bool track_is_day_file(const char *name);            // "YYYY-MM-DD.log"
