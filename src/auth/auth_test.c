// Passwords: right, wrong, of nobody, of accounts that are switched off; what is remembered.
#include <string.h>

#include "auth/limits.h"
#include "auth/nt_hash.h"
#include "auth/test_auth.h"

static enum ec try_from(struct fixture *f, const struct auth_peer *peer, const char *login,
                        const char *password) {
    struct principal *p = NULL;
    enum ec ec = auth_password(f->auth, peer, login, password, &p);
    g_assert_true((ec == EC_OK) == (p != NULL));
    principal_unref(p);
    return ec;
}

static enum ec try(struct fixture *f, const char *login, const char *password) {
    return try_from(f, &tls_peer, login, password);
}

static void test_password(struct fixture *f, gconstpointer data) {
    struct principal *p = NULL;
    assert_ok(auth_password(f->auth, &tls_peer, "EXAMPLE\\Alice", "secret", &p));
    g_assert_true(guid_equal(&p->guid, &f->alice));
    g_assert_cmpstr(p->address, ==, "alice@example.test");
    g_assert_cmpstr(p->display_name, ==, "alice");
    g_assert_false(p->is_admin);
    principal_unref(principal_ref(p));
    principal_unref(p);
    principal_unref(NULL);

    assert_ec(try(f, "alice", "Secret"), EC_LOGON_FAILED);
    assert_ec(try(f, "alice", "secret "), EC_LOGON_FAILED);
    assert_ec(try(f, "alice", ""), EC_LOGON_FAILED);
    assert_ec(try(f, "alice", "bob's"), EC_LOGON_FAILED);
    assert_ec(try(f, "nobody", "secret"), EC_LOGON_FAILED);
    assert_ec(try(f, "", ""), EC_LOGON_FAILED);
    assert_ec(try(f, "\xff", "secret"), EC_LOGON_FAILED);
    g_autofree char *huge = g_strnfill(AUTH_PASSWORD_MAX + 1, 'x');
    assert_ec(try(f, "alice", huge), EC_LOGON_FAILED);
    assert_ec(try(f, huge, "secret"), EC_LOGON_FAILED);
    assert_ok(try(f, "bob@example.test", "bob's"));

    struct principal *admin = principal_admin();
    g_assert_true(admin->is_admin);
    principal_unref(admin);
    principal_unref(principal_admin());
}

static void test_where(struct fixture *f, gconstpointer data) {
    g_assert_true(auth_plaintext_allowed(f->auth, &tls_peer));
    g_assert_true(auth_plaintext_allowed(f->auth, &loopback_peer));
    g_assert_false(auth_plaintext_allowed(f->auth, &plain_peer));
    assert_ok(try_from(f, &loopback_peer, "alice", "secret"));
    unsigned before = password_hashes_computed(f->auth->passwords);
    assert_ec(try_from(f, &plain_peer, "alice", "secret"), EC_NOT_AUTHORIZED);
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, before);

    struct auth_options strict = {0};
    struct auth *auth;
    assert_ok(auth_new(f->d, &strict, &auth));
    g_assert_false(auth_plaintext_allowed(auth, &loopback_peer));
    g_assert_true(auth_plaintext_allowed(auth, &tls_peer));
    auth_free(auth);
    auth_free(NULL);
}

// Nobody, somebody without a password and a wrong password cost the same: one hash.
static void test_same_work(struct fixture *f, gconstpointer data) {
    fixture_add(f, DIRECTORY_USER, "new@example.test", NULL);
    fixture_add(f, DIRECTORY_SHARED, "info@example.test", "info");
    static const char *const logins[] = {"alice", "nobody", "new", "info", "", "X\\y"};
    for (size_t i = 0; i < G_N_ELEMENTS(logins); i++) {
        unsigned before = password_hashes_computed(f->auth->passwords);
        assert_ec(try(f, logins[i], "info"), EC_LOGON_FAILED);
        g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, before + 1);
    }
    // And about the same time.
    double seconds[2];
    for (int i = 0; i < 2; i++) {
        g_test_timer_start();
        assert_ec(try(f, i == 0 ? "alice" : "nobody", "wrong"), EC_LOGON_FAILED);
        seconds[i] = g_test_timer_elapsed();
    }
    g_test_message("wrong %.1f ms, nobody %.1f ms", seconds[0] * 1000, seconds[1] * 1000);
    g_assert_cmpfloat(seconds[1], >, seconds[0] / 10);
}

