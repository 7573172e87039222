// Reading and writing mbox. Reading works on the mapped file and copies one message at a time.
#include "admin/mbox_file.h"

#include <string.h>

#include "mapi/message_row.h"

#define FROM_LINE_MAX 1000
#define HEADER_LINES_MAX 10000 // looked at for Content-Length and Status

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The line at `pos` without its line end; *next is where the following one begins.
static size_t line_at(const char *data, size_t len, size_t pos, size_t *next) {
    const char *eol = memchr(data + pos, '\n', len - pos);
    size_t end = eol ? (size_t)(eol - data) : len;
    *next = eol ? end + 1 : len;
    if (end > pos && eol && data[end - 1] == '\r')
        end--;
    return end - pos;
}

// --- The "From " line ---

static bool two_digits(const char *p, unsigned *out) {
    if (!g_ascii_isdigit(p[0]))
        return false;
    *out = (unsigned)(p[0] - '0');
    if (g_ascii_isdigit(p[1]))
        *out = *out * 10 + (unsigned)(p[1] - '0');
    return true;
}

static bool parse_clock(const char *word, unsigned *seconds) {
    unsigned h, m, s = 0;
    const char *colon = strchr(word, ':');
    if (!colon || !two_digits(word, &h) || !two_digits(colon + 1, &m) || h > 23 || m > 59)
        return false;
    const char *second = strchr(colon + 1, ':');
    if (second && (!two_digits(second + 1, &s) || s > 60))
        return false;
    *seconds = h * 3600 + m * 60 + s;
    return true;
}

static int zone_seconds(const char *word) {
    if ((*word != '+' && *word != '-') || strlen(word) != 5)
        return 0;
    int n = (int)g_ascii_strtoll(word + 1, NULL, 10);
    int seconds = (n / 100 * 60 + n % 100) * 60;
    return *word == '-' ? -seconds : seconds;
}

static unsigned month_number(const char *word) {
    for (unsigned i = 0; i < 12; i++)
        if (strcmp(word, months[i]) == 0)
            return i + 1;
    return 0;
}

// "From sender Tue Nov 24 06:28:23 [zone] 2026 [zone]". False: it is no such line.
static bool parse_from_line(const char *line, size_t len, filetime_t *date_out) {
    if (len < 5 || len > FROM_LINE_MAX || memcmp(line, "From ", 5) != 0)
        return false;
    g_autofree char *text = g_strndup(line + 5, len - 5);
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    unsigned month = 0, day = 0, clock = 0, year = 0;
    bool has_clock = false;
    int zone = 0;
    for (char **w = words; *w; w++) {
        if (!**w)
            continue;
        unsigned n;
        if (!month) {
            month = month_number(*w);
        } else if (!day) {
            if (!two_digits(*w, &day) || day > 31)
                return false;
        } else if (!has_clock) {
            if (!parse_clock(*w, &clock))
                return false;
            has_clock = true;
        } else if (**w == '+' || **w == '-')
            zone = zone_seconds(*w);
        else if (!year && strlen(*w) == 4 && (n = (unsigned)g_ascii_strtoull(*w, NULL, 10)) > 1900)
            year = n;
    }
    if (!has_clock || !day)
        return false;
    *date_out = 0;
    g_autoptr(GDateTime) t =
        year ? g_date_time_new_utc((gint)year, (gint)month, (gint)day, 0, 0, 0) : NULL;
    if (t)
        *date_out = filetime_from_unix(g_date_time_to_unix(t) + (int64_t)clock - zone);
    return true;
}

static bool is_from_line(const char *data, size_t len, size_t pos, filetime_t *date_out) {
    size_t next;
    if (len - pos < 5 || memcmp(data + pos, "From ", 5) != 0)
        return false;
    return parse_from_line(data + pos, line_at(data, len, pos, &next), date_out);
}

bool mbox_file_looks_like(const char *data, size_t len) {
    filetime_t date;
    size_t pos = 0;
    while (pos < len && (data[pos] == '\n' || data[pos] == '\r'))
        pos++;
    return is_from_line(data, len, pos, &date);
}

// --- Headers that belong to the file rather than to the message ---

static bool only_letters(const char *value, size_t len, const char *letters) {
    for (size_t i = 0; i < len; i++)
        if (!strchr(letters, value[i]) || !value[i])
            return false;
    return true;
}

static bool field_is(const char *line, size_t len, const char *name, const char **value,
                     size_t *value_len) {
    size_t n = strlen(name);
    if (len <= n || line[n] != ':' || g_ascii_strncasecmp(line, name, n) != 0)
        return false;
    const char *v = line + n + 1;
    size_t l = len - n - 1;
    while (l && (*v == ' ' || *v == '\t'))
        v++, l--;
    while (l && (v[l - 1] == ' ' || v[l - 1] == '\t'))
        l--;
    *value = v;
    *value_len = l;
    return true;
}

