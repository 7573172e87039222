// Folders as [MS-OXCFOLD] describes them: creating, deleting, emptying, moving, copying, and what
// their properties say.
#include "mapi/change.h"
#include "mapi/entry_id.h"
#include "store/check.h"
#include "store/recoverable.h"
#include "store/store_fixture.h"

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_error("%s", (const char *)faults->pdata[i]);
}

// One change to the tree or to messages; results stand in it.
struct act {
    enum {
        CREATE,
        OPEN,
        DELETE,
        EMPTY,
        MOVE,
        COPY,
        MOVE_MESSAGE,
        COPY_MESSAGE,
        DELETE_MESSAGE,
        RECREATE
    } what;
    uint64_t fid, to, mid;
    const char *name;
    unsigned flags;
    bool is_deep; // with FAI; hard; recursive
    enum folder_type type;
    uint64_t new_fid;
    bool is_existing;
};

// What a client does to bring a soft-deleted message back: open, copy to a new message, save.
static enum ec recreate(struct mbox_tx *tx, struct act *a) {
    struct message *m;
    EC_TRY(message_open(tx, a->mid, &m));
    struct message_new spec = {.value = message_value(m)};
    enum ec ec = message_create(tx, a->fid, &spec, &a->new_fid, NULL);
    message_free(m);
    return ec;
}

static enum ec do_act(struct mbox_tx *tx, void *ctx) {
    struct act *a = ctx;
    switch (a->what) {
    case CREATE:
        return folder_create(tx, a->fid, a->name, a->type, NULL, &a->new_fid);
    case OPEN:
        return folder_open_or_create(tx, a->fid, a->name, a->type, NULL, &a->new_fid,
                                     &a->is_existing);
    case DELETE:
        return folder_delete(tx, a->fid, a->flags);
    case EMPTY:
        return folder_empty(tx, a->fid, a->flags, a->is_deep);
    case MOVE:
        return folder_move(tx, a->fid, a->to, a->name);
    case COPY:
        return folder_copy(tx, a->fid, a->to, a->name, a->is_deep, &a->new_fid);
    case MOVE_MESSAGE:
        return message_move(tx, a->fid, &a->mid, 1, a->to, NULL);
    case COPY_MESSAGE:
        return message_copy(tx, a->fid, &a->mid, 1, a->to, NULL);
    case DELETE_MESSAGE:
        return message_delete(tx, a->fid, &a->mid, 1, a->is_deep ? DELETE_HARD : DELETE_SOFT, NULL);
    default:
        return recreate(tx, a);
    }
}

static enum ec act(struct fixture *f, struct act a) {
    return mbox_write(f->mbox, do_act, &a);
}

static uint64_t make(struct fixture *f, uint64_t parent, const char *name) {
    struct act a = {.what = CREATE, .fid = parent, .name = name, .type = FOLDER_TYPE_GENERIC};
    assert_ok(mbox_write(f->mbox, do_act, &a));
    return a.new_fid;
}

static uint64_t add_fai(struct fixture *f, uint64_t fid) {
    struct fixture_message m = {.fid = fid, .subject = "view", .flags = MSG_ASSOCIATED};
    assert_ok(mbox_write(f->mbox, fixture_create, &m));
    return m.mid;
}

static struct folder_info info(struct fixture *f, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_info i;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get(tx, arena, fid, &i));
    mbox_read_end(tx);
    i.name = i.container_class = NULL;
    return i;
}

static bool exists(struct fixture *f, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_info i;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    enum ec ec = folder_get(tx, arena, fid, &i);
    mbox_read_end(tx);
    return ec == EC_OK;
}

static struct bag *props(struct fixture *f, uint64_t fid) {
    struct bag *bag;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get_props(tx, fid, &bag));
    mbox_read_end(tx);
    return bag;
}

static unsigned n_recoverable(struct fixture *f) {
    ARENA_AUTO arena = arena_new();
    struct recoverable_list l;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(recoverable_list(tx, arena, 0, 0, 100, &l));
    mbox_read_end(tx);
    return l.n;
}

