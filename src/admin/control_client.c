// Sends the request and prints the answers.
#include "admin/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum ec control_connect(const char *dir, struct channel **out) {
    g_autofree char *run = g_build_filename(dir, "run", NULL);
    int folder = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return EC_NOT_FOUND;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof address);
    int error = errno;
    close(folder);
    if (result == 0) {
        *out = channel_new(fd);
        return EC_OK;
    }
    if (fd >= 0)
        close(fd);
    return error == EACCES || error == EPERM ? EC_ACCESS_DENIED : EC_NOT_FOUND;
}

void client_progress(struct client_call *call, const char *line) {
    if (!call->is_terminal)
        return;
    if (line)
        fprintf(stderr, "\r%s\033[K", line);
    else
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

bool client_take_output(struct client_call *call, const struct frame *frame, int *status_out) {
    switch (frame->type) {
    case FRAME_OUT:
        client_progress(call, NULL);
        output_raw(call->out, frame->data, frame->len);
        return false;
    case FRAME_ERROR:
        client_progress(call, NULL);
        output_flush(call->out);
        fwrite(frame->data, 1, frame->len, stderr);
        return false;
    case FRAME_PROGRESS: {
        g_autofree char *line = g_strndup((const char *)frame->data, MIN(frame->len, 200));
        client_progress(call, line);
        return false;
    }
    case FRAME_DONE:
        client_progress(call, NULL);
        *status_out = frame->len == 1 ? frame->data[0] : EXIT_FAILED;
        return true;
    default:
        return false;
    }
}

int client_lost(struct client_call *call, enum ec ec) {
    client_progress(call, NULL);
    output_error(
        call->out, ec,
        ec == EC_TIMEOUT
            ? "the server did not answer in time; see its log and try again"
            : "the connection to the server ended before the command was done; see its log "
              "and run the command again");
    return EXIT_FAILED;
}

int client_finish(struct client_call *call) {
    for (;;) {
        struct frame frame;
        int status;
        enum ec ec = channel_receive(call->channel, &frame);
        if (ec != EC_OK)
            return client_lost(call, ec);
        if (client_take_output(call, &frame, &status))
            return status;
        if (output_is_broken(call->out))
            return EXIT_FAILED; // nobody reads: `| head`
    }
}
