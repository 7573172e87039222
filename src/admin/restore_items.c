// `bourse restore` of folders and messages: each message read from the copy and created anew.
//
// A message is known to be there still by the time it came and its size: as often as the folder has
// such a one, it is passed over. So a restore that is given again adds only what is missing. Whole
// folders bring their associated messages too, unless one of the same class and subject is there:
// those hold settings, of which there is one. Hidden folders come with the one they are in.
#include "admin/restore_items.h"

#include <string.h>

#include "admin/mailbox_access.h"
#include "mapi/props.h"
#include "store/folder.h"
#include "store/message_portable.h"
#include "store/view.h"

#define AT_ONCE 16 // messages in one transaction

struct items_run {
    struct command_call *call;
    struct mailbox *from, *to;
    uint64_t n_restored, n_present, n_failed;
};

struct batch {
    uint64_t fid;
    struct message_portable messages[AT_ONCE];
    unsigned n;
};

static enum ec create_batch(struct mbox_tx *tx, void *ctx) {
    struct batch *b = ctx;
    for (unsigned i = 0; i < b->n; i++) {
        uint64_t mid;
        EC_TRY(message_put(tx, b->fid, &b->messages[i], NULL, &mid));
    }
    return EC_OK;
}

static enum ec flush(struct items_run *run, struct batch *b) {
    enum ec ec = b->n ? mbox_write(mailbox_mbox(run->to), create_batch, b) : EC_OK;
    if (ec == EC_OK)
        run->n_restored += b->n;
    for (unsigned i = 0; i < b->n; i++)
        message_portable_clear(&b->messages[i]);
    b->n = 0;
    return ec;
}

static enum ec read_one(struct items_run *run, uint64_t mid, struct message_portable *out) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(mailbox_mbox(run->from), &tx));
    return message_take(tx, mid, out);
}

// --- What is there already ---

static char *key_of(const struct message_row *row) {
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, (guint64)row->received,
                           (guint64)row->size);
}

static enum ec count_present(struct items_run *run, uint64_t fid, GHashTable *present) {
    struct mailbox_view *view;
    EC_TRY(mailbox_view_open(run->to, fid, &view));
    for (uint32_t i = 0; i < mailbox_view_count(view); i++) {
        char *key = key_of(mailbox_view_row(view, i));
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(present, key));
        g_hash_table_replace(present, key, GUINT_TO_POINTER(n + 1));
    }
    mailbox_view_free(view);
    return EC_OK;
}

static bool is_present(GHashTable *present, const struct message_row *row) {
    char *key = key_of(row);
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(present, key));
    if (n)
        g_hash_table_replace(present, key, GUINT_TO_POINTER(n - 1));
    else
        g_free(key);
    return n > 0;
}

// --- Which messages ---

static bool parse_uids(const char *text, GArray *ranges) {
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (char **item = items; *item; item++) {
        guint64 uid;
        if (!g_ascii_string_to_unsigned(*item, 10, 1, UINT32_MAX, &uid, NULL))
            return false;
        struct search_range range = {(uint32_t)uid, (uint32_t)uid};
        g_array_append_val(ranges, range);
    }
    return ranges->len > 0;
}

static gint by_uid(gconstpointer a, gconstpointer b) {
    uint32_t x = ((const struct search_range *)a)->low, y = ((const struct search_range *)b)->low;
    return x < y ? -1 : x > y;
}

// Indexes into the view of what --message names: uids, or part of a subject.
static enum ec choose(struct items_run *run, const struct mailbox_view *view, GArray **out) {
    const char *text = call_option(run->call, "message");
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct search_range));
    struct search_node query = {.kind = SEARCH_ALL};
    if (text && parse_uids(text, ranges)) {
        g_array_sort(ranges, by_uid);
        query.kind = SEARCH_UIDS;
        query.ranges = (const struct search_range *)(void *)ranges->data;
        query.n_ranges = ranges->len;
    } else if (text) {
        query.kind = SEARCH_HEADER, query.name = "Subject", query.text = text;
    }
    return mailbox_search(run->from, view, &query, NULL, NULL, out);
}

// --- Folders ---

static enum ec restore_rows(struct items_run *run, const struct mailbox_view *view,
                            const GArray *chosen, uint64_t to_fid, const char *path) {
    g_autoptr(GHashTable) present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct batch batch = {.fid = to_fid};
    enum ec ec = count_present(run, to_fid, present);
    for (guint i = 0; i < chosen->len && ec == EC_OK; i++) {
        const struct message_row *row = mailbox_view_row(view, g_array_index(chosen, uint32_t, i));
        if (is_present(present, row)) {
            run->n_present++;
            continue;
        }
        enum ec read = read_one(run, row->mid, &batch.messages[batch.n]);
        if (read != EC_OK) {
            run->n_failed++;
            call_fail(run->call, read, "%s, message %u: cannot be read from the backup (%s)", path,
                      row->uid, ec_text(read));
            continue;
        }
        if (++batch.n == AT_ONCE)
            ec = flush(run, &batch);
        output_progress(run->call->out, "restoring %s: %u of %u", path, i + 1, chosen->len);
        if (output_is_broken(run->call->out))
            ec = EC_CANCEL;
    }
    enum ec last = flush(run, &batch);
    return ec != EC_OK ? ec : last;
}

