// The client's half of a command: the process that the administrator started.
#pragma once

#include "admin/command.h"
#include "admin/control_channel.h"

struct client_call {
    const struct command *command;
    const struct arguments *arguments;
    struct arena *arena;
    struct channel *channel;
    struct output *out; // standard output and error
    bool is_terminal;   // standard error is one: progress is shown
};

// Connects to the server of `dir`. EC_NOT_FOUND: there is none.
enum ec control_connect(const char *dir, struct channel **out);

// Prints what comes back until FRAME_DONE; its exit status. A connection that ends early is
// reported and gives EXIT_FAILED.
int client_finish(struct client_call *call);

// Handles one frame of output (FRAME_OUT, FRAME_ERROR, FRAME_PROGRESS) or FRAME_DONE, whose status
// goes to *status_out. True: the command is done.
bool client_take_output(struct client_call *call, const struct frame *frame, int *status_out);

// Reports that the connection failed; EXIT_FAILED.
int client_lost(struct client_call *call, enum ec ec);

// One line on the terminal that the next one replaces; NULL removes it. Nothing without a terminal.
void client_progress(struct client_call *call, const char *line);
