// DeleteItem, MoveItem, CopyItem, ArchiveItem, MarkAllItemsAsRead, MarkAsJunk ([MS-OXWSCORE] 3.1.4,
// [MS-OXWSARCH] 3.1.4.1).
#include <string.h>

#include "mailbox/junk.h"
#include "mailbox/receipt.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/op_items.h"

#define FLAGS_BATCH 1000

// --- Deleting ---

struct deleting {
    enum item_delete_mode mode;
    bool suppresses_receipts;
    const char *cancellations, *occurrences; // attributes; NULL: none
};

// What has to be said when some kinds of items are deleted.
static enum ec check_kind(struct ews_call *call, const struct ews_item_ref *ref,
                          const struct deleting *d) {
    struct item *item;
    if (d->cancellations && d->occurrences)
        return EC_OK;
    enum ec ec = item_open_deleted(ref->mailbox->m, ref->mid, &item);
    EC_TRY(ews_fail_item(call, ec));
    enum ews_class class = ews_class_of(item_class(item));
    item_close(item);
    if (class == EWS_CALENDAR && !d->cancellations)
        return ews_fail(call, "ErrorSendMeetingCancellationsRequired",
                        "SendMeetingCancellations is needed to delete a calendar item.");
    if (class == EWS_TASK && !d->occurrences)
        return ews_fail(call, "ErrorAffectedTaskOccurrencesRequired",
                        "AffectedTaskOccurrences is needed to delete a task.");
    return EC_OK;
}

