// Writing messages: header fields, parameters and bodies ([RFC 5322] 2.1.1, [RFC 2047],
// [RFC 2231], [RFC 2045] 6.7, 6.8). Everything written here is 7-bit, except addresses that exist
// only in UTF-8 ([RFC 6532]), and has CRLF line ends.
#include <sodium.h>
#include <string.h>

#include "formats/mime_internal.h"

#define FOLD_COLUMN 76
#define MAX_LINE 900   // longer words are encoded, as the limit of a line is 998
#define WORD_ROOM 60   // characters between "=?utf-8?B?" and "?="
#define PARAM_PIECE 50 // characters of one continuation

static size_t column(const GString *out) {
    const char *lf = memrchr(out->str, '\n', out->len);
    return lf ? (size_t)(out->str + out->len - lf) - 1 : out->len;
}

// White space before `len` more characters: a fold when they would not fit.
static void put_space(GString *out, size_t len) {
    if (column(out) + 1 + len > FOLD_COLUMN && column(out) > 1)
        g_string_append(out, "\r\n ");
    else
        g_string_append_c(out, ' ');
}

// Whether [s, s+len) has to be an encoded word: not ASCII, controls, what looks like one, too long.
static bool needs_encoding(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < ' ' || c >= 0x7f || (c == '=' && i + 1 < len && s[i + 1] == '?'))
            return true;
    }
    return len > MAX_LINE;
}

// What a Q word may hold as it is; in a phrase only letters, digits and a few more are allowed
// ([RFC 2047] 5).
static bool is_q_safe(unsigned char c) {
    return g_ascii_isalnum(c) || (c && strchr("!*+-/", c));
}

static size_t q_length(const char *s, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += is_q_safe((unsigned char)s[i]) || s[i] == ' ' ? 1 : 3;
    return n;
}

static void put_q(GString *out, const char *s, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (s[i] == ' ')
            g_string_append_c(out, '_');
        else if (is_q_safe((unsigned char)s[i]))
            g_string_append_c(out, s[i]);
        else
            g_string_append_printf(out, "=%02X", (unsigned char)s[i]);
    }
}

// One or more encoded words for valid UTF-8 text; folds between them. Characters are not cut.
static void put_words(GString *out, const char *s, size_t len) {
    bool use_q = q_length(s, len) <= (len + 2) / 3 * 4 + 8;
    bool first = true;
    while (len > 0) {
        // The first word takes what is left of its line, unless that is little.
        size_t col = column(out), room = first && col < 50 ? FOLD_COLUMN - col - 12 : WORD_ROOM;
        size_t n = 0, cost = 0;
        room = MIN(room, WORD_ROOM);
        while (n < len) {
            size_t char_len = MIN((size_t)g_utf8_skip[(uint8_t)s[n]], len - n);
            size_t more = use_q ? q_length(s + n, char_len) : char_len;
            if ((use_q ? cost + more : (cost + more + 2) / 3 * 4) > room && n > 0)
                break;
            cost += more;
            n += char_len;
        }
        size_t written = 12 + (use_q ? cost : (n + 2) / 3 * 4);
        if (!first)
            put_space(out, written);
        else if (col + written > FOLD_COLUMN && col > 1 && out->str[out->len - 1] == ' ')
            g_string_insert(out, (gssize)out->len - 1, "\r\n");
        first = false;
        if (use_q) {
            g_string_append(out, "=?utf-8?Q?");
            put_q(out, s, n);
        } else {
            g_autofree char *b64 = g_base64_encode((const guchar *)s, n);
            g_string_append(out, "=?utf-8?B?");
            g_string_append(out, b64);
        }
        g_string_append(out, "?=");
        s += n;
        len -= n;
    }
}

static size_t word_length(const char *s) {
    return strcspn(s, " ");
}

// Unstructured text, the column standing after "Name: ". Runs of words that need it are encoded
// together with the spaces between them, since white space between encoded words is dropped.
static void put_text(GString *out, const char *s) {
    bool first = true;
    while (*s) {
        size_t n = word_length(s);
        if (n == 0 && !first) { // several spaces
            g_string_append_c(out, ' ');
            s++;
            continue;
        }
        if (!needs_encoding(s, n) && (n > 0 || !first)) {
            if (!first)
                put_space(out, n);
            g_string_append_len(out, s, (gssize)n);
        } else {
            // Up to the last word of the run that needs it.
            size_t end = n, look = n;
            while (s[look] == ' ') {
                size_t spaces = strspn(s + look, " "), next = word_length(s + look + spaces);
                if (next == 0)
                    end = look + spaces; // at the end of the text, where it would be trimmed
                else if (needs_encoding(s + look + spaces, next))
                    end = look + spaces + next;
                else
                    break;
                look += spaces + next;
            }
            if (!first)
                g_string_append_c(out, ' ');
            put_words(out, s, end);
            n = end;
        }
        first = false;
        s += n;
        if (*s == ' ')
            s++;
    }
}

