// Envelopes and structures of a large folder's messages kept together in uid order, so that the
// first list after a start reads a few contiguous pages instead of a page a message. Internal to
// store/; read through message_scan (message.h).
//
// A chunk answers for a range of uids. It is never more than a shortcut: it is written in the
// background where a scan had to read the messages one by one, deleted in the transaction that
// changes a message's contents, and passed over when it cannot be read. Messages that are gone may
// still stand in it, those that got a rendition later are missing.
#pragma once

#include "store/message.h"

extern const char schema_envelope_chunk[];

struct envelope_chunk {
    uint32_t first, last; // uids
    uint8_t *bytes;       // what is left of it to read
    size_t len, pos;
    bool is_damaged;             // it ended before its time
    struct message_scan_row row; // the last one given
};

// The chunk that ends at `uid` or later, the first of them. EC_NOT_FOUND; EC_CORRUPT_DATA with
// `first` and `last` set. With `with_rows` false only these two are read.
enum ec envelope_chunk_find(struct mbox_tx *tx, uint64_t fid, uint32_t uid, bool with_rows,
                            struct envelope_chunk *out);
// The next row, borrowed until the chunk is cleared. False at the end, and where it is damaged.
bool envelope_chunk_next(struct envelope_chunk *c, struct message_scan_row *out);
void envelope_chunk_clear(struct envelope_chunk *c);

// A message's contents change: what answers for it is forgotten. Only in a write.
enum ec envelope_chunks_forget_uid(struct mbox_tx *tx, uint64_t fid, uint32_t uid);
// Forgets a folder's (fid 0: every) chunks. Only in a write.
enum ec envelope_chunks_forget(struct mbox_tx *tx, uint64_t fid);

// A scan had to read many messages of the folder one by one: chunks are made of them soon.
void envelope_chunks_want(struct mbox *mbox, uint64_t fid);
// A chunk of the folder, with this last uid, cannot be read: it is made anew.
void envelope_chunks_replace(struct mbox *mbox, uint64_t fid, uint32_t last);
