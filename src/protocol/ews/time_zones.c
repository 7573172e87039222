// Windows time zones out of ICU.
#include "protocol/ews/time_zones.h"

#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "base/clock.h"

#define ID_MAX 128
#define NAME_MAX_UNITS 256
#define YEARS 6 // over which the days of change are compared
#define DAY_SECONDS INT64_C(86400)

// --- ICU's strings ---

static void to_units(const char *s, UChar out[ID_MAX]) {
    UErrorCode e = U_ZERO_ERROR;
    u_strFromUTF8(out, ID_MAX, NULL, s, -1, &e);
    if (U_FAILURE(e))
        out[0] = 0;
    out[ID_MAX - 1] = 0;
}

static char *from_units(struct arena *arena, const UChar *s, int32_t len) {
    char text[NAME_MAX_UNITS * 3];
    UErrorCode e = U_ZERO_ERROR;
    int32_t n = 0;
    u_strToUTF8(text, sizeof text - 1, &n, s, len, &e);
    return U_FAILURE(e) ? NULL : arena_strndup(arena, text, (size_t)n);
}

// --- The calendar ---

// Days since 1970 of a date, and back (the proleptic Gregorian calendar).
static int64_t days_of(int64_t y, int m, int d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int64_t *y_out, int *m_out, int *d_out) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d_out = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m_out = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y_out = yoe + era * 400 + (*m_out <= 2);
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static int weekday_of(int64_t days) {
    return (int)(((days + 4) % 7 + 7) % 7);
}

static int month_days(int64_t year, int month) {
    return (int)(month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1));
}

// --- Days of change ---

// What was seen of one kind of change over the years.
struct seen {
    unsigned n;
    struct zone_change first;
    bool is_always_last, is_same_week;
};

static void see(struct seen *s, int64_t local_seconds) {
    int64_t year, days = floor_div(local_seconds, DAY_SECONDS);
    int month, day;
    date_of(days, &year, &month, &day);
    struct zone_change c = {.month = month,
                            .weekday = weekday_of(days),
                            .occurrence = (day - 1) / 7 + 1,
                            .offset = (int)(local_seconds - days * DAY_SECONDS)};
    bool is_last = day + 7 > month_days(year, month);
    if (s->n++ == 0) {
        *s = (struct seen){1, c, is_last, true};
        return;
    }
    bool is_same = c.month == s->first.month && c.weekday == s->first.weekday;
    s->is_always_last &= is_same && is_last;
    s->is_same_week &= is_same && c.occurrence == s->first.occurrence;
}

// The rule that fits; when none does, what happens in the first year.
static struct zone_change rule_of(const struct seen *s) {
    struct zone_change c = s->first;
    if ((s->is_always_last && !s->is_same_week) || c.occurrence == 5)
        c.occurrence = -1;
    return c;
}

static int offset_at(UCalendar *cal, UDate at, bool *is_daylight_out) {
    UErrorCode e = U_ZERO_ERROR;
    ucal_setMillis(cal, at, &e);
    int32_t zone = ucal_get(cal, UCAL_ZONE_OFFSET, &e), dst = ucal_get(cal, UCAL_DST_OFFSET, &e);
    *is_daylight_out = dst != 0;
    return U_FAILURE(e) ? 0 : (zone + dst) / 1000;
}

// Reads offsets and changes from the beginning of this year on.
static void read_rules(UCalendar *cal, struct zone *z) {
    int64_t year;
    int month, day;
    struct seen to_daylight = {0}, to_standard = {0};
    date_of(floor_div(filetime_to_unix(clock_now()), DAY_SECONDS), &year, &month, &day);
    UDate at = (double)(days_of(year, 1, 1) * DAY_SECONDS) * 1000.0;
    UDate end = (double)(days_of(year + YEARS, 1, 1) * DAY_SECONDS) * 1000.0;
    bool is_daylight;
    int offset = offset_at(cal, at, &is_daylight), standard = offset, daylight = offset;
    UDate next;
    UErrorCode e = U_ZERO_ERROR;
    for (unsigned i = 0; i < 4 * YEARS; i++) {
        ucal_setMillis(cal, at, &e);
        if (!ucal_getTimeZoneTransitionDate(cal, UCAL_TZ_TRANSITION_NEXT, &next, &e) ||
            U_FAILURE(e) || next >= end)
            break;
        int after = offset_at(cal, next, &is_daylight);
        see(after > offset ? &to_daylight : &to_standard, (int64_t)(next / 1000.0) + offset);
        standard = MIN(standard, after);
        daylight = MAX(daylight, after);
        offset = after;
        at = next;
    }
    z->standard = z->daylight = standard;
    if (to_daylight.n < 2 || to_standard.n < 2) { // no clock that changes each year
        z->standard = z->daylight = offset;
        return;
    }
    z->daylight = daylight;
    z->to_daylight = rule_of(&to_daylight);
    z->to_standard = rule_of(&to_standard);
}

// --- Zones ---

