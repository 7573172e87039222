// Verdicts: DMARC with alignment and organisational domains, ARC, Authentication-Results, the
// table of levels, answers of rspamd, and an independent implementation (python3-dkim) both ways.
#include "policy/policy.h"

#include <gio/gio.h>

#include "dns/dns_fixture.h"
#include "policy/keys.h"
#include "policy/score.h"

static struct dns_fixture fixture;
static bool has_server;
static char *keys_dir;

// --- The world ---

static void append_key(GString *zone, const char *selector, const char *record) {
    g_string_append_printf(zone, "%s._domainkey TXT", selector);
    for (const char *p = record; *p; p += MIN(strlen(p), 200))
        g_string_append_printf(zone, " \"%.200s\"", p);
    g_string_append_c(zone, '\n');
}

static void start(void) {
    static const char *const selectors[] = {"r1", "e1"};
    g_autoptr(GString) zone = g_string_new(
        "_dmarc TXT \"v=DMARC1; p=reject; sp=quarantine\"\n"
        "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
        "sub TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
        "bounce TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
        "_dmarc.strict TXT \"v=DMARC1; p=reject; aspf=s; adkim=s\"\n"
        "strict TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
        "_dmarc.half TXT \"v=DMARC1; p=reject; pct=0\"\n"
        "_dmarc.soft TXT \"v=DMARC1; p=none\"\n"
        "_dmarc.two TXT \"v=DMARC1; p=reject\"\n_dmarc.two TXT \"v=DMARC1; p=none\"\n");
    ARENA_AUTO arena = arena_new();
    keys_dir = test_folder();
    for (unsigned i = 0; i < G_N_ELEMENTS(selectors); i++)
        assert_ok(policy_key_create(keys_dir, "own.test", selectors[i],
                                    i == 0 ? POLICY_KEY_RSA : POLICY_KEY_ED25519));
    struct policy_keys *keys;
    unsigned n;
    assert_ok(policy_keys_load(keys_dir, &keys));
    const struct policy_key *own = policy_keys_all(keys, &n);
    for (unsigned i = 0; i < n; i++)
        append_key(zone, own[i].selector, policy_key_record(arena, &own[i]));
    policy_keys_unref(keys);
    const struct dns_fixture_zone zones[] = {
        {.name = "own.test", .records = zone->str},
        {.name = "evil.test", .records = "@ TXT \"v=spf1 +all\"\n"},
    };
    has_server = dns_fixture_start(&fixture, zones, G_N_ELEMENTS(zones));
}

static bool skipped(void) {
    if (!has_server)
        g_test_skip("knot is not installed");
    return !has_server;
}

static struct policy *new_policy(bool enforces, const char *sealers) {
    struct policy_options options = {.dns = fixture.dns,
                                     .hostname = "mx.here.test",
                                     .keys_dir = keys_dir,
                                     .enforces_dmarc = enforces,
                                     .trusted_sealers = sealers};
    struct policy *p;
    assert_ok(policy_new(&options, &p));
    return p;
}

static void check(struct policy *p, struct arena *arena, const char *client, const char *sender,
                  const char *text, struct policy_verdict *out) {
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    struct policy_message message = {.client = client,
                                     .helo = "client.test",
                                     .sender = sender,
                                     .queue_id = "q1",
                                     .bytes = bytes};
    policy_check(p, arena, &message, out);
}

// --- DMARC ---

