// Failure counts, oldest first in a list so that they expire, and make room, in order.
//
// Keys are kept as short keyed hashes: memory a stranger can fill has a fixed size an entry, and
// what people type as a user name (now and then their password) is not kept.
#include "auth/throttle.h"

#include <glib.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "auth/limits.h"
#include "base/clock.h"

#define KEY_SIZE crypto_shorthash_siphashx24_BYTES

struct failures {
    uint8_t key[KEY_SIZE]; // first: the hash table's key is the entry
    unsigned count;
    filetime_t last;
    GList link; // in throttle.oldest
};

struct throttle {
    pthread_mutex_t lock;
    uint8_t secret[crypto_shorthash_siphashx24_KEYBYTES];
    unsigned max_entries;
    GHashTable *entries;
    GQueue oldest; // struct failures, by `last`
};

static guint key_hash(gconstpointer key) {
    guint h;
    memcpy(&h, key, sizeof h);
    return h;
}

static gboolean key_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, KEY_SIZE) == 0;
}

struct throttle *throttle_new(unsigned max_entries) {
    struct throttle *t = g_new0(struct throttle, 1);
    pthread_mutex_init(&t->lock, NULL);
    randombytes_buf(t->secret, sizeof t->secret);
    t->max_entries = max_entries;
    t->entries = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    g_queue_init(&t->oldest);
    return t;
}

void throttle_free(struct throttle *t) {
    if (t == NULL)
        return;
    g_hash_table_destroy(t->entries); // the links are inside of the entries
    pthread_mutex_destroy(&t->lock);
    g_free(t);
}

static void remove_locked(struct throttle *t, struct failures *f) {
    g_queue_unlink(&t->oldest, &f->link);
    g_hash_table_remove(t->entries, f->key);
}

static bool is_expired(const struct failures *f, filetime_t now) {
    // A clock that was set back must not make anybody wait for it to catch up.
    return now < f->last || now - f->last >= AUTH_FAILURES_EXPIRE * FILETIME_SECOND;
}

static struct failures *find_locked(struct throttle *t, enum throttle_kind kind, const char *key,
                                    uint8_t hash_out[KEY_SIZE]) {
    g_autofree char *text = g_strdup_printf("%d %s", (int)kind, key);
    crypto_shorthash_siphashx24(hash_out, (const uint8_t *)text, strlen(text), t->secret);
    struct failures *f = g_hash_table_lookup(t->entries, hash_out);
    if (f != NULL && is_expired(f, clock_now())) {
        remove_locked(t, f);
        f = NULL;
    }
    return f;
}

static filetime_t delay(enum throttle_kind kind, unsigned count) {
    unsigned free_failures =
        kind == THROTTLE_USER ? AUTH_USER_FREE_FAILURES : AUTH_ADDRESS_FREE_FAILURES;
    uint64_t max = kind == THROTTLE_USER ? AUTH_USER_DELAY_MAX : AUTH_ADDRESS_DELAY_MAX;
    if (count < free_failures)
        return 0;
    unsigned doublings = MIN(count - free_failures, 20);
    return MIN(UINT64_C(1) << doublings, max) * FILETIME_SECOND;
}

bool throttle_is_blocked(struct throttle *t, enum throttle_kind kind, const char *key) {
    uint8_t hash[KEY_SIZE];
    pthread_mutex_lock(&t->lock);
    const struct failures *f = find_locked(t, kind, key, hash);
    bool blocked = f != NULL && clock_now() - f->last < delay(kind, f->count);
    pthread_mutex_unlock(&t->lock);
    return blocked;
}

void throttle_fail(struct throttle *t, enum throttle_kind kind, const char *key) {
    uint8_t hash[KEY_SIZE];
    pthread_mutex_lock(&t->lock);
    struct failures *f = find_locked(t, kind, key, hash);
    if (f == NULL) {
        while (g_hash_table_size(t->entries) >= t->max_entries)
            remove_locked(t, g_queue_peek_head(&t->oldest));
        f = g_new0(struct failures, 1);
        memcpy(f->key, hash, KEY_SIZE);
        f->link.data = f;
        g_hash_table_add(t->entries, f);
    } else {
        g_queue_unlink(&t->oldest, &f->link);
    }
    f->count++;
    f->last = clock_now();
    g_queue_push_tail_link(&t->oldest, &f->link);
    // What expired at the old end goes with it, so that an idle server forgets too.
    for (struct failures *old; (old = g_queue_peek_head(&t->oldest)) != f;) {
        if (!is_expired(old, f->last))
            break;
        remove_locked(t, old);
    }
    pthread_mutex_unlock(&t->lock);
}

void throttle_forget(struct throttle *t, enum throttle_kind kind, const char *key) {
    uint8_t hash[KEY_SIZE];
    pthread_mutex_lock(&t->lock);
    struct failures *f = find_locked(t, kind, key, hash);
    if (f != NULL)
        remove_locked(t, f);
    pthread_mutex_unlock(&t->lock);
}

unsigned throttle_size(struct throttle *t) {
    pthread_mutex_lock(&t->lock);
    unsigned n = g_hash_table_size(t->entries);
    pthread_mutex_unlock(&t->lock);
    return n;
}
