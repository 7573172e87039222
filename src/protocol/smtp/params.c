// Strict: what is malformed is refused, since it would be handed on to other servers.
#include "protocol/smtp/params.h"

#include <glib.h>
#include <string.h>

#include "protocol/smtp/limits.h"
#include "queue/queue.h"

// [RFC 3461] 4 has upper-case digits only; some clients write lower case.
static bool is_hex(const char *p) {
    return g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]);
}

static bool is_text(const char *value, bool allows_utf8) {
    for (const char *p = value; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x80 ? !allows_utf8 : c < '!' || c > '~' || c == '=')
            return false;
        if (c == '+' && !is_hex(p + 1))
            return false;
    }
    return !allows_utf8 || g_utf8_validate(value, -1, NULL);
}

bool smtp_is_xtext(const char *value, size_t max) {
    size_t len = strlen(value);
    return len > 0 && len <= max && is_text(value, false);
}

char *smtp_xtext_decode(struct arena *arena, const char *value) {
    if (!is_text(value, false))
        return NULL;
    char *out = arena_alloc(arena, strlen(value) + 1), *end = out;
    for (const char *p = value; *p; p++) {
        *end = *p;
        if (*p == '+') {
            *end = (char)(g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
            p += 2;
        }
        if (*end++ == '\0')
            return NULL;
    }
    *end = '\0';
    return out;
}

bool smtp_parse_notify(const char *value, uint32_t *out) {
    static const struct {
        const char *name;
        uint32_t bit;
    } words[] = {{"NEVER", QUEUE_NOTIFY_NEVER},
                 {"SUCCESS", QUEUE_NOTIFY_SUCCESS},
                 {"FAILURE", QUEUE_NOTIFY_FAILURE},
                 {"DELAY", QUEUE_NOTIFY_DELAY}};
    g_auto(GStrv) parts = g_strsplit(value, ",", 5);
    uint32_t bits = 0;
    for (char **part = parts; *part; part++) {
        uint32_t bit = 0;
        for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
            if (g_ascii_strcasecmp(*part, words[i].name) == 0)
                bit = words[i].bit;
        if (!bit || bits & bit)
            return false;
        bits |= bit;
    }
    *out = bits;
    return bits && (bits == QUEUE_NOTIFY_NEVER || !(bits & QUEUE_NOTIFY_NEVER));
}

bool smtp_is_orcpt(const char *value, bool allows_utf8) {
    const char *semicolon = strchr(value, ';');
    if (!semicolon || semicolon == value || !semicolon[1] || strlen(value) > SMTP_ORCPT_MAX)
        return false;
    for (const char *p = value; p < semicolon; p++)
        if (!g_ascii_isalnum(*p) && *p != '-')
            return false;
    return is_text(semicolon + 1, allows_utf8);
}

bool smtp_parse_hold_for(const char *value, filetime_t now, filetime_t *out) {
    guint64 seconds;
    if (!g_ascii_string_to_unsigned(value, 10, 0, SMTP_HOLD_MAX, &seconds, NULL))
        return false;
    *out = now + seconds * FILETIME_SECOND;
    return true;
}

bool smtp_parse_hold_until(const char *value, filetime_t now, filetime_t *out) {
    g_autoptr(GDateTime) date = NULL;
    if (strlen(value) > 40 || !(date = g_date_time_new_from_iso8601(value, NULL)))
        return false;
    int64_t seconds = g_date_time_to_unix(date) - filetime_to_unix(now);
    if (seconds > SMTP_HOLD_MAX)
        return false;
    *out = now + (filetime_t)MAX(seconds, 0) * FILETIME_SECOND;
    return true;
}
