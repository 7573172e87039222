// `bourse backup`: the data directory, or some mailboxes, into a place of backups (store/backup.h).
//
// The queue comes first: a message that is delivered meanwhile is then in both, and the mailbox
// drops the second delivery; the other way round it would be in neither.
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/command_functions.h"
#include "admin/mailbox_names.h"
#include "admin/recipient.h"
#include "base/clock.h"
#include "store/backup.h"
#include "store/backup_mailbox.h"

#define SETTLED_SECONDS 2 // a file changed so shortly before may have changed again unseen

struct backup_run {
    struct command_call *call;
    struct backup_target *target;
    struct backup_manifest before; // the newest one, to compare with
    bool has_before;
    GHashTable *known;
    GArray *files; // struct backup_file
    struct backup_stats stats;
    unsigned done, total, n_unchanged, n_failed;
    const char *what; // at hand
};

static void show(struct backup_run *run, const char *doing, unsigned percent) {
    if (!call_switch(run->call, "quiet"))
        output_progress(run->call->out, "%s %u of %u: %s %u%%", doing, run->done + 1, run->total,
                        run->what, percent);
}

static void show_copy(void *ctx, int percent) {
    show(ctx, "copying", (unsigned)percent);
}

static void show_put(void *ctx, unsigned percent) {
    show(ctx, "storing", percent);
}

static enum ec put(struct backup_run *run, const char *path, struct backup_file *file) {
    EC_TRY(backup_put(run->target, path, run->known, file, &run->stats, show_put, run));
    g_array_append_vals(run->files, file, 1);
    return EC_OK;
}

static int failed(struct backup_run *run, const char *what, enum ec ec) {
    run->n_failed++;
    return call_fail(run->call, ec, "%s is not in the backup: %s%s", what, ec_text(ec),
                     ec == EC_DISK_FULL ? "; make room, or prune old backups"
                     : ec == EC_ACCESS_DENIED
                         ? "; the user the server runs as must be able to read "
                           "it and to write the target"
                     : ec == EC_CORRUPT_DATA ? "; run `bourse check --repair`"
                                             : "");
}

// --- Mailboxes ---

// The file as the backup before has it, when it cannot have changed since.
static const struct backup_file *unchanged(const struct backup_run *run, const char *name,
                                           const char *state, int64_t changed) {
    if (!run->has_before || !call_switch(run->call, "incremental"))
        return NULL;
    const struct backup_file *file = backup_manifest_file(&run->before, name);
    bool is_settled = changed + SETTLED_SECONDS < filetime_to_unix(run->before.created);
    return file && is_settled && strcmp(file->state, state) == 0 ? file : NULL;
}

static enum ec add_mailbox(struct backup_run *run, const struct guid *guid, const char *address) {
    struct store *store = run->call->services->store;
    int64_t changed;
    struct backup_file file = {.name = backup_mailbox_name(run->call->arena, guid),
                               .address = address};
    g_autofree char *state = store_mailbox_state(store, guid, &changed);
    file.state = state ? arena_strdup(run->call->arena, state) : "";
    const struct backup_file *same = unchanged(run, file.name, file.state, changed);
    run->what = address;
    if (same) {
        run->n_unchanged++;
        file.size = same->size, file.list = same->list;
        g_array_append_val(run->files, file);
        return EC_OK;
    }
    g_autofree char *copy = backup_temporary(run->target, "mailbox");
    unlink(copy);
    enum ec ec = store_copy_mailbox(store, guid, copy, show_copy, run);
    if (ec == EC_OK)
        ec = put(run, copy, &file);
    unlink(copy);
    return ec;
}

static void add_mailboxes(struct backup_run *run, const GArray *guids) {
    run->done = 0;
    run->total = guids->len;
    for (guint i = 0; i < guids->len && !output_is_broken(run->call->out); i++, run->done++) {
        const struct guid *guid = &g_array_index(guids, struct guid, i);
        const char *name = mailbox_owner_name(run->call, guid);
        enum ec ec = add_mailbox(run, guid, name);
        if (ec == EC_NOT_FOUND)
            continue; // deleted meanwhile
        if (ec != EC_OK)
            failed(run, name, ec);
        if (ec == EC_DISK_FULL || ec == EC_ACCESS_DENIED)
            return; // the others fare no better
    }
}

// --- The rest of the data directory ---

static void add_file(struct backup_run *run, const char *name) {
    g_autofree char *path = g_build_filename(run->call->services->dir, name, NULL);
    struct stat st;
    struct backup_file file = {
        .name = arena_strdup(run->call->arena, name), .address = "", .state = ""};
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    run->what = file.name;
    enum ec ec = put(run, path, &file);
    if (ec != EC_OK && ec != EC_NOT_FOUND) // a segment of the queue that is done with
        failed(run, name, ec);
}

