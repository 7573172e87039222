// The header of the PROXY protocol, whole and in every beginning of it.
#include "net/net_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct net_proxy proxy;
    for (size_t len = 0; len <= MIN(size, 200); len++) {
        g_autofree uint8_t *piece = g_memdup2(data, len); // so that a read past its end is seen
        ssize_t n = net_proxy_parse(piece ? piece : (const uint8_t *)"", len, &proxy);
        g_assert_cmpint(n, <=, (ssize_t)len);
        if (n != 0)
            break;
    }
    g_autofree uint8_t *all = g_memdup2(data, size);
    if (all && net_proxy_parse(all, size, &proxy) > 0 && proxy.has_address) {
        g_autofree char *peer = net_address_text(&proxy.peer);
        g_autofree char *local = net_address_text(&proxy.local);
        g_assert_cmpstr(peer, !=, "unknown");
        g_assert_cmpstr(local, !=, "unknown");
    }
    return 0;
}
