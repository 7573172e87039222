// NTLMv2: the example of [MS-NLMP] 4.2.4, whole exchanges with a client of our own, and messages
// that make no sense.
#include "auth/ntlm.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "auth/nt_hash.h"
#include "auth/spnego.h"
#include "auth/test_auth.h"
#include "base/text.h"
#include "base/wire.h"

static const struct auth_options with_ntlm = {
    .plaintext_loopback = true, .store_nt_hash = true, .hostname = "mail.example.test"};

static uint8_t *from_hex(const char *hex, size_t *len_out) {
    size_t len = strlen(hex) / 2;
    uint8_t *out = g_malloc(len);
    for (size_t i = 0; i < len; i++)
        out[i] =
            (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    *len_out = len;
    return out;
}

static void assert_hex(const uint8_t *data, const char *hex) {
    size_t len;
    g_autofree uint8_t *want = from_hex(hex, &len);
    g_assert_cmpmem(data, len, want, len);
}

static void test_example(void) {
    static const uint8_t nonce[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    uint8_t hash[16], key[16], exported[16];
    size_t len;
    g_autofree uint8_t *proof = from_hex("68cd0ab851e51c96aabc927bebef6a1c", &len);
    g_autofree uint8_t *sent_key = from_hex("c5dad2544fc9799094ce1ce90bc9d03e", &len);
    g_autofree uint8_t *blob =
        from_hex("01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d006100"
                 "69006e0001000c005300650072007600650072000000000000000000",
                 &len);
    struct ntlm_authenticate a = {.flags = NTLM_KEY_EXCHANGE,
                                  .user = "User",
                                  .domain = "Domain",
                                  .proof = proof,
                                  .blob = blob,
                                  .blob_len = len,
                                  .session_key = sent_key};
    nt_hash("Password", hash);
    g_assert_true(ntlm_verify(&a, hash, nonce, key));
    assert_hex(key, "8de40ccadbc14a82f15cb0ad0de95ca3");
    ntlm_exported_key(&a, key, exported);
    assert_hex(exported, "55555555555555555555555555555555");
    a.user = "uSER"; // the name's case does not matter, the domain's does
    g_assert_true(ntlm_verify(&a, hash, nonce, key));
    a.domain = "DOMAIN";
    g_assert_false(ntlm_verify(&a, hash, nonce, key));
}

// --- A client ---

struct client {
    const char *user, *domain, *password;
    bool is_oem, has_mic, breaks_mic, is_old; // is_old: NTLMv1's response
};

static uint32_t flags_of(const struct client *c) {
    return (c->is_oem ? NTLM_OEM : NTLM_UNICODE) | NTLM_NTLM | NTLM_EXTENDED_SECURITY | NTLM_SIGN |
           NTLM_KEY_EXCHANGE | NTLM_128;
}

static GBytes *negotiate_of(const struct client *c) {
    struct wire_writer w = wire_writer(100);
    wire_put_bytes(&w, "NTLMSSP", 8);
    wire_put_u32(&w, 1);
    wire_put_u32(&w, flags_of(c));
    wire_put_u64(&w, 0);
    wire_put_u64(&w, 0);
    return g_byte_array_free_to_bytes(wire_writer_take(&w));
}

static GByteArray *wide(const char *text, bool is_oem) {
    GByteArray *out = g_byte_array_new();
    if (is_oem)
        g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
    else
        text_to_utf16(text, strlen(text), out);
    return out;
}

static void hmac(const uint8_t key[16], const uint8_t *data, size_t len, uint8_t out[16]) {
    HMAC(EVP_md5(), key, 16, data, len, out, NULL);
}

// The response and the key of the session, from the server's nonce and target information.
static GByteArray *response_of(const struct client *c, const uint8_t nonce[8], const uint8_t *info,
                               size_t info_len, uint8_t key_out[16]) {
    uint8_t hash[16], key[16], proof[16];
    g_autofree char *upper = g_utf8_strup(c->user, -1);
    g_autofree char *names = g_strconcat(upper, c->domain, NULL);
    g_autoptr(GByteArray) names_wide = wide(names, false);
    nt_hash(c->password, hash);
    hmac(hash, names_wide->data, names_wide->len, key);
    struct wire_writer w = wire_writer(2000);
    wire_put_u32(&w, 0x0101);
    wire_put_u32(&w, 0);
    wire_put_u64(&w, 0);
    wire_put_u64(&w, 0x1122334455667788);
    wire_put_u32(&w, 0);
    wire_put_bytes(&w, info, info_len - 4); // without its end
    wire_put_u16(&w, 6);
    wire_put_u16(&w, 4);
    wire_put_u32(&w, c->has_mic ? 2 : 0);
    wire_put_u32(&w, 0);
    wire_put_u32(&w, 0);
    g_autoptr(GByteArray) blob = wire_writer_take(&w);
    g_autoptr(GByteArray) signed_bytes = g_byte_array_new();
    g_byte_array_append(signed_bytes, nonce, 8);
    g_byte_array_append(signed_bytes, blob->data, blob->len);
    hmac(key, signed_bytes->data, signed_bytes->len, proof);
    hmac(key, proof, 16, key_out);
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, proof, 16);
    if (c->is_old)
        g_byte_array_append(out, proof, 8);
    else
        g_byte_array_append(out, blob->data, blob->len);
    return out;
}

static void put_field(struct wire_writer *w, const GByteArray *bytes, uint32_t *at) {
    wire_put_u16(w, (uint16_t)bytes->len);
    wire_put_u16(w, (uint16_t)bytes->len);
    wire_put_u32(w, *at);
    *at += bytes->len;
}

static GByteArray *authenticate_of(const struct client *c, GBytes *negotiate,
                                   const uint8_t *challenge, size_t challenge_len) {
    struct wire_reader r = wire_reader(challenge, challenge_len);
    wire_skip(&r, 20);
    g_assert_cmpuint(wire_u32(&r) & (NTLM_UNICODE | NTLM_OEM), ==,
                     c->is_oem ? NTLM_OEM : NTLM_UNICODE);
    const uint8_t *nonce = wire_bytes(&r, 8);
    wire_skip(&r, 8);
    uint16_t info_len = wire_u16(&r);
    wire_skip(&r, 2);
    uint32_t info_at = wire_u32(&r);
    g_assert_cmpuint(info_at + info_len, ==, challenge_len);
    uint8_t key[16], mic[16];
    g_autoptr(GByteArray) response = response_of(c, nonce, challenge + info_at, info_len, key);
    g_autoptr(GByteArray) domain = wide(c->domain, c->is_oem), user = wide(c->user, c->is_oem);
    g_autoptr(GByteArray) none = g_byte_array_new();
    struct wire_writer w = wire_writer(4000);
    uint32_t at = 88;
    wire_put_bytes(&w, "NTLMSSP", 8);
    wire_put_u32(&w, 3);
    put_field(&w, none, &at);
    put_field(&w, response, &at);
    put_field(&w, domain, &at);
    put_field(&w, user, &at);
    put_field(&w, none, &at);
    put_field(&w, none, &at); // no key of its own
    wire_put_u32(&w, flags_of(c) & ~(uint32_t)NTLM_KEY_EXCHANGE);
    wire_put_u64(&w, 0);
    wire_put_u64(&w, 0);
    wire_put_u64(&w, 0);
    wire_put_bytes(&w, response->data, response->len);
    wire_put_bytes(&w, domain->data, domain->len);
    wire_put_bytes(&w, user->data, user->len);
    GByteArray *out = wire_writer_take(&w);
    g_autoptr(GByteArray) all = g_byte_array_new();
    gsize n;
    const uint8_t *first = g_bytes_get_data(negotiate, &n);
    g_byte_array_append(all, first, (guint)n);
    g_byte_array_append(all, challenge, (guint)challenge_len);
    g_byte_array_append(all, out->data, out->len);
    hmac(key, all->data, all->len, mic);
    if (c->has_mic)
        memcpy(out->data + 72, mic, 16);
    if (c->breaks_mic)
        out->data[72] ^= 1;
    return out;
}

static enum ec run(struct fixture *f, const struct auth_peer *peer, struct client c) {
    struct sasl *s;
    char *challenge = NULL;
    size_t len = 0;
    struct principal *who = NULL;
    assert_ok(sasl_begin(f->auth, peer, "NTLM", &s));
    g_autoptr(GBytes) negotiate = negotiate_of(&c);
    assert_ec(sasl_step(s, g_bytes_get_data(negotiate, NULL), g_bytes_get_size(negotiate),
                        &challenge, &len, &who),
              EC_BUSY);
    g_autoptr(GByteArray) message = authenticate_of(&c, negotiate, (const uint8_t *)challenge, len);
    g_free(challenge);
    enum ec ec = sasl_step(s, message->data, message->len, &challenge, &len, &who);
    g_assert_true((ec == EC_OK) == (who != NULL));
    principal_unref(who);
    sasl_free(s);
    return ec;
}
#define RUN(...) run(f, &tls_peer, (struct client){__VA_ARGS__})

static void test_login(struct fixture *f, gconstpointer data) {
    assert_ok(RUN("alice", "EXAMPLE", "secret", .has_mic = true));
    assert_ok(RUN("Alice", "example.test", "secret"));
    assert_ok(RUN("alice@example.test", "", "secret", .has_mic = true));
    assert_ok(RUN("alice", "", "secret", .is_oem = true));
    assert_ok(RUN("alice@example.test/bob", "", "secret")); // a delegate
    assert_ec(RUN("alice", "EXAMPLE", "wrong", .has_mic = true), EC_LOGON_FAILED);
    assert_ec(RUN("nobody", "EXAMPLE", "secret", .has_mic = true), EC_LOGON_FAILED);
    assert_ec(RUN("alice", "OTHER", "secret"), EC_LOGON_FAILED);
    assert_ec(RUN("alice", "EXAMPLE", "secret", .has_mic = true, .breaks_mic = true),
              EC_LOGON_FAILED);
    assert_ec(RUN("alice", "EXAMPLE", "secret", .is_old = true), EC_LOGON_FAILED); // NTLMv1
    assert_ec(RUN("", "", ""), EC_LOGON_FAILED);
    // Who has a hash of no password yet, and who may not use the protocol.
    fixture_add(f, DIRECTORY_USER, "new@example.test", NULL);
    assert_ec(RUN("new", "EXAMPLE", ""), EC_LOGON_FAILED);
    struct auth_peer pop = tls_peer;
    pop.protocol = DIRECTORY_POP3;
    struct client c = {"alice", "EXAMPLE", "secret"};
    assert_ec(run(f, &pop, c), EC_ACCOUNT_DISABLED);
}

static void test_throttled(struct fixture *f, gconstpointer data) {
    clock_set(filetime_from_unix(1800000000));
    for (int i = 0; i < 5; i++)
        assert_ec(RUN("alice", "EXAMPLE", "wrong"), EC_LOGON_FAILED);
    assert_ec(RUN("alice", "EXAMPLE", "secret"), EC_SERVER_BUSY);
}

static void test_offer(struct fixture *f, gconstpointer data) {
    g_assert_cmpstr(sasl_mechanisms(f->auth, &tls_peer), ==, "NTLM PLAIN LOGIN");
    struct sasl *s;
    assert_ec(sasl_begin(f->auth, &plain_peer, "NTLM", &s), EC_NOT_AUTHORIZED);
    // Every prefix of a message, and one byte after the other turned over: an answer, no crash.
    struct client c = {"alice", "EXAMPLE", "secret", .has_mic = true};
    g_autoptr(GBytes) negotiate = negotiate_of(&c);
    struct ntlm_challenge challenge = {.domain = "EXAMPLE",
                                       .domain_dns = "example.test",
                                       .computer = "MAIL",
                                       .computer_dns = "mail.example.test"};
    challenge.flags = NTLM_UNICODE;
    g_autoptr(GByteArray) asked = ntlm_write_challenge(&challenge);
    g_autoptr(GByteArray) message = authenticate_of(&c, negotiate, asked->data, asked->len);
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < message->len; i++) {
        struct ntlm_authenticate a;
        bool is_refused;
        g_autofree uint8_t *cut = g_memdup2(message->data, i);
        g_assert_false(ntlm_read_authenticate(arena, cut, i, &a, &is_refused));
        g_autofree uint8_t *turned = g_memdup2(message->data, message->len);
        turned[i] ^= 0xff;
        if (ntlm_read_authenticate(arena, turned, message->len, &a, &is_refused) && !is_refused)
            g_assert_nonnull(a.user);
    }
}

