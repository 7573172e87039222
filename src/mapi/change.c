// Counters, ids, XIDs and predecessor change lists.
#include "mapi/change.h"

#include <string.h>

uint64_t counter_read(struct wire_reader *r) {
    uint64_t high = wire_be16(r);
    return high << 32 | wire_be32(r);
}

void counter_put(struct wire_writer *w, uint64_t counter) {
    wire_put_be16(w, (uint16_t)(counter >> 32));
    wire_put_be32(w, (uint32_t)counter);
}

struct short_id short_id_read(struct wire_reader *r) {
    struct short_id id = {.replid = wire_u16(r)};
    id.counter = counter_read(r);
    return id;
}

void short_id_put(struct wire_writer *w, struct short_id id) {
    wire_put_u16(w, id.replid);
    counter_put(w, id.counter);
}

// The number has the wire's bytes in little-endian order, so that the counter's are turned round.
int64_t short_id_value(struct short_id id) {
    return (int64_t)(GUINT64_SWAP_LE_BE(id.counter & COUNTER_MAX) | id.replid);
}

struct short_id short_id_of_value(int64_t value) {
    uint64_t v = (uint64_t)value;
    return (struct short_id){(uint16_t)v, GUINT64_SWAP_LE_BE(v & ~UINT64_C(0xFFFF))};
}

struct gid gid_read(struct wire_reader *r) {
    struct gid gid = {.replica = wire_guid(r)};
    gid.counter = counter_read(r);
    return gid;
}

void gid_put(struct wire_writer *w, const struct gid *gid) {
    wire_put_guid(w, &gid->replica);
    counter_put(w, gid->counter);
}

struct gid long_term_id_read(struct wire_reader *r) {
    struct gid gid = gid_read(r);
    wire_skip(r, 2);
    return gid;
}

void long_term_id_put(struct wire_writer *w, const struct gid *gid) {
    gid_put(w, gid);
    wire_put_u16(w, 0);
}

// --- XIDs ---
struct xid xid_of(const struct gid *gid) {
    struct xid xid = {.space = gid->replica, .local_len = COUNTER_SIZE};
    for (unsigned i = 0; i < COUNTER_SIZE; i++)
        xid.local[i] = (uint8_t)(gid->counter >> (8 * (COUNTER_SIZE - 1 - i)));
    return xid;
}

bool xid_parse(struct prop_bin bytes, struct xid *out) {
    if (bytes.len <= 16 || bytes.len > XID_MAX_SIZE)
        return false;
    *out = (struct xid){.local_len = (uint8_t)(bytes.len - 16)};
    memcpy(out->space.bytes, bytes.data, 16);
    memcpy(out->local, bytes.data + 16, out->local_len);
    return true;
}

struct prop_bin xid_bytes(struct arena *arena, const struct xid *xid) {
    uint8_t *p = arena_alloc(arena, 16u + xid->local_len);
    memcpy(p, xid->space.bytes, 16);
    memcpy(p + 16, xid->local, xid->local_len);
    return (struct prop_bin){16u + xid->local_len, p};
}

// The change number in a namespace; they grow, whatever their length.
static uint64_t local_number(const struct xid *xid) {
    uint64_t v = 0;
    for (unsigned i = 0; i < xid->local_len; i++)
        v = v << 8 | xid->local[i];
    return v;
}

// --- Predecessor change lists ---
// By namespace, the newest change of each first.
static int compare_xids(const void *a, const void *b) {
    const struct xid *x = a, *y = b;
    int c = guid_compare(&x->space, &y->space);
    uint64_t nx = local_number(x), ny = local_number(y);
    return c ? c : nx > ny ? -1 : nx < ny;
}

// Sorts and keeps the newest of each namespace.
static struct pcl normalize(struct xid *items, unsigned n) {
    qsort(items, n, sizeof *items, compare_xids);
    unsigned kept = 0;
    for (unsigned i = 0; i < n; i++)
        if (kept == 0 || !guid_equal(&items[kept - 1].space, &items[i].space))
            items[kept++] = items[i];
    return (struct pcl){kept, items};
}

enum ec pcl_parse(struct arena *arena, struct prop_bin bytes, struct pcl *out) {
    unsigned max = bytes.len / 18; // a size, a GUID and a byte each at least
    if (max > PCL_MAX * 2)
        return EC_CORRUPT_DATA;
    struct xid *items = arena_alloc(arena, (max + 1) * sizeof *items);
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    unsigned n = 0;
    while (wire_left(&r)) {
        uint8_t size = wire_u8(&r);
        struct prop_bin xid = {size, wire_bytes(&r, size)};
        if (!wire_ok(&r) || !xid_parse(xid, &items[n++]))
            return EC_CORRUPT_DATA;
    }
    *out = normalize(items, n);
    return out->n > PCL_MAX ? EC_CORRUPT_DATA : EC_OK;
}

struct prop_bin pcl_bytes(struct arena *arena, const struct pcl *pcl) {
    uint8_t *start = arena_alloc(arena, pcl->n * (1u + XID_MAX_SIZE)), *p = start;
    for (unsigned i = 0; i < pcl->n; i++) {
        const struct xid *xid = &pcl->items[i];
        *p++ = (uint8_t)(16 + xid->local_len);
        memcpy(p, xid->space.bytes, 16);
        memcpy(p + 16, xid->local, xid->local_len);
        p += 16 + xid->local_len;
    }
    return (struct prop_bin){(uint32_t)(p - start), start};
}

enum ec pcl_merge(struct arena *arena, const struct pcl *a, const struct pcl *b, struct pcl *out) {
    struct xid *items = arena_alloc(arena, (a->n + b->n) * sizeof *items);
    if (a->n)
        memcpy(items, a->items, a->n * sizeof *items);
    if (b->n)
        memcpy(items + a->n, b->items, b->n * sizeof *items);
    struct pcl merged = normalize(items, a->n + b->n);
    if (merged.n > PCL_MAX)
        return EC_TOO_COMPLEX;
    *out = merged;
    return EC_OK;
}

enum ec pcl_add(struct arena *arena, const struct pcl *pcl, const struct xid *change,
                struct pcl *out) {
    struct pcl one = {1, change};
    return pcl_merge(arena, pcl, &one, out);
}

bool pcl_includes(const struct pcl *pcl, const struct xid *change) {
    unsigned low = 0, high = pcl->n;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (guid_compare(&pcl->items[mid].space, &change->space) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < pcl->n && guid_equal(&pcl->items[low].space, &change->space) &&
           local_number(&pcl->items[low]) >= local_number(change);
}

static bool includes_all(const struct pcl *pcl, const struct pcl *changes) {
    for (unsigned i = 0; i < changes->n; i++)
        if (!pcl_includes(pcl, &changes->items[i]))
            return false;
    return true;
}

enum pcl_order pcl_compare(const struct pcl *a, const struct pcl *b) {
    bool a_has_b = includes_all(a, b), b_has_a = includes_all(b, a);
    if (a_has_b)
        return b_has_a ? PCL_EQUAL : PCL_NEWER;
    return b_has_a ? PCL_OLDER : PCL_CONFLICT;
}
