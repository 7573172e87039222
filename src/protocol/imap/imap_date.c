// Days are counted, not looked up in a time zone database: IMAP's dates carry their own zone.
#include "protocol/imap/imap_date.h"

#include <string.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

// Days since 1970 of a date of the Gregorian calendar, and back (H. Hinnant's civil days).
static int64_t day_of(int64_t y, unsigned m, unsigned d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year = y - era * 400;
    int64_t of_year = (153 * (int64_t)(m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + of_year - 719468;
}

static void date_of(int64_t day, int64_t *y, unsigned *m, unsigned *d) {
    day += 719468;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t of_era = day - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    *d = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    *m = (unsigned)(month < 10 ? month + 3 : month - 9);
    *y = year + era * 400 + (*m <= 2);
}

static bool digits(const char **s, unsigned min, unsigned max, unsigned *out) {
    unsigned n = 0, v = 0;
    while (n < max && g_ascii_isdigit(**s)) {
        v = v * 10 + (unsigned)(*(*s)++ - '0');
        n++;
    }
    *out = v;
    return n >= min;
}

static bool days_fit(unsigned year, unsigned month, unsigned day) {
    static const uint8_t last[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= last[month - 1] + (unsigned)(month == 2 && is_leap);
}

// "d-Mon-yyyy" at *s.
static bool date(const char **s, int64_t *day_out) {
    unsigned day, month = 0, year;
    if (!digits(s, 1, 2, &day) || *(*s)++ != '-')
        return false;
    for (unsigned i = 0; i < 12; i++)
        if (g_ascii_strncasecmp(*s, months + 3 * i, 3) == 0)
            month = i + 1;
    if (month == 0)
        return false;
    *s += 3;
    if (*(*s)++ != '-' || !digits(s, 4, 4, &year) || !days_fit(year, month, day))
        return false;
    *day_out = day_of(year, month, day);
    return true;
}

bool imap_parse_date(struct imap_parser *p, int64_t *day_out) {
    const char *text = imap_astring(p, NULL);
    if (!text)
        return false;
    if (!date(&text, day_out) || *text)
        return imap_fail(p, "Invalid date");
    return true;
}

bool imap_parse_date_time(struct imap_parser *p, filetime_t *out) {
    const char *s = imap_string(p, NULL);
    if (!s)
        return false;
    int64_t day;
    unsigned hour, minute, second, zone;
    while (*s == ' ')
        s++;
    bool ok = date(&s, &day) && *s++ == ' ' && digits(&s, 2, 2, &hour) && *s++ == ':' &&
              digits(&s, 2, 2, &minute) && *s++ == ':' && digits(&s, 2, 2, &second) &&
              *s++ == ' ' && hour < 24 && minute < 60 && second < 61;
    char sign = ok ? *s++ : 0;
    ok =
        ok && (sign == '+' || sign == '-') && digits(&s, 4, 4, &zone) && *s == 0 && zone % 100 < 60;
    if (!ok)
        return imap_fail(p, "Invalid date-time");
    int64_t east = (int64_t)(zone / 100 * 60 + zone % 100) * 60;
    int64_t seconds = day * 86400 + hour * 3600 + minute * 60 + second;
    *out = filetime_from_unix(seconds - (sign == '+' ? east : -east));
    return true;
}

static char *put_two(char *out, unsigned v) {
    out[0] = (char)('0' + v / 10 % 10);
    out[1] = (char)('0' + v % 10);
    return out + 2;
}

char *imap_put_date_time(char *out, filetime_t t, struct imap_date_cache *cache) {
    int64_t seconds = filetime_to_unix(t);
    int64_t day = seconds / 86400 - (seconds % 86400 < 0);
    unsigned of_day = (unsigned)(seconds - day * 86400);
    if (!cache->is_set || cache->day != day) {
        int64_t year;
        unsigned month, d;
        date_of(day, &year, &month, &d);
        put_two(cache->text, d);
        if (cache->text[0] == '0')
            cache->text[0] = ' ';
        cache->text[2] = cache->text[6] = '-';
        memcpy(cache->text + 3, months + 3 * (month - 1), 3);
        put_two(cache->text + 7, (unsigned)(year / 100 % 100));
        put_two(cache->text + 9, (unsigned)(year % 100));
        cache->day = day;
        cache->is_set = true;
    }
    *out++ = '"';
    memcpy(out, cache->text, sizeof cache->text);
    out += sizeof cache->text;
    *out++ = ' ';
    out = put_two(out, of_day / 3600);
    *out++ = ':';
    out = put_two(out, of_day / 60 % 60);
    *out++ = ':';
    out = put_two(out, of_day % 60);
    memcpy(out, " +0000\"", 7);
    return out + 7;
}
