// GetServerTimeZones ([MS-OXWSGTZ] 3.1.4.1).
#include <string.h>

#include "protocol/ews/ews_operations.h"
#include "protocol/ews/time_zones.h"

#define IDS_MAX 1000

// xs:duration of seconds; a bias counts west of Greenwich.
static const char *duration(struct arena *arena, int seconds) {
    int a = ABS(seconds);
    const char *sign = seconds < 0 ? "-" : "";
    if (a % 3600 == 0)
        return arena_printf(arena, "%sPT%dH", sign, a / 3600);
    if (a % 60 == 0)
        return arena_printf(arena, "%sPT%dH%dM", sign, a / 3600, a / 60 % 60);
    return arena_printf(arena, "%sPT%dH%dM%dS", sign, a / 3600, a / 60 % 60, a % 60);
}

static const char *period_id(struct arena *arena, const struct zone *z, bool is_daylight) {
    return arena_printf(arena, "trule:Microsoft/Registry/%s/1-%s", z->id,
                        is_daylight ? "Daylight" : "Standard");
}

static void write_period(struct ews_call *call, const struct zone *z, bool is_daylight) {
    ews_open(call->w, "t:Period");
    ews_attr(call->w, "Bias", duration(call->arena, -(is_daylight ? z->daylight : z->standard)));
    ews_attr(call->w, "Name", is_daylight ? "Daylight" : "Standard");
    ews_attr(call->w, "Id", period_id(call->arena, z, is_daylight));
    ews_close(call->w);
}

static void write_to(struct ews_writer *w, const char *kind, const char *to) {
    ews_open(w, "t:To");
    ews_attr(w, "Kind", kind);
    ews_put_text(w, to);
    ews_close(w);
}

static void write_change(struct ews_call *call, const struct zone *z, bool to_daylight) {
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    const struct zone_change *c = to_daylight ? &z->to_daylight : &z->to_standard;
    struct ews_writer *w = call->w;
    ews_open(w, "t:RecurringDayTransition");
    write_to(w, "Period", period_id(call->arena, z, to_daylight));
    ews_element(w, "t:TimeOffset", duration(call->arena, c->offset));
    ews_element_int(w, "t:Month", c->month);
    ews_element(w, "t:DayOfWeek", days[c->weekday]);
    ews_element_int(w, "t:Occurrence", c->occurrence);
    ews_close(w);
}

static void write_groups(struct ews_call *call, const struct zone *z) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:TransitionsGroups");
    ews_open(w, "t:TransitionsGroup");
    ews_attr(w, "Id", "0");
    if (z->daylight == z->standard) {
        ews_open(w, "t:Transition");
        write_to(w, "Period", period_id(call->arena, z, false));
        ews_close(w);
    } else {
        // In the order of the year.
        bool first = z->to_daylight.month < z->to_standard.month;
        write_change(call, z, first);
        write_change(call, z, !first);
    }
    ews_close(w);
    ews_close(w);
    ews_open(w, "t:Transitions");
    ews_open(w, "t:Transition");
    write_to(w, "Group", "0");
    ews_close(w);
    ews_close(w);
}

static void write_zone(struct ews_call *call, const struct zone *z, bool is_full) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:TimeZoneDefinition");
    ews_attr(w, "Id", z->id);
    ews_attr(w, "Name", z->name);
    ews_open(w, "t:Periods"); // the schema wants them always
    write_period(call, z, false);
    if (z->daylight != z->standard)
        write_period(call, z, true);
    ews_close(w);
    if (is_full)
        write_groups(call, z);
    ews_close(w);
}

enum ec op_get_server_time_zones(struct ews_call *call) {
    const struct ews_node *ids = ews_child(call->request, "Ids");
    const char *full = ews_attribute(call->request, "ReturnFullTimeZoneData");
    bool is_full = true;
    if (full)
        ews_parse_bool(full, &is_full);
    struct zones all = {0};
    if (!ids)
        EC_TRY(zones_all(call->arena, call->culture, &all));
    if (ews_count(ids) > IDS_MAX)
        return ews_fail(call, "ErrorInvalidRequest", "Too many time zones are asked for.");
    ews_success(call);
    ews_open(call->w, "m:TimeZoneDefinitions");
    for (unsigned i = 0; i < all.n; i++)
        write_zone(call, &all.items[i], is_full);
    for (const struct ews_node *id = ews_child(ids, "Id"); id; id = ews_next(id)) {
        struct zone zone;
        if (zone_find(call->arena, ews_text(call->arena, id), call->culture, &zone) == EC_OK)
            write_zone(call, &zone, is_full);
    }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}