static void test_dmarc_verdicts(void) {
    static const struct {
        const char *client, *sender, *from;
        const char *dmarc; // in Authentication-Results
        int scl;
        enum policy_action action;
    } cases[] = {
        {"192.0.2.1", "a@own.test", "A <a@own.test>", "dmarc=pass", 0, POLICY_ACCEPT},
        {"192.0.2.1", "a@bounce.own.test", "a@own.test", "dmarc=pass", 0, POLICY_ACCEPT},
        {"192.0.2.1", "a@own.test", "a@sub.own.test", "dmarc=pass", 0, POLICY_ACCEPT},
        {"192.0.2.1", "a@strict.own.test", "a@strict.own.test", "dmarc=pass", 0, POLICY_ACCEPT},
        {"192.0.2.1", "a@own.test", "a@strict.own.test", "dmarc=fail", 8, POLICY_REJECT},
        {"192.0.2.9", "a@own.test", "a@own.test", "dmarc=fail", 8, POLICY_REJECT},
        {"192.0.2.9", "x@evil.test", "a@own.test", "dmarc=fail", 8, POLICY_REJECT},
        {"192.0.2.9", "x@evil.test", "a@sub.own.test", "dmarc=fail", 6, POLICY_ACCEPT},
        {"192.0.2.9", "x@evil.test", "a@half.own.test", "dmarc=fail", 6, POLICY_ACCEPT},
        {"192.0.2.9", "x@evil.test", "a@soft.own.test", "dmarc=fail", 4, POLICY_ACCEPT},
        {"192.0.2.9", "x@evil.test", "a@two.own.test", "dmarc=fail", 6, POLICY_ACCEPT},
        {"192.0.2.9", "x@evil.test", "a@evil.test", "dmarc=none", 1, POLICY_ACCEPT},
        {"192.0.2.9", "a@own.test", "a@evil.test", "dmarc=none", 5, POLICY_ACCEPT},
        {"192.0.2.1", "a@own.test", "a@own.test, b@evil.test", "dmarc=permerror", 5, POLICY_ACCEPT},
        {"192.0.2.1", "a@own.test", "a@own.test\r\nFrom: b@own.test", "dmarc=permerror", 5,
         POLICY_ACCEPT},
        {"192.0.2.1", "a@own.test", "nobody", "dmarc=permerror", 5, POLICY_ACCEPT},
    };
    if (skipped())
        return;
    struct policy *p = new_policy(true, NULL), *mild = new_policy(false, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct policy_verdict v;
        const char *text =
            arena_printf(arena, "From: %s\r\nSubject: x\r\n\r\nHi\r\n", cases[i].from);
        check(p, arena, cases[i].client, cases[i].sender, text, &v);
        if (!strstr(v.fields, cases[i].dmarc) || v.scl != cases[i].scl ||
            v.action != cases[i].action)
            g_error("case %u: SCL %d, action %d: %s", i, v.scl, (int)v.action, v.fields);
        if (v.action == POLICY_REJECT)
            g_assert_cmpstr(v.status, ==, "5.7.26");
        g_assert_cmpint(v.pcl > 3, ==, cases[i].scl >= 6);
        check(mild, arena, cases[i].client, cases[i].sender, text, &v);
        g_assert_cmpint(v.action, ==, POLICY_ACCEPT);
    }
    policy_free(p);
    policy_free(mild);
}

static void test_dmarc_records(void) {
    ARENA_AUTO arena = arena_new();
    struct dmarc_record r;
    g_assert_true(dmarc_record_parse(arena, "v=DMARC1; p=reject", &r));
    g_assert_cmpint(r.policy, ==, DMARC_POLICY_REJECT);
    g_assert_cmpint(r.subdomain_policy, ==, DMARC_POLICY_REJECT);
    g_assert_cmpuint(r.percent, ==, 100);
    g_assert_true(dmarc_record_parse(
        arena, "v = DMARC1 ; p = None ; sp=quarantine; adkim=s; aspf=s; pct=20;", &r));
    g_assert_cmpint(r.subdomain_policy, ==, DMARC_POLICY_QUARANTINE);
    g_assert_true(r.is_strict_dkim && r.is_strict_spf);
    g_assert_cmpuint(r.percent, ==, 20);
    g_assert_true(dmarc_record_parse(arena, "v=DMARC1; p=odd; rua=mailto:a@b.test", &r));
    g_assert_cmpint(r.policy, ==, DMARC_POLICY_NONE);
    static const char *const bad[] = {
        "",         "v=DMARC2; p=none", "p=none; v=DMARC1", "v=dmarc1; p=none", "v=DMARC1; p=odd",
        "v=DMARC1", "v=DMARC1 p=none"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(dmarc_record_parse(arena, bad[i], &r));
    g_assert_cmpstr(dmarc_organization(arena, "a.b.example.co.uk"), ==, "example.co.uk");
    g_assert_cmpstr(dmarc_organization(arena, "mail.example.com"), ==, "example.com");
    g_assert_cmpstr(dmarc_organization(arena, "com"), ==, "com");
}

// --- Authentication-Results ---

static void test_results_are_quoted(void) {
    static const char *const cases[][2] = {
        {"user@example.test", "user@example.test"},
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\r\nX-Injected: 1", "\"a??X-Injected: 1\""},
        {"x; dmarc=pass", "\"x; dmarc=pass\""},
        {"x (comment)", "\"x (comment)\""},
        {"\xc3\xa4@b", "\"??@b\""},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        results_put_value(out, cases[i][0]);
        g_assert_cmpstr(out->str, ==, cases[i][1]);
    }
}

