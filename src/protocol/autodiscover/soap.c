// SOAP ([MS-OXWSADISC]): GetUserSettings, GetDomainSettings, and what needs a federation, of which
// there is none.
#include <string.h>

#include "protocol/autodiscover/autodiscover_internal.h"

#define NS "http://schemas.microsoft.com/exchange/2010/Autodiscover"
#define NS_SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define NS_SOAP12 "http://www.w3.org/2003/05/soap-envelope"

struct soap {
    struct autodiscover_service *s;
    struct arena *arena;
    struct principal *who;
    GString *out;
};

static void begin(struct soap *x, const char *operation, bool is_soap12) {
    g_string_append_printf(
        x->out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<s:Envelope xmlns:s=\"%s\" "
        "xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>"
        "<a:Action s:mustUnderstand=\"1\">" NS "/Autodiscover/%s</a:Action>"
        "<h:ServerVersionInfo xmlns:h=\"" NS
        "\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">"
        "<h:MajorVersion>%d</h:MajorVersion><h:MinorVersion>%d</h:MinorVersion>"
        "<h:MajorBuildNumber>%d</h:MajorBuildNumber><h:MinorBuildNumber>%d</h:MinorBuildNumber>"
        "<h:Version>%s</h:Version></h:ServerVersionInfo></s:Header><s:Body>",
        is_soap12 ? NS_SOAP12 : NS_SOAP, operation, SERVER_MAJOR, SERVER_MINOR, SERVER_BUILD,
        SERVER_REVISION, SERVER_SCHEMA);
}

static void end(struct soap *x) {
    g_string_append(x->out, "</s:Body></s:Envelope>\n");
}

// ErrorCode and ErrorMessage, with which everything begins.
static void add_code(struct soap *x, const char *code, const char *message) {
    xml_add_element(x->out, "ErrorCode", code);
    xml_add_element(x->out, "ErrorMessage", message);
}

static void add_nil(struct soap *x, const char *name) {
    g_string_append_printf(x->out, "<%s i:nil=\"true\"/>", name);
}

static void begin_message(struct soap *x, const char *operation) {
    g_string_append_printf(x->out,
                           "<%sResponseMessage xmlns=\"" NS
                           "\"><Response xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">",
                           operation);
}

static void end_message(struct soap *x, const char *operation) {
    g_string_append_printf(x->out, "</Response></%sResponseMessage>", operation);
}

// --- Values ---

static void add_connection(struct soap *x, const char *listener, const char *encryption) {
    unsigned port = autodiscover_port(x->s, listener);
    if (port == 0)
        return;
    g_string_append(x->out, "<ProtocolConnection>");
    xml_add_element(x->out, "Hostname", x->s->options.hostname);
    g_string_append_printf(x->out, "<Port>%u</Port>", port);
    xml_add_element(x->out, "EncryptionMethod", encryption);
    g_string_append(x->out, "</ProtocolConnection>");
}

static void add_alternates(struct soap *x, const struct account *account) {
    g_string_append(x->out, "<AlternateMailboxes>");
    for (unsigned i = 0; i < account->n_alternates; i++) {
        const struct alternate *m = &account->alternates[i];
        g_string_append(x->out, "<AlternateMailbox>");
        xml_add_element(x->out, "Type", m->type);
        xml_add_element(x->out, "DisplayName", m->display_name);
        xml_add_element(x->out, "LegacyDN", m->dn);
        xml_add_element(x->out, "Server", m->server);
        xml_add_element(x->out, "SmtpAddress", m->address);
        g_string_append(x->out, "</AlternateMailbox>");
    }
    g_string_append(x->out, "</AlternateMailboxes>");
}

