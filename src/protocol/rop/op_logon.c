// Logging on to a mailbox or the public folders, and what is asked of the store as a whole
// ([MS-OXCSTOR] 2.2.1, 3.2.5).
#include <time.h>

#include "base/clock.h"
#include "directory/directory.h"
#include "mailbox/mailbox.h"
#include "mapi/code_page.h"
#include "protocol/rop/rop_internal.h"
#include "store/public_store.h"
#include "store/receive_folder.h"
#include "store/search_folder.h"

enum { LOGON_PRIVATE = 0x01, LOGON_UNDERCOVER = 0x02, LOGON_GHOSTED = 0x04, LOGON_KNOWN = 0x07 };
enum {
    OPEN_USE_ADMIN_PRIVILEGE = 0x00000001,
    OPEN_PUBLIC = 0x00000002,
    OPEN_ALTERNATE_SERVER = 0x00000100,
    OPEN_USE_PER_MDB_REPLID_MAPPING = 0x01000000,
    // HOME_LOGON, TAKE_OWNERSHIP, IGNORE_HOME_MDB, NO_MAIL and SUPPORT_PROGRESS beside them.
    OPEN_KNOWN = 0x2100070F,
};
enum {
    RESPONSE_RESERVED = 0x01,
    RESPONSE_OWNER = 0x02,
    RESPONSE_SEND_AS = 0x04,
    RESPONSE_OOF = 0x10
};
#define N_FOLDER_IDS 13

static void destroy_logon(struct rop_object *o) {
    struct rop_logon *l = (struct rop_logon *)o;
    if (o->session && o->session->logons[l->id] == l)
        o->session->logons[l->id] = NULL;
    mailbox_close(l->mailbox);
    g_clear_pointer(&l->per_user, g_byte_array_unref);
    g_clear_pointer(&l->per_user_given, g_hash_table_unref);
}

// --- Which mailbox ---

static enum ec open_private(struct rop_call *c, const char *dn, struct mailbox **out) {
    struct rop_session *s = c->session;
    struct directory_object *object;
    enum ec ec = *dn ? rop_find_dn(s, c->arena, dn, &object) : EC_NOT_FOUND;
    if (ec == EC_NOT_FOUND) // MS-OXCSTOR_R788
        return EC_UNKNOWN_USER;
    EC_TRY(ec);
    if (!object->has_mailbox && object->kind >= DIRECTORY_GROUP) // MS-OXCSTOR_R59746
        return EC_UNKNOWN_USER;
    ec = mailbox_open(s->service->mailboxes, s->who, &object->guid, out);
    return ec == EC_NOT_FOUND ? EC_UNKNOWN_USER : ec;
}

static enum ec open_public(struct rop_call *c, uint32_t open_flags, struct mailbox **out) {
    if (open_flags & OPEN_ALTERNATE_SERVER) // MS-OXCSTOR_R835
        return EC_LOGON_FAILED;
    enum ec ec = mailbox_open_public(c->session->service->mailboxes, c->session->who, out);
    return ec == EC_NOT_FOUND ? EC_LOGON_FAILED : ec;
}

// Another mailbox has ids and named properties of its own: only clients that know it may open it
// beside the first one (MS-OXCSTOR_R803).
static enum ec check_mapping(struct rop_session *s, struct rop_logon *l, uint8_t id) {
    for (unsigned i = 0; i < ROP_MAX_LOGONS; i++) {
        const struct rop_logon *other = s->logons[i];
        if (other && i != id && !other->is_public &&
            !guid_equal(&other->mailbox_guid, &l->mailbox_guid) &&
            !(l->open_flags & OPEN_USE_PER_MDB_REPLID_MAPPING))
            return EC_INVALID_PARAMETER;
    }
    return EC_OK;
}

static enum ec describe(struct rop_logon *l, struct arena *arena) {
    MBOX_TX_AUTO tx = NULL;
    struct mbox_info info;
    l->mbox = mailbox_mbox(l->mailbox);
    l->is_public = mailbox_is_public(l->mailbox);
    EC_TRY(mbox_read(l->mbox, &tx));
    EC_TRY(mbox_get_info(tx, arena, &info));
    l->mailbox_guid = info.guid;
    l->replica = info.replica;
    return EC_OK;
}

