// Words of many languages, and an index of them: phrases, prefixes, columns, hostile texts.
#include "db/fulltext.h"

#include <string.h>

#include "base/test.h"
#include "db/fulltext_words.h"

static void test_words(void) {
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ""},
        {"...", ""},
        {"Hello, World!", "hello world"},
        {"  a\tb\r\nc  ", "a b c"},
        {"alice@example.test", "alice example test"},
        {"don't 3.14 a_b x-y", "don t 3 14 a b x y"},
        {"Straße STRASSE", "strasse strasse"},
        {"Äpfel äpfel a\xcc\x88pfel", "apfel apfel apfel"},
        {"ﬁnance ＡＢＣ１２ ②", "finance abc12 2"},
        {"İstanbul ISTANBUL", "istanbul istanbul"},
        {"Ελληνική ΕΛΛΗΝΙΚΉ σοφός", "ελληνικη ελληνικη σοφοσ"},
        {"Ёлка ёлка Йод", "елка елка иод"},
        {"Việt Nam", "viet nam"},
        {"naïve café résumé", "naive cafe resume"},
        {"שָׁלוֹם שלום", "שלום שלום"},
        {"مُحَمَّد محمد", "محمد محمد"},
        {"हिन्दी भाषा", "हिन्दी भाषा"},
        {"한국어 검색", "한국어 검색"},
        {"soft\xc2\xadhyphen", "softhyphen"},
        {"bad \xff\xfe bytes \xc3", "bad bytes"},
        {"日本語の検索エンジン", "日本語 の 検索 エンジン"},
        {"全文検索 engine2", "全文 検索 engine2"},
        {"我爱北京天安门", NULL},
        {"ภาษาไทยง่ายมาก", NULL},
        {"ພາສາລາວ", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        db_words_append(out, cases[i].text, strlen(cases[i].text));
        g_test_message("%s -> %s", cases[i].text, out->str);
        g_assert_true(g_utf8_validate(out->str, -1, NULL));
        if (cases[i].words)
            g_assert_cmpstr(out->str, ==, cases[i].words);
        else
            g_assert_nonnull(strchr(out->str, ' ')); // the dictionary found several words
    }
}

static void test_long_texts(void) {
    // Longer than a piece, with and without spaces; words over the limit are cut.
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    for (unsigned i = 0; i < 5000; i++)
        g_string_append_printf(text, "wört%u ", i);
    db_words_append(out, text->str, text->len);
    g_assert_true(g_str_has_prefix(out->str, "wort0 wort1 wort2 "));
    g_assert_true(g_str_has_suffix(out->str, " wort4998 wort4999"));
    unsigned n = 1;
    for (const char *s = out->str; (s = strchr(s, ' ')); s++)
        n++;
    g_assert_cmpuint(n, ==, 5000);
    g_string_truncate(text, 0);
    g_string_truncate(out, 0);
    for (unsigned i = 0; i < 20000; i++)
        g_string_append(text, i % 2 ? "字" : "a");
    db_words_append(out, text->str, text->len);
    g_assert_true(g_utf8_validate(out->str, -1, NULL));
    g_string_assign(text, "x");
    for (unsigned i = 0; i < 100; i++)
        g_string_append(text, "ü");
    g_string_truncate(out, 0);
    db_words_append(out, text->str, text->len);
    g_assert_cmpuint(out->len, ==, DB_WORD_MAX);
}

// --- The index ---

static const char *const steps[] = {"CREATE TABLE item (id BIGINT);", NULL};
static const struct db_schema schema = {"test", steps};

struct fixture {
    char *folder, *path;
    struct db *db;
};

static const char *const documents[][3] = {
    {"annual report", "the annual report of the board", "anna"},
    {"report annual", "bericht", "otto"},
    {"hello", "annual meeting report", "anna berta"},
    {"ÄRGER", "東京都の会議", "straße"},
};

static void words_of(const char *text, GString *out) {
    g_string_truncate(out, 0);
    db_words_append(out, text, strlen(text));
}

static void add(struct db_conn *conn, unsigned slot, uint64_t doc, const char *const *texts) {
    GString *w[3] = {g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)};
    for (unsigned i = 0; i < 3; i++)
        words_of(texts[i], w[i]);
    const char *columns[DB_FULLTEXT_COLUMNS] = {w[0]->str, w[1]->str, w[2]->str};
    assert_ok(db_fulltext_add(conn, slot, doc, columns));
    for (unsigned i = 0; i < 3; i++)
        g_string_free(w[i], TRUE);
}

