// Settings of owners, remembered: every delivery asks for them.
#include "mailbox/owner_settings.h"

#include <pthread.h>
#include <string.h>

#include "directory/setting.h"
#include "mailbox/mailbox_internal.h"

#define CACHE_MAX 100000

struct owner_cache {
    pthread_mutex_t lock;
    uint64_t generation; // of the directory, that `owners` are from
    GHashTable *owners;  // struct cached, by guid
};

struct cached {
    struct guid guid;
    struct owner_settings settings; // strings owned
};

static guint cached_hash(gconstpointer p) {
    guint h;
    memcpy(&h, ((const struct cached *)p)->guid.bytes, sizeof h);
    return h;
}

static gboolean cached_equal(gconstpointer a, gconstpointer b) {
    return guid_equal(&((const struct cached *)a)->guid, &((const struct cached *)b)->guid);
}

static void cached_free(gpointer p) {
    struct cached *c = p;
    g_free((char *)c->settings.address);
    g_free((char *)c->settings.display_name);
    g_free((char *)c->settings.forward);
    g_free((char *)c->settings.journal);
    g_free(c);
}

struct owner_cache *owner_cache_new(void) {
    struct owner_cache *cache = g_new0(struct owner_cache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    cache->owners = g_hash_table_new_full(cached_hash, cached_equal, cached_free, NULL);
    return cache;
}

void owner_cache_free(struct owner_cache *cache) {
    if (!cache)
        return;
    g_hash_table_unref(cache->owners);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

static void take_setting(const char *name, const char *value, struct owner_settings *out) {
    if (strcmp(name, SETTING_FORWARD) == 0 && *value)
        out->forward = value;
    else if (strcmp(name, SETTING_JOURNAL) == 0 && *value)
        out->journal = value;
    else if (strcmp(name, SETTING_FORWARD_KEEP) == 0)
        out->keeps_forwarded = strcmp(value, "yes") == 0;
    else if (strcmp(name, SETTING_SENT_COPY) == 0)
        out->has_sent_copy = strcmp(value, "yes") == 0;
    else if (strcmp(name, SETTING_RECEIPTS) == 0)
        out->receipts = strcmp(value, "always") == 0  ? RECEIPTS_ALWAYS
                        : strcmp(value, "never") == 0 ? RECEIPTS_NEVER
                                                      : RECEIPTS_BY_PROTOCOL;
}

static enum ec read_settings(struct directory *d, struct arena *arena, const struct guid *mailbox,
                             struct owner_settings *out) {
    struct directory_object *owner;
    struct directory_settings all;
    *out = (struct owner_settings){0};
    enum ec ec = directory_find_guid(d, arena, mailbox, &owner);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    EC_TRY(directory_settings(d, arena, mailbox, &all));
    out->address = owner->address;
    out->display_name = owner->display_name;
    for (unsigned i = 0; i < all.n; i++)
        take_setting(all.items[i].name, all.items[i].value, out);
    return EC_OK;
}

static struct owner_settings copy(struct arena *arena, const struct owner_settings *s) {
    struct owner_settings out = *s;
    out.address = arena_strdup(arena, s->address);
    out.display_name = arena_strdup(arena, s->display_name);
    out.forward = arena_strdup(arena, s->forward);
    out.journal = arena_strdup(arena, s->journal);
    return out;
}

static struct cached *cached_new(const struct guid *guid, const struct owner_settings *s) {
    struct cached *c = g_new0(struct cached, 1);
    c->guid = *guid;
    c->settings = *s;
    c->settings.address = g_strdup(s->address);
    c->settings.display_name = g_strdup(s->display_name);
    c->settings.forward = g_strdup(s->forward);
    c->settings.journal = g_strdup(s->journal);
    return c;
}

enum ec mailbox_owner_settings(struct mailbox_service *s, struct arena *arena,
                               const struct guid *mailbox, struct owner_settings *out) {
    *out = (struct owner_settings){0};
    if (!s->directory)
        return EC_OK;
    struct owner_cache *cache = s->owners;
    uint64_t generation = directory_generation(s->directory);
    struct cached key = {.guid = *mailbox};
    pthread_mutex_lock(&cache->lock);
    if (generation != cache->generation || g_hash_table_size(cache->owners) > CACHE_MAX) {
        g_hash_table_remove_all(cache->owners);
        cache->generation = generation;
    }
    const struct cached *found = g_hash_table_lookup(cache->owners, &key);
    if (found)
        *out = copy(arena, &found->settings);
    pthread_mutex_unlock(&cache->lock);
    if (found)
        return EC_OK;
    EC_TRY(read_settings(s->directory, arena, mailbox, out));
    pthread_mutex_lock(&cache->lock);
    if (cache->generation == generation) // what was read before a change must not stay
        g_hash_table_add(cache->owners, cached_new(mailbox, out));
    pthread_mutex_unlock(&cache->lock);
    return EC_OK;
}
