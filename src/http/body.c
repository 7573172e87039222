// The body of a request: in memory while it is small, in an unlinked file when it is large.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_internal.h"

static enum ec failed(const char *dir) {
    int error = errno;
    log_event(LOG_LEVEL_ERROR, "http.spool_failed", "dir", dir, "reason", g_strerror(error), NULL);
    return error == ENOSPC || error == EDQUOT ? EC_DISK_FULL : EC_DISK_ERROR;
}

static enum ec write_all(int fd, const char *dir, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(dir);
        data += n;
        len -= (size_t)n;
    }
    return EC_OK;
}

static enum ec to_file(struct http_body *b, const char *dir) {
    b->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (b->fd < 0) {
        // Not every file system knows files without a name.
        g_autofree char *path = g_build_filename(dir, "bourse-body-XXXXXX", NULL);
        b->fd = mkostemp(path, O_CLOEXEC);
        if (b->fd < 0)
            return failed(dir);
        unlink(path);
    }
    EC_TRY(write_all(b->fd, dir, b->memory->data, b->memory->len));
    g_clear_pointer(&b->memory, g_byte_array_unref);
    return EC_OK;
}

enum ec http_body_add(struct http_body *b, const char *dir, const void *data, size_t len) {
    b->len += len;
    if (b->is_dropped)
        return EC_OK;
    if (b->fd < 0 && b->memory == NULL)
        b->memory = g_byte_array_new();
    if (b->fd < 0 && b->memory->len + len > HTTP_BODY_IN_MEMORY)
        EC_TRY(to_file(b, dir != NULL ? dir : g_get_tmp_dir()));
    if (b->fd >= 0)
        return write_all(b->fd, dir != NULL ? dir : g_get_tmp_dir(), data, len);
    g_byte_array_append(b->memory, data, (guint)len);
    return EC_OK;
}

enum ec http_body_finish(struct http_body *b) {
    if (b->fd < 0 || b->mapped != NULL || b->is_dropped)
        return EC_OK;
    void *at = mmap(NULL, b->len, PROT_READ, MAP_PRIVATE, b->fd, 0);
    if (at == MAP_FAILED)
        return failed("(mmap)");
    b->mapped = at;
    return EC_OK;
}

static void forget(struct http_body *b) {
    g_clear_pointer(&b->memory, g_byte_array_unref);
    if (b->mapped != NULL)
        munmap(b->mapped, b->len);
    b->mapped = NULL;
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}

void http_body_drop(struct http_body *b) {
    forget(b);
    b->is_dropped = true;
}

void http_body_clear(struct http_body *b) {
    forget(b);
    b->len = 0;
}

const uint8_t *http_body(const struct http_request *r, size_t *len_out) {
    const struct http_body *b = &r->body;
    *len_out = b->is_dropped ? 0 : (size_t)b->len;
    if (*len_out == 0)
        return (const uint8_t *)"";
    return b->mapped != NULL ? b->mapped : b->memory->data;
}
