// Typed queries: the trees they become, dates, broken ones, and what they find.
#include "mailbox/aqs.h"

#include <string.h>

#include "base/test.h"
#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"
#include "store/fulltext.h"

// 2026-03-18 10:00 UTC, a Wednesday.
static const struct aqs_options options = {.now = UINT64_C(134183016000000000)};

static void print(const struct search_node *n, GString *out) {
    static const char *const names[] = {[SEARCH_ALL] = "all",
                                        [SEARCH_AND] = "and",
                                        [SEARCH_OR] = "or",
                                        [SEARCH_NOT] = "not",
                                        [SEARCH_FLAGS] = "flags",
                                        [SEARCH_SIZE_LARGER] = "larger",
                                        [SEARCH_SIZE_SMALLER] = "smaller",
                                        [SEARCH_RECEIVED_BEFORE] = "before",
                                        [SEARCH_RECEIVED_SINCE] = "since",
                                        [SEARCH_SENT_BEFORE] = "sent-before",
                                        [SEARCH_SENT_SINCE] = "sent-since",
                                        [SEARCH_WORDS] = "words",
                                        [SEARCH_RESTRICTION] = "restriction"};
    switch (n->kind) {
    case SEARCH_WORDS:
        g_string_append_printf(out, "'%s'%s", n->text, n->is_prefix ? "*" : "");
        if (n->parts)
            g_string_append_printf(out, "@%x", n->parts);
        return;
    case SEARCH_FLAGS:
        g_string_append_printf(out, "%s%u", n->number2 ? "+" : "-", (unsigned)n->number);
        return;
    case SEARCH_RECEIVED_BEFORE:
    case SEARCH_RECEIVED_SINCE: {
        g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(filetime_to_unix(n->number));
        g_autofree char *text = g_date_time_format(t, "%Y-%m-%dT%H:%M");
        g_string_append_printf(out, "%s %s", names[n->kind], text);
        return;
    }
    case SEARCH_SIZE_LARGER:
    case SEARCH_SIZE_SMALLER:
    case SEARCH_SENT_BEFORE:
    case SEARCH_SENT_SINCE:
        g_string_append_printf(out, "%s %" G_GUINT64_FORMAT, names[n->kind], n->number);
        return;
    case SEARCH_AND:
    case SEARCH_OR:
    case SEARCH_NOT:
        g_string_append_printf(out, "(%s", names[n->kind]);
        for (const struct search_node *c = n->children; c; c = c->next) {
            g_string_append_c(out, ' ');
            print(c, out);
        }
        g_string_append_c(out, ')');
        return;
    default:
        g_string_append(out, names[n->kind]);
    }
}

