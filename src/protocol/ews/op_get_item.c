// GetItem ([MS-OXWSCORE] 3.1.4.4), and what all operations on items share.
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/op_items.h"

enum ec ews_open_ref(struct ews_call *call, const struct ews_item_ref *ref,
                     struct ews_opened *out) {
    *out = (struct ews_opened){.mailbox = ref->mailbox};
    if (!ref->attachment)
        return ews_fail_item(call, item_open(ref->mailbox->m, ref->mid, &out->item));
    enum ec ec = ews_attachment_open(call, ref->attachment, &out->chain);
    if (ec == EC_OK)
        ec = ews_attachment_enter(call, &out->chain);
    if (ec == EC_OK)
        out->item = out->chain.items[out->chain.n_items - 1];
    else
        ews_attachment_close(&out->chain);
    return ec;
}

void ews_opened_close(struct ews_opened *o) {
    if (o->chain.n_items > 0)
        ews_attachment_close(&o->chain);
    else
        item_close(o->item);
    o->item = NULL;
}

enum ec ews_write_ids(struct ews_call *call, struct ews_mailbox *m, uint64_t mid) {
    struct item *item;
    struct ews_shape shape;
    struct ews_source source;
    enum ec ec = item_open(m->m, mid, &item);
    // It may have gone where the principal does not see it.
    if (ec == EC_ACCESS_DENIED || ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    ec = ews_read_shape(call, NULL, true, &shape);
    if (ec == EC_OK)
        ec = ews_source_of_item(call, m, item, &source);
    if (ec == EC_OK)
        ec = ews_write_item(call, &shape, &source);
    ews_shape_clear(&shape);
    item_close(item);
    return ec;
}

enum ec ews_each_item(struct ews_call *call, const struct ews_node *ids,
                      enum ec (*one)(struct ews_call *call, const struct ews_item_ref *ref,
                                     void *ctx),
                      void *ctx) {
    unsigned n = ews_count(ids);
    if (n == 0)
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: there are no ids of items.");
    if (n > EWS_MAX_IDS)
        return ews_fault(call, "ErrorBatchProcessingStopped", "There are too many ids.");
    for (const struct ews_node *node = ids->child; node; node = node->next) {
        struct ews_item_ref ref;
        struct ews_mark mark = ews_mark(call->w);
        unsigned n_messages = call->n_messages;
        enum ec ec = ews_read_item_id(call, node, &ref);
        if (ec == EC_OK)
            ec = one(call, &ref, ctx);
        if (call->is_fault)
            return ec;
        if (ec == EC_OK)
            continue;
        ews_rewind(call->w, mark);
        call->n_messages = n_messages;
        ews_error(call, ec);
    }
    return EC_OK;
}

// The items of one mailbox after another are read in one snapshot.
struct getting {
    struct ews_shape shape;
    struct ews_mailbox *mailbox;
    struct item_batch *batch;
};

static enum ec open_one(struct ews_call *call, struct getting *g, const struct ews_item_ref *ref,
                        struct ews_opened *out) {
    if (ref->attachment)
        return ews_open_ref(call, ref, out);
    if (g->mailbox != ref->mailbox) {
        item_batch_end(g_steal_pointer(&g->batch));
        g->mailbox = NULL;
        EC_TRY(item_batch_begin(ref->mailbox->m, &g->batch));
        g->mailbox = ref->mailbox;
    }
    *out = (struct ews_opened){.mailbox = ref->mailbox};
    return ews_fail_item(call, item_batch_open(g->batch, ref->mid, &out->item));
}

static enum ec get_one(struct ews_call *call, const struct ews_item_ref *ref, void *ctx) {
    struct getting *g = ctx;
    struct ews_opened opened;
    struct ews_source source;
    EC_TRY(open_one(call, g, ref, &opened));
    ews_success(call);
    ews_open(call->w, "m:Items");
    ews_source_of_item(call, ref->mailbox, opened.item, &source);
    source.attachment = ref->attachment;
    enum ec ec = ews_write_item(call, &g->shape, &source);
    ews_close(call->w);
    ews_message_end(call);
    ews_opened_close(&opened);
    return ec;
}

enum ec op_get_item(struct ews_call *call) {
    struct getting g = {0};
    EC_TRY(ews_read_shape(call, ews_child(call->request, "ItemShape"), false, &g.shape));
    enum ec ec = ews_each_item(call, ews_child(call->request, "ItemIds"), get_one, &g);
    item_batch_end(g.batch);
    ews_shape_clear(&g.shape);
    return ec;
}
