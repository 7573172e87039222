// Output that waits for the socket: a list of chunks, each a copy of small writes or a reference to
// somebody's bytes. Chunks grow with the queue, so that a one-line answer costs a small one and a
// long answer few; nothing is allocated while the queue is empty.
#include <string.h>
#include <sys/uio.h>

#include "net/net_internal.h"

#define CHUNK_FIRST 960 // with its head within what malloc keeps a thread's cache of
#define CHUNK_MAX (16 * 1024)

struct net_chunk {
    struct net_chunk *next;
    GBytes *bytes; // NULL: `room` holds a copy
    const uint8_t *data;
    size_t start, len, cap;
    uint8_t room[];
};

static struct net_chunk *chunk_add(struct net_output *out, size_t cap) {
    struct net_chunk *chunk = g_malloc(sizeof *chunk + cap);
    *chunk = (struct net_chunk){.data = chunk->room, .cap = cap};
    if (out->tail)
        out->tail->next = chunk;
    else
        out->head = chunk;
    out->tail = chunk;
    return chunk;
}

void net_output_append(struct net_output *out, const void *data, size_t len) {
    const uint8_t *from = data;
    out->pending += len;
    while (len > 0) {
        struct net_chunk *chunk = out->tail;
        if (!chunk || chunk->bytes || chunk->start + chunk->len == chunk->cap)
            chunk = chunk_add(out, out->tail || len > CHUNK_FIRST ? CHUNK_MAX : CHUNK_FIRST);
        size_t used = chunk->start + chunk->len;
        size_t n = MIN(len, chunk->cap - used);
        memcpy(chunk->room + used, from, n);
        chunk->len += n;
        from += n;
        len -= n;
    }
}

void net_output_append_bytes(struct net_output *out, GBytes *bytes) {
    gsize len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    if (len < CHUNK_FIRST) { // a reference would cost more than the copy
        net_output_append(out, data, len);
        return;
    }
    struct net_chunk *chunk = chunk_add(out, 0);
    chunk->bytes = g_bytes_ref(bytes);
    chunk->data = data;
    chunk->len = len;
    out->pending += len;
}

static void chunk_pop(struct net_output *out) {
    struct net_chunk *chunk = out->head;
    out->head = chunk->next;
    if (!out->head)
        out->tail = NULL;
    if (chunk->bytes)
        g_bytes_unref(chunk->bytes);
    g_free(chunk);
}

void net_output_consume(struct net_output *out, size_t len) {
    out->pending -= len;
    while (len > 0) {
        struct net_chunk *chunk = out->head;
        size_t n = MIN(len, chunk->len);
        chunk->start += n;
        chunk->len -= n;
        len -= n;
        if (chunk->len == 0)
            chunk_pop(out);
    }
}

void net_output_clear(struct net_output *out) {
    while (out->head)
        chunk_pop(out);
    out->pending = 0;
}

const uint8_t *net_output_head(const struct net_output *out, size_t *len_out) {
    if (!out->head)
        return NULL;
    *len_out = out->head->len;
    return out->head->data + out->head->start;
}

unsigned net_output_pieces(const struct net_output *out, struct iovec *pieces, unsigned max,
                           size_t max_bytes) {
    unsigned n = 0;
    for (struct net_chunk *chunk = out->head; chunk && n < max && max_bytes > 0;
         chunk = chunk->next) {
        size_t len = MIN(chunk->len, max_bytes);
        pieces[n++] = (struct iovec){.iov_base = (void *)(uintptr_t)(chunk->data + chunk->start),
                                     .iov_len = len};
        max_bytes -= len;
    }
    return n;
}
