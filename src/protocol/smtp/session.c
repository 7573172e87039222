// The conversation: lines to commands by a table, replies, what may come when. Commands stand in
// hello.c, login.c, envelope.c and data.c.
#include "protocol/smtp/session.h"

#include <string.h>

#include "base/log.h"
#include "protocol/smtp/smtp_errors.h"

static const struct smtp_command commands[] = {
    {"EHLO", smtp_cmd_ehlo, SMTP_NOT_LMTP},
    {"HELO", smtp_cmd_helo, SMTP_NOT_LMTP},
    {"LHLO", smtp_cmd_lhlo, SMTP_ONLY_LMTP},
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
    {"ETRN", smtp_cmd_etrn, 0},
    {"HELP", smtp_cmd_help, 0},
    {"XCLIENT", smtp_cmd_xclient, SMTP_NO_MESSAGE},
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

void smtp_reply_message(struct smtp_session *s, int code, const char *status, const char *text) {
    for (unsigned i = 0; i < s->n_answers; i++)
        smtp_reply(s, code, status, "%s", text);
}

void smtp_note_misuse(struct smtp_session *s) {
    const struct smtp_limits *l = &s->rules->limits;
    if (s->n_errors + s->n_unknown > l->tarpit_after && l->tarpit_seconds > 0 && !s->is_exempt)
        s->is_slowed = true;
}

enum smtp_next smtp_reject(struct smtp_session *s, int code, const char *status, const char *format,
                           ...) {
    va_list args;
    va_start(args, format);
    reply_va(s, code, status, format, args);
    va_end(args);
    s->n_errors++;
    smtp_note_misuse(s);
    if (s->n_errors < s->rules->limits.max_errors)
        return SMTP_READ;
    smtp_reply(s, 421, "4.7.0", "%s Too many errors", s->service->settings.hostname);
    return SMTP_CLOSE;
}

// --- Life ---

static struct smtp_rules *get_rules(struct smtp_service *service) {
    pthread_mutex_lock(&service->lock);
    struct smtp_rules *rules = service->rules;
    __atomic_add_fetch(&rules->refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&service->lock);
    return rules;
}

void smtp_renew_rules(struct smtp_session *s) {
    struct smtp_rules *old = s->rules;
    s->rules = get_rules(s->service);
    smtp_rules_unref(old);
}

bool smtp_take_rate(struct smtp_session *s, enum smtp_rate what, unsigned limit) {
    bool is_user = what == SMTP_RATE_USER_MESSAGES || what == SMTP_RATE_USER_RECIPIENTS;
    struct smtp_rates *rates = s->service->settings.rates;
    if (!rates || limit == 0 || (is_user ? !s->who : s->is_exempt))
        return true;
    const char *key = is_user ? s->who->address : s->peer.address;
    if (smtp_rates_take(rates, what, key, limit, g_get_monotonic_time()))
        return true;
    log_event(LOG_LEVEL_WARNING, "smtp.rate_exceeded", "of", key, "limit", log_u64(limit), "peer",
              s->peer.address, NULL);
    return false;
}

void smtp_set_peer(struct smtp_session *s, const char *address) {
    g_free((char *)s->peer.address);
    s->peer.address = g_strdup(address);
    s->peer.is_loopback = net_text_is_loopback(address);
    s->is_exempt =
        s->peer.is_loopback || net_networks_have(s->rules->limits.trusted, s->peer.address);
}

void smtp_greet(struct smtp_session *s) {
    const struct smtp_settings *settings = &s->service->settings;
    s->is_refused = true;
    if (settings->kind == SMTP_LMTP && !s->is_exempt && !s->may_xclient) {
        smtp_reply(s, 554, "5.7.1", "%s LMTP is for trusted networks", settings->hostname);
        return;
    }
    if (!smtp_take_rate(s, SMTP_RATE_CONNECTIONS, s->rules->limits.connections_per_minute)) {
        smtp_reply(s, 421, "4.7.0", "%s Too many connections from your address, try again later",
                   settings->hostname);
        return;
    }
    s->is_refused = false;
    smtp_reply(s, 220, NULL, "%s %s Bourse", settings->hostname,
               settings->kind == SMTP_LMTP ? "LMTP" : "ESMTP");
}

struct smtp_session *smtp_session_new(struct smtp_service *service, const struct smtp_peer *peer,
                                      GString *out) {
    struct smtp_session *s = g_new0(struct smtp_session, 1);
    s->service = service;
    s->out = out;
    s->rules = get_rules(service);
    s->peer = (struct auth_peer){.is_tls = peer->is_tls, .protocol = DIRECTORY_SMTP};
    smtp_set_peer(s, peer->address);
    s->peer.is_loopback = peer->is_loopback;
    s->may_xclient = net_networks_have(s->rules->limits.trusted, peer->address);
    smtp_greet(s);
    return s;
}

void smtp_reset_transaction(struct smtp_session *s) {
    queue_spool_free(g_steal_pointer(&s->spool));
    smtp_filter_clear(&s->filter);
    smtp_check_unref(g_steal_pointer(&s->check));
    g_clear_pointer(&s->header.bytes, g_byte_array_unref);
    g_clear_pointer(&s->recipients, g_array_unref);
    arena_free(g_steal_pointer(&s->arena));
    s->sender = s->envid = s->ret = NULL;
    s->n_rcpt = 0;
    s->size = 0;
    s->hold_until = 0;
    s->has_message = s->is_chunked = false;
    s->is_smtputf8 = s->is_8bit = s->is_binary = s->requires_tls = false;
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
    smtp_rules_unref(s->rules);
    g_free(s->helo);
    g_free(s->client_name);
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
    unsigned forbidden = s->service->settings.kind == SMTP_LMTP ? SMTP_NOT_LMTP : SMTP_ONLY_LMTP;
    if (!c || c->flags & forbidden)
        return smtp_reject(s, 500, "5.5.1", "Unrecognized command");
    const struct smtp_settings *settings = &s->service->settings;
    if (c->flags & SMTP_NO_ARGUMENT && *args)
        return smtp_reject(s, 501, "5.5.4", "%s takes no argument", c->name);
    if (c->flags & SMTP_NEEDS_HELO && !s->helo)
        return smtp_reject(s, 503, "5.5.1", "Say %s first",
                           settings->kind == SMTP_LMTP ? "LHLO" : "EHLO");
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

static enum smtp_next run_unit(struct smtp_session *s, const uint8_t *data, size_t len) {
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

enum smtp_next smtp_session_unit(struct smtp_session *s, const uint8_t *data, size_t len) {
    s->is_slowed = false;
    enum smtp_next next = run_unit(s, data, len);
    return next == SMTP_READ && s->is_slowed ? SMTP_DELAY : next;
}
