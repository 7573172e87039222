// Chunks of a backup: named by what they hold, compressed, verified whenever they are read.
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "store/backup_internal.h"

#define ZSTD_LEVEL 3

enum ec backup_error_of(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return EC_DISK_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return EC_ACCESS_DENIED;
    case ENOENT:
    case ENOTDIR:
        return EC_NOT_FOUND;
    default:
        return EC_DISK_ERROR;
    }
}

void backup_hash_of(const void *data, size_t len, struct backup_hash *out) {
    crypto_generichash(out->bytes, sizeof out->bytes, data, len, NULL, 0);
}

guint backup_hash_hash(gconstpointer hash) {
    guint h;
    memcpy(&h, hash, sizeof h);
    return h;
}

gboolean backup_hash_same(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, BACKUP_HASH_SIZE) == 0;
}

char *backup_hash_text(const struct backup_hash *hash) {
    char *text = g_malloc(2 * BACKUP_HASH_SIZE + 1);
    for (unsigned i = 0; i < BACKUP_HASH_SIZE; i++)
        sprintf(text + 2 * i, "%02x", hash->bytes[i]);
    return text;
}

bool backup_hash_parse(const char *text, struct backup_hash *out) {
    for (unsigned i = 0; i < BACKUP_HASH_SIZE; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[2 * i + 1]);
        if (low < 0)
            return false;
        out->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * BACKUP_HASH_SIZE] == 0;
}

char *backup_chunk_path(const struct backup_target *t, const struct backup_hash *hash) {
    g_autofree char *text = backup_hash_text(hash);
    return g_strdup_printf("%s/chunks/%.2s/%s", t->path, text, text);
}

enum ec backup_write_file(const char *path, const void *data, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return backup_error_of(errno);
    enum ec ec = EC_OK;
    for (const char *p = data; len > 0 && ec == EC_OK;) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno != EINTR)
            ec = backup_error_of(errno);
        else if (n > 0)
            p += n, len -= (size_t)n;
    }
    if (close(fd) != 0 && ec == EC_OK)
        ec = backup_error_of(errno);
    if (ec != EC_OK)
        unlink(path);
    return ec;
}

static bool is_there_and_whole(const struct backup_target *t, const struct backup_hash *hash,
                               const char *path, size_t len, GHashTable *known) {
    if (g_access(path, F_OK) != 0)
        return false;
    if (known && g_hash_table_contains(known, hash))
        return true;
    g_autoptr(GBytes) bytes = NULL;
    return backup_chunk_get(t, hash, len, &bytes) == EC_OK;
}

