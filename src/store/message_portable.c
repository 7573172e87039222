// Messages between mailboxes: contents made self-contained, named properties by name.
//
// A message with its internet original goes with it, and what points into the original still does.
// Everything else that points into blobs is read and goes inline; the target makes blobs of its
// own.
#include "store/message_portable.h"

#include <string.h>

#include "mapi/named.h"
#include "store/blob_internal.h"
#include "store/message_object_internal.h"

struct portable_name {
    uint16_t id;
    struct prop_name name;
};

struct taking {
    struct mbox_tx *tx;
    uint64_t original; // blob of the original that goes with it; 0: none
    struct message_portable *out;
    GHashTable *ids; // property ids whose name is known already
};

static enum ec note_name(struct taking *t, uint16_t id) {
    if (id < 0x8000 || g_hash_table_contains(t->ids, GUINT_TO_POINTER(id)))
        return EC_OK;
    struct portable_name n = {.id = id};
    enum ec ec = mbox_id_to_name(t->tx, t->out->arena, id, &n.name);
    if (ec == EC_NOT_FOUND)
        return EC_OK; // without a name it means nothing; left out by message_put
    EC_TRY(ec);
    g_hash_table_add(t->ids, GUINT_TO_POINTER(id));
    g_array_append_val(t->out->names, n);
    return EC_OK;
}

static enum ec settle_external(struct taking *t, struct bag *bag, const struct prop_value *v) {
    struct prop_value next = *v;
    if (t->original && v->external.blob == t->original) {
        next.external.blob = 0;
        return bag_set(bag, &next);
    }
    g_autoptr(GBytes) bytes = NULL;
    bool is_text = PROP_TYPE(v->tag) == PT_UNICODE;
    EC_TRY(external_read(t->tx, &v->external, is_text, &bytes));
    size_t len;
    const char *data = g_bytes_get_data(bytes, &len);
    if (is_text) {
        g_autofree char *text = g_strndup(data ? data : "", len);
        next = prop_str(v->tag, text);
        return bag_set(bag, &next);
    }
    next = prop_bytes(v->tag, data ? data : "", (uint32_t)len);
    return bag_set(bag, &next);
}

static enum ec settle_bag(struct taking *t, struct bag *bag) {
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        EC_TRY(note_name(t, PROP_ID(v->tag)));
        if (v->is_external)
            g_array_append_val(tags, v->tag);
    }
    for (guint i = 0; i < tags->len; i++)
        EC_TRY(settle_external(t, bag, bag_get(bag, g_array_index(tags, proptag_t, i))));
    return EC_OK;
}

static enum ec settle_value(struct taking *t, struct message_value *value, unsigned depth);

static enum ec settle_attachment(struct taking *t, struct attachment_value *a, unsigned depth) {
    EC_TRY(settle_bag(t, a->bag));
    if (a->embedded)
        return settle_value(t, a->embedded, depth + 1);
    if (a->external.len == 0)
        return EC_OK;
    if (t->original && a->external.blob == t->original) {
        a->external.blob = 0;
        return EC_OK;
    }
    EC_TRY(external_read(t->tx, &a->external, false, &a->data));
    a->external = (struct prop_external){0};
    return EC_OK;
}

static enum ec settle_value(struct taking *t, struct message_value *value, unsigned depth) {
    if (depth > EMBEDDED_MAX_DEPTH)
        return EC_CORRUPT_DATA;
    EC_TRY(settle_bag(t, value->bag));
    for (guint i = 0; i < value->recipients->len; i++)
        EC_TRY(settle_bag(t, value->recipients->pdata[i]));
    for (guint i = 0; i < value->attachments->len; i++)
        EC_TRY(settle_attachment(t, value->attachments->pdata[i], depth));
    return EC_OK;
}

static enum ec take_mime(struct taking *t, uint64_t mid, uint32_t flags) {
    ARENA_AUTO arena = arena_new();
    struct message_mime mime;
    if (!(flags & MSG_HAS_MIME))
        return EC_OK;
    EC_TRY(message_get_mime(t->tx, arena, mid, true, true, &mime));
    EC_TRY(blob_read(t->tx, mime.blob, 0, 0, &t->out->mime));
    t->original = mime.blob;
    t->out->envelope = g_strdup(mime.envelope);
    t->out->structure = g_strdup(mime.structure);
    return EC_OK;
}

