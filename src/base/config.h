// The configuration file: sections of `key = value` lines, checked against a schema table.
//
// Every module that has settings exports a table of `struct config_item`; the table is also what
// the commented default file and the manual are generated from. An unknown section or key, or a
// value of the wrong kind, is an error that names the file, the key and what is allowed.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

enum config_kind {
    CONFIG_STRING,
    CONFIG_BOOL,     // true or false
    CONFIG_INT,      // whole number, >= 0
    CONFIG_SIZE,     // bytes: 10, 64K, 50M, 2G
    CONFIG_DURATION, // seconds: 30, 5m, 2h, 14d
    CONFIG_ADDRESS,  // address:port, [v6]:port, or empty for "off"
    CONFIG_CHOICE,   // one of `choices`, separated by '|'
};

struct config_item {
    const char *section;
    const char *key;
    enum config_kind kind;
    const char *def; // default, in the file's syntax
    const char *choices;
    const char *help; // one or two sentences for the admin
};

struct config;

// Reads `path` and checks it against `items` (ended by an entry without a section). On failure
// `*error_out` gets a message for the admin (g_free).
enum ec config_load(const char *path, const struct config_item *items, struct config **out,
                    char **error_out);

// Only defaults, for tests and `init`.
struct config *config_new(const struct config_item *items);
void config_free(struct config *config); // accepts NULL

// Sets a value in memory (init profiles, tests). EC_NOT_FOUND, or EC_INVALID_PARAMETER when the
// value is not of the item's kind.
enum ec config_set(struct config *config, const char *section, const char *key, const char *value);

// Values; section and key must be in the schema (a bug otherwise: asserts). Strings are borrowed.
const char *config_string(const struct config *config, const char *section, const char *key);
bool config_bool(const struct config *config, const char *section, const char *key);
int64_t config_int(const struct config *config, const char *section,
                   const char *key); // also sizes, durations

// The whole file with every key, its help as comments, and the values of `config`.
char *config_format(const struct config *config);
