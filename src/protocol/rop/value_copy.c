// Copies of message values, so that an open attachment or embedded message can be changed and
// dropped without its container noticing.
#include "protocol/rop/props_internal.h"

static void copy_recipients(const GPtrArray *from, GPtrArray *to) {
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, bag_copy(from->pdata[i]));
}

static struct attachment_value *copy_attachment(const struct attachment_value *from,
                                                unsigned depth);

static struct message_value *copy_message(const struct message_value *from, unsigned depth) {
    struct message_value *to = message_value_new();
    bag_free(to->bag);
    to->bag = bag_copy(from->bag);
    copy_recipients(from->recipients, to->recipients);
    for (guint i = 0; i < from->attachments->len; i++)
        g_ptr_array_add(to->attachments, copy_attachment(from->attachments->pdata[i], depth));
    for (guint i = 0; from->names && i < from->names->len; i++) {
        const struct value_name *name = from->names->pdata[i];
        message_value_note_name(to, name->id, &name->name);
    }
    to->names_are_local = from->names_are_local;
    return to;
}

static struct attachment_value *copy_attachment(const struct attachment_value *from,
                                                unsigned depth) {
    struct attachment_value *to = attachment_value_new();
    bag_free(to->bag);
    to->bag = bag_copy(from->bag);
    to->data = from->data ? g_bytes_ref(from->data) : NULL;
    to->external = from->external;
    // What is nested deeper than anybody may open is not kept.
    if (from->embedded && depth < ROP_EMBEDDED_DEPTH)
        to->embedded = copy_message(from->embedded, depth + 1);
    return to;
}

struct message_value *rop_value_copy(const struct message_value *from) {
    return copy_message(from, 0);
}

struct attachment_value *rop_attachment_copy(const struct attachment_value *from) {
    return copy_attachment(from, 0);
}

// --- Contents in the mailbox are read, so that a copy does not depend on what it was made of ---

static enum ec detach_attachment(struct mbox_tx *tx, struct attachment_value *a, unsigned depth);

static enum ec detach_bag(struct mbox_tx *tx, struct bag *bag) {
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        struct prop_value loaded;
        if (!v->is_external)
            continue;
        EC_TRY(rop_external_value(tx, arena, v, ROP_STREAM_MAX, &loaded));
        EC_TRY(bag_set(bag, &loaded));
    }
    return EC_OK;
}

static enum ec detach_message(struct mbox_tx *tx, struct message_value *m, unsigned depth) {
    EC_TRY(detach_bag(tx, m->bag));
    for (guint i = 0; i < m->attachments->len; i++)
        EC_TRY(detach_attachment(tx, m->attachments->pdata[i], depth));
    return EC_OK;
}

static enum ec detach_attachment(struct mbox_tx *tx, struct attachment_value *a, unsigned depth) {
    EC_TRY(detach_bag(tx, a->bag));
    if (!a->data && a->external.len > 0) {
        EC_TRY(message_read_external(tx, &a->external, false, &a->data));
        a->external = (struct prop_external){0};
    }
    if (!a->embedded || depth >= ROP_EMBEDDED_DEPTH)
        return EC_OK;
    return detach_message(tx, a->embedded, depth + 1);
}

enum ec rop_value_detach(struct mbox_tx *tx, struct message_value *value) {
    return detach_message(tx, value, 0);
}

enum ec rop_attachment_detach(struct mbox_tx *tx, struct attachment_value *a) {
    return detach_attachment(tx, a, 0);
}
