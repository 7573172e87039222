// The conversation: lines to commands by a table, replies, what may come when.
#include "protocol/pop3/session.h"

#include <string.h>

#include "base/log.h"

static const struct pop3_command commands[] = {
    {"CAPA", pop3_cmd_capa, POP3_BEFORE_LOGIN | POP3_AFTER_LOGIN | POP3_NO_ARGUMENT},
    {"USER", pop3_cmd_user, POP3_BEFORE_LOGIN},
    {"PASS", pop3_cmd_pass, POP3_BEFORE_LOGIN},
    {"AUTH", pop3_cmd_auth, POP3_BEFORE_LOGIN},
    {"STLS", pop3_cmd_stls, POP3_BEFORE_LOGIN | POP3_NO_ARGUMENT},
    {"UTF8", pop3_cmd_utf8, POP3_BEFORE_LOGIN | POP3_NO_ARGUMENT},
    {"LANG", pop3_cmd_lang, POP3_BEFORE_LOGIN | POP3_AFTER_LOGIN},
    {"QUIT", pop3_cmd_quit, POP3_BEFORE_LOGIN | POP3_AFTER_LOGIN | POP3_NO_ARGUMENT},
    {"NOOP", pop3_cmd_noop, POP3_AFTER_LOGIN | POP3_NO_ARGUMENT},
    {"STAT", pop3_cmd_stat, POP3_AFTER_LOGIN | POP3_NO_ARGUMENT},
    {"LIST", pop3_cmd_list, POP3_AFTER_LOGIN},
    {"UIDL", pop3_cmd_uidl, POP3_AFTER_LOGIN},
    {"RETR", pop3_cmd_retr, POP3_AFTER_LOGIN},
    {"TOP", pop3_cmd_top, POP3_AFTER_LOGIN},
    {"DELE", pop3_cmd_dele, POP3_AFTER_LOGIN},
    {"RSET", pop3_cmd_rset, POP3_AFTER_LOGIN | POP3_NO_ARGUMENT},
};

// --- Replies ---

void pop3_ok(struct pop3_session *s, const char *format, ...) {
    va_list args;
    g_string_append(s->out, "+OK ");
    va_start(args, format);
    g_string_append_vprintf(s->out, format, args);
    va_end(args);
    g_string_append(s->out, "\r\n");
}

enum pop3_next pop3_err(struct pop3_session *s, const char *code, const char *text) {
    g_string_append_printf(s->out, code ? "-ERR [%s] %s\r\n" : "-ERR %s%s\r\n", code ? code : "",
                           text);
    return ++s->n_errors < POP3_MAX_ERRORS ? POP3_READ : POP3_CLOSE;
}

// --- Life ---

struct pop3_session *pop3_session_new(struct pop3_service *service, const struct pop3_peer *peer,
                                      GString *out) {
    struct pop3_session *s = g_new0(struct pop3_session, 1);
    s->service = service;
    s->out = out;
    s->peer = (struct auth_peer){.address = g_strdup(peer->address),
                                 .is_tls = peer->is_tls,
                                 .is_loopback = peer->is_loopback,
                                 .protocol = DIRECTORY_POP3};
    pop3_ok(s, "%s POP3 Bourse", service->settings.hostname);
    return s;
}

void pop3_session_free(struct pop3_session *s) {
    if (!s)
        return;
    pop3_drop_close(s);
    sasl_free(s->sasl);
    principal_unref(s->who);
    g_free(s->user);
    g_free((char *)s->peer.address);
    g_free(s);
}

// [RFC 2595] 4: nothing that was said before counts.
void pop3_session_tls_started(struct pop3_session *s) {
    g_clear_pointer(&s->user, g_free);
    s->is_utf8 = false;
    s->peer.is_tls = true;
}

// --- Units ---

ssize_t pop3_session_frame(struct pop3_session *s, const uint8_t *data, size_t len) {
    // AUTH may bring a token along.
    size_t max = s->mode == POP3_COMMAND && s->mailbox ? POP3_LINE_MAX : POP3_SASL_LINE_MAX;
    const uint8_t *end = memchr(data, '\n', MIN(len, max));
    if (end)
        return end - data + 1;
    if (s->mode == POP3_SKIP_LINE)
        return (ssize_t)MIN(len, max);
    return len < max ? NET_FRAME_NEED_MORE : (ssize_t)max;
}

static enum pop3_next run_command(struct pop3_session *s, const char *line) {
    size_t len = strcspn(line, " ");
    const struct pop3_command *c = NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strlen(commands[i].name) == len &&
            g_ascii_strncasecmp(commands[i].name, line, len) == 0)
            c = &commands[i];
    if (!c)
        return pop3_err(s, NULL, "unknown command");
    if (!(c->flags & (s->mailbox ? POP3_AFTER_LOGIN : POP3_BEFORE_LOGIN)))
        return pop3_err(s, NULL, s->mailbox ? "not after login" : "log in first");
    // A password may begin and end with spaces, anything else does not ([RFC 1939] 7).
    const char *args = line + len + (line[len] != 0);
    if (c->flags & POP3_NO_ARGUMENT && args[strspn(args, " ")])
        return pop3_err(s, NULL, "this command takes no argument");
    return c->run(s, args);
}

static enum pop3_next run_line(struct pop3_session *s, const uint8_t *data, size_t len) {
    bool has_crlf = len >= 2 && data[len - 2] == '\r';
    g_autofree char *line = g_strndup((const char *)data, len - (has_crlf ? 2 : 1));
    bool is_text = strlen(line) == len - (has_crlf ? 2 : 1) && !strpbrk(line, "\r\n");
    enum pop3_next next;
    if (!is_text) {
        s->mode = POP3_COMMAND;
        sasl_free(g_steal_pointer(&s->sasl));
        next = pop3_err(s, NULL, "a line is plain text that ends with CRLF");
    } else {
        next = s->mode == POP3_SASL ? pop3_sasl_line(s, line) : run_command(s, line);
    }
    memset(line, 0, strlen(line)); // it may have been a password
    return next;
}

enum pop3_next pop3_session_unit(struct pop3_session *s, const uint8_t *data, size_t len) {
    bool is_ended = data[len - 1] == '\n';
    if (s->mode == POP3_SKIP_LINE) {
        if (is_ended)
            s->mode = POP3_COMMAND;
        return POP3_READ;
    }
    if (!is_ended) {
        s->mode = POP3_SKIP_LINE;
        sasl_free(g_steal_pointer(&s->sasl));
        return pop3_err(s, NULL, "the line is too long");
    }
    return run_line(s, data, len);
}
