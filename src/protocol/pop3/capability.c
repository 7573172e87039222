// CAPA ([RFC 2449]), LANG and UTF8 ([RFC 6856]).
#include <string.h>

#include "protocol/pop3/session.h"

enum pop3_next pop3_cmd_capa(struct pop3_session *s, const char *args) {
    (void)args;
    const char *mechanisms = sasl_mechanisms(s->service->auth, &s->peer);
    pop3_ok(s, "capabilities follow");
    g_string_append(s->out, "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                            "EXPIRE NEVER\r\nLANG\r\nUTF8 USER\r\nIMPLEMENTATION Bourse\r\n");
    if (s->service->settings.login_delay > 0)
        g_string_append_printf(s->out, "LOGIN-DELAY %u\r\n", s->service->settings.login_delay);
    if (!s->mailbox && s->service->settings.has_starttls && !s->peer.is_tls)
        g_string_append(s->out, "STLS\r\n");
    if (auth_plaintext_allowed(s->service->auth, &s->peer))
        g_string_append(s->out, "USER\r\n");
    if (*mechanisms)
        g_string_append_printf(s->out, "SASL %s\r\n", mechanisms);
    g_string_append(s->out, ".\r\n");
    return POP3_READ;
}

// Replies are in English, which every client gets that asks for nothing else.
enum pop3_next pop3_cmd_lang(struct pop3_session *s, const char *args) {
    g_autofree char *tag = g_strstrip(g_strdup(args));
    if (!*tag) {
        pop3_ok(s, "languages follow");
        g_string_append(s->out, "en English\r\n.\r\n");
    } else if (strcmp(tag, "*") == 0 || g_ascii_strcasecmp(tag, "en") == 0 ||
               g_ascii_strncasecmp(tag, "en-", 3) == 0) {
        pop3_ok(s, "en replies are in English");
    } else {
        return pop3_err(s, NULL, "no replies in that language");
    }
    return POP3_READ;
}

enum pop3_next pop3_cmd_utf8(struct pop3_session *s, const char *args) {
    (void)args;
    s->is_utf8 = true; // messages go out as they came in either way; nothing is downgraded
    pop3_ok(s, "UTF-8");
    return POP3_READ;
}
