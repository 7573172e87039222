// One field at a time: it is complete when the line after it is no continuation.
#include "protocol/smtp/filter.h"

#include <string.h>

#include "protocol/smtp/limits.h"

struct smtp_filter smtp_filter(const struct smtp_filter_rules *rules) {
    return (struct smtp_filter){.rules = *rules, .held = g_byte_array_new()};
}

void smtp_filter_clear(struct smtp_filter *f) {
    if (f->held)
        g_byte_array_unref(f->held);
    *f = (struct smtp_filter){0};
}

// --- Fields ---

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The length of the name that a field begins with; 0: it is no field.
static size_t name_length(const uint8_t *data, size_t len) {
    size_t n = 0;
    while (n < len && data[n] > ' ' && data[n] < 0x7f && data[n] != ':')
        n++;
    size_t colon = n;
    while (colon < len && (data[colon] == ' ' || data[colon] == '\t'))
        colon++;
    return colon < len && data[colon] == ':' ? n : 0;
}

static bool is_name(const uint8_t *data, size_t n, const char *name) {
    return n == strlen(name) && g_ascii_strncasecmp((const char *)data, name, n) == 0;
}

static bool has_prefix(const uint8_t *data, size_t n, const char *prefix) {
    size_t len = strlen(prefix);
    return n >= len && g_ascii_strncasecmp((const char *)data, prefix, len) == 0;
}

// After blanks and comments, which may be nested; `len` when there is nothing else.
static size_t skip_comments(const uint8_t *data, size_t pos, size_t len) {
    unsigned depth = 0;
    for (; pos < len; pos++) {
        if (data[pos] == '\\' && depth > 0)
            pos++;
        else if (data[pos] == '(')
            depth++;
        else if (data[pos] == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !is_blank(data[pos]))
            return pos;
    }
    return len;
}

// Whether a field's value begins with our name, written in any way ([RFC 8601] 2.2: the
// authserv-id, maybe quoted, before ';' or a version).
static bool is_ours(const struct smtp_filter *f, const uint8_t *value, size_t len) {
    size_t host = strlen(f->rules.hostname);
    size_t pos = skip_comments(value, 0, len);
    if (pos < len && value[pos] == '"')
        pos++;
    if (len - pos < host ||
        g_ascii_strncasecmp((const char *)value + pos, f->rules.hostname, host) != 0)
        return false;
    pos += host;
    return pos == len || !(g_ascii_isalnum(value[pos]) || value[pos] == '-' || value[pos] == '.');
}

// "by HOSTNAME" of a Received field.
static bool is_by_us(const struct smtp_filter *f, const uint8_t *value, size_t len) {
    size_t host = strlen(f->rules.hostname);
    for (size_t i = 0; i + 4 + host <= len; i++)
        if (is_blank(value[i]) && g_ascii_strncasecmp((const char *)value + i + 1, "by ", 3) == 0)
            return g_ascii_strncasecmp((const char *)value + i + 4, f->rules.hostname, host) == 0;
    return false;
}

static bool is_dropped(struct smtp_filter *f, const uint8_t *field, size_t len) {
    size_t n = name_length(field, len);
    const uint8_t *colon = memchr(field, ':', len);
    size_t value = colon ? (size_t)(colon - field) + 1 : len;
    if (is_name(field, n, "Received")) {
        f->n_received++;
        f->n_own += is_by_us(f, field + value, len - value);
        return false;
    }
    if (f->rules.is_submitted && (is_name(field, n, "Bcc") || is_name(field, n, "Resent-Bcc")))
        return true;
    if (!f->rules.removes_verdicts)
        return false;
    return has_prefix(field, n, "X-MS-Exchange-Organization-") ||
           has_prefix(field, n, "X-MS-Exchange-CrossTenant") ||
           has_prefix(field, n, "X-MS-Exchange-Forest-") ||
           (is_name(field, n, "Authentication-Results") && is_ours(f, field + value, len - value));
}

// --- Streaming ---

// Where the first field ends in what is held; 0: not known yet.
static size_t field_end(const uint8_t *data, size_t len) {
    for (size_t pos = 0; pos < len;) {
        const uint8_t *newline = memchr(data + pos, '\n', len - pos);
        if (!newline)
            return 0;
        pos = (size_t)(newline - data) + 1;
        if (pos < len && data[pos] != ' ' && data[pos] != '\t')
            return pos;
    }
    return 0;
}

// What begins here is no field: the empty line, or a body without one.
static bool is_body(const uint8_t *data, size_t len) {
    if (data[0] == '\r' || data[0] == '\n')
        return true;
    const uint8_t *newline = memchr(data, '\n', len);
    return newline && name_length(data, (size_t)(newline - data)) == 0;
}

static void end_header(struct smtp_filter *f, GByteArray *out) {
    g_byte_array_append(out, f->held->data, f->held->len);
    g_byte_array_unref(g_steal_pointer(&f->held));
}

static void put(const struct smtp_filter *f, const uint8_t *data, size_t len, GByteArray *out) {
    if (!f->is_dropping)
        g_byte_array_append(out, data, (guint)len);
}

// Works off whole fields from `pos` on; what is left of the held bytes.
static size_t take_fields(struct smtp_filter *f, GByteArray *out) {
    const uint8_t *data = f->held->data;
    size_t pos = 0, len = f->held->len;
    while (pos < len) {
        if (!f->is_passing && is_body(data + pos, len - pos)) {
            g_byte_array_remove_range(f->held, 0, (guint)pos);
            end_header(f, out);
            return 0;
        }
        size_t n = field_end(data + pos, len - pos);
        if (n == 0)
            break;
        if (!f->is_passing)
            f->is_dropping = is_dropped(f, data + pos, n);
        put(f, data + pos, n, out);
        f->is_passing = f->is_dropping = false;
        pos += n;
    }
    return pos;
}

void smtp_filter_feed(struct smtp_filter *f, const uint8_t *data, size_t len, GByteArray *out) {
    if (!f->held) {
        g_byte_array_append(out, data, (guint)len);
        return;
    }
    g_byte_array_append(f->held, data, (guint)len);
    size_t pos = take_fields(f, out);
    if (!f->held)
        return;
    if (pos > 0)
        g_byte_array_remove_range(f->held, 0, (guint)pos);
    if (f->held->len <= SMTP_FIELD_MAX)
        return;
    // Too much for one field: decided by its beginning. The last byte stays, so that a line end
    // and what follows it are seen together.
    if (!f->is_passing)
        f->is_dropping = is_dropped(f, f->held->data, f->held->len);
    f->is_passing = true;
    put(f, f->held->data, f->held->len - 1, out);
    g_byte_array_remove_range(f->held, 0, f->held->len - 1);
}

void smtp_filter_finish(struct smtp_filter *f, GByteArray *out) {
    if (!f->held)
        return;
    if (f->held->len > 0 && !f->is_passing && !is_body(f->held->data, f->held->len))
        f->is_dropping = is_dropped(f, f->held->data, f->held->len);
    put(f, f->held->data, f->held->len, out);
    g_byte_array_unref(g_steal_pointer(&f->held));
}
