// The documents of Autodiscover, without HTTP.
#include "protocol/autodiscover/autodiscover.h"

#include <string.h>

#include "base/test.h"
#include "directory/dn.h"
#include "formats/xml_reader.h"
#include "mailbox/archive.h"
#include "store/store.h"

#define NS_REQUEST "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
#define NS_OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
#define NS_MOBILE                                                                                  \
    "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
#define NS_SOAP "http://schemas.microsoft.com/exchange/2010/Autodiscover"

struct world {
    char *folder;
    struct directory *d;
    struct store *store;
    struct mailbox_service *mailboxes;
    struct autodiscover_service *service;
    struct principal *alice;
    struct guid shared, hidden;
    struct arena *arena;
};

static struct guid add(struct world *w, struct directory_object object) {
    object.protocols = DIRECTORY_ALL_PROTOCOLS;
    assert_ok(directory_add(w->d, &object));
    if (object.kind <= DIRECTORY_EQUIPMENT) {
        struct mbox_new spec = {object.guid, object.address, object.display_name, "en"};
        assert_ok(store_create_mailbox(w->store, &spec));
    }
    return object.guid;
}
#define ADD(w, ...) add(w, (struct directory_object){__VA_ARGS__})

static void setup(struct world *w, gconstpointer data) {
    struct store_options store = {.is_durable = false};
    w->folder = test_folder();
    g_autofree char *path = g_build_filename(w->folder, "directory.db", NULL);
    g_autofree char *store_path = g_build_filename(w->folder, "store", NULL);
    assert_ok(directory_open(path, &w->d));
    assert_ok(directory_domain_add(w->d, "example.test"));
    assert_ok(store_open(store_path, &store, &w->store));
    assert_ok(mailbox_service_new(w->store, w->d, &w->mailboxes));
    struct autodiscover_options options = {.directory = w->d,
                                           .mailboxes = w->mailboxes,
                                           .hostname = "mail.example.test",
                                           .organization = "Example <1>",
                                           .has_activesync = true};
    assert_ok(autodiscover_service_new(&options, &w->service));
    autodiscover_set_listeners(w->service, "imap 127.0.0.1:143\nimaps [::]:993\n"
                                           "https [::]:8443\nsubmissions 127.0.0.1:465\n");
    w->alice = g_new0(struct principal, 1);
    w->alice->refs = 1;
    w->alice->guid = ADD(w, .address = "alice@example.test", .display_name = "Alice <A>");
    w->alice->address = g_strdup("alice@example.test");
    ADD(w, .address = "bob@example.test", .display_name = "Bob");
    w->shared =
        ADD(w, .kind = DIRECTORY_SHARED, .address = "info@example.test", .display_name = "Info");
    w->hidden = ADD(w, .address = "secret@example.test", .display_name = "S", .is_hidden = true);
    ADD(w, .kind = DIRECTORY_CONTACT, .address = "gone@example.test", .display_name = "Gone",
        .target = "gone@elsewhere.test");
    ADD(w, .kind = DIRECTORY_GROUP, .address = "group@example.test", .display_name = "Group");
    w->arena = arena_new();
}

static void teardown(struct world *w, gconstpointer data) {
    arena_free(w->arena);
    autodiscover_service_free(w->service);
    principal_unref(w->alice);
    mailbox_service_free(w->mailboxes);
    store_close(w->store);
    directory_close(w->d);
    test_folder_remove(w->folder);
}

// --- Plain XML ---

static struct xml_node *document(struct world *w, GString *answer) {
    static const struct xml_limits limits = {.bytes = 1 << 20, .depth = 30, .nodes = 10000};
    struct xml_node *root;
    assert_ok(xml_read(w->arena, answer->str, answer->len, &limits, &root));
    g_string_free(answer, TRUE);
    return root;
}

