// The limits and times of net/, in one place.
#pragma once

#define NET_UNITS_PER_TURN 64 // then the worker turns to other connections
#define NET_BYTES_PER_TURN ((size_t)256 * 1024)
#define NET_OUTPUT_HIGH ((size_t)1024 * 1024) // above, no further units of this connection are run
#define NET_OUTPUT_EAGER ((size_t)256 * 1024) // above, net_write tries the socket at once
#define NET_INPUT_MIN ((size_t)64 * 1024) // read ahead so much even for protocols of small units
#define NET_SCRATCH ((size_t)64 * 1024)   // one read
#define NET_READ_PER_TURN ((size_t)256 * 1024) // then the loop turns to other connections

#define NET_WRITE_SECONDS 60     // a peer that takes nothing for so long is dropped
#define NET_HANDSHAKE_SECONDS 30 // for a whole TLS handshake
#define NET_LINGER_SECONDS 2     // for the peer to close after we did

#define NET_ACCEPT_PER_TURN 64
#define NET_ACCEPT_PAUSE_MS 100 // when the process has no file descriptor left
#define NET_LISTEN_BACKLOG 1024
#define NET_LOG_EVERY_SECONDS 60 // of one kind of refusal

#define NET_LOOPS_MAX 4       // chosen from the processors; more only on request
#define NET_WORKERS_MIN 2     // one is always left for each class of work
#define NET_WORKERS_DEFAULT 4 // at least, or two a processor
#define NET_WORKERS_MAX 32    // the pool grows up to this when work waits
#define NET_WORKERS_CAP 256   // asked for more: so many
#define NET_GROW_MS 20        // work that waits so long makes the pool grow

#define NET_DEFLATE_WIRE ((size_t)32 * 1024) // compressed output made ahead of the socket
#define NET_DEFLATE_REST_SECONDS 5           // of silence, then zlib's memory is let go

#define NET_WHEEL_SLOTS 256 // of one second
