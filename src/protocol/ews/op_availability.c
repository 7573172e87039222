// GetUserAvailability ([MS-OXWAVLS] 3.1.4.1): when people are free, and suggestions for a meeting.
//
// Times of the answer are by the clock of the request's zone and say no zone.
#include <stdio.h>
#include <string.h>

#include "mailbox/availability.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"
#include "protocol/ews/time_zones.h"

#define MAILBOXES_MAX 100
#define WINDOW_MAX (UINT64_C(62) * 86400 * FILETIME_SECOND)
#define MINUTE (UINT64_C(60) * FILETIME_SECOND)
#define DAY (1440 * MINUTE)
#define WORK_BEGIN 480 // minutes after midnight, where nobody said otherwise
#define WORK_END 1020

struct attendee {
    const struct ews_node *node; // t:MailboxData
    struct busy_times times;
    enum ec ec;
    const char *code, *text; // of ews_fail, when ec is not EC_OK
};

struct asking {
    struct ews_call *call;
    struct zone zone;
    filetime_t start, end; // of the free/busy view, UTC; both 0: none is asked for
    unsigned interval;     // minutes
    const char *view;
    struct attendee *attendees;
    unsigned n;
};

// --- Times ---

static bool read_change(struct ews_call *call, const struct ews_node *node,
                        struct zone_change *out) {
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    const char *day = ews_child_text(call->arena, node, "DayOfWeek");
    const char *time = ews_child_text(call->arena, node, "Time");
    int64_t order = ews_child_int(node, "DayOrder", 0), month = ews_child_int(node, "Month", 0);
    int h = 0, m = 0, s = 0;
    if (!day || !time || sscanf(time, "%2d:%2d:%2d", &h, &m, &s) < 2 || order < 0 || order > 5 ||
        month < 0 || month > 12 || h < 0 || h > 24 || m < 0 || m > 59 || s < 0 || s > 59)
        return false;
    *out = (struct zone_change){.month = (int)month,
                                .occurrence = order == 5 || order == 0 ? -1 : (int)order,
                                .offset = (h * 60 + m) * 60 + s,
                                .weekday = -1};
    for (int i = 0; i < 7; i++)
        if (strcmp(day, days[i]) == 0)
            out->weekday = i;
    return out->weekday >= 0;
}

// A t:TimeZone, whose biases are minutes west of Greenwich.
static bool read_zone(struct ews_call *call, const struct ews_node *node, struct zone *out) {
    const struct ews_node *standard = ews_child(node, "StandardTime"),
                          *daylight = ews_child(node, "DaylightTime");
    int64_t bias = ews_child_int(node, "Bias", INT32_MIN);
    int64_t b1 = ews_child_int(standard, "Bias", 0), b2 = ews_child_int(daylight, "Bias", 0);
    if (bias < -1440 || bias > 1440 || ABS(b1) > 1440 || ABS(b2) > 1440 ||
        !read_change(call, standard, &out->to_standard) ||
        !read_change(call, daylight, &out->to_daylight))
        return false;
    out->standard = (int)-(bias + b1) * 60;
    out->daylight = (int)-(bias + b2) * 60;
    if (out->to_standard.month == 0 || out->to_daylight.month == 0)
        out->daylight = out->standard;
    return true;
}

// A time of the request: one that says no zone is by the request's clock.
static bool read_time(const struct asking *a, const char *text, filetime_t *out) {
    size_t len = text ? strlen(text) : 0;
    bool says_zone = len > 10 && (text[len - 1] == 'Z' || strpbrk(text + 10, "+-"));
    if (!text ||
        !ews_date_parse(a->call, says_zone ? text : arena_printf(a->call->arena, "%sZ", text), out))
        return false;
    if (!says_zone)
        *out = zone_utc(&a->zone, *out);
    return true;
}

static void write_time(const struct asking *a, const char *element, filetime_t utc) {
    int64_t seconds = filetime_to_unix(zone_local(&a->zone, utc));
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *text = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S") : NULL;
    ews_element(a->call->w, element, text);
}