// --- Creating ---

static void test_create(struct fixture *f, gconstpointer data) {
    struct act a = {.what = CREATE, .fid = FID_INBOX, .name = "Projects", .type = 1};
    assert_ok(mbox_write(f->mbox, do_act, &a)); // MS-OXCFOLD_R37, R3801
    BAG_AUTO bag = props(f, a.new_fid);         // MS-OXCFOLD_R9, R90001: found again by its id
    g_assert_cmpstr(bag_str(bag, PidTagDisplayName), ==, "Projects"); // MS-OXCFOLD_R54
    g_assert_cmpuint(info(f, a.new_fid).parent, ==, FID_INBOX);       // MS-OXCFOLD_R43
    // MS-OXCFOLD_R1065, R480, R481, R493: a name stands once below a folder, in any case.
    a.name = "PROJECTS";
    assert_ec(mbox_write(f->mbox, do_act, &a), EC_COLLISION);
    g_assert_cmphex((uint32_t)EC_COLLISION, ==, 0x80040604); // MS-OXCFOLD_R491
    a.fid = FID_ARCHIVE;
    assert_ok(mbox_write(f->mbox, do_act, &a));
    a.name = "";
    assert_ec(mbox_write(f->mbox, do_act, &a), EC_BAD_FOLDER_NAME); // MS-OXCFOLD_R477
    assert_clean(f);
}

static void test_open_existing(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "Projects");
    struct act a = {.what = OPEN, .fid = FID_INBOX, .name = "projects", .type = 1};
    assert_ok(mbox_write(f->mbox, do_act, &a)); // MS-OXCFOLD_R50, R482
    g_assert_true(a.is_existing);
    g_assert_cmpuint(a.new_fid, ==, fid); // MS-OXCFOLD_R59
    a.name = "Another";
    assert_ok(mbox_write(f->mbox, do_act, &a)); // MS-OXCFOLD_R483
    g_assert_false(a.is_existing);
    g_assert_cmpuint(a.new_fid, !=, fid);
    assert_clean(f);
}

static void test_not_found(struct fixture *f, gconstpointer data) {
    uint64_t gone = make(f, FID_INBOX, "gone");
    assert_ok(act(f, (struct act){.what = DELETE, .fid = gone}));
    g_assert_false(exists(f, gone)); // MS-OXCFOLD_R469, R46201, R462
    assert_ec(act(f, (struct act){.what = DELETE, .fid = gone}), EC_NOT_FOUND); // MS-OXCFOLD_R507
    // MS-OXCFOLD_R1073: nothing is made below what is not there.
    assert_ec(act(f, (struct act){.what = CREATE, .fid = gone, .name = "x", .type = 1}),
              EC_NOT_FOUND);
    assert_ec(act(f, (struct act){.what = MOVE, .fid = gone, .to = FID_INBOX}),
              EC_NOT_FOUND); // MS-OXCFOLD_R600
    assert_ec(act(f, (struct act){.what = COPY, .fid = gone, .to = FID_INBOX}),
              EC_NOT_FOUND);                                 // MS-OXCFOLD_R612
    g_assert_cmphex((uint32_t)EC_NOT_FOUND, ==, 0x8004010F); // MS-OXCFOLD_R468, R504, R599, R611,
                                                             // R1072
}

static void test_codes(void) {
    g_assert_cmphex((uint32_t)EC_INVALID_PARAMETER, ==, 0x80070057); // MS-OXCFOLD_R486, R1235,
                                                                     // R1091, R1178
    g_assert_cmphex((uint32_t)EC_ACCESS_DENIED, ==, 0x80070005);     // MS-OXCFOLD_R1071, R2500
    g_assert_cmphex((uint32_t)EC_CALL_FAILED, ==, 0x80004005);       // MS-OXCFOLD_R1069
    // MS-OXCFOLD_R472, R494, R510, R573, R581, R589, R601, R613, R624, R629, R637, R644, R657, R671
    g_assert_cmphex((uint32_t)EC_NOT_SUPPORTED, ==, 0x80040102);
    g_assert_cmphex((uint32_t)EC_SEARCH_FOLDER, ==, 0x460);    // MS-OXCFOLD_R1245
    g_assert_cmphex((uint32_t)EC_TOO_COMPLEX, ==, 0x80040117); // MS-OXCFOLD_R2570
}

