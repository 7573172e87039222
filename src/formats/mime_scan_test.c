// The scanner and the IMAP renditions: structures, boundaries, limits, what must be harmless.
#include <string.h>

#include "formats/mime_internal.h"

static char *structure(const char *message, size_t len, bool extended) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, message, len);
    GString *out = g_string_new(NULL);
    mime_imap_bodystructure(m, extended, out);
    return g_string_free(out, FALSE);
}

static char *envelope(const char *message) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, message, strlen(message));
    GString *out = g_string_new(NULL);
    mime_imap_envelope(m, m->root, out);
    return g_string_free(out, FALSE);
}

#define PLAIN(size, lines)                                                                         \
    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" " #size " " #lines ")"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define EMPTY_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static const struct {
    const char *name, *message, *body;
} structures[] = {
    {"empty", "", PLAIN(0, 0)},
    {"header only", "Subject: x\r\n", PLAIN(0, 0)},
    {"body only", "\r\nhello\r\n", PLAIN(7, 1)},
    {"bare LF", "Subject: x\n\nhello\n", PLAIN(6, 1)},
    {"no line end at the end", "A: b\r\n\r\nx\r\ny", PLAIN(4, 1)},
    {"type and encoding",
     "Content-Type: TEXT/html; charset=\"utf-8\"; x=\"a\\\"b\"\r\n"
     "Content-Transfer-Encoding: Quoted-Printable\r\nContent-ID: <a@b>\r\n"
     "Content-Description: d\r\n\r\nx\r\n",
     "(\"text\" \"html\" (\"charset\" \"utf-8\" \"x\" \"a\\\"b\") \"<a@b>\" \"d\" "
     "\"QUOTED-PRINTABLE\" 3 1)"},
    {"two parts",
     MIXED "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\n\r\ntwo\r\n\r\n"
           "--b--\r\nepilogue\r\n",
     "(" PLAIN(3, 0) "(\"image\" \"png\" NIL NIL NIL \"7BIT\" 5) \"mixed\")"},
    {"bare LF parts", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n\n--b--\n",
     "(" PLAIN(4, 1) " \"mixed\")"},
    {"boundary with trailing space", MIXED "--b \t\r\n\r\none\r\n--b-- \r\n",
     "(" PLAIN(3, 0) " \"mixed\")"},
    {"no close", MIXED "--b\r\n\r\none\r\n", "(" PLAIN(5, 1) " \"mixed\")"},
    {"close without line end", MIXED "--b\r\n\r\none\r\n--b--", "(" PLAIN(3, 0) " \"mixed\")"},
    {"boundary is a prefix of a line", MIXED "--b\r\n\r\none\r\n--bc\r\n--b-x\r\n--b--\r\n",
     "(" PLAIN(16, 2) " \"mixed\")"},
    {"boundary after the close is epilogue", MIXED "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n",
     "(" PLAIN(3, 0) " \"mixed\")"},
    {"boundary not at the line's start", MIXED "--b\r\n\r\n --b\r\n--b--\r\n",
     "(" PLAIN(4, 0) " \"mixed\")"},
    {"empty part", MIXED "--b\r\n\r\n--b--\r\n", "(" PLAIN(0, 0) " \"mixed\")"},
    {"part that ends in its header", MIXED "--b\r\nContent-Type: text/html\r\n--b--\r\n",
     "((\"text\" \"html\" NIL NIL NIL \"7BIT\" 0 0) \"mixed\")"},
    {"part without its empty line",
     MIXED "--b\r\nContent-Type: text/html\r\nhello you\r\nthere\r\n--b--\r\n",
     "((\"text\" \"html\" NIL NIL NIL \"7BIT\" 16 1) \"mixed\")"},
    {"no parts", MIXED "nothing\r\n", "(" PLAIN(0, 0) " \"mixed\")"},
    {"closed at once", MIXED "--b--\r\n", "(" PLAIN(0, 0) " \"mixed\")"},
    {"no boundary", "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n",
     "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 10 3)"},
    {"nested",
     MIXED "--b\r\nContent-Type: multipart/alternative; boundary=\"bb\"\r\n\r\n--bb\r\n"
           "\r\na\r\n--bb\r\n\r\nb\r\n--bb--\r\n--b\r\n\r\nc\r\n--b--\r\n",
     "((" PLAIN(1, 0) PLAIN(1, 0) " \"alternative\")" PLAIN(1, 0) " \"mixed\")"},
    {"nested, inner one not closed",
     MIXED "--b\r\nContent-Type: multipart/alternative; boundary=\"bb\"\r\n\r\n--bb\r\n"
           "\r\na\r\n--b\r\n\r\nc\r\n--b--\r\n",
     "((" PLAIN(1, 0) " \"alternative\")" PLAIN(1, 0) " \"mixed\")"},
    {"nested with the same boundary",
     MIXED "--b\r\n" MIXED "--b\r\n\r\na\r\n--b--\r\n--b\r\n\r\nc\r\n--b--\r\n",
     "((" PLAIN(1, 0) " \"mixed\")" PLAIN(1, 0) " \"mixed\")"},
    {"message", "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n",
     "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 21 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL "
     "NIL) " PLAIN(6, 1) " 3)"},
    {"empty message", MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n--b--\r\n",
     "((\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 0 " EMPTY_ENVELOPE
     " " PLAIN(0, 0) " 0) \"mixed\")"},
    {"encoded message",
     "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDo=\r\n",
     "(\"message\" \"rfc822\" NIL NIL NIL \"BASE64\" 14 " EMPTY_ENVELOPE " " PLAIN(0, 0) " 1)"},
    {"digest",
     "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: "
     "s\r\n\r\nx\r\n--b--\r\n",
     "((\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 15 "
     "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) " PLAIN(1, 0) " 2) \"digest\")"},
    {"mbox line in front", "From a@b Mon Jan  1 00:00:00 2024\r\nContent-Type: text/html\r\n\r\nx",
     "(\"text\" \"html\" NIL NIL NIL \"7BIT\" 1 0)"},
    {"broken type", "Content-Type: ;;;=\r\n\r\nx", "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 1 0)"},
    {"bare CR is no line end", "A: b\rContent-Type: text/html\r\n\r\nx", PLAIN(1, 0)},
    {"boundary in quotes with spaces and a colon",
     "Content-Type: multipart/mixed;\r\n\tboundary=\"a b:c\"\r\n\r\n--a b:c\r\n\r\nx\r\n--a b:c--",
     "(" PLAIN(1, 0) " \"mixed\")"},
};

