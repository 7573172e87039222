// Making and freeing whole messages.
#include "mapi/message_value.h"

#include <string.h>

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
    message_value_clear_names(m);
    g_free(m);
}

// --- Names ---

static void free_name(gpointer data) {
    struct value_name *n = data;
    g_free((char *)n->name.string);
    g_free(n);
}

static void add_name(struct message_value *m, uint16_t id, const struct prop_name *name) {
    struct value_name *n = g_new(struct value_name, 1);
    *n = (struct value_name){.id = id, .name = *name};
    n->name.string = name->kind == PROP_NAME_STRING ? g_strdup(name->string) : NULL;
    if (!m->names)
        m->names = g_ptr_array_new_with_free_func(free_name);
    g_ptr_array_add(m->names, n);
}

static bool same_name(const struct prop_name *a, const struct prop_name *b) {
    if (a->kind != b->kind || !guid_equal(&a->set, &b->set))
        return false;
    return a->kind == PROP_NAME_STRING ? strcmp(a->string, b->string) == 0 : a->lid == b->lid;
}

uint16_t message_value_local_name(struct message_value *m, const struct prop_name *name) {
    guint n = m->names ? m->names->len : 0;
    if (name->kind == PROP_NAME_STRING && (!name->string || !*name->string))
        return 0;
    for (guint i = 0; i < n; i++) {
        const struct value_name *known = m->names->pdata[i];
        if (same_name(&known->name, name))
            return known->id;
    }
    if (n >= VALUE_NAMES_MAX)
        return 0;
    m->names_are_local = true;
    add_name(m, (uint16_t)(NAMED_ID_FIRST_OWN + n), name);
    return (uint16_t)(NAMED_ID_FIRST_OWN + n);
}

void message_value_note_name(struct message_value *m, uint16_t id, const struct prop_name *name) {
    add_name(m, id, name);
}

bool message_value_name(const struct message_value *m, uint16_t id, struct prop_name *out) {
    if (id < NAMED_ID_FIRST_OWN)
        return named_fixed_name(id, out);
    for (guint i = 0; m->names && i < m->names->len; i++) {
        const struct value_name *n = m->names->pdata[i];
        if (n->id == id) {
            *out = n->name;
            return true;
        }
    }
    return false;
}

void message_value_clear_names(struct message_value *m) {
    if (m->names)
        g_ptr_array_unref(m->names);
    m->names = NULL;
    m->names_are_local = false;
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
