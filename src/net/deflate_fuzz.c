// Any bytes as compressed input, in pieces, into little room, with rests in between: never more
// comes out than there is room for. The first byte of each piece says how long it is.
#include <stdlib.h>

#include "net/net_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(struct net_conn *conn, const uint8_t *data, size_t len, size_t space) {
    ssize_t n = net_deflate_expand(conn, data, len, space);
    if (n > (ssize_t)space || (n >= 0 && conn->in.len != (size_t)n))
        abort();
    net_input_clear(&conn->in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct net_proto proto = {.name = "fuzz"};
    struct net net = {.rest_seconds = 0};
    struct net_conn conn = {.net = &net, .proto = &proto};
    net_conn_start_deflate(&conn);
    while (size > 0 && !conn.failed && !conn.eof) {
        size_t len = MIN((size_t)*data % 64 + 1, size - 1), space = (size_t)*data * 8 + 1;
        data++, size--;
        expand(&conn, data, len, space);
        for (unsigned i = 0; i < 100 && net_deflate_holds(&conn) && !conn.failed && !conn.eof; i++)
            expand(&conn, NULL, 0, space);
        net_deflate_rest(&conn);
        data += len, size -= len;
    }
    net_conn_fail(&conn);
    net_input_clear(&conn.in);
    net_deflate_free(conn.deflate);
    g_free(conn.peer_text);
    return 0;
}
