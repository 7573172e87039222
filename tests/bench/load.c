// The benchmark's load generator: delivers distinct messages by SMTP or LMTP over N connections
// (one thread each, one transaction after the other, as a relaying server does) and prints one line
// of JSON with the time until the last answer and the spread of the answers' latency.
//
//   load smtp|lmtp HOST PORT CONNECTIONS MESSAGES SIZE PREFIX USERS DOMAIN FIRST
//
// Message i goes to PREFIX<i % USERS>@DOMAIN (PREFIX alone when USERS is 0); FIRST is the number of
// the first message, so that runs do not repeat message ids.
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 1024

struct config {
    bool is_lmtp;
    const char *host, *port, *prefix, *domain;
    unsigned connections, messages, size, users, first;
};

struct connection {
    int fd;
    char in[4096];
    size_t have;
    char *message; // room for one, filled anew for each
};

static struct config config;
static atomic_uint next_message, failures;
static uint32_t *latencies; // microseconds, of each message
static pthread_barrier_t ready;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int dial(void) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    if (getaddrinfo(config.host, config.port, &hints, &list) != 0)
        die("address");
    int fd = socket(list->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0)
        die("connect");
    freeaddrinfo(list);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void put(struct connection *c, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            die("send");
        data += n;
        len -= (size_t)n;
    }
}

// The code of the next whole reply, which may have several lines.
static int reply(struct connection *c) {
    for (;;) {
        char *end = memchr(c->in, '\n', c->have);
        if (end) {
            int code = atoi(c->in);
            bool is_last = end - c->in < 4 || c->in[3] != '-';
            size_t used = (size_t)(end - c->in) + 1;
            memmove(c->in, c->in + used, c->have - used);
            c->have -= used;
            if (is_last)
                return code;
            continue;
        }
        if (c->have == sizeof c->in)
            die("reply too long");
        ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - c->have, 0);
        if (n <= 0)
            die("connection lost");
        c->have += (size_t)n;
    }
}

static int command(struct connection *c, const char *line) {
    put(c, line, strlen(line));
    return reply(c);
}

// A message of about config.size bytes of lines that no compressor makes vanish: base64-like text
// from a generator seeded with the number.
static size_t compose(char *out, unsigned number, const char *recipient) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .";
    size_t n = (size_t)sprintf(out,
                               "From: Sender <sender@remote.test>\r\n"
                               "To: <%s>\r\n"
                               "Subject: Message number %u of the load\r\n"
                               "Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n"
                               "Message-ID: <load.%u.%u@remote.test>\r\n"
                               "MIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n\r\n",
                               recipient, number, number, config.first);
    uint64_t seed = number * 2654435761u + 88172645463325252u;
    while (n + 80 < config.size) {
        for (unsigned i = 0; i < 76; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            // Words of the same text, so that it compresses like prose, not like noise.
            out[n++] = i % 6 == 5 ? ' ' : letters[seed & (i % 3 ? 31 : 63)];
        }
        out[n++] = '\r';
        out[n++] = '\n';
    }
    memcpy(out + n, ".\r\n", 3);
    return n + 3;
}

static void deliver(struct connection *c, unsigned index) {
    unsigned number = config.first + index;
    char recipient[256], line[512];
    if (config.users)
        snprintf(recipient, sizeof recipient, "%s%u@%s", config.prefix, index % config.users,
                 config.domain);
    else
        snprintf(recipient, sizeof recipient, "%s@%s", config.prefix, config.domain);
    size_t len = compose(c->message, number, recipient);
    double start = now();
    snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", recipient);
    bool ok = command(c, "MAIL FROM:<sender@remote.test>\r\n") == 250 && command(c, line) == 250 &&
              command(c, "DATA\r\n") == 354;
    if (ok) {
        put(c, c->message, len);
        ok = reply(c) == 250;
    } else {
        command(c, "RSET\r\n");
    }
    if (!ok)
        atomic_fetch_add(&failures, 1);
    latencies[index] = (uint32_t)((now() - start) * 1e6);
}

static void *run(void *arg) {
    (void)arg;
    struct connection c = {.fd = dial(), .message = malloc(config.size + 2048)};
    if (!c.message)
        die("memory");
    if (reply(&c) != 220 ||
        command(&c, config.is_lmtp ? "LHLO load.test\r\n" : "EHLO load.test\r\n") != 250)
        die("greeting");
    pthread_barrier_wait(&ready);
    for (unsigned i; (i = atomic_fetch_add(&next_message, 1)) < config.messages;)
        deliver(&c, i);
    put(&c, "QUIT\r\n", 6);
    close(c.fd);
    free(c.message);
    return NULL;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 11) {
        fprintf(stderr,
                "usage: load smtp|lmtp HOST PORT CONNECTIONS MESSAGES SIZE PREFIX USERS DOMAIN "
                "FIRST\n");
        return 2;
    }
    config = (struct config){.is_lmtp = strcmp(argv[1], "lmtp") == 0,
                             .host = argv[2],
                             .port = argv[3],
                             .connections = (unsigned)atoi(argv[4]),
                             .messages = (unsigned)atoi(argv[5]),
                             .size = (unsigned)atoi(argv[6]),
                             .prefix = argv[7],
                             .users = (unsigned)atoi(argv[8]),
                             .domain = argv[9],
                             .first = (unsigned)atoi(argv[10])};
    if (config.connections < 1 || config.connections > MAX_CONNECTIONS || config.messages < 1)
        return 2;
    latencies = calloc(config.messages, sizeof *latencies);
    pthread_t threads[MAX_CONNECTIONS];
    pthread_barrier_init(&ready, NULL, config.connections + 1);
    for (unsigned i = 0; i < config.connections; i++) {
        if (!latencies || pthread_create(&threads[i], NULL, run, NULL) != 0)
            die("threads");
    }
    pthread_barrier_wait(&ready);
    double start = now();
    for (unsigned i = 0; i < config.connections; i++)
        pthread_join(threads[i], NULL);
    double seconds = now() - start;
    qsort(latencies, config.messages, sizeof *latencies, by_value);
    printf(
        "{\"seconds\": %.6f, \"messages\": %u, \"failures\": %u, \"p50_us\": %u, \"p99_us\": %u, "
        "\"max_us\": %u}\n",
        seconds, config.messages, atomic_load(&failures), latencies[config.messages / 2],
        latencies[(size_t)config.messages * 99 / 100], latencies[config.messages - 1]);
    free(latencies);
    return atomic_load(&failures) ? 1 : 0;
}
