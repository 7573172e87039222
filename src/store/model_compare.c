// What the store tells against the model.
#include "store/background.h"
#include "store/change.h"
#include "store/model.h"
#include "store/recoverable.h"
#include "store/rows.h"
#include "store/search_folder.h"
#include "store/usage.h"

static const struct model_message *at(const struct model_folder *f, guint i) {
    return &g_array_index(f->messages, struct model_message, i);
}

static bool is_normal(const struct model_message *msg) {
    return !(msg->flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED));
}

// --- Counters and the folder object ---

static void compare_info(struct model *m, struct mbox_tx *tx, const struct model_folder *f) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    unsigned normal = 0, unread = 0, associated = 0, soft = 0;
    assert_ok(folder_get(tx, arena, f->fid, &info));
    for (guint i = 0; i < f->messages->len; i++) {
        const struct model_message *msg = at(f, i);
        soft += (msg->flags & MSG_SOFT_DELETED) != 0;
        associated += (msg->flags & (MSG_SOFT_DELETED | MSG_ASSOCIATED)) == MSG_ASSOCIATED;
        normal += is_normal(msg);
        unread += is_normal(msg) && !(msg->flags & MSG_READ);
    }
    g_assert_cmpstr(info.name, ==, f->name);
    g_assert_cmpuint(info.parent, ==, f->parent);
    g_assert_cmpuint(info.n_messages, ==, normal);
    g_assert_cmpuint(info.n_unread, ==, unread);
    g_assert_cmpuint(info.n_associated, ==, associated);
    g_assert_cmpuint(info.n_soft_deleted, ==, soft);
    g_assert_cmpuint(info.uid_next, ==, f->uid_next);
    g_assert_true(info.size == 0 || normal + associated > 0);
}

static void compare_rights(struct mbox_tx *tx, const struct model_folder *f) {
    ARENA_AUTO arena = arena_new();
    struct folder_permissions permissions;
    assert_ok(folder_get_permissions(tx, arena, f->fid, &permissions));
    for (unsigned k = 0; k < MODEL_MEMBERS; k++) {
        uint32_t rights = 0;
        for (unsigned i = 0; i < permissions.n; i++)
            if (strcmp(permissions.items[i].member, model_member(k)) == 0)
                rights = permissions.items[i].rights;
        g_assert_cmphex(rights, ==, f->rights[k]);
    }
}

// --- Contents ---

static void compare_row(const struct message_row *row, const struct model_message *msg) {
    char text[64];
    g_assert_cmpuint(row->uid, ==, msg->uid);
    g_assert_cmpuint(row->mid, ==, msg->mid);
    g_assert_cmphex(row->flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED | MSG_SOFT_DELETED), ==,
                    msg->flags);
    g_assert_cmpstr(row->keywords, ==, model_keyword_text(msg->keywords, text, sizeof text));
}

static void compare_rows(struct model *m, const struct model_folder *f) {
    struct folder_rows *rows;
    uint32_t n = 0, unread = 0;
    assert_ok(folder_rows_get(m->f->mbox, f->fid, &rows));
    for (guint i = 0; i < f->messages->len; i++) {
        if (!is_normal(at(f, i)))
            continue;
        g_assert_cmpuint(n, <, folder_rows_count(rows));
        compare_row(folder_rows_at(rows, n), at(f, i));
        unread += !(at(f, i)->flags & MSG_READ);
        n++;
    }
    g_assert_cmpuint(folder_rows_count(rows), ==, n);
    g_assert_cmpuint(folder_rows_unread(rows), ==, unread);
    folder_rows_unref(rows);
}

// Each message by its id, with its subject; a sample of a large folder.
static void compare_messages(struct model *m, struct mbox_tx *tx, const struct model_folder *f) {
    unsigned every = f->messages->len / 20 + 1;
    for (guint i = (guint)(m->step % every); i < f->messages->len; i += every) {
        ARENA_AUTO arena = arena_new();
        const struct model_message *msg = at(f, i);
        struct message *message;
        struct message_row row;
        struct prop_value v;
        uint64_t fid;
        char subject[64];
        assert_ok(message_get_row(tx, msg->mid, &fid, &row));
        compare_row(&row, msg);
        g_assert_cmpuint(fid, ==, f->fid);
        if (row.keywords)
            shared_text_unref(row.keywords);
        assert_ok(message_open(tx, msg->mid, &message));
        assert_ok(message_get_prop(tx, message, arena, PidTagSubject, 0, &v));
        model_subject(msg->subject, subject, sizeof subject);
        g_assert_cmpstr(v.str, ==, subject);
        message_free(message);
    }
}

