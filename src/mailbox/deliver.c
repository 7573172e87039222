// Delivery: messages from the queue into inboxes. Each message is scanned and converted once,
// however many mailboxes it goes to; what goes to the same mailbox is one transaction. The delivery
// id, noted in that transaction, makes a message that the queue delivers twice arrive once. Before
// it, hooks say what becomes of each message (deliver_hooks.h).
#include <string.h>

#include "base/log.h"
#include "convert/convert.h"
#include "mailbox/deliver_hooks.h"
#include "mapi/props.h"
#include "store/duplicate.h"
#include "store/public_store.h"
#include "store/rule.h"

// A message ready to be stored.
struct prepared {
    struct message_value *value;
    GString *envelope, *structure;
};

// The deliveries to one mailbox.
struct batch {
    struct mailbox_delivery **items;
    struct prepared **prepared;
    enum ec *results;
    struct delivery_plan *plans;
    unsigned n;
    struct mailbox_limits limits;
    uint64_t duplicates; // ticks; 0: Message-IDs are not remembered
};

static void prepared_free(void *data) {
    struct prepared *p = data;
    message_value_free(p->value);
    g_string_free(p->envelope, true);
    g_string_free(p->structure, true);
    g_free(p);
}

static struct prepared *prepare(const struct mailbox_delivery *d) {
    GBytes *mime = d->mime;
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    struct mime_message *scanned = mime_scan(arena, data ? data : "", len);
    struct message_value *value;
    if (convert_mime_to_message(scanned, &value) != EC_OK)
        return NULL;
    struct prepared *p = g_new0(struct prepared, 1);
    p->value = value;
    junk_stamp(value, d->scl, d->pcl);
    p->envelope = g_string_new(NULL);
    p->structure = g_string_new(NULL);
    mime_imap_envelope(scanned, scanned->root, p->envelope);
    mime_imap_bodystructure(scanned, true, p->structure);
    return p;
}

// --- Inside the transaction ---

// The folder for a plus-address's detail: one that the user made, or Archive or Junk, so that
// nobody outside can put mail among the drafts or the sent items.
static uint64_t folder_for(struct mbox_tx *tx, const char *detail) {
    uint64_t fid;
    if (!detail || (folder_find(tx, FID_IPM_SUBTREE, detail, &fid) != EC_OK &&
                    folder_find(tx, FID_INBOX, detail, &fid) != EC_OK))
        return FID_INBOX;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    bool is_allowed = fid >= FID_FIRST_FREE || fid == FID_ARCHIVE || fid == FID_JUNK;
    if (!is_allowed || folder_get(tx, arena, fid, &info) != EC_OK || info.is_hidden ||
        info.type != FOLDER_TYPE_GENERIC ||
        (*info.container_class && !g_str_has_prefix(info.container_class, "IPF.Note")))
        return FID_INBOX;
    return fid;
}

// What a rule sets on the message itself.
static enum ec set_tags(struct mbox_tx *tx, uint64_t mid, const GArray *tags) {
    struct message *m;
    EC_TRY(message_open(tx, mid, &m));
    for (guint i = 0; i < tags->len; i++)
        message_set_prop(m, &g_array_index(tags, struct prop_value, i)); // what cannot be set stays
    enum ec ec = message_save(tx, m, MESSAGE_SAVE_FORCE);
    message_free(m);
    return ec;
}

static enum ec put_copies(struct mbox_tx *tx, const struct delivery_plan *plan, uint64_t fid,
                          uint64_t mid) {
    for (guint i = 0; plan->copies && i < plan->copies->len; i++) {
        enum ec ec = message_copy(tx, fid, &mid, 1, g_array_index(plan->copies, uint64_t, i), NULL);
        if (ec != EC_NOT_FOUND) // a folder that has gone since
            EC_TRY(ec);
    }
    return EC_OK;
}

static enum ec deliver_one(struct mbox_tx *tx, uint64_t fid, const struct mailbox_delivery *d,
                           const struct prepared *p, const struct delivery_plan *plan) {
    struct message_new spec = {
        .value = p->value,
        .mime = d->mime,
        .envelope = p->envelope->str,
        .structure = p->structure->str,
        .received = d->arrived,
        .delivery_id = d->delivery_id,
        .flags = plan->flags,
        .is_new_mail = !d->is_sent_copy,
    };
    uint64_t mid;
    enum ec ec = message_create(tx, fid, &spec, &mid, NULL);
    if (ec == EC_DUPLICATE_OBJECT) // it is there already
        return EC_OK;
    EC_TRY(ec);
    if (plan->tags)
        EC_TRY(set_tags(tx, mid, plan->tags));
    EC_TRY(put_copies(tx, plan, fid, mid));
    return delivery_put_deferred(tx, plan, fid, mid);
}

