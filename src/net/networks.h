// Sets of IP networks, as settings name them: "10.0.0.0/8, 192.0.2.1, 2001:db8::/32".
#pragma once

#include <stdbool.h>

#include "base/result.h"

struct net_networks; // immutable, reference-counted

// Separated by commas or blanks; an address without a length stands for itself. IPv4 addresses
// mapped into IPv6 are IPv4. EC_INVALID_PARAMETER: *error_out (g_free) quotes what is none.
enum ec net_networks_parse(const char *text, struct net_networks **out, char **error_out);
struct net_networks *net_networks_ref(struct net_networks *networks); // accepts NULL
void net_networks_unref(struct net_networks *networks);               // accepts NULL

// Whether an address as text ("192.0.2.1", "2001:db8::1") is in one of them. NULL: in none.
bool net_networks_have(const struct net_networks *networks, const char *address);

// Whether an address as text is 127.0.0.0/8 or ::1. False for what is no address.
bool net_text_is_loopback(const char *address);
