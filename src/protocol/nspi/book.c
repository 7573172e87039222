// The book: a snapshot of all entries, shared by sessions, with the tables that were asked for
// sorted once. A page of a container of any size is then a range of an array.
//
// A change of the directory makes a new book at the next call. Large books are made anew for a part
// of the time only; meanwhile sessions see the one before.
#include <sodium.h>
#include <string.h>
#include <unicode/ucol.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "protocol/nspi/limits.h"
#include "protocol/nspi/nspi_internal.h"

#define NONE UINT32_MAX

// --- Making and sharing ---

struct book *book_ref(struct book *book) {
    atomic_fetch_add(&book->refs, 1);
    return book;
}

void book_unref(struct book *book) {
    if (!book || atomic_fetch_sub(&book->refs, 1) != 1)
        return;
    for (guint i = 0; i < book->tables->len; i++) {
        struct book_table *table = book->tables->pdata[i];
        g_free(table->order);
        g_free(table->place);
        g_free(table);
    }
    g_ptr_array_free(book->tables, TRUE);
    for (unsigned i = 0; i < book->n_locales; i++) {
        ucol_close(book->locales[i].collator);
        arena_free(book->locales[i].arena);
        g_free(book->locales[i].name);
        g_free(book->locales[i].keys);
    }
    pthread_mutex_destroy(&book->lock);
    g_free(book->by_mid);
    arena_free(book->arena);
    g_free(book);
}

// A container's guid comes from its name, so that its id in clients' profiles stays right.
static struct guid container_guid(const char *name) {
    struct guid guid;
    static const char prefix[] = "address list/";
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof guid.bytes);
    crypto_generichash_update(&state, (const uint8_t *)prefix, sizeof prefix);
    crypto_generichash_update(&state, (const uint8_t *)name, strlen(name));
    crypto_generichash_final(&state, guid.bytes, sizeof guid.bytes);
    return guid;
}

static void set_container(struct book *book, struct mid_map *mids, const char *display_name,
                          bool has_entries, unsigned depth) {
    unsigned i = book->n_containers++;
    struct book_container *c = &book->containers[i];
    c->display_name = arena_strdup(book->arena, display_name);
    c->name = has_entries ? c->display_name : NULL;
    c->depth = depth;
    c->guid = container_guid(display_name);
    c->mid = i == CONTAINER_GAL ? CONTAINER_GAL : mid_of(mids, &c->guid);
}

static enum ec list_containers(struct book *book, struct mid_map *mids) {
    char **names = NULL; // the first is the GAL
    EC_TRY(directory_address_lists(book->directory, &names));
    unsigned n = g_strv_length(names);
    book->containers = arena_alloc0(book->arena, (n + 1) * sizeof *book->containers);
    for (unsigned i = 0; i < n; i++) {
        set_container(book, mids, names[i], true, i == CONTAINER_GAL ? 0 : 1);
        if (i == CONTAINER_GAL)
            set_container(book, mids, "All Address Lists", false, 0);
    }
    g_strfreev(names);
    return EC_OK;
}

static enum ec book_new(struct nspi_service *s, struct book **out) {
    struct book *book = g_new0(struct book, 1);
    book->refs = 1;
    book->directory = s->directory;
    book->arena = arena_new();
    book->tables = g_ptr_array_new();
    pthread_mutex_init(&book->lock, NULL);
    // Asked for first: a change made meanwhile makes the next book.
    book->generation = directory_generation(s->directory);
    enum ec ec = list_containers(book, &s->mids);
    struct directory_list all = {0};
    if (ec == EC_OK)
        ec = directory_address_list_members(s->directory, book->arena, book->containers[0].name, 0,
                                            INT32_MAX, &all);
    if (ec != EC_OK) {
        book_unref(book);
        return ec;
    }
    book->objects = all.items;
    book->n = all.n;
    book->mids = arena_alloc(book->arena, (all.n + 1) * sizeof *book->mids);
    uint32_t last = MID_FIRST;
    for (unsigned i = 0; i < all.n; i++) {
        book->mids[i] = mid_of(&s->mids, &all.items[i]->guid);
        last = MAX(last, book->mids[i]);
    }
    book->n_by_mid = last - MID_FIRST + 1;
    book->by_mid = g_new(uint32_t, book->n_by_mid);
    memset(book->by_mid, 0xff, book->n_by_mid * sizeof *book->by_mid);
    for (unsigned i = 0; i < all.n; i++)
        book->by_mid[book->mids[i] - MID_FIRST] = i;
    *out = book;
    return EC_OK;
}

