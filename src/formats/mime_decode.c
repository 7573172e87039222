// Transfer encodings undone: base64, quoted-printable, uuencode. Each gives what can be had of
// broken input; none makes more bytes than it reads.
#include <string.h>

#include "formats/mime_internal.h"

#define B64_SKIP 0x40
#define B64_PAD 0x41

static const uint8_t *base64_table(void) {
    static uint8_t table[256];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        static const char alphabet[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        memset(table, B64_SKIP, sizeof table);
        for (uint8_t i = 0; i < 64; i++)
            table[(uint8_t)alphabet[i]] = i;
        table['='] = B64_PAD;
        g_once_init_leave(&ready, 1);
    }
    return table;
}

// After padding a new run may follow (parts glued together); everything outside the alphabet is
// skipped.
size_t mime_base64_decode(const uint8_t *in, size_t len, uint8_t *out) {
    const uint8_t *t = base64_table();
    uint8_t *w = out;
    uint32_t acc = 0;
    unsigned n = 0;
    size_t i = 0;
    while (i < len) {
        if (n == 0) {
            while (i + 4 <= len) {
                uint8_t a = t[in[i]], b = t[in[i + 1]], c = t[in[i + 2]], d = t[in[i + 3]];
                if ((a | b | c | d) & 0x40)
                    break;
                w[0] = (uint8_t)(a << 2 | b >> 4);
                w[1] = (uint8_t)(b << 4 | c >> 2);
                w[2] = (uint8_t)(c << 6 | d);
                w += 3;
                i += 4;
            }
            if (i == len)
                break;
        }
        uint8_t v = t[in[i++]];
        if (v < 64) {
            acc = acc << 6 | v;
            if (++n == 4) {
                *w++ = (uint8_t)(acc >> 16);
                *w++ = (uint8_t)(acc >> 8);
                *w++ = (uint8_t)acc;
                n = 0;
            }
        } else if (v == B64_PAD) {
            if (n >= 2)
                *w++ = (uint8_t)(n == 3 ? acc >> 10 : acc >> 4);
            if (n == 3)
                *w++ = (uint8_t)(acc >> 2);
            n = 0;
        }
    }
    if (n >= 2)
        *w++ = (uint8_t)(n == 3 ? acc >> 10 : acc >> 4);
    if (n == 3)
        *w++ = (uint8_t)(acc >> 2);
    return (size_t)(w - out);
}

// The white space at [p, end) when a line end or the end follows it, which is then its length.
static size_t trailing_space(const uint8_t *p, const uint8_t *end) {
    const uint8_t *q = p;
    while (q < end && mime_is_wsp(*q))
        q++;
    if (q == end || *q == '\n' || (*q == '\r' && q + 1 < end && q[1] == '\n'))
        return (size_t)(q - p);
    return 0;
}

size_t mime_qp_decode(const uint8_t *in, size_t len, uint8_t *out) {
    const uint8_t *p = in, *end = in + len;
    uint8_t *w = out;
    while (p < end) {
        uint8_t c = *p;
        if (c == '=') {
            int hi = p + 2 < end ? mime_hex_value(p[1]) : -1;
            int lo = hi >= 0 ? mime_hex_value(p[2]) : -1;
            if (lo >= 0) {
                *w++ = (uint8_t)(hi << 4 | lo);
                p += 3;
                continue;
            }
            const uint8_t *q = p + 1;
            while (q < end && mime_is_wsp(*q))
                q++;
            if (q < end && *q == '\r')
                q++;
            if (q == end || *q == '\n') { // a soft line break
                p = q < end ? q + 1 : q;
                continue;
            }
            *w++ = *p++;
        } else if (mime_is_wsp(c)) {
            const uint8_t *q = p + trailing_space(p, end);
            if (q == p)
                while (q < end && mime_is_wsp(*q))
                    *w++ = *q++;
            p = q;
        } else {
            *w++ = c;
            p++;
        }
    }
    return (size_t)(w - out);
}

static uint8_t uu_value(uint8_t c) {
    return (uint8_t)(c - 32) & 0x3f;
}

static uint8_t *uu_line(const uint8_t *p, size_t len, uint8_t *w) {
    size_t want = uu_value(p[0]);
    p++;
    len--;
    for (size_t i = 0; want > 0 && i < len; i += 4) {
        uint8_t v[4];
        for (size_t k = 0; k < 4; k++) // lines may have lost their trailing spaces
            v[k] = i + k < len ? uu_value(p[i + k]) : 0;
        const uint8_t bytes[3] = {(uint8_t)(v[0] << 2 | v[1] >> 4),
                                  (uint8_t)(v[1] << 4 | v[2] >> 2), (uint8_t)(v[2] << 6 | v[3])};
        size_t have = MIN(want, 3), left = len - i;
        have = MIN(have, left); // never more than was read
        memcpy(w, bytes, have);
        w += have;
        want -= have == 3 ? 3 : want;
    }
    return w;
}

size_t mime_uu_decode(const uint8_t *in, size_t len, uint8_t *out) {
    uint8_t *w = out;
    bool inside = false;
    for (size_t pos = 0; pos < len;) {
        const uint8_t *line = in + pos;
        const uint8_t *lf = memchr(line, '\n', len - pos);
        size_t n = lf ? (size_t)(lf - line) : len - pos;
        pos += n + (lf != NULL);
        if (n > 0 && line[n - 1] == '\r')
            n--;
        if (!inside) {
            inside = n > 10 && memcmp(line, "begin ", 6) == 0 && g_ascii_isdigit(line[6]);
            continue;
        }
        if (n == 0)
            continue;
        if (n >= 3 && memcmp(line, "end", 3) == 0 && n <= 4)
            inside = false; // more files may follow; they are joined
        else
            w = uu_line(line, n, w);
    }
    return (size_t)(w - out);
}

GBytes *mime_decode(const void *data, size_t len, enum mime_encoding encoding) {
    size_t (*decode)(const uint8_t *in, size_t len, uint8_t *out);
    switch (encoding) {
    case MIME_BASE64:
        decode = mime_base64_decode;
        break;
    case MIME_QUOTED_PRINTABLE:
        decode = mime_qp_decode;
        break;
    case MIME_UUENCODE:
        decode = mime_uu_decode;
        break;
    default:
        return g_bytes_new(data, len);
    }
    uint8_t *out = g_malloc(len + 1);
    size_t made = len ? decode(data, len, out) : 0;
    // Not more than a third is wasted for base64; give it back when much is.
    if (made < len / 2)
        out = g_realloc(out, made + 1);
    return g_bytes_new_take(out, made);
}

GBytes *mime_decode_body(const struct mime_message *m, const struct mime_part *part) {
    return mime_decode(m->data + part->body.pos, part->body.len, part->encoding);
}
