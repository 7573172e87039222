// Words of the command line, checked against what a command takes.
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/result.h"

#define ARGUMENTS_MAX 10000 // words, also in a request over the control socket
#define ARGUMENT_MAX 16384  // bytes of one word

struct command_option {
    const char *name;  // without the dashes
    const char *value; // placeholder of its value; NULL: a switch
    const char *help;  // one line
    bool is_path;      // the value is a path, of the folder the command was given in
};

struct argument_option {
    const char *name;
    const char *value; // NULL: a switch
};

struct arguments {
    const char **items; // positional ones, DIR first
    unsigned n;
    struct argument_option *options;
    unsigned n_options;
    bool is_json; // --json
    bool is_help; // --help or -h: nothing else was checked
};

// Takes `n` words apart: `--name value`, `--name=value`, `--name`, `--` (the rest is positional).
// `pattern` is the command's argument text ("DIR ADDRESS [FILE...]"), `options` its options
// (`--json` and `--help` are always known). EC_INVALID_PARAMETER with a sentence in *error_out
// (arena) that says what is wrong. Words are borrowed.
enum ec arguments_parse(struct arena *arena, const char *pattern,
                        const struct command_option *options, char *const *words, unsigned n,
                        struct arguments *out, const char **error_out);

// The same checks on what came through the control socket (`arguments` is filled in already).
enum ec arguments_check(struct arena *arena, const char *pattern,
                        const struct command_option *options, const struct arguments *arguments,
                        const char **error_out);

// The option's last value; NULL: not given, or a switch.
const char *arguments_option(const struct arguments *a, const char *name);
bool arguments_has(const struct arguments *a, const char *name);
