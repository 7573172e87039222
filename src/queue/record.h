// The records of the spool's segment files: what is written, and how it is read back.
//
// A segment is a header, then records one after the other:
//
//     header   "BQS1" u32 version u64 number u32 magic u32 crc(the 20 bytes before)
//     record   u32 magic u32 crc u32 type u32 length, then `length` bytes
//
// `magic` is random for each segment, so that bytes of a message can never pass for a record; `crc`
// (zlib's crc32) covers type, length and contents. All numbers little-endian.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "queue/queue.h"

#define SEGMENT_HEADER_SIZE 24
#define RECORD_HEADER_SIZE 16
#define RECORD_ENVELOPE_MAX (16 * 1024 * 1024)
#define RECORD_MAX (QUEUE_INLINE_MAX + RECORD_ENVELOPE_MAX + 64)

enum record_type {
    RECORD_SUBMIT = 1, // an entry; supersedes an earlier one with the same id (it was moved)
    RECORD_RETRY = 2,  // the entry's state after an attempt
    RECORD_FINISH = 3, // the entry is done
};

// A record read back; pointers into the segment's bytes.
struct record {
    enum record_type type;
    uint64_t id;
    size_t pos, len; // of the whole record in the segment
    // RECORD_SUBMIT
    filetime_t arrived;
    uint64_t size; // of the message
    bool is_large; // the message is in a file of its own
    const uint8_t *envelope;
    size_t envelope_len;
    size_t data_pos; // where the message stands in the segment, unless is_large
    // RECORD_RETRY
    filetime_t next;
    uint32_t attempts;
    const uint8_t *done; // bits of the recipients that are done, lowest first
    size_t done_len;
    const char *reason;
};

// --- Writing ---

void segment_header_put(uint8_t out[SEGMENT_HEADER_SIZE], uint64_t number, uint32_t magic);

// The envelope as bytes. NULL when it is larger than RECORD_ENVELOPE_MAX.
GByteArray *record_encode_envelope(const struct queue_envelope *envelope);

// A record of `r->type` without its message: the header's place and the contents up to the
// message's bytes. The header is filled in by record_seal.
GByteArray *record_encode(const struct record *r);

// Fills in the header of `head` for contents that go on with `data`; the crc is made of all.
void record_seal(GByteArray *head, uint32_t magic, enum record_type type, const void *data,
                 size_t data_len);

// --- Reading ---

// Decodes an envelope; in the arena (the strings too). False when it is malformed.
bool record_decode_envelope(const uint8_t *data, size_t len, struct arena *arena,
                            struct queue_envelope *out);

struct segment_scan {
    uint64_t number;
    size_t end;     // after the last good record: where a torn tail is cut
    size_t skipped; // damaged bytes between good records
};
// Calls `record` for each good record of a segment's bytes, in order. A damaged stretch is passed
// over if good records follow, else it is the torn tail. False when the header is no good.
bool segment_scan(const uint8_t *data, size_t len,
                  void (*record)(void *ctx, const struct record *r), void *ctx,
                  struct segment_scan *out);
