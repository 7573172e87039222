// MAIL and RCPT: who sends, who receives, and whether they may.
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "mailbox/quota.h"
#include "protocol/smtp/params.h"
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

// --- Parameters of MAIL ---

// Each takes its value (NULL: none) into the session; false when it is malformed.

static bool size_param(struct smtp_session *s, const char *value) {
    guint64 size;
    if (!value || !g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &size, NULL))
        return false;
    s->size = size;
    return true;
}

static bool body_param(struct smtp_session *s, const char *value) {
    if (!value)
        return false;
    s->is_binary = g_ascii_strcasecmp(value, "BINARYMIME") == 0;
    s->is_8bit = s->is_binary || g_ascii_strcasecmp(value, "8BITMIME") == 0;
    return s->is_8bit || g_ascii_strcasecmp(value, "7BIT") == 0;
}

static bool utf8_param(struct smtp_session *s, const char *value) {
    return s->is_smtputf8 = !value;
}

// Whom the client vouches for: nobody we trust.
static bool auth_param(struct smtp_session *s, const char *value) {
    return value && (strcmp(value, "<>") == 0 || smtp_is_xtext(value, SMTP_LINE_MAX));
}

static bool ret_param(struct smtp_session *s, const char *value) {
    if (!value)
        return false;
    s->ret = g_ascii_strcasecmp(value, "FULL") == 0   ? "FULL"
             : g_ascii_strcasecmp(value, "HDRS") == 0 ? "HDRS"
                                                      : NULL;
    return s->ret != NULL;
}

static bool envid_param(struct smtp_session *s, const char *value) {
    s->envid = value;
    return value && smtp_is_xtext(value, SMTP_ENVID_MAX);
}

static bool requiretls_param(struct smtp_session *s, const char *value) {
    return s->requires_tls = !value;
}

static bool hold_for_param(struct smtp_session *s, const char *value) {
    return value && s->hold_until == 0 && smtp_parse_hold_for(value, clock_now(), &s->hold_until);
}

static bool hold_until_param(struct smtp_session *s, const char *value) {
    return value && s->hold_until == 0 && smtp_parse_hold_until(value, clock_now(), &s->hold_until);
}

static const struct mail_param {
    const char *name;
    bool (*apply)(struct smtp_session *s, const char *value);
    bool is_submission; // offered there only
} mail_param_list[] = {
    {"SIZE", size_param, false},
    {"BODY", body_param, false},
    {"SMTPUTF8", utf8_param, false},
    {"AUTH", auth_param, false},
    {"RET", ret_param, false},
    {"ENVID", envid_param, false},
    {"REQUIRETLS", requiretls_param, false},
    {"HOLDFOR", hold_for_param, true},
    {"HOLDUNTIL", hold_until_param, true},
};

static const struct mail_param *find_mail_param(const struct smtp_session *s, const char *name) {
    bool is_submission = s->service->settings.kind == SMTP_SUBMISSION;
    for (unsigned i = 0; i < G_N_ELEMENTS(mail_param_list); i++)
        if (strcmp(mail_param_list[i].name, name) == 0 &&
            (is_submission || !mail_param_list[i].is_submission))
            return &mail_param_list[i];
    return NULL;
}

// Applies the parameters of MAIL; an error is answered and *next_out set.
static bool mail_params(struct smtp_session *s, const struct smtp_path *path,
                        enum smtp_next *next_out) {
    unsigned seen = 0;
    if (path->n_params && !s->is_extended) {
        *next_out = smtp_reject(s, 555, "5.5.4", "Parameters need EHLO");
        return false;
    }
    for (unsigned i = 0; i < path->n_params; i++) {
        const struct smtp_param *p = &path->params[i];
        const struct mail_param *known = find_mail_param(s, p->name);
        if (!known) {
            *next_out = smtp_reject(s, 555, "5.5.4", "Unsupported parameter %s", p->name);
            return false;
        }
        unsigned bit = 1u << (known - mail_param_list);
        if (seen & bit || !known->apply(s, p->value)) {
            *next_out = smtp_reject(s, 501, "5.5.4", "Bad value of %s", p->name);
            return false;
        }
        seen |= bit;
    }
    return true;
}

// --- MAIL ---

// The largest message of this sender.
static uint64_t max_size(struct smtp_session *s) {
    uint64_t max = s->rules->limits.max_size;
    struct mailbox_limits own;
    if (s->who && s->service->mailboxes &&
        mailbox_limits(s->service->mailboxes, &s->who->guid, &own) == EC_OK && own.message)
        max = MIN(max, own.message);
    return max;
}

static bool is_within_rates(struct smtp_session *s) {
    const struct smtp_limits *l = &s->rules->limits;
    return smtp_take_rate(s, SMTP_RATE_MESSAGES, l->messages_per_minute) &&
           smtp_take_rate(s, SMTP_RATE_USER_MESSAGES, l->user_messages_per_minute);
}

