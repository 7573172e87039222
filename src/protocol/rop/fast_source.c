// FastTransfer downloads: configuring what is copied, and giving its stream ([MS-OXCFXICS]
// 2.2.3.1.1, 3.2.5.8.1).
#include "protocol/rop/transfer_internal.h"
#include "store/change.h"

#define SIZE_BY_SERVER 0xBABE
#define RESPONSE_SIZE 9  // of the fields before the data
#define LEAST_BUFFER 512 // any atom fits
#define MAX_STEPS UINT16_MAX
enum { STATUS_ERROR = 0, STATUS_PARTIAL = 1, STATUS_DONE = 3 };

// --- Sources ---

enum ec source_init(struct rop_source *s, uint8_t send_options) {
    if (send_options & ~SEND_KNOWN) // MS-OXCFXICS_R2101
        return EC_INVALID_PARAMETER;
    // MS-OXCFXICS_R3447 to R3459: what is stored is Unicode.
    enum ft_strings strings = send_options & SEND_CPID ? FT_STRINGS_TYPED
                              : send_options & (SEND_UNICODE | SEND_FORCE_UNICODE)
                                  ? FT_STRINGS_UNICODE
                                  : FT_STRINGS_CODE_PAGE;
    s->w = ft_writer_new(strings, s->object.session->code_page);
    return EC_OK;
}

void source_clear(struct rop_source *s) {
    ft_writer_free(s->w);
}

static enum ec fill(struct rop_source *s, size_t limit) {
    MBOX_TX_AUTO tx = NULL;
    if (s->is_done || ft_pending(s->w) >= limit)
        return EC_OK;
    EC_TRY(mbox_read(s->object.logon->mbox, &tx));
    while (!s->is_done && ft_pending(s->w) < limit)
        EC_TRY(s->produce(s, tx));
    return EC_OK;
}

static enum ec give(struct rop_call *c, struct rop_source *s, size_t limit) {
    g_autoptr(GByteArray) data = g_byte_array_new();
    EC_TRY(fill(s, limit));
    size_t n = ft_take(s->w, limit, data);
    bool is_last = s->is_done && ft_pending(s->w) == 0;
    if (n == 0 && !is_last)
        return EC_BUFFER_TOO_SMALL;
    s->taken += n;
    // Two bytes each: more steps are told in proportion.
    unsigned unit = s->all_steps / MAX_STEPS + 1;
    wire_put_u16(c->w, is_last ? STATUS_DONE : STATUS_PARTIAL);
    wire_put_u16(c->w, (uint16_t)(s->steps / unit));
    wire_put_u16(c->w, (uint16_t)(s->all_steps / unit));
    wire_put_u8(c->w, 0);
    wire_put_u16(c->w, (uint16_t)n);
    wire_put_bytes(c->w, data->data, data->len);
    if (!is_last) // MS-OXCFXICS_R561
        rop_pack(c, NULL, 0);
    return EC_OK;
}

enum ec rop_fast_transfer_source_get_buffer(struct rop_call *c) {
    uint16_t size = wire_u16(c->r);
    uint16_t max = size == SIZE_BY_SERVER ? wire_u16(c->r) : size;
    struct rop_object *o;
    EC_TRY(rop_in(c, ROP_IS(ROP_FAST_SOURCE) | ROP_IS(ROP_SYNC_DOWNLOAD), &o));
    struct rop_source *s = (struct rop_source *)o;
    if (s->ec != EC_OK)
        return s->ec;
    size_t room = c->room > RESPONSE_SIZE ? c->room - RESPONSE_SIZE : 0;
    room = MIN(room, (size_t)UINT16_MAX);
    if (size == SIZE_BY_SERVER ? room < LEAST_BUFFER : max > room) {
        wire_put_bytes(c->w, "", c->room + 1); // MS-OXCFXICS_R2141: RopBufferTooSmall
        return EC_OK;
    }
    // MS-OXCFXICS_R2138, R2142
    enum ec ec = give(c, s, MIN(room, (size_t)max));
    if (ec != EC_OK && ec != EC_BUFFER_TOO_SMALL)
        s->ec = ec;
    return ec;
}

