// Any bytes as a stream of each root, in pieces; a message that comes out survives another turn.
#include "convert/fasttransfer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ec drop_bag(void *ctx, struct bag *take) {
    (void)ctx;
    bag_free(take);
    return EC_OK;
}

static enum ec drop_attachment(void *ctx, struct attachment_value *take) {
    (void)ctx;
    attachment_value_free(take);
    return EC_OK;
}

static enum ec drop_embedded(void *ctx, struct message_value *take) {
    (void)ctx;
    message_value_free(take);
    return EC_OK;
}

static enum ec drop_message(void *ctx, struct message_value *take, bool is_associated) {
    (void)is_associated;
    return drop_embedded(ctx, take);
}

static void parse(enum ft_root root, const uint8_t *data, size_t size, size_t piece) {
    struct ft_sink sink = {.recipient = drop_bag,
                           .attachment = drop_attachment,
                           .embedded = drop_embedded,
                           .message = drop_message};
    struct ft_parser *p = ft_parser_new(root, 1252, &sink);
    for (size_t at = 0; at < size; at += piece)
        if (ft_parser_put(p, data + at, MIN(piece, size - at)) != EC_OK)
            break;
    ft_parser_is_complete(p);
    ft_parser_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct message_value *m, *again;
    g_autoptr(GBytes) bytes = NULL;
    if (size < 2)
        return 0;
    parse((enum ft_root)(data[0] % 5), data + 2, size - 2, data[1] + 1u);
    if (ft_message_decode(data + 2, size - 2, &m) != EC_OK)
        return 0;
    if (ft_message_encode(m, NULL, &bytes) != EC_OK)
        abort();
    if (ft_message_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &again) != EC_OK)
        abort();
    message_value_free(again);
    message_value_free(m);
    return 0;
}
