// SCRAM-SHA-256 with a client of our own: the exchange of RFC 7677, bindings, and everything that a
// client can get wrong.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "auth/scram_keys.h"
#include "auth/test_auth.h"

static const struct auth_options with_scram = {.plaintext_loopback = true,
                                               .scram_iterations = 4096};

// --- Keys ---

static void test_rfc7677(void) {
    static const char message[] =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,"
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    struct scram_keys keys = {.iterations = 4096};
    uint8_t signature[SCRAM_HASH_SIZE];
    gsize n;
    g_autofree guchar *salt = g_base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==", &n);
    memcpy(keys.salt, salt, sizeof keys.salt);
    assert_ok(scram_keys_derive("pencil", &keys));
    g_autofree guchar *proof = g_base64_decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", &n);
    g_assert_true(scram_keys_verify(&keys, message, proof, signature));
    g_autofree char *text = g_base64_encode(signature, sizeof signature);
    g_assert_cmpstr(text, ==, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    proof[0] ^= 1;
    g_assert_false(scram_keys_verify(&keys, message, proof, signature));
}

static void test_stored(void) {
    uint8_t one[SCRAM_STORED_SIZE], two[SCRAM_STORED_SIZE], zero[SCRAM_STORED_SIZE] = {0};
    struct scram_keys read, again;
    assert_ok(scram_keys_make("x", 4096, one));
    assert_ok(scram_keys_make("x", 4096, two));
    g_assert_cmpint(memcmp(one, two, sizeof one), !=, 0); // another salt
    g_assert_true(scram_keys_read(one, &read));
    g_assert_false(scram_keys_read(zero, &again));
    again = read;
    assert_ok(scram_keys_derive("x", &again));
    g_assert_cmpmem(&again, sizeof again, &read, sizeof read);
    // SASLprep: a no-break space is a space, a soft hyphen nothing; composed or not is the same.
    assert_ok(scram_keys_derive("\xc2\xaa\xc2\xa0x\xc2\xad", &read));
    assert_ok(scram_keys_derive("a x", &again));
    g_assert_cmpmem(&again, sizeof again, &read, sizeof read);
    assert_ok(scram_keys_derive("\xff\x01", &read)); // no text at all: taken as it is
}

// --- A client ---

struct client {
    struct sasl *sasl;
    const char *header; // GS2
    const char *user, *password;
    const char *bind_bytes; // after the header in "c="; NULL: none
    char *first, *server_first, *signature;
    struct principal *who;
};

static enum ec say(struct client *c, const char *text, char **answer) {
    char *out = NULL;
    size_t len = 0;
    enum ec ec = sasl_step(c->sasl, (const uint8_t *)text, strlen(text), &out, &len, &c->who);
    if (answer != NULL)
        *answer = out;
    else
        g_free(out);
    return ec;
}

static void hmac(const uint8_t *key, const char *text, uint8_t out[32]) {
    HMAC(EVP_sha256(), key, 32, (const uint8_t *)text, strlen(text), out, NULL);
}

// The answer to the server's first message; `nonce_end` is put behind its nonce.
static char *final_of(struct client *c, const char *nonce_end) {
    char nonce[200], salt64[100];
    unsigned iterations;
    g_assert_cmpint(
        sscanf(c->server_first, "r=%199[^,],s=%99[^,],i=%u", nonce, salt64, &iterations), ==, 3);
    gsize salt_len;
    g_autofree guchar *salt = g_base64_decode(salt64, &salt_len);
    uint8_t salted[32], client_key[32], stored[32], signature[32], server_key[32];
    PKCS5_PBKDF2_HMAC(c->password, -1, salt, (int)salt_len, (int)iterations, EVP_sha256(), 32,
                      salted);
    hmac(salted, "Client Key", client_key);
    hmac(salted, "Server Key", server_key);
    EVP_Q_digest(NULL, "SHA256", NULL, client_key, 32, stored, NULL);
    g_autofree char *bound = g_strconcat(c->header, c->bind_bytes, NULL);
    g_autofree char *bound64 = g_base64_encode((const guchar *)bound, strlen(bound));
    g_autofree char *without = g_strdup_printf("c=%s,r=%s%s", bound64, nonce, nonce_end);
    g_autofree char *all = g_strdup_printf("%s,%s,%s", c->first, c->server_first, without);
    hmac(stored, all, signature);
    for (int i = 0; i < 32; i++)
        client_key[i] ^= signature[i];
    hmac(server_key, all, signature);
    g_free(c->signature);
    g_autofree char *text = g_base64_encode(signature, 32);
    c->signature = g_strconcat("v=", text, NULL);
    g_autofree char *proof = g_base64_encode(client_key, 32);
    return g_strdup_printf("%s,p=%s", without, proof);
}

static enum ec begin(struct fixture *f, struct client *c, const struct auth_peer *peer,
                     const char *mechanism) {
    assert_ok(sasl_begin(f->auth, peer, mechanism, &c->sasl));
    c->first = g_strdup_printf("n=%s,r=abcdefgh", c->user);
    g_autofree char *message = g_strconcat(c->header, c->first, NULL);
    return say(c, message, &c->server_first);
}

static void end(struct client *c) {
    sasl_free(c->sasl);
    principal_unref(c->who);
    g_free(c->first);
    g_free(c->server_first);
    g_free(c->signature);
}

// A whole exchange.
static enum ec run(struct fixture *f, const struct auth_peer *peer, const char *mechanism,
                   struct client client) {
    struct client *c = &client;
    g_autofree char *answer = NULL;
    enum ec ec = begin(f, c, peer, mechanism);
    if (ec == EC_BUSY) {
        g_autofree char *final = final_of(c, "");
        ec = say(c, final, &answer);
    }
    if (ec == EC_BUSY) {
        g_assert_cmpstr(answer, ==, c->signature); // the server proves itself too
        g_assert_null(c->who);
        ec = say(c, "", NULL);
        g_assert_true((ec == EC_OK) == (c->who != NULL));
    }
    end(c);
    return ec;
}
#define RUN(...) run(f, &tls_peer, "SCRAM-SHA-256", (struct client){__VA_ARGS__})

static void test_login(struct fixture *f, gconstpointer data) {
    assert_ok(RUN(.header = "n,,", .user = "alice@example.test", .password = "secret"));
    assert_ok(RUN(.header = "n,,", .user = "EXAMPLE\\alice", .password = "secret"));
    assert_ok(RUN(.header = "y,,", .user = "alice", .password = "secret"));
    assert_ok(RUN(.header = "n,a=alice,", .user = "ALICE", .password = "secret"));
    assert_ec(RUN(.header = "n,a=bob,", .user = "alice", .password = "secret"), EC_LOGON_FAILED);
    assert_ec(RUN(.header = "n,,", .user = "alice", .password = "wrong"), EC_LOGON_FAILED);
    assert_ec(RUN(.header = "n,,", .user = "nobody", .password = "secret"), EC_LOGON_FAILED);
    fixture_add(f, DIRECTORY_USER, "a=b@example.test", "x");
    assert_ok(RUN(.header = "n,,", .user = "a=3Db@example.test", .password = "x"));
    // A new password, new keys.
    assert_ok(auth_set_password(f->auth, &f->alice, "other"));
    assert_ec(RUN(.header = "n,,", .user = "alice", .password = "secret"), EC_LOGON_FAILED);
    assert_ok(RUN(.header = "n,,", .user = "alice", .password = "other"));
    // A delegate.
    struct client c = {.header = "n,,", .user = "alice@example.test/bob", .password = "other"};
    assert_ec(begin(f, &c, &tls_peer, "scram-sha-256"), EC_BUSY);
    g_autofree char *final = final_of(&c, "");
    assert_ec(say(&c, final, NULL), EC_BUSY);
    assert_ok(say(&c, "", NULL));
    g_assert_cmpstr(c.who->mailbox, ==, "bob");
    end(&c);
}

static void test_switched_off(struct fixture *f, gconstpointer data) {
    struct auth_peer pop = tls_peer;
    pop.protocol = DIRECTORY_POP3;
    struct client c = {.header = "n,,", .user = "alice", .password = "secret"};
    assert_ec(run(f, &pop, "SCRAM-SHA-256", c), EC_ACCOUNT_DISABLED);
    c.password = "wrong";
    assert_ec(run(f, &pop, "SCRAM-SHA-256", c), EC_LOGON_FAILED);
    struct sasl *s;
    static const struct auth_options off = {.plaintext_loopback = true};
    struct auth *auth;
    assert_ok(auth_new(f->d, &off, &auth));
    assert_ec(sasl_begin(auth, &tls_peer, "SCRAM-SHA-256", &s), EC_NOT_SUPPORTED);
    g_assert_cmpstr(sasl_mechanisms(auth, &tls_peer), ==, "PLAIN LOGIN");
    auth_free(auth);
    g_assert_cmpstr(sasl_mechanisms(f->auth, &tls_peer), ==, "SCRAM-SHA-256 PLAIN LOGIN");
    assert_ec(sasl_begin(f->auth, &plain_peer, "SCRAM-SHA-256", &s), EC_NOT_AUTHORIZED);
}

// --- Nobody looks like somebody ---

static char *salt_of(struct fixture *f, const char *user) {
    struct client c = {.header = "n,,", .user = user, .password = "x"};
    assert_ec(begin(f, &c, &tls_peer, "SCRAM-SHA-256"), EC_BUSY);
    char *salt = g_strdup(strstr(c.server_first, ",s="));
    end(&c);
    return salt;
}

static void test_salts(struct fixture *f, gconstpointer data) {
    g_autofree char *alice = salt_of(f, "alice"), *nobody = salt_of(f, "nobody"),
                    *other = salt_of(f, "other"), *spelt = salt_of(f, "NoBody@example.test");
    g_assert_cmpuint(strlen(alice), ==, strlen(nobody));
    g_assert_cmpstr(nobody, !=, other);
    g_assert_cmpstr(nobody, ==, spelt);
    // The same after a restart.
    auth_free(f->auth);
    assert_ok(auth_new(f->d, &with_scram, &f->auth));
    g_autofree char *again = salt_of(f, "nobody"), *alice_again = salt_of(f, "alice");
    g_assert_cmpstr(nobody, ==, again);
    g_assert_cmpstr(alice, ==, alice_again);
    // And when there is such a user, with a password from before SCRAM.
    static const struct auth_options off = {0};
    struct auth *old, *now = f->auth;
    assert_ok(auth_new(f->d, &off, &old));
    f->auth = old;
    fixture_add(f, DIRECTORY_USER, "nobody@example.test", "x");
    f->auth = now;
    auth_free(old);
    g_autofree char *without_keys = salt_of(f, "nobody");
    g_assert_cmpstr(nobody, ==, without_keys);
    struct client c = {.header = "n,,", .user = "nobody", .password = "x"};
    assert_ec(run(f, &tls_peer, "SCRAM-SHA-256", c), EC_LOGON_FAILED);
}

static void test_throttled(struct fixture *f, gconstpointer data) {
    clock_set(filetime_from_unix(1800000000));
    for (int i = 0; i < 5; i++)
        assert_ec(RUN(.header = "n,,", .user = "alice", .password = "wrong"), EC_LOGON_FAILED);
    assert_ec(RUN(.header = "n,,", .user = "alice", .password = "secret"), EC_SERVER_BUSY);
    assert_ok(RUN(.header = "n,,", .user = "bob", .password = "bob's"));
    // Exchanges begun together: the last ones are not looked at.
    struct client clients[7];
    for (int i = 0; i < 7; i++) {
        clients[i] = (struct client){.header = "n,,", .user = "bob", .password = "wrong"};
        assert_ec(begin(f, &clients[i], &tls_peer, "SCRAM-SHA-256"), EC_BUSY);
    }
    for (int i = 0; i < 7; i++) {
        g_autofree char *final = final_of(&clients[i], "");
        assert_ec(say(&clients[i], final, NULL), i < 5 ? EC_LOGON_FAILED : EC_SERVER_BUSY);
        end(&clients[i]);
    }
}

// --- Bindings ---

static size_t bind_to(const void *connection, enum auth_binding kind,
                      uint8_t out[AUTH_BINDING_MAX]) {
    const char *bytes = kind == AUTH_TLS_EXPORTER ? connection : "the certificate";
    memcpy(out, bytes, strlen(bytes));
    return strlen(bytes);
}

static void test_binding(struct fixture *f, gconstpointer data) {
    struct auth_peer peer = tls_peer;
    struct sasl *s;
    assert_ec(sasl_begin(f->auth, &peer, "SCRAM-SHA-256-PLUS", &s), EC_NOT_SUPPORTED);
    peer.binding = bind_to;
    peer.connection = "this connection";
    g_assert_cmpstr(sasl_mechanisms(f->auth, &peer), ==,
                    "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN");
    static const struct {
        const char *mechanism, *header, *bytes;
        enum ec ec;
    } cases[] = {
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "this connection", EC_OK},
        {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", "the certificate", EC_OK},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "another connection", EC_LOGON_FAILED},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", NULL, EC_LOGON_FAILED},
        {"SCRAM-SHA-256-PLUS", "p=tls-unique,,", "this connection", EC_LOGON_FAILED},
        {"SCRAM-SHA-256-PLUS", "n,,", NULL, EC_FORMAT_ERROR},
        {"SCRAM-SHA-256", "n,,", NULL, EC_OK},
        {"SCRAM-SHA-256", "p=tls-exporter,,", "this connection", EC_FORMAT_ERROR},
        // The client could have bound and was not offered it: somebody took it away.
        {"SCRAM-SHA-256", "y,,", NULL, EC_FORMAT_ERROR},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct client c = {.header = cases[i].header,
                           .user = "alice",
                           .password = "secret",
                           .bind_bytes = cases[i].bytes};
        assert_ec(run(f, &peer, cases[i].mechanism, c), cases[i].ec);
    }
}