static uint32_t flag_of(char letter) {
    switch (letter) {
    case 'R':
        return MSG_READ;
    case 'A':
        return MSG_ANSWERED;
    case 'F':
        return MSG_FLAGGED;
    case 'D':
        return MSG_DELETED;
    case 'T':
        return MSG_DRAFT;
    default:
        return 0;
    }
}

// Whether a header line is one of the file's own; `entry` (may be NULL) takes what it says.
static bool take_status(const char *line, size_t len, struct mbox_file_entry *entry) {
    const char *value;
    size_t n;
    bool is_status = field_is(line, len, "Status", &value, &n) && only_letters(value, n, "RONUD");
    if (is_status ||
        (field_is(line, len, "X-Status", &value, &n) && only_letters(value, n, "AFTDRNU"))) {
        for (size_t i = 0; i < n && entry; i++)
            entry->flags |= flag_of(value[i]);
        return true;
    }
    if (field_is(line, len, "X-Keywords", &value, &n) && n < sizeof entry->keywords) {
        if (entry) {
            memcpy(entry->keywords, value, n);
            entry->keywords[n] = '\0';
        }
        return true;
    }
    return false;
}

// Reads the header of a message: flags into `entry` (may be NULL), and Content-Length (SIZE_MAX:
// none). Where the body begins.
static size_t read_header(const char *data, size_t len, struct mbox_file_entry *entry,
                          size_t *length_out) {
    size_t pos = 0, next;
    *length_out = SIZE_MAX;
    for (unsigned lines = 0; pos < len && lines < HEADER_LINES_MAX; lines++, pos = next) {
        size_t n = line_at(data, len, pos, &next), value_len;
        const char *value;
        if (n == 0)
            return next;
        take_status(data + pos, n, entry);
        if (field_is(data + pos, n, "Content-Length", &value, &value_len) && value_len < 19) {
            g_autofree char *digits = g_strndup(value, value_len);
            guint64 length;
            if (g_ascii_string_to_unsigned(digits, 10, 0, SIZE_MAX / 2, &length, NULL))
                *length_out = length;
        }
        if (entry && field_is(data + pos, n, "X-IMAP", &value, &value_len))
            entry->is_internal = true; // c-client's first entry
    }
    return pos;
}

// --- Walking ---

// Whether a "From " line or the end of the file stands at `pos`, after line ends.
static bool is_boundary(const char *data, size_t len, size_t pos) {
    filetime_t date;
    while (pos < len && (data[pos] == '\n' || data[pos] == '\r'))
        pos++;
    return pos == len || is_from_line(data, len, pos, &date);
}

// The position of the next "From " line that follows an empty line, or the end.
static size_t find_from(const char *data, size_t len, size_t pos) {
    filetime_t date;
    if (is_from_line(data, len, pos, &date))
        return pos; // a message without a single byte
    while (pos < len) {
        const char *p = memmem(data + pos, len - pos, "\nFrom ", 6);
        if (!p)
            return len;
        size_t at = (size_t)(p - data); // the line end before "From "
        bool after_empty = at == 0 || data[at - 1] == '\n' ||
                           (data[at - 1] == '\r' && at >= 2 && data[at - 2] == '\n');
        if (after_empty && is_from_line(data, len, at + 1, &date))
            return at + 1;
        pos = at + 1;
    }
    return len;
}

static bool has_raw_from(const char *data, size_t len) {
    return memmem(data, len, "\nFrom ", 6) != NULL;
}

// The empty line before the next "From " line (or the end of the file) belongs to the file.
static size_t without_separator(const char *data, size_t len) {
    if (len == 1 && data[0] == '\n')
        return 0;
    if (len >= 2 && data[len - 1] == '\n' && data[len - 2] == '\n')
        return len - 1;
    if (len >= 3 && memcmp(data + len - 3, "\n\r\n", 3) == 0)
        return len - 2;
    return len;
}

