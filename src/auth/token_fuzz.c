// Any bytes as a file of keys, and as a token (whose signature never fits).
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/token_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct token_keys *make_keys(void) {
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                              "-----END PUBLIC KEY-----\n";
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp(NULL, &path, NULL);
    g_assert(fd >= 0 && write(fd, pem, strlen(pem)) == (ssize_t)strlen(pem));
    close(fd);
    struct token_keys *keys = token_keys_new(path);
    GPtrArray *read;
    g_assert(token_keys_get(keys, &read) == EC_OK);
    g_ptr_array_unref(read);
    g_unlink(path); // the keys that were read go on counting
    return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct token_keys *file;
    if (file == NULL)
        file = make_keys();
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) keys = token_keys_parse(text, size);
    ARENA_AUTO arena = arena_new();
    size_t len;
    token_base64url(arena, text, strlen(text), &len);
    struct token_rules rules = {"issuer", "audience", "email", 0};
    const char *user, *reason;
    token_check(file, &rules, arena, text, &user, &reason);
    return 0;
}
