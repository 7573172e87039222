// A backup's target as a whole: opening it, finishing a backup, verifying, pruning.
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/backup_internal.h"

#define MARK "bourse-backup"
#define MARK_TEXT "1\n"

static enum ec fail(enum ec ec, char **error_out, const char *path, const char *what) {
    *error_out = g_strdup_printf("%s: %s", path, what);
    return ec;
}

static bool is_empty(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    return dir && !g_dir_read_name(dir);
}

static enum ec make(struct backup_target *t, char **error_out) {
    static const char *const parts[] = {"chunks", "manifests", "tmp"};
    g_autofree char *mark = g_build_filename(t->path, MARK, NULL);
    bool is_new = g_access(t->path, F_OK) != 0;
    if (is_new && g_mkdir_with_parents(t->path, 0700) != 0)
        return fail(backup_error_of(errno), error_out, t->path,
                    "cannot be made; give its folder to the user the server runs as (and name it "
                    "in ReadWritePaths of the service)");
    if (!is_new && g_access(mark, F_OK) != 0 && !is_empty(t->path))
        return fail(EC_COLLISION, error_out, t->path,
                    "is not empty and no place of backups; choose a new folder");
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *part = g_build_filename(t->path, parts[i], NULL);
        if (g_mkdir(part, 0700) != 0 && errno != EEXIST)
            return fail(backup_error_of(errno), error_out, part,
                        "cannot be made; give the folder to the user the server runs as (and name "
                        "it in ReadWritePaths of the service)");
    }
    if (g_access(mark, F_OK) == 0)
        return EC_OK;
    enum ec ec = backup_write_file(mark, MARK_TEXT, strlen(MARK_TEXT));
    return ec == EC_OK ? ec : fail(ec, error_out, mark, ec_text(ec));
}

