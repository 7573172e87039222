// Accepts control connections, one thread each: they are few, and their commands block.
#include "admin/control_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define MAX_CONNECTIONS 16
#define REQUEST_TIMEOUT 10 // seconds from connecting to the whole request
#define STALL_TIMEOUT 600 // seconds that a command waits for a client that neither reads nor writes

struct control_server {
    const struct admin_services *services;
    const struct admin_program *program;
    int fd;
    GThread *thread;
    GMutex lock;
    GCond changed;
    bool is_stopping;
    unsigned n_open;
    int open[MAX_CONNECTIONS]; // descriptors in use; -1: free
};

struct connection {
    struct control_server *server;
    struct channel *channel;
    unsigned slot;
};

static bool write_frames(void *ctx, enum output_stream stream, const void *data, size_t len) {
    struct channel *channel = ctx;
    enum frame_type type = stream == OUTPUT_OUT     ? FRAME_OUT
                           : stream == OUTPUT_ERROR ? FRAME_ERROR
                                                    : FRAME_PROGRESS;
    for (const char *p = data; len;) {
        size_t n = MIN(len, FRAME_CHUNK);
        if (channel_send(channel, type, p, n) != EC_OK)
            return false;
        p += n, len -= n;
    }
    return true;
}

static int run_request(struct channel *channel, const struct control_request *request,
                       const struct admin_services *services, const struct admin_program *program,
                       struct arena *arena, struct output *out) {
    const struct command *command = command_by_name(request->command);
    const char *error = NULL;
    if (!command || (command->flags & COMMAND_LOCAL)) {
        output_error(out, EC_NOT_FOUND, "the server does not know this command");
        return EXIT_USAGE;
    }
    if (arguments_check(arena, command->arguments, command->options, &request->arguments, &error) !=
        EC_OK) {
        output_error(out, EC_INVALID_PARAMETER, error);
        return EXIT_USAGE;
    }
    struct command_call call = {.command = command,
                                .arguments = &request->arguments,
                                .services = services,
                                .arena = arena,
                                .out = out,
                                .password = request->password,
                                .channel = channel,
                                .program = program};
    return command->run(&call);
}