// --- Deleting ---

static void test_delete_flags(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full"), child = make(f, fid, "child");
    fixture_add(f, fid, "one", "a");
    // MS-OXCFOLD_R76, R1079: with subfolders nothing is deleted ...
    assert_ec(act(f, (struct act){.what = DELETE, .fid = fid, .flags = FOLDER_DELETE_MESSAGES}),
              EC_HAS_FOLDERS);
    g_assert_true(exists(f, child));
    g_assert_cmpuint(info(f, fid).n_messages, ==, 1);
    // MS-OXCFOLD_R371: ... nor with messages.
    assert_ec(act(f, (struct act){.what = DELETE, .fid = fid, .flags = FOLDER_DELETE_FOLDERS}),
              EC_HAS_MESSAGES);
    g_assert_true(exists(f, child));
    g_assert_cmpuint(info(f, fid).n_messages, ==, 1);
    // MS-OXCFOLD_R82, R406: with both flags everything goes.
    assert_ok(act(f, (struct act){.what = DELETE,
                                  .fid = fid,
                                  .flags = FOLDER_DELETE_FOLDERS | FOLDER_DELETE_MESSAGES}));
    g_assert_false(exists(f, fid)); // MS-OXCFOLD_R75, R94401
    g_assert_false(exists(f, child));
    assert_ec(act(f, (struct act){.what = DELETE, .fid = FID_ROOT}),
              EC_NOT_SUPPORTED); // MS-OXCFOLD_R2509
    assert_ec(act(f, (struct act){.what = DELETE, .fid = FID_INBOX}), EC_ACCESS_DENIED);
    assert_clean(f);
}

static void test_delete_soft_hard(struct fixture *f, gconstpointer data) {
    unsigned all = FOLDER_DELETE_FOLDERS | FOLDER_DELETE_MESSAGES;
    uint64_t soft = make(f, FID_INBOX, "soft"), hard = make(f, FID_INBOX, "hard");
    fixture_add(f, soft, "one", "a");
    fixture_add(f, hard, "two", "b");
    assert_ok(act(f, (struct act){.what = DELETE, .fid = soft, .flags = all}));
    g_assert_cmpuint(n_recoverable(f), ==, 1); // MS-OXCFOLD_R498
    // MS-OXCFOLD_R497, R407: hard deleted, nothing can be restored.
    assert_ok(act(f, (struct act){.what = DELETE, .fid = hard, .flags = all | FOLDER_DELETE_HARD}));
    g_assert_cmpuint(n_recoverable(f), ==, 1);
    g_assert_false(exists(f, hard));
    assert_clean(f);
}

static void fill(struct fixture *f, uint64_t fid) {
    uint64_t child = make(f, fid, "child");
    fixture_add(f, fid, "one", "a");
    fixture_add(f, child, "two", "b");
    add_fai(f, fid);
}

static void test_empty(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full");
    fill(f, fid);
    // MS-OXCFOLD_R225, R1129, R97502, R433, R43201: messages and subfolders go, the folder stays.
    assert_ok(act(f, (struct act){.what = EMPTY, .fid = fid, .flags = FOLDER_DELETE_FOLDERS}));
    struct folder_info i = info(f, fid);
    g_assert_cmpuint(i.n_messages, ==, 0);
    g_assert_cmpuint(i.n_subfolders, ==, 0); // MS-OXCFOLD_R618: whatever is said of FAI
    g_assert_cmpuint(i.n_associated, ==, 1); // MS-OXCFOLD_R239
    g_assert_cmpuint(i.n_soft_deleted, ==, 1);
    g_assert_cmpuint(n_recoverable(f), ==, 2);
    assert_ok(act(
        f,
        (struct act){.what = EMPTY, .fid = fid, .flags = FOLDER_DELETE_FOLDERS, .is_deep = true}));
    g_assert_cmpuint(info(f, fid).n_associated, ==, 0); // MS-OXCFOLD_R238, R617
    assert_ec(act(f, (struct act){.what = EMPTY, .fid = FID_ROOT}),
              EC_NOT_SUPPORTED); // MS-OXCFOLD_R1248, R124802, R3012
    assert_clean(f);
}

