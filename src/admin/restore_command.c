// `bourse restore`: a new data directory, a mailbox in place, or folders and messages of one.
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/command_functions.h"
#include "admin/mailbox_access.h"
#include "admin/recipient.h"
#include "admin/restore_items.h"
#include "store/backup.h"
#include "store/backup_mailbox.h"

#define UNFINISHED "restore.unfinished" // in DIR while it is not whole

struct restore_run {
    struct command_call *call;
    struct backup_target *target;
    struct backup_manifest m;
};

// --at: a time (RFC 3339), or a backup's id.
static bool find_manifest(struct restore_run *run, const char *name) {
    const char *at = call_option(run->call, "at"), *from = call_option(run->call, "from");
    filetime_t time = 0;
    if (at && strchr(at, 'T') && strchr(at, '-') && strchr(at, ':')) {
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        g_autoptr(GDateTime) parsed = g_date_time_new_from_iso8601(at, utc);
        if (!parsed) {
            call_fail(run->call, EC_INVALID_PARAMETER,
                      "--at takes a time such as 2026-11-24T12:00:00Z, or a backup's id");
            return false;
        }
        time = filetime_from_unix(g_date_time_to_unix(parsed) + 1) - 1;
    }
    enum ec ec = at && !time
                     ? backup_manifest_get(run->target, run->call->arena, at, &run->m)
                     : backup_manifest_find(run->target, run->call->arena, time, name, &run->m);
    if (ec == EC_NOT_FOUND)
        call_fail(run->call, ec, "%s has no such backup; `bourse backup list %s` lists them", from,
                  from);
    else if (ec != EC_OK)
        call_fail(run->call, ec, "cannot read the backup: %s; `bourse backup verify %s` says more",
                  ec_text(ec), from);
    return ec == EC_OK;
}

static bool get_file(struct restore_run *run, const struct backup_file *file, const char *path) {
    g_autofree char *error = NULL;
    enum ec ec = backup_get(run->target, file, path, &error);
    if (ec != EC_OK)
        call_fail(run->call, ec, "%s was not restored: %s%s", file->name,
                  error ? error : ec_text(ec),
                  error ? "; an older backup may have it whole (--at)" : "");
    return ec == EC_OK;
}

// --- A whole data directory ---

static bool restore_file(struct restore_run *run, const char *dir, const struct backup_file *file) {
    g_autofree char *path = g_build_filename(dir, file->name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        call_fail(run->call, EC_DISK_ERROR, "%s: %s", folder, g_strerror(errno));
        return false;
    }
    g_unlink(path); // of a restore that was interrupted
    return get_file(run, file, path);
}

// bourse.conf comes last: without it DIR is no data directory.
static int restore_files(struct restore_run *run, const char *dir) {
    static const char conf[] = "bourse.conf";
    unsigned n_failed = 0, n_mailboxes = 0;
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < run->m.n_files; i++) {
            const struct backup_file *file = &run->m.files[i];
            bool is_mailbox = backup_file_is_mailbox(file, NULL);
            if ((strcmp(file->name, conf) == 0) != (pass == 1))
                continue;
            output_progress(run->call->out, "restoring %u of %u: %s", i + 1, run->m.n_files,
                            *file->address ? file->address : file->name);
            if (restore_file(run, dir, file))
                n_mailboxes += is_mailbox;
            else if (is_mailbox)
                n_failed++; // the others are worth having
            else
                return EXIT_FAILED;
        }
    g_autofree char *mark = g_build_filename(dir, UNFINISHED, NULL);
    g_autofree char *ca = g_build_filename(dir, "tls", "ca.pem", NULL);
    g_chmod(ca, 0644); // for clients to read
    sync();
    g_unlink(mark);
    output_object_begin(run->call->out, NULL);
    output_string(run->call->out, "id", run->m.id);
    output_time(run->call->out, "as_of", run->m.created);
    output_number(run->call->out, "files", run->m.n_files);
    output_number(run->call->out, "mailboxes", n_mailboxes);
    output_number(run->call->out, "failed", n_failed);
    output_object_end(run->call->out);
    return n_failed ? EXIT_FAILED : EXIT_DONE;
}