static enum ec take_lock(struct backup_target *t, char **error_out) {
    g_autofree char *path = g_build_filename(t->path, "lock", NULL);
    t->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (t->lock_fd < 0)
        return fail(backup_error_of(errno), error_out, path, g_strerror(errno));
    if (flock(t->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return EC_OK;
    return fail(EC_BUSY, error_out, t->path, "another backup writes there; wait until it is done");
}

static void empty_tmp(const struct backup_target *t) {
    g_autofree char *tmp = g_build_filename(t->path, "tmp", NULL);
    g_autoptr(GDir) dir = g_dir_open(tmp, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(tmp, name, NULL);
        unlink(path);
    }
}

static enum ec open_target(struct backup_target *t, bool to_write, char **error_out) {
    g_autofree char *mark = g_build_filename(t->path, MARK, NULL);
    g_autofree char *text = NULL;
    if (to_write)
        EC_TRY(make(t, error_out));
    if (!g_file_get_contents(mark, &text, NULL, NULL))
        return fail(errno == EACCES ? EC_ACCESS_DENIED : EC_NOT_FOUND, error_out, t->path,
                    errno == EACCES ? "no access" : "is no place of backups");
    if (strcmp(text, MARK_TEXT) != 0)
        return fail(EC_BAD_VERSION, error_out, t->path, "was written by a newer version of bourse");
    if (!to_write)
        return EC_OK;
    EC_TRY(take_lock(t, error_out));
    empty_tmp(t);
    return EC_OK;
}

enum ec backup_target_open(const char *path, bool to_write, struct backup_target **out,
                           char **error_out) {
    struct backup_target *t = g_new0(struct backup_target, 1);
    t->path = g_strdup(path);
    t->lock_fd = -1;
    *error_out = NULL;
    enum ec ec = open_target(t, to_write, error_out);
    if (ec != EC_OK) {
        backup_target_close(t);
        return ec;
    }
    *out = t;
    return EC_OK;
}

void backup_target_close(struct backup_target *t) {
    if (!t)
        return;
    if (t->lock_fd >= 0)
        close(t->lock_fd);
    g_free(t->path);
    g_free(t);
}

char *backup_temporary(struct backup_target *t, const char *name) {
    return g_build_filename(t->path, "tmp", name, NULL);
}

static void add_chunks(struct backup_target *t, const struct backup_file *file, GHashTable *set) {
    g_autoptr(GBytes) list = NULL;
    unsigned n = 0;
    if (backup_list_get(t, file, &list, &n) != EC_OK)
        return;
    const struct backup_hash *hashes = g_bytes_get_data(list, NULL);
    g_hash_table_add(set, g_memdup2(&file->list, sizeof file->list));
    for (unsigned i = 0; i < n; i++)
        if (!g_hash_table_contains(set, &hashes[i]))
            g_hash_table_add(set, g_memdup2(&hashes[i], sizeof hashes[i]));
}

GHashTable *backup_known(struct backup_target *t, const struct backup_manifest *m) {
    GHashTable *set = g_hash_table_new_full(backup_hash_hash, backup_hash_same, g_free, NULL);
    for (unsigned i = 0; m && i < m->n_files; i++)
        add_chunks(t, &m->files[i], set);
    return set;
}

// --- Finishing ---

static enum ec sync_target(const struct backup_target *t) {
    int fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return backup_error_of(errno);
    enum ec ec = syncfs(fd) == 0 ? EC_OK : backup_error_of(errno);
    close(fd);
    return ec;
}

enum ec backup_manifest_put(struct backup_target *t, const struct backup_manifest *m) {
    g_autoptr(GString) text = backup_manifest_format(m);
    g_autofree char *part = backup_temporary(t, "manifest");
    g_autofree char *path = g_build_filename(t->path, "manifests", m->id, NULL);
    EC_TRY(backup_write_file(part, text->str, text->len));
    // All it names before it.
    EC_TRY(sync_target(t));
    if (g_access(path, F_OK) == 0)
        return EC_COLLISION;
    if (rename(part, path) != 0)
        return backup_error_of(errno);
    return sync_target(t);
}

// --- Verifying ---

static void verify_chunk(struct backup_target *t, const struct backup_file *file,
                         const struct backup_hash *hash, GHashTable *seen, GPtrArray *faults) {
    g_autoptr(GBytes) bytes = NULL;
    if (g_hash_table_contains(seen, hash))
        return;
    enum ec ec = backup_chunk_get(t, hash, BACKUP_CHUNK, &bytes);
    if (ec == EC_OK) {
        g_hash_table_add(seen, g_memdup2(hash, sizeof *hash));
        return;
    }
    g_autofree char *text = backup_hash_text(hash);
    g_ptr_array_add(faults,
                    g_strdup_printf("%s%s%s%s: chunk %s %s", file->name, *file->address ? " (" : "",
                                    file->address, *file->address ? ")" : "", text,
                                    ec == EC_NOT_FOUND      ? "is missing"
                                    : ec == EC_CORRUPT_DATA ? "is damaged"
                                                            : "cannot be read"));
}

enum ec backup_verify(struct backup_target *t, const struct backup_manifest *m, GHashTable *seen,
                      GPtrArray *faults, void (*progress)(void *ctx, unsigned percent), void *ctx) {
    for (unsigned i = 0; i < m->n_files; i++) {
        const struct backup_file *file = &m->files[i];
        g_autoptr(GBytes) list = NULL;
        unsigned n = 0;
        if (backup_list_get(t, file, &list, &n) != EC_OK) {
            g_ptr_array_add(faults, g_strdup_printf("%s: its list of chunks is missing or damaged",
                                                    file->name));
            continue;
        }
        const struct backup_hash *hashes = g_bytes_get_data(list, NULL);
        for (unsigned k = 0; k < n; k++)
            verify_chunk(t, file, &hashes[k], seen, faults);
        if (progress)
            progress(ctx, (i + 1) * 100 / m->n_files);
    }
    return EC_OK;
}

// --- Pruning ---

// The chunks of one folder that nobody names.
static void prune_folder(const char *path, GHashTable *used, struct backup_pruned *out) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        struct backup_hash hash;
        GStatBuf st;
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (strlen(name) == 2 * BACKUP_HASH_SIZE && backup_hash_parse(name, &hash) &&
            g_hash_table_contains(used, &hash))
            continue;
        if (g_stat(file, &st) == 0 && unlink(file) == 0) {
            out->n_chunks++;
            out->bytes += (uint64_t)st.st_size;
        }
    }
}

static enum ec collect(struct backup_target *t, const char *id, GHashTable *used) {
    ARENA_AUTO arena = arena_new();
    struct backup_manifest m;
    EC_TRY(backup_manifest_get(t, arena, id, &m));
    for (unsigned i = 0; i < m.n_files; i++) {
        g_autoptr(GBytes) list = NULL;
        unsigned n;
        EC_TRY(backup_list_get(t, &m.files[i], &list, &n));
        add_chunks(t, &m.files[i], used);
    }
    return EC_OK;
}

enum ec backup_prune(struct backup_target *t, unsigned keep, struct backup_pruned *out) {
    g_autoptr(GHashTable) used =
        g_hash_table_new_full(backup_hash_hash, backup_hash_same, g_free, NULL);
    g_autoptr(GPtrArray) ids = NULL;
    *out = (struct backup_pruned){0};
    EC_TRY(backup_manifest_list(t, &ids));
    guint first = ids->len > keep ? ids->len - keep : 0;
    for (guint i = first; i < ids->len; i++)
        EC_TRY(collect(t, ids->pdata[i], used));
    for (guint i = 0; i < first; i++) {
        g_autofree char *path = g_build_filename(t->path, "manifests", ids->pdata[i], NULL);
        if (unlink(path) != 0)
            return backup_error_of(errno);
        out->n_backups++;
    }
    // No manifest may come back and miss its chunks.
    EC_TRY(sync_target(t));
    for (unsigned i = 0; i < 256; i++) {
        g_autofree char *path = g_strdup_printf("%s/chunks/%02x", t->path, i);
        prune_folder(path, used, out);
    }
    return EC_OK;
}
