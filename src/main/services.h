// Opening what the program works on: directory, store, queue.
#pragma once

#include "admin/command.h"
#include "base/config.h"

// Opens everything below `dir` as `config` says. The lock of `dir` is held. On failure *error_out
// (g_free) says what to do, and nothing is open.
enum ec services_open(const char *dir, const struct config *config, struct admin_services *out,
                      char **error_out);
void services_close(struct admin_services *services);

// The same for a command without a server: reads the configuration itself.
enum ec services_open_alone(const char *dir, struct admin_services *out, char **error_out);
