// Dates of EWS: xs:dateTime and xs:date, time zones of requests ([MS-OXWSCDATA] 2.2.5).
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "protocol/ews/ews_internal.h"

#define TICKS_PER_MS (FILETIME_SECOND / 1000)
#define ZONE_MAX 128

// Days since 1970-01-01 of a date of the Gregorian calendar.
static int64_t days_of(int64_t y, unsigned m, unsigned d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static void date_of(int64_t days, int *y, unsigned *m, unsigned *d) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int)(yoe + era * 400) + (*m <= 2);
}

const char *ews_date_format(struct ews_call *call, filetime_t t) {
    if (t == 0)
        return NULL;
    int64_t ticks = (int64_t)(t / TICKS_PER_MS) - (int64_t)(FILETIME_UNIX_EPOCH / TICKS_PER_MS);
    int64_t seconds = ticks / 1000 - (ticks % 1000 < 0);
    unsigned ms = (unsigned)(ticks - seconds * 1000);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    unsigned rest = (unsigned)(seconds - days * 86400), m, d;
    int y;
    date_of(days, &y, &m, &d);
    if (y > 9999)
        return "9999-12-31T23:59:59Z";
    if (call->with_milliseconds)
        return arena_printf(call->arena, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", y, m, d,
                            rest / 3600, rest / 60 % 60, rest % 60, ms);
    return arena_printf(call->arena, "%04d-%02u-%02uT%02u:%02u:%02uZ", y, m, d, rest / 3600,
                        rest / 60 % 60, rest % 60);
}

void ews_element_time(struct ews_call *call, const char *name, filetime_t t) {
    ews_element(call->w, name, ews_date_format(call, t));
}

// --- Reading ---

struct parts {
    unsigned year, month, day, hour, minute, second;
    unsigned ticks;     // fraction of the second, 100 ns
    int offset_minutes; // of the zone
    bool has_zone;
};

static bool digits(const char **p, unsigned n, unsigned *out) {
    *out = 0;
    for (unsigned i = 0; i < n; i++, (*p)++) {
        if (!g_ascii_isdigit(**p))
            return false;
        *out = *out * 10 + (unsigned)(**p - '0');
    }
    return true;
}

static bool take(const char **p, char c) {
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static void parse_fraction(const char **p, struct parts *out) {
    unsigned scale = FILETIME_SECOND / 10;
    if (!take(p, '.'))
        return;
    for (; g_ascii_isdigit(**p); (*p)++, scale /= 10)
        out->ticks += scale * (unsigned)(**p - '0');
}

static bool parse_zone(const char **p, struct parts *out) {
    unsigned h, m;
    out->has_zone = true;
    if (take(p, 'Z'))
        return true;
    if (**p != '+' && **p != '-') {
        out->has_zone = false;
        return true;
    }
    int sign = *(*p)++ == '+' ? 1 : -1;
    if (!digits(p, 2, &h) || !take(p, ':') || !digits(p, 2, &m) || h > 14 || m > 59)
        return false;
    out->offset_minutes = sign * (int)(h * 60 + m);
    return true;
}

static bool parse(const char *text, struct parts *out) {
    const char *p = text + strspn(text, " \t\r\n");
    *out = (struct parts){0};
    if (!digits(&p, 4, &out->year) || !take(&p, '-') || !digits(&p, 2, &out->month) ||
        !take(&p, '-') || !digits(&p, 2, &out->day))
        return false;
    if (take(&p, 'T')) {
        if (!digits(&p, 2, &out->hour) || !take(&p, ':') || !digits(&p, 2, &out->minute) ||
            !take(&p, ':') || !digits(&p, 2, &out->second))
            return false;
        parse_fraction(&p, out);
    }
    return parse_zone(&p, out) && p[strspn(p, " \t\r\n")] == '\0' && out->month >= 1 &&
           out->month <= 12 && out->day >= 1 &&
           g_date_valid_dmy((GDateDay)out->day, (GDateMonth)out->month,
                            (GDateYear)MAX(out->year, 1u)) &&
           out->hour <= 24 && out->minute < 60 && out->second <= 60;
}

// What the zone's clocks are ahead of UTC at that local time. False: no such zone.
static bool zone_offset(const char *windows_id, const struct parts *at, int64_t *seconds_out) {
    UChar windows[ZONE_MAX], zone[ZONE_MAX];
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(windows, ZONE_MAX, NULL, windows_id, -1, &status);
    int32_t n = ucal_getTimeZoneIDForWindowsID(windows, -1, NULL, zone, ZONE_MAX, &status);
    if (U_FAILURE(status) || n == 0)
        return false;
    UCalendar *calendar = ucal_open(zone, n, "en", UCAL_GREGORIAN, &status);
    if (U_FAILURE(status))
        return false;
    ucal_setDateTime(calendar, (int32_t)at->year, (int32_t)at->month - 1, (int32_t)at->day,
                     (int32_t)at->hour, (int32_t)at->minute, (int32_t)at->second, &status);
    int32_t ms = ucal_get(calendar, UCAL_ZONE_OFFSET, &status) +
                 ucal_get(calendar, UCAL_DST_OFFSET, &status);
    ucal_close(calendar);
    *seconds_out = ms / 1000;
    return U_SUCCESS(status);
}

bool ews_date_parse(struct ews_call *call, const char *text, filetime_t *out) {
    struct parts at;
    if (!text || !parse(text, &at))
        return false;
    int64_t offset = at.offset_minutes * 60;
    if (!at.has_zone && call->time_zone && !zone_offset(call->time_zone, &at, &offset))
        offset = 0;
    int64_t seconds = days_of(at.year, at.month, at.day) * 86400 + at.hour * 3600 + at.minute * 60 +
                      at.second - offset;
    int64_t since_1601 = seconds + (int64_t)(FILETIME_UNIX_EPOCH / FILETIME_SECOND);
    if (since_1601 < 0)
        return false;
    *out = (filetime_t)since_1601 * FILETIME_SECOND + at.ticks;
    return true;
}
