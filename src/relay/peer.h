// A connection's bytes: a socket, plain or with TLS, that is waited for with time limits and can be
// interrupted by a stop.
#pragma once

#include <glib.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/result.h"
#include "relay/reply.h"

struct relay;
struct peer;

// Connects to an address in text form. EC_NETWORK_ERROR, EC_TIMEOUT, EC_CANCEL (a stop).
enum ec peer_connect(struct relay *r, const char *address, unsigned port, unsigned seconds,
                     struct peer **out);
void peer_free(struct peer *c); // accepts NULL

// Takes `ssl` and shakes hands. EC_NOT_AUTHORIZED: the certificate was refused; the rest as above.
enum ec peer_start_tls(struct peer *c, SSL *ssl, unsigned seconds);
SSL *peer_ssl(struct peer *c); // NULL: none

// Gathers bytes that the next flush sends. peer_put_out is the buffer itself.
void peer_put(struct peer *c, const char *text);
void peer_printf(struct peer *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
GByteArray *peer_out(struct peer *c);
enum ec peer_flush(struct peer *c, unsigned seconds);

// Sends what is gathered and reads a reply. EC_FORMAT_ERROR: it is none.
enum ec peer_reply(struct peer *c, unsigned seconds, struct reply *out,
                   void (*line)(void *ctx, const char *text, size_t len), void *ctx);

// Sends QUIT if that takes no waiting, and closes TLS.
void peer_say_goodbye(struct peer *c);

// Whether more was received than was read: before STARTTLS somebody may have slipped it in.
bool peer_has_input(const struct peer *c);
// Whether an idle connection is still there, as far as can be told without asking.
bool peer_is_alive(struct peer *c);
// A stop waits for the reply that tells what became of a message.
void peer_set_in_doubt(struct peer *c, bool is_in_doubt);
const char *peer_error(const struct peer *c); // of the last failure, for people
