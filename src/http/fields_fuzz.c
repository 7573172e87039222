// What a request says of itself: a line with the target, and one with cookies.
#include <string.h>

#include "http/http_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ARENA_AUTO arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data, size), *second = strchr(text, '\n');
    if (second != NULL)
        *second++ = '\0';
    struct http_field cookies = {"Cookie", second != NULL ? second : ""};
    struct http_request r = {.arena = arena, .target = text, .fields = &cookies, .n_fields = 1};
    if (!http_read_target(&r))
        return 0;
    g_assert_true(g_utf8_validate(r.path, -1, NULL));
    static const char *const names[] = {"a", "Email", "x"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *argument = http_argument(&r, names[i]), *cookie = http_cookie(&r, names[i]);
        g_assert_true(argument == NULL || g_utf8_validate(argument, -1, NULL));
        g_assert_true(cookie == NULL || strlen(cookie) <= strlen(cookies.value));
    }
    return 0;
}