static void add_value(struct soap *x, const struct account *account, const char *name,
                      const struct setting_value *value) {
    static const char *const types[] = {
        [SETTING_STRING] = "StringSetting",
        [SETTING_ALTERNATES] = "AlternateMailboxCollectionSetting",
        [SETTING_CONNECTIONS] = "ProtocolConnectionCollectionSetting",
        [SETTING_WEB] = "WebClientUrlCollectionSetting",
    };
    g_string_append_printf(x->out, "<UserSetting i:type=\"%s\">", types[value->kind]);
    xml_add_element(x->out, "Name", name);
    switch (value->kind) {
    case SETTING_ALTERNATES:
        add_alternates(x, account);
        break;
    case SETTING_CONNECTIONS:
        g_string_append(x->out, "<ProtocolConnections>");
        add_connection(x, value->encrypted, "SSL");
        add_connection(x, value->plain, "TLS");
        g_string_append(x->out, "</ProtocolConnections>");
        break;
    case SETTING_WEB:
        g_string_append(x->out, "<WebClientUrls><WebClientUrl>");
        xml_add_element(x->out, "AuthenticationMethods", "Basic, Fba");
        xml_add_element(x->out, "Url", value->text);
        g_string_append(x->out, "</WebClientUrl></WebClientUrls>");
        break;
    default:
        xml_add_element(x->out, "Value", value->text);
    }
    g_string_append(x->out, "</UserSetting>");
}

// --- GetUserSettings ---

static void add_setting_error(struct soap *x, const char *element, const char *name,
                              enum setting_kind kind) {
    bool is_known = kind != SETTING_UNKNOWN;
    g_autofree char *message = g_strdup_printf(
        is_known ? "Setting '%s' is not available." : "Invalid setting name '%s'.", name);
    g_string_append_printf(x->out, "<%s>", element);
    add_code(x, is_known ? "SettingIsNotAvailable" : "InvalidSetting", message);
    xml_add_element(x->out, "SettingName", name);
    g_string_append_printf(x->out, "</%s>", element);
}

// Two passes over the names: first those that have no value.
static void add_settings(struct soap *x, const struct account *account,
                         const struct xml_node *first) {
    struct setting_value value;
    for (unsigned pass = 0; pass < 2; pass++) {
        unsigned n = 0;
        g_string_append(x->out, pass == 0 ? "<UserSettingErrors>" : "<UserSettings>");
        for (const struct xml_node *at = first; at != NULL && n < AUTODISCOVER_SETTINGS_MAX;
             at = xml_next(at), n++) {
            autodiscover_setting(x->s, x->arena, account, at->text, &value);
            bool has_value = value.kind > SETTING_NOT_AVAILABLE;
            if (pass == 0 && !has_value)
                add_setting_error(x, "UserSettingError", at->text, value.kind);
            else if (pass == 1 && has_value)
                add_value(x, account, at->text, &value);
        }
        g_string_append(x->out, pass == 0 ? "</UserSettingErrors>" : "</UserSettings>");
    }
}

static void add_user_error(struct soap *x, const char *code, const char *message,
                           const char *target) {
    add_code(x, code, message);
    if (target != NULL)
        xml_add_element(x->out, "RedirectTarget", target);
    else
        add_nil(x, "RedirectTarget");
    g_string_append(x->out, "<UserSettingErrors/><UserSettings/>");
}

static void add_user(struct soap *x, const struct xml_node *user, const struct xml_node *settings) {
    struct account account;
    const char *name = xml_child_text(user, "Mailbox");
    const struct xml_node *own = xml_child(user, "RequestedSettings/Setting");
    if (*name == '\0')
        name = xml_child_text(user, "LegacyDN");
    enum ec ec =
        *name != '\0' ? autodiscover_account(x->s, x->arena, x->who, name, &account) : EC_NOT_FOUND;
    g_string_append(x->out, "<UserResponse>");
    if (ec == EC_NOT_FOUND) {
        g_autofree char *message = g_strdup_printf("Invalid user: '%s'", name);
        add_user_error(x, "InvalidUser", message, NULL);
    } else if (ec != EC_OK) {
        add_user_error(x, "InternalServerError", "Internal server error.", NULL);
    } else if (account.redirect != NULL) {
        add_user_error(x, "RedirectAddress", "Redirect address.", account.redirect);
    } else {
        add_code(x, "NoError", "No error.");
        add_nil(x, "RedirectTarget");
        add_settings(x, &account, own != NULL ? own : settings);
    }
    g_string_append(x->out, "</UserResponse>");
}

