// Taking a message from one mailbox into another.
#include "store/message_adopt.h"

#include <string.h>

#include "formats/mime.h"
#include "mapi/named.h"
#include "store/message_internal.h"

#define NAMED_FIRST 0x8000

struct message_adopted {
    struct arena *arena; // names, texts
    struct message_value *value;
    GBytes *mime; // NULL: none
    const char *envelope, *structure;
    struct message_full row;
    GHashTable *names; // id there -> struct prop_name
};

struct reading {
    struct mbox_tx *tx;
    struct message_adopted *m;
    uint64_t source; // the blob that values may go on pointing into; 0: none
};

// --- Reading ---

static enum ec note_name(struct reading *r, uint16_t id) {
    struct prop_name *name;
    if (id < NAMED_FIRST || g_hash_table_contains(r->m->names, GUINT_TO_POINTER(id)))
        return EC_OK;
    name = arena_alloc(r->m->arena, sizeof *name);
    EC_TRY(mbox_id_to_name(r->tx, r->m->arena, id, name));
    g_hash_table_insert(r->m->names, GUINT_TO_POINTER(id), name);
    return EC_OK;
}

// What an external value stands for, its encoding undone.
static enum ec read_external(struct reading *r, const struct prop_external *e, GBytes **out) {
    g_autoptr(GBytes) bytes = NULL;
    if (e->len == 0) {
        *out = g_bytes_new(NULL, 0);
        return EC_OK;
    }
    EC_TRY(blob_read(r->tx, e->blob, e->pos, e->len, &bytes));
    if (g_bytes_get_size(bytes) != e->len)
        return EC_CORRUPT_DATA;
    *out = e->encoding ? mime_decode(g_bytes_get_data(bytes, NULL), e->len, e->encoding)
                       : g_bytes_ref(bytes);
    return EC_OK;
}

static enum ec settle_value(struct reading *r, struct bag *bag, const struct prop_value *v) {
    struct prop_value value = *v;
    if (r->source && v->external.blob == r->source) {
        value.external.blob = 0; // into the original, which comes along
        return bag_set(bag, &value);
    }
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) bytes = NULL;
    size_t len;
    EC_TRY(read_external(r, &v->external, &bytes));
    const char *data = g_bytes_get_data(bytes, &len);
    if (PROP_TYPE(v->tag) == PT_UNICODE) {
        const char *charset = v->external.charset ? v->external.charset : "utf-8";
        value = prop_str(v->tag, mime_to_utf8(arena, data ? data : "", len, charset, NULL));
    } else {
        value = prop_bytes(v->tag, data, (uint32_t)len);
    }
    return bag_set(bag, &value);
}

static enum ec settle_bag(struct reading *r, struct bag *bag) {
    // By index: setting a value of the same id keeps its place.
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        EC_TRY(note_name(r, PROP_ID(v->tag)));
        if (v->is_external)
            EC_TRY(settle_value(r, bag, v));
    }
    return EC_OK;
}

static enum ec settle_message(struct reading *r, struct message_value *value, unsigned depth);

static enum ec settle_attachment(struct reading *r, struct attachment_value *a, unsigned depth) {
    EC_TRY(settle_bag(r, a->bag));
    if (a->embedded)
        return settle_message(r, a->embedded, depth + 1);
    if (a->external.len == 0)
        return EC_OK;
    if (r->source && a->external.blob == r->source) {
        a->external.blob = 0;
        return EC_OK;
    }
    EC_TRY(read_external(r, &a->external, &a->data));
    a->external = (struct prop_external){0};
    return EC_OK;
}

static enum ec settle_message(struct reading *r, struct message_value *value, unsigned depth) {
    if (depth > EMBEDDED_MAX_DEPTH)
        return EC_CORRUPT_DATA;
    EC_TRY(settle_bag(r, value->bag));
    for (guint i = 0; i < value->recipients->len; i++)
        EC_TRY(settle_bag(r, value->recipients->pdata[i]));
    for (guint i = 0; i < value->attachments->len; i++)
        EC_TRY(settle_attachment(r, value->attachments->pdata[i], depth));
    return EC_OK;
}