static void test_results(void) {
    if (skipped())
        return;
    ARENA_AUTO arena = arena_new();
    struct policy *p = new_policy(false, NULL);
    struct policy_verdict v;
    check(p, arena, "192.0.2.1", "a@own.test", "From: a@own.test\r\n\r\n", &v);
    g_assert_cmpstr(v.fields, ==,
                    "Authentication-Results: mx.here.test;\r\n\tspf=pass\r\n\t "
                    "smtp.mailfrom=a@own.test;\r\n\tdkim=none;\r\n\tdmarc=pass\r\n\t "
                    "policy.published-domain-policy=reject\r\n\t header.from=own.test\r\n");
    check(p, arena, "192.0.2.1", "", "From: a@own.test\r\n\r\n", &v);
    g_assert_nonnull(strstr(v.fields, "smtp.helo=client.test"));
    // Too many fields: nothing is checked.
    g_autoptr(GString) many = g_string_new(NULL);
    for (unsigned i = 0; i < 3000; i++)
        g_string_append(many, "X: y\r\n");
    check(p, arena, "192.0.2.1", "a@own.test", many->str, &v);
    g_assert_cmpstr(v.fields, ==, "Authentication-Results: mx.here.test; none\r\n");
    g_assert_cmpint(v.scl, ==, POLICY_SCL_NONE);
    policy_free(p);
    struct policy_options without = {.hostname = "mx.here.test"};
    assert_ok(policy_new(&without, &p));
    check(p, arena, "192.0.2.1", "a@own.test", "From: a@own.test\r\n\r\n", &v);
    g_assert_cmpstr(v.fields, ==, "");
    g_assert_cmpint(v.scl, ==, POLICY_SCL_NONE);
    policy_free(p);
}

// --- Levels ---

static int level(enum rspamd_action action, double score, double required) {
    struct rspamd_answer answer = {.action = action, .score = score, .required = required};
    return score_message(NULL, &answer, false).scl;
}

static void test_levels(void) {
    g_assert_cmpint(level(RSPAMD_NO_ACTION, -5, 15), ==, 0);
    g_assert_cmpint(level(RSPAMD_NO_ACTION, 3, 15), ==, 2);
    g_assert_cmpint(level(RSPAMD_NO_ACTION, 14, 15), ==, 4);
    g_assert_cmpint(level(RSPAMD_GREYLIST, 8, 15), ==, 5);
    g_assert_cmpint(level(RSPAMD_ADD_HEADER, 3, 15), ==, 6);
    g_assert_cmpint(level(RSPAMD_ADD_HEADER, 14, 15), ==, 9);
    g_assert_cmpint(level(RSPAMD_REJECT, 0, 15), ==, 9);
    struct rspamd_answer phish = {.action = RSPAMD_ADD_HEADER, .is_phishing = true};
    g_assert_cmpint(score_message(NULL, &phish, false).pcl, ==, 6);
    g_assert_cmpint(score_message(NULL, &phish, true).scl, ==, 5);
    g_assert_cmpint(score_message(NULL, NULL, true).scl, ==, POLICY_SCL_NONE);
}

