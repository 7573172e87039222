// Searching with the index finds what searching without it finds: random texts of many languages,
// encodings and structures, random needles out of them. Words, restrictions, many folders.
#include <string.h>

#include "base/test.h"
#include "mailbox/mailbox_internal.h"
#include "mailbox/search_text.h"
#include "mapi/props.h"
#include "store/background.h"
#include "store/fulltext.h"

struct test {
    char *dir;
    struct store *store;
    struct mailbox_service *service;
    struct principal alice;
    struct mailbox *m;
};

static void setup(struct test *t, gconstpointer data) {
    (void)data;
    t->dir = test_folder();
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(t->dir, &options, &t->store));
    t->alice = (struct principal){
        .refs = 1000000, .guid = guid_new(), .address = (char *)"alice@example.test"};
    struct mbox_new spec = {t->alice.guid, t->alice.address, "Alice", "en"};
    assert_ok(store_create_mailbox(t->store, &spec));
    struct fulltext_options off = {.policy = FULLTEXT_OFF};
    store_set_fulltext(t->store, &off);
    assert_ok(mailbox_service_new(t->store, NULL, &t->service));
    assert_ok(mailbox_open_own(t->service, &t->alice, &t->m));
}

static void teardown(struct test *t, gconstpointer data) {
    (void)data;
    mailbox_close(t->m);
    mailbox_service_free(t->service);
    store_close(t->store);
    test_folder_remove(t->dir);
}

static void append(struct test *t, uint64_t fid, const char *bytes, size_t len,
                   filetime_t received) {
    g_autoptr(GBytes) mime = g_bytes_new(bytes, len);
    struct mailbox_append message = {.mime = mime, .received = received};
    assert_ok(mailbox_append(t->m, fid, &message, NULL, NULL));
}

static void append_text(struct test *t, uint64_t fid, const char *text) {
    append(t, fid, text, strlen(text), 0);
}

static GArray *search(struct test *t, const struct search_node *query) {
    struct mailbox_view *view;
    GArray *found;
    assert_ok(mailbox_view_open(t->m, FID_INBOX, &view));
    assert_ok(mailbox_search(t->m, view, query, NULL, NULL, &found));
    mailbox_view_free(view);
    return found;
}

static void build_index(struct test *t) {
    assert_ok(fulltext_catch_up(mailbox_mbox(t->m), NULL, NULL));
}

// --- Random messages ---

static const char *const words[] = {"hello",
                                    "Straße",
                                    "STRASSE",
                                    "Größe",
                                    "naïve",
                                    "café",
                                    "ﬁnal",
                                    "Ωμέγα",
                                    "ΣΊΣΥΦΟΣ",
                                    "привет",
                                    "Ёлка",
                                    "日本語",
                                    "検索",
                                    "東京都",
                                    "中文搜索",
                                    "ภาษาไทย",
                                    "한국어",
                                    "שלום",
                                    "مرحبا",
                                    "हिन्दी",
                                    "İstanbul",
                                    "ﬀluﬃx",
                                    "e\xcc\x81t\xc3\xa9",
                                    "ｆｕｌｌ",
                                    "Ⅷ²",
                                    "a-b_c.d",
                                    "x@y.z",
                                    "<b>bold</b>",
                                    "&auml;",
                                    "\"q\"",
                                    "100%",
                                    "C++",
                                    "𝔘𝔫𝔦",
                                    "👍🏽",
                                    "soft\xc2\xadhyphen",
                                    "ß",
                                    "ǆ",
                                    "Å",
                                    "ſ",
                                    "ŉ"};

static void random_text(GRand *r, GString *out, unsigned n) {
    static const char *const separators[] = {" ", "  ", "\r\n", ", ", "", "-", "\t", ". "};
    for (unsigned i = 0; i < n; i++) {
        g_string_append(out, words[g_rand_int_range(r, 0, G_N_ELEMENTS(words))]);
        g_string_append(out, separators[g_rand_int_range(r, 0, G_N_ELEMENTS(separators))]);
    }
}

