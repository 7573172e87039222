// GetMailTips and GetServiceConfiguration ([MS-OXWMT] 3.1.4).
#include <string.h>

#include "directory/restriction.h"
#include "directory/setting.h"
#include "mailbox/oof.h"
#include "mailbox/quota.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define RECIPIENTS_MAX 50 // of one request
#define LARGE_AUDIENCE 25
#define LARGE_AUDIENCE_CAP 1000
#define MAX_MESSAGE_SIZE (35 * 1024 * 1024) // told where there is no limit of the server's
#define SETTING_MAIL_TIP "mailtip"          // of an entry: what senders are told

struct tips {
    struct ews_call *call;
    const char *wanted; // a list of words
    const struct guid *sender;
};

static bool is_wanted(const struct tips *t, const char *tip) {
    g_auto(GStrv) words = g_strsplit_set(t->wanted, " \t\r\n", -1);
    return g_strv_contains((const char *const *)words, tip) ||
           g_strv_contains((const char *const *)words, "All");
}

static void write_out_of_office(struct tips *t, const struct directory_object *object) {
    struct ews_call *call = t->call;
    struct ews_writer *w = call->w;
    struct oof_tip tip = {0};
    if (!is_wanted(t, "OutOfOfficeMessage"))
        return;
    if (object->has_mailbox)
        mailbox_oof_tip(ews_mailboxes(call), call->arena, &object->guid, true, &tip);
    ews_open(w, "t:OutOfOffice");
    ews_open(w, "t:ReplyBody");
    if (tip.language)
        ews_attr(w, "xml:lang", tip.language);
    ews_element(w, "t:Message", tip.text ? tip.text : "");
    ews_close(w);
    if (tip.end) {
        ews_open(w, "t:Duration");
        ews_element_time(call, "t:StartTime", tip.start);
        ews_element_time(call, "t:EndTime", tip.end);
        ews_close(w);
    }
    ews_close(w);
}

// Members inside and outside of the organization.
static void write_counts(struct tips *t, const struct directory_object *object) {
    struct directory *d = ews_directory(t->call);
    struct directory_list list = {0};
    unsigned external = 0, total = 1;
    if (object->kind == DIRECTORY_GROUP || object->kind == DIRECTORY_DYNAMIC) {
        if (directory_expand(d, t->call->arena, &object->guid, &list) != EC_OK)
            return;
        total = list.n;
        for (unsigned i = 0; i < list.n; i++)
            external += list.items[i]->kind == DIRECTORY_CONTACT;
    } else {
        external = object->kind == DIRECTORY_CONTACT;
    }
    if (is_wanted(t, "TotalMemberCount"))
        ews_element_int(t->call->w, "t:TotalMemberCount", MIN(total, LARGE_AUDIENCE_CAP));
    if (is_wanted(t, "ExternalMemberCount"))
        ews_element_int(t->call->w, "t:ExternalMemberCount", MIN(external, LARGE_AUDIENCE_CAP));
}

static void write_custom(struct tips *t, const struct directory_object *object) {
    const char *text;
    if (is_wanted(t, "CustomMailTip") &&
        directory_setting(ews_directory(t->call), t->call->arena, &object->guid, SETTING_MAIL_TIP,
                          &text) == EC_OK)
        ews_element(t->call->w, "t:CustomMailTip", text);
}

static void write_known(struct tips *t, const struct directory_object *object) {
    struct ews_call *call = t->call;
    struct ews_writer *w = call->w;
    write_out_of_office(t, object);
    if (is_wanted(t, "MailboxFullStatus"))
        ews_element_bool(w, "t:MailboxFull",
                         object->has_mailbox &&
                             mailbox_may_receive(ews_mailboxes(call), &object->guid, 0) ==
                                 EC_QUOTA_EXCEEDED);
    write_custom(t, object);
    write_counts(t, object);
    if (is_wanted(t, "MaxMessageSize"))
        ews_element_int(w, "t:MaxMessageSize", MAX_MESSAGE_SIZE);
    if (is_wanted(t, "DeliveryRestriction"))
        ews_element_bool(w, "t:DeliveryRestricted",
                         directory_may_write_to(ews_directory(call), call->arena, &object->guid,
                                                t->sender) != EC_OK);
    if (is_wanted(t, "ModerationStatus"))
        ews_element_bool(w, "t:IsModerated", false);
    if (is_wanted(t, "InvalidRecipient"))
        ews_element_bool(w, "t:InvalidRecipient", false);
}

// Somebody elsewhere, or nobody at all.
static void write_unknown(struct tips *t, bool is_invalid) {
    if (is_wanted(t, "TotalMemberCount"))
        ews_element_int(t->call->w, "t:TotalMemberCount", 1);
    if (is_wanted(t, "ExternalMemberCount"))
        ews_element_int(t->call->w, "t:ExternalMemberCount", is_invalid ? 0 : 1);
    if (is_wanted(t, "InvalidRecipient"))
        ews_element_bool(t->call->w, "t:InvalidRecipient", is_invalid);
}

