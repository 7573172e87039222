// What the files of the full-text index share.
#pragma once

#include "store/check_internal.h"
#include "store/fulltext.h"

#define FULLTEXT_SLICE_DOCS 500                // messages written at once
#define FULLTEXT_SLICE_BYTES (768 * 1024)      // of words
#define FULLTEXT_SLICE_USEC 250000             // of reading them
#define FULLTEXT_RUN_USEC (5 * G_USEC_PER_SEC) // before other mailboxes get a turn
#define FULLTEXT_DELAY_MS 1500                 // after a change, so that a burst is indexed as one
#define FULLTEXT_DELAY_MAX (30 * G_USEC_PER_SEC) // however long changes pour in
#define FULLTEXT_RETRY_MS 60000
#define FULLTEXT_MIME_MAX (64u * 1024 * 1024) // larger originals get no signatures
#define FULLTEXT_GARBAGE_MIN 5000             // contents that are gone before a rebuild pays
#define FULLTEXT_GARBAGE_EVERY (INT64_C(3600) * G_USEC_PER_SEC)

struct fulltext_state {
    unsigned slot;
    bool exists, is_live;
    int64_t format;
    uint64_t watermark, n_docs;
};
// The states of both slots. What cannot be is EC_CORRUPT_DATA.
enum ec fulltext_states(struct mbox_tx *tx, struct fulltext_state out[DB_FULLTEXT_SLOTS]);
enum ec fulltext_state_set(struct mbox_tx *tx, const struct fulltext_state *s);
// The format of indexes made now: the rules here and the Unicode version of ICU.
int64_t fulltext_format(void);
// Makes an empty index in a slot.
enum ec fulltext_begin(struct mbox_tx *tx, unsigned slot, bool is_live);
enum ec fulltext_drop_all(struct mbox_tx *tx);

enum ec fulltext_count(struct mbox_tx *tx, const char *sql, uint64_t watermark, uint64_t *out);

// fulltext_text.c: one message's contents, prepared for the index.
struct fulltext_prepared {
    uint64_t doc;
    struct fulltext_words words;
    struct grams grams; // without bytes: none
    size_t n_bytes;     // of words
};
void fulltext_prepare(struct mbox_tx *tx, struct arena *arena, uint64_t doc,
                      struct fulltext_prepared *out);
enum ec fulltext_words_of_doc(struct mbox_tx *tx, struct arena *arena, uint64_t doc, GBytes *mime,
                              uint64_t mime_blob, struct fulltext_words *out);
enum ec fulltext_grams_of_doc(struct mbox_tx *tx, struct arena *arena, uint64_t doc,
                              struct grams *out);

// fulltext_check.c
enum ec check_fulltext(struct check *c);

// Hooks of store.c and tx.c.
void fulltext_opened(struct mbox *mbox);
void fulltext_committed(struct mbox *mbox, const struct event *events, unsigned n);

extern const char sql_fulltext_states[], sql_fulltext_states_drop[], sql_fulltext_state_set[],
    sql_fulltext_state_drop[], sql_fulltext_next[], sql_fulltext_rows_up[],
    sql_fulltext_rows_down[], sql_fulltext_doc_set[], sql_fulltext_docs_gone[],
    sql_fulltext_docs_drop[], sql_fulltext_count_waiting[], sql_fulltext_count_present[],
    sql_fulltext_message_doc[], sql_fulltext_signatures[], sql_fulltext_docs[],
    sql_fulltext_missing[];