static void test_trees(void) {
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"", "all"},
        {"   ", "all"},
        {"anna", "'anna'*"},
        {"anna berta", "(and 'anna'* 'berta'*)"},
        {"\"annual report\"", "'annual report'"},
        {"from:anna subject:\"annual report\"", "(and 'anna'*@2 'annual report'@1)"},
        {"FROM:anna", "'anna'*@2"},
        {"from: anna", "'anna'*@2"},
        {"a OR b", "(or 'a'* 'b'*)"},
        {"a b OR c", "(or (and 'a'* 'b'*) 'c'*)"},
        {"a (b OR c) d", "(and 'a'* (or 'b'* 'c'*) 'd'*)"},
        {"a or b", "(and 'a'* 'or'* 'b'*)"}, // small letters are words
        {"a AND b", "(and 'a'* 'b'*)"},
        {"NOT draft", "(not 'draft'*)"},
        {"a -b", "(and 'a'* (not 'b'*))"},
        {"a NOT NOT b", "(and 'a'* 'b'*)"},
        {"-(a OR b)", "(not (or 'a'* 'b'*))"},
        {"subject:(a b)", "(and 'a'*@1 'b'*@1)"},
        {"subject:(a OR from:b) c", "(and (or 'a'*@1 'b'*@2) 'c'*)"},
        {"subject:<>x", "(not 'x'*@1)"},
        {"hasattachment:yes", "+1024"},
        {"hasattachment:no", "-1024"},
        {"isread:false", "-1"},
        {"isunread:true", "-1"},
        {"is:unread is:flagged", "(and -1 +4)"},
        {"isread:perhaps", "'perhaps'*"},
        {"importance:high", "restriction"},
        {"importance:enormous", "'enormous'*"},
        {"kind:email", "restriction"},
        {"kind:meeting", "restriction"},
        {"kind:spaceship", "'spaceship'*"},
        {"category:x", "restriction"},
        {"to:anna", "(and 'anna'*@4 restriction)"},
        {"participants:anna", "'anna'*@6"},
        {"size:>1MB", "larger 1048576"},
        {"size>=1MB", "larger 1048575"},
        {"size:<10k", "smaller 10240"},
        {"size:<=10", "smaller 11"},
        {"size:1kb..2kb", "(and larger 1023 smaller 2049)"},
        {"size:tiny", "(and larger 0 smaller 10240)"},
        {"size:medium", "(and larger 102399 smaller 1048576)"},
        {"size:x", "'x'*"},
        {"size:>", "all"},
        {"received:2026-01-31", "(and since 2026-01-31T00:00 before 2026-02-01T00:00)"},
        {"received:>=2026-01-01", "since 2026-01-01T00:00"},
        {"received>2026-01-01", "since 2026-01-02T00:00"},
        {"received:<2026", "before 2026-01-01T00:00"},
        {"received:<=2026", "before 2027-01-01T00:00"},
        {"received:today", "(and since 2026-03-18T00:00 before 2026-03-19T00:00)"},
        {"received:yesterday x", "(and (and since 2026-03-17T00:00 before 2026-03-18T00:00) 'x'*)"},
        {"received:this week x", "(and (and since 2026-03-16T00:00 before 2026-03-23T00:00) 'x'*)"},
        {"received:\"last month\"", "(and since 2026-02-01T00:00 before 2026-03-01T00:00)"},
        {"received:lastyear", "(and since 2025-01-01T00:00 before 2026-01-01T00:00)"},
        {"received:2026-01..2026-02", "(and since 2026-01-01T00:00 before 2026-03-01T00:00)"},
        {"received:<>today", "(not (and since 2026-03-18T00:00 before 2026-03-19T00:00))"},
        {"received:never", "'never'*"},
        {"sent:1970-01-02", "(and sent-since 1 sent-before 2)"},
        // What cannot be read is words, or nothing.
        {"unknown:value", "'unknown:value'*"},
        {"http://example.test/x", "'http://example.test/x'*"},
        {"(", "all"},
        {")", "all"},
        {"a ) b OR c", "(or (and 'a'* 'b'*) 'c'*)"},
        {"(a b", "(and 'a'* 'b'*)"},
        {"\"open end", "'open end'"},
        {"OR", "all"},
        {"a OR", "'a'*"},
        {"AND AND", "all"},
        {"NOT", "all"},
        {"- -- & *", "all"},
        {"subject:", "all"},
        {"subject:(", "all"},
        {"()()", "all"},
        {"東京 from:\"山田\"", "(and '東京'* '山田'@2)"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) out = g_string_new(NULL);
        print(aqs_parse(arena, cases[i].text, &options), out);
        if (strcmp(out->str, cases[i].tree) != 0)
            g_error("%s\n gave     %s\n expected %s", cases[i].text, out->str, cases[i].tree);
    }
}

