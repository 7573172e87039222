// Whatever comes through the control socket.
#include "admin/control_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct frame frame;
    size_t used;
    while (size && frame_parse(data, size, &frame, &used) == EC_OK) {
        struct arena *arena = arena_new();
        struct control_request request;
        struct control_message message;
        struct control_result result;
        const char *error;
        if (control_decode_request(frame.data, frame.len, arena, &request) == EC_OK)
            arguments_check(arena, "DIR [FILE...]", NULL, &request.arguments, &error);
        control_decode_message(frame.data, frame.len, arena, &message);
        control_decode_result(frame.data, frame.len, &result);
        arena_free(arena);
        data += used;
        size -= used;
    }
    return 0;
}