// --- HTTP: the same messages by Negotiate, bare and within SPNEGO ---

static const uint8_t oid_kerberos[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2};
static const uint8_t oid_ntlm[] = {6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10};

static GByteArray *der(uint8_t tag, const uint8_t *data, size_t len) {
    GByteArray *out = g_byte_array_new();
    uint8_t head[4] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};
    g_byte_array_append(out, head, sizeof head);
    g_byte_array_append(out, data, (guint)len);
    return out;
}

// Takes the contents.
static GByteArray *der_of(uint8_t tag, GByteArray *contents) {
    GByteArray *out = der(tag, contents->data, contents->len);
    g_byte_array_unref(contents);
    return out;
}

static void append(GByteArray *to, GByteArray *part) {
    g_byte_array_append(to, part->data, part->len);
    g_byte_array_unref(part);
}

static GByteArray *mechanisms_of(bool is_kerberos_first) {
    GByteArray *list = g_byte_array_new();
    if (is_kerberos_first)
        g_byte_array_append(list, oid_kerberos, sizeof oid_kerberos);
    g_byte_array_append(list, oid_ntlm, sizeof oid_ntlm);
    return der_of(0x30, list);
}

static GByteArray *init_of(bool is_kerberos_first, const uint8_t *token, size_t len) {
    static const uint8_t oid_spnego[] = {6, 6, 0x2b, 6, 1, 5, 5, 2};
    GByteArray *fields = g_byte_array_new(), *all = g_byte_array_new();
    append(fields, der_of(0xa0, mechanisms_of(is_kerberos_first)));
    append(fields, der_of(0xa2, der(4, token, len)));
    g_byte_array_append(all, oid_spnego, sizeof oid_spnego);
    append(all, der_of(0xa0, der_of(0x30, fields)));
    return der_of(0x60, all);
}

