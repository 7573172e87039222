// Minimal entry ids: numbers for guids, given once and never taken back while the server runs, so
// that all sessions under one server GUID agree ([MS-OXNSPI] 3.1.4.6).
#include "protocol/nspi/nspi_internal.h"

static guint guid_hash(gconstpointer data) {
    const struct guid *guid = data;
    guint hash = 0;
    for (unsigned i = 0; i < sizeof guid->bytes; i++)
        hash = hash * 31 + guid->bytes[i];
    return hash;
}

static gboolean guid_same(gconstpointer a, gconstpointer b) {
    return guid_equal(a, b);
}

void mid_map_init(struct mid_map *m) {
    pthread_mutex_init(&m->lock, NULL);
    m->by_guid = g_hash_table_new(guid_hash, guid_same);
    m->guids = g_ptr_array_new();
    m->arena = arena_new();
}

void mid_map_clear(struct mid_map *m) {
    g_hash_table_destroy(m->by_guid);
    g_ptr_array_free(m->guids, TRUE);
    arena_free(m->arena);
    pthread_mutex_destroy(&m->lock);
}

uint32_t mid_of(struct mid_map *m, const struct guid *guid) {
    pthread_mutex_lock(&m->lock);
    uint32_t mid = GPOINTER_TO_UINT(g_hash_table_lookup(m->by_guid, guid));
    if (mid == 0) {
        mid = MID_FIRST + m->guids->len;
        struct guid *own = arena_memdup(m->arena, guid, sizeof *guid);
        g_ptr_array_add(m->guids, own);
        g_hash_table_insert(m->by_guid, own, GUINT_TO_POINTER(mid));
    }
    pthread_mutex_unlock(&m->lock);
    return mid;
}

bool mid_guid(struct mid_map *m, uint32_t mid, struct guid *out) {
    pthread_mutex_lock(&m->lock);
    bool is_known = mid >= MID_FIRST && mid - MID_FIRST < m->guids->len;
    if (is_known)
        *out = *(struct guid *)m->guids->pdata[mid - MID_FIRST];
    pthread_mutex_unlock(&m->lock);
    return is_known;
}
