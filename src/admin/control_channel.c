// Frames over a stream socket. The input buffer grows to what one frame needs and no further.
#include "admin/control_channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct channel {
    int fd;
    GByteArray *in;
    size_t used; // bytes of the frame given out last
};

struct channel *channel_new(int fd) {
    struct channel *c = g_new0(struct channel, 1);
    c->fd = fd;
    c->in = g_byte_array_new();
    return c;
}

void channel_free(struct channel *c) {
    if (!c)
        return;
    close(c->fd);
    g_byte_array_unref(c->in);
    g_free(c);
}

int channel_fd(const struct channel *c) {
    return c->fd;
}

enum ec channel_send(struct channel *c, enum frame_type type, const void *data, size_t len) {
    g_assert(len <= FRAME_MAX);
    uint8_t head[FRAME_HEADER_SIZE] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16),
                                       (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type};
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = len ? 2 : 1};
    while (message.msg_iovlen) {
        ssize_t n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return EC_END_OF_SESSION;
        while (message.msg_iovlen && (size_t)n >= message.msg_iov->iov_len) {
            n -= (ssize_t)message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + n;
            message.msg_iov->iov_len -= (size_t)n;
        }
    }
    return EC_OK;
}

enum ec channel_send_writer(struct channel *c, enum frame_type type, struct wire_writer *w) {
    g_autoptr(GByteArray) bytes = wire_writer_take(w);
    if (!bytes)
        return EC_NOT_ENOUGH_RESOURCES;
    return channel_send(c, type, bytes->data, bytes->len);
}

static void drop_used(struct channel *c) {
    if (c->used)
        g_byte_array_remove_range(c->in, 0, (guint)c->used);
    c->used = 0;
}

enum ec channel_receive(struct channel *c, struct frame *out) {
    drop_used(c);
    for (;;) {
        enum ec ec = frame_parse(c->in->data, c->in->len, out, &c->used);
        if (ec != EC_BUSY)
            return ec;
        guint old = c->in->len;
        g_byte_array_set_size(c->in, old + 65536);
        ssize_t n = recv(c->fd, c->in->data + old, 65536, 0);
        int error = errno;
        g_byte_array_set_size(c->in, old + (n > 0 ? (guint)n : 0));
        if (n < 0 && error == EINTR)
            continue;
        if (n < 0 && (error == EAGAIN || error == EWOULDBLOCK))
            return EC_TIMEOUT;
        if (n <= 0)
            return EC_END_OF_SESSION;
    }
}

bool channel_has_input(struct channel *c) {
    struct frame frame;
    size_t used;
    drop_used(c);
    if (frame_parse(c->in->data, c->in->len, &frame, &used) != EC_BUSY)
        return true;
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}
