// Networks as an address and the number of its bits that count.
#include "net/networks.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/net_internal.h"

struct network {
    struct net_address address;
    unsigned bits;
};

struct net_networks {
    int refs; // atomic
    unsigned n;
    struct network items[];
};

static bool parse_address(const char *text, struct net_address *out) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    *out = (struct net_address){0};
    if (inet_pton(AF_INET, text, out->bytes) == 1) {
        out->family = AF_INET;
    } else if (inet_pton(AF_INET6, text, out->bytes) == 1) {
        out->family = AF_INET6;
        if (memcmp(out->bytes, mapped, sizeof mapped) == 0) {
            out->family = AF_INET;
            memmove(out->bytes, out->bytes + 12, 4);
            memset(out->bytes + 4, 0, 12);
        }
    }
    return out->family != 0;
}

static bool parse_network(const char *word, struct network *out) {
    const char *slash = strchr(word, '/');
    g_autofree char *address = slash ? g_strndup(word, (gsize)(slash - word)) : g_strdup(word);
    if (!parse_address(address, &out->address))
        return false;
    unsigned all = out->address.family == AF_INET ? 32 : 128;
    guint64 bits = all;
    if (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, all, &bits, NULL))
        return false;
    out->bits = (unsigned)bits;
    return true;
}

enum ec net_networks_parse(const char *text, struct net_networks **out, char **error_out) {
    g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);
    struct net_networks *networks =
        g_malloc0(sizeof *networks + g_strv_length(words) * sizeof(struct network));
    networks->refs = 1;
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        if (!parse_network(*word, &networks->items[networks->n++])) {
            *error_out = g_strdup_printf(
                "'%s' is no network; write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32", *word);
            net_networks_unref(networks);
            return EC_INVALID_PARAMETER;
        }
    }
    *out = networks;
    return EC_OK;
}

struct net_networks *net_networks_ref(struct net_networks *networks) {
    if (networks)
        __atomic_add_fetch(&networks->refs, 1, __ATOMIC_RELAXED);
    return networks;
}

void net_networks_unref(struct net_networks *networks) {
    if (networks && __atomic_sub_fetch(&networks->refs, 1, __ATOMIC_ACQ_REL) == 0)
        g_free(networks);
}

static bool is_in(const struct network *network, const struct net_address *address) {
    if (network->address.family != address->family)
        return false;
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool net_networks_have_address(const struct net_networks *networks,
                               const struct net_address *address) {
    for (unsigned i = 0; networks && i < networks->n; i++)
        if (is_in(&networks->items[i], address))
            return true;
    return false;
}

bool net_networks_have(const struct net_networks *networks, const char *text) {
    struct net_address address;
    return networks && parse_address(text, &address) &&
           net_networks_have_address(networks, &address);
}

bool net_text_is_loopback(const char *text) {
    struct net_address address;
    return parse_address(text, &address) && net_address_is_loopback(&address);
}
