// The bytes of records ([RFC 1035] 3.3, [RFC 2782], [RFC 3596], [RFC 6698]): bytes of strangers,
// read with bounds, refused when they are not exactly what the type asks for.
#include <arpa/inet.h>
#include <string.h>

#include "base/wire.h"
#include "dns/dns_internal.h"

// In host names, and what services put into names that are not hosts.
static bool is_name_char(uint8_t c) {
    return g_ascii_isalnum(c) || (c != 0 && strchr("-_/+=*", c));
}

// An uncompressed name as text without the last dot; NULL: none, or with bytes that text cannot
// hold safely.
static const char *read_name(struct arena *arena, struct wire_reader *r) {
    char text[DNS_NAME_MAX + 1];
    size_t len = 0;
    for (;;) {
        uint8_t n = wire_u8(r);
        const uint8_t *label = n > 63 ? NULL : wire_bytes(r, n);
        if (!wire_ok(r) || n > 63)
            return NULL;
        if (n == 0)
            break;
        if (len + (len > 0) + n > DNS_NAME_MAX)
            return NULL;
        if (len > 0)
            text[len++] = '.';
        for (uint8_t i = 0; i < n; i++) {
            if (!is_name_char(label[i]))
                return NULL;
            text[len++] = g_ascii_tolower((char)label[i]);
        }
    }
    return arena_strndup(arena, text, len);
}

static const char *read_address(struct arena *arena, struct wire_reader *r, int family) {
    char text[INET6_ADDRSTRLEN];
    const uint8_t *bytes = wire_bytes(r, family == AF_INET ? 4 : 16);
    return bytes && inet_ntop(family, bytes, text, sizeof text) ? arena_strdup(arena, text) : NULL;
}

static const char *read_text(struct arena *arena, struct wire_reader *r) {
    if (wire_left(r) > DNS_TEXT_MAX)
        return NULL;
    char *text = arena_alloc(arena, wire_left(r) + 1);
    size_t len = 0;
    while (wire_ok(r) && wire_left(r) > 0) {
        uint8_t n = wire_u8(r);
        const uint8_t *bytes = wire_bytes(r, n);
        for (uint8_t i = 0; bytes && i < n; i++)
            text[len++] = bytes[i] ? (char)bytes[i] : '?';
    }
    text[len] = 0;
    return text;
}

bool dns_rdata_parse(struct arena *arena, enum dns_type type, const void *bytes, size_t len,
                     struct dns_record *out) {
    struct wire_reader r = wire_reader(bytes, len);
    const void *value = out;
    *out = (struct dns_record){0};
    switch (type) {
    case DNS_A:
        value = out->address = read_address(arena, &r, AF_INET);
        break;
    case DNS_AAAA:
        value = out->address = read_address(arena, &r, AF_INET6);
        break;
    case DNS_CNAME:
    case DNS_PTR:
        value = out->host = read_name(arena, &r);
        break;
    case DNS_MX:
        out->number = wire_be16(&r);
        value = out->host = read_name(arena, &r);
        break;
    case DNS_SRV:
        out->number = wire_be16(&r);
        out->weight = wire_be16(&r);
        out->port = wire_be16(&r);
        value = out->host = read_name(arena, &r);
        break;
    case DNS_TXT:
        value = out->text = read_text(arena, &r);
        break;
    case DNS_TLSA:
        out->usage = wire_u8(&r);
        out->selector = wire_u8(&r);
        out->matching = wire_u8(&r);
        out->len = wire_left(&r);
        value = out->data = arena_memdup(arena, wire_bytes(&r, out->len), out->len);
        break;
    default:
        return false;
    }
    return value && wire_ok(&r) && wire_left(&r) == 0;
}