static enum ec read_all(struct reading *r, uint64_t mid) {
    struct message_adopted *m = r->m;
    struct message_mime mime = {0};
    uint64_t source = 0;
    EC_TRY(message_full_get(r->tx, m->arena, mid, &m->row));
    EC_TRY(contents_load(r->tx, m->row.doc, &m->value, &source));
    if (m->row.flags & MSG_HAS_MIME) {
        EC_TRY(message_get_mime(r->tx, m->arena, mid, true, true, &mime));
        EC_TRY(blob_read(r->tx, mime.blob, 0, 0, &m->mime));
        m->envelope = mime.envelope, m->structure = mime.structure;
    }
    r->source = m->mime && mime.blob == source ? source : 0;
    return settle_message(r, m->value, 0);
}

enum ec message_adopt_read(struct mbox_tx *from, uint64_t mid, struct message_adopted **out) {
    struct message_adopted *m = g_new0(struct message_adopted, 1);
    m->arena = arena_new();
    m->names = g_hash_table_new(NULL, NULL);
    struct reading r = {.tx = from, .m = m};
    enum ec ec = read_all(&r, mid);
    if (ec != EC_OK) {
        message_adopted_free(m);
        return ec;
    }
    *out = m;
    return EC_OK;
}

void message_adopted_free(struct message_adopted *m) {
    if (!m)
        return;
    message_value_free(m->value);
    if (m->mime)
        g_bytes_unref(m->mime);
    g_hash_table_unref(m->names);
    arena_free(m->arena);
    g_free(m);
}

// --- Creating ---

// Puts the ids of the new mailbox in the place of the old ones.
static enum ec rename_bag(GHashTable *ids, struct bag **bag) {
    struct bag *renamed = bag_new();
    bool is_same = true;
    for (unsigned i = 0; i < bag_count(*bag); i++) {
        struct prop_value v = *bag_at(*bag, i);
        uint16_t id = PROP_ID(v.tag);
        if (id >= NAMED_FIRST) {
            uint16_t now =
                (uint16_t)GPOINTER_TO_UINT(g_hash_table_lookup(ids, GUINT_TO_POINTER(id)));
            is_same = is_same && now == id;
            v.tag = (proptag_t)now << 16 | PROP_TYPE(v.tag);
        }
        enum ec ec = bag_set(renamed, &v);
        if (ec != EC_OK) {
            bag_free(renamed);
            return ec;
        }
    }
    if (is_same) {
        bag_free(renamed);
        return EC_OK;
    }
    bag_free(*bag);
    *bag = renamed;
    return EC_OK;
}

static enum ec rename_message(GHashTable *ids, struct message_value *value) {
    EC_TRY(rename_bag(ids, &value->bag));
    for (guint i = 0; i < value->recipients->len; i++)
        EC_TRY(rename_bag(ids, (struct bag **)&value->recipients->pdata[i]));
    for (guint i = 0; i < value->attachments->len; i++) {
        struct attachment_value *a = value->attachments->pdata[i];
        EC_TRY(rename_bag(ids, &a->bag));
        if (a->embedded)
            EC_TRY(rename_message(ids, a->embedded)); // as deep as contents_load goes
    }
    return EC_OK;
}

static enum ec settle_names(struct mbox_tx *to, struct message_adopted *m) {
    g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);
    GHashTableIter it;
    gpointer id, name;
    bool is_same = true;
    g_hash_table_iter_init(&it, m->names);
    while (g_hash_table_iter_next(&it, &id, &name)) {
        uint16_t now;
        EC_TRY(mbox_name_to_id(to, name, true, &now));
        g_hash_table_insert(ids, id, GUINT_TO_POINTER(now));
        is_same = is_same && now == GPOINTER_TO_UINT(id);
    }
    if (is_same)
        return EC_OK;
    // A second try, after a failed transaction, must not rename twice.
    g_hash_table_remove_all(m->names);
    return rename_message(ids, m->value);
}

enum ec message_adopt_create(struct mbox_tx *to, uint64_t fid, struct message_adopted *m,
                             uint64_t *mid_out) {
    uint32_t uid;
    EC_TRY(settle_names(to, m));
    struct message_new spec = {
        .value = m->value,
        .mime = m->mime,
        .envelope = m->envelope,
        .structure = m->structure,
        .flags = m->row.flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED),
        .keywords = m->row.keywords,
        .received = m->row.received,
    };
    return message_create(to, fid, &spec, mid_out, &uid);
}
