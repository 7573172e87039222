// What the parts of the check share.
#pragma once

#include "store/check.h"
#include "store/message_internal.h"

struct check {
    struct mbox_tx *tx;
    const struct check_options *options;
    GPtrArray *faults;
    unsigned n_repaired;
    uint64_t max_id;          // the largest id or change number seen
    unsigned n_quarantined;   // contents of which references may have been lost
    bool is_damaged;          // the engine found faults
    GHashTable *folder_names; // fid -> name
    GHashTable *docs;         // doc -> struct doc_seen
    GHashTable *blobs;        // blob -> struct blob_seen
};

struct doc_seen {
    uint64_t doc;
    int64_t refs, wanted; // stored, counted
    uint64_t source;
    bool exists, has_mime;
    uint64_t fid; // a message that has it; 0: none seen
    uint32_t uid;
    char *subject;
};

struct blob_seen {
    uint64_t blob;
    int64_t refs, wanted, size;
    bool exists;
    uint64_t doc; // one that needs it
};

// Notes a fault; `is_repaired` when it was mended just now.
void check_fault(struct check *c, bool is_repaired, const char *format, ...) G_GNUC_PRINTF(3, 4);
void check_saw_id(struct check *c, uint64_t id);
struct doc_seen *check_doc(struct check *c, uint64_t doc);
struct blob_seen *check_blob(struct check *c, uint64_t blob);
bool check_wants_repair(const struct check *c);

// `folder "Inbox", uid 7 "subject"` (g_free).
char *check_message_name(struct check *c, uint64_t fid, uint32_t uid, const char *subject);

// Puts bytes that cannot be understood aside.
enum ec check_quarantine(struct check *c, const char *what, const void *data, size_t len);

enum ec check_damage(struct check *c);    // check_damage.c: what cannot be decoded or must be there
enum ec check_mend_rows(struct check *c); // check_damage.c: columns that follow from others
enum ec check_links(struct check *c);     // check_links.c: rows that hang on folders and messages
// check_salvage.c: a new file of what can be read. `faults` gets what was found.
enum ec check_salvage(struct store *store, const struct guid *guid, GPtrArray *faults);
enum ec check_folders(struct check *c);     // check_folders.c: tree, counters, uids
enum ec check_contents(struct check *c);    // check_contents.c: docs, blobs, references
enum ec check_recoverable(struct check *c); // recoverable_check.c: origins

enum ec check_settings(struct check *c); // check_settings.c: rules, criteria, permissions
enum ec check_rights(struct check *c);   // check_rights.c: permissions, limits, read state

extern const char sql_check_counts[], sql_check_messages[], sql_check_docs[], sql_check_mimes[],
    sql_check_attachments[], sql_check_blobs[], sql_check_blob_refs[], sql_check_doc_refs[],
    sql_check_tombstones[], sql_check_tombstone_drop[], sql_check_next_id[], sql_check_ghosts[],
    sql_check_message_move[], sql_check_folder_parent[], sql_check_message_flags[];
extern const char sql_damage_docs[], sql_damage_attachments[], sql_damage_lost_docs[],
    sql_damage_messages[], sql_damage_folders[], sql_damage_raw_doc[], sql_damage_raw_mailbox[],
    sql_damage_drop_doc[], sql_damage_drop_attachments[], sql_damage_mime[], sql_damage_keep[],
    sql_damage_mailbox_clear[], sql_damage_folder_set[], sql_damage_modseq[],
    sql_damage_mime_flag[];
extern const char sql_links_permission[], sql_links_search_folder[], sql_links_search_link_folder[],
    sql_links_rule[], sql_links_receive_folder[], sql_links_user_read[], sql_links_chunk[];
extern const char sql_check_rules[], sql_check_criteria[];
extern const char sql_salvage_largest[], sql_salvage_replica[];
