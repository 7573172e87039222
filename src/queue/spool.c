// Taking a message in: its bytes are held in memory while they are few, then in a file of their
// own; submitting hands envelope and bytes to the committer.
#include "queue/queue_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct queue_spool {
    struct queue *q;
    uint64_t id;
    char id_text[QUEUE_ID_SIZE];
    uint64_t size, max;
    GByteArray *data; // until fd
    GBytes *bytes;    // instead of `data`, once it was read
    int fd;           // -1: in memory
    char *path;
    enum ec failed; // the first failure; sticky
};

void queue_set_min_free(struct queue *q, uint64_t bytes) {
    pthread_mutex_lock(&q->lock);
    q->min_free = bytes;
    pthread_mutex_unlock(&q->lock);
    atomic_store(&q->free_checked, 0);
}

// Whether the disk is too full to take something new in.
static bool is_low(struct queue *q) {
    int64_t now = g_get_monotonic_time(), checked = atomic_load(&q->free_checked);
    if (checked && now - checked < QUEUE_FREE_CHECK_US)
        return atomic_load(&q->is_low);
    atomic_store(&q->free_checked, now);
    pthread_mutex_lock(&q->lock);
    uint64_t min_free = q->min_free;
    pthread_mutex_unlock(&q->lock);
    struct statvfs st;
    bool low = fstatvfs(q->dir_fd, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < min_free;
    if (low != atomic_exchange(&q->is_low, low))
        log_event(low ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
                  low ? "queue.disk_low" : "queue.disk_recovered", "free",
                  log_u64((uint64_t)st.f_bavail * st.f_frsize), NULL);
    return low;
}

enum ec queue_spool_new(struct queue *q, struct queue_spool **out) {
    if (is_low(q))
        return EC_DISK_FULL;
    struct queue_spool *s = g_new0(struct queue_spool, 1);
    s->q = q;
    s->id = atomic_fetch_add(&q->next_id, 1);
    queue_id_format(s->id, s->id_text);
    s->max = UINT64_MAX;
    s->data = g_byte_array_new();
    s->fd = -1;
    *out = s;
    return EC_OK;
}

const char *queue_spool_id(const struct queue_spool *s) {
    return s->id_text;
}

void queue_spool_limit(struct queue_spool *s, uint64_t max) {
    s->max = max;
}

uint64_t queue_spool_size(const struct queue_spool *s) {
    return s->size;
}

void queue_spool_free(struct queue_spool *s) {
    if (!s)
        return;
    if (s->fd >= 0) {
        close(s->fd);
        unlink(s->path);
    }
    if (s->data)
        g_byte_array_unref(s->data);
    if (s->bytes)
        g_bytes_unref(s->bytes);
    g_free(s->path);
    g_free(s);
}

static enum ec write_all(int fd, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? ec_from_errno(errno) : EC_DISK_FULL;
        data += n;
        len -= (size_t)n;
    }
    return EC_OK;
}

// From memory to a file.
static enum ec spill(struct queue_spool *s) {
    s->path = queue_large_path(s->q, s->id);
    s->fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return ec_from_errno(errno);
    enum ec ec = write_all(s->fd, s->data->data, s->data->len);
    g_byte_array_unref(g_steal_pointer(&s->data));
    return ec;
}

enum ec queue_spool_write(struct queue_spool *s, const void *data, size_t len) {
    g_assert(!s->bytes);
    if (s->failed != EC_OK)
        return s->failed;
    if (len > s->max - MIN(s->max, s->size))
        return s->failed = EC_MESSAGE_TOO_BIG;
    if (s->fd < 0 && s->size + len > QUEUE_INLINE_MAX)
        s->failed = spill(s);
    if (s->failed == EC_OK && s->fd >= 0)
        s->failed = write_all(s->fd, data, len);
    else if (s->failed == EC_OK)
        g_byte_array_append(s->data, data, (guint)len);
    if (s->failed == EC_OK)
        s->size += len;
    else
        log_event(LOG_LEVEL_WARNING, "queue.spool_failed", "queue", s->id_text, "error",
                  ec_text(s->failed), NULL);
    return s->failed;
}

