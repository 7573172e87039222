// Dates in header fields ([RFC 5322] 3.3, 4.3), read by what each token looks like, so that the
// order, missing weekdays and seconds, and dashes do not matter: asctime and ISO 8601 are dates
// too.
#include <string.h>

#include "formats/mime_internal.h"

struct date {
    int day, month, year; // -1: not seen
    int hour, minute, second;
    int zone;
    bool has_time, has_zone, is_pm, is_am;
};

static int parse_month(const char *s, size_t n) {
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (n < 3)
        return -1;
    for (int i = 0; i < 12; i++)
        if (g_ascii_strncasecmp(s, names + 3 * i, 3) == 0)
            return i + 1;
    return -1;
}

static bool parse_zone_name(const char *s, size_t n, int *minutes) {
    static const struct {
        const char name[6];
        int hours;
    } zones[] = {{"UT", 0},   {"UTC", 0},  {"GMT", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4},
                 {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
                 {"WET", 0},  {"WEST", 1}, {"BST", 1},  {"CET", 1},  {"MET", 1},  {"MEZ", 1},
                 {"CEST", 2}, {"MEST", 2}, {"MESZ", 2}, {"EET", 2},  {"EEST", 3}, {"MSK", 3},
                 {"JST", 9},  {"KST", 9},  {"AEST", 10}};
    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++)
        if (strlen(zones[i].name) == n && g_ascii_strncasecmp(s, zones[i].name, n) == 0) {
            *minutes = zones[i].hours * 60;
            return true;
        }
    return false;
}

static void take_word(struct date *d, const char *s, size_t n) {
    int month = parse_month(s, n), zone;
    if (n == 2 && (s[0] | 0x20) == 'p' && (s[1] | 0x20) == 'm' && d->has_time) {
        d->is_pm = true;
    } else if (n == 2 && (s[0] | 0x20) == 'a' && (s[1] | 0x20) == 'm' && d->has_time) {
        d->is_am = true;
    } else if (month > 0 && d->month < 0) {
        d->month = month;
    } else if (d->has_time && !d->has_zone && parse_zone_name(s, n, &zone)) {
        d->zone = zone;
        d->has_zone = true;
    }
}

// A number of at most nine digits; skips the others.
static int read_number(const char **p, size_t *digits) {
    const char *start = *p;
    int n = 0;
    for (; g_ascii_isdigit(**p); ++*p)
        if (*p - start < 9)
            n = n * 10 + (**p - '0');
    *digits = (size_t)(*p - start);
    return n;
}

static void take_zone(struct date *d, const char **p) {
    int sign = **p == '-' ? -1 : 1;
    size_t digits, more;
    ++*p;
    int n = read_number(p, &digits), minutes = 0;
    if (digits == 4) {
        minutes = n / 100 * 60 + n % 100;
    } else if (digits == 1 || digits == 2) {
        minutes = n * 60;
        if (**p == ':' && g_ascii_isdigit((*p)[1])) {
            ++*p;
            minutes += read_number(p, &more);
        }
    } else {
        return;
    }
    if (minutes <= 24 * 60 && !d->has_zone) {
        d->zone = sign * minutes;
        d->has_zone = true;
    }
}

static void take_time(struct date *d, int hour, const char **p) {
    size_t digits;
    d->hour = hour;
    d->has_time = true;
    ++*p;
    d->minute = read_number(p, &digits);
    if ((**p == ':' || **p == '.') && g_ascii_isdigit((*p)[1])) {
        ++*p;
        d->second = read_number(p, &digits);
    }
    if (**p == '.' || **p == ',') { // a fraction
        ++*p;
        read_number(p, &digits);
    }
}

static int full_year(int year, size_t digits) {
    if (digits <= 2)
        return year + (year < 50 ? 2000 : 1900);
    return digits == 3 ? year + 1900 : year;
}

static void take_number(struct date *d, const char **p) {
    size_t digits, more;
    int n = read_number(p, &digits);
    if (!d->has_time && digits <= 2 && (**p == ':' || (**p == '.' && d->year >= 0)) &&
        g_ascii_isdigit((*p)[1])) {
        take_time(d, n, p);
    } else if (d->year < 0 && d->month < 0 && digits == 4 && **p == '-') { // ISO 8601
        d->year = n;
        ++*p;
        d->month = read_number(p, &more);
        if (**p == '-' && g_ascii_isdigit((*p)[1])) {
            ++*p;
            d->day = read_number(p, &more);
        }
    } else if (d->day < 0 && digits <= 2) {
        d->day = n;
    } else if (d->year < 0 && digits <= 4) {
        d->year = full_year(n, digits);
    }
}

// Days from 1970-01-01 to a date of the Gregorian calendar.
static int64_t days_from_civil(int64_t y, int m, int day) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool is_valid(const struct date *d) {
    return d->day >= 1 && d->day <= 31 && d->month >= 1 && d->month <= 12 && d->year >= 1 &&
           d->year <= 9999 && d->hour <= 24 && d->minute <= 59 && d->second <= 60;
}

bool mime_parse_date(const char *raw, int64_t *unix_out, int *zone_out) {
    struct date d = {.day = -1, .month = -1, .year = -1};
    ARENA_AUTO arena = arena_new();
    const char *p = raw;
    // A date has a few tokens; what is longer is none.
    for (int tokens = 0; *p && tokens < 40; tokens++) {
        p = mime_skip_cfws(arena, p, NULL);
        if (g_ascii_isdigit(*p)) {
            take_number(&d, &p);
        } else if ((*p == '+' || *p == '-') && d.has_time && g_ascii_isdigit(p[1])) {
            take_zone(&d, &p);
        } else if (g_ascii_isalpha(*p)) {
            const char *start = p;
            while (g_ascii_isalpha(*p))
                p++;
            take_word(&d, start, (size_t)(p - start));
        } else if (*p) {
            p++;
        }
    }
    if (!is_valid(&d))
        return false;
    if (d.is_pm && d.hour < 12)
        d.hour += 12;
    else if (d.is_am && d.hour == 12)
        d.hour = 0;
    int64_t seconds = days_from_civil(d.year, d.month, d.day) * 86400;
    seconds += d.hour * 3600 + d.minute * 60 + MIN(d.second, 59) - d.zone * 60;
    if (unix_out)
        *unix_out = seconds;
    if (zone_out)
        *zone_out = d.zone;
    return true;
}
