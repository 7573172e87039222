// Searching by the stored envelope finds what searching the header itself finds.
#include <string.h>

#include "base/test.h"
#include "mailbox/search_envelope.h"

static const char *const headers[] = {
    "Subject: Hello there\r\nFrom: Alice Adams <alice@example.test>\r\nTo: bob@example.test\r\n"
    "Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <a.b@example.test>\r\n",
    "subject:Hello\r\n  \tthere,   folded\r\nFrom: \"Adams, Alice\"\r\n <alice@example.test>\r\n"
    "To: \"Bob \\\"Big\\\" Burns\" <bob@example.test>, carol@example.test\r\n",
    "Subject: =?utf-8?Q?=C3=84pfel_und?= =?utf-8?Q?_Birnen?=\r\n"
    "From: =?iso-8859-1?Q?J=F6rg_M=FCller?= <joerg@example.test>\r\n"
    "Cc: team: =?utf-8?B?w4TDpA==?= <a@x.test>, b@x.test;\r\n",
    "Subject: \xc3\x96l\r\nFrom: J\xf6rg <j@x.test>\r\nBcc: undisclosed-recipients:;\r\n",
    "Subject:\r\nFrom: alice@example.test (Alice Adams)\r\nTo: <@r.test:bob@example.test>\r\n"
    "In-Reply-To: <x@y> \"quoted \\\\ text\"\r\n",
    "From: alice\r\nTo: \"a b\"@example.test\r\nTo: second@example.test\r\n",
    "To:\r\nX-Other: Subject: Hello\r\n",
    "",
};

static const char *const names[] = {"Subject", "From", "TO",          "Cc",        "Bcc",
                                    "Date",    "DATE", "in-reply-to", "Message-ID"};

static const char *const needles[] = {
    "",
    "hello",
    "hello there",
    "HELLO  THERE",
    "there, folded",
    "adams",
    "alice",
    "alice adams",
    "adams, alice",
    "alice@example.test",
    "bob@",
    "@example",
    "example.test",
    "<alice",
    "\"",
    "\xc3\xa4pfel",
    "\xc3\x84PFEL UND BIRNEN",
    "j\xc3\xb6rg m\xc3\xbcller",
    "j\xc3\xb6rg",
    "\xc3\xb6l",
    "team",
    "b@x.test",
    "a@x.test",
    "\xc3\xa4\xc3\xa4",
    "undisclosed",
    "r.test",
    "x@y",
    "quoted",
    "\\",
    "second",
    "big",
    "burns",
    "carol@",
    "Feb 1994",
    "a.b@",
    "<a.b@example.test>",
    "nothing",
};

static void test_envelope_as_header(void) {
    for (unsigned h = 0; h < G_N_ELEMENTS(headers); h++) {
        ARENA_AUTO arena = arena_new();
        g_autofree char *text = g_strconcat(headers[h], "\r\nbody\r\n", NULL);
        struct mime_message *m = mime_scan(arena, text, strlen(text));
        g_autoptr(GString) envelope = g_string_new(NULL);
        mime_imap_envelope(m, m->root, envelope);
        for (unsigned f = 0; f < G_N_ELEMENTS(names); f++)
            for (unsigned i = 0; i < G_N_ELEMENTS(needles); i++) {
                struct search_needle *n = search_needle_new_squeezed(arena, needles[i]);
                enum envelope_field field = envelope_field_for(names[f], n);
                if (field == ENVELOPE_NONE)
                    continue;
                bool by_envelope, by_header = search_needle_in_fields(n, arena, m, names[f]);
                g_assert_true(
                    envelope_contains(arena, envelope->str, envelope->len, field, n, &by_envelope));
                if (by_envelope != by_header)
                    g_error("\"%s\" in %s of\n%s\nenvelope %d, header %d\n%s", needles[i], names[f],
                            headers[h], by_envelope, by_header, envelope->str);
            }
        const char *date;
        const char *raw = mime_header_raw(arena, m, m->root, "Date");
        g_assert_true(envelope_date(arena, envelope->str, envelope->len, &date));
        g_assert_cmpstr(date, ==, raw);
    }
}

static void test_which_field(void) {
    static const struct {
        const char *name, *text;
        enum envelope_field field;
    } cases[] = {
        {"from", "x", ENVELOPE_FROM},      {"From", "", ENVELOPE_NONE},
        {"From", "a <b", ENVELOPE_NONE},   {"Subject", "a <b", ENVELOPE_SUBJECT},
        {"Subject", "", ENVELOPE_SUBJECT}, {"Sender", "x", ENVELOPE_NONE},
        {"Reply-To", "x", ENVELOPE_NONE},  {"Message-Id", "<x@y>", ENVELOPE_MESSAGE_ID},
        {"List-Id", "x", ENVELOPE_NONE},   {"Subjec", "x", ENVELOPE_NONE},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct search_needle *n = search_needle_new_squeezed(arena, cases[i].text);
        g_assert_cmpint(envelope_field_for(cases[i].name, n), ==, cases[i].field);
    }
}

// Whatever stands in the database, nothing is read past its end.
static void test_damaged_envelopes(void) {
    static const char *const whole =
        "(\"d\" {3}\r\nabc ((\"n\\\"\" NIL \"m\" \"d\")) NIL NIL NIL NIL NIL NIL NIL)";
    ARENA_AUTO arena = arena_new();
    struct search_needle *n = search_needle_new_squeezed(arena, "x");
    bool found;
    for (size_t len = 0; len <= strlen(whole); len++) {
        g_autofree char *cut = g_memdup2(whole, len ? len : 1); // exact, for the sanitizer
        for (enum envelope_field f = ENVELOPE_DATE; f < ENVELOPE_NONE; f++)
            envelope_contains(arena, cut, len, f, n, &found);
    }
    static const char *const bad[] = {"",
                                      "(",
                                      "NIL",
                                      "(\"",
                                      "(\"\\",
                                      "({99}\r\nx",
                                      "({999999999999}\r\n",
                                      "(NIL  NIL",
                                      "(NIL NIL (x",
                                      "(NIL NIL ((NIL NIL NIL"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(envelope_contains(arena, bad[i], strlen(bad[i]), ENVELOPE_TO, n, &found));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailbox/search/envelope-as-header", test_envelope_as_header);
    g_test_add_func("/mailbox/search/which-field", test_which_field);
    g_test_add_func("/mailbox/search/damaged-envelopes", test_damaged_envelopes);
    return g_test_run();
}
