// DATA and BDAT ([RFC 3030]): the message goes into the queue's spool piece by piece, then is
// submitted. Whatever fails on the way, the message is read to its end before it is answered, so
// that client and server agree where the next command begins.
#include <string.h>

#include "base/log.h"
#include "protocol/smtp/session.h"
#include "protocol/smtp/smtp_errors.h"

static void spool(struct smtp_session *s, const void *data, size_t len) {
    if (s->failed == EC_OK && len > 0)
        s->failed = queue_spool_write(s->spool, data, len);
    if (s->failed != EC_OK) // gives the memory or the disk space back early
        queue_spool_free(g_steal_pointer(&s->spool));
}

static void spool_string(struct smtp_session *s, const GString *text) {
    spool(s, text->str, text->len);
}

// Writes what was collected of a submitted message's header, with the fields that it lacks.
static void flush_header(struct smtp_session *s, bool is_empty) {
    g_autoptr(GByteArray) header = g_steal_pointer(&s->header.bytes);
    g_autoptr(GString) missing = g_string_new(NULL);
    bool is_complete = header->len <= SMTP_HEADER_MAX;
    if (s->failed == EC_OK) {
        s->failed = smtp_check_header(s, header->data, header->len, is_complete, missing);
        spool(s, NULL, 0); // gives the spool back when it failed
    }
    smtp_put_missing(s, header->data, header->len, missing);
    if (is_empty)
        g_string_append(missing, "\r\n");
    spool_string(s, missing);
    spool(s, header->data, header->len);
}

static void spool_message(struct smtp_session *s, const GByteArray *bytes) {
    if (!s->header.bytes) {
        spool(s, bytes->data, bytes->len);
        return;
    }
    g_byte_array_append(s->header.bytes, bytes->data, bytes->len);
    bool is_empty = false;
    if (smtp_header_end(s->header.bytes->data, s->header.bytes->len, &is_empty) > 0 || is_empty ||
        s->header.bytes->len > SMTP_HEADER_MAX)
        flush_header(s, is_empty);
}

// Opens the spool. A failure is kept for the end, except that DATA can answer it at once.
static void begin_message(struct smtp_session *s, bool is_chunked) {
    s->has_message = true;
    s->is_chunked = is_chunked;
    s->dots = dots(!is_chunked, s->who != NULL);
    s->failed = queue_spool_new(s->service->queue, &s->spool);
    if (s->failed != EC_OK)
        return;
    g_strlcpy(s->queue_id, queue_spool_id(s->spool), sizeof s->queue_id);
    g_autoptr(GString) received = g_string_new(NULL);
    smtp_put_received(s, received);
    queue_spool_limit(s->spool, s->service->settings.max_size + received->len);
    spool_string(s, received);
    if (s->who)
        s->header.bytes = g_byte_array_new();
}

// --- The end of a message ---

