// The conversation: lines to commands by a table, replies, what may come when. Commands stand in
// hello.c, login.c, envelope.c and data.c.
#include "protocol/smtp/session.h"

#include <string.h>

#include "base/log.h"
#include "protocol/smtp/smtp_errors.h"

static const struct smtp_command commands[] = {
    {"EHLO", smtp_cmd_ehlo, 0},
    {"HELO", smtp_cmd_helo, 0},
    {"MAIL", smtp_cmd_mail, SMTP_NEEDS_HELO | SMTP_NEEDS_TLS | SMTP_NO_MESSAGE},
    {"RCPT", smtp_cmd_rcpt, SMTP_NEEDS_MAIL | SMTP_NO_MESSAGE},
    {"DATA", smtp_cmd_data, SMTP_NEEDS_MAIL | SMTP_NO_MESSAGE | SMTP_NO_ARGUMENT},
    {"BDAT", smtp_cmd_bdat, 0}, // checks for itself: its bytes have to be read in any case
    {"RSET", smtp_cmd_rset, SMTP_NO_ARGUMENT},
    {"QUIT", smtp_cmd_quit, SMTP_NO_ARGUMENT},
    {"NOOP", smtp_cmd_noop, 0},
    {"STARTTLS", smtp_cmd_starttls, SMTP_NEEDS_HELO | SMTP_NO_MESSAGE | SMTP_NO_ARGUMENT},
    {"AUTH", smtp_cmd_auth, SMTP_NEEDS_HELO | SMTP_NO_MESSAGE},
    {"VRFY", smtp_cmd_vrfy, SMTP_NEEDS_TLS},
    {"EXPN", smtp_cmd_expn, SMTP_NEEDS_TLS},
    {"HELP", smtp_cmd_help, 0},
};

// --- Replies ---

static void reply_va(struct smtp_session *s, int code, const char *status, const char *format,
                     va_list args) G_GNUC_PRINTF(4, 0);
static void reply_va(struct smtp_session *s, int code, const char *status, const char *format,
                     va_list args) {
    g_string_append_printf(s->out, status ? "%d %s " : "%d ", code, status);
    g_string_append_vprintf(s->out, format, args);
    g_string_append(s->out, "\r\n");
}

void smtp_reply(struct smtp_session *s, int code, const char *status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    reply_va(s, code, status, format, args);
    va_end(args);
}

void smtp_reply_ec(struct smtp_session *s, enum ec ec) {
    const struct smtp_error *e = smtp_error(ec);
    smtp_reply(s, e->code, e->status, "%s", e->text);
}

enum smtp_next smtp_reject(struct smtp_session *s, int code, const char *status, const char *format,
                           ...) {
    va_list args;
    va_start(args, format);
    reply_va(s, code, status, format, args);
    va_end(args);
    if (++s->n_errors < s->service->settings.max_errors)
        return SMTP_READ;
    smtp_reply(s, 421, "4.7.0", "%s Too many errors", s->service->settings.hostname);
    return SMTP_CLOSE;
}

// --- Life ---

struct smtp_session *smtp_session_new(struct smtp_service *service, const struct smtp_peer *peer,
                                      GString *out) {
    struct smtp_session *s = g_new0(struct smtp_session, 1);
    s->service = service;
    s->out = out;
    s->peer = (struct auth_peer){.address = g_strdup(peer->address),
                                 .is_tls = peer->is_tls,
                                 .is_loopback = peer->is_loopback,
                                 .protocol = DIRECTORY_SMTP};
    smtp_reply(s, 220, NULL, "%s ESMTP Bourse", service->settings.hostname);
    return s;
}

void smtp_reset_transaction(struct smtp_session *s) {
    queue_spool_free(g_steal_pointer(&s->spool));
    g_clear_pointer(&s->header.bytes, g_byte_array_unref);
    g_clear_pointer(&s->recipients, g_array_unref);
    arena_free(g_steal_pointer(&s->arena));
    s->sender = NULL;
    s->n_rcpt = 0;
    s->has_message = s->is_chunked = s->is_smtputf8 = s->is_8bit = false;
    s->failed = EC_OK;
}

void smtp_session_free(struct smtp_session *s) {
    if (!s)
        return;
    smtp_reset_transaction(s);
    if (s->submission)
        smtp_submission_unref(s->submission);
    sasl_free(s->sasl);
    principal_unref(s->who);
    g_free(s->helo);
    g_free((char *)s->peer.address);
    g_free(s);
}

void smtp_session_tls_started(struct smtp_session *s) {
    smtp_reset_transaction(s);
    g_clear_pointer(&s->helo, g_free);
    g_clear_pointer(&s->who, principal_unref);
    s->is_extended = false;
    s->peer.is_tls = true;
}

