// Everything a user can open by one path: their own mailbox, "Other Users/ADDRESS/..." for the
// mailboxes they were given rights in, "Public Folders/...". Others' mailboxes are opened when they
// are first named and kept open with the set; rights are asked each time all the same.
#include <string.h>

#include "directory/setting.h"
#include "mailbox/public_read.h"

#define SHARED_OPEN_MAX 500 // mailboxes a set keeps open

struct mailbox_set {
    struct mailbox_service *service;
    struct principal *who;
    struct mailbox *own;    // or the one that the login name named
    struct mailbox *public; // NULL until it is named
    GHashTable *others;     // address -> struct mailbox; NULL: none was opened yet
};

static void close_mailbox(gpointer m) {
    mailbox_close(m);
}

enum ec mailbox_set_new(struct mailbox_service *s, struct principal *who,
                        struct mailbox_set **out) {
    struct mailbox *own;
    EC_TRY(mailbox_open_login(s, who, &own));
    struct mailbox_set *set = g_new0(struct mailbox_set, 1);
    set->service = s;
    set->who = principal_ref(who);
    set->own = own;
    *out = set;
    return EC_OK;
}

void mailbox_set_free(struct mailbox_set *set) {
    if (!set)
        return;
    g_clear_pointer(&set->others, g_hash_table_unref);
    mailbox_close(set->public);
    mailbox_close(set->own);
    principal_unref(set->who);
    g_free(set);
}

struct mailbox *mailbox_set_own(struct mailbox_set *set) {
    return set->own;
}

// --- One path ---

// What follows "root/" in the path; "" for the root itself; NULL: it is elsewhere.
static const char *below(const char *path, const char *root) {
    size_t len = strlen(root);
    if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
        return NULL;
    return path[len] ? path + len + 1 : path + len;
}

static enum ec open_other(struct mailbox_set *set, const char *name, struct mailbox **out) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    if (!set->service->directory)
        return EC_NOT_FOUND;
    EC_TRY(directory_find_address(set->service->directory, arena, name, &object));
    if (!set->others)
        set->others = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_mailbox);
    struct mailbox *m = g_hash_table_lookup(set->others, object->address);
    if (!m) {
        if (!object->has_mailbox)
            return EC_NOT_FOUND;
        if (g_hash_table_size(set->others) >= SHARED_OPEN_MAX)
            return EC_TOO_MANY_OBJECTS;
        enum ec ec = mailbox_open(set->service, set->who, &object->guid, &m);
        if (ec != EC_OK) // that there is such a mailbox is not told
            return ec == EC_ACCESS_DENIED ? EC_NOT_FOUND : ec;
        g_hash_table_insert(set->others, g_strdup(object->address), m);
    }
    *out = m;
    return EC_OK;
}

static enum ec open_public(struct mailbox_set *set, struct mailbox **out) {
    if (!set->public) {
        enum ec ec = mailbox_open_public(set->service, set->who, &set->public);
        if (ec != EC_OK)
            return ec == EC_ACCESS_DENIED ? EC_NOT_FOUND : ec;
    }
    *out = set->public;
    return EC_OK;
}

enum ec mailbox_set_locate(struct mailbox_set *set, const char *path, struct mailbox **out,
                           const char **rest_out) {
    const char *rest = below(path, MAILBOX_PUBLIC_FOLDERS);
    if (rest) {
        *rest_out = rest;
        return open_public(set, out);
    }
    rest = below(path, MAILBOX_OTHER_USERS);
    if (!rest) {
        *out = set->own;
        *rest_out = path;
        return EC_OK;
    }
    g_autofree char *name = g_strndup(rest, strcspn(rest, "/"));
    EC_TRY(*name ? open_other(set, name, out) : EC_NOT_FOUND);
    rest += strlen(name);
    *rest_out = *rest ? rest + 1 : rest;
    return EC_OK;
}

enum ec mailbox_set_find(struct mailbox_set *set, struct arena *arena, const char *path,
                         struct mailbox **m_out, struct mailbox_folder *out) {
    const char *rest;
    EC_TRY(mailbox_set_locate(set, path, m_out, &rest));
    EC_TRY(mailbox_find_folder(*m_out, arena, rest, out));
    if (*m_out != set->own) {
        out->path = arena_printf(arena, "%.*s%s", (int)(rest - path), path, out->path);
        out->special_use = "";
    }
    return EC_OK;
}

// --- All of it ---

struct listing {
    struct mailbox_set *set;
    struct arena *arena;
    GArray *items;          // struct mailbox_folder
    GHashTable *subscribed; // paths
    bool has_subscribed;
};

// A name that holds folders and is none.
static void add_node(struct listing *l, const char *path) {
    struct mailbox_folder f = {
        .path = path, .special_use = "", .container_class = "", .has_children = true};
    g_array_append_val(l->items, f);
}

// The user's subscriptions, read when a folder that may be among them is met.
static enum ec read_subscribed(struct listing *l) {
    g_auto(GStrv) names = NULL;
    if (l->has_subscribed)
        return EC_OK;
    EC_TRY(mailbox_subscriptions(l->set->own, &names));
    for (char **n = names; *n; n++)
        g_hash_table_add(l->subscribed, arena_strdup(l->arena, *n));
    l->has_subscribed = true;
    return EC_OK;
}