// --- The request ---

static enum ec read_window(struct asking *a, const struct ews_node *window, filetime_t *start,
                           filetime_t *end) {
    struct ews_call *call = a->call;
    if (!read_time(a, ews_child_text(call->arena, window, "StartTime"), start) ||
        !read_time(a, ews_child_text(call->arena, window, "EndTime"), end) || *end <= *start)
        return ews_fault(call, "ErrorInvalidTimeInterval", NULL);
    return *end - *start > WINDOW_MAX ? ews_fault(call, "ErrorTimeIntervalTooBig", NULL) : EC_OK;
}

static enum ec read_options(struct asking *a) {
    struct ews_call *call = a->call;
    const struct ews_node *zone = ews_child(call->request, "TimeZone");
    const struct ews_node *view = ews_child(call->request, "FreeBusyViewOptions");
    if (zone) {
        if (!read_zone(call, zone, &a->zone))
            return ews_fault(call, "ErrorTimeZone", NULL);
    } else if (call->time_zone &&
               zone_find(call->arena, call->time_zone, NULL, &a->zone) != EC_OK) {
        return ews_fault(call, "ErrorTimeZone", NULL);
    }
    if (!view)
        return EC_OK;
    EC_TRY(read_window(a, ews_child(view, "TimeWindow"), &a->start, &a->end));
    int64_t interval = ews_child_int(view, "MergedFreeBusyIntervalInMinutes", 30);
    if (interval < 5 || interval > 1440)
        return ews_fault(call, "ErrorInvalidMergedFreeBusyInterval", NULL);
    a->interval = (unsigned)interval;
    a->view = ews_child_text(call->arena, view, "RequestedView");
    if (!a->view || strcmp(a->view, "None") == 0)
        a->view = "FreeBusy";
    return EC_OK;
}

static enum ec ask_one(struct asking *a, struct attendee *who, filetime_t start, filetime_t end) {
    struct ews_call *call = a->call;
    struct directory_object *object;
    const char *address = ews_child_text(call->arena, who->node, "Email/Address");
    if (!address || !*address)
        return ews_fail(call, "ErrorInvalidSmtpAddress", NULL);
    if (ews_find_object(call, address, &object) != EC_OK)
        return ews_fail(call, "ErrorMailRecipientNotFound", NULL);
    if (!object->has_mailbox)
        return ews_fail(call, "ErrorMailRecipientNotFound",
                        "The recipient has no mailbox with a calendar.");
    enum ec ec = mailbox_availability(ews_mailboxes(call), call->principal, call->arena,
                                      &object->guid, start, end, &who->times);
    if (ec == EC_ACCESS_DENIED)
        return ews_fail(call, "ErrorNoFreeBusyAccess", NULL);
    return ec == EC_NOT_FOUND ? ews_fail(call, "ErrorMailRecipientNotFound", NULL) : ec;
}

static void ask_all(struct asking *a, filetime_t start, filetime_t end) {
    for (unsigned i = 0; i < a->n; i++) {
        struct attendee *who = &a->attendees[i];
        who->ec = ask_one(a, who, start, end);
        if (who->ec == EC_OK)
            continue;
        who->code = a->call->failure.code ? a->call->failure.code : ews_code_of(who->ec);
        who->text = a->call->failure.text;
        a->call->failure = (struct ews_failure){0};
    }
}

// --- Free and busy ---

static const char *merged(const struct asking *a, const struct busy_times *times) {
    // A stronger status wins; "4" is working elsewhere, which is weaker than busy.
    static const int strength[] = {[BUSY_FREE] = 0,
                                   [BUSY_ELSEWHERE] = 1,
                                   [BUSY_TENTATIVE] = 2,
                                   [BUSY_BUSY] = 3,
                                   [BUSY_OOF] = 4};
    uint64_t step = a->interval * MINUTE;
    size_t n = (size_t)((a->end - a->start + step - 1) / step);
    char *out = arena_alloc(a->call->arena, n + 1);
    memset(out, '0', n);
    out[n] = '\0';
    for (unsigned i = 0; i < times->n; i++) {
        const struct busy_time *t = &times->items[i];
        filetime_t from = MAX(t->start, a->start), to = MIN(t->end, a->end);
        for (filetime_t at = a->start + (from - a->start) / step * step; at < to && from < to;
             at += step) {
            char *c = &out[(at - a->start) / step];
            if (strength[t->status] > strength[*c - '0'])
                *c = (char)('0' + t->status);
        }
    }
    return out;
}