static char *valid_text(const char *text) {
    return g_utf8_validate(text, -1, NULL) ? g_strdup(text) : g_utf8_make_valid(text, -1);
}

void mime_put_header(GString *out, const char *name, const char *text) {
    g_autofree char *valid = valid_text(text ? text : "");
    g_string_append(out, name);
    g_string_append(out, ": ");
    size_t len = strlen(valid);
    // A space at the end would be lost; encode everything then.
    if (len > 0 && (valid[len - 1] == ' ' || valid[0] == ' '))
        put_words(out, valid, len);
    else
        put_text(out, valid);
    g_string_append(out, "\r\n");
}

void mime_put_raw_header(GString *out, const char *name, const char *value) {
    g_string_append(out, name);
    g_string_append_c(out, ':');
    const char *p = value ? value : "";
    bool any = false;
    while (*p) {
        p += strspn(p, " \t\r\n");
        size_t n = strcspn(p, " \t\r\n");
        if (n == 0)
            break;
        put_space(out, n);
        g_string_append_len(out, p, (gssize)n);
        p += n;
        any = true;
    }
    g_string_append(out, any ? "\r\n" : " \r\n");
}

// --- Addresses ---

static void put_phrase(GString *out, const char *name) {
    size_t len = strlen(name);
    bool is_plain = true;
    for (size_t i = 0; i < len; i++)
        is_plain = is_plain && (name[i] == ' ' || (mime_is_atext((unsigned char)name[i]) &&
                                                   (unsigned char)name[i] < 0x80));
    if (needs_encoding(name, len) || strstr(name, "  ") || len > FOLD_COLUMN) {
        put_words(out, name, len);
    } else if (is_plain && len > 0 && name[0] != ' ' && name[len - 1] != ' ') {
        g_string_append(out, name);
    } else {
        g_string_append_c(out, '"');
        for (const char *p = name; *p; p++) {
            if (*p == '"' || *p == '\\')
                g_string_append_c(out, '\\');
            g_string_append_c(out, *p);
        }
        g_string_append_c(out, '"');
    }
}

// Line ends or controls in an address would make a new header field.
static char *clean_address(struct arena *arena, const struct mime_address *a) {
    char *s = mime_address_format(arena, a);
    for (char *p = s; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '_';
    return s;
}

void mime_put_addresses(GString *out, const char *name, const struct mime_address *list) {
    if (!list)
        return;
    ARENA_AUTO arena = arena_new();
    g_string_append(out, name);
    g_string_append_c(out, ':');
    g_autoptr(GString) one = g_string_new(NULL);
    bool needs_comma = false;
    for (const struct mime_address *a = list; a; a = a->next) {
        if (!a->domain && !a->mailbox) { // the end of a group
            g_string_append_c(out, ';');
            needs_comma = true;
            continue;
        }
        if (needs_comma)
            g_string_append_c(out, ',');
        g_string_truncate(one, 0);
        if (!a->domain) {
            g_autofree char *valid = valid_text(a->mailbox);
            put_phrase(one, valid);
            g_string_append_c(one, ':');
            needs_comma = false;
        } else {
            const char *address = clean_address(arena, a);
            const char *display = a->name ? a->name : a->raw_name;
            if (display && *display) {
                g_autofree char *valid = valid_text(display);
                put_phrase(one, valid);
                size_t len = strlen(address) + 2;
                put_space(one, len);
                g_string_append_printf(one, "<%s>", address);
            } else if (*address && strchr(address, '@')) {
                g_string_append(one, address);
            } else {
                g_string_append_printf(one, "<%s>", address);
            }
            needs_comma = true;
        }
        put_space(out, strcspn(one->str, "\r"));
        g_string_append_len(out, one->str, (gssize)one->len);
    }
    g_string_append(out, "\r\n");
}

// --- Parameters ---

static bool is_param_safe(unsigned char c) {
    return g_ascii_isalnum(c) || (c && strchr("!#$&+-.^_`{|}~", c));
}

static void start_param(GString *out, size_t len) {
    g_string_append_c(out, ';');
    put_space(out, len);
}

static void put_extended_param(GString *out, const char *name, const char *value) {
    g_autoptr(GString) piece = g_string_new("utf-8''");
    unsigned number = 0;
    const char *p = value;
    // Encoded octets stay whole; characters may be cut, the octets are joined again.
    bool whole = strlen(value) * 3 <= PARAM_PIECE;
    while (*p || number == 0) {
        for (; *p && (whole || piece->len < PARAM_PIECE); p++) {
            if (is_param_safe((unsigned char)*p))
                g_string_append_c(piece, *p);
            else
                g_string_append_printf(piece, "%%%02X", (unsigned char)*p);
        }
        start_param(out, strlen(name) + 6 + piece->len);
        if (number == 0 && !*p)
            g_string_append_printf(out, "%s*=%s", name, piece->str);
        else
            g_string_append_printf(out, "%s*%u*=%s", name, number, piece->str);
        number++;
        g_string_truncate(piece, 0);
    }
}

void mime_put_param(GString *out, const char *name, const char *value) {
    size_t len = strlen(value);
    bool is_token = len > 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c < ' ' || c >= 0x7f || len > FOLD_COLUMN) {
            put_extended_param(out, name, value);
            return;
        }
        is_token = is_token && c != ' ' && !mime_is_tspecial(c);
    }
    start_param(out, strlen(name) + 3 + len);
    g_string_append_printf(out, "%s=", name);
    if (is_token) {
        g_string_append(out, value);
        return;
    }
    g_string_append_c(out, '"');
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

