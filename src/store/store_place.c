// The databases of a store: folders of mailbox files, and how a mailbox gets from one to another,
// or has its file replaced, without there ever being two of it or none.
//
// A mailbox's file is GUID.mbx in one of the folders. A move makes GUID.mbx.moving in the target.
// When that is complete, GUID.moved in the source, which names the target, is what makes the copy
// count: from then on the source's file is nothing but something to delete. A replacement is
// GUID.mbx.next-KEEP beside the file; the one there is gets the name GUID.mbx.KEEP. Opening the
// store finishes what has come so far, and deletes what has not.
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/store_internal.h"

#define DEFAULT_NAME "default"
#define FILE_SUFFIX ".mbx"
#define MOVING_SUFFIX ".mbx.moving"
#define MOVED_SUFFIX ".moved"
#define NEXT_PART ".mbx.next-"

static enum ec error_of(int error) {
    return error == ENOSPC || error == EDQUOT || error == EFBIG  ? EC_DISK_FULL
           : error == EACCES || error == EPERM || error == EROFS ? EC_ACCESS_DENIED
                                                                 : EC_DISK_ERROR;
}

static char *file_in(const struct store_place *place, const struct guid *guid, const char *suffix) {
    char text[GUID_STRING_SIZE];
    guid_format(guid, text);
    return g_strdup_printf("%s/%s%s", place->dir, text, suffix);
}

static bool exists_in(const struct store_place *place, const struct guid *guid,
                      const char *suffix) {
    g_autofree char *path = file_in(place, guid, suffix);
    return g_access(path, F_OK) == 0;
}

static bool is_there(const struct store_place *place, const struct guid *guid) {
    return exists_in(place, guid, FILE_SUFFIX) && !exists_in(place, guid, MOVED_SUFFIX);
}

static struct store_place *place_of(struct store *store, const struct guid *guid) {
    for (unsigned i = 0; i < store->n_places; i++)
        if (is_there(&store->places[i], guid))
            return &store->places[i];
    return &store->places[0];
}

static struct store_place *place_named(const struct store *store, const char *name) {
    for (unsigned i = 0; i < store->n_places; i++)
        if (strcmp(store->places[i].name, name) == 0)
            return &store->places[i];
    return NULL;
}

char *mailbox_file(struct store *store, const struct guid *guid) {
    return file_in(place_of(store, guid), guid, FILE_SUFFIX);
}

char *store_file_beside(struct store *store, const struct guid *guid, const char *suffix) {
    g_autofree char *file = mailbox_file(store, guid);
    return g_strconcat(file, ".", suffix, NULL);
}

const char *store_database_of(struct store *store, const struct guid *guid) {
    return place_of(store, guid)->name;
}

bool store_has_database(const struct store *store, const char *name) {
    return place_named(store, name) != NULL;
}

// The mailbox that a file's name begins with, and what follows it.
static bool name_parse(const char *name, struct guid *guid_out, const char **suffix_out) {
    size_t len = GUID_STRING_SIZE - 1;
    if (strlen(name) <= len)
        return false;
    g_autofree char *stem = g_strndup(name, len);
    *suffix_out = name + len;
    return guid_parse(stem, guid_out);
}

static enum ec list_place(const struct store_place *place, GArray *guids) {
    g_autoptr(GDir) dir = g_dir_open(place->dir, 0, NULL);
    if (!dir)
        return EC_DISK_ERROR;
    for (const char *name; (name = g_dir_read_name(dir));) {
        struct guid guid;
        const char *suffix;
        if (name_parse(name, &guid, &suffix) && strcmp(suffix, FILE_SUFFIX) == 0 &&
            !exists_in(place, &guid, MOVED_SUFFIX))
            g_array_append_val(guids, guid);
    }
    return EC_OK;
}