static void write_tips(struct tips *t, const struct ews_node *recipient) {
    struct ews_call *call = t->call;
    struct ews_writer *w = call->w;
    const char *address = ews_child_text(call->arena, recipient, "EmailAddress");
    const char *at = address ? strrchr(address, '@') : NULL;
    struct directory_object *object = NULL;
    bool is_known = address && ews_find_object(call, address, &object) == EC_OK;
    ews_open(w, "m:MailTips");
    ews_open(w, "t:RecipientAddress");
    ews_element(w, "t:Name", is_known ? ews_object_name(object) : "");
    if (address && *address)
        ews_element(w, "t:EmailAddress", address);
    ews_element(w, "t:RoutingType", "SMTP");
    ews_close(w);
    ews_element(w, "t:PendingMailTips", "");
    if (is_known)
        write_known(t, object);
    else
        write_unknown(t, !at || directory_is_local_domain(ews_directory(call), at + 1));
    ews_close(w);
}

enum ec op_get_mail_tips(struct ews_call *call) {
    const struct ews_node *recipients = ews_child(call->request, "Recipients");
    struct tips t = {.call = call,
                     .wanted = ews_child_text(call->arena, call->request, "MailTipsRequested"),
                     .sender = &call->principal->guid};
    if (!recipients || !recipients->child)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    if (!t.wanted) // exchangelib puts the word elsewhere
        t.wanted = "All";
    if (ews_count(recipients) > RECIPIENTS_MAX)
        return ews_fail(call, "ErrorInvalidArgument", "Too many recipients are asked about.");
    ews_success(call);
    ews_open(call->w, "m:ResponseMessages");
    for (const struct ews_node *r = ews_child(recipients, "Mailbox"); r; r = ews_next(r)) {
        ews_open(call->w, "m:MailTipsResponseMessageType");
        ews_put_result(call, EC_OK);
        write_tips(&t, r);
        ews_close(call->w);
    }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

// --- GetServiceConfiguration ---

static void write_domains(struct ews_call *call) {
    g_auto(GStrv) domains = directory_domains(ews_directory(call));
    ews_open(call->w, "t:InternalDomains");
    for (char **d = domains; d && *d; d++) {
        ews_open(call->w, "t:Domain");
        ews_attr(call->w, "Name", *d);
        ews_attr_bool(call->w, "IncludeSubdomains", false);
        ews_close(call->w);
    }
    ews_close(call->w);
}

static void write_mail_tips_configuration(struct ews_call *call) {
    struct ews_writer *w = call->w;
    ews_open(w, "m:MailTipsConfiguration");
    ews_element_bool(w, "t:MailTipsEnabled", true);
    ews_element_int(w, "t:MaxRecipientsPerGetMailTipsRequest", RECIPIENTS_MAX);
    ews_element_int(w, "t:MaxMessageSize", MAX_MESSAGE_SIZE);
    ews_element_int(w, "t:LargeAudienceThreshold", LARGE_AUDIENCE);
    ews_element_bool(w, "t:ShowExternalRecipientCount", true);
    write_domains(call);
    ews_element_bool(w, "t:PolicyTipsEnabled", false);
    ews_element_int(w, "t:LargeAudienceCap", LARGE_AUDIENCE_CAP);
    ews_close(w);
}

static void write_um_configuration(struct ews_call *call) {
    struct ews_writer *w = call->w;
    ews_open(w, "m:UnifiedMessagingConfiguration");
    ews_element_bool(w, "t:UmEnabled", false);
    ews_element(w, "t:PlayOnPhoneDialString", "");
    ews_element_bool(w, "t:PlayOnPhoneEnabled", false);
    ews_close(w);
}

static void write_protection_rules(struct ews_call *call) {
    struct ews_writer *w = call->w;
    ews_open(w, "m:ProtectionRulesConfiguration");
    ews_attr_int(w, "RefreshInterval", 24);
    ews_element_empty(w, "t:Rules");
    write_domains(call);
    ews_close(w);
}

static void write_policy_nudges(struct ews_call *call) {
    ews_open(call->w, "m:PolicyNudgeRulesConfiguration");
    ews_element_empty(call->w, "t:PolicyNudges");
    ews_close(call->w);
}

static void write_share_point(struct ews_call *call) {
    ews_open(call->w, "m:SharePointURLsConfiguration");
    ews_element(call->w, "t:InternalSPMySiteHostURL", "");
    ews_element(call->w, "t:ExternalSPMySiteHostURL", "");
    ews_close(call->w);
}

static const struct {
    const char *name;
    void (*write)(struct ews_call *call);
} configurations[] = {
    {"MailTips", write_mail_tips_configuration},
    {"UnifiedMessagingConfiguration", write_um_configuration},
    {"ProtectionRules", write_protection_rules},
    {"PolicyNudges", write_policy_nudges},
    {"SharePointURLs", write_share_point},
};

enum ec op_get_service_configuration(struct ews_call *call) {
    const struct ews_node *names = ews_child(call->request, "RequestedConfiguration");
    const char *acting_as = ews_child_text(call->arena, call->request, "ActingAs/EmailAddress");
    struct directory_object *object;
    if (!names || !names->child)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    if (acting_as && ews_find_object(call, acting_as, &object) != EC_OK)
        return ews_fail(call, "ErrorInvalidArgument", "The address acted for is not known.");
    ews_success(call);
    ews_open(call->w, "m:ResponseMessages");
    for (const struct ews_node *n = ews_child(names, "ConfigurationName"); n; n = ews_next(n))
        for (unsigned i = 0; i < G_N_ELEMENTS(configurations); i++)
            if (strcmp(ews_text(call->arena, n), configurations[i].name) == 0) {
                ews_open(call->w, "m:ServiceConfigurationResponseMessageType");
                ews_put_result(call, EC_OK);
                configurations[i].write(call);
                ews_close(call->w);
            }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}
