// The small tables: attachments of a message, permissions and rules of a folder, receive folders
// ([MS-OXCMSG] 2.2.3.17, [MS-OXCPERM] 2.2.1, [MS-OXORULE] 2.2.2, [MS-OXCSTOR] 2.2.1.4).
#include <string.h>

#include "mapi/change.h"
#include "mapi/props.h"
#include "store/folder.h"
#include "store/receive_folder.h"
#include "store/rule.h"
#include "store/table_list.h"

// --- Attachments ---

static const proptag_t attachment_columns[] = {
    PidTagAttachNumber,      PidTagAttachMethod,       PidTagAttachSize,
    PidTagAttachFilename,    PidTagAttachLongFilename, PidTagAttachExtension,
    PidTagAttachMimeTag,     PidTagAttachContentId,    PidTagAttachContentLocation,
    PidTagAttachFlags,       PidTagAttachEncoding,     PidTagAttachRendering,
    PidTagRenderingPosition, PidTagDisplayName,        PidTagAttachmentHidden,
    PidTagAttachmentFlags,   PidTagCreationTime,       PidTagLastModificationTime,
};

struct attachments {
    GPtrArray *bags;
};

static uint32_t content_size(const struct attachment_value *a) {
    uint64_t size = a->data ? g_bytes_get_size(a->data) : a->external.len;
    return (uint32_t)MIN(size, (uint64_t)INT32_MAX);
}

static enum ec fill_attachments(void *ctx, struct mbox_tx *tx, struct list *list) {
    const struct attachments *a = ctx;
    (void)tx;
    for (guint i = 0; i < a->bags->len; i++) {
        const struct bag *bag = a->bags->pdata[i];
        unsigned n = bag_count(bag);
        struct prop_value *values = g_new(struct prop_value, n + 1);
        for (unsigned k = 0; k < n; k++)
            values[k] = *bag_at(bag, k);
        list_add(list, (struct row_key){i + 1, 0}, values, n);
        g_free(values);
    }
    return EC_OK;
}

static void free_attachments(void *ctx) {
    struct attachments *a = ctx;
    g_ptr_array_unref(a->bags);
    g_free(a);
}

static void free_bag(gpointer bag) {
    bag_free(bag);
}

enum ec table_open_attachments(const struct message_value *message, struct table **out) {
    struct attachments *a = g_new(struct attachments, 1);
    a->bags = g_ptr_array_new_with_free_func(free_bag);
    for (guint i = 0; i < message->attachments->len; i++) {
        const struct attachment_value *value = message->attachments->pdata[i];
        struct bag *bag = bag_copy(value->bag);
        if (!bag_get(bag, PidTagAttachNumber))
            bag_set_long(bag, PidTagAttachNumber, (int32_t)i);
        if (!bag_get(bag, PidTagAttachSize))
            bag_set_long(bag, PidTagAttachSize, (int32_t)content_size(value));
        g_ptr_array_add(a->bags, bag);
    }
    struct list_source_spec spec = {.fill = fill_attachments,
                                    .free = free_attachments,
                                    .ctx = a,
                                    .columns = attachment_columns,
                                    .n_columns = G_N_ELEMENTS(attachment_columns)};
    *out = table_new(TABLE_ATTACHMENTS, list_source_new(NULL, &spec));
    return EC_OK;
}

// --- Permissions ---

static const proptag_t permission_columns[] = {PidTagMemberId, PidTagMemberName, PidTagMemberRights,
                                               PidTagEntryId};

static enum ec fill_permissions(void *ctx, struct mbox_tx *tx, struct list *list) {
    const struct table_members *m = ctx;
    struct table_member *all;
    unsigned n;
    (void)tx;
    EC_TRY(m->get(m->ctx, list_arena(list), &all, &n));
    for (unsigned i = 0; i < n; i++) {
        struct prop_value values[] = {
            prop_i8(PidTagMemberId, all[i].id), prop_str(PidTagMemberName, all[i].name),
            prop_long(PidTagMemberRights, (int32_t)all[i].rights),
            prop_bytes(PidTagEntryId,
                       all[i].entry_id.data ? all[i].entry_id.data : (const uint8_t *)"",
                       all[i].entry_id.len)};
        list_add(list, (struct row_key){(uint64_t)all[i].id, 0}, values, G_N_ELEMENTS(values));
    }
    return EC_OK;
}

static void free_members(void *ctx) {
    struct table_members *m = ctx;
    if (m->free)
        m->free(m->ctx);
    g_free(m);
}

