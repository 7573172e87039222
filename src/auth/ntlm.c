// NTLM's messages and sums. Everything read is the client's: fields may lie anywhere in a message,
// so each is checked against its bounds.
#include "auth/ntlm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <unicode/uchar.h>

#include "auth/limits.h"
#include "base/text.h"
#include "base/wire.h"

#define SIGNATURE "NTLMSSP"
#define MIC_SIZE 16

// AV_PAIR ids ([MS-NLMP] 2.2.2.1).
enum {
    AV_EOL = 0,
    AV_COMPUTER = 1,
    AV_DOMAIN = 2,
    AV_COMPUTER_DNS = 3,
    AV_DOMAIN_DNS = 4,
    AV_FLAGS = 6,
    AV_TIMESTAMP = 7,
};
#define AV_FLAG_MIC 2

static bool read_header(struct wire_reader *r, uint32_t type) {
    const uint8_t *signature = wire_bytes(r, 8);
    return signature != NULL && memcmp(signature, SIGNATURE, 8) == 0 && wire_u32(r) == type &&
           wire_ok(r);
}

// --- NEGOTIATE ---

bool ntlm_read_negotiate(const uint8_t *data, size_t len, uint32_t *flags_out) {
    struct wire_reader r = wire_reader(data, len);
    if (!read_header(&r, 1))
        return false;
    *flags_out = wire_u32(&r);
    return wire_ok(&r);
}

// --- CHALLENGE ---

static void put_text(GByteArray *to, const char *text) {
    text_to_utf16(text, strlen(text), to);
}

static void put_pair(struct wire_writer *w, uint16_t id, const void *data, size_t len) {
    wire_put_u16(w, id);
    wire_put_u16(w, (uint16_t)len);
    wire_put_bytes(w, data, len);
}

static void put_text_pair(struct wire_writer *w, uint16_t id, const char *text) {
    g_autoptr(GByteArray) wide = g_byte_array_new();
    put_text(wide, text);
    put_pair(w, id, wide->data, wide->len);
}

static GByteArray *target_info(const struct ntlm_challenge *c) {
    struct wire_writer w = wire_writer(16 * 1024);
    uint8_t now[8];
    for (int i = 0; i < 8; i++)
        now[i] = (uint8_t)((uint64_t)c->now >> (8 * i));
    put_text_pair(&w, AV_DOMAIN, c->domain);
    put_text_pair(&w, AV_COMPUTER, c->computer);
    put_text_pair(&w, AV_DOMAIN_DNS, c->domain_dns);
    put_text_pair(&w, AV_COMPUTER_DNS, c->computer_dns);
    // With the time there, clients protect all three messages by a MIC ([MS-NLMP] 3.1.5.1.2).
    put_pair(&w, AV_TIMESTAMP, now, sizeof now);
    put_pair(&w, AV_EOL, NULL, 0);
    return wire_writer_take(&w);
}

static void put_field(struct wire_writer *w, size_t len, size_t *at) {
    wire_put_u16(w, (uint16_t)len);
    wire_put_u16(w, (uint16_t)len);
    wire_put_u32(w, (uint32_t)*at);
    *at += len;
}

GByteArray *ntlm_write_challenge(const struct ntlm_challenge *c) {
    static const uint32_t echoed =
        NTLM_SIGN | NTLM_SEAL | NTLM_ALWAYS_SIGN | NTLM_128 | NTLM_56 | NTLM_KEY_EXCHANGE;
    uint32_t flags = (c->flags & echoed) | NTLM_NTLM | NTLM_EXTENDED_SECURITY | NTLM_TARGET_INFO |
                     NTLM_REQUEST_TARGET | NTLM_TARGET_TYPE_DOMAIN | NTLM_VERSION |
                     (c->flags & NTLM_UNICODE ? NTLM_UNICODE : NTLM_OEM);
    static const uint8_t version[8] = {10, 0, 0, 0, 0, 0, 0, 15};
    g_autoptr(GByteArray) info = target_info(c);
    g_autoptr(GByteArray) name = g_byte_array_new();
    if (flags & NTLM_UNICODE)
        put_text(name, c->domain);
    else
        g_byte_array_append(name, (const uint8_t *)c->domain, (guint)strlen(c->domain));
    struct wire_writer w = wire_writer(32 * 1024);
    size_t at = 56;
    wire_put_bytes(&w, SIGNATURE, 8);
    wire_put_u32(&w, 2);
    put_field(&w, name->len, &at);
    wire_put_u32(&w, flags);
    wire_put_bytes(&w, c->nonce, 8);
    wire_put_u64(&w, 0);
    put_field(&w, info->len, &at);
    wire_put_bytes(&w, version, sizeof version);
    wire_put_bytes(&w, name->data, name->len);
    wire_put_bytes(&w, info->data, info->len);
    return wire_writer_take(&w);
}

