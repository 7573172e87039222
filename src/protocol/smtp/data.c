// DATA and BDAT ([RFC 3030]): the message goes into the queue's spool piece by piece, then is
// submitted. Whatever fails on the way, the message is read to its end before it is answered, so
// that client and server agree where the next command begins.
#include <string.h>

#include "base/log.h"
#include "protocol/smtp/session.h"
#include "protocol/smtp/smtp_errors.h"
#include "transport/track.h"

static void spool(struct smtp_session *s, const void *data, size_t len) {
    if (s->failed == EC_OK && len > 0)
        s->failed = queue_spool_write(s->spool, data, len);
    if (s->failed != EC_OK) // gives the memory or the disk space back early
        queue_spool_free(g_steal_pointer(&s->spool));
}

static void spool_string(struct smtp_session *s, const GString *text) {
    spool(s, text->str, text->len);
}

// Through the header's filter. A message that went round often enough goes no further.
static void spool_filtered(struct smtp_session *s, const uint8_t *data, size_t len) {
    if (smtp_filter_is_over(&s->filter)) {
        spool(s, data, len);
        return;
    }
    g_autoptr(GByteArray) kept = g_byte_array_sized_new((guint)len);
    smtp_filter_feed(&s->filter, data, len, kept);
    if (s->failed == EC_OK &&
        (s->filter.n_received > SMTP_RECEIVED_MAX || s->filter.n_own > SMTP_OWN_RECEIVED_MAX))
        s->failed = EC_LOOP_DETECTED;
    spool(s, kept->data, kept->len);
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
    spool_filtered(s, header->data, header->len);
}