void control_serve_one(struct channel *channel, const struct admin_services *services,
                       const struct admin_program *program) {
    ARENA_AUTO arena = arena_new();
    struct frame frame;
    struct control_request request = {0};
    enum ec ec = channel_receive(channel, &frame);
    if (ec == EC_OK)
        ec = frame.type == FRAME_REQUEST
                 ? control_decode_request(frame.data, frame.len, arena, &request)
                 : EC_FORMAT_ERROR;
    if (ec == EC_END_OF_SESSION)
        return;
    struct timeval stall = {.tv_sec = STALL_TIMEOUT};
    setsockopt(channel_fd(channel), SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
    setsockopt(channel_fd(channel), SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
    struct output *out = output_new(request.arguments.is_json, write_frames, channel);
    int status = EXIT_FAILED;
    if (ec == EC_VERSION)
        output_error(out, ec,
                     "the running server is another version of bourse; restart it, or use the "
                     "program it was started with");
    else if (ec != EC_OK)
        output_error(out, ec, "the server did not understand the request");
    else
        status = run_request(channel, &request, services, program, arena, out);
    output_free(out);
    uint8_t byte = (uint8_t)status;
    channel_send(channel, FRAME_DONE, &byte, 1);
}

static void *serve_connection(void *data) {
    struct connection *c = data;
    struct control_server *server = c->server;
    control_serve_one(c->channel, server->services, server->program);
    // The slot is given back before the descriptor closes, so that stopping never shuts down a
    // descriptor that already belongs to something else.
    g_mutex_lock(&server->lock);
    server->open[c->slot] = -1;
    g_mutex_unlock(&server->lock);
    channel_free(c->channel);
    g_mutex_lock(&server->lock);
    server->n_open--;
    g_cond_signal(&server->changed);
    g_mutex_unlock(&server->lock);
    g_free(c);
    return NULL;
}

static bool peer_is_allowed(int fd) {
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

// Gives the connection a thread, or closes it.
static void start_connection(struct control_server *server, int fd) {
    struct timeval timeout = {.tv_sec = REQUEST_TIMEOUT};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    struct connection *c = g_new0(struct connection, 1);
    *c = (struct connection){.server = server, .slot = MAX_CONNECTIONS};
    g_mutex_lock(&server->lock);
    for (unsigned i = 0; i < MAX_CONNECTIONS && !server->is_stopping; i++)
        if (server->open[i] < 0 && server->n_open < MAX_CONNECTIONS) {
            c->slot = i;
            server->open[i] = fd;
            server->n_open++;
            break;
        }
    g_mutex_unlock(&server->lock);
    c->channel = channel_new(fd);
    if (c->slot == MAX_CONNECTIONS) {
        static const char busy[] = "bourse: too many commands run at once; try again in a moment\n";
        channel_send(c->channel, FRAME_ERROR, busy, sizeof busy - 1);
        channel_send(c->channel, FRAME_DONE, "\1", 1);
        channel_free(c->channel);
        g_free(c);
        return;
    }
    g_thread_unref(g_thread_new("control", serve_connection, c));
}

static void *accept_connections(void *data) {
    struct control_server *server = data;
    for (;;) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        g_mutex_lock(&server->lock);
        bool stop = server->is_stopping;
        g_mutex_unlock(&server->lock);
        if (stop) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                g_usleep(100000); // until somebody gives descriptors back
            continue;
        }
        if (peer_is_allowed(fd))
            start_connection(server, fd);
        else {
            log_event(LOG_LEVEL_WARNING, "admin.control_refused", "reason", "another user", NULL);
            close(fd);
        }
    }
}

// Binds through the folder's descriptor, because a socket's path may have 107 bytes only.
static int listen_in(const char *dir) {
    g_autofree char *run = g_build_filename(dir, "run", NULL);
    int folder = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    unlinkat(folder, "control", 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              listen(fd, 64) == 0;
    umask(mask);
    int error = errno;
    close(folder);
    if (!ok && fd >= 0)
        close(fd);
    errno = error;
    return ok ? fd : -1;
}

enum ec control_server_new(const struct admin_services *services,
                           const struct admin_program *program, struct control_server **out) {
    int fd = listen_in(services->dir);
    if (fd < 0) {
        log_event(LOG_LEVEL_ERROR, "admin.control_failed", "dir", services->dir, "reason",
                  g_strerror(errno), NULL);
        return EC_NETWORK_ERROR;
    }
    struct control_server *server = g_new0(struct control_server, 1);
    server->services = services;
    server->program = program;
    server->fd = fd;
    for (unsigned i = 0; i < MAX_CONNECTIONS; i++)
        server->open[i] = -1;
    g_mutex_init(&server->lock);
    g_cond_init(&server->changed);
    server->thread = g_thread_new("control-accept", accept_connections, server);
    *out = server;
    return EC_OK;
}

void control_server_free(struct control_server *server) {
    if (!server)
        return;
    g_mutex_lock(&server->lock);
    server->is_stopping = true;
    shutdown(server->fd, SHUT_RDWR); // ends accept
    for (unsigned i = 0; i < MAX_CONNECTIONS; i++)
        if (server->open[i] >= 0)
            shutdown(server->open[i], SHUT_RDWR);
    g_mutex_unlock(&server->lock);
    g_thread_join(server->thread);
    g_mutex_lock(&server->lock);
    while (server->n_open)
        g_cond_wait(&server->changed, &server->lock);
    g_mutex_unlock(&server->lock);
    close(server->fd);
    g_autofree char *path = g_build_filename(server->services->dir, "run", "control", NULL);
    unlink(path);
    g_cond_clear(&server->changed);
    g_mutex_clear(&server->lock);
    g_free(server);
}