static void test_empty_hard(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full");
    unsigned flags = FOLDER_DELETE_FOLDERS | FOLDER_DELETE_HARD;
    fill(f, fid);
    // MS-OXCFOLD_R226, R244, R98302, R434, R43202, R1138, R113801
    assert_ok(act(f, (struct act){.what = EMPTY, .fid = fid, .flags = flags}));
    struct folder_info i = info(f, fid);
    g_assert_cmpuint(i.n_messages, ==, 0);
    g_assert_cmpuint(i.n_subfolders, ==, 0); // MS-OXCFOLD_R113805
    g_assert_cmpuint(i.n_associated, ==, 1); // MS-OXCFOLD_R257
    g_assert_cmpuint(n_recoverable(f), ==, 0);
    assert_ok(act(f, (struct act){.what = EMPTY, .fid = fid, .flags = flags, .is_deep = true}));
    g_assert_cmpuint(info(f, fid).n_associated, ==, 0); // MS-OXCFOLD_R256, R113804
    assert_clean(f);
}

static void test_delete_messages(struct fixture *f, gconstpointer data) {
    uint64_t mid = fixture_add(f, FID_INBOX, "one", NULL);
    // MS-OXCFOLD_R262, R98802, R632, R436: soft deleted, out of the normal contents.
    assert_ok(act(f, (struct act){.what = DELETE_MESSAGE, .fid = FID_INBOX, .mid = mid}));
    struct folder_info i = info(f, FID_INBOX);
    g_assert_cmpuint(i.n_messages, ==, 0);
    g_assert_cmpuint(i.n_soft_deleted, ==, 1);
    // MS-OXCFOLD_R263, R1049: opened, copied to a new message and saved, it is back.
    assert_ok(act(f, (struct act){.what = RECREATE, .fid = FID_INBOX, .mid = mid}));
    g_assert_cmpuint(info(f, FID_INBOX).n_messages, ==, 1);
    // MS-OXCFOLD_R283, R99402, R1156, R437: hard deleted it is nowhere.
    assert_ok(act(
        f, (struct act){.what = DELETE_MESSAGE, .fid = FID_INBOX, .mid = mid, .is_deep = true}));
    g_assert_cmpuint(info(f, FID_INBOX).n_soft_deleted, ==, 0);
    assert_ec(act(f, (struct act){.what = RECREATE, .fid = FID_INBOX, .mid = mid}), EC_NOT_FOUND);
    assert_clean(f);
}

// --- Moving and copying ---

static void test_move_messages(struct fixture *f, gconstpointer data) {
    uint64_t mid = fixture_add(f, FID_INBOX, "one", "a"),
             other = fixture_add(f, FID_INBOX, "two", "b");
    // MS-OXCFOLD_R144, R14501, R160, R14901, R15101, R420: moved, it is there and no longer here.
    assert_ok(act(
        f, (struct act){.what = MOVE_MESSAGE, .fid = FID_INBOX, .to = FID_ARCHIVE, .mid = mid}));
    g_assert_cmpuint(info(f, FID_INBOX).n_messages, ==, 1);
    g_assert_cmpuint(info(f, FID_ARCHIVE).n_messages, ==, 1);
    // MS-OXCFOLD_R159, R14902, R15102, R427: copied, it is in both.
    assert_ok(act(
        f, (struct act){.what = COPY_MESSAGE, .fid = FID_INBOX, .to = FID_ARCHIVE, .mid = other}));
    g_assert_cmpuint(info(f, FID_INBOX).n_messages, ==, 1);
    g_assert_cmpuint(info(f, FID_ARCHIVE).n_messages, ==, 2);
    // MS-OXCFOLD_R1246, R121801, R121802: not into a search folder.
    assert_ec(act(f,
                  (struct act){
                      .what = MOVE_MESSAGE, .fid = FID_INBOX, .to = FID_TODO_SEARCH, .mid = other}),
              EC_SEARCH_FOLDER);
    assert_ec(act(f,
                  (struct act){
                      .what = COPY_MESSAGE, .fid = FID_INBOX, .to = FID_TODO_SEARCH, .mid = other}),
              EC_SEARCH_FOLDER);
    g_assert_cmpuint(info(f, FID_INBOX).n_messages, ==, 1);
    assert_clean(f);
}

