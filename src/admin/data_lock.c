// flock ends with the process, so a crash never leaves a lock behind; the process id in the file is
// for people only.
#include "admin/data_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ec open_error(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return EC_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return EC_ACCESS_DENIED;
    default:
        return EC_DISK_ERROR;
    }
}

enum ec data_lock_try(const char *dir, int *fd_out, int *holder_out) {
    g_autofree char *run = g_build_filename(dir, "run", NULL);
    g_autofree char *path = g_build_filename(run, "lock", NULL);
    if (mkdir(run, 0700) != 0 && errno != EEXIST)
        return open_error(errno);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return open_error(errno);
    struct stat dir_stat;
    if (geteuid() == 0 && stat(dir, &dir_stat) == 0 && dir_stat.st_uid != 0) {
        // root works in a directory that belongs to the server's user: so must these.
        if (chown(run, dir_stat.st_uid, dir_stat.st_gid) != 0 ||
            fchown(fd, dir_stat.st_uid, dir_stat.st_gid) != 0) {
            close(fd);
            return EC_ACCESS_DENIED;
        }
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        data_lock_sign(fd);
        *fd_out = fd;
        return EC_OK;
    }
    char text[24] = "";
    if (holder_out)
        *holder_out = pread(fd, text, sizeof text - 1, 0) > 0 ? atoi(text) : 0;
    close(fd);
    return EC_BUSY;
}

enum ec data_lock_take(const char *dir, unsigned wait_ms, int *fd_out, int *holder_out) {
    for (unsigned waited = 0;; waited += 50) {
        enum ec ec = data_lock_try(dir, fd_out, holder_out);
        if (ec != EC_BUSY || waited >= wait_ms)
            return ec;
        g_usleep(50000);
    }
}

void data_lock_sign(int fd) {
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return; // the lock holds without it
}
