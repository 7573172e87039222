// A file without a name (it cannot be left behind), mapped when it is whole.
#include "protocol/imap/imap_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "protocol/imap/limits.h"

struct imap_spool {
    GByteArray *memory;
    int fd; // -1: in memory
    enum ec ec;
};

static enum ec ec_of_errno(int err) {
    return err == ENOSPC || err == EDQUOT ? EC_DISK_FULL : EC_DISK_ERROR;
}

static int open_nameless(const char *dir) {
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    // File systems without O_TMPFILE.
    g_autofree char *path = g_build_filename(dir, "append-XXXXXX", NULL);
    fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(path);
    return fd;
}

struct imap_spool *imap_spool_new(const char *dir, uint64_t size) {
    struct imap_spool *s = g_new0(struct imap_spool, 1);
    s->fd = -1;
    if (size <= IMAP_SPOOL_MEMORY) {
        s->memory = g_byte_array_new();
        return s;
    }
    if (!dir)
        dir = g_get_tmp_dir();
    s->fd = open_nameless(dir);
    if (s->fd < 0) {
        s->ec = ec_of_errno(errno);
        log_event(LOG_LEVEL_ERROR, "imap.spool", "folder", dir, "reason", g_strerror(errno), NULL);
    }
    return s;
}

void imap_spool_free(struct imap_spool *s) {
    if (!s)
        return;
    if (s->memory)
        g_byte_array_unref(s->memory);
    if (s->fd >= 0)
        close(s->fd);
    g_free(s);
}

void imap_spool_write(struct imap_spool *s, const void *data, size_t len) {
    if (s->ec != EC_OK)
        return;
    if (s->memory) {
        g_byte_array_append(s->memory, data, (guint)len);
        return;
    }
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(s->fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            s->ec = ec_of_errno(errno);
            log_event(LOG_LEVEL_ERROR, "imap.spool", "reason", g_strerror(errno), NULL);
            return;
        }
        p += n;
        len -= (size_t)n;
    }
}

enum ec imap_spool_finish(struct imap_spool *s, GBytes **out) {
    if (s->ec != EC_OK)
        return s->ec;
    if (s->memory) {
        *out = g_byte_array_free_to_bytes(g_steal_pointer(&s->memory));
        return EC_OK;
    }
    GMappedFile *file = g_mapped_file_new_from_fd(s->fd, FALSE, NULL);
    if (!file)
        return EC_DISK_ERROR;
    *out = g_mapped_file_get_bytes(file);
    g_mapped_file_unref(file);
    return EC_OK;
}