enum ec table_open_permissions(struct mbox *mbox, const struct table_members *members,
                               struct table **out) {
    struct list_source_spec spec = {.fill = fill_permissions,
                                    .free = free_members,
                                    .ctx = g_memdup2(members, sizeof *members),
                                    .columns = permission_columns,
                                    .n_columns = G_N_ELEMENTS(permission_columns)};
    *out = table_new(TABLE_PERMISSIONS, list_source_new(mbox, &spec));
    return EC_OK;
}

// --- Rules ---

static enum ec check_folder(struct mbox *mbox, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct folder_info folder;
    EC_TRY(mbox_read(mbox, &tx));
    return folder_get(tx, arena, fid, &folder);
}

static const proptag_t rule_columns[] = {
    PidTagRuleId,        PidTagRuleSequence, PidTagRuleState,     PidTagRuleName,
    PidTagRuleProvider,  PidTagRuleLevel,    PidTagRuleUserFlags, PidTagRuleProviderData,
    PidTagRuleCondition, PidTagRuleActions,
};

static struct prop_value bin_value(proptag_t tag, struct prop_bin bin) {
    return prop_bytes(tag, bin.data, bin.len);
}

static enum ec fill_rules(void *ctx, struct mbox_tx *tx, struct list *list) {
    struct rule_list rules;
    EC_TRY(rule_list_get(tx, list_arena(list), *(uint64_t *)ctx, &rules));
    for (unsigned i = 0; i < rules.n; i++) {
        const struct rule *r = &rules.items[i];
        struct prop_value values[10] = {
            prop_i8(PidTagRuleId, (int64_t)r->id),
            prop_long(PidTagRuleSequence, r->sequence),
            prop_long(PidTagRuleState, (int32_t)r->state),
            prop_str(PidTagRuleName, r->name),
            prop_str(PidTagRuleProvider, r->provider),
            prop_long(PidTagRuleLevel, 0),
            prop_long(PidTagRuleUserFlags, (int32_t)r->user_flags),
            bin_value(PidTagRuleProviderData, r->provider_data),
            bin_value(PidTagRuleActions, r->actions),
            bin_value(PidTagRuleCondition, r->condition), // absent when there is none
        };
        list_add(list, (struct row_key){r->id, 0}, values, r->condition.len > 0 ? 10 : 9);
    }
    return EC_OK;
}

enum ec table_open_rules(struct mbox *mbox, uint64_t fid, struct table **out) {
    EC_TRY(check_folder(mbox, fid));
    struct list_source_spec spec = {.fill = fill_rules,
                                    .free = g_free,
                                    .ctx = g_memdup2(&fid, sizeof fid),
                                    .columns = rule_columns,
                                    .n_columns = G_N_ELEMENTS(rule_columns)};
    *out = table_new(TABLE_RULES, list_source_new(mbox, &spec));
    return EC_OK;
}

// --- Receive folders ---

static const proptag_t receive_columns[] = {PidTagFolderId, PidTagMessageClass,
                                            PidTagLastModificationTime};

// A number that stands for the class.
static uint64_t number_of(const char *class) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (const char *p = class; *p; p++)
        hash = (hash ^ (uint8_t)g_ascii_tolower(*p)) * UINT64_C(0x100000001B3);
    return hash;
}

static enum ec fill_receive_folders(void *ctx, struct mbox_tx *tx, struct list *list) {
    struct receive_folders all;
    (void)ctx;
    EC_TRY(receive_folder_list(tx, list_arena(list), &all));
    for (unsigned i = 0; i < all.n; i++) {
        const struct receive_folder *r = &all.items[i];
        struct prop_value values[] = {
            prop_i8(PidTagFolderId, short_id_value((struct short_id){REPLID_OWN, r->fid})),
            prop_str(PidTagMessageClass, r->class),
            prop_time(PidTagLastModificationTime, r->changed)};
        list_add(list, (struct row_key){number_of(r->class), 0}, values, G_N_ELEMENTS(values));
    }
    return EC_OK;
}

enum ec table_open_receive_folders(struct mbox *mbox, struct table **out) {
    struct list_source_spec spec = {.fill = fill_receive_folders,
                                    .columns = receive_columns,
                                    .n_columns = G_N_ELEMENTS(receive_columns)};
    *out = table_new(TABLE_RECEIVE_FOLDERS, list_source_new(mbox, &spec));
    return EC_OK;
}