// --- Changes ---

// From the messages at the mark, the changes since lead to those there are; a message unchanged
// since is not among them, a changed one is, as what it is.
static void compare_changes(struct mbox_tx *tx, const struct model_folder *f,
                            const struct model_mark *mark) {
    ARENA_AUTO arena = arena_new();
    struct change_list changes;
    g_autoptr(GHashTable) told = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GHashTable) gone = g_hash_table_new(g_int64_hash, g_int64_equal);
    assert_ok(changes_of_folder(tx, arena, f->fid, mark->since, 0, &changes));
    for (unsigned i = 0; i < changes.n; i++) {
        struct change *c = &changes.items[i];
        g_assert_cmpuint(c->cn, >, mark->since);
        if (i > 0)
            g_assert_cmpuint(c->cn, >=, changes.items[i - 1].cn);
        if (c->is_associated)
            continue;
        g_hash_table_insert(c->kind == CHANGE_DELETED ? gone : told, &c->id, c);
    }
    g_autoptr(GHashTable) now = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < f->messages->len; i++) {
        const struct model_message *msg = at(f, i);
        if (!is_normal(msg))
            continue;
        g_hash_table_add(now, (gpointer)&msg->mid);
        const struct change *c = g_hash_table_lookup(told, &msg->mid);
        bool was_there = g_hash_table_contains(mark->mids, &msg->mid);
        if (!was_there || msg->changed > mark->step) {
            g_assert_nonnull(c);
            g_assert_cmpint(c->kind, ==, CHANGE_MESSAGE);
        } else if (msg->read_changed > mark->step) {
            g_assert_nonnull(c);
            g_assert_cmpint(c->kind, ==, CHANGE_READ_STATE);
        } else {
            g_assert_null(c);
        }
        g_assert_false(g_hash_table_contains(gone, &msg->mid));
    }
    GHashTableIter it;
    gpointer key;
    g_hash_table_iter_init(&it, mark->mids);
    while (g_hash_table_iter_next(&it, &key, NULL))
        g_assert_true(g_hash_table_contains(now, key) || g_hash_table_contains(gone, key));
    g_hash_table_iter_init(&it, told);
    while (g_hash_table_iter_next(&it, &key, NULL))
        g_assert_true(g_hash_table_contains(now, key));
}

static void add_mark(struct model *m, struct mbox_tx *tx, const struct model_folder *f) {
    ARENA_AUTO arena = arena_new();
    struct mbox_info info;
    struct model_mark *mark = g_new0(struct model_mark, 1);
    assert_ok(mbox_get_info(tx, arena, &info));
    *mark = (struct model_mark){.fid = f->fid, .since = info.last_change, .step = m->step};
    mark->mids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < f->messages->len; i++)
        if (is_normal(at(f, i)))
            g_hash_table_add(mark->mids, g_memdup2(&at(f, i)->mid, sizeof(uint64_t)));
    g_ptr_array_add(m->marks, mark);
    if (m->marks->len > 20)
        g_ptr_array_remove_index(m->marks, m->step % 20);
}

void model_compare_folder(struct model *m, const struct model_folder *f) {
    MBOX_TX_AUTO tx = NULL;
    compare_rows(m, f);
    model_compare_views(m, f);
    assert_ok(mbox_read(m->f->mbox, &tx));
    compare_info(m, tx, f);
    compare_rights(tx, f);
    compare_messages(m, tx, f);
    for (guint i = 0; i < m->marks->len; i++) {
        const struct model_mark *mark = m->marks->pdata[i];
        if (mark->fid == f->fid)
            compare_changes(tx, f, mark);
    }
    add_mark(m, tx, f);
}

// --- Search folders ---

static void compare_search(struct model *m, const struct model_folder *s) {
    g_autoptr(GArray) expected = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) found = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    unsigned unread = 0;
    for (guint i = 0; i < m->folders->len; i++) {
        const struct model_folder *f = m->folders->pdata[i];
        if (f->is_search || !model_is_below(m, f->fid, s->scope))
            continue;
        for (guint k = 0; k < f->messages->len; k++) {
            if (!model_is_found(at(f, k), s->word))
                continue;
            g_array_append_val(expected, at(f, k)->mid);
            unread += !(at(f, k)->flags & MSG_READ);
        }
    }
    g_array_sort(expected, model_by_number);
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(m->f->mbox, &tx));
    assert_ok(search_folder_list(tx, s->fid, &found));
    assert_ok(folder_get(tx, arena, s->fid, &info));
    g_assert_cmpuint(info.n_messages, ==, expected->len);
    g_assert_cmpuint(info.n_unread, ==, unread);
    g_assert_cmpmem(found->data, found->len * sizeof(uint64_t), expected->data,
                    expected->len * sizeof(uint64_t));
    model_compare_found(m, s, expected);
}

