// What is done to many messages of a folder at once: copying, moving, deleting, marking as read
// ([MS-OXCFOLD] 2.2.1.6, 2.2.1.11, 2.2.1.12, [MS-OXCMSG] 2.2.3.8 to 2.2.3.10).
//
// A search folder shows messages of other folders: they are changed where they are.
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/rop_internal.h"

// The messages of one folder.
struct home {
    uint64_t fid;
    GArray *mids; // of uint64_t
};

static void clear_home(gpointer p) {
    g_array_unref(((struct home *)p)->mids);
}

static struct home *home_of(GArray *homes, uint64_t fid) {
    for (guint i = 0; i < homes->len; i++)
        if (g_array_index(homes, struct home, i).fid == fid)
            return &g_array_index(homes, struct home, i);
    struct home home = {fid, g_array_new(FALSE, FALSE, sizeof(uint64_t))};
    g_array_append_val(homes, home);
    return &g_array_index(homes, struct home, homes->len - 1);
}

// Sorts messages by the folder they are in; those that are not in `f` are left out.
static enum ec find_homes(struct rop_folder *f, const uint64_t *mids, unsigned n, GArray *homes) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(f->object.logon->mbox, &tx));
    for (unsigned i = 0; i < n; i++) {
        struct message_row row;
        uint64_t fid;
        enum ec ec = message_get_row(tx, mids[i], &fid, &row);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        if (row.keywords)
            shared_text_unref(row.keywords);
        if (f->type == FOLDER_TYPE_SEARCH || fid == f->fid)
            g_array_append_val(home_of(homes, fid)->mids, mids[i]);
    }
    return EC_OK;
}

static GArray *homes_new(void) {
    GArray *homes = g_array_new(FALSE, FALSE, sizeof(struct home));
    g_array_set_clear_func(homes, clear_home);
    return homes;
}

static const uint64_t *mids_of(const struct home *h) {
    return (const uint64_t *)(void *)h->mids->data;
}

// --- Copying and moving ---

static enum ec transfer(struct rop_folder *from, const struct home *h, struct rop_folder *to,
                        bool copies, unsigned *n_out) {
    struct mailbox *m = from->object.logon->mailbox, *target = to->object.logon->mailbox;
    bool is_same = from->object.logon->mbox == to->object.logon->mbox;
    g_autoptr(GArray) done = NULL;
    const uint64_t *mids = mids_of(h);
    if (is_same && copies)
        EC_TRY(mailbox_copy(m, h->fid, mids, h->mids->len, to->fid, &done));
    else if (is_same)
        EC_TRY(mailbox_move(m, h->fid, mids, h->mids->len, to->fid, &done));
    else if (copies)
        EC_TRY(mailbox_copy_to(m, h->fid, mids, h->mids->len, target, to->fid, &done));
    else
        EC_TRY(mailbox_move_to(m, h->fid, mids, h->mids->len, target, to->fid, &done));
    *n_out += done ? done->len : 0;
    return EC_OK;
}

enum ec rop_move_copy_messages(struct rop_call *c) {
    unsigned n, n_done = 0;
    uint64_t *mids = rop_read_ids(c, &n);
    wire_u8(c->r); // WantAsynchronous
    bool copies = wire_u8(c->r);
    struct rop_folder *from;
    struct rop_object *dest;
    EC_TRY(rop_folder_in(c, &from));
    EC_TRY(rop_dest(c, ROP_IS(ROP_FOLDER), &dest));
    struct rop_folder *to = (struct rop_folder *)dest;
    if (to->type == FOLDER_TYPE_SEARCH) // MS-OXCFOLD_R1245
        return EC_SEARCH_FOLDER;
    g_autoptr(GArray) homes = homes_new();
    EC_TRY(find_homes(from, mids, n, homes));
    for (guint i = 0; i < homes->len; i++)
        EC_TRY(transfer(from, &g_array_index(homes, struct home, i), to, copies, &n_done));
    wire_put_u8(c->w, n_done < n); // MS-OXCFOLD_R586
    return EC_OK;
}

// --- Deleting ---

