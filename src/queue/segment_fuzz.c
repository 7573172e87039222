// Reading a segment file, and the envelopes in it.
#include <string.h>

#include "queue/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *ctx, const struct record *r) {
    const uint8_t *data = ctx;
    ARENA_AUTO arena = arena_new();
    struct queue_envelope envelope;
    volatile uint8_t sum = 0;
    if (r->type == RECORD_SUBMIT) {
        record_decode_envelope(r->envelope, r->envelope_len, arena, &envelope);
        for (size_t i = 0; !r->is_large && i < r->size; i++)
            sum ^= data[r->data_pos + i];
    } else if (r->type == RECORD_RETRY) {
        for (size_t i = 0; i < r->done_len; i++)
            sum ^= r->done[i];
        sum ^= (uint8_t)strlen(r->reason);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct segment_scan scan;
    segment_scan(data, size, see, (void *)data, &scan);
    ARENA_AUTO arena = arena_new();
    struct queue_envelope envelope;
    record_decode_envelope(data, size, arena, &envelope);
    return 0;
}
