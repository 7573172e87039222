// The message store: mailboxes, transactions, events ([MS-OXCSTOR]).
//
// A store is a folder of mailbox databases, one file a mailbox. A `struct mbox` is a mailbox in
// use, shared by everybody who has it open. All reading and changing happens inside a transaction:
//
//     struct mbox_tx *tx;
//     EC_TRY(mbox_read(mbox, &tx));               // a snapshot; never waits for a writer
//     ... folder_get(tx, ...), message_get(tx, ...)
//     mbox_read_end(tx);
//
//     enum ec change(struct mbox_tx *tx, void *ctx) { ... }
//     EC_TRY(mbox_write(mbox, change, &ctx));     // durable when it returns EC_OK
//
// mbox_write runs changes of different threads one after the other, in the order they came, and
// commits those that wait together as one (group commit); a change that fails is undone alone. What
// a change publishes (event.h) is delivered after the commit, in order, exactly once.
//
// Ids are the 48-bit counters of [MS-OXCDATA] 2.2.1 (the replica is the mailbox's own); message
// ids, folder ids and change numbers come from one counter and are never reused.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "base/guid.h"
#include "base/result.h"

struct store;
struct mbox;
struct mbox_tx;

// Another folder for mailbox files, beside the store's own, which is called "default".
struct store_database {
    const char *name, *path;
};

struct store_options {
    unsigned max_idle_open; // mailboxes kept open with nobody using them; 0: 64
    bool is_durable;        // false only for tests: commits survive kill -9 but not power loss
    const struct store_database *databases; // more of them
    unsigned n_databases;
};

// `dir` is made if missing. What a killed move or replacement left is finished or taken away.
// EC_DISK_ERROR, logged.
enum ec store_open(const char *dir, const struct store_options *options, struct store **out);
void store_close(struct store *store); // no mailbox may be in use; accepts NULL

struct mbox_new {
    struct guid guid;         // the directory object's
    const char *address;      // owner, for messages to the admin
    const char *display_name; // the store's display name
    const char *locale;       // folder names
};

// Creates a mailbox with all special folders. EC_COLLISION when there is one.
enum ec store_create_mailbox(struct store *store, const struct mbox_new *spec);
// Deletes its file. EC_BUSY while it is in use.
enum ec store_delete_mailbox(struct store *store, const struct guid *guid);
enum ec store_list_mailboxes(struct store *store, GArray **guids_out); // of struct guid

// Opens (shares) a mailbox. EC_NOT_FOUND. Unref when done. A mailbox of an older version is brought
// up first, which may take a while (db/db.h); others can be opened meanwhile.
enum ec store_open_mailbox(struct store *store, const struct guid *guid, struct mbox **out);
struct mbox *mbox_ref(struct mbox *mbox);
void mbox_unref(struct mbox *mbox); // accepts NULL
#define MBOX_AUTO __attribute__((cleanup(mbox_cleanup_))) struct mbox *
static inline void mbox_cleanup_(struct mbox **mbox) {
    mbox_unref(*mbox);
}

const struct guid *mbox_guid(const struct mbox *mbox);

// Background work: checkpoints of mailboxes written to, closing idle ones. Call every second or so.
void store_maintain(struct store *store);

// Files of the mailbox, for the admin. In the arena.
char *store_mailbox_path(struct store *store, struct arena *arena, const struct guid *guid);

// --- Transactions ---
enum ec mbox_read(struct mbox *mbox, struct mbox_tx **out);
void mbox_read_end(struct mbox_tx *tx); // accepts NULL
#define MBOX_TX_AUTO __attribute__((cleanup(mbox_tx_cleanup_))) struct mbox_tx *
static inline void mbox_tx_cleanup_(struct mbox_tx **tx) {
    mbox_read_end(*tx);
}

typedef enum ec (*mbox_change)(struct mbox_tx *tx, void *ctx);
// Runs `change`; its result is the call's unless the commit fails. May run it on another thread of
// those waiting in mbox_write for the same mailbox (never two at once): `change` must not wait for
// anything or use thread-local state.
enum ec mbox_write(struct mbox *mbox, mbox_change change, void *ctx);