static void test_rspamd_answers(void) {
    struct rspamd_answer a;
    static const char good[] = "{\"action\":\"add header\",\"score\":7.5,\"required_score\":15,"
                               "\"symbols\":{\"PHISHING\":{\"score\":4},\"X\":{\"score\":1}}}";
    assert_ok(rspamd_parse(good, strlen(good), &a));
    g_assert_cmpint(a.action, ==, RSPAMD_ADD_HEADER);
    g_assert_cmpfloat(a.score, ==, 7.5);
    g_assert_cmpfloat(a.required, ==, 15);
    g_assert_true(a.is_phishing);
    static const char odd[] = "{\"action\":7,\"score\":\"x\",\"symbols\":[]}";
    assert_ok(rspamd_parse(odd, strlen(odd), &a));
    g_assert_cmpint(a.action, ==, RSPAMD_UNKNOWN);
    static const char *const bad[] = {"", "x", "[]", "{}", "{\"action\":", "\xff{}"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_ec(rspamd_parse(bad[i], strlen(bad[i]), &a), EC_FORMAT_ERROR);
    g_autofree char *deep = g_strnfill(100000, '[');
    assert_ec(rspamd_parse(deep, 100000, &a), EC_FORMAT_ERROR);
}

// rspamd is not there: accepted, or put off.
static void test_rspamd_down(void) {
    unsigned port = dns_fixture_free_port_();
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", port);
    for (unsigned closed = 0; closed < 2; closed++) {
        ARENA_AUTO arena = arena_new();
        struct policy_options options = {
            .rspamd_url = url, .rspamd_fail_closed = closed, .rspamd_timeout_ms = 2000};
        struct policy *p;
        struct policy_verdict v;
        assert_ok(policy_new(&options, &p));
        check(p, arena, "192.0.2.1", "a@own.test", "From: a@own.test\r\n\r\n", &v);
        g_assert_cmpint(v.action, ==, closed ? POLICY_DEFER : POLICY_ACCEPT);
        g_assert_cmpint(v.scl, ==, POLICY_SCL_NONE);
        policy_free(p);
    }
}

// --- Signing through the policy ---

static void test_sign(void) {
    if (skipped())
        return;
    static const char text[] = "From: a@own.test\r\nSubject: x\r\n\r\nHi\r\n";
    struct policy *p = new_policy(true, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    g_autofree char *fields = NULL, *none = NULL;
    assert_ok(policy_sign(p, "own.test", bytes, &fields));
    g_assert_true(g_str_has_prefix(fields, "DKIM-Signature: v=1; a=ed25519-sha256;"));
    g_assert_nonnull(strstr(fields, "\r\nDKIM-Signature: v=1; a=rsa-sha256;"));
    assert_ok(policy_sign(p, "evil.test", bytes, &none));
    g_assert_cmpstr(none, ==, "");
    ARENA_AUTO arena = arena_new();
    struct policy_verdict v;
    check(p, arena, "192.0.2.9", "x@evil.test", arena_printf(arena, "%s%s", fields, text), &v);
    g_assert_cmpint(v.action, ==, POLICY_ACCEPT); // SPF is not aligned, DKIM is
    g_assert_nonnull(strstr(v.fields, "dmarc=pass"));
    g_assert_nonnull(strstr(v.fields, "dkim=pass\r\n\t header.d=own.test"));
    // A key that is deleted signs no more after a reload.
    g_autofree char *away = NULL;
    assert_ok(policy_key_delete(keys_dir, "own.test", "e1"));
    assert_ok(policy_reload(p));
    assert_ok(policy_sign(p, "own.test", bytes, &away));
    g_assert_null(strstr(away, "ed25519"));
    policy_free(p);
}

// --- python3-dkim ---

// Runs `script` with the key's file and `input`; what it prints (g_free), NULL when the module is
// not there (exit status 77).
static char *python(const char *script, const char *argument, const char *input) {
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GBytes) in = g_bytes_new(input, strlen(input)), out = NULL;
    g_autofree char *key = g_build_filename(keys_dir, "own.test", "r1.pem", NULL);
    static const char prelude[] = "import sys, base64\n"
                                  "try:\n    import dkim\nexcept ImportError:\n    sys.exit(77)\n"
                                  "key = open(sys.argv[1], 'rb').read()\n"
                                  "record = sys.argv[2].encode()\n"
                                  "data = sys.stdin.buffer.read()\n";
    g_autofree char *whole = g_strconcat(prelude, script, NULL);
    process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL,
                               "/usr/bin/python3", "-c", whole, key, argument, NULL);
    g_assert_nonnull(process);
    g_assert_true(g_subprocess_communicate(process, in, NULL, &out, NULL, NULL));
    int status = g_subprocess_get_exit_status(process);
    if (status == 77)
        return NULL;
    g_assert_cmpint(status, ==, 0);
    return g_strndup(g_bytes_get_data(out, NULL), g_bytes_get_size(out));
}

