// What changed in a folder's contents since a state, and its elements ([MS-OXCFXICS] 2.2.4.3.3,
// 2.2.4.3.11 to 2.2.4.3.18, 2.2.4.3.22, 3.2.5.3).
//
// The store tells changes after a change number; a state says which numbers the client has seen.
// All up to the end of the first range are in it, so that only what is newer has to be looked at:
// the cost is that of what changed and not of the folder.
#include "protocol/rop/transfer_internal.h"
#include "store/change.h"
#include "store/message_match.h"

static struct globset *own(const struct rop_download *d, struct idset *set) {
    return idset_of_guid(set, &d->source.object.logon->replica, true);
}

// --- Planning ---

struct planning {
    struct rop_download *d;
    struct mbox_tx *tx;
    struct globset *given, *seen, *seen_fai, *read;
};

static uint64_t since(const struct planning *p) {
    unsigned flags = p->d->flags;
    uint64_t low = UINT64_MAX;
    if (flags & SYNC_NORMAL)
        low = MIN(low, sync_low_water(p->seen));
    if (flags & SYNC_FAI)
        low = MIN(low, sync_low_water(p->seen_fai));
    if (flags & SYNC_READ_STATE)
        low = MIN(low, sync_low_water(p->read));
    return low == UINT64_MAX ? MIN(sync_low_water(p->seen), sync_low_water(p->seen_fai)) : low;
}

// Whether the message is in the scope of the operation.
static enum ec is_in_scope(const struct planning *p, uint64_t mid, bool *out) {
    struct message *m;
    *out = true;
    if (!p->d->restriction)
        return EC_OK;
    enum ec ec = message_open(p->tx, mid, &m);
    if (ec == EC_NOT_FOUND) {
        *out = false;
        return EC_OK;
    }
    EC_TRY(ec);
    ec = message_matches(p->tx, m, p->d->restriction, out);
    message_free(m);
    return ec;
}

static enum ec plan_message(struct planning *p, const struct change *c) {
    struct rop_download *d = p->d;
    bool is_new = c->is_associated
                      ? d->flags & SYNC_FAI && !globset_contains(p->seen_fai, c->message_cn)
                      : d->flags & SYNC_NORMAL && !globset_contains(p->seen, c->message_cn);
    if (is_new) {
        bool is_in;
        EC_TRY(is_in_scope(p, c->id, &is_in));
        if (is_in) {
            struct sync_item item = {.id = c->id,
                                     .cn = c->message_cn,
                                     .size = c->size,
                                     .received = c->received,
                                     .is_fai = c->is_associated};
            g_array_append_val(d->items, item);
        } else if (globset_contains(p->given, c->id) &&
                   !(d->flags & SYNC_IGNORE_NO_LONGER_IN_SCOPE)) {
            globset_add(d->out_of_scope, c->id, c->id); // MS-OXCFXICS_R2047
        }
        return EC_OK;
    }
    // MS-OXCFXICS_R2048, R2071, R2076
    if (d->flags & SYNC_READ_STATE && !c->is_associated && !d->source.object.logon->is_public &&
        !globset_contains(p->read, c->read_cn) && globset_contains(p->given, c->id)) {
        globset_add(c->is_read ? d->read : d->unread, c->id, c->id);
        globset_add(d->read_cns, c->read_cn, c->read_cn);
    }
    return EC_OK;
}

// Newest first (MS-OXCFXICS_R2198, R3502).
static gint by_delivery(gconstpointer a, gconstpointer b) {
    const struct sync_item *x = a, *y = b;
    if (x->received != y->received)
        return x->received > y->received ? -1 : 1;
    return x->id > y->id ? -1 : x->id < y->id;
}

