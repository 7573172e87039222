// One table for each kind of item, by message class.
#include "convert/item_text.h"

#include <string.h>

#include "base/filetime.h"
#include "mapi/props.h"

enum format { FORMAT_TEXT, FORMAT_TIME, FORMAT_DAY, FORMAT_PERCENT, FORMAT_STATUS };

struct field {
    const char *label;
    proptag_t tag;
    enum format format;
};

static const struct field appointment[] = {
    {"Start", PidLidAppointmentStartWhole, FORMAT_TIME},
    {"End", PidLidAppointmentEndWhole, FORMAT_TIME},
    {"Location", PidLidLocation, FORMAT_TEXT},
    {"Recurrence", PidLidRecurrencePattern, FORMAT_TEXT},
    {NULL},
};
static const struct field contact[] = {
    {"Name", PidTagDisplayName, FORMAT_TEXT},
    {"Company", PidTagCompanyName, FORMAT_TEXT},
    {"Job title", PidTagTitle, FORMAT_TEXT},
    {"E-mail", PidLidEmail1EmailAddress, FORMAT_TEXT},
    {"E-mail 2", PidLidEmail2EmailAddress, FORMAT_TEXT},
    {"E-mail 3", PidLidEmail3EmailAddress, FORMAT_TEXT},
    {"Business phone", PidTagBusinessTelephoneNumber, FORMAT_TEXT},
    {"Home phone", PidTagHomeTelephoneNumber, FORMAT_TEXT},
    {"Mobile phone", PidTagMobileTelephoneNumber, FORMAT_TEXT},
    {"Business address", PidLidWorkAddress, FORMAT_TEXT},
    {"Birthday", PidTagBirthday, FORMAT_DAY},
    {NULL},
};
static const struct field task[] = {
    {"Start", PidLidTaskStartDate, FORMAT_DAY},
    {"Due", PidLidTaskDueDate, FORMAT_DAY},
    {"Status", PidLidTaskStatus, FORMAT_STATUS},
    {"Complete", PidLidPercentComplete, FORMAT_PERCENT},
    {"Owner", PidLidTaskOwner, FORMAT_TEXT},
    {NULL},
};
static const struct field journal[] = {
    {"Type", PidLidLogType, FORMAT_TEXT},
    {"Start", PidLidLogStart, FORMAT_TIME},
    {"End", PidLidLogEnd, FORMAT_TIME},
    {NULL},
};

static const struct {
    const char *class;
    const struct field *fields;
} kinds[] = {
    {"IPM.Appointment", appointment},
    {"IPM.Contact", contact},
    {"IPM.Task", task},
    {"IPM.Activity", journal},
};

// [MS-OXOTASK] 2.2.2.2.2
static const char *const statuses[] = {"Not started", "In progress", "Completed", "Waiting",
                                       "Deferred"};

static void put_time(GString *out, const struct prop_value *v, const char *format) {
    if (PROP_TYPE(v->tag) != PT_SYSTIME)
        return;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(filetime_to_unix(v->time));
    g_autofree char *text = time ? g_date_time_format(time, format) : NULL;
    if (text)
        g_string_append(out, text);
}

// A text on one line.
static void put_text(GString *out, const struct prop_value *v) {
    if (PROP_TYPE(v->tag) != PT_UNICODE || !g_utf8_validate(v->str, -1, NULL))
        return;
    for (const char *c = v->str; *c; c++)
        if ((unsigned char)*c >= 0x20)
            g_string_append_c(out, *c);
        else if (out->len && out->str[out->len - 1] != ' ')
            g_string_append_c(out, ' ');
}

static void put_value(GString *out, const struct field *f, const struct prop_value *v) {
    switch (f->format) {
    case FORMAT_TEXT:
        put_text(out, v);
        break;
    case FORMAT_TIME:
        put_time(out, v, "%Y-%m-%d %H:%M UTC");
        break;
    case FORMAT_DAY:
        put_time(out, v, "%Y-%m-%d");
        break;
    case FORMAT_PERCENT:
        if (PROP_TYPE(v->tag) == PT_DOUBLE && v->d >= 0 && v->d <= 1)
            g_string_append_printf(out, "%d%%", (int)(v->d * 100 + 0.5));
        break;
    case FORMAT_STATUS:
        if (PROP_TYPE(v->tag) == PT_LONG && v->l >= 0 &&
            (size_t)v->l < sizeof statuses / sizeof *statuses)
            g_string_append(out, statuses[v->l]);
        break;
    }
}

static const struct field *fields_of(const struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    for (unsigned i = 0; class && i < G_N_ELEMENTS(kinds); i++) {
        size_t len = strlen(kinds[i].class);
        if (g_ascii_strncasecmp(class, kinds[i].class, len) == 0 &&
            (class[len] == 0 || class[len] == '.'))
            return kinds[i].fields;
    }
    return NULL;
}

GString *item_text(const struct bag *bag) {
    const struct field *fields = fields_of(bag);
    g_autoptr(GString) out = g_string_new(NULL), value = g_string_new(NULL);
    for (const struct field *f = fields; f && f->label; f++) {
        const struct prop_value *v = bag_get(bag, f->tag);
        g_string_truncate(value, 0);
        if (v && !v->is_external)
            put_value(value, f, v);
        if (value->len)
            g_string_append_printf(out, "%s: %s\r\n", f->label, value->str);
    }
    return out->len ? g_steal_pointer(&out) : NULL;
}

// Where the text of an HTML body begins.
static size_t body_start(const char *html, size_t len) {
    for (size_t i = 0; i + 5 < len; i++)
        if (html[i] == '<' && g_ascii_strncasecmp(html + i + 1, "body", 4) == 0) {
            const char *end = memchr(html + i, '>', len - i);
            return end ? (size_t)(end - html) + 1 : 0;
        }
    return 0;
}

GBytes *item_text_into_html(const GString *text, GBytes *html) {
    gsize len;
    const char *data = g_bytes_get_data(html, &len);
    size_t start = body_start(data, len);
    GString *out = g_string_new_len(data, (gssize)start);
    g_string_append(out, "<pre>");
    for (const char *c = text->str; *c; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);
        if (u >= 0x80 || u == '<' || u == '>' || u == '&')
            g_string_append_printf(out, "&#%u;", u);
        else
            g_string_append_c(out, (char)u);
    }
    g_string_append(out, "</pre>");
    g_string_append_len(out, data + start, (gssize)(len - start));
    return g_string_free_to_bytes(out);
}
