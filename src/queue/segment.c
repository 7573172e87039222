// Segment files: making, reading back, deleting. At start each is mapped and its good records are
// applied in order; the files of large messages that no entry names are swept away.
#include "queue/queue_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guid.h"
#include "base/log.h"

enum ec ec_from_errno(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: // RLIMIT_FSIZE, or a file system's limit
        return EC_DISK_FULL;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return EC_NOT_ENOUGH_RESOURCES;
    default:
        return EC_DISK_ERROR;
    }
}

static char *segment_path(struct queue *q, uint64_t number) {
    return g_strdup_printf("%s/%016" G_GINT64_MODIFIER "x.seg", q->dir, (guint64)number);
}

struct segment *segment_ref(struct segment *s) {
    __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void segment_unref(struct segment *s) {
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    close(s->fd);
    g_free(s->path);
    g_free(s);
}

void segment_delete(struct segment *s) {
    if (unlink(s->path) < 0 && errno != ENOENT)
        log_event(LOG_LEVEL_WARNING, "queue.delete_failed", "path", s->path, "error",
                  g_strerror(errno), NULL);
    segment_unref(s);
}

enum ec segment_create(struct queue *q, uint64_t number, struct segment **out) {
    uint8_t header[SEGMENT_HEADER_SIZE];
    struct guid random = guid_new();
    uint32_t magic;
    memcpy(&magic, random.bytes + 10, sizeof magic);
    segment_header_put(header, number, magic);
    g_autofree char *path = segment_path(q, number);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ec_from_errno(errno);
    // The name must be durable before what the file holds is acknowledged.
    ssize_t n = pwrite(fd, header, sizeof header, 0);
    if (n != (ssize_t)sizeof header || fsync(q->dir_fd) < 0) {
        enum ec ec = n >= 0 && n < (ssize_t)sizeof header ? EC_DISK_FULL : ec_from_errno(errno);
        close(fd);
        unlink(path);
        return ec;
    }
    struct segment *s = g_new0(struct segment, 1);
    s->number = number;
    s->magic = magic;
    s->fd = fd;
    s->path = g_steal_pointer(&path);
    s->size = sizeof header;
    s->refs = 1;
    *out = s;
    return EC_OK;
}

// --- Reading back ---

struct load {
    struct queue *q;
    struct segment *segment;
    const uint8_t *data;
    uint64_t max_id;
};

static void drop_entry(struct queue *q, struct entry *e) {
    e->segment->n_live--;
    e->segment->live_bytes -= e->record_len;
    g_hash_table_remove(q->entries, &e->id);
    entry_free(q, e);
}

static void load_submit(struct load *l, const struct record *r) {
    ARENA_AUTO arena = arena_new();
    struct queue_envelope envelope;
    if (!record_decode_envelope(r->envelope, r->envelope_len, arena, &envelope) ||
        envelope.n_recipients == 0)
        return;
    struct entry *old = g_hash_table_lookup(l->q->entries, &r->id);
    if (old)
        drop_entry(l->q, old);
    struct entry *e = g_new0(struct entry, 1);
    e->id = r->id;
    e->arrived = r->arrived;
    e->next = MAX(r->arrived, envelope.hold_until);
    e->size = r->size;
    e->is_large = r->is_large;
    e->envelope = g_memdup2(r->envelope, r->envelope_len);
    e->envelope_len = (uint32_t)r->envelope_len;
    e->n_recipients = e->n_pending = envelope.n_recipients;
    e->segment = l->segment;
    e->data_pos = r->data_pos;
    e->record_len = r->len;
    e->segment->n_live++;
    e->segment->live_bytes += r->len;
    g_hash_table_insert(l->q->entries, &e->id, e);
}

static void load_retry(struct load *l, const struct record *r) {
    struct entry *e = g_hash_table_lookup(l->q->entries, &r->id);
    if (!e)
        return;
    e->next = r->next;
    e->attempts = r->attempts & ~ATTEMPTS_DELAY_REPORTED;
    e->is_delay_reported = r->attempts & ATTEMPTS_DELAY_REPORTED;
    g_free(e->reason);
    e->reason = *r->reason ? g_utf8_make_valid(r->reason, -1) : NULL;
    size_t need = (e->n_recipients + 7) / 8;
    if (r->done_len != need)
        return;
    g_free(e->done);
    e->done = g_memdup2(r->done, need);
    e->n_pending = 0;
    for (unsigned i = 0; i < e->n_recipients; i++)
        e->n_pending += !(e->done[i / 8] >> i % 8 & 1);
    if (e->n_pending == 0)
        drop_entry(l->q, e);
}

static void load_record(void *ctx, const struct record *r) {
    struct load *l = ctx;
    l->max_id = MAX(l->max_id, r->id);
    if (r->type == RECORD_SUBMIT) {
        load_submit(l, r);
    } else if (r->type == RECORD_RETRY) {
        load_retry(l, r);
    } else {
        struct entry *e = g_hash_table_lookup(l->q->entries, &r->id);
        if (e)
            drop_entry(l->q, e);
    }
}

static enum ec load_segment(struct load *l, uint64_t number) {
    struct queue *q = l->q;
    g_autofree char *path = segment_path(q, number);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        log_event(LOG_LEVEL_ERROR, "queue.open_failed", "path", path, "error", g_strerror(errno),
                  NULL);
        if (fd >= 0)
            close(fd);
        return EC_DISK_ERROR;
    }
    struct segment *s = g_new0(struct segment, 1);
    s->number = number;
    s->fd = fd;
    s->path = g_steal_pointer(&path);
    s->refs = 1;
    g_queue_push_tail(&q->segments, s);
    size_t size = (size_t)st.st_size;
    uint8_t *map = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (map == MAP_FAILED) {
        log_event(LOG_LEVEL_ERROR, "queue.map_failed", "path", s->path, NULL);
        return EC_DISK_ERROR;
    }
    l->segment = s;
    struct segment_scan scan;
    bool is_good = segment_scan(map ? map : (const uint8_t *)"", size, load_record, l, &scan);
    if (map)
        munmap(map, size);
    s->size = is_good ? scan.end : 0;
    if (is_good && scan.skipped)
        log_event(LOG_LEVEL_ERROR, "queue.damaged", "path", s->path, "bytes", log_u64(scan.skipped),
                  NULL);
    // A file without a header was being made when the power went: nothing in it was acknowledged.
    if (s->size < size) {
        log_event(LOG_LEVEL_INFO, "queue.tail_cut", "path", s->path, "bytes",
                  log_u64(size - s->size), NULL);
        if (ftruncate(fd, (off_t)s->size) < 0)
            log_event(LOG_LEVEL_WARNING, "queue.cut_failed", "path", s->path, NULL);
    }
    return EC_OK;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// Files of large messages: those of live entries stay; an entry whose file is gone cannot be
// delivered and is dropped, loudly.
static void sweep_large(struct queue *q, GPtrArray *names) {
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(q->dir, name, NULL);
        uint64_t id;
        struct entry *e = queue_id_parse(name, &id) ? g_hash_table_lookup(q->entries, &id) : NULL;
        if ((!e || !e->is_large) && unlink(path) < 0)
            log_event(LOG_LEVEL_WARNING, "queue.delete_failed", "path", path, NULL);
    }
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, q->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct entry *e = value;
        g_autofree char *path = queue_large_path(q, e->id);
        struct stat st;
        if (!e->is_large || (stat(path, &st) == 0 && (uint64_t)st.st_size == e->size))
            continue;
        log_event(LOG_LEVEL_ERROR, "queue.large_missing", "path", path, NULL);
        e->segment->n_live--;
        e->segment->live_bytes -= e->record_len;
        g_hash_table_iter_remove(&iter);
        entry_free(q, e);
    }
}

