// Any bytes as replies, one after the other, and their lines as EHLO's.
#include <glib.h>

#include "relay/reply.h"

static void on_line(void *ctx, const char *text, size_t len) {
    extensions_read(ctx, text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reply reply;
    struct extensions extensions = {0};
    for (size_t pos = 0, used = 0; pos < size; pos += used) {
        if (reply_parse(data + pos, size - pos, &reply, &used, on_line, &extensions) != REPLY_DONE)
            break;
        g_assert(used > 0 && used <= size - pos && reply.code >= 200 && reply.code <= 599);
        g_assert(g_utf8_validate(reply.text, -1, NULL));
    }
    return 0;
}