// Whether the mailbox has had a message of this Message-ID lately; it is remembered from now on.
static enum ec is_duplicate(struct mbox_tx *tx, const struct batch *b, unsigned i, bool *out) {
    const struct mailbox_delivery *d = b->items[i];
    const char *id = bag_str(b->prepared[i]->value->bag, PidTagInternetMessageId);
    *out = false;
    if (!b->duplicates || !id || !*id || d->folder || d->is_sent_copy)
        return EC_OK;
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, id, -1);
    const char *detail = d->folder_detail ? d->folder_detail : "";
    g_autofree char *key = g_strdup_printf("message-id/%s/%.100s", sum, detail);
    filetime_t now = clock_now();
    return mbox_note_delivered(tx, key, now - MIN(now, b->duplicates), out);
}

// A public folder takes the message: it is there and has room.
static enum ec check_folder(struct mbox_tx *tx, uint64_t fid, uint64_t size) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(folder_get(tx, arena, fid, &info));
    return folder_check_limits(tx, fid, size);
}

// Where a planned message goes now; a folder may be gone since.
static uint64_t planned_folder(struct mbox_tx *tx, const struct mailbox_delivery *d,
                               const struct delivery_plan *plan) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    if (d->folder || plan->fid == FID_INBOX || folder_get(tx, arena, plan->fid, &info) == EC_OK)
        return plan->fid;
    return FID_INBOX;
}

// What is forwarded or deleted only; noted, so that it is not sent a second time.
static enum ec drop(struct mbox_tx *tx, struct mailbox_delivery *d,
                    const struct delivery_plan *plan) {
    bool was_there = false;
    d->became |= DELIVERED_DROPPED;
    if (d->delivery_id)
        EC_TRY(mbox_note_delivered(tx, d->delivery_id, 0, &was_there));
    return was_there ? EC_OK : delivery_put_deferred(tx, plan, 0, 0);
}

static enum ec store_planned(struct mbox_tx *tx, struct batch *b, unsigned i) {
    struct mailbox_delivery *d = b->items[i];
    const struct delivery_plan *plan = &b->plans[i];
    struct mbox_usage before;
    uint64_t fid = planned_folder(tx, d, plan), len = g_bytes_get_size(d->mime);
    bool is_there = false, has_had = false;
    b->results[i] = d->folder ? check_folder(tx, fid, len) : EC_OK;
    if (b->results[i] == EC_OK)
        b->results[i] = quota_admit(&b->limits, tx, fid, len, 1);
    // What has arrived before is not refused now, because the mailbox is full since.
    if (b->results[i] != EC_OK && d->delivery_id)
        EC_TRY(mbox_was_delivered(tx, d->delivery_id, &is_there));
    if (is_there)
        b->results[i] = EC_OK;
    if (is_there || b->results[i] != EC_OK)
        return EC_OK;
    EC_TRY(is_duplicate(tx, b, i, &has_had));
    if (has_had) {
        // This very delivery may be what was noted.
        if (d->delivery_id)
            EC_TRY(mbox_was_delivered(tx, d->delivery_id, &is_there));
        d->became |= is_there ? DELIVERED_STORED : DELIVERED_DUPLICATE;
        return EC_OK;
    }
    mbox_get_usage(tx, &before);
    // A failure undoes the change: what it left behind must not be committed.
    EC_TRY(deliver_one(tx, fid, d, b->prepared[i], plan));
    d->became |= DELIVERED_STORED;
    return quota_settled(&b->limits, tx, &before);
}

static enum ec change_deliver(struct mbox_tx *tx, void *ctx) {
    struct batch *b = ctx;
    for (unsigned i = 0; i < b->n; i++) {
        const struct delivery_plan *plan = &b->plans[i];
        b->items[i]->became = plan->outgoing && plan->outgoing->len ? DELIVERED_SENT_ON : 0;
        b->results[i] = plan->result;
        if (plan->result == EC_OK && plan->is_dropped)
            EC_TRY(drop(tx, b->items[i], plan));
        else if (plan->result == EC_OK)
            EC_TRY(store_planned(tx, b, i));
    }
    return EC_OK;
}

// --- Planning ---

// The plan of a message whose mailbox has no say.
static struct delivery_plan plain_plan(const struct mailbox_delivery *d) {
    return (struct delivery_plan){.delivery = d,
                                  .fid = d->is_sent_copy ? FID_SENT_ITEMS : d->folder,
                                  .flags = d->is_sent_copy ? MSG_READ : 0};
}

static void plan_one(struct batch *b, unsigned i, const struct delivery_plan *known) {
    const struct mailbox_delivery *d = b->items[i];
    struct delivery_plan *plan = &b->plans[i];
    *plan = plain_plan(d);
    if (plan->fid)
        return;
    *plan = *known;
    plan->delivery = d;
    plan->value = b->prepared[i]->value;
    plan->fid = folder_for(plan->tx, d->folder_detail);
    enum ec ec = delivery_plan_make(plan);
    if (ec != EC_OK)
        plan->result = ec;
}

