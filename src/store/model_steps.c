// The random steps of the model tests. Which step and what it is done to depends only on the seed
// and the model, never on ids: two runs of one seed do the same.
#include "store/model.h"
#include "store/search_folder.h"

#define MESSAGES_MAX 3000 // of the whole model; beyond, more is deleted than made
#define FOLDERS_MAX 40

static unsigned pick(struct model *m, unsigned n) {
    return (unsigned)g_rand_int_range(m->rand, 0, (gint32)n);
}

static unsigned total(const struct model *m) {
    unsigned n = 0;
    for (guint i = 0; i < m->folders->len; i++)
        n += ((struct model_folder *)m->folders->pdata[i])->messages->len;
    return n;
}

// A folder for messages, by chance.
static struct model_folder *any_folder(struct model *m) {
    for (;;) {
        struct model_folder *f = m->folders->pdata[pick(m, m->folders->len)];
        if (!f->is_search && f->fid != FID_IPM_SUBTREE)
            return f;
    }
}

static struct model_message *at(const struct model_folder *f, guint i) {
    return &g_array_index(f->messages, struct model_message, i);
}

static uint64_t mid_of_uid(struct model *m, uint64_t fid, uint32_t uid) {
    uint64_t mid;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(m->f->mbox, &tx));
    assert_ok(message_by_uid(tx, fid, uid, &mid));
    return mid;
}

// --- What a step is, for the change function ---
struct step {
    struct model *m;
    uint64_t fid, other;
    GArray *mids; // of uint64_t
    const struct message_flags_change *change;
    enum message_delete_mode mode;
    const char *name;
    unsigned flags, subject;
    enum folder_type type;
    bool is_deep, with_associated;
    uint64_t new_id; // out
    uint32_t new_uid;
    GArray *copied;
};

static enum ec perform(struct step *s, mbox_change change) {
    return mbox_write(s->m->f->mbox, change, s);
}

// Indexes of some of the folder's messages: a run, or scattered ones.
static GArray *choose(struct model *m, const struct model_folder *f, uint32_t with,
                      uint32_t without) {
    GArray *chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    unsigned n = f->messages->len;
    if (n == 0)
        return chosen;
    bool is_run = pick(m, 2) == 0;
    unsigned from = pick(m, n), count = 1 + pick(m, is_run && pick(m, 4) == 0 ? n : 12);
    for (guint i = from; i < n && count > 0; i += is_run ? 1 : 1 + pick(m, 5)) {
        uint32_t flags = at(f, i)->flags;
        if ((flags & with) != with || (flags & without))
            continue;
        g_array_append_val(chosen, i);
        count--;
    }
    return chosen;
}

static GArray *mids_of(const struct model_folder *f, const GArray *chosen) {
    GArray *mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (guint i = 0; i < chosen->len; i++)
        g_array_append_val(mids, at(f, g_array_index(chosen, guint, i))->mid);
    return mids;
}

static const uint64_t *ids(const GArray *mids) {
    return (const uint64_t *)(void *)mids->data;
}

static void remove_chosen(struct model_folder *f, const GArray *chosen) {
    for (guint i = chosen->len; i-- > 0;)
        g_array_remove_index(f->messages, g_array_index(chosen, guint, i));
}

// --- Messages ---

static enum ec do_create(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    char subject[64];
    model_subject(s->subject, subject, sizeof subject);
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, subject);
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
    bag_set_long(value->bag, PidTagImportance, model_importance(s->subject));
    struct message_new spec = {
        .value = value, .envelope = "(envelope)", .structure = "(structure)", .flags = s->flags};
    enum ec ec = message_create(tx, s->fid, &spec, &s->new_id, &s->new_uid);
    message_value_free(value);
    return ec;
}

static void step_create(struct model *m) {
    struct model_folder *f = any_folder(m);
    struct step s = {.m = m, .fid = f->fid, .subject = m->next_subject++};
    s.flags = (pick(m, 3) == 0 ? MSG_READ : 0u) | (pick(m, 20) == 0 ? MSG_ASSOCIATED : 0u);
    assert_ok(perform(&s, do_create));
    g_assert_cmpuint(s.new_uid, ==, f->uid_next);
    struct model_message new = {.mid = s.new_id,
                                .uid = f->uid_next++,
                                .flags = s.flags,
                                .subject = s.subject,
                                .changed = m->step,
                                .read_changed = m->step};
    g_array_append_val(f->messages, new);
}