// What the client is does not change what is given.
enum ec rop_tell_version(struct rop_call *c) {
    struct rop_object *o;
    return rop_in(
        c, ROP_IS(ROP_FAST_SOURCE) | ROP_IS(ROP_FAST_DESTINATION) | ROP_IS(ROP_SYNC_DOWNLOAD), &o);
}

// --- Copies ---

enum step_kind {
    STEP_MESSAGE,
    STEP_ATTACHMENT,
    STEP_PROPS,
    STEP_LIST,
    STEP_MARKER,
    STEP_DIRECTIVE
};
struct step {
    enum step_kind kind;
    uint64_t fid;        // PROPS, LIST
    bool is_top, is_sub; // PROPS; the filter is about the root alone
    bool is_fai;         // LIST
    uint32_t tag;        // MARKER, DIRECTIVE
};

struct copy {
    struct rop_source source;
    proptag_t *tags;
    struct fast_filter filter;
    unsigned parts;
    bool recovers, with_embedded;
    GArray *steps; // of struct step
    unsigned at;
    GArray *mids; // of the list that is being written
    unsigned at_mid;
};

static void destroy_copy(struct rop_object *o) {
    struct copy *copy = (struct copy *)o;
    source_clear(&copy->source);
    g_free(copy->tags);
    if (copy->steps)
        g_array_unref(copy->steps);
    if (copy->mids)
        g_array_unref(copy->mids);
}

static void add_step(struct copy *copy, struct step s) {
    g_array_append_val(copy->steps, s);
    copy->source.all_steps++;
}

// An error that is about one message: told in the stream, and the others go on (2.2.4.3.4).
static void put_error(struct ft_writer *w, const struct guid *replica, uint64_t fid, uint64_t mid,
                      enum ec ec) {
    struct wire_writer b = wire_writer(256);
    struct gid folder = {*replica, fid}, message = {*replica, mid};
    wire_put_u16(&b, 0); // Version
    wire_put_u16(&b, 0);
    wire_put_u32(&b, rop_error(ec));
    gid_put(&b, &folder);
    wire_put_u16(&b, 0);
    gid_put(&b, &message);
    wire_put_u16(&b, 0);
    for (unsigned i = 0; i < 24; i++)
        wire_put_u8(&b, 0);
    wire_put_u32(&b, 0); // AuxBytesCount
    wire_put_u32(&b, 0);
    g_autoptr(GByteArray) bytes = wire_writer_take(&b);
    ft_put_marker(w, FT_ERROR_INFO);
    ft_put_binary(w, PROP_TAG(0, PT_BINARY), bytes->data, bytes->len);
}

static enum ec put_listed(struct copy *copy, struct mbox_tx *tx, uint64_t mid) {
    struct rop_logon *logon = copy->source.object.logon;
    struct ft_writer *w = copy->source.w;
    struct message_row row;
    struct message *m;
    uint64_t fid;
    enum ec ec = message_get_row(tx, mid, &fid, &row);
    if (ec == EC_NOT_FOUND) // gone meanwhile
        return EC_OK;
    EC_TRY(ec);
    if (row.keywords)
        shared_text_unref(row.keywords);
    if (mailbox_require(logon->mailbox, tx, fid, RIGHTS_READ_ANY) != EC_OK &&
        mailbox_require_items(logon->mailbox, tx, fid, RIGHTS_READ_ANY, RIGHTS_VISIBLE, &mid, 1) !=
            EC_OK) {
        ft_put_long(w, MetaTagEcWarning, (int32_t)EC_ACCESS_DENIED); // MS-OXCFXICS_R1167
        return EC_OK;
    }
    size_t mark = ft_pending(w);
    ft_put_marker(w, row.flags & MSG_ASSOCIATED ? FT_START_FAI_MESSAGE : FT_START_MESSAGE);
    ec = message_open(tx, mid, &m);
    if (ec == EC_OK) {
        ec = fast_put_message(w, tx, logon, m, NULL, copy->parts | FAST_PUT_MID);
        message_free(m);
    }
    ft_put_marker(w, FT_END_MESSAGE);
    if (ec != EC_OK) {
        ft_cut(w, mark);
        if (ec == EC_NOT_FOUND)
            return EC_OK;
        if (!copy->recovers) // MS-OXCFXICS_R1074
            return ec;
        put_error(w, &logon->replica, fid, mid, ec);
    }
    return EC_OK;
}

