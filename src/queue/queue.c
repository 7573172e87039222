// Opening and closing the spool, and steering it: list, retry, drop.
#include "queue/queue_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

// An id is the count of openings, then a counter within one: unique without a write for each.
#define ID_COUNTER_BITS 40

void queue_id_format(uint64_t id, char out[QUEUE_ID_SIZE]) {
    g_snprintf(out, QUEUE_ID_SIZE, "%016" G_GINT64_MODIFIER "x", (guint64)id);
}

// Reads the 16 digits that `text` begins with; what follows may only be a file's suffix.
bool queue_id_parse(const char *text, uint64_t *out) {
    uint64_t id = 0;
    for (unsigned i = 0; i < 16; i++) {
        int digit = g_ascii_xdigit_value(text[i]);
        if (digit < 0)
            return false;
        id = id << 4 | (unsigned)digit;
    }
    *out = id;
    return text[16] == '\0' || text[16] == '.';
}

char *queue_large_path(struct queue *q, uint64_t id) {
    return g_strdup_printf("%s/%016" G_GINT64_MODIFIER "x.msg", q->dir, (guint64)id);
}

void entry_free(struct queue *q, struct entry *e) {
    if (e->bytes) {
        q->cached -= e->size;
        g_bytes_unref(e->bytes);
    }
    g_free(e->envelope);
    g_free(e->done);
    g_free(e->reason);
    g_free(e);
}

static int compare_entries(const void *a, const void *b) {
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

GPtrArray *queue_entries_sorted(struct queue *q) {
    GPtrArray *all = g_ptr_array_sized_new(g_hash_table_size(q->entries));
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, q->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(all, value);
    g_ptr_array_sort(all, compare_entries);
    return all;
}

// Counts the opening in the file "epoch", durably, before the first id is given out.
static enum ec next_epoch(struct queue *q) {
    g_autofree char *path = g_build_filename(q->dir, "epoch", NULL);
    g_autofree char *temporary = g_build_filename(q->dir, "epoch.new", NULL);
    g_autofree char *text = NULL;
    uint64_t epoch = 0;
    if (g_file_get_contents(path, &text, NULL, NULL))
        epoch = g_ascii_strtoull(text, NULL, 10);
    epoch = MAX(epoch, q->next_id >> ID_COUNTER_BITS) + 1;
    char line[32];
    int len = g_snprintf(line, sizeof line, "%" G_GUINT64_FORMAT "\n", (guint64)epoch);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_good = fd >= 0 && write(fd, line, (size_t)len) == len && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!is_good || rename(temporary, path) < 0 || fsync(q->dir_fd) < 0) {
        log_event(LOG_LEVEL_ERROR, "queue.epoch_failed", "path", path, "error",
                  g_strerror(is_good ? errno : error), NULL);
        return ec_from_errno(is_good ? errno : error);
    }
    q->next_id = (epoch << ID_COUNTER_BITS) + 1;
    return EC_OK;
}

static enum ec open_dir(struct queue *q) {
    if (mkdir(q->dir, 0700) < 0 && errno != EEXIST) {
        log_event(LOG_LEVEL_ERROR, "queue.open_failed", "path", q->dir, "error", g_strerror(errno),
                  NULL);
        return EC_DISK_ERROR;
    }
    q->dir_fd = open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *lock = g_build_filename(q->dir, "lock", NULL);
    q->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (q->dir_fd < 0 || q->lock_fd < 0) {
        log_event(LOG_LEVEL_ERROR, "queue.open_failed", "path", q->dir, "error", g_strerror(errno),
                  NULL);
        return EC_DISK_ERROR;
    }
    return flock(q->lock_fd, LOCK_EX | LOCK_NB) == 0 ? EC_OK : EC_BUSY;
}

static void free_queue(struct queue *q) {
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, q->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        entry_free(q, value);
    g_hash_table_unref(q->entries);
    for (struct segment *s; (s = g_queue_pop_head(&q->segments));)
        segment_unref(s);
    g_ptr_array_unref(q->waiting);
    g_hash_table_unref(q->lanes);
    g_ptr_array_unref(q->pending);
    pthread_cond_destroy(&q->claimable);
    pthread_cond_destroy(&q->committable);
    pthread_mutex_destroy(&q->lock);
    if (q->dir_fd >= 0)
        close(q->dir_fd);
    if (q->lock_fd >= 0)
        close(q->lock_fd);
    g_free(q->dir);
    g_free(q);
}

enum ec queue_open(const char *dir, struct queue **out) {
    struct queue *q = g_new0(struct queue, 1);
    q->dir = g_strdup(dir);
    q->dir_fd = q->lock_fd = -1;
    q->min_free = QUEUE_MIN_FREE;
    q->entries = g_hash_table_new(g_int64_hash, g_int64_equal);
    q->waiting = g_ptr_array_new();
    q->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lane_free);
    q->pending = g_ptr_array_new();
    g_queue_init(&q->ready);
    g_queue_init(&q->segments);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->claimable, &attr);
    pthread_cond_init(&q->committable, &attr);
    pthread_condattr_destroy(&attr);
    enum ec ec = open_dir(q);
    if (ec == EC_OK)
        ec = segments_load(q);
    if (ec == EC_OK)
        ec = next_epoch(q);
    if (ec == EC_OK && pthread_create(&q->committer, NULL, commit_run, q) != 0)
        ec = EC_NOT_ENOUGH_RESOURCES;
    if (ec != EC_OK) {
        free_queue(q);
        return ec;
    }
    *out = q;
    return EC_OK;
}

void queue_close(struct queue *q) {
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->is_closing = true;
    pthread_cond_signal(&q->committable);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->committer, NULL);
    free_queue(q);
}