static enum ec do_flags(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return message_change_flags(tx, s->fid, ids(s->mids), s->mids->len, s->change, NULL);
}

static void step_flags(struct model *m) {
    static const uint32_t sets[] = {MSG_READ, MSG_FLAGGED, MSG_DELETED, MSG_READ | MSG_ANSWERED, 0};
    static const char *const names[] = {"k0", "k1", "k2", "k3"};
    struct model_folder *f = any_folder(m);
    g_autoptr(GArray) chosen = choose(m, f, 0, MSG_SOFT_DELETED | MSG_ASSOCIATED);
    g_autoptr(GArray) mids = mids_of(f, chosen);
    unsigned keyword = pick(m, MODEL_KEYWORDS * 3);
    struct message_flags_change change = {.mode = pick(m, 3),
                                          .flags = sets[pick(m, G_N_ELEMENTS(sets))],
                                          .keywords = &names[keyword % MODEL_KEYWORDS],
                                          .n_keywords = keyword < MODEL_KEYWORDS ? 1 : 0,
                                          .unchanged_since = UINT64_MAX};
    struct step s = {.m = m, .fid = f->fid, .mids = mids, .change = &change};
    if (mids->len == 0)
        return;
    assert_ok(perform(&s, do_flags));
    unsigned bit = change.n_keywords ? 1u << keyword : 0;
    for (guint i = 0; i < chosen->len; i++) {
        struct model_message *msg = at(f, g_array_index(chosen, guint, i));
        uint32_t flags = msg->flags, client = MSG_CLIENT_FLAGS;
        unsigned keywords = msg->keywords;
        if (change.mode == FLAGS_ADD) {
            flags |= change.flags;
            keywords |= bit;
        } else if (change.mode == FLAGS_REMOVE) {
            flags &= ~change.flags;
            keywords &= ~bit;
        } else {
            flags = (flags & ~client) | change.flags;
            keywords = bit;
        }
        if ((flags ^ msg->flags) & MSG_READ)
            msg->read_changed = m->step;
        if (((flags ^ msg->flags) & ~(uint32_t)MSG_READ) || keywords != msg->keywords)
            msg->changed = m->step;
        msg->flags = flags;
        msg->keywords = keywords;
    }
}

static enum ec do_copy(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return message_copy(tx, s->fid, ids(s->mids), s->mids->len, s->other, &s->copied);
}

static enum ec do_move(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return message_move(tx, s->fid, ids(s->mids), s->mids->len, s->other, &s->copied);
}

static void step_transfer(struct model *m, bool is_move) {
    struct model_folder *from = any_folder(m), *to = any_folder(m);
    if (from == to)
        return;
    g_autoptr(GArray) chosen = choose(m, from, 0, MSG_SOFT_DELETED);
    g_autoptr(GArray) mids = mids_of(from, chosen);
    struct step s = {.m = m, .fid = from->fid, .other = to->fid, .mids = mids};
    if (mids->len == 0)
        return;
    assert_ok(perform(&s, is_move ? do_move : do_copy));
    g_assert_cmpuint(s.copied->len, ==, mids->len);
    for (guint i = 0; i < chosen->len; i++) {
        const struct message_copied *c = &g_array_index(s.copied, struct message_copied, i);
        struct model_message new = *at(from, g_array_index(chosen, guint, i));
        g_assert_cmpuint(c->old_mid, ==, new.mid);
        g_assert_cmpuint(c->old_uid, ==, new.uid);
        g_assert_cmpuint(c->new_uid, ==, to->uid_next);
        new.mid = c->new_mid;
        new.uid = to->uid_next++;
        new.changed = new.read_changed = m->step;
        g_array_append_val(to->messages, new);
    }
    g_array_unref(s.copied);
    if (is_move)
        remove_chosen(from, chosen);
}

