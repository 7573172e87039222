// The place backups are kept: content-addressed chunks, and manifests that name them.
//
// A target is a folder:
//
//     bourse-backup      says that it is one, and its version
//     lock               flock of who writes
//     manifests/ID       one for each backup, written last: without it there is no backup
//     chunks/xx/HASH     zstd of up to 64 KiB of a file, named by the BLAKE2b-256 of what it holds;
//                        a file's list of chunks is kept as a chunk too
//     tmp/               copies and chunks on their way; emptied by the next backup
//
// Files are cut at multiples of 64 KiB, so that a page that changed costs one new chunk, and what
// did not change is not stored again, whichever backup or mailbox it was in before. An interrupted
// backup leaves chunks that nobody names: the next one finds and uses them, pruning deletes them.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/guid.h"
#include "base/result.h"

#define BACKUP_HASH_SIZE 32
#define BACKUP_CHUNK (64 * 1024)
#define BACKUP_LIST_MAX (64 * 1024 * 1024) // bytes of a file's list: files up to 128 GiB
#define BACKUP_MANIFEST_MAX (256 * 1024 * 1024)

struct backup_hash {
    uint8_t bytes[BACKUP_HASH_SIZE];
};

enum backup_kind { BACKUP_FULL, BACKUP_INCREMENTAL, BACKUP_PART }; // PART: some mailboxes only

struct backup_file {
    const char *name;    // below the data directory: "directory.db", "store/GUID.mbx", "tls/..."
    const char *address; // a mailbox's owner; "" for other files
    const char *state;   // what the file looked like, to know it unchanged; "" not noted
    uint64_t size;
    struct backup_hash list; // of the chunk that lists its chunks
};

struct backup_manifest {
    const char *id; // "20261124T105500Z"
    filetime_t created;
    enum backup_kind kind;
    const char *version; // of the program
    struct backup_file *files;
    unsigned n_files;
};

// --- Targets ---
struct backup_target;
// `to_write`: makes it when it is missing, takes the lock and empties tmp/. On failure *error_out
// (g_free) says what to do. EC_NOT_FOUND: no target; EC_COLLISION: the folder is something else;
// EC_BUSY: another backup runs; EC_ACCESS_DENIED; EC_BAD_VERSION.
enum ec backup_target_open(const char *path, bool to_write, struct backup_target **out,
                           char **error_out);
void backup_target_close(struct backup_target *t); // accepts NULL

// A name for a file in tmp/ (g_free).
char *backup_temporary(struct backup_target *t, const char *name);

struct backup_stats {
    uint64_t bytes_read, bytes_new, chunks, chunks_new; // bytes_new: as stored
};

// Chunks of backups made before are taken as they are when they are in `known` (backup_known);
// others that are there already are read and compared. `m` NULL: an empty set.
GHashTable *backup_known(struct backup_target *t, const struct backup_manifest *m);

// Stores the file at `path`; fills in size and list. `progress` may be NULL.
enum ec backup_put(struct backup_target *t, const char *path, GHashTable *known,
                   struct backup_file *file, struct backup_stats *stats,
                   void (*progress)(void *ctx, unsigned percent), void *ctx);

// Writes the file to `path`, which must not exist; every chunk is verified. EC_CORRUPT_DATA with
// the chunk named in *error_out (g_free).
enum ec backup_get(struct backup_target *t, const struct backup_file *file, const char *path,
                   char **error_out);

// --- Manifests ---

// Makes everything stored so far durable, then the manifest: the backup exists from now on.
enum ec backup_manifest_put(struct backup_target *t, const struct backup_manifest *m);
// EC_NOT_FOUND; EC_CORRUPT_DATA when its checksum does not fit.
enum ec backup_manifest_get(struct backup_target *t, struct arena *arena, const char *id,
                            struct backup_manifest *out);
// Ids of all backups, oldest first (g_strdup'd).
enum ec backup_manifest_list(struct backup_target *t, GPtrArray **out);
// The newest backup not after `at` (0: at all) that has a file called `name` (NULL: is a backup of
// everything). EC_NOT_FOUND.
enum ec backup_manifest_find(struct backup_target *t, struct arena *arena, filetime_t at,
                             const char *name, struct backup_manifest *out);

const struct backup_file *backup_manifest_file(const struct backup_manifest *m, const char *name);
// The mailbox whose owner had this address then. NULL: none.
const struct backup_file *backup_manifest_mailbox(const struct backup_manifest *m,
                                                  const char *address);
// "store/GUID.mbx" in the arena.
const char *backup_mailbox_name(struct arena *arena, const struct guid *guid);
bool backup_file_is_mailbox(const struct backup_file *file, struct guid *guid_out);

// The bytes of a manifest, and back (for tests and the fuzzer).
GString *backup_manifest_format(const struct backup_manifest *m);
enum ec backup_manifest_parse(const char *text, size_t len, struct arena *arena,
                              struct backup_manifest *out);

// --- Upkeep ---

// Reads every chunk the backup needs; a line for each fault. `seen`: chunks verified already
// (shared between calls).
enum ec backup_verify(struct backup_target *t, const struct backup_manifest *m, GHashTable *seen,
                      GPtrArray *faults, void (*progress)(void *ctx, unsigned percent), void *ctx);

struct backup_pruned {
    unsigned n_backups, n_chunks;
    uint64_t bytes;
};
// Deletes all but the newest `keep` backups, and the chunks nobody names. A manifest that cannot be
// read stops it (EC_CORRUPT_DATA): its chunks must not be lost.
enum ec backup_prune(struct backup_target *t, unsigned keep, struct backup_pruned *out);