static void test_structures(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(structures); i++) {
        g_test_message("%s", structures[i].name);
        const char *message = structures[i].message;
        // A copy of exactly the length, for the sanitizer.
        size_t len = strlen(message);
        char *copy = g_memdup2(message, len);
        g_autofree char *got = structure(copy, len, false);
        g_free(copy);
        g_assert_cmpstr(got, ==, structures[i].body);
    }
}

static void test_extended(void) {
    const char *message =
        "Content-Type: multipart/mixed; boundary=b; x=y\r\nContent-Language: de, en\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-MD5: abc=\r\n"
        "Content-Disposition: Attachment; filename=\"a b.txt\"\r\n"
        "Content-Location: http://x/\r\n\r\nx\r\n--b--\r\n";
    g_autofree char *got = structure(message, strlen(message), true);
    g_assert_cmpstr(got, ==,
                    "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 1 0 "
                    "\"abc=\" (\"attachment\" (\"filename\" \"a b.txt\")) NIL \"http://x/\") "
                    "\"mixed\" (\"boundary\" \"b\" \"x\" \"y\") NIL (\"de\" \"en\") NIL)");
}

static const struct {
    const char *header, *envelope;
} envelopes[] = {
    {"", EMPTY_ENVELOPE},
    {"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject:  a\r\n\tb \r\nFrom: Al <al@x>\r\n"
     "To: b@y (Bob), G: c@z;\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n",
     "(\"Mon, 1 Jan 2024 00:00:00 +0000\" \"a b\" ((\"Al\" NIL \"al\" \"x\")) "
     "((\"Al\" NIL \"al\" \"x\")) ((\"Al\" NIL \"al\" \"x\")) "
     "((\"Bob\" NIL \"b\" \"y\")(NIL NIL \"G\" NIL)(NIL NIL \"c\" \"z\")(NIL NIL NIL NIL)) "
     "NIL NIL \"<0@x>\" \"<1@x>\")"},
    {"From: a@x\r\nFrom: b@x\r\nSender: s@x\r\nReply-To:\r\nSubject: one\r\nSubject: two\r\n",
     "(NIL \"one\" ((NIL NIL \"a\" \"x\")(NIL NIL \"b\" \"x\")) ((NIL NIL \"s\" \"x\")) "
     "((NIL NIL \"a\" \"x\")(NIL NIL \"b\" \"x\")) NIL NIL NIL NIL NIL)"},
    {"Subject: \xc3\xa4\r\nFrom: =?utf-8?q?=C3=A4?= <@r1,@r2:a@x>\r\n",
     "(NIL {2}\r\n\xc3\xa4 ((\"=?utf-8?q?=C3=A4?=\" \"@r1,@r2\" \"a\" \"x\")) "
     "((\"=?utf-8?q?=C3=A4?=\" \"@r1,@r2\" \"a\" \"x\")) "
     "((\"=?utf-8?q?=C3=A4?=\" \"@r1,@r2\" \"a\" \"x\")) NIL NIL NIL NIL NIL)"},
    {"Subject: say \"\\\"\r\nTo: nobody\r\n",
     "(NIL \"say \\\"\\\\\\\"\" NIL NIL NIL ((NIL NIL \"nobody\" \"\")) NIL NIL NIL NIL)"},
};

