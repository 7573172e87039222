// Messages with NUL bytes in them ([RFC 3516] 4.4), which no answer but a literal8 can carry.
#pragma once

#include <glib.h>
#include <stddef.h>

// The message with every part that holds NULs in base64; they have to be labelled as binary. Labels
// of the parts around them say 8bit then. NULL: a NUL stands elsewhere. Caller frees with
// g_bytes_unref.
GBytes *mime_encode_binary(const void *data, size_t len);
