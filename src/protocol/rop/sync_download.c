// ICS downloads: configuring them, and writing their stream ([MS-OXCFXICS] 2.2.3.2.1, 3.2.5.3,
// 3.2.5.9.1). The plan of what is downloaded is made from one snapshot when the first buffer is
// asked for; each object is read when its place in the stream comes.
#include "protocol/rop/transfer_internal.h"

enum { TYPE_CONTENTS = 0x01, TYPE_HIERARCHY = 0x02 };

static void destroy_download(struct rop_object *o) {
    struct rop_download *d = (struct rop_download *)o;
    source_clear(&d->source);
    state_clear(&d->state);
    state_clear(&d->final);
    g_free(d->tags);
    if (d->items)
        g_array_unref(d->items);
    globset_free(d->deleted);
    globset_free(d->out_of_scope);
    globset_free(d->read);
    globset_free(d->unread);
    globset_free(d->read_cns);
    arena_free(d->arena);
}

uint64_t sync_low_water(const struct globset *set) {
    if (!set || globset_n_ranges(set) == 0)
        return 0;
    struct globset_range first = globset_range(set, 0);
    return first.low <= 1 ? first.high : 0;
}

void sync_put_ids(struct ft_writer *w, proptag_t tag, const struct globset *set) {
    struct idset *ids = idset_new();
    globset_add_all(idset_of_replid(ids, REPLID_OWN, true), set);
    struct wire_writer b = wire_writer(256u * 1024 * 1024);
    idset_put(&b, IDSET_REPLID, ids);
    g_autoptr(GByteArray) bytes = wire_writer_take(&b);
    if (bytes && globset_n_ranges(set) > 0)
        ft_put_binary(w, tag, bytes->data, bytes->len);
    idset_free(ids);
}

void sync_put_key(struct ft_writer *w, proptag_t tag, const struct guid *replica,
                  uint64_t counter) {
    struct wire_writer b = wire_writer(GID_SIZE);
    struct gid gid = {*replica, counter};
    gid_put(&b, &gid);
    ft_put_binary(w, tag, b.bytes->data, b.bytes->len);
    wire_writer_clear(&b);
}

void sync_put_change(struct ft_writer *w, struct arena *arena,
                     const struct replica_change *change) {
    struct prop_bin key = xid_bytes(arena, &change->key), pcl = pcl_bytes(arena, &change->pcl);
    ft_put_binary(w, PidTagChangeKey, key.data, key.len);
    ft_put_binary(w, PidTagPredecessorChangeList, pcl.data, pcl.len);
}

// --- State ---

static struct globset *own(const struct rop_download *d, struct idset *set) {
    return idset_of_guid(set, &d->source.object.logon->replica, true);
}

// Adds the items that end within the first `taken` bytes, from `*at` on.
static void note_items(const struct rop_download *d, struct sync_state *s, unsigned *at,
                       uint64_t taken) {
    for (; *at < d->at; (*at)++) {
        const struct sync_item *item = &g_array_index(d->items, struct sync_item, *at);
        if (item->end > taken)
            break;
        if (item->cn == 0) // it was gone when its turn came
            continue;
        globset_add(own(d, s->given), item->id, item->id);
        globset_add(own(d, item->is_fai ? s->seen_fai : s->seen), item->cn, item->cn);
    }
}

void download_checkpoint(struct rop_download *d) {
    if (!d->is_started)
        return;
    note_items(d, &d->state, &d->counted, d->source.taken);
    if (d->final.given && ft_pending(d->source.w) == 0) {
        state_clear(&d->state);
        d->state = d->final;
        d->final = (struct sync_state){0};
    }
}

// Everything up to the plan's snapshot has been looked at (3.1.5.5, collapsing of ranges), unless
// the client wanted to hear only of a part.
static void collapse(struct rop_download *d, struct sync_state *s) {
    bool knows_all = !(d->flags & SYNC_NO_DELETIONS) &&
                     !(d->restriction && d->flags & SYNC_IGNORE_NO_LONGER_IN_SCOPE);
    if (!knows_all || d->last == 0)
        return;
    if (!d->is_contents || d->flags & SYNC_NORMAL)
        globset_add(own(d, s->seen), 1, d->last);
    if (d->is_contents && d->flags & SYNC_FAI)
        globset_add(own(d, s->seen_fai), 1, d->last);
    if (d->is_contents && d->flags & SYNC_READ_STATE)
        globset_add(own(d, s->read), 1, d->last);
}

// The state at the end of the stream (3.2.5.3).
static struct sync_state final_state(struct rop_download *d) {
    struct sync_state s = state_copy(&d->state);
    unsigned at = d->counted;
    note_items(d, &s, &at, UINT64_MAX);
    if (!(d->flags & SYNC_NO_DELETIONS)) {
        globset_remove_all(own(d, s.given), d->deleted);
        globset_remove_all(own(d, s.given), d->out_of_scope);
    }
    globset_add_all(own(d, s.read), d->read_cns);
    collapse(d, &s);
    return s;
}

// --- The stream ---

static void put_progress(struct rop_download *d) {
    uint64_t size[2] = {0, 0};
    uint32_t n[2] = {0, 0};
    for (guint i = 0; i < d->items->len; i++) {
        const struct sync_item *item = &g_array_index(d->items, struct sync_item, i);
        n[item->is_fai]++;
        size[item->is_fai] += item->size;
    }
    struct wire_writer b = wire_writer(64); // ProgressInformation (2.2.2.7)
    wire_put_u32(&b, 0);
    wire_put_u32(&b, n[1]);
    wire_put_u64(&b, size[1]);
    wire_put_u32(&b, n[0]);
    wire_put_u32(&b, 0);
    wire_put_u64(&b, size[0]);
    ft_put_marker(d->source.w, FT_PROGRESS_TOTAL);
    ft_put_binary(d->source.w, PROP_TAG(0, PT_BINARY), b.bytes->data, b.bytes->len);
    wire_writer_clear(&b);
}

