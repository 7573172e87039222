// Structured logging: one line an event, to stderr or the journal.
//
//     log_event(LOG_LEVEL_INFO, "smtp.accepted", "queue", id, "size", log_u64(size), NULL);
//
// writes  `2026-11-24T06:00:00.123Z info smtp.accepted queue=… size=10240`. The event's name is
// `module.what`; the pairs are strings, quoted where they need it, cut at 200 bytes. Never log
// message content, passwords, tokens or whole protocol lines.
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/result.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
};

// Where to log: "stderr", "journal", or "auto" (the journal when stderr is connected to it).
// Before the first call events of level warning and above go to stderr.
void log_setup(enum log_level min_level, const char *target);

// "debug" … "error"; false when `text` is none of them.
bool log_level_parse(const char *text, enum log_level *out);

// Writes an event: name, then pairs of key and value, then NULL. A NULL value leaves its pair out.
// `pairs` of log_u64 etc. are valid until the end of the full expression's next 8 such calls.
void log_event(enum log_level level, const char *event, ...) G_GNUC_NULL_TERMINATED;

// A number as text in a rotating per-thread buffer, for use as a value in log_event.
const char *log_u64(uint64_t v);
const char *log_i64(int64_t v);
