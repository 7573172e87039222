// Parsing replies. The limits are generous, since real servers are, but they are there: a line has
// RELAY_REPLY_LINE_MAX bytes at most, a reply RELAY_REPLY_LINES_MAX lines.
#include "relay/reply.h"

#include <glib.h>
#include <string.h>

// The enhanced status code that a text begins with ("5.1.1 no such user"); its length, 0: none.
static size_t status_length(const char *text, size_t len, unsigned code) {
    size_t at = 0, digits = 0;
    unsigned dots = 0;
    for (; at < len && at < sizeof(((struct reply *)0)->status) - 1; at++) {
        if (g_ascii_isdigit(text[at])) {
            if (++digits > 3)
                return 0;
        } else if (text[at] == '.' && digits > 0 && dots < 2) {
            dots++;
            digits = 0;
        } else {
            break;
        }
    }
    bool is_status = dots == 2 && digits > 0 && text[1] == '.' &&
                     (at == len || text[at] == ' ' || text[at] == '\t') &&
                     (unsigned)(text[0] - '0') == code / 100;
    return is_status ? at : 0;
}

static void add_text(struct reply *out, const char *text, size_t len) {
    size_t have = strlen(out->text);
    if (have && have < RELAY_REPLY_TEXT_MAX)
        out->text[have++] = ' ';
    for (size_t i = 0; i < len && have < RELAY_REPLY_TEXT_MAX; i++)
        out->text[have++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    out->text[have] = '\0';
}

// What is not UTF-8 becomes '?', in place: the text is shown and put into reports.
static void make_valid(char *text) {
    for (const char *end; !g_utf8_validate(text, -1, &end);)
        text[end - text] = '?';
}

struct line {
    const char *text;
    size_t len, used;
    unsigned code;
    bool is_last;
};

static enum reply_parse next_line(const uint8_t *data, size_t len, struct line *out) {
    const uint8_t *end = memchr(data, '\n', MIN(len, RELAY_REPLY_LINE_MAX));
    if (!end)
        return len >= RELAY_REPLY_LINE_MAX ? REPLY_BAD : REPLY_MORE;
    out->used = (size_t)(end - data) + 1;
    size_t n = out->used - 1;
    if (n > 0 && data[n - 1] == '\r')
        n--;
    if (n < 3 || data[0] < '2' || data[0] > '5' || !g_ascii_isdigit(data[1]) ||
        !g_ascii_isdigit(data[2]) || (n > 3 && data[3] != ' ' && data[3] != '-'))
        return REPLY_BAD;
    out->code = (data[0] - '0') * 100u + (data[1] - '0') * 10u + (data[2] - '0');
    out->is_last = n == 3 || data[3] == ' ';
    out->text = (const char *)data + MIN(n, 4);
    out->len = n - MIN(n, 4);
    return REPLY_DONE;
}

// Finds where the reply ends and whether all of its lines are good.
static enum reply_parse measure(const uint8_t *data, size_t len, unsigned *code, size_t *used) {
    *used = 0;
    for (unsigned n = 0; n < RELAY_REPLY_LINES_MAX; n++) {
        struct line line;
        enum reply_parse parse = next_line(data + *used, len - *used, &line);
        if (parse != REPLY_DONE)
            return parse;
        *used += line.used;
        *code = line.code; // the last line's counts
        if (line.is_last)
            return REPLY_DONE;
    }
    return REPLY_BAD;
}

enum reply_parse reply_parse(const uint8_t *data, size_t len, struct reply *out, size_t *used,
                             void (*each)(void *ctx, const char *text, size_t len), void *ctx) {
    unsigned code = 0;
    enum reply_parse parse = measure(data, len, &code, used);
    if (parse != REPLY_DONE)
        return parse;
    out->code = code;
    out->status[0] = out->text[0] = '\0';
    for (size_t pos = 0, n = 0; pos < *used; n++) {
        struct line line;
        if (next_line(data + pos, *used - pos, &line) != REPLY_DONE)
            return REPLY_BAD;
        pos += line.used;
        if (each)
            each(ctx, line.text, line.len);
        size_t status = status_length(line.text, line.len, code);
        if (status && !out->status[0]) {
            memcpy(out->status, line.text, status);
            out->status[status] = '\0';
        }
        // The status stands on each line; said once is enough.
        size_t skip = n > 0 && status ? MIN(status + 1, line.len) : 0;
        add_text(out, line.text + skip, line.len - skip);
    }
    make_valid(out->text);
    return REPLY_DONE;
}

static bool word_is(const char *text, size_t len, const char *word) {
    return strlen(word) == len && g_ascii_strncasecmp(text, word, len) == 0;
}

// The words after "AUTH ", or "AUTH=" as old servers have it.
static void read_auth(struct extensions *e, const char *text, size_t len) {
    for (size_t pos = 0; pos < len;) {
        size_t end = pos;
        while (end < len && text[end] != ' ' && text[end] != '\t')
            end++;
        e->has_auth_plain |= word_is(text + pos, end - pos, "PLAIN");
        e->has_auth_login |= word_is(text + pos, end - pos, "LOGIN");
        pos = end + 1;
    }
}

static void read_size(struct extensions *e, const char *text, size_t len) {
    e->has_size = true;
    e->max_size = 0;
    for (size_t i = 0; i < len && g_ascii_isdigit(text[i]); i++) {
        if (e->max_size > UINT64_MAX / 10 - 1)
            return;
        e->max_size = e->max_size * 10 + (unsigned)(text[i] - '0');
    }
}

void extensions_read(struct extensions *e, const char *text, size_t len) {
    size_t word = 0;
    while (word < len && text[word] != ' ' && text[word] != '\t' && text[word] != '=')
        word++;
    const char *rest = text + MIN(word + 1, len);
    size_t rest_len = len - MIN(word + 1, len);
    e->is_pipelining |= word_is(text, word, "PIPELINING");
    e->is_8bitmime |= word_is(text, word, "8BITMIME");
    e->is_smtputf8 |= word_is(text, word, "SMTPUTF8");
    e->is_dsn |= word_is(text, word, "DSN");
    e->is_chunking |= word_is(text, word, "CHUNKING");
    e->is_binarymime |= word_is(text, word, "BINARYMIME");
    e->has_starttls |= word_is(text, word, "STARTTLS");
    e->has_requiretls |= word_is(text, word, "REQUIRETLS");
    if (word_is(text, word, "SIZE"))
        read_size(e, rest, rest_len);
    else if (word_is(text, word, "AUTH"))
        read_auth(e, rest, rest_len);
}
