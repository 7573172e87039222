// The committer: the one thread that writes the segments. It takes all records that wait, writes
// them with one call, makes them durable with one fdatasync, and answers everybody; what comes
// meanwhile is the next batch. It also retires segments and moves the entries of old ones on.
#include "queue/queue_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"

static void commit_free(void *commit) {
    struct commit *c = commit;
    if (c->head)
        g_byte_array_unref(c->head);
    if (c->data)
        g_bytes_unref(c->data);
    g_free(c->unlink);
    g_free(c);
}

void commit_add_take(struct queue *q, struct commit *c) {
    g_ptr_array_add(q->pending, c);
    if (c->wants_sync)
        q->n_pending_sync++;
    if (q->n_pending_sync >= q->wake_at || (!c->wants_sync && q->pending->len == 1))
        pthread_cond_signal(&q->committable);
}

static struct commit *make_commit(const struct record *r, bool wants_sync) {
    struct commit *c = g_new0(struct commit, 1);
    c->type = r->type;
    c->head = record_encode(r);
    c->wants_sync = wants_sync;
    return c;
}

void commit_finish(struct queue *q, struct entry *e, bool wants_sync) {
    // The file of a large message goes when it is certain that nobody will ask for it again.
    struct record r = {.type = RECORD_FINISH, .id = e->id};
    struct commit *c = make_commit(&r, wants_sync || e->is_large);
    if (e->is_large)
        c->unlink = queue_large_path(q, e->id);
    e->segment->n_live--;
    e->segment->live_bytes -= e->record_len;
    g_hash_table_remove(q->entries, &e->id);
    entry_free(q, e);
    commit_add_take(q, c);
}

static struct commit *make_retry(const struct entry *e) {
    struct record r = {.type = RECORD_RETRY,
                       .id = e->id,
                       .next = e->next,
                       .attempts =
                           e->attempts | (e->is_delay_reported ? ATTEMPTS_DELAY_REPORTED : 0),
                       .done = e->done,
                       .done_len = e->done ? (e->n_recipients + 7) / 8 : 0,
                       .reason = e->reason};
    return make_commit(&r, true);
}

void commit_retry(struct queue *q, struct entry *e) {
    commit_add_take(q, make_retry(e));
}

// --- Writing a batch (without the lock) ---

static enum ec write_vectors(int fd, struct iovec *v, int n, off_t pos) {
    while (n > 0) {
        ssize_t done = pwritev(fd, v, n, pos);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? ec_from_errno(errno) : EC_DISK_FULL;
        pos += done;
        for (; n > 0 && (size_t)done >= v->iov_len; v++, n--)
            done -= (ssize_t)v->iov_len;
        if (n > 0) {
            v->iov_base = (char *)v->iov_base + done;
            v->iov_len -= (size_t)done;
        }
    }
    return EC_OK;
}

static enum ec open_active(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    bool is_spent = q->active && (q->active->size >= QUEUE_SEGMENT_SIZE ||
                                  (q->active->size >= QUEUE_SEGMENT_REUSE && !q->active->n_live));
    pthread_mutex_unlock(&q->lock);
    if (is_spent)
        q->active = NULL;
    if (q->active)
        return EC_OK;
    struct segment *last = q->segments.tail ? q->segments.tail->data : NULL;
    EC_TRY(segment_create(q, last ? last->number + 1 : 1, &q->active));
    g_queue_push_tail(&q->segments, q->active);
    return EC_OK;
}

static enum ec write_batch(struct queue *q, GPtrArray *batch) {
    struct iovec vectors[2 * QUEUE_BATCH_RECORDS];
    int n = 0;
    bool wants_sync = false;
    EC_TRY(open_active(q));
    struct segment *s = q->active;
    uint64_t pos = s->size;
    for (unsigned i = 0; i < batch->len; i++) {
        struct commit *c = batch->pdata[i];
        gsize data_len = 0;
        const void *data = c->data ? g_bytes_get_data(c->data, &data_len) : NULL;
        record_seal(c->head, s->magic, c->type, data, data_len);
        vectors[n++] = (struct iovec){c->head->data, c->head->len};
        if (data_len)
            vectors[n++] = (struct iovec){(void *)data, data_len};
        c->pos = pos;
        c->len = (unsigned)(c->head->len + data_len);
        pos += c->len;
        wants_sync = wants_sync || c->wants_sync;
    }
    enum ec ec = write_vectors(s->fd, vectors, n, (off_t)s->size);
    if (ec == EC_OK && wants_sync && fdatasync(s->fd) < 0) {
        // What the kernel did not write it may have forgotten: this file takes nothing more.
        ec = ec_from_errno(errno);
        q->active = NULL;
    }
    if (ec == EC_OK)
        s->size = pos;
    else if (ftruncate(s->fd, (off_t)s->size) < 0) // nothing of the failed batch may come back
        q->active = NULL;
    return ec;
}

