// A use is kept as everybody's annotation "/specialuse" and shown as each user's private one, as
// [RFC 6154] 5.4 wants it.
#include "mailbox/metadata.h"

#include <string.h>

#include "mailbox/metadata_internal.h"
#include "store/annotation.h"

#define PRIVATE "/private"
#define SHARED "/shared"
#define USE_ENTRY ANNOTATION_USE
#define DEPTH_MAX 20

static const char *const uses[] = {"\\Archive", "\\Drafts", "\\Important",
                                   "\\Junk",    "\\Sent",   "\\Trash"};

static const char *find_use(const char *use, size_t len) {
    for (unsigned i = 0; i < G_N_ELEMENTS(uses); i++)
        if (strlen(uses[i]) == len && g_ascii_strncasecmp(uses[i], use, len) == 0)
            return uses[i];
    return NULL;
}

bool mailbox_is_special_use(const char *use) {
    return find_use(use, strlen(use)) != NULL;
}

// --- Names ---

// "/private/a/b" into whose it is and "/a/b". False: not the name of an entry.
static bool split_entry(const struct mailbox *m, struct arena *arena, const char *entry,
                        const char **member_out, const char **name_out) {
    bool is_private = g_str_has_prefix(entry, PRIVATE "/");
    if (!is_private && !g_str_has_prefix(entry, SHARED "/"))
        return false;
    size_t len = strlen(entry);
    unsigned depth = 0;
    if (len > METADATA_ENTRY_MAX || entry[len - 1] == '/')
        return false;
    for (const char *c = entry; *c; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("*%\"\\", *c))
            return false;
        if (*c == '/' && (c[1] == '/' || ++depth > DEPTH_MAX))
            return false;
    }
    char text[GUID_STRING_SIZE] = "";
    if (is_private)
        guid_format(&m->who->guid, text);
    *member_out = arena_strdup(arena, text);
    char *name = arena_strdup(arena, entry + (is_private ? strlen(PRIVATE) : strlen(SHARED)));
    for (char *c = name; *c; c++)
        *c = g_ascii_tolower(*c);
    *name_out = name;
    return true;
}

static bool is_use_entry(const char *entry) {
    return g_ascii_strcasecmp(entry, METADATA_SPECIAL_USE) == 0;
}

// --- Reading ---

static int by_entry(const void *a, const void *b) {
    const struct mailbox_metadata *x = a, *y = b;
    return strcmp(x->entry, y->entry);
}

static enum ec require_visible(struct mailbox *m, struct mbox_tx *tx, uint64_t fid) {
    if (fid == 0)
        return m->is_owner ? EC_OK : EC_ACCESS_DENIED;
    return rights_require(m, tx, fid, RIGHTS_VISIBLE);
}

enum ec mailbox_get_metadata(struct mailbox *m, struct arena *arena, uint64_t fid,
                             struct mailbox_metadata_list *out) {
    char member[GUID_STRING_SIZE];
    struct annotation_list list;
    MBOX_TX_AUTO tx = NULL;
    guid_format(&m->who->guid, member);
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(require_visible(m, tx, fid));
    EC_TRY(annotations_get(tx, arena, fid, member, &list));
    const struct special_folder_info *special = special_folder(fid);
    bool has_use = special && *special->special_use && fid != FID_INBOX;
    out->items = arena_alloc0(arena, (list.n + 1) * sizeof *out->items);
    out->n = 0;
    for (unsigned i = 0; i < list.n; i++) {
        const struct annotation *a = &list.items[i];
        bool is_use = !*a->member && strcmp(a->entry, USE_ENTRY) == 0;
        if (is_use && has_use)
            continue;
        bool is_private = *a->member || is_use;
        out->items[out->n++] = (struct mailbox_metadata){
            arena_printf(arena, "%s%s", is_private ? PRIVATE : SHARED, a->entry), a->value, a->len};
    }
    if (has_use)
        out->items[out->n++] = (struct mailbox_metadata){METADATA_SPECIAL_USE, special->special_use,
                                                         strlen(special->special_use)};
    qsort(out->items, out->n, sizeof *out->items, by_entry);
    return EC_OK;
}

enum ec metadata_mark_uses(struct mbox_tx *tx, struct arena *arena,
                           struct mailbox_folder_list *list) {
    struct annotation_list found;
    uint64_t *fids;
    EC_TRY(annotations_get_uses(tx, arena, &fids, &found));
    for (unsigned i = 0; i < found.n; i++) {
        const char *use = find_use(found.items[i].value, found.items[i].len);
        for (unsigned k = 0; use && k < list->n; k++)
            if (list->items[k].fid == fids[i] && !*list->items[k].special_use)
                list->items[k].special_use = use;
    }
    return EC_OK;
}

// --- Writing ---

enum ec metadata_set_use(struct mbox_tx *tx, uint64_t fid, const char *use) {
    const char *known = use ? find_use(use, strlen(use)) : NULL;
    struct annotation a = {"", USE_ENTRY, known, known ? strlen(known) : 0};
    return annotation_set(tx, fid, &a);
}

struct set_metadata {
    struct mailbox *m;
    struct arena *arena;
    uint64_t fid;
    const struct mailbox_metadata *items;
    unsigned n;
};

static enum ec set_use(struct set_metadata *s, struct mbox_tx *tx,
                       const struct mailbox_metadata *item) {
    const char *use = item->value ? find_use(item->value, item->len) : NULL;
    if (s->fid < FID_FIRST_FREE || (item->value && !use))
        return EC_INVALID_PARAMETER;
    EC_TRY(rights_require(s->m, tx, s->fid, RIGHTS_OWNER));
    return metadata_set_use(tx, s->fid, use);
}

static enum ec set_one(struct set_metadata *s, struct mbox_tx *tx,
                       const struct mailbox_metadata *item) {
    struct annotation a = {.value = item->value, .len = item->len};
    if (!split_entry(s->m, s->arena, item->entry, &a.member, &a.entry))
        return EC_INVALID_PARAMETER;
    if (item->len > METADATA_VALUE_MAX)
        return EC_MESSAGE_TOO_BIG;
    if (is_use_entry(item->entry))
        return set_use(s, tx, item);
    if (!*a.member)
        EC_TRY(s->fid == 0 ? EC_ACCESS_DENIED : rights_require(s->m, tx, s->fid, RIGHTS_OWNER));
    return annotation_set(tx, s->fid, &a);
}

static enum ec change_metadata(struct mbox_tx *tx, void *ctx) {
    struct set_metadata *s = ctx;
    char member[GUID_STRING_SIZE];
    struct annotation_list list;
    unsigned n_own = 0;
    EC_TRY(require_visible(s->m, tx, s->fid));
    for (unsigned i = 0; i < s->n; i++)
        EC_TRY(set_one(s, tx, &s->items[i]));
    guid_format(&s->m->who->guid, member);
    EC_TRY(annotations_get(tx, s->arena, s->fid, member, &list));
    for (unsigned i = 0; i < list.n; i++)
        n_own += *list.items[i].member != 0;
    bool has_room = n_own <= METADATA_ENTRIES_MAX && list.n - n_own <= METADATA_ENTRIES_MAX;
    return has_room ? EC_OK : EC_TOO_MANY_OBJECTS;
}

enum ec mailbox_set_metadata(struct mailbox *m, uint64_t fid, const struct mailbox_metadata *items,
                             unsigned n) {
    ARENA_AUTO arena = arena_new();
    struct set_metadata s = {m, arena, fid, items, n};
    return mbox_write(m->mbox, change_metadata, &s);
}