static void test_move_folder(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full"), child = make(f, fid, "child");
    fixture_add(f, fid, "one", "a");
    // MS-OXCFOLD_R169, R170, R17101, R185, R423, R424: with everything that is in it.
    assert_ok(act(f, (struct act){.what = MOVE, .fid = fid, .to = FID_ARCHIVE, .name = "renamed"}));
    g_assert_cmpuint(info(f, fid).parent, ==, FID_ARCHIVE);
    g_assert_cmpuint(info(f, fid).n_messages, ==, 1);
    g_assert_cmpuint(info(f, child).parent, ==, fid);
    BAG_AUTO bag = props(f, fid);
    g_assert_cmpstr(bag_str(bag, PidTagDisplayName), ==, "renamed"); // MS-OXCFOLD_R186
    assert_ec(act(f, (struct act){.what = MOVE, .fid = fid, .to = child}), EC_FOLDER_CYCLE);
    make(f, FID_INBOX, "renamed");
    assert_ec(act(f, (struct act){.what = MOVE, .fid = fid, .to = FID_INBOX}), EC_COLLISION);
    assert_clean(f);
}

static void test_copy_folder(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full"), child = make(f, fid, "child"), found;
    fixture_add(f, fid, "one", "a");
    fixture_add(f, child, "two", "b");
    struct act a = {.what = COPY, .fid = fid, .to = FID_ARCHIVE, .is_deep = true};
    assert_ok(mbox_write(f->mbox, do_act, &a));
    // MS-OXCFOLD_R196, R198, R19701, R214, R428, R605, R1048: the messages are in both.
    g_assert_cmpuint(info(f, a.new_fid).n_messages, ==, 1);
    g_assert_cmpuint(info(f, fid).n_messages, ==, 1);
    // MS-OXCFOLD_R210, R429, R1122: with subfolders and theirs ...
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_find(tx, a.new_fid, "child", &found));
    mbox_read_end(tx);
    g_assert_cmpuint(info(f, found).n_messages, ==, 1);
    // MS-OXCFOLD_R211: ... or without.
    a.name = "alone";
    a.is_deep = false;
    assert_ok(mbox_write(f->mbox, do_act, &a));
    g_assert_cmpuint(info(f, a.new_fid).n_messages, ==, 1);
    g_assert_cmpuint(info(f, a.new_fid).n_subfolders, ==, 0);
    a.is_deep = true;
    a.to = child;
    assert_ec(mbox_write(f->mbox, do_act, &a), EC_FOLDER_CYCLE);
    assert_clean(f);
}

// --- Properties ---

