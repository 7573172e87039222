// The views of a mailbox that somebody has or had: found by what was asked for, renewed for all at
// once, dropped when nobody uses them.
//
// Locks, in this order: all caches (for the budget), a cache (its sets), a set. A set's lock is
// held while its columns are read from the database, so that two who open a folder read it once.
#include <string.h>

#include "mapi/props.h"
#include "store/view_internal.h"

#define MEMORY_BUDGET ((size_t)256 * 1024 * 1024)
#define KEEP_USEC (600 * G_USEC_PER_SEC)

struct view_cache {
    pthread_mutex_t lock;
    GPtrArray *sets; // of struct view_set
};

static pthread_mutex_t caches_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *caches; // every mailbox's
static _Atomic size_t memory, budget;

// --- Memory ---

void view_memory_add(ssize_t bytes) {
    atomic_fetch_add_explicit(&memory, (size_t)bytes, memory_order_relaxed);
}

size_t view_memory(void) {
    return atomic_load(&memory);
}

void view_set_memory_budget(size_t bytes) {
    atomic_store(&budget, bytes);
}

static bool is_over_budget(void) {
    size_t max = atomic_load(&budget);
    return view_memory() > (max ? max : MEMORY_BUDGET);
}

// --- Keys ---

static void key_free(struct view_key *key) {
    view_unref(key->newest);
    g_bytes_unref(key->id);
    arena_free(key->arena);
    g_free(key);
}

// Only the cache has its view.
static bool key_is_unused(const struct view_key *key) {
    int expected = key->newest ? 1 : 0;
    return g_atomic_int_get(&key->snapshots) == expected &&
           (!key->newest || g_atomic_int_get(&key->newest->refs) == 1);
}

static GBytes *key_id(const struct view_spec *spec, const struct sort_order *sort) {
    struct wire_writer w = wire_writer(16 * 1024 * 1024);
    struct prop_wire form = PROP_WIRE_EXTENDED;
    wire_put_u8(&w, (uint8_t)spec->kind);
    sort_order_put(&w, sort);
    if (spec->restriction)
        restriction_put(&w, &form, spec->restriction);
    GByteArray *bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    return bytes ? g_byte_array_free_to_bytes(bytes) : NULL;
}

// The restriction is read back from its bytes: the caller's may go.
static enum ec copy_restriction(struct view_key *key) {
    size_t n;
    const uint8_t *data = g_bytes_get_data(key->id, &n);
    struct wire_reader r = wire_reader(data, n);
    struct prop_wire form = PROP_WIRE_EXTENDED;
    struct sort_order sort;
    struct restriction *res;
    wire_u8(&r);
    EC_TRY(sort_order_read(&r, &sort));
    EC_TRY(restriction_read(&r, &form, key->arena, &res));
    key->restriction = res;
    key->limit = restriction_count_limit(res);
    return EC_OK;
}

static void describe_sort(struct view_key *key) {
    for (unsigned i = 0; i < key->sort.n; i++) {
        const struct sort_column *c = &key->sort.columns[i];
        key->has_instances |= c->is_instance;
        if (c->direction == SORT_MAXIMUM_CATEGORY && i > 0 && !key->maximum)
            key->maximum = i;
    }
}

static struct view_key *find_key(struct view_set *set, GBytes *id) {
    for (guint i = 0; i < set->keys->len; i++) {
        struct view_key *key = set->keys->pdata[i];
        if (g_bytes_equal(key->id, id))
            return key;
    }
    return NULL;
}

static enum ec need_key(struct view_set *set, const struct view_spec *spec, struct view_key **out);

// What groups are made of: the messages by group, the one that stands for it first.
static enum ec need_members(struct view_set *set, struct view_key *key) {
    struct sort_order by = {0};
    struct view_spec spec = {set->fid, VIEW_CONTENTS, &by, key->restriction};
    if (key->kind == VIEW_CONVERSATIONS) {
        by.n = 2;
        by.columns[0] = (struct sort_column){PidTagConversationId, SORT_ASCENDING, false};
        by.columns[1] = (struct sort_column){PidTagMessageDeliveryTime, SORT_DESCENDING, false};
    } else {
        by.n = key->sort.n;
        memcpy(by.columns, key->sort.columns, by.n * sizeof *by.columns);
        for (unsigned i = 0; i < by.n; i++)
            if (by.columns[i].direction == SORT_MAXIMUM_CATEGORY)
                by.columns[i].direction = SORT_DESCENDING;
        spec.kind = key->kind;
    }
    return need_key(set, &spec, &key->members);
}

