// Search folders inside store/: stored criteria, the update, and what other files have to do.
#pragma once

#include "store/search_folder.h"
#include "store/store_internal.h"

extern const char sql_search_set[], sql_search_get[], sql_search_list[], sql_search_drop[],
    sql_search_seen[], sql_search_stop[], sql_search_any[];
extern const char sql_link_get[], sql_link_set[], sql_link_delete[], sql_link_clear[],
    sql_link_list[], sql_link_folders[], sql_link_of_folder[], sql_link_dangling[],
    sql_link_counts[];
extern const char sql_search_scan[], sql_search_next_id[], sql_search_changed_folders[],
    sql_search_gone_folders[], sql_folder_since_ids[];

// search_folder.flags in the database.
enum {
    STORED_RECURSIVE = 1,
    STORED_STATIC = 2,
    STORED_RUNNING = 4,
    STORED_BUILDING = 8,
    STORED_INDEXED = 16
};

// A search folder as it is stored; restriction and scope are decoded.
struct search_folder {
    uint64_t fid;
    uint32_t flags;
    uint64_t seen;           // changes up to this number were considered
    uint64_t at_fid, at_uid; // building: the last message looked at
    struct search_criteria criteria;
};

// The folders that are running, or the one `fid` (0: all). In the arena; damaged criteria are left
// out (the check reports them).
enum ec search_folders_load(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                            struct search_folder **out, unsigned *n_out);

// --- search_link.c: writing what was found ---
struct found {
    uint64_t mid, size;
    bool is_match, is_unread;
};
// Adds, changes or removes a link and the folder's counters. Inside a write.
enum ec search_link_apply(struct mbox_tx *tx, uint64_t fid, const struct found *found);
// Removes every link, without tombstones: the counters of the folder become 0.
enum ec search_link_clear(struct mbox_tx *tx, uint64_t fid);

// --- search_terms.c: what the full-text index answers ---
struct db_fulltext_node;
struct search_terms {
    const struct db_fulltext_node *query;
    const struct restriction *rest; // NULL: nothing more
};
// False: the criteria ask for no words.
bool search_terms_of(struct arena *arena, const struct search_criteria *criteria,
                     struct search_terms *out);
// By the message's own words.
enum ec search_terms_match(struct mbox_tx *tx, uint64_t mid, const struct search_terms *terms,
                           bool *out);
struct search_candidate {
    uint64_t mid;
    bool has_words; // the index says so; otherwise it does not know
};
// The next candidates (GArray of struct search_candidate) in the scope, by contents after `after`.
// EC_NOT_FOUND: there is no index; EC_CORRUPT_DATA.
enum ec search_terms_slice(struct mbox_tx *tx, const struct search_terms *terms, GHashTable *scope,
                           uint64_t after, unsigned limit, GArray *out, uint64_t *last_out,
                           bool *end_out);

// --- search_update.c ---
void search_folders_update(struct mbox *mbox); // a background_work
// Called after each commit: asks for the update when the mailbox has running search folders.
void search_folders_committed(struct mbox *mbox);

// --- For folder_tree.c ---
enum ec search_folder_deleted(struct mbox_tx *tx, uint64_t fid);
enum ec search_folder_copied(struct mbox_tx *tx, uint64_t from, uint64_t to);
