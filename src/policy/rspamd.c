// rspamd as a neighbour. Its answer is JSON by json-glib, read for the few members that count.
#include "policy/rspamd.h"

#include <curl/curl.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "policy/limits.h"

#define DEFAULT_TIMEOUT_MS 10000
#define NESTING_MAX 64

struct rspamd {
    char *url;
    unsigned timeout_ms;
};

static gpointer start_curl(gpointer data) {
    (void)data;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return NULL;
}

struct rspamd *rspamd_new(const char *url, unsigned timeout_ms) {
    static GOnce once = G_ONCE_INIT;
    g_once(&once, start_curl, NULL);
    struct rspamd *r = g_new0(struct rspamd, 1);
    g_autofree char *base = g_strdup(url);
    while (g_str_has_suffix(base, "/"))
        base[strlen(base) - 1] = 0;
    r->url = g_strconcat(base, "/checkv2", NULL);
    r->timeout_ms = timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS;
    return r;
}

void rspamd_free(struct rspamd *r) {
    if (!r)
        return;
    g_free(r->url);
    g_free(r);
}

// --- The answer ---

static double number_member(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    GType type = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : 0;
    double value = type == G_TYPE_DOUBLE  ? json_node_get_double(node)
                   : type == G_TYPE_INT64 ? (double)json_node_get_int(node)
                                          : 0;
    return isfinite(value) ? value : 0;
}

static enum rspamd_action read_action(JsonObject *object) {
    static const struct {
        const char *text;
        enum rspamd_action action;
    } actions[] = {
        {"no action", RSPAMD_NO_ACTION},     {"greylist", RSPAMD_GREYLIST},
        {"add header", RSPAMD_ADD_HEADER},   {"rewrite subject", RSPAMD_ADD_HEADER},
        {"soft reject", RSPAMD_SOFT_REJECT}, {"reject", RSPAMD_REJECT},
    };
    JsonNode *node = json_object_get_member(object, "action");
    const char *text = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    for (unsigned i = 0; text && i < G_N_ELEMENTS(actions); i++)
        if (strcmp(text, actions[i].text) == 0)
            return actions[i].action;
    return RSPAMD_UNKNOWN;
}

static void look_at_symbol(JsonObject *symbols, const char *name, JsonNode *node, gpointer data) {
    (void)symbols;
    if ((strstr(name, "PHISH") || strstr(name, "OPENPHISH")) && JSON_NODE_HOLDS_OBJECT(node) &&
        number_member(json_node_get_object(node), "score") > 0)
        *(bool *)data = true;
}

// json-glib reads nested values by recursion; what is nested deeper is refused before.
static bool is_shallow(const char *json, size_t len) {
    unsigned depth = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (is_quoted) {
            if (json[i] == '\\')
                i++;
            else if (json[i] == '"')
                is_quoted = false;
        } else if (json[i] == '"') {
            is_quoted = true;
        } else if (json[i] == '{' || json[i] == '[') {
            if (++depth > NESTING_MAX)
                return false;
        } else if ((json[i] == '}' || json[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

enum ec rspamd_parse(const char *json, size_t len, struct rspamd_answer *out) {
    g_autoptr(JsonParser) parser = json_parser_new();
    *out = (struct rspamd_answer){0};
    if (!is_shallow(json, len) || !g_utf8_validate(json, (gssize)len, NULL) ||
        !json_parser_load_from_data(parser, json, (gssize)len, NULL))
        return EC_FORMAT_ERROR;
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return EC_FORMAT_ERROR;
    JsonObject *object = json_node_get_object(root);
    if (!json_object_has_member(object, "action"))
        return EC_FORMAT_ERROR;
    out->action = read_action(object);
    out->score = number_member(object, "score");
    out->required = number_member(object, "required_score");
    JsonNode *symbols = json_object_get_member(object, "symbols");
    if (symbols && JSON_NODE_HOLDS_OBJECT(symbols))
        json_object_foreach_member(json_node_get_object(symbols), look_at_symbol,
                                   &out->is_phishing);
    return EC_OK;
}

// --- The question ---

static size_t take_bytes(char *bytes, size_t size, size_t n, void *ctx) {
    GString *out = ctx;
    if (n > RSPAMD_ANSWER_MAX - MIN(out->len, RSPAMD_ANSWER_MAX))
        return 0; // curl gives up
    g_string_append_len(out, bytes, (gssize)(size * n));
    return size * n;
}

// A header of the request; line ends in a value would make further ones.
static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value) {
    if (!value || !*value)
        return list;
    g_autofree char *line = g_strdup_printf("%s: %.998s", name, value);
    g_strdelimit(line, "\r\n", '?');
    struct curl_slist *longer = curl_slist_append(list, line);
    return longer ? longer : list;
}

static struct curl_slist *make_headers(const struct policy_message *m) {
    struct curl_slist *list = add_header(NULL, "IP", m->client);
    list = add_header(list, "Helo", m->helo);
    list = add_header(list, "From", m->sender && *m->sender ? m->sender : "<>");
    list = add_header(list, "Queue-Id", m->queue_id);
    list = add_header(list, "Content-Type", "application/octet-stream");
    struct curl_slist *longer = curl_slist_append(list, "Expect:"); // no waiting for 100
    list = longer ? longer : list;
    for (unsigned i = 0; i < MIN(m->n_recipients, 100); i++)
        list = add_header(list, "Rcpt", m->recipients[i]);
    return list;
}

static CURLcode post(const struct rspamd *r, const struct policy_message *m, GString *answer,
                     long *status) {
    CURL *curl = curl_easy_init();
    if (!curl)
        return CURLE_OUT_OF_MEMORY;
    struct curl_slist *headers = make_headers(m);
    gsize len;
    const void *bytes = g_bytes_get_data(m->bytes, &len);
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); // a neighbour, not the internet
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, bytes ? bytes : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code;
}

enum ec rspamd_ask(struct rspamd *r, const struct policy_message *message,
                   struct rspamd_answer *out) {
    g_autoptr(GString) answer = g_string_new(NULL);
    long status = 0;
    CURLcode code = post(r, message, answer, &status);
    enum ec ec = code == CURLE_OPERATION_TIMEDOUT     ? EC_TIMEOUT
                 : code != CURLE_OK || status != 200L ? EC_NETWORK_ERROR
                                                      : EC_OK;
    if (ec == EC_OK)
        ec = rspamd_parse(answer->str, answer->len, out);
    if (ec != EC_OK)
        log_event(LOG_LEVEL_WARNING, "policy.rspamd_failed", "url", r->url, "reason",
                  code != CURLE_OK ? curl_easy_strerror(code) : ec_text(ec), "status",
                  log_i64(status), NULL);
    return ec;
}
