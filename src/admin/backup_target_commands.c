// `bourse backup list|verify|prune`: what needs the place of backups only.
#include "admin/command_functions.h"
#include "store/backup.h"

static bool open_target(struct command_call *call, bool to_write, struct backup_target **out) {
    g_autofree char *path = g_canonicalize_filename(call_argument(call, 0), NULL);
    g_autofree char *error = NULL;
    enum ec ec = backup_target_open(path, to_write, out, &error);
    if (ec != EC_OK)
        call_fail(call, ec, "%s", error);
    return ec == EC_OK;
}

static const char *kind_text(enum backup_kind kind) {
    return kind == BACKUP_FULL ? "full" : kind == BACKUP_INCREMENTAL ? "incremental" : "part";
}

static void list_one(struct command_call *call, struct backup_target *t, const char *id) {
    ARENA_AUTO arena = arena_new();
    struct backup_manifest m;
    uint64_t size = 0;
    unsigned n = 0;
    enum ec ec = backup_manifest_get(t, arena, id, &m);
    for (unsigned i = 0; ec == EC_OK && i < m.n_files; i++) {
        size += m.files[i].size;
        n += backup_file_is_mailbox(&m.files[i], NULL);
    }
    output_object_begin(call->out, NULL);
    output_string(call->out, "id", id);
    if (ec == EC_OK)
        output_time(call->out, "created", m.created);
    output_string(call->out, "kind", ec == EC_OK ? kind_text(m.kind) : "damaged");
    output_number(call->out, "mailboxes", n);
    output_number(call->out, "bytes", size);
    output_object_end(call->out);
}

int backup_list_command(struct command_call *call) {
    struct backup_target *t;
    g_autoptr(GPtrArray) ids = NULL;
    if (!open_target(call, false, &t))
        return EXIT_FAILED;
    enum ec ec = backup_manifest_list(t, &ids);
    if (ec == EC_OK) {
        output_list_begin(call->out, "id:20 created:20 kind:11 mailboxes:9 bytes");
        for (guint i = 0; i < ids->len; i++)
            list_one(call, t, ids->pdata[i]);
        output_list_end(call->out);
    }
    backup_target_close(t);
    return ec == EC_OK ? EXIT_DONE : call_fail(call, ec, "cannot list: %s", ec_text(ec));
}

// --- Verify ---

struct verify_run {
    struct command_call *call;
    const char *id;
    GHashTable *seen;
    unsigned n_faults, n_backups;
};

static void verify_progress(void *ctx, unsigned percent) {
    struct verify_run *run = ctx;
    output_progress(run->call->out, "verifying %s: %u%%", run->id, percent);
}

static void print_fault(struct verify_run *run, const char *fault) {
    run->n_faults++;
    output_object_begin(run->call->out, NULL);
    output_string(run->call->out, "id", run->id);
    output_string(run->call->out, "fault", fault);
    output_object_end(run->call->out);
}

static void verify_one(struct verify_run *run, struct backup_target *t) {
    ARENA_AUTO arena = arena_new();
    struct backup_manifest m;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    enum ec ec = backup_manifest_get(t, arena, run->id, &m);
    run->n_backups++;
    if (ec != EC_OK)
        print_fault(run,
                    ec == EC_NOT_FOUND ? "there is no such backup" : "its manifest is damaged");
    else
        backup_verify(t, &m, run->seen, faults, verify_progress, run);
    for (guint i = 0; i < faults->len; i++)
        print_fault(run, faults->pdata[i]);
}

int backup_verify_command(struct command_call *call) {
    struct verify_run run = {.call = call};
    struct backup_target *t;
    g_autoptr(GPtrArray) ids = NULL;
    if (!open_target(call, false, &t))
        return EXIT_FAILED;
    enum ec ec = backup_manifest_list(t, &ids);
    run.seen = backup_known(t, NULL);
    output_list_begin(call->out, "id:20 fault");
    unsigned n_asked = call->arguments->n - 1;
    for (guint i = 0; ec == EC_OK && i < (n_asked ? n_asked : ids->len); i++) {
        run.id = n_asked ? call_argument(call, i + 1) : ids->pdata[i];
        verify_one(&run, t);
    }
    output_list_end(call->out);
    g_hash_table_unref(run.seen);
    backup_target_close(t);
    if (ec != EC_OK)
        return call_fail(call, ec, "cannot verify: %s", ec_text(ec));
    output_say(call->out, "%u backup%s verified, %u fault%s found.", run.n_backups,
               run.n_backups == 1 ? "" : "s", run.n_faults, run.n_faults == 1 ? "" : "s");
    if (run.n_faults)
        output_say(call->out,
                   "`bourse backup DIR --to %s` (not incremental) stores anew what is "
                   "damaged and still there in DIR.",
                   call_argument(call, 0));
    return run.n_faults ? EXIT_FAILED : EXIT_DONE;
}

// --- Prune ---

int backup_prune_command(struct command_call *call) {
    struct backup_target *t;
    struct backup_pruned pruned;
    uint64_t keep = 0;
    if (!call_option_number(call, "keep", 1000000, &keep))
        return EXIT_FAILED;
    if (keep == 0)
        return call_fail(call, EC_INVALID_PARAMETER, "say how many stay: --keep N, 1 at least");
    if (!open_target(call, true, &t))
        return EXIT_FAILED;
    enum ec ec = backup_prune(t, (unsigned)keep, &pruned);
    backup_target_close(t);
    if (ec != EC_OK)
        return call_fail(call, ec,
                         ec == EC_CORRUPT_DATA
                             ? "a backup that is to stay is damaged, nothing was deleted; `bourse "
                               "backup verify` tells which"
                             : "cannot prune: %s",
                         ec_text(ec));
    output_object_begin(call->out, NULL);
    output_number(call->out, "backups_deleted", pruned.n_backups);
    output_number(call->out, "chunks_deleted", pruned.n_chunks);
    output_number(call->out, "bytes_freed", pruned.bytes);
    output_object_end(call->out);
    return EXIT_DONE;
}