bool smtp_needs_auth(const struct smtp_session *s) {
    return s->service->settings.kind == SMTP_SUBMISSION && !s->who;
}

// --- Units ---

static size_t line_max(const struct smtp_session *s, const uint8_t *data, size_t len) {
    bool is_auth = s->mode == SMTP_SASL ||
                   (len >= 5 && g_ascii_strncasecmp((const char *)data, "AUTH ", 5) == 0);
    return is_auth ? SMTP_AUTH_LINE_MAX : SMTP_LINE_MAX;
}

ssize_t smtp_session_frame(struct smtp_session *s, const uint8_t *data, size_t len) {
    const uint8_t *end;
    switch (s->mode) {
    case SMTP_DATA:
        return (ssize_t)dots_find_end(&s->dots, data, len);
    case SMTP_CHUNK:
        return (ssize_t)MIN(len, s->chunk_left);
    case SMTP_SKIP_LINE:
        end = memchr(data, '\n', len);
        return end ? end - data + 1 : (ssize_t)len;
    case SMTP_COMMAND:
    case SMTP_SASL:
        break;
    }
    size_t max = line_max(s, data, len);
    end = memchr(data, '\n', MIN(len, max));
    if (end)
        return end - data + 1;
    return len < max ? NET_FRAME_NEED_MORE : (ssize_t)max;
}

static const struct smtp_command *find_command(const char *line, size_t len) {
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strlen(commands[i].name) == len &&
            g_ascii_strncasecmp(commands[i].name, line, len) == 0)
            return &commands[i];
    return NULL;
}

static enum smtp_next run_command(struct smtp_session *s, char *line) {
    size_t len = strcspn(line, " ");
    const struct smtp_command *c = find_command(line, len);
    const char *args = g_strchomp(line + len);
    args += strspn(args, " ");
    if (!c)
        return smtp_reject(s, 500, "5.5.1", "Unrecognized command");
    const struct smtp_settings *settings = &s->service->settings;
    if (c->flags & SMTP_NO_ARGUMENT && *args)
        return smtp_reject(s, 501, "5.5.4", "%s takes no argument", c->name);
    if (c->flags & SMTP_NEEDS_HELO && !s->helo)
        return smtp_reject(s, 503, "5.5.1", "Say EHLO first");
    if (c->flags & SMTP_NEEDS_TLS && settings->needs_tls && !s->peer.is_tls)
        return smtp_reject(s, 530, "5.7.0", "Must issue a STARTTLS command first");
    if (c->flags & SMTP_NEEDS_MAIL && !s->arena)
        return smtp_reject(s, 503, "5.5.1", "Say MAIL first");
    if (c->flags & SMTP_NO_MESSAGE && s->has_message)
        return smtp_reject(s, 503, "5.5.1", "Not inside a message sent by BDAT");
    return c->run(s, args);
}

// A line with its end; `len` may be cut at the limit.
static enum smtp_next run_line(struct smtp_session *s, const uint8_t *data, size_t len) {
    if (data[len - 1] != '\n') {
        bool was_sasl = s->mode == SMTP_SASL;
        s->mode = SMTP_SKIP_LINE;
        sasl_free(g_steal_pointer(&s->sasl));
        return was_sasl ? smtp_reject(s, 500, "5.5.6", "Authentication exchange line is too long")
                        : smtp_reject(s, 500, "5.5.2", "Line too long");
    }
    // Strict about line ends here too, so that nobody can see commands where we see none.
    bool has_crlf = len >= 2 && data[len - 2] == '\r';
    g_autofree char *line = g_strndup((const char *)data, len - (has_crlf ? 2 : 1));
    if (!has_crlf || strlen(line) != len - 2 || strpbrk(line, "\r\t\v\f") != NULL) {
        sasl_free(g_steal_pointer(&s->sasl));
        s->mode = SMTP_COMMAND;
        return smtp_reject(s, 500, "5.5.2", "Lines are plain text that ends with CRLF");
    }
    return s->mode == SMTP_SASL ? smtp_sasl_line(s, line) : run_command(s, line);
}

enum smtp_next smtp_session_unit(struct smtp_session *s, const uint8_t *data, size_t len) {
    switch (s->mode) {
    case SMTP_DATA:
        return smtp_data_unit(s, data, len);
    case SMTP_CHUNK:
        return smtp_chunk_unit(s, data, len);
    case SMTP_SKIP_LINE:
        if (data[len - 1] == '\n')
            s->mode = SMTP_COMMAND;
        return SMTP_READ;
    case SMTP_COMMAND:
    case SMTP_SASL:
        break;
    }
    return run_line(s, data, len);
}
