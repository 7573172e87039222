// A program of the administrator's that makes text of attachments (office documents, PDF).
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/result.h"

#define EXTERNAL_TIMEOUT_MS 10000
#define EXTERNAL_OUTPUT_MAX (64u * 1024 * 1024)

// Runs `command` (words as in a shell, but no shell) with `type` ("application/pdf") and `name` as
// two more arguments. `content` is its standard input, a file it can seek in; what it prints goes
// to `out`, unchecked, at most `max` bytes (not more than EXTERNAL_OUTPUT_MAX); past that, and
// after `timeout_ms`, it is killed with what it started.
//
// EC_INVALID_PARAMETER: no command line; EC_NOT_FOUND: it could not be started; EC_TIMEOUT;
// EC_CALL_FAILED: it ended with another status than 0, or was killed.
enum ec external_convert(const char *command, const char *type, const char *name, GBytes *content,
                         int64_t timeout_ms, size_t max, GString *out);
