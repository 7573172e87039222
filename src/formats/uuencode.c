// Finds uuencoded files in text. Decoding is formats/mime_decode.c's.
#include "formats/uuencode.h"

#include <glib.h>
#include <string.h>

#define MAX_SLACK 4 // characters behind the data of a line: checksums, padding

// The line at `pos` without its line end; `*next` is behind that.
static size_t line_at(const uint8_t *text, size_t len, size_t pos, size_t *next) {
    const uint8_t *lf = memchr(text + pos, '\n', len - pos);
    size_t n = lf ? (size_t)(lf - text) - pos : len - pos;
    *next = pos + n + (lf != NULL);
    return n > 0 && text[pos + n - 1] == '\r' ? n - 1 : n;
}

// "begin", three or four octal digits, and a name.
static bool read_begin(const uint8_t *line, size_t n, size_t *name_pos) {
    size_t i = 6;
    if (n < 11 || memcmp(line, "begin ", 6) != 0)
        return false;
    while (i < n && line[i] >= '0' && line[i] <= '7')
        i++;
    if (i < 9 || i > 10 || i + 1 >= n || line[i] != ' ')
        return false;
    *name_pos = i + 1;
    return true;
}

// How many bytes a data line holds; -1: it is none.
static int data_line(const uint8_t *line, size_t n) {
    if (n == 0 || line[0] < ' ' || line[0] > '`')
        return -1;
    int size = (line[0] - ' ') & 0x3f;
    size_t chars = (size_t)(size + 2) / 3 * 4;
    // Trailing spaces, which are zeros, may have been lost.
    if (n - 1 > chars + MAX_SLACK)
        return -1;
    for (size_t i = 1; i < n; i++)
        if (line[i] < ' ' || line[i] > '`')
            return -1;
    return size;
}

static bool read_block(const uint8_t *text, size_t len, size_t pos, struct uuencoded *out) {
    size_t next, n = line_at(text, len, pos, &next), name;
    if (!read_begin(text + pos, n, &name))
        return false;
    *out = (struct uuencoded){.pos = pos, .name_pos = pos + name, .name_len = n - name};
    unsigned n_lines = 0;
    while (next < len) {
        size_t at = next;
        n = line_at(text, len, at, &next);
        if (n == 3 && memcmp(text + at, "end", 3) == 0) {
            out->len = next - pos;
            return n_lines > 0;
        }
        int size = data_line(text + at, n);
        if (size < 0)
            return false;
        out->size += (size_t)size;
        n_lines++;
    }
    return false;
}

bool uuencoded_find(const void *text, size_t len, size_t from, struct uuencoded *out) {
    const uint8_t *p = text;
    // A line "begin..." is no data line, so that what one try reads the next does not.
    for (size_t pos = from; pos < len;) {
        const uint8_t *found = memmem(p + pos, len - pos, "begin ", 6);
        if (!found)
            return false;
        pos = (size_t)(found - p);
        if ((pos == 0 || p[pos - 1] == '\n') && read_block(p, len, pos, out))
            return true;
        pos += 6;
    }
    return false;
}