static void spool_message(struct smtp_session *s, const GByteArray *bytes) {
    if (!s->header.bytes) {
        spool_filtered(s, bytes->data, bytes->len);
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
    s->dots = dots(!is_chunked, s->who != NULL && !s->is_binary);
    struct smtp_filter_rules rules = {
        .hostname = s->service->settings.hostname,
        .is_submitted = s->who != NULL,
        .removes_verdicts = s->who || !net_networks_have(s->rules->limits.trusted, s->peer.address),
    };
    s->filter = smtp_filter(&rules);
    s->failed = queue_spool_new(s->service->queue, &s->spool);
    if (s->failed != EC_OK)
        return;
    g_strlcpy(s->queue_id, queue_spool_id(s->spool), sizeof s->queue_id);
    g_autoptr(GString) received = g_string_new(NULL);
    smtp_put_received(s, received);
    s->received_len = received->len;
    queue_spool_limit(s->spool, s->max_size + received->len);
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

static void answer(struct smtp_session *s, enum ec ec) {
    if (ec == EC_OK) {
        char text[sizeof "Ok: queued as " + QUEUE_ID_SIZE];
        g_snprintf(text, sizeof text, "Ok: queued as %s", s->queue_id);
        smtp_reply_message(s, 250, "2.0.0", text);
        return;
    }
    log_event(LOG_LEVEL_WARNING, "smtp.refused", "queue", s->queue_id, "peer", s->peer.address,
              "reason", ec_name(ec), NULL);
    const struct smtp_error *e = smtp_error(ec);
    smtp_reply_message(s, e->code, e->status, e->text);
}

// The message is refused for what it is.
static enum smtp_next reject_message(struct smtp_session *s, int code, const char *status,
                                     const char *text) {
    unsigned n = s->n_answers;
    smtp_reset_transaction(s);
    for (unsigned i = 1; i < n; i++)
        smtp_reply(s, code, status, "%s", text);
    return smtp_reject(s, code, status, "%s", text);
}

static struct queue_envelope make_envelope(const struct smtp_session *s) {
    const struct policy_verdict *verdict = s->check ? smtp_check_verdict(s->check) : NULL;
    return (struct queue_envelope){
        .sender = s->sender,
        .recipients = (const struct queue_recipient *)(const void *)s->recipients->data,
        .n_recipients = s->recipients->len,
        .helo = s->helo,
        .peer = s->peer.address,
        .auth = s->who ? s->who->address : NULL,
        .is_smtputf8 = s->is_smtputf8,
        .is_8bit = s->is_8bit,
        .is_binary = s->is_binary,
        .requires_tls = s->requires_tls,
        .envid = s->envid,
        .ret = s->ret,
        .hold_until = s->hold_until,
        .fields = verdict && verdict->fields && *verdict->fields ? verdict->fields : NULL,
        // What users submit was written by one of us.
        .scl = verdict  ? verdict->scl
               : s->who ? -1
                        : QUEUE_SCL_NONE,
        .pcl = verdict ? verdict->pcl : 0,
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
        answer(s, ec);
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
        answer(s, ec);
        return SMTP_READ;
    }
    s->submission = submission;
    return SMTP_WAIT;
}

enum smtp_next smtp_check_done(struct smtp_session *s) {
    if (s->failed != EC_OK) {
        answer(s, s->failed);
        smtp_reset_transaction(s);
        return SMTP_READ;
    }
    const struct policy_verdict *v = smtp_check_verdict(s->check);
    if (v->action == POLICY_ACCEPT)
        return submit(s);
    bool is_rejected = v->action == POLICY_REJECT;
    g_autofree char *text = g_strdup(v->text ? v->text : "Refused by policy");
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    log_event(LOG_LEVEL_INFO, is_rejected ? "smtp.policy_rejected" : "smtp.policy_deferred",
              "queue", s->queue_id, "peer", s->peer.address, "sender", s->sender, "reason", text,
              NULL);
    track_event(&(struct track_event){.kind = TRACK_POLICY,
                                      .queue_id = s->queue_id,
                                      .sender = s->sender,
                                      .client = s->peer.address,
                                      .status = v->status     ? v->status
                                                : is_rejected ? "5.7.1"
                                                              : "4.7.1",
                                      .detail = text});
    smtp_reply_message(s, is_rejected ? 550 : 451,
                       v->status     ? v->status
                       : is_rejected ? "5.7.1"
                                     : "4.7.1",
                       text);
    smtp_reset_transaction(s);
    return SMTP_READ;
}

enum smtp_next smtp_session_submitted(struct smtp_session *s) {
    if (s->check)
        return smtp_check_is_done(s->check) ? smtp_check_done(s) : SMTP_WAIT;
    if (!s->submission)
        return SMTP_READ;
    if (!__atomic_load_n(&s->submission->is_done, __ATOMIC_ACQUIRE))
        return SMTP_WAIT;
    enum ec ec = s->submission->result;
    smtp_submission_unref(g_steal_pointer(&s->submission));
    answer(s, ec);
    return SMTP_READ;
}

static void flush_filter(struct smtp_session *s) {
    g_autoptr(GByteArray) rest = g_byte_array_new();
    smtp_filter_finish(&s->filter, rest);
    spool(s, rest->data, rest->len);
}

static enum smtp_next end_message(struct smtp_session *s) {
    s->n_answers = s->service->settings.kind == SMTP_LMTP ? s->recipients->len : 1;
    if (s->header.bytes)
        flush_header(s, false);
    flush_filter(s);
    if (s->failed == EC_OK && s->dots.has_nul && !s->is_binary)
        return reject_message(s, 554, "5.6.0", "NUL bytes are not allowed in a message");
    if (s->failed == EC_OK && s->dots.has_bare && !s->dots.fixes_lines && !s->is_binary) {
        const struct smtp_error *e = smtp_error(EC_CORRUPT_DATA);
        log_event(LOG_LEVEL_INFO, "smtp.bare_newline", "peer", s->peer.address, NULL);
        return reject_message(s, e->code, e->status, e->text);
    }
    if (s->failed != EC_OK) {
        answer(s, s->failed);
        smtp_reset_transaction(s);
        return SMTP_READ;
    }
    return smtp_wants_check(s) ? smtp_check_start(s) : submit(s);
}

// --- DATA ---

enum smtp_next smtp_cmd_data(struct smtp_session *s, const char *args) {
    if (s->recipients->len == 0) // [RFC 2033] 4.2 wants 503
        return smtp_reject(s, s->service->settings.kind == SMTP_LMTP ? 503 : 554, "5.5.1",
                           "No valid recipients");
    if (s->is_binary) // [RFC 3030] 3
        return smtp_reject(s, 503, "5.5.1", "BINARYMIME needs BDAT");
    begin_message(s, false);
    if (s->failed != EC_OK) {
        s->n_answers = 1;
        answer(s, s->failed);
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
        s->n_answers = 1;
        answer(s, s->failed);
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
    // What cannot fit is read, as it must be, but goes nowhere.
    if (s->spool &&
        size > s->max_size - MIN(s->max_size, queue_spool_size(s->spool) - s->received_len)) {
        s->failed = EC_MESSAGE_TOO_BIG;
        spool(s, NULL, 0);
    }
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
