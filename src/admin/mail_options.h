// What becomes of a user's mail, as options of `bourse user set`: forwarding, receipts, sent
// copies, journaling.
#pragma once

#include "admin/recipient.h"

// False: an option was wrong, and that has been reported.
bool mail_options_check(struct command_call *call, const struct directory_object *object);
// Stores them. The exit status; failures are reported.
int mail_options_apply(struct command_call *call, const struct directory_object *object);
// Fields of `bourse user show`.
void mail_options_print(struct command_call *call, const struct directory_object *object);