enum ec store_list_mailboxes(struct store *store, GArray **guids_out) {
    g_autoptr(GArray) guids = g_array_new(FALSE, FALSE, sizeof(struct guid));
    for (unsigned i = 0; i < store->n_places; i++)
        EC_TRY(list_place(&store->places[i], guids));
    *guids_out = g_steal_pointer(&guids);
    return EC_OK;
}

// --- Files ---

static enum ec sync_dir(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_of(errno);
    enum ec ec = fsync(fd) == 0 ? EC_OK : error_of(errno);
    close(fd);
    return ec;
}

static enum ec rename_file(const char *from, const char *to) {
    if (rename(from, to) == 0 || errno == ENOENT)
        return EC_OK;
    return error_of(errno);
}

static void unlink_database(const char *path) {
    static const char *const suffixes[] = {"-wal", "-shm", ""};
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        unlink(file);
    }
}

// --- Moving ---

// The copy in `to` counts; gives it its name and deletes the source. May be repeated.
static enum ec move_finish(const struct store_place *from, const struct store_place *to,
                           const struct guid *guid) {
    g_autofree char *moving = file_in(to, guid, MOVING_SUFFIX);
    g_autofree char *file = file_in(to, guid, FILE_SUFFIX);
    g_autofree char *source = file_in(from, guid, FILE_SUFFIX);
    g_autofree char *moved = file_in(from, guid, MOVED_SUFFIX);
    EC_TRY(rename_file(moving, file));
    EC_TRY(sync_dir(to->dir));
    unlink_database(source);
    EC_TRY(sync_dir(from->dir));
    unlink(moved);
    return EC_OK;
}

struct place_move {
    const struct store_place *from, *to;
    const struct guid *guid;
    void (*progress)(void *ctx, int percent);
    void *ctx;
};

// Writes the note that makes the copy count.
static enum ec move_note(const struct place_move *m) {
    g_autofree char *moved = file_in(m->from, m->guid, MOVED_SUFFIX);
    g_autofree char *part = g_strconcat(moved, ".part", NULL);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_of(errno);
    size_t len = strlen(m->to->name);
    ssize_t n = write(fd, m->to->name, len);
    enum ec ec = n == (ssize_t)len && fsync(fd) == 0 ? EC_OK : error_of(n < 0 ? errno : ENOSPC);
    close(fd);
    if (ec == EC_OK && rename(part, moved) != 0)
        ec = error_of(errno);
    if (ec != EC_OK)
        unlink(part);
    return ec == EC_OK ? sync_dir(m->from->dir) : ec;
}

static enum ec move_commit(void *ctx) {
    const struct place_move *m = ctx;
    EC_TRY(sync_dir(m->to->dir));
    EC_TRY(move_note(m));
    enum ec ec = move_finish(m->from, m->to, m->guid);
    if (ec != EC_OK)
        // Noted, so it counts; what is left to do is done when the store is opened again.
        log_event(LOG_LEVEL_ERROR, "store.move_unfinished", "dir", m->to->dir, "error", ec_text(ec),
                  "do", "restart the server when the disk is well again", NULL);
    return EC_OK;
}

static void move_progress(void *ctx, int percent) {
    const struct place_move *m = ctx;
    if (m->progress)
        m->progress(m->ctx, percent);
}

enum ec store_move_mailbox(struct store *store, const struct guid *guid, const char *database,
                           void (*progress)(void *ctx, int percent), void *ctx) {
    MBOX_AUTO mbox = NULL;
    struct place_move m = {.to = place_named(store, database), .progress = progress, .ctx = ctx};
    if (!m.to)
        return EC_INVALID_PARAMETER;
    EC_TRY(store_open_mailbox(store, guid, &mbox));
    m.guid = &mbox->guid;
    m.from = place_of(store, guid);
    if (m.from == m.to)
        return EC_OK;
    g_autofree char *part = file_in(m.to, guid, MOVING_SUFFIX);
    g_autofree char *path = file_in(m.to, guid, FILE_SUFFIX);
    struct db_move move = {
        .part = part, .path = path, .commit = move_commit, .progress = move_progress, .ctx = &m};
    // Two moves at once would share the copy's name.
    pthread_mutex_lock(&store->lock);
    bool is_moving = mbox->is_moving;
    mbox->is_moving = true;
    pthread_mutex_unlock(&store->lock);
    if (is_moving)
        return EC_BUSY;
    enum ec ec = db_move(mbox->db, &move);
    pthread_mutex_lock(&store->lock);
    mbox->is_moving = false;
    pthread_mutex_unlock(&store->lock);
    if (ec == EC_OK)
        log_event(LOG_LEVEL_INFO, "store.moved", "mailbox", mbox->address, "from", m.from->name,
                  "to", m.to->name, NULL);
    return ec;
}

