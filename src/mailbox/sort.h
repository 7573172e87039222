// Sorting and threading a folder's messages by their headers ([RFC 5256], [RFC 5957]).
//
// What is compared is kept in memory, a few words a message, made of the stored envelopes the first
// time a folder is sorted and brought up to date by what changed (sort_index.h). Texts compare by
// i;unicode-casemap ([RFC 5051]).
#pragma once

#include "mailbox/mailbox.h"

enum mailbox_sort_key {
    MAILBOX_SORT_ARRIVAL, // INTERNALDATE
    MAILBOX_SORT_CC,      // the mailbox (before the @) of the first address
    MAILBOX_SORT_DATE,    // when it was sent; without a Date field INTERNALDATE
    MAILBOX_SORT_DISPLAY_FROM,
    MAILBOX_SORT_DISPLAY_TO,
    MAILBOX_SORT_FROM,
    MAILBOX_SORT_RELEVANCY, // every match is as good as another
    MAILBOX_SORT_SIZE,
    MAILBOX_SORT_SUBJECT, // base subject
    MAILBOX_SORT_TO,
};
#define MAILBOX_SORT_MAX 32 // columns
struct mailbox_sort_column {
    enum mailbox_sort_key key;
    bool is_reverse;
};

// Sorts `indexes` of rows in the view; what is equal stays in the view's order.
enum ec mailbox_sort(struct mailbox *m, const struct mailbox_view *view,
                     const struct mailbox_sort_column *columns, unsigned n, uint32_t *indexes,
                     uint32_t n_indexes);

// Threads as a tree in one array.
#define THREAD_NONE UINT32_MAX
struct mailbox_thread_node {
    uint32_t index;             // of the row; THREAD_NONE: a parent that is not there
    uint32_t first_child, next; // nodes; THREAD_NONE: none. Siblings by date
};
struct mailbox_threads {
    struct mailbox_thread_node *nodes; // in the arena
    uint32_t first;                    // the first thread; THREAD_NONE: there is none
};
enum mailbox_thread_algorithm { THREAD_REFERENCES, THREAD_ORDERED_SUBJECT };
// Threads the rows `indexes` (ascending).
enum ec mailbox_thread(struct mailbox *m, const struct mailbox_view *view,
                       enum mailbox_thread_algorithm algorithm, const uint32_t *indexes,
                       uint32_t n_indexes, struct arena *arena, struct mailbox_threads *out);
