// Dates of IMAP ([RFC 3501] 9: date, date-time).
#pragma once

#include "protocol/imap/imap_parse.h"

// "17-Jul-1996" or the same in quotes: days since 1970.
bool imap_parse_date(struct imap_parser *p, int64_t *day_out);
// "17-Jul-1996 02:44:25 -0700" in quotes (one-digit days with or without a space in front).
bool imap_parse_date_time(struct imap_parser *p, filetime_t *out);

#define IMAP_DATE_TIME_SIZE 28 // with its quotes, without a NUL
// What formats many dates keeps one of these: the last day's text.
struct imap_date_cache {
    int64_t day;
    char text[11]; // "17-Jul-1996"
    bool is_set;
};
// Writes "\"17-Jul-1996 02:44:25 +0000\"" (IMAP_DATE_TIME_SIZE bytes) and returns its end.
char *imap_put_date_time(char *out, filetime_t t, struct imap_date_cache *cache);
