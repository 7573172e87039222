// Results as SMTP replies: the one place where codes are chosen for them ([RFC 3463]).
#pragma once

#include "base/result.h"

struct smtp_error {
    enum ec ec;
    int code;
    const char *status; // enhanced status code
    const char *text;
};
// Never NULL: what is not in the table is a temporary failure of ours.
const struct smtp_error *smtp_error(enum ec ec);
