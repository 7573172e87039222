// The properties of any object: what its bag holds and what is computed ([MS-OXCPRPT] 2.2.1,
// [MS-OXCSTOR] 2.2.2, [MS-OXCFOLD] 2.2.2, [MS-OXCMSG] 2.2.1, 2.2.2).
#include "convert/body.h"
#include "mailbox/mailbox.h"
#include "mailbox/quota.h"
#include "mapi/entry_id.h"
#include "mapi/rights.h"
#include "protocol/rop/props_internal.h"
#include "store/change.h"

// PidTagObjectType.
enum { OBJECT_STORE = 1, OBJECT_FOLDER = 3, OBJECT_MESSAGE = 5, OBJECT_ATTACHMENT = 7 };
// PidTagAccess.
enum {
    ACCESS_MODIFY = 0x01,
    ACCESS_READ = 0x02,
    ACCESS_DELETE = 0x04,
    ACCESS_HIERARCHY = 0x08,
    ACCESS_CONTENTS = 0x10,
    ACCESS_ASSOCIATED = 0x20,
};
// PidTagStoreSupportMask: read-only is not set; the rest is what an online Exchange store says.
#define STORE_SUPPORT 0x063F47FD

static void set_bin(struct bag *bag, proptag_t tag, struct prop_bin bin) {
    bag_set_bytes(bag, tag, bin.data, bin.len);
}

static struct prop_bin xid_of_counter(struct arena *arena, const struct rop_logon *l,
                                      uint64_t counter) {
    struct gid gid = {l->replica, counter};
    struct xid xid = xid_of(&gid);
    return xid_bytes(arena, &xid);
}

static struct prop_bin store_entry_id(const struct rop_logon *l, struct arena *arena) {
    struct rop_session *s = l->object.session;
    struct directory_object owner = {.guid = l->mailbox_guid};
    struct entry_id id = {.kind = ENTRY_ID_STORE,
                          .provider = ENTRY_ID_PROVIDER_STORE,
                          .is_public = l->is_public,
                          .store = {.server = s->service->hostname,
                                    .mailbox_dn = l->is_public ? "" : rop_dn_of(s, arena, &owner)}};
    return entry_id_bytes(arena, &id);
}

static struct prop_bin folder_entry_id(const struct rop_logon *l, struct arena *arena,
                                       uint64_t fid) {
    return entry_id_of_folder(arena, &l->mailbox_guid, &l->replica, fid);
}

static uint32_t access_of(struct rop_logon *l, struct mbox_tx *tx, uint64_t fid) {
    uint32_t rights;
    if (mailbox_rights(l->mailbox, tx, fid, &rights) != EC_OK)
        return 0;
    return (rights & RIGHTS_OWNER ? ACCESS_MODIFY | ACCESS_DELETE | ACCESS_ASSOCIATED : 0) |
           (rights & RIGHTS_READ_ANY ? ACCESS_READ : 0) |
           (rights & RIGHTS_CREATE_SUBFOLDER ? ACCESS_HIERARCHY : 0) |
           (rights & RIGHTS_CREATE ? ACCESS_CONTENTS : 0);
}

static void set_common(const struct rop_logon *l, struct arena *arena, struct bag *bag,
                       int32_t type) {
    bag_set_long(bag, PidTagObjectType, type);
    set_bin(bag, PidTagStoreEntryId, store_entry_id(l, arena));
    bag_set_bytes(bag, PidTagStoreRecordKey, l->mailbox_guid.bytes, 16);
    bag_set_bytes(bag, PidTagMappingSignature, l->replica.bytes, 16);
}

// --- The store ---

struct place {
    proptag_t tag;
    uint64_t fid;
};

static const struct place store_places[] = {
    {PidTagIpmSubtreeEntryId, FID_IPM_SUBTREE},
    {PidTagIpmOutboxEntryId, FID_OUTBOX},
    {PidTagIpmWastebasketEntryId, FID_DELETED_ITEMS},
    {PidTagIpmSentMailEntryId, FID_SENT_ITEMS},
    {PidTagViewsEntryId, FID_VIEWS},
    {PidTagCommonViewsEntryId, FID_COMMON_VIEWS},
    {PidTagFinderEntryId, FID_FINDER},
};

