// What the forms of Autodiscover share: the service, and what is known of an account.
#pragma once

#include <pthread.h>

#include "formats/xml_reader.h"
#include "protocol/autodiscover/autodiscover.h"

// The version that clients' tables know, the same everywhere in the server.
#define SERVER_MAJOR 15
#define SERVER_MINOR 1
#define SERVER_BUILD 2507
#define SERVER_REVISION 6
#define SERVER_VERSION_HEX "73C189CB" // as EXCH's ServerVersion has it: bit fields of the same
#define SERVER_SCHEMA "Exchange2016"

// A request; longer ones are none.
#define AUTODISCOVER_BODY_MAX (256 * 1024)
// Users or domains of one SOAP request, and settings asked for each.
#define AUTODISCOVER_USERS_MAX 100
#define AUTODISCOVER_SETTINGS_MAX 200
#define AUTODISCOVER_ALTERNATES_MAX 100

extern const struct xml_limits autodiscover_xml;

// A listener as clients are told of it.
struct connection {
    char *name; // "imaps"
    unsigned port;
};

struct autodiscover_service {
    struct autodiscover_options options; // strings owned
    struct guid deployment;
    pthread_mutex_t lock;
    char *url;           // without a slash at its end
    GArray *connections; // struct connection
};

// In the arena.
const char *autodiscover_url(struct autodiscover_service *s, struct arena *arena, const char *path);
// The port of a listener; 0: there is none.
unsigned autodiscover_port(struct autodiscover_service *s, const char *name);

struct alternate {
    const char *type; // "Delegate", "Archive"
    const char *display_name, *address, *dn, *server;
};

struct account {
    const struct directory_object *object;
    const char *redirect;           // the address to ask for instead; NULL: none
    const char *dn;                 // legacyExchangeDN
    const char *server, *server_dn; // GUID@DOMAIN, which stands for a server
    const char *database_dn;
    const char *deployment;
    const char *public_folders; // an address; NULL: there are none
    const struct alternate *alternates;
    unsigned n_alternates;
};
// The account of an address or a legacyExchangeDN, as somebody who has logged in is told.
// EC_NOT_FOUND: there is none, or not for everybody to know. In the arena.
enum ec autodiscover_account(struct autodiscover_service *s, struct arena *arena,
                             struct principal *who, const char *name, struct account *out);
// MAPI over HTTP: "emsmdb" or "nspi".
const char *autodiscover_mapi_url(struct autodiscover_service *s, struct arena *arena,
                                  const struct account *account, const char *endpoint);
// Whether a domain is one of ours.
bool autodiscover_is_local(struct autodiscover_service *s, const char *address);

// --- settings.c: the settings of [MS-OXWSADISC] 2.2.3.12 by name ---
enum setting_kind {
    SETTING_UNKNOWN,       // InvalidSetting
    SETTING_NOT_AVAILABLE, // known, and there is nothing to say
    SETTING_STRING,
    SETTING_ALTERNATES,
    SETTING_CONNECTIONS,
    SETTING_WEB,
};
struct setting_value {
    enum setting_kind kind;
    const char *text;              // SETTING_STRING; an URL of SETTING_WEB
    const char *plain, *encrypted; // SETTING_CONNECTIONS: names of listeners
};
void autodiscover_setting(struct autodiscover_service *s, struct arena *arena,
                          const struct account *account, const char *name,
                          struct setting_value *out);

// --- The forms on HTTP ---
enum http_next autodiscover_run_json(struct http_request *r, void *service);
enum http_next autodiscover_run_autoconfig(struct http_request *r, void *service);
