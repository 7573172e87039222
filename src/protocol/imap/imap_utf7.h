// Mailbox names on the wire: modified UTF-7 ([RFC 3501] 5.1.3).
#pragma once

#include "base/arena.h"

// UTF-8 of a name; NULL when it is not exactly what an encoder makes (8-bit bytes, printable ASCII
// in base64, stray bits, unpaired surrogates, NUL). In the arena.
char *imap_utf7_decode(struct arena *arena, const char *name);

// The wire form of valid UTF-8. In the arena.
char *imap_utf7_encode(struct arena *arena, const char *name);
