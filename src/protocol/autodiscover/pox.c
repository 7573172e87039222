// Plain XML: the request and the answer for Outlook ([MS-OXDSCLI] 2.2.4) and for ActiveSync
// ([MS-ASCMD] 2.2.1.1).
#include <string.h>
#include <time.h>

#include "protocol/autodiscover/autodiscover_internal.h"

#define NS_RESPONSE "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define NS_OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
#define NS_MOBILE                                                                                  \
    "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"

enum pox_error {
    POX_ADDRESS_NOT_FOUND = 500,
    POX_NO_CONFIGURATION = 501,
    POX_INVALID_REQUEST = 600,
    POX_NO_PROVIDER = 601,
    POX_INTERNAL = 603,
};

struct pox {
    struct autodiscover_service *s;
    struct arena *arena;
    struct principal *who;
    GString *out;
    unsigned mapi_http; // the client's capability
};

// --- Errors ---

static void begin(GString *out) {
    g_string_append(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                         "<Autodiscover xmlns=\"" NS_RESPONSE "\">");
}

static void add_error(struct pox *x, enum pox_error error, const char *ns) {
    static const struct {
        enum pox_error error;
        const char *text;
    } texts[] = {{POX_ADDRESS_NOT_FOUND, "The e-mail address cannot be found."},
                 {POX_NO_CONFIGURATION, "Bad Address"},
                 {POX_INVALID_REQUEST, "Invalid Request"},
                 {POX_NO_PROVIDER, "Provider is not available"},
                 {POX_INTERNAL, "Internal error"}};
    const char *text = "";
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i].error == error)
            text = texts[i].text;
    gint64 now = g_get_real_time();
    time_t seconds = (time_t)(now / G_USEC_PER_SEC);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    g_string_append_printf(x->out, ns != NULL ? "<Response xmlns=\"%s\">" : "<Response>", ns);
    g_string_append_printf(x->out,
                           "<Error Time=\"%02d:%02d:%02d.%07d\" Id=\"%u\"><ErrorCode>%d</ErrorCode>"
                           "<Message>%s</Message><DebugData/></Error></Response>",
                           tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now % G_USEC_PER_SEC) * 10,
                           g_str_hash(x->s->options.hostname), (int)error, text);
}

// --- For Outlook ---

static const char *url(struct pox *x, const char *path) {
    return autodiscover_url(x->s, x->arena, path);
}

static void add_user(struct pox *x, const struct account *a) {
    g_string_append(x->out, "<User>");
    xml_add_element(x->out, "DisplayName", a->object->display_name);
    xml_add_element(x->out, "LegacyDN", a->dn);
    xml_add_element(x->out, "AutoDiscoverSMTPAddress", a->object->address);
    xml_add_element(x->out, "DeploymentId", a->deployment);
    g_string_append(x->out, "</User>");
}

// Where the web services are, which every kind of protocol repeats.
static void add_services(struct pox *x) {
    const char *ews = url(x, "/EWS/Exchange.asmx");
    xml_add_element(x->out, "ASUrl", ews);
    xml_add_element(x->out, "EwsUrl", ews);
    xml_add_element(x->out, "EmwsUrl", ews);
    xml_add_element(x->out, "OOFUrl", ews);
    xml_add_element(x->out, "UMUrl", url(x, "/EWS/UM2007Legacy.asmx"));
    xml_add_element(x->out, "OABUrl", url(x, "/OAB/"));
    xml_add_element(x->out, "ServerExclusiveConnect", "off");
}

static void add_exch(struct pox *x, const struct account *a) {
    g_string_append(x->out, "<Protocol><Type>EXCH</Type>");
    xml_add_element(x->out, "Server", a->server);
    xml_add_element(x->out, "ServerDN", a->server_dn);
    xml_add_element(x->out, "ServerVersion", SERVER_VERSION_HEX);
    xml_add_element(x->out, "MdbDN", a->database_dn);
    if (a->public_folders != NULL)
        xml_add_element(x->out, "PublicFolderServer", x->s->options.hostname);
    xml_add_element(x->out, "AuthPackage", "Anonymous");
    add_services(x);
    g_string_append(x->out, "</Protocol>");
}

