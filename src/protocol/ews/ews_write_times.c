// Writing tasks and calendar items, from what the store holds of them.
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_properties.h"

void ews_put_percent(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    double percent = ews_value(o, PidLidPercentComplete, &v) ? v.d * 100 : 0;
    g_ascii_formatd(text, sizeof text, "%.10g", percent);
    ews_element(o->w, p->element, text);
}

void ews_put_task_status(struct ews_write *o, const struct ews_property *p) {
    static const char *const names[] = {"Not Started", "In Progress", "Completed",
                                        "Waiting on someone else", "Deferred"};
    int32_t status = ews_value_long(o, PidLidTaskStatus, 0);
    if (status >= 0 && status < (int32_t)G_N_ELEMENTS(names))
        ews_element(o->w, p->element, names[status]);
}

static bool value_bool(struct ews_write *o, proptag_t tag) {
    struct prop_value v;
    return ews_value(o, tag, &v) && v.b;
}

static const char *response_type(struct ews_write *o) {
    struct prop_value v;
    const char *class = ews_value(o, PidTagMessageClass, &v) ? v.str : "";
    return g_str_has_suffix(class, "Resp.Pos")    ? "Accept"
           : g_str_has_suffix(class, "Resp.Neg")  ? "Decline"
           : g_str_has_suffix(class, "Resp.Tent") ? "Tentative"
           : o->source->class == EWS_REQUEST      ? "NoResponseReceived"
                                                  : "Unknown";
}

void ews_put_calendar_state(struct ews_write *o, const struct ews_property *p) {
    enum { MEETING = 1, RECEIVED = 2, CANCELED = 4 }; // PidLidAppointmentStateFlags
    int32_t state = ews_value_long(o, PidLidAppointmentStateFlags, 0);
    const char *element = p->element;
    if (strcmp(element, "t:IsMeeting") == 0)
        ews_element_bool(o->w, element, state & MEETING);
    else if (strcmp(element, "t:IsCancelled") == 0)
        ews_element_bool(o->w, element, state & CANCELED);
    else if (strcmp(element, "t:IsOrganizer") == 0)
        ews_element_bool(o->w, element, !(state & RECEIVED));
    else if (strcmp(element, "t:AllowNewTimeProposal") == 0)
        ews_element_bool(o->w, element, !value_bool(o, PidLidAppointmentNotAllowPropose));
    else if (strcmp(element, "t:ResponseType") == 0)
        ews_element(o->w, element, response_type(o));
}

void ews_put_calendar_type(struct ews_write *o, const struct ews_property *p) {
    ews_element(o->w, p->element,
                value_bool(o, PidLidRecurring)     ? "RecurringMaster"
                : value_bool(o, PidLidIsException) ? "Exception"
                                                   : "Single");
}

void ews_put_duration(struct ews_write *o, const struct ews_property *p) {
    struct prop_value start, end;
    if (!ews_value(o, PidLidAppointmentStartWhole, &start) ||
        !ews_value(o, PidLidAppointmentEndWhole, &end) || end.time < start.time)
        return;
    uint64_t minutes = (end.time - start.time) / (60 * FILETIME_SECOND);
    uint64_t d = minutes / 1440, h = minutes / 60 % 24, m = minutes % 60;
    g_autoptr(GString) text = g_string_new("P");
    if (d)
        g_string_append_printf(text, "%" G_GUINT64_FORMAT "D", (guint64)d);
    if (h || m || !d)
        g_string_append_c(text, 'T');
    if (h)
        g_string_append_printf(text, "%" G_GUINT64_FORMAT "H", (guint64)h);
    if (m || (!h && !d))
        g_string_append_printf(text, "%" G_GUINT64_FORMAT "M", (guint64)m);
    ews_element(o->w, p->element, text->str);
}

// [MS-OXCICAL] 2.1.3.1.1.20.26: what came from iCalendar is kept behind "vCal-Uid".
void ews_put_uid(struct ews_write *o, const struct ews_property *p) {
    static const char marker[] = "vCal-Uid\1\0\0\0";
    struct prop_value v;
    if (!ews_value(o, PidLidGlobalObjectId, &v) || v.bin.len == 0)
        return;
    if (v.bin.len > 52 && memcmp(v.bin.data + 40, marker, 12) == 0) {
        ews_open(o->w, p->element);
        ews_put_text_len(o->w, (const char *)v.bin.data + 52,
                         strnlen((const char *)v.bin.data + 52, v.bin.len - 52));
        ews_close(o->w);
        return;
    }
    g_autoptr(GString) hex = g_string_new(NULL);
    for (uint32_t i = 0; i < v.bin.len; i++)
        g_string_append_printf(hex, "%02X", v.bin.data[i]);
    ews_element(o->w, p->element, hex->str);
}