struct mbox *tx_mbox(struct mbox_tx *tx);

// --- The mailbox itself ---
struct mbox_info {
    struct guid guid, replica; // replica: the GUID of its ids and change numbers
    const char *address, *display_name, *locale;
    filetime_t created;
    uint64_t last_change; // the newest change number
    uint64_t size;        // bytes of all messages, soft-deleted ones included
    uint64_t n_messages;
};
enum ec mbox_get_info(struct mbox_tx *tx, struct arena *arena, struct mbox_info *out);

// Properties of the store object (PidTagOofState, ...), as one bag. *out is a copy (bag_free).
struct bag;
enum ec mbox_get_props(struct mbox_tx *tx, struct bag **out);
enum ec mbox_set_props(struct mbox_tx *tx, const struct bag *set, const uint32_t *remove,
                       unsigned n_remove);

// The next id of the mailbox's counter (also change numbers). Only in a write.
uint64_t mbox_next_id(struct mbox_tx *tx);

// --- Named properties: fixed ids for the well-known ones, others by mailbox ---
struct prop_name; // mapi/named.h
// The id (0x8000 and up) of a name; `create` assigns one (needs a write). EC_NOT_FOUND,
// EC_NAMED_PROP_QUOTA.
enum ec mbox_name_to_id(struct mbox_tx *tx, const struct prop_name *name, bool create,
                        uint16_t *out);
enum ec mbox_id_to_name(struct mbox_tx *tx, struct arena *arena, uint16_t id,
                        struct prop_name *out);

// --- Subscriptions to paths that are no folder (IMAP keeps such names); folders:
// folder_set_subscribed ---
enum ec mbox_get_subscriptions(struct mbox_tx *tx, char ***out); // g_strfreev
enum ec mbox_set_subscription(struct mbox_tx *tx, const char *path, bool is_subscribed);

// Whether a delivery of this id was stored (and not forgotten since).
enum ec mbox_was_delivered(struct mbox_tx *tx, const char *delivery_id, bool *out);
// Forgets delivery ids older than `before` (their messages can no longer be in the queue).
enum ec mbox_purge_delivered(struct mbox_tx *tx, filetime_t before);

// --- Places (store_place.c) ---

// The database (folder of mailbox files) a mailbox is in: "default" or one of the options'. Never
// NULL; "default" for one that is nowhere.
const char *store_database_of(struct store *store, const struct guid *guid);
bool store_has_database(const struct store *store, const char *name);

// Moves a mailbox to another database while it is used; nobody notices but that writing waits for
// moments. EC_NOT_FOUND: no such mailbox, EC_INVALID_PARAMETER: no such database, EC_BUSY: it is
// being moved, EC_DISK_FULL. Killed at any point, the mailbox is in one of the two places, whole.
enum ec store_move_mailbox(struct store *store, const struct guid *guid, const char *database,
                           void (*progress)(void *ctx, int percent), void *ctx);

// Puts the whole mailbox database `file` in the place of a mailbox, which may be missing, damaged
// or in use: who uses it gets EC_END_OF_SESSION from then on. `file` is consumed; it must be in the
// same folder (store_file_beside). The file of before stays as FILE.KEEP, with its WAL.
enum ec store_replace_mailbox(struct store *store, const struct guid *guid, const char *file,
                              const char *keep);
// A name for a file beside the mailbox's (its own, or where it would be made): FILE.SUFFIX
// (g_free).
char *store_file_beside(struct store *store, const struct guid *guid, const char *suffix);

// --- Versions ---

// The version of a mailbox's file and the newest one. `has_old_out`: a migration left the file of
// before beside it. EC_NOT_FOUND, EC_CORRUPT_DATA.
enum ec store_mailbox_version(struct store *store, const struct guid *guid, int64_t *found_out,
                              int64_t *newest_out, bool *has_old_out);
void store_forget_old(struct store *store, const struct guid *guid);
