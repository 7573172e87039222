// How often somebody does something: counters of the last minute or hour for addresses and users,
// shared by the services of a server.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum smtp_rate {
    SMTP_RATE_CONNECTIONS,     // of an address, a minute
    SMTP_RATE_MESSAGES,        // of an address, a minute
    SMTP_RATE_USER_MESSAGES,   // of a user, a minute
    SMTP_RATE_USER_RECIPIENTS, // of a user, an hour
};

struct smtp_rates;
struct smtp_rates *smtp_rates_new(void);
void smtp_rates_free(struct smtp_rates *rates); // accepts NULL

// Whether one more stays within `limit`; it is counted then. `key`: an address (IPv6 ones count by
// their /64) or a user. `now`: microseconds, of any clock that only grows. Thread-safe.
bool smtp_rates_take(struct smtp_rates *rates, enum smtp_rate what, const char *key, unsigned limit,
                     int64_t now);
