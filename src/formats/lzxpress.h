// The compression and obfuscation of ROP buffers: LZ77 with DIRECT2 encoding, and bytes XORed with
// 0xA5 ([MS-OXCRPC] 3.1.4.11.1, 3.1.4.11.2; the compression is [MS-XCA]'s plain LZ77).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

// Expands `in` to exactly `out_len` bytes (RPC_HEADER_EXT's SizeActual), which the caller checked
// against a limit. EC_FORMAT_ERROR: it gives fewer or more, or refers to what is not there.
enum ec lzxpress_decode(const void *in, size_t in_len, void *out, size_t out_len);

// Compresses into at most `max` bytes. False: it does not fit, as with data that does not shrink
// when `max` is below `len`; `out` may be written to all the same. `len` below 1 GiB.
bool lzxpress_encode(const void *in, size_t len, void *out, size_t max, size_t *out_len);

// In place; the same both ways.
void rpc_obfuscate(void *data, size_t len);
