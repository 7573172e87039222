// What the parts of the probe share.
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/wire.h"
#include "probe/probe.h"

#define PROBE_MAX_ANSWER (64u * 1024 * 1024)
#define PROBE_TIMEOUT_SECONDS 330

struct probe {
    const struct probe_options *options;
    struct arena *arena;
    const char *address;                    // whose mailbox
    const char *base;                       // "https://host[:port]"
    const char *emsmdb_url, *nspi_url, *dn; // found out by Autodiscover
    unsigned failed;
};

// Prints a step's outcome. Gives `is_ok`.
bool probe_step(struct probe *p, bool is_ok, const char *what, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

// --- HTTP (http.c) ---

struct reply {
    long status; // 0: no answer, and `error` says why
    const char *error;
    GHashTable *fields;  // lower-case name -> value; of Set-Cookie the last of each
    GHashTable *cookies; // name -> value
    const uint8_t *body; // in the arena
    size_t len;
};
// `fields` ends with NULL ("X-RequestType: PING"). With the login unless `is_anonymous`.
void http_post(struct probe *p, const char *url, const char *const *fields, const void *body,
               size_t len, bool is_anonymous, struct reply *out);
void reply_clear(struct reply *r);

// --- Autodiscover (discover.c) ---
bool discover(struct probe *p);

// --- MAPI over HTTP (session.c) ---

struct session {
    struct probe *p;
    const char *url;
    GHashTable *cookies;
    char guid[40];
    unsigned counter;
};
void session_init(struct session *s, struct probe *p, const char *url);
void session_clear(struct session *s);
// Sends a request. True: `*body_out` is behind StatusCode and ErrorCode, which is 0 or
// `*error_out`. Otherwise `*why_out` says what went wrong.
bool session_call(struct session *s, const char *type, const void *body, size_t len,
                  struct wire_reader *body_out, uint32_t *error_out, const char **why_out);
// Runs one buffer of ROPs with one handle table; responses are in `*out`.
bool session_rops(struct session *s, struct wire_writer *rops, uint32_t *handles, unsigned n,
                  struct wire_reader *out, const char **why_out);
