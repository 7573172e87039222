// Limits of MAPI over HTTP.
#pragma once

#define MAPIHTTP_MAX_BODY (4u * 1024 * 1024) // refused by the HTTP server beyond
#define MAPIHTTP_MAX_REQUEST (1024u * 1024)  // "Too Large" beyond
#define MAPIHTTP_MAX_ROP_IN 0x40000u         // bytes of ROP buffers ([MS-OXCRPC] BIG_RANGE_ULONG)
#define MAPIHTTP_MAX_ROP_OUT 0x40000u
#define MAPIHTTP_MAX_AUX 0x1008u // [MS-OXCRPC] SMALL_RANGE_ULONG
#define MAPIHTTP_MAX_ANSWER (64u * 1024 * 1024)
#define MAPIHTTP_MAX_HEADER 256 // octets of a header field that is given back
#define MAPIHTTP_MAX_DN 1024

#define MAPIHTTP_SESSION_SECONDS 900
#define MAPIHTTP_PENDING_SECONDS 15
#define MAPIHTTP_WAIT_SECONDS 300
#define MAPIHTTP_MAX_SESSIONS 50000
#define MAPIHTTP_MAX_USER_SESSIONS 64
#define MAPIHTTP_EXPIRE_MS 10000 // how often idle sessions are looked for