static unsigned count(const struct xml_node *node) {
    unsigned n = 0;
    for (; node != NULL; node = xml_next(node))
        n++;
    return n;
}

// What is wrong with the request as a whole; NULL: nothing.
static const char *fault_of(const struct xml_node *items, const struct xml_node *settings,
                            const char *what) {
    return items == NULL                                 ? what
           : count(items) > AUTODISCOVER_USERS_MAX       ? "Too many were asked for at once."
           : settings == NULL                            ? "No settings were asked for."
           : count(settings) > AUTODISCOVER_SETTINGS_MAX ? "Too many settings were asked for."
                                                         : NULL;
}

static void get_user_settings(struct soap *x, const struct xml_node *request) {
    const struct xml_node *user = xml_child(request, "Users/User"),
                          *settings = xml_child(request, "RequestedSettings/Setting");
    bool has_own = xml_child(user, "RequestedSettings/Setting") != NULL;
    const char *fault = fault_of(user, has_own ? user : settings, "No users were asked for.");
    if (fault != NULL) {
        add_code(x, "InvalidRequest", fault);
        add_nil(x, "UserResponses");
        return;
    }
    add_code(x, "NoError", "");
    g_string_append(x->out, "<UserResponses>");
    for (; user != NULL; user = xml_next(user))
        add_user(x, user, settings);
    g_string_append(x->out, "</UserResponses>");
}

// --- GetDomainSettings ---

static const char *domain_value(struct soap *x, const char *name) {
    if (strcmp(name, "ExternalEwsUrl") == 0)
        return autodiscover_url(x->s, x->arena, "/EWS/Exchange.asmx");
    return strcmp(name, "ExternalEwsVersion") == 0
               ? arena_printf(x->arena, "%d.%02d.%04d.%03d", SERVER_MAJOR, SERVER_MINOR,
                              SERVER_BUILD, SERVER_REVISION)
               : NULL;
}

static void add_domain(struct soap *x, const char *domain, const struct xml_node *settings) {
    bool is_ours = directory_is_local_domain(x->s->options.directory, domain);
    g_string_append(x->out, "<DomainResponse>");
    if (is_ours) {
        add_code(x, "NoError", "No error.");
    } else {
        g_autofree char *message = g_strdup_printf("Invalid domain: '%s'", domain);
        add_code(x, "InvalidDomain", message);
    }
    g_string_append(x->out, "<DomainSettingErrors>");
    for (const struct xml_node *at = settings; is_ours && at != NULL; at = xml_next(at))
        if (domain_value(x, at->text) == NULL)
            add_setting_error(x, "DomainSettingError", at->text, SETTING_UNKNOWN);
    g_string_append(x->out, "</DomainSettingErrors><DomainSettings>");
    for (const struct xml_node *at = settings; is_ours && at != NULL; at = xml_next(at)) {
        const char *value = domain_value(x, at->text);
        if (value == NULL)
            continue;
        g_string_append(x->out, "<DomainSetting i:type=\"DomainStringSetting\">");
        xml_add_element(x->out, "Name", at->text);
        xml_add_element(x->out, "Value", value);
        g_string_append(x->out, "</DomainSetting>");
    }
    g_string_append(x->out, "</DomainSettings>");
    add_nil(x, "RedirectTarget");
    g_string_append(x->out, "</DomainResponse>");
}

static void get_domain_settings(struct soap *x, const struct xml_node *request) {
    const struct xml_node *domain = xml_child(request, "Domains/Domain"),
                          *settings = xml_child(request, "RequestedSettings/Setting");
    const char *fault = fault_of(domain, settings, "No domains were asked for.");
    if (fault != NULL) {
        add_code(x, "InvalidRequest", fault);
        add_nil(x, "DomainResponses");
        return;
    }
    add_code(x, "NoError", "");
    g_string_append(x->out, "<DomainResponses>");
    for (; domain != NULL; domain = xml_next(domain))
        add_domain(x, domain->text, settings);
    g_string_append(x->out, "</DomainResponses>");
}

