// Rows as items: the values of a shape's properties, looked up by tag while an item is written.
#include "protocol/ews/ews_rows.h"

#include <stdlib.h>

#include "mailbox/folder_object.h"
#include "mapi/change.h"
#include "mapi/props.h"

static const proptag_t always[] = {PidTagMessageClass, PidTagChangeNumber, PidTagParentFolderId,
                                   PidTagMessageFlags};

static gint by_tag(gconstpointer a, gconstpointer b) {
    proptag_t x = *(const proptag_t *)a, y = *(const proptag_t *)b;
    return x < y ? -1 : x > y;
}

enum ec ews_columns_init(struct ews_call *call, struct ews_mailbox *m, uint64_t fid,
                         const struct ews_shape *shape, struct ews_columns *out) {
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    struct mailbox_folder_object folder;
    EC_TRY(mailbox_get_folder_object(m->m, call->arena, fid, false, &folder));
    if (shape)
        EC_TRY(ews_shape_tags(call, m, shape, tags));
    g_array_append_vals(tags, always, G_N_ELEMENTS(always));
    g_array_sort(tags, by_tag);
    *out = (struct ews_columns){
        .mailbox = m,
        .shape = shape,
        .tags = arena_alloc(call->arena, tags->len * sizeof(proptag_t)),
        .values = arena_alloc0(call->arena, tags->len * sizeof(struct prop_value *)),
        .rights = folder.rights,
        .fid = fid,
    };
    for (guint i = 0; i < tags->len; i++) {
        proptag_t tag = g_array_index(tags, proptag_t, i);
        if (out->n == 0 || out->tags[out->n - 1] != tag)
            out->tags[out->n++] = tag;
    }
    return EC_OK;
}

const struct prop_value *ews_columns_value(const struct ews_columns *c, proptag_t tag) {
    const proptag_t *at = bsearch(&tag, c->tags, c->n, sizeof tag, by_tag);
    return at ? c->values[at - c->tags] : NULL;
}

static bool get(void *ctx, proptag_t tag, struct prop_value *out) {
    const struct prop_value *v = ews_columns_value(ctx, tag);
    if (!v || v->is_external || PROP_TYPE(v->tag) == PT_ERROR)
        return false;
    *out = *v;
    return true;
}

static uint64_t counter_of(const struct prop_value *v) {
    return v ? short_id_of_value(v->i8).counter : 0;
}

struct ews_row_facts ews_columns_facts(const struct ews_columns *c) {
    const struct prop_value *class = ews_columns_value(c, PidTagMessageClass);
    struct ews_row_facts facts = {
        .class = ews_class_of(class ? class->str : NULL),
        .cn = counter_of(ews_columns_value(c, PidTagChangeNumber)),
        .fid = counter_of(ews_columns_value(c, PidTagParentFolderId)),
    };
    if (facts.fid == 0)
        facts.fid = c->fid;
    return facts;
}

enum ec ews_columns_write(struct ews_call *call, struct ews_columns *c, uint64_t mid) {
    struct ews_row_facts facts = ews_columns_facts(c);
    struct ews_source source = {
        .mailbox = c->mailbox,
        .fid = facts.fid,
        .mid = mid,
        .cn = facts.cn,
        .class = facts.class,
        .get = get,
        .ctx = c,
        .rights = c->rights,
    };
    return ews_write_item(call, c->shape, &source);
}