static enum ec new_key(struct view_set *set, const struct view_spec *spec,
                       const struct sort_order *sort, GBytes *id, struct view_key **out) {
    struct view_key *key = g_new0(struct view_key, 1);
    key->set = set;
    key->kind = spec->kind;
    key->sort = *sort;
    key->id = g_bytes_ref(id);
    key->arena = arena_new();
    key->limit = UINT32_MAX;
    enum ec ec = spec->restriction ? copy_restriction(key) : EC_OK;
    if (key->kind == VIEW_CONVERSATIONS) // a conversation stands once
        for (unsigned i = 0; i < key->sort.n; i++) {
            if (key->sort.columns[i].is_instance)
                key->sort.columns[i].tag |= PT_MV;
            key->sort.columns[i].is_instance = false;
        }
    else
        describe_sort(key);
    if (ec == EC_OK && (key->kind == VIEW_CONVERSATIONS || key->maximum))
        ec = need_members(set, key);
    if (ec != EC_OK) {
        key_free(key);
        return ec;
    }
    g_ptr_array_add(set->keys, key);
    *out = key;
    return EC_OK;
}

static enum ec need_key(struct view_set *set, const struct view_spec *spec, struct view_key **out) {
    struct sort_order sort = {.n = 1,
                              .columns = {{PidTagMessageDeliveryTime, SORT_DESCENDING, false}}};
    if (spec->sort && spec->sort->n > 0)
        sort = *spec->sort;
    if (sort.n > SORT_ORDER_MAX)
        return EC_TOO_COMPLEX;
    sort.n_expanded = 0; // a matter of the handle
    if (spec->kind == VIEW_CONVERSATIONS)
        sort.n_categories = 0;
    g_autoptr(GBytes) id = key_id(spec, &sort);
    if (!id)
        return EC_TOO_COMPLEX;
    *out = find_key(set, id);
    return *out ? EC_OK : new_key(set, spec, &sort, id, out);
}

static void remove_key(struct view_set *set, struct view_key *key) {
    g_ptr_array_remove(set->keys, key);
    key_free(key);
}

static bool is_members_of_some(const struct view_set *set, const struct view_key *key) {
    for (guint i = 0; i < set->keys->len; i++)
        if (((struct view_key *)set->keys->pdata[i])->members == key)
            return true;
    return false;
}

// --- Sets ---

static void set_free(struct view_set *set) {
    // Those that are made of others first.
    for (guint i = set->keys->len; i-- > 0;)
        key_free(set->keys->pdata[i]);
    g_ptr_array_unref(set->keys);
    g_array_unref(set->log);
    g_array_unref(set->saved_tags);
    columns_unref(set->cols);
    pthread_mutex_destroy(&set->lock);
    g_free(set);
}

static struct view_set *set_new(struct view_cache *cache, uint64_t fid, enum view_kind kind) {
    struct view_set *set = g_new0(struct view_set, 1);
    set->cache = cache;
    set->fid = fid;
    set->kind = kind;
    pthread_mutex_init(&set->lock, NULL);
    set->log = g_array_new(FALSE, FALSE, sizeof(struct log_entry));
    set->keys = g_ptr_array_new();
    set->saved_tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    return set;
}

// In use until release_set.
static struct view_set *use_set(struct view_cache *cache, uint64_t fid, enum view_kind kind) {
    struct view_set *set = NULL;
    if (kind == VIEW_CONVERSATIONS)
        kind = VIEW_CONTENTS;
    pthread_mutex_lock(&cache->lock);
    for (guint i = 0; i < cache->sets->len && !set; i++) {
        struct view_set *s = cache->sets->pdata[i];
        if (s->fid == fid && s->kind == kind)
            set = s;
    }
    if (!set) {
        set = set_new(cache, fid, kind);
        g_ptr_array_add(cache->sets, set);
    }
    set->users++;
    pthread_mutex_unlock(&cache->lock);
    return set;
}