static void schedule_all(struct queue *q) {
    g_autoptr(GPtrArray) all = queue_entries_sorted(q);
    filetime_t now = clock_now();
    for (unsigned i = 0; i < all->len; i++) {
        struct entry *e = all->pdata[i];
        if (e->next <= now)
            schedule_ready(q, e);
        else
            schedule_wait(q, e, NULL);
    }
}

enum ec segments_load(struct queue *q) {
    g_autoptr(GDir) dir = g_dir_open(q->dir, 0, NULL);
    if (!dir)
        return EC_DISK_ERROR;
    g_autoptr(GArray) numbers = g_array_new(false, false, sizeof(uint64_t));
    g_autoptr(GPtrArray) large = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));) {
        uint64_t number;
        if (g_str_has_suffix(name, ".seg") && queue_id_parse(name, &number))
            g_array_append_val(numbers, number);
        else if (g_str_has_suffix(name, ".msg"))
            g_ptr_array_add(large, g_strdup(name));
    }
    g_array_sort(numbers, compare_numbers);
    struct load l = {.q = q};
    for (unsigned i = 0; i < numbers->len; i++)
        EC_TRY(load_segment(&l, g_array_index(numbers, uint64_t, i)));
    sweep_large(q, large);
    schedule_all(q);
    q->next_id = MAX(q->next_id, l.max_id + 1);
    return EC_OK;
}
