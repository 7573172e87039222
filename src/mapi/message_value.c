// Making and freeing whole messages.
#include "mapi/message_value.h"

static void free_bag(gpointer bag) {
    bag_free(bag);
}

static void free_attachment(gpointer a) {
    attachment_value_free(a);
}

struct message_value *message_value_new(void) {
    struct message_value *m = g_new0(struct message_value, 1);
    m->bag = bag_new();
    m->recipients = g_ptr_array_new_with_free_func(free_bag);
    m->attachments = g_ptr_array_new_with_free_func(free_attachment);
    return m;
}

void message_value_free(struct message_value *m) {
    if (!m)
        return;
    bag_free(m->bag);
    g_ptr_array_unref(m->recipients);
    g_ptr_array_unref(m->attachments);
    g_free(m);
}

struct attachment_value *attachment_value_new(void) {
    struct attachment_value *a = g_new0(struct attachment_value, 1);
    a->bag = bag_new();
    return a;
}

void attachment_value_free(struct attachment_value *a) {
    if (!a)
        return;
    bag_free(a->bag);
    g_clear_pointer(&a->data, g_bytes_unref);
    message_value_free(a->embedded);
    g_free(a);
}
