// MAIL and RCPT: who sends, who receives, and whether they may.
#include <string.h>

#include "base/log.h"
#include "mailbox/quota.h"
#include "protocol/smtp/path.h"
#include "protocol/smtp/session.h"
#include "protocol/smtp/smtp_errors.h"

static enum smtp_next reject_ec(struct smtp_session *s, enum ec ec) {
    const struct smtp_error *e = smtp_error(ec);
    return smtp_reject(s, e->code, e->status, "%s", e->text);
}

// What stands after "FROM:" or "TO:"; NULL when it does not.
static const char *after_keyword(const char *args, const char *keyword) {
    size_t len = strlen(keyword);
    return g_ascii_strncasecmp(args, keyword, len) == 0 ? args + len : NULL;
}

// Our users send with their own addresses and those they were given rights for.
static enum ec check_sender(struct smtp_session *s, const char *sender) {
    if (!s->who || !*sender)
        return EC_OK;
    if (directory_may_send(s->service->directory, &s->who->guid, sender) != DIRECTORY_SENDER_DENIED)
        return EC_OK;
    log_event(LOG_LEVEL_INFO, "smtp.send_as_denied", "user", s->who->address, "sender", sender,
              NULL);
    return EC_SEND_AS_DENIED;
}

static bool size_param(struct smtp_session *s, const char *value, bool *is_too_big) {
    guint64 size;
    if (!value || !g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &size, NULL))
        return false;
    *is_too_big = size > s->service->settings.max_size;
    return true;
}

static bool body_param(struct smtp_session *s, const char *value) {
    if (!value)
        return false;
    s->is_8bit = g_ascii_strcasecmp(value, "8BITMIME") == 0;
    return s->is_8bit || g_ascii_strcasecmp(value, "7BIT") == 0;
}

// Applies the parameters of MAIL; an error is answered and *next_out set.
static bool mail_params(struct smtp_session *s, const struct smtp_path *path,
                        enum smtp_next *next_out) {
    bool is_too_big = false;
    for (unsigned i = 0; i < path->n_params; i++) {
        const struct smtp_param *p = &path->params[i];
        bool is_good = true;
        if (!s->is_extended) {
            *next_out = smtp_reject(s, 555, "5.5.4", "Parameters need EHLO");
            return false;
        }
        if (strcmp(p->name, "SIZE") == 0) {
            is_good = size_param(s, p->value, &is_too_big);
        } else if (strcmp(p->name, "BODY") == 0) {
            is_good = body_param(s, p->value);
        } else if (strcmp(p->name, "SMTPUTF8") == 0) {
            is_good = s->is_smtputf8 = !p->value;
        } else if (strcmp(p->name, "AUTH") == 0) { // whom the client vouches for: nobody we trust
            is_good = p->value != NULL;
        } else {
            *next_out = smtp_reject(s, 555, "5.5.4", "Unsupported parameter %s", p->name);
            return false;
        }
        if (!is_good) {
            *next_out = smtp_reject(s, 501, "5.5.4", "Bad value of %s", p->name);
            return false;
        }
    }
    if (is_too_big) {
        *next_out = reject_ec(s, EC_MESSAGE_TOO_BIG);
        return false;
    }
    return true;
}