void smtp_submission_unref(struct smtp_submission *submission) {
    if (__atomic_sub_fetch(&submission->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    submission->unref(submission->ctx);
    g_free(submission);
}

// On the queue's thread.
static void on_durable(void *ctx, enum ec result) {
    struct smtp_submission *submission = ctx;
    submission->result = result;
    __atomic_store_n(&submission->is_done, 1, __ATOMIC_RELEASE);
    submission->wake(submission->ctx);
    smtp_submission_unref(submission);
}

static void answer(struct smtp_session *s, enum ec ec, const struct queue_envelope *envelope) {
    if (ec == EC_OK) {
        smtp_reply(s, 250, "2.0.0", "Ok: queued as %s", s->queue_id);
        return;
    }
    log_event(LOG_LEVEL_WARNING, "smtp.refused", "queue", s->queue_id, "peer", s->peer.address,
              "reason", ec_name(ec), NULL);
    smtp_reply_ec(s, ec);
}

static struct queue_envelope make_envelope(const struct smtp_session *s) {
    return (struct queue_envelope){
        .sender = s->sender,
        .recipients = (const struct queue_recipient *)(const void *)s->recipients->data,
        .n_recipients = s->recipients->len,
        .helo = s->helo,
        .peer = s->peer.address,
        .auth = s->who ? s->who->address : NULL,
        .is_smtputf8 = s->is_smtputf8,
        .is_8bit = s->is_8bit,
    };
}

static enum smtp_next submit(struct smtp_session *s) {
    struct queue_envelope envelope = make_envelope(s);
    log_event(LOG_LEVEL_INFO, "smtp.message", "queue", s->queue_id, "peer", s->peer.address,
              "sender", s->sender, "recipients", log_u64(envelope.n_recipients), "size",
              log_u64(queue_spool_size(s->spool)), NULL);
    if (!s->wake) {
        enum ec ec = queue_submit_take(s->service->queue, &envelope, g_steal_pointer(&s->spool),
                                       s->queue_id);
        answer(s, ec, &envelope);
        smtp_reset_transaction(s);
        return SMTP_READ;
    }
    struct smtp_submission *submission = g_new0(struct smtp_submission, 1);
    submission->refs = 2;
    submission->wake = s->wake;
    submission->unref = s->wake_unref;
    submission->ctx = s->wake_ref(s->wake_ctx);
    enum ec ec = queue_submit_async_take(s->service->queue, &envelope, g_steal_pointer(&s->spool),
                                         on_durable, submission);
    smtp_reset_transaction(s);
    if (ec != EC_OK) {
        submission->refs = 1;
        smtp_submission_unref(submission);
        answer(s, ec, NULL);
        return SMTP_READ;
    }
    s->submission = submission;
    return SMTP_WAIT;
}

enum smtp_next smtp_session_submitted(struct smtp_session *s) {
    if (!s->submission)
        return SMTP_READ;
    if (!__atomic_load_n(&s->submission->is_done, __ATOMIC_ACQUIRE))
        return SMTP_WAIT;
    enum ec ec = s->submission->result;
    smtp_submission_unref(g_steal_pointer(&s->submission));
    answer(s, ec, NULL);
    return SMTP_READ;
}

static enum smtp_next end_message(struct smtp_session *s) {
    if (s->header.bytes)
        flush_header(s, false);
    if (s->failed == EC_OK && s->dots.has_nul) {
        smtp_reset_transaction(s);
        return smtp_reject(s, 554, "5.6.0", "NUL bytes are not allowed in a message");
    }
    if (s->failed == EC_OK && s->dots.has_bare && !s->dots.fixes_lines) {
        const struct smtp_error *e = smtp_error(EC_CORRUPT_DATA);
        log_event(LOG_LEVEL_INFO, "smtp.bare_newline", "peer", s->peer.address, NULL);
        smtp_reset_transaction(s);
        return smtp_reject(s, e->code, e->status, "%s", e->text);
    }
    if (s->failed != EC_OK) {
        answer(s, s->failed, NULL);
        smtp_reset_transaction(s);
        return SMTP_READ;
    }
    return submit(s);
}

// --- DATA ---

enum smtp_next smtp_cmd_data(struct smtp_session *s, const char *args) {
    if (s->recipients->len == 0)
        return smtp_reject(s, 554, "5.5.1", "No valid recipients");
    begin_message(s, false);
    if (s->failed != EC_OK) {
        answer(s, s->failed, NULL);
        smtp_reset_transaction(s);
        return SMTP_READ;
    }
    s->mode = SMTP_DATA;
    smtp_reply(s, 354, NULL, "End data with <CR><LF>.<CR><LF>");
    return SMTP_READ;
}

static void decode(struct smtp_session *s, const uint8_t *data, size_t len) {
    g_autoptr(GByteArray) bytes = g_byte_array_sized_new((guint)len);
    dots_decode(&s->dots, data, len, bytes);
    spool_message(s, bytes);
}

enum smtp_next smtp_data_unit(struct smtp_session *s, const uint8_t *data, size_t len) {
    decode(s, data, len);
    if (s->dots.state != DOTS_END)
        return SMTP_READ;
    s->mode = SMTP_COMMAND;
    return end_message(s);
}

// --- BDAT ---

static enum smtp_next end_chunk(struct smtp_session *s) {
    s->mode = SMTP_COMMAND;
    if (!s->arena)
        return smtp_reject(s, 503, "5.5.1", "Say MAIL first");
    if (s->recipients->len == 0) {
        smtp_reset_transaction(s);
        return smtp_reject(s, 554, "5.5.1", "No valid recipients");
    }
    if (!s->is_last_chunk && s->failed == EC_OK) {
        smtp_reply(s, 250, "2.0.0", "Chunk received");
        return SMTP_READ;
    }
    if (!s->is_last_chunk) { // the message fails now; what follows needs a new MAIL
        answer(s, s->failed, NULL);
        smtp_reset_transaction(s);
        return SMTP_READ;
    }
    g_autoptr(GByteArray) rest = g_byte_array_new();
    dots_finish(&s->dots, rest);
    spool_message(s, rest);
    return end_message(s);
}

enum smtp_next smtp_cmd_bdat(struct smtp_session *s, const char *args) {
    g_auto(GStrv) words = g_strsplit(args, " ", 3);
    unsigned n = g_strv_length(words);
    guint64 size;
    bool is_last = n == 2 && g_ascii_strcasecmp(words[1], "LAST") == 0;
    // Without a size nobody knows where the next command begins.
    if (n == 0 || (n > 1 && !is_last) ||
        !g_ascii_string_to_unsigned(words[0], 10, 0, G_MAXINT64, &size, NULL)) {
        smtp_reject(s, 501, "5.5.4", "Syntax: BDAT size [LAST]");
        return SMTP_CLOSE;
    }
    if (s->arena && s->recipients->len > 0 && !s->has_message)
        begin_message(s, true);
    s->is_last_chunk = is_last;
    s->chunk_left = size;
    s->mode = SMTP_CHUNK;
    return size == 0 ? end_chunk(s) : SMTP_READ;
}

enum smtp_next smtp_chunk_unit(struct smtp_session *s, const uint8_t *data, size_t len) {
    s->chunk_left -= len;
    if (s->has_message)
        decode(s, data, len);
    return s->chunk_left == 0 ? end_chunk(s) : SMTP_READ;
}
