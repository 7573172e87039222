// The full-text index of a mailbox ([MS-OXOSRCH]; issue: search).
//
// Derived data in the mailbox's database: the words of each message's parts
// (convert/message_text.h) and signatures of its original (fulltext_grams.h), up to a watermark
// that is committed with them. A text hangs on the message's contents, shared by copies. What is
// newer than the watermark is not in the index yet and has to be read by who searches. A background
// work goes on from the watermark in small writes; after a crash too. A new index is built beside
// the one in use, which then goes.
#pragma once

#include "convert/message_text.h"
#include "db/fulltext.h"
#include "store/fulltext_grams.h"
#include "store/store.h"

enum fulltext_policy {
    FULLTEXT_ON_DEMAND, // a mailbox gets its index when somebody first searches it
    FULLTEXT_ALWAYS,
    FULLTEXT_OFF, // no new indexes, and those there are do not grow
};
struct fulltext_options {
    enum fulltext_policy policy;
    const char *converter; // for other attachments (message_text.h); NULL or "": none
};
// Before mailboxes are opened. A store without it is FULLTEXT_ON_DEMAND.
void store_set_fulltext(struct store *store, const struct fulltext_options *options);

struct fulltext_status {
    bool exists;        // searches use it
    bool is_rebuilding; // a new one is being built beside it
    bool is_outdated;   // made with other rules for words: will be rebuilt
    uint64_t watermark;
    uint64_t n_docs;    // contents in it
    uint64_t n_waiting; // not in it yet (while rebuilding: not in the new one)
    uint64_t n_gone;    // in it, but of no message any more
};
enum ec fulltext_get_status(struct mbox_tx *tx, struct fulltext_status *out);

// Somebody searches: the index is begun when the policy is on demand. Cheap when there is one.
void fulltext_want(struct mbox *mbox);

// Indexes, in the caller's thread, until nothing waits; begins an index when there is none.
// `progress` (may be NULL) gets how many are done and how many are still to do.
typedef void (*fulltext_progress)(void *ctx, uint64_t done, uint64_t left);
enum ec fulltext_catch_up(struct mbox *mbox, fulltext_progress progress, void *ctx);
// Builds a new index beside the one in use and takes its place.
enum ec fulltext_rebuild(struct mbox *mbox, fulltext_progress progress, void *ctx);
// Somebody found the index damaged: it is built anew in the background. At most once while the
// mailbox is open: what comes of other damage does not go away by it.
void fulltext_damaged(struct mbox *mbox);
// Drops the index.
enum ec fulltext_forget(struct mbox *mbox);

// --- Asking, within a transaction ---

struct fulltext_index {
    unsigned slot;
    uint64_t watermark;
};
// EC_NOT_FOUND: there is none to use.
enum ec fulltext_open(struct mbox_tx *tx, struct fulltext_index *out);

struct fulltext_hit {
    uint64_t doc, fid;
    uint32_t uid;
};
typedef bool (*fulltext_visit)(void *ctx, const struct fulltext_hit *hit); // false: enough
// The messages (also soft-deleted and associated ones) whose words match, by contents, oldest or
// newest first.
enum ec fulltext_find(struct mbox_tx *tx, const struct fulltext_index *index,
                      const struct db_fulltext_node *query, bool newest_first, fulltext_visit visit,
                      void *ctx);
// The messages that are not in the index yet.
enum ec fulltext_unindexed(struct mbox_tx *tx, const struct fulltext_index *index,
                           bool newest_first, fulltext_visit visit, void *ctx);

// Where a message stands in the order of fulltext_find. EC_NOT_FOUND.
enum ec fulltext_place_of(struct mbox_tx *tx, uint64_t mid, uint64_t *doc_out, uint32_t *uid_out);

// The words of a message, as the index would have them: for those not in it. In the arena.
struct fulltext_words {
    const char *columns[DB_FULLTEXT_COLUMNS];
};
enum ec fulltext_words_of(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                          struct fulltext_words *out);

// The signatures of a folder's messages, asked for in uid order. Freed before the transaction ends.
struct fulltext_signatures;
struct fulltext_signatures *fulltext_signatures_new(struct mbox_tx *tx, uint64_t fid);
// False: there are none for this message. Borrowed until the next call.
bool fulltext_signatures_at(struct fulltext_signatures *s, uint32_t uid, struct grams *out);
enum ec fulltext_signatures_free(struct fulltext_signatures *s); // accepts NULL