static GByteArray *response_message_of(const uint8_t *token, size_t len, const uint8_t *check) {
    GByteArray *fields = g_byte_array_new();
    append(fields, der_of(0xa2, der(4, token, len)));
    if (check != NULL)
        append(fields, der_of(0xa3, der(4, check, NTLM_SIGNATURE_SIZE)));
    return der_of(0xa1, der_of(0x30, fields));
}

static enum ec step(struct auth_exchange *x, GByteArray *in, uint8_t **reply, size_t *len,
                    struct principal **who) {
    *who = NULL;
    enum ec ec = auth_exchange_step(x, in->data, in->len, reply, len, who);
    g_byte_array_unref(in);
    return ec;
}

// The key that the client's response leads to, for its check sum.
static void client_key(const struct client *c, const uint8_t *challenge, size_t len,
                       uint8_t key[16]) {
    struct wire_reader r = wire_reader(challenge + 40, len - 40);
    uint16_t info_len = wire_u16(&r);
    wire_skip(&r, 2);
    g_byte_array_unref(response_of(c, challenge + 24, challenge + wire_u32(&r), info_len, key));
}

static enum ec run_spnego(struct fixture *f, bool is_kerberos_first, bool breaks_check) {
    static const struct client c = {"alice", "EXAMPLE", "secret", .has_mic = true};
    struct auth_exchange *x;
    struct principal *who;
    struct spnego_message m;
    uint8_t *reply, key[16], check[NTLM_SIGNATURE_SIZE];
    size_t len;
    assert_ok(auth_exchange_begin(f->auth, &tls_peer, "Negotiate", &x));
    g_autoptr(GBytes) negotiate = negotiate_of(&c);
    gsize n;
    const uint8_t *first = g_bytes_get_data(negotiate, &n);
    g_autoptr(GByteArray) mechanisms = mechanisms_of(is_kerberos_first);
    // Without keys of Kerberos the client is asked for NTLM, which it sends then.
    assert_ec(step(x, init_of(is_kerberos_first, first, n), &reply, &len, &who), EC_BUSY);
    if (is_kerberos_first) {
        g_assert_true(spnego_read(reply, len, &m) && m.token == NULL);
        g_free(reply);
        assert_ec(step(x, response_message_of(first, n, NULL), &reply, &len, &who), EC_BUSY);
    }
    g_assert_true(spnego_read(reply, len, &m) && m.token != NULL);
    client_key(&c, m.token, m.token_len, key);
    ntlm_sign(flags_of(&c) & ~(uint32_t)NTLM_KEY_EXCHANGE, key, true, mechanisms->data,
              mechanisms->len, check);
    check[5] ^= breaks_check;
    g_autoptr(GByteArray) proof = authenticate_of(&c, negotiate, m.token, m.token_len);
    g_free(reply);
    enum ec ec = step(x, response_message_of(proof->data, proof->len, check), &reply, &len, &who);
    if (ec == EC_OK) {
        uint8_t want[NTLM_SIGNATURE_SIZE];
        ntlm_sign(flags_of(&c) & ~(uint32_t)NTLM_KEY_EXCHANGE, key, false, mechanisms->data,
                  mechanisms->len, want);
        g_assert_cmpstr(who->address, ==, "alice@example.test");
        g_assert_true(spnego_read(reply, len, &m));
        g_assert_cmpmem(m.check, m.check_len, want, sizeof want);
    }
    g_assert_true((ec == EC_OK) == (who != NULL));
    g_free(reply);
    principal_unref(who);
    auth_exchange_free(x);
    return ec;
}