static enum smtp_next begin_mail(struct smtp_session *s, const char *text) {
    struct smtp_path path;
    const char *problem = smtp_path_parse(s->arena, text, &path);
    enum smtp_next next;
    if (problem)
        return smtp_reject(s, 501, "5.1.7", "%s", problem);
    if (!mail_params(s, &path, &next))
        return next;
    s->max_size = max_size(s);
    if (s->size > s->max_size)
        return reject_ec(s, EC_MESSAGE_TOO_BIG);
    if (path.is_utf8 && !s->is_smtputf8)
        return smtp_reject(s, 553, "5.6.7", "This address needs SMTPUTF8");
    if (s->requires_tls && !s->peer.is_tls)
        return smtp_reject(s, 530, "5.7.10", "REQUIRETLS needs TLS");
    enum ec ec = check_sender(s, path.address);
    if (ec == EC_OK && s->who && s->service->mailboxes)
        ec = mailbox_may_send(s->service->mailboxes, &s->who->guid);
    if (ec != EC_OK)
        return reject_ec(s, ec);
    if (!is_within_rates(s)) {
        smtp_reply(s, 450, "4.7.1", "Too many messages in a minute, try again later");
        return SMTP_READ;
    }
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
    smtp_renew_rules(s);
    s->arena = arena_new();
    s->recipients = g_array_new(false, true, sizeof(struct queue_recipient));
    enum smtp_next next = begin_mail(s, text);
    if (!s->sender)
        smtp_reset_transaction(s);
    return next;
}

// --- Recipients ---

// <postmaster> without a domain is the one of our first domain ([RFC 5321] 4.5.1).
static const char *complete_address(struct smtp_session *s, const char *address) {
    if (strchr(address, '@'))
        return address;
    g_autofree char *domain = directory_default_domain(s->service->directory);
    return arena_printf(s->arena, "%s@%s", address, domain ? domain : "localhost");
}

// Applies the parameters of RCPT; false: answered.
static bool rcpt_params(struct smtp_session *s, const struct smtp_path *path,
                        struct queue_recipient *out, enum smtp_next *next_out) {
    for (unsigned i = 0; i < path->n_params; i++) {
        const struct smtp_param *p = &path->params[i];
        bool is_good;
        if (!s->is_extended) {
            *next_out = smtp_reject(s, 555, "5.5.4", "Parameters need EHLO");
            return false;
        }
        if (strcmp(p->name, "NOTIFY") == 0) {
            is_good = p->value && !out->notify && smtp_parse_notify(p->value, &out->notify);
        } else if (strcmp(p->name, "ORCPT") == 0) {
            is_good = p->value && !out->orcpt && smtp_is_orcpt(p->value, s->is_smtputf8);
            out->orcpt = p->value;
        } else {
            *next_out = smtp_reject(s, 555, "5.5.4", "Unsupported parameter %s", p->name);
            return false;
        }
        if (!is_good) {
            *next_out = smtp_reject(s, 501, "5.5.4", "Bad value of %s", p->name);
            return false;
        }
    }
    return true;
}

// Refused recipients are no protocol errors, but somebody who only guesses is slowed down, then
// sent away.
static enum smtp_next refuse(struct smtp_session *s, const char *address,
                             const struct smtp_refusal *r) {
    log_event(LOG_LEVEL_INFO, "smtp.recipient_refused", "peer", s->peer.address, "recipient",
              address, "status", r->status, NULL);
    smtp_reply(s, r->code, r->status, "%s", r->text);
    if (s->who || r->code < 500)
        return SMTP_READ;
    s->n_unknown++;
    smtp_note_misuse(s);
    if (s->n_unknown < s->rules->limits.max_unknown || s->is_exempt)
        return SMTP_READ;
    smtp_reply(s, 421, "4.7.0", "%s Too many unknown recipients", s->service->settings.hostname);
    return SMTP_CLOSE;
}

static enum smtp_next add_recipient(struct smtp_session *s, const char *text) {
    struct smtp_path path;
    struct smtp_refusal refusal;
    enum smtp_next next;
    const char *problem = smtp_path_parse(s->arena, text, &path);
    if (!problem && !*path.address)
        problem = "The recipient is missing";
    if (problem)
        return smtp_reject(s, 501, "5.1.3", "%s", problem);
    struct queue_recipient recipient = {.address = complete_address(s, path.address)};
    if (!rcpt_params(s, &path, &recipient, &next))
        return next;
    if (path.is_utf8 && !s->is_smtputf8)
        return smtp_reject(s, 553, "5.6.7", "This address needs SMTPUTF8");
    if (!smtp_may_receive(s, recipient.address, &refusal))
        return refuse(s, recipient.address, &refusal);
    if (!smtp_take_rate(s, SMTP_RATE_USER_RECIPIENTS, s->rules->limits.user_recipients_per_hour)) {
        smtp_reply(s, 452, "4.5.3", "Too many recipients in an hour, try again later");
        return SMTP_READ;
    }
    g_array_append_val(s->recipients, recipient);
    smtp_reply(s, 250, "2.1.5", "Recipient ok");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_rcpt(struct smtp_session *s, const char *args) {
    const struct smtp_limits *limits = &s->rules->limits;
    const char *text = after_keyword(args, "TO:");
    if (!text)
        return smtp_reject(s, 501, "5.5.4", "Syntax: RCPT TO:<address>");
    if (++s->n_rcpt > 20 * limits->max_recipients) {
        smtp_reply(s, 421, "4.7.0", "%s Too many recipients", s->service->settings.hostname);
        return SMTP_CLOSE;
    }
    if (s->recipients->len >= limits->max_recipients) {
        smtp_reply_ec(s, EC_TOO_MANY_RECIPIENTS);
        return SMTP_READ;
    }
    return add_recipient(s, text);
}