// --- Associated messages ---

static char *settings_key(struct mbox_tx *tx, uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    struct message *m;
    struct prop_value class = {0}, subject = {0};
    if (message_open(tx, mid, &m) != EC_OK)
        return g_strdup("");
    message_get_prop(tx, m, arena, PidTagMessageClass, 0, &class);
    message_get_prop(tx, m, arena, PidTagSubject, 0, &subject);
    message_free(m);
    return g_strdup_printf("%s\n%s", class.str ? class.str : "", subject.str ? subject.str : "");
}

struct settings {
    GArray *mids;     // of uint64_t
    GPtrArray *keys;  // of each
    GHashTable *seen; // keys
};

static void settings_free(struct settings *s) {
    g_array_unref(s->mids);
    g_ptr_array_unref(s->keys);
    g_hash_table_unref(s->seen);
}

static enum ec list_settings(struct mbox *mbox, uint64_t fid, struct settings *out) {
    struct view_spec spec = {.fid = fid, .kind = VIEW_ASSOCIATED};
    struct view *v;
    *out = (struct settings){g_array_new(FALSE, FALSE, sizeof(uint64_t)),
                             g_ptr_array_new_with_free_func(g_free),
                             g_hash_table_new(g_str_hash, g_str_equal)};
    EC_TRY(view_get(mbox, &spec, &v));
    MBOX_TX_AUTO tx = NULL;
    enum ec ec = mbox_read(mbox, &tx);
    for (uint32_t i = 0; ec == EC_OK && i < view_count(v); i++) {
        uint64_t mid = view_at(v, i).mid;
        char *key = settings_key(tx, mid);
        g_array_append_val(out->mids, mid);
        g_ptr_array_add(out->keys, key);
        g_hash_table_add(out->seen, key);
    }
    view_unref(v);
    return ec;
}

static enum ec restore_listed(struct items_run *run, uint64_t fid, const struct settings *there,
                              const struct settings *here) {
    struct batch batch = {.fid = fid};
    enum ec ec = EC_OK;
    for (guint i = 0; i < there->mids->len && ec == EC_OK; i++) {
        if (g_hash_table_contains(here->seen, there->keys->pdata[i])) {
            run->n_present++;
            continue;
        }
        uint64_t mid = g_array_index(there->mids, uint64_t, i);
        if (read_one(run, mid, &batch.messages[batch.n]) != EC_OK)
            run->n_failed++;
        else if (++batch.n == AT_ONCE)
            ec = flush(run, &batch);
    }
    enum ec last = flush(run, &batch);
    return ec != EC_OK ? ec : last;
}

static enum ec restore_settings(struct items_run *run, uint64_t from_fid, uint64_t to_fid) {
    struct settings there, here;
    enum ec ec = list_settings(mailbox_mbox(run->from), from_fid, &there);
    if (ec == EC_OK) {
        ec = list_settings(mailbox_mbox(run->to), to_fid, &here);
        if (ec == EC_OK)
            ec = restore_listed(run, to_fid, &there, &here);
        settings_free(&here);
    }
    settings_free(&there);
    return ec;
}

struct dress {
    uint64_t fid;
    struct bag *props;
};

static enum ec change_dress(struct mbox_tx *tx, void *ctx) {
    const struct dress *d = ctx;
    return folder_set_props(tx, d->fid, d->props, NULL, 0);
}

// A folder that is made anew gets what it was: its class, hidden or not, its own properties (named
// ones have other ids here).
static enum ec dress_folder(struct items_run *run, uint64_t from_fid, uint64_t fid) {
    BAG_AUTO stored = NULL;
    BAG_AUTO props = bag_new();
    struct folder_info info;
    struct mbox_tx *tx;
    EC_TRY(mbox_read(mailbox_mbox(run->from), &tx));
    enum ec ec = folder_get(tx, run->call->arena, from_fid, &info);
    if (ec == EC_OK)
        ec = folder_get_stored_props(tx, from_fid, &stored);
    mbox_read_end(tx);
    EC_TRY(ec);
    for (unsigned i = 0; i < bag_count(stored); i++)
        if (!PROP_IS_NAMED(bag_at(stored, i)->tag))
            EC_TRY(bag_set(props, bag_at(stored, i)));
    bag_set_str(props, PidTagContainerClass, info.container_class);
    bag_set_bool(props, PidTagAttributeHidden, info.is_hidden);
    struct dress d = {fid, props};
    return mbox_write(mailbox_mbox(run->to), change_dress, &d);
}

static enum ec target_folder(struct items_run *run, uint64_t from_fid, const char *path,
                             uint64_t *fid_out) {
    struct mailbox_folder folder;
    enum ec ec = mailbox_find_folder(run->to, run->call->arena, path, &folder);
    if (ec == EC_NOT_FOUND) {
        EC_TRY(mailbox_create_folder(run->to, path, fid_out));
        return dress_folder(run, from_fid, *fid_out);
    }
    if (ec == EC_OK)
        *fid_out = folder.fid;
    return ec;
}