static enum ec do_delete(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return message_delete(tx, s->fid, ids(s->mids), s->mids->len, s->mode, NULL);
}

static void step_delete(struct model *m) {
    struct model_folder *f = any_folder(m);
    g_autoptr(GArray) chosen = choose(m, f, 0, 0);
    g_autoptr(GArray) mids = mids_of(f, chosen);
    struct step s = {
        .m = m, .fid = f->fid, .mids = mids, .mode = pick(m, 2) ? DELETE_SOFT : DELETE_HARD};
    assert_ok(perform(&s, do_delete));
    for (guint i = chosen->len; i-- > 0;) {
        guint index = g_array_index(chosen, guint, i);
        struct model_message *msg = at(f, index);
        // What is deleted from Recoverable Items has been restorable already.
        if (s.mode == DELETE_SOFT && !(msg->flags & MSG_ASSOCIATED) &&
            f->fid != FID_RECOVERABLE_DELETIONS)
            msg->flags |= MSG_SOFT_DELETED;
        else
            g_array_remove_index(f->messages, index);
    }
}

static enum ec do_restore(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return message_restore(tx, s->fid, ids(s->mids), s->mids->len);
}

static void step_restore(struct model *m) {
    struct model_folder *f = any_folder(m);
    g_autoptr(GArray) chosen = choose(m, f, MSG_SOFT_DELETED, 0);
    g_autoptr(GArray) mids = mids_of(f, chosen);
    g_autoptr(GArray) restored = g_array_new(FALSE, FALSE, sizeof(struct model_message));
    struct step s = {.m = m, .fid = f->fid, .mids = mids};
    if (mids->len == 0)
        return;
    assert_ok(perform(&s, do_restore));
    for (guint i = 0; i < chosen->len; i++) {
        struct model_message msg = *at(f, g_array_index(chosen, guint, i));
        msg.flags &= ~(uint32_t)(MSG_SOFT_DELETED | MSG_DELETED);
        msg.uid = f->uid_next++;
        msg.mid = mid_of_uid(m, f->fid, msg.uid);
        msg.changed = msg.read_changed = m->step;
        g_array_append_val(restored, msg);
    }
    remove_chosen(f, chosen);
    g_array_append_vals(f->messages, restored->data, restored->len);
}

static enum ec do_save(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    struct message *message;
    char subject[64];
    model_subject(s->subject, subject, sizeof subject);
    struct prop_value v = prop_str(PidTagSubject, subject);
    struct prop_value importance = prop_long(PidTagImportance, model_importance(s->subject));
    EC_TRY(message_open(tx, s->new_id, &message));
    enum ec ec = message_set_prop(message, &v);
    if (ec == EC_OK)
        ec = message_set_prop(message, &importance);
    if (ec == EC_OK)
        ec = message_save(tx, message, 0);
    message_free(message);
    return ec;
}

static void step_save(struct model *m) {
    struct model_folder *f = any_folder(m);
    if (f->messages->len == 0)
        return;
    struct model_message *msg = at(f, pick(m, f->messages->len));
    if (msg->flags & MSG_SOFT_DELETED)
        return;
    struct step s = {.m = m, .new_id = msg->mid, .subject = m->next_subject++};
    assert_ok(perform(&s, do_save));
    msg->subject = s.subject;
    msg->changed = m->step;
}

// A change that fails after it did much: nothing of it may stay.
static enum ec do_fail(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    EC_TRY(do_create(tx, s));
    EC_TRY(do_delete(tx, s));
    EC_TRY(folder_create(tx, FID_INBOX, "never seen", FOLDER_TYPE_GENERIC, NULL, &s->new_id));
    return EC_OBJECT_MODIFIED;
}

static void step_fail(struct model *m) {
    struct model_folder *f = any_folder(m);
    g_autoptr(GArray) chosen = choose(m, f, 0, 0);
    g_autoptr(GArray) mids = mids_of(f, chosen);
    struct step s = {.m = m, .fid = f->fid, .mids = mids, .mode = DELETE_HARD};
    assert_ec(perform(&s, do_fail), EC_OBJECT_MODIFIED);
}

// --- Folders ---