// --- AUTHENTICATE ---

struct field {
    const uint8_t *data;
    size_t len;
};

static struct field read_field(struct wire_reader *r) {
    size_t len = wire_u16(r);
    wire_skip(r, 2); // what was allocated for it
    size_t at = wire_u32(r);
    if (!wire_ok(r) || at > r->len || len > r->len - at) {
        wire_fail(r);
        return (struct field){0};
    }
    return (struct field){r->data + at, len};
}

// NULL: too long, or no text.
static const char *text_of(struct arena *arena, struct field f, bool is_wide) {
    if (f.len > AUTH_NTLM_NAME_MAX)
        return NULL;
    if (is_wide)
        return f.len % 2 == 0 ? text_from_utf16(arena, f.data, f.len) : NULL;
    // OEM is some code page of the client; only what all of them share can be right.
    return memchr(f.data, '\0', f.len) == NULL &&
                   g_utf8_validate((const char *)f.data, (gssize)f.len, NULL)
               ? arena_strndup(arena, (const char *)f.data, f.len)
               : NULL;
}

// NTLMv2_RESPONSE: the proof, then NTLMv2_CLIENT_CHALLENGE ([MS-NLMP] 2.2.2.7) with AV_PAIRs.
static bool read_response(struct field f, struct ntlm_authenticate *out) {
    if (f.len > AUTH_NTLM_RESPONSE_MAX)
        return false;
    struct wire_reader r = wire_reader(f.data, f.len);
    out->proof = wire_bytes(&r, 16);
    if (out->proof == NULL)
        return false;
    out->blob = out->proof + 16;
    out->blob_len = wire_left(&r);
    uint8_t version = wire_u8(&r), version_max = wire_u8(&r);
    wire_skip(&r, 26); // reserved, time, the client's nonce, reserved
    if (!wire_ok(&r) || version != 1 || version_max != 1)
        return false;
    for (;;) {
        uint16_t id = wire_u16(&r);
        struct wire_reader value = wire_sub(&r, wire_u16(&r));
        if (!wire_ok(&r))
            return false;
        if (id == AV_EOL)
            return true;
        if (id == AV_FLAGS)
            out->has_mic = (wire_u32(&value) & AV_FLAG_MIC) != 0;
    }
}

bool ntlm_read_authenticate(struct arena *arena, const uint8_t *data, size_t len,
                            struct ntlm_authenticate *out, bool *is_refused_out) {
    struct wire_reader r = wire_reader(data, len);
    *out = (struct ntlm_authenticate){0};
    *is_refused_out = false;
    if (!read_header(&r, 3))
        return false;
    read_field(&r); // LmChallengeResponse: weak, never looked at
    struct field response = read_field(&r), domain = read_field(&r), user = read_field(&r);
    read_field(&r); // Workstation
    struct field key = read_field(&r);
    out->flags = wire_u32(&r);
    out->mic_at = r.pos + 8; // after Version
    if (!wire_ok(&r))
        return false;
    bool is_wide = (out->flags & NTLM_UNICODE) != 0;
    out->domain = text_of(arena, domain, is_wide);
    out->user = text_of(arena, user, is_wide);
    out->session_key = key.len == 16 ? key.data : NULL;
    if (out->domain == NULL || out->user == NULL)
        return false;
    *is_refused_out =
        out->user[0] == '\0' || (out->flags & NTLM_ANONYMOUS) != 0 || !read_response(response, out);
    return *is_refused_out || !out->has_mic || len >= out->mic_at + MIC_SIZE;
}

// --- Sums ---

static void hmac_md5(const uint8_t key[16], const void *data, size_t len, uint8_t out[16]) {
    HMAC(EVP_md5(), key, 16, data, len, out, NULL);
}

// NTOWFv2: the NT hash, bound to the user's name in capitals and the domain as it was sent.
static void response_key(const struct ntlm_authenticate *a, const uint8_t nt_hash[16],
                         uint8_t out[16]) {
    g_autoptr(GByteArray) names = g_byte_array_new();
    // Each character by itself: a capital of two characters would not be what Windows makes.
    for (const char *p = a->user; *p != '\0'; p = g_utf8_next_char(p)) {
        char utf8[6];
        int n = g_unichar_to_utf8((gunichar)u_toupper((UChar32)g_utf8_get_char(p)), utf8);
        text_to_utf16(utf8, (size_t)n, names);
    }
    put_text(names, a->domain);
    hmac_md5(nt_hash, names->data, names->len, out);
}