// --- Replacing ---

// Puts FILE.next-KEEP in the place of FILE, which becomes FILE.KEEP. May be repeated.
static enum ec replace_finish(const char *dir, const char *file, const char *keep) {
    g_autofree char *next = g_strdup_printf("%s.next-%s", file, keep);
    g_autofree char *kept = g_strdup_printf("%s.%s", file, keep);
    g_autofree char *kept_wal = g_strconcat(kept, "-wal", NULL);
    g_autofree char *wal = g_strconcat(file, "-wal", NULL);
    g_autofree char *shm = g_strconcat(file, "-shm", NULL);
    if (g_access(file, F_OK) == 0) {
        unlink(kept_wal);
        EC_TRY(rename_file(wal, kept_wal));
        unlink(shm);
        EC_TRY(rename_file(file, kept));
    }
    EC_TRY(rename_file(next, file));
    return sync_dir(dir);
}

struct replacement {
    const char *dir, *path, *file, *keep;
    enum ec (*make)(void *ctx, const char *path, const char *file); // NULL: it is made
    void *ctx;
};

static enum ec replace_commit(void *ctx) {
    const struct replacement *r = ctx;
    g_autofree char *next = g_strdup_printf("%s.next-%s", r->path, r->keep);
    if (r->make)
        EC_TRY(r->make(r->ctx, r->path, r->file));
    if (rename(r->file, next) != 0)
        return error_of(errno);
    EC_TRY(sync_dir(r->dir));
    return replace_finish(r->dir, r->path, r->keep);
}

enum ec store_replace_mailbox(struct store *store, const struct guid *guid, const char *file,
                              const char *keep) {
    return mailbox_replace(store, guid, file, keep, NULL, NULL);
}

enum ec mailbox_replace(struct store *store, const struct guid *guid, const char *file,
                        const char *keep,
                        enum ec (*make)(void *ctx, const char *path, const char *file), void *ctx) {
    g_autofree char *path = mailbox_file(store, guid);
    g_autofree char *dir = g_path_get_dirname(path);
    struct replacement r = {dir, path, file, keep, make, ctx};
    pthread_mutex_lock(&store->lock);
    mailbox_claim(store, guid);
    struct mbox *mbox = g_hash_table_lookup(store->open, guid);
    if (mbox)
        mbox->refs++;
    pthread_mutex_unlock(&store->lock);
    enum ec ec = mbox ? db_replace(mbox->db, replace_commit, &r) : replace_commit(&r);
    if (mbox && ec == EC_OK) {
        pthread_mutex_lock(&store->lock);
        mailbox_forget(store, mbox);
        pthread_mutex_unlock(&store->lock);
        atomic_fetch_add(&mbox->commits, 1); // nothing kept in memory is the newest
        watches_wake(mbox);
    }
    pthread_mutex_lock(&store->lock);
    mailbox_unclaim(store, guid);
    pthread_mutex_unlock(&store->lock);
    mbox_unref(mbox);
    if (ec == EC_OK)
        log_event(LOG_LEVEL_INFO, "store.replaced", "file", path, "before", keep, NULL);
    return ec;
}

// --- Versions ---