void mime_put_date(GString *out, const char *name, int64_t unix_time, int zone_minutes) {
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(unix_time);
    g_autoptr(GDateTime) t = utc ? g_date_time_add_minutes(utc, zone_minutes) : NULL;
    if (!t)
        return; // no year of four digits
    int zone = ABS(zone_minutes);
    g_string_append_printf(
        out, "%s: %.3s, %d %.3s %04d %02d:%02d:%02d %c%02d%02d\r\n", name,
        days + 3 * (g_date_time_get_day_of_week(t) - 1), g_date_time_get_day_of_month(t),
        months + 3 * (g_date_time_get_month(t) - 1), g_date_time_get_year(t),
        g_date_time_get_hour(t), g_date_time_get_minute(t), g_date_time_get_second(t),
        zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

// --- Bodies ---

void mime_put_base64(GString *out, const void *data, size_t len) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = data;
    size_t lines = (len + 56) / 57, old = out->len;
    size_t size = (len + 2) / 3 * 4 + 2 * lines;
    g_string_set_size(out, old + size);
    char *w = out->str + old;
    while (len > 0) {
        size_t n = MIN(len, 57), i = 0;
        for (; i + 3 <= n; i += 3) {
            uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
            *w++ = alphabet[v >> 18];
            *w++ = alphabet[v >> 12 & 63];
            *w++ = alphabet[v >> 6 & 63];
            *w++ = alphabet[v & 63];
        }
        if (i < n) {
            uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0);
            *w++ = alphabet[v >> 18];
            *w++ = alphabet[v >> 12 & 63];
            *w++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
            *w++ = '=';
        }
        *w++ = '\r';
        *w++ = '\n';
        p += n;
        len -= n;
    }
}

static void put_qp_octet(GString *out, uint8_t c) {
    static const char hex[] = "0123456789ABCDEF";
    const char octet[3] = {'=', hex[c >> 4], hex[c & 15]};
    g_string_append_len(out, octet, 3);
}

// One line without its end. Besides what must be encoded: white space at the end, and what other
// programs change, "From " at the start and a dot alone.
static void put_qp_line(GString *out, const uint8_t *p, size_t len) {
    size_t col = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = p[i];
        bool is_last = i + 1 == len;
        bool is_plain = (c > ' ' && c < 0x7f && c != '=') || (mime_is_wsp(c) && !is_last);
        if (col == 0 &&
            ((c == '.' && is_last) || (c == 'F' && len - i >= 5 && memcmp(p + i, "From ", 5) == 0)))
            is_plain = false;
        size_t need = is_plain ? 1 : 3;
        if (col + need > (is_last ? 76 : 75)) {
            g_string_append(out, "=\r\n");
            col = 0;
        }
        if (is_plain)
            g_string_append_c(out, (char)c);
        else
            put_qp_octet(out, c);
        col += need;
    }
}

void mime_put_quoted_printable(GString *out, const void *data, size_t len) {
    const uint8_t *p = data, *end = p + len;
    while (p < end) {
        const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
        const uint8_t *line_end = lf ? lf : end;
        size_t n = (size_t)(line_end - p);
        if (lf && n > 0 && p[n - 1] == '\r')
            n--;
        put_qp_line(out, p, n);
        if (lf)
            g_string_append(out, "\r\n");
        p = lf ? lf + 1 : end;
    }
}

char *mime_new_boundary(struct arena *arena) {
    // "=_" cannot occur in quoted-printable or base64.
    return arena_printf(arena, "=_%08x%08x%08x%08x", randombytes_random(), randombytes_random(),
                        randombytes_random(), randombytes_random());
}
