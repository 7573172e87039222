// HTTP by libcurl.
#include <curl/curl.h>
#include <string.h>

#include "probe/probe_internal.h"

static size_t take_body(char *data, size_t size, size_t n, void *ctx) {
    GByteArray *body = ctx;
    if (body->len + size * n > PROBE_MAX_ANSWER)
        return 0;
    g_byte_array_append(body, (guint8 *)data, (guint)(size * n));
    return size * n;
}

static void take_cookie(struct reply *r, const char *value) {
    const char *equals = strchr(value, '=');
    if (!equals)
        return;
    size_t len = strcspn(equals + 1, ";");
    g_hash_table_replace(r->cookies, g_strndup(value, (gsize)(equals - value)),
                         g_strndup(equals + 1, len));
}

static size_t take_field(char *data, size_t size, size_t n, void *ctx) {
    struct reply *r = ctx;
    g_autofree char *line = g_strndup(data, size * n);
    char *colon = strchr(line, ':');
    if (colon) {
        *colon = '\0';
        char *value = g_strstrip(colon + 1);
        if (g_ascii_strcasecmp(line, "Set-Cookie") == 0)
            take_cookie(r, value);
        g_hash_table_replace(r->fields, g_ascii_strdown(line, -1), g_strdup(value));
    }
    return size * n;
}

static void set_login(struct probe *p, CURL *curl) {
    const struct probe_options *o = p->options;
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, o->user ? o->user : p->address);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, o->password);
}

static void set_trust(struct probe *p, CURL *curl) {
    if (p->options->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, p->options->ca_file);
    if (p->options->is_insecure) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

void http_post(struct probe *p, const char *url, const char *const *fields, const void *body,
               size_t len, bool is_anonymous, struct reply *out) {
    *out = (struct reply){
        .fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .cookies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
    CURL *curl = curl_easy_init();
    char problem[CURL_ERROR_SIZE] = "";
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (; *fields; fields++)
        list = curl_slist_append(list, *fields);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PROBE_TIMEOUT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, len ? body : "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, out);
    set_trust(p, curl);
    if (!is_anonymous)
        set_login(p, curl);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    else
        out->error = arena_strdup(p->arena, *problem ? problem : curl_easy_strerror(code));
    out->body = arena_memdup(p->arena, bytes->data ? (void *)bytes->data : "", bytes->len);
    out->len = bytes->len;
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
}

void reply_clear(struct reply *r) {
    g_hash_table_destroy(r->fields);
    g_hash_table_destroy(r->cookies);
}