static void test_negotiate(struct fixture *f, gconstpointer data) {
    assert_ok(run_spnego(f, false, false));
    assert_ok(run_spnego(f, true, false));
    assert_ec(run_spnego(f, false, true), EC_LOGON_FAILED);
    // Bare, as scheme NTLM and as Negotiate.
    static const struct client c = {"alice", "EXAMPLE", "secret", .has_mic = true};
    static const char *const schemes[] = {"NTLM", "negotiate"};
    for (unsigned i = 0; i < G_N_ELEMENTS(schemes); i++) {
        struct auth_exchange *x;
        struct principal *who;
        uint8_t *reply;
        size_t len;
        gsize n;
        assert_ok(auth_exchange_begin(f->auth, &tls_peer, schemes[i], &x));
        g_autoptr(GBytes) negotiate = negotiate_of(&c);
        const uint8_t *first = g_bytes_get_data(negotiate, &n);
        g_assert_true(auth_exchange_is_first(x, schemes[i], first, n));
        assert_ec(auth_exchange_step(x, first, n, &reply, &len, &who), EC_BUSY);
        GByteArray *proof = authenticate_of(&c, negotiate, reply, len);
        g_free(reply);
        g_assert_false(auth_exchange_is_first(x, schemes[i], proof->data, proof->len));
        assert_ok(step(x, proof, &reply, &len, &who));
        g_assert_cmpuint(len, ==, 0);
        g_free(reply);
        assert_ok(auth_recheck(f->auth, &tls_peer, who));
        principal_unref(who);
        auth_exchange_free(x);
    }
}

