// Values of MAIL and RCPT parameters: delivery status notifications ([RFC 3461]) and times
// ([RFC 4865]). All true when the value is well formed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"

// xtext ([RFC 3461] 4): printable, "+" and two hexadecimal digits for the rest; not empty and at
// most `max` bytes.
bool smtp_is_xtext(const char *value, size_t max);
// Undoes it; NULL when it is malformed or has a NUL.
char *smtp_xtext_decode(struct arena *arena, const char *value);

// NOTIFY: bits QUEUE_NOTIFY_*.
bool smtp_parse_notify(const char *value, uint32_t *out);
// ORCPT: "type;xtext", or with UTF-8 in it where SMTPUTF8 was said ([RFC 6533] 3).
bool smtp_is_orcpt(const char *value, bool allows_utf8);
// HOLDFOR (seconds) and HOLDUNTIL (a date) as the time to hold until; no later than SMTP_HOLD_MAX
// from now.
bool smtp_parse_hold_for(const char *value, filetime_t now, filetime_t *out);
bool smtp_parse_hold_until(const char *value, filetime_t now, filetime_t *out);