static void test_counts(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full");
    struct fixture_message read = {.fid = fid, .subject = "read", .flags = MSG_READ};
    assert_ok(mbox_write(f->mbox, fixture_create, &read));
    fixture_add(f, fid, "unread", "a");
    add_fai(f, fid);
    BAG_AUTO bag = props(f, fid);
    g_assert_cmpint(bag_long(bag, PidTagContentCount, 0), ==, 2); // MS-OXCFOLD_R345, R10345, R346
    g_assert_cmpint(bag_long(bag, PidTagContentUnreadCount, 0), ==, 1); // MS-OXCFOLD_R347, R10347
    const struct prop_value *size = bag_get(bag, PidTagMessageSizeExtended);
    g_assert_cmpuint((uint64_t)size->i8, ==, info(f, fid).size); // MS-OXCFOLD_R354, R10354, R10353
    g_assert_cmpint(size->i8, >, 0);
    g_assert_false(bag_bool(bag, PidTagSubfolders, true)); // MS-OXCFOLD_R355, R10355, R1030
    uint64_t child = make(f, fid, "child");
    assert_ok(act(f, (struct act){.what = DELETE_MESSAGE, .fid = fid, .mid = read.mid}));
    g_clear_pointer(&bag, bag_free);
    bag = props(f, fid);
    g_assert_true(bag_bool(bag, PidTagSubfolders, false)); // MS-OXCFOLD_R1029
    g_assert_cmpint(bag_long(bag, PidTagContentCount, 0), ==, 1);
    g_assert_cmpint(bag_long(bag, PidTagDeletedCountTotal, 0), ==, 1); // MS-OXCFOLD_R3005
    // MS-OXCFOLD_R351, R10351: its own id, and R1027, R10027: the entry id of the one above.
    BAG_AUTO below = props(f, child);
    struct short_id id = short_id_of_value(bag_get(below, PidTagFolderId)->i8);
    g_assert_cmpuint(id.counter, ==, child);
    ARENA_AUTO arena = arena_new();
    struct mbox_info mailbox;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(mbox_get_info(tx, arena, &mailbox));
    mbox_read_end(tx);
    struct prop_bin parent = entry_id_of_folder(arena, &f->guid, &mailbox.replica, fid),
                    got = bag_bytes(below, PidTagParentEntryId);
    g_assert_cmpmem(got.data, got.len, parent.data, parent.len);
}

static void test_folder_flags(struct fixture *f, gconstpointer data) {
    static const struct {
        uint64_t fid;
        int32_t flags;
    } folders[] = {
        {FID_INBOX, 1 | 4},       // MS-OXCFOLD_R1035110, R1035103, R1035107, R35101
        {FID_VIEWS, 4},           // MS-OXCFOLD_R1035111
        {FID_TODO_SEARCH, 2},     // MS-OXCFOLD_R1035105
        {FID_IPM_SUBTREE, 1 | 4}, // itself
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        BAG_AUTO bag = props(f, folders[i].fid);
        g_assert_cmpint(bag_long(bag, PidTagFolderFlags, 0), ==, folders[i].flags);
    }
}

static enum ec set_computed(struct mbox_tx *tx, void *ctx) {
    return folder_set_props(tx, FID_INBOX, ctx, NULL, 0);
}

static void test_read_only(struct fixture *f, gconstpointer data) {
    // MS-OXCFOLD_R1225, R343: what the server computes nobody else sets.
    static const proptag_t tags[] = {PidTagContentCount, PidTagContentUnreadCount,
                                     PidTagDeletedCountTotal};
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++) {
        BAG_AUTO bag = bag_new();
        bag_set_long(bag, tags[i], 7);
        assert_ec(mbox_write(f->mbox, set_computed, bag), EC_COMPUTED);
    }
    BAG_AUTO times = bag_new();
    bag_set_time(times, PidTagCreationTime, 7);
    assert_ec(mbox_write(f->mbox, set_computed, times), EC_COMPUTED);
}

static enum ec set_comment(struct mbox_tx *tx, void *ctx) {
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagComment, "what it is for");
    return folder_set_props(tx, *(uint64_t *)ctx, bag, NULL, 0);
}

