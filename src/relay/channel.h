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
struct channel;

// Connects to an address in text form. EC_NETWORK_ERROR, EC_TIMEOUT, EC_CANCEL (a stop).
enum ec channel_connect(struct relay *r, const char *address, unsigned port, unsigned seconds,
                        struct channel **out);
void channel_free(struct channel *c); // accepts NULL

// Takes `ssl` and shakes hands. EC_NOT_AUTHORIZED: the certificate was refused; the rest as above.
enum ec channel_start_tls(struct channel *c, SSL *ssl, unsigned seconds);
SSL *channel_ssl(struct channel *c); // NULL: none

// Gathers bytes that the next flush sends. channel_put_out is the buffer itself.
void channel_put(struct channel *c, const char *text);
void channel_printf(struct channel *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
GByteArray *channel_out(struct channel *c);
enum ec channel_flush(struct channel *c, unsigned seconds);

// Sends what is gathered and reads a reply. EC_FORMAT_ERROR: it is none.
enum ec channel_reply(struct channel *c, unsigned seconds, struct reply *out,
                      void (*line)(void *ctx, const char *text, size_t len), void *ctx);

// Sends QUIT if that takes no waiting, and closes TLS.
void channel_say_goodbye(struct channel *c);

// Whether more was received than was read: before STARTTLS somebody may have slipped it in.
bool channel_has_input(const struct channel *c);
// Whether an idle connection is still there, as far as can be told without asking.
bool channel_is_alive(struct channel *c);
// A stop waits for the reply that tells what became of a message.
void channel_set_in_doubt(struct channel *c, bool is_in_doubt);
const char *channel_error(const struct channel *c); // of the last failure, for people