static struct model_folder *add_folder(struct model *m, uint64_t fid, uint64_t parent,
                                       const char *name) {
    struct model_folder *f = g_new0(struct model_folder, 1);
    const struct model_folder *above = model_folder(m, parent);
    *f = (struct model_folder){.fid = fid, .parent = parent, .uid_next = 1};
    g_strlcpy(f->name, name, sizeof f->name);
    f->messages = g_array_new(FALSE, FALSE, sizeof(struct model_message));
    memcpy(f->rights, above->rights, sizeof f->rights);
    g_ptr_array_add(m->folders, f);
    return f;
}

static struct model_folder *child_named(struct model *m, uint64_t parent, const char *name) {
    for (guint i = 0; i < m->folders->len; i++) {
        struct model_folder *f = m->folders->pdata[i];
        if (f->parent == parent && g_ascii_strcasecmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

static enum ec do_create_folder(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return folder_create(tx, s->fid, s->name, s->type, NULL, &s->new_id);
}

static void random_name(struct model *m, char *buf, size_t size) {
    g_snprintf(buf, size, "%s%u", pick(m, 2) ? "folder" : "Folder", pick(m, 60));
}

static void step_create_folder(struct model *m) {
    struct model_folder *parent = any_folder(m);
    char name[40];
    random_name(m, name, sizeof name);
    if (m->folders->len >= FOLDERS_MAX || parent->fid == FID_RECOVERABLE_DELETIONS)
        return;
    struct step s = {.m = m, .fid = parent->fid, .name = name, .type = FOLDER_TYPE_GENERIC};
    bool is_taken = child_named(m, parent->fid, name) != NULL;
    assert_ec(perform(&s, do_create_folder), is_taken ? EC_COLLISION : EC_OK);
    if (!is_taken)
        add_folder(m, s.new_id, parent->fid, name);
}

static enum ec do_move_folder(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return folder_move(tx, s->fid, s->other, s->name);
}

static void step_move_folder(struct model *m) {
    struct model_folder *f = any_folder(m), *to = any_folder(m);
    char name[40];
    random_name(m, name, sizeof name);
    if (f->is_special || to->fid == FID_RECOVERABLE_DELETIONS)
        return;
    struct step s = {.m = m, .fid = f->fid, .other = to->fid, .name = name};
    const struct model_folder *there = child_named(m, to->fid, name);
    enum ec expected = model_is_below(m, to->fid, f->fid) ? EC_FOLDER_CYCLE
                       : there && there != f              ? EC_COLLISION
                                                          : EC_OK;
    assert_ec(perform(&s, do_move_folder), expected);
    if (expected == EC_OK) {
        f->parent = to->fid;
        g_strlcpy(f->name, name, sizeof f->name);
    }
}

static enum ec do_delete_folder(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return folder_delete(tx, s->fid, s->flags);
}

static gint by_name(gconstpointer a, gconstpointer b) {
    const struct model_folder *x = *(struct model_folder *const *)a,
                              *y = *(struct model_folder *const *)b;
    return g_ascii_strcasecmp(x->name, y->name);
}

// The folders below in the store's order: level by level is not it; depth first, children by name.
static void list_below(struct model *m, uint64_t fid, GPtrArray *out) {
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    for (guint i = 0; i < m->folders->len; i++)
        if (((struct model_folder *)m->folders->pdata[i])->parent == fid)
            g_ptr_array_add(children, m->folders->pdata[i]);
    g_ptr_array_sort(children, by_name);
    for (guint i = 0; i < children->len; i++) {
        g_ptr_array_add(out, children->pdata[i]);
        list_below(m, ((struct model_folder *)children->pdata[i])->fid, out);
    }
}

// A deleted folder's messages, the soft-deleted ones too, are moved to Recoverable Items; in which
// order whole folders come is the store's own affair, so their new uids are looked up by what is in
// them.
static void take_to_deletions(struct model *m, struct model_folder *f, GArray *moved) {
    for (guint i = 0; i < f->messages->len; i++) {
        struct model_message msg = *at(f, i);
        msg.flags &= ~(uint32_t)MSG_SOFT_DELETED;
        g_array_append_val(moved, msg);
    }
}

static unsigned subject_number(struct model *m, uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    struct message *message;
    struct prop_value v;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(m->f->mbox, &tx));
    assert_ok(message_open(tx, mid, &message));
    assert_ok(message_get_prop(tx, message, arena, PidTagSubject, 0, &v));
    unsigned n = (unsigned)g_ascii_strtoull(v.str + 1, NULL, 10);
    message_free(message);
    return n;
}

static void learn_moved(struct model *m, GArray *moved) {
    struct model_folder *to = model_folder(m, FID_RECOVERABLE_DELETIONS);
    for (guint n = moved->len; n > 0; n--) {
        uint32_t uid = to->uid_next++;
        uint64_t mid = mid_of_uid(m, to->fid, uid);
        unsigned subject = subject_number(m, mid);
        guint found = moved->len;
        struct message_row row;
        {
            MBOX_TX_AUTO tx = NULL;
            assert_ok(mbox_read(m->f->mbox, &tx));
            assert_ok(message_get_row(tx, mid, NULL, &row));
        }
        for (guint i = 0; i < moved->len && found == moved->len; i++) {
            char text[64];
            const struct model_message *msg = &g_array_index(moved, struct model_message, i);
            if (msg->subject == subject &&
                msg->flags == (row.flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED)) &&
                g_strcmp0(row.keywords, model_keyword_text(msg->keywords, text, sizeof text)) == 0)
                found = i;
        }
        if (row.keywords)
            shared_text_unref(row.keywords);
        g_assert_cmpuint(found, <, moved->len);
        struct model_message new = g_array_index(moved, struct model_message, found);
        new.mid = mid;
        new.uid = uid;
        new.changed = new.read_changed = m->step;
        g_array_append_val(to->messages, new);
        g_array_remove_index(moved, found);
    }
}

static void drop_folder(struct model *m, struct model_folder *f) {
    for (guint i = m->marks->len; i-- > 0;)
        if (((struct model_mark *)m->marks->pdata[i])->fid == f->fid)
            g_ptr_array_remove_index(m->marks, i);
    g_ptr_array_remove(m->folders, f);
}

static unsigned n_normal(const struct model_folder *f) {
    unsigned n = 0;
    for (guint i = 0; i < f->messages->len; i++)
        n += !(at(f, i)->flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED));
    return n;
}

