// The state machine of a message's lines; runs of plain text are copied whole.
#include "protocol/smtp/dots.h"

#include <string.h>

// The state after a byte, as far as finding the end needs it.
static enum dots_state step(enum dots_state state, uint8_t c) {
    switch (state) {
    case DOTS_LINE_START:
        return c == '.' ? DOTS_DOT : c == '\r' ? DOTS_CR : DOTS_TEXT;
    case DOTS_DOT:
        return c == '\r' ? DOTS_DOT_CR : DOTS_TEXT;
    case DOTS_DOT_CR:
        if (c == '\n')
            return DOTS_END;
        return c == '\r' ? DOTS_CR : DOTS_TEXT;
    case DOTS_TEXT:
        return c == '\r' ? DOTS_CR : DOTS_TEXT;
    case DOTS_CR:
        if (c == '\n')
            return DOTS_LINE_START;
        return c == '\r' ? DOTS_CR : DOTS_TEXT;
    case DOTS_END:
        break;
    }
    return DOTS_END;
}

size_t dots_find_end(const struct dots *d, const uint8_t *data, size_t len) {
    enum dots_state state = d->state;
    for (size_t i = 0; i < len;) {
        if (state == DOTS_TEXT) {
            const uint8_t *cr = memchr(data + i, '\r', len - i);
            if (!cr)
                return len;
            i = (size_t)(cr - data);
        }
        state = step(state, data[i++]);
        if (state == DOTS_END)
            return i;
    }
    return len;
}

static void put(GByteArray *out, const char *s, guint len) {
    g_byte_array_append(out, (const uint8_t *)s, len);
}

static void put_bare(struct dots *d, char c, GByteArray *out) {
    d->has_bare = true;
    if (d->fixes_lines)
        put(out, "\r\n", 2);
    else
        put(out, &c, 1);
}

// A byte of a line's text.
static void text(struct dots *d, uint8_t c, GByteArray *out) {
    d->state = DOTS_TEXT;
    if (c == '\r') {
        d->state = DOTS_CR; // held back until it is known what it is
        return;
    }
    if (c == '\n') { // no line starts here for us: a dot after it is only a dot
        put_bare(d, '\n', out);
        return;
    }
    d->has_nul |= c == 0;
    g_byte_array_append(out, &c, 1);
}

static void decode_byte(struct dots *d, uint8_t c, GByteArray *out) {
    switch (d->state) {
    case DOTS_LINE_START:
        if (c == '.' && d->is_stuffed)
            d->state = DOTS_DOT;
        else
            text(d, c, out);
        break;
    case DOTS_DOT: // the dot was stuffing
        if (c == '\r')
            d->state = DOTS_DOT_CR;
        else
            text(d, c, out);
        break;
    case DOTS_DOT_CR:
        if (c == '\n') {
            d->state = DOTS_END;
            break;
        }
        put_bare(d, '\r', out);
        text(d, c, out);
        break;
    case DOTS_TEXT:
        text(d, c, out);
        break;
    case DOTS_CR:
        if (c == '\n') {
            put(out, "\r\n", 2);
            d->state = DOTS_LINE_START;
            break;
        }
        put_bare(d, '\r', out);
        text(d, c, out);
        break;
    case DOTS_END:
        break;
    }
}

// The length of the run of bytes that are only copied.
static size_t plain_run(const uint8_t *data, size_t len) {
    size_t n = 0;
    while (n < len && data[n] != '\r' && data[n] != '\n' && data[n] != 0)
        n++;
    return n;
}

void dots_decode(struct dots *d, const uint8_t *data, size_t len, GByteArray *out) {
    for (size_t i = 0; i < len;) {
        size_t run = d->state == DOTS_TEXT ? plain_run(data + i, len - i) : 0;
        if (run > 0) {
            g_byte_array_append(out, data + i, (guint)run);
            i += run;
        } else {
            decode_byte(d, data[i++], out);
        }
    }
}

void dots_finish(struct dots *d, GByteArray *out) {
    if (d->state == DOTS_CR)
        put_bare(d, '\r', out);
    d->state = DOTS_END;
}
