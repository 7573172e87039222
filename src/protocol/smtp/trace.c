// The fields that SMTP adds: Received ([RFC 5321] 4.4), and on submission Date and Message-ID
// ([RFC 6409] 8) where they are missing.
#include <string.h>

#include "base/clock.h"
#include "base/guid.h"
#include "formats/mime.h"
#include "protocol/smtp/session.h"

// "ESMTPSA" and the like ([RFC 3848], [RFC 6531] 4.3).
static void put_protocol(const struct smtp_session *s, GString *out) {
    bool is_lmtp = s->service->settings.kind == SMTP_LMTP;
    if (s->is_smtputf8)
        g_string_append(out, "UTF8");
    g_string_append(out, is_lmtp ? "LMTP" : s->is_extended && !s->is_smtputf8 ? "ESMTP" : "SMTP");
    if (s->is_extended && s->peer.is_tls)
        g_string_append_c(out, 'S');
    if (s->who)
        g_string_append_c(out, 'A');
}

// Who sent it: the name it gave, the one that is known of it, its address.
static void put_client(const struct smtp_session *s, GString *out) {
    bool is_v6 = strchr(s->peer.address, ':') != NULL;
    g_string_append_printf(out, " from %s (%s%s[%s%s])\r\n\t", s->helo,
                           s->client_name ? s->client_name : "", s->client_name ? " " : "",
                           is_v6 ? "IPv6:" : "", s->peer.address);
}

void smtp_put_received(const struct smtp_session *s, GString *out) {
    g_string_append(out, "Received:");
    if (s->who && s->rules->limits.hides_clients)
        g_string_append_c(out, ' ');
    else
        put_client(s, out);
    g_string_append_printf(out, "by %s with ", s->service->settings.hostname);
    put_protocol(s, out);
    g_string_append_printf(out, "\r\n\tid %s", s->queue_id);
    // Several are not named: they need not know of each other.
    if (s->recipients->len == 1)
        g_string_append_printf(out, " for <%s>",
                               g_array_index(s->recipients, struct queue_recipient, 0).address);
    g_autoptr(GString) date = g_string_new(NULL);
    mime_put_date(date, "", filetime_to_unix(clock_now()), 0);
    g_string_append(out, ";\r\n\t");
    g_string_append(out, date->str + strspn(date->str, ": "));
}

// --- The header of a submitted message ---

// The length of the field name that `line` begins with; 0: no field.
static size_t name_length(const uint8_t *line, size_t len) {
    size_t n = 0;
    while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
        n++;
    size_t colon = n;
    while (colon < len && (line[colon] == ' ' || line[colon] == '\t'))
        colon++;
    return colon < len && line[colon] == ':' ? n : 0;
}

size_t smtp_header_end(const uint8_t *data, size_t len, bool *is_empty) {
    *is_empty = false;
    for (size_t pos = 0; pos < len;) {
        const uint8_t *end = memchr(data + pos, '\n', len - pos);
        if (!end)
            return 0;
        size_t line = (size_t)(end - data) + 1 - pos;
        if (line == 2 && data[pos] == '\r')
            return pos + 2;
        bool is_folded = pos > 0 && (data[pos] == ' ' || data[pos] == '\t');
        if (!is_folded && name_length(data + pos, line) == 0) {
            *is_empty = pos == 0;
            return pos;
        }
        pos += line;
    }
    return 0;
}

static bool has_field(const uint8_t *data, size_t len, const char *name) {
    for (size_t pos = 0; pos < len;) {
        const uint8_t *end = memchr(data + pos, '\n', len - pos);
        size_t line = end ? (size_t)(end - data) + 1 - pos : len - pos;
        if (line == 2 && data[pos] == '\r')
            return false;
        size_t n = name_length(data + pos, line);
        if (n == strlen(name) && g_ascii_strncasecmp((const char *)data + pos, name, n) == 0)
            return true;
        pos += line;
    }
    return false;
}

void smtp_put_missing(const struct smtp_session *s, const uint8_t *header, size_t len,
                      GString *out) {
    if (!has_field(header, len, "Message-ID")) {
        struct guid guid = guid_new();
        char text[GUID_STRING_SIZE];
        guid_format(&guid, text);
        const char *domain = strchr(s->who->address, '@');
        g_string_append_printf(out, "Message-ID: <%s%s>\r\n", text, domain ? domain : "@localhost");
    }
    if (!has_field(header, len, "Date"))
        mime_put_date(out, "Date", filetime_to_unix(clock_now()), 0);
}