static bool dir_is_usable(const char *dir) {
    g_autofree char *mark = g_build_filename(dir, UNFINISHED, NULL);
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    return g_access(dir, F_OK) != 0 || g_access(mark, F_OK) == 0 || (d && !g_dir_read_name(d));
}

static int restore_directory(struct restore_run *run) {
    g_autofree char *dir = g_canonicalize_filename(call_argument(run->call, 0), NULL);
    g_autofree char *mark = g_build_filename(dir, UNFINISHED, NULL);
    if (!dir_is_usable(dir))
        return call_fail(run->call, EC_COLLISION,
                         "%s is not empty; restore to a new folder, look at it, then let it take "
                         "the old one's place",
                         dir);
    if (!find_manifest(run, NULL))
        return EXIT_FAILED;
    if (g_mkdir_with_parents(dir, 0700) != 0 || !g_file_set_contents(mark, run->m.id, -1, NULL))
        return call_fail(run->call, EC_DISK_ERROR, "%s cannot be written: %s", dir,
                         g_strerror(errno));
    return restore_files(run, dir);
}

// --- One mailbox ---

static uint64_t last_id_of(struct store *store, const struct guid *guid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct mbox_info info;
    if (store_open_mailbox(store, guid, &mbox) != EC_OK || mbox_read(mbox, &tx) != EC_OK ||
        mbox_get_info(tx, arena, &info) != EC_OK)
        return 0;
    return info.last_change;
}

static int restore_in_place(struct restore_run *run, const struct directory_object *o,
                            const struct backup_file *file) {
    struct store *store = run->call->services->store;
    if (!call_switch(run->call, "replace"))
        return call_fail(run->call, EC_INVALID_PARAMETER,
                         "say --replace to put the backup in the place of the mailbox of %s, or "
                         "--folder, --message or --to to add from it",
                         o->address);
    g_autofree char *path = store_file_beside(store, &o->guid, "restoring");
    g_unlink(path);
    if (!get_file(run, file, path))
        return EXIT_FAILED;
    enum ec ec = store_refit_mailbox(store, path, last_id_of(store, &o->guid));
    if (ec == EC_OK)
        ec = store_replace_mailbox(store, &o->guid, path, "replaced");
    if (ec != EC_OK) {
        g_unlink(path);
        return call_fail(run->call, ec, "the mailbox of %s was not replaced: %s", o->address,
                         ec_text(ec));
    }
    g_autofree char *kept = store_file_beside(store, &o->guid, "replaced");
    output_object_begin(run->call->out, NULL);
    output_string(run->call->out, "mailbox", o->address);
    output_string(run->call->out, "id", run->m.id);
    output_time(run->call->out, "as_of", run->m.created);
    output_string(run->call->out, "before", g_access(kept, F_OK) == 0 ? kept : NULL);
    output_object_end(run->call->out);
    output_say(run->call->out, "Clients have to connect again; they download the mailbox anew.");
    return EXIT_DONE;
}

static bool open_as_admin(struct restore_run *run, struct mailbox_service *service,
                          const struct guid *guid, struct mailbox **out) {
    struct principal *admin = principal_admin();
    enum ec ec = mailbox_open(service, admin, guid, out);
    principal_unref(admin);
    if (ec != EC_OK)
        call_fail(run->call, ec, "cannot open the mailbox: %s", ec_text(ec));
    return ec == EC_OK;
}

static int use_copy(struct restore_run *run, struct store *copies, const struct guid *guid,
                    const struct guid *to_guid) {
    const struct admin_services *s = run->call->services;
    struct mailbox_service *service = NULL;
    MAILBOX_AUTO from = NULL;
    MAILBOX_AUTO to = NULL;
    int status = EXIT_FAILED;
    if (mailbox_service_new(copies, s->directory, &service) != EC_OK)
        return EXIT_FAILED;
    if (open_as_admin(run, service, guid, &from)) {
        if (call_switch(run->call, "list"))
            status = restore_list(run->call, from);
        else if (open_as_admin(run, s->mailboxes, to_guid, &to))
            status = restore_items(run->call, from, to);
    }
    mailbox_close(g_steal_pointer(&from));
    mailbox_service_free(service);
    return status;
}

