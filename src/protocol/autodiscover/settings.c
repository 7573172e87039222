// The settings of SOAP by name ([MS-OXWSADISC] 2.2.3.12): one table of how each is said.
#include <string.h>

#include "protocol/autodiscover/autodiscover_internal.h"

enum source {
    NOTHING, // there is no such thing here
    URL,     // argument: the path
    TEXT,    // argument: the value
    DISPLAY_NAME,
    DN,
    ADDRESS,
    DEPLOYMENT,
    HOSTNAME,
    SERVER,
    SERVER_DN,
    DATABASE_DN,
    VERSION,
    PUBLIC_FOLDERS, // their address
    PUBLIC_FOLDER_SERVER,
    ALTERNATES,
    CONNECTIONS, // argument: names of listeners, without and with TLS from the start
    WEB,
};

struct setting {
    const char *name;
    enum source source;
    const char *argument;
};

#define EWS "/EWS/Exchange.asmx"
#define SCHEMAS                                                                                    \
    "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, "           \
    "Exchange2013, Exchange2013_SP1, Exchange2015, Exchange2016"

// Sorted by name.
static const struct setting settings[] = {
    {"ActiveDirectoryServer", HOSTNAME},
    {"AlternateMailboxes", ALTERNATES},
    {"AutoDiscoverSMTPAddress", ADDRESS},
    {"CasVersion", VERSION},
    {"CertPrincipalName", NOTHING},
    {"CrossOrganizationSharingEnabled", TEXT, "False"},
    {"DocumentSharingLocations", NOTHING},
    {"EcpConnectUrlFragment", NOTHING},
    {"EcpDeliveryReportUrlFragment", NOTHING},
    {"EcpEmailSubscriptionsUrlFragment", NOTHING},
    {"EcpExtensionInstallationUrlFragment", NOTHING},
    {"EcpPhotoUrlFragment", NOTHING},
    {"EcpPublishingUrlFragment", NOTHING},
    {"EcpRetentionPolicyTagsUrlFragment", NOTHING},
    {"EcpTeamMailboxCreatingUrlFragment", NOTHING},
    {"EcpTeamMailboxEditingUrlFragment", NOTHING},
    {"EcpTeamMailboxUrlFragment", NOTHING},
    {"EcpTextMessagingUrlFragment", NOTHING},
    {"EcpVoicemailUrlFragment", NOTHING},
    {"EwsPartnerUrl", NOTHING},
    {"EwsSupportedSchemas", TEXT, SCHEMAS},
    {"ExchangeRpcUrl", NOTHING},
    {"ExternalEcpConnectUrl", NOTHING},
    {"ExternalEcpDeliveryReportUrl", NOTHING},
    {"ExternalEcpEmailSubscriptionsUrl", NOTHING},
    {"ExternalEcpExtensionInstallationUrl", NOTHING},
    {"ExternalEcpPhotoUrl", NOTHING},
    {"ExternalEcpPublishingUrl", NOTHING},
    {"ExternalEcpRetentionPolicyTagsUrl", NOTHING},
    {"ExternalEcpTeamMailboxCreatingUrl", NOTHING},
    {"ExternalEcpTeamMailboxEditingUrl", NOTHING},
    {"ExternalEcpTeamMailboxHidingUrl", NOTHING},
    {"ExternalEcpTeamMailboxUrl", NOTHING},
    {"ExternalEcpTextMessagingUrl", NOTHING},
    {"ExternalEcpUrl", NOTHING},
    {"ExternalEcpVoicemailUrl", NOTHING},
    {"ExternalEmwsUrl", URL, EWS},
    {"ExternalEwsUrl", URL, EWS},
    {"ExternalEwsVersion", VERSION},
    {"ExternalImap4Connections", CONNECTIONS, "imap imaps"},
    {"ExternalMailboxServer", HOSTNAME},
    {"ExternalMailboxServerAuthenticationMethods", TEXT, "Ntlm"},
    {"ExternalMailboxServerRequiresSSL", TEXT, "True"},
    {"ExternalOABUrl", URL, "/OAB/"},
    {"ExternalOutlookServiceUrl", NOTHING},
    {"ExternalPhotosUrl", URL, EWS "/s/GetUserPhoto"},
    {"ExternalPop3Connections", CONNECTIONS, "pop3 pop3s"},
    {"ExternalServerExclusiveConnect", TEXT, "off"},
    {"ExternalSmtpConnections", CONNECTIONS, "submission submissions"},
    {"ExternalUMUrl", URL, "/EWS/UM2007Legacy.asmx"},
    {"ExternalWebClientUrls", WEB},
    {"GroupingInformation", NOTHING},
    {"InternalEcpConnectUrl", NOTHING},
    {"InternalEcpDeliveryReportUrl", NOTHING},
    {"InternalEcpEmailSubscriptionsUrl", NOTHING},
    {"InternalEcpExtensionInstallationUrl", NOTHING},
    {"InternalEcpPhotoUrl", NOTHING},
    {"InternalEcpPublishingUrl", NOTHING},
    {"InternalEcpRetentionPolicyTagsUrl", NOTHING},
    {"InternalEcpTeamMailboxCreatingUrl", NOTHING},
    {"InternalEcpTeamMailboxEditingUrl", NOTHING},
    {"InternalEcpTeamMailboxHidingUrl", NOTHING},
    {"InternalEcpTeamMailboxUrl", NOTHING},
    {"InternalEcpTextMessagingUrl", NOTHING},
    {"InternalEcpUrl", NOTHING},
    {"InternalEcpVoicemailUrl", NOTHING},
    {"InternalEmwsUrl", URL, EWS},
    {"InternalEwsUrl", URL, EWS},
    {"InternalImap4Connections", CONNECTIONS, "imap imaps"},
    {"InternalMailboxServer", SERVER},
    {"InternalMailboxServerAuthenticationMethods", TEXT, "Ntlm"},
    {"InternalMailboxServerDN", SERVER_DN},
    {"InternalOABUrl", URL, "/OAB/"},
    {"InternalOutlookServiceUrl", NOTHING},
    {"InternalPhotosUrl", URL, EWS "/s/GetUserPhoto"},
    {"InternalPop3Connections", CONNECTIONS, "pop3 pop3s"},
    {"InternalRpcClientServer", SERVER},
    {"InternalRpcHttpAuthenticationMethod", TEXT, "Ntlm"},
    {"InternalRpcHttpConnectivityRequiresSsl", TEXT, "True"},
    {"InternalRpcHttpServer", HOSTNAME},
    {"InternalServerExclusiveConnect", TEXT, "off"},
    {"InternalSmtpConnections", CONNECTIONS, "submission submissions"},
    {"InternalUMUrl", URL, "/EWS/UM2007Legacy.asmx"},
    {"InternalWebClientUrls", WEB},
    {"InteropExternalEwsUrl", URL, EWS},
    {"InteropExternalEwsVersion", VERSION},
    {"MailboxDN", DATABASE_DN},
    {"MailboxVersion", VERSION},
    {"MobileMailboxPolicy", NOTHING},
    {"PublicFolderInformation", PUBLIC_FOLDERS},
    {"PublicFolderServer", PUBLIC_FOLDER_SERVER},
    {"RedirectUrl", NOTHING},
    {"SPMySiteHostURL", NOTHING},
    {"ShowGalAsDefaultView", TEXT, "True"},
    {"SiteMailboxCreationURL", NOTHING},
    {"UserDN", DN},
    {"UserDeploymentId", DEPLOYMENT},
    {"UserDisplayName", DISPLAY_NAME},
    {"UserMSOnline", TEXT, "False"},
};

