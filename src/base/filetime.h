// FILETIME ([MS-DTYP] 2.3.3, PtypTime): 100 ns since 1601-01-01 UTC, the store's unit of time.
#pragma once

#include <stdint.h>

typedef uint64_t filetime_t;

#define FILETIME_SECOND UINT64_C(10000000)
#define FILETIME_UNIX_EPOCH UINT64_C(116444736000000000)

// Seconds since 1970 to and from FILETIME; times before 1601 become 0.
filetime_t filetime_from_unix(int64_t seconds);
int64_t filetime_to_unix(filetime_t t); // rounds down

// Microseconds since 1970 (GLib's real time) to FILETIME.
filetime_t filetime_from_usec(int64_t usec);