// --- The response ---

static void put_ids(struct wire_writer *w, const uint64_t *ids, unsigned n) {
    for (unsigned i = 0; i < N_FOLDER_IDS; i++)
        rop_put_id(w, i < n ? ids[i] : 0);
}

static void put_time(struct wire_writer *w) {
    time_t now = (time_t)((clock_now() - FILETIME_UNIX_EPOCH) / FILETIME_SECOND);
    struct tm tm;
    gmtime_r(&now, &tm);
    wire_put_u8(w, (uint8_t)tm.tm_sec);
    wire_put_u8(w, (uint8_t)tm.tm_min);
    wire_put_u8(w, (uint8_t)tm.tm_hour);
    wire_put_u8(w, (uint8_t)tm.tm_wday);
    wire_put_u8(w, (uint8_t)tm.tm_mday);
    wire_put_u8(w, (uint8_t)(tm.tm_mon + 1));
    wire_put_u16(w, (uint16_t)(tm.tm_year + 1900));
}

static uint8_t response_flags(struct rop_logon *l) {
    struct rop_session *s = l->object.session;
    struct directory *d = mailbox_service_directory(s->service->mailboxes);
    MBOX_TX_AUTO tx = NULL;
    BAG_AUTO props = NULL;
    uint32_t rights = d ? directory_rights(d, &l->mailbox_guid, &s->who->guid) : 0;
    uint8_t flags = RESPONSE_RESERVED;
    bool is_owner = mailbox_is_owner(l->mailbox);
    if (is_owner || rights & DIRECTORY_FULL_ACCESS)
        flags |= RESPONSE_OWNER;
    if (is_owner || rights & DIRECTORY_SEND_AS)
        flags |= RESPONSE_SEND_AS;
    if (mbox_read(l->mbox, &tx) == EC_OK && mbox_get_props(tx, &props) == EC_OK &&
        bag_bool(props, PidTagOutOfOfficeState, false))
        flags |= RESPONSE_OOF;
    return flags;
}

static void put_private(struct rop_call *c, struct rop_logon *l, uint8_t logon_flags) {
    static const uint64_t ids[N_FOLDER_IDS] = {
        FID_ROOT,   FID_DEFERRED_ACTION, FID_SPOOLER_QUEUE, FID_IPM_SUBTREE,  FID_INBOX,
        FID_OUTBOX, FID_SENT_ITEMS,      FID_DELETED_ITEMS, FID_COMMON_VIEWS, FID_SCHEDULE,
        FID_FINDER, FID_VIEWS,           FID_SHORTCUTS};
    wire_put_u8(c->w, logon_flags);
    put_ids(c->w, ids, N_FOLDER_IDS);
    wire_put_u8(c->w, response_flags(l));
    wire_put_guid(c->w, &l->mailbox_guid);
    wire_put_u16(c->w, REPLID_OWN);
    wire_put_guid(c->w, &l->replica);
    put_time(c->w);
    wire_put_u64(c->w, clock_now()); // GwartTime
    wire_put_u32(c->w, 0);           // MS-OXCSTOR_R141
}

static void put_public(struct rop_call *c, struct rop_logon *l, uint8_t logon_flags) {
    static const uint64_t ids[] = {FID_PUBLIC_ROOT,
                                   FID_PUBLIC_IPM_SUBTREE,
                                   FID_PUBLIC_NON_IPM_SUBTREE,
                                   FID_PUBLIC_EFORMS_REGISTRY,
                                   FID_PUBLIC_SCHEDULE_FREE_BUSY,
                                   FID_PUBLIC_OFFLINE_ADDRESS_BOOK};
    static const struct guid nobody; // per-user data lies in this very store
    wire_put_u8(c->w, logon_flags);
    put_ids(c->w, ids, G_N_ELEMENTS(ids));
    wire_put_u16(c->w, REPLID_OWN);
    wire_put_guid(c->w, &l->replica);
    wire_put_guid(c->w, &nobody);
}

