// IMAP subscriptions: a flag of the folder where there is one; names of folders that do not exist
// are remembered in a property of the store object ([RFC 3501] 6.3.6: a server must not drop them).
#include <string.h>

#include "mailbox/mailbox_internal.h"

// A tag of our own among those the store may define for itself; never shown to MAPI clients.
#define PR_SUBSCRIBED_NAMES PROP_TAG(0x67F0, PT_MV_UNICODE)
#define REMEMBERED_MAX 1000

static enum ec remembered(struct mbox_tx *tx, GPtrArray **out) {
    BAG_AUTO bag = NULL;
    EC_TRY(mbox_get_props(tx, &bag));
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const struct prop_value *v = bag_get(bag, PR_SUBSCRIBED_NAMES);
    for (uint32_t i = 0; v && i < v->mv.n; i++)
        g_ptr_array_add(names, g_strdup(v->mv.str[i]));
    *out = names;
    return EC_OK;
}

static enum ec remember(struct mbox_tx *tx, GPtrArray *names) {
    proptag_t tag = PR_SUBSCRIBED_NAMES;
    if (names->len == 0)
        return mbox_set_props(tx, NULL, &tag, 1);
    BAG_AUTO bag = bag_new();
    struct prop_value v = {.tag = tag};
    v.mv.n = names->len;
    v.mv.str = (const char *const *)names->pdata;
    EC_TRY(bag_set(bag, &v));
    return mbox_set_props(tx, bag, NULL, 0);
}

static bool position(GPtrArray *names, const char *path, guint *index_out) {
    for (guint i = 0; i < names->len; i++)
        if (strcmp(names->pdata[i], path) == 0) {
            *index_out = i;
            return true;
        }
    return false;
}

static enum ec set_remembered(struct mbox_tx *tx, const char *path, bool subscribe) {
    g_autoptr(GPtrArray) names = NULL;
    guint i;
    EC_TRY(remembered(tx, &names));
    bool known = position(names, path, &i);
    if (known == subscribe)
        return EC_OK;
    if (!subscribe)
        g_ptr_array_remove_index(names, i);
    else if (names->len >= REMEMBERED_MAX)
        return EC_TOO_MANY_OBJECTS;
    else
        g_ptr_array_add(names, g_strdup(path));
    return remember(tx, names);
}

enum ec subscription_follow(struct mbox_tx *tx, const char *path, uint64_t fid, bool exists) {
    if (!exists) {
        ARENA_AUTO arena = arena_new();
        struct folder_info info;
        EC_TRY(folder_get(tx, arena, fid, &info));
        return info.is_subscribed ? set_remembered(tx, path, true) : EC_OK;
    }
    g_autoptr(GPtrArray) names = NULL;
    guint i;
    EC_TRY(remembered(tx, &names));
    if (!position(names, path, &i))
        return EC_OK;
    g_ptr_array_remove_index(names, i);
    EC_TRY(remember(tx, names));
    return folder_set_subscribed(tx, fid, true);
}

struct subscribe {
    struct mailbox *m;
    const char *path;
    bool on;
};

static enum ec change_subscribe(struct mbox_tx *tx, void *ctx) {
    struct subscribe *s = ctx;
    ARENA_AUTO arena = arena_new();
    uint64_t fid;
    enum ec ec = folder_of_path(s->m, tx, arena, s->path, &fid, NULL);
    if (ec == EC_NOT_FOUND)
        return set_remembered(tx, s->path, s->on);
    if (ec != EC_OK)
        return ec;
    return folder_set_subscribed(tx, fid, s->on);
}

enum ec mailbox_subscribe(struct mailbox *m, const char *path, bool subscribe) {
    // Subscriptions are the owner's; others have theirs in their own mailbox.
    if (!m->is_owner)
        return EC_ACCESS_DENIED;
    struct subscribe s = {.m = m, .path = path, .on = subscribe};
    return mbox_write(m->mbox, change_subscribe, &s);
}

enum ec mailbox_subscriptions(struct mailbox *m, char ***out) {
    if (!m->is_owner && !m->is_login)
        return EC_ACCESS_DENIED;
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder_list folders;
    g_autoptr(GPtrArray) names = NULL;
    EC_TRY(mailbox_list_folders(m, arena, &folders));
    if (m->is_login) {
        names = g_ptr_array_new_with_free_func(g_free); // remembered ones are the owner's
    } else {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(m->mbox, &tx));
        EC_TRY(remembered(tx, &names));
    }
    for (unsigned i = 0; i < folders.n; i++)
        if (folders.items[i].is_subscribed)
            g_ptr_array_add(names, g_strdup(folders.items[i].path));
    g_ptr_array_add(names, NULL);
    g_ptr_array_set_free_func(names, NULL);
    *out = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return EC_OK;
}