static void put_end(struct rop_download *d) {
    struct ft_writer *w = d->source.w;
    bool has_deletions = !(d->flags & SYNC_NO_DELETIONS) &&
                         (globset_n_ranges(d->deleted) || globset_n_ranges(d->out_of_scope));
    if (has_deletions) {
        ft_put_marker(w, FT_DELETIONS);
        sync_put_ids(w, MetaTagIdsetDeleted, d->deleted);
        sync_put_ids(w, MetaTagIdsetNoLongerInScope, d->out_of_scope);
    }
    if (globset_n_ranges(d->read) || globset_n_ranges(d->unread)) {
        ft_put_marker(w, FT_READ_STATES);
        sync_put_ids(w, MetaTagIdsetRead, d->read);
        sync_put_ids(w, MetaTagIdsetUnread, d->unread);
    }
    d->final = final_state(d);
    state_put(w, &d->final, d->is_contents, true);
    ft_put_marker(w, FT_SYNC_END);
}

static enum ec plan(struct rop_download *d, struct mbox_tx *tx) {
    struct mbox_info info;
    EC_TRY(mbox_get_info(tx, d->arena, &info));
    d->is_started = true;
    d->last = info.last_change;
    d->items = g_array_new(FALSE, FALSE, sizeof(struct sync_item));
    d->deleted = globset_new();
    d->out_of_scope = globset_new();
    d->read = globset_new();
    d->unread = globset_new();
    d->read_cns = globset_new();
    EC_TRY(d->is_contents ? contents_plan(d, tx) : hierarchy_plan(d, tx));
    d->source.all_steps = d->items->len;
    if (d->is_contents && d->flags & SYNC_PROGRESS) // MS-OXCFXICS_R2187
        put_progress(d);
    return rop_account(&d->source.object, d->items->len * sizeof(struct sync_item));
}

static enum ec produce(struct rop_source *source, struct mbox_tx *tx) {
    struct rop_download *d = (struct rop_download *)source;
    if (!d->is_started)
        return plan(d, tx);
    if (d->at == d->items->len) {
        put_end(d);
        source->is_done = true;
        return EC_OK;
    }
    struct sync_item *item = &g_array_index(d->items, struct sync_item, d->at++);
    source->steps++;
    EC_TRY(d->is_contents ? contents_put(d, tx, item) : hierarchy_put(d, tx, item));
    item->end = source->taken + ft_pending(source->w);
    return EC_OK;
}

// --- Configuring ---

static enum ec read_restriction(struct rop_call *c, struct rop_download *d) {
    uint16_t len = wire_u16(c->r);
    struct wire_reader sub = wire_sub(c->r, len);
    struct prop_wire form = rop_form(&d->source.object);
    if (len == 0)
        return EC_OK;
    // What is read borrows from the bytes.
    sub.data = arena_memdup(d->arena, sub.data, sub.len);
    EC_TRY(restriction_read(&sub, &form, d->arena, &d->restriction));
    return wire_left(&sub) == 0 ? EC_OK : EC_INVALID_PARAMETER;
}

static enum ec configure(struct rop_call *c, struct rop_download *d, uint8_t type,
                         uint8_t send_options) {
    d->is_contents = type == TYPE_CONTENTS;
    d->arena = arena_new();
    state_init(&d->state);
    EC_TRY(source_init(&d->source, send_options));
    d->source.produce = produce;
    d->flags = wire_u16(c->r);
    EC_TRY(read_restriction(c, d));
    d->extra = wire_u32(c->r);
    EC_TRY(fast_read_tags(c, &d->tags, &d->n_tags));
    // MS-OXCFXICS_R2160, R2695, R2180, R2189
    if ((type != TYPE_CONTENTS && type != TYPE_HIERARCHY) || d->flags & SYNC_RESERVED ||
        d->flags & ~(unsigned)SYNC_KNOWN || !wire_ok(c->r))
        return EC_INVALID_PARAMETER;
    if (d->flags & SYNC_NO_DELETIONS) // MS-OXCFXICS_R2166
        d->flags |= SYNC_IGNORE_NO_LONGER_IN_SCOPE;
    MBOX_TX_AUTO tx = NULL;
    struct rop_logon *logon = d->source.object.logon;
    EC_TRY(mbox_read(logon->mbox, &tx));
    return mailbox_require(logon->mailbox, tx, d->fid,
                           d->is_contents ? RIGHTS_READ_ANY : RIGHTS_VISIBLE);
}

enum ec rop_synchronization_configure(struct rop_call *c) {
    uint8_t type = wire_u8(c->r), send_options = wire_u8(c->r);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    if (f->type == FOLDER_TYPE_SEARCH && type == TYPE_CONTENTS)
        return EC_NOT_SUPPORTED;
    struct rop_download *d = g_new0(struct rop_download, 1);
    EC_TRY(rop_object_init(&d->source.object, ROP_SYNC_DOWNLOAD, &f->object, destroy_download));
    d->fid = f->fid;
    enum ec ec = configure(c, d, type, send_options);
    if (ec == EC_OK)
        return rop_give(c, &d->source.object);
    rop_object_free(&d->source.object);
    return ec;
}
