// Names as they are asked for: letters of all scripts to A-labels, addresses to names for PTR.
#include "dns/dns_internal.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

#define LABEL_MAX 63

// Labels of 1 to 63 printable characters; a backslash would begin an escape in libunbound.
static bool is_name(const char *name) {
    size_t label = 0, len = strlen(name);
    if (len == 0 || len > DNS_NAME_MAX)
        return false;
    for (const char *p = name; *p; p++) {
        if (*p == '.' ? label == 0 : (*p <= ' ' || *p >= 0x7f || *p == '\\'))
            return false;
        label = *p == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return false;
    }
    return label > 0;
}

const char *dns_name_ascii(struct arena *arena, const char *name) {
    size_t len = strlen(name);
    if (len > 4 * (size_t)DNS_NAME_MAX) // UTF-8 may be longer than what it becomes
        return NULL;
    char *ascii;
    if (text_is_ascii(name, len)) {
        ascii = arena_strdup(arena, name);
    } else {
        char *made = NULL;
        if (idn2_to_ascii_8z(name, &made, IDN2_NONTRANSITIONAL) != IDN2_OK)
            return NULL;
        ascii = arena_strdup(arena, made);
        idn2_free(made);
    }
    len = strlen(ascii);
    if (len > 0 && ascii[len - 1] == '.')
        ascii[len - 1] = 0;
    for (char *p = ascii; *p; p++)
        *p = g_ascii_tolower(*p);
    return is_name(ascii) ? ascii : NULL;
}

const char *dns_reverse_name(struct arena *arena, const char *address) {
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1) {
        const uint8_t *b = (const uint8_t *)&v4;
        return arena_printf(arena, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
    }
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return NULL;
    const uint8_t *b = v6.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return arena_printf(arena, "%u.%u.%u.%u.in-addr.arpa", b[15], b[14], b[13], b[12]);
    char *out = arena_alloc(arena, 16 * 4 + sizeof "ip6.arpa"), *p = out;
    for (int i = 15; i >= 0; i--) {
        *p++ = "0123456789abcdef"[b[i] & 15];
        *p++ = '.';
        *p++ = "0123456789abcdef"[b[i] >> 4];
        *p++ = '.';
    }
    strcpy(p, "ip6.arpa");
    return out;
}
