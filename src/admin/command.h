// The command line as one table: names, arguments, options, help and the functions behind them.
//
// A command is run by the server when it is up, and otherwise by the process that was started,
// which then holds the data directory's lock. Both call the same function with the same
// `struct command_call`. `bourse help`, the manual page and the shell completion are generated from
// the table (help.h). Commands that read or write the administrator's own files (import, export)
// have a second half, `client`, which always runs in the process that was started.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/arguments.h"
#include "admin/output.h"
#include "base/arena.h"
#include "base/filetime.h"
#include "base/guid.h"
#include "base/result.h"

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct directory;
struct auth;
struct store;
struct queue;
struct mailbox_service;
struct dns;
struct policy;
struct net;
struct channel;

// What commands work on. `net`, `relay`, `listeners` and `started` are set in a running server
// only.
struct admin_services {
    char *dir;                    // the data directory
    char *hostname, *certificate; // of [server] and [tls]; certificate NULL: our own
    struct directory *directory;
    struct auth *auth;
    struct store *store;
    struct queue *queue;
    struct mailbox_service *mailboxes;
    struct dns *dns;
    struct policy *policy;
    uint64_t default_quota; // bytes; 0: none
    struct net *net;
    struct relay *relay;
    const char *listeners; // lines `name address:port`
    filetime_t started;
};

enum command_flags {
    COMMAND_LOCAL = 1 << 0,    // needs no services: runs where it was started
    COMMAND_PASSWORD = 1 << 1, // takes a password (read before it runs, unless it is COMMAND_LOCAL)
    COMMAND_CONFIRM = 1 << 2,  // asks before it destroys something, unless --yes is given
    COMMAND_NEW_DIR = 1 << 3,  // runs where it was started when DIR is no data directory yet
};

struct command_call {
    const struct command *command;
    const struct arguments *arguments;
    const struct admin_services *services; // NULL for COMMAND_LOCAL
    struct arena *arena;                   // lives as long as the call
    struct output *out;
    const char *password;    // COMMAND_PASSWORD; NULL: none was given
    struct channel *channel; // to the client half; NULL for COMMAND_LOCAL
    const struct admin_program *program;
};

// What the process that was started does while the command runs elsewhere: exchanges frames over
// `channel` until FRAME_DONE (control_client.h) and gives the exit status.
struct client_call;

struct command {
    const char *name;      // "user add"
    const char *arguments; // "DIR ADDRESS [FILE...]"
    const struct command_option *options;
    unsigned flags;
    const char *summary;                     // half a line, for the list of commands
    const char *text;                        // paragraphs separated by '\n'; NULL: none
    int (*run)(struct command_call *call);   // gives EXIT_DONE or EXIT_FAILED
    int (*client)(struct client_call *call); // NULL: only prints what comes back
};

// The table, ended by an entry without a name.
extern const struct command admin_commands[];

// The command that the first words name ("user", "add", ...), the longest name that fits; the
// number of words it took goes to *n_words_out. NULL: there is none.
const struct command *command_find(char *const *words, unsigned n, unsigned *n_words_out);
const struct command *command_by_name(const char *name);

// --- For the functions behind the commands ---

// Positional argument `i` (0 is DIR); NULL when it was not given.
const char *call_argument(const struct command_call *call, unsigned i);
// The value of option `name` (without dashes); NULL when it was not given.
const char *call_option(const struct command_call *call, const char *name);
bool call_switch(const struct command_call *call, const char *name);

// Reports a failure in whole sentences (what failed, why, what to do next) and gives EXIT_FAILED.
int call_fail(struct command_call *call, enum ec ec, const char *format, ...) G_GNUC_PRINTF(3, 4);

// Option `name` as a size (10, 64K, 50M, 2G) or a whole number into *out, which keeps its value
// when the option was not given. False: it was wrong, and that has been reported.
bool call_option_size(struct command_call *call, const char *name, uint64_t *out);
bool call_option_number(struct command_call *call, const char *name, uint64_t max, uint64_t *out);
// Option `name` as yes or no.
bool call_option_yes_no(struct command_call *call, const char *name, bool *out);

// --- The composition root's part (main/) ---
struct admin_program {
    int (*init)(struct command_call *call);
    int (*serve)(struct command_call *call);
    int (*probe)(struct command_call *call);
    // Opens everything below `dir` for use without a server. The caller holds the lock. On failure
    // `*error_out` gets a message for the administrator.
    enum ec (*open_services)(const char *dir, struct admin_services *out, char **error_out);
    void (*close_services)(struct admin_services *services);
};

// The whole program: parses, finds the server or does the work itself. The exit status.
int admin_main(int argc, char **argv, const struct admin_program *program);