static void write_details(struct ews_call *call, const struct busy_time *t) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:CalendarEventDetails");
    ews_element(w, "t:Subject", t->subject);
    ews_element(w, "t:Location", t->location);
    ews_element_bool(w, "t:IsMeeting", t->is_meeting);
    ews_element_bool(w, "t:IsRecurring", t->is_recurring);
    ews_element_bool(w, "t:IsException", false);
    ews_element_bool(w, "t:IsReminderSet", t->has_reminder);
    ews_element_bool(w, "t:IsPrivate", t->is_private);
    ews_close(w);
}

static void write_events(const struct asking *a, const struct busy_times *times,
                         bool with_details) {
    static const char *const names[] = {[BUSY_FREE] = "Free",
                                        [BUSY_TENTATIVE] = "Tentative",
                                        [BUSY_BUSY] = "Busy",
                                        [BUSY_OOF] = "OOF",
                                        [BUSY_ELSEWHERE] = "WorkingElsewhere"};
    struct ews_writer *w = a->call->w;
    if (times->n == 0)
        return;
    ews_open(w, "t:CalendarEventArray");
    for (unsigned i = 0; i < times->n; i++) {
        const struct busy_time *t = &times->items[i];
        bool is_new = t->status == BUSY_ELSEWHERE && a->call->version < EWS_2013;
        ews_open(w, "t:CalendarEvent");
        write_time(a, "t:StartTime", t->start);
        write_time(a, "t:EndTime", t->end);
        ews_element(w, "t:BusyType", is_new ? "Free" : names[t->status]);
        if (with_details)
            write_details(a->call, t);
        ews_close(w);
    }
    ews_close(w);
}

static void write_zone_time(struct ews_writer *w, const char *element, int bias,
                            const struct zone_change *c, bool has) {
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    g_autofree char *time =
        g_strdup_printf("%02d:%02d:%02d", c->offset / 3600, c->offset / 60 % 60, c->offset % 60);
    ews_open(w, element);
    ews_element_int(w, "t:Bias", bias);
    ews_element(w, "t:Time", has ? time : "00:00:00");
    ews_element_int(w, "t:DayOrder", !has ? 0 : c->occurrence < 0 ? 5 : c->occurrence);
    ews_element_int(w, "t:Month", has ? c->month : 0);
    ews_element(w, "t:DayOfWeek", days[has ? c->weekday : 0]);
    ews_close(w);
}

static void write_working_hours(const struct asking *a) {
    struct ews_writer *w = a->call->w;
    const struct zone *z = &a->zone;
    bool has = z->daylight != z->standard;
    ews_open(w, "t:WorkingHours");
    ews_open(w, "t:TimeZone");
    ews_element_int(w, "t:Bias", -z->standard / 60);
    write_zone_time(w, "t:StandardTime", 0, &z->to_standard, has);
    write_zone_time(w, "t:DaylightTime", -(z->daylight - z->standard) / 60, &z->to_daylight, has);
    ews_close(w);
    ews_open(w, "t:WorkingPeriodArray");
    ews_open(w, "t:WorkingPeriod");
    ews_element(w, "t:DayOfWeek", "Monday Tuesday Wednesday Thursday Friday");
    ews_element_int(w, "t:StartTimeInMinutes", WORK_BEGIN);
    ews_element_int(w, "t:EndTimeInMinutes", WORK_END);
    ews_close(w);
    ews_close(w);
    ews_close(w);
}