static const char *name_of(struct arena *arena, UCalendar *cal, const struct zone *z,
                           const char *locale) {
    UChar text[NAME_MAX_UNITS];
    UErrorCode e = U_ZERO_ERROR;
    int minutes = z->standard / 60, a = ABS(minutes);
    int32_t n = ucal_getTimeZoneDisplayName(cal, UCAL_STANDARD, locale ? locale : "en", text,
                                            NAME_MAX_UNITS, &e);
    const char *name = U_FAILURE(e) ? z->id : from_units(arena, text, n);
    if (minutes == 0)
        return arena_printf(arena, "(UTC) %s", name ? name : z->id);
    return arena_printf(arena, "(UTC%c%02d:%02d) %s", minutes < 0 ? '-' : '+', a / 60, a % 60,
                        name ? name : z->id);
}

static enum ec make_zone(struct arena *arena, const char *id, const char *locale,
                         struct zone *out) {
    UChar windows[ID_MAX], own[ID_MAX];
    UErrorCode e = U_ZERO_ERROR;
    if (strlen(id) >= ID_MAX)
        return EC_NOT_FOUND;
    to_units(id, windows);
    int32_t n = ucal_getTimeZoneIDForWindowsID(windows, -1, NULL, own, ID_MAX, &e);
    if (U_FAILURE(e) || n <= 0 || n >= ID_MAX)
        return EC_NOT_FOUND;
    UCalendar *cal = ucal_open(own, n, "en", UCAL_GREGORIAN, &e);
    if (U_FAILURE(e))
        return EC_CALL_FAILED;
    *out = (struct zone){.id = arena_strdup(arena, id)};
    read_rules(cal, out);
    out->name = name_of(arena, cal, out, locale);
    ucal_close(cal);
    return EC_OK;
}

enum ec zone_find(struct arena *arena, const char *id, const char *locale, struct zone *out) {
    return make_zone(arena, id, locale, out);
}

static int by_offset(const void *a, const void *b) {
    const struct zone *x = a, *y = b;
    return x->standard != y->standard ? (x->standard > y->standard) - (x->standard < y->standard)
                                      : strcmp(x->id, y->id);
}

enum ec zones_all(struct arena *arena, const char *locale, struct zones *out) {
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GArray) zones = g_array_new(FALSE, FALSE, sizeof(struct zone));
    UErrorCode e = U_ZERO_ERROR;
    UEnumeration *ids = ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_CANONICAL, NULL, NULL, &e);
    const UChar *id;
    int32_t len;
    while (U_SUCCESS(e) && (id = uenum_unext(ids, &len, &e)) && U_SUCCESS(e)) {
        UChar windows[ID_MAX];
        struct zone zone;
        int32_t n = ucal_getWindowsTimeZoneID(id, len, windows, ID_MAX, &e);
        if (U_FAILURE(e) || n <= 0 || n >= ID_MAX)
            continue;
        char *name = from_units(arena, windows, n);
        if (name && g_hash_table_add(known, name) && make_zone(arena, name, locale, &zone) == EC_OK)
            g_array_append_val(zones, zone);
    }
    uenum_close(ids);
    g_array_sort(zones, by_offset);
    out->n = zones->len;
    out->items = arena_memdup(arena, zones->data, zones->len * sizeof(struct zone));
    return zones->len ? EC_OK : EC_CALL_FAILED;
}

// --- Clocks ---

// The moment of change in a year, by the clock before it, in seconds since 1970.
static int64_t change_in(const struct zone_change *c, int64_t year) {
    int64_t first = days_of(year, c->month, 1);
    int day = (c->weekday - weekday_of(first) + 7) % 7 + 1 +
              7 * ((c->occurrence < 0 ? 5 : c->occurrence) - 1);
    while (day > month_days(year, c->month))
        day -= 7;
    return (first + day - 1) * DAY_SECONDS + c->offset;
}

// Whether it is summer at a moment, in seconds by the standard clock.
static bool is_daylight(const struct zone *z, int64_t standard_seconds) {
    if (z->daylight == z->standard)
        return false;
    int64_t year;
    int month, day;
    date_of(floor_div(standard_seconds, DAY_SECONDS), &year, &month, &day);
    int64_t begin = change_in(&z->to_daylight, year);
    int64_t end = change_in(&z->to_standard, year) - (z->daylight - z->standard);
    return begin < end ? begin <= standard_seconds && standard_seconds < end
                       : standard_seconds >= begin || standard_seconds < end;
}

filetime_t zone_local(const struct zone *z, filetime_t utc) {
    int64_t standard = filetime_to_unix(utc) + z->standard;
    int64_t shift = is_daylight(z, standard) ? z->daylight : z->standard;
    return (filetime_t)((int64_t)utc + shift * (int64_t)FILETIME_SECOND);
}

filetime_t zone_utc(const struct zone *z, filetime_t local) {
    int64_t clock = filetime_to_unix(local), summer = clock - (z->daylight - z->standard);
    int64_t shift = is_daylight(z, summer) ? z->daylight : z->standard;
    return (filetime_t)((int64_t)local - shift * (int64_t)FILETIME_SECOND);
}
