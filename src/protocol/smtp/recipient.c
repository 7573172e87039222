// Who may get mail through us, decided at RCPT, so that what cannot be delivered is never taken and
// no report about it has to be sent to an address that may be forged.
#include <string.h>

#include "base/log.h"
#include "directory/restriction.h"
#include "mailbox/quota.h"
#include "protocol/smtp/session.h"
#include "protocol/smtp/smtp_errors.h"

static const struct smtp_refusal mailbox_full = {552, "5.2.2", "The recipient's mailbox is full"};
static const struct smtp_refusal too_large = {552, "5.3.4",
                                              "The message is too large for the recipient"};
// The statuses that Exchange gives for the same restrictions.
static const struct smtp_refusal not_authenticated = {
    550, "5.7.133", "This recipient takes mail from authenticated senders only"};
static const struct smtp_refusal not_accepted = {550, "5.7.124",
                                                 "The sender is not allowed to write here"};

static bool refuse_ec(enum ec ec, struct smtp_refusal *out) {
    const struct smtp_error *e = smtp_error(ec);
    *out = (struct smtp_refusal){e->code, e->status, e->text};
    return false;
}

static bool is_relayed(const struct smtp_session *s, const char *address) {
    const char *at = strrchr(address, '@');
    for (const char *const *d = s->rules->limits.relay_domains; d && *d && at; d++)
        if (g_ascii_strcasecmp(at + 1, *d) == 0)
            return true;
    return false;
}

static bool may_receive_here(struct smtp_session *s, struct arena *arena,
                             const struct directory_object *object, bool has_mailbox,
                             struct smtp_refusal *out) {
    enum ec ec = directory_may_write_to(s->service->directory, arena, &object->guid,
                                        s->who ? &s->who->guid : NULL);
    if (ec == EC_NOT_AUTHORIZED)
        *out = not_authenticated;
    else if (ec == EC_ACCESS_DENIED)
        *out = not_accepted;
    else if (ec != EC_OK)
        refuse_ec(ec, out);
    if (ec != EC_OK)
        return false;
    if (!has_mailbox || !s->service->mailboxes)
        return true;
    ec = mailbox_may_receive(s->service->mailboxes, &object->guid, s->size);
    if (ec == EC_QUOTA_EXCEEDED)
        *out = mailbox_full;
    else if (ec == EC_MESSAGE_TOO_BIG)
        *out = too_large;
    // What cannot be told now is told by the delivery.
    return ec != EC_QUOTA_EXCEEDED && ec != EC_MESSAGE_TOO_BIG;
}

bool smtp_may_receive(struct smtp_session *s, const char *address, struct smtp_refusal *out) {
    ARENA_AUTO arena = arena_new();
    enum directory_route route;
    struct directory_object *object = NULL;
    enum ec ec = directory_route(s->service->directory, arena, address, &route, &object, NULL);
    if (ec != EC_OK)
        return refuse_ec(ec, out);
    switch (route) {
    case DIRECTORY_ROUTE_MAILBOX:
        return may_receive_here(s, arena, object, true, out);
    case DIRECTORY_ROUTE_GROUP:
    case DIRECTORY_ROUTE_FORWARD:
    case DIRECTORY_ROUTE_FOLDER:
        return may_receive_here(s, arena, object, false, out);
    case DIRECTORY_ROUTE_UNKNOWN:
        return refuse_ec(EC_NOT_FOUND, out);
    case DIRECTORY_ROUTE_REMOTE:
        break;
    }
    return s->who || is_relayed(s, address) || refuse_ec(EC_ACCESS_DENIED, out);
}