// Whether the newest book will do: it is of today's generation, or it is large and was made so
// lately that another would take too much of the time.
static bool is_good(const struct nspi_service *s, uint64_t generation) {
    if (!s->book)
        return false;
    if (s->book->generation == generation)
        return true;
    int64_t age = g_get_monotonic_time() - s->built_us;
    return s->book->n > NSPI_SMALL_BOOK && age < s->build_us * NSPI_BUILD_SHARE;
}

static struct book *newest(struct nspi_service *s, uint64_t generation) {
    pthread_mutex_lock(&s->lock);
    struct book *book = is_good(s, generation) ? book_ref(s->book) : NULL;
    pthread_mutex_unlock(&s->lock);
    return book;
}

static enum ec renew(struct nspi_service *s, struct book **out) {
    pthread_mutex_lock(&s->build_lock);
    *out = newest(s, directory_generation(s->directory)); // somebody else made it meanwhile
    enum ec ec = EC_OK;
    if (!*out) {
        int64_t start = g_get_monotonic_time();
        ec = book_new(s, out);
        if (ec == EC_OK) {
            pthread_mutex_lock(&s->lock);
            struct book *old = s->book;
            s->book = book_ref(*out);
            s->built_us = g_get_monotonic_time();
            s->build_us = s->built_us - start;
            pthread_mutex_unlock(&s->lock);
            book_unref(old);
        }
    }
    pthread_mutex_unlock(&s->build_lock);
    return ec;
}

enum ec session_book(struct nspi_session *s) {
    struct book *book = newest(s->service, directory_generation(s->service->directory));
    if (!book)
        EC_TRY(renew(s->service, &book));
    book_unref(s->book);
    s->book = book;
    return EC_OK;
}

const struct book_container *book_container(const struct book *book, uint32_t mid) {
    for (unsigned i = 0; i < book->n_containers; i++)
        if (book->containers[i].mid == mid)
            return &book->containers[i];
    return NULL;
}

uint32_t book_index(const struct book *book, uint32_t mid) {
    return mid >= MID_FIRST && mid - MID_FIRST < book->n_by_mid ? book->by_mid[mid - MID_FIRST]
                                                                : NONE;
}

// --- Orders ([MS-OXNSPI] 3.1.4.3.5.1) ---
//
// The comparison flags ignore case, accents, width and the kind of kana: what ICU calls primary
// strength. Names that compare equal keep the directory's order.

static uint8_t *sort_key(struct arena *arena, UCollator *collator, const char *text) {
    UErrorCode error = U_ZERO_ERROR;
    int32_t len = (int32_t)strlen(text);
    UChar *wide = g_new(UChar, (gsize)len + 1);
    int32_t wide_len = 0;
    u_strFromUTF8WithSub(wide, len + 1, &wide_len, text, len, 0xFFFD, NULL, &error);
    uint8_t small[256];
    int32_t size = ucol_getSortKey(collator, wide, wide_len, small, sizeof small);
    uint8_t *key = arena_alloc(arena, (size_t)size + 1);
    if (size <= (int32_t)sizeof small)
        memcpy(key, small, (size_t)size);
    else
        ucol_getSortKey(collator, wide, wide_len, key, size);
    key[size] = 0;
    g_free(wide);
    return key;
}

static UCollator *collator_open(const char *locale) {
    UErrorCode error = U_ZERO_ERROR;
    UCollator *collator = ucol_open(locale, &error);
    if (U_FAILURE(error)) {
        error = U_ZERO_ERROR;
        collator = ucol_open("", &error);
    }
    ucol_setStrength(collator, UCOL_PRIMARY);
    return collator;
}

