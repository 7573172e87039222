// DKIM: the examples of [RFC 8463] A and [RFC 6376] 3.4.5, our own signatures, and what must not
// pass.
#include "policy/dkim.h"

#include "base/clock.h"
#include "dns/dns_fixture.h"
#include "policy/dkim_sign.h"

static const char message[] = "From: Joe SixPack <joe@football.example.com>\r\n"
                              "To: Suzie Q <suzie@shopping.example.net>\r\n"
                              "Subject: Is dinner ready?\r\n"
                              "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                              "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"
                              "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

// [RFC 8463] A.3
static const char rfc_ed25519[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                                  " d=football.example.com; i=@football.example.com;\r\n"
                                  " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                                  " subject : date : message-id : from : subject : date;\r\n"
                                  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                  " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
                                  " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n";
static const char rfc_rsa[] = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                              " d=football.example.com; i=@football.example.com;\r\n"
                              " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                              " date : message-id : from : subject : date;\r\n"
                              " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                              " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
                              " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
                              " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n";

#define RFC_RSA_KEY                                                                                \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J1" \
    "6JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2" \
    "EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define RFC_ED25519_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static struct dns_fixture fixture;
static bool has_server;
static char *keys_dir;
static struct policy_keys *keys;

// --- Our own keys, published ---

static void append_key(GString *zone, const char *selector, const char *record) {
    g_string_append_printf(zone, "%s._domainkey TXT", selector);
    for (const char *p = record; *p; p += MIN(strlen(p), 200))
        g_string_append_printf(zone, " \"%.200s\"", p);
    g_string_append_c(zone, '\n');
}

static void start(void) {
    g_autoptr(GString) zone = g_string_new(NULL);
    ARENA_AUTO arena = arena_new();
    keys_dir = test_folder();
    assert_ok(policy_key_create(keys_dir, "own.test", "r1", POLICY_KEY_RSA));
    assert_ok(policy_key_create(keys_dir, "own.test", "e1", POLICY_KEY_ED25519));
    assert_ok(policy_keys_load(keys_dir, &keys));
    unsigned n;
    const struct policy_key *own = policy_keys_of(keys, "OWN.test", &n);
    g_assert_cmpuint(n, ==, 2);
    for (unsigned i = 0; i < n; i++)
        append_key(zone, own[i].selector, policy_key_record(arena, &own[i]));
    append_key(zone, "revoked", "v=DKIM1; p=");
    append_key(zone, "bad", "v=DKIM1; p=AAAA");
    append_key(zone, "web", "v=DKIM1; s=web; k=ed25519; p=" RFC_ED25519_KEY);
    append_key(zone, "testing", "v=DKIM1; t=y; k=ed25519; p=" RFC_ED25519_KEY);
    append_key(zone, "exact", arena_printf(arena, "%s; t=s", policy_key_record(arena, &own[0])));
    const struct dns_fixture_zone zones[] = {
        {.name = "football.example.com",
         .records = "brisbane._domainkey TXT \"v=DKIM1; k=ed25519; p=" RFC_ED25519_KEY "\"\n"
                    "test._domainkey TXT \"v=DKIM1; k=rsa; p=" RFC_RSA_KEY "\"\n"},
        {.name = "own.test", .records = zone->str},
    };
    has_server = dns_fixture_start(&fixture, zones, G_N_ELEMENTS(zones));
}

// Checks signature fields and message; the first result goes to *out. Their number.
static unsigned verify(struct arena *arena, const char *fields, const char *text,
                       struct dkim_result *out) {
    const struct resolver resolver = {.dns = fixture.dns};
    char *whole = arena_printf(arena, "%s%s", fields, text);
    struct mail_fields read;
    unsigned n;
    g_assert_true(mail_fields_read(arena, whole, strlen(whole), &read));
    struct dkim_result *results = dkim_verify(&resolver, arena, &read, &n);
    if (n > 0)
        *out = results[0];
    return n;
}

static void expect(const char *fields, const char *text, enum dkim_status status,
                   const char *reason) {
    ARENA_AUTO arena = arena_new();
    struct dkim_result r;
    g_assert_cmpuint(verify(arena, fields, text, &r), >, 0);
    if (r.status != status)
        g_error("%s (%s), expected %s: %s", dkim_status_text(r.status), r.reason,
                dkim_status_text(status), fields);
    if (reason)
        g_assert_cmpstr(r.reason, ==, reason);
}

static char *replaced(struct arena *arena, const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    g_assert_nonnull(at);
    return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static bool skipped(void) {
    if (!has_server)
        g_test_skip("knot is not installed");
    return !has_server;
}

// --- Canonical forms ---

static void expect_body(enum canon how, const char *body, const char *canonical) {
    uint8_t got[CANON_HASH_SIZE], want[CANON_HASH_SIZE];
    uint64_t len;
    canon_body_hash(how, body, strlen(body), UINT64_MAX, got, &len);
    g_assert_cmpuint(len, ==, strlen(canonical));
    EVP_Digest(canonical, strlen(canonical), want, NULL, EVP_sha256(), NULL);
    g_assert_cmpmem(got, sizeof got, want, sizeof want);
}

static void test_canonical_forms(void) {
    // [RFC 6376] 3.4.5
    expect_body(CANON_RELAXED, " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n");
    expect_body(CANON_SIMPLE, " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n");
    expect_body(CANON_SIMPLE, "", "\r\n");
    expect_body(CANON_SIMPLE, "\r\n\r\n", "\r\n");
    expect_body(CANON_RELAXED, "", "");
    expect_body(CANON_RELAXED, " \t\r\n\r\n", "");
    expect_body(CANON_RELAXED, "no end", "no end\r\n");
    expect_body(CANON_SIMPLE, "a\r\n\r\nb", "a\r\n\r\nb\r\n");
    static const struct {
        enum canon how;
        const char *field, *canonical;
    } fields[] = {
        {CANON_RELAXED, "A: X\r\n", "a:X\r\n"},
        {CANON_RELAXED, "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
        {CANON_SIMPLE, "B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n"},
        {CANON_RELAXED, "C:\r\n", "c:\r\n"},
        {CANON_SIMPLE, "C: no end", "C: no end\r\n"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        canon_field(fields[i].how, fields[i].field, strlen(fields[i].field), out);
        g_assert_cmpstr(out->str, ==, fields[i].canonical);
    }
}

// --- Examples ---

static void test_rfc_8463(void) {
    if (skipped())
        return;
    expect(rfc_ed25519, message, DKIM_PASS, NULL);
    expect(rfc_rsa, message, DKIM_PASS, NULL);
    ARENA_AUTO arena = arena_new();
    struct dkim_result r;
    char *both = arena_printf(arena, "%s%s", rfc_ed25519, rfc_rsa);
    g_assert_cmpuint(verify(arena, both, message, &r), ==, 2);
    g_assert_cmpint(r.status, ==, DKIM_PASS);
    g_assert_cmpstr(r.domain, ==, "football.example.com");
    g_assert_cmpstr(r.b, ==, "/gCrinpc");
}

static void test_changes_are_seen(void) {
    if (skipped())
        return;
    ARENA_AUTO arena = arena_new();
    expect(rfc_rsa, replaced(arena, message, "lost", "won!"), DKIM_FAIL, "the body was changed");
    expect(rfc_rsa, replaced(arena, message, "dinner", "supper"), DKIM_FAIL, "wrong signature");
    // A second From or Subject on top: both names are listed once more than they occur.
    expect(rfc_rsa, arena_printf(arena, "From: eve@evil.test\r\n%s", message), DKIM_FAIL,
           "wrong signature");
    expect(rfc_ed25519, arena_printf(arena, "Subject: x\r\n%s", message), DKIM_FAIL,
           "wrong signature");
    // White space does not count.
    expect(rfc_rsa, replaced(arena, message, "Is dinner", "Is \r\n\tdinner"), DKIM_PASS, NULL);
    expect(rfc_rsa, replaced(arena, message, "Hi.\r\n", "Hi.  \r\n"), DKIM_PASS, NULL);
}

static void test_bad_signatures(void) {
    if (skipped())
        return;
    static const struct {
        const char *from, *to;
        enum dkim_status status;
        const char *reason;
    } cases[] = {
        {"v=1;", "", DKIM_PERMERROR, "unknown version"},
        {"v=1;", "v=2;", DKIM_PERMERROR, "unknown version"},
        {"a=rsa-sha256", "a=rsa-sha1", DKIM_PERMERROR, "rsa-sha1 is not accepted"},
        {"a=rsa-sha256", "a=rsa-md5", DKIM_PERMERROR, "unknown algorithm"},
        {"c=relaxed/relaxed", "c=loose", DKIM_PERMERROR, "unknown canonicalization"},
        {"i=@football.example.com", "i=@example.com", DKIM_PERMERROR, "i= is not below d="},
        {"i=@football.example.com", "i=@xfootball.example.com", DKIM_PERMERROR,
         "i= is not below d="},
        {"q=dns/txt", "q=http", DKIM_PERMERROR, "unknown query method"},
        {"h=from :", "h=x-from :", DKIM_FAIL, "wrong signature"}, // From stands there twice
        {"s=test", "s=none", DKIM_PERMERROR, "no key"},
        {"s=test", "s=brisbane", DKIM_PERMERROR, "the key is of another kind"},
        {"s=test", "s=a b", DKIM_PERMERROR, "bad domain or selector"},
        {"d=football.example.com; i=@football.example.com", "d=own.test; s2=x", DKIM_PERMERROR,
         NULL},
        {"t=1528637909", "t=1528637909; x=1528637910", DKIM_FAIL, "signature expired"},
        {"t=1528637909", "t=1528637909; x=1528637908", DKIM_PERMERROR,
         "expires before it was made"},
        {"t=1528637909", "t=99999999999", DKIM_FAIL, "signature is from the future"},
        {"t=1528637909", "t=-1", DKIM_PERMERROR, "bad time"},
        {"t=1528637909", "t=1; t=2", DKIM_PERMERROR, "not a list of tags"},
        {"t=1528637909", "l=4000", DKIM_PERMERROR, "the body is shorter than l="},
        {"t=1528637909", "l=x", DKIM_PERMERROR, "bad body length"},
        {"bh=2jUS", "bh=3jUS", DKIM_FAIL, "the body was changed"},
        {"bh=2jUS", "bh=!jUS", DKIM_PERMERROR, "bad base64"},
        {"b=F45d", "b=G45d", DKIM_FAIL, "wrong signature"},
    };
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        expect(replaced(arena, rfc_rsa, cases[i].from, cases[i].to), message, cases[i].status,
               cases[i].reason);
    expect("DKIM-Signature: v=1\r\n", message, DKIM_PERMERROR, "a required tag is missing");
    expect("DKIM-Signature: hello\r\n", message, DKIM_PERMERROR, "not a list of tags");
    struct dkim_result r;
    g_assert_cmpuint(verify(arena, "", message, &r), ==, 0);
    GString *many = g_string_new(NULL);
    for (unsigned i = 0; i < 2 * 10; i++)
        g_string_append(many, "DKIM-Signature: v=1\r\n");
    g_assert_cmpuint(verify(arena, many->str, message, &r), ==, 10);
    g_string_free(many, TRUE);
}

static void test_published_keys(void) {
    static const struct {
        const char *selector;
        enum dkim_status status;
        const char *reason;
    } cases[] = {
        {"revoked", DKIM_PERMERROR, "key revoked"},
        {"bad", DKIM_PERMERROR, "bad key"},
        {"web", DKIM_PERMERROR, "the key is not for this use"},
        {"testing", DKIM_NEUTRAL, "wrong signature, domain is testing"},
        {"exact", DKIM_PERMERROR, "the key is not for subdomains"},
    };
    if (skipped())
        return;
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *field =
            replaced(arena, rfc_ed25519, "d=football.example.com; i=@football.example.com",
                     "d=own.test; i=@sub.own.test");
        field = replaced(arena, field, "brisbane", cases[i].selector);
        expect(field, message, cases[i].status, cases[i].reason);
    }
}

// --- Our own signatures ---

static char *sign(struct arena *arena, const struct policy_key *key, const char *text) {
    struct mail_fields fields;
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(mail_fields_read(arena, text, strlen(text), &fields));
    assert_ok(dkim_sign(arena, &fields, key, out));
    return arena_strdup(arena, out->str);
}

static void test_round_trip(void) {
    if (skipped())
        return;
    static const char *const texts[] = {
        message,
        "From: a@own.test\r\n\r\n",
        "From: a@own.test\r\nSubject: =?utf-8?q?x?=\r\n folded\r\nCc: b@c.test\r\n\r\nno end",
        "from : a@own.test\r\nReceived: x\r\nReceived: y\r\nX-Unsigned: z\r\n\r\n\r\n\r\nbody\r\n",
    };
    unsigned n;
    const struct policy_key *own = policy_keys_of(keys, "own.test", &n);
    for (unsigned i = 0; i < G_N_ELEMENTS(texts) * n; i++) {
        ARENA_AUTO arena = arena_new();
        const char *text = texts[i / n];
        char *field = sign(arena, &own[i % n], text);
        for (const char *line = field; *line; line = strstr(line, "\r\n") + 2)
            g_assert_cmpuint(strcspn(line, "\r"), <=, 78);
        expect(field, text, DKIM_PASS, NULL);
        expect(field, replaced(arena, text, "a", "o"), DKIM_FAIL, NULL);
        expect(field, arena_printf(arena, "From: eve@evil.test\r\n%s", text), DKIM_FAIL, NULL);
        expect(field, arena_printf(arena, "X-New: is fine\r\n%s", text), DKIM_PASS, NULL);
    }
    struct mail_fields fields;
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(mail_fields_read(arena, "To: a@b.c\r\n\r\n", 13, &fields));
    assert_ec(dkim_sign(arena, &fields, &own[0], out), EC_FORMAT_ERROR);
}

static void test_keys(void) {
    assert_ec(policy_key_create(keys_dir, "own.test", "r1", POLICY_KEY_RSA), EC_COLLISION);
    static const char *const bad[] = {"", "..", "a/b", "UP.test", "a..b", ".a", "a.", "-a", "x y"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_ec(policy_key_create(keys_dir, bad[i], "s", POLICY_KEY_ED25519),
                  EC_INVALID_PARAMETER);
        assert_ec(policy_key_create(keys_dir, "d.test", bad[i], POLICY_KEY_ED25519),
                  EC_INVALID_PARAMETER);
    }
    assert_ok(policy_key_create(keys_dir, "other.test", "s", POLICY_KEY_ED25519));
    g_autofree char *path = g_build_filename(keys_dir, "other.test", "s.pem", NULL);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    assert_ok(policy_key_delete(keys_dir, "other.test", "s"));
    assert_ec(policy_key_delete(keys_dir, "other.test", "s"), EC_NOT_FOUND);
    assert_ec(policy_key_delete(keys_dir, "..", "s"), EC_NOT_FOUND);
    // A file that is no key is passed over.
    g_autofree char *folder = g_build_filename(keys_dir, "junk.test", NULL);
    g_autofree char *junk = g_build_filename(folder, "s.pem", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(junk, "no key", -1, NULL));
    struct policy_keys *again;
    unsigned n;
    assert_ok(policy_keys_load(keys_dir, &again));
    policy_keys_all(again, &n);
    g_assert_cmpuint(n, ==, 2);
    policy_keys_unref(again);
    assert_ok(policy_keys_load("/nonexistent/keys", &again));
    policy_keys_all(again, &n);
    g_assert_cmpuint(n, ==, 0);
    policy_keys_unref(again);
}

// simple/simple and l=, made here with our key.
static void test_body_length(void) {
    if (skipped())
        return;
    ARENA_AUTO arena = arena_new();
    unsigned n;
    const struct policy_key *own = policy_keys_of(keys, "own.test", &n);
    uint8_t hash[CANON_HASH_SIZE], signature[64];
    uint64_t len;
    size_t signature_len = sizeof signature;
    const char *body = "abc\r\n";
    canon_body_hash(CANON_SIMPLE, body, strlen(body), UINT64_MAX, hash, &len);
    g_autofree char *bh = g_base64_encode(hash, sizeof hash);
    char *field = arena_printf(arena,
                               "DKIM-Signature: v=1; a=ed25519-sha256; c=simple; d=own.test; s=e1; "
                               "l=5; h=From; bh=%s; b=",
                               bh);
    char *text = arena_printf(arena, "From: A <a@own.test>\r\n%s", field);
    EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL);
    g_assert_cmpstr(own[0].selector, ==, "e1");
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    g_assert_cmpint(EVP_DigestSignInit(md, NULL, NULL, NULL, own[0].key), ==, 1);
    g_assert_cmpint(EVP_DigestSign(md, signature, &signature_len, hash, sizeof hash), ==, 1);
    EVP_MD_CTX_free(md);
    g_autofree char *b = g_base64_encode(signature, signature_len);
    field = arena_printf(arena, "%s%s\r\n", field, b);
    expect(field, "From: A <a@own.test>\r\n\r\nabc\r\n", DKIM_PASS, NULL);
    expect(field, "From: A <a@own.test>\r\n\r\nabc\r\nadded\r\n", DKIM_POLICY,
           "the end of the body is not signed");
    expect(field, "From: A  <a@own.test>\r\n\r\nabc\r\n", DKIM_FAIL, "wrong signature");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    start();
    g_test_add_func("/dkim/canonical forms", test_canonical_forms);
    g_test_add_func("/dkim/rfc 8463", test_rfc_8463);
    g_test_add_func("/dkim/changes are seen", test_changes_are_seen);
    g_test_add_func("/dkim/bad signatures", test_bad_signatures);
    g_test_add_func("/dkim/published keys", test_published_keys);
    g_test_add_func("/dkim/round trip", test_round_trip);
    g_test_add_func("/dkim/body length", test_body_length);
    g_test_add_func("/dkim/keys", test_keys);
    int status = g_test_run();
    if (has_server)
        dns_fixture_stop(&fixture);
    policy_keys_unref(keys);
    test_folder_remove(keys_dir);
    return status;
}