// --- What a batch's end means (under the lock) ---

static void settle_new(struct queue *q, struct commit *c, enum ec ec) {
    struct entry *e = c->entry;
    if (ec != EC_OK) {
        if (e->is_large)
            c->unlink = queue_large_path(q, e->id);
        entry_free(q, e);
        return;
    }
    e->segment = q->active;
    e->data_pos = c->pos + c->head->len;
    e->record_len = c->len;
    e->segment->n_live++;
    e->segment->live_bytes += c->len;
    if (c->data && q->cached + e->size <= QUEUE_CACHE_MAX) {
        e->bytes = g_bytes_ref(c->data);
        q->cached += e->size;
    }
    g_hash_table_insert(q->entries, &e->id, e);
    if (e->next > e->arrived) // held by its sender
        schedule_wait(q, e, NULL);
    else
        schedule_ready(q, e);
}

static void settle_moved(struct queue *q, struct commit *c) {
    struct entry *e = g_hash_table_lookup(q->entries, &c->moved);
    if (!e) // finished meanwhile; its finish record comes after
        return;
    e->segment->n_live--;
    e->segment->live_bytes -= e->record_len;
    e->segment = q->active;
    e->data_pos = c->pos + c->head->len;
    e->record_len = c->len;
    e->segment->n_live++;
    e->segment->live_bytes += c->len;
}

static void settle(struct queue *q, GPtrArray *batch, enum ec ec) {
    pthread_mutex_lock(&q->lock);
    for (unsigned i = 0; i < batch->len; i++) {
        struct commit *c = batch->pdata[i];
        if (c->entry)
            settle_new(q, c, ec);
        else if (c->moved && ec == EC_OK)
            settle_moved(q, c);
    }
    bool was_failing = q->is_failing;
    q->is_failing = ec != EC_OK;
    pthread_mutex_unlock(&q->lock);
    if (was_failing != (ec != EC_OK))
        log_event(ec == EC_OK ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
                  ec == EC_OK ? "queue.writes_again" : "queue.write_failed", "error", ec_text(ec),
                  NULL);
    for (unsigned i = 0; i < batch->len; i++) {
        struct commit *c = batch->pdata[i];
        if (c->unlink)
            unlink(c->unlink);
        if (c->done)
            c->done(c->ctx, ec);
    }
    g_ptr_array_set_size(batch, 0);
}

// --- Retiring segments (committer only) ---

static void retire(struct queue *q) {
    for (;;) {
        struct segment *s = q->segments.head ? q->segments.head->data : NULL;
        pthread_mutex_lock(&q->lock);
        bool is_dead = s && s->n_live == 0 &&
                       (s != q->active || s->size >= QUEUE_SEGMENT_REUSE ||
                        (q->is_closing && q->pending->len == 0));
        pthread_mutex_unlock(&q->lock);
        if (!is_dead)
            return;
        if (s == q->active)
            q->active = NULL;
        g_queue_pop_head(&q->segments);
        segment_delete(s);
    }
}

// Whether most of what the segments hold is dead but held by something old.
static bool is_sparse(struct queue *q) {
    if (q->segments.length <= QUEUE_SEGMENTS_MAX || q->segments.head->data == q->active)
        return false;
    uint64_t size = 0, live = 0;
    pthread_mutex_lock(&q->lock);
    for (GList *l = q->segments.head; l; l = l->next) {
        const struct segment *s = l->data;
        size += s->size;
        live += s->live_bytes;
    }
    pthread_mutex_unlock(&q->lock);
    return live < size / 4;
}