static enum ec add_folders(struct listing *l, struct mailbox *m, const char *root) {
    struct mailbox_folder_list list;
    EC_TRY(mailbox_list_folders(m, l->arena, &list));
    EC_TRY(read_subscribed(l));
    for (unsigned i = 0; i < list.n; i++) {
        struct mailbox_folder f = list.items[i];
        f.path = arena_printf(l->arena, "%s/%s", root, f.path);
        f.special_use = ""; // of somebody else
        f.is_subscribed = g_hash_table_contains(l->subscribed, f.path);
        g_array_append_val(l->items, f);
    }
    return EC_OK;
}

static enum ec add_other(struct listing *l, const struct directory_object *object,
                         unsigned levels) {
    GHashTable *others = l->set->others;
    struct mailbox *m = others ? g_hash_table_lookup(others, object->address) : NULL;
    bool is_kept = m != NULL;
    if (!m && mailbox_open(l->set->service, l->set->who, &object->guid, &m) != EC_OK)
        return EC_OK; // the hint was too much, or it is gone
    const char *root = arena_printf(l->arena, "%s/%s", MAILBOX_OTHER_USERS, object->address);
    add_node(l, root);
    enum ec ec = levels > 2 ? add_folders(l, m, root) : EC_OK;
    if (!is_kept)
        mailbox_close(m);
    return ec;
}

static enum ec add_others(struct listing *l, unsigned levels) {
    struct directory_list shared;
    if (!l->set->service->directory)
        return EC_OK;
    EC_TRY(
        directory_shared_with(l->set->service->directory, l->arena, &l->set->who->guid, &shared));
    if (shared.n == 0)
        return EC_OK;
    add_node(l, MAILBOX_OTHER_USERS);
    guint first = l->items->len;
    for (unsigned i = 0; i < shared.n && levels > 1; i++)
        EC_TRY(add_other(l, shared.items[i], levels));
    if (levels > 1 && l->items->len == first)
        g_array_set_size(l->items, first - 1);
    return EC_OK;
}

static enum ec add_public(struct listing *l, unsigned levels) {
    struct mailbox *m;
    if (open_public(l->set, &m) != EC_OK)
        return EC_OK;
    add_node(l, MAILBOX_PUBLIC_FOLDERS);
    return levels > 1 ? add_folders(l, m, MAILBOX_PUBLIC_FOLDERS) : EC_OK;
}

// --- What mail clients are shown of it ---

static bool shows_mail_only(const struct mailbox_set *set, struct arena *arena) {
    struct directory *d = set->service->directory;
    const char *own;
    if (d && directory_setting(d, arena, &set->who->guid, SETTING_IMAP_FOLDERS, &own) == EC_OK)
        return strcmp(own, "mail") == 0;
    return mailbox_options_of(set->service).mail_folders_only;
}

static bool is_mail(const struct mailbox_folder *f) {
    const char *class = f->container_class;
    return f->fid == 0 || !*class ||
           (g_ascii_strncasecmp(class, "IPF.Note", 8) == 0 && (class[8] == 0 || class[8] == '.'));
}

// Takes calendars, contacts and the like out of the list.
static void keep_mail(struct mailbox_folder_list *list) {
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
    unsigned n = 0;
    for (unsigned i = 0; i < list->n; i++) {
        struct mailbox_folder f = list->items[i];
        if (!is_mail(&f))
            continue;
        f.has_children = f.fid == 0;
        const char *slash = strrchr(f.path, '/');
        g_autofree char *parent = slash ? g_strndup(f.path, (gsize)(slash - f.path)) : NULL;
        struct mailbox_folder *above = parent ? g_hash_table_lookup(kept, parent) : NULL;
        if (above)
            above->has_children = true;
        list->items[n] = f;
        g_hash_table_insert(kept, (gpointer)f.path, &list->items[n++]);
    }
    list->n = n;
}

static enum ec list_all(struct mailbox_set *set, struct arena *arena, unsigned levels,
                        struct mailbox_folder_list *out) {
    EC_TRY(mailbox_list_folders(set->own, arena, out));
    if (levels == 0 || set->own->is_login) // a delegate came for this mailbox
        return EC_OK;
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct mailbox_folder));
    g_autoptr(GHashTable) subscribed = g_hash_table_new(g_str_hash, g_str_equal);
    struct listing l = {.set = set, .arena = arena, .items = items, .subscribed = subscribed};
    for (unsigned i = 0; i < out->n; i++) // a folder of one's own with such a name is out of reach
        if (!below(out->items[i].path, MAILBOX_OTHER_USERS) &&
            !below(out->items[i].path, MAILBOX_PUBLIC_FOLDERS))
            g_array_append_val(items, out->items[i]);
    EC_TRY(add_others(&l, levels));
    EC_TRY(add_public(&l, levels));
    out->n = items->len;
    out->items = arena_memdup(arena, items->data, items->len * sizeof(struct mailbox_folder));
    return EC_OK;
}

enum ec mailbox_set_list(struct mailbox_set *set, struct arena *arena, unsigned levels,
                         struct mailbox_folder_list *out) {
    EC_TRY(list_all(set, arena, levels, out));
    if (shows_mail_only(set, arena))
        keep_mail(out);
    return EC_OK;
}