// The best view that may be seen, as it was asked for.
static void write_view(const struct asking *a, const struct attendee *who) {
    struct ews_writer *w = a->call->w;
    bool is_merged_only = strcmp(a->view, "MergedOnly") == 0;
    bool with_merged = strstr(a->view, "Merged") != NULL;
    bool with_details = g_str_has_prefix(a->view, "Detailed") && who->times.with_details;
    const char *view = is_merged_only ? a->view
                       : with_details ? (with_merged ? "DetailedMerged" : "Detailed")
                                      : (with_merged ? "FreeBusyMerged" : "FreeBusy");
    ews_open(w, "m:FreeBusyView");
    ews_element(w, "t:FreeBusyViewType", view);
    if (with_merged)
        ews_element(w, "t:MergedFreeBusy", merged(a, &who->times));
    if (!is_merged_only)
        write_events(a, &who->times, with_details);
    write_working_hours(a);
    ews_close(w);
}

static void write_response(const struct asking *a, const struct attendee *who) {
    struct ews_writer *w = a->call->w;
    ews_open(w, "m:FreeBusyResponse");
    ews_open(w, "m:ResponseMessage");
    ews_put_result(a->call, who->ec == EC_OK ? EC_OK : ews_fail(a->call, who->code, who->text));
    ews_close(w);
    if (who->ec == EC_OK) {
        write_view(a, who);
    } else {
        ews_open(w, "m:FreeBusyView");
        ews_element(w, "t:FreeBusyViewType", "None");
        ews_close(w);
    }
    ews_close(w);
}

// --- Suggestions ---

struct suggesting {
    filetime_t start, end; // whole days
    unsigned duration;     // minutes
    int64_t per_day, good_percent;
};

static bool is_free(const struct attendee *who, filetime_t from, filetime_t to) {
    for (unsigned i = 0; i < who->times.n; i++) {
        const struct busy_time *t = &who->times.items[i];
        if (t->status != BUSY_FREE && t->status != BUSY_ELSEWHERE && t->start < to && t->end > from)
            return false;
    }
    return true;
}

// "Excellent": all are free; by the share of those who are not.
static unsigned quality_at(const struct asking *a, const struct suggesting *s, filetime_t from) {
    unsigned conflicts = 0;
    for (unsigned i = 0; i < a->n; i++)
        conflicts += !is_free(&a->attendees[i], from, from + s->duration * MINUTE);
    unsigned percent = a->n ? 100 * conflicts / a->n : 0;
    return conflicts == 0 ? 0 : (int64_t)percent < s->good_percent ? 1 : percent < 50 ? 2 : 3;
}

static void write_suggestion(const struct asking *a, const struct suggesting *s, filetime_t from,
                             const char *quality) {
    struct ews_writer *w = a->call->w;
    ews_open(w, "t:Suggestion");
    write_time(a, "t:MeetingTime", from);
    ews_element_bool(w, "t:IsWorkTime", true);
    ews_element(w, "t:SuggestionQuality", quality);
    ews_open(w, "t:AttendeeConflictDataArray");
    for (unsigned i = 0; i < a->n; i++) {
        const struct attendee *who = &a->attendees[i];
        bool is_known = who->ec == EC_OK;
        ews_open(w,
                 is_known ? "t:IndividualAttendeeConflictData" : "t:UnknownAttendeeConflictData");
        if (is_known)
            ews_element(w, "t:BusyType",
                        is_free(who, from, from + s->duration * MINUTE) ? "Free" : "Busy");
        ews_close(w);
    }
    ews_close(w);
    ews_close(w);
}