static void add_proxied(struct pox *x, const char *type) {
    g_string_append_printf(x->out, "<Protocol><Type>%s</Type>", type);
    xml_add_element(x->out, "Server", x->s->options.hostname);
    xml_add_element(x->out, "SSL", "On");
    xml_add_element(x->out, "AuthPackage", "Ntlm");
    add_services(x);
    g_string_append(x->out, "</Protocol>");
}

static void add_web(struct pox *x) {
    static const char *const sides[] = {"Internal", "External"};
    g_string_append(x->out, "<Protocol><Type>WEB</Type>");
    for (unsigned i = 0; i < G_N_ELEMENTS(sides); i++) {
        g_string_append_printf(x->out, "<%s><OWAUrl AuthenticationMethod=\"Basic, Fba\">",
                               sides[i]);
        xml_add_text(x->out, url(x, "/owa/"));
        g_string_append_printf(x->out, "</OWAUrl><Protocol><Type>%s</Type>",
                               i == 0 ? "EXCH" : "EXPR");
        xml_add_element(x->out, "ASUrl", url(x, "/EWS/Exchange.asmx"));
        g_string_append_printf(x->out, "</Protocol></%s>", sides[i]);
    }
    g_string_append(x->out, "</Protocol>");
}

// [MS-OXDSCLI] 2.2.4.1.1.2.6; only for those who say that they know it (X-MapiHttpCapability).
static void add_mapi_http(struct pox *x, const struct account *a) {
    static const struct {
        const char *element, *endpoint;
    } stores[] = {{"MailStore", "emsmdb"}, {"AddressBook", "nspi"}};
    g_string_append(x->out, "<Protocol Type=\"mapiHttp\" Version=\"1\">");
    for (unsigned i = 0; i < G_N_ELEMENTS(stores); i++) {
        const char *at = autodiscover_mapi_url(x->s, x->arena, a, stores[i].endpoint);
        g_string_append_printf(x->out, "<%s>", stores[i].element);
        xml_add_element(x->out, "InternalUrl", at);
        xml_add_element(x->out, "ExternalUrl", at);
        g_string_append_printf(x->out, "</%s>", stores[i].element);
    }
    g_string_append(x->out, "</Protocol>");
}

static void add_alternates(struct pox *x, const struct account *a) {
    for (unsigned i = 0; i < a->n_alternates; i++) {
        const struct alternate *m = &a->alternates[i];
        bool is_archive = strcmp(m->type, "Archive") == 0;
        g_string_append(x->out, "<AlternativeMailbox>");
        xml_add_element(x->out, "Type", m->type);
        xml_add_element(x->out, "DisplayName", m->display_name);
        if (is_archive) {
            xml_add_element(x->out, "LegacyDN", m->dn);
            xml_add_element(x->out, "Server", m->server);
        } else {
            xml_add_element(x->out, "SmtpAddress", m->address);
            xml_add_element(x->out, "OwnerSmtpAddress", m->address);
        }
        g_string_append(x->out, "</AlternativeMailbox>");
    }
}

static void add_outlook(struct pox *x, const struct account *a) {
    g_string_append(x->out, "<Response xmlns=\"" NS_OUTLOOK "\">");
    if (a->redirect != NULL) {
        g_string_append(x->out, "<Account><Action>redirectAddr</Action>");
        xml_add_element(x->out, "RedirectAddr", a->redirect);
        g_string_append(x->out, "</Account></Response>");
        return;
    }
    add_user(x, a);
    g_string_append(x->out, "<Account><AccountType>email</AccountType><Action>settings</Action>"
                            "<MicrosoftOnline>False</MicrosoftOnline>");
    if (x->mapi_http > 0)
        add_mapi_http(x, a);
    add_exch(x, a);
    add_proxied(x, "EXPR");
    add_proxied(x, "EXHTTP");
    add_web(x);
    add_alternates(x, a);
    if (a->public_folders != NULL) {
        g_string_append(x->out, "<PublicFolderInformation>");
        xml_add_element(x->out, "SmtpAddress", a->public_folders);
        g_string_append(x->out, "</PublicFolderInformation>");
    }
    g_string_append(x->out, "</Account></Response>");
}