static const char list_mail[] = "From: Ann <ann@own.test>\r\nTo: list@lists.test\r\n"
                                "Subject: Hello  there\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700\r\n"
                                "\r\nA line \r\n\r\nand  more\t.\r\n\r\n\r\n";

static void test_peer_checks_ours(void) {
    struct policy_options options = {.keys_dir = keys_dir};
    struct policy *p;
    struct policy_keys *keys;
    unsigned n;
    ARENA_AUTO arena = arena_new();
    assert_ok(policy_keys_load(keys_dir, &keys));
    const struct policy_key *own = policy_keys_of(keys, "own.test", &n);
    g_autofree char *fields = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_static(list_mail, strlen(list_mail));
    assert_ok(policy_new(&options, &p));
    assert_ok(policy_sign(p, "own.test", bytes, &fields));
    g_autofree char *text = g_strconcat(fields, list_mail, NULL);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *index = g_strdup_printf("%u", i);
        g_autofree char *script = g_strdup_printf(
            "print(dkim.DKIM(data).verify(idx=%u, dnsfunc=lambda name, timeout=5: record))", i);
        g_autofree char *said = python(script, policy_key_record(arena, &own[i]), text);
        if (!said)
            g_test_skip("python3-dkim is not installed");
        else
            g_assert_cmpstr(said, ==, "True\n");
    }
    policy_free(p);
    policy_keys_unref(keys);
}

static void test_peer_signs(void) {
    static const char *const canons[][2] = {
        {"simple", "simple"}, {"simple", "relaxed"}, {"relaxed", "simple"}, {"relaxed", "relaxed"}};
    if (skipped())
        return;
    struct policy *p = new_policy(false, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(canons); i++) {
        ARENA_AUTO arena = arena_new();
        struct policy_verdict v;
        g_autofree char *script =
            g_strdup_printf("sys.stdout.buffer.write(dkim.sign(data, b'r1', b'own.test', key, "
                            "canonicalize=(b'%s', b'%s')) + data)",
                            canons[i][0], canons[i][1]);
        g_autofree char *text = python(script, "", list_mail);
        if (!text) {
            g_test_skip("python3-dkim is not installed");
            break;
        }
        check(p, arena, "192.0.2.9", "x@evil.test", text, &v);
        if (!strstr(v.fields, "dkim=pass") || !strstr(v.fields, "dmarc=pass"))
            g_error("%s/%s: %s%s", canons[i][0], canons[i][1], v.fields, text);
    }
    policy_free(p);
}