static gint by_id(gconstpointer a, gconstpointer b) {
    const struct change *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

// A client that has messages but knows no change number: what is not there was deleted.
static void plan_missing(struct planning *p, struct change_list *list) {
    struct globset *there = globset_new();
    qsort(list->items, list->n, sizeof *list->items, by_id);
    for (unsigned i = 0; i < list->n; i++)
        globset_add(there, list->items[i].id, list->items[i].id);
    globset_add_all(p->d->deleted, p->given);
    globset_remove_all(p->d->deleted, there);
    globset_free(there);
}

enum ec contents_plan(struct rop_download *d, struct mbox_tx *tx) {
    ARENA_AUTO arena = arena_new();
    struct planning p = {d,
                         tx,
                         own(d, d->state.given),
                         own(d, d->state.seen),
                         own(d, d->state.seen_fai),
                         own(d, d->state.read)};
    struct change_list list;
    uint64_t from = since(&p);
    EC_TRY(changes_of_folder(tx, arena, d->fid, from, 0, &list));
    for (unsigned i = 0; i < list.n; i++) {
        const struct change *c = &list.items[i];
        if (c->kind != CHANGE_DELETED)
            EC_TRY(plan_message(&p, c));
        else if (globset_contains(p.given, c->id)) // MS-OXCFXICS_R2045
            globset_add(d->deleted, c->id, c->id);
    }
    if (from == 0 && globset_n_ranges(p.given) > 0)
        plan_missing(&p, &list);
    if (d->extra & EXTRA_BY_DELIVERY_TIME)
        g_array_sort(d->items, by_delivery);
    return EC_OK;
}

// --- Writing ---

static void put_header(struct rop_download *d, struct arena *arena, struct message *m,
                       const struct replica_change *change, filetime_t modified,
                       const struct sync_item *item) {
    struct ft_writer *w = d->source.w;
    struct prop_value time = prop_time(PidTagLastModificationTime, modified),
                      fai = prop_bool(PidTagAssociated, item->is_fai);
    sync_put_key(w, PidTagSourceKey, &d->source.object.logon->replica, message_mid(m));
    ft_put_value(w, &time, NULL);
    sync_put_change(w, arena, change);
    ft_put_value(w, &fai, NULL);
    if (d->extra & EXTRA_EID) { // MS-OXCFXICS_R2761
        struct prop_value v =
            prop_i8(PidTagMid, short_id_value((struct short_id){REPLID_OWN, item->id}));
        ft_put_value(w, &v, NULL);
    }
    if (d->extra & EXTRA_MESSAGE_SIZE) // MS-OXCFXICS_R2195
        ft_put_long(w, PidTagMessageSize, (int32_t)MIN(item->size, (uint64_t)INT32_MAX));
    if (d->extra & EXTRA_CN) { // MS-OXCFXICS_R2196
        struct prop_value v =
            prop_i8(PidTagChangeNumber, short_id_value((struct short_id){REPLID_OWN, item->cn}));
        ft_put_value(w, &v, NULL);
    }
}

static filetime_t modified_at(struct mbox_tx *tx, struct arena *arena, struct message *m) {
    struct prop_value v;
    if (message_get_prop(tx, m, arena, PidTagLastModificationTime, 0, &v) == EC_OK ||
        message_get_prop(tx, m, arena, PidTagMessageDeliveryTime, 0, &v) == EC_OK)
        return v.time;
    return 0;
}

static void put_head(struct rop_download *d, struct arena *arena, struct message *m,
                     const struct replica_change *change, filetime_t modified,
                     const struct sync_item *item) {
    struct ft_writer *w = d->source.w;
    if (d->flags & SYNC_PROGRESS) { // 2.2.4.3.18
        struct prop_value fai = prop_bool(PROP_TAG(0, PT_BOOLEAN), item->is_fai);
        ft_put_marker(w, FT_PROGRESS_ITEM);
        ft_put_long(w, PROP_TAG(0, PT_LONG), (int32_t)MIN(item->size, (uint64_t)INT32_MAX));
        ft_put_value(w, &fai, NULL);
    }
    ft_put_marker(w, FT_CHANGE);
    put_header(d, arena, m, change, modified, item);
    ft_put_marker(w, FT_SYNC_MESSAGE);
}

// A version of a message that is in conflict, as a change of its own. False: it is none.
static bool read_version(struct arena *arena, const struct attachment_value *a,
                         struct replica_change *out) {
    if (!a->embedded || !bag_bool(a->bag, PidTagInConflict, false))
        return false;
    return xid_parse(bag_bytes(a->embedded->bag, PidTagChangeKey), &out->key) &&
           pcl_parse(arena, bag_bytes(a->embedded->bag, PidTagPredecessorChangeList), &out->pcl) ==
               EC_OK;
}

// Whether a message is the result of a conflict and nothing was changed since: its change is then
// that of the version that won, which is the last one.
static bool is_conflict(struct arena *arena, const struct message_value *value,
                        const struct replica_change *change) {
    struct replica_change last;
    if (!(bag_long(value->bag, PidTagMessageStatus, 0) & IN_CONFLICT))
        return false;
    for (guint i = value->attachments->len; i-- > 0;)
        if (read_version(arena, value->attachments->pdata[i], &last))
            return guid_equal(&last.key.space, &change->key.space) &&
                   last.key.local_len == change->key.local_len &&
                   memcmp(last.key.local, change->key.local, last.key.local_len) == 0;
    return false;
}

// Instead of a conflict resolve message its versions (MS-OXCFXICS_R1816, R1817): whoever gets them
// finds the conflict. `*n_out` of them; 0: it is no such message.
static enum ec put_versions(struct rop_download *d, struct mbox_tx *tx, struct message *m,
                            const struct sync_item *item, const struct replica_change *change,
                            const struct fast_filter *filter, unsigned *n_out) {
    ARENA_AUTO arena = arena_new();
    const struct message_value *value = message_peek(m);
    *n_out = 0;
    if (!is_conflict(arena, value, change))
        return EC_OK;
    for (guint i = 0; i < value->attachments->len; i++) {
        const struct attachment_value *a = value->attachments->pdata[i];
        struct replica_change version;
        if (!read_version(arena, a, &version))
            continue;
        put_head(d, arena, m, &version, bag_time(a->embedded->bag, PidTagLastModificationTime),
                 item);
        EC_TRY(fast_put_version(d->source.w, tx, m, a->embedded, filter));
        (*n_out)++;
    }
    return EC_OK;
}

static enum ec put_change(struct rop_download *d, struct mbox_tx *tx, struct message *m,
                          struct sync_item *item) {
    ARENA_AUTO arena = arena_new();
    struct replica_change change;
    struct prop_value cn;
    struct fast_filter filter = {d->tags, d->n_tags, (d->flags & SYNC_ONLY_SPECIFIED) != 0};
    unsigned n_versions;
    // It may have been changed since the plan.
    EC_TRY(message_get_prop(tx, m, arena, PidTagChangeNumber, 0, &cn));
    EC_TRY(replica_message_change(tx, arena, item->id, &change));
    item->cn = short_id_of_value(cn.i8).counter;
    // MS-OXCFXICS_R2183005, R2183006
    bool is_all = item->is_fai && filter.is_inclusive && d->flags & SYNC_IGNORE_SPECIFIED_ON_FAI;
    EC_TRY(put_versions(d, tx, m, item, &change, &filter, &n_versions));
    if (n_versions > 0)
        return EC_OK;
    put_head(d, arena, m, &change, modified_at(tx, arena, m), item);
    return fast_put_message(d->source.w, tx, d->source.object.logon, m, is_all ? NULL : &filter,
                            FAST_CHILDREN | FAST_DIRECTIVES);
}

enum ec contents_put(struct rop_download *d, struct mbox_tx *tx, struct sync_item *item) {
    struct message *m;
    struct message_row row;
    uint64_t fid;
    // Moved or deleted meanwhile: the next synchronization tells.
    enum ec ec = message_get_row(tx, item->id, &fid, &row);
    if (ec == EC_OK && row.keywords)
        shared_text_unref(row.keywords);
    if (ec == EC_NOT_FOUND || (ec == EC_OK && (fid != d->fid || row.flags & MSG_SOFT_DELETED))) {
        item->cn = 0;
        return EC_OK;
    }
    EC_TRY(ec);
    EC_TRY(message_open(tx, item->id, &m));
    ec = put_change(d, tx, m, item);
    message_free(m);
    return ec;
}