// --- Steering ---

static void list_one(const struct entry *e, struct arena *arena, struct queue_entry *out,
                     struct queue_envelope *envelope_out) {
    struct queue_envelope envelope = {.sender = ""};
    record_decode_envelope(e->envelope, e->envelope_len, arena, &envelope);
    const char **pending = arena_alloc0(arena, envelope.n_recipients * sizeof *pending);
    unsigned n = 0;
    for (unsigned i = 0; i < envelope.n_recipients; i++)
        if (!e->done || !(e->done[i / 8] >> i % 8 & 1))
            pending[n++] = envelope.recipients[i].address;
    *out = (struct queue_entry){.sender = envelope.sender,
                                .pending = pending,
                                .n_pending = n,
                                .size = e->size,
                                .arrived = e->arrived,
                                .next = e->next,
                                .attempts = e->attempts,
                                .reason = arena_strdup(arena, e->reason),
                                .is_held = e->state == ENTRY_WAITING && e->next == QUEUE_HELD,
                                .is_active = e->state == ENTRY_CLAIMED};
    queue_id_format(e->id, out->id);
    if (envelope_out)
        *envelope_out = envelope;
}

enum ec queue_list(struct queue *q, struct arena *arena, struct queue_entry **out,
                   unsigned *n_out) {
    pthread_mutex_lock(&q->lock);
    g_autoptr(GPtrArray) all = queue_entries_sorted(q);
    struct queue_entry *list = arena_alloc0(arena, all->len * sizeof *list);
    for (unsigned i = 0; i < all->len; i++)
        list_one(all->pdata[i], arena, &list[i], NULL);
    pthread_mutex_unlock(&q->lock);
    *out = list;
    *n_out = all->len;
    return EC_OK;
}

// Under the lock. NULL: there is none.
static struct entry *find(struct queue *q, const char *text) {
    uint64_t id;
    return queue_id_parse(text, &id) ? g_hash_table_lookup(q->entries, &id) : NULL;
}

enum ec queue_get(struct queue *q, struct arena *arena, const char *id, struct queue_entry *out,
                  struct queue_envelope *envelope_out) {
    pthread_mutex_lock(&q->lock);
    const struct entry *e = find(q, id);
    if (e)
        list_one(e, arena, out, envelope_out);
    pthread_mutex_unlock(&q->lock);
    return e ? EC_OK : EC_NOT_FOUND;
}

static void make_due(struct queue *q, struct entry *e) {
    if (e->state != ENTRY_WAITING || e->next == QUEUE_HELD)
        return;
    schedule_remove(q, e);
    e->next = clock_now();
    schedule_ready(q, e);
}

enum ec queue_retry(struct queue *q, const char *id) {
    enum ec ec = EC_OK;
    pthread_mutex_lock(&q->lock);
    if (!id) {
        schedule_advance(q, UINT64_MAX);
    } else {
        struct entry *e = find(q, id);
        ec = e ? EC_OK : EC_NOT_FOUND;
        if (e)
            make_due(q, e);
    }
    pthread_mutex_unlock(&q->lock);
    return ec;
}

static bool has_domain(const struct queue_entry *entry, const char *domain) {
    for (unsigned i = 0; i < entry->n_pending; i++) {
        const char *at = strrchr(entry->pending[i], '@');
        if (at && g_ascii_strcasecmp(at + 1, domain) == 0)
            return true;
    }
    return false;
}

enum ec queue_flush(struct queue *q, const char *domain, unsigned *n_out) {
    ARENA_AUTO arena = arena_new();
    *n_out = 0;
    pthread_mutex_lock(&q->lock);
    g_autoptr(GPtrArray) all = queue_entries_sorted(q);
    for (unsigned i = 0; i < all->len; i++) {
        struct entry *e = all->pdata[i];
        struct queue_entry entry;
        arena_reset(arena);
        list_one(e, arena, &entry, NULL);
        if (entry.is_held || !has_domain(&entry, domain))
            continue;
        make_due(q, e);
        ++*n_out;
    }
    pthread_mutex_unlock(&q->lock);
    return EC_OK;
}

// Entries that are not claimed get a new `next`, durably.
static enum ec set_next(struct queue *q, const char *id, filetime_t next) {
    enum ec ec = EC_OK;
    pthread_mutex_lock(&q->lock);
    struct entry *e = find(q, id);
    if (!e)
        ec = EC_NOT_FOUND;
    else if (e->state == ENTRY_CLAIMED)
        ec = EC_BUSY;
    if (ec == EC_OK) {
        schedule_remove(q, e);
        e->next = next;
        commit_retry(q, e);
        if (next == QUEUE_HELD)
            schedule_wait(q, e, NULL);
        else
            schedule_ready(q, e);
    }
    pthread_mutex_unlock(&q->lock);
    return ec;
}

enum ec queue_hold(struct queue *q, const char *id) {
    return set_next(q, id, QUEUE_HELD);
}

enum ec queue_unhold(struct queue *q, const char *id) {
    return set_next(q, id, clock_now());
}

enum ec queue_drop(struct queue *q, const char *id) {
    enum ec ec = EC_OK;
    pthread_mutex_lock(&q->lock);
    struct entry *e = find(q, id);
    if (!e) {
        ec = EC_NOT_FOUND;
    } else if (e->state == ENTRY_CLAIMED) {
        ec = EC_BUSY;
    } else {
        schedule_remove(q, e);
        commit_finish(q, e, true);
    }
    pthread_mutex_unlock(&q->lock);
    return ec;
}

uint64_t queue_count(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    uint64_t n = g_hash_table_size(q->entries);
    pthread_mutex_unlock(&q->lock);
    return n;
}