// A list changes the subject, and seals what it saw before.
static void test_arc(void) {
    static const char script[] =
        "seen = b'Authentication-Results: lists.own.test; dmarc=pass header.from=own.test\\r\\n'\n"
        "data = data.replace(b'Subject: ', b'Subject: [list] ')\n"
        "for i in range(2):\n"
        "    fields = dkim.arc_sign(seen + data, b'r1', b'own.test', key, b'lists.own.test')\n"
        "    data = b''.join(fields) + data\n"
        "    seen = b'Authentication-Results: lists.own.test; arc=pass\\r\\n'\n"
        "sys.stdout.buffer.write(data)\n";
    if (skipped())
        return;
    ARENA_AUTO arena = arena_new();
    struct policy_verdict v;
    struct policy *distrusting = new_policy(true, "else.test"),
                  *trusting = new_policy(true, "else.test own.test");
    g_autofree char *text = python(script, "", list_mail);
    if (text) {
        check(distrusting, arena, "192.0.2.9", "x@evil.test", text, &v);
        g_assert_nonnull(strstr(v.fields, "arc=pass"));
        g_assert_cmpint(v.action, ==, POLICY_REJECT);
        check(trusting, arena, "192.0.2.9", "x@evil.test", text, &v);
        g_assert_nonnull(strstr(v.fields, "arc=pass"));
        g_assert_cmpint(v.action, ==, POLICY_ACCEPT);
        g_assert_cmpint(v.scl, ==, 0);
        // Changed again, without a seal.
        GString *changed = g_string_new(text);
        g_string_replace(changed, "[list]", "[lisp]", 1);
        check(trusting, arena, "192.0.2.9", "x@evil.test", changed->str, &v);
        g_assert_nonnull(strstr(v.fields, "arc=fail"));
        g_assert_cmpint(v.action, ==, POLICY_REJECT);
        g_string_assign(changed, text);
        g_string_replace(changed, "dmarc=pass", "dmarc=pass ", 0); // under the seals: white space
        g_string_replace(changed, "i=1; lists", "i=1; liars", 0);
        check(trusting, arena, "192.0.2.9", "x@evil.test", changed->str, &v);
        g_assert_nonnull(strstr(v.fields, "arc=fail"));
        g_string_assign(changed, text);
        g_string_replace(changed, "ARC-Seal: i=1", "X-Seal: i=1", 0);
        check(trusting, arena, "192.0.2.9", "x@evil.test", changed->str, &v);
        g_assert_nonnull(strstr(v.fields, "arc=fail"));
        g_string_free(changed, TRUE);
    } else {
        g_test_skip("python3-dkim is not installed");
    }
    policy_free(distrusting);
    policy_free(trusting);
}

static void test_arc_results(void) {
    static const struct {
        const char *results;
        bool vouches;
    } cases[] = {
        {" h; dmarc=pass header.from=x", true},
        {" h; spf=fail; DMARC=pass", true},
        {" h; dmarc=fail", false},
        {" h (; dmarc=pass)", false},
        {" h; x=\"; dmarc=pass\"", false},
        {" h; dmarc=passed", false},
        {" h; spf=pass dmarc=pass", false},
        {" h; x (\\); dmarc=pass", false},
        {"", false},
    };
    const char *sealers[] = {"a.test"};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct arc_result arc = {
            .status = ARC_PASS, .n = 1, .sealers = sealers, .first_results = cases[i].results};
        g_assert_cmpint(arc_vouches(&arc, "b.test a.test"), ==, cases[i].vouches);
        g_assert_false(arc_vouches(&arc, "b.test"));
        g_assert_false(arc_vouches(&arc, NULL));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    start();
    g_test_add_func("/policy/dmarc records", test_dmarc_records);
    g_test_add_func("/policy/dmarc verdicts", test_dmarc_verdicts);
    g_test_add_func("/policy/results are quoted", test_results_are_quoted);
    g_test_add_func("/policy/results", test_results);
    g_test_add_func("/policy/levels", test_levels);
    g_test_add_func("/policy/rspamd answers", test_rspamd_answers);
    g_test_add_func("/policy/rspamd down", test_rspamd_down);
    g_test_add_func("/policy/peer checks ours", test_peer_checks_ours);
    g_test_add_func("/policy/peer signs", test_peer_signs);
    g_test_add_func("/policy/arc", test_arc);
    g_test_add_func("/policy/arc results", test_arc_results);
    g_test_add_func("/policy/sign", test_sign);
    int status = g_test_run();
    if (has_server)
        dns_fixture_stop(&fixture);
    test_folder_remove(keys_dir);
    return status;
}