enum ec queue_spool_read(struct queue_spool *s, GBytes **out) {
    if (s->failed != EC_OK)
        return s->failed;
    if (s->data)
        s->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&s->data));
    if (s->bytes) {
        *out = g_bytes_ref(s->bytes);
        return EC_OK;
    }
    g_autoptr(GMappedFile) map = g_mapped_file_new_from_fd(s->fd, FALSE, NULL);
    if (!map)
        return EC_DISK_ERROR;
    *out = g_mapped_file_get_bytes(map);
    return EC_OK;
}

// The large file and its name are durable before the record that speaks of them.
static enum ec sync_large(struct queue_spool *s) {
    if (fdatasync(s->fd) < 0 || fsync(s->q->dir_fd) < 0)
        return ec_from_errno(errno);
    close(s->fd);
    s->fd = -1;
    return EC_OK;
}

static struct entry *make_entry(struct queue_spool *s, const struct queue_envelope *envelope,
                                GByteArray *encoded) {
    struct entry *e = g_new0(struct entry, 1);
    e->id = s->id;
    e->arrived = clock_now();
    e->next = MAX(e->arrived, envelope->hold_until);
    e->size = s->size;
    e->is_large = s->path != NULL;
    e->n_recipients = e->n_pending = envelope->n_recipients;
    gsize len;
    e->envelope = g_byte_array_steal(encoded, &len);
    e->envelope_len = (uint32_t)len;
    return e;
}

enum ec queue_submit_async_take(struct queue *q, const struct queue_envelope *envelope,
                                struct queue_spool *s, void (*done)(void *ctx, enum ec result),
                                void *ctx) {
    enum ec ec = s->failed;
    g_autoptr(GByteArray) encoded = NULL;
    if (ec == EC_OK && envelope->n_recipients == 0)
        ec = EC_INVALID_RECIPIENTS;
    if (ec == EC_OK && !(encoded = record_encode_envelope(envelope)))
        ec = EC_TOO_MANY_RECIPIENTS;
    if (ec == EC_OK && s->fd >= 0)
        ec = sync_large(s);
    if (ec != EC_OK) {
        queue_spool_free(s);
        return ec;
    }
    struct entry *e = make_entry(s, envelope, encoded);
    struct record r = {.type = RECORD_SUBMIT,
                       .id = e->id,
                       .arrived = e->arrived,
                       .size = e->size,
                       .is_large = e->is_large,
                       .envelope = e->envelope,
                       .envelope_len = e->envelope_len};
    struct commit *c = g_new0(struct commit, 1);
    c->type = RECORD_SUBMIT;
    c->head = record_encode(&r);
    c->data = s->data ? g_byte_array_free_to_bytes(g_steal_pointer(&s->data))
                      : g_steal_pointer(&s->bytes);
    c->entry = e;
    c->wants_sync = true;
    c->done = done;
    c->ctx = ctx;
    pthread_mutex_lock(&q->lock);
    commit_add_take(q, c);
    pthread_mutex_unlock(&q->lock);
    g_free(s->path);
    g_free(s);
    return EC_OK;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool is_done;
    enum ec result;
};

static void waiter_done(void *ctx, enum ec result) {
    struct waiter *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->is_done = true;
    w->result = result;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

enum ec queue_submit_take(struct queue *q, const struct queue_envelope *envelope,
                          struct queue_spool *s, char id_out[QUEUE_ID_SIZE]) {
    struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    queue_id_format(s->id, id_out);
    enum ec ec = queue_submit_async_take(q, envelope, s, waiter_done, &w);
    if (ec != EC_OK)
        return ec;
    pthread_mutex_lock(&w.lock);
    while (!w.is_done)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.cond);
    return w.result;
}
