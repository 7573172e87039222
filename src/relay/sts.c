// Finding a domain's MTA-STS policy: its TXT record says whether there is a new one, HTTPS gives
// it, and what was fetched counts until it expires, also when neither can be had ([RFC
// 8461] 3.3, 5.1).
#include "relay/sts.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/filetime.h"
#include "base/log.h"
#include "relay/relay.h"

struct entry {
    char id[33];      // of the record it was fetched for
    char *text;       // the policy as it came; NULL: none is known
    int64_t fetched;  // unix seconds
    int64_t next_try; // after a fetch that failed
    bool is_fetching;
};

struct sts {
    const struct relay_options *options;
    const _Atomic bool *is_stopping;
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    GHashTable *entries; // domain -> struct entry
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int64_t now_unix(void) {
    return filetime_to_unix(clock_now());
}

static void entry_free(void *entry) {
    struct entry *e = entry;
    g_free(e->text);
    g_free(e);
}

enum ec sts_new(const struct relay_options *options, const _Atomic bool *is_stopping,
                struct sts **out) {
    struct sts *s = g_new0(struct sts, 1);
    pthread_once(&curl_once, init_curl);
    s->options = options;
    s->is_stopping = is_stopping;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->fetched, NULL);
    s->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    if (options->sts_dir && g_mkdir_with_parents(options->sts_dir, 0700) < 0)
        log_event(LOG_LEVEL_WARNING, "relay.sts_no_cache", "path", options->sts_dir, NULL);
    *out = s;
    return EC_OK;
}

void sts_free(struct sts *s) {
    if (!s)
        return;
    g_hash_table_unref(s->entries);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->fetched);
    g_free(s);
}

// --- On disk: "id SP fetched LF", then the policy ---

// NULL: not kept. Domains are A-labels in lower case by now; what else could be a path is not.
static char *cache_path(struct sts *s, const char *domain) {
    if (!s->options->sts_dir || domain[0] == '.' || strlen(domain) > DNS_NAME_MAX ||
        strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != strlen(domain))
        return NULL;
    return g_build_filename(s->options->sts_dir, domain, NULL);
}

static void load(struct sts *s, const char *domain, struct entry *e) {
    g_autofree char *path = cache_path(s, domain);
    g_autofree char *text = NULL;
    gsize len;
    struct stat st;
    if (!path || stat(path, &st) < 0 || st.st_size > RELAY_STS_POLICY_MAX + 100 ||
        !g_file_get_contents(path, &text, &len, NULL) || strlen(text) != len)
        return;
    char *line = strchr(text, '\n');
    char *space = line ? memchr(text, ' ', (size_t)(line - text)) : NULL;
    if (!space || space - text > 32)
        return;
    memcpy(e->id, text, (size_t)(space - text));
    e->id[space - text] = '\0';
    e->fetched = g_ascii_strtoll(space + 1, NULL, 10);
    e->text = g_strdup(line + 1);
}

static void save(struct sts *s, const char *domain, const struct entry *e) {
    g_autofree char *path = cache_path(s, domain);
    g_autofree char *text =
        g_strdup_printf("%s %" G_GINT64_FORMAT "\n%s", e->id, (gint64)e->fetched, e->text);
    if (path &&
        !g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL))
        log_event(LOG_LEVEL_WARNING, "relay.sts_not_saved", "path", path, NULL);
}

// --- Over HTTPS ---

static size_t on_data(char *data, size_t size, size_t n, void *out) {
    GString *text = out;
    if (size * n > RELAY_STS_POLICY_MAX - MIN(text->len, RELAY_STS_POLICY_MAX))
        return 0;
    g_string_append_len(text, data, (gssize)(size * n));
    return size * n;
}

static int on_progress(void *sts, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(((struct sts *)sts)->is_stopping);
}

// The host's addresses by our own resolver, as CURLOPT_RESOLVE wants them. NULL: none.
static struct curl_slist *resolve(struct sts *s, struct arena *arena, const char *host) {
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "%s:%u:", host, s->options->sts_port);
    size_t empty = line->len;
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    for (unsigned i = 0; i < 2; i++) {
        struct dns_answer answer;
        dns_lookup(s->options->dns, arena, host, types[i], &answer);
        for (unsigned k = 0; answer.status == DNS_OK && k < answer.n && k < 4; k++)
            g_string_append_printf(line, "%s%s", line->len > empty ? "," : "",
                                   answer.records[k].address);
    }
    return line->len > empty ? curl_slist_append(NULL, line->str) : NULL;
}

