// Limits of a session of remote operations.
#pragma once

#define ROP_MAX_HANDLES 10000               // of a session, unless configured
#define ROP_MAX_MEMORY (512u * 1024 * 1024) // bytes of a session's objects
#define ROP_MAX_LOGONS 256                  // what a LogonId can say
#define ROP_BUFFER_MAX 32767                // bytes of one response ROP buffer
#define ROP_INPUT_MAX (1024u * 1024)        // bytes of one request buffer, expanded
#define ROP_MAX_BUFFERS 96                  // buffers of one call ([MS-OXCRPC] 3.1.4.2)
#define ROP_STREAM_MAX (256u * 1024 * 1024) // bytes of a stream
#define ROP_PROPERTY_MAX 8192               // bytes of a value outside of streams
#define ROP_MAX_RECIPIENTS 100000           // of a message
#define ROP_MAX_ATTACHMENTS 10000           // of a message
#define ROP_EMBEDDED_DEPTH 32               // messages inside messages that are open
#define ROP_PACK_MIN 8192                   // room left for another packed response, ...
#define ROP_PACK_MIN_ROWS 32768             // ... of RopQueryRows
