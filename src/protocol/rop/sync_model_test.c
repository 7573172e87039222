// A client with a replica of a folder: both sides change at random, synchronization is broken off
// at random, the server is started again at random. In the end both sides have the same, and no
// change was sent that the client had already. BOURSE_LONG: how many steps instead of the short
// run.
#include "protocol/rop/sync_client.h"

#define STEPS 400

struct item {
    uint64_t mid;
    char *subject;
    bool is_read;
    GBytes *pcl; // as the server told; NULL: made here
    bool is_dirty, is_read_dirty;
    bool is_on_server; // the server has had it
};

struct model {
    struct world *w;
    struct client c;
    GRand *rand;
    GHashTable *items; // by mid
    GArray *deleted;   // mids to tell the server
    GHashTable *had;   // "mid cn": changes that were taken
    struct sync_state state;
    uint64_t next_id, last_id, counter;
    unsigned n_downloaded, n_repeated;
    bool was_broken_off; // an upload: what it did comes back once
};

static void item_free(void *data) {
    struct item *i = data;
    g_free(i->subject);
    g_clear_pointer(&i->pcl, g_bytes_unref);
    g_free(i);
}

static unsigned roll(struct model *m, unsigned n) {
    return (unsigned)g_rand_int_range(m->rand, 0, (gint32)n);
}

static struct item *item_of(struct model *m, uint64_t mid, bool create) {
    struct item *i = g_hash_table_lookup(m->items, &mid);
    if (i || !create)
        return i;
    i = g_new0(struct item, 1);
    i->mid = mid;
    i->subject = g_strdup("");
    g_hash_table_insert(m->items, &i->mid, i);
    return i;
}

static struct item *any_item(struct model *m) {
    g_autoptr(GList) all = g_hash_table_get_values(m->items);
    guint n = g_list_length(all);
    return n ? g_list_nth_data(all, roll(m, n)) : NULL;
}

// --- The server's side ---

struct there {
    uint64_t mid;
    char subject[40];
    bool is_read;
};

static GArray *list_server(struct model *m) {
    GArray *out = g_array_new(FALSE, TRUE, sizeof(struct there));
    struct mailbox_view *v;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mailbox_view_open(m->w->m, FID_INBOX, &v));
    assert_ok(mbox_read(mailbox_mbox(m->w->m), &tx));
    for (uint32_t i = 0; i < mailbox_view_count(v); i++) {
        const struct message_row *row = mailbox_view_row(v, i);
        struct there t = {.mid = row->mid, .is_read = (row->flags & MSG_READ) != 0};
        struct message *message;
        if (message_open(tx, row->mid, &message) != EC_OK)
            continue;
        const char *subject = bag_str(message_peek(message)->bag, PidTagSubject);
        g_strlcpy(t.subject, subject ? subject : "", sizeof t.subject);
        message_free(message);
        g_array_append_val(out, t);
    }
    mailbox_view_free(v);
    return out;
}

struct edit {
    uint64_t mid;
    const char *subject;
};