bool mbox_file_next(struct mbox_file_cursor *c, struct mbox_file_entry *out) {
    memset(out, 0, sizeof *out);
    if (!is_from_line(c->data, c->len, c->pos, &out->date)) {
        size_t first = find_from(c->data, c->len, c->pos);
        if (first == c->len || !is_from_line(c->data, c->len, first, &out->date)) {
            c->pos = c->len;
            return false;
        }
        c->pos = first;
    }
    size_t start, length, end;
    line_at(c->data, c->len, c->pos, &start);
    const char *data = c->data + start;
    size_t left = c->len - start;
    size_t body = read_header(data, left, NULL, &length);
    out->data = data;
    if (length <= left - body && is_boundary(data, left, body + length)) {
        out->len = end = body + length;
        while (end < left && (data[end] == '\n' || data[end] == '\r'))
            end++;
        out->is_quoted = !has_raw_from(data + body, length);
    } else {
        end = find_from(data, left, 0);
        out->len = without_separator(data, end);
        out->is_quoted = true;
    }
    read_header(data, out->len, out, &length); // flags; never past the message's own end
    if (c->quoting != MBOX_AUTO)
        out->is_quoted = c->quoting == MBOX_RD;
    c->pos = start + end;
    return true;
}

GBytes *mbox_file_content(const struct mbox_file_entry *e) {
    GByteArray *out = g_byte_array_sized_new((guint)MIN(e->len, (size_t)G_MAXINT));
    bool in_header = true;
    size_t next;
    for (size_t pos = 0; pos < e->len; pos = next) {
        size_t n = line_at(e->data, e->len, pos, &next);
        const char *line = e->data + pos;
        if (in_header && n == 0)
            in_header = false;
        if (in_header && take_status(line, n, NULL))
            continue;
        size_t skip = 0;
        if (e->is_quoted && *line == '>') {
            size_t marks = 1;
            while (marks < n && line[marks] == '>')
                marks++;
            skip = n - marks >= 5 && memcmp(line + marks, "From ", 5) == 0;
        }
        g_byte_array_append(out, (const guint8 *)line + skip, (guint)(next - pos - skip));
    }
    return g_byte_array_free_to_bytes(out);
}

// --- Writing ---

void mbox_file_write_from(struct mbox_file_writer *w, const char *sender, filetime_t date,
                          GString *out) {
    *w = (struct mbox_file_writer){.at_line_start = true, .ends_with_newline = true};
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(filetime_to_unix(date));
    static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    if (!t)
        t = g_date_time_new_from_unix_utc(0);
    g_string_append_printf(out, "From %s %s %s %2d %02d:%02d:%02d %04d\n",
                           sender && *sender ? sender : "MAILER-DAEMON",
                           days[g_date_time_get_day_of_week(t) - 1],
                           months[g_date_time_get_month(t) - 1], g_date_time_get_day_of_month(t),
                           g_date_time_get_hour(t), g_date_time_get_minute(t),
                           g_date_time_get_second(t), g_date_time_get_year(t));
}

void mbox_file_write_status(struct mbox_file_writer *w, uint32_t flags, const char *keywords,
                            GString *out) {
    if (flags & MSG_READ)
        g_string_append(out, "Status: RO\n");
    if (flags & (MSG_ANSWERED | MSG_FLAGGED | MSG_DELETED | MSG_DRAFT))
        g_string_append_printf(out, "X-Status: %s%s%s%s\n", flags & MSG_ANSWERED ? "A" : "",
                               flags & MSG_FLAGGED ? "F" : "", flags & MSG_DELETED ? "D" : "",
                               flags & MSG_DRAFT ? "T" : "");
    if (keywords && *keywords && strlen(keywords) < sizeof((struct mbox_file_entry *)0)->keywords)
        g_string_append_printf(out, "X-Keywords: %s\n", keywords);
}

// A line gets one more '>' when it is "From " after any number of them. Pieces may end anywhere, so
// the beginning of a line is kept back until that is known; only the '>'s can be written at once.
void mbox_file_write(struct mbox_file_writer *w, const char *data, size_t len, GString *out) {
    static const char from[] = "From ";
    for (size_t i = 0; i < len;) {
        if (!w->at_line_start) {
            const char *eol = memchr(data + i, '\n', len - i);
            size_t end = eol ? (size_t)(eol - data) + 1 : len;
            g_string_append_len(out, data + i, (gssize)(end - i));
            w->at_line_start = eol != NULL;
            w->n_keep = 0;
            i = end;
            continue;
        }
        if (w->n_keep == 0 && data[i] == '>') {
            g_string_append_c(out, data[i++]);
            continue;
        }
        if (data[i] == from[w->n_keep]) {
            w->keep[w->n_keep++] = data[i++];
            if (w->n_keep < 5)
                continue;
            g_string_append_c(out, '>'); // one more before (or among) those that are there
        }
        g_string_append_len(out, w->keep, (gssize)w->n_keep);
        w->at_line_start = false;
    }
    if (len)
        w->ends_with_newline = data[len - 1] == '\n';
}

void mbox_file_write_end(struct mbox_file_writer *w, GString *out) {
    g_string_append_len(out, w->keep, w->at_line_start ? (gssize)w->n_keep : 0);
    g_string_append(out, w->ends_with_newline ? "\n" : "\n\n");
}
