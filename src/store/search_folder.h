// Search folders: what they look for, and keeping what they found up to date
// ([MS-OXCFOLD] 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5).
//
// The criteria and the found messages (table search_link) are in the database. After each commit a
// background work (store/background.h) reads what changed since the change number the folder has
// seen, and adds and removes links: nothing is missed by a crash, since links and the number seen
// are written together. A link has a change number of its own and a removed one leaves a tombstone
// of the search folder, so that views and synchronization see a search folder as any other. Events
// of links have `is_link` set.
#pragma once

#include "mapi/restriction.h"
#include "store/folder.h"

#define SEARCH_SCOPE_MAX 1024 // folders named in the criteria

struct search_criteria {
    const struct restriction *restriction; // NULL: every message
    const uint64_t *scope;                 // folders searched
    unsigned n_scope;
    bool is_recursive; // and all below them
    bool is_static;    // found once; not kept up to date
    bool wants_index;  // CONTENT_INDEXED_SEARCH: words instead of substrings may be matched
};

// SearchFlags of RopSetSearchCriteria ([MS-OXCFOLD] 2.2.1.4.1).
enum search_request {
    STOP_SEARCH = 0x00000001,
    RESTART_SEARCH = 0x00000002,
    RECURSIVE_SEARCH = 0x00000004,
    SHALLOW_SEARCH = 0x00000008,
    CONTENT_INDEXED_SEARCH = 0x00010000,
    NON_CONTENT_INDEXED_SEARCH = 0x00020000,
    STATIC_SEARCH = 0x00040000,
};

// SearchFlags of RopGetSearchCriteria ([MS-OXCFOLD] 2.2.1.5.2).
enum search_state {
    SEARCH_RUNNING = 0x00000001, // looking through what was there before
    SEARCH_REBUILD = 0x00000002, // only together with it
    SEARCH_RECURSIVE = 0x00000004,
    SEARCH_COMPLETE = 0x00001000,
    SEARCH_STATIC = 0x00010000,
    SEARCH_CI_TOTALLY = 0x01000000,
    SEARCH_TWIR_TOTALLY = 0x08000000, // no index was used
};

// Sets the criteria and starts the search anew: what was found before and does not match is
// forgotten. Inside a write. EC_NOT_SEARCH_FOLDER; EC_NOT_FOUND: no such folder, or one of the
// scope is not there; EC_SEARCH_SCOPE_VIOLATION: the folder in its own scope; EC_SEARCH_FOLDER:
// another search folder in the scope; EC_NOT_INITIALIZED: no scope; EC_TOO_COMPLEX.
enum ec search_folder_set(struct mbox_tx *tx, uint64_t fid, const struct search_criteria *criteria);
// What RopSetSearchCriteria asks for: `flags` of enum search_request; without a restriction
// (has_restriction false) or scope (n 0) those of the last time count again. STOP_SEARCH leaves
// what was found as it is. EC_INVALID_PARAMETER: bits that are unknown or exclude each other.
enum ec search_folder_request(struct mbox_tx *tx, uint64_t fid, bool has_restriction,
                              const struct restriction *restriction, const uint64_t *scope,
                              unsigned n, uint32_t flags);

// In the arena. EC_NOT_SEARCH_FOLDER, EC_NOT_INITIALIZED, EC_NOT_FOUND. `state_out`: enum
// search_state.
enum ec search_folder_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                          struct search_criteria *out, uint32_t *state_out);

// The folders a message of `fid` was found in: GArray of uint64_t fids.
enum ec search_folders_of(struct mbox_tx *tx, uint64_t mid, GArray **fids_out);

// What was found, by message id: GArray of uint64_t mids.
enum ec search_folder_list(struct mbox_tx *tx, uint64_t fid, GArray **mids_out);
