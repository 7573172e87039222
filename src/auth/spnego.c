// SPNEGO in DER: lengths of up to three bytes, nothing deeper than the grammar.
#include "auth/spnego.h"

#include <string.h>

enum {
    DER_ENUMERATED = 0x0A,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_APPLICATION = 0x60,
    DER_CONTEXT = 0xA0, // + number
};

struct der {
    const uint8_t *at, *end;
};

static const uint8_t oid_spnego[] = {0x2b, 6, 1, 5, 5, 2};
static const uint8_t oid_ntlm[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10};
static const uint8_t oid_kerberos[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2};
static const uint8_t oid_kerberos_ms[] = {0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2};

// The contents of the next element, if it has this tag; it is passed over then.
static bool take(struct der *d, uint8_t tag, struct der *inner) {
    if (d->end - d->at < 2 || d->at[0] != tag)
        return false;
    const uint8_t *at = d->at + 1;
    size_t len = *at++;
    if (len >= 0x80) {
        size_t n = len & 0x7f;
        if (n == 0 || n > 3 || (size_t)(d->end - at) < n)
            return false;
        for (len = 0; n > 0; n--)
            len = len << 8 | *at++;
    }
    if ((size_t)(d->end - at) < len)
        return false;
    *inner = (struct der){at, at + len};
    d->at = at + len;
    return true;
}

static bool is_oid(const struct der *d, const uint8_t *oid, size_t len) {
    return (size_t)(d->end - d->at) == len && memcmp(d->at, oid, len) == 0;
}

static bool read_mechanisms(struct der wrapped, struct spnego_message *out) {
    struct der list, oid;
    out->mechanisms = wrapped.at;
    out->mechanisms_len = (size_t)(wrapped.end - wrapped.at);
    if (!take(&wrapped, DER_SEQUENCE, &list))
        return false;
    for (bool is_first = true; list.at < list.end; is_first = false) {
        if (!take(&list, DER_OID, &oid))
            return false;
        bool is_ntlm = is_oid(&oid, oid_ntlm, sizeof oid_ntlm);
        out->has_ntlm |= is_ntlm;
        out->is_ntlm_first |= is_ntlm && is_first;
        out->has_kerberos |= is_oid(&oid, oid_kerberos, sizeof oid_kerberos) ||
                             is_oid(&oid, oid_kerberos_ms, sizeof oid_kerberos_ms);
    }
    return true;
}

static bool read_octets(struct der wrapped, const uint8_t **out, size_t *len_out) {
    struct der octets;
    if (!take(&wrapped, DER_OCTETS, &octets))
        return false;
    *out = octets.at;
    *len_out = (size_t)(octets.end - octets.at);
    return true;
}

bool spnego_read(const uint8_t *data, size_t len, struct spnego_message *out) {
    struct der d = {data, data + len}, outer, fields, field;
    *out = (struct spnego_message){0};
    if (take(&d, DER_APPLICATION, &outer)) {
        struct der oid;
        if (!take(&outer, DER_OID, &oid) || !is_oid(&oid, oid_spnego, sizeof oid_spnego))
            return false;
        d = outer;
    }
    out->is_init = take(&d, DER_CONTEXT, &outer);
    if ((!out->is_init && !take(&d, DER_CONTEXT + 1, &outer)) ||
        !take(&outer, DER_SEQUENCE, &fields))
        return false;
    for (unsigned i = 0; i < 4; i++) {
        if (!take(&fields, (uint8_t)(DER_CONTEXT + i), &field))
            continue;
        if ((i == 0 && out->is_init && !read_mechanisms(field, out)) ||
            (i == 2 && !read_octets(field, &out->token, &out->token_len)) ||
            (i == 3 && !read_octets(field, &out->check, &out->check_len)))
            return false;
    }
    return true;
}

// --- Writing, from the inside ---

static void wrap(GByteArray *a, guint from, uint8_t tag) {
    guint len = a->len - from;
    uint8_t head[5] = {tag};
    guint n = 1;
    if (len >= 0x10000) {
        head[n++] = 0x83;
        head[n++] = (uint8_t)(len >> 16);
        head[n++] = (uint8_t)(len >> 8);
    } else if (len >= 0x100) {
        head[n++] = 0x82;
        head[n++] = (uint8_t)(len >> 8);
    } else if (len >= 0x80) {
        head[n++] = 0x81;
    }
    head[n++] = (uint8_t)len;
    g_byte_array_set_size(a, a->len + n);
    memmove(a->data + from + n, a->data + from, len);
    memcpy(a->data + from, head, n);
}

static void add(GByteArray *a, unsigned number, uint8_t tag, const void *data, size_t len) {
    guint from = a->len;
    if (data == NULL)
        return;
    g_byte_array_append(a, data, (guint)len);
    wrap(a, from, tag);
    wrap(a, from, (uint8_t)(DER_CONTEXT + number));
}

GByteArray *spnego_write(enum spnego_state state, bool names_ntlm, const uint8_t *token,
                         size_t token_len, const uint8_t *check, size_t check_len) {
    GByteArray *a = g_byte_array_new();
    uint8_t number = (uint8_t)state;
    add(a, 0, DER_ENUMERATED, &number, 1);
    add(a, 1, DER_OID, names_ntlm ? oid_ntlm : NULL, sizeof oid_ntlm);
    add(a, 2, DER_OCTETS, token, token_len);
    add(a, 3, DER_OCTETS, check, check_len);
    wrap(a, 0, DER_SEQUENCE);
    wrap(a, 0, DER_CONTEXT + 1);
    return a;
}
