// One end of a control connection: whole frames over a blocking socket.
#pragma once

#include "admin/control_codec.h"

struct channel;

struct channel *channel_new(int fd);        // takes the descriptor
void channel_free(struct channel *channel); // closes; accepts NULL
int channel_fd(const struct channel *channel);

// Sends a frame of at most FRAME_MAX bytes. EC_END_OF_SESSION: the other side is gone.
enum ec channel_send(struct channel *channel, enum frame_type type, const void *data, size_t len);
// Sends what was written to `w` and clears it. EC_NOT_ENOUGH_RESOURCES when it had failed.
enum ec channel_send_writer(struct channel *channel, enum frame_type type, struct wire_writer *w);

// Waits for the next frame, whose bytes are valid until the next call. EC_END_OF_SESSION,
// EC_FORMAT_ERROR, EC_TIMEOUT (the descriptor's receive timeout).
enum ec channel_receive(struct channel *channel, struct frame *out);

// Whether a frame can be read without waiting.
bool channel_has_input(struct channel *channel);
