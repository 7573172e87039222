// Help, the manual page and shell completion, all made from the table of commands.
#pragma once

#include "admin/command.h"

// The list of commands (NULL), or the help of one.
void help_print(struct output *out, const struct command *command);
// The manual page bourse(8), in man(7) macros.
void help_man(struct output *out);
// Completion rules for bash.
void help_completion(struct output *out);
