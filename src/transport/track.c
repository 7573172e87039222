// Writing the tracking log: events gather in memory and go to the day's file together.
#include "transport/track.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "transport/limits.h"
#include "transport/track_internal.h"

static struct {
    pthread_mutex_t lock;
    char *dir;
    unsigned keep_seconds;
    bool with_subjects;
    GString *waiting; // lines of `day`
    uint64_t day;     // since 1601
    int fd;           // of fd_day's file; -1: none
    uint64_t fd_day;
    uint64_t cleaned; // the day of the last look for old files
    unsigned lost;    // lines that could not be written
    _Atomic bool is_open;
} track = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

char *track_day_path(const char *dir, uint64_t day) {
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(filetime_to_unix(day * TRACK_DAY));
    g_autofree char *name = date ? g_date_time_format(date, "%Y-%m-%d.log") : g_strdup("none.log");
    return g_build_filename(dir, name, NULL);
}

// --- To the disk, under the lock ---

static enum ec open_day(void) {
    if (track.fd >= 0 && track.fd_day == track.day)
        return EC_OK;
    if (track.fd >= 0)
        close(track.fd);
    g_autofree char *path = track_day_path(track.dir, track.day);
    track.fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (track.fd < 0)
        return EC_DISK_ERROR;
    track.fd_day = track.day;
    // A line that a crash cut off must not swallow the next one.
    char last;
    off_t size = lseek(track.fd, 0, SEEK_END);
    if (size > 0 && pread(track.fd, &last, 1, size - 1) == 1 && last != '\n')
        g_string_prepend_c(track.waiting, '\n');
    return EC_OK;
}

static enum ec write_all(const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(track.fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return EC_DISK_ERROR;
        data += n;
        len -= (size_t)n;
    }
    return EC_OK;
}

// What cannot be written is given up: mail goes on without the log.
static void write_waiting(void) {
    if (track.waiting->len == 0)
        return;
    enum ec ec = open_day();
    if (ec == EC_OK)
        ec = write_all(track.waiting->str, track.waiting->len);
    if (ec != EC_OK && track.lost++ == 0)
        log_event(LOG_LEVEL_ERROR, "track.write_failed", "dir", track.dir, "reason",
                  g_strerror(errno), NULL);
    if (ec == EC_OK)
        track.lost = 0;
    g_string_truncate(track.waiting, 0);
}

// Only files of ours go, by their names.
static void remove_old(uint64_t today) {
    track.cleaned = today;
    uint64_t first = today - MIN(today, track.keep_seconds / 86400);
    g_autofree char *oldest = track_day_path(track.dir, first);
    g_autofree char *limit = g_path_get_basename(oldest);
    GDir *dir = g_dir_open(track.dir, 0, NULL);
    if (!dir)
        return;
    for (const char *name; (name = g_dir_read_name(dir));)
        if (track_is_day_file(name) && strcmp(name, limit) < 0) {
            g_autofree char *path = g_build_filename(track.dir, name, NULL);
            g_unlink(path);
        }
    g_dir_close(dir);
}

// --- Entry points ---

enum ec track_open(const struct track_options *options) {
    enum ec ec = EC_OK;
    pthread_mutex_lock(&track.lock);
    if (!track.waiting)
        track.waiting = g_string_new(NULL);
    if (track.dir)
        write_waiting();
    if (options->keep_seconds && g_mkdir_with_parents(options->dir, 0700) != 0) {
        log_event(LOG_LEVEL_ERROR, "track.open_failed", "dir", options->dir, "reason",
                  g_strerror(errno), NULL);
        ec = EC_DISK_ERROR;
    }
    if (track.fd >= 0)
        close(track.fd);
    track.fd = -1;
    g_free(track.dir);
    track.dir = g_strdup(options->dir);
    track.keep_seconds = options->keep_seconds;
    track.with_subjects = options->with_subjects;
    track.cleaned = 0;
    track.is_open = ec == EC_OK && options->keep_seconds > 0;
    pthread_mutex_unlock(&track.lock);
    return ec;
}

void track_close(void) {
    pthread_mutex_lock(&track.lock);
    if (track.is_open)
        write_waiting();
    track.is_open = false;
    if (track.fd >= 0)
        close(track.fd);
    track.fd = -1;
    g_clear_pointer(&track.dir, g_free);
    if (track.waiting)
        g_string_free(track.waiting, TRUE);
    track.waiting = NULL;
    pthread_mutex_unlock(&track.lock);
}

bool track_is_open(void) {
    return track.is_open;
}

void track_event(const struct track_event *event) {
    if (!track.is_open)
        return;
    struct track_event e = *event;
    if (e.time == 0)
        e.time = clock_now();
    pthread_mutex_lock(&track.lock);
    if (track.is_open) {
        if (!track.with_subjects)
            e.subject = NULL;
        uint64_t day = e.time / TRACK_DAY;
        if (day != track.day)
            write_waiting();
        track.day = day;
        track_format(&e, track.waiting);
        if (track.waiting->len >= TRACK_BUFFER)
            write_waiting();
    }
    pthread_mutex_unlock(&track.lock);
}

void track_flush(void) {
    pthread_mutex_lock(&track.lock);
    if (track.is_open) {
        uint64_t today = clock_now() / TRACK_DAY;
        write_waiting();
        if (track.cleaned != today)
            remove_old(today);
    }
    pthread_mutex_unlock(&track.lock);
}
