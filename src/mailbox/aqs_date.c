// Dates in queries: relative to the user's day, or written in numbers. Weeks begin on Monday.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mailbox/aqs.h"

enum unit { DAY, WEEK, MONTH, YEAR };

static const struct {
    const char *name;
    enum unit unit;
    int offset; // of units from the present one
} relative[] = {
    {"today", DAY, 0},
    {"yesterday", DAY, -1},
    {"tomorrow", DAY, 1},
    {"this week", WEEK, 0},
    {"last week", WEEK, -1},
    {"next week", WEEK, 1},
    {"this month", MONTH, 0},
    {"last month", MONTH, -1},
    {"next month", MONTH, 1},
    {"this year", YEAR, 0},
    {"last year", YEAR, -1},
    {"next year", YEAR, 1},
    // The words that Outlook takes in other languages.
    {"heute", DAY, 0},
    {"gestern", DAY, -1},
    {"morgen", DAY, 1},
    {"diese woche", WEEK, 0},
    {"letzte woche", WEEK, -1},
    {"dieser monat", MONTH, 0},
    {"letzter monat", MONTH, -1},
    {"dieses jahr", YEAR, 0},
    {"letztes jahr", YEAR, -1},
    {"aujourd'hui", DAY, 0},
    {"hier", DAY, -1},
    {"demain", DAY, 1},
    {"hoy", DAY, 0},
    {"ayer", DAY, -1},
    {"mañana", DAY, 1},
    {"oggi", DAY, 0},
    {"ieri", DAY, -1},
    {"domani", DAY, 1},
};

static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};

// The midnight that begins a day, as FILETIME; years are kept to what GDate knows.
static filetime_t midnight(const GDate *day, const struct aqs_options *o) {
    static const guint32 unix_epoch = 719163; // Julian day of 1970-01-01 in GDate's counting
    int64_t days = (int64_t)g_date_get_julian(day) - unix_epoch;
    return filetime_from_unix(days * 86400 - (int64_t)o->zone_minutes * 60);
}

static void span_of(GDate *day, enum unit unit, const struct aqs_options *o, struct aqs_span *out) {
    if (unit == WEEK)
        g_date_subtract_days(day, (guint)g_date_get_weekday(day) - 1);
    else if (unit == MONTH || unit == YEAR)
        g_date_set_day(day, 1);
    if (unit == YEAR)
        g_date_set_month(day, G_DATE_JANUARY);
    out->from = midnight(day, o);
    switch (unit) {
    case DAY:
        g_date_add_days(day, 1);
        break;
    case WEEK:
        g_date_add_days(day, 7);
        break;
    case MONTH:
        g_date_add_months(day, 1);
        break;
    case YEAR:
        g_date_add_years(day, 1);
        break;
    }
    out->to = midnight(day, o);
}

static void move(GDate *day, enum unit unit, int offset) {
    guint n = (guint)ABS(offset);
    void (*days)(GDate *, guint) = offset < 0 ? g_date_subtract_days : g_date_add_days;
    switch (unit) {
    case DAY:
        days(day, n);
        break;
    case WEEK:
        days(day, n * 7);
        break;
    case MONTH: // from the first on: no month is too short for that
        g_date_set_day(day, 1);
        (offset < 0 ? g_date_subtract_months : g_date_add_months)(day, n);
        break;
    case YEAR:
        g_date_set_day(day, 1);
        (offset < 0 ? g_date_subtract_years : g_date_add_years)(day, n);
        break;
    }
}

static bool today(const struct aqs_options *o, GDate *out) {
    filetime_t now = o->now ? o->now : clock_now();
    int64_t local = filetime_to_unix(now) + (int64_t)o->zone_minutes * 60;
    int64_t days = local / 86400 - (local % 86400 < 0) + 719163;
    g_date_clear(out, 1);
    // Far enough from both ends for every step taken from it.
    if (days < 1000 || days > 3000000)
        return false;
    g_date_set_julian(out, (guint32)days);
    return true;
}

// The last such day, today included; a month of this year.
static bool by_name(const char *name, GDate *day, const struct aqs_options *o,
                    struct aqs_span *out) {
    for (unsigned i = 0; i < G_N_ELEMENTS(weekdays); i++)
        if (strcmp(name, weekdays[i]) == 0) {
            g_date_subtract_days(day, ((guint)g_date_get_weekday(day) + 6 - i) % 7);
            span_of(day, DAY, o, out);
            return true;
        }
    for (unsigned i = 0; i < G_N_ELEMENTS(months); i++)
        if (strcmp(name, months[i]) == 0) {
            g_date_set_day(day, 1);
            g_date_set_month(day, (GDateMonth)(i + 1));
            span_of(day, MONTH, o, out);
            return true;
        }
    return false;
}

// Up to three numbers with the same separator; how many, 0: the text is something else.
static unsigned numbers(const char *text, unsigned out[3], char *separator_out) {
    unsigned n = 0;
    *separator_out = 0;
    for (;;) {
        char *end;
        if (!g_ascii_isdigit(*text) || n == 3)
            return 0;
        unsigned long v = strtoul(text, &end, 10);
        if (end - text > 4)
            return 0;
        out[n++] = (unsigned)v;
        if (*end == 0)
            return n;
        if (!strchr("-/.", *end) || (*separator_out && *separator_out != *end))
            return 0;
        *separator_out = *end;
        text = end + 1;
    }
}

static bool by_numbers(const char *text, const struct aqs_options *o, struct aqs_span *out) {
    unsigned v[3], year, month = 1, day = 1;
    char separator;
    unsigned n = numbers(text, v, &separator);
    if (n == 1 || (n > 1 && v[0] > 31)) { // 2026, 2026-03, 2026-03-31
        year = v[0];
        month = n > 1 ? v[1] : 1;
        day = n > 2 ? v[2] : 1;
    } else if (n == 3 && separator == '.') { // 31.3.2026
        day = v[0], month = v[1], year = v[2];
    } else if (n == 3 && separator == '/') { // 3/31/2026, or 31/3/2026 when that is none
        bool is_day_first = v[0] > 12;
        month = v[is_day_first], day = v[!is_day_first], year = v[2];
    } else if (n == 2 && separator != '-') { // 3/2026
        month = v[0], year = v[1];
    } else {
        return false;
    }
    if (n == 3 && year < 100)
        year += 2000;
    // What FILETIME and GDate both have.
    if (year < 1601 || year > 8000 || month > 12 ||
        !g_date_valid_dmy((GDateDay)MIN(day, 255u), (GDateMonth)month, (GDateYear)year))
        return false;
    GDate date;
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
    span_of(&date, n == 1 ? YEAR : n == 2 ? MONTH : DAY, o, out);
    return true;
}

// Equal but for spaces: "lastweek".
static bool is_name(const char *text, const char *name) {
    for (;; text++, name++) {
        text += *text == ' ';
        name += *name == ' ';
        if (*text != *name)
            return false;
        if (*text == 0)
            return true;
    }
}

bool aqs_date(const char *text, const struct aqs_options *o, struct aqs_span *out) {
    GDate day;
    if (strlen(text) > 64)
        return false;
    if (by_numbers(text, o, out))
        return true;
    if (!today(o, &day))
        return false;
    ARENA_AUTO arena = arena_new();
    const char *name = text_fold(arena, text);
    for (unsigned i = 0; i < G_N_ELEMENTS(relative); i++)
        if (is_name(name, relative[i].name)) {
            move(&day, relative[i].unit, relative[i].offset);
            span_of(&day, relative[i].unit, o, out);
            return true;
        }
    return by_name(name, &day, o, out);
}