static void setup(struct fixture *f, gconstpointer data) {
    (void)data;
    static const struct db_options relaxed = {.durability = DB_RELAXED};
    f->folder = test_folder();
    f->path = g_build_filename(f->folder, "test.db", NULL);
    assert_ok(db_open(f->path, &schema, &relaxed, &f->db));
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    assert_ok(db_fulltext_create(conn, 0));
    for (unsigned i = 0; i < G_N_ELEMENTS(documents); i++)
        add(conn, 0, (UINT64_C(1) << 40) + i, documents[i]);
    assert_ok(db_commit(conn));
}

static void teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    db_close(f->db);
    g_free(f->path);
    test_folder_remove(f->folder);
}

// The documents as a bit set, by the index and without one: both must say the same.
static unsigned ask(struct fixture *f, const struct db_fulltext_node *query) {
    struct db_conn *conn;
    struct db_fulltext_cursor *c;
    unsigned found = 0, without = 0;
    uint64_t doc, last = 0;
    assert_ok(db_read(f->db, &conn));
    assert_ok(db_fulltext_query(conn, 0, query, false, &c));
    while (db_fulltext_next(c, &doc)) {
        g_assert_cmpuint(doc, >, last);
        last = doc;
        found |= 1u << (doc & 0xff);
    }
    assert_ok(db_fulltext_end(c));
    last = UINT64_MAX;
    assert_ok(db_fulltext_query(conn, 0, query, true, &c));
    while (db_fulltext_next(c, &doc)) {
        g_assert_cmpuint(doc, <, last);
        last = doc;
        g_assert_true(found & 1u << (doc & 0xff));
    }
    assert_ok(db_fulltext_end(c));
    db_read_end(conn);
    for (unsigned i = 0; i < G_N_ELEMENTS(documents); i++) {
        GString *w[3] = {g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)};
        for (unsigned k = 0; k < 3; k++)
            words_of(documents[i][k], w[k]);
        const char *columns[DB_FULLTEXT_COLUMNS] = {w[0]->str, w[1]->str, w[2]->str};
        if (db_fulltext_matches(query, columns))
            without |= 1u << i;
        for (unsigned k = 0; k < 3; k++)
            g_string_free(w[k], TRUE);
    }
    g_assert_cmphex(found, ==, without);
    return found;
}

static struct db_fulltext_node words(GString *buffer, const char *text, bool is_prefix,
                                     uint32_t columns) {
    words_of(text, buffer);
    return (struct db_fulltext_node){.kind = DB_FULLTEXT_WORDS,
                                     .words = buffer->str,
                                     .is_prefix = is_prefix,
                                     .columns = columns};
}

static void test_leaves(struct fixture *f, gconstpointer data) {
    (void)data;
    static const struct {
        const char *text;
        bool is_prefix;
        uint32_t columns;
        unsigned expected;
    } cases[] = {
        {"annual", false, 0, 7},
        {"Annual Report", false, 0, 1},
        {"report annual", false, 0, 2},
        {"annual", false, 1, 3},
        {"annual", false, 2, 5},
        {"ann", false, 0, 0},
        {"ann", true, 0, 7},
        {"ann", true, 4, 5},
        {"annual rep", true, 0, 1},
        {"the annual rep", true, 2, 1},
        {"board anna", false, 0, 0}, // phrases don't go over columns
        {"arger", false, 0, 8},
        {"strasse", false, 0, 8},
        {"strass", true, 0, 8},
        {"東京", false, 0, 8},
        {"会議", false, 2, 8},
        {"", false, 0, 0},
        {"", true, 0, 0},
        {"missing", false, 0, 0},
        {"anna", false, 4 | 1, 5},
        {"anna", false, 1 << 7, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) buffer = g_string_new(NULL);
        struct db_fulltext_node n =
            words(buffer, cases[i].text, cases[i].is_prefix, cases[i].columns);
        g_test_message("%s", cases[i].text);
        g_assert_cmphex(ask(f, &n), ==, cases[i].expected);
    }
}