static void test_comment_and_times(struct fixture *f, gconstpointer data) {
    uint64_t fid = make(f, FID_INBOX, "full"); // MS-OXCFOLD_R478: without a description
    BAG_AUTO before = props(f, fid);
    g_assert_null(bag_str(before, PidTagComment));
    assert_ok(mbox_write(f->mbox, set_comment, &fid));
    BAG_AUTO after = props(f, fid);
    g_assert_cmpstr(bag_str(after, PidTagComment), ==, "what it is for"); // MS-OXCFOLD_R56
    // MS-OXCFOLD_R3000, R3001: when the folder was last changed.
    g_assert_cmpuint(bag_time(after, PidTagLocalCommitTime), >=,
                     bag_time(before, PidTagLocalCommitTime));
    g_assert_cmpuint(bag_time(after, PidTagLocalCommitTime), ==,
                     bag_time(after, PidTagLastModificationTime));
}

static void test_tags(void) {
    static const struct {
        proptag_t tag;
        uint32_t value;
    } tags[] = {
        {PidTagAccess, 0x0FF40003},                // MS-OXPROPS_R4927, R4928
        {PidTagAccessControlListData, 0x3FE00102}, // MS-OXPROPS_R10102, R10103
        {PidTagAddressBookEntryId, 0x663B0102},    // MS-OXPROPS_R5023, R5024, MS-OXCFOLD_R349
        {PidTagAttributeHidden, 0x10F4000B},       // MS-OXPROPS_R5555
        {PidTagChangeKey, 0x65E20102},             // MS-OXPROPS_R5686, R5687
        {PidTagComment, 0x3004001F},               // MS-OXPROPS_R5752, R5753
        {PidTagContainerClass, 0x3613001F},        // MS-OXPROPS_R5792, R5793
        {PidTagContentCount, 0x36020003},          // MS-OXPROPS_R5820, R5821
        {PidTagContentUnreadCount, 0x36030003},    // MS-OXPROPS_R5840, R5841
        {PidTagCreationTime, 0x30070040},          // MS-OXPROPS_R5880, R5881
        {PidTagDeletedOn, 0x668F0040},             // MS-OXPROPS_R5979, R5980, MS-OXCFOLD_R348
        {PidTagDisplayName, 0x3001001F},           // MS-OXPROPS_R6014
        {PidTagFolderType, 0x36010003},            // MS-OXPROPS_R6219
        {PidTagFolderId, 0x67480014},              // MS-OXPROPS_R6212, R6213
        {PidTagHierarchyChangeNumber, 0x663E0003}, // MS-OXPROPS_R6349, R6350, MS-OXCFOLD_R1028
        {PidTagLastModificationTime, 0x30080040},  // MS-OXPROPS_R6783, R6784
        {PidTagLocalCommitTimeMax, 0x670A0040},    // MS-OXCFOLD_R3002
        {PidTagMessageSize, 0x0E080003},           // MS-OXPROPS_R7001, R7002, MS-OXCFOLD_R353
        {PidTagMessageSizeExtended, 0x0E080014},   // MS-OXPROPS_R7008, R7009
        {PidTagParentEntryId, 0x0E090102},         // MS-OXPROPS_R7456, R7457
        {PidTagRights, 0x66390003},                // MS-OXPROPS_R7981
        {PidTagSubfolders, 0x360A000B},            // MS-OXPROPS_R8690, R8691
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        g_assert_cmphex(tags[i].tag, ==, tags[i].value);
}

#define TEST(name, function)                                                                       \
    g_test_add("/store/folder/" name, struct fixture, NULL, fixture_setup, function,               \
               fixture_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST("create", test_create);
    TEST("open existing", test_open_existing);
    TEST("not found", test_not_found);
    g_test_add_func("/store/folder/codes", test_codes);
    TEST("delete flags", test_delete_flags);
    TEST("soft and hard", test_delete_soft_hard);
    TEST("empty", test_empty);
    TEST("empty hard", test_empty_hard);
    TEST("delete messages", test_delete_messages);
    TEST("move messages", test_move_messages);
    TEST("move folder", test_move_folder);
    TEST("copy folder", test_copy_folder);
    TEST("counts", test_counts);
    TEST("folder flags", test_folder_flags);
    TEST("read only", test_read_only);
    TEST("comment and times", test_comment_and_times);
    g_test_add_func("/store/folder/tags", test_tags);
    return g_test_run();
}
