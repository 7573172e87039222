// Which mailbox, folder and item a request means: mailboxes opened for a call, and ids read with
// them.
#include <string.h>

#include "mailbox/archive.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_internal.h"

// --- Mailboxes ---

static enum ec keep(struct ews_call *call, struct mailbox *m, struct ews_mailbox **out) {
    struct ews_mailbox *mailbox = arena_alloc0(call->arena, sizeof *mailbox);
    mailbox->m = m;
    g_ptr_array_add(call->mailboxes, mailbox); // closed with the call from here on
    mailbox->guid = *mailbox_guid(m);
    guid_format(&mailbox->guid, mailbox->moniker);
    mailbox->is_public = mailbox_is_public(m);
    mailbox->is_own = guid_equal(&mailbox->guid, &call->principal->guid);
    EC_TRY(mailbox_replica(m, &mailbox->replica));
    *out = mailbox;
    return EC_OK;
}

static struct ews_mailbox *find_open(struct ews_call *call, const struct guid *guid) {
    for (guint i = 0; i < call->mailboxes->len; i++) {
        struct ews_mailbox *m = call->mailboxes->pdata[i];
        if (guid_equal(&m->guid, guid))
            return m;
    }
    return NULL;
}

static enum ec fail_mailbox(struct ews_call *call, enum ec ec) {
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorNonExistentMailbox", NULL);
    return ec;
}

enum ec ews_open_mailbox(struct ews_call *call, const struct guid *guid, struct ews_mailbox **out) {
    struct mailbox *m;
    if ((*out = find_open(call, guid)))
        return EC_OK;
    if (guid_equal(guid, mailbox_public_guid()))
        return ews_open_public(call, out);
    enum ec ec = mailbox_open(ews_mailboxes(call), call->principal, guid, &m);
    if (ec != EC_OK)
        return fail_mailbox(call, ec);
    EC_TRY(keep(call, m, out));
    struct guid owner;
    (*out)->is_archive = mailbox_archive_owner(ews_mailboxes(call), guid, &owner) == EC_OK;
    return EC_OK;
}

enum ec ews_own_mailbox(struct ews_call *call, struct ews_mailbox **out) {
    return ews_open_mailbox(call, &call->principal->guid, out);
}

enum ec ews_open_public(struct ews_call *call, struct ews_mailbox **out) {
    struct mailbox *m;
    if ((*out = find_open(call, mailbox_public_guid())))
        return EC_OK;
    enum ec ec = mailbox_open_public(ews_mailboxes(call), call->principal, &m);
    if (ec == EC_NOT_FOUND || ec == EC_ACCESS_DENIED)
        return ews_fail(call, "ErrorFolderNotFound", "There are no public folders.");
    EC_TRY(ec);
    return keep(call, m, out);
}

enum ec ews_open_archive(struct ews_call *call, struct ews_mailbox *of, struct ews_mailbox **out) {
    struct guid archive;
    struct mailbox *m;
    enum ec ec = mailbox_archive_of(ews_mailboxes(call), &of->guid, &archive);
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorFolderNotFound", "The mailbox has no archive.");
    EC_TRY(ec);
    if ((*out = find_open(call, &archive)))
        return EC_OK;
    EC_TRY(mailbox_open_archive(ews_mailboxes(call), call->principal, &of->guid, &m));
    EC_TRY(keep(call, m, out));
    (*out)->is_archive = true;
    return EC_OK;
}

enum ec ews_find_user(struct ews_call *call, const char *address, struct directory_object **out) {
    if (g_ascii_strncasecmp(address, "smtp:", 5) == 0)
        address += 5;
    return directory_find_address(ews_directory(call), call->arena, address, out);
}

enum ec ews_open_address(struct ews_call *call, const char *address, struct ews_mailbox **out) {
    struct directory_object *user;
    enum ec ec = ews_find_user(call, address, &user);
    if (ec == EC_OK && !user->has_mailbox)
        ec = EC_NOT_FOUND;
    return ec == EC_OK ? ews_open_mailbox(call, &user->guid, out) : fail_mailbox(call, ec);
}

enum ec ews_open_named(struct ews_call *call, const struct ews_node *mailbox,
                       struct ews_mailbox **out) {
    if (!mailbox)
        return ews_own_mailbox(call, out);
    const char *address = ews_child_text(call->arena, mailbox, "EmailAddress");
    if (!address || !*address)
        return ews_fail(call, "ErrorMissingInformationEmailAddress",
                        "The mailbox has no EmailAddress.");
    return ews_open_address(call, address, out);
}

// --- Folders ---