static void test_trees(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autoptr(GString) b1 = g_string_new(NULL), b2 = g_string_new(NULL), b3 = g_string_new(NULL);
    struct db_fulltext_node a = words(b1, "annual", false, 0), b = words(b2, "anna", false, 0),
                            none = words(b3, "", false, 0);
    struct db_fulltext_node list = {.kind = DB_FULLTEXT_AND, .children = &a};
    a.next = &b;
    g_assert_cmphex(ask(f, &list), ==, 5);
    list.kind = DB_FULLTEXT_OR;
    g_assert_cmphex(ask(f, &list), ==, 7);
    b.next = &none;
    g_assert_cmphex(ask(f, &list), ==, 7); // nothing in an OR
    list.kind = DB_FULLTEXT_AND;
    g_assert_cmphex(ask(f, &list), ==, 0); // nothing in an AND
    b.next = NULL;
    struct db_fulltext_node not = {.kind = DB_FULLTEXT_NOT, .children = &b};
    a.next = &not ;
    g_assert_cmphex(ask(f, &list), ==, 2);
    not .next = &none;
    none.next = NULL;
    g_assert_cmphex(ask(f, &list), ==, 0);
    // A NOT alone has no documents to take from.
    struct db_fulltext_cursor *c;
    struct db_conn *conn;
    not .next = NULL;
    list.children = &not ;
    assert_ok(db_read(f->db, &conn));
    assert_ec(db_fulltext_query(conn, 0, &list, false, &c), EC_INVALID_PARAMETER);
    assert_ec(db_fulltext_query(conn, 0, &not, false, &c), EC_INVALID_PARAMETER);
    struct db_fulltext_node deep[DB_FULLTEXT_MAX_DEPTH + 2];
    for (unsigned i = 0; i < G_N_ELEMENTS(deep); i++)
        deep[i] =
            (struct db_fulltext_node){.kind = DB_FULLTEXT_OR, .children = i ? &deep[i - 1] : &none};
    assert_ec(db_fulltext_query(conn, 0, &deep[G_N_ELEMENTS(deep) - 1], false, &c), EC_TOO_COMPLEX);
    db_read_end(conn);
}

// Whatever comes in as words is text to FTS5, never its syntax.
static void test_hostile_words(struct fixture *f, gconstpointer data) {
    (void)data;
    static const char *const texts[] = {"\" OR \"annual",
                                        "annual\" *",
                                        "c0 : annual",
                                        "{c0} : x",
                                        "NEAR(annual report)",
                                        "annual NOT hello",
                                        "^annual",
                                        "(",
                                        ")",
                                        "*",
                                        "a\"\"b",
                                        "\"",
                                        "\\",
                                        "';--",
                                        "annual AND report",
                                        "a\x01z",
                                        "\xff\xfe broken"};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        for (unsigned how = 0; how < 4; how++) {
            struct db_fulltext_node n = {.kind = DB_FULLTEXT_WORDS,
                                         .words = texts[i],
                                         .is_prefix = how & 1,
                                         .columns = how & 2 ? 3 : 0};
            struct db_conn *conn;
            struct db_fulltext_cursor *c;
            uint64_t doc;
            assert_ok(db_read(f->db, &conn));
            assert_ok(db_fulltext_query(conn, 0, &n, false, &c));
            while (db_fulltext_next(c, &doc))
                g_assert_cmpuint(doc, >=, UINT64_C(1) << 40);
            assert_ok(db_fulltext_end(c));
            db_read_end(conn);
        }
}

static void test_slots(struct fixture *f, gconstpointer data) {
    (void)data;
    struct db_conn *conn;
    struct db_fulltext_cursor *c;
    uint64_t doc;
    g_autoptr(GString) buffer = g_string_new(NULL);
    struct db_fulltext_node n = words(buffer, "bericht", false, 0);
    assert_ok(db_write(f->db, &conn));
    assert_ok(db_fulltext_verify(conn, 0));
    assert_ok(db_fulltext_create(conn, 1));
    add(conn, 1, 7, documents[1]);
    assert_ok(db_fulltext_merge(conn, 1, 100));
    assert_ok(db_fulltext_verify(conn, 1));
    assert_ok(db_commit(conn));
    assert_ok(db_read(f->db, &conn));
    assert_ok(db_fulltext_query(conn, 1, &n, false, &c));
    g_assert_true(db_fulltext_next(c, &doc));
    g_assert_cmpuint(doc, ==, 7);
    g_assert_false(db_fulltext_next(c, &doc));
    assert_ok(db_fulltext_end(c));
    db_read_end(conn);
    g_assert_cmphex(ask(f, &n), ==, 2);
    assert_ok(db_write(f->db, &conn));
    assert_ok(db_fulltext_drop(conn, 0));
    assert_ok(db_fulltext_drop(conn, 0));
    assert_ok(db_commit(conn));
    assert_ok(db_write(f->db, &conn));
    assert_ec(db_fulltext_verify(conn, 0), EC_CORRUPT_DATA);
    db_rollback(conn);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fulltext/words", test_words);
    g_test_add_func("/fulltext/long_texts", test_long_texts);
    g_test_add("/fulltext/leaves", struct fixture, NULL, setup, test_leaves, teardown);
    g_test_add("/fulltext/trees", struct fixture, NULL, setup, test_trees, teardown);
    g_test_add("/fulltext/hostile_words", struct fixture, NULL, setup, test_hostile_words,
               teardown);
    g_test_add("/fulltext/slots", struct fixture, NULL, setup, test_slots, teardown);
    return g_test_run();
}