// The text of the policy (g_free). NULL: it cannot be had.
static char *fetch(struct sts *s, struct arena *arena, const char *domain) {
    char *host = arena_printf(arena, "mta-sts.%s", domain);
    struct curl_slist *addresses = resolve(s, arena, host);
    CURL *curl = addresses ? curl_easy_init() : NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    long status = 0;
    CURLcode code = CURLE_COULDNT_RESOLVE_HOST;
    if (curl) {
        curl_easy_setopt(curl, CURLOPT_URL,
                         arena_printf(arena, "https://%s:%u/.well-known/mta-sts.txt", host,
                                      s->options->sts_port));
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L); // [RFC 8461] 3.3
        curl_easy_setopt(curl, CURLOPT_RESOLVE, addresses);
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)RELAY_STS_FETCH_SECONDS);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        if (s->options->ca_file)
            curl_easy_setopt(curl, CURLOPT_CAINFO, s->options->ca_file);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_cleanup(curl);
    }
    curl_slist_free_all(addresses);
    struct sts_policy policy;
    bool is_good = code == CURLE_OK && status == 200 && strlen(text->str) == text->len &&
                   sts_policy_parse(text->str, text->len, arena, &policy) == EC_OK;
    if (is_good)
        return g_strdup(text->str);
    log_event(LOG_LEVEL_WARNING, "relay.sts_fetch_failed", "domain", domain, "status",
              log_i64(status), "error",
              code == CURLE_OK ? "not a policy" : curl_easy_strerror(code), NULL);
    return NULL;
}

// --- Finding ---

// The record's id. False: the domain has no policy, or nobody can tell.
static bool find_record(struct sts *s, struct arena *arena, const char *domain, char id[33]) {
    struct dns_answer answer;
    dns_lookup(s->options->dns, arena, arena_printf(arena, "_mta-sts.%s", domain), DNS_TXT,
               &answer);
    unsigned n = 0;
    char found[33];
    for (unsigned i = 0; answer.status == DNS_OK && i < answer.n; i++)
        if (g_str_has_prefix(answer.records[i].text, "v=STSv1") &&
            sts_record_parse(answer.records[i].text, found)) {
            memcpy(id, found, sizeof found);
            n++;
        }
    return n == 1; // more than one is as none ([RFC 8461] 3.1)
}

// Under the lock.
static struct entry *get_entry(struct sts *s, const char *domain) {
    struct entry *e = g_hash_table_lookup(s->entries, domain);
    if (e)
        return e;
    if (g_hash_table_size(s->entries) >= RELAY_STS_CACHE_MAX) {
        GHashTableIter iter;
        void *value;
        g_hash_table_iter_init(&iter, s->entries);
        while (g_hash_table_iter_next(&iter, NULL, &value))
            if (!((struct entry *)value)->is_fetching)
                g_hash_table_iter_remove(&iter);
    }
    e = g_new0(struct entry, 1);
    load(s, domain, e);
    g_hash_table_insert(s->entries, g_strdup(domain), e);
    return e;
}

// Whether the entry's policy is in force; read into *out.
static bool is_current(const struct entry *e, struct arena *arena, struct sts_policy *out) {
    return e->text && sts_policy_parse(e->text, strlen(e->text), arena, out) == EC_OK &&
           now_unix() < e->fetched + out->max_age && e->fetched <= now_unix();
}

// Under the lock, which is given up for the fetch. One thread fetches, the others wait for it.
static struct entry *renew(struct sts *s, struct arena *arena, const char *domain, struct entry *e,
                           const char *id) {
    e->is_fetching = true;
    pthread_mutex_unlock(&s->lock);
    char *text = fetch(s, arena, domain);
    pthread_mutex_lock(&s->lock);
    e->is_fetching = false;
    if (text) {
        g_free(e->text);
        e->text = text;
        e->fetched = now_unix();
        e->next_try = 0;
        g_strlcpy(e->id, id, sizeof e->id);
        save(s, domain, e);
    } else {
        e->next_try = now_unix() + RELAY_STS_RETRY_SECONDS;
    }
    pthread_cond_broadcast(&s->fetched);
    return e;
}

void sts_find(struct sts *s, struct arena *arena, const char *domain, struct sts_policy *out) {
    char id[33];
    bool has_record = find_record(s, arena, domain, id);
    pthread_mutex_lock(&s->lock);
    struct entry *e = get_entry(s, domain);
    while (e->is_fetching) {
        pthread_cond_wait(&s->fetched, &s->lock);
        e = get_entry(s, domain);
    }
    bool is_good = is_current(e, arena, out);
    if (has_record && (!is_good || strcmp(e->id, id) != 0) && now_unix() >= e->next_try) {
        e = renew(s, arena, domain, e, id);
        is_good = is_current(e, arena, out);
    }
    pthread_mutex_unlock(&s->lock);
    if (!is_good)
        *out = (struct sts_policy){.mode = STS_NONE};
}
