// When entries are due: a line of those that are, a heap of those that will be, and the claiming of
// items by transport's workers.
#include "queue/queue_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct queue_item {
    struct queue *q;
    struct entry *entry; // state ENTRY_CLAIMED: nobody else changes it
    struct arena *arena;
    struct queue_envelope envelope;
    char id[QUEUE_ID_SIZE];
    bool has_changed; // recipients were done that are not written down
};

// --- The heap: the entry at i is due no later than those at 2i+1 and 2i+2 ---

static void heap_put(struct queue *q, struct entry *e, unsigned i) {
    q->waiting->pdata[i] = e;
    e->index = i;
}

static void heap_up(struct queue *q, struct entry *e, unsigned i) {
    for (; i > 0; i = (i - 1) / 2) {
        struct entry *parent = q->waiting->pdata[(i - 1) / 2];
        if (parent->next <= e->next)
            break;
        heap_put(q, parent, i);
    }
    heap_put(q, e, i);
}

static void heap_down(struct queue *q, struct entry *e, unsigned i) {
    for (unsigned child; (child = 2 * i + 1) < q->waiting->len; i = child) {
        struct entry *least = q->waiting->pdata[child];
        if (child + 1 < q->waiting->len) {
            struct entry *right = q->waiting->pdata[child + 1];
            if (right->next < least->next) {
                least = right;
                child++;
            }
        }
        if (e->next <= least->next)
            break;
        heap_put(q, least, i);
    }
    heap_put(q, e, i);
}

static void heap_remove(struct queue *q, struct entry *e) {
    unsigned i = e->index;
    struct entry *last = q->waiting->pdata[q->waiting->len - 1];
    g_ptr_array_set_size(q->waiting, (int)q->waiting->len - 1);
    if (last == e)
        return;
    if (last->next < e->next)
        heap_up(q, last, i);
    else
        heap_down(q, last, i);
}

void schedule_ready(struct queue *q, struct entry *e) {
    e->state = ENTRY_READY;
    e->link.data = e;
    g_queue_push_tail_link(&q->ready, &e->link);
    if (q->n_claimers)
        pthread_cond_signal(&q->claimable);
}

// --- Lanes: an entry that waits for a destination is in the heap and in its lane ---

void lane_free(void *lane) {
    struct lane *l = lane;
    g_free(l->name);
    g_free(l);
}

static void lane_join(struct queue *q, struct entry *e, const char *name) {
    struct lane *lane = g_hash_table_lookup(q->lanes, name);
    if (!lane) {
        lane = g_new0(struct lane, 1);
        lane->name = g_strdup(name);
        g_queue_init(&lane->entries);
        g_hash_table_insert(q->lanes, lane->name, lane);
    }
    e->lane = lane;
    e->link.data = e;
    g_queue_push_tail_link(&lane->entries, &e->link);
}

static void lane_leave(struct queue *q, struct entry *e) {
    struct lane *lane = e->lane;
    if (!lane)
        return;
    g_queue_unlink(&lane->entries, &e->link);
    e->lane = NULL;
    if (lane->entries.length == 0)
        g_hash_table_remove(q->lanes, lane->name);
}

void schedule_wait(struct queue *q, struct entry *e, const char *lane) {
    e->state = ENTRY_WAITING;
    if (lane)
        lane_join(q, e, lane);
    g_ptr_array_add(q->waiting, e);
    heap_up(q, e, q->waiting->len - 1);
    if (e->index == 0 && q->n_claimers) // somebody has to wait for a shorter time now
        pthread_cond_signal(&q->claimable);
}

void schedule_remove(struct queue *q, struct entry *e) {
    if (e->state == ENTRY_READY)
        g_queue_unlink(&q->ready, &e->link);
    else if (e->state == ENTRY_WAITING) {
        heap_remove(q, e);
        lane_leave(q, e);
    }
}

void schedule_advance(struct queue *q, filetime_t now) {
    while (q->waiting->len > 0) {
        struct entry *e = q->waiting->pdata[0];
        if (e->next > now || e->next == QUEUE_HELD)
            break;
        schedule_remove(q, e);
        schedule_ready(q, e);
    }
}