static void test_envelopes(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(envelopes); i++) {
        g_autofree char *message = g_strconcat(envelopes[i].header, "\r\n", NULL);
        g_autofree char *got = envelope(message);
        g_assert_cmpstr(got, ==, envelopes[i].envelope);
    }
}

static void test_find(void) {
    const char *message = MIXED
        "--b\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nin1\r\n--c\r\n\r\nin2\r\n"
        "--c--\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nin3\r\n--b--";
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, message, strlen(message));
    static const struct {
        const char *section, *body;
    } parts[] = {{"1", "one"},
                 {"2.1", "in1"},
                 {"2.2", "in2"},
                 {"3.1", "in3"},
                 {"1.1", NULL},
                 {"4", NULL},
                 {"2.3", NULL},
                 {"3.2", NULL},
                 {"0", NULL},
                 {"1.", NULL},
                 {"x", NULL},
                 {"3.1.1", NULL},
                 {"99999999999999999999", NULL}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        const struct mime_part *part = mime_find(m, parts[i].section);
        g_assert_cmpint(part != NULL, ==, parts[i].body != NULL);
        if (part)
            g_assert_cmpmem(m->data + part->body.pos, part->body.len, parts[i].body,
                            strlen(parts[i].body));
    }
    g_assert_true(mime_find(m, "") == m->root);
    g_assert_true(mime_find(m, "2")->first_child->parent == mime_find(m, "2"));
    const char *single = "A: b\r\n\r\nx";
    m = mime_scan(arena, single, strlen(single));
    g_assert_true(mime_find(m, "1") == m->root);
    g_assert_null(mime_find(m, "1.1"));
    g_assert_null(mime_find(m, "2"));
}

static void test_spans(void) {
    const char *message = MIXED "pre\r\n--b\r\nA: b\r\n\r\none\r\ntwo\r\n--b--\r\nend";
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, message, strlen(message));
    g_assert_cmpuint(m->n_parts, ==, 2);
    g_assert_cmpuint(m->root->header.pos, ==, 0);
    g_assert_cmpuint(m->root->header.len, ==, strlen(MIXED));
    g_assert_cmpuint(m->root->header_lines, ==, 2);
    g_assert_cmpuint(m->root->body.pos + m->root->body.len, ==, strlen(message));
    g_assert_cmpuint(m->root->body_lines, ==, 7);
    const struct mime_part *part = m->root->first_child;
    g_assert_cmpmem(message + part->header.pos, part->header.len, "A: b\r\n\r\n", 8);
    g_assert_cmpmem(message + part->body.pos, part->body.len, "one\r\ntwo", 8);
    g_assert_cmpuint(part->header_lines, ==, 2);
    g_assert_cmpuint(part->body_lines, ==, 1);
}