static enum ec store_bag(struct rop_logon *l, struct mbox_tx *tx, struct arena *arena,
                         struct bag **out) {
    struct rop_session *s = l->object.session;
    struct mbox_info info;
    struct directory_object owner = {.guid = l->mailbox_guid}, self = {.guid = s->who->guid};
    EC_TRY(mbox_get_info(tx, arena, &info));
    EC_TRY(mailbox_store_props(l->mailbox, out));
    struct bag *bag = *out;
    set_common(l, arena, bag, OBJECT_STORE);
    set_bin(bag, PidTagEntryId, store_entry_id(l, arena));
    bag_set_bytes(bag, PidTagRecordKey, l->mailbox_guid.bytes, 16);
    bag_set_long(bag, PidTagStoreSupportMask, STORE_SUPPORT);
    bag_set_long(bag, PidTagAccessLevel, 1);
    bag_set_long(bag, PidTagCodePageId, (int32_t)s->code_page);
    bag_set_long(bag, PidTagLocaleId, (int32_t)s->lcid_string);
    if (!bag_get(bag, PidTagSortLocaleId))
        bag_set_long(bag, PidTagSortLocaleId, (int32_t)s->lcid_sort);
    set_bin(bag, PidTagUserEntryId,
            entry_id_of_dn(arena, AB_TYPE_MAIL_USER, rop_dn_of(s, arena, &self)));
    if (!bag_get(bag, PidTagDisplayName))
        bag_set_str(bag, PidTagDisplayName,
                    arena_printf(arena, l->is_public ? "%s" : "Mailbox - %s", info.display_name));
    if (l->is_public)
        return EC_OK;
    bag_set_str(bag, PidTagMailboxOwnerName, info.display_name);
    set_bin(bag, PidTagMailboxOwnerEntryId,
            entry_id_of_dn(arena, AB_TYPE_MAIL_USER, rop_dn_of(s, arena, &owner)));
    for (unsigned i = 0; i < G_N_ELEMENTS(store_places); i++)
        set_bin(bag, store_places[i].tag, folder_entry_id(l, arena, store_places[i].fid));
    bag_set_long(bag, PidTagValidFolderMask, 0xFF);
    return EC_OK;
}

// --- Folders ---

// Where clients find the special folders ([MS-OXOSFLD] 2.2.2 to 2.2.5): on the Inbox and the root.
static const struct place inbox_places[] = {
    {PidTagIpmAppointmentEntryId, FID_CALENDAR},
    {PidTagIpmContactEntryId, FID_CONTACTS},
    {PidTagIpmJournalEntryId, FID_JOURNAL},
    {PidTagIpmNoteEntryId, FID_NOTES},
    {PidTagIpmTaskEntryId, FID_TASKS},
    {PidTagIpmDraftsEntryId, FID_DRAFTS},
    {PidTagRemindersOnlineEntryId, FID_REMINDERS},
};

static void set_special_folders(const struct rop_logon *l, struct arena *arena, struct bag *bag) {
    static const uint64_t more[] = {FID_CONFLICTS, FID_SYNC_ISSUES, FID_LOCAL_FAILURES,
                                    FID_SERVER_FAILURES, FID_JUNK};
    static const struct prop_bin none = {0, (const uint8_t *)""};
    for (unsigned i = 0; i < G_N_ELEMENTS(inbox_places); i++)
        if (!bag_get(bag, inbox_places[i].tag))
            set_bin(bag, inbox_places[i].tag, folder_entry_id(l, arena, inbox_places[i].fid));
    struct prop_bin *ids = arena_alloc0(arena, sizeof *ids * G_N_ELEMENTS(more));
    for (unsigned i = 0; i < G_N_ELEMENTS(more); i++)
        ids[i] = folder_entry_id(l, arena, more[i]);
    struct prop_value v = {.tag = PidTagAdditionalRenEntryIds,
                           .mv = {.n = G_N_ELEMENTS(more), .bin = ids}};
    if (!bag_get(bag, v.tag))
        bag_set(bag, &v);
    struct prop_bin *busy = arena_alloc0(arena, sizeof *busy * 4);
    busy[0] = busy[1] = busy[2] = none;
    busy[3] = folder_entry_id(l, arena, FID_FREEBUSY_DATA);
    v = (struct prop_value){.tag = PidTagFreeBusyEntryIds, .mv = {.n = 4, .bin = busy}};
    if (!bag_get(bag, v.tag))
        bag_set(bag, &v);
}

