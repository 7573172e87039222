// A client of its own that looks at a server from the outside: Autodiscover, the address book and
// the mailbox over MAPI over HTTP, step by step ([MS-OXPROTO] 2.5), and says what failed and why.
//
// It shares only base/ and mapi/ with the server, and works against any Exchange-compatible one.
#pragma once

#include <stdbool.h>

struct probe_options {
    const char
        *target;      // an address ("alice@example.org"), or a URL such as https://mail.example.org
    const char *user; // the login; NULL: the target, which is an address then
    const char *password;
    const char *scenario; // a name of probe_scenarios, or "all"
    const char *ca_file;  // certificates to trust beside the system's; NULL
    bool is_insecure;     // certificates are not checked
    void (*print)(void *ctx, const char *line);
    void *ctx;
};
// Names of the scenarios with what they do; ends with a NULL name.
struct probe_scenario {
    const char *name, *what;
};
extern const struct probe_scenario probe_scenarios[];

// How many steps failed.
unsigned probe_run(const struct probe_options *options);
