// Headers cut in every place: what is removed, what stays, what is counted.
#include "protocol/smtp/filter.h"

#include <string.h>

#include "base/test.h"
#include "protocol/smtp/limits.h"

static const struct smtp_filter_rules all = {
    .hostname = "mx.example.test", .is_submitted = true, .removes_verdicts = true};

struct example {
    const char *in, *out;
};

static void assert_filters(const struct smtp_filter_rules *rules, const struct example *e,
                           size_t piece) {
    struct smtp_filter f = smtp_filter(rules);
    g_autoptr(GByteArray) out = g_byte_array_new();
    size_t len = strlen(e->in);
    for (size_t pos = 0; pos < len; pos += piece)
        smtp_filter_feed(&f, (const uint8_t *)e->in + pos, MIN(piece, len - pos), out);
    smtp_filter_finish(&f, out);
    g_assert_cmpmem(out->data, out->len, e->out, strlen(e->out));
    smtp_filter_clear(&f);
}

static void test_fields(void) {
    static const struct example examples[] = {
        {"Subject: x\r\n\r\nBcc: y\r\n", "Subject: x\r\n\r\nBcc: y\r\n"},
        {"Subject: x\r\nBCC: a@b,\r\n c@d\r\n\te@f\r\nTo: z\r\n\r\n",
         "Subject: x\r\nTo: z\r\n\r\n"},
        {"Bcc :a\r\nResent-Bcc: b\r\nBcc-List: c\r\nX: 1\r\n", "Bcc-List: c\r\nX: 1\r\n"},
        {"x-ms-exchange-organization-SCL: -1\r\nX-MS-Exchange-CrossTenant-Id: 1\r\n"
         "X-MS-Exchange-Transport-Loops: 1\r\n\r\n",
         "X-MS-Exchange-Transport-Loops: 1\r\n\r\n"},
        {"Authentication-Results: mx.example.test; spf=pass\r\n smtp.mailfrom=x\r\nX: 1\r\n\r\nb",
         "X: 1\r\n\r\nb"},
        {"Authentication-Results: other.test; spf=pass\r\n\r\n",
         "Authentication-Results: other.test; spf=pass\r\n\r\n"},
        {"Authentication-Results:\r\n (a (\\) b))\r\n \"MX.example.test\" 1; spf=pass\r\n\r\n",
         "\r\n"},
        {"Authentication-Results: mx.example.test\r\n\r\n", "\r\n"},
        {"Authentication-Results: mx.example.test.evil; a\r\n\r\n",
         "Authentication-Results: mx.example.test.evil; a\r\n\r\n"},
        {"Authentication-Results: mx", "Authentication-Results: mx"},
        {"Bcc: only", ""},
        {"no header\r\nBcc: x\r\n", "no header\r\nBcc: x\r\n"},
        {"A: b\r\nno field\r\nBcc: x\r\n", "A: b\r\nno field\r\nBcc: x\r\n"},
        {"\r\nBcc: x\r\n", "\r\nBcc: x\r\n"},
        {"", ""},
        {"A: b\r\n", "A: b\r\n"},
    };
    static const size_t pieces[] = {1, 2, 3, 7, 1000};
    for (unsigned i = 0; i < G_N_ELEMENTS(examples); i++)
        for (unsigned k = 0; k < G_N_ELEMENTS(pieces); k++)
            assert_filters(&all, &examples[i], pieces[k]);
}

static void test_rules(void) {
    static const struct smtp_filter_rules none = {.hostname = "mx.example.test"};
    static const struct example kept = {"Bcc: x\r\nX-MS-Exchange-Organization-SCL: 1\r\n\r\n",
                                        "Bcc: x\r\nX-MS-Exchange-Organization-SCL: 1\r\n\r\n"};
    assert_filters(&none, &kept, 5);
    struct smtp_filter f = smtp_filter(&none);
    g_autoptr(GByteArray) out = g_byte_array_new();
    static const char text[] = "Received: from a by b.test; x\r\n"
                               "received: from c\r\n\tby MX.example.test with SMTP; x\r\n\r\n"
                               "Received: body\r\n";
    smtp_filter_feed(&f, (const uint8_t *)text, sizeof text - 1, out);
    g_assert_true(smtp_filter_is_over(&f));
    g_assert_cmpuint(f.n_received, ==, 2);
    g_assert_cmpuint(f.n_own, ==, 1);
    smtp_filter_clear(&f);
}

// Fields that are longer than what is held are treated by their beginning.
static void test_long(void) {
    g_autofree char *filler = g_strnfill(3 * SMTP_FIELD_MAX, 'x');
    for (unsigned i = 70; i + 3 < 3 * SMTP_FIELD_MAX; i += 75)
        memcpy(filler + i, "\r\n ", 3);
    g_autofree char *in =
        g_strconcat("A: ", filler, "\r\nBcc: ", filler, "\r\nC: d\r\n\r\nx", NULL);
    g_autofree char *out = g_strconcat("A: ", filler, "\r\nC: d\r\n\r\nx", NULL);
    struct example e = {in, out};
    assert_filters(&all, &e, 1000);
    assert_filters(&all, &e, 60000);
    assert_filters(&all, &e, SMTP_FIELD_MAX + 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/fields", test_fields);
    g_test_add_func("/filter/rules", test_rules);
    g_test_add_func("/filter/long", test_long);
    return g_test_run();
}