static void write_day(const struct asking *a, const struct suggesting *s, filetime_t midnight) {
    static const char *const qualities[] = {"Excellent", "Good", "Fair", "Poor"};
    struct ews_writer *w = a->call->w;
    unsigned best = 3;
    filetime_t first = zone_utc(&a->zone, zone_local(&a->zone, midnight) + WORK_BEGIN * MINUTE);
    unsigned slots =
        s->duration > WORK_END - WORK_BEGIN ? 0 : (WORK_END - WORK_BEGIN - s->duration) / 30 + 1;
    for (unsigned i = 0; i < slots; i++)
        best = MIN(best, quality_at(a, s, first + i * 30 * MINUTE));
    ews_open(w, "t:SuggestionDayResult");
    write_time(a, "t:Date", midnight);
    ews_element(w, "t:DayQuality", qualities[best]);
    ews_open(w, "t:SuggestionArray");
    int64_t left = s->per_day;
    for (unsigned i = 0; i < slots && left > 0; i++) {
        filetime_t from = first + i * 30 * MINUTE;
        if (quality_at(a, s, from) != best)
            continue;
        write_suggestion(a, s, from, qualities[best]);
        left--;
    }
    ews_close(w);
    ews_close(w);
}

static enum ec read_suggestions(struct asking *a, const struct ews_node *options,
                                struct suggesting *s) {
    EC_TRY(read_window(a, ews_child(options, "DetailedSuggestionsWindow"), &s->start, &s->end));
    int64_t duration = ews_child_int(options, "MeetingDurationInMinutes", 30);
    s->per_day = ews_child_int(options, "MaximumResultsByDay", 10);
    s->good_percent = ews_child_int(options, "GoodThreshold", 25);
    if (duration < 30 || duration > 1440 || s->per_day < 0 || s->per_day > 48 ||
        s->good_percent < 1 || s->good_percent > 49)
        return ews_fault(a->call, "ErrorInvalidRequest",
                         "The options of suggestions make no sense.");
    s->duration = (unsigned)duration;
    return EC_OK;
}

static void write_suggestions(const struct asking *a, const struct suggesting *s) {
    struct ews_writer *w = a->call->w;
    ews_open(w, "m:SuggestionsResponse");
    ews_open(w, "m:ResponseMessage");
    ews_put_result(a->call, EC_OK);
    ews_close(w);
    ews_open(w, "m:SuggestionDayResultArray");
    filetime_t local = zone_local(&a->zone, s->start) / DAY * DAY;
    for (; zone_utc(&a->zone, local) < s->end; local += DAY)
        write_day(a, s, zone_utc(&a->zone, local));
    ews_close(w);
    ews_close(w);
}

// --- The operation ---

static enum ec read_attendees(struct asking *a) {
    struct ews_call *call = a->call;
    const struct ews_node *list = ews_child(call->request, "MailboxDataArray");
    unsigned n = ews_count(list);
    if (n == 0)
        return ews_fault(call, "ErrorMailboxDataArrayEmpty", NULL);
    if (n > MAILBOXES_MAX)
        return ews_fault(call, "ErrorMailboxDataArrayTooBig", NULL);
    a->attendees = arena_alloc0(call->arena, n * sizeof *a->attendees);
    for (const struct ews_node *m = ews_child(list, "MailboxData"); m; m = ews_next(m))
        a->attendees[a->n++].node = m;
    return EC_OK;
}

enum ec op_get_user_availability(struct ews_call *call) {
    struct asking a = {.call = call};
    struct suggesting s = {0};
    const struct ews_node *options = ews_child(call->request, "SuggestionsViewOptions");
    EC_TRY(read_attendees(&a));
    EC_TRY(read_options(&a));
    if (options)
        EC_TRY(read_suggestions(&a, options, &s));
    if (!options && !a.end)
        return ews_fault(call, "ErrorInvalidFreeBusyViewType", NULL);
    ews_open(call->w, "m:GetUserAvailabilityResponse");
    if (a.end) {
        ask_all(&a, a.start, a.end);
        ews_open(call->w, "m:FreeBusyResponseArray");
        for (unsigned i = 0; i < a.n; i++)
            write_response(&a, &a.attendees[i]);
        ews_close(call->w);
    }
    if (options) {
        ask_all(&a, s.start, s.end);
        write_suggestions(&a, &s);
    }
    ews_close(call->w);
    return EC_OK;
}