static enum ec folder_bag(struct rop_folder *f, struct mbox_tx *tx, struct arena *arena,
                          struct bag **out) {
    struct rop_logon *l = f->object.logon;
    struct folder_info info;
    uint32_t rights, key_len, pcl_len;
    const uint8_t *key, *pcl;
    EC_TRY(folder_get(tx, arena, f->fid, &info));
    EC_TRY(mailbox_rights(l->mailbox, tx, f->fid, &rights));
    EC_TRY(folder_get_props(tx, f->fid, out));
    struct bag *bag = *out;
    set_common(l, arena, bag, OBJECT_FOLDER);
    set_bin(bag, PidTagEntryId, folder_entry_id(l, arena, f->fid));
    set_bin(bag, PidTagRecordKey, folder_entry_id(l, arena, f->fid));
    set_bin(bag, PidTagSourceKey, xid_of_counter(arena, l, f->fid));
    set_bin(bag, PidTagParentSourceKey,
            info.parent > FID_ROOT ? xid_of_counter(arena, l, info.parent)
                                   : (struct prop_bin){0, (const uint8_t *)""});
    if (change_key_of(tx, arena, f->fid, &key, &key_len, &pcl, &pcl_len) == EC_OK) {
        bag_set_bytes(bag, PidTagChangeKey, key, key_len);
        bag_set_bytes(bag, PidTagPredecessorChangeList, pcl, pcl_len);
    }
    bag_set_long(bag, PidTagAccess, (int32_t)access_of(l, tx, f->fid));
    bag_set_long(bag, PidTagAccessLevel, rights & RIGHTS_OWNER ? 1 : 0);
    bag_set_long(bag, PidTagRights, (int32_t)rights);
    if (l->is_public) {
        uint32_t unread;
        EC_TRY(mailbox_unread(l->mailbox, tx, f->fid, &unread));
        bag_set_long(bag, PidTagContentUnreadCount, (int32_t)unread);
    }
    if (!bag_get(bag, PidTagHasRules))
        bag_set_bool(bag, PidTagHasRules, false);
    if (!bag_get(bag, PidTagComment))
        bag_set_str(bag, PidTagComment, "");
    if (!l->is_public && (f->fid == FID_INBOX || f->fid == FID_ROOT))
        set_special_folders(l, arena, bag);
    return EC_OK;
}

// --- Messages ---

static bool has_named(const struct bag *bag) {
    unsigned n = bag_count(bag);
    return n > 0 && PROP_IS_NAMED(bag_at(bag, n - 1)->tag);
}

static uint32_t message_access(struct rop_message *m, struct mbox_tx *tx) {
    struct mailbox *mailbox = m->object.logon->mailbox;
    uint32_t access = ACCESS_READ;
    if (m->mid == 0) // MS-OXCMSG_R353
        return ACCESS_READ | ACCESS_MODIFY;
    if (mailbox_require_items(mailbox, tx, m->fid, RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, &m->mid,
                              1) == EC_OK)
        access |= ACCESS_MODIFY;
    if (mailbox_require_items(mailbox, tx, m->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, &m->mid,
                              1) == EC_OK)
        access |= ACCESS_DELETE;
    return access;
}

static const proptag_t message_computed[] = {
    PidTagAccess,       PidTagAccessLevel,    PidTagObjectType,       PidTagHasNamedProperties,
    PidTagStoreEntryId, PidTagStoreRecordKey, PidTagMappingSignature, PidTagPredecessorChangeList,
    PidTagRead,
};

