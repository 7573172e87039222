// EHLO and HELO, and the commands that change nothing.
#include <string.h>

#include "protocol/smtp/session.h"

// A name, an address literal, or whatever else clients send: printable and not too long.
static bool is_good_name(const char *name) {
    size_t len = strlen(name);
    if (len == 0 || len > SMTP_DOMAIN_MAX || !g_utf8_validate(name, -1, NULL))
        return false;
    for (; *name; name++)
        if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr("()<>\"\\;,", *name))
            return false;
    return true;
}

static bool greet(struct smtp_session *s, const char *name) {
    if (!is_good_name(name))
        return false;
    smtp_reset_transaction(s);
    g_free(s->helo);
    s->helo = g_strdup(name);
    return true;
}

enum smtp_next smtp_cmd_ehlo(struct smtp_session *s, const char *args) {
    const struct smtp_settings *settings = &s->service->settings;
    if (!greet(s, args))
        return smtp_reject(s, 501, "5.5.4", "EHLO needs your name");
    s->is_extended = true;
    g_string_append_printf(s->out,
                           "250-%s\r\n250-PIPELINING\r\n250-SIZE %" G_GUINT64_FORMAT
                           "\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n",
                           settings->hostname, (guint64)settings->max_size);
    if (settings->has_tls && !s->peer.is_tls)
        g_string_append(s->out, "250-STARTTLS\r\n");
    const char *mechanisms = s->who ? "" : sasl_mechanisms(s->service->auth, &s->peer);
    if (*mechanisms)
        g_string_append_printf(s->out, "250-AUTH %s\r\n", mechanisms);
    g_string_append(s->out, "250-HELP\r\n250 CHUNKING\r\n");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_helo(struct smtp_session *s, const char *args) {
    if (!greet(s, args))
        return smtp_reject(s, 501, "5.5.4", "HELO needs your name");
    s->is_extended = false;
    smtp_reply(s, 250, NULL, "%s", s->service->settings.hostname);
    return SMTP_READ;
}

enum smtp_next smtp_cmd_noop(struct smtp_session *s, const char *args) {
    smtp_reply(s, 250, "2.0.0", "Ok");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_rset(struct smtp_session *s, const char *args) {
    smtp_reset_transaction(s);
    smtp_reply(s, 250, "2.0.0", "Ok");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_quit(struct smtp_session *s, const char *args) {
    smtp_reply(s, 221, "2.0.0", "%s Bye", s->service->settings.hostname);
    return SMTP_CLOSE;
}

enum smtp_next smtp_cmd_help(struct smtp_session *s, const char *args) {
    smtp_reply(s, 214, "2.0.0",
               "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT STARTTLS AUTH VRFY EXPN HELP");
    return SMTP_READ;
}

// Who exists is told at RCPT only ([RFC 5321] 7.3).
enum smtp_next smtp_cmd_vrfy(struct smtp_session *s, const char *args) {
    if (!*args)
        return smtp_reject(s, 501, "5.5.4", "VRFY needs an address");
    smtp_reply(s, 252, "2.1.5", "Cannot verify, but mail will be taken if it can be delivered");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_expn(struct smtp_session *s, const char *args) {
    return smtp_reject(s, 502, "5.5.1", "Lists are not shown");
}
