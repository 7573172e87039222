// Windows time zones by their ids ("W. Europe Standard Time"), from ICU's data
// ([MS-OXWSGTZ] 2.2.4).
//
// EWS tells a zone as periods and the days of the year on which one gives way to the other. ICU
// knows the moments of change; the days are what these have in common over some years.
#pragma once

#include "base/arena.h"
#include "base/filetime.h"
#include "base/result.h"

// A day on which a period begins, each year.
struct zone_change {
    int month;      // 1 to 12
    int weekday;    // 0 Sunday
    int occurrence; // 1 to 4; -1: the last of the month
    int offset;     // seconds after midnight of the day, by the clock before
};
struct zone {
    const char *id;   // Windows id
    const char *name; // "(UTC+01:00) ..." in a language
    int standard;     // seconds east of Greenwich
    int daylight;     // the same in summer; equal to standard: there is none
    struct zone_change to_standard, to_daylight;
};
struct zones {
    struct zone *items;
    unsigned n;
};
// All of them, by their offsets and names; `locale` of the names ("de-DE"; NULL: English). In the
// arena.
enum ec zones_all(struct arena *arena, const char *locale, struct zones *out);
// EC_NOT_FOUND: no such id.
enum ec zone_find(struct arena *arena, const char *id, const char *locale, struct zone *out);

// A moment as the clock in the zone shows it (as if it were UTC), and back.
filetime_t zone_local(const struct zone *zone, filetime_t utc);
filetime_t zone_utc(const struct zone *zone, filetime_t local);