static void step_delete_folder(struct model *m) {
    static const unsigned flag_sets[] = {0, FOLDER_DELETE_MESSAGES, FOLDER_DELETE_FOLDERS,
                                         FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS,
                                         FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS |
                                             FOLDER_DELETE_HARD};
    struct model_folder *f = any_folder(m);
    g_autoptr(GPtrArray) below = g_ptr_array_new();
    g_autoptr(GArray) moved = g_array_new(FALSE, FALSE, sizeof(struct model_message));
    struct step s = {.m = m, .fid = f->fid, .flags = flag_sets[pick(m, G_N_ELEMENTS(flag_sets))]};
    if (pick(m, 3)) // often more is made than deleted
        return;
    list_below(m, f->fid, below);
    enum ec expected = f->is_special                                            ? EC_ACCESS_DENIED
                       : below->len > 0 && !(s.flags & FOLDER_DELETE_FOLDERS)   ? EC_HAS_FOLDERS
                       : n_normal(f) > 0 && !(s.flags & FOLDER_DELETE_MESSAGES) ? EC_HAS_MESSAGES
                                                                                : EC_OK;
    assert_ec(perform(&s, do_delete_folder), expected);
    if (expected != EC_OK)
        return;
    bool is_soft = !(s.flags & FOLDER_DELETE_HARD);
    for (guint i = below->len; i-- > 0;) {
        if (is_soft)
            take_to_deletions(m, below->pdata[i], moved);
        drop_folder(m, below->pdata[i]);
    }
    if (is_soft)
        take_to_deletions(m, f, moved);
    drop_folder(m, f);
    learn_moved(m, moved);
}

static enum ec do_copy_folder(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return folder_copy(tx, s->fid, s->other, s->name, s->is_deep, &s->new_id);
}

