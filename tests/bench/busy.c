// The benchmark's busy clients: N IMAP connections (one thread each) on one mailbox, each doing one
// thing after the other with a pause between, as people and their programs do: append, set and take
// flags, fetch what is newest, read a body, wait in IDLE. Prints one line of JSON with the spread
// of each operation's latency.
//
//   busy HOST PORT CONNECTIONS SECONDS PAUSE_MS USER PASSWORD MAILBOX
//
// A "%" in USER stands for the connection's number.
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
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
#define MAX_SAMPLES 200000
#define MESSAGE_SIZE 4096
#define NEWEST 20   // messages of a fetch
#define IDLE_MS 300 // at most

enum kind { APPEND, FLAG, FETCH, BODY, IDLE, KINDS };
static const char *const names[KINDS] = {"append", "flag", "fetch", "body", "idle"};
static const unsigned shares[KINDS] = {25, 30, 30, 10, 5}; // of a hundred

struct client {
    unsigned number, tag;
    int fd;
    char in[1 << 16];
    size_t have;
    unsigned exists; // messages, as the server said last
    uint64_t random;
};

static const char *host, *port, *user, *password, *mailbox;
static unsigned connections, pause_ms;
static double until;
static atomic_uint failures;
static pthread_barrier_t ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t *samples[KINDS]; // microseconds
static unsigned n_samples[KINDS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "busy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static unsigned pick(struct client *c, unsigned n) {
    c->random ^= c->random << 13, c->random ^= c->random >> 7, c->random ^= c->random << 17;
    return (unsigned)((c->random >> 11) % n);
}

// --- The connection ---

static int dial(void) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        die("address");
    int fd = socket(list->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0)
        die("connect");
    freeaddrinfo(list);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void put(struct client *c, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            die("send");
        data += n;
        len -= (size_t)n;
    }
}

static void fill(struct client *c) {
    if (c->have == sizeof c->in - 1)
        c->have = 0; // the middle of a body's line
    ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - 1 - c->have, 0);
    if (n <= 0)
        die("connection lost");
    c->have += (size_t)n;
}

// The next line without its end; bodies come as lines too.
static void read_line(struct client *c, char *out, size_t size) {
    char *end;
    while (!(end = memchr(c->in, '\n', c->have)))
        fill(c);
    size_t len = (size_t)(end - c->in), take = len < size - 1 ? len : size - 1;
    memcpy(out, c->in, take);
    out[take] = '\0';
    memmove(c->in, end + 1, c->have - len - 1);
    c->have -= len + 1;
    unsigned n;
    char word[8];
    if (sscanf(out, "* %u %7s", &n, word) == 2 && strncmp(word, "EXISTS", 6) == 0)
        c->exists = n;
}

// Reads up to the tagged answer, or to a continuation when one is wanted; false: not OK.
static bool answer(struct client *c, bool wants_more) {
    char tag[16], line[512];
    int len = snprintf(tag, sizeof tag, "b%u ", c->tag);
    for (;;) {
        read_line(c, line, sizeof line);
        if (wants_more && line[0] == '+')
            return true;
        if (strncmp(line, tag, (size_t)len) == 0) {
            bool is_ok = strncmp(line + len, "OK", 2) == 0;
            if (!is_ok)
                fprintf(stderr, "busy: %s\n", line);
            return is_ok && !wants_more;
        }
    }
}

static bool command(struct client *c, bool wants_more, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool command(struct client *c, bool wants_more, const char *format, ...) {
    char line[1024];
    int n = snprintf(line, sizeof line, "b%u ", ++c->tag);
    va_list args;
    va_start(args, format);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 2, format, args);
    va_end(args);
    memcpy(line + n, "\r\n", 2);
    put(c, line, (size_t)n + 2);
    return answer(c, wants_more);
}

// --- What clients do ---

static bool do_append(struct client *c) {
    char text[MESSAGE_SIZE + 2];
    int n = snprintf(text, sizeof text,
                     "From: Client %u <client@remote.test>\r\nTo: Team <team@example.test>\r\n"
                     "Subject: From client %u, number %u\r\n"
                     "Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n"
                     "Message-ID: <busy.%u.%u@remote.test>\r\n\r\n",
                     c->number, c->number, c->tag, c->number, c->tag);
    for (; n < MESSAGE_SIZE - 2; n++)
        text[n] = n % 70 == 0 ? '\n' : (char)('a' + pick(c, 26));
    for (int i = 1; i < MESSAGE_SIZE; i++) // each LF after a CR
        if (text[i] == '\n' && i < n && text[i - 1] != '\r')
            text[i - 1] = '\r';
    memcpy(text + n, "\r\n", 2);
    if (!command(c, true, "APPEND \"%s\" (\\Seen) {%d}", mailbox, n + 2))
        return false;
    text[n] = '\r';
    text[n + 1] = '\n';
    put(c, text, (size_t)n + 2);
    put(c, "\r\n", 2);
    return answer(c, false);
}