static void test_switched_off(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    struct auth_peer pop = tls_peer;
    pop.protocol = DIRECTORY_POP3;
    assert_ec(try_from(f, &pop, "alice", "secret"), EC_ACCOUNT_DISABLED);
    assert_ec(try_from(f, &pop, "alice", "wrong"), EC_LOGON_FAILED);
    assert_ok(try(f, "alice", "secret"));
    assert_ok(directory_find_guid(f->d, arena, &f->alice, &object));
    object->is_disabled = true;
    assert_ok(directory_update(f->d, object));
    assert_ec(try(f, "alice", "secret"), EC_ACCOUNT_DISABLED); // though remembered
    assert_ec(try(f, "alice", "wrong"), EC_LOGON_FAILED);
    object->is_disabled = false;
    object->protocols = DIRECTORY_SMTP;
    assert_ok(directory_update(f->d, object));
    assert_ec(try(f, "alice", "secret"), EC_ACCOUNT_DISABLED);
    assert_ok(directory_remove(f->d, &f->alice));
    assert_ec(try(f, "alice", "secret"), EC_LOGON_FAILED);
}

static void test_remembered(struct fixture *f, gconstpointer data) {
    filetime_t start = filetime_from_unix(1800000000);
    clock_set(start);
    unsigned n = password_hashes_computed(f->auth->passwords);
    for (int i = 0; i < 20; i++)
        assert_ok(try(f, "alice", "secret"));
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, n + 1);
    assert_ec(try(f, "alice", "wrong"), EC_LOGON_FAILED);
    assert_ec(try(f, "bob", "secret"), EC_LOGON_FAILED);
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, n + 3);
    // A new password: the old one is nothing any more.
    assert_ok(auth_set_password(f->auth, &f->alice, "changed"));
    assert_ec(try(f, "alice", "secret"), EC_LOGON_FAILED);
    assert_ok(try(f, "alice", "changed"));
    // Not for ever.
    n = password_hashes_computed(f->auth->passwords);
    clock_set(start + (AUTH_VERIFIED_SECONDS + 1) * FILETIME_SECOND);
    assert_ok(try(f, "alice", "changed"));
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, n + 1);
    clock_set(start - 1000 * FILETIME_SECOND); // the clock was set back
    assert_ok(try(f, "alice", "changed"));
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, n + 2);
    clock_set(0);
    assert_ok(try(f, "alice", "changed"));
    g_test_timer_start();
    for (int i = 0; i < 1000; i++)
        assert_ok(try(f, "alice", "changed"));
    g_test_message("a remembered login: %.0f us", g_test_timer_elapsed() * 1000);
}

static void test_set_password(struct fixture *f, gconstpointer data) {
    assert_ec(auth_set_password(f->auth, &f->alice, ""), EC_INVALID_PARAMETER);
    g_autofree char *huge = g_strnfill(AUTH_PASSWORD_MAX + 1, 'x');
    assert_ec(auth_set_password(f->auth, &f->alice, huge), EC_INVALID_PARAMETER);
    struct guid nobody = guid_new();
    assert_ec(auth_set_password(f->auth, &nobody, "x"), EC_NOT_FOUND);
    struct directory_credentials c;
    assert_ok(directory_credentials(f->d, &f->alice, &c));
    g_assert_true(g_str_has_prefix(c.password_hash, "$argon2id$v=19$m=19456,t=2,p=1$"));
    g_assert_true(!c.has_nt_hash && !c.has_scram_keys);
    directory_credentials_clear(&c);
    // Composed and decomposed accents are one; bytes that are no UTF-8 are taken as they are.
    assert_ok(auth_set_password(f->auth, &f->alice, "p\xc3\xa4ss"));
    assert_ok(try(f, "alice", "pa\xcc\x88ss"));
    assert_ok(auth_set_password(f->auth, &f->alice, "p\xe4ss"));
    assert_ok(try(f, "alice", "p\xe4ss"));
}

static void expect_derived(struct fixture *f, const struct guid *user, bool has_nt_hash,
                           bool has_scram_keys) {
    struct directory_credentials c;
    assert_ok(directory_credentials(f->d, user, &c));
    g_assert_cmpint(c.has_nt_hash, ==, has_nt_hash);
    g_assert_cmpint(c.has_scram_keys, ==, has_scram_keys);
    directory_credentials_clear(&c);
}