enum ec rop_logon(struct rop_call *c) {
    struct rop_session *s = c->session;
    uint8_t flags = wire_u8(c->r);
    uint32_t open_flags = wire_u32(c->r);
    wire_u32(c->r); // StoreState
    uint16_t size = wire_u16(c->r);
    const char *dn = arena_strndup(c->arena, (const char *)wire_bytes(c->r, size), size);
    bool is_private = flags & LOGON_PRIVATE;
    // MS-OXCROPS_R28: a logon with this id ends.
    if (s->logons[c->logon_id])
        rop_object_free(&s->logons[c->logon_id]->object);
    if (flags & ~LOGON_KNOWN || open_flags & ~(uint32_t)OPEN_KNOWN) // MS-OXCSTOR_R1202, R3109
        return EC_CALL_FAILED;
    if (is_private == ((open_flags & OPEN_PUBLIC) != 0))
        return EC_INVALID_PARAMETER;
    if (s->code_page && !code_page_charset(s->code_page)) // MS-OXCSTOR_R3102
        return EC_UNKNOWN_CODE_PAGE;
    struct mailbox *mailbox;
    EC_TRY(is_private ? open_private(c, dn, &mailbox) : open_public(c, open_flags, &mailbox));
    struct rop_logon *l = g_new0(struct rop_logon, 1);
    l->object.session = s;
    l->object.logon = l;
    l->id = c->logon_id;
    l->open_flags = open_flags;
    l->mailbox = mailbox;
    EC_TRY(rop_object_init(&l->object, ROP_LOGON, NULL, destroy_logon));
    enum ec ec = describe(l, c->arena);
    if (ec == EC_OK && is_private)
        ec = check_mapping(s, l, c->logon_id);
    if (ec != EC_OK) {
        rop_object_free(&l->object);
        return ec;
    }
    s->logons[l->id] = l;
    EC_TRY(rop_give(c, &l->object));
    if (is_private)
        put_private(c, l, flags);
    else
        put_public(c, l, flags);
    return EC_OK;
}

// --- Receive folders ([MS-OXCSTOR] 3.2.5.2 to 3.2.5.4) ---

static enum ec private_logon(struct rop_call *c, struct rop_logon **out) {
    EC_TRY(rop_logon_in(c, out));
    return (*out)->is_public ? EC_NOT_SUPPORTED : EC_OK;
}

enum ec rop_get_receive_folder(struct rop_call *c) {
    const char *class = wire_cstring(c->r);
    struct rop_logon *l;
    struct receive_folder f;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(private_logon(c, &l));
    EC_TRY(mbox_read(l->mbox, &tx));
    enum ec ec = receive_folder_get(tx, c->arena, class, &f);
    if (ec == EC_NOT_FOUND || ec == EC_NO_RECEIVE_FOLDER) { // MS-OXCSTOR_R852, R1223
        f = (struct receive_folder){.class = "", .fid = FID_INBOX};
        ec = EC_OK;
    }
    EC_TRY(ec);
    rop_put_id(c->w, f.fid);
    wire_put_cstring(c->w, f.class);
    return EC_OK;
}

struct set_receive {
    struct rop_logon *logon;
    const char *class;
    uint64_t fid;
};

static enum ec set_receive(struct mbox_tx *tx, void *ctx) {
    struct set_receive *s = ctx;
    EC_TRY(mailbox_require(s->logon->mailbox, tx, FID_ROOT, RIGHTS_OWNER));
    return receive_folder_set(tx, s->class, s->fid);
}

enum ec rop_set_receive_folder(struct rop_call *c) {
    struct short_id id = short_id_read(c->r);
    struct set_receive s = {.class = wire_cstring(c->r)};
    EC_TRY(private_logon(c, &s.logon));
    if (id.counter && id.replid != REPLID_OWN)
        return EC_NOT_FOUND;
    s.fid = id.counter;
    return mbox_write(s.logon->mbox, set_receive, &s);
}

