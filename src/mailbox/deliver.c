// Delivery: messages from the queue into inboxes. Each message is scanned and converted once,
// however many mailboxes it goes to; what goes to the same mailbox is one transaction. The delivery
// id, noted in that transaction, makes a message that the queue delivers twice arrive once.
#include <string.h>

#include "base/log.h"
#include "convert/convert.h"
#include "mailbox/mailbox_internal.h"
#include "store/public_store.h"

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
    unsigned n;
    struct mailbox_limits limits;
};

static void prepared_free(void *data) {
    struct prepared *p = data;
    message_value_free(p->value);
    g_string_free(p->envelope, true);
    g_string_free(p->structure, true);
    g_free(p);
}

static struct prepared *prepare(GBytes *mime) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    struct mime_message *scanned = mime_scan(arena, data ? data : "", len);
    struct message_value *value;
    if (convert_mime_to_message(scanned, &value) != EC_OK)
        return NULL;
    struct prepared *p = g_new0(struct prepared, 1);
    p->value = value;
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

static enum ec deliver_one(struct mbox_tx *tx, uint64_t fid, const struct mailbox_delivery *d,
                           const struct prepared *p) {
    struct message_new spec = {
        .value = p->value,
        .mime = d->mime,
        .envelope = p->envelope->str,
        .structure = p->structure->str,
        .received = d->arrived,
        .delivery_id = d->delivery_id,
        .is_new_mail = true,
    };
    uint64_t mid;
    enum ec ec = message_create(tx, fid, &spec, &mid, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_OK : ec; // it is there already
}

// A public folder takes the message: it is there and has room.
static enum ec check_folder(struct mbox_tx *tx, uint64_t fid, uint64_t size) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(folder_get(tx, arena, fid, &info));
    return folder_check_limits(tx, fid, size);
}

static enum ec change_deliver(struct mbox_tx *tx, void *ctx) {
    struct batch *b = ctx;
    for (unsigned i = 0; i < b->n; i++) {
        struct mbox_usage before;
        const struct mailbox_delivery *d = b->items[i];
        uint64_t fid = d->folder ? d->folder : folder_for(tx, d->folder_detail);
        uint64_t len = g_bytes_get_size(d->mime);
        bool is_there = false;
        b->results[i] = d->folder ? check_folder(tx, fid, len) : EC_OK;
        if (b->results[i] == EC_OK)
            b->results[i] = quota_admit(&b->limits, tx, fid, len, 1);
        // What has arrived before is not refused now, because the mailbox is full since.
        if (b->results[i] != EC_OK && d->delivery_id)
            EC_TRY(mbox_was_delivered(tx, d->delivery_id, &is_there));
        if (is_there)
            b->results[i] = EC_OK;
        if (is_there || b->results[i] != EC_OK)
            continue;
        mbox_get_usage(tx, &before);
        // A failure undoes the change: what it left behind must not be committed.
        EC_TRY(deliver_one(tx, fid, b->items[i], b->prepared[i]));
        EC_TRY(quota_settled(&b->limits, tx, &before));
    }
    return EC_OK;
}

// --- Grouping ---

static enum ec run(struct mbox *mbox, struct batch *b) {
    enum ec ec = mbox_write(mbox, change_deliver, b);
    for (unsigned i = 0; i < b->n; i++)
        b->items[i]->result = ec == EC_OK ? b->results[i] : ec;
    return ec;
}

static void deliver_batch(struct mailbox_service *s, struct batch *b) {
    const struct guid *guid = b->items[0]->mailbox;
    MBOX_AUTO mbox = NULL;
    enum ec ec = mailbox_limits(s, guid, &b->limits);
    b->limits.message = 0; // decided on when it came in, and a report must not fail of it
    if (ec == EC_OK)
        ec = store_open_mailbox(s->store, guid, &mbox);
    if (ec != EC_OK) {
        for (unsigned i = 0; i < b->n; i++)
            b->items[i]->result = ec;
        return;
    }
    // One message that cannot be stored does not keep the others out.
    if (run(mbox, b) == EC_OK || b->n == 1)
        return;
    for (unsigned i = 0; i < b->n; i++) {
        struct batch one = {
            .items = &b->items[i], .prepared = &b->prepared[i], .results = &b->results[i], .n = 1};
        one.limits = b->limits;
        run(mbox, &one);
    }
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
        if (!p && (p = prepare(deliveries[i].mime)))
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