static void test_dates(void) {
    static const struct {
        const char *text, *from, *to;
    } cases[] = {
        {"2026", "2026-01-01", "2027-01-01"},       {"2026-02", "2026-02-01", "2026-03-01"},
        {"2026-02-28", "2026-02-28", "2026-03-01"}, {"2024/2/29", "2024-02-29", "2024-03-01"},
        {"12/31/2025", "2025-12-31", "2026-01-01"}, {"31/12/2025", "2025-12-31", "2026-01-01"},
        {"31.12.2025", "2025-12-31", "2026-01-01"}, {"1.2.26", "2026-02-01", "2026-02-02"},
        {"3/2026", "2026-03-01", "2026-04-01"},     {"Today", "2026-03-18", "2026-03-19"},
        {"tomorrow", "2026-03-19", "2026-03-20"},   {"heute", "2026-03-18", "2026-03-19"},
        {"Gestern", "2026-03-17", "2026-03-18"},    {"hier", "2026-03-17", "2026-03-18"},
        {"MAÑANA", "2026-03-19", "2026-03-20"},     {"last week", "2026-03-09", "2026-03-16"},
        {"next month", "2026-04-01", "2026-05-01"}, {"this year", "2026-01-01", "2027-01-01"},
        {"wednesday", "2026-03-18", "2026-03-19"},  {"thursday", "2026-03-12", "2026-03-13"},
        {"monday", "2026-03-16", "2026-03-17"},     {"may", "2026-05-01", "2026-06-01"},
    };
    static const char *const bad[] = {
        "",   "x",          "2026-13",    "2026-02-30", "0000", "99999", "1-2-2026x", "1.",
        "-1", "2026-1-1-1", "31/31/2026", "2026-00-01", "1600", "8001",  "1..2"};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct aqs_span span;
        if (!aqs_date(cases[i].text, &options, &span))
            g_error("%s is a date", cases[i].text);
        g_autoptr(GDateTime) from = g_date_time_new_from_unix_utc(filetime_to_unix(span.from));
        g_autoptr(GDateTime) to = g_date_time_new_from_unix_utc(filetime_to_unix(span.to));
        g_autofree char *from_text = g_date_time_format(from, "%Y-%m-%d");
        g_autofree char *to_text = g_date_time_format(to, "%Y-%m-%d");
        g_test_message("%s", cases[i].text);
        g_assert_cmpstr(from_text, ==, cases[i].from);
        g_assert_cmpstr(to_text, ==, cases[i].to);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct aqs_span span;
        if (aqs_date(bad[i], &options, &span))
            g_error("%s is no date", bad[i]);
    }
    // The user's day: at 23:30 UTC it is tomorrow in Berlin, still today in New York.
    struct aqs_options late = {.now = filetime_from_unix(1773876600), .zone_minutes = 60};
    struct aqs_span span;
    g_assert_true(aqs_date("today", &late, &span));
    g_assert_cmpint(filetime_to_unix(span.from), ==, 1773874800);
    late.zone_minutes = -240;
    g_assert_true(aqs_date("today", &late, &span));
    g_assert_cmpint(filetime_to_unix(span.from), ==, 1773806400);
}

static unsigned depth_of(const struct search_node *n) {
    unsigned deepest = 0;
    for (const struct search_node *c = n->children; c; c = c->next) {
        unsigned depth = depth_of(c);
        deepest = MAX(deepest, depth);
    }
    return deepest + 1;
}

static void test_limits(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 5000; i++)
        g_string_append(text, i % 2 ? "-(" : "subject:(");
    g_string_append(text, "a");
    g_assert_cmpuint(depth_of(aqs_parse(arena, text->str, &options)), <=, SEARCH_MAX_DEPTH);
    g_string_truncate(text, 0);
    for (unsigned i = 0; i < AQS_MAX_DEPTH + 5; i++)
        g_string_append(text, "(x OR -");
    g_string_append(text, "(deep) ");
    for (unsigned i = 0; i < AQS_MAX_DEPTH + 5; i++)
        g_string_append(text, ")");
    g_string_append(text, " after");
    struct search_node *n = aqs_parse(arena, text->str, &options);
    g_assert_cmpuint(depth_of(n), <=, SEARCH_MAX_DEPTH);
    g_assert_cmpint(n->kind, ==, SEARCH_AND); // what follows the deep ones still counts
    g_string_truncate(text, 0);
    for (unsigned i = 0; i < 10000; i++)
        g_string_append(text, "ab ");
    n = aqs_parse(arena, text->str, &options);
    unsigned n_terms = 0;
    for (const struct search_node *c = n->children; c; c = c->next)
        n_terms++;
    g_assert_cmpuint(n_terms, ==, AQS_MAX_TERMS);
}

// --- What they find ---

static void append(struct mailbox *m, const char *text, uint32_t flags, filetime_t received) {
    g_autoptr(GBytes) mime = g_bytes_new(text, strlen(text));
    struct mailbox_append message = {.mime = mime, .flags = flags, .received = received};
    assert_ok(mailbox_append(m, FID_INBOX, &message, NULL, NULL));
}