static void remove_folder(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_unlink(file);
    }
    g_rmdir(path);
}

static int restore_from_copy(struct restore_run *run, const struct guid *to_guid,
                             const struct backup_file *file) {
    g_autofree char *dir =
        g_build_filename(run->call->services->dir, "run", "restore-XXXXXX", NULL);
    struct store *copies;
    struct mbox *mbox;
    struct guid guid;
    if (!backup_file_is_mailbox(file, &guid) || !g_mkdtemp_full(dir, 0700))
        return call_fail(run->call, EC_DISK_ERROR, "cannot write %s: %s", dir, g_strerror(errno));
    g_autofree char *path = g_build_filename(dir, file->name + strlen("store/"), NULL);
    int status = EXIT_FAILED;
    if (get_file(run, file, path)) {
        enum ec ec = store_open_copy(dir, &guid, &copies, &mbox);
        if (ec == EC_OK) {
            mbox_unref(mbox);
            status = use_copy(run, copies, &guid, to_guid);
            store_close(copies);
        } else {
            call_fail(run->call, ec, "cannot open the mailbox of the backup: %s", ec_text(ec));
        }
    }
    remove_folder(dir);
    return status;
}

static int restore_mailbox(struct restore_run *run) {
    struct command_call *call = run->call;
    const char *user = call_argument(call, 1), *as = call_option(call, "as");
    struct directory_object *o = NULL, *to = NULL;
    ARENA_AUTO arena = arena_new();
    // One who was deleted is found by the address in the backup.
    bool is_known =
        directory_find_address(call->services->directory, call->arena, user, &o) == EC_OK;
    const char *name = is_known ? backup_mailbox_name(call->arena, &o->guid) : NULL;
    if (!find_manifest(run, name))
        return EXIT_FAILED;
    const struct backup_file *file = name ? backup_manifest_file(&run->m, name) : NULL;
    if (!file)
        file = backup_manifest_mailbox(&run->m, user);
    if (!file)
        return call_fail(call, EC_NOT_FOUND, "the backup %s has no mailbox of %s", run->m.id, user);
    if (as && !recipient_find(call, as, KINDS_ALL, &to))
        return EXIT_FAILED;
    to = to ? to : o;
    if (!to && !call_switch(call, "list"))
        return call_fail(call, EC_NOT_FOUND,
                         "%s is nobody in the directory; add the user first, or name another with "
                         "--as USER",
                         user);
    bool is_items = as || call_option(call, "folder") || call_option(call, "message") ||
                    call_option(call, "to") || call_switch(call, "list");
    return is_items ? restore_from_copy(run, to ? &to->guid : NULL, file)
                    : restore_in_place(run, to, file);
}

int restore_command(struct command_call *call) {
    struct restore_run run = {.call = call};
    const char *from = call_option(call, "from");
    g_autofree char *error = NULL;
    if (!from)
        return call_fail(call, EC_INVALID_PARAMETER, "say where from: --from TARGET");
    enum ec ec = backup_target_open(from, false, &run.target, &error);
    if (ec != EC_OK)
        return call_fail(call, ec, "%s", error);
    int status;
    if (call->services && call->arguments->n < 2)
        status = call_fail(call, EC_COLLISION,
                           "%s is a data directory already; name a USER to restore a mailbox of "
                           "it, or a new folder to restore everything to",
                           call_argument(call, 0));
    else if (!call->services && call->arguments->n > 1)
        status = call_fail(call, EC_NOT_FOUND, "%s is no data directory of bourse",
                           call_argument(call, 0));
    else
        status = call->services ? restore_mailbox(&run) : restore_directory(&run);
    backup_target_close(run.target);
    return status;
}