static struct xml_node *pox(struct world *w, const char *element, const char *name,
                            const char *schema, unsigned mapi_http) {
    g_autofree char *escaped = g_markup_escape_text(name, -1);
    g_autofree char *request = g_strdup_printf(
        "<?xml version=\"1.0\"?><Autodiscover xmlns=\"" NS_REQUEST "\"><Request><%s>%s</%s>"
        "<AcceptableResponseSchema>%s</AcceptableResponseSchema></Request></Autodiscover>",
        element, escaped, element, schema);
    return document(w, autodiscover_pox(w->service, w->alice, request, strlen(request), mapi_http));
}

static struct xml_node *outlook(struct world *w, const char *name) {
    return pox(w, "EMailAddress", name, NS_OUTLOOK, 0);
}

static struct xml_node *protocol(struct xml_node *root, const char *type) {
    struct xml_node *p = xml_child(root, "Response/Account/Protocol");
    while (p != NULL && strcmp(xml_child_text(p, "Type"), type) != 0 &&
           g_strcmp0(xml_attribute(p, "Type"), type) != 0)
        p = xml_next(p);
    return p;
}

static const char *error_of(struct xml_node *root) {
    return xml_child_text(root, "Response/Error/ErrorCode");
}

static void test_outlook(struct world *w, gconstpointer data) {
    struct xml_node *root = outlook(w, "ALICE@example.test");
    g_assert_cmpstr(xml_child(root, "Response")->uri, ==, NS_OUTLOOK);
    g_assert_cmpstr(xml_child_text(root, "Response/User/DisplayName"), ==, "Alice <A>");
    g_assert_cmpstr(xml_child_text(root, "Response/User/AutoDiscoverSMTPAddress"), ==,
                    "alice@example.test");
    g_assert_cmpstr(xml_child_text(root, "Response/Account/Action"), ==, "settings");
    g_assert_cmpstr(xml_child_text(root, "Response/Account/AccountType"), ==, "email");
    const char *ews = "https://mail.example.test:8443/EWS/Exchange.asmx";
    static const char *const types[] = {"EXCH", "EXPR", "EXHTTP"};
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        g_assert_cmpstr(xml_child_text(protocol(root, types[i]), "EwsUrl"), ==, ews);
    g_assert_cmpstr(xml_child_text(protocol(root, "WEB"), "External/Protocol/ASUrl"), ==, ews);
    g_assert_null(protocol(root, "mapiHttp"));
    const char *dn = xml_child_text(root, "Response/User/LegacyDN");
    struct directory_object *object;
    assert_ok(directory_find_dn(w->d, w->arena, dn, &object));
    g_assert_cmpstr(object->address, ==, "alice@example.test");
    // The same by the name in the directory, and with MAPI over HTTP.
    root = pox(w, "LegacyDN", dn, NS_OUTLOOK, 1);
    char guid[GUID_STRING_SIZE];
    guid_format(&w->alice->guid, guid);
    g_autofree char *url = g_strdup_printf(
        "https://mail.example.test:8443/mapi/emsmdb/?MailboxId=%s@example.test", guid);
    struct xml_node *mapi = protocol(root, "mapiHttp");
    g_assert_cmpstr(xml_attribute(mapi, "Version"), ==, "1");
    g_assert_cmpstr(xml_child_text(mapi, "MailStore/ExternalUrl"), ==, url);
    g_assert_nonnull(strstr(xml_child_text(mapi, "AddressBook/InternalUrl"), "/mapi/nspi/?"));
    g_assert_nonnull(protocol(root, "EXHTTP"));
    // The name that stands for the server leads here too.
    const char *server = xml_child_text(protocol(root, "EXCH"), "Server");
    g_assert_cmpstr(xml_child_text(outlook(w, server), "Response/User/LegacyDN"), ==, dn);
}

