// The hooks of a delivery, one after the other.
#include "base/log.h"
#include "mailbox/deliver_hooks.h"

static const delivery_hook hooks[] = {
    delivery_junk,
    delivery_forward,
    delivery_rules,
    delivery_out_of_office,
};

static void outgoing_clear(gpointer data) {
    struct mailbox_outgoing *out = data;
    g_bytes_unref(out->mime);
}

enum ec delivery_plan_make(struct delivery_plan *plan) {
    plan->outgoing = g_ptr_array_new_with_free_func(outgoing_clear);
    for (unsigned i = 0; i < G_N_ELEMENTS(hooks) && !plan->is_done && plan->result == EC_OK; i++)
        EC_TRY(hooks[i](plan));
    if (plan->outgoing->len > 0 && plan->delivery->delivery_id)
        EC_TRY(mbox_was_delivered(plan->tx, plan->delivery->delivery_id, &plan->was_delivered));
    return EC_OK;
}

void delivery_plan_clear(struct delivery_plan *plan) {
    if (plan->outgoing)
        g_ptr_array_unref(plan->outgoing);
    if (plan->copies)
        g_array_unref(plan->copies);
    if (plan->tags)
        g_array_unref(plan->tags);
    if (plan->broken_rules)
        g_array_unref(plan->broken_rules);
    if (plan->deferred)
        g_array_unref(plan->deferred);
    plan->outgoing = NULL;
    plan->copies = plan->tags = plan->broken_rules = plan->deferred = NULL;
}

enum ec delivery_plan_send(struct delivery_plan *plan) {
    for (guint i = 0; plan->outgoing && i < plan->outgoing->len && !plan->was_delivered; i++)
        EC_TRY(outbox_send(plan->service, plan->outgoing->pdata[i]));
    return EC_OK;
}