enum ec store_mailbox_version(struct store *store, const struct guid *guid, int64_t *found_out,
                              int64_t *newest_out, bool *has_old_out) {
    g_autofree char *path = mailbox_file(store, guid);
    *has_old_out = db_has_old(path);
    return db_peek_version(path, &store_schema, found_out, newest_out);
}

void store_forget_old(struct store *store, const struct guid *guid) {
    g_autofree char *path = mailbox_file(store, guid);
    db_forget_old(path);
}

// --- Opening ---

static enum ec recover_move(struct store *store, const struct store_place *from,
                            const struct guid *guid, const char *moved) {
    g_autofree char *name = NULL;
    const struct store_place *to = NULL;
    if (g_file_get_contents(moved, &name, NULL, NULL))
        to = place_named(store, name);
    if (!to || (!exists_in(to, guid, MOVING_SUFFIX) && !exists_in(to, guid, FILE_SUFFIX))) {
        log_event(LOG_LEVEL_ERROR, "store.moved_away", "note", moved, "to", name, "do",
                  "mount or name that database again in [store] databases; the mailbox is there",
                  NULL);
        return EC_OK;
    }
    log_event(LOG_LEVEL_INFO, "store.move_finished", "note", moved, "to", name, NULL);
    return move_finish(from, to, guid);
}

// Finishes moves that count and replacements. `pass` 0; then, in 1, deletes the copies that never
// came to count.
static enum ec recover_place(struct store *store, const struct store_place *place, int pass) {
    g_autoptr(GDir) dir = g_dir_open(place->dir, 0, NULL);
    if (!dir)
        return EC_DISK_ERROR;
    for (const char *name; (name = g_dir_read_name(dir));) {
        struct guid guid;
        const char *suffix;
        g_autofree char *path = g_build_filename(place->dir, name, NULL);
        if (!name_parse(name, &guid, &suffix))
            continue;
        if (pass == 0 && strcmp(suffix, MOVED_SUFFIX) == 0) {
            EC_TRY(recover_move(store, place, &guid, path));
        } else if (pass == 0 && g_str_has_prefix(suffix, NEXT_PART)) {
            g_autofree char *file = file_in(place, &guid, FILE_SUFFIX);
            EC_TRY(replace_finish(place->dir, file, suffix + strlen(NEXT_PART)));
        } else if (pass == 1 && strcmp(suffix, MOVING_SUFFIX) == 0) {
            log_event(LOG_LEVEL_INFO, "store.move_undone", "file", path, "do", "move it again",
                      NULL);
            unlink_database(path);
        }
    }
    return EC_OK;
}

static enum ec place_add(struct store *store, const char *name, const char *dir) {
    struct store_place *place = &store->places[store->n_places++];
    *place = (struct store_place){g_strdup(name), g_strdup(dir)};
    if (g_mkdir_with_parents(dir, 0700) == 0)
        return EC_OK;
    log_event(LOG_LEVEL_ERROR, "store.open_failed", "dir", dir, "error", g_strerror(errno), "do",
              "create the folder or correct its owner and mode", NULL);
    return EC_DISK_ERROR;
}

enum ec places_open(struct store *store, const char *dir) {
    store->places = g_new0(struct store_place, store->options.n_databases + 1);
    EC_TRY(place_add(store, DEFAULT_NAME, dir));
    for (unsigned i = 0; i < store->options.n_databases; i++)
        EC_TRY(
            place_add(store, store->options.databases[i].name, store->options.databases[i].path));
    store->options.databases = NULL; // the caller's
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < store->n_places; i++) {
            enum ec ec = recover_place(store, &store->places[i], pass);
            if (ec != EC_OK)
                log_event(LOG_LEVEL_ERROR, "store.recovery_failed", "dir", store->places[i].dir,
                          "error", ec_text(ec), "do", "see that the folder may be written", NULL);
            EC_TRY(ec);
        }
    return EC_OK;
}

void places_free(struct store *store) {
    for (unsigned i = 0; i < store->n_places; i++) {
        g_free(store->places[i].name);
        g_free(store->places[i].dir);
    }
    g_free(store->places);
}
