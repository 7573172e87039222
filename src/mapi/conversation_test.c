// Subject prefixes, conversation index and id.
#include "mapi/conversation.h"

#include <string.h>

#include "base/test.h"

static void test_subject(void) {
    static const struct {
        const char *subject, *set, *prefix, *normalized;
    } rows[] = {
        {"RE: Hello", NULL, "RE: ", "Hello"},
        {"Antwort: Hello", NULL, "", "Antwort: Hello"},
        {"Antwort: Hello", "Antwort: ", "Antwort: ", "Hello"},
        {"FW: Hello", "RE: ", "FW: ", "Hello"},
        {"Fwd:   Hello", NULL, "Fwd: ", "Hello"},
        {"RÉ: x", NULL, "RÉ: ", "x"},
        {"回复: x", NULL, "回复: ", "x"},
        {"R2: x", NULL, "", "R2: x"},
        {"A b: x", NULL, "", "A b: x"},
        {": x", NULL, "", ": x"},
        {"C:\\file", NULL, "", "C:\\file"},
        {"RE: ", NULL, "RE: ", ""},
        {"RE:", NULL, "", "RE:"},
        {"", NULL, "", ""},
        {"RE: FW: x", NULL, "RE: ", "FW: x"},
        {"RE: x", "", "", "RE: x"},
    };
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct subject_parts parts = subject_split(arena, rows[i].subject, rows[i].set);
        g_assert_cmpstr(parts.prefix, ==, rows[i].prefix);
        g_assert_cmpstr(parts.normalized, ==, rows[i].normalized);
    }
}

static void test_index(void) {
    ARENA_AUTO arena = arena_new();
    const filetime_t start = UINT64_C(0x01DA71727C814696);
    struct guid guid = {{1, 2, 3, 4}};
    uint8_t first[CONVERSATION_INDEX_HEADER];
    conversation_index_start(start, &guid, first);
    g_assert_cmpmem(first, 7, "\x01\x01\xDA\x71\x72\x7C\x01", 7);

    struct conversation_index info;
    struct prop_bin index = {sizeof first, first};
    g_assert_true(conversation_index_parse(index, &info));
    g_assert_cmpuint(info.n_levels, ==, 0);
    g_assert_true(guid_equal(&info.guid, &guid));
    g_assert_cmphex(info.started, ==, UINT64_C(0x01DA71727C000000));

    index = conversation_index_reply(arena, index, start + 60 * FILETIME_SECOND);
    g_assert_cmpuint(index.len, ==, 27);
    g_assert_true(conversation_index_parse(index, &info));
    g_assert_cmpuint(info.n_levels, ==, 1);
    g_assert_cmpint((gint64)(info.last - start) / (gint64)FILETIME_SECOND, >=, 59);
    g_assert_cmpint((gint64)(info.last - start) / (gint64)FILETIME_SECOND, <=, 61);

    // Five years later the coarser unit is used.
    const uint64_t years = UINT64_C(5) * 365 * 86400;
    index = conversation_index_reply(arena, index, start + years * FILETIME_SECOND);
    g_assert_true(index.data[27] & 0x80);
    g_assert_true(conversation_index_parse(index, &info));
    g_assert_cmpuint((info.last - start) / FILETIME_SECOND, <=, years + 2);
    g_assert_cmpuint((info.last - start) / FILETIME_SECOND, >=, years - 2);
    // A clock that is behind gives no time difference.
    index = conversation_index_reply(arena, index, 5);
    g_assert_cmpmem(index.data + 32, 4, "\0\0\0\0", 4);
}

static void test_index_of_others(void) {
    ARENA_AUTO arena = arena_new();
    // The form of Outlook before 2010: 01 D0BC97E167 is 2015-07-12 11:42:50.
    const uint8_t old[CONVERSATION_INDEX_HEADER] = {1, 0xD0, 0xBC, 0x97, 0xE1, 0x67};
    struct conversation_index info;
    g_assert_true(conversation_index_parse((struct prop_bin){sizeof old, old}, &info));
    g_assert_cmpint(filetime_to_unix(info.started), ==, 1436701370);
    // What is no index starts a new one.
    g_assert_false(conversation_index_parse((struct prop_bin){21, old}, &info));
    g_assert_false(conversation_index_parse((struct prop_bin){0, NULL}, &info));
    const uint8_t bad[CONVERSATION_INDEX_HEADER + 1] = {1, 1};
    g_assert_false(conversation_index_parse((struct prop_bin){sizeof bad, bad}, &info));
    struct prop_bin index = conversation_index_reply(arena, (struct prop_bin){sizeof bad, bad}, 5);
    g_assert_cmpuint(index.len, ==, CONVERSATION_INDEX_HEADER);
    // A thread cannot make the index grow without end.
    for (unsigned i = 0; i < 500; i++)
        index = conversation_index_reply(arena, index, 5);
    g_assert_cmpuint(index.len, ==, CONVERSATION_INDEX_MAX);
}

static void test_id(void) {
    uint8_t header[CONVERSATION_INDEX_HEADER], id[16], other[16];
    struct guid guid = {{7, 7, 7}};
    conversation_index_start(UINT64_C(0x01DA71727C814696), &guid, header);
    struct prop_bin index = {sizeof header, header};
    g_assert_true(conversation_id(true, index, "topic", id));
    g_assert_cmpmem(id, 16, guid.bytes, 16);
    // md5 of "HI" in UTF-16LE
    g_assert_true(conversation_id(false, index, "hi", id));
    g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_MD5, (const guchar *)"H\0I\0", 4);
    char hex[33] = "";
    for (unsigned i = 0; i < 16; i++)
        g_snprintf(hex + 2 * i, 3, "%02x", id[i]);
    g_assert_cmpstr(hex, ==, sum);
    // Only the first 255 units count.
    g_autofree char *a = g_strnfill(255, 'x');
    g_autofree char *b = g_strconcat(a, "more", NULL);
    conversation_id(false, index, a, id);
    conversation_id(false, index, b, other);
    g_assert_cmpmem(id, 16, other, 16);
    g_assert_false(conversation_id(true, (struct prop_bin){0, NULL}, "", id));
    g_assert_false(conversation_id(false, index, NULL, id));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conversation/subject", test_subject);
    g_test_add_func("/conversation/index", test_index);
    g_test_add_func("/conversation/index_of_others", test_index_of_others);
    g_test_add_func("/conversation/id", test_id);
    return g_test_run();
}
