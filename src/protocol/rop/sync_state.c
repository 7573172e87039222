// The state of synchronization: uploaded by the client in pieces, kept in a context, given back
// ([MS-OXCFXICS] 2.2.1.1, 2.2.3.2.2, 2.2.3.2.3, 3.2.5.2, 3.2.5.9.2, 3.2.5.9.3).
#include "protocol/rop/transfer_internal.h"

void state_init(struct sync_state *s) {
    *s = (struct sync_state){idset_new(), idset_new(), idset_new(), idset_new(), 0, NULL};
}

void state_clear(struct sync_state *s) {
    idset_free(s->given);
    idset_free(s->seen);
    idset_free(s->seen_fai);
    idset_free(s->read);
    if (s->upload)
        g_byte_array_unref(s->upload);
    *s = (struct sync_state){0};
}

struct sync_state state_copy(const struct sync_state *s) {
    return (struct sync_state){idset_copy(s->given),
                               idset_copy(s->seen),
                               idset_copy(s->seen_fai),
                               idset_copy(s->read),
                               0,
                               NULL};
}

static void put_set(struct ft_writer *w, proptag_t tag, const struct idset *set) {
    struct wire_writer b = wire_writer(256u * 1024 * 1024);
    idset_put(&b, IDSET_REPLGUID, set);
    g_autoptr(GByteArray) bytes = wire_writer_take(&b);
    if (bytes)
        ft_put_binary(w, tag, bytes->data, bytes->len);
}

void state_put(struct ft_writer *w, const struct sync_state *s, bool is_contents, bool with_given) {
    ft_put_marker(w, FT_STATE_BEGIN);
    put_set(w, MetaTagCnsetSeen, s->seen);
    if (is_contents) { // MS-OXCFXICS_R1209, R1211
        put_set(w, MetaTagCnsetSeenFAI, s->seen_fai);
        put_set(w, MetaTagCnsetRead, s->read);
    }
    if (with_given) // MS-OXCFXICS_R1885
        put_set(w, MetaTagIdsetGiven, s->given);
    ft_put_marker(w, FT_STATE_END);
}

// --- Uploading ---

static enum ec context_in(struct rop_call *c, struct rop_object **o, struct sync_state **out) {
    EC_TRY(rop_in(c, ROP_IS(ROP_SYNC_DOWNLOAD) | ROP_IS(ROP_SYNC_UPLOAD), o));
    *out = (*o)->kind == ROP_SYNC_DOWNLOAD ? &((struct rop_download *)*o)->state
                                           : &((struct rop_upload *)*o)->state;
    return EC_OK;
}

static struct idset **set_of(struct sync_state *s, proptag_t tag) {
    switch (tag) {
    case MetaTagIdsetGiven:
    case PROP_TAG(PROP_ID(MetaTagIdsetGiven), PT_BINARY): // MS-OXCFXICS_R1882, R1883
        return &s->given;
    case MetaTagCnsetSeen:
        return &s->seen;
    case MetaTagCnsetSeenFAI:
        return &s->seen_fai;
    case MetaTagCnsetRead:
        return &s->read;
    default:
        return NULL;
    }
}

enum ec rop_synchronization_upload_state_stream_begin(struct rop_call *c) {
    proptag_t tag = wire_u32(c->r);
    uint32_t size = wire_u32(c->r);
    struct rop_object *o;
    struct sync_state *s;
    EC_TRY(context_in(c, &o, &s));
    if (!set_of(s, tag) || size > SYNC_STATE_MAX) // MS-OXCFXICS_R733
        return EC_INVALID_PARAMETER;
    if (s->uploading != 0 ||
        (o->kind == ROP_SYNC_DOWNLOAD && ((struct rop_download *)o)->is_started))
        return EC_CALL_FAILED;
    s->uploading = tag;
    s->upload = g_byte_array_new();
    return EC_OK;
}

enum ec rop_synchronization_upload_state_stream_continue(struct rop_call *c) {
    uint32_t len = wire_u32(c->r);
    const uint8_t *data = wire_bytes(c->r, len);
    struct rop_object *o;
    struct sync_state *s;
    EC_TRY(context_in(c, &o, &s));
    if (s->uploading == 0 || !data)
        return EC_CALL_FAILED;
    if (len > SYNC_STATE_MAX - s->upload->len)
        return EC_TOO_COMPLEX;
    EC_TRY(rop_account(o, s->upload->len + len));
    g_byte_array_append(s->upload, data, len); // MS-OXCFXICS_R2211
    return EC_OK;
}

enum ec rop_synchronization_upload_state_stream_end(struct rop_call *c) {
    struct rop_object *o;
    struct sync_state *s;
    struct idset *set;
    EC_TRY(context_in(c, &o, &s));
    if (s->uploading == 0)
        return EC_CALL_FAILED;
    struct idset **to = set_of(s, s->uploading);
    enum ec ec =
        idset_parse((struct prop_bin){s->upload->len, s->upload->data}, IDSET_REPLGUID, &set);
    if (ec == EC_OK) {
        idset_free(*to);
        *to = set;
    }
    s->uploading = 0;
    g_clear_pointer(&s->upload, g_byte_array_unref);
    rop_account(o, 0);
    return ec;
}

// --- Giving it back ---

struct state_source {
    struct rop_source source;
};

static void destroy_state(struct rop_object *o) {
    source_clear((struct rop_source *)o);
}

static enum ec produce_nothing(struct rop_source *s, struct mbox_tx *tx) {
    s->is_done = true;
    return EC_OK;
}

enum ec rop_synchronization_get_transfer_state(struct rop_call *c) {
    struct rop_object *o;
    struct sync_state *s;
    EC_TRY(context_in(c, &o, &s));
    struct state_source *out = g_new0(struct state_source, 1);
    EC_TRY(rop_object_init(&out->source.object, ROP_FAST_SOURCE, o->owner, destroy_state));
    source_init(&out->source, SEND_UNICODE);
    out->source.produce = produce_nothing;
    out->source.is_done = true;
    // It is written now: what happens to the context later does not count (MS-OXCFXICS_R2216).
    if (o->kind == ROP_SYNC_UPLOAD) {
        state_put(out->source.w, s, ((struct rop_upload *)o)->is_contents, false);
    } else {
        download_checkpoint((struct rop_download *)o);
        state_put(out->source.w, s, ((struct rop_download *)o)->is_contents, true);
    }
    return rop_give(c, &out->source.object);
}