static enum ec list_messages(struct copy *copy, struct mbox_tx *tx, const struct step *s) {
    ARENA_AUTO arena = arena_new();
    struct change_list list;
    enum ec ec = changes_of_folder(tx, arena, s->fid, 0, 0, &list);
    copy->mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    copy->at_mid = 0;
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    for (unsigned i = 0; i < list.n; i++)
        if (list.items[i].is_associated == s->is_fai)
            g_array_append_val(copy->mids, list.items[i].id);
    copy->source.all_steps += copy->mids->len;
    return EC_OK;
}

static enum ec put_open(struct copy *copy, struct mbox_tx *tx, enum step_kind kind) {
    struct rop_object *owner = copy->source.object.owner;
    if (kind == STEP_MESSAGE) {
        struct rop_message *m = (struct rop_message *)owner;
        return fast_put_message(copy->source.w, tx, copy->source.object.logon, m->message,
                                &copy->filter, copy->parts);
    }
    struct rop_attachment *a = (struct rop_attachment *)owner;
    return fast_put_attachment(copy->source.w, tx, a->message->message, a->value, &copy->filter,
                               copy->with_embedded);
}

static enum ec run_step(struct copy *copy, struct mbox_tx *tx, const struct step *s) {
    switch (s->kind) {
    case STEP_LIST:
        return list_messages(copy, tx, s);
    case STEP_PROPS: {
        enum ec ec = fast_put_folder(copy->source.w, tx, s->fid, s->is_sub ? NULL : &copy->filter,
                                     s->is_top);
        return ec == EC_NOT_FOUND ? EC_OK : ec; // deleted meanwhile: an empty one
    }
    case STEP_MARKER:
        ft_put_marker(copy->source.w, s->tag);
        return EC_OK;
    case STEP_DIRECTIVE:
        ft_put_long(copy->source.w, MetaTagFXDelProp, (int32_t)s->tag);
        return EC_OK;
    default:
        return put_open(copy, tx, s->kind);
    }
}

static enum ec produce_copy(struct rop_source *source, struct mbox_tx *tx) {
    struct copy *copy = (struct copy *)source;
    if (copy->mids && copy->at_mid < copy->mids->len) {
        source->steps++;
        return put_listed(copy, tx, g_array_index(copy->mids, uint64_t, copy->at_mid++));
    }
    g_clear_pointer(&copy->mids, g_array_unref);
    if (copy->at == copy->steps->len) {
        source->is_done = true;
        return EC_OK;
    }
    source->steps++;
    return run_step(copy, tx, &g_array_index(copy->steps, struct step, copy->at++));
}

static enum ec copy_new(struct rop_call *c, struct rop_object *from, uint8_t send_options,
                        struct copy **out) {
    struct copy *copy = g_new0(struct copy, 1);
    EC_TRY(rop_object_init(&copy->source.object, ROP_FAST_SOURCE, from, destroy_copy));
    copy->steps = g_array_new(FALSE, FALSE, sizeof(struct step));
    copy->source.produce = produce_copy;
    copy->recovers = send_options & SEND_RECOVER;
    copy->parts = FAST_CHILDREN;
    enum ec ec = source_init(&copy->source, send_options);
    if (ec != EC_OK) {
        rop_object_free(&copy->source.object);
        return ec;
    }
    *out = copy;
    return EC_OK;
}

// Lets it go with an error, or gives it.
static enum ec finish(struct rop_call *c, struct copy *copy, enum ec ec) {
    if (ec == EC_OK)
        return rop_give(c, &copy->source.object);
    rop_object_free(&copy->source.object);
    return ec;
}

// --- Folders ---

static bool may_read(struct copy *copy, struct mbox_tx *tx, uint64_t fid) {
    return mailbox_require(copy->source.object.logon->mailbox, tx, fid, RIGHTS_READ_ANY) == EC_OK;
}