static enum smtp_next begin_mail(struct smtp_session *s, const char *text) {
    struct smtp_path path;
    const char *problem = smtp_path_parse(s->arena, text, &path);
    enum smtp_next next;
    if (problem)
        return smtp_reject(s, 501, "5.1.7", "%s", problem);
    if (!mail_params(s, &path, &next))
        return next;
    if (path.is_utf8 && !s->is_smtputf8)
        return smtp_reject(s, 553, "5.6.7", "This address needs SMTPUTF8");
    enum ec ec = check_sender(s, path.address);
    if (ec == EC_OK && s->who && s->service->mailboxes)
        ec = mailbox_may_send(s->service->mailboxes, &s->who->guid);
    if (ec != EC_OK)
        return reject_ec(s, ec);
    s->sender = path.address;
    smtp_reply(s, 250, "2.1.0", "Sender ok");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_mail(struct smtp_session *s, const char *args) {
    const char *text = after_keyword(args, "FROM:");
    if (smtp_needs_auth(s))
        return smtp_reject(s, 530, "5.7.0", "Authentication required");
    if (s->arena)
        return smtp_reject(s, 503, "5.5.1", "MAIL was said already");
    if (!text)
        return smtp_reject(s, 501, "5.5.4", "Syntax: MAIL FROM:<address>");
    s->arena = arena_new();
    s->recipients = g_array_new(false, true, sizeof(struct queue_recipient));
    enum smtp_next next = begin_mail(s, text);
    if (!s->sender)
        smtp_reset_transaction(s);
    return next;
}

// --- Recipients ---

// Whether there is a way for mail to `address`: EC_NOT_FOUND, EC_ACCESS_DENIED (not through us).
static enum ec check_recipient(struct smtp_session *s, const char *address) {
    ARENA_AUTO arena = arena_new();
    enum directory_route route;
    struct directory_object *object = NULL;
    EC_TRY(directory_route(s->service->directory, arena, address, &route, &object, NULL));
    switch (route) {
    case DIRECTORY_ROUTE_MAILBOX:
    case DIRECTORY_ROUTE_GROUP:
    case DIRECTORY_ROUTE_FORWARD:
    case DIRECTORY_ROUTE_FOLDER:
        return EC_OK;
    case DIRECTORY_ROUTE_UNKNOWN:
        return EC_NOT_FOUND;
    case DIRECTORY_ROUTE_REMOTE:
        break;
    }
    return s->who ? EC_OK : EC_ACCESS_DENIED;
}

// <postmaster> without a domain is the one of our first domain ([RFC 5321] 4.5.1).
static const char *complete_address(struct smtp_session *s, const char *address) {
    if (strchr(address, '@'))
        return address;
    g_autofree char *domain = directory_default_domain(s->service->directory);
    return arena_printf(s->arena, "%s@%s", address, domain ? domain : "localhost");
}

enum smtp_next smtp_cmd_rcpt(struct smtp_session *s, const char *args) {
    const struct smtp_settings *settings = &s->service->settings;
    const char *text = after_keyword(args, "TO:");
    if (!text)
        return smtp_reject(s, 501, "5.5.4", "Syntax: RCPT TO:<address>");
    // Refused recipients are not protocol errors, but somebody who only guesses is sent away.
    if (++s->n_rcpt > 20 * settings->max_recipients) {
        smtp_reply(s, 421, "4.7.0", "%s Too many recipients", settings->hostname);
        return SMTP_CLOSE;
    }
    if (s->recipients->len >= settings->max_recipients) {
        smtp_reply_ec(s, EC_TOO_MANY_RECIPIENTS);
        return SMTP_READ;
    }
    struct smtp_path path;
    const char *problem = smtp_path_parse(s->arena, text, &path);
    if (!problem && !*path.address)
        problem = "The recipient is missing";
    if (problem)
        return smtp_reject(s, 501, "5.1.3", "%s", problem);
    if (path.n_params)
        return smtp_reject(s, 555, "5.5.4", "Unsupported parameter %s", path.params[0].name);
    if (path.is_utf8 && !s->is_smtputf8)
        return smtp_reject(s, 553, "5.6.7", "This address needs SMTPUTF8");
    struct queue_recipient recipient = {.address = complete_address(s, path.address)};
    enum ec ec = check_recipient(s, recipient.address);
    if (ec != EC_OK) {
        log_event(LOG_LEVEL_INFO, "smtp.recipient_refused", "peer", s->peer.address, "recipient",
                  recipient.address, "reason", ec_name(ec), NULL);
        smtp_reply_ec(s, ec);
        return SMTP_READ;
    }
    g_array_append_val(s->recipients, recipient);
    smtp_reply(s, 250, "2.1.5", "Recipient ok");
    return SMTP_READ;
}
