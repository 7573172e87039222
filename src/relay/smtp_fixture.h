// A small SMTP server for tests, that does what it is told to: a thread for each connection.
#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

struct fake {
    // How it behaves. RCPT TO of an address that begins with "no" is refused for good, with "later"
    // for the time being.
    const char *greeting, *ehlo; // whole replies; NULL: the usual
    const char *mail_reply, *end_reply;
    bool cuts_in_data, cuts_after_end, is_silent;
    unsigned closes_after; // messages of a connection; 0: never

    unsigned port;
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    GString *said;       // all commands of all connections
    GPtrArray *messages; // char *, as they stood on the wire
    _Atomic unsigned n_connections;
};

static inline void fake_say(int fd, const char *text) {
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)n;
}

struct fake_connection {
    struct fake *fake;
    int fd;
};

// The message up to the dot, in `line` by `line`.
static inline bool fake_read_message(struct fake *f, FILE *in, int fd) {
    char line[4096];
    GString *text = g_string_new(NULL);
    while (fgets(line, sizeof line, in)) {
        if (f->cuts_in_data) {
            g_string_free(text, TRUE);
            return false;
        }
        if (strcmp(line, ".\r\n") == 0) {
            pthread_mutex_lock(&f->lock);
            g_ptr_array_add(f->messages, g_string_free(text, FALSE));
            pthread_mutex_unlock(&f->lock);
            if (!f->cuts_after_end)
                fake_say(fd, f->end_reply ? f->end_reply : "250 2.0.0 taken\r\n");
            return !f->cuts_after_end;
        }
        g_string_append(text, line);
    }
    g_string_free(text, TRUE);
    return false;
}

static inline bool fake_command(struct fake *f, FILE *in, int fd, const char *line,
                                unsigned *n_rcpt, unsigned *n_messages) {
    pthread_mutex_lock(&f->lock);
    g_string_append(f->said, line);
    pthread_mutex_unlock(&f->lock);
    if (g_str_has_prefix(line, "EHLO"))
        fake_say(fd, f->ehlo ? f->ehlo : "250-fake\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    else if (g_str_has_prefix(line, "MAIL"))
        fake_say(fd, f->mail_reply ? f->mail_reply : "250 2.1.0 ok\r\n");
    else if (strstr(line, "TO:<no"))
        fake_say(fd, "550 5.1.1 nobody here\r\n");
    else if (strstr(line, "TO:<later"))
        fake_say(fd, "450 4.2.0 later\r\n");
    else if (g_str_has_prefix(line, "RCPT")) {
        ++*n_rcpt;
        fake_say(fd, "250 2.1.5 ok\r\n");
    } else if (g_str_has_prefix(line, "DATA") && *n_rcpt == 0) {
        fake_say(fd, "503 5.5.1 no recipients\r\n");
    } else if (g_str_has_prefix(line, "DATA")) {
        *n_rcpt = 0;
        fake_say(fd, "354 go on\r\n");
        if (!fake_read_message(f, in, fd))
            return false;
        return !f->closes_after || ++*n_messages < f->closes_after;
    } else if (g_str_has_prefix(line, "AUTH PLAIN")) {
        fake_say(fd,
                 strstr(line, "AHVzZXIAc2VjcmV0") ? "235 2.7.0 welcome\r\n" : "535 5.7.8 no\r\n");
    } else if (g_str_has_prefix(line, "QUIT")) {
        return false;
    } else {
        fake_say(fd, "250 ok\r\n");
    }
    return true;
}

static inline void *fake_serve(void *data) {
    struct fake_connection *c = data;
    struct fake *f = c->fake;
    char line[4096];
    unsigned n_rcpt = 0, n_messages = 0;
    FILE *in = fdopen(dup(c->fd), "r");
    if (!f->is_silent)
        fake_say(c->fd, f->greeting ? f->greeting : "220 fake ESMTP\r\n");
    while (fgets(line, sizeof line, in) && fake_command(f, in, c->fd, line, &n_rcpt, &n_messages))
        ;
    fclose(in);
    close(c->fd);
    g_free(c);
    return NULL;
}

static inline void *fake_accept(void *data) {
    struct fake *f = data;
    for (int fd; (fd = accept(f->fd, NULL, NULL)) >= 0;) {
        struct fake_connection *c = g_new0(struct fake_connection, 1);
        *c = (struct fake_connection){f, fd};
        f->n_connections++;
        pthread_t thread;
        pthread_create(&thread, NULL, fake_serve, c);
        pthread_detach(thread);
    }
    return NULL;
}

// Binds to a free port (or the one that is set already) of the loopback.
static inline void fake_start(struct fake *f) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    socklen_t len = sizeof at;
    int on = 1;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_mutex_init(&f->lock, NULL);
    f->said = g_string_new(NULL);
    f->messages = g_ptr_array_new_with_free_func(g_free);
    f->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    g_assert_cmpint(bind(f->fd, (struct sockaddr *)&at, len), ==, 0);
    g_assert_cmpint(listen(f->fd, 64), ==, 0);
    getsockname(f->fd, (struct sockaddr *)&at, &len);
    f->port = ntohs(at.sin_port);
    pthread_create(&f->thread, NULL, fake_accept, f);
}

// Its clients are gone by now.
static inline void fake_stop(struct fake *f) {
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
    g_usleep(20000); // its threads see the end of their connections
    pthread_mutex_lock(&f->lock);
    g_string_free(f->said, TRUE);
    g_ptr_array_unref(f->messages);
    pthread_mutex_unlock(&f->lock);
}