static void put_header_text(GRand *r, GString *out, const char *name, const char *text) {
    if (g_rand_boolean(r)) {
        mime_put_header(out, name, text);
        return;
    }
    g_autofree char *flat = g_strdelimit(g_strdup(text), "\r\n", ' ');
    g_string_append_printf(out, "%s: %s\r\n", name, flat); // raw UTF-8
}

// A text part in a random charset and transfer encoding.
static void put_part(GRand *r, GString *out, const char *text) {
    static const char *const charsets[] = {"utf-8",   "iso-8859-1", "windows-1251", "iso-2022-jp",
                                           "gb18030", "utf-16le",   "koi8-r",       "euc-jp"};
    const char *charset = charsets[g_rand_int_range(r, 0, G_N_ELEMENTS(charsets))];
    gsize len;
    g_autofree char *bytes =
        g_convert_with_fallback(text, -1, charset, "UTF-8", "?", NULL, &len, NULL);
    if (!bytes) {
        bytes = g_strdup(text);
        len = strlen(text);
        charset = "utf-8";
    }
    const char *subtype = g_rand_boolean(r) ? "plain" : "html";
    unsigned how = (unsigned)g_rand_int_range(r, 0, 3);
    if (strcmp(charset, "utf-16le") == 0)
        how = 0;
    g_string_append_printf(out, "Content-Type: text/%s; charset=%s\r\n", subtype, charset);
    if (how == 0) {
        g_string_append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
        mime_put_base64(out, bytes, len);
    } else if (how == 1) {
        g_string_append(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        mime_put_quoted_printable(out, bytes, len);
    } else {
        g_string_append(out, "Content-Transfer-Encoding: 8bit\r\n\r\n");
        g_string_append_len(out, bytes, (gssize)len);
    }
    g_string_append(out, "\r\n");
}

static void random_message(GRand *r, GString *out, GString *texts) {
    g_autoptr(GString) subject = g_string_new(NULL), body = g_string_new(NULL),
                       second = g_string_new(NULL);
    random_text(r, subject, (unsigned)g_rand_int_range(r, 0, 6));
    random_text(r, body, (unsigned)g_rand_int_range(r, 0, 60));
    random_text(r, second, (unsigned)g_rand_int_range(r, 0, 10));
    put_header_text(r, out, "Subject", subject->str);
    put_header_text(r, out, "X-Other", second->str);
    g_string_append_printf(out, "From: \"%s\" <user%d@example.test>\r\nMIME-Version: 1.0\r\n",
                           "Anna Beispiel", g_rand_int_range(r, 0, 9));
    switch (g_rand_int_range(r, 0, 3)) {
    case 0:
        put_part(r, out, body->str);
        break;
    case 1:
        g_string_append(out, "Content-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\n");
        put_part(r, out, body->str);
        g_string_append(out, "--xx\r\n");
        put_part(r, out, second->str);
        g_string_append(out, "--xx--\r\n");
        break;
    default:
        g_string_append(out, "Content-Type: message/rfc822\r\n\r\n");
        put_header_text(r, out, "Subject", second->str);
        put_part(r, out, body->str);
    }
    g_string_append(texts, subject->str);
    g_string_append(texts, body->str);
    g_string_append(texts, second->str);
}

// A needle: a part of a text, cut anywhere between characters, its case changed, sometimes broken.
static char *random_needle(GRand *r, const char *text) {
    glong len = g_utf8_strlen(text, -1);
    glong n = g_rand_int_range(r, 1, 14), start = g_rand_int_range(r, 0, (gint32)MAX(len - n, 1));
    n = MIN(n, len - start);
    g_autofree char *part = g_utf8_substring(text, start, start + n);
    switch (g_rand_int_range(r, 0, 5)) {
    case 0:
        return g_utf8_strup(part, -1);
    case 1:
        return g_utf8_strdown(part, -1);
    case 2:
        return g_strconcat(part, "q", NULL);
    default:
        return g_steal_pointer(&part);
    }
}

#define MESSAGES 300
#define NEEDLES 400

static struct search_node needle_node(GRand *r, char *needle) {
    static const char *const fields[] = {"Subject", "From", "X-Other", "Content-Type"};
    struct search_node n = {.text = needle};
    switch (g_rand_int_range(r, 0, 3)) {
    case 0:
        n.kind = SEARCH_BODY;
        break;
    case 1:
        n.kind = SEARCH_TEXT;
        break;
    default:
        n.kind = SEARCH_HEADER;
        n.name = fields[g_rand_int_range(r, 0, G_N_ELEMENTS(fields))];
    }
    return n;
}

static void test_same_without_index(struct test *t, gconstpointer data) {
    (void)data;
    guint32 seed = (guint32)g_test_rand_int();
    g_test_message("seed %u", seed);
    g_autoptr(GRand) r = g_rand_new_with_seed(seed);
    g_autoptr(GString) texts = g_string_new(NULL);
    for (unsigned i = 0; i < MESSAGES; i++) {
        g_autoptr(GString) mime = g_string_new(NULL);
        random_message(r, mime, texts);
        append(t, FID_INBOX, mime->str, mime->len, 0);
    }
    struct search_node nodes[NEEDLES], tops[NEEDLES], negated[NEEDLES];
    GArray *without[NEEDLES];
    char *needles[NEEDLES];
    unsigned n_hits = 0, n_some = 0;
    for (unsigned i = 0; i < NEEDLES; i++) {
        needles[i] = random_needle(r, texts->str);
        nodes[i] = needle_node(r, needles[i]);
        // Alone, negated, and beside the one before.
        tops[i] = nodes[i];
        if (i % 4 == 1) {
            tops[i] = (struct search_node){.kind = SEARCH_NOT, .children = &nodes[i]};
        } else if (i % 4 == 2) {
            negated[i] = nodes[i - 1];
            negated[i].next = NULL;
            nodes[i].next = &negated[i];
            tops[i] = (struct search_node){.kind = i % 8 == 2 ? SEARCH_OR : SEARCH_AND,
                                           .children = &nodes[i]};
        }
        without[i] = search(t, &tops[i]);
        n_hits += without[i]->len;
        n_some += without[i]->len > 0;
    }
    g_test_message("%u needles of %u are found, %u hits", n_some, NEEDLES, n_hits);
    g_assert_cmpuint(n_some, >, NEEDLES / 4);
    build_index(t);
    for (unsigned i = 0; i < NEEDLES; i++) {
        g_autoptr(GArray) with = search(t, &tops[i]);
        if (with->len != without[i]->len ||
            (with->len > 0 &&
             memcmp(with->data, without[i]->data, with->len * sizeof(uint32_t)) != 0))
            g_error("seed %u: needle %u \"%s\" (kind %d): %u with the index, %u without", seed, i,
                    needles[i], (int)nodes[i].kind, with->len, without[i]->len);
    }
    for (unsigned i = 0; i < NEEDLES; i++) {
        g_array_unref(without[i]);
        g_free(needles[i]);
    }
}

// The same for words: with everything in the index, with nothing, and with a half of it.
static void test_words_same_without_index(struct test *t, gconstpointer data) {
    (void)data;
    guint32 seed = (guint32)g_test_rand_int();
    g_test_message("seed %u", seed);
    g_autoptr(GRand) r = g_rand_new_with_seed(seed);
    g_autoptr(GString) texts = g_string_new(NULL);
    for (unsigned i = 0; i < 200; i++) {
        g_autoptr(GString) mime = g_string_new(NULL);
        random_message(r, mime, texts);
        append(t, FID_INBOX, mime->str, mime->len, 0);
    }
    for (unsigned round = 0; round < 2; round++) {
        struct search_node nodes[200], tops[200], others[200], flags[200];
        GArray *without[200];
        char *needles[200];
        unsigned n_some = 0;
        for (unsigned i = 0; i < 200; i++) {
            needles[i] = random_needle(r, texts->str);
            nodes[i] = (struct search_node){.kind = SEARCH_WORDS,
                                            .text = needles[i],
                                            .is_prefix = g_rand_boolean(r),
                                            .parts = (uint32_t)(i % 3 ? 0 : 1 << TEXT_BODY)};
            others[i] = (struct search_node){.kind = SEARCH_WORDS, .text = "anna"};
            flags[i] = (struct search_node){.kind = SEARCH_FLAGS, .number = MSG_READ};
            tops[i] = nodes[i];
            if (i % 5 == 1) {
                tops[i] = (struct search_node){.kind = SEARCH_NOT, .children = &nodes[i]};
            } else if (i % 5 == 2) {
                nodes[i].next = &others[i];
                others[i].next = &flags[i];
                tops[i] = (struct search_node){.kind = SEARCH_AND, .children = &nodes[i]};
            } else if (i % 5 == 3) {
                others[i].kind = SEARCH_NOT;
                others[i].children = &nodes[i];
                flags[i].next = &others[i];
                tops[i] = (struct search_node){.kind = SEARCH_OR, .children = &flags[i]};
            }
            MBOX_TX_AUTO tx = NULL;
            if (round == 0)
                assert_ok(fulltext_forget(mailbox_mbox(t->m)));
            without[i] = search(t, &tops[i]);
            n_some += without[i]->len > 0;
        }
        g_assert_cmpuint(n_some, >, 50);
        build_index(t);
        for (unsigned i = 0; i < 200; i++) {
            g_autoptr(GArray) with = search(t, &tops[i]);
            if (with->len != without[i]->len ||
                (with->len > 0 &&
                 memcmp(with->data, without[i]->data, with->len * sizeof(uint32_t)) != 0))
                g_error("seed %u: words %u \"%s\": %u with the index, %u without", seed, i,
                        needles[i], with->len, without[i]->len);
            g_array_unref(without[i]);
            g_free(needles[i]);
        }
        // The second round begins with an index that knows a part.
        for (unsigned i = 0; i < 100; i++) {
            g_autoptr(GString) mime = g_string_new(NULL);
            random_message(r, mime, texts);
            append(t, FID_INBOX, mime->str, mime->len, 0);
        }
    }
}

static void test_full_folding(struct test *t, gconstpointer data) {
    (void)data;
    static const struct {
        const char *needle, *text;
        bool found;
    } cases[] = {
        {"strasse",
         "Die Stra\xc3\x9f"
         "e",
         true},
        {"STRASSE",
         "stra\xc3\x9f"
         "e",
         true},
        {"fi", "\xef\xac\x81nal", true},
        {"full", "\xef\xbd\x86\xef\xbd\x95\xef\xbd\x8c\xef\xbd\x8c", true},
        {"softhyphen", "soft\xc2\xadhyphen", true},
        {"cafe", "caf\xc3\xa9", false}, // accents count in substring searches
        {"viii", "\xe2\x85\xa7", true},
        {"gross", "gro\xc3\xb6\xc3\x9f", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct search_needle *n = search_needle_new(arena, cases[i].needle);
        if (search_needle_in(n, cases[i].text, strlen(cases[i].text)) != cases[i].found)
            g_error("\"%s\" in \"%s\"", cases[i].needle, cases[i].text);
    }
    // Across the pieces that long texts are folded in.
    for (unsigned pos = 8100; pos < 8300; pos++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < pos)
            g_string_append_c(text, 'x');
        g_string_append(text, "Stra\xc3\x9f"
                              "e");
        while (text->len < 20000)
            g_string_append(text, "\xc3\xb6");
        g_assert_true(search_needle_in(search_needle_new(arena, "strasse"), text->str, text->len));
        g_assert_true(search_needle_in(search_needle_new(arena, "x\x53tra\xc3\x9f"
                                                                "e\xc3\x96"),
                                       text->str, text->len));
    }
    append_text(t, FID_INBOX, "Subject: =?utf-8?Q?Stra=C3=9Fe?=\r\n\r\nx\r\n");
    struct search_node n = {.kind = SEARCH_HEADER, .name = "Subject", .text = "strasse"};
    g_autoptr(GArray) found = search(t, &n);
    g_assert_cmpuint(found->len, ==, 1);
    build_index(t);
    g_autoptr(GArray) again = search(t, &n);
    g_assert_cmpuint(again->len, ==, 1);
}

// --- Restrictions ---

static void test_restriction(struct test *t, gconstpointer data) {
    (void)data;
    append_text(t, FID_INBOX,
                "Subject: first\r\nImportance: high\r\nTo: bob@example.test\r\n\r\nBody one\r\n");
    append_text(t, FID_INBOX, "Subject: second\r\nTo: carol@example.test\r\n\r\nBody two\r\n");
    ARENA_AUTO arena = arena_new();
    struct prop_value high = prop_long(PidTagImportance, 2);
    struct prop_value two = prop_str(PidTagBody, "two");
    struct prop_value carol = prop_str(PidTagSmtpAddress, "CAROL@");
    struct restriction *cases[] = {
        restriction_property(arena, RELOP_EQ, PidTagImportance, &high),
        restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagBody, &two),
        restriction_subobject(arena, PidTagMessageRecipients,
                              restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE,
                                                  PidTagSmtpAddress, &carol)),
    };
    static const uint32_t expected[] = {0, 1, 1};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct search_node n = {.kind = SEARCH_RESTRICTION, .restriction = cases[i]};
        g_autoptr(GArray) found = search(t, &n);
        g_test_message("restriction %u", i);
        g_assert_cmpuint(found->len, ==, 1);
        g_assert_cmpuint(g_array_index(found, uint32_t, 0), ==, expected[i]);
    }
}