static enum ec delete_messages(struct rop_call *c, bool is_hard) {
    wire_u8(c->r); // WantAsynchronous
    bool notifies = wire_u8(c->r);
    unsigned n, n_done = 0;
    uint64_t *mids = rop_read_ids(c, &n);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    g_autoptr(GArray) homes = homes_new();
    EC_TRY(find_homes(f, mids, n, homes));
    for (guint i = 0; i < homes->len; i++) {
        const struct home *h = &g_array_index(homes, struct home, i);
        unsigned some = 0;
        enum ec ec = mailbox_delete_messages(f->object.logon->mailbox, h->fid, mids_of(h),
                                             h->mids->len, is_hard, notifies, &some);
        if (ec != EC_PARTIAL_COMPLETION)
            EC_TRY(ec);
        n_done += some;
    }
    wire_put_u8(c->w, n_done < n); // MS-OXCFOLD_R1147
    return EC_OK;
}

enum ec rop_delete_messages(struct rop_call *c) {
    return delete_messages(c, false);
}

enum ec rop_hard_delete_messages(struct rop_call *c) {
    return delete_messages(c, true);
}

// --- Read flags ([MS-OXCMSG] 2.2.3.10, 2.2.3.11) ---

enum {
    READ_DEFAULT = 0x00,
    READ_SUPPRESS_RECEIPT = 0x01,
    READ_FOLDER_MESSAGE_DIALOG = 0x02,
    READ_CLEAR_READ = 0x04,
    READ_GENERATE_RECEIPT_ONLY = 0x10,
    READ_CLEAR_NOTIFY_READ = 0x20,
    READ_CLEAR_NOTIFY_UNREAD = 0x40,
    READ_KNOWN = 0x77,
};

static enum ec set_read(struct rop_logon *l, uint64_t fid, const uint64_t *mids, unsigned n,
                        uint8_t flags) {
    static const char *const none[] = {NULL};
    struct mailbox_flags change = {.mode = flags & READ_CLEAR_READ ? MAILBOX_FLAGS_REMOVE
                                                                   : MAILBOX_FLAGS_ADD,
                                   .flags = MSG_READ,
                                   .keywords = none,
                                   .unchanged_since = UINT64_MAX};
    // Nothing becomes read or unread by these.
    if (flags & (READ_GENERATE_RECEIPT_ONLY | READ_CLEAR_NOTIFY_READ | READ_CLEAR_NOTIFY_UNREAD))
        return EC_OK;
    return mailbox_change_flags(l->mailbox, fid, mids, n, &change, NULL);
}

static enum ec all_messages(struct rop_folder *f, struct arena *arena, uint64_t **out,
                            unsigned *n_out) {
    struct mailbox_view *view;
    EC_TRY(mailbox_view_open(f->object.logon->mailbox, f->fid, &view));
    *n_out = mailbox_view_count(view);
    *out = arena_alloc(arena, (*n_out + 1) * sizeof **out);
    for (unsigned i = 0; i < *n_out; i++)
        (*out)[i] = mailbox_view_row(view, i)->mid;
    mailbox_view_free(view);
    return EC_OK;
}

enum ec rop_set_read_flags(struct rop_call *c) {
    wire_u8(c->r); // WantAsynchronous
    uint8_t flags = wire_u8(c->r);
    unsigned n;
    uint64_t *mids = rop_read_ids(c, &n);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~READ_KNOWN)
        return EC_INVALID_PARAMETER;
    bool wants_all = n == 0; // no ids: every message of the folder
    if (wants_all && f->type != FOLDER_TYPE_SEARCH)
        EC_TRY(all_messages(f, c->arena, &mids, &n));
    g_autoptr(GArray) homes = homes_new();
    EC_TRY(find_homes(f, mids, n, homes));
    unsigned found = 0;
    for (guint i = 0; i < homes->len; i++) {
        const struct home *h = &g_array_index(homes, struct home, i);
        EC_TRY(set_read(f->object.logon, h->fid, mids_of(h), h->mids->len, flags));
        found += h->mids->len;
    }
    wire_put_u8(c->w, !wants_all && found < n);
    return EC_OK;
}

