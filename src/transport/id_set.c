// A set of queue ids.
#include "transport/id_set.h"

#include <glib.h>
#include <pthread.h>

#define IDS_MAX 100000

struct id_set {
    pthread_mutex_t lock;
    GHashTable *ids;
};

struct id_set *id_set_new(void) {
    struct id_set *s = g_new0(struct id_set, 1);
    pthread_mutex_init(&s->lock, NULL);
    s->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return s;
}

void id_set_free(struct id_set *s) {
    if (!s)
        return;
    g_hash_table_unref(s->ids);
    pthread_mutex_destroy(&s->lock);
    g_free(s);
}

bool id_set_has(struct id_set *s, const char *id) {
    pthread_mutex_lock(&s->lock);
    bool has = g_hash_table_contains(s->ids, id);
    pthread_mutex_unlock(&s->lock);
    return has;
}

void id_set_add(struct id_set *s, const char *id) {
    pthread_mutex_lock(&s->lock);
    if (g_hash_table_size(s->ids) >= IDS_MAX)
        g_hash_table_remove_all(s->ids);
    g_hash_table_add(s->ids, g_strdup(id));
    pthread_mutex_unlock(&s->lock);
}

void id_set_remove(struct id_set *s, const char *id) {
    pthread_mutex_lock(&s->lock);
    g_hash_table_remove(s->ids, id);
    pthread_mutex_unlock(&s->lock);
}