enum ec rop_get_receive_folder_table(struct rop_call *c) {
    static const proptag_t tags[] = {PidTagFolderId,
                                     PROP_TAG(PROP_ID(PidTagMessageClass), PT_STRING8),
                                     PidTagLastModificationTime};
    static const struct columns columns = {G_N_ELEMENTS(tags), tags};
    static const struct prop_wire form = PROP_WIRE_ROP;
    struct rop_logon *l;
    struct receive_folders all;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(private_logon(c, &l));
    EC_TRY(mbox_read(l->mbox, &tx));
    EC_TRY(receive_folder_list(tx, c->arena, &all));
    wire_put_u32(c->w, all.n);
    for (unsigned i = 0; i < all.n; i++) {
        const struct receive_folder *f = &all.items[i];
        struct prop_value fid =
            prop_i8(PidTagFolderId, short_id_value((struct short_id){REPLID_OWN, f->fid}));
        struct prop_value class = prop_str(PidTagMessageClass, f->class);
        struct prop_value changed = prop_time(PidTagLastModificationTime, f->changed);
        const struct prop_value *values[] = {&fid, &class, &changed};
        row_put(c->w, &form, &columns, values);
    }
    return EC_OK;
}

// --- The store ---

#define STORE_HAS_SEARCHES 0x01000000

static enum ec has_searches(struct mbox_tx *tx, struct arena *arena, bool *out) {
    struct folder_list all;
    EC_TRY(folder_list(tx, arena, FID_ROOT, true, &all));
    *out = false;
    for (unsigned i = 0; i < all.n && !*out; i++) {
        struct search_criteria criteria;
        uint32_t state;
        if (all.items[i].type != FOLDER_TYPE_SEARCH)
            continue;
        if (search_folder_get(tx, arena, all.items[i].fid, &criteria, &state) == EC_OK)
            *out = !criteria.is_static || state & SEARCH_RUNNING;
    }
    return EC_OK;
}

enum ec rop_get_store_state(struct rop_call *c) {
    struct rop_logon *l;
    MBOX_TX_AUTO tx = NULL;
    bool has;
    EC_TRY(private_logon(c, &l));
    EC_TRY(mbox_read(l->mbox, &tx));
    EC_TRY(has_searches(tx, c->arena, &has));
    wire_put_u32(c->w, has ? STORE_HAS_SEARCHES : 0);
    return EC_OK;
}

static enum ec find_folder(struct rop_call *c, struct rop_logon *l, uint64_t fid) {
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    EC_TRY(mbox_read(l->mbox, &tx));
    EC_TRY(folder_get(tx, c->arena, fid, &info));
    return mailbox_require(l->mailbox, tx, fid, RIGHTS_VISIBLE);
}

enum ec rop_get_owning_servers(struct rop_call *c) {
    uint64_t fid = rop_read_id(c);
    struct rop_logon *l;
    EC_TRY(rop_logon_in(c, &l));
    if (!l->is_public)
        return EC_NOT_SUPPORTED;
    EC_TRY(find_folder(c, l, fid));
    wire_put_u16(c->w, 1);
    wire_put_u16(c->w, 1); // MS-OXCSTOR_R367, R368
    wire_put_cstring(c->w, c->session->service->hostname);
    return EC_OK;
}

// The contents of every public folder are here.
enum ec rop_public_folder_is_ghosted(struct rop_call *c) {
    uint64_t fid = rop_read_id(c);
    struct rop_logon *l;
    EC_TRY(rop_logon_in(c, &l));
    if (l->is_public)
        EC_TRY(find_folder(c, l, fid));
    wire_put_u8(c->w, 0);
    return EC_OK;
}

// --- Ids ([MS-OXCSTOR] 3.2.5.8, 3.2.5.9) ---

enum ec rop_long_term_id_from_id(struct rop_call *c) {
    struct short_id id = short_id_read(c->r);
    struct rop_logon *l;
    EC_TRY(rop_logon_in(c, &l));
    if (id.replid != REPLID_OWN)
        return EC_NOT_FOUND;
    struct gid gid = {l->replica, id.counter};
    long_term_id_put(c->w, &gid);
    return EC_OK;
}

enum ec rop_id_from_long_term_id(struct rop_call *c) {
    struct gid gid = long_term_id_read(c->r);
    struct rop_logon *l;
    EC_TRY(rop_logon_in(c, &l));
    if (guid_is_zero(&gid.replica) || gid.counter == 0)
        return EC_INVALID_PARAMETER;
    if (!guid_equal(&gid.replica, &l->replica))
        return EC_NOT_FOUND;
    rop_put_id(c->w, gid.counter);
    return EC_OK;
}