static enum ec plan_all(struct mailbox_service *s, struct mbox_tx *tx, struct arena *arena,
                        const struct owner_settings *owner, struct batch *b) {
    struct rule_list rules;
    enum ec ec = rule_list_get(tx, arena, FID_INBOX, &rules);
    if (ec == EC_NOT_FOUND) // the public store has no Inbox
        rules.n = 0;
    else if (ec != EC_OK)
        return ec;
    struct delivery_plan known = {
        .service = s, .tx = tx, .arena = arena, .owner = owner, .has_inbox_rules = rules.n > 0};
    for (unsigned i = 0; i < b->n; i++)
        plan_one(b, i, &known);
    return EC_OK;
}

static enum ec plan_batch(struct mailbox_service *s, struct mbox *mbox, struct arena *arena,
                          struct batch *b) {
    struct owner_settings *owner = arena_alloc(arena, sizeof *owner);
    struct mbox_tx *tx;
    EC_TRY(mailbox_owner_settings(s, arena, b->items[0]->mailbox, owner));
    EC_TRY(mbox_read(mbox, &tx));
    enum ec ec = plan_all(s, tx, arena, owner, b);
    mbox_read_end(tx);
    EC_TRY(ec);
    for (unsigned i = 0; i < b->n; i++)
        if (b->plans[i].result == EC_OK)
            b->plans[i].result = delivery_plan_send(&b->plans[i]);
    return EC_OK;
}

// --- Grouping ---

static enum ec run(struct mbox *mbox, struct batch *b) {
    enum ec ec = mbox_write(mbox, change_deliver, b);
    for (unsigned i = 0; i < b->n; i++)
        b->items[i]->result = ec == EC_OK ? b->results[i] : ec;
    return ec;
}

static void fail_batch(struct batch *b, enum ec ec) {
    for (unsigned i = 0; i < b->n; i++)
        b->items[i]->result = ec;
}

static void store_batch(struct mbox *mbox, struct batch *b) {
    // One message that cannot be stored does not keep the others out.
    if (run(mbox, b) == EC_OK || b->n == 1)
        return;
    for (unsigned i = 0; i < b->n; i++) {
        struct batch one = *b;
        one.items += i;
        one.prepared += i;
        one.results += i;
        one.plans += i;
        one.n = 1;
        run(mbox, &one);
    }
}

static void deliver_batch(struct mailbox_service *s, struct batch *b) {
    const struct guid *guid = b->items[0]->mailbox;
    MBOX_AUTO mbox = NULL;
    ARENA_AUTO arena = arena_new();
    enum ec ec = mailbox_limits(s, guid, &b->limits);
    b->limits.message = 0; // decided on when it came in, and a report must not fail of it
    b->duplicates = mailbox_options_of(s).duplicates * FILETIME_SECOND;
    if (ec == EC_OK)
        ec = store_open_mailbox(s->store, guid, &mbox);
    b->plans = arena_alloc0(arena, b->n * sizeof *b->plans);
    if (ec == EC_OK)
        ec = plan_batch(s, mbox, arena, b);
    if (ec == EC_OK)
        store_batch(mbox, b);
    else
        fail_batch(b, ec);
    for (unsigned i = 0; i < b->n; i++)
        delivery_plan_clear(&b->plans[i]);
}

static int compare_mailboxes(const void *a, const void *b) {
    struct mailbox_delivery *x = *(struct mailbox_delivery *const *)a,
                            *y = *(struct mailbox_delivery *const *)b;
    int by_mailbox = guid_compare(x->mailbox, y->mailbox);
    return by_mailbox ? by_mailbox : x < y ? -1 : x > y; // in the order in which they came
}

void mailbox_deliver(struct mailbox_service *s, struct mailbox_delivery *deliveries, unsigned n) {
    if (n == 0)
        return;
    // By the bytes object: transport/ gives the same one for all recipients of a message.
    g_autoptr(GHashTable) made = g_hash_table_new_full(NULL, NULL, NULL, prepared_free);
    g_autofree struct mailbox_delivery **items = g_new(struct mailbox_delivery *, n);
    g_autofree struct prepared **prepared = g_new(struct prepared *, n);
    g_autofree enum ec *results = g_new(enum ec, n);
    unsigned n_good = 0;
    for (unsigned i = 0; i < n; i++) {
        struct prepared *p = g_hash_table_lookup(made, deliveries[i].mime);
        if (!p && (p = prepare(&deliveries[i])))
            g_hash_table_insert(made, deliveries[i].mime, p);
        deliveries[i].result = p ? EC_OK : EC_CALL_FAILED;
        if (p)
            items[n_good++] = &deliveries[i];
    }
    qsort(items, n_good, sizeof *items, compare_mailboxes);
    for (unsigned i = 0; i < n_good; i++)
        prepared[i] = g_hash_table_lookup(made, items[i]->mime);
    for (unsigned start = 0, end; start < n_good; start = end) {
        for (end = start + 1;
             end < n_good && guid_equal(items[start]->mailbox, items[end]->mailbox); end++)
            continue;
        struct batch b = {.items = items + start,
                          .prepared = prepared + start,
                          .results = results + start,
                          .n = end - start};
        deliver_batch(s, &b);
    }
}