// --- Many folders ---

static GArray *search_all(struct test *t, const struct search_scope *scope,
                          const struct search_node *n, enum search_order order, unsigned limit) {
    GArray *found;
    assert_ok(mailbox_search_all(t->m, scope, n, order, limit, NULL, NULL, &found));
    return found;
}

static void test_all_folders(struct test *t, gconstpointer data) {
    (void)data;
    uint64_t sub;
    assert_ok(mailbox_create_folder(t->m, "INBOX/Sub", &sub));
    const uint64_t fids[] = {FID_INBOX, sub, FID_SENT_ITEMS};
    for (unsigned i = 0; i < 60; i++) {
        g_autofree char *text = g_strdup_printf("Subject: number %u\r\n\r\n%s words %s\r\n", i,
                                                i % 2 ? "odd" : "even", i % 10 ? "" : "tenth");
        // Received in the other order.
        append(t, fids[i % 3], text, strlen(text), filetime_from_unix(2000000 - i));
    }
    const uint64_t inbox = FID_INBOX;
    const struct search_scope everywhere = {0}, inbox_only = {&inbox, 1, false},
                              inbox_tree = {&inbox, 1, true};
    struct search_node tenth = {.kind = SEARCH_WORDS, .text = "tenth"};
    struct search_node odd = {.kind = SEARCH_WORDS, .text = "odd"};
    struct search_node substring = {.kind = SEARCH_BODY, .text = "tent"};
    for (unsigned round = 0; round < 3; round++) {
        g_autoptr(GArray) a = search_all(t, &everywhere, &tenth, SEARCH_NEWEST_ARRIVED, 0);
        g_assert_cmpuint(a->len, ==, 6);
        g_autoptr(GArray) b = search_all(t, &everywhere, &tenth, SEARCH_NEWEST_ARRIVED, 4);
        g_assert_cmpuint(b->len, ==, 4);
        g_assert_cmpmem(b->data, 4 * sizeof(struct search_found), a->data,
                        4 * sizeof(struct search_found));
        g_autoptr(GArray) c = search_all(t, &everywhere, &tenth, SEARCH_NEWEST_RECEIVED, 6);
        for (unsigned i = 0; i < 6; i++) // the other way round
            g_assert_cmpuint(g_array_index(c, struct search_found, i).mid, ==,
                             g_array_index(a, struct search_found, 5 - i).mid);
        g_autoptr(GArray) d = search_all(t, &inbox_only, &odd, SEARCH_NEWEST_ARRIVED, 100);
        g_assert_cmpuint(d->len, ==, 10);
        for (unsigned i = 0; i < d->len; i++)
            g_assert_cmpuint(g_array_index(d, struct search_found, i).fid, ==, FID_INBOX);
        g_autoptr(GArray) e = search_all(t, &inbox_tree, &odd, SEARCH_NEWEST_ARRIVED, 100);
        g_assert_cmpuint(e->len, ==, 20);
        g_autoptr(GArray) f = search_all(t, &everywhere, &substring, SEARCH_NEWEST_ARRIVED, 100);
        g_assert_cmpuint(f->len, ==, 6);
        g_autoptr(GArray) none = NULL;
        const uint64_t missing = 0xfffff;
        const struct search_scope nowhere = {&missing, 1, true};
        assert_ec(
            mailbox_search_all(t->m, &nowhere, &odd, SEARCH_NEWEST_ARRIVED, 0, NULL, NULL, &none),
            EC_NOT_FOUND);
        if (round == 0)
            build_index(t);
        else if (round == 1)
            append_text(t, FID_DRAFTS, "Subject: x\r\n\r\nnothing\r\n"); // not indexed yet
    }
}