static gint by_name(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The files of a folder ("": of the data directory itself), in the order of their names: of the
// queue's segments the oldest first, since entries move to newer ones.
static void add_folder(struct backup_run *run, const char *folder) {
    g_autofree char *path = g_build_filename(run->call->services->dir, folder, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        if (strcmp(name, "lock") != 0 && !g_str_has_prefix(name, "directory.db"))
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++)
        add_file(run, names->pdata[i]);
}

static void add_directory(struct backup_run *run) {
    g_autofree char *copy = backup_temporary(run->target, "directory");
    struct backup_file file = {.name = "directory.db", .address = "", .state = ""};
    unlink(copy);
    run->what = file.name;
    enum ec ec = directory_copy(run->call->services->directory, copy);
    if (ec == EC_OK)
        ec = put(run, copy, &file);
    unlink(copy);
    if (ec != EC_OK)
        failed(run, file.name, ec);
}

static enum ec add_everything(struct backup_run *run) {
    g_autoptr(GArray) guids = NULL;
    run->total = 1;
    add_folder(run, "queue");
    add_directory(run);
    add_folder(run, "tls");
    add_folder(run, "");
    EC_TRY(store_list_mailboxes(run->call->services->store, &guids));
    add_mailboxes(run, guids);
    return EC_OK;
}

static bool add_users(struct backup_run *run) {
    const struct arguments *a = run->call->arguments;
    g_autoptr(GArray) guids = g_array_new(FALSE, FALSE, sizeof(struct guid));
    for (unsigned i = 1; i < a->n; i++) {
        struct directory_object *o;
        if (!recipient_find(run->call, a->items[i], KINDS_ALL, &o))
            return false;
        g_array_append_val(guids, o->guid);
    }
    add_mailboxes(run, guids);
    return true;
}

// --- The whole ---

static void find_before(struct backup_run *run) {
    g_autoptr(GPtrArray) ids = NULL;
    if (backup_manifest_list(run->target, &ids) != EC_OK)
        return;
    for (guint i = ids->len; i-- > 0 && !run->has_before;)
        run->has_before = backup_manifest_get(run->target, run->call->arena, ids->pdata[i],
                                              &run->before) == EC_OK &&
                          run->before.kind != BACKUP_PART;
    if (call_switch(run->call, "incremental"))
        run->known = backup_known(run->target, run->has_before ? &run->before : NULL);
}

static enum ec finish(struct backup_run *run, filetime_t started, const char **id_out) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(filetime_to_unix(started));
    g_autofree char *id = g_date_time_format(time, "%Y%m%dT%H%M%SZ");
    struct backup_manifest m = {
        .created = started,
        .kind = run->call->arguments->n > 1             ? BACKUP_PART
                : call_switch(run->call, "incremental") ? BACKUP_INCREMENTAL
                                                        : BACKUP_FULL,
        .version = BOURSE_VERSION,
        .files = (struct backup_file *)(void *)run->files->data,
        .n_files = run->files->len,
    };
    enum ec ec = EC_COLLISION;
    // Two in one second.
    for (unsigned i = 0; i < 100 && ec == EC_COLLISION; i++) {
        *id_out = m.id = i ? arena_printf(run->call->arena, "%s-%02u", id, i)
                           : arena_strdup(run->call->arena, id);
        ec = backup_manifest_put(run->target, &m);
    }
    return ec;
}

static void report(struct backup_run *run, const char *id) {
    struct output *out = run->call->out;
    output_object_begin(out, NULL);
    output_string(out, "id", id);
    output_string(out, "target", call_option(run->call, "to"));
    output_number(out, "mailboxes", run->done);
    output_number(out, "unchanged", run->n_unchanged);
    output_number(out, "failed", run->n_failed);
    output_number(out, "bytes", run->stats.bytes_read);
    output_number(out, "bytes_stored", run->stats.bytes_new);
    output_number(out, "chunks_stored", run->stats.chunks_new);
    output_object_end(out);
}

static int run_backup(struct backup_run *run) {
    filetime_t started = clock_now();
    enum ec ec = EC_OK;
    const char *id;
    find_before(run);
    if (run->call->arguments->n > 1) {
        if (!add_users(run))
            return EXIT_FAILED;
    } else {
        ec = add_everything(run);
    }
    if (ec == EC_OK && output_is_broken(run->call->out))
        ec = EC_CANCEL; // the administrator went away
    // Without a part of what was asked for it is a backup still, but one that says so; without
    // anything it is none.
    if (ec == EC_OK && (run->files->len == 0 || run->n_failed == run->total))
        return EXIT_FAILED;
    if (ec == EC_OK)
        ec = finish(run, started, &id);
    if (ec != EC_OK)
        return call_fail(run->call, ec,
                         "the backup was not finished: %s; give the command again, "
                         "it goes on with what is stored",
                         ec_text(ec));
    report(run, id);
    return run->n_failed ? EXIT_FAILED : EXIT_DONE;
}

int backup_command(struct command_call *call) {
    struct backup_run run = {.call = call};
    const char *to = call_option(call, "to");
    g_autofree char *error = NULL;
    if (!to)
        return call_fail(call, EC_INVALID_PARAMETER, "say where to: --to TARGET");
    enum ec ec = backup_target_open(to, true, &run.target, &error);
    if (ec != EC_OK)
        return call_fail(call, ec, "%s", error);
    run.files = g_array_new(FALSE, FALSE, sizeof(struct backup_file));
    int status = run_backup(&run);
    g_array_unref(run.files);
    if (run.known)
        g_hash_table_unref(run.known);
    backup_target_close(run.target);
    return status;
}
