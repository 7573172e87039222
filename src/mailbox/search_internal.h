// What the files of the search share: the plan of a query, and the message being looked at.
//
// search_plan.c makes the plan; search_words.c asks the full-text index; search_message.c reads as
// little of a message as decides; search.c decides rows of one folder, search_all.c messages of
// many.
#pragma once

#include "mailbox/mailbox_internal.h"
#include "mailbox/search_envelope.h"
#include "store/fulltext.h"

#define SEARCH_READER_MESSAGES 2000   // read under one snapshot before a new one is taken
#define SEARCH_CANCEL_CHECK_EVERY 256 // messages

enum search_cost { COST_ROW, COST_ENVELOPE, COST_HEADER, COST_OBJECT, COST_BODY };

enum search_answer { ANSWER_NO, ANSWER_YES, ANSWER_PERHAPS };

// Uids of a folder, ascending; asked for in ascending order mostly.
struct search_uids {
    uint64_t fid;
    GArray *uids; // of uint32_t
    guint at;
};

// What the index knows about words: by folder, the messages that have them.
struct search_words {
    struct search_words *next;
    const struct db_fulltext_node *query;
    GHashTable *found; // fid -> struct search_uids; NULL: the index was not asked, or could not say
    bool is_true;      // for the message at hand it is known (search_all.c)
};

struct plan {
    const struct search_node *node;
    enum search_cost cost;
    struct plan **children;
    unsigned n_children;
    struct search_needle *needle;
    struct grams_needle grams;
    enum envelope_field field;  // that decides it
    struct search_words *words; // SEARCH_WORDS, or a tree of them
};

struct search_plan {
    struct arena *arena;
    struct mbox *mbox; // set with the index
    struct plan *root;
    struct search_words *words; // all of them
    bool has_grams;             // a substring that signatures can tell about
    bool has_index;
    bool is_walk; // messages come from many folders, in no order of theirs
    struct fulltext_index index;
    GHashTable *unindexed; // fid -> struct search_uids: what the index does not know yet
};

// The plan; everything in the arena except what search_plan_clear frees. EC_TOO_COMPLEX.
enum ec search_plan_make(struct arena *arena, const struct search_node *query,
                         struct search_plan *out);
void search_plan_clear(struct search_plan *plan);

// --- search_words.c ---

// Whether the index is to be asked; begins one when that is the policy. Fills what it knows about
// all words, for a folder (fid 0: all).
enum ec search_words_open(struct mailbox *m, struct search_plan *plan);
enum ec search_words_fill(struct mbox_tx *tx, struct search_plan *plan, uint64_t fid);
// What is known without the message.
enum search_answer search_words_answer(const struct search_plan *plan, struct search_words *words,
                                       uint64_t fid, uint32_t uid);
// The words that every match must have, and the fewest messages: a WORDS at the top or in an AND at
// the top. NULL: none, or the index does not know.
struct search_words *search_words_driver(const struct search_plan *plan, uint64_t fid);
// The uids to look at then: those that have the words or may have them, ascending.
GArray *search_words_candidates(const struct search_plan *plan, const struct search_words *words,
                                uint64_t fid);

// --- search_message.c ---

// The message being looked at, read as far as was needed.
struct subject {
    struct mailbox_reader *reader;
    struct arena *arena;
    const struct message_row *row;
    bool is_peek; // only the signatures may be asked
    bool has_grams;
    struct grams grams;
    const char *envelope; // NULL: not read yet
    size_t envelope_len;
    GBytes *bytes;
    bool is_whole;
    struct mime_message *header; // what is enough to walk the header
    struct mime_message *scanned;
    struct message *object;
    struct fulltext_words *words;
    enum ec ec; // of reading
};
// What the message says; a failure to read goes to s->ec.
bool subject_matches(const struct plan *p, struct subject *s);
void subject_clear(struct subject *s);

// --- search.c ---

// `s` NULL: from the row alone.
enum search_answer search_decide(const struct search_plan *plan, const struct plan *p, uint64_t fid,
                                 const struct message_row *row, struct subject *s);
// Reads the message of a row and decides. A message that is gone matches nothing.
enum ec search_decide_message(const struct search_plan *plan, struct mailbox_reader *reader,
                              struct fulltext_signatures *signatures, struct arena *arena,
                              uint64_t fid, const struct message_row *row, bool *out);
// One folder.
enum ec search_folder(struct mailbox *m, struct search_plan *plan, const struct mailbox_view *view,
                      bool (*is_cancelled)(void *ctx), void *ctx, GArray *found);
