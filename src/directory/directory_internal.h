// What the parts of the directory share: its database, its cache, and all of its SQL.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "db/db.h"
#include "directory/address.h"
#include "directory/directory.h"

struct directory {
    struct db *db;
    _Atomic uint64_t unrestricted; // the generation in which nobody has a restriction of delivery

    // Of everything below, which repeats what the database holds. A POSIX lock, because
    // ThreadSanitizer does not know GLib's.
    pthread_rwlock_t lock;
    uint64_t generation;
    GPtrArray *domains;      // struct directory_domain, the default one first
    GHashTable *addresses;   // key -> struct cache_entry
    GHashTable *memberships; // struct membership, a set
};

struct directory_domain {
    char *name;     // A-labels
    char *catchall; // an address key, or NULL
};

// A kind that is a mailbox of ours.
static inline bool directory_kind_has_mailbox(enum directory_kind kind) {
    return kind <= DIRECTORY_EQUIPMENT;
}

static inline bool directory_kind_is_group(enum directory_kind kind) {
    return kind == DIRECTORY_GROUP || kind == DIRECTORY_DYNAMIC;
}

// --- directory.c: transactions ---

// Ends a write: rolls back when `ec` is an error (and returns it), otherwise counts the generation
// up, commits, and empties the caches.
enum ec directory_commit(struct directory *d, struct db_conn *conn, enum ec ec);

// --- cache.c ---

void cache_open(struct directory *d);
void cache_close(struct directory *d);
// What is remembered for an address key: true when it is, with a copy of the object, or NULL when
// nobody has the address.
bool cache_find(struct directory *d, struct arena *arena, const char *key,
                struct directory_object **out);
// Remembers what was read (NULL: nobody) unless the directory has changed since `generation`.
void cache_add(struct directory *d, const char *key, const struct directory_object *object,
               uint64_t generation);
bool cache_find_membership(struct directory *d, const struct guid *group, const struct guid *who,
                           bool *out);
void cache_add_membership(struct directory *d, const struct guid *group, const struct guid *who,
                          bool is_member, uint64_t generation);
void cache_clear_locked(struct directory *d);

// --- domain.c ---

// Reads the domains; they replace the ones in memory when `*out` is put there.
enum ec domains_load(struct db_conn *conn, GPtrArray **out);
// Whether the domain (A-labels) is ours; its catch-all (in the arena) or NULL.
bool domain_find(struct directory *d, struct arena *arena, const char *name,
                 const char **catchall_out);

// --- object.c: rows ---

// The object of the row a statement is at; its first columns are OBJECT_COLUMNS. Strings are in
// the arena.
struct directory_object *object_from_row(struct arena *arena, struct db_stmt *q);
// A copy in one piece: the strings follow the object. `arena` NULL: on the heap (g_free).
struct directory_object *object_copy(struct arena *arena, const struct directory_object *object);
enum ec object_by_guid(struct db_conn *conn, struct arena *arena, const struct guid *guid,
                       struct directory_object **out);
// All addresses of an object, the primary one first; ended by NULL, in the arena.
enum ec object_addresses(struct db_conn *conn, struct arena *arena, const struct guid *guid,
                         char ***out);
void bind_guid(struct db_stmt *q, int i, const struct guid *guid);
// The guid in a column; zero when it is none.
struct guid column_guid(struct db_stmt *q, int i);

// A growing array that becomes a struct directory_list.
void list_take(struct arena *arena, GPtrArray *objects, struct directory_list *out);

// --- anr.c ---

// Writes the object's words anew, from its fields and addresses.
enum ec anr_index(struct db_conn *conn, const struct directory_object *object);
// The words an object is found by; folded, each once, in the arena.
void anr_words(struct arena *arena, const struct directory_object *object, char *const *addresses,
               GPtrArray *words);

// --- address_list.c ---

struct filter;
// Calls `use` for each object the filter matches, ordered by name, until it returns false.
enum ec filter_scan(struct db_conn *conn, struct arena *arena, const char *sql,
                    const struct filter *filter,
                    bool (*use)(void *data, struct directory_object *object), void *data);

// --- access.c ---

extern const char directory_schema_access[]; // the tables, a step of the schema
// Takes a removed object out of them.
enum ec access_remove_object(struct db_conn *conn, const struct guid *guid);
enum ec access_check(struct db_conn *conn, bool repair, GPtrArray *faults);

// --- folder_target.c ---

enum ec folder_target_set(struct db_conn *conn, const struct guid *guid, uint64_t fid);

// --- schema.c ---

#define OBJECT_COLUMNS                                                                             \
    "o.guid, o.kind, o.protocols, o.is_disabled, o.is_hidden, o.capacity, o.created, o.changed, "  \
    "o.quota, o.address, o.display_name, o.given_name, o.surname, o.initials, o.title, "           \
    "o.department, o.company, o.office, o.phone, o.mobile, o.notes, o.target, o.filter, o.locale"
#define OBJECT_COLUMN_COUNT 24

extern const struct db_schema directory_schema;
extern const char directory_schema_settings[]; // setting.c, with its statements
extern const char sql_settings_drop[];
extern const char directory_schema_credentials[]; // credentials.c, with its statements

extern const char sql_generation[], sql_generation_grow[];
extern const char sql_domains[], sql_domain_add[], sql_domain_remove[], sql_domain_catchall[],
    sql_domain_in_use[], sql_domain_catchall_clear[], sql_domain_catchall_clear_object[];
extern const char sql_object_by_guid[], sql_object_oldest_user[], sql_object_by_key[],
    sql_object_insert[], sql_object_update[], sql_object_delete[], sql_objects[],
    sql_objects_visible[], sql_objects_recipients[], sql_object_list[], sql_object_list_visible[],
    sql_object_list_prefix[];
extern const char sql_address_owner[], sql_address_insert[], sql_address_delete[],
    sql_address_delete_all[], sql_address_demote[], sql_address_promote[], sql_addresses[];
extern const char sql_member_add[], sql_member_remove[], sql_member_remove_all[], sql_members[],
    sql_groups_of[], sql_dynamic_groups[];
extern const char sql_word_insert[], sql_word_delete_all[], sql_word_candidates[], sql_word_has[],
    sql_anr_exact[], sql_words[];
extern const char sql_lists[], sql_list_insert[], sql_list_filter[];
extern const char sql_folder_target_get[], sql_folder_target_set[], sql_folder_target_remove[],
    sql_folder_target_find[];
extern const char sql_grant_get[], sql_grant_set[], sql_grant_remove[], sql_grant_remove_all[],
    sql_grants_on[], sql_grants_to[], sql_share_get[], sql_share_add[], sql_share_remove_all[],
    sql_shares_with[], sql_access_check[], sql_access_check_repair_1[], sql_access_check_repair_2[];
extern const char sql_check_address_orphans[], sql_check_address_orphans_repair[],
    sql_check_primaries[], sql_check_primary_insert[], sql_check_addresses[], sql_check_members[],
    sql_check_members_repair[], sql_check_edges[], sql_check_word_orphans[],
    sql_check_word_orphans_repair[];
