// A line of the tracking log and back: values separated by tabs, in a fixed order; "-" for what is
// not known, \xHH for what would disturb the line.
#include <string.h>

#include "transport/track_internal.h"

static const char *const names[TRACK_KINDS] = {
    [TRACK_RECEIVE] = "receive", [TRACK_DELIVER] = "deliver", [TRACK_RELAY] = "relay",
    [TRACK_DEFER] = "defer",     [TRACK_FAIL] = "fail",       [TRACK_EXPAND] = "expand",
    [TRACK_FORWARD] = "forward", [TRACK_JOURNAL] = "journal", [TRACK_DSN] = "dsn",
    [TRACK_DROP] = "drop",       [TRACK_POLICY] = "policy",   [TRACK_RECEIPT] = "receipt",
};

const char *track_kind_name(enum track_kind kind) {
    return kind < TRACK_KINDS ? names[kind] : "?";
}

bool track_is_day_file(const char *name) {
    static const char pattern[] = "dddd-dd-dd.log";
    for (size_t i = 0; i < sizeof pattern; i++)
        if (pattern[i] == 'd' ? !g_ascii_isdigit(name[i]) : name[i] != pattern[i])
            return false;
    return true;
}

static void put(GString *out, const char *value) {
    g_string_append_c(out, '\t');
    if (!value) {
        g_string_append_c(out, '-');
        return;
    }
    bool is_dash = strcmp(value, "-") == 0;
    for (size_t i = 0; value[i] && i < TRACK_VALUE_MAX; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c < 0x20 || c == 0x7f || c == '\\' || is_dash)
            g_string_append_printf(out, "\\x%02x", c);
        else
            g_string_append_c(out, (char)c);
    }
}

void track_format(const struct track_event *e, GString *out) {
    int64_t ms = (int64_t)(e->time / (FILETIME_SECOND / 1000) % 1000);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(filetime_to_unix(e->time));
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : g_strdup("0");
    g_string_append_printf(out, "%s.%03dZ\t%s", text, (int)ms, track_kind_name(e->kind));
    put(out, e->queue_id);
    put(out, e->message_id);
    put(out, e->sender);
    put(out, e->recipient);
    g_string_append_printf(out, "\t%" G_GUINT64_FORMAT, e->size);
    put(out, e->client);
    put(out, e->status);
    put(out, e->detail);
    put(out, e->subject);
    g_string_append_c(out, '\n');
}

// --- Reading ---

static bool parse_time(const char *s, filetime_t *out) {
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(s, utc);
    if (!time || g_date_time_get_year(time) < 1970)
        return false;
    *out = filetime_from_unix(g_date_time_to_unix(time)) +
           (filetime_t)g_date_time_get_microsecond(time) * (FILETIME_SECOND / 1000000);
    return true;
}

// In place; NULL for "-".
static const char *value_of(char *s) {
    if (strcmp(s, "-") == 0)
        return NULL;
    char *to = s, *from = s;
    while (*from) {
        bool is_escape = from[0] == '\\' && from[1] == 'x' && g_ascii_isxdigit(from[2]) &&
                         g_ascii_isxdigit(from[3]);
        *to++ = is_escape
                    ? (char)(g_ascii_xdigit_value(from[2]) * 16 + g_ascii_xdigit_value(from[3]))
                    : *from;
        from += is_escape ? 4 : 1;
    }
    *to = '\0';
    return s;
}

bool track_parse(struct arena *arena, const char *line, size_t len, struct track_event *out) {
    enum { FIELDS = 11 };
    char *fields[FIELDS];
    if (len > TRACK_LINE_MAX || memchr(line, '\0', len))
        return false;
    char *p = arena_strndup(arena, line, len);
    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = p;
        p = strchr(p, '\t');
        if (!p != (i == FIELDS - 1))
            return false;
        if (p)
            *p++ = '\0';
    }
    unsigned kind = 0;
    while (kind < TRACK_KINDS && strcmp(fields[1], names[kind]) != 0)
        kind++;
    *out = (struct track_event){.kind = kind};
    if (kind == TRACK_KINDS || !parse_time(fields[0], &out->time) ||
        !g_ascii_string_to_unsigned(fields[6], 10, 0, UINT64_MAX, &out->size, NULL))
        return false;
    out->queue_id = value_of(fields[2]);
    out->message_id = value_of(fields[3]);
    out->sender = value_of(fields[4]);
    out->recipient = value_of(fields[5]);
    out->client = value_of(fields[7]);
    out->status = value_of(fields[8]);
    out->detail = value_of(fields[9]);
    out->subject = value_of(fields[10]);
    return true;
}
