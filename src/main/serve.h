// `bourse serve`: the server process.
#pragma once

#include "admin/command.h"

int program_serve(struct command_call *call);