// Another handle may have changed the read state since; in the public store it is each user's.
static enum ec set_read_bit(struct rop_message *m, struct mbox_tx *tx, struct prop_value *flags) {
    bool is_read;
    if (m->mid == 0 || m->is_changed)
        return EC_OK;
    EC_TRY(mailbox_is_read(m->object.logon->mailbox, tx, m->fid, &m->mid, 1, &is_read));
    flags->l = (flags->l & ~1) | is_read;
    return EC_OK;
}

static enum ec computed_of_message(struct rop_message *m, struct mbox_tx *tx, struct arena *arena,
                                   proptag_t tag, struct prop_value *out) {
    struct rop_logon *l = m->object.logon;
    const uint8_t *key, *pcl;
    uint32_t key_len, pcl_len;
    struct prop_value v;
    switch (tag) {
    case PidTagAccess:
        *out = prop_long(tag, (int32_t)message_access(m, tx));
        return EC_OK;
    case PidTagAccessLevel: // MS-OXCMSG_R354
        *out = prop_long(tag, m->is_writable);
        return EC_OK;
    case PidTagObjectType:
        *out = prop_long(tag, OBJECT_MESSAGE);
        return EC_OK;
    case PidTagHasNamedProperties: // MS-OXCMSG_R364
        *out = prop_bool(tag, has_named(rop_message_value(m)->bag));
        return EC_OK;
    case PidTagMessageFlags:
    case PidTagRead:
        EC_TRY(message_get_prop(tx, m->message, arena, PidTagMessageFlags, 0, &v));
        EC_TRY(set_read_bit(m, tx, &v));
        *out = tag == PidTagRead ? prop_bool(tag, v.l & 1) : v;
        return EC_OK;
    case PidTagStoreEntryId: {
        struct prop_bin id = store_entry_id(l, arena);
        *out = prop_bytes(tag, id.data, id.len);
        return EC_OK;
    }
    case PidTagStoreRecordKey:
        *out = prop_bytes(tag, l->mailbox_guid.bytes, 16);
        return EC_OK;
    case PidTagMappingSignature:
        *out = prop_bytes(tag, l->replica.bytes, 16);
        return EC_OK;
    case PidTagPredecessorChangeList:
        if (m->mid == 0)
            return EC_NOT_FOUND;
        EC_TRY(change_key_of(tx, arena, m->mid, &key, &key_len, &pcl, &pcl_len));
        *out = prop_bytes(tag, pcl, pcl_len);
        return EC_OK;
    default:
        return EC_NOT_FOUND;
    }
}

// Ids and times that a message has only when it is one of the mailbox.
static bool needs_place(proptag_t tag) {
    switch (tag) {
    case PidTagMid:
    case PidTagChangeNumber:
    case PidTagSourceKey:
    case PidTagChangeKey:
    case PidTagEntryId:
    case PidTagRecordKey:
    case PidTagMessageDeliveryTime:
        return true;
    default:
        return false;
    }
}

static enum ec get_of_message(struct rop_message *m, struct mbox_tx *tx, struct arena *arena,
                              proptag_t tag, size_t max, struct prop_value *out) {
    enum ec ec = computed_of_message(m, tx, arena, tag, out);
    if (ec != EC_NOT_FOUND)
        return ec;
    if (m->mid == 0 && needs_place(tag) && !bag_get(rop_message_value(m)->bag, tag))
        return EC_NOT_FOUND;
    return message_get_prop(tx, m->message, arena, tag, max, out);
}

// --- Attachments ---

static size_t content_size(const struct attachment_value *a) {
    return a->data ? g_bytes_get_size(a->data) : a->external.len;
}

enum ec rop_attachment_content(struct rop_attachment *a, struct mbox_tx *tx, GBytes **out) {
    const struct attachment_value *v = a->value;
    if (v->data) {
        *out = g_bytes_ref(v->data);
        return EC_OK;
    }
    if (v->external.len == 0)
        return EC_NOT_FOUND;
    return message_read_external(tx, &v->external, false, out);
}