void queue_wake_lane(struct queue *q, const char *name, unsigned n) {
    pthread_mutex_lock(&q->lock);
    struct lane *lane = g_hash_table_lookup(q->lanes, name);
    unsigned left = lane ? lane->entries.length : 0;
    if (n > 0)
        left = MIN(left, n);
    for (; left > 0; left--) { // the lane goes with its last entry
        struct entry *e = lane->entries.head->data;
        schedule_remove(q, e);
        schedule_ready(q, e);
    }
    pthread_mutex_unlock(&q->lock);
}

// --- Claiming ---

static void wait_until(struct queue *q, int64_t deadline_us, filetime_t now) {
    int64_t until = deadline_us;
    if (q->waiting->len > 0) {
        struct entry *first = q->waiting->pdata[0];
        until = MIN(until, g_get_monotonic_time() + (int64_t)((first->next - now) / 10) + 1);
    }
    struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    q->n_claimers++;
    pthread_cond_timedwait(&q->claimable, &q->lock, &at);
    q->n_claimers--;
}

static struct queue_item *make_item(struct queue *q, struct entry *e) {
    struct queue_item *item = g_new0(struct queue_item, 1);
    item->q = q;
    item->entry = e;
    queue_id_format(e->id, item->id);
    e->state = ENTRY_CLAIMED;
    return item;
}

enum ec queue_claim(struct queue *q, struct queue_item **items, unsigned max, unsigned wait_ms,
                    unsigned *n_out) {
    int64_t deadline = g_get_monotonic_time() + (int64_t)wait_ms * 1000;
    unsigned n = 0;
    pthread_mutex_lock(&q->lock);
    for (unsigned wakes = q->wakes;;) {
        filetime_t now = clock_now();
        schedule_advance(q, now);
        // Others who wait get their share of what is there.
        unsigned share = q->ready.length / (q->n_claimers + 1) + 1;
        while (n < max && n < share && q->ready.length > 0) {
            struct entry *e = g_queue_pop_head_link(&q->ready)->data;
            items[n++] = make_item(q, e);
        }
        if (n > 0 || wakes != q->wakes || g_get_monotonic_time() >= deadline)
            break;
        wait_until(q, deadline, now);
    }
    if (q->ready.length > 0 && q->n_claimers)
        pthread_cond_signal(&q->claimable);
    pthread_mutex_unlock(&q->lock);
    for (unsigned i = 0; i < n; i++) {
        struct entry *e = items[i]->entry;
        items[i]->arena = arena_new();
        // It was checked when it was encoded or read from the disk.
        if (!record_decode_envelope(e->envelope, e->envelope_len, items[i]->arena,
                                    &items[i]->envelope))
            log_event(LOG_LEVEL_ERROR, "queue.bad_envelope", "queue", items[i]->id, NULL);
    }
    *n_out = n;
    return EC_OK;
}

void queue_wake(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    q->wakes++;
    pthread_cond_broadcast(&q->claimable);
    pthread_mutex_unlock(&q->lock);
}

// --- Items ---

const char *queue_item_id(const struct queue_item *item) {
    return item->id;
}

const struct queue_envelope *queue_item_envelope(const struct queue_item *item) {
    return &item->envelope;
}

filetime_t queue_item_arrived(const struct queue_item *item) {
    return item->entry->arrived;
}

unsigned queue_item_attempts(const struct queue_item *item) {
    return item->entry->attempts;
}

static bool is_done(const struct entry *e, unsigned recipient) {
    return e->done && e->done[recipient / 8] >> recipient % 8 & 1;
}

unsigned queue_item_pending(const struct queue_item *item, struct arena *arena,
                            unsigned **indexes_out) {
    const struct entry *e = item->entry;
    unsigned *indexes = arena_alloc(arena, e->n_recipients * sizeof *indexes);
    unsigned n = 0;
    for (unsigned i = 0; i < item->envelope.n_recipients; i++)
        if (!is_done(e, i))
            indexes[n++] = i;
    *indexes_out = indexes;
    return n;
}

