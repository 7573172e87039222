// What sorting and threading know of a folder's messages: a few words a message, kept in memory and
// shared by everybody who looks at the folder. Internal to mailbox/.
//
// An index is immutable. The newest of each folder is kept (sort_cache) under a budget; one for a
// newer view copies what did not change and reads the envelopes of the rest.
#pragma once

#include "mailbox/mailbox.h"
#include "mailbox/sort_texts.h"

#define SORT_CACHE_ROWS 1000000u // rows of all indexes that are kept, 80 bytes each
#define SORT_CACHE_SECONDS 600   // one that nobody asked for so long is dropped
#define SORT_TEXT_MAX 255        // bytes of a name that are compared
#define SORT_REFERENCES_MAX 200  // ids of one message, the last ones

struct sort_row {
    uint64_t modseq;
    filetime_t received, sent;
    uint64_t size;
    uint32_t uid;
    // Numbers of texts (sort_texts.h).
    uint32_t subject, from, to, cc, display_from, display_to;
    // Numbers of message ids. `references`: `n_references` of them from `first_reference` on in the
    // index's pool, the parent last.
    uint32_t message_id, in_reply_to;
    uint32_t first_reference, n_references;
    bool is_reply, has_references; // has_references: they were looked for
};

struct sort_index {
    int refs; // atomic
    uint32_t n;
    struct sort_row *rows; // of the view, in its order
    struct sort_texts *texts, *ids;
    GArray *pool; // of uint32_t; NULL: none
};

struct sort_cache;
struct sort_cache *sort_cache_new(void);
void sort_cache_free(struct sort_cache *c); // accepts NULL

// The index of exactly this view's rows. `with_references`: for threads.
enum ec sort_index_get(struct mailbox *m, const struct mailbox_view *view, bool with_references,
                       struct sort_index **out);
void sort_index_unref(struct sort_index *index); // accepts NULL
