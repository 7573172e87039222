// Copies of message values, so that an open attachment or embedded message can be changed and
// dropped without its container noticing.
#include "protocol/rop/rop_internal.h"

static void copy_recipients(const GPtrArray *from, GPtrArray *to) {
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, bag_copy(from->pdata[i]));
}

static struct attachment_value *copy_attachment(const struct attachment_value *from, unsigned depth);

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