enum place { PLACE_MAILBOX, PLACE_ARCHIVE, PLACE_PUBLIC };
static const struct {
    const char *name;
    uint64_t fid; // 0: a name that nothing has here
    enum place place;
} distinguished[] = {
    {"calendar", FID_CALENDAR, PLACE_MAILBOX},
    {"contacts", FID_CONTACTS, PLACE_MAILBOX},
    {"deleteditems", FID_DELETED_ITEMS, PLACE_MAILBOX},
    {"drafts", FID_DRAFTS, PLACE_MAILBOX},
    {"inbox", FID_INBOX, PLACE_MAILBOX},
    {"journal", FID_JOURNAL, PLACE_MAILBOX},
    {"notes", FID_NOTES, PLACE_MAILBOX},
    {"outbox", FID_OUTBOX, PLACE_MAILBOX},
    {"sentitems", FID_SENT_ITEMS, PLACE_MAILBOX},
    {"tasks", FID_TASKS, PLACE_MAILBOX},
    {"msgfolderroot", FID_IPM_SUBTREE, PLACE_MAILBOX},
    {"root", FID_ROOT, PLACE_MAILBOX},
    {"junkemail", FID_JUNK, PLACE_MAILBOX},
    {"searchfolders", FID_FINDER, PLACE_MAILBOX},
    {"recoverableitemsroot", FID_RECOVERABLE_ITEMS, PLACE_MAILBOX},
    {"recoverableitemsdeletions", FID_RECOVERABLE_DELETIONS, PLACE_MAILBOX},
    {"recoverableitemsversions", FID_RECOVERABLE_VERSIONS, PLACE_MAILBOX},
    {"recoverableitemspurges", FID_RECOVERABLE_PURGES, PLACE_MAILBOX},
    {"recoverableitemsdiscoveryholds", FID_RECOVERABLE_HOLDS, PLACE_MAILBOX},
    {"syncissues", FID_SYNC_ISSUES, PLACE_MAILBOX},
    {"conflicts", FID_CONFLICTS, PLACE_MAILBOX},
    {"localfailures", FID_LOCAL_FAILURES, PLACE_MAILBOX},
    {"serverfailures", FID_SERVER_FAILURES, PLACE_MAILBOX},
    {"recipientcache", FID_SUGGESTED_CONTACTS, PLACE_MAILBOX},
    {"quickcontacts", FID_QUICK_CONTACTS, PLACE_MAILBOX},
    {"adminauditlogs", FID_RECOVERABLE_AUDITS, PLACE_MAILBOX},
    {"todosearch", FID_TODO_SEARCH, PLACE_MAILBOX},
    {"mycontacts", FID_MY_CONTACTS, PLACE_MAILBOX},
    {"imcontactlist", FID_IM_CONTACT_LIST, PLACE_MAILBOX},
    {"peopleconnect", FID_PEOPLE_CONNECT, PLACE_MAILBOX},
    {"archive", FID_ARCHIVE, PLACE_MAILBOX},
    {"publicfoldersroot", FID_IPM_SUBTREE, PLACE_PUBLIC},
    {"archiveroot", FID_ROOT, PLACE_ARCHIVE},
    {"archivemsgfolderroot", FID_IPM_SUBTREE, PLACE_ARCHIVE},
    {"archivedeleteditems", FID_DELETED_ITEMS, PLACE_ARCHIVE},
    {"archiveinbox", FID_INBOX, PLACE_ARCHIVE},
    {"archiverecoverableitemsroot", FID_RECOVERABLE_ITEMS, PLACE_ARCHIVE},
    {"archiverecoverableitemsdeletions", FID_RECOVERABLE_DELETIONS, PLACE_ARCHIVE},
    {"archiverecoverableitemsversions", FID_RECOVERABLE_VERSIONS, PLACE_ARCHIVE},
    {"archiverecoverableitemspurges", FID_RECOVERABLE_PURGES, PLACE_ARCHIVE},
    {"archiverecoverableitemsdiscoveryholds", FID_RECOVERABLE_HOLDS, PLACE_ARCHIVE},
    {"voicemail", 0, PLACE_MAILBOX},
    {"conversationhistory", 0, PLACE_MAILBOX},
    {"directory", 0, PLACE_MAILBOX},
    {"favorites", 0, PLACE_MAILBOX},
    {"mecontact", 0, PLACE_MAILBOX},
    {"personmetadata", 0, PLACE_MAILBOX},
    {"teamspaceactivity", 0, PLACE_MAILBOX},
    {"teamspacemessaging", 0, PLACE_MAILBOX},
    {"teamspaceworkitems", 0, PLACE_MAILBOX},
    {"scheduled", 0, PLACE_MAILBOX},
    {"orionnotes", 0, PLACE_MAILBOX},
    {"tagitems", 0, PLACE_MAILBOX},
    {"alltaggeditems", 0, PLACE_MAILBOX},
    {"externalcontacts", 0, PLACE_MAILBOX},
    {"teamchat", 0, PLACE_MAILBOX},
    {"teamchathistory", 0, PLACE_MAILBOX},
    {"yammerroot", 0, PLACE_MAILBOX},
    {"yammerinbound", 0, PLACE_MAILBOX},
    {"yammeroutbound", 0, PLACE_MAILBOX},
    {"yammerfeeds", 0, PLACE_MAILBOX},
    {"onedriveroot", 0, PLACE_MAILBOX},
    {"onedriverecylebin", 0, PLACE_MAILBOX},
    {"onedrivesystem", 0, PLACE_MAILBOX},
    {"onedrivevolume", 0, PLACE_MAILBOX},
    {"important", 0, PLACE_MAILBOX},
    {"starred", 0, PLACE_MAILBOX},
};