bool ntlm_verify(const struct ntlm_authenticate *a, const uint8_t nt_hash[16],
                 const uint8_t nonce[8], uint8_t key_out[16]) {
    uint8_t key[16], proof[16];
    g_autoptr(GByteArray) signed_bytes = g_byte_array_new();
    response_key(a, nt_hash, key);
    g_byte_array_append(signed_bytes, nonce, 8);
    g_byte_array_append(signed_bytes, a->blob, (guint)a->blob_len);
    hmac_md5(key, signed_bytes->data, signed_bytes->len, proof);
    hmac_md5(key, proof, sizeof proof, key_out);
    bool fits = CRYPTO_memcmp(proof, a->proof, sizeof proof) == 0;
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(proof, sizeof proof);
    return fits;
}

// RC4 of one key's length; OpenSSL has it only in a provider that need not be installed.
static void rc4(const uint8_t key[16], const uint8_t in[16], uint8_t out[16]) {
    uint8_t state[256], swap;
    for (unsigned i = 0; i < 256; i++)
        state[i] = (uint8_t)i;
    for (unsigned i = 0, j = 0; i < 256; i++) {
        j = (j + state[i] + key[i % 16]) & 255;
        swap = state[i], state[i] = state[j], state[j] = swap;
    }
    for (unsigned n = 0, i = 0, j = 0; n < 16; n++) {
        i = (i + 1) & 255;
        j = (j + state[i]) & 255;
        swap = state[i], state[i] = state[j], state[j] = swap;
        out[n] = in[n] ^ state[(state[i] + state[j]) & 255];
    }
    OPENSSL_cleanse(state, sizeof state);
}

void ntlm_exported_key(const struct ntlm_authenticate *a, const uint8_t session_key[16],
                       uint8_t out[16]) {
    bool is_exchanged = (a->flags & NTLM_KEY_EXCHANGE) && a->session_key != NULL;
    if (is_exchanged)
        rc4(session_key, a->session_key, out);
    else
        memcpy(out, session_key, 16);
}

bool ntlm_verify_mic(const struct ntlm_authenticate *a, const uint8_t key[16], GBytes *negotiate,
                     GBytes *challenge, uint8_t *authenticate, size_t len) {
    uint8_t mic[MIC_SIZE], sum[16];
    g_autoptr(GByteArray) all = g_byte_array_new();
    gsize n;
    if (len < a->mic_at + MIC_SIZE)
        return false;
    memcpy(mic, authenticate + a->mic_at, MIC_SIZE);
    memset(authenticate + a->mic_at, 0, MIC_SIZE);
    const uint8_t *data = g_bytes_get_data(negotiate, &n);
    g_byte_array_append(all, data, (guint)n);
    data = g_bytes_get_data(challenge, &n);
    g_byte_array_append(all, data, (guint)n);
    g_byte_array_append(all, authenticate, (guint)len);
    hmac_md5(key, all->data, all->len, sum);
    return CRYPTO_memcmp(mic, sum, MIC_SIZE) == 0;
}

// A key for one purpose and direction: MD5 of the session's and a phrase with its NUL.
static void derive_key(const uint8_t *key, size_t len, bool is_client, const char *purpose,
                       uint8_t out[16]) {
    g_autofree char *phrase =
        g_strdup_printf("session key to %s %s key magic constant",
                        is_client ? "client-to-server" : "server-to-client", purpose);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestInit_ex(ctx, EVP_md5(), NULL);
    EVP_DigestUpdate(ctx, key, len);
    EVP_DigestUpdate(ctx, phrase, strlen(phrase) + 1);
    EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
}

void ntlm_sign(uint32_t flags, const uint8_t key[16], bool is_client, const uint8_t *data,
               size_t len, uint8_t out[NTLM_SIGNATURE_SIZE]) {
    static const uint8_t version[4] = {1, 0, 0, 0}, sequence[4] = {0};
    uint8_t signing[16], sealing[16], sum[16], sealed[16];
    g_autoptr(GByteArray) all = g_byte_array_new();
    size_t sealing_len = flags & NTLM_128 ? 16 : flags & NTLM_56 ? 7 : 5;
    derive_key(key, 16, is_client, "signing", signing);
    derive_key(key, sealing_len, is_client, "sealing", sealing);
    g_byte_array_append(all, sequence, sizeof sequence);
    g_byte_array_append(all, data, (guint)len);
    hmac_md5(signing, all->data, all->len, sum);
    rc4(sealing, sum, sealed);
    memcpy(out, version, 4);
    memcpy(out + 4, flags & NTLM_KEY_EXCHANGE ? sealed : sum, 8);
    memcpy(out + 12, sequence, 4);
    OPENSSL_cleanse(signing, sizeof signing);
    OPENSSL_cleanse(sealing, sizeof sealing);
}
