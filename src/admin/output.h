// What a command prints: tables and sentences for people, or JSON with the same facts.
//
// A command describes records (begin, fields, end); the output writes them as JSON, as the rows of
// a table, or as `name: value` lines. Rows go out as they are made, so that a list of any length
// needs no memory. A JSON list is one array with one object on each line.
//
//     output_list_begin(out, "address:40 name:30 kind");
//     for (...) {
//         output_object_begin(out, NULL);
//         output_string(out, "address", user->address);
//         ...
//         output_object_end(out);
//     }
//     output_list_end(out);
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/filetime.h"
#include "base/result.h"

enum output_stream { OUTPUT_OUT = 1, OUTPUT_ERROR = 2, OUTPUT_PROGRESS = 3 };

struct output;

// `write` gets finished text; a false result means that nobody reads any more (output_is_broken).
typedef bool (*output_write)(void *ctx, enum output_stream stream, const void *data, size_t len);
struct output *output_new(bool is_json, output_write write, void *ctx);
void output_free(struct output *out); // flushes; accepts NULL
void output_flush(struct output *out);
bool output_is_json(const struct output *out);
// True when the reader went away: long commands stop then.
bool output_is_broken(const struct output *out);

// A sentence or text for people; nothing in JSON mode.
void output_say(struct output *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
// Bytes as they are (message show, help), in both modes.
void output_raw(struct output *out, const void *data, size_t len);
// A line about how far a long command is; shown on terminals only.
void output_progress(struct output *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
// An error: a line on standard error, in JSON mode an object {"error": ..., "code": ...}.
void output_error(struct output *out, enum ec ec, const char *text);

// `columns`: names of the fields a table shows, in the order in which the records give them, with
// minimum widths ("address:40 kind"). Other fields appear in JSON only.
void output_list_begin(struct output *out, const char *columns);
void output_list_end(struct output *out);

// `name` NULL: an element of a list, or the whole answer.
void output_object_begin(struct output *out, const char *name);
void output_object_end(struct output *out);
void output_array_begin(struct output *out, const char *name);
void output_array_end(struct output *out);

// Fields of an object; in an array `name` is NULL. A NULL string is left out.
void output_string(struct output *out, const char *name, const char *value);
void output_number(struct output *out, const char *name, uint64_t value);
void output_bool(struct output *out, const char *name, bool value);
void output_time(struct output *out, const char *name,
                 filetime_t value); // RFC 3339, UTC; 0: left out
