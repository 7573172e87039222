// A table of counted texts. A count goes up without the lock, since who takes a reference holds
// one; it goes to 0 only under the lock, so that what the table finds is alive.
#include "base/shared_text.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct shared {
    _Atomic unsigned refs;
    char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *table; // text -> struct shared; under the lock

static struct shared *shared_of(char *text) {
    return (struct shared *)(void *)(text - offsetof(struct shared, text));
}

char *shared_text_new(const char *s) {
    pthread_mutex_lock(&lock);
    if (!table)
        table = g_hash_table_new(g_str_hash, g_str_equal);
    struct shared *shared = g_hash_table_lookup(table, s);
    if (shared) {
        atomic_fetch_add(&shared->refs, 1);
    } else {
        size_t size = strlen(s) + 1;
        shared = g_malloc(sizeof *shared + size);
        atomic_init(&shared->refs, 1);
        memcpy(shared->text, s, size);
        g_hash_table_insert(table, shared->text, shared);
    }
    pthread_mutex_unlock(&lock);
    return shared->text;
}

char *shared_text_ref(char *text) {
    atomic_fetch_add(&shared_of(text)->refs, 1);
    return text;
}

static void drop_last(struct shared *shared) {
    pthread_mutex_lock(&lock);
    bool is_last = atomic_fetch_sub(&shared->refs, 1) == 1;
    if (is_last) {
        g_hash_table_remove(table, shared->text);
        if (g_hash_table_size(table) == 0) { // nothing is held at the end of the program
            g_hash_table_unref(table);
            table = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    if (is_last)
        g_free(shared);
}

void shared_text_unref(char *text) {
    struct shared *shared = shared_of(text);
    unsigned refs = atomic_load(&shared->refs);
    while (refs > 1)
        if (atomic_compare_exchange_weak(&shared->refs, &refs, refs - 1))
            return;
    drop_last(shared);
}