static enum ec restore_folder(struct items_run *run, const struct mailbox_folder *folder,
                              const char *to_path) {
    struct mailbox_view *view;
    g_autoptr(GArray) chosen = NULL;
    uint64_t fid;
    EC_TRY(mailbox_view_open(run->from, folder->fid, &view));
    enum ec ec = choose(run, view, &chosen);
    // With --message only folders that have something to give are made.
    if (ec == EC_OK && (chosen->len > 0 || !call_option(run->call, "message")))
        ec = target_folder(run, folder->fid, to_path, &fid);
    if (ec == EC_OK && chosen->len > 0)
        ec = restore_rows(run, view, chosen, fid, folder_path_text(run->call->arena, folder->path));
    if (ec == EC_OK && !call_option(run->call, "message"))
        ec = restore_settings(run, folder->fid, fid);
    mailbox_view_free(view);
    return ec;
}

// `path` when it is `root` or below it: what follows, "" or "/...". NULL: it is not.
static const char *below(const char *path, const char *root) {
    size_t len = strlen(root);
    if (len == 0)
        return path;
    if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
        return NULL;
    return path + len;
}

static const char *place_of(struct command_call *call, const char *path, const char *root,
                            const char *rest) {
    const char *to = call_option(call, "to");
    if (!to)
        return path;
    return *root ? arena_printf(call->arena, "%s%s", to, rest)
                 : arena_printf(call->arena, "%s/%s", to, folder_path_text(call->arena, path));
}

static enum ec restore_folders(struct items_run *run) {
    struct command_call *call = run->call;
    struct mailbox_folder_list list;
    struct mailbox_folder root = {.path = ""};
    const char *name = call_option(call, "folder");
    if (name)
        EC_TRY(mailbox_find_folder(run->from, call->arena, name, &root));
    EC_TRY(mailbox_list_all_folders(run->from, call->arena, &list));
    for (unsigned i = 0; i < list.n; i++) {
        const char *path = list.items[i].path, *rest = below(path, root.path);
        enum ec ec =
            rest ? restore_folder(run, &list.items[i], place_of(call, path, root.path, rest))
                 : EC_OK;
        if (ec == EC_SEARCH_FOLDER || ec == EC_NOT_SUPPORTED)
            continue; // what it shows is elsewhere
        if (ec != EC_OK) {
            run->n_failed++;
            call_fail(call, ec, "%s: %s", path, ec_text(ec));
        }
        if (ec == EC_CANCEL || ec == EC_DISK_FULL || ec == EC_END_OF_SESSION)
            return ec;
    }
    return EC_OK;
}

int restore_items(struct command_call *call, struct mailbox *from, struct mailbox *to) {
    struct items_run run = {.call = call, .from = from, .to = to};
    enum ec ec = restore_folders(&run);
    if (ec == EC_NOT_FOUND && run.n_restored == 0)
        return call_fail(call, ec, "the backup has no folder '%s'; --list lists its folders",
                         call_option(call, "folder"));
    output_object_begin(call->out, NULL);
    output_number(call->out, "restored", run.n_restored);
    output_number(call->out, "present", run.n_present);
    output_number(call->out, "failed", run.n_failed);
    output_object_end(call->out);
    return ec == EC_OK && run.n_failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

// --- Listing ---

static int list_messages(struct command_call *call, struct mailbox *from, uint64_t fid) {
    struct items_run run = {.call = call, .from = from};
    struct mailbox_view *view;
    g_autoptr(GArray) chosen = NULL;
    enum ec ec = mailbox_view_open(from, fid, &view);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot read the folder: %s", ec_text(ec));
    ec = choose(&run, view, &chosen);
    output_list_begin(call->out, "uid:8 received:20 size");
    for (guint i = 0; ec == EC_OK && i < chosen->len; i++) {
        const struct message_row *row = mailbox_view_row(view, g_array_index(chosen, uint32_t, i));
        output_object_begin(call->out, NULL);
        output_number(call->out, "uid", row->uid);
        output_time(call->out, "received", row->received);
        output_number(call->out, "size", row->size);
        output_object_end(call->out);
    }
    output_list_end(call->out);
    mailbox_view_free(view);
    return ec == EC_OK ? EXIT_DONE : call_fail(call, ec, "cannot search: %s", ec_text(ec));
}

int restore_list(struct command_call *call, struct mailbox *from) {
    struct mailbox_folder_list list;
    struct mailbox_folder folder;
    const char *path = call_option(call, "folder");
    enum ec ec = path ? mailbox_find_folder(from, call->arena, path, &folder)
                      : mailbox_list_folders(from, call->arena, &list);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot list: %s", ec_text(ec));
    if (path)
        return list_messages(call, from, folder.fid);
    output_list_begin(call->out, "folder:30 messages");
    for (unsigned i = 0; i < list.n; i++) {
        output_object_begin(call->out, NULL);
        output_string(call->out, "folder", folder_path_text(call->arena, list.items[i].path));
        output_number(call->out, "messages", list.items[i].n_messages);
        output_object_end(call->out);
    }
    output_list_end(call->out);
    return EXIT_DONE;
}
