// Stored messages, attachments and folders as FastTransfer elements: the stored properties, those
// the store computes, and names from the mailbox ([MS-OXCFXICS] 2.2.4.3, 3.2.5.10, 3.2.5.12).
#include "protocol/rop/transfer_internal.h"

#define MAX_TAGS 10000u

bool fast_wants(const struct fast_filter *f, proptag_t tag) {
    for (unsigned i = 0; f && i < f->n; i++)
        if (PROP_ID(f->tags[i]) == PROP_ID(tag))
            return f->is_inclusive;
    return !f || !f->is_inclusive;
}

enum ec fast_read_tags(struct rop_call *c, proptag_t **tags_out, unsigned *n_out) {
    unsigned n = wire_u16(c->r);
    if (n > MAX_TAGS || n > wire_left(c->r) / 4)
        return EC_INVALID_PARAMETER;
    *tags_out = g_new0(proptag_t, n + 1);
    *n_out = n;
    for (unsigned i = 0; i < n; i++)
        (*tags_out)[i] = wire_u32(c->r);
    return EC_OK;
}

// --- What the codec asks back ---

struct putting {
    struct rop_logon *logon;
    struct mbox_tx *tx;
    struct arena *arena; // of names
    const struct fast_filter *filter;
};

static enum ec read_content(void *ctx, const struct prop_external *external, GBytes **out) {
    return message_read_external(ctx, external, external->charset != NULL, out);
}

static bool find_name(void *ctx, uint16_t id, struct prop_name *out) {
    struct putting *p = ctx;
    return mbox_id_to_name(p->tx, p->arena, id, out) == EC_OK;
}

static bool is_wanted(void *ctx, proptag_t tag) {
    const struct putting *p = ctx;
    return fast_wants(p->filter, tag);
}

// --- Messages ---

// Computed ones that describe the message itself.
static const proptag_t computed[] = {
    PidTagMessageFlags, PidTagMessageStatus, PidTagHasAttachments,       PidTagMessageSize,
    PidTagDisplayTo,    PidTagDisplayCc,     PidTagDisplayBcc,           PidTagMessageDeliveryTime,
    PidTagFlagStatus,   PidTagNativeBody,    PidTagLastModificationTime,
};
// Those that say where it is and which change it is: with FAST_KEEP_IDS.
static const proptag_t identity[] = {
    PidTagSourceKey, PidTagChangeKey,     PidTagPredecessorChangeList,
    PidTagEntryId,   PidTagParentEntryId, PidTagParentSourceKey,
};

// In public folders the read state is the principal's.
static enum ec set_read_flag(const struct putting *p, const struct message *m,
                             struct prop_value *flags) {
    bool is_read;
    if (!p->logon || !p->logon->is_public)
        return EC_OK;
    EC_TRY(mailbox_has_read(p->logon->mailbox, p->tx, message_fid(m), message_mid(m), &is_read));
    flags->l = is_read ? flags->l | 1 : flags->l & ~1;
    return EC_OK;
}

static enum ec put_computed(struct ft_writer *w, struct putting *p, struct message *m,
                            const proptag_t *tags, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        struct prop_value v;
        if (!fast_wants(p->filter, tags[i]))
            continue;
        enum ec ec = message_get_prop(p->tx, m, p->arena, tags[i], 0, &v);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        if (tags[i] == PidTagMessageFlags)
            EC_TRY(set_read_flag(p, m, &v));
        ft_put_value(w, &v, NULL);
    }
    return EC_OK;
}

static bool is_computed(proptag_t tag) {
    for (unsigned i = 0; i < G_N_ELEMENTS(computed); i++)
        if (PROP_ID(computed[i]) == PROP_ID(tag))
            return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(identity); i++)
        if (PROP_ID(identity[i]) == PROP_ID(tag))
            return true;
    return PROP_ID(tag) == PROP_ID(PidTagMid);
}

static bool is_stored_wanted(void *ctx, proptag_t tag) {
    return !is_computed(tag) && is_wanted(ctx, tag);
}