// The locale's index; keys of all names are made with it. book->lock is held.
static unsigned locale_index(struct book *book, uint32_t lcid) {
    char name[ULOC_FULLNAME_CAPACITY] = "";
    UErrorCode error = U_ZERO_ERROR;
    // LCID 0x409 is the default ([MS-OXNSPI] 2.2.1.4); numbers that are none sort as it does.
    uloc_getLocaleForLCID(lcid, name, sizeof name, &error);
    if (U_FAILURE(error) || lcid == 0)
        g_strlcpy(name, "en_US", sizeof name);
    for (unsigned i = 0; i < book->n_locales; i++)
        if (strcmp(book->locales[i].name, name) == 0)
            return i;
    if (book->n_locales == G_N_ELEMENTS(book->locales))
        return 0;
    struct book_locale *l = &book->locales[book->n_locales];
    l->name = g_strdup(name);
    l->collator = collator_open(name);
    l->arena = arena_new();
    l->keys = g_new(uint8_t *, book->n + 1);
    for (unsigned i = 0; i < book->n; i++)
        l->keys[i] = sort_key(l->arena, l->collator, book->objects[i]->display_name);
    return book->n_locales++;
}

static gint compare_keys(gconstpointer a, gconstpointer b, gpointer data) {
    const struct book_locale *l = data;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp((char *)l->keys[x], (char *)l->keys[y]);
    return order != 0 ? order : x < y ? -1 : x > y;
}

static guint guid_hash(gconstpointer data) {
    guint hash;
    memcpy(&hash, data, sizeof hash);
    return hash;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

// The container's entries as indexes. Those that came since the book was made are left out.
static enum ec members(struct book *book, const struct book_container *c, GArray *order) {
    if (!c->name)
        return EC_OK;
    if (c == &book->containers[CONTAINER_GAL]) {
        for (uint32_t i = 0; i < book->n; i++)
            g_array_append_val(order, i);
        return EC_OK;
    }
    ARENA_AUTO arena = arena_new();
    struct directory_list list;
    enum ec ec =
        directory_address_list_members(book->directory, arena, c->name, 0, INT32_MAX, &list);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    g_autoptr(GHashTable) index = g_hash_table_new(guid_hash, guid_same);
    for (uint32_t i = 0; i < book->n; i++)
        g_hash_table_insert(index, &book->objects[i]->guid, GUINT_TO_POINTER(i + 1));
    for (unsigned i = 0; i < list.n; i++) {
        uint32_t at = GPOINTER_TO_UINT(g_hash_table_lookup(index, &list.items[i]->guid));
        if (at > 0) {
            at--;
            g_array_append_val(order, at);
        }
    }
    return EC_OK;
}

static enum ec table_new(struct book *book, const struct book_container *c, unsigned locale,
                         struct book_table **out) {
    GArray *order = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    enum ec ec = members(book, c, order);
    if (ec != EC_OK) {
        g_array_free(order, TRUE);
        return ec;
    }
    g_array_sort_with_data(order, compare_keys, &book->locales[locale]);
    struct book_table *table = g_new0(struct book_table, 1);
    table->container = (unsigned)(c - book->containers);
    table->locale = locale;
    table->n = order->len;
    table->order = (uint32_t *)(void *)g_array_free(order, FALSE);
    table->place = g_new(uint32_t, book->n + 1);
    memset(table->place, 0xff, (book->n + 1) * sizeof *table->place);
    for (unsigned i = 0; i < table->n; i++)
        table->place[table->order[i]] = i;
    *out = table;
    return EC_OK;
}

enum ec book_table(struct book *book, const struct book_container *container, uint32_t sort_locale,
                   const struct book_table **out) {
    pthread_mutex_lock(&book->lock);
    unsigned locale = locale_index(book, sort_locale);
    unsigned index = (unsigned)(container - book->containers);
    struct book_table *found = NULL;
    for (guint i = 0; i < book->tables->len && !found; i++) {
        struct book_table *table = book->tables->pdata[i];
        if (table->container == index && table->locale == locale)
            found = table;
    }
    enum ec ec = EC_OK;
    if (!found) {
        ec = table_new(book, container, locale, &found);
        if (ec == EC_OK)
            g_ptr_array_add(book->tables, found);
    }
    pthread_mutex_unlock(&book->lock);
    if (ec == EC_OK)
        *out = found;
    return ec;
}

unsigned book_table_seek(struct book *book, const struct book_table *table, const char *name) {
    ARENA_AUTO arena = arena_new();
    // Locales never move or change once they are made; a collator may be used by one at a time.
    pthread_mutex_lock(&book->lock);
    const struct book_locale *l = &book->locales[table->locale];
    const uint8_t *key = sort_key(arena, l->collator, name);
    pthread_mutex_unlock(&book->lock);
    unsigned low = 0, high = table->n;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (strcmp((char *)l->keys[table->order[middle]], (const char *)key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