// --- For ActiveSync ---

static void add_mobile(struct pox *x, const struct account *a) {
    const char *at = url(x, "/Microsoft-Server-ActiveSync");
    const char *locale = a->object->locale != NULL ? a->object->locale : "en";
    // A language and a country, small letters: "en:us" is what servers send.
    g_autofree char *culture = g_ascii_strdown(strlen(locale) > 2 ? locale : "en-us", -1);
    g_string_append(x->out, "<Response xmlns=\"" NS_MOBILE "\">");
    xml_add_element(x->out, "Culture", g_strdelimit(culture, "-_", ':'));
    g_string_append(x->out, "<User>");
    if (a->redirect == NULL)
        xml_add_element(x->out, "DisplayName", a->object->display_name);
    xml_add_element(x->out, "EMailAddress", a->object->address);
    g_string_append(x->out, "</User><Action>");
    if (a->redirect != NULL) {
        xml_add_element(x->out, "Redirect", a->redirect);
    } else {
        g_string_append(x->out, "<Settings><Server><Type>MobileSync</Type>");
        xml_add_element(x->out, "Url", at);
        xml_add_element(x->out, "Name", at);
        g_string_append(x->out, "</Server></Settings>");
    }
    g_string_append(x->out, "</Action></Response>");
}

// --- The request ---

static bool wants(const struct xml_node *request, const char *schema) {
    const struct xml_node *n = xml_child(request, "AcceptableResponseSchema");
    for (; n != NULL; n = xml_next(n))
        if (g_ascii_strcasecmp(n->text, schema) == 0)
            return true;
    return false;
}

static bool is_mobile_denied(struct pox *x, const struct account *a) {
    return !x->s->options.has_activesync ||
           (a->redirect == NULL && (a->object->protocols & DIRECTORY_EAS) == 0);
}

static void answer(struct pox *x, const struct xml_node *root) {
    struct account account;
    const struct xml_node *request = xml_child(root, "Request");
    const char *name = xml_child_text(request, "EMailAddress");
    if (*name == '\0')
        name = xml_child_text(request, "LegacyDN");
    if (request == NULL || g_strcmp0(root->name, "Autodiscover") != 0 || *name == '\0') {
        add_error(x, POX_INVALID_REQUEST, NULL);
        return;
    }
    bool is_outlook = wants(request, NS_OUTLOOK), is_mobile = wants(request, NS_MOBILE);
    const char *ns = is_outlook ? NS_OUTLOOK : NULL;
    if (!is_outlook && !is_mobile) {
        add_error(x, POX_NO_PROVIDER, NULL);
        return;
    }
    enum ec ec = autodiscover_account(x->s, x->arena, x->who, name, &account);
    if (ec == EC_NOT_FOUND)
        add_error(x, POX_ADDRESS_NOT_FOUND, ns);
    else if (ec != EC_OK)
        add_error(x, POX_INTERNAL, ns);
    else if (is_outlook)
        add_outlook(x, &account);
    else if (is_mobile_denied(x, &account))
        add_error(x, POX_NO_PROVIDER, NULL);
    else
        add_mobile(x, &account);
}

GString *autodiscover_pox(struct autodiscover_service *s, struct principal *who, const void *body,
                          size_t len, unsigned mapi_http) {
    ARENA_AUTO arena = arena_new();
    struct pox x = {s, arena, who, g_string_new(NULL), mapi_http};
    struct xml_node *root;
    begin(x.out);
    if (xml_read(arena, body, len, &autodiscover_xml, &root) == EC_OK)
        answer(&x, root);
    else
        add_error(&x, POX_INVALID_REQUEST, NULL);
    g_string_append(x.out, "</Autodiscover>\n");
    return x.out;
}