static void test_nt_hash(struct fixture *f, gconstpointer data) {
    uint8_t want[16];
    struct directory_credentials c;
    nt_hash("secret", want);
    assert_ok(directory_credentials(f->d, &f->alice, &c));
    g_assert_true(c.has_nt_hash && !c.has_scram_keys);
    g_assert_cmpmem(c.nt_hash, 16, want, 16);
    directory_credentials_clear(&c);
    // Switched off, the hash of the old password goes with it.
    struct auth_options off = {.plaintext_loopback = true};
    struct auth *auth;
    assert_ok(auth_new(f->d, &off, &auth));
    assert_ok(auth_set_password(auth, &f->alice, "other"));
    expect_derived(f, &f->alice, false, false);
    auth_free(auth);
}

// What is switched on later is made up by the next login with the password, and by no other.
static void test_made_up(struct fixture *f, gconstpointer data) {
    struct auth_options on = {.store_nt_hash = true, .scram_iterations = 4096};
    struct auth *before = f->auth;
    expect_derived(f, &f->alice, false, false);
    assert_ok(auth_new(f->d, &on, &f->auth));
    assert_ec(try(f, "alice", "wrong"), EC_LOGON_FAILED);
    expect_derived(f, &f->alice, false, false);
    assert_ok(try(f, "alice", "secret"));
    expect_derived(f, &f->alice, true, true);
    expect_derived(f, &f->bob, false, false);
    auth_free(f->auth);
    f->auth = before;
}

// --- Delegates ---

static void test_delegate_names(struct fixture *f, gconstpointer data) {
    static const struct {
        const char *login, *mailbox;
    } cases[] = {
        {"alice", NULL},
        {"EXAMPLE/alice/bob", "bob"},
        {"example.test/alice/bob", "bob"},
        {"alice@example.test/bob", "bob"},
        {"alice@example.test/bob@example.test", "bob@example.test"},
        {"EXAMPLE\\alice/bob", "bob"},
        {"EXAMPLE/alice", NULL},
        {"alice/bob", "bob"},
        {"x/y@example.test", NULL}, // a local part with a slash is a name like others
    };
    fixture_add(f, DIRECTORY_USER, "x/y@example.test", "secret");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct principal *p;
        assert_ok(auth_password(f->auth, &tls_peer, cases[i].login, "secret", &p));
        g_assert_cmpstr(p->mailbox, ==, cases[i].mailbox);
        principal_unref(p);
    }
    // It is the user's password that counts, and failures are the user's.
    static const char *const bad[] = {"bob/alice", "/alice", "alice/", "a/b/c/alice", "//", "/"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_ec(try(f, bad[i], "secret"), EC_LOGON_FAILED);
}

static void assert_hex(const uint8_t hash[16], const char *want) {
    char text[33];
    for (int i = 0; i < 16; i++)
        g_snprintf(text + 2 * i, 3, "%02x", hash[i]);
    g_assert_cmpstr(text, ==, want);
}

static void test_md4(void) {
    static const struct {
        const char *text, *hash;
    } cases[] = {
        // RFC 1320 A.5
        {"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
        {"a", "bde52cb31de33e46245e05fbdbd6fb24"},
        {"abc", "a448017aaf21d8525fc10ae87aa6729d"},
        {"message digest", "d9130a8164549fe818874806e1c7014b"},
        {"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "043f8582f241db351ce627e153e7f0e4"},
        {"1234567890123456789012345678901234567890123456789012345678901234567890"
         "1234567890",
         "e33b4ddc9c38f2199c3e7b164fcc0536"},
    };
    uint8_t hash[16];
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        md4((const uint8_t *)cases[i].text, strlen(cases[i].text), hash);
        assert_hex(hash, cases[i].hash);
    }
    nt_hash("Password", hash); // [MS-NLMP] 4.2.2.1.2
    assert_hex(hash, "a4f49c406510bdcab6824ee7c30fd852");
}

// --- Throttling, through the door ---

static void test_throttle_user(struct fixture *f, gconstpointer data) {
    filetime_t now = filetime_from_unix(1800000000);
    clock_set(now);
    static const char *const spellings[] = {"alice", "ALICE@example.test", "EXAMPLE\\alice"};
    for (int i = 0; i < AUTH_USER_FREE_FAILURES; i++)
        assert_ec(try(f, spellings[i % 3], "wrong"), EC_LOGON_FAILED);
    unsigned n = password_hashes_computed(f->auth->passwords);
    assert_ec(try(f, "alice", "secret"), EC_SERVER_BUSY); // even the right one
    struct auth_peer elsewhere = tls_peer;
    elsewhere.address = "198.51.100.7";
    assert_ec(try_from(f, &elsewhere, "alice", "secret"), EC_SERVER_BUSY);
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, n);
    assert_ok(try(f, "bob", "bob's")); // others are not touched
    // The delay doubles with every failure, up to a maximum.
    for (int delay = 1; delay <= 256; delay *= 2) {
        int wait = MIN(delay, AUTH_USER_DELAY_MAX);
        clock_set(now += (filetime_t)wait * FILETIME_SECOND - 1);
        assert_ec(try(f, "alice", "wrong"), EC_SERVER_BUSY);
        clock_set(now + 1);
        assert_ec(try(f, "alice", "wrong"), EC_LOGON_FAILED);
        now = clock_now();
    }
    clock_set(now + AUTH_USER_DELAY_MAX * FILETIME_SECOND);
    assert_ok(try(f, "alice", "secret"));
    // The right password forgives.
    assert_ec(try(f, "alice", "wrong"), EC_LOGON_FAILED);
    assert_ok(try(f, "alice", "secret"));
}