static void test_others(struct world *w, gconstpointer data) {
    g_assert_cmpstr(xml_child_text(outlook(w, "bob@example.test"), "Response/User/DisplayName"), ==,
                    "Bob");
    struct xml_node *root = outlook(w, "gone@example.test");
    g_assert_cmpstr(xml_child_text(root, "Response/Account/Action"), ==, "redirectAddr");
    g_assert_cmpstr(xml_child_text(root, "Response/Account/RedirectAddr"), ==,
                    "gone@elsewhere.test");
    static const char *const unknown[] = {"nobody@example.test",
                                          "x@elsewhere.test",
                                          "x",
                                          "secret@example.test",
                                          "group@example.test",
                                          "/o=x/cn=y",
                                          "00000000-0000-0000-0000-000000000000@example.test"};
    for (unsigned i = 0; i < G_N_ELEMENTS(unknown); i++)
        g_assert_cmpstr(error_of(outlook(w, unknown[i])), ==, "500");
    assert_ok(directory_grant(w->d, &w->hidden, &w->alice->guid, DIRECTORY_FULL_ACCESS));
    g_assert_cmpstr(error_of(outlook(w, "secret@example.test")), ==, "");
}

static void test_alternates(struct world *w, gconstpointer data) {
    assert_ok(directory_grant(w->d, &w->shared, &w->alice->guid, DIRECTORY_FULL_ACCESS));
    assert_ok(mailbox_archive_enable(w->mailboxes, &w->alice->guid));
    assert_ok(mailbox_create_public(w->mailboxes));
    struct xml_node *root = outlook(w, "alice@example.test");
    struct xml_node *a = xml_child(root, "Response/Account/AlternativeMailbox");
    g_assert_cmpstr(xml_child_text(a, "Type"), ==, "Archive");
    g_assert_cmpstr(xml_child_text(a, "DisplayName"), ==, "Online Archive - Alice <A>");
    a = xml_next(a);
    g_assert_cmpstr(xml_child_text(a, "Type"), ==, "Delegate");
    g_assert_cmpstr(xml_child_text(a, "SmtpAddress"), ==, "info@example.test");
    g_assert_null(xml_next(a));
    // Whoever asks about somebody else is not told what that one may open.
    struct xml_node *other = outlook(w, "bob@example.test");
    g_assert_null(xml_child(other, "Response/Account/AlternativeMailbox"));
    const char *address =
        xml_child_text(root, "Response/Account/PublicFolderInformation/SmtpAddress");
    root = pox(w, "EMailAddress", address, NS_OUTLOOK, 1);
    g_assert_nonnull(
        strstr(xml_child_text(protocol(root, "mapiHttp"), "MailStore/InternalUrl"), address));
}

static void test_mobile(struct world *w, gconstpointer data) {
    struct xml_node *root = pox(w, "EMailAddress", "alice@example.test", NS_MOBILE, 0);
    struct xml_node *response = xml_child(root, "Response");
    g_assert_cmpstr(response->uri, ==, NS_MOBILE);
    g_assert_cmpstr(xml_child_text(response, "Culture"), ==, "en:us");
    g_assert_cmpstr(xml_child_text(response, "User/EMailAddress"), ==, "alice@example.test");
    struct xml_node *server = xml_child(response, "Action/Settings/Server");
    g_assert_cmpstr(xml_child_text(server, "Type"), ==, "MobileSync");
    g_assert_cmpstr(xml_child_text(server, "Url"), ==,
                    "https://mail.example.test:8443/Microsoft-Server-ActiveSync");
    root = pox(w, "EMailAddress", "gone@example.test", NS_MOBILE, 0);
    g_assert_cmpstr(xml_child_text(root, "Response/Action/Redirect"), ==, "gone@elsewhere.test");
}

static void test_pox_refused(struct world *w, gconstpointer data) {
    static const char *const bad[] = {
        "",
        "nonsense",
        "<a/>",
        "<Autodiscover/>",
        "<Autodiscover><Request/></Autodiscover>",
        "<!DOCTYPE a [<!ENTITY b 'alice@example.test'>]><Autodiscover><Request><EMailAddress>&b;"
        "</EMailAddress></Request></Autodiscover>",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct xml_node *root =
            document(w, autodiscover_pox(w->service, w->alice, bad[i], strlen(bad[i]), 0));
        g_assert_cmpstr(root->name, ==, "Autodiscover");
        g_assert_cmpstr(error_of(root), ==, "600");
        g_assert_nonnull(xml_attribute(xml_child(root, "Response/Error"), "Time"));
    }
    g_assert_cmpstr(error_of(pox(w, "EMailAddress", "alice@example.test", "urn:other", 0)), ==,
                    "601");
}