// --- All ---

static void compare_tree(struct model *m) {
    ARENA_AUTO arena = arena_new();
    struct folder_list list;
    unsigned n = 0;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(m->f->mbox, &tx));
    assert_ok(folder_list(tx, arena, FID_IPM_SUBTREE, true, &list));
    for (unsigned i = 0; i < list.n; i++) {
        if (list.items[i].fid < FID_FIRST_FREE)
            continue;
        const struct model_folder *f = model_folder(m, list.items[i].fid);
        g_assert_nonnull(f);
        g_assert_cmpuint(f->parent, ==, list.items[i].parent);
        n++;
    }
    for (guint i = 0; i < m->folders->len; i++)
        n -= !((struct model_folder *)m->folders->pdata[i])->is_special;
    g_assert_cmpuint(n, ==, 0);
}

// What quotas read is what the folders hold.
static void compare_usage(struct model *m) {
    ARENA_AUTO arena = arena_new();
    struct folder_list all;
    struct mbox_usage usage;
    uint64_t size = 0, n = 0, n_soft = 0;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(m->f->mbox, &tx));
    assert_ok(folder_list(tx, arena, FID_ROOT, true, &all));
    mbox_get_usage(tx, &usage);
    for (unsigned i = 0; i < all.n; i++) {
        const struct folder_info *f = &all.items[i];
        if (f->type == FOLDER_TYPE_SEARCH)
            continue;
        n_soft += f->n_soft_deleted;
        if (folder_is_recoverable(f->fid)) {
            n_soft += f->n_messages + f->n_associated;
        } else {
            size += f->size;
            n += f->n_messages + f->n_associated;
        }
    }
    g_assert_cmpuint(usage.size, ==, size);
    g_assert_cmpuint(usage.n_messages, ==, n);
    g_assert_cmpuint(usage.n_recoverable, ==, n_soft);
}

void model_compare(struct model *m) {
    compare_usage(m);
    compare_tree(m);
    background_drain(m->f->store);
    for (guint i = 0; i < m->folders->len; i++) {
        const struct model_folder *f = m->folders->pdata[i];
        if (!f->is_search)
            model_compare_folder(m, f);
        else if (f->scope && model_folder(m, f->scope))
            compare_search(m, f);
    }
}

// --- The digest ---

static void digest_folder(struct fixture *f, struct mbox_tx *tx, const struct folder_info *info,
                          GString *out) {
    struct folder_rows *rows;
    ARENA_AUTO arena = arena_new();
    struct folder_permissions permissions;
    g_string_append_printf(out, "%s %u %u %u %u %u\n", info->name, info->n_messages, info->n_unread,
                           info->n_associated, info->n_soft_deleted, info->uid_next);
    assert_ok(folder_rows_get(f->mbox, info->fid, &rows));
    for (uint32_t i = 0; i < folder_rows_count(rows); i++) {
        const struct message_row *row = folder_rows_at(rows, i);
        struct message *message;
        struct prop_value v;
        assert_ok(message_open(tx, row->mid, &message));
        assert_ok(message_get_prop(tx, message, arena, PidTagSubject, 0, &v));
        g_string_append_printf(out, " %u %x %s %s\n", row->uid, row->flags,
                               row->keywords ? row->keywords : "-", v.str);
        message_free(message);
    }
    folder_rows_unref(rows);
    assert_ok(folder_get_permissions(tx, arena, info->fid, &permissions));
    for (unsigned i = 0; i < permissions.n; i++)
        g_string_append_printf(out, " %s=%x\n", permissions.items[i].member,
                               permissions.items[i].rights);
}

char *model_digest(struct fixture *f) {
    ARENA_AUTO arena = arena_new();
    struct folder_list list;
    GString *out = g_string_new(NULL);
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_list(tx, arena, FID_ROOT, true, &list));
    for (unsigned i = 0; i < list.n; i++)
        digest_folder(f, tx, &list.items[i], out);
    return g_string_free(out, FALSE);
}