static bool cancel(void *ctx) {
    (void)ctx;
    return true;
}

static void test_cancelled(struct test *t, gconstpointer data) {
    (void)data;
    append_text(t, FID_INBOX, "Subject: x\r\n\r\nnothing\r\n");
    struct search_node n = {.kind = SEARCH_BODY, .text = "y"};
    GArray *found;
    const struct search_scope everywhere = {0};
    assert_ec(
        mailbox_search_all(t->m, &everywhere, &n, SEARCH_NEWEST_ARRIVED, 5, cancel, NULL, &found),
        EC_CANCEL);
}

// On demand: the first search begins the index.
static void test_first_search_begins(struct test *t, gconstpointer data) {
    (void)data;
    struct fulltext_options on_demand = {.policy = FULLTEXT_ON_DEMAND};
    store_set_fulltext(t->store, &on_demand);
    append_text(t, FID_INBOX, "Subject: x\r\n\r\nsome words\r\n");
    struct search_node n = {.kind = SEARCH_WORDS, .text = "words"};
    for (unsigned round = 0; round < 2; round++) {
        g_autoptr(GArray) found = search(t, &n);
        g_assert_cmpuint(found->len, ==, 1);
        background_drain(t->store);
        MBOX_TX_AUTO tx = NULL;
        struct fulltext_index index;
        assert_ok(mbox_read(mailbox_mbox(t->m), &tx));
        assert_ok(fulltext_open(tx, &index));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/mailbox/search-index/" name, struct test, NULL, setup, fn, teardown)
    TEST("same-without-index", test_same_without_index);
    TEST("words-same-without-index", test_words_same_without_index);
    TEST("full-folding", test_full_folding);
    TEST("restriction", test_restriction);
    TEST("all-folders", test_all_folders);
    TEST("cancelled", test_cancelled);
    TEST("first-search-begins", test_first_search_begins);
    return g_test_run();
}