static bool do_idle(struct client *c, double *start) {
    if (!command(c, true, "IDLE"))
        return false;
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (c->have == 0)
        poll(&p, 1, IDLE_MS);
    *start = now(); // what counts is how fast it ends
    put(c, "DONE\r\n", 6);
    return answer(c, false);
}

static bool perform(struct client *c, enum kind kind, double *start) {
    if (kind == APPEND || c->exists == 0)
        return do_append(c);
    unsigned some = 1 + pick(c, c->exists);
    switch (kind) {
    case FLAG:
        return command(c, false, "STORE %u %cFLAGS (%s)", some, pick(c, 2) ? '+' : '-',
                       pick(c, 2) ? "\\Flagged" : "\\Seen");
    case FETCH:
        return command(c, false, "FETCH %u:* (FLAGS ENVELOPE)",
                       c->exists > NEWEST ? c->exists - NEWEST + 1 : 1);
    case BODY:
        return command(c, false, "FETCH %u (BODY.PEEK[])", some);
    default:
        return do_idle(c, start);
    }
}

static enum kind choose(struct client *c) {
    unsigned n = pick(c, 100);
    enum kind kind = APPEND;
    while (n >= shares[kind])
        n -= shares[kind++];
    return kind == IDLE && pause_ms == 0 ? FETCH : kind; // without pause nobody waits
}

static void note(enum kind kind, double seconds) {
    pthread_mutex_lock(&lock);
    if (n_samples[kind] < MAX_SAMPLES)
        samples[kind][n_samples[kind]++] = (uint32_t)(seconds * 1e6);
    pthread_mutex_unlock(&lock);
}

static void rest(struct client *c) {
    unsigned ms = pause_ms ? pick(c, 2 * pause_ms) : 0;
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static void *run(void *arg) {
    struct client *c = arg;
    char name[256], line[512];
    const char *percent = strchr(user, '%');
    if (percent)
        snprintf(name, sizeof name, "%.*s%u%s", (int)(percent - user), user, c->number,
                 percent + 1);
    else
        snprintf(name, sizeof name, "%s", user);
    c->random = 88172645463325252u + c->number * 7919u;
    c->fd = dial();
    read_line(c, line, sizeof line);
    if (!command(c, false, "LOGIN \"%s\" \"%s\"", name, password) ||
        !command(c, false, "SELECT \"%s\"", mailbox))
        die("login");
    pthread_barrier_wait(&ready); // all are there
    pthread_barrier_wait(&ready); // `until` is set
    rest(c);
    while (now() < until) {
        enum kind kind = choose(c);
        double start = now();
        if (!perform(c, kind, &start))
            atomic_fetch_add(&failures, 1);
        note(kind, now() - start);
        rest(c);
    }
    command(c, false, "LOGOUT");
    close(c->fd);
    return NULL;
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr,
                "usage: busy HOST PORT CONNECTIONS SECONDS PAUSE_MS USER PASSWORD MAILBOX\n");
        return 2;
    }
    host = argv[1], port = argv[2], user = argv[6], password = argv[7], mailbox = argv[8];
    connections = (unsigned)atoi(argv[3]);
    pause_ms = (unsigned)atoi(argv[5]);
    if (connections < 1 || connections > MAX_CONNECTIONS)
        return 2;
    static pthread_t threads[MAX_CONNECTIONS];
    struct client *clients = calloc(connections, sizeof *clients);
    for (unsigned k = 0; k < KINDS; k++)
        samples[k] = calloc(MAX_SAMPLES, sizeof **samples);
    pthread_barrier_init(&ready, NULL, connections + 1);
    for (unsigned i = 0; i < connections; i++) {
        clients[i].number = i;
        if (pthread_create(&threads[i], NULL, run, &clients[i]) != 0)
            die("threads");
    }
    pthread_barrier_wait(&ready);
    double start = now();
    until = start + atof(argv[4]);
    pthread_barrier_wait(&ready);
    for (unsigned i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    double seconds = now() - start;
    unsigned total = 0;
    printf("{");
    for (unsigned k = 0; k < KINDS; k++) {
        unsigned n = n_samples[k];
        total += n;
        qsort(samples[k], n, sizeof **samples, by_value);
        if (n > 0)
            printf("\"%s\": {\"n\": %u, \"p50_us\": %u, \"p95_us\": %u, \"p99_us\": %u, "
                   "\"max_us\": %u}, ",
                   names[k], n, samples[k][n / 2], samples[k][(size_t)n * 95 / 100],
                   samples[k][(size_t)n * 99 / 100], samples[k][n - 1]);
    }
    printf("\"failures\": %u, \"operations\": %u, \"seconds\": %.3f}\n", atomic_load(&failures),
           total, seconds);
    return atomic_load(&failures) ? 1 : 0;
}