static enum ec retitle(struct mbox_tx *tx, void *ctx) {
    const struct edit *e = ctx;
    struct message *m;
    struct prop_value v = prop_str(PidTagSubject, e->subject);
    struct prop_value t = prop_time(PidTagLastModificationTime, clock_now());
    EC_TRY(message_open(tx, e->mid, &m));
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_set_prop(m, &t);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

static void change_server(struct model *m) {
    g_autofree char *subject = g_strdup_printf("s%u", roll(m, 1000000));
    g_autoptr(GArray) all = list_server(m);
    uint64_t mid;
    unsigned what = all->len ? roll(m, 6) : 0;
    if (what == 0) {
        assert_ok(world_append(m->w, FID_INBOX, subject, roll(m, 400), &mid));
        return;
    }
    mid = g_array_index(all, struct there, roll(m, all->len)).mid;
    struct edit e = {mid, subject};
    struct mailbox_flags flags = {.mode = roll(m, 2) ? MAILBOX_FLAGS_ADD : MAILBOX_FLAGS_REMOVE,
                                  .flags = what == 2 ? MSG_FLAGGED : MSG_READ,
                                  .unchanged_since = UINT64_MAX};
    GArray *moved;
    switch (what) {
    case 1:
        assert_ok(mbox_write(mailbox_mbox(m->w->m), retitle, &e));
        break;
    case 2:
    case 3:
        assert_ok(mailbox_change_flags(m->w->m, FID_INBOX, &mid, 1, &flags, NULL));
        break;
    case 4:
        assert_ok(mailbox_expunge(m->w->m, FID_INBOX, &mid, 1));
        break;
    default:
        assert_ok(mailbox_move(m->w->m, FID_INBOX, &mid, 1, FID_DRAFTS, &moved));
        g_array_unref(moved);
    }
}

// --- The client's side ---

static void change_client(struct model *m) {
    unsigned what = roll(m, 4);
    struct item *i = any_item(m);
    if (what == 0 || !i) {
        if (m->next_id == m->last_id) {
            m->next_id = client_reserve(&m->c, 20);
            m->last_id = m->next_id + 20;
        }
        i = item_of(m, m->next_id++, true);
        i->is_dirty = true;
        i->is_read = true; // as messages are that are made by ROPs
    } else if (what == 1) {
        i->is_dirty = true;
    } else if (what == 2 && i->is_on_server) {
        i->is_read = !i->is_read;
        i->is_read_dirty = true;
        return;
    } else if (what == 3) {
        if (i->is_on_server)
            g_array_append_val(m->deleted, i->mid);
        g_hash_table_remove(m->items, &i->mid);
        return;
    }
    g_free(i->subject);
    i->subject = g_strdup_printf("c%u", roll(m, 1000000));
}

static struct prop_bin predecessors(struct model *m, struct arena *arena, const struct item *i) {
    static const struct pcl none;
    struct pcl pcl = none;
    struct gid gid = {client_space, m->counter};
    struct xid key = xid_of(&gid);
    if (i->pcl) {
        gsize len;
        const uint8_t *data = g_bytes_get_data(i->pcl, &len);
        assert_ok(pcl_parse(arena, (struct prop_bin){(uint32_t)len, data}, &pcl));
    }
    assert_ok(pcl_add(arena, &pcl, &key, &pcl));
    return pcl_bytes(arena, &pcl);
}

static void import_item(struct model *m, struct item *i) {
    ARENA_AUTO arena = arena_new();
    struct client *c = &m->c;
    m->counter++;
    struct prop_bin pcl = predecessors(m, arena, i);
    struct prop_value time = prop_time(PidTagLastModificationTime, clock_now()),
                      list = prop_bytes(PidTagPredecessorChangeList, pcl.data, pcl.len);
    put_rop2(c, 0x72, 3, 4);
    wire_put_u8(&c->rops, 0);
    wire_put_u16(&c->rops, 4);
    put_gid_value(c, PidTagSourceKey, &c->replica, i->mid);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &time);
    put_gid_value(c, PidTagChangeKey, &client_space, m->counter);
    prop_wire_put_tagged(&c->rops, &PROP_WIRE_ROP, &list);
    client_run(c);
    uint32_t result = client_result(c, 0x72);
    if (result == 0)
        result = import_fill(c, i->subject);
    if (result ==
        (uint32_t)EC_SYNC_OBJECT_DELETED) { // the server's deletion comes with the download
        globset_remove(idset_of_guid(m->state.given, &c->replica, true), i->mid, i->mid);
        g_hash_table_remove(m->items, &i->mid);
        return;
    }
    g_assert_cmphex(result, ==, 0);
    i->is_dirty = false;
    i->is_on_server = true;
    g_clear_pointer(&i->pcl, g_bytes_unref);
    i->pcl = g_bytes_new(pcl.data, pcl.len);
    globset_add(idset_of_guid(m->state.given, &c->replica, true), i->mid, i->mid);
}

static void import_reads(struct model *m) {
    struct client *c = &m->c;
    GHashTableIter it;
    gpointer value;
    struct wire_writer b = wire_writer(60000);
    g_hash_table_iter_init(&it, m->items);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct item *i = value;
        if (!i->is_read_dirty)
            continue;
        struct gid gid = {c->replica, i->mid};
        wire_put_u16(&b, GID_SIZE);
        gid_put(&b, &gid);
        wire_put_u8(&b, i->is_read);
        i->is_read_dirty = false;
    }
    if (wire_writer_len(&b) > 0) {
        put_rop(c, 0x80, 3);
        wire_put_u16(&c->rops, (uint16_t)wire_writer_len(&b));
        wire_put_bytes(&c->rops, b.bytes->data, b.bytes->len);
        client_call(c, 0x80, EC_OK);
    }
    wire_writer_clear(&b);
}

static void upload(struct model *m, bool breaks_off) {
    struct client *c = &m->c;
    struct globset *given = idset_of_guid(m->state.given, &c->replica, true);
    open_collector(c, true, &m->state);
    if (m->deleted->len > 0) {
        const uint64_t *ids = (const uint64_t *)(void *)m->deleted->data;
        put_deletes(c, roll(m, 2) ? 0x02 : 0, ids, m->deleted->len);
        client_call(c, 0x74, EC_OK);
        for (guint i = 0; i < m->deleted->len; i++)
            globset_remove(given, ids[i], ids[i]);
        g_array_set_size(m->deleted, 0);
    }
    g_autoptr(GList) all = g_hash_table_get_values(m->items);
    for (GList *l = all; l; l = l->next) {
        struct item *i = l->data;
        if (breaks_off && roll(m, 3) == 0) {
            m->was_broken_off = true;
            client_release(c, 3);
            return;
        }
        if (i->is_dirty)
            import_item(m, i);
    }
    import_reads(m);
    transfer_state(c, 3, &m->state);
    client_release(c, 3);
}