static void step_copy_folder(struct model *m) {
    struct model_folder *f = any_folder(m), *to = any_folder(m);
    char name[40];
    random_name(m, name, sizeof name);
    if (f->is_special || to->fid == FID_RECOVERABLE_DELETIONS || m->folders->len >= FOLDERS_MAX ||
        f->messages->len > 200)
        return;
    struct step s = {.m = m, .fid = f->fid, .other = to->fid, .name = name};
    bool is_taken = child_named(m, to->fid, name) != NULL;
    assert_ec(perform(&s, do_copy_folder), is_taken ? EC_COLLISION : EC_OK);
    if (is_taken)
        return;
    struct model_folder *copy = add_folder(m, s.new_id, to->fid, name);
    memcpy(copy->rights, f->rights, sizeof copy->rights); // as open as the original
    for (guint i = 0; i < f->messages->len; i++) {
        struct model_message msg = *at(f, i);
        if (msg.flags & MSG_SOFT_DELETED)
            continue;
        msg.uid = copy->uid_next++;
        msg.mid = mid_of_uid(m, copy->fid, msg.uid);
        msg.changed = msg.read_changed = m->step;
        // Normal ones and associated ones come in one order; which is which is compared later.
        g_array_append_val(copy->messages, msg);
    }
}

static enum ec do_rights(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    return folder_set_permission(tx, s->fid, s->name, s->flags, s->flags == 0);
}

static void step_rights(struct model *m) {
    struct model_folder *f = any_folder(m);
    unsigned member = pick(m, MODEL_MEMBERS);
    struct step s = {.m = m, .fid = f->fid, .name = model_member(member)};
    s.flags = pick(m, 3) && member ? 0x400u << pick(m, 2) | pick(m, 4) : 0x401;
    assert_ok(perform(&s, do_rights));
    f->rights[member] = s.flags;
}

static enum ec do_search(struct mbox_tx *tx, void *ctx) {
    struct step *s = ctx;
    ARENA_AUTO arena = arena_new();
    struct prop_value v = prop_str(PidTagSubject, model_word(s->subject));
    struct search_criteria criteria = {
        .restriction =
            restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagSubject, &v),
        .scope = &s->other,
        .n_scope = 1,
        .is_recursive = true};
    return search_folder_set(tx, s->fid, &criteria);
}

static void step_search(struct model *m) {
    struct model_folder *scope = any_folder(m), *f = NULL;
    unsigned n = 0;
    if (!m->with_search || pick(m, 20))
        return;
    for (guint i = 0; i < m->folders->len; i++) {
        struct model_folder *other = m->folders->pdata[i];
        n += other->is_search;
        if (other->is_search && pick(m, 2))
            f = other;
    }
    if (!f && n < 4) {
        char name[40];
        g_snprintf(name, sizeof name, "search%u", (unsigned)m->step);
        struct step s = {.m = m, .fid = FID_IPM_SUBTREE, .name = name, .type = FOLDER_TYPE_SEARCH};
        assert_ok(perform(&s, do_create_folder));
        f = add_folder(m, s.new_id, FID_IPM_SUBTREE, name);
        f->is_search = true;
    }
    if (!f)
        return;
    struct step s = {.m = m, .fid = f->fid, .other = scope->fid, .subject = pick(m, 8)};
    assert_ok(perform(&s, do_search));
    f->word = s.subject;
    f->scope = scope->fid;
}

void model_step(struct model *m) {
    static void (*const rare[])(struct model *) = {
        step_create_folder, step_move_folder, step_delete_folder, step_copy_folder,
        step_rights,        step_fail,        step_search};
    m->step++;
    unsigned what = pick(m, 100);
    bool is_full = total(m) > MESSAGES_MAX;
    if (what < 30 && !is_full)
        step_create(m);
    else if (what < 55)
        step_flags(m);
    else if (what < 63 && !is_full)
        step_transfer(m, false);
    else if (what < 72)
        step_transfer(m, true);
    else if (what < (is_full ? 95u : 80u))
        step_delete(m);
    else if (what < 85)
        step_restore(m);
    else if (what < 92)
        step_save(m);
    else
        rare[pick(m, G_N_ELEMENTS(rare))](m);
}
