// What the parts of the check share.
#pragma once

#include "store/check.h"
#include "store/message_internal.h"

struct check {
    struct mbox_tx *tx;
    const struct check_options *options;
    GPtrArray *faults;
    unsigned n_repaired;
    uint64_t max_id;   // the largest id or change number seen
    GHashTable *docs;  // doc -> struct doc_seen
    GHashTable *blobs; // blob -> struct blob_seen
};

struct doc_seen {
    uint64_t doc;
    int64_t refs, wanted; // stored, counted
    uint64_t source;
    bool exists, has_mime;
};

struct blob_seen {
    uint64_t blob;
    int64_t refs, wanted, size;
    bool exists;
};

// Notes a fault; `is_repaired` when it was mended just now.
void check_fault(struct check *c, bool is_repaired, const char *format, ...) G_GNUC_PRINTF(3, 4);
void check_saw_id(struct check *c, uint64_t id);
struct doc_seen *check_doc(struct check *c, uint64_t doc);
struct blob_seen *check_blob(struct check *c, uint64_t blob);
bool check_wants_repair(const struct check *c);

enum ec check_folders(struct check *c);  // check_folders.c: tree, counters, uids
enum ec check_contents(struct check *c); // check_contents.c: docs, blobs, references

enum ec check_rights(struct check *c);   // check_rights.c: permissions, limits, read state

extern const char sql_check_counts[], sql_check_messages[], sql_check_docs[], sql_check_mimes[],
    sql_check_attachments[], sql_check_blobs[], sql_check_blob_refs[], sql_check_doc_refs[],
    sql_check_tombstones[], sql_check_tombstone_drop[], sql_check_next_id[], sql_check_ghosts[],
    sql_check_message_move[], sql_check_folder_parent[], sql_check_message_flags[];
