// `bourse init`: a new data directory.
#pragma once

#include "admin/command.h"

int program_init(struct command_call *call);
