// Who may do what: the only place where rights are decided ([MS-OXCPERM] 3.2.4.1).
//
// The owner of a mailbox, the administrator and those with full access may do everything. For
// others an entry of their own counts alone; without one, the entries of all groups they are in
// count together; without any, the folder's default entry does. Somebody who gave no name gets the
// anonymous entry and nothing else.
//
// Groups and full access are asked of the directory once and kept until it changes.
#include <string.h>

#include "mailbox/mailbox_internal.h"

// What the directory says of a principal, as of one generation; immutable, shared.
struct known {
    int refs;
    uint64_t generation;
    GHashTable *groups; // of struct guid
    bool has_full_access;
};

struct rights_cache {
    pthread_mutex_t lock; // of the pointer only
    struct known *known;
};

// --- What the directory says ---

static guint guid_hash(gconstpointer data) {
    guint32 h;
    memcpy(&h, ((const struct guid *)data)->bytes, sizeof h);
    return h;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

static void known_unref(struct known *k) {
    if (!k || !g_atomic_int_dec_and_test(&k->refs))
        return;
    g_hash_table_unref(k->groups);
    g_free(k);
}

struct rights_cache *rights_cache_new(void) {
    struct rights_cache *c = g_new0(struct rights_cache, 1);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void rights_cache_free(struct rights_cache *c) {
    if (!c)
        return;
    known_unref(c->known);
    pthread_mutex_destroy(&c->lock);
    g_free(c);
}

// Read without a lock held. What cannot be read gives no rights.
static struct known *known_load(const struct mailbox *m, uint64_t generation) {
    ARENA_AUTO arena = arena_new();
    struct directory *d = m->service->directory;
    struct guid *groups;
    unsigned n;
    struct known *k = g_new0(struct known, 1);
    k->refs = 1;
    k->generation = generation;
    k->groups = g_hash_table_new_full(guid_hash, guid_same, g_free, NULL);
    if (!d || m->who->is_anonymous)
        return k;
    if (directory_groups_of(d, arena, &m->who->guid, &groups, &n) == EC_OK)
        for (unsigned i = 0; i < n; i++)
            g_hash_table_add(k->groups, g_memdup2(&groups[i], sizeof groups[i]));
    k->has_full_access =
        (directory_rights(d, mbox_guid(m->mbox), &m->who->guid) & DIRECTORY_FULL_ACCESS) != 0;
    return k;
}

static struct known *known_get(const struct mailbox *m) {
    struct rights_cache *c = m->rights;
    uint64_t generation = m->service->directory ? directory_generation(m->service->directory) : 1;
    pthread_mutex_lock(&c->lock);
    struct known *k = c->known;
    if (k && k->generation == generation) {
        g_atomic_int_inc(&k->refs);
        pthread_mutex_unlock(&c->lock);
        return k;
    }
    pthread_mutex_unlock(&c->lock);
    k = known_load(m, generation);
    g_atomic_int_inc(&k->refs);
    pthread_mutex_lock(&c->lock);
    struct known *old = c->known;
    c->known = k;
    pthread_mutex_unlock(&c->lock);
    known_unref(old);
    return k;
}

bool rights_are_full(const struct mailbox *m) {
    if (m->is_owner)
        return true;
    struct known *k = known_get(m);
    bool has = k->has_full_access;
    known_unref(k);
    return has;
}

// --- One folder's list ---

static bool is_calendar(const struct mailbox *m, uint64_t fid) {
    return fid == FID_CALENDAR && !m->is_public;
}

uint32_t rights_effective(const struct mailbox *m, uint64_t fid, const char *member,
                          uint32_t stored) {
    uint32_t rights = stored & ~(uint32_t)RIGHTS_FREE_BUSY_IS_SET;
    if (!is_calendar(m, fid))
        return rights_complete(rights & ~(uint32_t)RIGHTS_FREE_BUSY);
    // Until somebody sets them, the free/busy flags follow from the rest ([MS-OXCPERM] 6, <5>).
    if (!(stored & RIGHTS_FREE_BUSY_IS_SET)) {
        rights &= ~(uint32_t)RIGHTS_FREE_BUSY;
        if (strcmp(member, "anonymous") != 0)
            rights |= RIGHTS_FREE_BUSY_SIMPLE;
        if (rights & RIGHTS_READ_ANY)
            rights |= RIGHTS_FREE_BUSY_DETAILED;
    }
    return rights_complete(rights);
}

uint32_t rights_stored(const struct mailbox *m, uint64_t fid, uint32_t before, uint32_t rights,
                       bool with_free_busy) {
    rights = rights_complete(rights);
    if (!is_calendar(m, fid))
        return rights & ~(uint32_t)RIGHTS_FREE_BUSY;
    if (with_free_busy)
        return rights | RIGHTS_FREE_BUSY_IS_SET;
    uint32_t kept = before & RIGHTS_FREE_BUSY_IS_SET
                        ? before & (RIGHTS_FREE_BUSY | RIGHTS_FREE_BUSY_IS_SET)
                        : 0;
    return (rights & ~(uint32_t)RIGHTS_FREE_BUSY) | kept;
}

// The rights that the entries of one folder give.
static uint32_t evaluate(const struct mailbox *m, const struct known *k, uint64_t fid,
                         const struct folder_permission *items, unsigned n) {
    uint32_t by_default = rights_effective(m, fid, "default", 0), by_group = 0, by_nobody = 0;
    bool in_group = false;
    for (unsigned i = 0; i < n; i++) {
        const struct folder_permission *p = &items[i];
        uint32_t rights = rights_effective(m, fid, p->member, p->rights);
        struct guid member;
        if (strcmp(p->member, "default") == 0) {
            by_default = rights;
        } else if (strcmp(p->member, "anonymous") == 0) {
            by_nobody = rights;
        } else if (!m->who->is_anonymous && guid_parse(p->member, &member)) {
            if (guid_equal(&member, &m->who->guid))
                return rights;
            if (g_hash_table_contains(k->groups, &member)) {
                by_group |= rights;
                in_group = true;
            }
        }
    }
    return m->who->is_anonymous ? by_nobody : in_group ? by_group : by_default;
}

enum ec rights_of(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out) {
    if (m->is_owner) {
        *out = RIGHTS_ALL;
        return EC_OK;
    }
    ARENA_AUTO arena = arena_new();
    struct folder_permissions list;
    EC_TRY(folder_get_permissions(tx, arena, fid, &list));
    struct known *k = known_get(m);
    *out = k->has_full_access ? (uint32_t)RIGHTS_ALL : evaluate(m, k, fid, list.items, list.n);
    known_unref(k);
    return EC_OK;
}

// --- Requiring ---

static enum ec refusal(uint32_t rights) {
    return rights & RIGHTS_VISIBLE ? EC_ACCESS_DENIED : EC_NOT_FOUND;
}

enum ec rights_require(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t needed) {
    uint32_t rights;
    EC_TRY(rights_of(m, tx, fid, &rights));
    return (rights & needed) == needed ? EC_OK : refusal(rights);
}

bool rights_is_own(const struct mailbox *m, const struct guid *creator) {
    return !guid_is_zero(creator) && guid_equal(creator, &m->who->guid);
}

enum ec rights_require_items(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                             uint32_t any, uint32_t own, const uint64_t *mids, unsigned n) {
    uint32_t rights;
    EC_TRY(rights_of(m, tx, fid, &rights));
    if (rights & any)
        return EC_OK;
    if (!(rights & own) || m->who->is_anonymous)
        return refusal(rights);
    for (unsigned i = 0; i < n; i++) {
        uint64_t in;
        struct guid creator;
        enum ec ec = message_get_creator(tx, mids[i], &in, &creator);
        if (ec == EC_NOT_FOUND || (ec == EC_OK && in != fid))
            continue; // nothing is done to it
        EC_TRY(ec);
        if (!rights_is_own(m, &creator))
            return refusal(rights);
    }
    return EC_OK;
}

enum ec rights_check(const struct mailbox *m, uint64_t fid, uint32_t needed) {
    if (m->is_owner)
        return EC_OK;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    return rights_require(m, tx, fid, needed);
}

// --- All folders at once ---

struct rights_table {
    const struct mailbox *m;
    struct known *known;
    struct folder_permissions all; // by fid
    bool is_full;
};

enum ec rights_table_new(const struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                         struct rights_table **out) {
    struct rights_table *t = arena_alloc0(arena, sizeof *t);
    t->m = m;
    t->is_full = m->is_owner;
    if (!t->is_full) {
        EC_TRY(folder_get_all_permissions(tx, arena, &t->all));
        t->known = known_get(m);
        t->is_full = t->known->has_full_access;
    }
    *out = t;
    return EC_OK;
}

void rights_table_end(struct rights_table *t) {
    if (t)
        known_unref(g_steal_pointer(&t->known));
}

// The entries of `fid`.
static const struct folder_permission *find_run(const struct rights_table *t, uint64_t fid,
                                                unsigned *n_out) {
    unsigned low = 0, high = t->all.n;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (t->all.items[mid].fid < fid)
            low = mid + 1;
        else
            high = mid;
    }
    unsigned end = low;
    while (end < t->all.n && t->all.items[end].fid == fid)
        end++;
    *n_out = end - low;
    return t->all.items + low;
}

uint32_t rights_table_of(const struct rights_table *t, uint64_t fid) {
    if (t->is_full)
        return RIGHTS_ALL;
    unsigned n;
    const struct folder_permission *items = find_run(t, fid, &n);
    return evaluate(t->m, t->known, fid, items, n);
}

enum ec rights_anywhere(const struct mailbox *m, struct mbox_tx *tx) {
    ARENA_AUTO arena = arena_new();
    struct rights_table *t;
    EC_TRY(rights_table_new(m, tx, arena, &t));
    bool found = t->is_full;
    for (unsigned i = 0; i < t->all.n && !found; i++)
        if (i == 0 || t->all.items[i].fid != t->all.items[i - 1].fid)
            found = (rights_table_of(t, t->all.items[i].fid) & ~(uint32_t)RIGHTS_FREE_BUSY) != 0;
    rights_table_end(t);
    return found ? EC_OK : EC_ACCESS_DENIED;
}

// --- Creators ---

enum ec rights_note_creator(const struct mailbox *m, struct mbox_tx *tx, uint64_t mid) {
    if (m->who->is_admin || m->who->is_anonymous || m->is_owner)
        return EC_OK;
    return message_set_creator(tx, mid, &m->who->guid);
}

enum ec rights_note_creators(const struct mailbox *m, struct mbox_tx *tx, const GArray *copied) {
    for (guint i = 0; copied && i < copied->len; i++)
        EC_TRY(rights_note_creator(m, tx, g_array_index(copied, struct message_copied, i).new_mid));
    return EC_OK;
}