static enum ec write_chunk(struct backup_target *t, const char *path, const void *data, size_t len,
                           struct backup_stats *stats) {
    size_t max = ZSTD_compressBound(len);
    g_autofree uint8_t *packed = g_malloc(max);
    size_t n = ZSTD_compress(packed, max, data, len, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return EC_CALL_FAILED;
    g_autofree char *name = g_strdup_printf("chunk-%u", t->n_written++);
    g_autofree char *part = backup_temporary(t, name);
    g_autofree char *dir = g_path_get_dirname(path);
    EC_TRY(backup_write_file(part, packed, n));
    if (g_mkdir(dir, 0700) != 0 && errno != EEXIST)
        return backup_error_of(errno);
    if (rename(part, path) != 0)
        return backup_error_of(errno);
    stats->chunks_new++;
    stats->bytes_new += n;
    return EC_OK;
}

enum ec backup_chunk_put(struct backup_target *t, const void *data, size_t len, GHashTable *known,
                         struct backup_hash *hash_out, struct backup_stats *stats) {
    backup_hash_of(data, len, hash_out);
    g_autofree char *path = backup_chunk_path(t, hash_out);
    stats->chunks++;
    if (is_there_and_whole(t, hash_out, path, len, known))
        return EC_OK;
    return write_chunk(t, path, data, len, stats);
}

enum ec backup_chunk_get(const struct backup_target *t, const struct backup_hash *hash, size_t max,
                         GBytes **out) {
    g_autofree char *path = backup_chunk_path(t, hash);
    g_autofree char *packed = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;
    if (!g_file_get_contents(path, &packed, &len, &error))
        return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? EC_NOT_FOUND
                                                                        : EC_DISK_ERROR;
    unsigned long long size = ZSTD_getFrameContentSize(packed, len);
    // The errors are the largest numbers there are.
    if (size > max)
        return EC_CORRUPT_DATA;
    g_autofree uint8_t *data = g_malloc(size + 1);
    struct backup_hash found;
    if (ZSTD_decompress(data, size, packed, len) != size)
        return EC_CORRUPT_DATA;
    backup_hash_of(data, size, &found);
    if (!backup_hash_same(&found, hash))
        return EC_CORRUPT_DATA;
    *out = g_bytes_new_take(g_steal_pointer(&data), size);
    return EC_OK;
}

// --- Files ---

enum ec backup_list_get(const struct backup_target *t, const struct backup_file *file, GBytes **out,
                        unsigned *n_out) {
    EC_TRY(backup_chunk_get(t, &file->list, BACKUP_LIST_MAX, out));
    size_t len = g_bytes_get_size(*out);
    uint64_t wanted = (file->size + BACKUP_CHUNK - 1) / BACKUP_CHUNK;
    if (len != wanted * BACKUP_HASH_SIZE) {
        g_clear_pointer(out, g_bytes_unref);
        return EC_CORRUPT_DATA;
    }
    *n_out = (unsigned)wanted;
    return EC_OK;
}

// Fills the buffer unless the file ends.
static enum ec read_full(int fd, uint8_t *buffer, size_t *len_out) {
    size_t len = 0;
    while (len < BACKUP_CHUNK) {
        ssize_t n = read(fd, buffer + len, BACKUP_CHUNK - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return backup_error_of(errno);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *len_out = len;
    return EC_OK;
}

static enum ec put_chunks(struct backup_target *t, int fd, uint64_t size, GHashTable *known,
                          struct backup_file *file, struct backup_stats *stats,
                          void (*progress)(void *ctx, unsigned percent), void *ctx) {
    g_autofree uint8_t *buffer = g_malloc(BACKUP_CHUNK);
    g_autoptr(GByteArray) list = g_byte_array_new();
    file->size = 0;
    // A file that grows ends where its end was first seen: only the last chunk is a short one.
    for (size_t len = BACKUP_CHUNK; len == BACKUP_CHUNK;) {
        struct backup_hash hash;
        EC_TRY(read_full(fd, buffer, &len));
        if (len == 0)
            break;
        EC_TRY(backup_chunk_put(t, buffer, len, known, &hash, stats));
        g_byte_array_append(list, hash.bytes, sizeof hash.bytes);
        if (list->len > BACKUP_LIST_MAX)
            return EC_TABLE_TOO_BIG;
        file->size += len;
        if (progress && size > 0 && list->len % (64 * BACKUP_HASH_SIZE) == 0)
            progress(ctx, (unsigned)MIN(file->size * 100 / size, 100));
    }
    stats->bytes_read += file->size;
    return backup_chunk_put(t, list->data ? list->data : (const uint8_t *)"", list->len, known,
                            &file->list, stats);
}

enum ec backup_put(struct backup_target *t, const char *path, GHashTable *known,
                   struct backup_file *file, struct backup_stats *stats,
                   void (*progress)(void *ctx, unsigned percent), void *ctx) {
    GStatBuf st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return backup_error_of(errno);
    enum ec ec = fstat(fd, &st) == 0 ? EC_OK : backup_error_of(errno);
    if (ec == EC_OK)
        ec = put_chunks(t, fd, (uint64_t)st.st_size, known, file, stats, progress, ctx);
    close(fd);
    return ec;
}

static enum ec write_chunks(struct backup_target *t, const struct backup_file *file, int fd,
                            char **error_out) {
    g_autoptr(GBytes) list = NULL;
    unsigned n = 0;
    enum ec ec = backup_list_get(t, file, &list, &n);
    const struct backup_hash *hashes = list ? g_bytes_get_data(list, NULL) : NULL;
    const struct backup_hash *bad = ec == EC_OK ? NULL : &file->list;
    uint64_t left = file->size;
    for (unsigned i = 0; i < n && ec == EC_OK; i++) {
        g_autoptr(GBytes) bytes = NULL;
        size_t len = 0, want = (size_t)MIN(left, BACKUP_CHUNK);
        ec = backup_chunk_get(t, &hashes[i], BACKUP_CHUNK, &bytes);
        const void *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;
        if (ec == EC_OK && len != want)
            ec = EC_CORRUPT_DATA;
        if (ec != EC_OK)
            bad = &hashes[i];
        else if (write(fd, data, len) != (ssize_t)len)
            return errno == EINTR ? EC_DISK_ERROR : backup_error_of(errno ? errno : ENOSPC);
        left -= want;
    }
    if (bad) {
        g_autofree char *text = backup_hash_text(bad);
        *error_out = g_strdup_printf("%s: chunk %s %s", file->name, text,
                                     ec == EC_NOT_FOUND ? "is missing" : "is damaged");
        return EC_CORRUPT_DATA;
    }
    return ec;
}

enum ec backup_get(struct backup_target *t, const struct backup_file *file, const char *path,
                   char **error_out) {
    *error_out = NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return backup_error_of(errno);
    enum ec ec = write_chunks(t, file, fd, error_out);
    if (ec == EC_OK && fsync(fd) != 0)
        ec = backup_error_of(errno);
    close(fd);
    if (ec != EC_OK)
        unlink(path);
    return ec;
}
