// What the files on messages share: the full narrow row, contents as stored, their counting.
#pragma once

#include "mapi/message_value.h"
#include "store/message.h"
#include "store/store_internal.h"

#define EMBEDDED_MAX_DEPTH 32
#define PROP_INLINE_MAX (32 * 1024) // larger property values become blobs of their own

// The narrow row. Text and bytes are borrowed from whoever filled it.
struct message_full {
    uint64_t fid, mid, doc, cn, read_cn, modseq;
    uint32_t uid, flags;
    uint64_t mime_size, size;
    filetime_t received, submitted, deleted;
    const char *keywords, *class, *subject, *sender;
    struct prop_bin conversation, pcl;
};

// The row of `mid`, texts in the arena. EC_NOT_FOUND.
enum ec message_full_get(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                         struct message_full *out);
enum ec message_full_insert(struct mbox_tx *tx, const struct message_full *m);

// Fills the row's texts for lists from the properties; borrowed from the bag.
void message_full_describe(struct message_full *m, const struct bag *bag);

// Adds (sign 1) or takes off (-1) the row in its folder's counters, and moves the folder's modseq
// up.
enum ec message_count(struct mbox_tx *tx, const struct message_full *m, int sign, uint64_t modseq);

void message_publish(struct mbox_tx *tx, enum event_kind kind, const struct message_full *m,
                     uint64_t old_fid, uint64_t old_mid);

// A scan (message.h) of the uids [first, last] that reads nothing but the messages' own rows.
enum ec message_scan_table(struct mbox_tx *tx, uint64_t fid, uint32_t first, uint32_t last,
                           struct message_scan **out);

// Contents. `source`: the blob that external values of blob 0 point into, 0: none; a reference is
// taken. The sum of what is stored goes to *size_out.
enum ec contents_insert(struct mbox_tx *tx, uint64_t doc, const struct message_value *value,
                        uint64_t source, uint64_t *size_out);
enum ec contents_load(struct mbox_tx *tx, uint64_t doc, struct message_value **out,
                      uint64_t *source_out);
// The bags in the column `recipients`; data NULL: none.
enum ec contents_decode_recipients(const void *data, size_t len, GPtrArray *out);
enum ec contents_ref(struct mbox_tx *tx, uint64_t doc);
enum ec contents_unref(struct mbox_tx *tx, uint64_t doc); // the last one deletes all of it
enum ec contents_set_mime(struct mbox_tx *tx, uint64_t doc, uint64_t blob, const char *envelope,
                          const char *structure); // takes over a reference to the blob