static void test_throttle_address(struct fixture *f, gconstpointer data) {
    clock_set(filetime_from_unix(1800000000));
    struct auth_peer v6 = tls_peer;
    for (int i = 0; i < AUTH_ADDRESS_FREE_FAILURES; i++) {
        // Other names and other addresses of the same network.
        g_autofree char *login = g_strdup_printf("guess%d", i);
        g_autofree char *address = g_strdup_printf("2001:db8::%x", i + 1);
        v6.address = address;
        assert_ec(try_from(f, &v6, login, "x"), EC_LOGON_FAILED);
    }
    v6.address = "2001:db8:0:0:ffff::9";
    assert_ec(try_from(f, &v6, "alice", "secret"), EC_SERVER_BUSY);
    v6.address = "2001:db8:0:1::1";
    assert_ok(try_from(f, &v6, "alice", "secret"));
    // Loopback stands for many.
    for (int i = 0; i < AUTH_ADDRESS_FREE_FAILURES + 5; i++) {
        g_autofree char *login = g_strdup_printf("guess%d", 100 + i);
        assert_ec(try_from(f, &loopback_peer, login, "x"), EC_LOGON_FAILED);
    }
    assert_ok(try_from(f, &loopback_peer, "alice", "secret"));
}

// --- Threads ---

static gpointer login_often(gpointer data) {
    struct fixture *f = data;
    for (int i = 0; i < 20; i++) {
        assert_ok(try_from(f, &loopback_peer, "alice", "secret"));
        enum ec ec = try_from(f, &loopback_peer, "nobody", "x");
        g_assert_true(ec == EC_LOGON_FAILED || ec == EC_SERVER_BUSY);
    }
    return NULL;
}

static void test_threads(struct fixture *f, gconstpointer data) {
    GThread *threads[16];
    unsigned n = password_hashes_computed(f->auth->passwords);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("login", login_often, f);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    // Few hashes: who waited finds the password remembered, or the guesses used up.
    n = password_hashes_computed(f->auth->passwords) - n;
    g_test_message("%u hashes", n);
    g_assert_cmpuint(n, <, 64);
}

int main(int argc, char **argv) {
    static const struct auth_options with_nt = {.store_nt_hash = true};
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add(path, struct fixture, NULL, fixture_setup, test, fixture_teardown)
    ADD("/auth/password", test_password);
    ADD("/auth/where", test_where);
    ADD("/auth/same-work", test_same_work);
    ADD("/auth/switched-off", test_switched_off);
    ADD("/auth/remembered", test_remembered);
    ADD("/auth/set-password", test_set_password);
    ADD("/auth/made-up", test_made_up);
    ADD("/auth/delegate-names", test_delegate_names);
    ADD("/auth/throttle-user", test_throttle_user);
    ADD("/auth/throttle-address", test_throttle_address);
    ADD("/auth/threads", test_threads);
    g_test_add("/auth/nt-hash", struct fixture, &with_nt, fixture_setup, test_nt_hash,
               fixture_teardown);
    g_test_add_func("/auth/md4", test_md4);
    return g_test_run();
}