// --- SOAP ---

static struct xml_node *soap(struct world *w, const char *operation, const char *request,
                             unsigned want) {
    unsigned status;
    g_autofree char *body = g_strdup_printf(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "xmlns=\"" NS_SOAP "\"><s:Body><%sRequestMessage><Request>%s</Request></%sRequestMessage>"
        "</s:Body></s:Envelope>",
        operation, request, operation);
    GString *answer = autodiscover_soap(w->service, w->alice, body, strlen(body), &status);
    g_assert_cmpuint(status, ==, want);
    struct xml_node *root = document(w, answer);
    g_assert_cmpstr(xml_child_text(root, "Header/ServerVersionInfo/MajorVersion"), ==, "15");
    struct xml_node *message = xml_child(root, "Body")->child;
    return strcmp(message->name, "Fault") == 0 ? message : xml_child(message, "Response");
}

static struct xml_node *setting(struct xml_node *user, const char *name) {
    struct xml_node *s = xml_child(user, "UserSettings/UserSetting");
    while (s != NULL && strcmp(xml_child_text(s, "Name"), name) != 0)
        s = xml_next(s);
    g_assert_nonnull(s);
    return s;
}

static void test_user_settings(struct world *w, gconstpointer data) {
    assert_ok(directory_grant(w->d, &w->shared, &w->alice->guid, DIRECTORY_FULL_ACCESS));
    struct xml_node *r =
        soap(w, "GetUserSettings",
             "<Users><User><Mailbox>alice@example.test</Mailbox></User>"
             "<User><Mailbox>nobody@example.test</Mailbox></User>"
             "<User><Mailbox>gone@example.test</Mailbox></User></Users><RequestedSettings>"
             "<Setting>UserDisplayName</Setting><Setting>ExternalEwsUrl</Setting>"
             "<Setting>NoSuch</Setting><Setting>ExternalEcpUrl</Setting>"
             "<Setting>ExternalPop3Connections</Setting><Setting>ExternalImap4Connections</Setting>"
             "<Setting>InternalWebClientUrls</Setting><Setting>AlternateMailboxes</Setting>"
             "<Setting>CasVersion</Setting></RequestedSettings>",
             200);
    g_assert_cmpstr(xml_child_text(r, "ErrorCode"), ==, "NoError");
    struct xml_node *user = xml_child(r, "UserResponses/UserResponse");
    g_assert_cmpstr(xml_child_text(user, "ErrorCode"), ==, "NoError");
    struct xml_node *name = setting(user, "UserDisplayName");
    g_assert_cmpstr(xml_attribute(name, "type"), ==, "StringSetting");
    g_assert_cmpstr(xml_child_text(name, "Value"), ==, "Alice <A>");
    g_assert_cmpstr(xml_child_text(setting(user, "ExternalEwsUrl"), "Value"), ==,
                    "https://mail.example.test:8443/EWS/Exchange.asmx");
    struct xml_node *imap = xml_child(setting(user, "ExternalImap4Connections"),
                                      "ProtocolConnections/ProtocolConnection");
    g_assert_cmpstr(xml_child_text(imap, "Port"), ==, "993");
    g_assert_cmpstr(xml_child_text(imap, "EncryptionMethod"), ==, "SSL");
    g_assert_cmpstr(xml_child_text(xml_next(imap), "Port"), ==, "143");
    g_assert_nonnull(
        xml_child(setting(user, "InternalWebClientUrls"), "WebClientUrls/WebClientUrl"));
    g_assert_cmpstr(xml_child_text(setting(user, "AlternateMailboxes"),
                                   "AlternateMailboxes/AlternateMailbox/SmtpAddress"),
                    ==, "info@example.test");
    g_assert_cmpstr(xml_child_text(setting(user, "CasVersion"), "Value"), ==, "15.01.2507.006");
    static const char *const errors[][2] = {{"NoSuch", "InvalidSetting"},
                                            {"ExternalEcpUrl", "SettingIsNotAvailable"},
                                            {"ExternalPop3Connections", "SettingIsNotAvailable"}};
    struct xml_node *error = xml_child(user, "UserSettingErrors/UserSettingError");
    for (unsigned i = 0; i < G_N_ELEMENTS(errors); i++, error = xml_next(error)) {
        g_assert_cmpstr(xml_child_text(error, "SettingName"), ==, errors[i][0]);
        g_assert_cmpstr(xml_child_text(error, "ErrorCode"), ==, errors[i][1]);
    }
    g_assert_null(error);
    user = xml_next(user);
    g_assert_cmpstr(xml_child_text(user, "ErrorCode"), ==, "InvalidUser");
    user = xml_next(user);
    g_assert_cmpstr(xml_child_text(user, "ErrorCode"), ==, "RedirectAddress");
    g_assert_cmpstr(xml_child_text(user, "RedirectTarget"), ==, "gone@elsewhere.test");
    r = soap(w, "GetUserSettings", "", 200);
    g_assert_cmpstr(xml_child_text(r, "ErrorCode"), ==, "InvalidRequest");
    r = soap(w, "GetUserSettings", "<Users><User><Mailbox>x</Mailbox></User></Users>", 200);
    g_assert_cmpstr(xml_child_text(r, "ErrorCode"), ==, "InvalidRequest");
}