// --- Downloads ---

struct taken {
    uint64_t mid, cn;
    char *subject;
    bool is_read;
    GBytes *pcl;
};

static void taken_free(void *data) {
    struct taken *t = data;
    g_free(t->subject);
    g_clear_pointer(&t->pcl, g_bytes_unref);
    g_free(t);
}

static void take_prop(struct taken *t, const struct prop_value *v) {
    struct wire_reader r;
    switch (v->tag) {
    case PidTagSourceKey:
        r = wire_reader(v->bin.data, v->bin.len);
        t->mid = gid_read(&r).counter;
        break;
    case PidTagPredecessorChangeList:
        t->pcl = g_bytes_new(v->bin.data, v->bin.len);
        break;
    case PidTagChangeNumber:
        t->cn = short_id_of_value(v->i8).counter;
        break;
    case PidTagSubject:
        if (!t->subject)
            t->subject = g_strdup(v->str);
        break;
    case PidTagMessageFlags:
        t->is_read = v->l & 1;
        break;
    default:
        break;
    }
}

static void each_id(struct model *m, struct prop_bin bin,
                    void (*fn)(struct model *m, uint64_t mid)) {
    struct idset *set;
    assert_ok(idset_parse(bin, IDSET_REPLID, &set));
    const struct globset *own = idset_of_replid(set, REPLID_OWN, true);
    for (unsigned i = 0; i < globset_n_ranges(own); i++)
        for (uint64_t id = globset_range(own, i).low; id <= globset_range(own, i).high; id++)
            fn(m, id);
    idset_free(set);
}

static void drop(struct model *m, uint64_t mid) {
    g_hash_table_remove(m->items, &mid);
}

static void mark_read(struct model *m, uint64_t mid) {
    struct item *i = item_of(m, mid, false);
    if (i)
        i->is_read = true;
}

static void mark_unread(struct model *m, uint64_t mid) {
    struct item *i = item_of(m, mid, false);
    if (i)
        i->is_read = false;
}

// Versions in conflict come one after the other: what is made of them knows both.
static GBytes *merged(GBytes *a, GBytes *b) {
    ARENA_AUTO arena = arena_new();
    struct pcl x, y;
    gsize a_len, b_len;
    const uint8_t *a_data = g_bytes_get_data(a, &a_len), *b_data = g_bytes_get_data(b, &b_len);
    assert_ok(pcl_parse(arena, (struct prop_bin){(uint32_t)a_len, a_data}, &x));
    assert_ok(pcl_parse(arena, (struct prop_bin){(uint32_t)b_len, b_data}, &y));
    assert_ok(pcl_merge(arena, &x, &y, &x));
    struct prop_bin bytes = pcl_bytes(arena, &x);
    return g_bytes_new(bytes.data, bytes.len);
}

static void apply(struct model *m, const struct taken *t, const struct taken *before) {
    struct item *i = item_of(m, t->mid, true);
    g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %x", t->mid,
                                           t->cn, g_bytes_hash(t->pcl));
    m->n_downloaded++;
    if (!g_hash_table_add(m->had, g_steal_pointer(&key)))
        m->n_repeated++;
    g_free(i->subject);
    i->subject = g_strdup(t->subject ? t->subject : "");
    i->is_read = t->is_read;
    i->is_dirty = i->is_read_dirty = false; // the server wins
    i->is_on_server = true;
    GBytes *pcl =
        before && before->mid == t->mid && i->pcl ? merged(i->pcl, t->pcl) : g_bytes_ref(t->pcl);
    g_clear_pointer(&i->pcl, g_bytes_unref);
    i->pcl = pcl;
}

