// Texts are only ever added, so that numbers stay what they are; ranks are made anew when there are
// more texts than the last ones knew, by merging the new ones in.
#include "mailbox/sort_texts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sort_texts {
    atomic_int refs;
    pthread_mutex_t lock;
    struct arena *arena;
    GHashTable *numbers; // text -> number
    GPtrArray *texts;    // by number; [0] is ""
    GArray *order;       // numbers in order, of those that `ranks` has
    GArray *ranks;       // NULL: none yet
};

struct sort_texts *sort_texts_new(void) {
    struct sort_texts *t = g_new0(struct sort_texts, 1);
    atomic_init(&t->refs, 1);
    pthread_mutex_init(&t->lock, NULL);
    t->arena = arena_new();
    t->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    t->texts = g_ptr_array_new();
    t->order = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_ptr_array_add(t->texts, (gpointer) "");
    return t;
}

struct sort_texts *sort_texts_ref(struct sort_texts *t) {
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void sort_texts_unref(struct sort_texts *t) {
    if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
        return;
    g_hash_table_unref(t->numbers);
    g_ptr_array_unref(t->texts);
    g_array_unref(t->order);
    g_clear_pointer(&t->ranks, g_array_unref);
    arena_free(t->arena);
    pthread_mutex_destroy(&t->lock);
    g_free(t);
}

uint32_t sort_texts_intern(struct sort_texts *t, const char *text) {
    if (!text || !*text)
        return 0;
    pthread_mutex_lock(&t->lock);
    uint32_t number = GPOINTER_TO_UINT(g_hash_table_lookup(t->numbers, text));
    if (number == 0) {
        char *copy = arena_strdup(t->arena, text);
        number = t->texts->len;
        g_ptr_array_add(t->texts, copy);
        g_hash_table_insert(t->numbers, copy, GUINT_TO_POINTER(number));
    }
    pthread_mutex_unlock(&t->lock);
    return number;
}

uint32_t sort_texts_count(struct sort_texts *t) {
    pthread_mutex_lock(&t->lock);
    uint32_t n = t->texts->len;
    pthread_mutex_unlock(&t->lock);
    return n;
}

static int by_text(const void *a, const void *b, void *ctx) {
    const GPtrArray *texts = ctx;
    return strcmp(texts->pdata[*(const uint32_t *)a], texts->pdata[*(const uint32_t *)b]);
}

// Texts that the order does not have yet, in order among themselves, are merged into it.
static void extend_order(struct sort_texts *t) {
    uint32_t n_old = t->order->len, n_new = t->texts->len - n_old;
    const uint32_t *old = (const uint32_t *)(const void *)t->order->data;
    g_autofree uint32_t *added = g_new(uint32_t, n_new + 1);
    for (uint32_t i = 0; i < n_new; i++)
        added[i] = n_old + i;
    qsort_r(added, n_new, sizeof *added, by_text, t->texts);
    GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), n_old + n_new);
    uint32_t i = 0, k = 0;
    while (i < n_old || k < n_new) {
        bool takes_old = k == n_new || (i < n_old && by_text(&old[i], &added[k], t->texts) < 0);
        g_array_append_vals(order, takes_old ? &old[i++] : &added[k++], 1);
    }
    g_array_unref(t->order);
    t->order = order;
}

GArray *sort_texts_ranks(struct sort_texts *t) {
    pthread_mutex_lock(&t->lock);
    if (!t->ranks || t->ranks->len < t->texts->len) {
        extend_order(t);
        g_clear_pointer(&t->ranks, g_array_unref);
        t->ranks = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), t->order->len);
        g_array_set_size(t->ranks, t->order->len);
        for (uint32_t i = 0; i < t->order->len; i++)
            g_array_index(t->ranks, uint32_t, g_array_index(t->order, uint32_t, i)) = i;
    }
    GArray *ranks = g_array_ref(t->ranks);
    pthread_mutex_unlock(&t->lock);
    return ranks;
}

const char *sort_casemap(struct arena *arena, const char *text) {
    bool is_ascii = true;
    size_t len = 0;
    for (; text[len]; len++)
        is_ascii = is_ascii && !(text[len] & 0x80);
    if (is_ascii) {
        char *out = arena_strndup(arena, text, len);
        for (size_t i = 0; i < len; i++)
            out[i] = g_ascii_toupper(out[i]);
        return out;
    }
    // [RFC 5051]: title case, then decomposed, compared as bytes.
    g_autoptr(GString) titled = g_string_sized_new(len + 8);
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)len);
    for (const char *p = valid; *p; p = g_utf8_next_char(p))
        g_string_append_unichar(titled, g_unichar_totitle(g_utf8_get_char(p)));
    g_autofree char *normal = g_utf8_normalize(titled->str, (gssize)titled->len, G_NORMALIZE_ALL);
    return arena_strdup(arena, normal ? normal : titled->str);
}
