// The server's side of the control socket, and of the private pair that a command uses when there
// is no server.
#pragma once

#include "admin/command.h"
#include "admin/control_channel.h"

struct control_server;

// Listens on DIR/run/control (mode 0600; a socket left over from a crash is replaced, which is safe
// under the lock of DIR). Only root and the server's own user are let in (SO_PEERCRED).
// `services` must outlive the server. EC_NETWORK_ERROR, logged.
enum ec control_server_new(const struct admin_services *services,
                           const struct admin_program *program, struct control_server **out);
// Cuts the connections that are left, waits for their commands and removes the socket. Accepts
// NULL.
void control_server_free(struct control_server *server);

// Reads one request from `channel`, runs it and answers. Ends with FRAME_DONE unless the other side
// went away.
void control_serve_one(struct channel *channel, const struct admin_services *services,
                       const struct admin_program *program);
