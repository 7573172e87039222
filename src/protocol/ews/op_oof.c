// GetUserOofSettings and SetUserOofSettings ([MS-OXWOOF] 3.1.4).
#include <string.h>

#include "base/clock.h"
#include "mailbox/oof.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

static const char *const states[] = {"Disabled", "Enabled", "Scheduled"};
static const char *const audiences[] = {"None", "Known", "All"};

static int index_of(const char *const *names, unsigned n, const char *text) {
    for (unsigned i = 0; text && i < n; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -1;
}

// The mailbox that a t:Mailbox of the availability types names (its Address).
static enum ec open_mailbox(struct ews_call *call, struct ews_mailbox **out) {
    const char *address = ews_child_text(call->arena, call->request, "Mailbox/Address");
    if (!address || !*address)
        return ews_fail(call, "ErrorInvalidRequest", NULL);
    return ews_open_address(call, address, out);
}

// --- Get ---

static void write_reply(struct ews_call *call, const char *name, const struct oof_reply *reply) {
    ews_open(call->w, name);
    if (reply->language)
        ews_attr(call->w, "xml:lang", reply->language);
    ews_element(call->w, "t:Message", reply->text ? reply->text : "");
    ews_close(call->w);
}

// The duration is always there; clients show it when somebody schedules.
static void write_duration(struct ews_call *call, const struct oof_settings *s) {
    filetime_t day = UINT64_C(86400) * FILETIME_SECOND;
    filetime_t start = s->start ? s->start : clock_now() / (day / 24) * (day / 24);
    filetime_t end = s->end > start ? s->end : start + day;
    ews_open(call->w, "t:Duration");
    ews_element_time(call, "t:StartTime", start);
    ews_element_time(call, "t:EndTime", end);
    ews_close(call->w);
}

enum ec op_get_user_oof_settings(struct ews_call *call) {
    struct ews_mailbox *mailbox;
    struct oof_settings s;
    EC_TRY(open_mailbox(call, &mailbox));
    enum ec ec = mailbox_get_oof(mailbox->m, call->arena, &s);
    if (ec == EC_NOT_SUPPORTED)
        return ews_fail(call, "ErrorUnableToGetUserOofSettings", NULL);
    EC_TRY(ec);
    ews_success(call);
    ews_open(call->w, "t:OofSettings");
    ews_element(call->w, "t:OofState", states[s.state]);
    ews_element(call->w, "t:ExternalAudience", audiences[s.audience]);
    write_duration(call, &s);
    write_reply(call, "t:InternalReply", &s.internal);
    write_reply(call, "t:ExternalReply", &s.external);
    ews_close(call->w);
    ews_element(call->w, "m:AllowExternalOof", "All");
    ews_message_end(call);
    return EC_OK;
}

// --- Set ---

static enum ec read_duration(struct ews_call *call, const struct ews_node *node,
                             struct oof_settings *s) {
    if (!node)
        return s->state == OOF_SCHEDULED ? ews_fail(call, "ErrorInvalidScheduledOofDuration", NULL)
                                         : EC_OK;
    const char *start = ews_child_text(call->arena, node, "StartTime");
    const char *end = ews_child_text(call->arena, node, "EndTime");
    if (!start || !end || !ews_date_parse(call, start, &s->start) ||
        !ews_date_parse(call, end, &s->end))
        return ews_fail(call, "ErrorInvalidOofParameter", NULL);
    if (s->state == OOF_SCHEDULED && (s->end <= s->start || s->end <= clock_now()))
        return ews_fail(call, "ErrorInvalidScheduledOofDuration", NULL);
    return EC_OK;
}

static struct oof_reply read_reply(struct ews_call *call, const struct ews_node *node) {
    const struct ews_node *message = ews_child(node, "Message");
    struct oof_reply reply = {0};
    if (!node)
        return reply;
    reply.text = message ? arena_strndup(call->arena, message->text, message->text_len) : "";
    reply.language = ews_attribute(node, "lang");
    return reply;
}

enum ec op_set_user_oof_settings(struct ews_call *call) {
    struct ews_mailbox *mailbox;
    struct oof_settings s = {0};
    const struct ews_node *node = ews_child(call->request, "UserOofSettings");
    if (!node)
        return ews_fail(call, "ErrorInvalidUserOofSettings", NULL);
    EC_TRY(open_mailbox(call, &mailbox));
    int state =
        index_of(states, G_N_ELEMENTS(states), ews_child_text(call->arena, node, "OofState"));
    int audience = index_of(audiences, G_N_ELEMENTS(audiences),
                            ews_child_text(call->arena, node, "ExternalAudience"));
    if (state < 0 || audience < 0)
        return ews_fail(call, "ErrorInvalidOofParameter", NULL);
    s.state = (enum oof_state)state;
    s.audience = (enum oof_audience)audience;
    EC_TRY(read_duration(call, ews_child(node, "Duration"), &s));
    s.internal = read_reply(call, ews_child(node, "InternalReply"));
    s.external = read_reply(call, ews_child(node, "ExternalReply"));
    enum ec ec = mailbox_set_oof(mailbox->m, &s);
    if (ec == EC_MESSAGE_TOO_BIG)
        return ews_fail(call, "ErrorInvalidOofParameter", NULL);
    EC_TRY(ec);
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}
