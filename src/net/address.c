// IP addresses: text to socket addresses and back, and the short form that connections keep.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "net/net_internal.h"

// "a.b.c.d:port" or "[v6]:port"; splits at the last colon.
enum ec net_address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len_out) {
    const char *colon = strrchr(text, ':');
    if (!colon || !g_ascii_isdigit(colon[1]))
        return EC_INVALID_PARAMETER;
    g_autofree char *host = NULL;
    if (text[0] == '[' && colon > text + 1 && colon[-1] == ']')
        host = g_strndup(text + 1, (gsize)(colon - text) - 2);
    else
        host = g_strndup(text, (gsize)(colon - text));

    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!*host || getaddrinfo(host, colon + 1, &hints, &found) != 0 || !found)
        return EC_INVALID_PARAMETER;
    memset(out, 0, sizeof *out);
    memcpy(out, found->ai_addr, MIN(found->ai_addrlen, sizeof *out));
    *len_out = found->ai_addrlen;
    freeaddrinfo(found);
    return EC_OK;
}

struct net_address net_address_of(const struct sockaddr_storage *ss) {
    struct net_address address = {0};
    if (ss->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, ss, sizeof in);
        address.family = AF_INET;
        memcpy(address.bytes, &in.sin_addr, 4);
    } else if (ss->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, ss, sizeof in6);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            address.family = AF_INET;
            memcpy(address.bytes, in6.sin6_addr.s6_addr + 12, 4);
        } else {
            address.family = AF_INET6;
            memcpy(address.bytes, &in6.sin6_addr, 16);
        }
    }
    return address;
}

char *net_address_text(const struct net_address *address) {
    char text[INET6_ADDRSTRLEN];
    if (!address->family || !inet_ntop(address->family, address->bytes, text, sizeof text))
        return g_strdup("unknown");
    return g_strdup(text);
}

char *net_address_format_port(const struct sockaddr_storage *ss) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    socklen_t len =
        ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo((const struct sockaddr *)ss, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return g_strdup("unknown");
    return g_strdup_printf(ss->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool net_address_is_loopback(const struct net_address *address) {
    static const uint8_t v6_loopback[16] = {[15] = 1};
    return address->family == AF_INET
               ? address->bytes[0] == 127
               : address->family == AF_INET6 && memcmp(address->bytes, v6_loopback, 16) == 0;
}

guint net_address_hash(gconstpointer p) {
    const struct net_address *address = p;
    guint h = address->family;
    for (unsigned i = 0; i < sizeof address->bytes; i++)
        h = h * 31 + address->bytes[i];
    return h;
}

gboolean net_address_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, sizeof(struct net_address)) == 0;
}
