// The wrapper of PidTagRtfCompressed: RTF compressed with LZFu, or stored as it is (MELA)
// ([MS-OXRTFCP]).
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

#define RTF_COMPRESSED_HEADER 16

// The RTF inside. EC_CORRUPT_DATA: no such wrapper, a wrong checksum, contents cut off.
// EC_MESSAGE_TOO_BIG: it is more than `max` bytes. Contents may be shorter than the header says, as
// some writers count a NUL; they are never longer.
enum ec rtf_decompress(const void *data, size_t len, size_t max, GBytes **out);

// RTF wrapped with LZFu. `len` below 1 GiB.
GBytes *rtf_compress(const void *rtf, size_t len);

// The checksum of contents: CRC-32 that starts at zero and is not inverted ([MS-OXRTFCP] 2.1.3.2).
uint32_t rtf_checksum(const void *data, size_t len);

// RTF wrapped as it is.
GBytes *rtf_store(const void *rtf, size_t len);