static enum ec read_inline(struct queue *q, struct entry *e, GBytes **out) {
    pthread_mutex_lock(&q->lock);
    struct segment *s = segment_ref(e->segment); // the committer may move the entry meanwhile
    uint64_t pos = e->data_pos;
    pthread_mutex_unlock(&q->lock);
    uint8_t *data = g_malloc(e->size ? e->size : 1);
    size_t got = 0;
    ssize_t n = 1;
    while (got < e->size && n > 0) {
        n = pread(s->fd, data + got, e->size - got, (off_t)(pos + got));
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            got += (size_t)n;
    }
    segment_unref(s);
    if (got < e->size) {
        g_free(data);
        return EC_DISK_ERROR;
    }
    *out = g_bytes_new_take(data, e->size);
    return EC_OK;
}

enum ec queue_item_read(struct queue_item *item, GBytes **out) {
    struct entry *e = item->entry;
    if (e->bytes) {
        *out = g_bytes_ref(e->bytes);
        return EC_OK;
    }
    enum ec ec = EC_OK;
    if (e->is_large) {
        g_autofree char *path = queue_large_path(item->q, e->id);
        g_autoptr(GMappedFile) map = g_mapped_file_new(path, false, NULL);
        if (map)
            *out = g_mapped_file_get_bytes(map);
        else
            ec = EC_DISK_ERROR;
    } else {
        ec = read_inline(item->q, e, out);
    }
    if (ec != EC_OK)
        log_event(LOG_LEVEL_ERROR, "queue.read_failed", "queue", item->id, NULL);
    return ec;
}

void queue_item_recipient_done(struct queue_item *item, unsigned recipient) {
    struct entry *e = item->entry;
    if (recipient >= e->n_recipients || is_done(e, recipient))
        return;
    // Under the lock, because the list and the moving of entries read it.
    pthread_mutex_lock(&item->q->lock);
    if (!e->done)
        e->done = g_malloc0((e->n_recipients + 7) / 8);
    e->done[recipient / 8] |= (uint8_t)(1 << recipient % 8);
    e->n_pending--;
    item->has_changed = true;
    pthread_mutex_unlock(&item->q->lock);
}

struct arena *queue_item_arena(struct queue_item *item) {
    return item->arena;
}

bool queue_item_is_delay_reported(const struct queue_item *item) {
    return item->entry->is_delay_reported;
}

void queue_item_set_delay_reported(struct queue_item *item) {
    item->entry->is_delay_reported = true;
}

void queue_item_note(struct queue_item *item) {
    pthread_mutex_lock(&item->q->lock);
    commit_retry(item->q, item->entry);
    item->has_changed = false;
    pthread_mutex_unlock(&item->q->lock);
}

// Under the lock.
static void wait_again(struct queue *q, struct entry *e, filetime_t next, const char *lane) {
    if (next <= clock_now())
        schedule_ready(q, e);
    else
        schedule_wait(q, e, lane);
}

static void item_free(struct queue_item *item) {
    arena_free(item->arena);
    g_free(item);
}

void queue_item_release(struct queue_item *item, filetime_t next, const char *reason,
                        const char *lane) {
    struct queue *q = item->q;
    struct entry *e = item->entry;
    pthread_mutex_lock(&q->lock);
    if (e->n_pending == 0) {
        commit_finish(q, e, false);
    } else {
        e->next = next;
        e->attempts++;
        g_free(e->reason);
        e->reason = reason ? g_strndup(reason, QUEUE_REASON_MAX) : NULL;
        commit_retry(q, e);
        wait_again(q, e, next, lane);
    }
    pthread_mutex_unlock(&q->lock);
    item_free(item);
}

void queue_item_put_back(struct queue_item *item, filetime_t next, const char *lane) {
    struct queue *q = item->q;
    struct entry *e = item->entry;
    pthread_mutex_lock(&q->lock);
    if (e->n_pending == 0) {
        commit_finish(q, e, false);
    } else {
        if (item->has_changed)
            commit_retry(q, e);
        e->next = next;
        wait_again(q, e, next, lane);
    }
    pthread_mutex_unlock(&q->lock);
    item_free(item);
}
