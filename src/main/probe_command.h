// `bourse probe`.
#pragma once

#include "admin/command.h"

int program_probe(struct command_call *call);