static const struct {
    const char *text;
    unsigned found; // bits of the messages
} found_cases[] = {
    {"report", 5},
    {"\"annual report\"", 1},
    {"repo", 5},
    {"\"repo\"", 0},
    {"from:anna", 3},
    {"from:Müller", 4},
    {"from:muller", 4},
    {"to:bob", 1},
    {"cc:bob", 2},
    {"to:(bob OR carol)", 5},
    {"participants:bob", 3},
    {"hasattachment:yes", 2},
    {"attachment:minutes", 2},
    {"isread:false", 6},
    {"is:read", 1},
    {"importance:high", 4},
    {"kind:email", 7},
    {"kind:task", 0},
    {"category:blue", 4},
    {"category:blu", 0},
    {"received:2026-01", 3},
    {"received:>=2026-01-10", 6},
    {"size:<1MB", 7},
    {"size:>1MB", 0},
    {"report -annual", 4},
    {"annual OR meeting", 3},
    {"body:lunch", 2},
    {"subject:lunch", 0},
    {"", 7},
};

static void test_found(void) {
    char *dir = test_folder();
    struct store *store;
    struct mailbox_service *service;
    struct mailbox *m;
    struct principal alice = {
        .refs = 1000000, .guid = guid_new(), .address = (char *)"alice@example.test"};
    struct store_options store_options = {.is_durable = false};
    assert_ok(store_open(dir, &store_options, &store));
    struct mbox_new spec = {alice.guid, alice.address, "Alice", "en"};
    assert_ok(store_create_mailbox(store, &spec));
    struct fulltext_options off = {.policy = FULLTEXT_OFF};
    store_set_fulltext(store, &off);
    assert_ok(mailbox_service_new(store, NULL, &service));
    assert_ok(mailbox_open_own(service, &alice, &m));
    append(m,
           "From: Anna <anna@example.test>\r\nTo: Bob <bob@example.test>\r\n"
           "Subject: Annual report\r\n\r\nThe numbers\r\n",
           MSG_READ, filetime_from_unix(1767600000)); // 2026-01-05
    append(m,
           "From: Anna <anna@example.test>\r\nCc: Bob <bob@example.test>\r\nSubject: Meeting\r\n"
           "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nAfter "
           "lunch\r\n--x\r\nContent-Type: application/octet-stream; name=\"minutes.bin\"\r\n"
           "Content-Disposition: attachment; filename=\"minutes.bin\"\r\n\r\nabc\r\n--x--\r\n",
           0, filetime_from_unix(1768500000)); // 2026-01-15
    append(m,
           "From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <joerg@example.test>\r\n"
           "To: carol@example.test\r\nSubject: Weekly report\r\nImportance: high\r\n"
           "Keywords: Blue, Green\r\n\r\nNothing new\r\n",
           0, filetime_from_unix(1771000000)); // 2026-02-13
    for (unsigned round = 0; round < 2; round++) {
        struct mailbox_view *view;
        assert_ok(mailbox_view_open(m, FID_INBOX, &view));
        for (unsigned i = 0; i < G_N_ELEMENTS(found_cases); i++) {
            ARENA_AUTO arena = arena_new();
            g_autoptr(GArray) rows = NULL;
            unsigned found = 0;
            assert_ok(mailbox_search(m, view, aqs_parse(arena, found_cases[i].text, &options), NULL,
                                     NULL, &rows));
            for (guint k = 0; k < rows->len; k++)
                found |= 1u << g_array_index(rows, uint32_t, k);
            if (found != found_cases[i].found)
                g_error("round %u, %s: found %x, expected %x", round, found_cases[i].text, found,
                        found_cases[i].found);
        }
        mailbox_view_free(view);
        assert_ok(fulltext_catch_up(mailbox_mbox(m), NULL, NULL));
    }
    mailbox_close(m);
    mailbox_service_free(service);
    store_close(store);
    test_folder_remove(dir);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailbox/aqs/trees", test_trees);
    g_test_add_func("/mailbox/aqs/dates", test_dates);
    g_test_add_func("/mailbox/aqs/limits", test_limits);
    g_test_add_func("/mailbox/aqs/found", test_found);
    return g_test_run();
}