static enum ec delete_one(struct ews_call *call, const struct ews_item_ref *ref, void *ctx) {
    const struct deleting *d = ctx;
    if (ref->attachment)
        return ews_fail(call, "ErrorCannotDeleteObject",
                        "An item in an attachment goes with DeleteAttachment.");
    EC_TRY(check_kind(call, ref, d));
    mailbox_set_receipts(ref->mailbox->m, !d->suppresses_receipts);
    EC_TRY(ews_fail_item(call, item_delete(ref->mailbox->m, ref->mid, d->mode, NULL)));
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_delete_item(struct ews_call *call) {
    static const struct {
        const char *name;
        enum item_delete_mode mode;
    } modes[] = {{"HardDelete", ITEM_DELETE_HARD},
                 {"SoftDelete", ITEM_DELETE_SOFT},
                 {"MoveToDeletedItems", ITEM_DELETE_TO_TRASH}};
    struct deleting d = {0};
    const char *type = ews_attribute(call->request, "DeleteType");
    d.cancellations = ews_attribute(call->request, "SendMeetingCancellations");
    d.occurrences = ews_attribute(call->request, "AffectedTaskOccurrences");
    ews_parse_bool(ews_attribute(call->request, "SuppressReadReceipts"), &d.suppresses_receipts);
    for (unsigned i = 0; type && i < G_N_ELEMENTS(modes); i++) {
        if (strcmp(type, modes[i].name) != 0)
            continue;
        d.mode = modes[i].mode;
        return ews_each_item(call, ews_child(call->request, "ItemIds"), delete_one, &d);
    }
    return ews_fault(call, "ErrorSchemaValidation",
                     "The request failed schema validation: The required attribute 'DeleteType' is "
                     "missing.");
}

// --- Moving and copying ---

struct moving {
    struct ews_folder_ref to;
    bool returns_ids, is_copy;
};

static enum ec move_one(struct ews_call *call, const struct ews_item_ref *ref, void *ctx) {
    const struct moving *m = ctx;
    uint64_t fid, mid;
    if (ref->attachment)
        return ews_fail(call, "ErrorInvalidOperation", "An item in an attachment cannot be moved.");
    // Told apart: the item may be missing, or the folder.
    EC_TRY(ews_fail_item(call, item_folder(ref->mailbox->m, ref->mid, &fid)));
    enum ec ec = m->is_copy
                     ? item_copy(ref->mailbox->m, ref->mid, m->to.mailbox->m, m->to.fid, &mid)
                     : item_move(ref->mailbox->m, ref->mid, m->to.mailbox->m, m->to.fid, &mid);
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorToFolderNotFound", NULL);
    EC_TRY(ec);
    ews_success(call);
    ews_open(call->w, "m:Items");
    if (m->returns_ids)
        EC_TRY(ews_write_ids(call, m->to.mailbox, mid));
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

static enum ec move_or_copy(struct ews_call *call, bool is_copy) {
    struct moving m = {.is_copy = is_copy};
    m.returns_ids = ews_child_bool(call->request, "ReturnNewItemIds", true);
    EC_TRY(ews_read_folder_child(call, ews_child(call->request, "ToFolderId"), &m.to));
    return ews_each_item(call, ews_child(call->request, "ItemIds"), move_one, &m);
}

enum ec op_move_item(struct ews_call *call) {
    return move_or_copy(call, false);
}

enum ec op_copy_item(struct ews_call *call) {
    return move_or_copy(call, true);
}

// --- Archiving ---

struct archiving {
    struct ews_folder_ref source;
    struct moving moving;
};

// The folder of the same path in the archive, made when it is missing.
static enum ec archive_folder(struct ews_call *call, const struct ews_folder_ref *source,
                              struct ews_folder_ref *out) {
    struct mailbox_folder_list list;
    struct mailbox_folder found;
    const char *path = NULL;
    if (source->mailbox->is_archive)
        return ews_fail(call, "ErrorCannotArchiveItemsInArchiveMailbox", NULL);
    if (source->mailbox->is_public)
        return ews_fail(call, "ErrorCannotArchiveItemsInPublicFolders", NULL);
    EC_TRY(mailbox_list_folders(source->mailbox->m, call->arena, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (list.items[i].fid == source->fid)
            path = list.items[i].path;
    if (!path)
        return ews_fail(call, "ErrorCannotGetSourceFolderPath",
                        "The folder of the items has no path.");
    enum ec ec = ews_open_archive(call, source->mailbox, &out->mailbox);
    if (ec != EC_OK)
        return ews_fail(call, "ErrorArchiveMailboxNotEnabled", NULL);
    ec = mailbox_find_folder(out->mailbox->m, call->arena, path, &found);
    if (ec == EC_NOT_FOUND)
        return mailbox_create_folder(out->mailbox->m, path, &out->fid);
    out->fid = found.fid;
    return ec;
}

enum ec op_archive_item(struct ews_call *call) {
    struct ews_folder_ref source;
    struct moving m = {.returns_ids = true};
    EC_TRY(ews_read_folder_child(call, ews_child(call->request, "ArchiveSourceFolderId"), &source));
    EC_TRY(archive_folder(call, &source, &m.to));
    return ews_each_item(call, ews_child(call->request, "ItemIds"), move_one, &m);
}

// --- Read state of folders ---

static enum ec mark_some(struct ews_folder_ref *f, const GArray *mids, bool is_read) {
    struct mailbox_flags change = {.mode = is_read ? MAILBOX_FLAGS_ADD : MAILBOX_FLAGS_REMOVE,
                                   .flags = MSG_READ,
                                   .unchanged_since = UINT64_MAX};
    if (mids->len == 0)
        return EC_OK;
    return mailbox_change_flags(f->mailbox->m, f->fid, (const uint64_t *)(void *)mids->data,
                                mids->len, &change, NULL);
}

static enum ec mark_folder(struct ews_call *call, const struct ews_node *node, bool is_read,
                           bool suppresses) {
    struct ews_folder_ref f;
    struct mailbox_view *view;
    EC_TRY(ews_read_folder_id(call, node, &f));
    EC_TRY(ews_fail_folder(call, mailbox_view_open(f.mailbox->m, f.fid, &view)));
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    enum ec ec = EC_OK;
    mailbox_set_receipts(f.mailbox->m, !suppresses);
    for (uint32_t i = 0; ec == EC_OK && i < mailbox_view_count(view); i++) {
        const struct message_row *row = mailbox_view_row(view, i);
        if (!(row->flags & MSG_READ) == is_read)
            g_array_append_val(mids, row->mid);
        if (mids->len < FLAGS_BATCH)
            continue;
        ec = mark_some(&f, mids, is_read);
        g_array_set_size(mids, 0);
    }
    if (ec == EC_OK)
        ec = mark_some(&f, mids, is_read);
    mailbox_view_free(view);
    return ec;
}

enum ec op_mark_all_items_as_read(struct ews_call *call) {
    bool is_read = ews_child_bool(call->request, "ReadFlag", true);
    bool suppresses = ews_child_bool(call->request, "SuppressReadReceipts", false);
    const struct ews_node *ids = ews_child(call->request, "FolderIds");
    for (const struct ews_node *node = ids ? ids->child : NULL; node; node = node->next) {
        enum ec ec = mark_folder(call, node, is_read, suppresses);
        if (call->is_fault)
            return ec;
        if (ec == EC_OK) {
            ews_success(call);
            ews_message_end(call);
        } else {
            ews_error(call, ec);
        }
    }
    return EC_OK;
}

// --- Junk ---

struct junking {
    bool is_junk, moves;
};

static enum ec note_sender(struct ews_call *call, const struct ews_item_ref *ref, bool is_junk) {
    struct item *item;
    struct item_person person;
    EC_TRY(ews_fail_item(call, item_open(ref->mailbox->m, ref->mid, &item)));
    const struct bag *bag = item_value(item)->bag;
    const char *address = NULL;
    if ((item_person_get(bag, ITEM_FROM, &person) || item_person_get(bag, ITEM_SENDER, &person)) &&
        person.address && strchr(person.address, '@'))
        address = arena_strdup(call->arena, person.address);
    item_close(item);
    if (!address)
        return EC_OK;
    if (is_junk)
        return mailbox_add_junk(ref->mailbox->m, JUNK_BLOCKED_SENDERS, address);
    enum ec ec = mailbox_remove_junk(ref->mailbox->m, JUNK_BLOCKED_SENDERS, address);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

static enum ec junk_one(struct ews_call *call, const struct ews_item_ref *ref, void *ctx) {
    const struct junking *j = ctx;
    uint64_t mid = 0;
    if (ref->attachment)
        return ews_fail(call, "ErrorInvalidOperation", NULL);
    EC_TRY(note_sender(call, ref, j->is_junk));
    if (j->moves)
        EC_TRY(ews_fail_item(call, item_move(ref->mailbox->m, ref->mid, ref->mailbox->m,
                                             j->is_junk ? FID_JUNK : FID_INBOX, &mid)));
    ews_success(call);
    if (mid)
        ews_write_item_id(call, "m:MovedItemId", ref->mailbox, j->is_junk ? FID_JUNK : FID_INBOX,
                          mid, EWS_OBJECT_MESSAGE, mid);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_mark_as_junk(struct ews_call *call) {
    struct junking j = {.moves = true};
    if (!ews_parse_bool(ews_attribute(call->request, "IsJunk"), &j.is_junk))
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: The required attribute 'IsJunk' is "
                         "missing.");
    ews_parse_bool(ews_attribute(call->request, "MoveItem"), &j.moves);
    return ews_each_item(call, ews_child(call->request, "ItemIds"), junk_one, &j);
}
