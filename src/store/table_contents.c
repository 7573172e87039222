// Contents tables: views as a source of rows ([MS-OXCFOLD] 2.2.1.14).
#include "mapi/change.h"
#include "mapi/props.h"
#include "store/table_internal.h"
#include "store/view.h"

struct contents_rows {
    struct rows base;
    struct view *view;
};

struct contents_source {
    struct rows_source base;
    uint64_t fid;
    enum view_kind kind;
};

static const struct contents_rows *contents(const struct rows *rows) {
    return (const struct contents_rows *)rows;
}

static void contents_free(struct rows *rows) {
    view_unref(((struct contents_rows *)rows)->view);
    g_free(rows);
}

static struct row_key key_of(const struct view_entry *entry) {
    struct short_id id = {REPLID_OWN, entry->mid};
    return (struct row_key){(uint64_t)short_id_value(id), entry->instance};
}

static struct row_key contents_at(const struct rows *rows, uint32_t i) {
    struct view_entry entry = view_at(contents(rows)->view, i);
    return key_of(&entry);
}

static bool contents_find(const struct rows *rows, struct row_key key, uint32_t *i_out) {
    struct short_id id = short_id_of_value((int64_t)key.id);
    return id.replid == REPLID_OWN &&
           view_find(contents(rows)->view, id.counter, key.instance, i_out) && *i_out < rows->n;
}

static uint32_t contents_lower_bound(const struct rows *rows,
                                     const struct prop_value *const *values, unsigned n) {
    return MIN(view_lower_bound(contents(rows)->view, values, n), rows->n);
}

static uint32_t contents_group_end(const struct rows *rows, unsigned level, uint32_t i) {
    return MIN(view_group_end(contents(rows)->view, level, i), rows->n);
}

static uint32_t contents_unread(const struct rows *rows, uint32_t from, uint32_t to) {
    return view_unread(contents(rows)->view, from, to);
}

static enum ec contents_values(const struct rows *rows, struct mbox_tx *tx, struct arena *arena,
                               uint32_t i, const proptag_t *tags, unsigned n, size_t max_bytes,
                               const struct prop_value **values) {
    return view_values(contents(rows)->view, tx, arena, i, tags, n, max_bytes, values);
}

static enum ec contents_matches(const struct rows *rows, struct mbox_tx *tx, uint32_t i,
                                const struct restriction *restriction, bool *out) {
    return view_matches(contents(rows)->view, tx, i, restriction, out);
}

struct diff {
    row_change_fn fn;
    void *ctx;
};

static void pass_change(void *ctx, enum view_change what, const struct view_entry *entry,
                        uint32_t index) {
    const struct diff *d = ctx;
    enum row_change change = what == VIEW_ROW_REMOVED ? ROW_GONE
                             : what == VIEW_ROW_ADDED ? ROW_NEW
                                                      : ROW_DIFFERENT;
    d->fn(d->ctx, change, key_of(entry), index);
}

// With a limited number of rows, others come and go at the end too: not told one by one.
static bool contents_diff(const struct rows *from, const struct rows *to, unsigned limit,
                          row_change_fn fn, void *ctx) {
    struct diff d = {fn, ctx};
    const struct view *a = contents(from)->view, *b = contents(to)->view;
    if (from->n < view_count(a) || to->n < view_count(b))
        return false;
    return view_diff(a, b, limit, pass_change, &d);
}

static const struct rows_ops contents_ops = {
    contents_free,   contents_at,     contents_find,    contents_lower_bound, contents_group_end,
    contents_unread, contents_values, contents_matches, contents_diff};

static enum ec contents_get(struct rows_source *source, const struct sort_order *order,
                            const struct restriction *restriction, struct rows *old,
                            struct rows **out) {
    struct contents_source *s = (struct contents_source *)source;
    struct view_spec spec = {s->fid, s->kind, order, restriction};
    struct view *view;
    EC_TRY(old ? view_renew(source->mbox, contents(old)->view, &view)
               : view_get(source->mbox, &spec, &view));
    if (old && view == contents(old)->view) {
        view_unref(view);
        *out = rows_ref(old);
        return EC_OK;
    }
    struct contents_rows *rows = g_new0(struct contents_rows, 1);
    uint32_t limit = restriction ? restriction_count_limit(restriction) : UINT32_MAX;
    rows->base = (struct rows){&contents_ops, 1, MIN(view_count(view), limit)};
    rows->view = view;
    *out = &rows->base;
    return EC_OK;
}

static void source_free(struct rows_source *source) {
    mbox_unref(source->mbox);
    g_free(source);
}

static const struct source_ops source_ops = {source_free, contents_get};

// What clients may ask for ([MS-OXCTABL] 2.2.1 and the properties of messages in lists).
static const proptag_t columns[] = {
    PidTagInstID,
    PidTagInstanceNum,
    PidTagRowType,
    PidTagDepth,
    PidTagContentCount,
    PidTagContentUnreadCount,
    PidTagFolderId,
    PidTagMid,
    PidTagEntryId,
    PidTagParentEntryId,
    PidTagRecordKey,
    PidTagSourceKey,
    PidTagChangeKey,
    PidTagMessageClass,
    PidTagMessageFlags,
    PidTagMessageStatus,
    PidTagMessageSize,
    PidTagHasAttachments,
    PidTagImportance,
    PidTagPriority,
    PidTagSensitivity,
    PidTagSubject,
    PidTagNormalizedSubject,
    PidTagSubjectPrefix,
    PidTagConversationTopic,
    PidTagConversationIndex,
    PidTagConversationId,
    PidTagSenderName,
    PidTagSenderEmailAddress,
    PidTagSentRepresentingName,
    PidTagSentRepresentingEmailAddress,
    PidTagDisplayTo,
    PidTagDisplayCc,
    PidTagDisplayBcc,
    PidTagClientSubmitTime,
    PidTagMessageDeliveryTime,
    PidTagCreationTime,
    PidTagLastModificationTime,
    PidTagFlagStatus,
    PidTagIconIndex,
    PidTagInternetMessageId,
    PidTagOriginalSensitivity,
    PidTagReadReceiptRequested,
    PidTagReplyTime,
    PidTagObjectType,
    PidTagAccess,
    PidTagAccessLevel,
    PidTagMappingSignature,
};

static struct rows_source *contents_source_new(struct mbox *mbox, uint64_t fid,
                                               enum table_kind kind) {
    static const enum view_kind kinds[] = {VIEW_CONTENTS, VIEW_ASSOCIATED, VIEW_SOFT_DELETED,
                                           VIEW_CONVERSATIONS};
    struct contents_source *s = g_new0(struct contents_source, 1);
    s->base = (struct rows_source){&source_ops, mbox_ref(mbox), columns, G_N_ELEMENTS(columns)};
    s->fid = fid;
    s->kind = kinds[kind];
    return &s->base;
}

enum ec table_open_contents(struct mbox *mbox, uint64_t fid, enum table_kind kind,
                            struct table **out) {
    struct rows *rows;
    if (kind > TABLE_CONVERSATIONS)
        return EC_INVALID_PARAMETER;
    struct rows_source *source = contents_source_new(mbox, fid, kind);
    enum ec ec = contents_get(source, NULL, NULL, NULL, &rows); // is there such a folder?
    if (ec != EC_OK) {
        source_free(source);
        return ec;
    }
    *out = table_new(kind, source);
    rows_unref(rows);
    return EC_OK;
}
