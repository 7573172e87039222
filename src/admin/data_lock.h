// The lock of a data directory: whoever writes below DIR holds DIR/run/lock (flock). `serve` keeps
// it for its life, a command without a server while it runs.
#pragma once

#include "base/result.h"

// Takes the lock, waiting up to `wait_ms`; makes DIR/run when it is missing. The descriptor that
// holds it goes to *fd_out (close to release). EC_BUSY: somebody else has it (its process id goes
// to *holder_out, 0: unknown); EC_NOT_FOUND: no such directory; EC_ACCESS_DENIED; EC_DISK_ERROR.
enum ec data_lock_take(const char *dir, unsigned wait_ms, int *fd_out, int *holder_out);

// Tries once. Like data_lock_take without waiting.
enum ec data_lock_try(const char *dir, int *fd_out, int *holder_out);

// Writes our process id into the lock's file (again after a fork).
void data_lock_sign(int fd);
