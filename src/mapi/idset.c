// Sets of counters by replica.
#include "mapi/idset.h"

// One replica, known by its GUID or by its id.
struct replica {
    enum idset_form form;
    struct guid guid;
    uint16_t replid;
    struct globset *set;
};

struct idset {
    GArray *replicas; // of struct replica
};

static void clear_replica(gpointer data) {
    globset_free(((struct replica *)data)->set);
}

struct idset *idset_new(void) {
    struct idset *set = g_new(struct idset, 1);
    set->replicas = g_array_new(FALSE, FALSE, sizeof(struct replica));
    g_array_set_clear_func(set->replicas, clear_replica);
    return set;
}

void idset_free(struct idset *set) {
    if (!set)
        return;
    g_array_unref(set->replicas);
    g_free(set);
}

static struct replica *replica_at(const struct idset *set, unsigned i) {
    return &g_array_index(set->replicas, struct replica, i);
}

static struct globset *get(const struct idset *set, const struct replica *key) {
    for (unsigned i = 0; i < set->replicas->len; i++) {
        struct replica *r = replica_at(set, i);
        if (r->form == key->form && r->replid == key->replid && guid_equal(&r->guid, &key->guid))
            return r->set;
    }
    return NULL;
}

static struct globset *get_or_create(struct idset *set, struct replica key, bool create) {
    key.set = get(set, &key);
    if (!key.set && create) {
        key.set = globset_new();
        g_array_append_val(set->replicas, key);
    }
    return key.set;
}

struct globset *idset_of_guid(struct idset *set, const struct guid *replica, bool create) {
    return get_or_create(set, (struct replica){.form = IDSET_REPLGUID, .guid = *replica}, create);
}

struct globset *idset_of_replid(struct idset *set, uint16_t replid, bool create) {
    return get_or_create(set, (struct replica){.form = IDSET_REPLID, .replid = replid}, create);
}

struct idset *idset_copy(const struct idset *set) {
    struct idset *copy = idset_new();
    idset_add_all(copy, set);
    return copy;
}

void idset_add_all(struct idset *set, const struct idset *other) {
    for (unsigned i = 0; i < other->replicas->len; i++) {
        struct replica *r = replica_at(other, i);
        globset_add_all(get_or_create(set, *r, true), r->set);
    }
}

bool idset_contains(const struct idset *set, const struct gid *gid) {
    struct replica key = {.form = IDSET_REPLGUID, .guid = gid->replica};
    const struct globset *counters = get(set, &key);
    return counters && globset_contains(counters, gid->counter);
}

bool idset_is_empty(const struct idset *set) {
    for (unsigned i = 0; i < set->replicas->len; i++)
        if (globset_n_ranges(replica_at(set, i)->set) > 0)
            return false;
    return true;
}

enum ec idset_parse(struct prop_bin bytes, enum idset_form form, struct idset **out) {
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    struct idset *set = idset_new();
    enum ec ec = EC_OK;
    while (ec == EC_OK && wire_left(&r)) {
        struct replica key = {.form = form};
        if (form == IDSET_REPLGUID)
            key.guid = wire_guid(&r);
        else
            key.replid = wire_u16(&r);
        if (set->replicas->len == IDSET_MAX_REPLICAS)
            ec = EC_TOO_COMPLEX;
        else
            ec = globset_read(&r, get_or_create(set, key, true));
    }
    if (ec == EC_OK)
        *out = set;
    else
        idset_free(set);
    return ec;
}

void idset_put(struct wire_writer *w, enum idset_form form, const struct idset *set) {
    for (unsigned i = 0; i < set->replicas->len; i++) {
        struct replica *r = replica_at(set, i);
        if (r->form != form || globset_n_ranges(r->set) == 0)
            continue;
        if (form == IDSET_REPLGUID)
            wire_put_guid(w, &r->guid);
        else
            wire_put_u16(w, r->replid);
        globset_put(w, r->set);
    }
}
