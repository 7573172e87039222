// What was read lately, so that routing a recipient costs no query: addresses to objects, and
// memberships. Emptied by every change; started anew when it is full.
#include <string.h>

#include "directory/directory_internal.h"
#include "directory/limits.h"

struct cache_entry {
    struct directory_object *object; // NULL: nobody has the address
};

struct membership {
    struct guid group, who;
    bool is_member;
};

static void entry_free(gpointer data) {
    struct cache_entry *entry = data;
    g_free(entry->object);
    g_free(entry);
}

static guint membership_hash(gconstpointer data) {
    const struct membership *m = data;
    guint32 a, b;
    memcpy(&a, m->group.bytes, sizeof a);
    memcpy(&b, m->who.bytes, sizeof b);
    return a * 31 + b;
}

static gboolean membership_equal(gconstpointer a, gconstpointer b) {
    const struct membership *x = a, *y = b;
    return guid_equal(&x->group, &y->group) && guid_equal(&x->who, &y->who);
}

void cache_open(struct directory *d) {
    d->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    d->memberships = g_hash_table_new_full(membership_hash, membership_equal, g_free, NULL);
}

void cache_close(struct directory *d) {
    g_hash_table_destroy(d->addresses);
    g_hash_table_destroy(d->memberships);
}

void cache_clear_locked(struct directory *d) {
    g_hash_table_remove_all(d->addresses);
    g_hash_table_remove_all(d->memberships);
}

bool cache_find(struct directory *d, struct arena *arena, const char *key,
                struct directory_object **out) {
    pthread_rwlock_rdlock(&d->lock);
    const struct cache_entry *entry = g_hash_table_lookup(d->addresses, key);
    if (entry != NULL)
        *out = entry->object != NULL ? object_copy(arena, entry->object) : NULL;
    pthread_rwlock_unlock(&d->lock);
    return entry != NULL;
}

void cache_add(struct directory *d, const char *key, const struct directory_object *object,
               uint64_t generation) {
    struct cache_entry *entry = g_new0(struct cache_entry, 1);
    if (object != NULL)
        entry->object = object_copy(NULL, object);
    pthread_rwlock_wrlock(&d->lock);
    if (generation == d->generation) {
        if (g_hash_table_size(d->addresses) >= DIRECTORY_CACHE_ENTRIES)
            g_hash_table_remove_all(d->addresses);
        g_hash_table_insert(d->addresses, g_strdup(key), entry);
        entry = NULL;
    }
    pthread_rwlock_unlock(&d->lock);
    if (entry != NULL)
        entry_free(entry);
}

bool cache_find_membership(struct directory *d, const struct guid *group, const struct guid *who,
                           bool *out) {
    struct membership key = {*group, *who, false};
    pthread_rwlock_rdlock(&d->lock);
    const struct membership *found = g_hash_table_lookup(d->memberships, &key);
    if (found != NULL)
        *out = found->is_member;
    pthread_rwlock_unlock(&d->lock);
    return found != NULL;
}

void cache_add_membership(struct directory *d, const struct guid *group, const struct guid *who,
                          bool is_member, uint64_t generation) {
    struct membership *m = g_new0(struct membership, 1);
    *m = (struct membership){*group, *who, is_member};
    pthread_rwlock_wrlock(&d->lock);
    if (generation == d->generation) {
        if (g_hash_table_size(d->memberships) >= DIRECTORY_CACHE_ENTRIES)
            g_hash_table_remove_all(d->memberships);
        g_hash_table_add(d->memberships, m);
        m = NULL;
    }
    pthread_rwlock_unlock(&d->lock);
    g_free(m);
}