// --- What makes no sense ---

static void test_malformed(struct fixture *f, gconstpointer data) {
    static const char *const first[] = {
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=alice",
        "n,,r=x",
        "n,,n=,r=x",
        "n,,n=a",
        "n,,n=a,r=",
        "x,,n=a,r=x",
        "n,b=x,n=a,r=x",
        "n,a==,n=a,r=x",
        "n,,n==,r=x",
        "n,,m=x,n=a,r=x",
        "n,,n=a=2,r=x",
        "p=,,n=a,r=x",
        "n,,n=a,r=\x01",
        "n,,n=\xff,r=x",
        "n,,r=x,n=a",
        ",,n=a,r=x",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(first); i++) {
        struct client c = {0};
        assert_ok(sasl_begin(f->auth, &tls_peer, "SCRAM-SHA-256", &c.sasl));
        assert_ec(say(&c, first[i], NULL), EC_FORMAT_ERROR);
        assert_ec(say(&c, "n,,n=alice,r=x", NULL), EC_FORMAT_ERROR); // it is over
        end(&c);
    }
    static const char *const last[] = {"",
                                       "c=biws",
                                       "c=biws,r=x",
                                       "c=biws,r=x,p=",
                                       "c=biws,r=x,p=AAAA",
                                       "c=biws,p=AAAA",
                                       ",p=",
                                       "r=x,c=biws,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                       "c=biws,r=x,p=!"};
    for (size_t i = 0; i < G_N_ELEMENTS(last); i++) {
        struct client c = {.header = "n,,", .user = "alice", .password = "secret"};
        assert_ec(begin(f, &c, &tls_peer, "SCRAM-SHA-256"), EC_BUSY);
        assert_ec(say(&c, last[i], NULL), EC_FORMAT_ERROR);
        end(&c);
    }
    // Another nonce: signed right, and still not what was asked.
    struct client c = {.header = "n,,", .user = "alice", .password = "secret"};
    assert_ec(begin(f, &c, &tls_peer, "SCRAM-SHA-256"), EC_BUSY);
    g_autofree char *final = final_of(&c, "x");
    assert_ec(say(&c, final, NULL), EC_LOGON_FAILED);
    end(&c);
    // Left before the end, when the server has said that it is right.
    struct client gone = {.header = "n,,", .user = "alice", .password = "secret"};
    assert_ec(begin(f, &gone, &tls_peer, "SCRAM-SHA-256"), EC_BUSY);
    g_autofree char *right = final_of(&gone, "");
    assert_ec(say(&gone, right, NULL), EC_BUSY);
    end(&gone);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add(path, struct fixture, &with_scram, fixture_setup, test, fixture_teardown)
    g_test_add_func("/scram/rfc7677", test_rfc7677);
    g_test_add_func("/scram/stored", test_stored);
    ADD("/scram/login", test_login);
    ADD("/scram/switched-off", test_switched_off);
    ADD("/scram/salts", test_salts);
    ADD("/scram/throttled", test_throttled);
    ADD("/scram/binding", test_binding);
    ADD("/scram/malformed", test_malformed);
    return g_test_run();
}