// Adds an entry's record and state as they would be written today.
static void add_move(struct queue *q, struct entry *e, GPtrArray *batch) {
    struct record r = {.type = RECORD_SUBMIT,
                       .id = e->id,
                       .arrived = e->arrived,
                       .size = e->size,
                       .is_large = e->is_large,
                       .envelope = e->envelope,
                       .envelope_len = e->envelope_len};
    struct commit *c = make_commit(&r, true);
    c->moved = e->id;
    c->pos = e->data_pos; // where to read from, until it is written
    c->len = e->is_large ? 0 : (unsigned)e->size;
    g_ptr_array_add(batch, c);
    if (e->attempts || e->done || e->next == QUEUE_HELD)
        g_ptr_array_add(batch, make_retry(e));
}

static bool read_moved(struct segment *s, GPtrArray *batch) {
    for (unsigned i = 0; i < batch->len; i++) {
        struct commit *c = batch->pdata[i];
        if (!c->moved || c->len == 0)
            continue;
        uint8_t *data = g_malloc(c->len);
        ssize_t n = pread(s->fd, data, c->len, (off_t)c->pos);
        c->data = g_bytes_new_take(data, c->len);
        if (n != (ssize_t)c->len)
            return false;
    }
    return true;
}

static void move_oldest(struct queue *q, GPtrArray *batch) {
    struct segment *oldest = q->segments.head->data;
    uint64_t bytes = 0;
    pthread_mutex_lock(&q->lock);
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, q->entries);
    while (batch->len + 2 <= QUEUE_BATCH_RECORDS && bytes < QUEUE_BATCH_BYTES / 4 &&
           g_hash_table_iter_next(&iter, NULL, &value)) {
        struct entry *e = value;
        if (e->segment == oldest) {
            add_move(q, e, batch);
            bytes += e->record_len;
        }
    }
    pthread_mutex_unlock(&q->lock);
    if (batch->len == 0)
        return;
    if (read_moved(oldest, batch)) {
        settle(q, batch, write_batch(q, batch));
        retire(q);
    } else {
        log_event(LOG_LEVEL_ERROR, "queue.move_failed", "path", oldest->path, NULL);
        g_ptr_array_set_size(batch, 0);
    }
}

// --- The thread ---

static void sleep_us(struct queue *q, int64_t us) {
    int64_t until = g_get_monotonic_time() + us;
    struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
    pthread_cond_timedwait(&q->committable, &q->lock, &at);
}

// Waits for work; false when there is none and never will be. `expected` submitters of the last
// batch have just been answered and are likely to come again: a short wait for them saves a sync.
static bool wait_for_work(struct queue *q, unsigned expected) {
    q->wake_at = 1;
    while (q->n_pending_sync == 0) {
        if (q->pending->len > 0) {
            if (!q->is_closing)
                sleep_us(q, QUEUE_LAZY_MS * 1000);
            break;
        }
        if (q->is_closing)
            return false;
        pthread_cond_wait(&q->committable, &q->lock);
    }
    if (q->n_pending_sync > 0 && q->n_pending_sync < expected) {
        q->wake_at = expected;
        int64_t end = g_get_monotonic_time() + QUEUE_GATHER_US;
        for (int64_t left;
             q->n_pending_sync < expected && (left = end - g_get_monotonic_time()) > 0;)
            sleep_us(q, left);
    }
    return true;
}

static void take_batch(struct queue *q, GPtrArray *batch) {
    uint64_t bytes = 0;
    unsigned n = 0;
    for (; n < q->pending->len && n < QUEUE_BATCH_RECORDS && bytes < QUEUE_BATCH_BYTES; n++) {
        struct commit *c = q->pending->pdata[n];
        bytes += c->head->len + (c->data ? g_bytes_get_size(c->data) : 0);
        q->n_pending_sync -= c->wants_sync;
        g_ptr_array_add(batch, c);
    }
    g_ptr_array_remove_range(q->pending, 0, n);
}

void *commit_run(void *queue) {
    struct queue *q = queue;
    g_autoptr(GPtrArray) batch = g_ptr_array_new_with_free_func(commit_free);
    unsigned expected = 0;
    pthread_mutex_lock(&q->lock);
    while (wait_for_work(q, expected)) {
        expected = q->n_pending_sync;
        take_batch(q, batch);
        pthread_mutex_unlock(&q->lock);
        settle(q, batch, write_batch(q, batch));
        retire(q);
        if (is_sparse(q))
            move_oldest(q, batch);
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    if (q->active)
        fdatasync(q->active->fd);
    retire(q);
    return NULL;
}