// --- Federation ---

static void get_federation_information(struct soap *x, const struct xml_node *request) {
    const char *domain = xml_child_text(request, "Domain");
    if (*domain == '\0')
        add_code(x, "InvalidRequest", "No domain was asked for.");
    else if (!directory_is_local_domain(x->s->options.directory, domain))
        add_code(x, "InvalidDomain", "The domain is not one of this organization.");
    else
        add_code(x, "NotFederated", "The organization is not federated.");
    add_nil(x, "ApplicationUri");
    add_nil(x, "TokenIssuers");
    add_nil(x, "Domains");
}

static void get_relationship(struct soap *x, const struct xml_node *request) {
    add_code(x, xml_child(request, "Domains/Domain") != NULL ? "NoError" : "InvalidRequest", "");
    g_string_append(x->out, "<OrganizationRelationshipSettingsCollection/>");
}

// --- The request ---

struct operation {
    const char *name;
    void (*run)(struct soap *x, const struct xml_node *request);
};

static const struct operation operations[] = {
    {"GetUserSettings", get_user_settings},
    {"GetDomainSettings", get_domain_settings},
    {"GetFederationInformation", get_federation_information},
    {"GetOrganizationRelationshipSettings", get_relationship},
};

static const struct operation *operation_of(const struct xml_node *message) {
    for (unsigned i = 0; message != NULL && i < G_N_ELEMENTS(operations); i++) {
        size_t len = strlen(operations[i].name);
        if (strncmp(message->name, operations[i].name, len) == 0 &&
            strcmp(message->name + len, "RequestMessage") == 0 && strcmp(message->uri, NS) == 0)
            return &operations[i];
    }
    return NULL;
}

static void add_fault(struct soap *x, const char *code, const char *text, bool is_soap12) {
    g_string_append(x->out, "<s:Fault>");
    if (is_soap12) {
        g_string_append(x->out, "<s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason>"
                                "<s:Text xml:lang=\"en-US\">");
        xml_add_text(x->out, text);
        g_string_append(x->out, "</s:Text></s:Reason>");
    } else {
        xml_add_element(x->out, "faultcode", code);
        xml_add_element(x->out, "faultstring", text);
    }
    g_string_append(x->out, "</s:Fault>");
}

GString *autodiscover_soap(struct autodiscover_service *s, struct principal *who, const void *body,
                           size_t len, unsigned *status_out) {
    ARENA_AUTO arena = arena_new();
    struct soap x = {s, arena, who, g_string_new(NULL)};
    struct xml_node *root = NULL;
    bool is_xml = xml_read(arena, body, len, &autodiscover_xml, &root) == EC_OK &&
                  strcmp(root->name, "Envelope") == 0;
    bool is_soap12 = is_xml && strcmp(root->uri, NS_SOAP12) == 0;
    const struct xml_node *message = is_xml ? xml_child(root, "Body") : NULL;
    message = message != NULL ? message->child : NULL;
    const struct operation *operation = operation_of(message);
    if (operation == NULL) {
        *status_out = 500;
        begin(&x, "Fault", is_soap12);
        add_fault(&x, message != NULL ? "a:ActionNotSupported" : "s:Client",
                  message != NULL ? "The message cannot be processed: no such operation."
                                  : "The message is not a SOAP envelope.",
                  is_soap12);
    } else {
        g_autofree char *action = g_strconcat(operation->name, "Response", NULL);
        *status_out = 200;
        begin(&x, action, is_soap12);
        begin_message(&x, operation->name);
        operation->run(&x, xml_child(message, "Request"));
        end_message(&x, operation->name);
    }
    end(&x);
    return x.out;
}
