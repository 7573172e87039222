// What the server does to its own process: limits, rights, signals.
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/result.h"

// No core dumps (they would hold mail and passwords), as many descriptors as allowed, umask 077,
// SIGPIPE ignored.
void process_harden(void);

// Becomes `user`, to whom `dir` must belong, and keeps of root's rights only that of binding low
// ports. Nothing when `user` is empty or we are not root. On failure *error_out (g_free) says what
// to do.
enum ec process_become(const char *user, const char *dir, char **error_out);

// Blocks the signals that the server waits for, in this and all later threads: SIGTERM, SIGINT,
// SIGHUP.
void process_block_signals(sigset_t *set);