static void add_folder(struct copy *copy, uint64_t fid, bool is_top) {
    add_step(copy, (struct step){.kind = STEP_PROPS, .fid = fid, .is_top = is_top, .is_sub = true});
    add_step(copy, (struct step){.kind = STEP_LIST, .fid = fid, .is_fai = true});
    add_step(copy, (struct step){.kind = STEP_LIST, .fid = fid});
}

static void add_ends(struct copy *copy, GArray *open, uint64_t parent) {
    while (open->len > 0 && g_array_index(open, uint64_t, open->len - 1) != parent) {
        add_step(copy, (struct step){.kind = STEP_MARKER, .tag = FT_END_FOLDER});
        g_array_set_size(open, open->len - 1);
    }
}

// All folders below, those with no right to read them left out with what is below them.
static enum ec add_subfolders(struct copy *copy, struct mbox_tx *tx, uint64_t root) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct folder_list list;
    EC_TRY(folder_list(tx, arena, root, true, &list));
    for (unsigned i = 0; i < list.n; i++) {
        const struct folder_info *f = &list.items[i];
        add_ends(copy, open, f->parent);
        bool is_reached = f->parent == root || open->len > 0;
        if (!is_reached || f->type == FOLDER_TYPE_SEARCH || !may_read(copy, tx, f->fid))
            continue;
        add_step(copy, (struct step){.kind = STEP_MARKER, .tag = FT_START_SUB_FOLDER});
        add_folder(copy, f->fid, false);
        g_array_append_val(open, f->fid);
    }
    add_ends(copy, open, 0);
    return EC_OK;
}

static enum ec plan_top_folder(struct copy *copy, uint64_t fid, bool with_subfolders) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(copy->source.object.logon->mbox, &tx));
    EC_TRY(mailbox_require(copy->source.object.logon->mailbox, tx, fid, RIGHTS_READ_ANY));
    add_step(copy, (struct step){.kind = STEP_MARKER, .tag = FT_START_TOP_FOLDER});
    add_folder(copy, fid, true);
    if (with_subfolders)
        EC_TRY(add_subfolders(copy, tx, fid));
    add_step(copy, (struct step){.kind = STEP_MARKER, .tag = FT_END_FOLDER});
    return EC_OK;
}

enum { FOLDER_MOVE = 0x01, FOLDER_SUBFOLDERS = 0x10, FOLDER_KNOWN = 0x1F };

enum ec rop_fast_transfer_source_copy_folder(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r), send_options = wire_u8(c->r);
    struct rop_folder *f;
    struct copy *copy;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~FOLDER_KNOWN) // MS-OXCFXICS_R2131
        return EC_INVALID_PARAMETER;
    EC_TRY(copy_new(c, &f->object, send_options, &copy));
    // MS-OXCFXICS_R2124, R3481, R3482
    return finish(c, copy,
                  plan_top_folder(copy, f->fid, (flags & (FOLDER_MOVE | FOLDER_SUBFOLDERS)) != 0));
}

// folderContent: each kind of subobject that is wanted after its directive (3.2.5.10).
static enum ec plan_folder(struct copy *copy, uint64_t fid, bool with_children) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(copy->source.object.logon->mbox, &tx));
    EC_TRY(mailbox_require(copy->source.object.logon->mailbox, tx, fid, RIGHTS_READ_ANY));
    add_step(copy, (struct step){.kind = STEP_PROPS, .fid = fid});
    if (!with_children)
        return EC_OK;
    if (fast_wants(&copy->filter, PidTagFolderAssociatedContents)) {
        add_step(copy,
                 (struct step){.kind = STEP_DIRECTIVE, .tag = PidTagFolderAssociatedContents});
        add_step(copy, (struct step){.kind = STEP_LIST, .fid = fid, .is_fai = true});
    }
    if (fast_wants(&copy->filter, PidTagContainerContents)) {
        add_step(copy, (struct step){.kind = STEP_DIRECTIVE, .tag = PidTagContainerContents});
        add_step(copy, (struct step){.kind = STEP_LIST, .fid = fid});
    }
    if (fast_wants(&copy->filter, PidTagContainerHierarchy)) {
        add_step(copy, (struct step){.kind = STEP_DIRECTIVE, .tag = PidTagContainerHierarchy});
        EC_TRY(add_subfolders(copy, tx, fid));
    }
    return EC_OK;
}

