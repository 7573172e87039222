// Reading MTA-STS records and policies ([RFC 8461] 3.1, 3.2): text that a stranger's web server
// gives.
#include <glib.h>
#include <string.h>

#include "relay/sts.h"

// The next line (or field) up to one of `ends`, without white space around; false at the end.
static bool next_field(const char **text, const char *end, char at, const char **field,
                       size_t *len) {
    if (*text >= end)
        return false;
    const char *stop = memchr(*text, at, (size_t)(end - *text));
    if (!stop)
        stop = end;
    const char *first = *text, *last = stop;
    while (first < last && (*first == ' ' || *first == '\t'))
        first++;
    while (last > first && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
        last--;
    *field = first;
    *len = (size_t)(last - first);
    *text = stop + 1;
    return true;
}

// Splits "name: value" (or "name=value"); false: it is not of this form.
static bool split(const char *field, size_t len, char at, size_t *name_len, const char **value,
                  size_t *value_len) {
    const char *colon = memchr(field, at, len);
    if (!colon)
        return false;
    *name_len = (size_t)(colon - field);
    while (*name_len > 0 && (field[*name_len - 1] == ' ' || field[*name_len - 1] == '\t'))
        --*name_len;
    const char *end = field + len;
    for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
        ;
    *value = colon;
    *value_len = (size_t)(end - colon);
    return true;
}

static bool is(const char *text, size_t len, const char *word) {
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool read_mode(const char *value, size_t len, enum sts_mode *out) {
    if (is(value, len, "enforce"))
        *out = STS_ENFORCE;
    else if (is(value, len, "testing"))
        *out = STS_TESTING;
    else if (is(value, len, "none"))
        *out = STS_NONE;
    else
        return false;
    return true;
}

static bool read_age(const char *value, size_t len, uint32_t *out) {
    uint64_t age = 0;
    if (len == 0 || len > 10)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isdigit(value[i]))
            return false;
        age = age * 10 + (unsigned)(value[i] - '0');
    }
    *out = (uint32_t)MIN(age, RELAY_STS_AGE_MAX);
    return true;
}

static bool is_pattern(const char *value, size_t len) {
    if (len == 0 || len > 255)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!g_ascii_isalnum(value[i]) && !strchr("-._", value[i]) &&
            !(i == 0 && value[i] == '*' && len > 2 && value[1] == '.'))
            return false;
    return true;
}

enum ec sts_policy_parse(const char *text, size_t len, struct arena *arena,
                         struct sts_policy *out) {
    const char *end = text + len, *field, *value;
    size_t field_len, name_len, value_len;
    bool has_version = false, has_mode = false, has_age = false;
    *out = (struct sts_policy){.mode = STS_NONE};
    if (len > RELAY_STS_POLICY_MAX)
        return EC_FORMAT_ERROR;
    while (next_field(&text, end, '\n', &field, &field_len)) {
        if (!split(field, field_len, ':', &name_len, &value, &value_len))
            continue; // unknown lines are passed over
        if (is(field, name_len, "version") && !has_version) {
            if (!is(value, value_len, "STSv1"))
                return EC_FORMAT_ERROR;
            has_version = true;
        } else if (is(field, name_len, "mode") && !has_mode) {
            if (!read_mode(value, value_len, &out->mode))
                return EC_FORMAT_ERROR;
            has_mode = true;
        } else if (is(field, name_len, "max_age") && !has_age) {
            if (!read_age(value, value_len, &out->max_age))
                return EC_FORMAT_ERROR;
            has_age = true;
        } else if (is(field, name_len, "mx") && out->n_mx < RELAY_STS_MX_MAX) {
            if (!is_pattern(value, value_len))
                return EC_FORMAT_ERROR;
            out->mx[out->n_mx++] = arena_strndup(arena, value, value_len);
        }
    }
    bool is_whole = has_version && has_mode && has_age && (out->n_mx > 0 || out->mode == STS_NONE);
    return is_whole ? EC_OK : EC_FORMAT_ERROR;
}

bool sts_policy_allows(const struct sts_policy *policy, const char *host) {
    for (unsigned i = 0; i < policy->n_mx; i++) {
        const char *pattern = policy->mx[i];
        const char *rest = strchr(host, '.');
        if (pattern[0] == '*' ? rest && rest > host && g_ascii_strcasecmp(rest, pattern + 1) == 0
                              : g_ascii_strcasecmp(host, pattern) == 0)
            return true;
    }
    return false;
}

bool sts_record_parse(const char *text, char id_out[33]) {
    const char *end = text + strlen(text), *field, *value;
    size_t len, name_len, value_len;
    bool is_first = true, has_id = false;
    while (next_field(&text, end, ';', &field, &len)) {
        if (len == 0)
            continue;
        if (!split(field, len, '=', &name_len, &value, &value_len))
            return false;
        if (is_first && (!is(field, name_len, "v") || !is(value, value_len, "STSv1")))
            return false;
        is_first = false;
        if (!is(field, name_len, "id") || has_id)
            continue;
        if (value_len == 0 || value_len > 32)
            return false;
        for (size_t i = 0; i < value_len; i++)
            if (!g_ascii_isalnum(value[i]))
                return false;
        memcpy(id_out, value, value_len);
        id_out[value_len] = '\0';
        has_id = true;
    }
    return has_id;
}
