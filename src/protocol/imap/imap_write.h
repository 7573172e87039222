// Output of a job: gathered in one buffer, formatted by hand where there are many rows.
#pragma once

#include <string.h>

#include "protocol/imap/imap_session.h"

// Room for `n` bytes at the end of the buffer; write there, then imap_advance to the new end.
static inline char *imap_room(struct imap_session *s, size_t n) {
    GString *o = s->out;
    if (o->allocated_len - o->len <= n) {
        gsize len = o->len;
        g_string_set_size(o, len + n + o->len / 2); // grows by half at least
        o->len = len;
    }
    return o->str + o->len;
}

static inline void imap_advance(struct imap_session *s, char *end) {
    s->out->len = (gsize)(end - s->out->str);
    *end = 0;
}

// Writers into room; they return the new end.
static inline char *imap_put_text(char *out, const char *text, size_t len) {
    memcpy(out, text, len);
    return out + len;
}
#define imap_put_literal(out, text) imap_put_text(out, "" text, sizeof text - 1)
#define IMAP_NUMBER_SIZE 20
char *imap_put_u64(char *out, uint64_t v);

void imap_put(struct imap_session *s, const char *data, size_t len);
void imap_puts(struct imap_session *s, const char *text);
void imap_printf(struct imap_session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
// A string as quoted or literal, whichever its bytes allow (UTF-8 is quoted once it is enabled).
void imap_put_string(struct imap_session *s, const char *text);
// A folder's path as a mailbox name.
void imap_put_mailbox(struct imap_session *s, const char *path);
// "{n}CRLF" and the bytes; large ones go out by reference.
void imap_put_bytes(struct imap_session *s, GBytes *bytes, size_t pos, size_t len);

// Hands the buffer to the connection.
void imap_flush(struct imap_session *s);
// Whether a long answer should pause: enough was made in this step.
bool imap_output_is_full(struct imap_session *s);