static void test_domains(struct world *w, gconstpointer data) {
    struct xml_node *r =
        soap(w, "GetDomainSettings",
             "<Domains><Domain>example.test</Domain><Domain>x.test</Domain></Domains>"
             "<RequestedSettings><Setting>ExternalEwsUrl</Setting>"
             "<Setting>UserDN</Setting></RequestedSettings>",
             200);
    struct xml_node *domain = xml_child(r, "DomainResponses/DomainResponse");
    g_assert_cmpstr(xml_child_text(domain, "ErrorCode"), ==, "NoError");
    g_assert_cmpstr(xml_child_text(domain, "DomainSettings/DomainSetting/Value"), ==,
                    "https://mail.example.test:8443/EWS/Exchange.asmx");
    g_assert_cmpstr(xml_child_text(domain, "DomainSettingErrors/DomainSettingError/SettingName"),
                    ==, "UserDN");
    g_assert_cmpstr(xml_child_text(xml_next(domain), "ErrorCode"), ==, "InvalidDomain");
    r = soap(w, "GetFederationInformation", "<Domain>example.test</Domain>", 200);
    g_assert_cmpstr(xml_child_text(r, "ErrorCode"), ==, "NotFederated");
    r = soap(w, "GetFederationInformation", "<Domain>x.test</Domain>", 200);
    g_assert_cmpstr(xml_child_text(r, "ErrorCode"), ==, "InvalidDomain");
    r = soap(w, "GetOrganizationRelationshipSettings",
             "<Domains><Domain>example.test</Domain></Domains>", 200);
    g_assert_cmpstr(xml_child_text(r, "ErrorCode"), ==, "NoError");
    r = soap(w, "NoSuchThing", "", 500);
    g_assert_cmpstr(r->name, ==, "Fault");
    unsigned status;
    struct xml_node *root = document(w, autodiscover_soap(w->service, w->alice, "x", 1, &status));
    g_assert_cmpuint(status, ==, 500);
    g_assert_nonnull(xml_child(root, "Body/Fault"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name)                                                                                 \
    g_test_add("/autodiscover/" #name, struct world, NULL, setup, test_##name, teardown)
    TEST(outlook);
    TEST(others);
    TEST(alternates);
    TEST(mobile);
    TEST(pox_refused);
    TEST(user_settings);
    TEST(domains);
    return g_test_run();
}
