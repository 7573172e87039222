// Passwords: from a terminal without echo, or the first line of standard input. Never from the
// command line, where every process can read them.
#pragma once

#include <stdbool.h>

#include "base/result.h"

#define PASSWORD_MAX 1024

// The first line of standard input without its line end. *out: password_free. EC_INVALID_PARAMETER:
// empty, longer than PASSWORD_MAX, or not UTF-8.
enum ec password_from_stdin(char **out);

// Asks twice on the controlling terminal. EC_NOT_FOUND: there is none; EC_CANCEL: the two differ;
// EC_INVALID_PARAMETER.
enum ec password_from_terminal(const char *whose, char **out);

void password_free(char *password); // overwrites it; accepts NULL

// Asks `question` on the terminal; true only for "yes" or "y". False without a terminal.
bool terminal_confirms(const char *question);