static enum ec take(struct taking *t, uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    EC_TRY(message_full_get(t->tx, arena, mid, &m));
    EC_TRY(contents_load(t->tx, m.doc, &t->out->value, NULL));
    EC_TRY(take_mime(t, mid, m.flags));
    EC_TRY(settle_value(t, t->out->value, 0));
    t->out->keywords = g_strdup(m.keywords);
    t->out->spec = (struct message_new){
        .value = t->out->value,
        .mime = t->out->mime,
        .envelope = t->out->envelope,
        .structure = t->out->structure,
        .flags = m.flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED),
        .keywords = t->out->keywords && *t->out->keywords ? t->out->keywords : NULL,
        .received = m.received,
    };
    return EC_OK;
}

enum ec message_take(struct mbox_tx *tx, uint64_t mid, struct message_portable *out) {
    *out = (struct message_portable){.arena = arena_new()};
    out->names = g_array_new(FALSE, FALSE, sizeof(struct portable_name));
    struct taking t = {.tx = tx, .out = out, .ids = g_hash_table_new(NULL, NULL)};
    enum ec ec = take(&t, mid);
    g_hash_table_unref(t.ids);
    if (ec != EC_OK)
        message_portable_clear(out);
    return ec;
}

void message_portable_clear(struct message_portable *p) {
    message_value_free(p->value);
    g_clear_pointer(&p->mime, g_bytes_unref);
    g_free(p->envelope);
    g_free(p->structure);
    g_free(p->keywords);
    g_clear_pointer(&p->names, g_array_unref);
    arena_free(p->arena);
    *p = (struct message_portable){0};
}

// --- Putting ---

static uint16_t id_here(GHashTable *ids, uint16_t id) {
    return (uint16_t)GPOINTER_TO_UINT(g_hash_table_lookup(ids, GUINT_TO_POINTER(id)));
}

// The bag with the ids of this mailbox; properties without a name are dropped.
static enum ec rename_bag(GHashTable *ids, struct bag **bag) {
    bool has_named = false;
    for (unsigned i = 0; i < bag_count(*bag); i++)
        has_named |= PROP_IS_NAMED(bag_at(*bag, i)->tag);
    if (!has_named)
        return EC_OK;
    BAG_AUTO renamed = bag_new();
    for (unsigned i = 0; i < bag_count(*bag); i++) {
        struct prop_value v = *bag_at(*bag, i);
        if (PROP_IS_NAMED(v.tag)) {
            uint16_t id = id_here(ids, PROP_ID(v.tag));
            if (!id)
                continue;
            v.tag = PROP_TAG(id, PROP_TYPE(v.tag));
        }
        EC_TRY(bag_set(renamed, &v));
    }
    bag_free(*bag);
    *bag = g_steal_pointer(&renamed);
    return EC_OK;
}

static enum ec rename_value(GHashTable *ids, struct message_value *value, unsigned depth) {
    if (depth > EMBEDDED_MAX_DEPTH)
        return EC_CORRUPT_DATA;
    EC_TRY(rename_bag(ids, &value->bag));
    for (guint i = 0; i < value->recipients->len; i++) {
        struct bag *bag = value->recipients->pdata[i];
        enum ec ec = rename_bag(ids, &bag);
        value->recipients->pdata[i] = bag;
        EC_TRY(ec);
    }
    for (guint i = 0; i < value->attachments->len; i++) {
        struct attachment_value *a = value->attachments->pdata[i];
        EC_TRY(rename_bag(ids, &a->bag));
        if (a->embedded)
            EC_TRY(rename_value(ids, a->embedded, depth + 1));
    }
    return EC_OK;
}

enum ec message_put(struct mbox_tx *tx, uint64_t fid, struct message_portable *p, const char *once,
                    uint64_t *mid_out) {
    g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);
    EC_TRY(tx_check_writer(tx));
    for (guint i = 0; i < p->names->len; i++) {
        const struct portable_name *n = &g_array_index(p->names, struct portable_name, i);
        uint16_t id;
        EC_TRY(mbox_name_to_id(tx, &n->name, true, &id));
        g_hash_table_insert(ids, GUINT_TO_POINTER(n->id), GUINT_TO_POINTER(id));
    }
    EC_TRY(rename_value(ids, p->value, 0));
    p->spec.value = p->value;
    p->spec.delivery_id = once;
    return message_create(tx, fid, &p->spec, mid_out, NULL);
}
