// RETR and TOP: messages go out in steps, so that a slow reader holds no worker and no copy of the
// whole with its dots.
#include <string.h>

#include "protocol/pop3/session.h"

void pop3_sending_end(struct pop3_session *s) {
    g_clear_pointer(&s->sending.mime, g_bytes_unref);
}

// Lines end with CRLF on the wire ([RFC 1939] 3); a message that came in otherwise is corrected on
// its way, and lines that begin with a dot get another one.
static void put_piece(struct pop3_session *s, const char *data, size_t len) {
    struct pop3_sending *out = &s->sending;
    const char *end = data + len;
    while (data < end) {
        const char *nl = memchr(data, '\n', (size_t)(end - data));
        const char *line_end = nl ? nl : end;
        if (out->at_line_start && *data == '.')
            g_string_append_c(s->out, '.');
        size_t n = (size_t)(line_end - data);
        g_string_append_len(s->out, data, (gssize)n);
        out->at_line_start = nl != NULL;
        if (!nl)
            return;
        if (n > 0 ? data[n - 1] != '\r' : s->out->len == 0 || s->out->str[s->out->len - 1] != '\r')
            g_string_append_c(s->out, '\r');
        g_string_append_c(s->out, '\n');
        data = nl + 1;
    }
}

enum pop3_next pop3_session_resume(struct pop3_session *s) {
    struct pop3_sending *out = &s->sending;
    if (!out->mime)
        return POP3_READ;
    const char *data = g_bytes_get_data(out->mime, NULL);
    size_t len = MIN(out->end - out->pos, (size_t)POP3_STEP_BYTES);
    // A piece does not end between CR and LF, so that put_piece sees both.
    if (out->pos + len < out->end && len > 1 && data[out->pos + len - 1] == '\r')
        len--;
    put_piece(s, data + out->pos, len);
    out->pos += len;
    if (out->pos < out->end)
        return POP3_MORE;
    g_string_append(s->out, out->at_line_start ? ".\r\n" : "\r\n.\r\n");
    pop3_sending_end(s);
    return POP3_READ;
}

// --- Reading, ahead of who fetches in order ---

void pop3_ahead_end(struct pop3_session *s) {
    for (unsigned i = 0; i < s->ahead.n; i++)
        g_clear_pointer(&s->ahead.mimes[i], g_bytes_unref);
    s->ahead.n = 0;
}

static GBytes *take_ahead(struct pop3_session *s) {
    struct pop3_ahead *a = &s->ahead;
    if (a->n == 0)
        return NULL;
    GBytes *mime = a->mimes[0];
    a->n--;
    memmove(a->mimes, a->mimes + 1, a->n * sizeof *a->mimes);
    return mime;
}

static enum ec read_one(struct mailbox_reader *reader, const struct pop3_item *item, GBytes **out) {
    struct message_row row = {.uid = item->uid, .mid = item->mid};
    EC_TRY(mailbox_reader_at(reader, &row));
    return mailbox_read_mime(reader, item->mid, out);
}

// The items after `index`; what cannot be read is asked for again when its turn comes.
static void read_ahead(struct pop3_session *s, struct mailbox_reader *reader, unsigned index) {
    struct pop3_ahead *a = &s->ahead;
    uint64_t bytes = 0;
    for (unsigned i = index + 1; i < s->n && a->n < POP3_AHEAD_MESSAGES; i++) {
        const struct pop3_item *item = &s->items[i];
        bytes += item->size;
        if (bytes > POP3_AHEAD_BYTES)
            return;
        a->mimes[a->n] = NULL;
        if (!item->is_deleted && read_one(reader, item, &a->mimes[a->n]) != EC_OK)
            return;
        a->n++;
    }
}

static enum ec read_message(struct pop3_session *s, const struct pop3_item *item, GBytes **out) {
    unsigned index = (unsigned)(item - s->items);
    bool is_next = index > 0 && index == s->ahead.next;
    if (is_next && (*out = take_ahead(s))) {
        s->ahead.next = index + 1;
        return EC_OK;
    }
    pop3_ahead_end(s);
    s->ahead.next = index + 1;
    struct mailbox_reader *reader;
    EC_TRY(mailbox_reader_open(s->mailbox, s->fid, &reader));
    enum ec ec = read_one(reader, item, out);
    if (ec == EC_OK && is_next)
        read_ahead(s, reader, index);
    mailbox_reader_close(reader);
    return ec;
}

// Where the header and `lines` lines of the body end.
static size_t top_end(const char *data, size_t len, unsigned long lines) {
    size_t pos = 0;
    bool in_body = false;
    while (pos < len) {
        if (in_body && lines-- == 0)
            return pos;
        const char *nl = memchr(data + pos, '\n', len - pos);
        size_t next = nl ? (size_t)(nl - data) + 1 : len;
        size_t line = next - pos;
        bool is_empty = nl && (line == 1 || (line == 2 && data[pos] == '\r'));
        in_body |= is_empty;
        pos = next;
    }
    return len;
}

static enum pop3_next send_message(struct pop3_session *s, const struct pop3_item *item,
                                   bool is_whole, unsigned long lines) {
    GBytes *mime;
    enum ec ec = read_message(s, item, &mime);
    if (ec == EC_NOT_FOUND)
        return pop3_err(s, NULL, "the message was deleted by another client");
    if (ec != EC_OK)
        return pop3_err_ec(s, ec);
    size_t len;
    const char *data = g_bytes_get_data(mime, &len);
    s->sending = (struct pop3_sending){
        .mime = mime, .end = is_whole ? len : top_end(data, len, lines), .at_line_start = true};
    if (is_whole)
        pop3_ok(s, "%" G_GSIZE_FORMAT " octets", len);
    else
        pop3_ok(s, "top of message follows");
    return pop3_session_resume(s);
}

enum pop3_next pop3_cmd_retr(struct pop3_session *s, const char *args) {
    enum pop3_next next = POP3_READ;
    struct pop3_item *item = pop3_item(s, &args, &next);
    if (!item)
        return next;
    if (*args)
        return pop3_err(s, NULL, "one message number is wanted");
    item->is_fetched = true;
    return send_message(s, item, true, 0);
}

enum pop3_next pop3_cmd_top(struct pop3_session *s, const char *args) {
    enum pop3_next next = POP3_READ;
    const struct pop3_item *item = pop3_item(s, &args, &next);
    if (!item)
        return next;
    char *end;
    if (!g_ascii_isdigit(*args))
        return pop3_err(s, NULL, "TOP needs a number of lines");
    unsigned long lines = (unsigned long)g_ascii_strtoull(args, &end, 10);
    if (end[strspn(end, " ")])
        return pop3_err(s, NULL, "TOP needs a number of lines");
    return send_message(s, item, false, lines);
}
