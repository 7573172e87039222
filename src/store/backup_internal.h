// What the files on backups share.
#pragma once

#include "store/backup.h"

struct backup_target {
    char *path;
    int lock_fd;        // -1: only reads
    unsigned n_written; // names in tmp/
};

enum ec backup_error_of(int error); // errno

// --- backup_chunk.c ---
void backup_hash_of(const void *data, size_t len, struct backup_hash *out);
guint backup_hash_hash(gconstpointer hash);
gboolean backup_hash_same(gconstpointer a, gconstpointer b);
char *backup_hash_text(const struct backup_hash *hash); // g_free
bool backup_hash_parse(const char *text, struct backup_hash *out);
char *backup_chunk_path(const struct backup_target *t, const struct backup_hash *hash);

enum ec backup_chunk_put(struct backup_target *t, const void *data, size_t len, GHashTable *known,
                         struct backup_hash *hash_out, struct backup_stats *stats);
// At most `max` bytes; their hash is right. EC_NOT_FOUND, EC_CORRUPT_DATA.
enum ec backup_chunk_get(const struct backup_target *t, const struct backup_hash *hash, size_t max,
                         GBytes **out);
// A file's chunks (array of struct backup_hash) from its list; their number fits the file's size.
enum ec backup_list_get(const struct backup_target *t, const struct backup_file *file, GBytes **out,
                        unsigned *n_out);
enum ec backup_write_file(const char *path, const void *data, size_t len);