enum ec rop_set_message_read_flag(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    const uint8_t *data = NULL;
    struct rop_message *m;
    bool was_read;
    EC_TRY(rop_message_in(c, &m));
    struct rop_logon *l = m->object.logon;
    if (l->is_public)
        data = wire_bytes(c->r, 24);
    if (flags & ~READ_KNOWN)
        return EC_INVALID_PARAMETER;
    if (m->mid == 0)
        return EC_NOT_SUPPORTED;
    {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(l->mbox, &tx));
        EC_TRY(mailbox_is_read(l->mailbox, tx, m->fid, &m->mid, 1, &was_read));
    }
    bool is_read = !(flags & READ_CLEAR_READ);
    EC_TRY(set_read(l, m->fid, &m->mid, 1, flags));
    bool changes =
        was_read != is_read &&
        !(flags & (READ_GENERATE_RECEIPT_ONLY | READ_CLEAR_NOTIFY_READ | READ_CLEAR_NOTIFY_UNREAD));
    wire_put_u8(c->w, changes);
    if (changes && l->is_public) { // ReadStatusChanged: what the client keeps with it comes back
        wire_put_u8(c->w, c->logon_id);
        wire_put_bytes(c->w, data, 24);
    }
    return EC_OK;
}

// --- Message status ([MS-OXCMSG] 2.2.3.8, 2.2.3.9) ---

struct status {
    struct rop_logon *logon;
    uint64_t fid, mid;
    uint32_t flags, mask, before;
};

static enum ec read_status(struct status *s, struct mbox_tx *tx, struct message **out) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    EC_TRY(mailbox_require_items(s->logon->mailbox, tx, s->fid, RIGHTS_READ_ANY, RIGHTS_VISIBLE,
                                 &s->mid, 1));
    EC_TRY(message_open(tx, s->mid, out));
    enum ec ec = message_fid(*out) == s->fid
                     ? message_get_prop(tx, *out, arena, PidTagMessageStatus, 0, &v)
                     : EC_NOT_FOUND;
    if (ec == EC_OK)
        s->before = (uint32_t)v.l;
    else
        message_free(g_steal_pointer(out));
    return ec;
}

static enum ec change_status(struct mbox_tx *tx, void *ctx) {
    struct status *s = ctx;
    struct message *m;
    EC_TRY(read_status(s, tx, &m));
    uint32_t now = (s->before & ~s->mask) | (s->flags & s->mask);
    struct prop_value v = prop_long(PidTagMessageStatus, (int32_t)now);
    enum ec ec = EC_OK;
    if (now != s->before) {
        ec = mailbox_require_items(s->logon->mailbox, tx, s->fid, RIGHTS_EDIT_ANY,
                                   RIGHTS_EDIT_OWNED, &s->mid, 1);
        if (ec == EC_OK && !bag_set(message_value(m)->bag, &v))
            ec = message_set_prop(m, &v);
        if (ec == EC_OK)
            ec = message_save(tx, m, MESSAGE_SAVE_FORCE);
    }
    message_free(m);
    return ec;
}

static enum ec status_in(struct rop_call *c, struct status *s) {
    struct rop_folder *f;
    s->mid = rop_read_id(c);
    EC_TRY(rop_folder_in(c, &f));
    s->logon = f->object.logon;
    s->fid = f->fid;
    return EC_OK;
}

enum ec rop_set_message_status(struct rop_call *c) {
    struct status s = {0};
    EC_TRY(status_in(c, &s));
    s.flags = wire_u32(c->r);
    s.mask = wire_u32(c->r);
    EC_TRY(mbox_write(s.logon->mbox, change_status, &s));
    wire_put_u32(c->w, s.before);
    return EC_OK;
}

enum ec rop_get_message_status(struct rop_call *c) {
    struct status s = {0};
    struct message *m;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(status_in(c, &s));
    EC_TRY(mbox_read(s.logon->mbox, &tx));
    EC_TRY(read_status(&s, tx, &m));
    message_free(m);
    wire_put_u32(c->w, s.before);
    return EC_OK;
}