static enum ec computed_of_attachment(struct rop_attachment *a, struct mbox_tx *tx,
                                      struct arena *arena, proptag_t tag, size_t max,
                                      struct prop_value *out) {
    if (tag == PidTagAttachNumber) {
        *out = prop_long(tag, (int32_t)a->number);
        return EC_OK;
    }
    if (tag == PidTagAttachSize) { // MS-OXCMSG_R449: what is there beside the content
        *out = prop_long(tag, (int32_t)MIN(content_size(a->value) + 0x40, (size_t)INT32_MAX));
        return EC_OK;
    }
    if (tag == PidTagAccessLevel) { // MS-OXCMSG_R450
        *out = prop_long(tag, a->is_writable);
        return EC_OK;
    }
    if (tag == PidTagObjectType) {
        *out = prop_long(tag, OBJECT_ATTACHMENT);
        return EC_OK;
    }
    if (tag == PidTagRecordKey) {
        uint32_t number = GUINT32_TO_LE(a->number);
        *out = prop_bytes(tag, arena_memdup(arena, &number, 4), 4);
        return EC_OK;
    }
    if (tag != PidTagAttachDataBinary || a->value->embedded)
        return EC_NOT_FOUND;
    g_autoptr(GBytes) bytes = NULL;
    if (max > 0 && content_size(a->value) > max)
        return EC_MESSAGE_TOO_BIG;
    EC_TRY(rop_attachment_content(a, tx, &bytes));
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    if (max > 0 && len > max)
        return EC_MESSAGE_TOO_BIG;
    *out = prop_bytes(tag, arena_memdup(arena, data ? data : "", len), (uint32_t)len);
    return EC_OK;
}

// --- Any object ---

enum ec rop_external_value(struct mbox_tx *tx, struct arena *arena, const struct prop_value *v,
                           size_t max, struct prop_value *out) {
    g_autoptr(GBytes) bytes = NULL;
    gsize len;
    bool is_text = PROP_TYPE(v->tag) == PT_UNICODE;
    if (max > 0 && v->external.len > max)
        return EC_MESSAGE_TOO_BIG;
    EC_TRY(message_read_external(tx, &v->external, is_text, &bytes));
    const char *data = g_bytes_get_data(bytes, &len);
    if (max > 0 && len > max)
        return EC_MESSAGE_TOO_BIG;
    *out = is_text ? prop_str(v->tag, arena_strndup(arena, data ? data : "", len))
                   : prop_bytes(v->tag, arena_memdup(arena, data ? data : "", len), (uint32_t)len);
    return EC_OK;
}

static enum ec from_bag(const struct bag *bag, struct mbox_tx *tx, struct arena *arena,
                        proptag_t tag, size_t max, struct prop_value *out) {
    const struct prop_value *v = bag_get(bag, tag);
    // PidTagMessageSize and its 64-bit form have one id.
    const struct prop_value *size =
        tag == PidTagMessageSize ? bag_get(bag, PidTagMessageSizeExtended) : NULL;
    if (size) {
        *out = prop_long(tag, (int32_t)MIN(size->i8, INT32_MAX));
        return EC_OK;
    }
    if (!v)
        return EC_NOT_FOUND;
    if (v->is_external)
        return rop_external_value(tx, arena, v, max, out);
    if (max > 0 && prop_size(v) > max)
        return EC_MESSAGE_TOO_BIG;
    *out = prop_copy(arena, v);
    return EC_OK;
}

enum ec rop_props_begin(struct rop_object *o, struct mbox_tx *tx, struct arena *arena,
                        struct rop_props *out) {
    *out = (struct rop_props){.object = o, .tx = tx, .arena = arena};
    enum ec ec = EC_OK;
    if (o->kind == ROP_LOGON)
        ec = store_bag((struct rop_logon *)o, tx, arena, &out->bag);
    else if (o->kind == ROP_FOLDER)
        ec = folder_bag((struct rop_folder *)o, tx, arena, &out->bag);
    else if (o->kind != ROP_MESSAGE && o->kind != ROP_ATTACHMENT)
        ec = EC_NOT_SUPPORTED;
    if (ec != EC_OK)
        rop_props_end(out);
    return ec;
}

void rop_props_end(struct rop_props *p) {
    bag_free(g_steal_pointer(&p->bag));
}

