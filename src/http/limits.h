// The limits of the HTTP server.
#pragma once

// Request line and header fields together, in bytes: a Kerberos ticket of a user in many groups is
// some 60 KiB in base64. 414 and 431 beyond.
#define HTTP_HEAD_MAX (80 * 1024)
// Header fields of a request.
#define HTTP_FIELDS_MAX 200
// Seconds in which the header fields have to follow the request line.
#define HTTP_HEAD_SECONDS 30
// A body has so many seconds, and one more for each so many bytes of it that have come.
#define HTTP_BODY_SECONDS 60
#define HTTP_BODY_RATE 1024
// Bodies up to this size are held in memory, larger ones in an unlinked file.
#define HTTP_BODY_IN_MEMORY (256 * 1024)
// A body that nobody wants is read to its end up to this size, so that the connection stays usable;
// beyond it the connection is cut.
#define HTTP_DRAIN_MAX (4 * 1024 * 1024)
// An answer up to this size that is whole goes out as one block.
#define HTTP_BLOCK_MAX (64 * 1024)
// Seconds between looks for clients that went away, and for those that are too slow.
#define HTTP_SWEEP_SECONDS 1
// Threads that wait on sockets, for each listener, unless the options say otherwise.
#define HTTP_THREADS_MAX 4
// Bytes of the access log that are held back before they are written (for a second at most).
#define HTTP_LOG_BUFFER (64 * 1024)
// A request line in the access log.
#define HTTP_LOG_LINE_MAX 1024
