// The model's own state.
#include "store/model.h"

static const char *const words[] = {"report", "lunch", "Straße", "budget",
                                    "ΑΘΗΝΑ",  "x",     "日本語", "travel"};

const char *model_word(unsigned n) {
    return words[n % G_N_ELEMENTS(words)];
}

void model_subject(unsigned subject, char *buf, size_t size) {
    g_snprintf(buf, size, "m%u %s", subject, model_word(subject * 7 / 3));
}

int32_t model_importance(unsigned subject) {
    return (int32_t)(subject % 3);
}

gint model_by_number(gconstpointer a, gconstpointer b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

bool model_is_found(const struct model_message *message, unsigned word) {
    return !(message->flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED)) &&
           model_word(message->subject * 7 / 3) == model_word(word);
}

const char *model_keyword_text(unsigned keywords, char *buf, size_t size) {
    char *end = buf;
    if (keywords == 0)
        return NULL;
    for (unsigned i = 0; i < MODEL_KEYWORDS; i++)
        if (keywords & 1u << i)
            end += g_snprintf(end, size - (size_t)(end - buf), "%sk%u", end > buf ? " " : "", i);
    return buf;
}

const char *model_member(unsigned i) {
    static const char *const members[MODEL_MEMBERS] = {
        "default", "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"};
    return members[i];
}

static void folder_free(gpointer data) {
    struct model_folder *folder = data;
    g_array_unref(folder->messages);
    g_free(folder);
}

static void mark_free(gpointer data) {
    struct model_mark *mark = data;
    g_hash_table_unref(mark->mids);
    g_free(mark);
}

static void add_special(struct model *m, struct mbox_tx *tx, uint64_t fid, uint64_t parent) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    struct folder_permissions permissions;
    struct model_folder *folder = g_new0(struct model_folder, 1);
    assert_ok(folder_get(tx, arena, fid, &info));
    *folder = (struct model_folder){
        .fid = fid, .parent = parent, .is_special = true, .uid_next = info.uid_next};
    g_strlcpy(folder->name, info.name, sizeof folder->name);
    folder->messages = g_array_new(FALSE, FALSE, sizeof(struct model_message));
    assert_ok(folder_get_permissions(tx, arena, fid, &permissions));
    for (unsigned i = 0; i < permissions.n; i++)
        for (unsigned k = 0; k < MODEL_MEMBERS; k++)
            if (strcmp(permissions.items[i].member, model_member(k)) == 0)
                folder->rights[k] = permissions.items[i].rights;
    g_ptr_array_add(m->folders, folder);
}

struct model *model_new(struct fixture *f, uint32_t seed, bool with_search) {
    struct model *m = g_new0(struct model, 1);
    m->f = f;
    m->rand = g_rand_new_with_seed(seed);
    m->with_search = with_search;
    m->folders = g_ptr_array_new_with_free_func(folder_free);
    m->marks = g_ptr_array_new_with_free_func(mark_free);
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    add_special(m, tx, FID_IPM_SUBTREE, FID_ROOT);
    add_special(m, tx, FID_INBOX, FID_IPM_SUBTREE);
    add_special(m, tx, FID_DRAFTS, FID_IPM_SUBTREE);
    add_special(m, tx, FID_RECOVERABLE_DELETIONS, FID_RECOVERABLE_ITEMS);
    return m;
}

void model_free(struct model *m) {
    g_rand_free(m->rand);
    g_ptr_array_unref(m->folders);
    g_ptr_array_unref(m->marks);
    g_free(m);
}

struct model_folder *model_folder(struct model *m, uint64_t fid) {
    for (guint i = 0; i < m->folders->len; i++) {
        struct model_folder *folder = m->folders->pdata[i];
        if (folder->fid == fid)
            return folder;
    }
    return NULL;
}

bool model_is_below(struct model *m, uint64_t fid, uint64_t root) {
    for (struct model_folder *f = model_folder(m, fid); f; f = model_folder(m, f->parent))
        if (f->fid == root)
            return true;
    return false;
}
