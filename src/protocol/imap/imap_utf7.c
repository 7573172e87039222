// Strict in what is read, so that each folder has exactly one name on the wire.
#include "protocol/imap/imap_utf7.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int base64_value(char c) {
    const char *p = c ? strchr(base64, c) : NULL;
    return p ? (int)(p - base64) : -1;
}

static bool is_direct(unsigned char c) {
    return c >= 0x20 && c <= 0x7e;
}

// Turns UTF-16 units into characters; `*high` is a high surrogate waiting for its low one.
static bool put_unit(char **out, unsigned unit, unsigned *high) {
    gunichar c = unit;
    if (*high) {
        if (unit < 0xDC00 || unit > 0xDFFF)
            return false;
        c = 0x10000 + ((*high - 0xD800) << 10) + (unit - 0xDC00);
        *high = 0;
    } else if (unit >= 0xD800 && unit <= 0xDBFF) {
        *high = unit;
        return true;
    } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
        return false;
    }
    if (c == 0 || (c < 0x80 && is_direct((unsigned char)c)))
        return false;
    *out += g_unichar_to_utf8(c, *out);
    return true;
}

// The base64 run after '&', up to and with its '-'.
static bool decode_run(const char **in, char **out) {
    const char *s = *in;
    uint32_t bits = 0;
    unsigned n_bits = 0, high = 0, n_units = 0;
    for (; *s && *s != '-'; s++) {
        int v = base64_value(*s);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        n_bits += 6;
        if (n_bits >= 16) {
            n_bits -= 16;
            if (!put_unit(out, bits >> n_bits & 0xFFFF, &high))
                return false;
            n_units++;
        }
    }
    // What is left over is less than a sextet, of zeros.
    if (*s != '-' || n_units == 0 || high || n_bits >= 6 || (bits & ((1u << n_bits) - 1)))
        return false;
    *in = s + 1;
    return true;
}

char *imap_utf7_decode(struct arena *arena, const char *name) {
    // Three bytes of UTF-8 for 16 bits, that is 2 2/3 characters of base64.
    char *out = arena_alloc(arena, strlen(name) * 2 + 8), *p = out;
    bool after_run = false;
    for (const char *s = name; *s;) {
        if (!is_direct((unsigned char)*s))
            return NULL;
        if (*s != '&') {
            *p++ = *s++;
            after_run = false;
        } else if (s[1] == '-') {
            *p++ = '&';
            s += 2;
            after_run = false;
        } else {
            s++;
            if (after_run || !decode_run(&s, &p))
                return NULL;
            after_run = true;
        }
    }
    *p = 0;
    return out;
}

struct encoder {
    char *out;
    uint32_t bits;
    unsigned n_bits;
    bool in_run;
};

static void encode_unit(struct encoder *e, unsigned unit) {
    if (!e->in_run)
        *e->out++ = '&';
    e->in_run = true;
    e->bits = e->bits << 16 | unit;
    e->n_bits += 16;
    while (e->n_bits >= 6) {
        e->n_bits -= 6;
        *e->out++ = base64[e->bits >> e->n_bits & 63];
    }
}

static void end_run(struct encoder *e) {
    if (!e->in_run)
        return;
    if (e->n_bits)
        *e->out++ = base64[e->bits << (6 - e->n_bits) & 63];
    *e->out++ = '-';
    e->bits = e->n_bits = 0;
    e->in_run = false;
}

char *imap_utf7_encode(struct arena *arena, const char *name) {
    // Worst case: single characters of two bytes between ASCII, each "&xxx-".
    char *out = arena_alloc(arena, strlen(name) * 5 + 8);
    struct encoder e = {.out = out};
    for (const char *s = name; *s;) {
        gunichar c = g_utf8_get_char_validated(s, -1);
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        if (!valid)
            c = 0xFFFD;
        if (c < 0x80 && is_direct((unsigned char)c)) {
            end_run(&e);
            *e.out++ = (char)c;
            if (c == '&')
                *e.out++ = '-';
        } else if (c >= 0x10000) {
            encode_unit(&e, 0xD800 + ((c - 0x10000) >> 10));
            encode_unit(&e, 0xDC00 + ((c - 0x10000) & 0x3ff));
        } else {
            encode_unit(&e, c);
        }
        s = valid ? g_utf8_next_char(s) : s + 1;
    }
    end_run(&e);
    *e.out = 0;
    return out;
}