static void release_set(struct view_set *set) {
    struct view_cache *cache = set->cache;
    pthread_mutex_lock(&cache->lock);
    set->users--;
    pthread_mutex_unlock(&cache->lock);
}

struct view_cache *view_cache_new(void) {
    struct view_cache *cache = g_new0(struct view_cache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    cache->sets = g_ptr_array_new();
    pthread_mutex_lock(&caches_lock);
    if (!caches)
        caches = g_ptr_array_new();
    g_ptr_array_add(caches, cache);
    pthread_mutex_unlock(&caches_lock);
    return cache;
}

void view_cache_free(struct view_cache *cache) {
    if (!cache)
        return;
    pthread_mutex_lock(&caches_lock);
    g_ptr_array_remove(caches, cache);
    if (caches->len == 0)
        g_clear_pointer(&caches, g_ptr_array_unref);
    pthread_mutex_unlock(&caches_lock);
    for (guint i = 0; i < cache->sets->len; i++)
        set_free(cache->sets->pdata[i]);
    g_ptr_array_unref(cache->sets);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

// --- Dropping what nobody uses ---

// The set's lock is held.
static void drop_keys(struct view_set *set, gint64 before) {
    for (guint i = set->keys->len; i-- > 0;) {
        struct view_key *key = set->keys->pdata[i];
        if (key->used <= before && key_is_unused(key) && !is_members_of_some(set, key))
            remove_key(set, key);
    }
}

static void drop_unused(struct view_cache *cache, gint64 before) {
    pthread_mutex_lock(&cache->lock);
    for (guint i = cache->sets->len; i-- > 0;) {
        struct view_set *set = cache->sets->pdata[i];
        if (set->users > 0 || pthread_mutex_trylock(&set->lock) != 0)
            continue;
        drop_keys(set, before);
        bool is_empty = set->keys->len == 0;
        pthread_mutex_unlock(&set->lock);
        if (is_empty) {
            g_ptr_array_remove_index(cache->sets, i);
            set_free(set);
        }
    }
    pthread_mutex_unlock(&cache->lock);
}

void view_cache_trim(struct mbox *mbox) {
    drop_unused(mbox->views, g_get_monotonic_time() - KEEP_USEC);
}

// The longest unused first, of all mailboxes.
static void keep_budget(void) {
    static const gint64 ages[] = {60 * G_USEC_PER_SEC, 10 * G_USEC_PER_SEC, G_USEC_PER_SEC, 0};
    if (!is_over_budget())
        return;
    gint64 now = g_get_monotonic_time();
    pthread_mutex_lock(&caches_lock);
    for (unsigned a = 0; a < G_N_ELEMENTS(ages) && is_over_budget(); a++)
        for (guint i = 0; i < caches->len && is_over_budget(); i++)
            drop_unused(caches->pdata[i], now - ages[a]);
    pthread_mutex_unlock(&caches_lock);
}

// --- Getting and renewing ---

static enum ec need_columns(struct view_set *set, struct mbox_tx *tx, const struct view_key *key) {
    for (unsigned i = 0; i < key->sort.n; i++) {
        const struct sort_column *c = &key->sort.columns[i];
        EC_TRY(set_need_column(set, tx, c->is_instance ? c->tag | PT_MV : c->tag));
    }
    if (key->members)
        EC_TRY(need_columns(set, tx, key->members)); // which has no members of its own
    if (!key->restriction)
        return EC_OK;
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    restriction_tags(key->restriction, tags);
    for (guint i = 0; i < tags->len; i++) {
        enum ec ec = set_need_column(set, tx, g_array_index(tags, proptag_t, i));
        if (ec != EC_OK && ec != EC_TOO_COMPLEX) // asked of the messages instead
            return ec;
    }
    return EC_OK;
}

// The set's lock is held.
static enum ec renew(struct mbox *mbox, struct view_set *set, struct view_key *key,
                     struct view **out) {
    // Read before the snapshot is taken: what commits in between is seen again the next time.
    uint64_t commits = atomic_load(&mbox->commits);
    set->used = key->used = g_get_monotonic_time();
    if (set->cols && set->commits == commits && key->newest && key->newest->cols == set->cols &&
        key->seq == set->seq) {
        *out = view_ref(key->newest);
        return EC_OK;
    }
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(set_refresh(set, tx));
    set->commits = commits;
    EC_TRY(need_columns(set, tx, key));
    return view_make(tx, key, out);
}

enum ec view_get(struct mbox *mbox, const struct view_spec *spec, struct view **out) {
    struct view_set *set = use_set(mbox->views, spec->fid, spec->kind);
    struct view_key *key;
    pthread_mutex_lock(&set->lock);
    enum ec ec = need_key(set, spec, &key);
    if (ec == EC_OK) {
        ec = renew(mbox, set, key, out);
        if (ec != EC_OK && !key->newest && !is_members_of_some(set, key))
            remove_key(set, key); // no folder, or a column that cannot be
    }
    pthread_mutex_unlock(&set->lock);
    release_set(set);
    keep_budget();
    return ec;
}

enum ec view_renew(struct mbox *mbox, const struct view *v, struct view **out) {
    struct view_set *set = v->key->set; // stays while somebody has a view of it
    pthread_mutex_lock(&set->lock);
    enum ec ec = renew(mbox, set, v->key, out);
    pthread_mutex_unlock(&set->lock);
    return ec;
}

// --- Saving ---

static bool is_saved(const struct view_set *set, proptag_t tag) {
    for (guint i = 0; i < set->saved_tags->len; i++)
        if (g_array_index(set->saved_tags, proptag_t, i) == tag)
            return true;
    return false;
}

static bool has_new_columns(const struct view_set *set) {
    for (unsigned i = 0; i < set->cols->n_columns; i++)
        if (set->cols->list[i]->source != FROM_SLOT && !is_saved(set, set->cols->list[i]->tag))
            return true;
    return false;
}

// Saved again when a column came or about a tenth has changed since: each delivery takes about
// three numbers of the counter.
static bool wants_saving(const struct view_set *set) {
    if (set->kind != VIEW_CONTENTS || !set->cols)
        return false;
    uint32_t n = set->cols->n - set->cols->n_dead;
    return n >= COLUMNS_SAVE_MIN && (set->saved == 0 || has_new_columns(set) ||
                                     set->modseq - set->saved > (uint64_t)n * 3 / 10);
}

// Columns that are saved of an older state go with the others, when there is room to load them.
static void load_saved_columns(struct mbox *mbox, struct view_set *set) {
    MBOX_TX_AUTO tx = NULL;
    if (is_over_budget() || mbox_read(mbox, &tx) != EC_OK || set_refresh(set, tx) != EC_OK)
        return;
    for (guint i = 0; i < set->saved_tags->len; i++)
        if (set_need_column(set, tx, g_array_index(set->saved_tags, proptag_t, i)) != EC_OK)
            return;
}

static struct columns_saving *begin_saving(struct mbox *mbox, struct view_set *set) {
    struct columns_saving *s = NULL;
    pthread_mutex_lock(&set->lock);
    if (wants_saving(set)) {
        bool is_same = set->saved == set->modseq;
        if (!is_same)
            load_saved_columns(mbox, set);
        s = columns_saving_new(set->cols, set->modseq, set->uid_validity,
                               is_same ? set->saved_tags : NULL);
        if (!is_same)
            g_array_set_size(set->saved_tags, 0);
        set->saved = set->modseq;
        for (unsigned i = 0; i < set->cols->n_columns; i++) {
            const struct column *c = set->cols->list[i];
            if (c->source != FROM_SLOT && !is_saved(set, c->tag))
                g_array_append_val(set->saved_tags, c->tag);
        }
    }
    pthread_mutex_unlock(&set->lock);
    return s;
}

void view_cache_save(struct mbox *mbox) {
    struct view_cache *cache = mbox->views;
    g_autoptr(GPtrArray) sets = g_ptr_array_new();
    pthread_mutex_lock(&cache->lock);
    for (guint i = 0; i < cache->sets->len; i++) {
        struct view_set *set = cache->sets->pdata[i];
        set->users++;
        g_ptr_array_add(sets, set);
    }
    pthread_mutex_unlock(&cache->lock);
    for (guint i = 0; i < sets->len; i++) {
        struct columns_saving *s = begin_saving(mbox, sets->pdata[i]);
        if (s) {
            columns_saving_encode(s);
            mbox_write(mbox, columns_saving_write, s); // a failure costs only time later
            columns_saving_free(s);
        }
        release_set(sets->pdata[i]);
    }
}
