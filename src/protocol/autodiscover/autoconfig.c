// Thunderbird's way to find settings (config-v1.1.xml): the listeners that are open, for a domain.
// Without a login, and the same for every address.
#include <string.h>

#include "protocol/autodiscover/autodiscover_internal.h"

struct service_kind {
    const char *listener, *element, *type, *socket;
};

// The better ones first: the first that a client knows is taken.
static const struct service_kind kinds[] = {
    {"imaps", "incomingServer", "imap", "SSL"},
    {"imap", "incomingServer", "imap", "STARTTLS"},
    {"pop3s", "incomingServer", "pop3", "SSL"},
    {"pop3", "incomingServer", "pop3", "STARTTLS"},
    {"submissions", "outgoingServer", "smtp", "SSL"},
    {"submission", "outgoingServer", "smtp", "STARTTLS"},
};

static void add_server(struct autodiscover_service *s, GString *out,
                       const struct service_kind *kind) {
    unsigned port = autodiscover_port(s, kind->listener);
    if (port == 0)
        return;
    g_string_append_printf(out, "    <%s type=\"%s\">\n      ", kind->element, kind->type);
    xml_add_element(out, "hostname", s->options.hostname);
    g_string_append_printf(out,
                           "\n      <port>%u</port>\n      <socketType>%s</socketType>\n"
                           "      <username>%%EMAILADDRESS%%</username>\n"
                           "      <authentication>password-cleartext</authentication>\n    </%s>\n",
                           port, kind->socket, kind->element);
}

static void add_exchange(struct autodiscover_service *s, struct arena *arena, GString *out) {
    if (autodiscover_port(s, "https") == 0)
        return;
    g_string_append(out, "    <incomingServer type=\"exchange\">\n      ");
    xml_add_element(out, "hostname", s->options.hostname);
    g_string_append(out, "\n      <username>%EMAILADDRESS%</username>\n"
                         "      <authentication>password-cleartext</authentication>\n      ");
    xml_add_element(out, "ewsURL", autodiscover_url(s, arena, "/EWS/Exchange.asmx"));
    g_string_append(out, "\n    </incomingServer>\n");
}

static char *domain_of(struct http_request *r, struct autodiscover_service *s) {
    const char *address = http_argument(r, "emailaddress");
    if (address == NULL)
        return directory_default_domain(s->options.directory);
    return autodiscover_is_local(s, address) ? g_strdup(strrchr(address, '@') + 1) : NULL;
}

enum http_next autodiscover_run_autoconfig(struct http_request *r, void *service) {
    struct autodiscover_service *s = service;
    ARENA_AUTO arena = arena_new();
    g_autofree char *domain = domain_of(r, s);
    if (domain == NULL)
        return http_fail(r, 404, "The domain is not one of this server.");
    g_autoptr(GString) out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                          "<clientConfig version=\"1.1\">\n  <emailProvider id=\"");
    xml_add_text(out, domain);
    g_string_append(out, "\">\n    ");
    xml_add_element(out, "domain", domain);
    xml_add_element(out, "displayName",
                    *s->options.organization != '\0' ? s->options.organization : domain);
    xml_add_element(out, "displayShortName", domain);
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].listener, "submissions") == 0)
            add_exchange(s, arena, out);
        add_server(s, out, &kinds[i]);
    }
    g_string_append(out, "  </emailProvider>\n</clientConfig>\n");
    http_set_header(r, "Content-Type", "text/xml; charset=utf-8");
    http_write(r, out->str, out->len);
    return HTTP_DONE;
}
