// What a route wrote and the client has not taken: copies in one growing tail, references beside.
#include <string.h>

#include "http/http_internal.h"

static void close_tail(struct http_output *o) {
    if (o->tail == NULL)
        return;
    g_queue_push_tail(&o->chunks, g_byte_array_free_to_bytes(o->tail));
    o->tail = NULL;
}

void http_output_add(struct http_output *o, const void *data, size_t len) {
    if (len == 0)
        return;
    if (o->tail != NULL && o->tail->len > HTTP_BLOCK_MAX)
        close_tail(o);
    if (len > HTTP_BLOCK_MAX) {
        close_tail(o);
        g_queue_push_tail(&o->chunks, g_bytes_new(data, len));
    } else {
        if (o->tail == NULL)
            o->tail = g_byte_array_new();
        g_byte_array_append(o->tail, data, (guint)len);
    }
    o->pending += len;
}

void http_output_add_bytes(struct http_output *o, GBytes *bytes) {
    size_t len = g_bytes_get_size(bytes);
    if (len == 0)
        return;
    close_tail(o);
    g_queue_push_tail(&o->chunks, g_bytes_ref(bytes));
    o->pending += len;
}

size_t http_output_take(struct http_output *o, void *buffer, size_t max) {
    size_t done = 0;
    if (o->chunks.length == 0)
        close_tail(o);
    while (done < max && o->chunks.length > 0) {
        GBytes *chunk = g_queue_peek_head(&o->chunks);
        size_t size, n;
        const uint8_t *data = g_bytes_get_data(chunk, &size);
        n = MIN(max - done, size - o->offset);
        memcpy((uint8_t *)buffer + done, data + o->offset, n);
        done += n;
        o->offset += n;
        if (o->offset == size) {
            g_bytes_unref(g_queue_pop_head(&o->chunks));
            o->offset = 0;
            if (o->chunks.length == 0)
                close_tail(o);
        }
    }
    o->pending -= done;
    return done;
}

void http_output_clear(struct http_output *o) {
    g_queue_clear_full(&o->chunks, (GDestroyNotify)g_bytes_unref);
    g_clear_pointer(&o->tail, g_byte_array_unref);
    o->offset = o->pending = 0;
}
