// Runs the converter: its own process group, an unnamed file as standard input, a pipe as output,
// nothing else of ours, and a clock.
#include "convert/external_converter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_NAME 255
#define MAX_CPU_SECONDS 15
#define WAIT_STEP_US 2000

extern char **environ;

static int64_t now_ms(void) {
    return g_get_monotonic_time() / 1000;
}

// An unnamed file with the content, at its start; -1: no memory.
static int content_file(GBytes *content) {
    int fd = memfd_create("attachment", MFD_CLOEXEC);
    gsize len;
    const char *p = g_bytes_get_data(content, &len);
    while (fd >= 0 && len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        p += n;
        len -= (size_t)n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

// An argument that cannot be taken for an option, and is text.
static char *clean_argument(const char *s) {
    g_autofree char *valid = g_utf8_make_valid(s ? s : "", -1);
    for (char *p = valid; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = '_';
    if (valid[0] == '-')
        valid[0] = '_';
    const char *end = valid;
    while (*end && g_utf8_next_char(end) - valid <= MAX_NAME)
        end = g_utf8_next_char(end);
    return g_strndup(valid, (gsize)(end - valid));
}

static bool spawn(char **argv, int in, int out, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return false;
    struct rlimit cpu = {MAX_CPU_SECONDS, MAX_CPU_SECONDS}, core = {0, 0};
    prlimit(*pid, RLIMIT_CPU, &cpu, NULL);
    prlimit(*pid, RLIMIT_CORE, &core, NULL);
    return true;
}

// Until its end, `max` bytes or the deadline.
static enum ec read_output(int fd, int64_t deadline, size_t max, GString *out) {
    char buf[16384];
    for (size_t got = 0; got < max;) {
        int64_t left = deadline - now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return EC_TIMEOUT;
        ssize_t n = read(fd, buf, MIN(sizeof buf, max - got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return EC_OK;
        g_string_append_len(out, buf, n);
        got += (size_t)n;
    }
    return EC_MESSAGE_TOO_BIG;
}

// Its end, waited for until the deadline.
static enum ec reap(pid_t pid, int64_t deadline) {
    int status = 0;
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            break;
        if (got < 0 && errno != EINTR)
            return EC_CALL_FAILED;
        if (now_ms() >= deadline)
            return EC_TIMEOUT;
        g_usleep(WAIT_STEP_US);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EC_OK : EC_CALL_FAILED;
}

static void kill_group(pid_t pid) {
    kill(-pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static enum ec run(char **argv, int in, int64_t timeout_ms, size_t max, GString *out) {
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return EC_NOT_ENOUGH_RESOURCES;
    bool started = spawn(argv, in, ends[1], &pid);
    close(ends[1]);
    if (!started) {
        close(ends[0]);
        return EC_NOT_FOUND;
    }
    int64_t deadline = now_ms() + timeout_ms;
    enum ec ec = read_output(ends[0], deadline, max, out);
    close(ends[0]);
    if (ec == EC_OK)
        ec = reap(pid, deadline);
    if (ec == EC_TIMEOUT || ec == EC_MESSAGE_TOO_BIG)
        kill_group(pid);
    return ec == EC_MESSAGE_TOO_BIG ? EC_OK : ec; // what is beyond is not looked at
}

enum ec external_convert(const char *command, const char *type, const char *name, GBytes *content,
                         int64_t timeout_ms, size_t max, GString *out) {
    g_auto(GStrv) words = NULL;
    int n;
    if (!g_shell_parse_argv(command, &n, &words, NULL))
        return EC_INVALID_PARAMETER;
    g_autofree char *clean_type = clean_argument(type), *clean_name = clean_argument(name);
    char **argv = g_new0(char *, (gsize)n + 3);
    memcpy(argv, words, (gsize)n * sizeof *argv);
    argv[n] = clean_type;
    argv[n + 1] = clean_name;
    int in = content_file(content);
    enum ec ec = in < 0 ? EC_NOT_ENOUGH_RESOURCES
                        : run(argv, in, timeout_ms, MIN(max, EXTERNAL_OUTPUT_MAX), out);
    if (in >= 0)
        close(in);
    g_free(argv);
    return ec;
}
