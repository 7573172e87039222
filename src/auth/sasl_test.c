// SASL exchanges, whole and malformed.
#include <string.h>

#include "auth/limits.h"
#include "auth/test_auth.h"

// A step with a literal (NULs inside); what is asked goes to `asked`.
static enum ec step(struct sasl *s, const char *in, size_t len, char **asked) {
    struct principal *p = NULL;
    char *text = NULL;
    size_t text_len = 0;
    enum ec ec = sasl_step(s, (const uint8_t *)in, len, &text, &text_len, &p);
    g_assert_true((ec == EC_BUSY) == (text != NULL));
    g_assert_true((ec == EC_OK) == (p != NULL));
    if (text != NULL)
        g_assert_cmpuint(strlen(text), ==, text_len);
    if (asked != NULL)
        *asked = text;
    else
        g_free(text);
    principal_unref(p);
    return ec;
}
#define STEP(s, literal) step(s, literal, sizeof literal - 1, NULL)

static enum ec plain(struct fixture *f, const char *message, size_t len) {
    struct sasl *s;
    assert_ok(sasl_begin(f->auth, &tls_peer, "PLAIN", &s));
    enum ec ec = step(s, message, len, NULL);
    if (ec != EC_BUSY) // it is over
        assert_ec(step(s, message, len, NULL), EC_FORMAT_ERROR);
    sasl_free(s);
    return ec;
}
#define PLAIN(literal) plain(f, literal, sizeof literal - 1)

static void test_offer(struct fixture *f, gconstpointer data) {
    g_assert_cmpstr(sasl_mechanisms(f->auth, &tls_peer), ==, "PLAIN LOGIN");
    g_assert_cmpstr(sasl_mechanisms(f->auth, &loopback_peer), ==, "PLAIN LOGIN");
    g_assert_cmpstr(sasl_mechanisms(f->auth, &plain_peer), ==, "");
    struct sasl *s;
    assert_ec(sasl_begin(f->auth, &tls_peer, "CRAM-MD5", &s), EC_NOT_SUPPORTED);
    assert_ec(sasl_begin(f->auth, &tls_peer, "", &s), EC_NOT_SUPPORTED);
    assert_ec(sasl_begin(f->auth, &plain_peer, "PLAIN", &s), EC_NOT_AUTHORIZED);
    sasl_free(NULL);
}

static void test_plain(struct fixture *f, gconstpointer data) {
    assert_ok(PLAIN("\0alice@example.test\0secret"));
    assert_ok(PLAIN("alice@example.test\0alice@example.test\0secret"));
    assert_ok(PLAIN("EXAMPLE\\alice\0alice\0secret")); // the same user, spelt otherwise
    assert_ec(PLAIN("bob@example.test\0alice\0secret"), EC_LOGON_FAILED);
    assert_ec(PLAIN("nobody\0alice\0secret"), EC_LOGON_FAILED);
    assert_ec(PLAIN("\0alice\0wrong"), EC_LOGON_FAILED);
    assert_ec(PLAIN("\0nobody\0secret"), EC_LOGON_FAILED);

    // Without an initial response there is an empty challenge first.
    struct sasl *s;
    char *asked;
    assert_ok(sasl_begin(f->auth, &loopback_peer, "plain", &s));
    assert_ec(step(s, NULL, 0, &asked), EC_BUSY);
    g_assert_cmpstr(asked, ==, "");
    g_free(asked);
    assert_ok(STEP(s, "\0alice\0secret"));
    sasl_free(s);
}

static void test_plain_malformed(struct fixture *f, gconstpointer data) {
    unsigned n = password_hashes_computed(f->auth->passwords);
    assert_ec(PLAIN(""), EC_FORMAT_ERROR);
    assert_ec(PLAIN("alice"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0\0"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0alice"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0alice\0"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0\0secret"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("alice\0secret"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0alice\0secret\0"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0alice\0secret\0more"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\0\xff\0secret"), EC_FORMAT_ERROR);
    assert_ec(PLAIN("\xff\0alice\0secret"), EC_FORMAT_ERROR);
    g_autofree char *huge = g_strnfill(AUTH_SASL_MAX + 1, 'x');
    assert_ec(plain(f, huge, AUTH_SASL_MAX + 1), EC_FORMAT_ERROR);
    g_assert_cmpuint(password_hashes_computed(f->auth->passwords), ==, n);
}

static void test_login(struct fixture *f, gconstpointer data) {
    struct sasl *s;
    char *asked;
    assert_ok(sasl_begin(f->auth, &tls_peer, "login", &s));
    assert_ec(step(s, NULL, 0, &asked), EC_BUSY);
    g_assert_cmpstr(asked, ==, "Username:");
    g_free(asked);
    assert_ec(step(s, "alice", 5, &asked), EC_BUSY);
    g_assert_cmpstr(asked, ==, "Password:");
    g_free(asked);
    assert_ok(STEP(s, "secret"));
    assert_ec(STEP(s, "secret"), EC_FORMAT_ERROR);
    sasl_free(s);

    // The user name as initial response.
    assert_ok(sasl_begin(f->auth, &tls_peer, "LOGIN", &s));
    assert_ec(step(s, "alice", 5, &asked), EC_BUSY);
    g_assert_cmpstr(asked, ==, "Password:");
    g_free(asked);
    assert_ec(STEP(s, "wrong"), EC_LOGON_FAILED);
    sasl_free(s);

    static const struct {
        const char *user, *password;
        size_t user_len, password_len;
    } bad[] = {
        {"", NULL, 0, 0},    {"a\0b", NULL, 3, 0},  {"\xff", NULL, 1, 0},
        {"alice", "", 5, 0}, {"alice", NULL, 5, 0}, {"alice", "a\0b", 5, 3},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_ok(sasl_begin(f->auth, &tls_peer, "LOGIN", &s));
        enum ec ec = step(s, bad[i].user, bad[i].user_len, NULL);
        if (ec == EC_BUSY)
            ec = step(s, bad[i].password, bad[i].password_len, NULL);
        assert_ec(ec, EC_FORMAT_ERROR);
        sasl_free(s);
    }
    // Left in the middle.
    assert_ok(sasl_begin(f->auth, &tls_peer, "LOGIN", &s));
    assert_ec(STEP(s, "alice"), EC_BUSY);
    sasl_free(s);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add(path, struct fixture, NULL, fixture_setup, test, fixture_teardown)
    ADD("/sasl/offer", test_offer);
    ADD("/sasl/plain", test_plain);
    ADD("/sasl/plain-malformed", test_plain_malformed);
    ADD("/sasl/login", test_login);
    return g_test_run();
}
