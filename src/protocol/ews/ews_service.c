// The service behind all requests: its options, what operations keep in it, how many requests a
// user may have at a time.
#include "protocol/ews/ews_service.h"

#define DEFAULT_CONCURRENT 27 // EWSMaxConcurrency of Exchange's default throttling policy

enum ec ews_service_new(const struct ews_options *options, struct ews_service **out) {
    struct ews_service *s = g_new0(struct ews_service, 1);
    s->options = *options;
    s->options.hostname = g_strdup(options->hostname ? options->hostname : "localhost");
    s->options.spool_dir = g_strdup(options->spool_dir);
    s->options.track_dir = g_strdup(options->track_dir);
    if (s->options.max_concurrent == 0)
        s->options.max_concurrent = DEFAULT_CONCURRENT;
    if (s->options.max_answer == 0)
        s->options.max_answer = EWS_MAX_ANSWER;
    pthread_mutex_init(&s->lock, NULL);
    s->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    *out = s;
    return EC_OK;
}

void ews_service_free(struct ews_service *s) {
    if (!s)
        return;
    for (unsigned i = 0; i < EWS_SLOTS; i++)
        if (s->slots[i].value && s->slots[i].free)
            s->slots[i].free(s->slots[i].value);
    g_hash_table_destroy(s->busy);
    pthread_mutex_destroy(&s->lock);
    g_free((char *)s->options.hostname);
    g_free((char *)s->options.spool_dir);
    g_free((char *)s->options.track_dir);
    g_free(s);
}

void *ews_slot(struct ews_service *s, enum ews_slot slot) {
    pthread_mutex_lock(&s->lock);
    void *value = s->slots[slot].value;
    pthread_mutex_unlock(&s->lock);
    return value;
}

void *ews_slot_make(struct ews_service *s, enum ews_slot slot, void *(*make)(struct ews_service *s),
                    void (*free)(void *)) {
    pthread_mutex_lock(&s->lock);
    if (!s->slots[slot].value) {
        s->slots[slot].value = make(s);
        s->slots[slot].free = free;
    }
    void *value = s->slots[slot].value;
    pthread_mutex_unlock(&s->lock);
    return value;
}

const struct ews_options *ews_service_options(const struct ews_service *s) {
    return &s->options;
}

struct mailbox_service *ews_service_mailboxes(struct ews_service *s) {
    return s->options.mailboxes;
}

bool ews_service_enter(struct ews_service *s, const char *user) {
    pthread_mutex_lock(&s->lock);
    unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(s->busy, user));
    bool is_let_in = n < s->options.max_concurrent;
    if (is_let_in)
        g_hash_table_replace(s->busy, g_strdup(user), GUINT_TO_POINTER(n + 1));
    pthread_mutex_unlock(&s->lock);
    return is_let_in;
}

void ews_service_leave(struct ews_service *s, const char *user) {
    pthread_mutex_lock(&s->lock);
    unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(s->busy, user));
    if (n > 1)
        g_hash_table_replace(s->busy, g_strdup(user), GUINT_TO_POINTER(n - 1));
    else
        g_hash_table_remove(s->busy, user);
    pthread_mutex_unlock(&s->lock);
}