// --- Single objects ---

static enum ec plan_object(struct copy *copy, struct rop_object *o, uint8_t level) {
    bool with_children = level == 0;
    copy->with_embedded = true; // MS-OXCFXICS_R369: Level does not count for attachments
    copy->parts = (with_children ? FAST_CHILDREN : 0) | FAST_DIRECTIVES;
    if (o->kind == ROP_FOLDER)
        return plan_folder(copy, ((struct rop_folder *)o)->fid, with_children);
    add_step(copy, (struct step){.kind = o->kind == ROP_MESSAGE ? STEP_MESSAGE : STEP_ATTACHMENT});
    return EC_OK;
}

enum { COPY_MOVE = 0x00000001, COPY_BEST_BODY = 0x00002000, COPY_KNOWN = 0x0000260F };

static enum ec copy_object(struct rop_call *c, bool is_inclusive) {
    uint8_t level = wire_u8(c->r);
    uint32_t flags = is_inclusive ? wire_u8(c->r) : wire_u32(c->r);
    uint8_t send_options = wire_u8(c->r);
    struct rop_object *o;
    struct copy *copy;
    EC_TRY(rop_in(c, ROP_IS(ROP_FOLDER) | ROP_IS(ROP_MESSAGE) | ROP_IS(ROP_ATTACHMENT), &o));
    if (flags & ~(is_inclusive ? 0x0Fu : (uint32_t)COPY_KNOWN)) // MS-OXCFXICS_R2096, R2105
        return EC_INVALID_PARAMETER;
    EC_TRY(copy_new(c, o, send_options, &copy));
    copy->filter.is_inclusive = is_inclusive;
    enum ec ec = fast_read_tags(c, &copy->tags, &copy->filter.n);
    copy->filter.tags = copy->tags;
    if (ec == EC_OK)
        ec = plan_object(copy, o, level);
    return finish(c, copy, ec);
}

enum ec rop_fast_transfer_source_copy_to(struct rop_call *c) {
    return copy_object(c, false);
}

enum ec rop_fast_transfer_source_copy_properties(struct rop_call *c) {
    return copy_object(c, true);
}

// --- Messages of a folder ---

enum {
    MESSAGES_MOVE = 0x01,
    MESSAGES_BEST_BODY = 0x10,
    MESSAGES_SEND_ENTRY_ID = 0x20,
    MESSAGES_KNOWN = 0x3F
};

static enum ec take_messages(struct copy *copy, uint64_t fid, bool is_move, const uint64_t *mids,
                             unsigned n) {
    struct rop_logon *logon = copy->source.object.logon;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(logon->mbox, &tx));
    EC_TRY(mailbox_require(logon->mailbox, tx, fid, RIGHTS_VISIBLE));
    copy->mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (unsigned i = 0; i < n; i++) {
        struct message_row row;
        uint64_t in;
        if (message_get_row(tx, mids[i], &in, &row) != EC_OK)
            continue;
        if (row.keywords)
            shared_text_unref(row.keywords);
        // MS-OXCFXICS_R2114
        if (in == fid &&
            (!is_move || mailbox_require_items(logon->mailbox, tx, fid, RIGHTS_DELETE_ANY,
                                               RIGHTS_DELETE_OWNED, &mids[i], 1) == EC_OK))
            g_array_append_val(copy->mids, mids[i]);
    }
    copy->source.all_steps = copy->mids->len;
    return EC_OK;
}

enum ec rop_fast_transfer_source_copy_messages(struct rop_call *c) {
    unsigned n;
    uint64_t *mids = rop_read_ids(c, &n);
    uint8_t flags = wire_u8(c->r), send_options = wire_u8(c->r);
    struct rop_folder *f;
    struct copy *copy;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~MESSAGES_KNOWN || !wire_ok(c->r))
        return EC_INVALID_PARAMETER;
    EC_TRY(copy_new(c, &f->object, send_options, &copy));
    if (flags & MESSAGES_SEND_ENTRY_ID) // MS-OXCFXICS_R3474, R3475
        copy->parts |= FAST_KEEP_IDS;
    return finish(c, copy, take_messages(copy, f->fid, flags & MESSAGES_MOVE, mids, n));
}