// Takes the stream apart; whole messages are applied when the state says that they were given.
static void take(struct model *m, const GByteArray *bytes, struct sync_state *state,
                 bool is_whole) {
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(taken_free);
    struct stream s;
    enum ft_marker in = 0;
    unsigned depth = 0; // in recipients, attachments
    stream_open(&s, bytes);
    for (; s.e.kind != FT_MORE; stream_next(&s)) {
        if (s.e.kind == FT_MARKER) {
            if (s.e.marker == FT_CHANGE)
                g_ptr_array_add(messages, g_new0(struct taken, 1));
            depth += s.e.marker == FT_START_RECIPIENT || s.e.marker == FT_NEW_ATTACHMENT;
            depth -= s.e.marker == FT_END_RECIPIENT || s.e.marker == FT_END_ATTACHMENT;
            in = s.e.marker;
            if (in == FT_STATE_BEGIN) {
                if (is_whole)
                    stream_state(&s, state);
                break;
            }
        } else if (depth == 0 && messages->len > 0 && in != FT_DELETIONS && in != FT_READ_STATES) {
            take_prop(messages->pdata[messages->len - 1], &s.e.value);
        } else if (s.e.value.tag == MetaTagIdsetDeleted) {
            each_id(m, s.e.value.bin, drop);
        } else if (s.e.value.tag == MetaTagIdsetRead) {
            each_id(m, s.e.value.bin, mark_read);
        } else if (s.e.value.tag == MetaTagIdsetUnread) {
            each_id(m, s.e.value.bin, mark_unread);
        }
    }
    stream_close(&s);
    for (guint i = 0; i < messages->len; i++) {
        const struct taken *t = messages->pdata[i];
        if (globset_contains(idset_of_guid(state->seen, &m->c.replica, true), t->cn))
            apply(m, t, i > 0 ? messages->pdata[i - 1] : NULL);
    }
}

static void download(struct model *m, bool breaks_off) {
    struct client *c = &m->c;
    g_autoptr(GByteArray) all = g_byte_array_new();
    uint16_t status = 1;
    client_configure(c, 1, 2, 1, SYNC_UNICODE | SYNC_READ_STATE | SYNC_FAI | SYNC_NORMAL, EXTRA_CN);
    client_upload_state(c, 2, &m->state, true);
    while (status == 1 && !(breaks_off && roll(m, 4) == 0)) {
        put_rop(c, 0x4E, 2);
        wire_put_u16(&c->rops, (uint16_t)(200 + roll(m, 2000)));
        client_call(c, 0x4E, EC_OK);
        status = wire_u16(&c->r);
        wire_skip(&c->r, 5);
        uint16_t n = wire_u16(&c->r);
        g_byte_array_append(all, wire_bytes(&c->r, n), n);
    }
    if (status == 1) { // what is there up to here is not asked for again
        transfer_state(c, 2, &m->state);
        // Deletions and read states come last and with the final state only.
        if (all->len > 0)
            take(m, all, &m->state, false);
    } else {
        take(m, all, &m->state, true);
    }
    client_release(c, 2);
}

// --- The run ---

static void check_equal(struct model *m) {
    g_autoptr(GArray) all = list_server(m);
    for (guint i = 0; i < all->len; i++) {
        const struct there *t = &g_array_index(all, struct there, i);
        const struct item *item = item_of(m, t->mid, false);
        g_assert_nonnull(item);
        g_assert_cmpstr(item->subject, ==, t->subject);
        g_assert_true(item->is_read == t->is_read);
    }
    g_assert_cmpuint(g_hash_table_size(m->items), ==, all->len);
}

static void open_client(struct model *m) {
    client_open(&m->c, m->w);
    client_open_folder(&m->c, 1, FID_INBOX);
}

static void step(struct model *m) {
    unsigned what = roll(m, 20);
    if (what < 8) {
        change_server(m);
    } else if (what < 15) {
        change_client(m);
    } else if (what < 19) {
        upload(m, roll(m, 3) == 0);
        download(m, roll(m, 2) == 0);
    } else if (roll(m, 5) == 0) { // the server is started again
        client_close(&m->c);
        world_reopen(m->w);
        open_client(m);
    }
}

static void test_model(struct world *w, gconstpointer data) {
    const char *wanted = g_getenv("BOURSE_LONG");
    unsigned steps = wanted ? (unsigned)MAX(atoi(wanted), 10000) : STEPS;
    struct model m = {.w = w,
                      .rand = g_rand_new_with_seed(g_test_rand_int()),
                      .items = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, item_free),
                      .deleted = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
                      .had = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    state_init(&m.state);
    open_client(&m);
    for (unsigned i = 0; i < steps; i++) {
        step(&m);
        if (i % 100 == 99) { // without breaking off both come to the same
            upload(&m, false);
            download(&m, false);
            check_equal(&m);
        }
    }
    upload(&m, false);
    download(&m, false);
    check_equal(&m);
    unsigned n = m.n_downloaded;
    download(&m, false); // nothing is left
    g_assert_cmpuint(m.n_downloaded, ==, n);
    g_assert_cmpuint(m.n_repeated, ==, 0);
    // All that is known is one range (MS-OXCFXICS 3.1.5.5).
    g_assert_cmpuint(globset_n_ranges(idset_of_guid(m.state.seen, &m.c.replica, true)), ==, 1);
    g_test_message("%u changes downloaded in %u steps", m.n_downloaded, steps);
    client_close(&m.c);
    world_assert_clean(w, &w->alice);
    state_clear(&m.state);
    g_hash_table_unref(m.items);
    g_hash_table_unref(m.had);
    g_array_unref(m.deleted);
    g_rand_free(m.rand);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/sync_model/random", test_model);
    return g_test_run();
}
