// The access log: one line a request in Common Log Format, and the time it took in milliseconds.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/log.h"
#include "http/http_internal.h"

struct access_log {
    char *path;
    pthread_mutex_t lock;
    int fd;
    GString *held;
};

static int open_file(const char *path) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        log_event(LOG_LEVEL_ERROR, "http.access_log", "file", path, "reason", g_strerror(errno),
                  NULL);
    return fd;
}

struct access_log *access_log_open(const char *path) {
    int fd = open_file(path);
    if (fd < 0)
        return NULL;
    struct access_log *log = g_new0(struct access_log, 1);
    log->path = g_strdup(path);
    log->fd = fd;
    log->held = g_string_new(NULL);
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

static void write_locked(struct access_log *log) {
    // A line lost to a full disk is not worth a word each.
    if (log->held->len > 0 && log->fd >= 0 && write(log->fd, log->held->str, log->held->len) < 0)
        g_string_truncate(log->held, 0);
    g_string_truncate(log->held, 0);
}

void access_log_free(struct access_log *log) {
    if (log == NULL)
        return;
    write_locked(log);
    if (log->fd >= 0)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    g_string_free(log->held, TRUE);
    g_free(log->path);
    g_free(log);
}

// What a client sent never breaks a line or a quote.
static void append_foreign(GString *line, const char *text) {
    for (size_t i = 0; text[i] != '\0' && i < HTTP_LOG_LINE_MAX; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            g_string_append_printf(line, "\\x%02x", c);
        else
            g_string_append_c(line, (char)c);
    }
}

void access_log_add(struct access_log *log, const struct http_request *r) {
    if (log == NULL)
        return;
    time_t now = time(NULL);
    struct tm tm;
    char when[40];
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&now, &tm));
    g_autoptr(GString) line = g_string_new(r->conn->peer);
    g_string_append(line, " - ");
    append_foreign(line, r->who != NULL ? r->who->address : "-");
    g_string_append_printf(line, " [%s] \"", when);
    append_foreign(line, r->method);
    g_string_append_c(line, ' ');
    append_foreign(line, r->target);
    g_string_append_printf(line, "\" %u %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n", r->status,
                           r->sent, (g_get_monotonic_time() - r->started) / 1000);
    pthread_mutex_lock(&log->lock);
    g_string_append_len(log->held, line->str, (gssize)line->len);
    if (log->held->len > HTTP_LOG_BUFFER)
        write_locked(log);
    pthread_mutex_unlock(&log->lock);
}

void access_log_flush(struct access_log *log) {
    struct stat here, there;
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    write_locked(log);
    if (log->fd < 0 || fstat(log->fd, &here) != 0 || stat(log->path, &there) != 0 ||
        here.st_ino != there.st_ino) {
        if (log->fd >= 0)
            close(log->fd);
        log->fd = open_file(log->path);
    }
    pthread_mutex_unlock(&log->lock);
}
