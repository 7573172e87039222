// The input of a connection that `frame` has not seen the end of: allocated only while not empty.
#include <string.h>

#include "net/net_internal.h"

void net_input_append(struct net_input *in, const void *data, size_t len) {
    if (len == 0)
        return;
    if (in->start + in->len + len > in->cap) {
        if (in->start > 0) {
            memmove(in->data, in->data + in->start, in->len);
            in->start = 0;
        }
        if (in->len + len > in->cap) {
            // The first piece usually is the whole unit; only one that grows gets spare room.
            in->cap = in->data ? MAX(in->len + len, 2 * in->cap) : len;
            in->data = g_realloc(in->data, in->cap);
        }
    }
    memcpy(in->data + in->start + in->len, data, len);
    in->len += len;
}

void net_input_consume(struct net_input *in, size_t len) {
    in->start += len;
    in->len -= len;
    if (in->len == 0)
        net_input_clear(in);
}

void net_input_clear(struct net_input *in) {
    g_free(in->data);
    *in = (struct net_input){0};
}