// Messages inside an internet original become values.
static enum ec open_embedded(struct mbox_tx *tx, struct message *m) {
    const struct message_value *value = message_peek(m);
    struct message_value *unused;
    for (guint i = 0; i < value->attachments->len; i++) {
        const struct attachment_value *a = value->attachments->pdata[i];
        if (a->embedded || bag_long(a->bag, PidTagAttachMethod, 0) != 5)
            continue;
        enum ec ec = message_open_embedded(tx, m, i, &unused);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}

static enum ec put_children(struct ft_writer *w, const struct message_value *value,
                            const struct ft_source *source, const struct putting *p,
                            unsigned parts) {
    if (parts & FAST_RECIPIENTS && fast_wants(p->filter, PidTagMessageRecipients)) {
        if (parts & FAST_DIRECTIVES)
            ft_put_long(w, MetaTagFXDelProp, (int32_t)PidTagMessageRecipients);
        EC_TRY(ft_put_recipients(w, value, source));
    }
    if (parts & FAST_ATTACHMENTS && fast_wants(p->filter, PidTagMessageAttachments)) {
        if (parts & FAST_DIRECTIVES)
            ft_put_long(w, MetaTagFXDelProp, (int32_t)PidTagMessageAttachments);
        EC_TRY(ft_put_attachments(w, value, source));
    }
    return EC_OK;
}

enum ec fast_put_message(struct ft_writer *w, struct mbox_tx *tx, struct rop_logon *logon,
                         struct message *m, const struct fast_filter *filter, unsigned parts) {
    ARENA_AUTO arena = arena_new();
    struct putting p = {logon, tx, arena, filter};
    struct convert_source content = {read_content, tx};
    struct ft_source source = {
        .content = &content, .name = find_name, .wants = is_stored_wanted, .ctx = &p};
    EC_TRY(open_embedded(tx, m));
    const struct message_value *value = message_peek(m);
    if (parts & FAST_PUT_MID) {
        struct prop_value mid =
            prop_i8(PidTagMid, short_id_value((struct short_id){REPLID_OWN, message_mid(m)}));
        ft_put_value(w, &mid, NULL);
    }
    if (parts & FAST_KEEP_IDS)
        EC_TRY(put_computed(w, &p, m, identity, G_N_ELEMENTS(identity)));
    EC_TRY(put_computed(w, &p, m, computed, G_N_ELEMENTS(computed)));
    EC_TRY(ft_put_bag(w, value, value->bag, &source, true));
    return put_children(w, value, &source, &p, parts);
}

enum ec fast_put_version(struct ft_writer *w, struct mbox_tx *tx, struct message *m,
                         const struct message_value *value, const struct fast_filter *filter) {
    static const proptag_t flags[] = {PidTagMessageFlags};
    ARENA_AUTO arena = arena_new();
    struct putting p = {NULL, tx, arena, filter};
    struct convert_source content = {read_content, tx};
    struct ft_source source = {
        .content = &content, .name = find_name, .wants = is_stored_wanted, .ctx = &p};
    EC_TRY(put_computed(w, &p, m, flags, 1));
    EC_TRY(ft_put_bag(w, value, value->bag, &source, true));
    return put_children(w, value, &source, &p, FAST_CHILDREN | FAST_DIRECTIVES);
}

enum ec fast_put_attachment(struct ft_writer *w, struct mbox_tx *tx, struct message *m,
                            const struct attachment_value *a, const struct fast_filter *filter,
                            bool with_embedded) {
    ARENA_AUTO arena = arena_new();
    struct putting p = {NULL, tx, arena, filter};
    struct convert_source content = {read_content, tx};
    struct ft_source source = {
        .content = &content, .name = find_name, .wants = is_wanted, .ctx = &p};
    if (!with_embedded && a->embedded)
        return ft_put_bag(w, message_peek(m), a->bag, &source, true);
    return ft_put_attachment(w, message_peek(m), a, &source, true);
}

// --- Folders ---

enum ec fast_put_folder_bag(struct ft_writer *w, struct mbox_tx *tx, const struct bag *bag,
                            const struct fast_filter *filter, bool (*skip)(proptag_t tag)) {
    ARENA_AUTO arena = arena_new();
    struct putting p = {NULL, tx, arena, filter};
    struct ft_source source = {.name = find_name, .wants = is_wanted, .ctx = &p};
    BAG_AUTO rest = bag_copy(bag);
    for (unsigned i = bag_count(rest); i-- > 0;) {
        proptag_t tag = bag_at(rest, i)->tag;
        if (skip(tag))
            bag_remove(rest, tag);
    }
    return ft_put_bag(w, NULL, rest, &source, true);
}

// What a copy of a folder gets anew, or what has a place of its own.
static bool is_of_place_or_name(proptag_t tag) {
    static const proptag_t tags[] = {
        PidTagFolderId,
        PidTagParentFolderId,
        PidTagSourceKey,
        PidTagParentSourceKey,
        PidTagChangeKey,
        PidTagPredecessorChangeList,
        PidTagChangeNumber,
        PidTagParentEntryId,
        PidTagContentCount,
        PidTagContentUnreadCount,
        PidTagAssociatedContentCount,
        PidTagDeletedCountTotal,
        PidTagSubfolders,
        PidTagMessageSize,
        PidTagMessageSizeExtended,
        PidTagFolderType,
        PidTagCreationTime,
        PidTagLastModificationTime,
        PidTagLocalCommitTime,
        PidTagFolderFlags,
        PidTagHasRules,
        PidTagDisplayName,
        PidTagComment,
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        if (PROP_ID(tags[i]) == PROP_ID(tag))
            return true;
    return false;
}

static void put_wanted(struct ft_writer *w, const struct fast_filter *filter,
                       const struct prop_value *v) {
    if (fast_wants(filter, v->tag))
        ft_put_value(w, v, NULL);
}

enum ec fast_put_folder(struct ft_writer *w, struct mbox_tx *tx, uint64_t fid,
                        const struct fast_filter *filter, bool is_top) {
    BAG_AUTO bag = NULL;
    EC_TRY(folder_get_props(tx, fid, &bag));
    // MS-OXCFXICS_R1345, R1348, R1351
    if (!is_top) {
        const char *comment = bag_str(bag, PidTagComment);
        struct prop_value name = prop_str(PidTagDisplayName, bag_str(bag, PidTagDisplayName)),
                          text = prop_str(PidTagComment, comment ? comment : "");
        put_wanted(w, filter, bag_get(bag, PidTagFolderId));
        put_wanted(w, filter, &name);
        put_wanted(w, filter, &text);
    }
    return fast_put_folder_bag(w, tx, bag, filter, is_of_place_or_name);
}