static void test_negotiate_refused(struct fixture *f, gconstpointer data) {
    struct auth_exchange *x;
    struct principal *who = NULL;
    uint8_t *reply = NULL;
    size_t len = 0;
    g_assert_cmpstr(auth_schemes(f->auth, &tls_peer), ==, "Negotiate NTLM Basic");
    g_assert_cmpstr(auth_schemes(f->auth, &plain_peer), ==, "");
    assert_ec(auth_exchange_begin(f->auth, &plain_peer, "NTLM", &x), EC_NOT_AUTHORIZED);
    assert_ec(auth_exchange_begin(f->auth, &tls_peer, "Digest", &x), EC_NOT_SUPPORTED);
    assert_ec(auth_token(f->auth, &tls_peer, "x.y.z", &who), EC_NOT_SUPPORTED);
    g_autoptr(GByteArray) whole = init_of(true, (const uint8_t *)"NTLMSSP\0\1\0\0\0", 12);
    for (size_t i = 0; i < whole->len; i++) {
        assert_ok(auth_exchange_begin(f->auth, &tls_peer, "Negotiate", &x));
        g_autofree uint8_t *cut = g_memdup2(whole->data, i);
        enum ec ec = auth_exchange_step(x, cut, i, &reply, &len, &who);
        g_assert_true(ec != EC_OK && ec != EC_BUSY);
        auth_exchange_free(x);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add(path, struct fixture, &with_ntlm, fixture_setup, test, fixture_teardown)
    g_test_add_func("/ntlm/example", test_example);
    ADD("/ntlm/login", test_login);
    ADD("/ntlm/throttled", test_throttled);
    ADD("/ntlm/offer", test_offer);
    ADD("/ntlm/negotiate", test_negotiate);
    ADD("/ntlm/negotiate-refused", test_negotiate_refused);
    return g_test_run();
}
