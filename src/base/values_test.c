// Arena, GUID, FILETIME, text and result codes.
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/guid.h"
#include "base/result.h"
#include "base/text.h"

static void test_guid(void) {
    static const struct guid ps_mapi = GUID_INIT(0x00020328, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46);
    char text[GUID_STRING_SIZE];
    guid_format(&ps_mapi, text);
    g_assert_cmpstr(text, ==, "00020328-0000-0000-c000-000000000046");
    struct guid back;
    g_assert_true(guid_parse("{00020328-0000-0000-C000-000000000046}", &back));
    g_assert_true(guid_equal(&ps_mapi, &back));
    g_assert_false(guid_parse("00020328-0000-0000-C000-00000000004", &back));
    g_assert_false(guid_parse("{00020328-0000-0000-C000-000000000046", &back));
    g_assert_false(guid_parse("", &back));
}

static void test_filetime(void) {
    g_assert_cmpuint(filetime_from_unix(0), ==, FILETIME_UNIX_EPOCH);
    g_assert_cmpint(filetime_to_unix(filetime_from_unix(-1)), ==, -1);
    g_assert_cmpint(filetime_to_unix(filetime_from_unix(1764000000)), ==, 1764000000);
    g_assert_cmpuint(filetime_from_unix(INT64_MIN), ==, 0);
    clock_set(42);
    g_assert_cmpuint(clock_now(), ==, 42);
    clock_set(0);
    g_assert_cmpuint(clock_now(), >, filetime_from_unix(1700000000));
}

static void test_arena(void) {
    ARENA_AUTO arena = arena_new();
    for (int i = 0; i < 1000; i++) {
        char *s = arena_printf(arena, "%d", i);
        g_assert_cmpint(atoi(s), ==, i);
    }
    memset(arena_alloc(arena, 1000000), 1, 1000000);
    arena_reset(arena);
    g_assert_cmpuint(arena_used(arena), ==, 0);
    g_assert_null(arena_strdup(arena, NULL));
}

static void test_text(void) {
    ARENA_AUTO arena = arena_new();
    size_t len;
    g_assert_cmpstr(text_clean(arena,
                               "a\xff"
                               "b\0c",
                               5, &len),
                    ==,
                    "a\xef\xbf\xbd"
                    "bc");
    g_assert_cmpuint(len, ==, 6);
    g_assert_cmpint(text_compare_folded("Straße", "STRASSE"), ==, 0);
    g_assert_cmpint(text_compare_folded("INBOX", "inbox"), ==, 0);
    g_assert_cmpint(text_compare_folded("a", "b"), <, 0);
    g_assert_true(text_contains_folded("Grüße aus KÖLN", "köln"));
    g_autoptr(GByteArray) wide = g_byte_array_new();
    text_to_utf16("a€😀", strlen("a€😀"), wide);
    g_assert_cmpuint(wide->len, ==, 8);
    g_assert_cmpstr(text_from_utf16(arena, wide->data, wide->len), ==, "a€😀");
    static const uint8_t lone[] = {0x00, 0xD8, 'x', 0};
    g_assert_cmpstr(text_from_utf16(arena, lone, 4), ==, "\xef\xbf\xbdx");
    g_assert_true(text_equal_secret("abc", "abc"));
    g_assert_false(text_equal_secret("abc", "abd"));
    g_assert_false(text_equal_secret("abc", "ab"));
}

static void test_result(void) {
    g_assert_cmpstr(ec_name(EC_NOT_FOUND), ==, "EC_NOT_FOUND");
    g_assert_cmpstr(ec_text(EC_QUOTA_EXCEEDED), ==, "the mailbox is over its quota");
    g_assert_cmphex((uint32_t)EC_NOT_FOUND, ==, 0x8004010F);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/values/guid", test_guid);
    g_test_add_func("/values/filetime", test_filetime);
    g_test_add_func("/values/arena", test_arena);
    g_test_add_func("/values/text", test_text);
    g_test_add_func("/values/result", test_result);
    return g_test_run();
}
