// Values of parameters, good and bad.
#include "protocol/smtp/params.h"

#include <string.h>

#include "base/test.h"
#include "protocol/smtp/limits.h"
#include "queue/queue.h"

static void test_xtext(void) {
    ARENA_AUTO arena = arena_new();
    g_assert_true(smtp_is_xtext("QQ314159", 100));
    g_assert_true(smtp_is_xtext("a+2Bb+3Dc", 100));
    g_assert_false(smtp_is_xtext("", 100));
    g_assert_false(smtp_is_xtext("a=b", 100));
    g_assert_false(smtp_is_xtext("a+2", 100));
    g_assert_false(smtp_is_xtext("a+", 100));
    g_assert_false(smtp_is_xtext("a+zz", 100));
    g_assert_false(smtp_is_xtext("\xc3\xbc", 100));
    g_assert_false(smtp_is_xtext("12345", 4));
    g_assert_cmpstr(smtp_xtext_decode(arena, "a+2Bb+3Dc"), ==, "a+b=c");
    g_assert_cmpstr(smtp_xtext_decode(arena, ""), ==, "");
    g_assert_null(smtp_xtext_decode(arena, "a+00b"));
    g_assert_null(smtp_xtext_decode(arena, "a+0"));
}

static void test_notify(void) {
    uint32_t bits;
    g_assert_true(smtp_parse_notify("NEVER", &bits));
    g_assert_cmpuint(bits, ==, QUEUE_NOTIFY_NEVER);
    g_assert_true(smtp_parse_notify("success,Delay,FAILURE", &bits));
    g_assert_cmpuint(bits, ==, QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY);
    static const char *const bad[] = {
        "",  "NEVER,DELAY",   "FAILURE,FAILURE", "FAILURE,",
        ",", "SUCCESS DELAY", "SOMETIMES",       "NEVER,NEVER,NEVER,NEVER,NEVER,NEVER"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(smtp_parse_notify(bad[i], &bits));
}

static void test_orcpt(void) {
    g_assert_true(smtp_is_orcpt("rfc822;bob@example.test", false));
    g_assert_true(smtp_is_orcpt("rfc822;a+2Bb@example.test", false));
    g_assert_true(smtp_is_orcpt("utf-8;\xc3\xbc@example.test", true));
    g_assert_false(smtp_is_orcpt("utf-8;\xc3\xbc@example.test", false));
    g_assert_false(smtp_is_orcpt("utf-8;\xc3@example.test", true));
    g_assert_false(smtp_is_orcpt("rfc822;", false));
    g_assert_false(smtp_is_orcpt(";a@b", false));
    g_assert_false(smtp_is_orcpt("bob@example.test", false));
    g_assert_false(smtp_is_orcpt("rfc 822;a@b", false));
    g_assert_false(smtp_is_orcpt("rfc822;a@b+", false));
    g_autofree char *name = g_strnfill(SMTP_ORCPT_MAX, 'a');
    g_autofree char *too_long = g_strconcat("rfc822;", name, NULL);
    g_assert_false(smtp_is_orcpt(too_long, false));
}

static void test_hold(void) {
    filetime_t now = filetime_from_unix(1000000000), at; // 2001-09-09T01:46:40Z
    g_assert_true(smtp_parse_hold_for("60", now, &at));
    g_assert_cmpuint(at - now, ==, 60 * FILETIME_SECOND);
    g_assert_false(smtp_parse_hold_for("604801", now, &at));
    g_assert_false(smtp_parse_hold_for("-1", now, &at));
    g_assert_false(smtp_parse_hold_for("", now, &at));
    g_assert_true(smtp_parse_hold_until("2001-09-09T01:47:40Z", now, &at));
    g_assert_cmpuint(at - now, ==, 60 * FILETIME_SECOND);
    g_assert_true(smtp_parse_hold_until("2001-09-09T03:47:40+02:00", now, &at));
    g_assert_cmpuint(at - now, ==, 60 * FILETIME_SECOND);
    g_assert_true(smtp_parse_hold_until("2000-01-01T00:00:00Z", now, &at));
    g_assert_cmpuint(at, ==, now);
    g_assert_false(smtp_parse_hold_until("2011-09-09T01:47:40Z", now, &at));
    g_assert_false(smtp_parse_hold_until("tomorrow", now, &at));
    g_assert_false(smtp_parse_hold_until("2001-09-09T01:47:40", now, &at));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/params/xtext", test_xtext);
    g_test_add_func("/params/notify", test_notify);
    g_test_add_func("/params/orcpt", test_orcpt);
    g_test_add_func("/params/hold", test_hold);
    return g_test_run();
}