static int find_distinguished(const char *name) {
    for (unsigned i = 0; i < G_N_ELEMENTS(distinguished); i++)
        if (strcmp(distinguished[i].name, name) == 0)
            return (int)i;
    return -1;
}

enum ec ews_distinguished_folder(const char *name, uint64_t *fid_out) {
    int i = find_distinguished(name);
    if (i < 0 || distinguished[i].fid == 0)
        return EC_NOT_FOUND;
    *fid_out = distinguished[i].fid;
    return EC_OK;
}

const char *ews_distinguished_name(uint64_t fid) {
    for (unsigned i = 0; i < G_N_ELEMENTS(distinguished); i++)
        if (distinguished[i].fid == fid && distinguished[i].place == PLACE_MAILBOX)
            return distinguished[i].name;
    return NULL;
}

static enum ec read_distinguished(struct ews_call *call, const struct ews_node *node,
                                  struct ews_folder_ref *out) {
    const char *name = ews_attribute(node, "Id");
    int i = name ? find_distinguished(name) : -1;
    if (i < 0)
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: The 'Id' attribute is no name of a "
                         "folder.");
    out->distinguished = distinguished[i].name;
    out->fid = distinguished[i].fid;
    if (distinguished[i].place == PLACE_PUBLIC)
        return ews_open_public(call, &out->mailbox);
    EC_TRY(ews_open_named(call, ews_child(node, "Mailbox"), &out->mailbox));
    if (distinguished[i].place == PLACE_ARCHIVE) {
        struct ews_mailbox *of = out->mailbox;
        EC_TRY(ews_open_archive(call, of, &out->mailbox));
    }
    return out->fid ? EC_OK : ews_fail(call, "ErrorFolderNotFound", NULL);
}

static enum ec read_change_key(struct ews_call *call, const struct ews_node *node,
                               uint64_t *change_out) {
    const char *key = ews_attribute(node, "ChangeKey");
    *change_out = 0;
    if (key && *key && !ews_change_key_parse(key, change_out))
        return ews_fail(call, "ErrorInvalidChangeKey", NULL);
    return EC_OK;
}

enum ec ews_read_folder_id(struct ews_call *call, const struct ews_node *node,
                           struct ews_folder_ref *out) {
    struct ews_id id;
    struct guid replica;
    *out = (struct ews_folder_ref){0};
    if (ews_is(node, "DistinguishedFolderId")) {
        EC_TRY(read_distinguished(call, node, out));
        return read_change_key(call, node, &out->change);
    }
    if (!ews_is(node, "FolderId") && !ews_is(node, "ParentFolderId"))
        return ews_fail(call, "ErrorInvalidId", NULL);
    const char *wrong = ews_id_parse(ews_attribute(node, "Id"), &id, &replica);
    if (wrong)
        return ews_fail(call, wrong, NULL);
    if (id.kind != EWS_ID_FOLDER)
        return ews_fail(call, "ErrorCannotUseItemIdForFolderId", NULL);
    EC_TRY(ews_open_mailbox(call, &id.mailbox, &out->mailbox));
    if (!guid_equal(&replica, &out->mailbox->replica))
        return ews_fail(call, "ErrorFolderNotFound", NULL);
    out->fid = id.fid;
    return read_change_key(call, node, &out->change);
}

enum ec ews_read_folder_child(struct ews_call *call, const struct ews_node *node,
                              struct ews_folder_ref *out) {
    if (!node || !node->child)
        return ews_fail(call, "ErrorMissingArgument", "The folder's id is missing.");
    return ews_read_folder_id(call, node->child, out);
}

// --- Items ---

enum ec ews_read_item_id(struct ews_call *call, const struct ews_node *node,
                         struct ews_item_ref *out) {
    struct guid replica;
    struct ews_id *id = arena_alloc0(call->arena, sizeof *id);
    *out = (struct ews_item_ref){0};
    const char *text = ews_attribute(node, "Id");
    if (ews_is(node, "OccurrenceItemId"))
        text = ews_attribute(node, "RecurringMasterId");
    else if (ews_is(node, "RecurringMasterItemId") || ews_is(node, "RecurringMasterItemIdRanges"))
        text = ews_attribute(node, "OccurrenceId");
    const char *wrong = ews_id_parse(text, id, &replica);
    if (wrong)
        return ews_fail(call, wrong, NULL);
    if (id->kind == EWS_ID_FOLDER)
        return ews_fail(call, "ErrorCannotUseFolderIdForItemId", NULL);
    if (id->kind != EWS_ID_ITEM && id->kind != EWS_ID_ATTACHMENT)
        return ews_fail(call, "ErrorInvalidId", NULL);
    EC_TRY(ews_open_mailbox(call, &id->mailbox, &out->mailbox));
    if (!guid_equal(&replica, &out->mailbox->replica))
        return ews_fail(call, "ErrorItemNotFound", NULL);
    out->fid = id->fid;
    out->mid = id->mid;
    out->attachment = id->kind == EWS_ID_ATTACHMENT ? id : NULL;
    return read_change_key(call, node, &out->change);
}