static int compare(const void *name, const void *setting) {
    return strcmp(name, ((const struct setting *)setting)->name);
}

static const char *version(struct arena *arena) {
    return arena_printf(arena, "%d.%02d.%04d.%03d", SERVER_MAJOR, SERVER_MINOR, SERVER_BUILD,
                        SERVER_REVISION);
}

static const char *text_of(struct autodiscover_service *s, struct arena *arena,
                           const struct account *a, const struct setting *setting) {
    switch (setting->source) {
    case URL:
        return autodiscover_url(s, arena, setting->argument);
    case TEXT:
        return setting->argument;
    case DISPLAY_NAME:
        return a->object->display_name;
    case DN:
        return a->dn;
    case ADDRESS:
        return a->object->address;
    case DEPLOYMENT:
        return a->deployment;
    case HOSTNAME:
        return s->options.hostname;
    case SERVER:
        return a->server;
    case SERVER_DN:
        return a->server_dn;
    case DATABASE_DN:
        return a->database_dn;
    case VERSION:
        return version(arena);
    case PUBLIC_FOLDERS:
        return a->public_folders;
    case PUBLIC_FOLDER_SERVER:
        return a->public_folders != NULL ? s->options.hostname : NULL;
    default:
        return NULL;
    }
}

static void fill_connections(struct autodiscover_service *s, struct arena *arena, const char *names,
                             struct setting_value *out) {
    const char *blank = strchr(names, ' ');
    out->plain = arena_strndup(arena, names, (size_t)(blank - names));
    out->encrypted = blank + 1;
    bool is_there =
        autodiscover_port(s, out->plain) > 0 || autodiscover_port(s, out->encrypted) > 0;
    out->kind = is_there ? SETTING_CONNECTIONS : SETTING_NOT_AVAILABLE;
}

void autodiscover_setting(struct autodiscover_service *s, struct arena *arena,
                          const struct account *account, const char *name,
                          struct setting_value *out) {
    const struct setting *setting =
        bsearch(name, settings, G_N_ELEMENTS(settings), sizeof settings[0], compare);
    *out = (struct setting_value){.kind = SETTING_UNKNOWN};
    if (setting == NULL)
        return;
    switch (setting->source) {
    case ALTERNATES:
        out->kind = account->n_alternates > 0 ? SETTING_ALTERNATES : SETTING_NOT_AVAILABLE;
        break;
    case CONNECTIONS:
        fill_connections(s, arena, setting->argument, out);
        break;
    case WEB:
        out->kind = SETTING_WEB;
        out->text = autodiscover_url(s, arena, "/owa/");
        break;
    default:
        out->text = text_of(s, arena, account, setting);
        out->kind = out->text != NULL ? SETTING_STRING : SETTING_NOT_AVAILABLE;
    }
}