enum ec rop_props_get(struct rop_props *p, proptag_t tag, size_t max, struct prop_value *out) {
    enum ec ec;
    if (p->object->kind == ROP_MESSAGE) {
        ec = get_of_message((struct rop_message *)p->object, p->tx, p->arena, tag, max, out);
    } else if (p->object->kind == ROP_ATTACHMENT) {
        struct rop_attachment *a = (struct rop_attachment *)p->object;
        ec = computed_of_attachment(a, p->tx, p->arena, tag, max, out);
        if (ec == EC_NOT_FOUND)
            ec = from_bag(a->value->bag, p->tx, p->arena, tag, max, out);
    } else {
        ec = from_bag(p->bag, p->tx, p->arena, tag, max, out);
    }
    return ec == EC_MESSAGE_TOO_BIG ? EC_NO_MEMORY : ec;
}

enum ec rop_get_prop(struct rop_object *o, struct mbox_tx *tx, struct arena *arena, proptag_t tag,
                     size_t max, struct prop_value *out) {
    struct rop_props p;
    EC_TRY(rop_props_begin(o, tx, arena, &p));
    enum ec ec = rop_props_get(&p, tag, max, out);
    rop_props_end(&p);
    return ec;
}

// --- Listing ---

static void add_tag(GArray *tags, proptag_t tag) {
    for (guint i = 0; i < tags->len; i++)
        if (PROP_ID(g_array_index(tags, proptag_t, i)) == PROP_ID(tag))
            return;
    g_array_append_val(tags, tag);
}

static void add_bag(GArray *tags, const struct bag *bag) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        proptag_t tag = bag_at(bag, i)->tag;
        g_array_append_val(tags, tag);
    }
}

static void list_message(struct rop_props *p, GArray *tags) {
    static const proptag_t more[] = {
        PidTagMid,           PidTagFolderId,
        PidTagChangeNumber,  PidTagMessageFlags,
        PidTagMessageStatus, PidTagHasAttachments,
        PidTagMessageSize,   PidTagMessageDeliveryTime,
        PidTagSourceKey,     PidTagParentSourceKey,
        PidTagChangeKey,     PidTagEntryId,
        PidTagRecordKey,     PidTagParentEntryId,
        PidTagDisplayTo,     PidTagDisplayCc,
        PidTagDisplayBcc,    PidTagBody,
        PidTagHtml,          PidTagRtfCompressed,
        PidTagNativeBody,
    };
    struct rop_message *m = (struct rop_message *)p->object;
    add_bag(tags, rop_message_value(m)->bag);
    for (unsigned i = 0; i < G_N_ELEMENTS(message_computed); i++)
        if (message_computed[i] != PidTagPredecessorChangeList || m->mid)
            add_tag(tags, message_computed[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(more); i++) {
        struct prop_value v;
        if ((m->mid || !needs_place(more[i])) && rop_props_get(p, more[i], 1, &v) != EC_NOT_FOUND)
            add_tag(tags, more[i]);
    }
}

static void list_attachment(struct rop_props *p, GArray *tags) {
    struct rop_attachment *a = (struct rop_attachment *)p->object;
    add_bag(tags, a->value->bag);
    add_tag(tags, PidTagAttachNumber);
    add_tag(tags, PidTagAttachSize);
    add_tag(tags, PidTagAccessLevel);
    add_tag(tags, PidTagObjectType);
    add_tag(tags, PidTagRecordKey);
    if (a->value->embedded)
        add_tag(tags, PidTagAttachDataObject);
    else if (content_size(a->value) > 0 || a->value->data)
        add_tag(tags, PidTagAttachDataBinary);
}

void rop_props_list(struct rop_props *p, GArray *tags) {
    if (p->object->kind == ROP_MESSAGE)
        list_message(p, tags);
    else if (p->object->kind == ROP_ATTACHMENT)
        list_attachment(p, tags);
    else
        add_bag(tags, p->bag);
}

enum ec rop_list_props(struct rop_object *o, struct mbox_tx *tx, GArray *tags) {
    ARENA_AUTO arena = arena_new();
    struct rop_props p;
    EC_TRY(rop_props_begin(o, tx, arena, &p));
    rop_props_list(&p, tags);
    rop_props_end(&p);
    return EC_OK;
}