// --- Limits ---

static void check_tree(const struct mime_message *m, const struct mime_part *part) {
    g_assert_cmpuint(part->depth, <, MIME_MAX_DEPTH);
    g_assert_cmpuint(part->body.pos + part->body.len, <=, m->len);
    for (const struct mime_part *c = part->first_child; c; c = c->next)
        check_tree(m, c);
}

static void scan_all(const char *data, size_t len, unsigned max_parts) {
    ARENA_AUTO arena = arena_new();
    gint64 start = g_get_monotonic_time();
    struct mime_message *m = mime_scan(arena, data, len);
    g_autoptr(GString) out = g_string_new(NULL);
    mime_imap_envelope(m, m->root, out);
    mime_imap_bodystructure(m, true, out);
    g_assert_cmpuint(m->n_parts, <=, max_parts);
    check_tree(m, m->root);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
}

static void test_deep_multipart(void) {
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 10000; i++)
        g_string_append_printf(s, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i,
                               i);
    scan_all(s->str, s->len, MIME_MAX_DEPTH);
}

static void test_deep_message(void) {
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 10000; i++)
        g_string_append(s, "Content-Type: message/rfc822\r\n\r\n");
    scan_all(s->str, s->len, MIME_MAX_DEPTH);
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, s->str, s->len);
    const struct mime_part *part = m->root;
    while (part->first_child)
        part = part->first_child;
    g_assert_true(part->is_truncated);
    g_assert_cmpstr(part->type, ==, "text");
    g_assert_cmpuint(part->body.pos + part->body.len, ==, s->len);
}

static void test_many_parts(void) {
    g_autoptr(GString) s = g_string_new(MIXED);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "--b\r\n\r\nx\r\n");
    scan_all(s->str, s->len, MIME_MAX_PARTS);
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, s->str, s->len);
    const struct mime_part *last = m->root->first_child;
    while (last->next)
        last = last->next;
    g_assert_true(last->is_truncated);
    g_assert_cmpuint(last->body.pos + last->body.len, ==, s->len);
}

static void test_many_headers(void) {
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 1000000; i++)
        g_string_append(s, "To: a@b\r\n");
    scan_all(s->str, s->len, 1);
}

static void test_long_lines(void) {
    size_t len = 64 * 1024 * 1024;
    g_autofree char *line = g_malloc(len);
    memset(line, 'x', len);
    scan_all(line, len, 1); // one header line without a colon
    memcpy(line, "To: ", 4);
    scan_all(line, len, 1);
    memcpy(line, "Subject: ", 9);
    scan_all(line, len, 1);
    memcpy(line, "Content-Type: ", 14);
    scan_all(line, len, 1);
    memset(line, '\n', len);
    scan_all(line, len, 1);
    memset(line, 0, len);
    scan_all(line, len, 1);
    memset(line, '(', len);
    memcpy(line, "From: ", 6);
    scan_all(line, len, 1);
    memset(line, ',', len);
    memcpy(line, "From: ", 6);
    scan_all(line, len, 1);
}

static void test_many_dashes(void) {
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 62; i++)
        g_string_append_printf(s,
                               "Content-Type: multipart/mixed; boundary=bbbbbbbbb%d\r\n\r\n"
                               "--bbbbbbbbb%d\r\n",
                               i, i);
    g_string_append(s, "\r\n");
    for (int i = 0; i < 1000000; i++)
        g_string_append(s, "--bbbbbbbbb\n");
    scan_all(s->str, s->len, MIME_MAX_DEPTH);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mime/structures", test_structures);
    g_test_add_func("/mime/extended", test_extended);
    g_test_add_func("/mime/envelopes", test_envelopes);
    g_test_add_func("/mime/find", test_find);
    g_test_add_func("/mime/spans", test_spans);
    g_test_add_func("/mime/deep-multipart", test_deep_multipart);
    g_test_add_func("/mime/deep-message", test_deep_message);
    g_test_add_func("/mime/many-parts", test_many_parts);
    g_test_add_func("/mime/many-headers", test_many_headers);
    g_test_add_func("/mime/long-lines", test_long_lines);
    g_test_add_func("/mime/many-dashes", test_many_dashes);
    return g_test_run();
}
