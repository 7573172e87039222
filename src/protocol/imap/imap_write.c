// The only file that writes to the connection.
#include "protocol/imap/imap_write.h"

#include <stdarg.h>
#include <stdio.h>

#include "protocol/imap/imap_utf7.h"

char *imap_put_u64(char *out, uint64_t v) {
    char digits[IMAP_NUMBER_SIZE];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

void imap_put(struct imap_session *s, const char *data, size_t len) {
    imap_advance(s, imap_put_text(imap_room(s, len), data, len));
}

void imap_puts(struct imap_session *s, const char *text) {
    imap_put(s, text, strlen(text));
}

void imap_printf(struct imap_session *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(s->out, format, args);
    va_end(args);
}

void imap_put_string(struct imap_session *s, const char *text) {
    bool can_quote = true, allows_utf8 = s->is_utf8 && g_utf8_validate(text, -1, NULL);
    size_t len = 0;
    for (; text[len]; len++) {
        unsigned char c = (unsigned char)text[len];
        can_quote = can_quote && c >= 0x20 && c != 0x7f && (c < 0x80 || allows_utf8);
    }
    if (!can_quote) {
        imap_printf(s, "{%zu}\r\n", len);
        imap_put(s, text, len);
        return;
    }
    char *out = imap_room(s, len * 2 + 2);
    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            *out++ = '\\';
        *out++ = text[i];
    }
    *out++ = '"';
    imap_advance(s, out);
}

// What every client reads without quotes; anything else is quoted.
static bool is_plain_atom(const char *name) {
    for (const char *c = name; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("-_./&,+", *c))
            return false;
    return *name && g_ascii_strcasecmp(name, "NIL") != 0;
}

void imap_put_mailbox(struct imap_session *s, const char *path) {
    ARENA_AUTO arena = arena_new();
    const char *name = s->is_utf8 ? path : imap_utf7_encode(arena, path);
    if (is_plain_atom(name))
        imap_puts(s, name);
    else
        imap_put_string(s, name);
}

void imap_put_bytes(struct imap_session *s, GBytes *bytes, size_t pos, size_t len) {
    char *out = imap_room(s, IMAP_NUMBER_SIZE + 4);
    *out++ = '{';
    out = imap_put_u64(out, len);
    imap_advance(s, imap_put_literal(out, "}\r\n"));
    if (len < IMAP_BY_REFERENCE || !s->conn) {
        if (len > 0)
            imap_put(s, (const char *)g_bytes_get_data(bytes, NULL) + pos, len);
        return;
    }
    imap_flush(s);
    if (pos == 0 && len == g_bytes_get_size(bytes)) {
        net_write_bytes(s->conn, bytes);
    } else {
        g_autoptr(GBytes) piece = g_bytes_new_from_bytes(bytes, pos, len);
        net_write_bytes(s->conn, piece);
    }
}

void imap_flush(struct imap_session *s) {
    if (s->out->len > 0 && s->conn)
        net_write(s->conn, s->out->str, s->out->len);
    else if (s->capture)
        g_string_append_len(s->capture, s->out->str, (gssize)s->out->len);
    g_string_truncate(s->out, 0);
}

bool imap_output_is_full(struct imap_session *s) {
    if (s->out->len >= IMAP_OUT_FLUSH)
        imap_flush(s);
    return s->conn && net_output_pending(s->conn) >= IMAP_STEP_OUTPUT;
}
